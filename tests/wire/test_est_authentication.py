"""Who may enroll over EST: passwords, secrets, manufacturers' certificates, registrars, nobody; and what of several that
are shown counts."""

import base64
import concurrent.futures
import contextlib
import csv
import datetime
import hashlib
import http.client
import json
import re
import resource
import socket
import ssl
import subprocess
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from api_client import Api, Refused, make_token
from harness import Server, free_port
from test_est import EST, PKCS10, Device, Reply, b64, credential, curl, inventory, issued, make_csr, make_key, names_of, nothing_changes, refused

CMC_RA = ObjectIdentifier("1.3.6.1.5.5.7.3.28")
FOREVER = datetime.datetime(9999, 12, 31, 23, 59, 59)
UTC = datetime.timezone.utc
NOW = datetime.datetime.now(UTC).replace(tzinfo=None)


def name(**attributes):
    types = {"cn": NameOID.COMMON_NAME, "serial": NameOID.SERIAL_NUMBER, "o": NameOID.ORGANIZATION_NAME}
    return x509.Name([x509.NameAttribute(types[key], value) for key, value in attributes.items()])


def certify(subject, key, issuer=None, issuer_key=None, ca=False, after=FOREVER, before=NOW - datetime.timedelta(days=1), hash=None,
            extensions=(), serial=None):
    builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer.subject if issuer else subject)
               .public_key(key.public_key()).serial_number(serial or x509.random_serial_number()).not_valid_before(before).not_valid_after(after)
               .add_extension(x509.BasicConstraints(ca, None), True))
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(issuer_key or key, hash or hashes.SHA256())


class Maker:
    """A manufacturer: a root, a CA below it, and devices."""

    def __init__(self, folder, called, root_after=FOREVER):
        self.folder = folder
        self.root_key, self.key = make_key(), make_key()
        self.root = certify(name(cn=f"{called} root"), self.root_key, ca=True, after=root_after)
        self.ca = certify(name(cn=f"{called} CA"), self.key, self.root, self.root_key, ca=True)
        self.pem = folder / f"{called}.pem"
        self.pem.write_bytes(self.root.public_bytes(serialization.Encoding.PEM))

    def device(self, number, key=None, chain=True, subject=None, issuer=None, issuer_key=None, **more):
        """curl's options for a device with this IDevID."""
        key = key or make_key()
        own = certify(subject or name(o="Maker", serial=number), key, issuer or self.ca, issuer_key or self.key, **more)
        return self.options(own, key, [self.ca] if chain is True else chain or [])

    def options(self, own, key, chain):
        stem = hashlib.sha256(own.public_bytes(serialization.Encoding.DER)).hexdigest()[:16]
        pem, key_pem = self.folder / f"{stem}.pem", self.folder / f"{stem}.key"
        pem.write_bytes(b"".join(c.public_bytes(serialization.Encoding.PEM) for c in [own, *chain]))
        key_pem.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        return ["--cert", str(pem), "--key", str(key_pem)]


@pytest.fixture(scope="module")
def maker(tmp_path_factory):
    return Maker(tmp_path_factory.mktemp("maker"), "acme-devices", root_after=NOW - datetime.timedelta(hours=1))


TIED = {"name": "tied", "unlisted": "refuse", "keys": ["ec-p256"], "signatures": ["ecdsa-sha256"],
        "key_usage": {"allow": ["digitalSignature"]}, "extended_key_usage": {"allow": ["clientAuth"]}, "validity_max": "90d",
        "subject": {"serial_number": {"allow": ["*"]}, "cn": {"allow": ["*"]}},
        "san": {"dns": {"allow": ["**.dev.example", "pump-{identity}.plant.example"]}, "hardware_module_name": {"allow": ["*"]}}}


@pytest.fixture(scope="module")
def server(maker):
    rows = [
        {"name": "plain", "labels": ["", "tls-server", "other"]},
        {"name": "factory", "labels": ["factory"], "methods": ["certificate", "manufacturer", "code"], "manufacturers": [str(maker.pem)]},
        {"name": "listed", "labels": ["listed"], "methods": ["manufacturer"], "manufacturers": [str(maker.pem)], "listed": True},
        {"name": "ra", "labels": ["ra", "any/of/three"], "methods": ["registrar", "code"]},
        {"name": "people", "labels": ["people"], "methods": ["anonymous", "code"]},
        {"name": "bound", "labels": ["bound"], "methods": ["code"], "channel_binding": "require"},
        {"name": "exporter", "labels": ["exporter"], "methods": ["code"], "channel_binding": "require", "tls_exporter": True},
        {"name": "certs", "labels": ["certs"], "methods": ["certificate"]},
    ]
    labels = [{"label": label, "profile": "device"} for label in ("factory", "listed", "any/of/three")]
    labels += [{"label": "ra", "profile": "tls-server"}, {"label": "bound", "profile": "tls-server"}, {"label": "exporter", "profile": "tls-server"},
               {"label": "certs", "profile": "tls-server"}]
    with Server({"est": {"authentication": rows, "labels": labels}, "policies": [TIED], "profiles": [
            {"name": "tls-server"}, {"name": "other"}, {"name": "device", "methods": ["est"], "policy": "tied"},
            {"name": "people", "methods": ["est"], "approvals": 1},
            {"name": "registrar", "methods": ["est", "api"], "extended_key_usage": ["clientAuth", "1.3.6.1.5.5.7.3.28"]}]}) as running:
        yield running


def enroll(server, label, *options, csr=None):
    return curl(server, f"{label}/simpleenroll" if label else "simpleenroll", *options, body=b64(csr or make_csr("a.example.com")))


class Line:
    """A TLS connection as a test wants it, with the client certificate of curl's options."""

    def __init__(self, server, options=(), version=None, level=2, session=None, alpn=None, context=None):
        self.server = server
        context = context or server.tls_context()
        context.set_ciphers(f"DEFAULT@SECLEVEL={level}")
        if version:
            context.minimum_version = context.maximum_version = version
        if alpn:
            context.set_alpn_protocols(alpn)
        if options:
            context.load_cert_chain(options[1], options[3])
        self.context = context
        self.tls = context.wrap_socket(socket.create_connection(("127.0.0.1", server.port), timeout=60), server_hostname="localhost", session=session)

    def post(self, path, csr, **headers):
        body = b64(csr)
        head = {"Host": f"localhost:{self.server.port}", "User-Agent": "test", "Content-Type": PKCS10, "Content-Length": len(body), **headers}
        self.tls.sendall(f"POST {EST}{path} HTTP/1.1\r\n".encode() + "".join(f"{k}: {v}\r\n" for k, v in head.items()).encode() + b"\r\n" + body)
        return self.reply()

    def reply(self):
        data = b""
        while b"\r\n\r\n" not in data:
            part = self.tls.recv(65536)
            assert part, data
            data += part
        head, _, rest = data.partition(b"\r\n\r\n")
        reply = Reply(head, rest)
        while len(reply.body) < int(reply.headers.get("content-length", 0)):
            reply.body += self.tls.recv(65536)
        return reply

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.tls.close()


def basic(pair):
    return "Basic " + base64.b64encode(pair.encode()).decode()


def password(server, user, text, *options):
    done = server.run("est-credential", "create", "--json", "--kind", "password", "--user", user, *options, input=text + "\n", check=True)
    return json.loads(done.stdout)


def device_csr(serial, *names, key=None, cn=None):
    attributes = ([x509.NameAttribute(NameOID.COMMON_NAME, cn)] if cn else []) + (
        [x509.NameAttribute(NameOID.SERIAL_NUMBER, serial)] if serial else [])
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(attributes))
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([n if isinstance(n, x509.GeneralName) else x509.DNSName(n) for n in names]), False)
    return builder.sign(key or make_key(), hashes.SHA256()).public_bytes(serialization.Encoding.DER)


# --- passwords and secrets

def test_password(server, tmp_path):
    made = password(server, "ada", "correct horse battery")
    assert made["kind"] == "password" and "secret" not in made
    certificate = issued(enroll(server, "", "-u", "ada:correct horse battery"), tmp_path)
    row, = [r for r in inventory(server) if int(r["serial"], 16) == certificate.serial_number]
    assert json.loads(server.run("cert", "show", "--json", row["id"], check=True).stdout)["identity"] == "user ada"
    with nothing_changes(server):
        for pair in ("ada:wrong horse battery", "ada:", "bob:correct horse battery", ":correct horse battery", "Ada:correct horse battery"):
            refused(enroll(server, "", "-u", pair), 401)
        refused(enroll(server, "other", "-u", "ada:correct horse battery"), 403, "profile tls-server")
        refused(enroll(server, "factory", "-u", "ada:correct horse battery"), 401) # no password at this label
    server.run("est-credential", "revoke", made["id"], check=True)
    refused(enroll(server, "", "-u", "ada:correct horse battery"), 401)
    password(server, "ada", "another horse battery") # the name is free again
    issued(enroll(server, "", "-u", "ada:another horse battery"), tmp_path)


def test_unknown_user_and_wrong_password_look_alike(server):
    password(server, "grace", "correct horse battery")
    replies = [enroll(server, "", "-u", pair) for pair in ("grace:xxxxxxxxxxxxxxxxx", "nobody:xxxxxxxxxxxxxxxxx")]
    assert replies[0].status == replies[1].status == 401 and replies[0].body == replies[1].body


def test_secret(server, tmp_path):
    made = credential(server, "--kind", "secret", "--user", "pump-7", "--name", "dns:pump-7.example.com")
    issued(enroll(server, "", "-u", f"pump-7:{made['secret']}", csr=make_csr("pump-7.example.com")), tmp_path)
    issued(enroll(server, "", "-u", f"pump-7:{made['secret']}", csr=make_csr("pump-7.example.com")), tmp_path)
    with nothing_changes(server):
        refused(enroll(server, "", "-u", f"pump-8:{made['secret']}", csr=make_csr("pump-7.example.com")), 401)
        refused(enroll(server, "", "-u", f"pump-7:{made['secret']}", csr=make_csr("pump-8.example.com")), 403, "pump-8.example.com")


def test_store_holds_no_password(server):
    made = credential(server, "--kind", "secret", "--user", "hidden", "--digest", "sha-256,md5")
    password(server, "hidden-too", "very hidden words", "--digest", "md5")
    ha1 = hashlib.md5(b"hidden-too:enrolld:very hidden words").hexdigest().encode()
    for path in (server.folder / "data").rglob("*"):
        data = path.read_bytes() if path.is_file() else b""
        assert made["secret"].encode() not in data and b"very hidden words" not in data and ha1 not in data


@pytest.mark.parametrize("options,says", [
    (["--kind", "x"], "--kind"), (["--kind", "secret"], "user"), (["--user", "a"], "user"), (["--kind", "device"], "serial number"),
    (["--kind", "secret", "--user", "a:b"], "user"), (["--kind", "secret", "--user", "a b"], "user"), (["--kind", "device", "--device", "a*"], "device"),
    (["--kind", "device", "--certificate", "xyz"], "certificate"), (["--certificate", "0a"], "certificate"), (["--digest", "md5"], "digest"),
    (["--kind", "secret", "--user", "a", "--digest", "sha-1"], "--digest"), (["--kind", "secret", "--user", "twice"], None),
    (["--kind", "secret", "--user", "twice"], "twice"),
])
def test_credential_that_makes_no_sense(server, options, says):
    done = server.run("est-credential", "create", *options)
    assert (done.returncode == 0) == (says is None) and (says or "") in done.stderr, done.stderr


def test_short_password(server):
    done = server.run("est-credential", "create", "--kind", "password", "--user", "short", input="short\n")
    assert done.returncode != 0 and "12" in done.stderr


# --- manufacturers' certificates

def test_device_of_a_manufacturer(server, maker, tmp_path):
    options = maker.device("SN-0001")
    key = make_key()
    certificate = issued(enroll(server, "factory", *options, csr=device_csr("SN-0001", "SN-0001.dev.example", "pump-sn-0001.plant.example", key=key)), tmp_path)
    assert certificate.subject.rfc4514_string() == "2.5.4.5=SN-0001" and sorted(names_of(certificate)) == ["pump-sn-0001.plant.example", "sn-0001.dev.example"]
    row, = [r for r in inventory(server) if int(r["serial"], 16) == certificate.serial_number]
    assert json.loads(server.run("cert", "show", "--json", row["id"], check=True).stdout)["identity"] == "device SN-0001"
    issued(enroll(server, "factory", *options, csr=device_csr(None, "SN-0001.dev.example", cn="SN-0001")), tmp_path)
    # and renews with what it was given
    own = Device.files(type("Files", (), {"folder": tmp_path})(), certificate, key)
    reply = curl(server, "factory/simplereenroll", *own, body=b64(device_csr("SN-0001", "SN-0001.dev.example", "pump-sn-0001.plant.example")))
    assert names_of(issued(reply, tmp_path)) == names_of(certificate)
    # but not with the manufacturer's: it is none of ours to renew
    with nothing_changes(server):
        refused(curl(server, "factory/simplereenroll", *options, body=b64(device_csr("SN-0001"))), 403, "not of this CA")


@pytest.mark.parametrize("csr,says", [
    (lambda: device_csr("SN-0002", "SN-0001.dev.example"), "serialNumber"), (lambda: device_csr("SN-0001", "SN-0002.dev.example"), "sn-0002"),
    (lambda: device_csr("SN-0001", "dev.example"), "dev.example"), (lambda: device_csr("SN-0001", "SN-00011.dev.example"), "sn-00011"),
    (lambda: device_csr("SN-0001", "pump-sn-0002.plant.example"), "pump-sn-0002"), (lambda: device_csr("SN-0001", cn="SN-0002"), "common name"),
    (lambda: device_csr("SN-0001", cn="admin"), "common name"), (lambda: device_csr("SN-0001", "SN-0001.elsewhere.example"), "elsewhere"),
    (lambda: device_csr("sn-0001"), "serialNumber"),
])
def test_device_has_what_is_its_own(server, maker, csr, says):
    with nothing_changes(server):
        reply = enroll(server, "factory", *maker.device("SN-0001"), csr=csr())
        assert reply.status in (400, 403) and says in reply.body.decode(), reply.body


def test_serial_number_with_spaces(server, maker, tmp_path):
    """As Cisco's SUDI has it."""
    serial = "PID:C9300-24T SN:FCW2303D16Y"
    credential(server, "--kind", "device", "--device", serial)
    certificate = issued(enroll(server, "listed", *maker.device(serial), csr=device_csr(serial, cn=serial)), tmp_path)
    assert certificate.subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER)[0].value == serial


def hardware_module(serial, oid=b"\x06\x03\x2a\x03\x04"):
    value = b"\x30" + bytes([len(oid) + 2 + len(serial)]) + oid + b"\x04" + bytes([len(serial)]) + serial
    return x509.OtherName(ObjectIdentifier("1.3.6.1.5.5.7.8.4"), value)


def test_hardware_module_name(server, maker, tmp_path):
    options = maker.device("", subject=name(o="Maker"), extensions=[(x509.SubjectAlternativeName([hardware_module(b"HW-77")]), True)])
    certificate = issued(enroll(server, "factory", *options, csr=device_csr("HW-77", "hw-77.dev.example", hardware_module(b"HW-77"))), tmp_path)
    assert certificate.subject.rfc4514_string() == "2.5.4.5=HW-77"
    with nothing_changes(server):
        refused(enroll(server, "factory", *options, csr=device_csr("HW-77", hardware_module(b"HW-78"))), 403, "HW-77")


def hostile(maker):
    day = datetime.timedelta(days=1)
    stranger = make_key()
    other = certify(maker.ca.subject, stranger, ca=True)
    weak = rsa.generate_private_key(65537, 1024)
    middle = certify(name(cn="weak CA"), weak, maker.root, maker.root_key, ca=True)
    deep, key, chain = maker.ca, maker.key, [maker.ca]
    for i in range(7):
        below = make_key()
        deep, key = certify(name(cn=f"CA {i}"), below, deep, key, ca=True), below
        chain.insert(0, deep)
    late_key = make_key()
    late = certify(name(cn="late CA"), late_key, maker.root, maker.root_key, ca=True, after=NOW - day, before=NOW - 2 * day)
    leaf_key = make_key()
    leaf = certify(name(cn="no CA"), leaf_key, maker.ca, maker.key)
    unknown = x509.UnrecognizedExtension(ObjectIdentifier("1.2.3.4.5"), b"\x05\x00")
    return {
        "expired": (maker.device("SN", after=NOW - day, before=NOW - 2 * day), "expired"),
        "not yet": (maker.device("SN", before=NOW + day), "not valid yet"),
        "CA expired": (maker.device("SN", issuer=late, issuer_key=late_key, chain=[late]), "expired"),
        "of nobody": (maker.device("SN", issuer=other, issuer_key=stranger, chain=[other]), "root that is not known"),
        "self-signed": (maker.device("SN", issuer=certify(name(serial="SN"), stranger, ca=True), issuer_key=stranger, subject=name(serial="SN"), chain=None), ""),
        "right name, wrong CA": (maker.device("SN", issuer_key=stranger), "not signed it"),
        "right name, no chain": (maker.device("SN", chain=None), "no manufacturer"),
        "critical": (maker.device("SN", extensions=[(unknown, True)]), "critical extension"),
        "SHA-1": (maker.device("SN", hash=hashes.SHA1()), "weak hash"),
        "weak CA": (maker.device("SN", issuer=middle, issuer_key=weak, chain=[middle]), "weak key"),
        "weak key": (maker.device("SN", key=rsa.generate_private_key(65537, 1024)), "has a weak key"),
        "deep": (maker.device("SN", issuer=deep, issuer_key=key, chain=chain[:7]), ""),
        "below a leaf": (maker.device("SN", issuer=leaf, issuer_key=leaf_key, chain=[leaf, maker.ca]), "no CA"),
        "a CA": (maker.device("SN", ca=True), "CA's"),
        "for servers": (maker.device("SN", extensions=[(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)]), "clientAuth"),
        "no serial": (maker.device("", subject=name(o="Maker")), "names no device"),
        "two serials": (maker.device("", subject=x509.Name([x509.NameAttribute(NameOID.SERIAL_NUMBER, s) for s in ("A", "B")])), "two serialNumber"),
        "pattern": (maker.device("*"), "cannot be used"),
    }


def test_hostile_certificates_of_devices(server, maker):
    with nothing_changes(server):
        for what, (options, says) in hostile(maker).items():
            for label, status in (("factory", 401), ("listed", 403)):
                with Line(server, options, level=0) as line:
                    reply = line.post(f"{label}/simpleenroll", device_csr("SN"))
                assert reply.status == status and says in reply.body.decode(), (what, reply.status, reply.body)
                assert "manufacturer" in reply.body.decode(), (what, reply.body)


def test_anchor_may_have_expired_and_the_device_lives_for_ever(server, maker, tmp_path):
    assert maker.root.not_valid_after < NOW
    issued(enroll(server, "factory", *maker.device("SN-FOREVER"), csr=device_csr("SN-FOREVER")), tmp_path)


def test_list_of_devices(server, maker, tmp_path):
    options = maker.device("SN-LIST-1")
    refused(enroll(server, "listed", *options, csr=device_csr("SN-LIST-1")), 403, "not on the list")
    made = credential(server, "--kind", "device", "--device", "SN-LIST-1", "--name", "dns:kiosk.dev.example")
    issued(enroll(server, "listed", *options, csr=device_csr("SN-LIST-1", "kiosk.dev.example")), tmp_path)
    with nothing_changes(server):
        refused(enroll(server, "listed", *options, csr=device_csr("SN-LIST-1", "other.dev.example")), 403, "other.dev.example")
    server.run("est-credential", "revoke", made["id"], check=True)
    code = credential(server, "--profile", "device")["code"]
    with nothing_changes(server):
        for label in ("listed", "factory"): # put out is put out, whatever else it shows, and where no list is asked for
            refused(enroll(server, label, *options, csr=device_csr("SN-LIST-1")), 403, "revoked")
            refused(enroll(server, label, *options, "-u", f"x:{code}", csr=device_csr("SN-LIST-1")), 403, "revoked")


def test_device_that_is_put_out_does_not_renew(server, maker, tmp_path):
    made = credential(server, "--kind", "device", "--device", "SN-OUT")
    key = make_key()
    certificate = issued(enroll(server, "factory", *maker.device("SN-OUT"), csr=device_csr("SN-OUT", key=key)), tmp_path)
    own = maker.options(certificate, key, [])
    server.run("est-credential", "revoke", made["id"], check=True)
    with nothing_changes(server):
        refused(curl(server, "factory/simplereenroll", *own, body=b64(device_csr("SN-OUT"))), 403, "device SN-OUT is revoked")
        refused(enroll(server, "factory", *own, csr=device_csr("SN-OUT")), 403, "device SN-OUT is revoked")


def test_list_by_certificate(server, maker, tmp_path):
    serial = x509.random_serial_number() >> 8
    credential(server, "--kind", "device", "--certificate", f"00:{serial:x}" if len(f"{serial:x}") % 2 == 0 else f"0{serial:X}")
    issued(enroll(server, "listed", *maker.device("SN-C-1", serial=serial), csr=device_csr("SN-C-1")), tmp_path)
    refused(enroll(server, "listed", *maker.device("SN-C-1"), csr=device_csr("SN-C-1")), 403, "not on the list")


def test_list_in_bulk(server, maker, tmp_path):
    path = tmp_path / "devices.csv"
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["device", "note", "names", "profile"])
        for i in range(100000):
            writer.writerow([f"BULK-{i:06}", 'rack "7", left', "dns:a.dev.example dns:b.dev.example" if i % 2 else "", "device" if i % 3 else ""])
    begun = time.monotonic()
    done = json.loads(server.run("est-credential", "import", "--json", str(path), check=True).stdout)
    assert done == {"added": 100000, "changed": 0, "unchanged": 0, "revoked": 0} and time.monotonic() - begun < 120
    again = json.loads(server.run("est-credential", "import", "--json", str(path), check=True).stdout)
    assert again["unchanged"] == 100000 and again["added"] == again["changed"] == 0
    issued(enroll(server, "listed", *maker.device("BULK-099999"), csr=device_csr("BULK-099999", "b.dev.example")), tmp_path)
    lines = "\n".join(json.dumps(row) for row in ({"device": "BULK-000002", "note": "moved", "names": ["dns:c.dev.example"]}, {"certificate": "0A:FF"}))
    done = json.loads(server.run("est-credential", "import", "--json", "-", input=lines, check=True).stdout)
    assert done == {"added": 1, "changed": 1, "unchanged": 0, "revoked": 0}
    issued(enroll(server, "listed", *maker.device("BULK-000002"), csr=device_csr("BULK-000002", "c.dev.example")), tmp_path)
    found, = json.loads(server.run("est-credential", "list", "device:BULK-000002", "--json", check=True).stdout)
    assert found["note"] == "moved" and found["uses"] == 1
    assert json.loads(server.run("est-credential", "list", "certificate:0a:ff", "--json", check=True).stdout)[0]["certificate"] == "0aff"
    server.run("est-credential", "revoke", "device:BULK-000002", check=True)
    refused(enroll(server, "listed", *maker.device("BULK-000002"), csr=device_csr("BULK-000002")), 403, "revoked")
    for wrong in ("device:none", "user:none", "none", "certificate:x"):
        assert server.run("est-credential", "revoke", wrong).returncode != 0
    events = json.loads(server.run("audit", "list", "--kind", "enrollment-imported", "--json", check=True).stdout)
    assert sum(e["about"].get("added", 0) for e in events) == 100001


@pytest.mark.parametrize("text,says", [
    ("device,color\nA,red\n", "color"), ("device\nA\nB,C\n", "line 3"), ("device,expires\nA,soon\n", "expires"), ("note\nx\n", "line 2"),
    ("device\n\"A\n", "quote"), ('{"device":"A"}\n{"device":1}\n', "line 2"), ('{"device":"A","device":"B"}\n', "line 1"), ("device,names\nA,b.example\n", "line 2: names: b.example: expected a pattern"),
    ("device,profile\nA,none\n", "none"), ("device\nA*\n", "line 2"), ("device\n A\n", "line 2"), ('["A"]\n', "line 1"),
])
def test_list_that_makes_no_sense(server, text, says):
    with nothing_changes(server):
        done = server.run("est-credential", "import", "-", input=text)
        assert done.returncode != 0 and says in done.stderr, done.stderr


# --- several at once

def test_what_counts_of_several(server, maker, tmp_path):
    code = credential(server, "--profile", "device", "--uses", "any")["code"]
    # a good certificate is enough: the wrong code beside it is not looked at
    issued(enroll(server, "factory", *maker.device("SN-5"), "-u", "x:est_wrong", csr=device_csr("SN-5")), tmp_path)
    # one that proves nothing takes nothing away
    strange = Maker(tmp_path, "strange").device("SN-6")
    reply = enroll(server, "factory", *strange, "-u", f"x:{code}", csr=device_csr(None, "x.dev.example"))
    assert names_of(issued(reply, tmp_path)) == ["x.dev.example"]
    # nobody becomes anonymous by failing
    with nothing_changes(server):
        refused(enroll(server, "people", *strange), 401, "not of this CA")
        refused(enroll(server, "people", "-u", "x:wrong"), 401)


def test_labels_have_their_own_ways(server, tmp_path):
    code = credential(server, "--profile", "tls-server")["code"]
    with nothing_changes(server):
        reply = enroll(server, "certs", "-u", f"x:{code}")
        assert reply.status == 403 and "www-authenticate" not in reply.headers # no credentials of HTTP's would help
        refused(enroll(server, "certs"), 403, "client certificate")
    issued(enroll(server, "tls-server", "-u", f"x:{code}"), tmp_path)


# --- registrars

def test_registrar_enrolls_for_others(server, tmp_path):
    key = make_key()
    code = credential(server, "--profile", "registrar")["code"]
    certificate = issued(enroll(server, "registrar", "-u", f"x:{code}", csr=make_csr("ra.example.com", key=key)), tmp_path)
    assert CMC_RA in certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    options = Device.files(type("Files", (), {"folder": tmp_path})(), certificate, key)
    for host in ("one.example.com", "two.example.com"):
        made = issued(enroll(server, "ra", *options, csr=make_csr(host)), tmp_path)
        row, = [r for r in inventory(server) if int(r["serial"], 16) == made.serial_number]
        assert json.loads(server.run("cert", "show", "--json", row["id"], check=True).stdout)["identity"].startswith("registrar ")
    # it has checked its client's binding itself (RFC 7030, 3.7)
    bound = make_csr("three.example.com", add=lambda b: b.add_attribute(x509.oid.AttributeOID.CHALLENGE_PASSWORD, b"of another connection"))
    issued(enroll(server, "ra", *options, csr=bound), tmp_path)
    # and renews for others what they hold
    issued(curl(server, "ra/simplereenroll", *options, body=b64(make_csr("one.example.com"))), tmp_path)
    # elsewhere it is a device like another, of its own profile
    with nothing_changes(server):
        refused(enroll(server, "tls-server", *options, csr=make_csr("one.example.com")), 403)
    device = Device(server, tmp_path, "d.example.com")
    with nothing_changes(server):
        refused(enroll(server, "ra", *device.options, csr=make_csr("e.example.com")), 401, "not taken at this label")
        server_side = enroll(server, "ra", *device.options, csr=make_csr("d.example.com"))
        refused(server_side, 401)


# --- anonymous

def test_anonymous_waits_for_people(server, tmp_path):
    key = make_key()
    csr = make_csr("new.example.com", key=key)
    reply = enroll(server, "people", csr=csr)
    assert reply.status == 202 and int(reply.headers["retry-after"]) > 0
    assert not [r for r in inventory(server) if "new.example.com" in json.dumps(r)]
    waiting, = [r for r in json.loads(server.run("request", "list", "--json", check=True).stdout) if r["identity"] == "anonymous"]
    server.run("request", "approve", waiting["id"], check=True)
    assert names_of(issued(enroll(server, "people", csr=csr), tmp_path)) == ["new.example.com"]


def test_anonymous_flood_leaves_room(tmp_path):
    """Who asks again and again with new keys fills neither the disk nor the room of who has proven who he is."""
    row = [{"name": "all", "methods": ["anonymous", "code"]}]
    with Server({"est": {"authentication": row}, "profiles": [{"name": "tls-server", "methods": ["acme", "est"], "approvals": 1}]}) as own:
        csr = make_csr("first.example.com")
        assert enroll(own, "", csr=csr).status == 202
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            replies = list(pool.map(lambda i: enroll(own, "", csr=make_csr(f"d{i}.example.com")), range(105)))
        assert sorted({r.status for r in replies}) == [202, 429]
        late = next(r for r in replies if r.status == 429)
        assert 1 <= int(late.headers["retry-after"]) <= 60
        kept = len(json.loads(own.run("request", "list", "--json", check=True).stdout))
        assert kept <= 102
        assert enroll(own, "", csr=csr).status == 202  # who waits already is told so as before
        code = credential(own)["code"]
        assert enroll(own, "", "-u", f"x:{code}", csr=make_csr("known.example.com")).status == 202


def test_anonymous_where_nobody_approves(tmp_path):
    with Server({"est": {"authentication": [{"name": "all", "methods": ["anonymous"]}]}}) as own:
        with nothing_changes(own):
            refused(enroll(own, ""), 403, "must prove who he is")


# --- what is refused is in the audit log

def test_refused_credentials_are_in_the_audit_log(server):
    refused(enroll(server, "", "-u", "mallory:a wrong password"), 401)
    deadline, found = time.monotonic() + 60, []
    while not found and time.monotonic() < deadline:
        events = json.loads(server.run("audit", "list", "--kind", "enrollment-refused", "--json", check=True).stdout)
        found = [e for e in events if e["about"].get("authentication") == "plain"]
        assert "a wrong password" not in json.dumps(events)
        time.sleep(0.1)
    assert found and found[0]["from"] == "127.0.0.1"


# --- passwords that many guess

def test_flood_of_passwords_leaves_the_server_alive():
    with Server() as own:
        password(own, "ada", "correct horse battery")
        code = credential(own, "--uses", "any")["code"]
        csr = make_csr("a.example.com")
        with concurrent.futures.ThreadPoolExecutor(24) as pool:
            flood = [pool.submit(enroll, own, "", "-u", f"user{i}:some wrong password", csr=csr) for i in range(72)]
            times = []
            for _ in range(5):
                begun = time.monotonic()
                assert enroll(own, "", "-u", f"x:{code}", csr=csr).status == 200
                times.append(time.monotonic() - begun)
            statuses = {f.result().status for f in flood}
        assert statuses <= {401, 429, 503} and max(times) < 20
        for _ in range(60): # and who is right gets through as soon as the address has cooled
            reply = enroll(own, "", "-u", "ada:correct horse battery", csr=csr)
            if reply.status == 200:
                break
            assert reply.status in (429, 503) and int(reply.headers["retry-after"]) >= 1
            time.sleep(1)
        assert reply.status == 200


# --- Digest

def digest_fields(header):
    return dict(re.findall(r'(\w+)="?([^",]+)"?', header.partition(" ")[2]))


def digest_answer(fields, user, text, where, nc="00000001", hash=None, **change):
    hash = hash or (hashlib.sha256 if fields.get("algorithm") == "SHA-256" else hashlib.md5)
    h = lambda value: hash(value.encode()).hexdigest()  # noqa: E731
    all = {"username": user, "realm": fields["realm"], "nonce": fields["nonce"], "uri": where, "nc": nc, "cnonce": "0a4f113b", "qop": "auth"}
    all.update({k: v for k, v in change.items() if k in all})
    response = h(f"{h(f'{user}:enrolld:{text}')}:{all['nonce']}:{all['nc']}:{all['cnonce']}:{all['qop']}:{h('POST:' + all['uri'])}")
    all["response"] = change.get("response", response)
    if fields.get("algorithm") and "algorithm" not in change:
        all["algorithm"] = fields["algorithm"]
    all.update({k: v for k, v in change.items() if k not in all})
    return "Digest " + ", ".join(f"{k}={v}" if k in ("nc", "qop", "algorithm") else f'{k}="{v}"' for k, v in all.items() if v is not None)


@pytest.fixture(scope="module")
def digest(tmp_path_factory):
    rows = [{"name": "both", "labels": ["both", "a/b"], "methods": ["digest-md5", "digest-sha256", "password"]},
            {"name": "modern", "labels": ["modern"], "methods": ["digest-sha256"]}]
    labels = [{"label": label, "profile": "tls-server"} for label in ("both", "modern", "a/b")]
    with Server({"est": {"authentication": rows, "labels": labels}}) as running:
        running.secret = credential(running, "--kind", "secret", "--user", "pump", "--digest", "sha-256,md5")["secret"]
        password(running, "ada", "correct horse battery", "--digest", "sha-256")
        yield running


def ask(line, label, header=None):
    reply = line.post(f"{label}/simpleenroll", make_csr("a.example.com"), **({"Authorization": header} if header else {}))
    raw = [v for v in reply.all.get("www-authenticate", [])]
    return reply, raw


def test_digest_challenges_and_their_order(digest):
    with Line(digest) as line:
        reply, raw = ask(line, "both")
        assert reply.status == 401 and [r.split()[0] for r in raw] == ["Digest", "Digest", "Basic"]
        assert [digest_fields(r).get("algorithm") for r in raw] == ["MD5", "SHA-256", None] # libest takes the first
        assert [r.split()[0] for r in ask(line, "modern")[1]] == ["Digest"]
        assert [r.split()[0] for r in ask(line, "tls-server")[1]] == ["Basic"]


@pytest.mark.parametrize("which,user", [(0, "pump"), (1, "pump"), (1, "ada")])
def test_digest(digest, which, user, tmp_path):
    text = digest.secret if user == "pump" else "correct horse battery"
    with Line(digest) as line:
        fields = digest_fields(ask(line, "both")[1][which])
        reply, _ = ask(line, "both", digest_answer(fields, user, text, EST + "both/simpleenroll"))
        issued(reply, tmp_path)
        # the same once more is a replay; the next count is not
        reply, raw = ask(line, "both", digest_answer(fields, user, text, EST + "both/simpleenroll"))
        assert reply.status == 401 and "stale=true" in raw[which]
        issued(ask(line, "both", digest_answer(fields, user, text, EST + "both/simpleenroll", nc="00000002"))[0], tmp_path)
        # libest leaves the label out of the uri
        issued(ask(line, "a/b", digest_answer(fields, user, text, EST + "simpleenroll", nc="00000003"))[0], tmp_path)
        issued(ask(line, "a/b", digest_answer(fields, user, text, digest.url + EST + "a/b/simpleenroll", nc="0000000F"))[0], tmp_path)


def test_digest_without_an_algorithm_is_md5(digest, tmp_path):
    with Line(digest) as line:
        fields = digest_fields(ask(line, "both")[1][0])
        issued(ask(line, "both", digest_answer(fields, "pump", digest.secret, EST + "both/simpleenroll", algorithm=None))[0], tmp_path)


@pytest.mark.parametrize("change,says", [
    ({"realm": "other"}, "realm"), ({"uri": EST + "both/cacerts"}, "uri"), ({"uri": EST + "other/simpleenroll"}, "uri"), ({"uri": "/x"}, "uri"),
    ({"nonce": "A" * 43}, "nonce"), ({"nc": "1"}, "nc"), ({"nc": "00000000"}, "nc"), ({"qop": "auth-int"}, "qop"), ({"response": "0" * 32}, "no such user"),
    ({"response": "z" * 32}, "hexadecimal"), ({"algorithm": "SHA-512-256"}, "algorithm"), ({"username": "bob"}, "no such user"), ({"cnonce": ""}, ""),
    ({"algorithm": "SHA-256"}, "hexadecimal"),
])
def test_digest_that_is_wrong(digest, change, says):
    with Line(digest) as line, nothing_changes(digest):
        fields = digest_fields(ask(line, "both")[1][0])
        reply, raw = ask(line, "both", digest_answer(fields, "pump", digest.secret, EST + "both/simpleenroll", **change))
        assert reply.status == 401 and says in reply.body.decode(), reply.body
        assert ("stale=true" in raw[0]) == ("nonce" in change)
    with Line(digest) as line:
        fields = digest_fields(ask(line, "both")[1][0])
        assert ask(line, "modern", digest_answer(fields, "pump", digest.secret, EST + "modern/simpleenroll"))[0].status == 401 # MD5 there
        for broken in ("Digest", "Digest x", 'Digest username="a", username="b"', "Digest a=b,,", 'Digest realm="' + "x" * 5000 + '"', 'Digest nc="\\'):
            assert ask(line, "both", broken)[0].status in (401, 431), broken


def test_curl_speaks_digest(digest, tmp_path):
    issued(enroll(digest, "modern", "--digest", "-u", f"pump:{digest.secret}"), tmp_path)
    issued(enroll(digest, "both", "--digest", "-u", f"pump:{digest.secret}"), tmp_path)
    refused(enroll(digest, "modern", "--digest", "-u", "pump:wrong"), 401)
    refused(enroll(digest, "modern", "-u", f"pump:{digest.secret}"), 401) # no Basic there
    made = credential(digest, "--kind", "secret", "--user", "plain")
    refused(enroll(digest, "modern", "--digest", "-u", f"plain:{made['secret']}"), 401) # kept without what Digest needs
    issued(enroll(digest, "both", "-u", f"plain:{made['secret']}"), tmp_path)
    code = credential(digest, "--profile", "tls-server")["code"]
    for pair in (f"x:{code}", f"{code}:"):
        refused(enroll(digest, "both", "-u", pair), 401) # a label that takes no codes
    issued(enroll(digest, "tls-server", "-u", f"x:{code}"), tmp_path)


# --- behind a reverse proxy (RFC 9440)

@pytest.fixture(scope="module")
def proxied(maker):
    """A plain listener behind a proxy on 127.0.0.2; the TLS one is for all the world."""
    running = Server()
    running.plain = free_port()
    running.write_config({
        "est": {"proxies": ["127.0.0.2"], "labels": [{"label": "factory", "profile": "device"}], "authentication": [
            {"name": "all", "methods": ["certificate", "manufacturer", "code", "registrar"], "manufacturers": [str(maker.pem)]}]},
        "policies": [TIED], "profiles": [{"name": "tls-server"}, {"name": "device", "methods": ["est"], "policy": "tied"}],
        "listeners": [{"address": "127.0.0.1", "port": running.port, "services": ["acme"]},
                      {"address": "127.0.0.1", "port": running.plain, "tls": False, "services": ["est"], "external_url": "https://ca.example"}]})
    with running:
        yield running


def sequence(*certificates):
    return ", ".join(":" + base64.b64encode(c.public_bytes(serialization.Encoding.DER)).decode() + ":" for c in certificates)


def through(server, label, csr, operation="simpleenroll", source="127.0.0.2", **headers):
    line = http.client.HTTPConnection("127.0.0.1", server.plain, timeout=60, source_address=(source, 0))
    line.request("POST", f"{EST}{label}/{operation}", b64(csr), {"Content-Type": PKCS10, "User-Agent": "test", **{k.replace("_", "-"): v for k, v in headers.items()}})
    reply = line.getresponse()
    body = reply.read()
    head = f"HTTP/1.1 {reply.status}\r\n" + "\r\n".join(f"{k}: {v}" for k, v in reply.getheaders())
    line.close()
    return Reply(head.encode(), body)


def test_proxy_says_the_certificate(proxied, maker, tmp_path):
    def shown(serial, **more):
        key = make_key()
        return certify(name(o="Maker", serial=serial), key, maker.ca, maker.key, **more)

    own = shown("SN-P-1")
    csr = device_csr("SN-P-1")
    issued(through(proxied, "factory", csr, Client_Cert=sequence(own), Client_Cert_Chain=sequence(maker.ca, maker.root)), tmp_path)
    key = make_key()
    first = issued(through(proxied, "factory", device_csr("SN-P-1", key=key), Client_Cert=sequence(own), Client_Cert_Chain=sequence(maker.ca)), tmp_path)
    issued(through(proxied, "factory", device_csr("SN-P-1"), "simplereenroll", Client_Cert=sequence(first)), tmp_path)
    with nothing_changes(proxied):
        refused(through(proxied, "factory", csr, Client_Cert=sequence(own)), 401, "no manufacturer") # without its chain
        refused(through(proxied, "factory", csr, Client_Cert=sequence(own)[:-1]), 400, "RFC 9440")
        refused(through(proxied, "factory", csr, Client_Cert=sequence(own) + ";a=b"), 400, "RFC 9440")
        refused(through(proxied, "factory", csr, Client_Cert=sequence(own, maker.ca)), 400, "RFC 9440")
        refused(through(proxied, "factory", csr, Client_Cert_Chain=sequence(maker.ca)), 400, "without")
        refused(through(proxied, "factory", csr, Client_Cert=sequence(*[maker.ca] * 1), Client_Cert_Chain=sequence(*[maker.root] * 10)), 413)
        refused(through(proxied, "factory", csr), 401)
        # from elsewhere the header is an attempt to be somebody
        refused(through(proxied, "factory", csr, source="127.0.0.1", Client_Cert=sequence(own), Client_Cert_Chain=sequence(maker.ca)), 400, "listed proxies")
        refused(through(proxied, "factory", csr, source="127.0.0.3", Client_Cert=":AQID:"), 400, "listed proxies")
    bound = make_csr("x.dev.example", add=lambda b: b.add_attribute(x509.oid.AttributeOID.CHALLENGE_PASSWORD, b"of the client's connection"))
    code = credential(proxied, "--profile", "device")["code"]
    with nothing_changes(proxied):
        refused(through(proxied, "factory", bound, Authorization=basic(f"x:{code}")), 403, "proxy")


# --- linking identity and proof of possession (RFC 7030, 3.5)

def bound_csr(value, host="a.example.com"):
    return make_csr(host, add=lambda b: b.add_attribute(x509.oid.AttributeOID.CHALLENGE_PASSWORD, value))


def unique(line):
    return base64.b64encode(line.tls.get_channel_binding("tls-unique"))


TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


@pytest.mark.parametrize("label", ["bound", "tls-server"])
def test_tls_unique_in_tls_12(server, tmp_path, label):
    code = credential(server, "--profile", "tls-server", "--uses", "any")["code"]
    head = {"Authorization": basic(f"x:{code}")}
    with Line(server, version=TLS12) as line:
        issued(line.post(f"{label}/simpleenroll", bound_csr(unique(line)), **head), tmp_path)
        issued(line.post(f"{label}/simpleenroll", bound_csr(unique(line)), **head), tmp_path) # the same connection, once more
        with nothing_changes(server), Line(server, version=TLS12) as other:
            refused(line.post(f"{label}/simpleenroll", bound_csr(unique(other)), **head), 403, "tls-unique")
        session, first = line.tls.session, unique(line)
        line.tls.unwrap() # of one that breaks off nothing is kept
    # A resumed session has a tls-unique of its own, the server's Finished (RFC 5929, 3.1).
    with Line(server, session=session, context=line.context) as again:
        assert again.tls.session_reused and unique(again) != first
        refused(again.post(f"{label}/simpleenroll", bound_csr(first), **head), 403, "tls-unique")
        issued(again.post(f"{label}/simpleenroll", bound_csr(unique(again)), **head), tmp_path)
    with nothing_changes(server), Line(server, version=TLS13) as line:
        refused(line.post(f"{label}/simpleenroll", bound_csr(unique(line)), **head), 403, "TLS 1.3") # its Finished, which is none


def test_identity_linking_of_rfc_7894(server, tmp_path):
    """It counts as challengePassword does; where both are there, both must be right (RFC 7894, 4)."""
    code = credential(server, "--profile", "tls-server", "--uses", "any")["code"]
    head, linking = {"Authorization": basic(f"x:{code}")}, x509.ObjectIdentifier("1.2.840.113549.1.9.16.2.58")

    def linked(value, add=lambda b: b):
        return make_csr("a.example.com", add=lambda b: add(b.add_attribute(linking, value)))

    with Line(server, version=TLS12) as line:
        right = unique(line)
        issued(line.post("bound/simpleenroll", linked(right), **head), tmp_path)
        issued(line.post("bound/simpleenroll", linked(right, lambda b: b.add_attribute(x509.oid.AttributeOID.CHALLENGE_PASSWORD, right)), **head), tmp_path)
        with nothing_changes(server):
            refused(line.post("tls-server/simpleenroll", linked(b"wrong"), **head), 403, "estIdentityLinking")
            both = linked(b"wrong", lambda b: b.add_attribute(x509.oid.AttributeOID.CHALLENGE_PASSWORD, right))
            refused(line.post("bound/simpleenroll", both, **head), 403, "estIdentityLinking")
            both = linked(right, lambda b: b.add_attribute(x509.oid.AttributeOID.CHALLENGE_PASSWORD, b"wrong"))
            for label in ("bound", "tls-server"):
                refused(line.post(f"{label}/simpleenroll", both, **head), 403, "challengePassword")


def test_binding_that_is_required(server, tmp_path):
    code = credential(server, "--profile", "tls-server", "--uses", "any")["code"]
    head = {"Authorization": basic(f"x:{code}")}
    for version in (TLS12, TLS13):
        with nothing_changes(server), Line(server, version=version) as line:
            refused(line.post("bound/simpleenroll", make_csr("a.example.com"), **head), 403, "is required")
            refused(line.post("exporter/simpleenroll", make_csr("a.example.com"), **head), 403, "tls-exporter")
        with Line(server, version=version) as line:
            issued(line.post("tls-server/simpleenroll", make_csr("a.example.com"), **head), tmp_path)


def test_tls_exporter_in_tls_13(server, tmp_path):
    """s_client exports the value; the request goes over the same connection."""
    code = credential(server, "--profile", "tls-server", "--uses", "any")["code"]

    def ask(label, bend, close="Connection: close\r\n"):
        client = subprocess.Popen(["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-tls1_3", "-CAfile", server.root_pem, "-servername", "localhost",
                                   "-keymatexport", "EXPORTER-Channel-Binding", "-keymatexportlen", "32", "-ign_eof"],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        try:
            text = b""
            while b"Keying material: " not in text or not text.endswith(b"\n"):
                text += client.stdout.readline()
            value = bytes.fromhex(re.search(rb"Keying material: ([0-9A-F]+)", text)[1].decode())
            body = b64(bound_csr(base64.b64encode(bend(value))))
            client.stdin.write((f"POST {EST}{label}/simpleenroll HTTP/1.1\r\nHost: localhost:{server.port}\r\nContent-Type: {PKCS10}\r\nAuthorization: "
                                f"{basic('x:' + code)}\r\nContent-Length: {len(body)}\r\n{close}\r\n").encode() + body)
            client.stdin.flush()
            out = client.communicate(timeout=60)[0]
        finally:
            client.kill()
        reply = out[out.index(b"HTTP/1.1 "):]
        head, _, rest = reply.partition(b"\r\n\r\n")
        return Reply(head, rest.split(b"\n\n")[0] if b"closed" in rest else rest)

    assert ask("exporter", lambda v: v).status == 200
    reply = ask("exporter", lambda v: v, "") # the value is for one use, and the connection ends (RFC 9266, 4.1)
    assert reply.status == 200 and reply.headers["connection"] == "close"
    with nothing_changes(server):
        assert ask("exporter", lambda v: v[:-1] + bytes([v[-1] ^ 1])).status == 403
        assert ask("bound", lambda v: v).status == 403 # nobody asked for it there
        assert ask("tls-server", lambda v: v).status == 403


# --- credentials over the API

CREDENTIALS = "/api/v1/est/credentials"


def test_credentials_over_the_api(server, maker, tmp_path):
    api = Api(server, make_token(server, "admin")[0])
    made = api.post(CREDENTIALS, {"profileId": "tls-server", "names": ["dns:api.example.com"], "note": "by API"})
    assert made["kind"] == "code" and made["usesMax"] == 1 and "expires" in made
    issued(enroll(server, "", "-u", f"x:{made['code']}", csr=make_csr("api.example.com")), tmp_path)
    shown = api.get(f"{CREDENTIALS}/{made['id']}")
    assert shown["status"] == "used up" and "code" not in shown and shown["note"] == "by API"
    secret = api.post(CREDENTIALS, {"kind": "secret", "user": "api-pump", "profileId": "tls-server", "digest": ["sha-256"], "usesMax": 2})
    assert secret["digest"] == ["sha-256"] and secret["usesMax"] == 2
    issued(enroll(server, "", "-u", f"api-pump:{secret['secret']}"), tmp_path)
    words = api.post(CREDENTIALS, {"kind": "password", "user": "api-ada", "profileId": "tls-server", "password": "correct horse battery"})
    assert "password" not in words and "secret" not in words
    issued(enroll(server, "", "-u", "api-ada:correct horse battery"), tmp_path)
    assert api.post(f"{CREDENTIALS}/{words['id']}/revoke")["status"] == "revoked"
    refused(enroll(server, "", "-u", "api-ada:correct horse battery"), 401)
    assert api.post(f"{CREDENTIALS}/import", {"devices": [{"device": "API-1", "names": ["dns:api-1.dev.example"]}, {"certificate": "0A:0B"}]}) == {
        "added": 2, "changed": 0, "unchanged": 0, "revoked": 0}
    issued(enroll(server, "listed", *maker.device("API-1"), csr=device_csr("API-1", "api-1.dev.example")), tmp_path)
    assert [c["device"] for c in api.get(CREDENTIALS, find="device:API-1")["credentials"]] == ["API-1"]
    assert api.get(CREDENTIALS, find="user:nobody")["credentials"] == []
    page, ids = api.get(CREDENTIALS, limit=2), []
    ids += [c["id"] for c in page["credentials"]]
    assert len(ids) == 2 and page["next"]
    assert not set(ids) & {c["id"] for c in api.get(CREDENTIALS, limit=2, after=page["next"])["credentials"]}
    events = json.loads(server.run("audit", "list", "--kind", "enrollment-created", "--json", check=True).stdout)
    event, = [e for e in events if e["about"]["enrollment"] == made["id"]]
    assert event["actor"].startswith("token ") and event["from"] == "127.0.0.1"


@pytest.mark.parametrize("path,body,status", [
    ("", {"kind": "x"}, 400), ("", {"kind": "secret"}, 400), ("", {"kind": "secret", "user": "a:b"}, 400), ("", {"profileId": "none"}, 404),
    ("", {"names": ["b.example"]}, 400), ("", {"expires": "2020-01-01T00:00:00Z"}, 400), ("", {"usesMax": -1}, 400), ("", {"other": 1}, 400),
    ("", {"kind": "password", "user": "p", "password": "short"}, 400), ("", {"digest": ["sha-1"]}, 400), ("", {"profileId": ""}, 400),
    ("/import", {"devices": [{"note": "x"}]}, 400), ("/import", {"devices": [{"device": "A", "profile": "none"}]}, 404), ("/import", {}, 400), ("/import", {"devices": []}, 400),
    ("/import", {"devices": [{"device": "A*"}]}, 400), ("/AAAAAAAAAAAAAAAAAAAAAA/revoke", {}, 404),
])
def test_api_refuses(server, path, body, status):
    api = Api(server, make_token(server, "admin")[0])
    with nothing_changes(server), pytest.raises(Refused) as caught:
        api.post(CREDENTIALS + path, body if path else {"profileId": "tls-server", **body})
    assert caught.value.status == status, caught.value


def test_credentials_are_for_administrators(server):
    for roles, more in ((("issue", "read", "revoke", "approve"), {}), (("admin",), {"profile": "tls-server"})):
        api = Api(server, make_token(server, *roles, **more)[0])
        for call in (lambda: api.get(CREDENTIALS), lambda: api.post(CREDENTIALS, {"profileId": "tls-server"})):
            with nothing_changes(server), pytest.raises(Refused) as caught:
                call()
            assert caught.value.status == 403


# --- a hostile client of TLS

def test_hostile_handshakes_hurt_nobody(server, maker, tmp_path):
    code = credential(server, "--profile", "tls-server", "--uses", "any")["code"]
    address = ("127.0.0.1", server.port)
    half = []
    for i in range(40): # less than the threads, so that what is shown is what one client does to another
        s = socket.create_connection(address, timeout=60)
        s.sendall([b"", b"\x16\x03\x01", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(40)][i % 3])
        if i % 2:
            s.shutdown(socket.SHUT_WR)
        half.append(s)
    begun = time.monotonic()
    issued(enroll(server, "", "-u", f"x:{code}"), tmp_path)
    assert time.monotonic() - begun < 9
    for s in half:
        s.close()
    with pytest.raises((ssl.SSLError, ConnectionError)): # ALPN without http/1.1 (RFC 7301, 3.2)
        Line(server, alpn=["h2", "acme-tls/1"])
    with Line(server, alpn=["h2", "http/1.1"]) as line:
        assert line.tls.selected_alpn_protocol() == "http/1.1"
    huge = certify(name(o="x" * 60, serial="BIG"), make_key(), maker.ca, maker.key,
                   extensions=[(x509.UnrecognizedExtension(ObjectIdentifier("1.2.3.4"), bytes(64 * 1024)), False)])
    key = make_key()
    huge = certify(huge.subject, key, maker.ca, maker.key, extensions=[(x509.UnrecognizedExtension(ObjectIdentifier("1.2.3.4"), b"\x04\x83\x01\x00\x00" + bytes(65536)), False)])
    options = maker.options(huge, key, [maker.ca])
    for version in (TLS12, TLS13):
        with nothing_changes(server), pytest.raises((ssl.SSLError, ConnectionError, AssertionError)):
            Line(server, options, version=version).post("factory/simpleenroll", device_csr("BIG"))
    context = server.tls_context()
    context.check_hostname = False
    with socket.create_connection(address, timeout=60) as raw, context.wrap_socket(raw) as tls: # without SNI
        assert tls.version() == "TLSv1.3"
    done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-tls1_2", "-CAfile", server.root_pem], input=b"R\nQ\n",
                          capture_output=True, timeout=60)
    assert b"renegotiation" in done.stdout + done.stderr
    issued(enroll(server, "", "-u", f"x:{code}"), tmp_path)


def test_thousand_idle_handshakes_end_and_the_server_goes_on(tmp_path):
    with Server({"http": {"header_timeout": "2s"}}) as own:
        code = credential(own, "--uses", "any")["code"]
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        idle = []
        for _ in range(min(1000, hard - 200)):
            s = socket.socket()
            s.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                s.connect(("127.0.0.1", own.port))
            idle.append(s)
        begun, served = time.monotonic(), None
        while served is None and time.monotonic() - begun < 60:
            with contextlib.suppress(AssertionError):
                served = issued(enroll(own, "", "-u", f"x:{code}"), tmp_path)
        took = time.monotonic() - begun
        for s in idle:
            s.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert served is not None and took < 60, took


@pytest.mark.parametrize("version", [TLS12, TLS13])
def test_tls_12_and_13_side_by_side(server, maker, tmp_path, version):
    with Line(server, maker.device("SN-TLS"), version=version) as line:
        assert line.tls.version() == version.name.replace("_", ".")
        issued(line.post("factory/simpleenroll", device_csr("SN-TLS")), tmp_path)


def test_resumed_session_is_judged_anew(server, maker, tmp_path):
    made = credential(server, "--kind", "device", "--device", "SN-AGAIN")
    with Line(server, maker.device("SN-AGAIN"), version=TLS12) as line:
        issued(line.post("factory/simpleenroll", device_csr("SN-AGAIN")), tmp_path)
        session = line.tls.session
        line.tls.unwrap()
    with Line(server, session=session, context=line.context) as again:
        assert again.tls.session_reused
        issued(again.post("factory/simpleenroll", device_csr("SN-AGAIN")), tmp_path)
        session = again.tls.session
        again.tls.unwrap()
    server.run("est-credential", "revoke", made["id"], check=True)
    with nothing_changes(server), Line(server, session=session, context=line.context) as late:
        assert late.tls.session_reused
        refused(late.post("factory/simpleenroll", device_csr("SN-AGAIN")), 403, "revoked")


def test_tls_11_is_not_spoken(server):
    done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"], input=b"", capture_output=True, timeout=60)
    assert done.returncode != 0
