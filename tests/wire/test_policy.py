"""Policies over the wire: each refusal in its words, all of them together; names of every type; values bound to who asks;
rules about keys; the built-in policies."""

import base64
import datetime
import ipaddress
import json
import subprocess

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from acme_raw import Client
from acme_raw import Refused as AcmeRefused
from api_client import Api, Refused, load, make_token, new_key
from harness import ChallengeServer, Server

TLS = {"keys": ["ec-p256"], "signatures": ["ecdsa-sha256"], "key_usage": {"allow": ["digitalSignature"]},
       "extended_key_usage": {"allow": ["clientAuth"]}, "validity_max": "30d"}
POLICIES = [
    {"name": "fleet", "subject": {"cn": {"required": ["device-*"]}, "o": {"allow": ["Example Ltd"]}, "ou": {"deny": ["Admin*"]}},
     "san": {"dns": {"allow": ["**.devices.example.com"], "deny": ["gateway.devices.example.com"]}, "uri": {"required": ["urn:device:*"]}},
     **TLS, "key_usage": {"required": ["digitalSignature"]}, "extended_key_usage": {"required": ["clientAuth"]}},
    {"name": "bound", "subject": {"cn": {"required": ["{identity}"]}}, "san": {"dns": {"allow": ["*.{identity}.example.com"]}}, **TLS},
    {"name": "account", "san": {"dns": {"allow": ["*.{account}.example.com"]}}, **TLS},
    {"name": "cas", "subject": {"cn": {"required": ["*"]}}, "basic_constraints": {"ca": "allowed", "path_length": 0},
     **TLS, "key_usage": {"allow": ["keyCertSign", "cRLSign", "digitalSignature"]}, "validity_max": "21900d"},
    {"name": "addressed", "subject": {"cn": {"allow": ["{name}"]}, "email": {"allow": ["*"]}}, "san": {"dns": {"allow": ["*"]}}, **TLS},
    {"name": "mailed", "subject": {"cn": {"allow": ["{name}"]}, "email": {"allow": ["*"]}}, "san": {"dns": {"allow": ["*"]}, "email": {"allow": ["*"]}}, **TLS},
    {"name": "typed", "subject": {"cn": {"allow": ["*"]}},
     "san": {"upn": {"allow": ["*@corp.example"]}, "permanent_identifier": {"allow": ["serial-*"]},
             "hardware_module_name": {"allow": ["1.3.6.1.4.1.99999.1/*"]}, "other_name": {"allow": ["1.3.6.1.4.1.99999.5:*"]},
             "uri": {"allow": ["urn:uuid:*", "spiffe://corp.example/*"]}, "email": {"allow": ["@corp.example"]}}, **TLS},
]
PRESETS = ["tls-server", "tls-client", "dual-purpose", "device", "user", "email-protection", "code-signing"]
CONFIG = {"policies": POLICIES, "api": {"requests_per_token": {"burst": 0}},
          "profiles": [{"name": "tls-server"}] + [{"name": p["name"], "policy": p["name"]} for p in POLICIES]
          + [{"name": "p-" + n, "policy": n} for n in PRESETS] + [{"name": "sub-ca", "policy": "intermediate-ca", "methods": ["api"]}]}
UPN = "1.3.6.1.4.1.311.20.2.3"
NAMES = {"CN": NameOID.COMMON_NAME, "O": NameOID.ORGANIZATION_NAME, "OU": NameOID.ORGANIZATIONAL_UNIT_NAME, "L": NameOID.LOCALITY_NAME,
         "emailAddress": NameOID.EMAIL_ADDRESS}


def csr(subject=(), sans=(), key=None, usages=(), digest=hashes.SHA256, basic=None):
    builder = x509.CertificateSigningRequestBuilder().subject_name(
        x509.Name([x509.NameAttribute(NAMES[name], value) for name, value in subject]))
    if sans:
        builder = builder.add_extension(x509.SubjectAlternativeName(list(sans)), False)
    if usages:
        builder = builder.add_extension(x509.ExtendedKeyUsage(list(usages)), False)
    if basic:
        builder = builder.add_extension(x509.BasicConstraints(*basic), True)
    return builder.sign(key or new_key(), digest()).public_bytes(serialization.Encoding.PEM).decode()


def dns(*names):
    return [x509.DNSName(n) for n in names]


def uri(*values):
    return [x509.UniformResourceIdentifier(v) for v in values]


def tlv(tag, content):
    return bytes([tag, len(content)]) + content


def other(oid, value):
    return x509.OtherName(x509.ObjectIdentifier(oid), value)


def issue(api, profile, request):
    return load(api.post("certificates", {"profileId": profile, "csr": request})["certificate"]["certificate"])


def reasons(api, profile, request):
    with pytest.raises(Refused) as caught:
        api.post("certificates", {"profileId": profile, "csr": request})
    assert caught.value.status == 400
    return [e["detail"] for e in caught.value.problem.get("errors", [caught.value.problem])]


@pytest.fixture(scope="module")
def server():
    with Server(CONFIG) as running:
        yield running


@pytest.fixture(scope="module")
def api(server):
    return Api(server, make_token(server, "admin")[0])


def test_all_violations_come_together_with_field_value_and_rule(api):
    request = csr([("O", "Other"), ("OU", "Admins"), ("L", "Town")],
                  dns("gateway.devices.example.com", "a.example") + [x509.IPAddress(ipaddress.ip_address("10.0.0.1")), x509.RFC822Name("a@b.example")],
                  key=rsa.generate_private_key(65537, 2048), usages=[ExtendedKeyUsageOID.CODE_SIGNING])
    assert sorted(reasons(api, "fleet", request)) == sorted([
        'DNS SAN value does not match allowed patterns: "a.example" (policy fleet, san.dns, allow)',
        'DNS SAN value is denied by template policy: "gateway.devices.example.com" (policy fleet, san.dns, deny)',
        'IP SAN is not allowed by template policy: "10.0.0.1" (policy fleet, san.ip, unlisted)',
        'email SAN is not allowed by template policy: "a@b.example" (policy fleet, san.email, unlisted)',
        'Required URI SAN not found: "urn:device:*" (policy fleet, san.uri, required)',
        'Missing required common_name attribute: "device-*" (policy fleet, subject.cn, required)',
        'organization value does not match allowed patterns: "Other" (policy fleet, subject.o, allow)',
        'organizational_unit value is denied by template policy: "Admins" (policy fleet, subject.ou, deny)',
        'locality attribute is not allowed by template policy: "Town" (policy fleet, subject.l, unlisted)',
        'Extended key usage codeSigning (1.3.6.1.5.5.7.3.3) is not allowed by template policy: "1.3.6.1.5.5.7.3.3" (policy fleet, extended_key_usage, allow)',
        'Missing required extended key usage clientAuth (1.3.6.1.5.5.7.3.2): "1.3.6.1.5.5.7.3.2" (policy fleet, extended_key_usage, required)',
        'Key algorithm is not allowed by template policy: "rsa-2048" (policy fleet, keys, allow)',
        'Signature algorithm is not allowed by template policy: "rsa-sha256" (policy fleet, signatures, allow)',
    ])
    assert reasons(api, "fleet", csr([("CN", "device-1")], uri("urn:device:7"), digest=hashes.SHA512)) == \
        ['Signature algorithm is not allowed by template policy: "ecdsa-sha512" (policy fleet, signatures, allow)']


def test_what_keeps_the_policy_is_issued(api):
    made = issue(api, "fleet", csr([("CN", "device-1"), ("O", "Example Ltd")], uri("urn:device:7") + dns("x.y.devices.example.com")))
    assert made.subject.rfc4514_string() == "O=Example Ltd,CN=device-1"
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == ["urn:device:7"]


def test_what_is_no_csr(api):
    assert reasons(api, "fleet", "") == ["CSR cannot be empty"]
    key, moment = new_key(), datetime.datetime(2026, 1, 1)
    own = x509.CertificateBuilder().subject_name(x509.Name([])).issuer_name(x509.Name([])).public_key(key.public_key()).serial_number(5) \
        .not_valid_before(moment).not_valid_after(moment + datetime.timedelta(days=999)).sign(key, hashes.SHA256())
    assert reasons(api, "fleet", own.public_bytes(serialization.Encoding.PEM).decode()) == \
        ["Self-signed certificates are not supported for CSR signing"]


def test_names_of_every_type(api):
    good = [other(UPN, tlv(12, b"ann@corp.example")), other("1.3.6.1.5.5.7.8.3", tlv(0x30, tlv(12, b"serial-7"))),
            other("1.3.6.1.5.5.7.8.4", tlv(0x30, tlv(6, bytes.fromhex("2b06010401868d1f01")) + tlv(4, b"ABCD"))),
            other("1.3.6.1.4.1.99999.5", tlv(12, b"zz")), x509.RFC822Name("ann@corp.example"), *uri("urn:uuid:f81d4fae", "spiffe://corp.example/a")]
    made = issue(api, "typed", csr([("CN", "x")], good))
    assert set(made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value) == set(good)
    wrong = [other(UPN, tlv(12, b"ann@other.example")), other("1.3.6.1.5.5.7.8.3", tlv(0x30, tlv(12, b"other-7"))),
             other("1.3.6.1.5.5.7.8.4", tlv(0x30, tlv(6, bytes.fromhex("2b06010401868d1f02")) + tlv(4, b"ABCD"))),
             other("1.3.6.1.4.1.99999.6", tlv(12, b"zz")), *uri("urn:oid:1.2.3")]
    found = reasons(api, "typed", csr([("CN", "x")], wrong))
    assert len(found) == len(wrong)
    for kind in ("UPN SAN", "permanentIdentifier SAN", "hardwareModuleName SAN", "otherName SAN", "URI SAN"):
        assert any(kind in text for text in found), (kind, found)


def test_bound_to_a_tokens_identity(server, api):
    ann = Api(server, make_token(server, "issue", identity="ann")[0])
    issue(ann, "bound", csr([("CN", "ann")], dns("www.ann.example.com")))
    found = reasons(ann, "bound", csr([("CN", "bob")], dns("www.bob.example.com")))
    assert any(t.startswith("DNS SAN value does not match") for t in found) and any(t.startswith("common_name value does not match") for t in found)
    # For who has no name the pattern matches nothing.
    assert reasons(api, "bound", csr([("CN", "ann")], dns("www.ann.example.com")))


def test_bound_to_an_acme_account(server):
    directory = server.url + "/acme/account/directory"
    with ChallengeServer(server.http01_port) as web:
        # An id is a label of a host name, whatever chance makes of it.
        for _ in range(3):
            client = Client(server, directory=directory)
            client.register()
            label = client.kid.rsplit("/", 1)[1]
            pem, _ = client.issue([f"www.{label}.example.com"], web)
            assert "BEGIN CERTIFICATE" in pem
        with pytest.raises(AcmeRefused) as caught:
            client.order([f"www.{label}x.example.com"])
        assert caught.value.type == "rejectedIdentifier"


def test_keys_that_are_refused(server, api):
    bob = Api(server, make_token(server, "admin")[0])
    key = new_key()
    first = api.post("certificates", {"profileId": "p-device", "csr": csr([("CN", "d1")], dns("d1.example"), key=key)})["certificate"]["certificateId"]
    assert reasons(bob, "p-device", csr([("CN", "d1")], dns("d1.example"), key=key)) == \
        ["a certificate of another requester has the CSR's key (policy device, own_key)",
         "an earlier certificate has the CSR's key: a renewal takes a new one (policy device, new_key)"]
    assert reasons(bob, "p-device", csr([("CN", "d2")], dns("d2.example"), key=key)) == \
        ["a certificate of another requester has the CSR's key (policy device, own_key)"]
    with pytest.raises(Refused) as caught:
        api.post(f"certificates/{first}/renew", {"csr": csr([("CN", "d1")], dns("d1.example"), key=key)})
    assert "a renewal takes a new one (policy device, new_key)" in caught.value.problem["detail"]
    api.post(f"certificates/{first}/renew", {"csr": csr([("CN", "d1")], dns("d1.example"))})
    api.post(f"certificates/{first}/revoke", {"revocationReason": "keyCompromise"})
    assert reasons(bob, "tls-server", csr(sans=dns("d1.example"), key=key)) == ["a certificate of the CSR's key was revoked for keyCompromise"]


@pytest.mark.parametrize("name,subject,sans,usages", [
    ("tls-server", [("CN", "www.example.com")], dns("www.example.com"), {ExtendedKeyUsageOID.SERVER_AUTH}),
    ("tls-client", [("CN", "client")], [], {ExtendedKeyUsageOID.CLIENT_AUTH}),
    ("dual-purpose", [("CN", "www.example.com")], dns("www.example.com"), {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH}),
    ("device", [("CN", "d7")], dns("d7.example.com"), {ExtendedKeyUsageOID.CLIENT_AUTH}),
    ("user", [("CN", "Ann")], [other(UPN, tlv(12, b"ann@corp.example"))], {ExtendedKeyUsageOID.CLIENT_AUTH}),
    ("email-protection", [("CN", "Ann")], [x509.RFC822Name("ann@corp.example")], {ExtendedKeyUsageOID.EMAIL_PROTECTION}),
    ("code-signing", [("CN", "Example Ltd"), ("O", "Example Ltd")], [], {ExtendedKeyUsageOID.CODE_SIGNING}),
])
def test_built_in_policies(api, name, subject, sans, usages):
    made = issue(api, "p-" + name, csr(subject, sans))
    assert set(made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) >= usages
    assert not made.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    found = reasons(api, "p-" + name, csr(subject, sans, basic=(True, 0)))
    assert any("CA certificate is not allowed" in text for text in found), found


def test_a_ca_below_one_that_may_have_none(server, api):
    (text,) = reasons(api, "sub-ca", csr([("CN", "Sub CA"), ("O", "Example Ltd")]))
    assert "no such CA below it (RFC 5280, 4.2.1.9)" in text
    assert "none may stand below this issuer" in server.log_text()


def test_the_command_judges_as_the_api_does(server, api, tmp_path):
    file = tmp_path / "csr.pem"
    file.write_text(csr([("CN", "device-1")], uri("urn:device:7")))
    report = json.loads(server.run("policy", "test", "--json", "--profile", "fleet", str(file), check=True).stdout)
    assert report["approved"] and report["method"] == "api"
    over_api = api.post("certificate-profiles/fleet/test", {"csr": file.read_text()})
    assert over_api["approved"] and over_api["verdicts"] == report["verdicts"]


def test_an_intermediate_ca_that_signs(tmp_path):
    """The built-in policy in use: a CA below the issuing CA, and a certificate below that, as openssl sees them."""
    config = {**CONFIG, "ca": {"issuing_path_length": 1}, "profiles": [{"name": "tls-server"}, CONFIG["profiles"][-1]]}
    with Server(config) as server:
        api = Api(server, make_token(server, "admin")[0])
        key, leaf_key = new_key(), new_key()
        made = api.post("certificates", {"profileId": "sub-ca", "csr": csr([("CN", "Sub CA"), ("O", "Example Ltd")], key=key)})["certificate"]
        sub = load(made["certificate"])
        basic = sub.extensions.get_extension_for_class(x509.BasicConstraints)
        usage = sub.extensions.get_extension_for_class(x509.KeyUsage).value
        assert basic.critical and basic.value.ca and basic.value.path_length == 0 and usage.key_cert_sign and usage.crl_sign
        leaf = x509.CertificateBuilder().subject_name(x509.Name([x509.NameAttribute(NAMES["CN"], "leaf.example")])).issuer_name(sub.subject) \
            .public_key(leaf_key.public_key()).serial_number(7).not_valid_before(sub.not_valid_before) \
            .not_valid_after(sub.not_valid_before + datetime.timedelta(days=20)) \
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(
                sub.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value), False).sign(key, hashes.SHA256())
        (tmp_path / "leaf.pem").write_bytes(leaf.public_bytes(serialization.Encoding.PEM))
        (tmp_path / "chain.pem").write_text(made["certificate"] + made["certificateChain"])
        subprocess.run(["openssl", "verify", "-x509_strict", "-CAfile", server.root_pem, "-untrusted", tmp_path / "chain.pem",
                        tmp_path / "leaf.pem"], check=True, capture_output=True)
        # Neither a longer path than the policy's, nor a certificate of no CA.
        for basic, text in (((True, 1), "path length"), ((False, None), "CA certificate is required")):
            assert any(text in t for t in reasons(api, "sub-ca", csr([("CN", "Sub CA")], basic=basic)))


def test_a_ca_that_may_sign_no_certificates(api):
    usage = x509.KeyUsage(*[False] * 6, True, False, False)
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([x509.NameAttribute(NAMES["CN"], "Sub CA")])) \
        .add_extension(x509.BasicConstraints(True, 0), True).add_extension(usage, True).sign(new_key(), hashes.SHA256())
    pem = request.public_bytes(serialization.Encoding.PEM).decode()
    want = ["RFC 5280, 4.2.1.9: the CSR asks to be a CA, and for key usages without keyCertSign",
            "CA certificate is not allowed: issuer issuing of profile cas may have no such CA below it (RFC 5280, 4.2.1.9)"]
    assert reasons(api, "cas", pem) == want
    tried = api.post("certificate-profiles/cas/test", {"csr": pem})
    assert not tried["approved"] and [e["detail"] for e in tried["errors"]] == want


def period(api, **attributes):
    with pytest.raises(Refused) as caught:
        api.post("certificates", {"profileId": "cas", "csr": csr([("CN", "x")]), "attributes": attributes})
    assert caught.value.status == 400
    return caught.value.fields()


def test_a_life_that_the_issuer_does_not_have(api):
    for attributes, field in (({"ttl": "59y"}, "attributes.ttl"), ({"notAfter": "2080-01-01T00:00:00Z"}, "attributes.notAfter")):
        found = period(api, **attributes)
        assert list(found) == [field] and "the certificate of the issuing CA ends before that, at 20" in found[field]


def test_a_begin_that_is_past_is_told_by_its_field(api):
    for begin in ("1969-12-31T23:59:59Z", "1970-01-01T00:00:00Z", "2001-01-01T00:00:00Z"):
        assert period(api, notBefore=begin) == {"attributes.notBefore": "notBefore is earlier than profile cas allows"}


def test_an_attribute_that_no_policy_knows(api):
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([x509.NameAttribute(NameOID.GIVEN_NAME, "Ann")])) \
        .add_extension(x509.SubjectAlternativeName(dns("a.example")), False).sign(new_key(), hashes.SHA256())
    pem = request.public_bytes(serialization.Encoding.PEM).decode()
    assert reasons(api, "tls-server", pem) == ['GN attribute is not allowed by template policy: "Ann" (no policy can have it)']


def test_est_tells_all_that_is_wrong(server):
    made = json.loads(server.run("est-credential", "create", "--json", "--profile", "fleet", check=True).stdout)
    names = [f"{'x' * 40}{i}.example" for i in range(20)]
    der = x509.load_pem_x509_csr(csr([("CN", "x")], dns(*names)).encode()).public_bytes(serialization.Encoding.DER)
    reply = requests.post(server.url + "/.well-known/est/fleet/simpleenroll", data=base64.b64encode(der), auth=("d", made["code"]),
                          headers={"Content-Type": "application/pkcs10"}, verify=server.root_pem)
    assert reply.status_code == 400 and reply.text.count("\n") == 1
    for name in names:
        assert f'DNS SAN value does not match allowed patterns: "{name}"' in reply.text
    assert "Required URI SAN not found" in reply.text and "Missing required common_name" in reply.text


@pytest.mark.parametrize("profile", ["p-user", "p-email-protection"])
def test_a_mail_address_of_the_subject_is_a_name_too(api, profile):
    made = load(api.post("certificates", {"profileId": profile, "attributes": {"commonName": "Ann", "emailAddress": "ann@corp.example"}})
                ["certificate"]["certificate"])
    assert made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.RFC822Name) == ["ann@corp.example"]
    assert [a.value for a in made.subject.get_attributes_for_oid(NameOID.EMAIL_ADDRESS)] == ["ann@corp.example"]


def test_a_mail_address_of_a_csr_is_a_name_too(api):
    made = issue(api, "mailed", csr([("CN", "a.example"), ("emailAddress", "ann@corp.example")], dns("a.example")))
    assert made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.RFC822Name) == ["ann@corp.example"]
    assert [a.value for a in made.subject.get_attributes_for_oid(NameOID.EMAIL_ADDRESS)] == ["ann@corp.example"]


@pytest.mark.parametrize("what", [
    {"csr": csr([("CN", "a.example"), ("emailAddress", "ann@corp.example")], dns("a.example"))},
    {"attributes": {"commonName": "a.example", "altNames": [{"value": "a.example"}], "emailAddress": "ann@corp.example"}}], ids=["csr", "managed"])
def test_a_mail_address_that_may_not_be_a_name_is_refused(server, api, what):
    """RFC 5280, 4.1.2.6: it is not in the subject alone."""
    bound = Api(server, make_token(server, "issue", name="dns:*.example")[0])
    for client, profile, status, text in (
            (bound, "mailed", 403, "not a name that the requester has proven"), (api, "addressed", 400, "email SAN is not allowed by template policy")):
        with pytest.raises(Refused) as refused:
            client.post("certificates", {"profileId": profile, **what})
        assert refused.value.status == status
        told = refused.value.fields()["subject.email"]
        assert text in told and "ann@corp.example" in told and "4.1.2.6" in told
