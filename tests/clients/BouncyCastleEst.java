/* What Bouncy Castle's EST client does with a server: one operation a run, its result on standard output.
 *
 *   java -cp bcprov.jar:bcutil.jar:bcpkix.jar BouncyCastleEst.java OPERATION HOST:PORT ROOT LABEL|- NAME [USER PASSWORD | P12 PASSWORD]
 */
import java.io.FileInputStream;
import java.io.FileReader;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.PublicKey;
import java.security.Security;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.util.Base64;
import java.util.Set;
import javax.net.ssl.KeyManagerFactory;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.ExtensionsGenerator;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.est.CSRRequestResponse;
import org.bouncycastle.est.ESTAuth;
import org.bouncycastle.est.ESTException;
import org.bouncycastle.est.ESTService;
import org.bouncycastle.est.EnrollmentResponse;
import org.bouncycastle.est.jcajce.JcaHttpAuthBuilder;
import org.bouncycastle.est.jcajce.JcaJceUtils;
import org.bouncycastle.est.jcajce.JsseESTServiceBuilder;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.operator.ContentSigner;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.pkcs.PKCS10CertificationRequestBuilder;
import org.bouncycastle.pkcs.jcajce.JcaPKCS10CertificationRequestBuilder;
import org.bouncycastle.util.Store;

public class BouncyCastleEst {
	static void print(Store<X509CertificateHolder> store) throws Exception {
		for (X509CertificateHolder holder : store.getMatches(null))
			System.out.println("-----BEGIN CERTIFICATE-----\n" + Base64.getMimeEncoder(64, new byte[] {10}).encodeToString(holder.getEncoded())
			                   + "\n-----END CERTIFICATE-----");
	}

	static PKCS10CertificationRequestBuilder request(String name, PublicKey key) throws Exception {
		ExtensionsGenerator extensions = new ExtensionsGenerator();
		extensions.addExtension(Extension.subjectAlternativeName, false, new GeneralNames(new GeneralName(GeneralName.dNSName, name)));
		PKCS10CertificationRequestBuilder builder = new JcaPKCS10CertificationRequestBuilder(new X500Name("CN=" + name), key);
		return builder.addAttribute(PKCSObjectIdentifiers.pkcs_9_at_extensionRequest, extensions.generate());
	}

	static void result(EnrollmentResponse response) throws Exception {
		if (response.isCompleted())
			print(response.getStore());
		else
			System.out.println("waits " + (response.getNotBefore() - System.currentTimeMillis()) / 1000);
	}

	public static void main(String[] args) throws Exception {
		String operation = args[0], name = args[4];
		Security.addProvider(new BouncyCastleProvider());
		X509Certificate root = new JcaX509CertificateConverter().getCertificate((X509CertificateHolder) new PEMParser(new FileReader(args[2])).readObject());
		JsseESTServiceBuilder builder = new JsseESTServiceBuilder(args[1], JcaJceUtils.getCertPathTrustManager(Set.of(new TrustAnchor(root, null)), null));
		ESTAuth auth = null;
		KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
		generator.initialize(new ECGenParameterSpec("secp256r1"));
		KeyPair pair = generator.generateKeyPair();

		if (!args[3].equals("-"))
			builder.withLabel(args[3]);
		if (operation.equals("reenroll")) {
			KeyStore store = KeyStore.getInstance("PKCS12");
			store.load(new FileInputStream(args[5]), args[6].toCharArray());
			KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
			keys.init(store, args[6].toCharArray());
			builder.withKeyManagers(keys.getKeyManagers());
		} else if (args.length > 6) {
			auth = new JcaHttpAuthBuilder(args[5], args[6].toCharArray()).setProvider("BC").build();
		}
		ESTService est = builder.build();
		ContentSigner signer = new JcaContentSignerBuilder("SHA256withECDSA").setProvider("BC").build(pair.getPrivate());
		try {
			switch (operation) {
			case "cacerts" -> print(est.getCACerts().getCertificateStore());
			case "csrattrs" -> {
				CSRRequestResponse attributes = est.getCSRAttributes();
				System.out.println(attributes.hasAttributesResponse() ? attributes.getAttributesResponse().getRequirements().toString() : "none");
			}
			default -> result(est.simpleEnroll(operation.equals("reenroll"), request(name, pair.getPublic()).build(signer), auth));
			}
		} catch (ESTException e) {
			System.out.println("refused " + e.getStatusCode() + " " + e.getMessage());
			System.exit(1);
		}
	}
}
