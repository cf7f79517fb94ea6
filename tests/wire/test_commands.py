"""The operator's commands, against a store that a running server uses and against one at rest."""

import datetime
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from acme_raw import Client, Refused
from harness import BINARY, ROOT, Server


def run(*args, **kwargs):
    return subprocess.run([BINARY, *args], capture_output=True, text=True, timeout=60, **kwargs)


def names():
    return re.findall(r"^  ([a-z-]+(?: [a-z]+)?)(?= )", run("--help").stdout, re.MULTILINE)


def test_every_command_helps():
    assert len(names()) >= 15
    for name in names():
        done = run(*name.split(), "--help")
        assert done.returncode == 0 and done.stdout.startswith(f"usage: enrolld {name} "), name
        assert "--help" in done.stdout and not done.stderr


def test_man_page_knows_every_command():
    page = (ROOT / "docs/enrolld.8").read_text()
    for name in names():
        assert re.search(r"^\.It Cm .*" + name, page, re.MULTILINE), name
        assert name in page[:page.index(".Sh DESCRIPTION")], name
        for option in re.findall(r"^  -(-[a-z0-9-]+)", run(*name.split(), "--help").stdout, re.MULTILINE):
            assert re.search(r"[|F][l ] ?" + option + r"\b", page), f"{name} -{option}"


@pytest.mark.parametrize("line,begin", [
    (("--help",), "usage: enrolld COMMAND"), (("-h",), "usage: enrolld COMMAND"), (("help",), "usage: enrolld COMMAND"),
    (("cert", "--help"), "usage: enrolld cert COMMAND"), (("help", "ca"), "usage: enrolld ca COMMAND"),
    (("cert", "revoke", "-h"), "usage: enrolld cert revoke"), (("help", "cert", "list"), "usage: enrolld cert list"),
    (("--version",), "enrolld 0"), (("-V",), "enrolld 0"),
])
def test_help_and_version_as_elsewhere(line, begin):
    done = run(*line)
    assert done.returncode == 0 and done.stdout.startswith(begin) and not done.stderr


@pytest.mark.parametrize("line,text", [
    (("eab", "create", "--name", "dns:a.example", "--name", "dns:b.example"), "stands twice, where one takes a list with commas: --name"),
    ((), "usage: enrolld COMMAND"), (("sing",), "there is no such command: sing"), (("cert",), "expected one of list, show, issue, renew"),
    (("cert", "show"), "an argument is missing"), (("cert", "list", "--frob"), "there is no such option: --frob"),
    (("serve", "--config"), "a value is missing after: --config"), (("version", "x"), "one too many"),
])
def test_wrong_line_is_exit_2(line, text):
    done = run(*line)
    assert done.returncode == 2 and text in done.stderr and not done.stdout


def test_lines_for_the_journal_have_a_priority(tmp_path):
    config = tmp_path / "c.yaml"
    config.write_text(f"data: {{folder: {tmp_path}/data}}\nlisteners: [{{address: 127.0.0.1, port: 0}}]\n")
    with open(tmp_path / "err", "w+b", buffering=0) as err:
        st = os.fstat(err.fileno())
        journal = {**os.environ, "JOURNAL_STREAM": f"{st.st_dev}:{st.st_ino}"}
        assert subprocess.run([BINARY, "serve", "--config", tmp_path / "none"], stderr=err, env=journal, timeout=20).returncode == 1
        server = subprocess.Popen([BINARY, "serve", "--init", "--config", config], stderr=err, env=journal)
        deadline = time.monotonic() + 20
        while b"event=ready" not in (tmp_path / "err").read_bytes() and time.monotonic() < deadline:
            time.sleep(0.02)
        server.terminate()
        assert server.wait(20) == 0
    first, *rest = (tmp_path / "err").read_text().splitlines()
    assert first.startswith("<3>enrolld: ") and rest and all(line.startswith("<6>time=") for line in rest)
    assert run("serve", "--config", str(tmp_path / "none"), env=journal).stderr.startswith("enrolld: ")  # a pipe is not the journal


@pytest.mark.skipif(os.geteuid() != 0, reason="files of two users take root")
def test_what_root_makes_is_the_services_to_read(tmp_path):
    """`sudo enrolld ca rekey` for a server of another user: it starts, and reloads, with what the command made."""
    service = {"user": 64321, "group": 64321, "extra_groups": []}
    home = tmp_path / "home"
    home.mkdir()
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == 0 and folder != pathlib.Path("/tmp") and str(folder).startswith(tempfile.gettempdir() + "/"):
            folder.chmod(0o711)
    os.chown(home, 64321, 64321)
    config = tmp_path / "c.yaml"
    config.write_text(f"data: {{folder: {home}/data}}\nlisteners: [{{address: 127.0.0.1, port: 0}}]\n")
    config.chmod(0o644)
    assert run("init", "--config", str(config)).returncode == 0
    assert run("ca", "rekey", "issuing", "--config", str(config)).returncode == 0
    (home / "data/lock.mdb").unlink()
    assert run("cert", "list", "--config", str(config)).returncode == 0
    made = [home / "data", *(home / "data").rglob("*")]
    assert len(made) > 12 and {path.stat().st_uid for path in made} == {64321}
    binary = tmp_path / "enrolld"
    shutil.copy(BINARY, binary)
    binary.chmod(0o755)
    done = subprocess.run([binary, "ca", "list", "--config", config], capture_output=True, text=True, timeout=20, **service)
    assert done.returncode == 0 and "issuing-2" in done.stdout, done.stderr
    os.chown(home / "data/ca/issuing.successor", 0, 0)
    done = subprocess.run([binary, "ca", "list", "--config", config], capture_output=True, text=True, timeout=20, **service)
    assert done.returncode == 1 and "Permission denied: it belongs to user 0, and this is user 64321" in done.stderr
    config.write_text(config.read_text().replace("port: 0", "port: 99"))
    os.chown(home / "data/ca/issuing.successor", 64321, 64321)
    done = subprocess.run([binary, "serve", "--config", config], capture_output=True, text=True, timeout=20, **service)
    assert done.returncode == 1 and "127.0.0.1:99: Permission denied: ports below 1024 take root or CAP_NET_BIND_SERVICE" in done.stderr
    os.chown(home / "data", 0, 0)
    done = subprocess.run([binary, "serve", "--config", config], capture_output=True, text=True, timeout=20, **service)
    assert done.returncode == 1 and f"{home}/data: Permission denied: it belongs to user 0" in done.stderr
    assert run("backup", str(tmp_path / "copy"), "--config", str(config)).returncode == 0
    assert (tmp_path / "copy/seal.key").stat().st_uid == 0
    assert run("backup", str(home / "copy"), "--config", str(config)).returncode == 0
    assert {path.stat().st_uid for path in (home / "copy").iterdir()} == {0}, "secrets that leave stay root's"


def test_every_command_of_the_pages_is_one():
    """Command and options, on every page."""
    known = {name: run(*name.split(), "--help").stdout for name in names()}
    groups = {name.split()[0] for name in known if " " in name}
    found = set()
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        for line in re.findall(r"`(?:sudo )?enrolld ([a-z][^`|;&]*)`|^    (?:sudo )?enrolld ([a-z][^#|;&\n]*)", page.read_text(), re.MULTILINE):
            words = "".join(line).split()
            name = " ".join(words[:2] if words[0] in groups else words[:1])
            if words[0] in groups and (len(words) == 1 or words[1].startswith("-")):
                continue
            assert name in known, f"{page.name}: enrolld {' '.join(words)}"
            found.add(name)
            for option in re.findall(r"(?<= )--[a-z-]+", " " + " ".join(words).replace("`", "")):
                assert option in known[name], f"{page.name}: enrolld {' '.join(words)}: {option}"
    assert len(found) > 25


def test_root_is_fetched_and_compared_as_the_page_says(tmp_path):
    lines = re.search(r"(    curl -sSk .*?)\n\n", (ROOT / "docs/coming-from.md").read_text(), re.DOTALL).group(1)
    with Server() as server:
        done = subprocess.run(["bash", "-e", "-c", lines.replace("BASE", f"https://localhost:{server.port}")], cwd=tmp_path, capture_output=True, text=True, timeout=30)
        told = done.stdout.partition("=")[2].strip().replace(":", "").lower()
        assert len(told) == 64 and f"SHA-256    {told}\n" in server.run("ca", "show", "root").stdout


@pytest.mark.parametrize("line,text", [
    (("cert", "revoke", "AA", "--reason", "lost"), "--reason: RFC 5280, 5.3.1 has no `lost`: expected unspecified, keyCompromise, cACompromise"),
    (("token", "create", "--role", "read,boss"), "--role: there is no role boss: expected some of issue, read, revoke, approve, key, admin"),
])
def test_a_word_that_there_is_not_is_told_with_those_that_there_are(tmp_path, line, text):
    config = tmp_path / "c.yaml"
    config.write_text(f"data: {{folder: {tmp_path}/data}}\n")
    assert run("init", "--config", str(config)).returncode == 0
    done = run(*line, "--config", str(config))
    assert done.returncode == 1 and text in done.stderr and not done.stdout


def test_version_and_routes_need_no_configuration():
    assert re.fullmatch(r"enrolld \d+\.\d+\.\d+\n", run("version").stdout)
    assert {"version", "openssl"} <= json.loads(run("version", "--json").stdout).keys()
    routes = json.loads(run("routes", "--json").stdout)
    assert {r["wing"] for r in routes} == {"acme", "api", "est", "ca", "revocation", "status"}
    assert all(r["rfc"] and r["path"].startswith("/") for r in routes)
    assert len(run("routes").stdout.splitlines()) == len(routes)


POLICY = """
data: {{folder: {0}}}
policies:
- name: corp
  subject: {{cn: {{required: ["{{identity}}"]}}, o: {{allow: [Example]}}}}
  san: {{dns: {{allow: ["*.{{account}}.example.com"]}}}}
  keys: [ec-p256]
  signatures: [ecdsa-sha256]
  key_usage: {{required: [digitalSignature]}}
  extended_key_usage: {{required: [clientAuth]}}
  validity_max: 30d
profiles:
- {{name: web}}
- {{name: dev, policy: corp, methods: [api]}}
"""


def csr_of(path, subject, names):
    subprocess.run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                    path.with_suffix(".key"), "-subj", subject, "-addext", f"subjectAltName={names}", "-out", path],
                   check=True, capture_output=True)
    return path


def test_policy_test(tmp_path):
    config = tmp_path / "c.yaml"
    config.write_text(POLICY.format(tmp_path / "data"))
    line = ("policy", "test", "--config", config)
    good = csr_of(tmp_path / "good.csr", "/CN=ada/O=Example", "DNS:www.x7.example.com")
    bad = csr_of(tmp_path / "bad.csr", "/CN=bob/O=Other/OU=x", "DNS:www.x8.example.com,IP:10.0.0.1")
    who = ("--profile", "dev", "--identity", "ada", "--account", "x7")
    done = run(*line, *who, good)
    assert done.returncode == 0 and "BROKEN" not in done.stdout and 'held    subject.cn required "ada"' in done.stdout
    assert "unknown issuer-allows, issuer-ready\n" in done.stdout and "held    issuer-allows" not in done.stdout # there is no CA yet
    done = run(*line, *who, "--json", bad)
    report = json.loads(done.stdout)
    assert done.returncode == 1 and report["approved"] is False and report["policy"] == "corp" and "no CA" in report["issuerUnknown"]
    assert "--renews: there is no" in run(*line, *who, "--renews", "nothing", good).stderr
    broken = [(v["field"], v["rule"], v["value"], v["text"]) for v in report["verdicts"] if not v["held"]]
    assert broken == [
        ("subject.cn", "allow", "bob", "common_name value does not match allowed patterns"),
        ("subject.cn", "required", "{identity}", "Missing required common_name attribute"),
        ("subject.o", "allow", "Other", "organization value does not match allowed patterns"),
        ("subject.ou", "unlisted", "x", "organizational_unit attribute is not allowed by template policy"),
        ("san.dns", "allow", "www.x8.example.com", "DNS SAN value does not match allowed patterns"),
        ("san.ip", "unlisted", "10.0.0.1", "IP SAN is not allowed by template policy"),
    ]
    assert [r["rule"] for r in report["rules"] if not r["held"]] == ["names-allowed", "common-name-named", "subject-plain"]
    assert run(*line, "--profile", "dev", good).returncode == 1  # for nobody the bound patterns match nothing
    assert json.loads(run(*line, "--json", good).stdout)["method"] == "api"
    over_acme = run(*line, "--method", "acme", good)
    assert over_acme.returncode == 1 and "the CSR's subject has O, which nothing has proven" in over_acme.stdout
    assert {"device", "corp"} <= {p["name"] for p in json.loads(run("policy", "list", "--json", "--config", config).stdout)}


def test_policy_test_of_no_csr(tmp_path):
    config, file = tmp_path / "c.yaml", tmp_path / "x"
    config.write_text(POLICY.format(tmp_path / "data"))
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                    tmp_path / "key", "-subj", "/CN=x", "-out", tmp_path / "pem"], check=True, capture_output=True)
    for content, text in ((b"", "CSR cannot be empty"), (b" \n", "CSR cannot be empty"), (b"hello", "neither DER nor between"),
                          ((tmp_path / "pem").read_bytes(), "Self-signed certificates are not supported for CSR signing")):
        file.write_bytes(content)
        done = run("policy", "test", "--config", config, file)
        assert done.returncode == 1 and text in done.stderr and not done.stdout
    assert "there is no profile" in run("policy", "test", "--config", config, "--profile", "none", file).stderr


def test_check_config(tmp_path):
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text("acme: {http_01: {port: 5002}}\n")
    bad.write_text("acme:\n  http_01:\n    port: many\n")
    assert run("check-config", good).stdout == f"{good}: good\n"
    assert json.loads(run("check-config", "--json", good).stdout)["listeners"] == 2
    for command in (("check-config", bad), ("check-config", "--config", bad), ("serve", "--config", bad), ("cert", "list", "--config", bad)):
        done = run(*command)
        assert done.returncode == 1
        assert done.stderr == f"enrolld: {bad}:3:5: key `acme.http_01.port`: expected a number from 1 to 65535, got `many`\n"
    missing = run("check-config", tmp_path / "none.yaml")
    assert missing.returncode == 1 and f"{tmp_path}/none.yaml: No such file or directory" in missing.stderr


def pair(folder, name, begins=-1, ends=1, by=None, key=None):
    """A certificate, days from now, and its key, which is made unless it is given; below `by` or itself. Returns both."""
    own = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (x509.CertificateBuilder().subject_name(subject).issuer_name(by[0].subject if by else subject).public_key(own.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now + datetime.timedelta(days=begins))
            .not_valid_after(now + datetime.timedelta(days=ends)).sign(by[1] if by else own, hashes.SHA256()))
    (folder / f"{name}.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / f"{name}.key").write_bytes(own.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                                           serialization.NoEncryption()))
    return made, own


@pytest.fixture(scope="module")
def at_rest(tmp_path_factory):
    """A folder with everything, its server not started; and in it files for a configuration to name."""
    server = Server()
    folder = server.folder
    root = pair(folder, "root")
    pair(folder, "good", by=root)
    pair(folder, "ended", begins=-3, ends=-1)
    pair(folder, "early", begins=1, ends=3)
    pair(folder, "strange")
    (folder / "chain.pem").write_text((folder / "good.pem").read_text() + (folder / "root.pem").read_text())
    (folder / "chain.key").write_text((folder / "good.key").read_text())
    (folder / "parted.pem").write_text((folder / "good.pem").read_text() + (folder / "strange.pem").read_text())
    (folder / "parted.key").write_text((folder / "good.key").read_text())
    (folder / "cut.pem").write_text((folder / "chain.pem").read_text()[:-60])
    (folder / "cut.key").write_text((folder / "good.key").read_text())
    for name, text in (("words", "words\n"), ("short", "short\n"), ("secret", "s" * 40 + "\n"), ("hex", "00" * 16 + "\n")):
        (folder / name).write_text(text)
        (folder / name).chmod(0o600)
    yield server
    server.close()


def own_files(certificate, key):
    return lambda f: {"tls": {"certificate": f"{f}/{certificate}", "key": f"{f}/{key}"}}


def manufacturers(*files):
    return lambda f: {"est": {"authentication": [{"name": f"a{i}", "labels": [""] if i else [], "methods": ["manufacturer"], "manufacturers": [f"{f}/{file}"]}
                                                 for i, file in enumerate(files)]}}


def hooks(*secrets):
    return lambda f: {"webhooks": [{"name": f"w{i}", "url": "https://hooks.example.com/", "secret": {"file": f"{f}/{secret}"}}
                                   for i, secret in enumerate(secrets)]}


FAULTS = { # what is written: the key, words, and whether a server starts with it all the same
    "no certificate": (own_files("none.pem", "good.key"), "tls.certificate", "No such file", False),
    "no key": (own_files("good.pem", "none.key"), "tls.key", "No such file", False),
    "another's key": (own_files("good.pem", "root.key"), "tls.key", "not the key of the certificate", False),
    "a certificate is no key": (own_files("good.pem", "good.pem"), "tls.key", "private key", False),
    "a key is no certificate": (own_files("good.key", "good.key"), "tls.certificate", "number 1 is none", False),
    "a chain that is cut": (own_files("cut.pem", "cut.key"), "tls.certificate", "number 2 is none", False),
    "a chain of strangers": (own_files("parted.pem", "parted.key"), "tls.certificate", "certificate 2 did not sign the one before it", True),
    "one that has ended": (own_files("ended.pem", "ended.key"), "tls.certificate", "certificate 1 ended at 20", True),
    "one that is to begin": (own_files("early.pem", "early.key"), "tls.certificate", "certificate 1 begins at 20", True),
    "block list": (lambda f: {"key_blocklists": [f"{f}/none"]}, "key_blocklists[0]", "No such file", False),
    "manufacturer": (manufacturers("root.pem", "words"), "est.authentication[1].manufacturers", "number 1 is none", False),
    "wrapping key": (lambda f: {"est": {"wrapping_keys": [{"id": "a", "file": f"{f}/hex"}, {"id": "b", "file": f"{f}/words"}]}},
                     "est.wrapping_keys[1].file", "in hexadecimal", False),
    "wrapping certificate": (lambda f: {"est": {"wrapping_certificates": [f"{f}/words"]}}, "est.wrapping_certificates[0]", "in PEM", False),
    "wrapping certificates that are cut": (lambda f: {"est": {"wrapping_certificates": [f"{f}/cut.pem"]}}, "est.wrapping_certificates[0]",
                                           "number 2 is none", False),
    "attestation": (lambda f: {"acme": {"device_attest_01": {"formats": [{"format": "tpm", "roots": [f"{f}/none"]}]}}},
                    "acme.device_attest_01.formats[0].roots", "No such file", False),
    "trust anchor": (lambda f: {"acme": {"dns": {"trust_anchors": [f"{f}/none"]}}}, "acme.dns.trust_anchors[0]", "No such file", None),
    "bundle": (lambda f: {"webhook": {"ca_bundle": f"{f}/words"}}, "webhook.ca_bundle", "in PEM", None),
    "webhook's secret": (hooks("secret", "short"), "webhooks[1].secret", "webhook w1: its secret", False),
    "issuer": (lambda f: {"ca": {"issuers": ["issuing", "other"]}}, "ca.issuers", "other.pem: there is no CA of this name", False),
    "passphrase": (lambda f: {"ca": {"passphrase": {"file": f"{f}/none"}}}, "ca.passphrase", "No such file", False),
    "another passphrase": (lambda f: {"ca": {"passphrase": {"file": f"{f}/secret"}}}, "ca.issuers", "passphrase", False),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_check_config_finds_what_a_start_would(at_rest, fault):
    config, key, words, starts = FAULTS[fault]
    at_rest.write_config(config(at_rest.folder))
    done = at_rest.run("check-config")
    assert done.returncode == 1 and not done.stdout
    said = re.fullmatch(rf"enrolld: {re.escape(str(at_rest.config))}:(\d+):(\d+): key `{re.escape(key)}`: (.*)\n", done.stderr)
    assert said and words in said[3], done.stderr
    line = at_rest.config.read_text().splitlines()[int(said[1]) - 1] # the key's, the row's, or what encloses it where it is not there
    assert key.endswith("]") or any(f'"{part}"' in line for part in key.split(".")), line
    if starts is False:
        done = at_rest.run("serve")
        assert done.returncode == 1 and words in done.stderr, done.stderr
    elif starts: # it serves more than that certificate is for, and says so
        with subprocess.Popen([BINARY, "serve", "--config", at_rest.config], stderr=subprocess.PIPE, text=True) as process:
            said = ""
            while "event=ready" not in said and (line := process.stderr.readline()):
                said += line
            process.terminate()
        assert "event=ready" in said and words in said and process.returncode == 0, said


def everything_in(folder):
    return {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in sorted(folder.rglob("*")) if p.is_file()}


def test_check_config_changes_nothing(at_rest):
    at_rest.write_config({**own_files("chain.pem", "chain.key")(at_rest.folder), **manufacturers("root.pem")(at_rest.folder), **hooks("secret")(at_rest.folder)})
    before = everything_in(at_rest.folder)
    done = at_rest.run("check-config")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{at_rest.config}: good\n", "")
    assert everything_in(at_rest.folder) == before


def test_check_config_says_what_it_did_not_look_at(at_rest, tmp_path):
    """What the service alone is given, and a CA that there is not yet."""
    at_rest.write_config({"ca": {"passphrase": {"environment": "PASSPHRASE_OF_NOBODY"}}})
    done = at_rest.run("check-config")
    assert done.returncode == 0 and "not looked at: ca: its passphrase is given to the service alone" in done.stderr
    passphrase = (at_rest.folder / "data/ca/passphrase").read_text().rstrip("\n")
    for value, good in ((passphrase, True), ("wrong" * 8, False)):
        done = at_rest.run("check-config", env={**os.environ, "PASSPHRASE_OF_NOBODY": value})
        assert (done.returncode == 0) == good and "not looked at" not in done.stderr
    at_rest.write_config({"webhooks": [{"name": "w", "url": "https://hooks.example.com/", "secret": {"credential": "w"}}],
                          "data": {"folder": str(tmp_path / "none")}})
    done = at_rest.run("check-config", "--json")
    assert done.returncode == 0 and not done.stderr
    assert [line.split(":")[0] for line in json.loads(done.stdout)["notLookedAt"]] == ["ca", "webhooks[0].secret"]


def test_shipped_example_is_good():
    assert run("check-config", ROOT / "deploy/enrolld.yaml").returncode == 0
    assert run("check-config", "--print-example").stdout == (ROOT / "deploy/enrolld.yaml").read_text()
    assert run("check-config", "--print-reference").stdout == (ROOT / "docs/configuration.md").read_text()


@pytest.fixture(scope="module")
def issued(server):
    """A client of the shared server with one certificate."""
    from harness import ChallengeServer
    client = Client(server)
    client.register(contact=["mailto:operator@example.com"])
    with ChallengeServer(server.http01_port) as web:
        chain, url = client.issue(["inventory.example.com", "second.example.com"], web)
    return client, url.rsplit("/", 1)[-1]


def answer(server, *args):
    return json.loads(server.run(*args, "--json", check=True).stdout)


def test_certificate_is_in_the_inventory(server, issued):
    client, identifier = issued
    shown = answer(server, "cert", "show", identifier)
    assert {(n["type"], n["value"]) for n in shown["names"]} >= {("dns", "inventory.example.com"), ("dns", "second.example.com")}
    assert shown["method"] == "acme" and shown["account"] == client.kid.rsplit("/", 1)[-1]
    assert shown["status"] == "valid" and shown["profile"] == "tls-server" and shown["issuer"] == "issuing"
    judged = subprocess.run(["openssl", "x509", "-noout", "-serial", "-fingerprint", "-sha256"], input=shown["pem"], text=True,
                            capture_output=True, check=True).stdout
    serial = re.search(r"serial=(\w+)", judged)[1]
    fingerprint = re.search(r"Fingerprint=(\S+)", judged)[1]
    for way in (serial, serial.lower(), fingerprint, fingerprint.replace(":", "").lower()):
        assert answer(server, "cert", "show", way)["id"] == identifier
    listed = answer(server, "cert", "list", "--name", "dns:second.example.com")
    assert [c["id"] for c in listed] == [identifier]
    assert identifier in server.run("cert", "list", "--profile", "tls-server", check=True).stdout


def test_listing_is_longer_than_a_page(server):
    for _ in range(205):
        server.run("eab", "create", check=True)
    kids = [key["kid"] for key in answer(server, "eab", "list")]
    assert len(kids) >= 205 and len(set(kids)) == len(kids)


def test_revocation_is_seen_by_the_server_at_once(server, issued):
    client, identifier = issued
    done = answer(server, "cert", "revoke", identifier, "--reason", "superseded")
    assert done["status"] == "revoked" and done["reason"] == "superseded" and done["revokedBy"].startswith("operator ")
    again = server.run("cert", "revoke", identifier)
    assert again.returncode == 1 and "already" in again.stderr
    with pytest.raises(Refused) as caught:
        import base64
        pem = answer(server, "cert", "show", identifier)["pem"]
        der = base64.b64decode("".join(pem.splitlines()[1:-1]))
        client.post(client.directory["revokeCert"], {"certificate": base64.urlsafe_b64encode(der).rstrip(b"=").decode()})
    assert caught.value.type == "alreadyRevoked"


def test_deactivated_account_is_out_at_once(server):
    client = Client(server)
    client.register()
    url, order = client.order(["pending.example.com"])
    identifier = client.kid.rsplit("/", 1)[-1]
    assert answer(server, "account", "show", identifier)["status"] == "valid"
    assert answer(server, "account", "deactivate", identifier)["status"] == "deactivated"
    for attempt in (lambda: client.post(url), lambda: client.order(["other.example.com"])):
        with pytest.raises(Refused) as caught:
            attempt()
        assert caught.value.type == "unauthorized"
    again = server.run("account", "deactivate", identifier)
    assert again.returncode == 1 and "deactivated already" in again.stderr


def test_orders_are_listed_shown_and_ended(server):
    client = Client(server)
    client.register()
    account = client.kid.rsplit("/", 1)[-1]
    urls = [client.order([f"order{i}.example.com"])[0] for i in range(3)]
    ids = [u.rsplit("/", 1)[-1] for u in urls]
    listed = [o["id"] for o in answer(server, "order", "list", "--account", account)]
    assert sorted(listed) == sorted(ids)  # those of one moment stand in any order, but always in the same
    assert [o["id"] for o in answer(server, "order", "list", "--account", account, "--limit", "2")] == listed[:2]
    shown = answer(server, "order", "show", ids[1])
    assert (shown["account"], shown["status"]) == (account, "pending")
    assert shown["identifiers"] == [{"type": "dns", "value": "order1.example.com"}]
    text = server.run("order", "list", "--account", account, check=True).stdout
    assert text.startswith("ID ") and ids[2] in text and "dns:order2.example.com" in text
    assert "order1.example.com" in server.run("order", "show", ids[1], check=True).stdout
    ended = answer(server, "order", "cancel", ids[1])
    assert ended["status"] == "invalid" and "operator" in ended["error"]["detail"]
    assert client.post(urls[1]).json()["status"] == "invalid"
    assert "operator" in client.post(urls[1]).json()["error"]["detail"]
    assert [o["id"] for o in answer(server, "order", "list", "--account", account, "--status", "pending")] == [i for i in listed if i != ids[1]]
    assert [o["id"] for o in answer(server, "order", "list", "--account", account, "--status", "invalid")] == [ids[1]]
    assert answer(server, "order", "list", "--account", account, "--auto-renewal") == []
    again = server.run("order", "cancel", ids[1])
    assert again.returncode == 1 and "invalid already" in again.stderr
    assert "no order" in server.run("order", "show", "nonsense").stderr
    assert "--status" in server.run("order", "list", "--status", "odd").stderr
    told = answer(server, "audit", "list", "--kind", "order-canceled")[-1]
    assert told["about"]["order"] == ids[1] and told["actor"].startswith("operator ")


def test_backup_of_a_live_store_can_be_served(server, issued, tmp_path):
    _, identifier = issued
    copy = tmp_path / "copy"
    server.run("backup", str(copy), check=True)
    assert sorted(p.name for p in copy.iterdir()) == ["data.mdb", "seal.key"]
    assert all(p.stat().st_mode & 0o077 == 0 for p in [copy, *copy.iterdir()])
    refused = server.run("backup", str(copy))
    assert refused.returncode == 1 and "not empty" in refused.stderr
    # Restored: the copy and the CA's folder, in a new place.
    restored = Server(folder=None)
    try:
        data = restored.folder / "data"
        for path in data.iterdir():
            if path.is_file():
                path.unlink()
        for path in copy.iterdir():
            shutil.copy2(path, data / path.name)
        for path in (server.folder / "data/ca").iterdir():
            shutil.copy2(path, data / "ca" / path.name)
        restored.start()
        assert answer(restored, "cert", "show", identifier)["id"] == identifier
        client = Client(restored)
        client.register()
    finally:
        restored.close()


def test_commands_at_rest():
    server = Server()
    try:
        made = answer(server, "eab", "create", "--note", "rest")
        assert [k["kid"] for k in answer(server, "eab", "list")] == [made["kid"]]
        assert {row["profile"] for row in answer(server, "cert", "list")} == {"ca"} and answer(server, "account", "list") == []
        again = server.run("init")
        assert again.returncode == 1 and "are there already" in again.stderr
    finally:
        server.close()


def test_store_that_is_not_there(tmp_path):
    config = tmp_path / "c.yaml"
    config.write_text(json.dumps({"data": {"folder": str(tmp_path / "none")}}))
    for command in (("cert", "list"), ("serve",), ("eab", "create"), ("backup", str(tmp_path / "b"))):
        done = run(*command, "--config", config)
        assert done.returncode == 1 and "run `enrolld init` first" in done.stderr, command
        assert not (tmp_path / "none").exists()


def test_every_command_has_help_and_json(server):
    """But for the server itself, and what prints a key or lines of JSON in any case."""
    names = re.findall(r"^  ([a-z][a-z -]*?)(?: [A-Z\[].*?)?  ", subprocess.run([BINARY, "--help"], capture_output=True, text=True).stdout, re.M)
    assert len(names) > 50 and {"cert release", "webhook revoke"} <= set(names)
    plain = {name for name in names if "--json" not in subprocess.run([BINARY, *name.split(), "--help"], capture_output=True, text=True,
                                                                      check=True).stdout}
    assert plain == {"serve", "cert export", "cert key", "cert delete", "key forget", "audit export"}


def test_json_of_commands_that_end_something(server):
    hook = answer(server, "webhook", "create", "https://hooks.example/x")["id"]
    assert answer(server, "webhook", "revoke", hook) == {"id": hook, "status": "revoked"}
    assert answer(server, "key", "reseal") == {"sealed": 0, "unchanged": 0}


PRESETS = ["tls-server", "tls-client", "dual-purpose", "device", "user", "email-protection", "code-signing", "intermediate-ca"]


@pytest.mark.parametrize("name", PRESETS)
def test_policy_show_is_the_beginning_of_ones_own(tmp_path, name):
    config = tmp_path / "c.yaml"
    config.write_text(f"data: {{folder: {tmp_path / 'data'}}}\n")
    shown = run("policy", "show", "--config", config, name)
    assert shown.returncode == 0, shown.stderr
    own = shown.stdout.replace(f'"name": "{name}"', '"name": "own"')
    assert own != shown.stdout
    usages = json.loads(run("policy", "show", "--json", "--config", config, name).stdout).get("extended_key_usage", {}).get("required")
    profile = {"name": "x", "policy": "own", "methods": ["api"], **({"extended_key_usage": usages} if usages else {})}
    config.write_text(f"data: {{folder: {tmp_path / 'data'}}}\npolicies:\n{own}profiles: [{json.dumps(profile)}]\n")
    good = run("check-config", config)
    assert good.returncode == 0, good.stderr
    again = run("policy", "show", "--config", config, "own")
    assert again.stdout == own
    assert json.loads(run("policy", "show", "--json", "--config", config, "own").stdout)["name"] == "own"


def test_policy_show_of_none(tmp_path):
    config = tmp_path / "c.yaml"
    config.write_text(f"data: {{folder: {tmp_path / 'data'}}}\n")
    done = run("policy", "show", "--config", config, "none")
    assert done.returncode == 1 and "there is no policy none" in done.stderr


@pytest.mark.parametrize("identity", ["", "*", "a*", "{account}", "a\nb", "a\x7f", "x" * 129])
def test_a_token_for_nobody_that_could_be(tmp_path, identity):
    config = tmp_path / "c.yaml"
    config.write_text(f"data: {{folder: {tmp_path / 'data'}}}\n")
    done = run("token", "create", "--config", config, "--role", "issue", "--identity", identity)
    assert done.returncode == 1 and "--identity: expected 1 to 128 bytes" in done.stderr and not (tmp_path / "data" / "data.mdb").exists()


@pytest.mark.parametrize("line", [
    ["token", "create", "--role", "issue", "--name", ""], ["token", "create", "--role", "issue", "--profile", "tls-server,"],
    ["eab", "create", "--authorize", ""], ["est-credential", "create", "--name", ""], ["ca", "csr", "x", "--permit", ""],
    ["webhook", "create", "http://hooks.example/", "--profile", ""],
], ids=lambda line: " ".join(line[:2]))
def test_an_empty_list_lifts_no_limit(tmp_path, line):
    """A shell's variable that is not set: `--name "$NAMES"` must not make a token for every name."""
    config = tmp_path / "c.yaml"
    config.write_text(f"data: {{folder: {tmp_path / 'data'}}}\n")
    refused = run(*line, "--config", config)
    assert refused.returncode == 2 and f"an entry of this list is empty: {line[-2]}" in refused.stderr, refused.stderr
