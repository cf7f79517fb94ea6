"""Names below a CA with constraints (RFC 5280, 4.2.1.10), as verifiers of other kinds than OpenSSL read them, and the order of
a subject, which constraints of directories look at."""

import subprocess

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp

from acme_raw import Client
from acme_raw import Refused as AcmeRefused
from api_client import Api, Refused, load, make_token
from harness import BINARY, Server
from judge import pem_list

PROFILES = [{"name": name, "methods": ["acme", "api"]} for name in ("tls-server", "device", "user")]
PROFILES = [{**p, "policy": p["name"]} for p in PROFILES]
PROFILES.append({"name": "dressed", "policy": "device", "methods": ["api"], "subject": {"o": ["Example Ltd"], "c": ["DE"]}})


def openssl(*args):
    done = subprocess.run(["openssl", *map(str, args)], capture_output=True, text=True)
    assert done.returncode == 0, (args, done.stdout, done.stderr)


def dns(*names):
    return {"altNames": [{"type": "dns", "value": n} for n in names]}


def issue(api, profile, **attributes):
    return api.post("certificates", {"profileId": profile, "attributes": attributes})["certificate"]


# --- excluded names and wildcards


@pytest.fixture(scope="module")
def excluding():
    extra = {"ca": {"permitted": ["dns:example.com", "dns:localhost"], "excluded": ["dns:secret.example.com"]},
             "tls": {"names": ["localhost"]}, "profiles": PROFILES}
    with Server(extra) as server:
        yield Api(server, make_token(server, "admin")[0])


@pytest.mark.parametrize("name,good", [("*.example.com", False), ("*.EXAMPLE.com", False), ("*.secret.example.com", False), ("*.www.example.com", True),
                                       ("www.example.com", True), ("secret.example.com", False), ("secrets.example.com", True)])
def test_a_wildcard_for_an_excluded_name_is_refused(excluding, name, good):
    """Go, rustls and Python's verifier refuse a wildcard that stands for an excluded name; OpenSSL compares texts."""
    if good:
        assert issue(excluding, "tls-server", **dns(name))["serialNumber"]
        return
    with pytest.raises(Refused) as refused:
        issue(excluding, "tls-server", **dns(name))
    assert refused.value.problem["type"].endswith("rejected-identifier"), refused.value


def test_an_order_is_told_early_what_the_ca_excludes(excluding):
    """RFC 8555, 7.4: not after the client has proven a name that no certificate of this CA can have."""
    client = Client(excluding.server)
    client.register()
    for name in ("www.example.com", "*.www.example.com"):
        client.order([name])
    for name in ("*.example.com", "x.secret.example.com", "www.example.org"):
        with pytest.raises(AcmeRefused) as caught:
            client.order(["www.example.com", name])
        part, = caught.value.reply.json()["subproblems"]
        assert part["type"].endswith("rejectedIdentifier") and part["identifier"]["value"] == name and "4.2.1.10" in part["detail"]


# --- the order of a subject


@pytest.fixture(scope="module")
def plain():
    with Server({"profiles": PROFILES}) as server:
        yield Api(server, make_token(server, "admin")[0])


def test_a_subject_has_the_order_of_a_directory(plain):
    made = issue(plain, "device", commonName="d-1", serialNumber="7", organization="Example Ltd", organizationalUnit="Plant", country="DE",
                 state="Bavaria", locality="Munich")
    assert [a.oid._name for a in load(made["certificate"]).subject] == \
        ["countryName", "stateOrProvinceName", "localityName", "organizationName", "organizationalUnitName", "commonName", "serialNumber"]
    made = issue(plain, "user", commonName="Ann", domainComponents=["com", "example"], altNames=[{"type": "email", "value": "ann@example.com"}])
    assert load(made["certificate"]).subject.rfc4514_string() == "CN=Ann,DC=example,DC=com"


def test_defaults_of_a_profile_stand_where_a_directory_has_them(plain):
    assert load(issue(plain, "dressed", commonName="d-2")["certificate"]).subject.rfc4514_string() == "CN=d-2,O=Example Ltd,C=DE"
    assert load(issue(plain, "dressed", commonName="d-3", organization="Other", organizationalUnit="Plant")["certificate"]) \
        .subject.rfc4514_string() == "CN=d-3,OU=Plant,O=Other,C=DE"


# --- a CA of directory names


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    """An imported CA, below which subjects begin with C=DE, O=Example Ltd."""
    folder = tmp_path_factory.mktemp("directory")
    root, corp = folder / "root", folder / "corp"
    for name in (root, corp):
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", f"{name}.key")
        (folder / f"{name}.key").chmod(0o600)
    extensions = folder / "extensions"
    extensions.write_text("basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n"
                          "authorityKeyIdentifier=keyid\nnameConstraints=critical,@names\n"
                          "[names]\npermitted;DNS.1=example.com\npermitted;dirName.1=here\n[here]\nC=DE\nO=Example Ltd\n")
    openssl("req", "-x509", "-key", f"{root}.key", "-subj", "/O=Outside/CN=Outside Root", "-days", "3650", "-out", f"{root}.pem",
            "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    openssl("req", "-new", "-key", f"{corp}.key", "-subj", "/O=Elsewhere/CN=Corp CA", "-out", f"{corp}.csr")
    openssl("x509", "-req", "-in", f"{corp}.csr", "-CA", f"{root}.pem", "-CAkey", f"{root}.key", "-days", "1000", "-extfile", extensions,
            "-out", f"{corp}.pem")
    server = Server()
    try:
        done = subprocess.run([BINARY, "ca", "import", "corp", "--config", server.config, "--certificate", f"{corp}.pem", "--key", f"{corp}.key",
                               "--chain", f"{root}.pem"], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        server.write_config({"profiles": [{**p, "issuer": "corp"} for p in PROFILES], "ca": {"urls": f"http://127.0.0.1:{server.plain_port}", "issuers": ["issuing", "corp"]}})
        server.start()
        api = Api(server, make_token(server, "admin")[0])
        api.outside = f"{root}.pem"
        yield api
    finally:
        server.close()


def verify(root, chain, leaf, tmp_path):
    (tmp_path / "chain").write_text(chain)
    (tmp_path / "leaf").write_text(leaf)
    openssl("verify", "-x509_strict", "-CAfile", root, "-untrusted", tmp_path / "chain", tmp_path / "leaf")


def test_subjects_below_a_directory(directory, tmp_path):
    """A CA of directory names takes subjects that begin with them, be it by the profile alone, and no others."""
    for profile, more in (("device", {"organization": "Example Ltd", "country": "DE"}), ("dressed", {})):
        made = issue(directory, profile, commonName=f"d-{profile}", **more, **dns("d.example.com"))
        verify(directory.outside, made["certificateChain"], made["certificate"], tmp_path)
    with pytest.raises(Refused) as refused:
        issue(directory, "device", commonName="d-9", organization="Other", country="DE")
    assert refused.value.problem["type"].endswith("rejected-identifier")


def test_the_chain_ends_in_the_issuers_own_root(directory):
    """Which is not the server's own, for an imported CA."""
    made = issue(directory, "tls-server", **dns("www.example.com"))
    assert [load(p).subject.rfc4514_string() for p in pem_list(made["certificateChain"])] == ["CN=Corp CA,O=Elsewhere", "CN=Outside Root,O=Outside"]
    less = directory.post("certificates", {"profileId": "tls-server", "attributes": dns("w.example.com"), "removeRootsFromChain": True})["certificate"]
    assert less["certificateChain"] == less["issuingCaCertificate"]


def test_ocsp_below_a_directory(directory, tmp_path):
    """The responder's own name must be one that the CA's constraints permit."""
    made = issue(directory, "tls-server", **dns("o.example.com"))
    leaf, issuer = load(made["certificate"]), load(made["issuingCaCertificate"])
    request = ocsp.OCSPRequestBuilder().add_certificate(leaf, issuer, hashes.SHA1()).build().public_bytes(serialization.Encoding.DER)
    reply = requests.post(f"http://127.0.0.1:{directory.server.plain_port}/ocsp/corp", data=request, headers={"Content-Type": "application/ocsp-request"})
    told = ocsp.load_der_ocsp_response(reply.content)
    assert told.response_status == ocsp.OCSPResponseStatus.SUCCESSFUL and told.certificate_status == ocsp.OCSPCertStatus.GOOD
    responder, = told.certificates
    assert responder.subject.rfc4514_string() == "CN=OCSP responder of corp,O=Example Ltd,C=DE"
    verify(directory.outside, made["certificateChain"], responder.public_bytes(serialization.Encoding.PEM).decode(), tmp_path)
