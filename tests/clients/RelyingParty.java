/* Whether Java's PKIX validator, or Bouncy Castle's, takes the end certificate of a folder: "good", or the exceptions, one a line.
 *
 *   java -cp bcprov.jar:bcutil.jar:bcpkix.jar RelyingParty.java SUN|BC none|crl|delta|fetch|ocsp FOLDER...
 *
 * leaf.pem, chain.pem, root.pem; *.crl and *.delta for crl and delta; FOLDER/ocsp is the responder's URL. fetch takes the lists that the
 * certificates point to (SUN alone).
 */
import java.io.BufferedInputStream;
import java.io.InputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Security;
import java.security.cert.CertPath;
import java.security.cert.CertPathParameters;
import java.security.cert.CertPathValidator;
import java.security.cert.CertStore;
import java.security.cert.CertificateFactory;
import java.security.cert.CollectionCertStoreParameters;
import java.security.cert.PKIXParameters;
import java.security.cert.PKIXRevocationChecker;
import java.security.cert.PKIXRevocationChecker.Option;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.bouncycastle.jcajce.PKIXExtendedParameters;
import org.bouncycastle.jce.provider.BouncyCastleProvider;

public class RelyingParty {
	static String provider, mode;
	static CertificateFactory factory;

	static List<X509Certificate> certificates(Path file) throws Exception {
		List<X509Certificate> found = new ArrayList<>();
		try (InputStream in = new BufferedInputStream(Files.newInputStream(file))) {
			for (var one : factory.generateCertificates(in))
				found.add((X509Certificate) one);
		}
		return found;
	}

	static void addLists(Path folder, List<Object> all) throws Exception {
		try (var files = Files.newDirectoryStream(folder, mode.equals("delta") ? "*.{crl,delta}" : "*.crl")) {
			for (Path file : files)
				try (InputStream in = Files.newInputStream(file)) {
					all.add(factory.generateCRL(in));
				}
		}
	}

	/* Both ask either for lists or for OCSP, and take no silence for an answer. */
	static PKIXRevocationChecker checker(CertPathValidator validator, Path folder) throws Exception {
		var checker = (PKIXRevocationChecker) validator.getRevocationChecker();
		if (!mode.equals("ocsp")) {
			checker.setOptions(EnumSet.of(Option.PREFER_CRLS, Option.NO_FALLBACK));
			return checker;
		}
		checker.setOptions(EnumSet.of(Option.ONLY_END_ENTITY, Option.NO_FALLBACK));
		if (provider.equals("BC"))
			checker.setOcspResponder(new URI(Files.readString(folder.resolve("ocsp"))));
		return checker;
	}

	static CertPathParameters parameters(CertPathValidator validator, Path folder, List<X509Certificate> chain) throws Exception {
		var anchor = new TrustAnchor(certificates(folder.resolve("root.pem")).get(0), null);
		var parameters = new PKIXParameters(Set.of(anchor));
		List<Object> held = new ArrayList<>(chain);
		if (mode.equals("crl") || mode.equals("delta"))
			addLists(folder, held);
		parameters.addCertStore(CertStore.getInstance("Collection", new CollectionCertStoreParameters(held), provider));
		parameters.setRevocationEnabled(!mode.equals("none") && !(provider.equals("BC") && mode.equals("ocsp")));
		if (provider.equals("BC") && !mode.equals("ocsp"))
			return new PKIXExtendedParameters.Builder(parameters).setUseDeltasEnabled(mode.equals("delta")).build();
		if (!mode.equals("none"))
			parameters.addCertPathChecker(checker(validator, folder));
		return parameters;
	}

	static String judge(Path folder) {
		try {
			List<X509Certificate> chain = certificates(folder.resolve("leaf.pem"));
			chain.addAll(certificates(folder.resolve("chain.pem")));
			CertPath path = factory.generateCertPath(chain);
			var validator = CertPathValidator.getInstance("PKIX", provider);
			validator.validate(path, parameters(validator, folder, chain));
			return "good";
		} catch (Exception e) {
			StringBuilder text = new StringBuilder();
			for (Throwable at = e; at != null; at = at.getCause())
				text.append(at).append("; ");
			return text.toString().replace('\n', ' ');
		}
	}

	public static void main(String[] args) throws Exception {
		Security.addProvider(new BouncyCastleProvider());
		provider = args[0];
		mode = args[1];
		System.setProperty("com.sun.security.enableCRLDP", Boolean.toString(mode.equals("fetch")));
		if (provider.equals("SUN"))
			factory = CertificateFactory.getInstance("X.509", "SUN");
		else
			factory = CertificateFactory.getInstance("X.509", "BC");
		for (int i = 2; i < args.length; i++)
			System.out.println(judge(Path.of(args[i])));
	}
}
