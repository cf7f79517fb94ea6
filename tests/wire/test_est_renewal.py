"""What EST renews after its end, with other names, and while the root of the CA is being rolled over."""

import base64
import datetime
import subprocess
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from harness import Server
from test_est import EST, Device, b64, credential, curl, inventory, issued, judge, make_csr, make_key, names_of, nothing_changes, refused
from test_est_clients import Client
from test_est_keygen import csr_with, tlv

BRIEF = {"validity": "60s", "validity_max": "60s", "backdate": "30s"} # so that it has ended in half a minute


@pytest.fixture(scope="module")
def server():
    with Server({"profiles": [{"name": "tls-server"}, {"name": "grace", **BRIEF, "est": {"renewal_grace": "1h"}}, {"name": "strict", **BRIEF},
                              {"name": "moves", "est": {"change_names": ["dns:*.new.example"]}}]}) as running:
        yield running


@pytest.fixture(scope="module", autouse=True)
def brief(server, tmp_path_factory):
    """Made at once: they end while the other tests run."""
    return {profile: Device(server, tmp_path_factory.mktemp(profile), "a.example.com", profile=profile) for profile in ("grace", "strict")}


def test_simpleenroll_with_a_certificate_is_a_renewal(server, tmp_path):
    device = Device(server, tmp_path, "a.example.com")
    new = issued(curl(server, "simpleenroll", *device.options, body=b64(make_csr("a.example.com"))), tmp_path)
    rows = {int(r["serial"], 16): r for r in inventory(server)}
    assert rows[new.serial_number]["replaces"] == rows[device.certificate.serial_number]["id"]


def test_renewal_with_all_that_the_certificate_has(server, tmp_path):
    """libest's estclient makes its CSR of the certificate, with the extensions that the CA writes of itself."""
    device = Device(server, tmp_path, "a.example.com", cn="a.example.com")
    builder = x509.CertificateSigningRequestBuilder().subject_name(device.certificate.subject)
    for extension in device.certificate.extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    csr = b64(builder.sign(make_key(), hashes.SHA256()).public_bytes(serialization.Encoding.DER))
    assert b"crl" in base64.b64decode(csr)
    new = issued(curl(server, "simplereenroll", *device.options, body=csr), tmp_path)
    assert names_of(new) == ["a.example.com"]
    points = x509.CRLDistributionPoints([x509.DistributionPoint([x509.UniformResourceIdentifier("http://evil.example/x")], None, None, None)])
    foreign = make_csr("a.example.com", cn="a.example.com", add=lambda b: b.add_extension(points, False))
    again = issued(curl(server, "simplereenroll", *device.options, body=b64(foreign)), tmp_path)
    assert b"evil.example" not in again.public_bytes(serialization.Encoding.DER) # they are the CA's to say
    code = credential(server, "--profile", "tls-server")["code"]
    with nothing_changes(server): # who has none of ours asks for less
        refused(curl(server, "simpleenroll", "-u", f"x:{code}", body=csr), 400, "2.5.29.31")


# --- ChangeSubjectName (RFC 6402, 2.8)

def change(*names, cn=None):
    subject = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, cn)]).public_bytes() if cn else b""
    san = tlv(0x30, b"".join(tlv(0x82, n.encode()) for n in names)) if names else b""
    return [("1.3.6.1.5.5.7.7.36", tlv(0x30, subject + san))]


def test_names_are_changed_where_the_profile_lets(server, tmp_path):
    device = Device(server, tmp_path, "old.example.com", profile="moves")
    csr = csr_with("old.example.com", change("a.new.example", cn="a.new.example"))
    new = issued(curl(server, "moves/simplereenroll", *device.options, body=b64(csr)), tmp_path)
    assert names_of(new) == ["a.new.example"] and new.subject.rfc4514_string() == "CN=a.new.example"
    with nothing_changes(server):
        for asked in (change("evil.example.com"), change("a.new.example", "evil.example.com"), change("a.new.example", cn="evil.example.com")):
            refused(curl(server, "moves/simplereenroll", *device.options, body=b64(csr_with("old.example.com", asked))), 403, "evil.example.com")
        wrong = csr_with("a.new.example", change("b.new.example")) # the CSR itself must have what the certificate has
        refused(curl(server, "moves/simplereenroll", *device.options, body=b64(wrong)), 403)
        wrong = csr_with("old.example.com", change("b.new.example"), cn="other.example.com")
        refused(curl(server, "moves/simplereenroll", *device.options, body=b64(wrong)), 403, "other.example.com")


def test_names_stay_where_it_does_not(server, tmp_path):
    device = Device(server, tmp_path, "old.example.com")
    with nothing_changes(server):
        refused(curl(server, "simplereenroll", *device.options, body=b64(csr_with("old.example.com", change("a.new.example")))), 403, "ChangeSubjectName")


# --- cacerts during a rollover (RFC 7030, 4.1.3)

def cross(subject, key, issuer, signer, template, padding=0):
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key).serial_number(x509.random_serial_number())
               .not_valid_before(now - datetime.timedelta(hours=1)).not_valid_after(now + datetime.timedelta(days=3650))
               .add_extension(x509.BasicConstraints(True, None), True)
               .add_extension(template.extensions.get_extension_for_class(x509.KeyUsage).value, True)
               .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), False))
    if padding:
        builder = builder.add_extension(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), bytes(padding)), False)
    return builder.sign(signer, hashes.SHA384())


def test_cacerts_during_a_rollover(tmp_path):
    own = Server()
    try:
        folder = own.folder / "data" / "ca"
        old = x509.load_pem_x509_certificate((folder / "root.pem").read_bytes())
        old_key = serialization.load_pem_private_key((folder / "root.key").read_bytes(), (folder / "passphrase").read_bytes().strip())
        new_key = ec.generate_private_key(ec.SECP384R1())
        new = cross(old.subject, new_key.public_key(), old.subject, new_key, old)
        old_with_new = cross(old.subject, old_key.public_key(), old.subject, new_key, old)
        new_with_old = cross(old.subject, new_key.public_key(), old.subject, old_key, old)
        all_four = [old, new, old_with_new, new_with_old]
        (folder / "root.rollover.pem").write_bytes(b"".join(c.public_bytes(serialization.Encoding.PEM) for c in all_four))
        own.start()
        found = judge(curl(own, "cacerts"), tmp_path)
        assert all(c in found for c in all_four) and len(found) == 5 and len({c.fingerprint(hashes.SHA256()) for c in found}) == 5
        bare = curl(own, "cacerts", "-H", "User-Agent:", "-H", "Accept:").body # large, and still one line for strongSwan
        assert bare.count(b"\n") == 1 and len(base64.b64decode(bare)) > 2000
    finally:
        own.close()


# --- replies of more than one record of TLS

def certificates_of_size(old, old_key, total):
    made = [old]
    while sum(len(c.public_bytes(serialization.Encoding.DER)) for c in made) < total:
        made.append(cross(old.subject, ec.generate_private_key(ec.SECP384R1()).public_key(), old.subject, old_key, old, 6000))
    return made


@pytest.mark.parametrize("total", [11000, 30000, 45000])
def test_cacerts_of_many_certificates(tmp_path, total):
    """Over 16 KiB the head is a record of its own, and none is longer than TLS allows. strongSwan 5.9.8 reads a body with one call,
    and so no more than one record of it."""
    own = Server()
    try:
        folder = own.folder / "data" / "ca"
        old = x509.load_pem_x509_certificate((folder / "root.pem").read_bytes())
        old_key = serialization.load_pem_private_key((folder / "root.key").read_bytes(), (folder / "passphrase").read_bytes().strip())
        (folder / "root.rollover.pem").write_bytes(b"".join(c.public_bytes(serialization.Encoding.PEM) for c in certificates_of_size(old, old_key, total)))
        own.start()
        found = judge(curl(own, "cacerts"), tmp_path)
        assert sum(len(c.public_bytes(serialization.Encoding.DER)) for c in found) >= total
        client = Client(own)
        for head in ("User-Agent: x\r\n", ""):
            client.received = b""
            client.send(f"GET {EST}cacerts HTTP/1.1\r\nHost: localhost\r\n{head}\r\n".encode())
            line, body = client.reply()
            assert line.startswith(b"HTTP/1.1 200 ") and len(base64.b64decode(body)) >= total
            sizes = record_sizes(client.received)
            assert max(sizes) <= 16384 + 24 and (len(sizes) == 1 if len(line) + 4 + len(body) <= 16384 else sizes[0] < 1000)
        client.close()
        if len(body) > 16384:
            return
        done = subprocess.run(["pki", "--estca", "--url", own.url, "--cacert", own.root_pem, "--caout", tmp_path / "ca", "--outform", "pem"], capture_output=True, timeout=60)
        assert done.returncode == 0 and len(list(tmp_path.glob("ca*.pem"))) == len(found), done.stderr
    finally:
        own.close()


def record_sizes(received):
    sizes, at = [], 0
    while at + 5 <= len(received):
        sizes.append(int.from_bytes(received[at + 3:at + 5], "big"))
        at += 5 + sizes[-1]
    return sizes


# --- after its end

def expired(device):
    end = device.certificate.not_valid_after.replace(tzinfo=datetime.timezone.utc)
    while datetime.datetime.now(datetime.timezone.utc) <= end + datetime.timedelta(seconds=1):
        time.sleep(0.2)
    return device


def test_expired_certificate_renews_within_its_grace(server, brief, tmp_path):
    device = expired(brief["grace"])
    csr = b64(make_csr("a.example.com"))
    for operation in ("simplereenroll", "simpleenroll"):
        assert names_of(issued(curl(server, f"grace/{operation}", *device.options, body=csr), tmp_path)) == ["a.example.com"]
    with nothing_changes(server):
        refused(curl(server, "grace/simpleenroll", *device.options, body=b64(make_csr("b.example.com"))), 403)
    server.run("cert", "revoke", f"{device.certificate.serial_number:x}", check=True)
    refused(curl(server, "grace/simplereenroll", *device.options, body=csr), 403, "revoked")


def test_without_grace_it_does_not(server, brief):
    device = expired(brief["strict"])
    with nothing_changes(server):
        refused(curl(server, "strict/simplereenroll", *device.options, body=b64(make_csr("a.example.com"))), 403, "expired")
        refused(curl(server, "grace/simplereenroll", *device.options, body=b64(make_csr("a.example.com"))), 403) # nor elsewhere
