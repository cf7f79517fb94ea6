"""Lines of RFC 7030 that a suite of another hand found not held."""

import base64
import json

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from harness import Server
from test_est import Device, b64, credential, curl, issued, make_csr, make_key, nothing_changes, refused
from test_est_keygen import DECRYPT_KEY_ID, csr_with, tlv

CHALLENGE = "1.2.840.113549.1.9.7"
LINKING = "1.2.840.113549.1.9.16.2.58"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    kek = tmp_path_factory.mktemp("keys") / "kek"
    kek.write_text("00" * 32)
    kek.chmod(0o600)
    with Server({"est": {"proxies": ["127.0.0.2"], "wrapping_keys": [{"id": "kek", "file": str(kek)}]},
                 "profiles": [{"name": "tls-server", "est": {"server_keys": ["ec-p256"]}}, {"name": "device", "policy": "device"},
                              {"name": "guarded", "approvals": 1, "est": {"server_keys": ["ec-p256"]}}]}) as running:
        yield running


@pytest.mark.parametrize("attribute", [CHALLENGE, LINKING])
def test_empty_binding_is_a_wrong_one(server, attribute):
    """RFC 7030, 3.5: that the attribute is there says that the value is to be verified."""
    code = credential(server, "--profile", "tls-server")["code"]
    with nothing_changes(server):
        for tag in (0x13, 0x0c):
            refused(curl(server, "simpleenroll", "--tls-max", "1.2", "-u", f"x:{code}", body=b64(csr_with("a.example", [(attribute, tlv(tag, b""))]))),
                    403, "RFC 7030, 3.5")


def test_proxy_gets_no_private_key(server, tmp_path):
    """A listed proxy that speaks TLS to this server too has ended the client's."""
    device = Device(server, tmp_path, "a.example")
    shown = ":" + base64.b64encode(device.certificate.public_bytes(serialization.Encoding.DER)).decode() + ":"
    through = ["--interface", "127.0.0.2", "-H", f"Client-Cert: {shown}"]
    with nothing_changes(server):
        refused(curl(server, "serverkeygen", *through, body=b64(make_csr("a.example"))), 403, "proxy")
    wrapped = csr_with("a.example", [(DECRYPT_KEY_ID.dotted_string, tlv(4, b"kek"))])
    reply = curl(server, "serverkeygen", *through, body=b64(wrapped))
    assert reply.status == 200 and b"server-generated-key" in reply.body and b"application/pkcs8" not in reply.body
    assert curl(server, "serverkeygen", *device.options, body=b64(make_csr("a.example"))).status == 200


def test_subject_is_the_same_with_other_spaces(server, tmp_path):
    """RFC 5280, 7.1, for the comparison of RFC 7030, 4.2.2."""
    def request(unit, key):
        subject = x509.Name([x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit), x509.NameAttribute(NameOID.COMMON_NAME, "device-7")])
        return b64(x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER))

    device, code = Device(server, tmp_path, "a.example"), credential(server, "--profile", "device")["code"]
    key = make_key()
    first = issued(curl(server, "device/simpleenroll", "-u", f"x:{code}", body=request("Hall  7 North", key)), tmp_path)
    options = device.files(first, key)
    issued(curl(server, "device/simplereenroll", *options, body=request("hall 7  NORTH", make_key())), tmp_path)
    with nothing_changes(server):
        refused(curl(server, "device/simplereenroll", *options, body=request("hall 7North", make_key())), 403, "RFC 7030, 4.2.2")


def test_lost_reply_after_approval_is_told_again(server, tmp_path):
    """RFC 7030, 4.2.3: the client repeats the same request. The code, which counts once, was used up by the reply that it lost."""
    code = credential(server, "--profile", "guarded")["code"]
    key = make_key()

    def ask(name="a.example", key=key, operation="simpleenroll"):
        return curl(server, f"guarded/{operation}", "-u", f"x:{code}", body=b64(make_csr(name, key=key)))

    assert ask().status == 202
    waiting, = json.loads(server.run("request", "list", "--status", "pending", "--json", check=True).stdout)
    server.run("request", "approve", waiting["id"], "--by", "ada", check=True)
    first = issued(ask(), tmp_path)
    assert issued(ask(), tmp_path) == first
    with nothing_changes(server):
        refused(ask(key=make_key()), 401, "used up")
        refused(ask("b.example"), 401, "used up")
        refused(ask(operation="serverkeygen"), 401, "used up")
    server.run("est-credential", "revoke", code[4:26], check=True)
    refused(ask(), 401, "revoked")
