"""globalsign's estclient (a Go module), which sends its requests in chunks: `make interop` builds it where there is Go."""

import os
import pathlib
import subprocess
import sys

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests/wire"))

from harness import Server  # noqa: E402
from test_est import credential, inventory, names_of  # noqa: E402

CLIENT = pathlib.Path(os.environ.get("INTEROP_ESTCLIENT", ROOT / "build/interop/bin/estclient"))
pytestmark = pytest.mark.skipif(not CLIENT.exists(), reason="globalsign's estclient is not there: it is built where there is Go")
NAMES = ["-cn", "a.example.com", "-dnsnames", "a.example.com"]


@pytest.fixture(scope="module")
def server():
    profiles = [{"name": "tls-server"}, {"name": "made", "est": {"server_keys": ["ec-p256"], "csr_oids": ["serialNumber"]}}, {"name": "asked", "approvals": 1},
                {"name": "extensions", "est": {"csr_attributes": "extensions"}}, {"name": "template", "est": {"csr_attributes": "template"}}]
    with Server({"profiles": profiles, "est": {"labels": [{"label": "a/b/c", "profile": "tls-server"}]}}) as running:
        yield running


def ask(server, *args):
    return subprocess.run([CLIENT, args[0], "-server", f"localhost:{server.port}", "-explicit", server.root_pem, *map(str, args[1:])],
                          capture_output=True, text=True, timeout=60)


def client(server, *args):
    done = ask(server, *args)
    assert done.returncode == 0, done.stderr
    return done.stdout


def basic(server, profile="tls-server"):
    return ["-user", "device", "-pass", credential(server, "--profile", profile)["code"]]


@pytest.fixture(params=["ec", "rsa"])
def key(request, tmp_path):
    kind = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"] if request.param == "ec" else ["-algorithm", "RSA"]
    subprocess.run(["openssl", "genpkey", *kind, "-out", tmp_path / "key.pem"], check=True, capture_output=True)
    return tmp_path / "key.pem"


@pytest.mark.parametrize("label", [[], ["-aps", "made"], ["-aps", "a/b/c"]])
def test_cacerts(server, label):
    assert client(server, "cacerts", *label).count("BEGIN CERTIFICATE") == 2


@pytest.mark.parametrize("label,says", [([], ""), (["-aps", "made"], "2.5.4.5"), (["-aps", "extensions"], "1.2.840.113549.1.9.14"),
                                        (["-aps", "template"], "1.2.840.113549.1.9.16.2.61")])
def test_csrattrs(server, label, says):
    assert says in client(server, "csrattrs", *label)


@pytest.mark.parametrize("label", [[], ["-aps", "a/b/c"]])
def test_enroll_and_renew(server, label, key, tmp_path):
    client(server, "enroll", *label, "-key", key, *NAMES, *basic(server), "-out", tmp_path / "cert.pem")
    first = x509.load_pem_x509_certificate((tmp_path / "cert.pem").read_bytes())
    assert names_of(first) == ["a.example.com"]
    client(server, "reenroll", *label, "-key", key, "-certs", tmp_path / "cert.pem", "-out", tmp_path / "next.pem")
    second = x509.load_pem_x509_certificate((tmp_path / "next.pem").read_bytes())
    rows = {int(row["serial"], 16): row for row in inventory(server)}
    assert rows[second.serial_number]["replaces"] == rows[first.serial_number]["id"]
    client(server, "enroll", *label, "-key", key, "-certs", tmp_path / "next.pem", *NAMES, "-out", tmp_path / "third.pem")


def test_serverkeygen(server, key, tmp_path):
    client(server, "serverkeygen", "-aps", "made", "-key", key, *NAMES, *basic(server, "made"), "-out", tmp_path / "cert.pem", "-keyout", tmp_path / "made.pem")
    made = serialization.load_pem_private_key((tmp_path / "made.pem").read_bytes(), None)
    cert = x509.load_pem_x509_certificate((tmp_path / "cert.pem").read_bytes())
    assert made.public_key().public_numbers() == cert.public_key().public_numbers()


def test_refusals_are_shown(server, key):
    for options, says in (([], "client certificate"), (["-user", "device", "-pass", "wrong"], "password"), ([*basic(server, "asked"), "-aps", "asked"], "approval"),
                          (["-aps", "none", *basic(server)], "404")):
        done = ask(server, "enroll", "-key", key, *NAMES, *options)
        assert done.returncode != 0 and (says in done.stderr or "no label" in done.stderr), done.stderr
