"""Certificates by command, as over the API: issued, renewed, imported, exported, and the words beside them."""

import json
import os
import pty
import select
import signal
import stat
import subprocess
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.serialization import pkcs12

from api_client import Api, csr, load, make_token, new_key
from harness import BINARY, Server

PROFILES = [{"name": "open", "methods": ["api", "acme"]},
            {"name": "kept", "methods": ["api"], "keep_keys": True, "renew_before": "20d"},
            {"name": "quick", "methods": ["api"], "keep_keys": True, "renew_before": "3538s", "validity": "1h", "validity_max": "1d"},
            {"name": "closed", "methods": ["acme"]},
            {"name": "narrow", "methods": ["api"], "dns": {"allow": ["**.narrow.example"]}, "keys": ["ec-p384"]},
            {"name": "asked", "methods": ["api"], "approvals": 1}]


@pytest.fixture(scope="module")
def server():
    with Server({"profiles": PROFILES, "api": {"requests_per_token": {"burst": 0}}}) as running:
        yield running


@pytest.fixture(scope="module")
def api(server):
    return Api(server, make_token(server, "admin", "key")[0])


def command(server, *words, **more):
    return json.loads(server.run(*words, "--json", check=True, **more).stdout)


def fails(server, text, *words, **more):
    done = server.run(*words, **more)
    assert done.returncode == 1 and text in done.stderr, (done.returncode, done.stderr, done.stdout)
    return done.stderr


def issue(server, *words, **more):
    return command(server, "cert", "issue", *words, **more)["certificate"]


def public(key):
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def key_of(pem, password=None):
    return serialization.load_pem_private_key(pem.encode() if isinstance(pem, str) else pem, password)


def names(certificate):
    return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)


def events(server, kind):
    return command(server, "audit", "list", "--kind", kind)


def load_all(text):
    text = text if isinstance(text, str) else text.decode()
    return [load("-----BEGIN CERTIFICATE-----" + part) for part in text.split("-----BEGIN CERTIFICATE-----")[1:]]


def verified(server, folder, chain):
    path = folder / "chain.pem"
    path.write_text(chain)
    subprocess.run(["openssl", "verify", "-CAfile", server.root_pem, "-untrusted", path, path], check=True, capture_output=True)


# --- issued

def test_for_a_csr(server, api, tmp_path):
    key = new_key()
    (tmp_path / "r.csr").write_text(csr("www.example.com", key=key))
    out = tmp_path / "www.pem"
    done = server.run("cert", "issue", "--profile", "open", "--csr", str(tmp_path / "r.csr"), "--ttl", "30d", "--metadata", "team=web,site=a",
                      "--out", str(out), check=True)
    verified(server, tmp_path, out.read_text())
    leaf, issuing = load_all(out.read_bytes())
    assert public(leaf.public_key()) == public(key.public_key()) and names(leaf) == ["www.example.com"] and issuing.issuer == load(open(server.root_pem).read()).subject
    assert 29.9 < (leaf.not_valid_after - leaf.not_valid_before).total_seconds() / 86400 < 30.1 and "PRIVATE" not in out.read_text() + done.stdout
    identifier = done.stdout.split("issued ")[1].strip()
    row = api.get(f"certificates/{identifier}")
    assert row["method"] == "api" and row["identity"].startswith("operator ") and row["metadata"] == [{"key": "team", "value": "web"}, {"key": "site", "value": "a"}]
    told = events(server, "certificate-issued")[-1]
    assert told["actor"] == row["identity"] and "from" not in told
    assert identifier in [r["id"] for r in command(server, "cert", "list", "--identity", row["identity"])]


def test_a_csr_on_standard_input(server):
    text = csr("stdin.example.com")
    done = server.run("cert", "issue", "--profile", "open", "--csr", "-", input=text, check=True)
    assert names(load_all(done.stdout.encode())[0]) == ["stdin.example.com"]


def test_with_a_key_that_is_made(server, tmp_path):
    out, key_out = tmp_path / "c.pem", tmp_path / "k.pem"
    server.run("cert", "issue", "--profile", "open", "--name", "app.example.com,192.0.2.7,2001:db8::1", "--cn", "app.example.com", "--key", "ec-p384",
               "--out", str(out), "--key-out", str(key_out), check=True)
    leaf = load_all(out.read_bytes())[0]
    key = key_of(key_out.read_text())
    assert public(key.public_key()) == public(leaf.public_key()) and key.curve.name == "secp384r1"
    assert stat.S_IMODE(key_out.stat().st_mode) == 0o600 and stat.S_IMODE(out.stat().st_mode) == 0o644
    found = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(a) for a in found.get_values_for_type(x509.IPAddress)] == ["192.0.2.7", "2001:db8::1"]
    text = server.run("cert", "issue", "--profile", "open", "--name", "dns:b.example.com", check=True).stdout
    assert public(key_of(text[:text.index("-----BEGIN CERT")]).public_key()) == public(load_all(text.encode())[0].public_key())


def test_the_reply_is_the_apis(server, api):
    made = command(server, "cert", "issue", "--profile", "kept", "--cn", "j.example.com")
    api.schema.check({"$ref": "#/components/schemas/Issued"}, made)
    identifier = made["certificate"]["certificateId"]
    assert api.get(f"certificates/{identifier}/private-key")["privateKey"] == made["certificate"]["privateKey"]
    assert api.get(f"certificate-requests/{made['certificateRequestId']}")["status"] == "issued"
    assert api.get(f"certificates/{identifier}")["renewal"]["state"] == "scheduled"


@pytest.mark.parametrize("words,text", [
    (["--cn", "a.example"], "--profile is missing"),
    (["--profile", "nothing", "--cn", "a.example"], "there is no such profile"),
    (["--profile", "closed", "--cn", "a.example"], "not open to"),
    (["--profile", "open"], "CSR cannot be empty"),
    (["--profile", "narrow", "--name", "a.example"], "a.example"),
    (["--profile", "open", "--cn", "a.example", "--ttl", "soon"], "attributes.ttl"),
    (["--profile", "open", "--cn", "a.example", "--ttl", "900d"], "attributes.ttl"),
    (["--profile", "open", "--cn", "a.example", "--key", "dsa"], "keyAlgorithm"),
    (["--profile", "open", "--cn", "a.example", "--metadata", "novalue"], "KEY=VALUE"),
    (["--profile", "open", "--cn", "a\nb.example"], "commonName"),
    (["--profile", "open", "--csr", "/nonexistent"], "/nonexistent"),
    (["--profile", "open", "--cn", "a.example", "--key-out", "/nonexistent/k.pem"], "--key-out"),
])
def test_what_is_refused_issues_nothing(server, words, text):
    before = len(command(server, "cert", "list"))
    fails(server, text, "cert", "issue", *words)
    assert len(command(server, "cert", "list")) == before


def test_all_violations_are_told(server):
    told = fails(server, "", "cert", "issue", "--profile", "narrow", "--name", "a.example,b.example", "--key", "ec-p256")
    assert "a.example" in told and "b.example" in told and "ey algorithm" in told
    assert events(server, "certificate-refused")[-1]["actor"].startswith("operator ")


def test_the_passphrase_is_wanted(server, tmp_path):
    passphrase = server.folder / "data" / "ca" / "passphrase"
    passphrase = passphrase if passphrase.exists() else next(server.folder.rglob("passphrase"))
    text = passphrase.read_bytes()
    try:
        passphrase.write_bytes(b"x" * 40 + b"\n")
        done = server.run("cert", "issue", "--profile", "open", "--cn", "p.example.com")
        assert done.returncode == 1 and "PRIVATE KEY" not in done.stdout
    finally:
        passphrase.write_bytes(text)
    issue(server, "--profile", "open", "--cn", "p.example.com")


def test_a_disabled_ca_issues_nothing_by_command(server):
    server.run("ca", "disable", "issuing", check=True)
    try:
        fails(server, "is disabled", "cert", "issue", "--profile", "open", "--cn", "d.example.com")
    finally:
        server.run("ca", "enable", "issuing", check=True)


def test_people_approve_what_a_command_asked_for(server, api, tmp_path):
    done = server.run("cert", "issue", "--profile", "asked", "--cn", "vault.example.com", check=True)
    request = done.stdout.split()[1]
    shown = command(server, "request", "show", request)
    assert shown["status"] == "pending" and shown["identity"].startswith("operator ")
    assert "does not decide" in server.run("request", "approve", request).stderr
    server.run("request", "approve", "--by", "ada", request, check=True)
    deadline = time.monotonic() + 30
    while command(server, "request", "show", request)["status"] != "issued":
        assert time.monotonic() < deadline
        time.sleep(0.2)
    server.run("request", "collect", request, "--out", str(tmp_path / "v.pem"), "--key-out", str(tmp_path / "v.key"), check=True)
    assert public(key_of((tmp_path / "v.key").read_text()).public_key()) == public(load_all((tmp_path / "v.pem").read_bytes())[0].public_key())
    # The key is given once.
    again = command(server, "request", "collect", request)
    assert "privateKey" not in again["certificate"]


# --- renewed

def test_renewed_with_a_new_key_the_same_and_a_csr(server, api, tmp_path):
    first = issue(server, "--profile", "kept", "--cn", "r.example.com", "--metadata", "team=web")
    same = command(server, "cert", "renew", "--same-key", first["certificateId"])["certificate"]
    assert public(load(same["certificate"]).public_key()) == public(load(first["certificate"]).public_key())
    new = command(server, "cert", "renew", same["serialNumber"])["certificate"]
    assert public(load(new["certificate"]).public_key()) != public(load(first["certificate"]).public_key()) and new["privateKey"]
    (tmp_path / "r.csr").write_text(csr(cn="r.example.com", *names(load(new["certificate"]))))
    last = server.run("cert", "renew", "--csr", str(tmp_path / "r.csr"), "--ttl", "7d", new["certificateId"], check=True).stdout
    assert names(load_all(last.encode())[0]) == ["r.example.com"]
    row = api.get(f"certificates/{first['certificateId']}")
    assert row["replacedBy"] == same["certificateId"] and row["status"] == "valid"
    assert api.get(f"certificates/{new['certificateId']}")["metadata"] == [{"key": "team", "value": "web"}]
    fails(server, "renewed already", "cert", "renew", first["certificateId"])
    fails(server, "--same-key", "cert", "renew", "--same-key", "--csr", str(tmp_path / "r.csr"), new["certificateId"])
    fails(server, "there is no certificate", "cert", "renew", "A" * 22)


def test_the_server_renews_what_a_command_issued(server, api):
    made = issue(server, "--profile", "quick", "--cn", "soon.example.com")["certificateId"]
    deadline = time.monotonic() + 40
    while not api.get(f"certificates/{made}").get("replacedBy"):
        assert time.monotonic() < deadline
        time.sleep(0.3)
    server.run("cert", "renewal", "--before", "off", api.get(f"certificates/{made}")["replacedBy"])


# --- imported

def foreign(name, key):
    now = __import__("datetime").datetime.utcnow()
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    made = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key()).serial_number(x509.random_serial_number()) \
        .not_valid_before(now).not_valid_after(now + __import__("datetime").timedelta(days=9)) \
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), False).sign(key, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM).decode()


def private(key):
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()


def test_imported_with_its_key(server, api, tmp_path):
    key = new_key()
    (tmp_path / "f.pem").write_text(foreign("f.example.com", key))
    (tmp_path / "f.key").write_text(private(key))
    row = command(server, "cert", "import", "--profile", "open", "--key", str(tmp_path / "f.key"), "--metadata", "from=old", str(tmp_path / "f.pem"))
    assert row["method"] == "import" and row["keyKept"] and row["metadata"] == [{"key": "from", "value": "old"}]
    assert api.get(f"certificates/{row['id']}") == row
    assert events(server, "certificate-imported")[-1]["actor"].startswith("operator ")
    assert api.get(f"certificates/{row['id']}/private-key")["privateKey"] == server.run("cert", "key", row["id"], check=True).stdout
    fails(server, "", "cert", "import", str(tmp_path / "f.pem"))
    (tmp_path / "other.key").write_text(private(new_key()))
    (tmp_path / "g.pem").write_text(foreign("g.example.com", new_key()))
    fails(server, "is not the key of the certificate", "cert", "import", "--key", str(tmp_path / "other.key"), str(tmp_path / "g.pem"))
    fails(server, "certificate", "cert", "import", str(tmp_path / "f.key"))
    fails(server, "no such profile", "cert", "import", "--profile", "nothing", str(tmp_path / "g.pem"))
    assert command(server, "cert", "list", "--name", "g.example.com") == []
    text = (tmp_path / "g.pem").read_text()
    assert server.run("cert", "import", "-", input=text, check=True).stdout.startswith("imported ")
    assert len(command(server, "cert", "list", "--name", "g.example.com")) == 1


# --- exported

@pytest.fixture(scope="module")
def kept(server):
    return issue(server, "--profile", "kept", "--cn", "e.example.com")


def test_exported_as_pem(server, kept, tmp_path):
    identifier = kept["certificateId"]
    before = len(events(server, "private-key-read"))
    chain = server.run("cert", "export", identifier, check=True).stdout
    verified(server, tmp_path, chain)
    assert chain.startswith(kept["certificate"]) and "PRIVATE" not in chain and chain.count("BEGIN") == 2
    assert len(events(server, "private-key-read")) == before
    whole = server.run("cert", "export", "--private-key", identifier, check=True).stdout
    assert whole == kept["privateKey"] + chain
    told = events(server, "private-key-read")
    assert len(told) == before + 1 and told[-1]["about"] == {**told[-1]["about"], "certificate": identifier, "as": "pem"}
    assert told[-1]["actor"].startswith("operator ")


def test_exported_as_der(server, kept, tmp_path):
    out = tmp_path / "e.der"
    server.run("cert", "export", "--format", "der", "--out", str(out), kept["certificateId"], check=True)
    assert x509.load_der_x509_certificate(out.read_bytes()) == load(kept["certificate"])


def test_der_is_read_as_pem_is(server, tmp_path):
    key = new_key()
    certificate, request = x509.load_pem_x509_certificate(foreign("der.example.com", key).encode()), x509.load_pem_x509_csr(csr("der2.example.com").encode())
    (tmp_path / "f.der").write_bytes(certificate.public_bytes(serialization.Encoding.DER))
    (tmp_path / "k.der").write_bytes(key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    (tmp_path / "r.der").write_bytes(request.public_bytes(serialization.Encoding.DER))
    row = command(server, "cert", "import", "--key", str(tmp_path / "k.der"), str(tmp_path / "f.der"))
    assert row["keyKept"] and [n["value"] for n in row["names"] if n["type"] == "dns"] == ["der.example.com"]
    made = command(server, "cert", "issue", "--profile", "open", "--csr", str(tmp_path / "r.der"))["certificate"]
    assert public(load(made["certificate"]).public_key()) == public(request.public_key())
    for name, content in (("zeros", b"\0\0"), ("cut", (tmp_path / "f.der").read_bytes()[:-9]), ("more", (tmp_path / "f.der").read_bytes() + b"\0")):
        (tmp_path / name).write_bytes(content)
        fails(server, "", "cert", "import", str(tmp_path / name))
    # A text before a PEM block may begin as DER does.
    (tmp_path / "note.pem").write_text("0815, from the attic\n" + foreign("note.example.com", new_key()))
    command(server, "cert", "import", str(tmp_path / "note.pem"))


def test_exported_with_a_password(server, kept, tmp_path):
    (tmp_path / "word").write_text("open sesame\nsecond line\n")
    out = tmp_path / "sealed.pem"
    server.run("cert", "export", "--private-key", "--password-file", str(tmp_path / "word"), "--out", str(out), kept["serialNumber"], check=True)
    text = out.read_text()
    assert "BEGIN ENCRYPTED PRIVATE KEY" in text and stat.S_IMODE(out.stat().st_mode) == 0o600
    assert public(key_of(text[:text.index("-----BEGIN CERT")], b"open sesame").public_key()) == public(load(kept["certificate"]).public_key())


@pytest.mark.parametrize("way", ["file", "environment", "input"])
def test_exported_as_pkcs12(server, kept, tmp_path, way):
    out = tmp_path / "e.p12"
    (tmp_path / "word").write_text("sésame\n")
    words = {"file": ["--password-file", str(tmp_path / "word")], "environment": ["--password-env", "EXPORT_WORD"], "input": []}[way]
    server.run("cert", "export", "--format", "pkcs12", "--private-key", *words, "--alias", "gate", "--out", str(out), kept["certificateId"], check=True,
               env={**os.environ, "EXPORT_WORD": "sésame"}, input="sésame\n")
    opened = pkcs12.load_pkcs12(out.read_bytes(), "sésame".encode())
    assert opened.cert.friendly_name == b"gate" and opened.cert.certificate == load(kept["certificate"]) and len(opened.additional_certs) == 1
    assert public(opened.key.public_key()) == public(opened.cert.certificate.public_key())
    text = subprocess.run(["openssl", "pkcs12", "-in", out, "-passin", "pass:sésame", "-noenc", "-info"], capture_output=True, text=True)
    assert text.returncode == 0 and "friendlyName: gate" in text.stdout and "AES-256-CBC" in text.stderr + text.stdout


def test_exported_for_old_importers(server, kept, tmp_path):
    out = tmp_path / "old.p12"
    server.run("cert", "export", "--format", "p12", "--private-key", "--legacy", "--out", str(out), kept["certificateId"], check=True, input="word\n")
    assert pkcs12.load_pkcs12(out.read_bytes(), b"word").cert.friendly_name == b"e.example.com"
    text = subprocess.run(["openssl", "pkcs12", "-legacy", "-in", out, "-passin", "pass:word", "-noenc", "-info"], capture_output=True, text=True)
    assert "pbeWithSHA1And3-KeyTripleDES-CBC" in text.stderr + text.stdout
    assert events(server, "private-key-read")[-1]["about"]["as"] == "pkcs12-legacy"


def on_terminal(server, typed, *words):
    """What a terminal shows, and how it ends; each of `typed` is what somebody types at a prompt."""
    deadline = time.monotonic() + 30
    pid, master = pty.fork()
    if pid == 0:
        os.execv(BINARY, [str(BINARY), words[0], "--config", str(server.config), *words[1:]])
    shown = b""
    for prompt, text in typed:
        while prompt not in shown:
            assert select.select([master], [], [], max(0, deadline - time.monotonic()))[0], shown
            shown += os.read(master, 4096)
        time.sleep(0.2)  # what is typed before the prompt is thrown away
        os.write(master, text)
    while True:
        if not select.select([master], [], [], max(0, deadline - time.monotonic()))[0]:
            os.kill(pid, signal.SIGKILL)
        try:
            part = os.read(master, 4096)
        except OSError:
            break
        if not part:
            break
        shown += part
    return shown.decode(), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_a_password_that_is_typed_is_not_shown(server, kept, tmp_path):
    words = ("cert", "export", "--format", "pkcs12", "--private-key", "--out", str(tmp_path / "t.p12"), kept["certificateId"])
    shown, code = on_terminal(server, [(b"Password", b"hidden word\n"), (b"Again", b"hidden word\n")], *words)
    assert code == 0 and "hidden" not in shown
    assert pkcs12.load_pkcs12((tmp_path / "t.p12").read_bytes(), b"hidden word").key
    shown, code = on_terminal(server, [(b"Password", b"one\n"), (b"Again", b"other\n")], *words)
    assert code == 1 and "not the same" in shown
    shown, code = on_terminal(server, [(b"Password", b"one\x03")], *words)
    assert code == 1 and "interrupted" in shown


@pytest.mark.parametrize("words,text", [
    (["--format", "jks"], "--format"), (["--format", "der", "--private-key"], "--private-key"), (["--format", "der", "--alias", "x"], "--alias"),
    (["--format", "pkcs12"], "--private-key"), (["--alias", "x"], "PKCS #12"),
    (["--password-env", "EXPORT_NONE"], "--private-key is missing"), (["--private-key", "--password-env", "EXPORT_NONE"], "EXPORT_NONE"),
    (["--private-key", "--password-file", "/nonexistent"], "/nonexistent"), (["--private-key", "--out", "/nonexistent/x"], "/nonexistent/x"),
    (["--private-key", "--password-file", "/dev/null"], "password")])
def test_bad_exports(server, kept, words, text):
    fails(server, text, "cert", "export", *words, kept["certificateId"])


def test_no_key_is_exported_that_is_not_kept(server, tmp_path):
    made = issue(server, "--profile", "open", "--cn", "n.example.com")
    fails(server, "does not keep", "cert", "export", "--private-key", made["certificateId"])
    fails(server, "there is no certificate", "cert", "export", "A" * 22)
    imported = foreign("alone.example.com", new_key())
    row = command(server, "cert", "import", "-", input=imported)
    assert server.run("cert", "export", row["id"], check=True).stdout.split() == imported.split()


# --- metadata

def test_metadata(server, api):
    identifier = issue(server, "--profile", "open", "--cn", "m.example.com", "--metadata", "team=web,site=a")["certificateId"]
    assert command(server, "cert", "metadata", "get", identifier) == {"team": "web", "site": "a"}
    assert server.run("cert", "metadata", "get", identifier, "site", check=True).stdout == "a\n"
    fails(server, "has no `nothing`", "cert", "metadata", "get", identifier, "nothing")
    assert command(server, "cert", "metadata", "set", identifier, "site=b=c", "owner=Ada, Bob") == {"team": "web", "site": "b=c", "owner": "Ada, Bob"}
    assert api.get(f"certificates/{identifier}")["metadata"][1] == {"key": "site", "value": "b=c"}
    assert server.run("cert", "metadata", "set", "--remove", "team,none", identifier, check=True).stdout == "site=b=c\nowner=Ada, Bob\n"
    assert command(server, "cert", "metadata", "set", "--replace", identifier, "x=") == {"x": ""}
    assert [r["id"] for r in command(server, "cert", "list", "--metadata", "x=")] == [identifier]
    told = [e for e in events(server, "certificate-changed") if e["about"]["certificate"] == identifier]
    assert len(told) == 3 and told[0]["actor"].startswith("operator ")
    before = command(server, "cert", "metadata", "get", identifier)
    for words, text in ((["novalue"], "KEY=VALUE"), (["=x"], "KEY=VALUE"), (["k" * 65 + "=x"], "metadata[0].key"), (["k=" + "v" * 513], "metadata[0].value"),
                        (["k=a\nb"], "metadata[0].value"), ([f"k{i}=x" for i in range(33)], "metadata"), ([], "--remove")):
        fails(server, text, "cert", "metadata", "set", identifier, *words)
    server.run("cert", "metadata", "set", identifier, *[f"k{i}=x" for i in range(31)], check=True)
    fails(server, "at most 32", "cert", "metadata", "set", identifier, "more=x")
    server.run("cert", "metadata", "set", "--replace", identifier, "x=", check=True)
    assert command(server, "cert", "metadata", "get", identifier) == before
    fails(server, "expected get or set", "cert", "metadata", "put", identifier)


# --- deleted, forgotten

def test_deleted_and_forgotten(server, api):
    row = command(server, "cert", "import", "-", input=foreign("gone.example.com", new_key()))
    server.run("cert", "delete", row["id"], check=True)
    fails(server, "there is no certificate", "cert", "show", row["id"])
    assert events(server, "certificate-deleted")[-1]["actor"].startswith("operator ")
    made = issue(server, "--profile", "kept", "--cn", "forget.example.com")
    fails(server, "stays in the inventory", "cert", "delete", made["certificateId"])
    server.run("key", "forget", made["serialNumber"], check=True)
    fails(server, "does not keep", "cert", "key", made["certificateId"])
    fails(server, "does not keep", "key", "forget", made["certificateId"])
    assert events(server, "private-key-deleted")[-1]["actor"].startswith("operator ")
    assert not api.get(f"certificates/{made['certificateId']}").get("keyKept")
