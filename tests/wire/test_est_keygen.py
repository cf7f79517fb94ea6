"""serverkeygen: keys that the server makes, in the clear over TLS and encrypted for the client; OpenSSL judges each."""

import base64
import concurrent.futures
import email
import json
import os
import re
import subprocess
import time
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ObjectIdentifier

from api_client import Api, make_token
from harness import Server
from test_est import CERTS_ONLY, Device, b64, credential, curl, inventory, make_csr, make_key, names_of, nothing_changes, refused

DECRYPT_KEY_ID = ObjectIdentifier("1.2.840.113549.1.9.16.2.37")
ASYMMETRIC_DECRYPT_KEY_ID = ObjectIdentifier("1.2.840.113549.1.9.16.2.54")
SMIME_CAPABILITIES = ObjectIdentifier("1.2.840.113549.1.9.15")
KEK = {"kek-128": bytes(range(16)), "kek-256": bytes(range(32))}
AES = "2.16.840.1.101.3.4.1."
ENCRYPTED = "application/pkcs7-mime; smime-type=server-generated-key"


def tlv(tag, content):
    length = bytes([len(content)]) if len(content) < 128 else bytes([0x81, len(content)]) if len(content) < 256 else \
        bytes([0x82, len(content) >> 8, len(content) & 255])
    return bytes([tag]) + length + content


def oid(dotted):
    first, second, *rest = map(int, dotted.split("."))
    out = bytes([40 * first + second])
    for n in rest:
        part = [n & 127]
        while n := n >> 7:
            part.append(n & 127 | 128)
        out += bytes(reversed(part))
    return tlv(6, out)


def csr_with(name, attributes, key=None, cn=None):
    """A CSR with raw attributes, signed by hand: the library writes no SEQUENCE as an attribute's value."""
    key = key or make_key()
    info = x509.load_der_x509_csr(make_csr(name, key=key, cn=cn)).tbs_certrequest_bytes
    body = info[4:] if info[1] == 0x82 else info[3:] if info[1] == 0x81 else info[2:]
    at = body.rindex(bytes([0xa0]), 0, body.rindex(oid("1.2.840.113549.1.9.14")))
    old = body[at + 2:] if body[at + 1] < 128 else body[at + 3:]
    tbs = tlv(0x30, body[:at] + tlv(0xa0, old + b"".join(tlv(0x30, oid(o) + tlv(0x31, v)) for o, v in attributes)))
    from cryptography.hazmat.primitives import hashes
    signature = key.sign(tbs, ec.ECDSA(hashes.SHA256()))
    return tlv(0x30, tbs + tlv(0x30, oid("1.2.840.10045.4.3.2")) + tlv(3, b"\0" + signature))


def capabilities(*oids):
    return ("1.2.840.113549.1.9.15", tlv(0x30, b"".join(tlv(0x30, oid(o)) for o in oids)))


def symmetric(name):
    return ("1.2.840.113549.1.9.16.2.37", tlv(4, name.encode()))


def asymmetric(key_id):
    return ("1.2.840.113549.1.9.16.2.54", tlv(4, key_id))


@pytest.fixture(scope="module")
def rsa_recipient(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recipient")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", folder / "key.pem", "-out", folder / "cert.pem", "-subj", "/CN=device",
                    "-addext", "keyUsage=critical,keyEncipherment", "-days", "2"], check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def ec_recipient(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recipient")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", folder / "key.pem", "-out",
                    folder / "cert.pem", "-subj", "/CN=device", "-addext", "keyUsage=critical,keyAgreement", "-days", "2"], check=True, capture_output=True)
    return folder


def key_id_of(folder):
    certificate = x509.load_pem_x509_certificate((folder / "cert.pem").read_bytes())
    return certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest


@pytest.fixture(scope="module")
def server(tmp_path_factory, rsa_recipient, ec_recipient):
    folder = tmp_path_factory.mktemp("kek")
    keys = []
    for name, key in KEK.items():
        (folder / name).write_text(key.hex() + "\n")
        (folder / name).chmod(0o600)
        keys.append({"id": name, "file": str(folder / name)})
    profiles = [{"name": "tls-server"}, {"name": "many", "est": {"server_keys": ["ec-p256", "ec-p384", "rsa-2048", "ed25519"]}},
                {"name": "big", "est": {"server_keys": ["rsa-3072"]}}, {"name": "huge", "est": {"server_keys": ["rsa-4096"]}},
                {"name": "slow", "approvals": 1, "est": {"server_keys": ["rsa-4096"]}},
                {"name": "strict", "est": {"server_keys": ["ec-p256"], "server_key_encrypted": True}},
                {"name": "asked", "approvals": 1, "est": {"server_keys": ["ec-p256"]}},
                {"name": "paired", "approvals": 1, "est": {"server_keys": ["rsa-3072"]}},
                {"name": "patient", "approvals": 1, "est": {"server_keys": ["rsa-4096"]}}]
    est = {"labels": [{"label": "open", "profile": "asked"}], "authentication": [{"name": "open", "labels": ["open"], "methods": ["anonymous"]}]}
    with Server({"profiles": profiles, "est": {**est, "wrapping_keys": keys, "wrapping_certificates": [str(f / "cert.pem") for f in (rsa_recipient, ec_recipient)]}}) as running:
        yield running


def ask(server, label, csr, *options):
    code = credential(server, "--profile", label)["code"]
    return curl(server, f"{label}/serverkeygen", *(options or ("-u", f"x:{code}")), body=b64(csr))


def parts(reply):
    """As MIME is read, by the standard library."""
    assert reply.status == 200, reply.body
    assert reply.headers["content-type"].startswith("multipart/mixed; boundary=")
    message = email.message_from_bytes(b"Content-Type: " + reply.headers["content-type"].encode() + b"\r\n\r\n" + reply.body)
    found = message.get_payload()
    assert len(found) == 2 and all(p["Content-Transfer-Encoding"] == "base64" for p in found)
    assert found[1]["Content-Type"] == CERTS_ONLY
    return found[0]["Content-Type"], found[0].get_payload(decode=True), found[1].get_payload(decode=True)


def certificate_of(der, tmp_path):
    (tmp_path / "c.p7").write_bytes(der)
    done = subprocess.run(["openssl", "pkcs7", "-inform", "DER", "-in", tmp_path / "c.p7", "-print_certs"], capture_output=True, check=True)
    block, = re.findall(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", done.stdout, re.DOTALL)
    return x509.load_pem_x509_certificate(block)


def fits(key, certificate):
    return key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo) == \
        certificate.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize("label,sent,want", [
    ("many", ec.generate_private_key(ec.SECP256R1()), lambda k: isinstance(k, ec.EllipticCurvePrivateKey) and k.curve.name == "secp256r1"),
    ("many", ec.generate_private_key(ec.SECP384R1()), lambda k: isinstance(k, ec.EllipticCurvePrivateKey) and k.curve.name == "secp384r1"),
    ("many", rsa.generate_private_key(65537, 2048), lambda k: isinstance(k, rsa.RSAPrivateKey) and k.key_size == 2048),
    ("many", rsa.generate_private_key(65537, 1024), lambda k: isinstance(k, ec.EllipticCurvePrivateKey)), # what is no key of ours says nothing
    ("big", ec.generate_private_key(ec.SECP256R1()), lambda k: isinstance(k, rsa.RSAPrivateKey) and k.key_size == 3072),
])
def test_plain_key(server, label, sent, want, tmp_path):
    kind, der, certs = parts(ask(server, label, make_csr("a.example.com", key=sent)))
    assert kind == "application/pkcs8"
    key = serialization.load_der_private_key(der, None)
    certificate = certificate_of(certs, tmp_path)
    assert want(key) and fits(key, certificate) and names_of(certificate) == ["a.example.com"]
    (tmp_path / "k.der").write_bytes(der)
    subprocess.run(["openssl", "pkcs8", "-inform", "DER", "-nocrypt", "-in", tmp_path / "k.der"], check=True, capture_output=True)


def test_signature_and_key_of_the_csr_are_ignored(server, tmp_path):
    csr = make_csr("a.example.com")
    _, der, certs = parts(ask(server, "many", csr[:-1] + bytes([csr[-1] ^ 1])))
    assert fits(serialization.load_der_private_key(der, None), certificate_of(certs, tmp_path))


def test_key_is_nowhere(server, tmp_path):
    _, der, _ = parts(ask(server, "many", make_csr("a.example.com")))
    secret = serialization.load_der_private_key(der, None).private_numbers().private_value.to_bytes(32, "big")
    for path in (server.folder / "data").rglob("*"):
        assert not path.is_file() or secret not in path.read_bytes()
    assert secret.hex() not in server.log_text() and base64.b64encode(der).decode()[:60] not in server.log_text()


def openssl(*args, data=None):
    done = subprocess.run(["openssl", *map(str, args)], input=data, capture_output=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def opened(server, inner, tmp_path):
    """The SignedData in the EnvelopedData (RFC 5958, 4): who signed it, and the key in it."""
    content_info = tlv(0x30, oid("1.2.840.113549.1.7.2") + tlv(0xa0, inner))
    (tmp_path / "signed").write_bytes(content_info)
    package = openssl("cms", "-verify", "-inform", "DER", "-in", tmp_path / "signed", "-CAfile", server.root_pem, "-purpose", "any", "-binary")
    assert b"2.16.840.1.101.2.1.2.78.5" in openssl("asn1parse", "-inform", "DER", "-in", tmp_path / "signed")
    start = 2 if package[1] < 128 else 2 + (package[1] & 127) # AsymmetricKeyPackage: SEQUENCE OF OneAsymmetricKey
    return serialization.load_der_private_key(package[start:], None)


@pytest.mark.parametrize("kek", KEK)
@pytest.mark.parametrize("wants,content", [
    ([], "aes-256-cbc"), ([AES + "2"], "aes-128-cbc"), ([AES + "46", AES + "42"], "aes-256-gcm"), ([AES + "6"], "aes-128-gcm"),
    ([AES + "42", AES + "5", AES + "45"], "aes-256-cbc"),
])
def test_symmetric_encryption(server, kek, wants, content, tmp_path):
    attributes = [symmetric(kek)] + ([capabilities(*wants)] if wants else [])
    kind, der, certs = parts(ask(server, "strict", csr_with("a.example.com", attributes)))
    assert kind == ENCRYPTED
    (tmp_path / "cms").write_bytes(der)
    shown = openssl("cms", "-cmsout", "-inform", "DER", "-in", tmp_path / "cms", "-print").decode()
    assert ("authEnvelopedData" in shown) == ("gcm" in content) and content in shown and "d.kekri" in shown and "version: 4" in shown
    assert kek.encode().hex(" ").split()[0] in shown.lower() and f"aes{8 * len(KEK[kek])}-wrap" in shown
    inner = openssl("cms", "-decrypt", "-inform", "DER", "-in", tmp_path / "cms", "-secretkey", KEK[kek].hex(), "-secretkeyid", kek.encode().hex(), "-binary")
    assert fits(opened(server, inner, tmp_path), certificate_of(certs, tmp_path))


@pytest.mark.parametrize("who", ["rsa", "ec"])
@pytest.mark.parametrize("wants,says", [([], ["aes-256-cbc"]), ([AES + "46"], ["aes-256-gcm", "authEnvelopedData"]),
                                        ([AES + "42", AES + "2", AES + "5"], []), (["1.2.840.113549.1.1.1"], [])])
def test_asymmetric_encryption(server, rsa_recipient, ec_recipient, who, wants, says, tmp_path):
    recipient = rsa_recipient if who == "rsa" else ec_recipient
    attributes = [asymmetric(key_id_of(recipient))] + ([capabilities(*wants)] if wants else [])
    kind, der, certs = parts(ask(server, "strict", csr_with("a.example.com", attributes)))
    assert kind == ENCRYPTED
    (tmp_path / "cms").write_bytes(der)
    shown = openssl("cms", "-cmsout", "-inform", "DER", "-in", tmp_path / "cms", "-print").decode()
    assert all(word in shown for word in says) and ("d.ktri" if who == "rsa" else "d.kari") in shown
    if who == "rsa":
        assert ("rsaesOaep" in shown) == (wants != ["1.2.840.113549.1.1.1"])
    elif AES + "5" in wants:
        assert "aes-128-cbc" in shown and "id-aes128-wrap" in shown # it can wrap by no other
    inner = openssl("cms", "-decrypt", "-inform", "DER", "-in", tmp_path / "cms", "-recip", recipient / "cert.pem", "-inkey", recipient / "key.pem", "-binary")
    assert fits(opened(server, inner, tmp_path), certificate_of(certs, tmp_path))


def test_recipient_may_be_the_client_certificate(server, rsa_recipient, tmp_path):
    code = credential(server, "--profile", "strict")["code"]
    (tmp_path / "other").mkdir()
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", tmp_path / "other" / "key.pem", "-out", tmp_path / "other" / "cert.pem",
                    "-subj", "/CN=me", "-days", "2"], check=True, capture_output=True)
    csr = csr_with("a.example.com", [asymmetric(key_id_of(tmp_path / "other"))])
    refused(ask(server, "strict", csr), 403, "AsymmetricDecryptKeyIdentifier")
    reply = ask(server, "strict", csr, "-u", f"x:{code}", "--cert", str(tmp_path / "other" / "cert.pem"), "--key", str(tmp_path / "other" / "key.pem"))
    _, der, certs = parts(reply)
    (tmp_path / "cms").write_bytes(der)
    inner = openssl("cms", "-decrypt", "-inform", "DER", "-in", tmp_path / "cms", "-recip", tmp_path / "other" / "cert.pem", "-inkey", tmp_path / "other" / "key.pem", "-binary")
    assert fits(opened(server, inner, tmp_path), certificate_of(certs, tmp_path))


def test_refusals(server, rsa_recipient, tmp_path):
    device = Device(server, tmp_path, "d.example.com", profile="many")
    own_id = device.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    with nothing_changes_but_codes(server):
        refused(ask(server, "tls-server", make_csr("a.example.com")), 501, "makes no keys")
        refused(ask(server, "strict", make_csr("a.example.com")), 403, "DecryptKeyIdentifier")
        refused(ask(server, "many", csr_with("a.example.com", [symmetric("unknown")])), 403, "no key of the CSR's DecryptKeyIdentifier")
        refused(ask(server, "many", csr_with("a.example.com", [asymmetric(b"12345")])), 403, "AsymmetricDecryptKeyIdentifier is the subject key")
        refused(ask(server, "strict", csr_with("a.example.com", [symmetric("kek-256"), asymmetric(b"1")])), 400, "both")
        refused(ask(server, "strict", csr_with("a.example.com", [symmetric("kek-256"), capabilities("1.2.840.113549.3.7")])), 400, "AES")
        refused(ask(server, "strict", csr_with("a.example.com", [symmetric("kek-128"), capabilities(AES + "42", AES + "45")])), 400, "AES-128")
        refused(ask(server, "many", csr_with("d.example.com", [asymmetric(own_id)]), *device.options), 403, "keyAgreement")
        refused(curl(server, "many/serverkeygen", body=b64(make_csr("a.example.com"))), 401)
        refused(curl(server, "open/serverkeygen", body=b64(make_csr("a.example.com"))), 403, "nobody who has not proven")
        refused(curl(server, "many/serverkeygen", body=b"x", type="text/plain"), 415)
        refused(ask(server, "many", b"0\x82"), 400)


def cpu_seconds(server):
    fields = Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def with_usage(oid):
    return lambda builder: builder.add_extension(x509.ExtendedKeyUsage([oid]), False)


def test_what_is_refused_costs_no_key(server):
    """An RSA key of 4096 bits takes a second or more, and nobody gets one made by asking for what he may not have."""
    bound = credential(server, "--profile", "huge", "--name", "dns:a.example.com", "--uses", "any")["code"]
    options = ("-u", f"x:{bound}")
    before = cpu_seconds(server)
    for _ in range(5):
        refused(ask(server, "huge", make_csr("b.example.com"), *options), 403, "b.example.com is not a name that the requester has proven")
        refused(ask(server, "huge", make_csr(), *options), 400, "the CSR has no name")
        refused(ask(server, "huge", make_csr("a.example.com", add=with_usage(ObjectIdentifier("1.3.6.1.5.5.7.3.3"))), *options), 400, "1.3.6.1.5.5.7.3.3")
        refused(ask(server, "huge", make_csr("a.example.com", cn="not a name"), *options), 400, "not a name")
    assert cpu_seconds(server) - before < 4
    parts(ask(server, "huge", make_csr("a.example.com"), *options))
    deadline, reasons = time.monotonic() + 60, set()
    while len(reasons) < 4:
        assert time.monotonic() < deadline, reasons
        told = [event["about"] for event in events(server, "certificate-refused")]
        reasons = {about["reasons"][0] for about in told if about.get("profile") == "huge"}
    assert len(reasons) == 4


def test_a_rejected_request_costs_no_key(server):
    code, csr = credential(server, "--profile", "slow", "--uses", "any")["code"], make_csr("w.example.com")
    assert ask(server, "slow", csr, "-u", f"x:{code}").status == 202
    request, = [r for r in json.loads(server.run("request", "list", "--status", "pending", "--json", check=True).stdout) if r["profile"] == "slow"]
    server.run("request", "reject", request["id"], "--reason", "no", check=True)
    before = cpu_seconds(server)
    for _ in range(20):
        refused(ask(server, "slow", csr, "-u", f"x:{code}"), 403, "was rejected: no")
    assert cpu_seconds(server) - before < 4


def events(server, kind):
    return json.loads(server.run("audit", "list", "--kind", kind, "--json", check=True).stdout)


def issued_last(server):
    return events(server, "certificate-issued")[-1]["about"]


def test_the_audit_log_tells_how_a_key_went(server, rsa_recipient):
    made = json.loads(server.run("est-credential", "create", "--kind", "wrapping-key", "--profile", "strict", "--json", check=True).stdout)
    parts(ask(server, "many", make_csr("a.example.com")))
    assert issued_last(server)["keyDelivery"] == "plain" and "wrappingKey" not in issued_last(server)
    for name in ("kek-128", made["id"]):
        parts(ask(server, "strict", csr_with("a.example.com", [symmetric(name)])))
        about = issued_last(server)
        assert about["keyDelivery"] == "wrapping key" and about["wrappingKey"] == name and "recipientKeyId" not in about
    parts(ask(server, "strict", csr_with("a.example.com", [asymmetric(key_id_of(rsa_recipient))])))
    about = issued_last(server)
    assert about["keyDelivery"] == "certificate" and about["recipientKeyId"] == key_id_of(rsa_recipient).hex() and "wrappingKey" not in about
    issued_here = curl(server, "many/simpleenroll", "-u", f"x:{credential(server, '--profile', 'many')['code']}", body=b64(make_csr("a.example.com")))
    assert issued_here.status == 200 and "keyDelivery" not in issued_last(server)


def nothing_changes_but_codes(server):
    watch = nothing_changes(server)
    watch.state = lambda: inventory(server)
    return watch


def test_key_after_approval(server, tmp_path):
    code, key = credential(server, "--profile", "asked", "--uses", "any")["code"], make_key()

    def again():
        return curl(server, "asked/serverkeygen", "-u", f"x:{code}", body=b64(make_csr("w.example.com", key=key)))
    for _ in range(2):
        assert again().status == 202
    request, = json.loads(server.run("request", "list", "--status", "pending", "--json", check=True).stdout)
    server.run("request", "approve", request["id"], check=True)
    _, der, certs = parts(again())
    assert fits(serialization.load_der_private_key(der, None), certificate_of(certs, tmp_path))
    assert again().status == 202 # a key is given once; the next is another request


def test_several_tries_at_an_approved_key(server, tmp_path):
    """One of them is given the key, which is not kept; the others are told so, or make a new request; and so does the next try."""
    code, key = credential(server, "--profile", "paired", "--uses", "any")["code"], make_key()

    def ask(_=None):
        return curl(server, "paired/serverkeygen", "-u", f"x:{code}", body=b64(make_csr("twin.example.com", key=key)))

    def approve():
        pending = json.loads(server.run("request", "list", "--status", "pending", "--json", check=True).stdout)
        request, = [r for r in pending if "twin" in r["names"]]
        server.run("request", "approve", request["id"], check=True)

    keys = []
    for _ in range(2): # what the tries came to is in nobody's way
        assert ask().status == 202
        approve()
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            replies = list(pool.map(ask, range(4)))
        given, = [r for r in replies if r.status == 200]
        late = [r for r in replies if r.status == 409]
        assert len(late) + sum(r.status == 202 for r in replies) == 3
        for reply in late:
            refused(reply, 409, "went to another try")
        _, der, certs = parts(given)
        keys.append(serialization.load_der_private_key(der, None))
        assert fits(keys[-1], certificate_of(certs, tmp_path))
    assert keys[0].private_numbers() != keys[1].private_numbers()
    names = [r for r in json.loads(server.run("request", "list", "--json", check=True).stdout) if "twin" in r["names"]]
    assert sorted(r["status"] for r in names if r["status"] != "pending") == ["issued"] * 2


def test_who_waits_lets_no_key_be_made(server):
    """RSA keys take turns, and who finds a long queue is told 503: those that poll for an approval must not fill it."""
    code, key = credential(server, "--profile", "patient", "--uses", "any")["code"], make_key()

    def ask(_=None):
        return curl(server, "patient/serverkeygen", "-u", f"x:{code}", body=b64(make_csr("patient.example.com", key=key))).status
    assert ask() == 202
    with concurrent.futures.ThreadPoolExecutor(24) as pool:
        assert list(pool.map(ask, range(24))) == [202] * 24
    request, = [r for r in json.loads(server.run("request", "list", "--status", "pending", "--json", check=True).stdout) if "patient" in r["names"]]
    server.run("request", "reject", request["id"], "--reason", "no", check=True)
    with concurrent.futures.ThreadPoolExecutor(24) as pool:
        assert list(pool.map(ask, range(24))) == [403] * 24


# --- wrapping keys that are made here

def test_wrapping_key_by_command(server, tmp_path):
    made = json.loads(server.run("est-credential", "create", "--kind", "wrapping-key", "--profile", "strict", "--note", "pump 7", "--json", check=True).stdout)
    assert len(made["key"]) == 64 and made["kind"] == "wrapping-key" and made["status"] == "valid" and "secret" not in made
    csr = csr_with("a.example.com", [symmetric(made["id"])])
    kind, der, certs = parts(ask(server, "strict", csr))
    assert kind == ENCRYPTED
    (tmp_path / "cms").write_bytes(der)
    inner = openssl("cms", "-decrypt", "-inform", "DER", "-in", tmp_path / "cms", "-secretkey", made["key"], "-secretkeyid", made["id"].encode().hex(), "-binary")
    assert fits(opened(server, inner, tmp_path), certificate_of(certs, tmp_path))
    listed, = [c for c in json.loads(server.run("est-credential", "list", "--json", check=True).stdout) if c["id"] == made["id"]]
    assert "key" not in listed and listed["note"] == "pump 7"
    for path in (server.folder / "data").rglob("*"): # it is kept sealed
        assert not path.is_file() or (bytes.fromhex(made["key"]) not in path.read_bytes() and made["key"].encode() not in path.read_bytes())
    refused(ask(server, "many", csr), 403, "DecryptKeyIdentifier") # it is for one profile
    for user in (f"{made['id']}:{made['key']}", f"x:{made['key']}", f"x:{made['id']}"): # and lets nobody in
        refused(curl(server, "strict/serverkeygen", "-u", user, body=b64(csr)), 401)
    server.run("est-credential", "revoke", made["id"], check=True)
    refused(ask(server, "strict", csr), 403, "DecryptKeyIdentifier")


def test_wrapping_key_over_the_api(server, tmp_path):
    api = Api(server, make_token(server, "admin")[0])
    made = api.post("/api/v1/est/credentials", {"kind": "wrapping-key", "profileId": "strict", "expires": "2099-01-01T00:00:00Z"})
    kind, der, _ = parts(ask(server, "strict", csr_with("a.example.com", [symmetric(made["id"])])))
    (tmp_path / "cms").write_bytes(der)
    openssl("cms", "-decrypt", "-inform", "DER", "-in", tmp_path / "cms", "-secretkey", made["key"], "-secretkeyid", made["id"].encode().hex(), "-binary")
    assert kind == ENCRYPTED and "key" not in api.get(f"/api/v1/est/credentials/{made['id']}")
    assert api.post(f"/api/v1/est/credentials/{made['id']}/revoke")["status"] == "revoked"
    refused(ask(server, "strict", csr_with("a.example.com", [symmetric(made["id"])])), 403, "DecryptKeyIdentifier")


@pytest.mark.parametrize("options", [["--user", "x"], ["--device", "SN"], ["--name", "dns:a.example"], ["--uses", "2"], ["--digest", "md5"], ["--certificate", "0a"]])
def test_wrapping_key_that_makes_no_sense(server, options):
    assert server.run("est-credential", "create", "--kind", "wrapping-key", "--profile", "strict", *options).returncode != 0


@pytest.mark.parametrize("text,mode,says", [("00", 0o600, "16, 24 or 32"), ("zz" * 16, 0o600, "16, 24 or 32"), ("00" * 16, 0o644, "others"), (None, 0, "")])
def test_wrapping_key_files(tmp_path, text, mode, says):
    if text is not None:
        (tmp_path / "kek").write_text(text)
        (tmp_path / "kek").chmod(mode)
    own = Server({"est": {"wrapping_keys": [{"id": "k", "file": str(tmp_path / "kek")}]}})
    try:
        done = own.run("serve")
        assert done.returncode != 0 and "kek" in done.stderr and says in done.stderr
    finally:
        own.close()


def test_ed25519_is_made(server):
    """cryptography signs no CSR that the server would not read: the kind is chosen by what the CSR has."""
    csr = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).add_extension(
        x509.SubjectAlternativeName([x509.DNSName("e.example.com")]), False).sign(ed25519.Ed25519PrivateKey.generate(), None)
    _, der, _ = parts(ask(server, "many", csr.public_bytes(serialization.Encoding.DER)))
    assert isinstance(serialization.load_der_private_key(der, None), ed25519.Ed25519PrivateKey)
