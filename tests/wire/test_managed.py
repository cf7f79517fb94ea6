"""Certificates whose key the server makes: issued, kept, exported, renewed, approved."""

import concurrent.futures
import datetime
import json
import os
import subprocess
import time

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from api_client import Api, Refused, csr, load, make_token, new_key
from harness import Server

DAY = 86400
PROFILES = [
    {"name": "open", "methods": ["api", "acme"]},
    {"name": "kept", "methods": ["api"], "keep_keys": True, "renew_before": "20d"},
    {"name": "quick", "methods": ["api"], "keep_keys": True, "renew_before": "3538s", "validity": "1h", "validity_max": "1d"},
    {"name": "free", "methods": ["api"], "policy": "free", "key_usage": ["digitalSignature"], "extended_key_usage": ["clientAuth"]},
    {"name": "device", "methods": ["api"], "policy": "device", "keep_keys": True},
    {"name": "strict", "methods": ["api"], "keys": ["ec-p384"], "dns": {"allow": ["**.strict.example"]}},
    {"name": "asked", "methods": ["api"], "approvals": 2, "approvers": ["ada", "bob", "eve"]},
    {"name": "askedkept", "methods": ["api"], "approvals": 1, "keep_keys": True, "renew_before": "3538s", "validity": "1h"},
    {"name": "ca", "methods": ["api"], "policy": "intermediate-ca"},
    {"name": "crowd", "names_max": 300, "methods": ["api"]},
]
POLICIES = [{"name": "free", "unlisted": "allow", "san": {"upn": {"allow": ["*"]}}, "validity_max": "90d"}]


@pytest.fixture(scope="module")
def server():
    with Server({"profiles": PROFILES, "policies": POLICIES, "api": {"requests_per_token": {"burst": 0}}}) as running:
        yield running


@pytest.fixture(scope="module")
def api(server):
    return Api(server, make_token(server, "admin", "key")[0])


def refused(status, call, /, *args, **kwargs):
    with pytest.raises(Refused) as caught:
        call(*args, **kwargs)
    assert caught.value.status == status, caught.value
    return caught.value


def key_of(made):
    return serialization.load_pem_private_key(made["privateKey"].encode(), None)


def spki(key):
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def managed(api, profile="open", **attributes):
    body = {"profileId": profile, "attributes": attributes}
    return api.post("certificates", body)["certificate"]


def names(certificate):
    return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value


def wait_for(what, seconds=60):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = what()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError("it did not come")


def test_token_of_names_has_the_keys_of_its_names_alone(server, api):
    """It reads what others have, and neither gets their keys nor ends, changes or renews what is theirs."""
    token, token_id = make_token(server, "issue", "read", "revoke", "key", name="dns:**.team.example", profile="kept")
    team = Api(server, token)
    acts = [("POST", "/pkcs12", {"password": "a long password"}), ("POST", "/pem", {}), ("GET", "/private-key", None),
            ("PATCH", "", {"metadata": []}), ("POST", "/renew", {}), ("DELETE", "/private-key", None), ("POST", "/revoke", {})]

    def make(who, *values, **more):
        return managed(who, "kept", altNames=[{"value": v} for v in values], **more)["certificateId"]
    for other in (make(api, "www.example.com"), make(api, "a.team.example", "www.example.com"), make(api, "a.team.example", commonName="www.example.com")):
        assert team.get(f"certificates/{other}")["id"] == other
        for method, path, body in acts:
            why = refused(403, team.call, method, f"certificates/{other}{path}", body)
            assert why.problem["detail"] == f"the token {token_id} is not for all names of the certificate {other}"
        assert api.get(f"certificates/{other}/private-key")["privateKey"]
    for own in (make(team, "b.team.example"), make(api, "c.team.example"), make(api, "d.team.example", commonName="d.team.example")):
        for method, path, body in acts:
            team.raw(method, f"/api/v1/cert-manager/certificates/{own}{path}", body).raise_for_status()


# --- issuing

def test_the_server_makes_the_key(server, api, tmp_path):
    reply = api.post("certificates", {"profileId": "open", "attributes": {
        "commonName": "www.example.com", "altNames": [{"type": "dns_name", "value": "www.example.com"}, {"type": "ip_address", "value": "192.0.2.7"}],
        "keyAlgorithm": "RSA_2048", "keyUsages": ["digital_signature", "key_encipherment"], "extendedKeyUsages": ["server_auth"], "ttl": "30d"}})
    assert set(reply) == {"certificate", "certificateRequestId"}
    made = reply["certificate"]
    certificate, key = load(made["certificate"]), key_of(made)
    assert isinstance(key, rsa.RSAPrivateKey) and key.key_size == 2048
    assert spki(key.public_key()) == spki(certificate.public_key())
    assert [n.value for n in names(certificate)] == ["www.example.com", __import__("ipaddress").ip_address("192.0.2.7")]
    assert certificate.subject.rfc4514_string() == "CN=www.example.com"
    assert list(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [ExtendedKeyUsageOID.SERVER_AUTH]
    for name in ("certificate", "certificateChain"):
        (tmp_path / name).write_text(made[name])
    subprocess.run(["openssl", "verify", "-CAfile", server.root_pem, "-untrusted", tmp_path / "certificateChain",
                    tmp_path / "certificate"], check=True)
    row = api.get(f"certificates/{made['certificateId']}")
    assert "keyKept" not in row and row["method"] == "api"
    refused(404, api.get, f"certificates/{made['certificateId']}/private-key")
    record = api.get(f"certificate-requests/{reply['certificateRequestId']}")
    assert record["status"] == "issued" and record["certificateId"] == made["certificateId"]


def test_as_many_names_as_the_profile_says(api):
    def ask(count):
        return managed(api, "crowd", altNames=[{"type": "dns", "value": f"n{i}.example"} for i in range(count)])
    assert len(list(names(load(ask(300)["certificate"])))) == 300
    errors = refused(400, ask, 301).problem["errors"]
    assert [(e["field"], e["rule"]) for e in errors] == [("attributes", "names-count")], errors


@pytest.mark.parametrize("name,kind,size", [
    ("ec-p256", ec.SECP256R1, 0), ("EC_prime256v1", ec.SECP256R1, 0), ("EC_secp384r1", ec.SECP384R1, 0), ("ec_p521", ec.SECP521R1, 0),
    ("RSA_3072", None, 3072), ("rsa-4096", None, 4096), ("Ed25519", ed25519.Ed25519PrivateKey, 0)])
def test_each_kind_of_key(api, name, kind, size):
    key = key_of(managed(api, commonName="kind.example", keyAlgorithm=name))
    assert key.key_size == size if size else isinstance(getattr(key, "curve", key), kind)


def test_the_key_fits_profile_and_usages(api):
    assert isinstance(key_of(managed(api, commonName="fit.example")), ec.EllipticCurvePrivateKey)
    assert isinstance(key_of(managed(api, commonName="fit.example", keyUsages=["keyEncipherment"])), rsa.RSAPrivateKey)
    assert isinstance(key_of(managed(api, "strict", commonName="a.strict.example")).curve, ec.SECP384R1)


def test_all_that_can_be_asked(api):
    made = load(managed(api, "free", commonName="ada", organization="Example", organizationalUnit="Crypto", country="DE", state="Hessen",
                        locality="Kassel", domainComponents=["example", "com"], emailAddress="ada@example.com", serialNumber="0815",
                        altNames=[{"value": "a.example.com"}, {"value": "2001:db8::7"}, {"value": "ada@example.com"},
                                  {"value": "https://example.com/ada"}, {"type": "upn", "value": "ada@corp.example"}],
                        extendedKeyUsages=["clientAuth", "1.3.6.1.4.1.311.20.2.2"], keyUsages=["digitalSignature"])["certificate"])
    subject = {a.oid: a.value for a in made.subject}
    assert [subject[o] for o in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME, NameOID.ORGANIZATIONAL_UNIT_NAME, NameOID.COUNTRY_NAME,
                                 NameOID.STATE_OR_PROVINCE_NAME, NameOID.LOCALITY_NAME, NameOID.EMAIL_ADDRESS, NameOID.SERIAL_NUMBER)] == \
        ["ada", "Example", "Crypto", "DE", "Hessen", "Kassel", "ada@example.com", "0815"]
    assert [a.value for a in made.subject.get_attributes_for_oid(NameOID.DOMAIN_COMPONENT)] == ["example", "com"]
    kinds = [type(n).__name__ for n in names(made)]
    assert sorted(kinds) == ["DNSName", "IPAddress", "OtherName", "RFC822Name", "UniformResourceIdentifier"]
    usages = [o.dotted_string for o in made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value]
    assert usages == ["1.3.6.1.5.5.7.3.2", "1.3.6.1.4.1.311.20.2.2"]


@pytest.mark.parametrize("name", ["upn:eve@corp.example", "bob@corp.example"]) # of two of one second either may be the latest
def test_a_name_of_windows_is_found_as_any_other(api, name):
    value = name.removeprefix("upn:")
    made = managed(api, "free", commonName="eve", altNames=[{"type": "upn", "value": value}])["certificateId"]
    assert {"type": "upn", "value": value} in api.get(f"certificates/{made}")["names"]
    assert made in [r["id"] for r in api.everything(name=name)]
    assert api.get("certificate-profiles/free/certificates/latest-active-bundle", identifier=name)["certificateId"] == made


def test_the_signature_is_as_asked(api):
    made = load(managed(api, commonName="sig.example", signatureAlgorithm="ECDSA-SHA512")["certificate"])
    assert isinstance(made.signature_hash_algorithm, hashes.SHA512)
    problem = refused(400, managed, api, commonName="sig.example", signatureAlgorithm="RSA-SHA256")
    assert "ECDSA" in problem.fields()["attributes.signatureAlgorithm"]


def test_a_ca_below_an_issuer_that_may_have_none(api):
    assert "CA certificate is not allowed" in refused(400, managed, api, commonName="a.example", basicConstraints={"isCA": True}).problem["detail"]
    problem = refused(400, managed, api, "ca", commonName="Sub CA", basicConstraints={"isCA": True, "pathLength": 0})
    assert "4.2.1.9" in problem.problem["detail"]


def test_rsa_keys_do_not_hold_all_threads(server, api):
    """The search for primes takes seconds: a few wait for their turn, the others are told when to come again, and whoever
    wants anything else is served meanwhile."""
    places = 3 * min(os.cpu_count(), 16)
    count = places + 20
    body = {"profileId": "open", "attributes": {"commonName": "slow.example", "keyAlgorithm": "RSA_3072"}}

    def ask(number):
        reply = requests.post(f"{server.url}/api/v1/cert-manager/certificates", json=body, timeout=300, verify=server.root_pem,
                              headers={"Authorization": f"Bearer {api.token}"})
        return reply.status_code, reply.headers.get("Retry-After")

    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        asked = [pool.submit(ask, i) for i in range(count)]
        concurrent.futures.wait(asked, return_when=concurrent.futures.FIRST_COMPLETED)
        assert managed(api, commonName="quick.example", keyAlgorithm="EC_prime256v1")
        assert api.get("/api/v1/token")["roles"]
        slow = sum(not f.done() for f in asked)
        told = [f.result() for f in asked]
    assert {status for status, _ in told} == {200, 503}, told
    assert all(after and int(after) > 0 for status, after in told if status == 503)
    assert slow > 0 and sum(status == 200 for status, _ in told) >= min(3, places)
    # What came too early was not kept as a refusal of policy, and can come again.
    assert not [r for r in api.everything("certificate-requests", status="failed") if "slow.example" in json.dumps(r)]
    assert ask(0)[0] == 200


BAD = [
    ({}, "csr", "CSR cannot be empty"),
    ({"ttl": "1d"}, "csr", "CSR cannot be empty"),
    ({"commonName": ""}, "attributes.commonName", "1 to 64"),
    ({"commonName": "x" * 65}, "attributes.commonName", "1 to 64"),
    ({"commonName": "a b.example"}, "subject.cn", "does not match"),
    ({"commonName": "a.example", "country": "Germany"}, "attributes.country", "2 to 2"),
    ({"commonName": "a.example", "altNames": ["a"]}, "attributes.altNames[0]", "expected an object"),
    ({"commonName": "a.example", "altNames": [{"type": "x400", "value": "a"}]}, "attributes.altNames[0]", "expected type"),
    ({"commonName": "a.example", "altNames": [{"type": "dns", "value": "a b"}]}, "attributes.altNames[0]", ""),
    ({"commonName": "a.example", "altNames": [{"type": "ip", "value": "300.1.1.1"}]}, "attributes.altNames[0]", ""),
    ({"commonName": "a.example", "altNames": [{"type": "upn", "value": "me"}]}, "attributes.altNames[0]", "UPN"),
    ({"commonName": "a.example", "altNames": [{"type": "email", "value": "x@example.com"}]}, "san.email", "email SAN is not allowed"),
    ({"commonName": "a.example", "keyAlgorithm": "DSA_1024"}, "attributes.keyAlgorithm", "expected rsa-2048"),
    ({"commonName": "a.example", "keyUsages": ["everything"]}, "attributes.keyUsages", "4.2.1.3"),
    ({"commonName": "a.example", "keyUsages": "digitalSignature"}, "attributes.keyUsages", "expected a list"),
    ({"commonName": "a.example", "extendedKeyUsages": ["1.2.x"]}, "attributes.extendedKeyUsages", "or an OID"),
    ({"commonName": "a.example", "extendedKeyUsages": ["codeSigning"]}, "extended_key_usage", "not allowed"),
    ({"commonName": "a.example", "extendedKeyUsages": ["ocspSigning"]}, "extended_key_usage", "xtended"),
    ({"commonName": "a.example", "signatureAlgorithm": "md5"}, "attributes.signatureAlgorithm", "expected"),
    ({"commonName": "a.example", "basicConstraints": {"isCA": False, "pathLength": 1}}, "attributes.basicConstraints.pathLength", "only a CA"),
    ({"commonName": "a.example", "organization": "Example"}, "subject.o", "organization"),
    ({"commonName": "a.example", "organization": "Exa\u202emple"}, "attributes.organization", "cannot be seen"),
    ({"commonName": "a\u200bb"}, "attributes.commonName", "cannot be seen"),
    ({"commonName": "a.example", "ttl": "4000d"}, "attributes.ttl", "a validity of 4000d is longer than profile open allows: 397d at most"),
    ({"commonName": "a.example", "privateKey": "x"}, "attributes.privateKey", "no such field"),
]


@pytest.mark.parametrize("attributes,field,text", BAD)
def test_bad_attributes_name_the_field_and_change_nothing(api, attributes, field, text):
    before = len(api.everything())
    problem = refused(400, api.post, "certificates", {"profileId": "open", "attributes": attributes})
    assert field in problem.fields() and text in problem.fields()[field], problem
    assert len(api.everything()) == before


def test_policy_judges_the_key_too(api):
    problem = refused(400, managed, api, "strict", commonName="a.strict.example", keyAlgorithm="RSA_2048")
    assert "Key algorithm is not allowed by template policy" in problem.problem["detail"]


def test_with_a_csr_only_the_life_can_be_said(api):
    problem = refused(400, api.post, "certificates", {"profileId": "open", "csr": csr("x.example"),
                                                      "attributes": {"commonName": "y.example", "keyAlgorithm": "rsa-2048", "ttl": "1d"}})
    assert set(problem.fields()) == {"attributes.commonName", "attributes.keyAlgorithm"}
    assert "privateKey" not in api.post("certificates", {"profileId": "open", "csr": csr("x.example")})["certificate"]


def test_empty_lists_beside_a_csr_say_nothing(api):
    """As clients in Java write them that openapi-generator made."""
    empty = {"domainComponents": [], "altNames": [], "keyUsages": [], "extendedKeyUsages": []}
    issued = load(api.post("certificates", {"profileId": "open", "csr": csr("x.example"), "attributes": {"ttl": "1d", **empty}})["certificate"]["certificate"])
    assert (issued.not_valid_after - issued.not_valid_before).days <= 1
    problem = refused(400, api.post, "certificates", {"profileId": "open", "attributes": {"ttl": "1d", **empty}})
    assert "csr" in problem.fields()


# --- the kept key

@pytest.fixture(scope="module")
def kept(api):
    return managed(api, "kept", commonName="kept.example", altNames=[{"type": "dns", "value": "kept.example"}])


def test_the_key_is_read_by_its_own_role(server, api, kept):
    key = api.get(f"certificates/{kept['certificateId']}/private-key")
    assert key["privateKey"] == kept["privateKey"] and key["certificateId"] == kept["certificateId"]
    for roles in (("admin",), ("issue", "read", "revoke", "approve")):
        other = Api(server, make_token(server, *roles)[0])
        for method, path in (("GET", "private-key"), ("POST", "pem"), ("POST", "pkcs12"), ("DELETE", "private-key")):
            reply = other.raw(method, f"/api/v1/cert-manager/certificates/{kept['certificateId']}/{path}",
                              body={"password": "x"} if method == "POST" else None)
            assert reply.status_code == 403 and "PRIVATE" not in reply.text
    elsewhere = Api(server, make_token(server, "key", profile="open")[0])
    refused(404, elsewhere.get, f"certificates/{kept['certificateId']}/private-key")
    only = Api(server, make_token(server, "key", profile="kept")[0])
    assert only.get(f"certificates/{kept['certificateId']}/private-key") == key
    refused(403, only.get, f"certificates/{kept['certificateId']}")


def test_the_key_is_sealed_and_never_logged(server, kept):
    key = key_of(kept)
    secret = key.private_numbers().private_value.to_bytes(32, "big")
    der = key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    store = (server.folder / "data" / "data.mdb").read_bytes()
    assert secret not in store and der not in store and kept["privateKey"].encode() not in store
    assert kept["privateKey"].splitlines()[1] not in server.log_text()
    assert secret.hex() not in server.log_text()


def test_each_reading_is_audited(server, api, kept):
    def count():
        events = json.loads(server.run("audit", "list", "--json", "--kind", "private-key-read", check=True).stdout)
        return len([e for e in events if (e.get("event") or e)["about"]["certificate"] == kept["certificateId"]])
    before = count()
    api.get(f"certificates/{kept['certificateId']}/private-key")
    api.call("POST", f"certificates/{kept['certificateId']}/pem", {})
    assert count() == before + 2


def test_pem_with_the_key(api, kept, tmp_path):
    text = api.call("POST", f"certificates/{kept['certificateId']}/pem", {})
    assert text.startswith(kept["privateKey"]) and kept["certificate"] in text and text.count("BEGIN CERTIFICATE") == 2
    sealed = api.call("POST", f"certificates/{kept['certificateId']}/pem", {"password": "pässword"})
    assert "BEGIN PRIVATE" not in sealed and sealed.startswith("-----BEGIN ENCRYPTED PRIVATE KEY-----")
    opened = serialization.load_pem_private_key(sealed.encode(), "pässword".encode())
    assert opened.private_numbers() == key_of(kept).private_numbers()
    with pytest.raises(ValueError):
        serialization.load_pem_private_key(sealed.encode(), b"password")


def p12(api, kept, **body):
    reply = api.raw("POST", f"/api/v1/cert-manager/certificates/{kept['certificateId']}/pkcs12", body)
    assert reply.status_code == 200 and reply.headers["Content-Type"] == "application/x-pkcs12", reply.text
    return reply.content


def test_pkcs12(api, kept, tmp_path):
    data = p12(api, kept, password="pässword", alias="mein Schlüssel")
    opened = pkcs12.load_pkcs12(data, "pässword".encode())
    assert opened.key.private_numbers() == key_of(kept).private_numbers()
    assert opened.cert.certificate == load(kept["certificate"]) and opened.cert.friendly_name.decode() == "mein Schlüssel"
    assert [c.certificate for c in opened.additional_certs] == [load(kept["issuingCaCertificate"])]
    with pytest.raises(ValueError):
        pkcs12.load_pkcs12(data, b"password")
    (tmp_path / "a.p12").write_bytes(data)
    shown = subprocess.run(["openssl", "pkcs12", "-in", tmp_path / "a.p12", "-info", "-nodes", "-passin", "pass:pässword"],
                           check=True, capture_output=True, text=True, errors="replace")
    for part in ("MAC: sha256", "PBES2, PBKDF2, AES-256-CBC", "hmacWithSHA256"):
        assert part in shown.stderr, shown.stderr
    assert "SHA1" not in shown.stderr and "DES" not in shown.stderr
    # Another reader than OpenSSL.
    if subprocess.run(["which", "certtool"], capture_output=True).returncode == 0:
        done = subprocess.run(["certtool", "--p12-info", "--inder", "--infile", tmp_path / "a.p12", "--password", "pässword"],
                              capture_output=True, text=True)
        assert done.returncode == 0 and "AES-256" in done.stdout, done.stdout + done.stderr


def test_pkcs12_for_old_importers(api, kept, tmp_path):
    (tmp_path / "a.p12").write_bytes(p12(api, kept, password="secret", legacy=True))
    shown = subprocess.run(["openssl", "pkcs12", "-in", tmp_path / "a.p12", "-info", "-nodes", "-passin", "pass:secret"],
                           check=True, capture_output=True, text=True)
    assert "MAC: sha1" in shown.stderr and "pbeWithSHA1And3-KeyTripleDES-CBC" in shown.stderr
    assert "friendlyName: kept.example" in shown.stdout  # without an alias: the common name


@pytest.mark.parametrize("body,field", [({}, "password"), ({"password": ""}, "password"), ({"password": "x" * 129}, "password"),
                                        ({"password": "a\nb"}, "password"), ({"password": "geheim", "alias": "a\u0000"}, ""),
                                        ({"password": "geheim", "alias": "x" * 200}, "alias"), ({"password": "geheim", "legacy": 1}, "legacy")])
def test_bad_exports(server, api, kept, body, field):
    problem = refused(400, api.post, f"certificates/{kept['certificateId']}/pkcs12", body)
    assert not field or field in problem.fields()
    assert "geheim" not in json.dumps(problem.problem) and "geheim" not in server.log_text()


def test_a_password_in_the_url_is_refused(server, api, kept):
    reply = api.raw("POST", f"/api/v1/cert-manager/certificates/{kept['certificateId']}/pkcs12?password=geheim", {"password": "x"})
    assert reply.status_code == 400 and "no such parameter" in reply.text
    assert "geheim" not in reply.text and "geheim" not in server.log_text()


def test_a_csrs_key_is_not_to_be_had(api):
    made = api.issue("csr.example", profile="kept")["certificate"]["certificateId"]
    refused(404, api.get, f"certificates/{made}/private-key")
    refused(404, api.post, f"certificates/{made}/pkcs12", {"password": "x"})
    problem = refused(400, api.post, "certificates", {"profileId": "kept", "csr": csr("a.example"), "renewBeforeDays": 3})
    assert "not in a CSR" in problem.fields()["renewBeforeDays"]
    refused(409, api.post, f"certificates/{made}/renew", {"renewalKeySource": "sameKey"})


def test_a_forgotten_key(server, api):
    made = managed(api, "kept", commonName="forget.example")["certificateId"]
    assert api.get(f"certificates/{made}")["renewal"]["state"] == "scheduled"
    reply = api.raw("DELETE", f"/api/v1/cert-manager/certificates/{made}/private-key")
    assert reply.status_code == 204
    row = api.get(f"certificates/{made}")
    assert "keyKept" not in row and row["status"] == "valid"
    refused(404, api.get, f"certificates/{made}/private-key")
    refused(404, api.call, "DELETE", f"certificates/{made}/private-key")
    assert "private-key-deleted" in server.run("audit", "list", check=True).stdout


def foreign(key):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "foreign.example")])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=9)).sign(key, hashes.SHA256()))
    return made.public_bytes(serialization.Encoding.PEM).decode()


@pytest.mark.parametrize("form", ["PKCS8", "TraditionalOpenSSL"])
def test_an_imported_key(server, api, form):
    key = new_key()
    text = key.private_bytes(serialization.Encoding.PEM, getattr(serialization.PrivateFormat, form), serialization.NoEncryption()).decode()
    made = api.post("certificates/import", {"certificate": foreign(key), "privateKey": text, "profileId": "kept"})
    assert made["keyKept"] and made["method"] == "import"
    shown = api.get(f"certificates/{made['id']}/private-key")["privateKey"]
    assert serialization.load_pem_private_key(shown.encode(), None).private_numbers() == key.private_numbers()
    opened = pkcs12.load_pkcs12(p12(api, {"certificateId": made["id"]}, password="x"), b"x")
    assert opened.key.private_numbers() == key.private_numbers() and not opened.additional_certs
    refused(409, api.call, "PATCH", f"certificates/{made['id']}", {"renewBeforeDays": 2})
    refused(409, api.post, f"certificates/{made['id']}/renew", {"renewalKeySource": "sameKey"})
    assert text.splitlines()[1] not in server.log_text()


def test_bad_imported_keys(api):
    key = new_key()
    text = new_key().private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
    sealed = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                               serialization.BestAvailableEncryption(b"x")).decode()
    before = len(api.everything(method="import"))
    for bad, why in ((text, "not the key"), (sealed, "not encrypted"), ("x", "expected a private key"), (text + "\u0001", "control")):
        problem = refused(400, api.post, "certificates/import", {"certificate": foreign(key), "privateKey": bad})
        part, = problem.problem["errors"]
        assert part["field"] == "privateKey" and why in part["detail"] and "value" not in part
    assert len(api.everything(method="import")) == before


# --- renewal

def test_renewal_with_a_new_key(api):
    old = managed(api, "open", commonName="renew.example", altNames=[{"value": "renew.example"}, {"value": "192.0.2.9"}],
                  extendedKeyUsages=["serverAuth"], ttl="17d")
    reply = api.post(f"certificates/{old['certificateId']}/renew", {"renewalKeySource": "new_key"})["certificate"]
    a, b = load(old["certificate"]), load(reply["certificate"])
    assert a.subject == b.subject and names(a) == names(b)
    assert a.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value == b.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert spki(a.public_key()) != spki(b.public_key()) == spki(key_of(reply).public_key())
    assert b.not_valid_after - b.not_valid_before == a.not_valid_after - a.not_valid_before
    assert api.get(f"certificates/{old['certificateId']}")["replacedBy"] == reply["certificateId"]
    assert api.get(f"certificates/{reply['certificateId']}")["replaces"] == old["certificateId"]
    assert api.get(f"certificates/{old['certificateId']}")["status"] == "valid"
    refused(409, api.post, f"certificates/{old['certificateId']}/renew", {"renewalKeySource": "newKey"})
    third = api.post(f"certificates/{reply['certificateId']}/renew",
                     {"renewalKeySource": "newKey", "attributes": {"keyAlgorithm": "RSA_2048", "ttl": "3d"}})["certificate"]
    assert key_of(third).key_size == 2048
    latest = api.get("certificate-profiles/open/certificates/latest-active-bundle", identifier="renew.example")
    assert latest["certificateId"] == third["certificateId"]


def test_renewal_with_the_kept_key(api):
    old = api.post("certificates", {
        "profileId": "kept", "attributes": {"commonName": "same.example"}, "metadata": [{"key": "team", "value": "a"}]})["certificate"]
    made = api.post(f"certificates/{old['certificateId']}/renew", {"renewalKeySource": "sameKey"})["certificate"]
    assert "privateKey" not in made  # it was returned once
    assert spki(load(made["certificate"]).public_key()) == spki(load(old["certificate"]).public_key())
    row = api.get(f"certificates/{made['certificateId']}")
    assert row["keyKept"] and row["renewal"]["state"] == "scheduled" and row["metadata"] == [{"key": "team", "value": "a"}]
    assert api.get(f"certificates/{made['certificateId']}/private-key")["privateKey"] == old["privateKey"]
    refused(400, api.post, f"certificates/{made['certificateId']}/renew", {"renewalKeySource": "sameKey", "attributes": {"keyAlgorithm": "rsa-2048"}})


def test_the_policy_refuses_the_same_key(server, api):
    made = managed(api, "device", commonName="device-1", extendedKeyUsages=["clientAuth"])
    other = Api(server, make_token(server, "issue", "read")[0])
    for who in (api, other):
        problem = refused(400, who.post, f"certificates/{made['certificateId']}/renew", {"renewalKeySource": "reuse_key"})
        assert "key" in problem.fields()["renewalKeySource"], problem
    assert "replacedBy" not in api.get(f"certificates/{made['certificateId']}")
    api.post(f"certificates/{made['certificateId']}/renew", {"renewalKeySource": "newKey"})


@pytest.mark.parametrize("body,field", [({"renewalKeySource": "any"}, "renewalKeySource"), ({"renewalKeySource": "newKey", "csr": "x"}, "csr"),
                                        ({"renewalKeySource": "csr"}, "csr"), ({"attributes": {"commonName": "x"}}, "attributes.commonName"),
                                        ({"renewalKeySource": "newKey", "attributes": {"ttl": "500d"}}, "attributes.ttl")])
def test_bad_renewals(api, kept, body, field):
    assert field in refused(400, api.post, f"certificates/{kept['certificateId']}/renew", body).fields()
    assert "replacedBy" not in api.get(f"certificates/{kept['certificateId']}")


def test_the_profile_says_so(api):
    shown = api.get("certificate-profiles/kept")
    assert shown["policy"] == "kept" and shown["extendedKeyUsages"] and "digitalSignature" in shown["keyUsages"]
    assert shown["keepKeys"] and shown["renewBeforeSeconds"] == 20 * DAY and shown["approvalsNeeded"] == 0
    assert api.get("certificate-profiles/asked")["approvalsNeeded"] == 2


def test_renewal_can_be_set(api):
    body = {"profileId": "kept", "attributes": {"commonName": "set.example", "ttl": "60d"}}
    made = api.post("certificates", body)["certificate"]["certificateId"]
    assert api.get(f"certificates/{made}")["renewal"]["renewBeforeDays"] == 20  # the profile's
    for days, state in ((5, "scheduled"), (0, "off"), (59, "scheduled")):
        row = api.call("PATCH", f"certificates/{made}", {"renewBeforeDays": days})
        assert row["renewal"]["state"] == state and row["renewal"].get("renewBeforeDays", 0) == days
    assert api.call("PATCH", f"certificates/{made}", {"renewBeforeDays": None})["renewal"]["renewBeforeDays"] == 20
    assert "renewBeforeDays" in refused(400, api.call, "PATCH", f"certificates/{made}", {"renewBeforeDays": 60}).fields()
    refused(400, api.call, "PATCH", f"certificates/{made}", {"renewBeforeDays": -1})
    refused(400, api.call, "PATCH", f"certificates/{made}", {"renewBeforeDays": "5"})
    own = api.post("certificates", {**body, "renewBeforeDays": 7})["certificate"]["certificateId"]
    assert api.get(f"certificates/{own}")["renewal"]["renewBeforeDays"] == 7
    off = api.post("certificates", {**body, "renewBeforeDays": 0})["certificate"]["certificateId"]
    assert api.get(f"certificates/{off}")["renewal"] == {"state": "off"}
    assert "renewBeforeDays" in refused(400, api.post, "certificates", {**body, "renewBeforeDays": 60}).fields()
    short = api.post("certificates", {"profileId": "kept", "attributes": {"commonName": "set.example", "ttl": "3d"}})["certificate"]["certificateId"]
    assert api.get(f"certificates/{short}")["renewal"]["renewBeforeDays"] == 0  # a third of three days, less a second
    unkept = managed(api, commonName="unkept.example")["certificateId"]
    assert "renewBeforeDays" in refused(409, api.call, "PATCH", f"certificates/{unkept}", {"renewBeforeDays": 5}).fields()


# --- renewal by the server

def latest(api, profile, name):
    return api.get(f"certificate-profiles/{profile}/certificates/latest-active-bundle", identifier=name)


def stop_renewals(api, profile):
    for row in api.everything(profile=profile, status="valid"):
        if row.get("renewal", {}).get("state") in ("scheduled", "failing", "waiting"):
            api.call("PATCH", f"certificates/{row['id']}", {"renewBeforeDays": 0})


def test_the_server_renews_before_the_end(server, api):
    old = api.post("certificates", {"profileId": "quick", "attributes": {"commonName": "auto.example"},
                                    "metadata": [{"key": "team", "value": "a"}]})["certificate"]
    assert latest(api, "quick", "auto.example")["certificateId"] == old["certificateId"]
    row = wait_for(lambda: (r := api.get(f"certificates/{old['certificateId']}"))["renewal"]["state"] == "done" and r)
    stop_renewals(api, "quick")
    new = api.get(f"certificates/{row['replacedBy']}")
    assert new["replaces"] == old["certificateId"] and new["profile"] == "quick" and new["metadata"] == [{"key": "team", "value": "a"}]
    assert new["keyKept"] and new["keyHash"] != row["keyHash"] and new["identity"] == row["identity"]
    shown = latest(api, "quick", "auto.example")
    assert shown["certificateId"] != old["certificateId"]
    key = serialization.load_pem_private_key(api.get(f"certificates/{shown['certificateId']}/private-key")["privateKey"].encode(), None)
    assert spki(key.public_key()) == spki(load(shown["certificate"]).public_key())
    assert api.get(f"certificates/{old['certificateId']}/private-key")["privateKey"] == old["privateKey"]
    assert row["status"] == "valid"
    assert latest(api, "quick", old["certificateId"])["certificateId"] == shown["certificateId"]  # the first one's id leads on


def reload(server, profiles):
    server.reload({**server.extra, "profiles": profiles})


def test_what_fails_is_seen_and_tried_again(server, api):
    made = managed(api, "quick", commonName="fail.example")["certificateId"]
    narrow = [dict(p, dns={"allow": ["nothing.example"]}) if p["name"] == "quick" else p for p in PROFILES]
    reload(server, narrow)
    try:
        row = wait_for(lambda: (r := api.get(f"certificates/{made}"))["renewal"]["state"] == "failing" and r)
        assert "fail.example" in row["renewal"]["lastError"] and row["renewal"]["failures"] == 1
        assert row["renewal"]["nextTry"] > row["notBefore"] and "replacedBy" not in row
        listed = api.get("renewals", state="failing")["certificates"]
        assert made in [c["id"] for c in listed]
        shown = server.run("cert", "renewals", check=True).stdout
        assert any(made in line and "failing" in line and "fail.example" in line for line in shown.splitlines())
        assert "renewal-failed" in server.run("audit", "list", check=True).stdout
    finally:
        reload(server, PROFILES)
    assert "failing" in server.run("cert", "renewal", made, check=True).stdout
    server.run("cert", "renewal", made, "--now", check=True)
    wait_for(lambda: api.get(f"certificates/{made}")["renewal"]["state"] == "done")
    stop_renewals(api, "quick")


def test_revoked_is_not_renewed(api):
    made = managed(api, "quick", commonName="revoked.example")["certificateId"]
    api.post(f"certificates/{made}/revoke", {"revocationReason": "keyCompromise"})
    time.sleep(7)
    row = api.get(f"certificates/{made}")
    assert row["renewal"]["state"] == "off" and "replacedBy" not in row


def test_a_renewal_waits_for_people_too(server, api):
    asks, eve = token_of(server, "ops", "issue"), token_of(server, "eve", "approve")
    path = f"certificate-requests/{asks.post('certificates', {'profileId': 'askedkept', 'attributes': {'commonName': 'wait.example'}})['certificateRequestId']}"
    eve.post(path + "/approve")
    made = wait_for(lambda: (r := api.get(path))["status"] == "issued" and r)["certificateId"]
    row = wait_for(lambda: (r := api.get(f"certificates/{made}"))["renewal"]["state"] == "waiting" and r)
    asked = [r for r in api.everything("certificate-requests", status="pending") if r.get("replaces") == made]
    assert len(asked) == 1 and asked[0]["id"] in row["renewal"]["lastError"]
    eve.post(f"certificate-requests/{asked[0]['id']}/approve")
    wait_for(lambda: api.get(f"certificates/{made}")["renewal"]["state"] == "done")
    stop_renewals(api, "askedkept")
    assert "keyWaits" not in api.get(f"certificate-requests/{asked[0]['id']}")


def test_renewal_on_the_command_line(server, api):
    made = managed(api, "kept", commonName="cli.example", ttl="60d")["certificateId"]
    assert "scheduled" in server.run("cert", "renewal", made, check=True).stdout
    assert json.loads(server.run("cert", "renewal", made, "--before", "10d", "--json", check=True).stdout)["renewal"]["renewBeforeDays"] == 10
    assert "off" in server.run("cert", "renewal", made, "--before", "off", check=True).stdout
    assert server.run("cert", "renewal", made, "--before", "60d").returncode == 1
    assert server.run("cert", "renewal", made, "--before", "soon").returncode == 1
    assert "kept by the server" in server.run("cert", "show", made, check=True).stdout
    unkept = managed(api, commonName="cli.example")["certificateId"]
    assert "does not keep the key" in server.run("cert", "renewal", unkept, "--now").stderr


def test_key_on_the_command_line(server, api, tmp_path):
    made = managed(api, "kept", commonName="cli.example")
    assert server.run("cert", "key", made["certificateId"], check=True).stdout == made["privateKey"]
    server.run("cert", "key", made["serialNumber"], "--out", str(tmp_path / "key"), check=True)
    assert (tmp_path / "key").read_text() == made["privateKey"] and (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    assert server.run("cert", "key", managed(api, commonName="cli.example")["certificateId"]).returncode == 1


def test_keys_are_sealed_anew():
    with Server({"profiles": [{"name": "kept", "methods": ["api", "acme"], "keep_keys": True}]}) as server:
        api = Api(server, make_token(server, "admin", "key")[0])
        made = managed(api, "kept", commonName="seal.example")
        server.stop()
        server.write_config({**server.extra, "api": {"key_file": str(server.folder / "vault.key")}})
        server.start()
        refused(500, api.get, f"certificates/{made['certificateId']}/private-key")
        wait_for(lambda: "key reseal" in server.log_text())  # the line follows the reply
        assert server.run("key", "reseal", check=True).stdout == "1 sealed anew, 0 were already\n"
        assert api.get(f"certificates/{made['certificateId']}/private-key")["privateKey"] == made["privateKey"]
        assert server.run("key", "reseal", check=True).stdout == "0 sealed anew, 1 were already\n"
        assert (server.folder / "vault.key").stat().st_mode & 0o777 == 0o600
        assert "private-keys-resealed" in server.run("audit", "list", check=True).stdout
        # From one file to another.
        (server.folder / "vault.key").rename(server.folder / "old.key")
        server.run("key", "reseal", "--from", str(server.folder / "old.key"), check=True)
        assert server.run("cert", "key", made["certificateId"], check=True).stdout == made["privateKey"]
        assert server.run("audit", "verify").returncode == 0


def test_keys_are_sealed_anew_together_with_the_event_or_not_at_all():
    with Server({"profiles": [{"name": "kept", "methods": ["api", "acme"], "keep_keys": True}]}) as server:
        first, second, third = (server.folder / name for name in ("first.key", "second.key", "third.key"))
        ids = []

        def make(file, n):
            server.stop()
            server.write_config({**server.extra, "api": {"key_file": str(file)}})
            server.start()
            api = Api(server, make_token(server, "admin", "key")[0])
            ids.extend(managed(api, "kept", commonName="seal.example")["certificateId"] for _ in range(n))

        def told():
            return server.run("audit", "list", check=True).stdout.count("private-keys-resealed")

        make(first, 4)
        make(second, 1)
        server.write_config({**server.extra, "api": {"key_file": str(third)}})
        assert server.run("key", "reseal", "--from", str(first)).returncode == 1  # it does not open the fifth
        assert told() == 0
        server.write_config({**server.extra, "api": {"key_file": str(first)}})
        assert [server.run("cert", "key", made).returncode for made in ids] == [0, 0, 0, 0, 1]
        assert server.run("key", "reseal", "--from", str(second), check=True).stdout == "1 sealed anew, 4 were already\n"
        assert told() == 1
        assert [server.run("cert", "key", made).returncode for made in ids] == [0, 0, 0, 0, 0]


# --- approval

def token_of(server, name, *roles):
    return Api(server, make_token(server, *roles, identity=name)[0])


def test_two_of_three_approve_over_the_api(server, api):
    asks = token_of(server, "ops", "issue", "read")
    ada, bob, mallory = (token_of(server, n, "approve", "read") for n in ("ada", "bob", "mallory"))
    reply = asks.raw("POST", "/api/v1/cert-manager/certificates", {"profileId": "asked", "csr": csr("ask.example"),
                                                                  "metadata": [{"key": "a", "value": "b"}], "attributes": {"ttl": "9d"}})
    asks.check("POST", "/api/v1/cert-manager/certificates", reply)
    assert reply.status_code == 202 and set(reply.json()) == {"certificateRequestId", "status"} and reply.json()["status"] == "pending"
    path = f"certificate-requests/{reply.json()['certificateRequestId']}"
    assert reply.headers["Location"].endswith(path)
    record = asks.get(path)
    assert (record["status"], record["approvalsNeeded"], record["approvals"], record["names"]) == ("pending", 2, 0, "dns:ask.example")
    assert record["id"] in [r["id"] for r in asks.everything("certificate-requests", status="pending")]
    refused(409, asks.post, path + "/collect")
    refused(403, asks.post, path + "/approve")
    assert "none of the approvers" in refused(403, mallory.post, path + "/approve").problem["detail"]
    assert ada.post(path + "/approve", {"reason": "known"})["approvals"] == 1
    refused(409, ada.post, path + "/approve")
    assert bob.post(path + "/approve")["status"] in ("approved", "issued")
    record = wait_for(lambda: (r := asks.get(path))["status"] == "issued" and r)
    assert [(d["by"], d["approved"]) for d in record["decisions"]] == [("ada", True), ("bob", True)]
    made = asks.post(path + "/collect")["certificate"]
    assert "privateKey" not in made and made["certificateId"] == record["certificateId"]
    row = asks.get(f"certificates/{record['certificateId']}")
    assert row["metadata"] == [{"key": "a", "value": "b"}]
    assert load(made["certificate"]).not_valid_after - load(made["certificate"]).not_valid_before == datetime.timedelta(days=9, seconds=-1)
    refused(409, bob.post, path + "/cancel")
    issued = json.loads(server.run("request", "list", "--status", "issued", "--json", check=True).stdout)
    assert record["id"] in [r["id"] for r in issued] and {r["status"] for r in issued} == {"issued"}
    assert record["id"] in [r["id"] for r in asks.everything("certificate-requests", status="issued")]
    kinds = server.run("audit", "list", check=True).stdout
    assert "request-made" in kinds and "request-decided" in kinds


def test_a_key_made_once_it_is_approved(server, api):
    asks = token_of(server, "ops", "issue")
    reply = asks.post("certificates", {"profileId": "asked", "attributes": {"commonName": "later.example", "keyAlgorithm": "RSA_2048"}})
    path = f"certificate-requests/{reply['certificateRequestId']}"
    shown = api.get(path)
    assert shown["managed"] and "BEGIN CERTIFICATE REQUEST" in shown["csr"] and "later.example" in shown["names"]
    for who in ("ada", "eve"):  # over the command line
        server.run("request", "approve", shown["id"], "--by", who, check=True)
    record = wait_for(lambda: (r := api.get(path))["status"] == "issued" and r)
    assert record["keyWaits"]
    asked_key = spki(x509.load_pem_x509_csr(shown["csr"].encode()).public_key())
    refused(403, api.post, path + "/collect")  # it is another's
    made = asks.post(path + "/collect")["certificate"]
    key = key_of(made)
    assert key.key_size == 2048 and spki(key.public_key()) == spki(load(made["certificate"]).public_key()) != asked_key
    again = asks.post(path + "/collect")["certificate"]
    assert "privateKey" not in again and again["certificate"] == made["certificate"]
    refused(404, api.get, f"certificates/{made['certificateId']}/private-key")  # the profile keeps none


def test_of_many_who_collect_at_once_one_gets_the_key(server, api):
    asks, eve = token_of(server, "ops", "issue"), token_of(server, "eve", "approve")
    body = {"profileId": "askedkept", "attributes": {"commonName": "many.example"}, "renewBeforeDays": 0}
    path = f"certificate-requests/{asks.post('certificates', body)['certificateRequestId']}"
    eve.post(path + "/approve")
    wait_for(lambda: api.get(path)["status"] == "issued")

    def collect(_):
        reply = asks.raw("POST", "/api/v1/cert-manager/" + path + "/collect", {})
        assert reply.status_code in (200, 409), reply.text
        return reply.status_code == 200 and "privateKey" in reply.json()["certificate"]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(collect, range(24))) == 1
    read = server.run("audit", "list", "--json", "--kind", "private-key-read", check=True).stdout
    assert sum(e["about"]["request"] == path.rsplit("/", 1)[1] for e in json.loads(read) if "request" in e["about"]) == 1


def test_a_kept_key_that_was_collected_is_still_kept(server, api):
    asks, eve = token_of(server, "ops", "issue"), token_of(server, "eve", "approve")
    body = {"profileId": "askedkept", "attributes": {"commonName": "both.example"}, "renewBeforeDays": 0}
    path = f"certificate-requests/{asks.post('certificates', body)['certificateRequestId']}"
    eve.post(path + "/approve")
    record = wait_for(lambda: (r := api.get(path))["status"] == "issued" and r)
    made = asks.post(path + "/collect")["certificate"]
    assert api.get(f"certificates/{record['certificateId']}/private-key")["privateKey"] == made["privateKey"]


def test_rejected_and_cancelled(server, api):
    asks, bob, reader = token_of(server, "ops", "issue", "read"), token_of(server, "bob", "approve"), token_of(server, "r", "read")
    first, second = (f"certificate-requests/{asks.post('certificates', {'profileId': 'asked', 'csr': csr('no.example')})['certificateRequestId']}"
                     for _ in range(2))
    assert bob.post(first + "/reject", {"reason": "unknown host"})["status"] == "rejected"
    refused(409, bob.post, first + "/approve")
    refused(403, reader.post, second + "/cancel")
    assert asks.post(second + "/cancel", {"reason": "mistaken"})["status"] == "cancelled"
    for path, text in ((first, "unknown host"), (second, "mistaken")):
        record = asks.get(path)
        assert record["reasons"] == [text] and "certificateId" not in record
        refused(409, asks.post, path + "/collect")
    assert not [c for c in api.everything() if any(n["value"] == "no.example" for n in c["names"])]


def test_who_asked_sees_what_became_of_it(server):
    """With no more than the role with which he asked; and who decides sees what about."""
    asks, other, bob = token_of(server, "ops", "issue"), token_of(server, "else", "issue", "key"), token_of(server, "bob", "approve")
    reply = asks.raw("POST", "/api/v1/cert-manager/certificates", {"profileId": "asked", "csr": csr("mine.example")})
    path = reply.headers["Location"]
    assert asks.get(path)["status"] == "pending" and bob.get(path)["names"] == "dns:mine.example"
    assert "another's" in refused(403, other.get, path).problem["detail"]
    assert refused(409, asks.post, path + "/collect").problem["detail"].endswith("is pending")
    bob.post(path + "/reject", {"reason": "unknown host"})
    assert asks.get(path)["reasons"] == ["unknown host"]
    assert refused(409, asks.post, path + "/collect").problem["detail"].endswith("is rejected: unknown host")
    elsewhere = Api(server, make_token(server, "issue", "read", profile="open")[0])
    refused(404, elsewhere.get, path)
    failed = asks.raw("POST", "/api/v1/cert-manager/certificates", {"profileId": "asked", "attributes": {"commonName": "a.example", "organization": "X"}})
    assert failed.status_code == 400 and "organization" in asks.get(failed.headers["Location"])["reasons"][0]


def test_who_asked_does_not_decide(server):
    both = token_of(server, "eve", "issue", "approve", "read")
    path = f"certificate-requests/{both.post('certificates', {'profileId': 'asked', 'csr': csr('own.example')})['certificateRequestId']}"
    assert "who made the request" in refused(403, both.post, path + "/approve").problem["detail"]
    assert both.get(path)["approvals"] == 0


def test_nobody_decides_with_another_of_his_tokens(server):
    """Four eyes are those of two people, not of two tokens of one."""
    asks, decides = token_of(server, "eve", "issue"), token_of(server, "eve", "approve", "read")
    path = f"certificate-requests/{asks.post('certificates', {'profileId': 'asked', 'csr': csr('two.example')})['certificateRequestId']}"
    for what in ("approve", "reject"):
        assert "who made the request" in refused(403, decides.post, f"{path}/{what}").problem["detail"]
        done = server.run("request", what, path.rsplit("/", 1)[1], "--by", "eve")
        assert done.returncode == 1 and "who made the request" in done.stderr
    assert decides.get(path)["approvals"] == 0 and decides.get(path)["status"] == "pending"
    token_of(server, "ada", "approve").post(path + "/approve")
    assert decides.get(path)["approvals"] == 1


def test_a_revoked_token_gets_nothing_approved(server, api):
    token, token_id = make_token(server, "issue", "read", identity="gone")
    asks = Api(server, token)
    path = f"certificate-requests/{asks.post('certificates', {'profileId': 'asked', 'csr': csr('gone.example')})['certificateRequestId']}"
    server.run("token", "revoke", token_id, check=True)
    for who in ("ada", "bob"):
        token_of(server, who, "approve").post(path + "/approve")
    record = wait_for(lambda: (r := api.get(path))["status"] == "failed" and r)
    assert "revoked" in record["reasons"][0]


def test_what_is_refused_is_not_asked(api):
    problem = refused(400, api.post, "certificates", {"profileId": "asked", "attributes": {"commonName": "a.example", "organization": "X"}})
    assert "organization" in problem.problem["detail"]
