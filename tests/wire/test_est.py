"""EST as curl and openssl see it: what each operation answers, who gets a certificate and who does not."""

import base64
import concurrent.futures
import contextlib
import datetime
import http.client
import json
import re
import signal
import socket
import ssl
import subprocess
import threading
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from acme_raw import Client
from harness import ChallengeServer, Server

EST = "/.well-known/est/"
PKCS10 = "application/pkcs10"
CERTS_ONLY = "application/pkcs7-mime; smime-type=certs-only"


class Reply:
    def __init__(self, head, body):
        lines = head.decode().split("\r\n")
        self.status = int(lines[0].split()[1])
        self.names = [line.split(":")[0] for line in lines[1:]]
        self.headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines[1:])}
        self.all = {}
        for name, value in (line.split(": ", 1) for line in lines[1:]):
            self.all.setdefault(name.lower(), []).append(value)
        self.body, self.size = body, len(head)


def curl(server, path, *options, body=None, type=PKCS10):
    """One request by curl. The body goes as it is."""
    command = ["curl", "-sS", "-i", "--cacert", server.root_pem, "--max-time", "60", *options]
    if body is not None:
        command += ["--data-binary", "@-", "-H", f"Content-Type: {type}"]
    done = subprocess.run([*command, server.url + EST + path], input=body, capture_output=True, timeout=90)
    assert done.returncode == 0, done.stderr
    head, _, rest = done.stdout.partition(b"\r\n\r\n")
    while rest.startswith(b"HTTP/1.1 "): # 100, or the 401 that Digest begins with
        head, _, rest = rest.partition(b"\r\n\r\n")
    return Reply(head, rest)


def refused(reply, status, says=""):
    assert reply.status == status, reply.body
    assert reply.headers["content-type"] == "text/plain" and reply.body.count(b"\n") == 1 and reply.body.endswith(b"\n")
    assert says in reply.body.decode()
    assert ("www-authenticate" in reply.headers) == (status == 401)


def credential(server, *options):
    return json.loads(server.run("est-credential", "create", "--json", *options, check=True).stdout)


def make_key():
    return ec.generate_private_key(ec.SECP256R1())


def make_csr(*names, key=None, cn=None, add=None):
    subject = [x509.NameAttribute(NameOID.COMMON_NAME, cn)] if cn else []
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(subject))
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in names]), False)
    if add:
        builder = add(builder)
    return builder.sign(key or make_key(), hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def b64(der):
    return base64.encodebytes(der)


def judge(reply, tmp_path):
    """The certificates of a reply, as openssl reads them."""
    der = tmp_path / "reply.p7"
    der.write_bytes(base64.b64decode(reply.body))
    done = subprocess.run(["openssl", "pkcs7", "-inform", "DER", "-in", der, "-print_certs"], capture_output=True, check=True)
    blocks = re.findall(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", done.stdout, re.DOTALL)
    cms = subprocess.run(["openssl", "cms", "-cmsout", "-inform", "DER", "-in", der, "-print"], capture_output=True, check=True)
    assert b"signedData" in cms.stdout
    return [x509.load_pem_x509_certificate(block) for block in blocks]


def issued(reply, tmp_path):
    assert reply.status == 200, reply.body
    assert reply.headers["content-type"] == CERTS_ONLY and reply.headers["content-transfer-encoding"] == "base64"
    certificate, = judge(reply, tmp_path)
    return certificate


def names_of(certificate):
    return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)


def inventory(server):
    return json.loads(server.run("cert", "list", "--json", check=True).stdout)


class Device:
    """A key, and the certificate that enrollment gave it."""

    def __init__(self, server, tmp_path, *names, profile="tls-server", cn=None):
        self.server, self.folder, self.key = server, tmp_path, make_key()
        code = credential(server, "--profile", profile)["code"]
        reply = curl(server, f"{profile}/simpleenroll", "-u", f"d:{code}", body=b64(make_csr(*names, key=self.key, cn=cn)))
        self.certificate = issued(reply, tmp_path)
        self.options = self.files(self.certificate, self.key)

    def files(self, certificate, key):
        stem = f"{certificate.serial_number:x}"
        (self.folder / f"{stem}.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        (self.folder / f"{stem}.key").write_bytes(key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        return ["--cert", str(self.folder / f"{stem}.pem"), "--key", str(self.folder / f"{stem}.key")]


@pytest.fixture(scope="module")
def server():
    with Server({"profiles": [
            {"name": "tls-server"}, {"name": "device", "methods": ["est"], "dns": {"allow": ["**.device.example"]}, "common_name": "first"},
            {"name": "web", "methods": ["acme"]}, {"name": "no-client", "extended_key_usage": ["serverAuth"]}, {"name": "any-use", "extended_key_usage": ["2.5.29.37.0"]},
            {"name": "brief", "validity": "60s", "validity_max": "60s", "backdate": "0s"}]}) as running:
        yield running


# --- cacerts

@pytest.mark.parametrize("path", ["cacerts", "cacerts/", "tls-server/cacerts", "device/cacerts/"])
def test_cacerts_is_the_chain_with_its_root(server, path, tmp_path):
    reply = curl(server, path)
    assert reply.status == 200 and reply.headers["content-type"] == "application/pkcs7-mime"
    assert reply.headers["content-transfer-encoding"] == "base64" and reply.size < 1000 and len(reply.names) < 16
    assert all(name == "-".join(part.capitalize() for part in name.split("-")) for name in reply.names)
    issuing, root = judge(reply, tmp_path)
    assert root.public_bytes(serialization.Encoding.PEM) == open(server.root_pem, "rb").read()
    issuing.verify_directly_issued_by(root) if hasattr(issuing, "verify_directly_issued_by") else root.public_key().verify(
        issuing.signature, issuing.tbs_certificate_bytes, ec.ECDSA(issuing.signature_hash_algorithm))


def test_base64_is_wrapped_for_who_can_read_it(server):
    lines = curl(server, "cacerts").body.split(b"\n")
    assert lines[-1] == b"" and {len(line) for line in lines[:-2]} == {64} and 0 < len(lines[-2]) <= 64
    bare = curl(server, "cacerts", "-H", "User-Agent:", "-H", "Accept:").body
    assert bare.count(b"\n") == 1 and bare.endswith(b"\n") and bare == b"".join(lines) + b"\n"
    code = credential(server)["code"]
    short = curl(server, "simpleenroll", "-u", f"x:{code}", body=b64(make_csr("a.example.com"))).body # what all can read on one line
    assert len(short) < 1000 and short.count(b"\n") == 1


@pytest.mark.parametrize("path", ["none/cacerts", "web/cacerts", "a/b/cacerts", "", "cacert", "enrolld-server/cacerts", "web/simpleenroll"])
def test_there_is_no_such_label(server, path):
    options = {"body": b64(make_csr("a.example.com"))} if path.endswith("enroll") else {}
    refused(curl(server, path, **options), 404)


@pytest.fixture(scope="module")
def labelled():
    """Labels of each length, and each override."""
    labels = [{"label": "one", "profile": "device"}, {"label": "one/two", "profile": "tls-server", "wrap": "lines"},
              {"label": "one/two/three", "profile": "gateway", "wrap": "never", "cacerts_smime_type": True, "any_content_type": True},
              {"profile": "device"}]
    with Server({"profiles": [{"name": "tls-server"}, {"name": "device"}, {"name": "gateway"}], "est": {"labels": labels, "profile_labels": False}}) as running:
        yield running


@pytest.mark.parametrize("label,profile", [("", "device"), ("one/", "device"), ("one/two/", "tls-server"), ("one/two/three/", "gateway")])
@pytest.mark.parametrize("end", ["", "/"])
def test_labels_lead_to_their_profile(labelled, label, profile, end, tmp_path):
    code = credential(labelled, "--profile", profile)["code"]
    reply = curl(labelled, f"{label}simpleenroll{end}", "-u", f"x:{code}", body=b64(make_csr("a.example.com")))
    serial = issued(reply, tmp_path).serial_number
    row, = [r for r in inventory(labelled) if int(r["serial"], 16) == serial]
    assert row["profile"] == profile
    assert curl(labelled, f"{label}cacerts{end}").status == 200


@pytest.mark.parametrize("path", ["two/cacerts", "one/three/cacerts", "one/two/three/four/cacerts", "device/cacerts", "tls-server/cacerts",
                                  "one//cacerts", "%6fne/cacerts", "one/two/three/x/y/z/simpleenroll"])
def test_unknown_labels(labelled, path):
    options = {"body": b64(make_csr("a.example.com"))} if path.endswith("enroll") else {}
    reply = curl(labelled, path, **options)
    refused(reply, 404)
    assert "no label" in reply.body.decode() or "nothing at this path" in reply.body.decode()


def test_overrides_of_labels(labelled, tmp_path):
    bare = ("-H", "User-Agent:", "-H", "Accept:")
    assert curl(labelled, "one/two/cacerts", *bare).body.count(b"\n") > 10
    assert curl(labelled, "one/two/three/cacerts").body.count(b"\n") == 1
    assert curl(labelled, "one/cacerts").headers["content-type"] == "application/pkcs7-mime"
    assert curl(labelled, "one/two/three/cacerts").headers["content-type"] == CERTS_ONLY
    code = credential(labelled, "--profile", "device")["code"]
    other = credential(labelled, "--profile", "gateway")["code"]
    for type in ("text/plain", "application/x-www-form-urlencoded", ""):
        refused(curl(labelled, "one/simpleenroll", "-u", f"x:{code}", body=b64(make_csr("a.example.com")), type=type), 415, "application/pkcs10")
    issued(curl(labelled, "one/two/three/simpleenroll", "-u", f"x:{other}", body=b64(make_csr("a.example.com")), type=""), tmp_path)


def test_labels_are_reloaded(tmp_path):
    with Server({"profiles": [{"name": "device"}]}) as own:
        refused(curl(own, "new/cacerts"), 404)
        own.write_config({"profiles": [{"name": "device"}], "est": {"labels": [{"label": "new", "profile": "device"}]}})
        own.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 60
        while curl(own, "new/cacerts").status != 200:
            assert time.monotonic() < deadline
            time.sleep(0.05)


@pytest.mark.parametrize("labels,says", [
    ([{"label": "cacerts", "profile": "device"}], "one to three segments"), ([{"label": "a/b/c/d", "profile": "device"}], "one to three segments"),
    ([{"label": "a", "profile": "none"}], "open to `est`"), ([{"label": "a", "profile": "web"}], "open to `est`"),
    ([{"label": "a", "profile": "device"}, {"label": "a", "profile": "device"}], "again"), ([{"profile": "device"}, {"profile": "device"}], "again"),
    ([{"label": "a"}], "profile"),
])
def test_labels_that_make_no_sense(server, labels, says):
    file = server.folder / "bad.yaml"
    file.write_text(json.dumps({"profiles": [{"name": "device"}, {"name": "web", "methods": ["acme"]}], "est": {"labels": labels}}))
    done = server.run("check-config", str(file))
    assert done.returncode != 0 and says in done.stderr


def test_wrong_method_type_and_size(server):
    csr = b64(make_csr("a.example.com"))
    refused(curl(server, "cacerts", body=csr), 405)
    refused(curl(server, "simpleenroll"), 405)
    refused(curl(server, "simpleenroll", body=csr, type="application/x-www-form-urlencoded"), 415)
    refused(curl(server, "simpleenroll", body=b"A" * 200000), 413)


def test_other_operations(server):
    reply = curl(server, "csrattrs")
    assert reply.status == 204 and reply.body == b"" and "content-length" not in reply.headers
    refused(curl(server, "serverkeygen", body=b64(make_csr("a.example.com"))), 501, "makes no keys")
    refused(curl(server, "tls-server/fullcmc", body=b"x", type="application/pkcs7-mime"), 501)


# --- csrattrs

ATTRIBUTES = {
    "plain": ({"keys": ["ec-p384"], "est": {"csr_oids": ["serialNumber"]}}, ["id-ecPublicKey", "secp384r1", "serialNumber"], ["extension", "Extension"]),
    "extensions": ({"est": {"csr_attributes": "extensions"}}, ["Extension Request", "X509v3 Key Usage", "X509v3 Extended Key Usage"], ["16.2.61"]),
    "template": ({"policy": "corporate", "subject": {"o": ["Example"]}, "est": {"csr_attributes": "template"}},
                 ["1.2.840.113549.1.9.16.2.61", "organizationName", "Example", "rsaEncryption", "BIT STRING", "1.2.840.113549.1.9.16.2.62",
                  "X509v3 Subject Alternative Name"], ["Extension Request"]),
}


@pytest.fixture(scope="module")
def attributed():
    profiles = [{"name": name, **row[0]} for name, row in ATTRIBUTES.items()]
    authentication = [{"name": "linked", "labels": ["linked"], "channel_binding": "require"}, {"name": "others"}]
    policy = {"name": "corporate", "keys": ["rsa-3072"], "signatures": ["rsa-sha256"], "validity_max": "90d", "subject": {"o": {"allow": ["Example"]}}, "san": {"dns": {"required": ["*"]}},
              "extended_key_usage": {"allow": ["clientAuth", "serverAuth"]}, "key_usage": {"allow": ["digitalSignature", "keyEncipherment"]}}
    with Server({"policies": [policy], "profiles": [{"name": "tls-server"}, *profiles], "est": {"labels": [{"label": "linked", "profile": "plain"}],
                                                                          "authentication": authentication}}) as running:
        yield running


def asn1parse(reply, tmp_path):
    (tmp_path / "attributes.der").write_bytes(base64.b64decode(reply.body))
    done = subprocess.run(["openssl", "asn1parse", "-inform", "DER", "-in", tmp_path / "attributes.der"], capture_output=True, check=True)
    return done.stdout.decode()


@pytest.mark.parametrize("label", ATTRIBUTES)
def test_csrattrs_as_openssl_reads_them(attributed, label, tmp_path):
    _, wanted, unwanted = ATTRIBUTES[label]
    reply = curl(attributed, f"{label}/csrattrs")
    assert reply.status == 200 and reply.headers["content-type"] == "application/csrattrs"
    assert reply.headers["content-transfer-encoding"] == "base64"
    text = asn1parse(reply, tmp_path)
    assert all(word in text for word in wanted) and not any(word in text for word in unwanted), text
    assert "challengePassword" not in text


def test_csrattrs_say_that_linking_is_required(attributed, tmp_path):
    text = asn1parse(curl(attributed, "linked/csrattrs/"), tmp_path)
    assert "challengePassword" in text.split("id-ecPublicKey")[0]
    reply = curl(attributed, "csrattrs")
    assert reply.status == 204 and reply.body == b"" and "content-type" not in reply.headers


# --- simpleenroll with a code

@pytest.mark.parametrize("user", ["device:{}", ":{}", "{}:", "a:b:{}"])
def test_code_is_the_password_whatever_the_name(server, user, tmp_path):
    code = credential(server)["code"]
    reply = curl(server, "simpleenroll", "-u", user.format(code), body=b64(make_csr("a.example.com", cn="a.example.com")))
    if user.startswith("a:b:"):
        return refused(reply, 401)
    certificate = issued(reply, tmp_path)
    assert names_of(certificate) == ["a.example.com"]
    assert certificate.subject.rfc4514_string() == "CN=a.example.com"
    (tmp_path / "leaf.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    chain = judge(curl(server, "cacerts"), tmp_path)
    (tmp_path / "chain.pem").write_bytes(b"".join(c.public_bytes(serialization.Encoding.PEM) for c in chain))
    subprocess.run(["openssl", "verify", "-x509_strict", "-CAfile", server.root_pem, "-untrusted", tmp_path / "chain.pem",
                    "-purpose", "sslclient", tmp_path / "leaf.pem"], check=True, capture_output=True)


def test_code_without_a_colon(server, tmp_path):
    code = credential(server)["code"]
    header = "Authorization: basic " + base64.b64encode(code.encode()).decode()
    issued(curl(server, "simpleenroll", "-H", header, body=b64(make_csr("a.example.com"))), tmp_path)


DRESSES = {
    "lines": b64, "one line": base64.b64encode, "DER": lambda der: der, "CRLF": lambda der: b64(der).replace(b"\n", b"\r\n"),
    "every character apart": lambda der: b" ".join(bytes([c]) for c in base64.b64encode(der)),
    "PEM": lambda der: b"-----BEGIN CERTIFICATE REQUEST-----\n" + b64(der) + b"-----END CERTIFICATE REQUEST-----\n",
    "old PEM": lambda der: b"-----BEGIN NEW CERTIFICATE REQUEST-----\n" + b64(der) + b"-----END NEW CERTIFICATE REQUEST-----\n",
}


@pytest.mark.parametrize("dress", DRESSES)
def test_body_in_any_dress(server, dress, tmp_path):
    code = credential(server)["code"]
    body = DRESSES[dress](make_csr("a.example.com"))
    reply = curl(server, "simpleenroll/", "-u", f"x:{code}", "-H", "Content-Transfer-Encoding: quoted-printable", body=body,
                 type="Application/PKCS10; charset=utf-8")
    assert names_of(issued(reply, tmp_path)) == ["a.example.com"]


def test_expect_continue(server, tmp_path):
    code = credential(server)["code"]
    issued(curl(server, "simpleenroll", "-u", f"x:{code}", "-H", "Expect: 100-continue", body=b64(make_csr("a.example.com"))), tmp_path)


def test_curl_told_to_speak_http_1_0(server, tmp_path):
    """It names http/1.0 in ALPN, and asks for no 100 (Continue)."""
    code = credential(server)["code"]
    reply = curl(server, "simpleenroll", "--http1.0", "-u", f"x:{code}", "-H", "Expect: 100-continue", body=b64(make_csr("a.example.com")))
    issued(reply, tmp_path)
    assert reply.headers["connection"] == "close"


def test_inventory_names_the_credential(server, tmp_path):
    made = credential(server, "--note", "rack 7")
    certificate = issued(curl(server, "simpleenroll", "-u", f"x:{made['code']}", body=b64(make_csr("a.example.com"))), tmp_path)
    row, = [r for r in inventory(server) if int(r["serial"], 16) == certificate.serial_number]
    shown = json.loads(server.run("cert", "show", "--json", row["id"], check=True).stdout)
    assert shown["method"] == "est" and shown["identity"] == f"enrollment code {made['id']}" and shown["profile"] == "tls-server"
    listed, = [c for c in json.loads(server.run("est-credential", "list", "--json", check=True).stdout) if c["id"] == made["id"]]
    assert listed["uses"] == 1 and listed["status"] == "used up" and "code" not in listed and listed["note"] == "rack 7"


def nothing_changes(server):
    """Compares what is stored when the with block ends."""
    class Watch:
        def state(self):
            # The server's own certificates come in their own time, and that one's time is over is nobody's doing.
            asked_for = [{**row, "status": row["status"].replace("expired", "valid")} for row in inventory(server) if row["method"] != "internal"]
            return asked_for, server.run("est-credential", "list", "--json", check=True).stdout

        def __enter__(self):
            self.before = self.state()

        def __exit__(self, *_):
            assert self.state() == self.before
    return Watch()


def test_nobody_without_a_credential(server):
    csr = b64(make_csr("a.example.com"))
    wrong = credential(server)["code"][:-4] + "AAAA"
    with nothing_changes(server):
        asked = curl(server, "simpleenroll", body=csr)
        refused(asked, 401)
        assert asked.all["www-authenticate"] == ['Basic realm="enrolld", charset="UTF-8"'] # RFC 7617, 2: the realm is REQUIRED
        for user in ("x:y", f"x:{wrong}", "x:est_" + "A" * 22 + "." + "A" * 22, "x:" + "z" * 500):
            refused(curl(server, "simpleenroll", "-u", user, body=csr), 401)
        refused(curl(server, "simpleenroll", "-H", "Authorization: Bearer abc", body=csr), 401)
        refused(curl(server, "simpleenroll", "-H", "Authorization: Basic !!!", body=csr), 401)


def test_code_ends(server, tmp_path):
    made = credential(server, "--uses", "2")
    ask = lambda code: curl(server, "simpleenroll", "-u", f"x:{code}", body=b64(make_csr("a.example.com")))  # noqa: E731
    issued(ask(made["code"]), tmp_path)
    issued(ask(made["code"]), tmp_path)
    refused(ask(made["code"]), 401, "used up")
    other = credential(server)
    server.run("est-credential", "revoke", other["id"], check=True)
    refused(ask(other["code"]), 401, "revoked")
    assert server.run("est-credential", "revoke", other["id"]).returncode != 0
    late = credential(server, "--expires", "1s")
    time.sleep(2.2)
    refused(ask(late["code"]), 401, "expired")


def test_last_use_is_given_once(server):
    code = credential(server)["code"]
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        replies = list(pool.map(lambda i: curl(server, "simpleenroll", "-u", f"x:{code}", body=b64(make_csr(f"n{i}.example.com"))), range(6)))
    assert sorted(r.status for r in replies) == [200] + [401] * 5


def test_code_is_for_its_profile_and_names(server, tmp_path):
    made = credential(server, "--profile", "device", "--name", "dns:one.device.example", "--uses", "any")
    ask = lambda path, *names, **more: curl(server, path, "-u", f"x:{made['code']}", body=b64(make_csr(*names, **more)))  # noqa: E731
    certificate = issued(ask("device/simpleenroll", "one.device.example"), tmp_path)
    assert certificate.subject.rfc4514_string() == "CN=one.device.example"
    with nothing_changes(server):
        refused(ask("simpleenroll", "one.device.example"), 403, "for profile device")
        refused(ask("device/simpleenroll", "two.device.example"), 403, "two.device.example")
        refused(ask("device/simpleenroll", "one.device.example", "two.device.example"), 403)
        refused(ask("device/simpleenroll", "one.device.example", cn="admin.example.com"), 400, "admin.example.com")


def test_what_policy_refused_is_in_the_audit_log(server):
    made = credential(server, "--profile", "device", "--name", "dns:one.device.example", "--uses", "any")
    refused(curl(server, "device/simpleenroll", "-u", f"x:{made['code']}", body=b64(make_csr("three.device.example"))), 403)
    listed, deadline = [], time.monotonic() + 60
    while not listed and time.monotonic() < deadline:
        listed = [e for e in json.loads(server.run("audit", "list", "--kind", "certificate-refused", "--json", check=True).stdout)
                  if any("three.device.example" in reason for reason in e["about"]["reasons"])]
        time.sleep(0.1)
    event, = listed
    assert made["id"] in event["actor"] and event["about"]["profile"] == "device" and event["about"]["rules"]
    assert made["code"] not in json.dumps(event)



HOSTILE = {
    "empty": b"", "white": b" \r\n\t", "no base64": b"{}", "half base64": b64(make_csr("a.example.com"))[:100],
    "DER that is none": b"\x30\x82\xff\xff", "bytes after it": make_csr("a.example.com") + b"\0",
    "other PEM": b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n", "no names": make_csr(),
    "CA": make_csr("a.example.com", add=lambda b: b.add_extension(x509.BasicConstraints(True, None), True)),
    "directory name": make_csr(add=lambda b: b.add_extension(x509.SubjectAlternativeName([x509.DNSName("a.example.com"), x509.DirectoryName(
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "root")]))]), False)),
    "organization": x509.CertificateSigningRequestBuilder().subject_name(x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Other")]))
    .add_extension(x509.SubjectAlternativeName([x509.DNSName("a.example.com")]), False).sign(make_key(), hashes.SHA256())
    .public_bytes(serialization.Encoding.DER),
    "code signing": make_csr("a.example.com", add=lambda b: b.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), False)),
    "signature": make_csr("a.example.com")[:-1] + b"\0",
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_bodies(server, what):
    code = credential(server)["code"]
    with nothing_changes(server):
        refused(curl(server, "simpleenroll", "-u", f"x:{code}", body=HOSTILE[what]), 400)


def test_wrong_binding_is_refused(server):
    code = credential(server)["code"]
    stray = make_csr("a.example.com", add=lambda b: b.add_attribute(x509.oid.AttributeOID.CHALLENGE_PASSWORD, b"not of this connection"))
    with nothing_changes(server):
        refused(curl(server, "simpleenroll", "-u", f"x:{code}", body=b64(stray)), 403, "challengePassword")


def test_tls_unique_is_accepted(server, tmp_path):
    code = credential(server)["code"]
    context = server.tls_context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as raw, context.wrap_socket(raw, server_hostname="localhost") as tls:
        unique = base64.b64encode(tls.get_channel_binding("tls-unique"))
        body = b64(make_csr("a.example.com", add=lambda b: b.add_attribute(x509.oid.AttributeOID.CHALLENGE_PASSWORD, unique)))
        basic = base64.b64encode(f"x:{code}".encode()).decode()
        tls.sendall((f"POST {EST}simpleenroll HTTP/1.1\r\nHost: localhost:{server.port}\r\nContent-Type: {PKCS10}\r\nAuthorization: Basic {basic}\r\n"
                     f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n").encode() + body)
        reply = b""
        while chunk := tls.recv(65536):
            reply += chunk
    head, _, rest = reply.partition(b"\r\n\r\n")
    assert rest.count(b"\n") == 1 # neither User-Agent nor Accept
    issued(Reply(head, rest), tmp_path)


# --- client certificates

def test_renewal(server, tmp_path):
    device = Device(server, tmp_path, "a.example.com", "b.example.com", cn="a.example.com")
    key = make_key()
    reply = curl(server, "simplereenroll", *device.options, body=b64(make_csr("B.example.com", "a.example.com", key=key, cn="A.example.com")))
    new = issued(reply, tmp_path)
    assert new.subject == device.certificate.subject and sorted(names_of(new)) == ["a.example.com", "b.example.com"]
    assert new.serial_number != device.certificate.serial_number and new.public_key() != device.certificate.public_key()
    rows = {int(r["serial"], 16): json.loads(server.run("cert", "show", "--json", r["id"], check=True).stdout) for r in inventory(server)}
    old_row, new_row = rows[device.certificate.serial_number], rows[new.serial_number]
    assert new_row["replaces"] == old_row["id"] and old_row["replacedBy"] == new_row["id"]
    assert new_row["identity"] == f"certificate {old_row['id']}"
    issued(curl(server, "tls-server/simplereenroll/", *device.files(new, key), body=b64(make_csr(
        "a.example.com", "b.example.com", key=key, cn="a.example.com"))), tmp_path) # the same key again


def test_renewal_asks_for_the_same(server, tmp_path):
    device = Device(server, tmp_path, "a.example.com", "b.example.com", cn="a.example.com")
    code = credential(server)["code"]
    with nothing_changes(server):
        for names, cn in ((["a.example.com"], "a.example.com"), (["a.example.com", "b.example.com", "c.example.com"], "a.example.com"),
                          (["a.example.com", "b.example.com"], None), (["a.example.com", "b.example.com"], "b.example.com")):
            refused(curl(server, "simplereenroll", *device.options, body=b64(make_csr(*names, cn=cn))), 403)
        csr = b64(make_csr("a.example.com", "b.example.com", cn="a.example.com"))
        refused(curl(server, "simplereenroll", body=csr), 403, "client certificate")
        refused(curl(server, "simplereenroll", "-u", f"x:{code}", body=csr), 403, "client certificate")
        refused(curl(server, "device/simplereenroll", *device.options, body=csr), 403, "profile tls-server")


def test_certificate_is_enough_and_proves_its_names_alone(server, tmp_path):
    device = Device(server, tmp_path, "a.example.com")
    issued(curl(server, "simpleenroll", *device.options, "-u", "x:wrong", body=b64(make_csr("a.example.com"))), tmp_path)
    with nothing_changes(server):
        refused(curl(server, "simpleenroll", *device.options, body=b64(make_csr("a.example.com", "c.example.com"))), 403, "c.example.com")
    code = credential(server, "--profile", "device")["code"] # of another profile: the code counts
    issued(curl(server, "device/simpleenroll", *device.options, "-u", f"x:{code}", body=b64(make_csr("x.device.example"))), tmp_path)


def test_revoked_certificate(server, tmp_path):
    device = Device(server, tmp_path, "a.example.com")
    server.run("cert", "revoke", f"{device.certificate.serial_number:x}", check=True)
    csr = b64(make_csr("a.example.com"))
    code = credential(server)["code"]
    with nothing_changes(server):
        refused(curl(server, "simplereenroll", *device.options, body=csr), 403, "revoked")
        refused(curl(server, "simpleenroll", *device.options, body=csr), 403, "revoked")
        refused(curl(server, "simpleenroll", *device.options, "-u", f"x:{code}", body=csr), 403, "revoked") # nor by a weaker way


def test_certificate_for_any_purpose_renews(server, tmp_path):
    """anyExtendedKeyUsage is for clients too (RFC 5280, 4.2.1.12), as it is in a manufacturer's certificate."""
    device = Device(server, tmp_path, "any.example.com", profile="any-use")
    issued(curl(server, "any-use/simplereenroll", *device.options, body=b64(make_csr("any.example.com"))), tmp_path)


def test_certificate_that_is_not_for_clients(server, tmp_path):
    device = Device(server, tmp_path, "a.example.com", profile="no-client")
    refused(curl(server, "no-client/simplereenroll", *device.options, body=b64(make_csr("a.example.com"))), 403, "clientAuth")


def forge(device, issuer_name, issuer_key, **dates):
    """What the device has, but signed by somebody else."""
    own = device.certificate
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = (x509.CertificateBuilder().subject_name(own.subject).issuer_name(issuer_name).public_key(device.key.public_key())
               .serial_number(own.serial_number).not_valid_before(now - datetime.timedelta(hours=1))
               .not_valid_after(now + datetime.timedelta(hours=1)))
    for extension in own.extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    return builder.sign(issuer_key, hashes.SHA256())


def test_certificate_of_another_ca(server, tmp_path):
    device = Device(server, tmp_path, "a.example.com")
    csr = b64(make_csr("a.example.com"))
    for issuer_name, says in ((device.certificate.issuer, "not in the inventory"), (device.certificate.subject, "not of this CA")):
        fake = forge(device, issuer_name, make_key())
        (tmp_path / "fake").mkdir(exist_ok=True)
        options = device.files(fake, device.key)
        with nothing_changes(server):
            refused(curl(server, "simplereenroll", *options, body=csr), 403, says)
            refused(curl(server, "simpleenroll", *options, body=csr), 401, says)


def test_what_acme_proved_is_not_kept_by_est(server, tmp_path):
    key = make_key()
    with ChallengeServer(server.http01_port) as web:
        client = Client(server)
        client.register()
        pem, _ = client.issue(["acme.example.com"], web, csr=make_csr("acme.example.com", key=key))
    (tmp_path / "acme.pem").write_text(pem)
    (tmp_path / "acme.key").write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    options = ["--cert", str(tmp_path / "acme.pem"), "--key", str(tmp_path / "acme.key")]
    with nothing_changes(server):
        refused(curl(server, "simplereenroll", *options, body=b64(make_csr("acme.example.com"))), 403, "not issued over EST")


# --- requests that people approve

@pytest.fixture(scope="module")
def approving():
    profile = {"name": "device", "methods": ["est"], "approvals": 1, "approval_lifetime": "1h", "dns": {"allow": ["**.device.example"]}}
    labels = [{"label": "a", "profile": "device", "retry_after": "7s"}, {"label": "b", "profile": "device"}]
    with Server({"profiles": [{"name": "free"}, profile], "est": {"labels": labels}}) as running:
        yield running


def requests(server, status="pending"):
    return json.loads(server.run("request", "list", "--status", status, "--json", check=True).stdout)


def waits(reply, seconds):
    assert reply.status == 202 and reply.headers["retry-after"] == str(seconds), (reply.status, reply.body)
    assert reply.headers["content-type"] == "text/plain" and reply.body.count(b"\n") == 1


def asker(server, label, seconds, **options):
    """Asks with a CSR that is signed anew each time, as ECDSA signatures are."""
    code, key = credential(server, "--profile", "device", "--uses", "any")["code"], make_key()

    def ask(*names, label=label, expect=None, key=key, **more):
        reply = curl(server, f"{label}/simpleenroll", "-u", f"x:{code}", body=b64(make_csr(*names, key=key, **more)))
        if expect == 202:
            waits(reply, seconds)
        return reply
    return ask


def test_approval_is_waited_for(approving, tmp_path):
    ask = asker(approving, "a", 7)
    before = len(requests(approving))
    for _ in range(3):
        ask("one.device.example", expect=202)
    request, = [r for r in requests(approving) if "one.device.example" in r["names"]]
    assert len(requests(approving)) == before + 1 and request["method"] == "est" and "BEGIN CERTIFICATE REQUEST" in request["csr"]
    approving.run("request", "approve", request["id"], check=True)
    with concurrent.futures.ThreadPoolExecutor(6) as pool: # of many tries at once one issues, all have the same certificate
        replies = list(pool.map(lambda _: ask("one.device.example"), range(6)))
    assert len({issued(r, tmp_path).serial_number for r in replies}) == 1
    certificate = issued(ask("one.device.example"), tmp_path) # the reply may have been lost
    rows = [r for r in inventory(approving) if int(r["serial"], 16) == certificate.serial_number]
    shown = json.loads(approving.run("cert", "show", "--json", rows[0]["id"], check=True).stdout)
    assert shown["label"] == "a" and shown["identity"].startswith("enrollment code")
    done, = [r for r in requests(approving, "issued") if r["id"] == request["id"]]
    assert done["certificate"] == rows[0]["id"]


@pytest.mark.parametrize("uses", ["1", "any"])
def test_approved_request_is_collected_by_every_try_of_its_client(approving, uses):
    """A client that gave its first try up too early has two under way: each is answered with the one certificate."""
    code, key, name = credential(approving, "--profile", "device", "--uses", uses)["code"], make_key(), f"all-{uses}.device.example"
    headers = {"Content-Type": "application/pkcs10", "Authorization": "Basic " + base64.b64encode(f"x:{code}".encode()).decode()}
    connections = [http.client.HTTPSConnection("localhost", approving.port, context=ssl.create_default_context(cafile=approving.root_pem))
                   for _ in range(8)]
    for connection in connections:
        connection.connect()
    together = threading.Barrier(len(connections))

    def ask(connection):
        body = b64(make_csr(name, key=key))
        together.wait(10)
        connection.request("POST", "/.well-known/est/a/simpleenroll", body, headers)
        reply = connection.getresponse()
        return reply.status, reply.read()

    with contextlib.ExitStack() as stack, concurrent.futures.ThreadPoolExecutor(len(connections)) as pool:
        for connection in connections:
            stack.callback(connection.close)
        assert {status for status, _ in pool.map(ask, connections)} == {202}
        request, = [r for r in requests(approving) if name in r["names"]]
        approving.run("request", "approve", request["id"], check=True)
        replies = list(pool.map(ask, connections))
    assert {status for status, _ in replies} == {200} and len({body for _, body in replies}) == 1, replies


def test_what_was_issued_and_revoked_waits_anew(approving, tmp_path):
    ask = asker(approving, "a", 7)
    ask("revoked.device.example", expect=202)
    first, = [r for r in requests(approving) if "revoked.device.example" in r["names"]]
    approving.run("request", "approve", first["id"], check=True)
    certificate = issued(ask("revoked.device.example"), tmp_path)
    approving.run("cert", "revoke", f"{certificate.serial_number:x}", check=True)
    ask("revoked.device.example", expect=202)  # and has nothing of the old certificate
    second, = [r for r in requests(approving) if "revoked.device.example" in r["names"]]
    assert second["id"] != first["id"]


def test_rejection_is_final_for_the_same_request(approving):
    ask = asker(approving, "b", 60)
    ask("two.device.example", expect=202)
    request, = [r for r in requests(approving) if "two.device.example" in r["names"]]
    approving.run("request", "reject", request["id"], "--reason", "not one of ours", check=True)
    for _ in range(2):
        refused(ask("two.device.example"), 403, "not one of ours")
    ask("three.device.example", expect=202) # something else
    ask("two.device.example", key=make_key(), expect=202) # another device


def test_approval_is_of_what_was_shown(approving, tmp_path):
    ask = asker(approving, "b", 60)
    ask("four.device.example", expect=202)
    first, = [r for r in requests(approving) if "four.device.example" in r["names"]]
    approving.run("request", "approve", first["id"], check=True)
    ask("five.device.example", expect=202) # the same key and person, other names: another request, the first is over
    assert json.loads(approving.run("request", "show", "--json", first["id"], check=True).stdout)["status"] == "cancelled"
    second, = [r for r in requests(approving) if "five.device.example" in r["names"]]
    approving.run("request", "approve", second["id"], check=True)
    refused(ask("five.device.example", label="nowhere"), 404)
    waits(ask("five.device.example", label="a"), 7) # asked elsewhere, it is another request
    assert names_of(issued(ask("five.device.example"), tmp_path)) == ["five.device.example"]


def test_what_is_refused_anyhow_does_not_wait(approving):
    before = len(requests(approving))
    ask = asker(approving, "b", 60)
    refused(ask("other.example.com"), 400)
    refused(curl(approving, "b/simpleenroll", body=b64(make_csr("six.device.example"))), 401)
    assert len(requests(approving)) == before


# --- the commands, and slowness for who guesses

@pytest.mark.parametrize("options,says", [
    (["--profile", "none"], "none"), (["--profile", "device,web"], "one profile"), (["--uses", "0"], "--uses"), (["--uses", "x"], "--uses"),
    (["--expires", "yesterday"], "--expires"), (["--name", "example.com"], "--name"),
])
def test_credential_that_makes_no_sense(server, options, says):
    with nothing_changes(server):
        done = server.run("est-credential", "create", *options)
        assert done.returncode != 0 and says in done.stderr


def test_store_does_not_hold_the_code(server):
    code = credential(server)["code"]
    secret = code.split(".")[1].encode()
    for path in (server.folder / "data").rglob("*"):
        assert not path.is_file() or secret not in path.read_bytes()
    curl(server, "simpleenroll", "-u", f"x:{code}", body=b64(make_csr("a.example.com")))
    assert secret.decode() not in server.log_text()


def test_guesses_are_slowed():
    """On one connection: a machine would have to take the three seconds, after which a guess is free again, for each of sixty."""
    with Server() as own:
        csr, code = b64(make_csr("a.example.com")), credential(own, "--uses", "any")["code"]
        line = http.client.HTTPSConnection("localhost", own.port, context=own.tls_context(), timeout=60)

        def ask(text):
            basic = "Basic " + base64.b64encode(f"x:{text}".encode()).decode()
            line.request("POST", EST + "simpleenroll", csr, {"Content-Type": PKCS10, "Authorization": basic})
            reply = line.getresponse()
            reply.read()
            return reply

        assert ask(code).status == 200
        shaped = ("A" if code[-2] != "A" else "B").join([code[:-2], code[-1]]) # as codes look, and as none does
        assert [ask(shaped if i % 2 else "guess").status for i in range(20)] == [401] * 20
        for _ in range(60):
            reply = ask("guess")
            if reply.status == 429:
                break
        assert reply.status == 429 and 1 <= int(reply.headers["Retry-After"]) <= 60
        assert ask(code).status == 200 # what cannot be guessed is not refused for what a neighbour guesses
