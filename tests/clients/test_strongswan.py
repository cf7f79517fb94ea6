"""strongSwan's pki, as Debian ships it: an EST client that sends neither User-Agent nor Accept and reads
no base64 with white space in it."""

import json
import subprocess

import pytest
from cryptography import x509

from judge import check_chain


def pki(*args, want=0):
    done = subprocess.run(["pki", *map(str, args)], capture_output=True, timeout=60)
    assert done.returncode == want, f"pki {args}\n{done.stderr.decode()}"
    return done.stdout


def code(server, *options):
    return json.loads(server.run("est-credential", "create", "--json", *options, check=True).stdout)["code"]


@pytest.fixture
def trust(server, tmp_path):
    """Options that name the chain which --estca fetched."""
    pki("--estca", "--url", server.url, "--cacert", server.root_pem, "--caout", tmp_path / "ca", "--outform", "pem")
    files = sorted(tmp_path.glob("ca*.pem"))
    assert open(server.root_pem).read() in [f.read_text() for f in files] and len(files) == 2
    return [option for f in files for option in ("--cacert", f)]


@pytest.mark.parametrize("kind,size", [("rsa", "2048"), ("ecdsa", "256")])
def test_enroll_and_renew(server, trust, kind, size, tmp_path):
    key, request, first, second = (tmp_path / n for n in ("key.pem", "req.der", "first.pem", "second.pem"))
    key.write_bytes(pki("--gen", "--type", kind, "--size", size, "--outform", "pem"))
    request.write_bytes(pki("--req", "--in", key, "--type", kind, "--dn", "CN=dev.example.com", "--san", "dev.example.com"))
    enroll = ["--est", "--url", server.url, "--in", request, *trust, "--outform", "pem"]
    first.write_bytes(pki(*enroll, "--userpass", f"device:{code(server)}"))
    second.write_bytes(pki(*enroll, "--cert", first, "--key", key))
    chain = (tmp_path / "ca.pem").read_text() + (tmp_path / "ca-1.pem").read_text()
    issuing = [p for p in chain.split("-----END CERTIFICATE-----\n") if p and p + "-----END CERTIFICATE-----\n" != open(server.root_pem).read()]
    for made in (first, second):
        check_chain(made.read_text() + issuing[0] + "-----END CERTIFICATE-----\n", server.root_pem, ["dev.example.com"])
    assert first.read_bytes() != second.read_bytes()


def test_wrong_code(server, trust, tmp_path):
    key, request = tmp_path / "key.pem", tmp_path / "req.der"
    key.write_bytes(pki("--gen", "--type", "ecdsa", "--size", "256", "--outform", "pem"))
    request.write_bytes(pki("--req", "--in", key, "--type", "ecdsa", "--dn", "CN=dev.example.com", "--san", "dev.example.com"))
    pki("--est", "--url", server.url, "--in", request, *trust, "--userpass", "device:wrong", want=1)


def online(leaf, trust):
    """What `pki --verify` finds by the URLs in the certificates, over plain HTTP: its exit status, and what it says."""
    done = subprocess.run(["pki", "--verify", "--in", str(leaf), *map(str, trust), "--online"], capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


def test_verify_online(server, trust, tmp_path):
    """OCSP for the certificate and the root's list for its CA, hold and release among it."""
    key, request, leaf = tmp_path / "key.pem", tmp_path / "req.der", tmp_path / "leaf.pem"
    key.write_bytes(pki("--gen", "--type", "ecdsa", "--size", "256", "--outform", "pem"))
    request.write_bytes(pki("--req", "--in", key, "--type", "ecdsa", "--dn", "CN=dev.example.com", "--san", "dev.example.com"))
    leaf.write_bytes(pki("--est", "--url", server.url, "--in", request, *trust, "--outform", "pem", "--userpass", f"device:{code(server)}"))
    status, text = online(leaf, trust)
    assert status == 0 and "certificate not revoked" in text and text.count("certificate status is good") == 2, text
    assert "ocsp response correctly signed" in text and 'crl correctly signed by "CN=enrolld Root CA"' in text
    serial = format(x509.load_pem_x509_certificate(leaf.read_bytes()).serial_number, "x")
    server.run("cert", "revoke", "--reason", "certificateHold", serial, check=True)
    status, text = online(leaf, trust)
    assert status != 0 and "reason: certificate hold" in text, text
    server.run("cert", "release", serial, check=True)
    assert online(leaf, trust)[0] == 0
    server.run("cert", "revoke", "--reason", "keyCompromise", serial, check=True)
    status, text = online(leaf, trust)
    assert status != 0 and "reason: key compromise" in text, text
