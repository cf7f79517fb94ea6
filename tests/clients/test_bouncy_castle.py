"""Bouncy Castle's EST client, as Debian ships it (libbcpkix-java), by a small program of ours: Java's and Android's EST, Eclipse Kura's
among them. It decodes base64 only where Content-Transfer-Encoding says so, and demands a Content-Length."""

import json
import pathlib
import re
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12

from harness import Server
from judge import check_chain

PROGRAM = pathlib.Path(__file__).parent / "BouncyCastleEst.java"
JARS = ":".join(f"/usr/share/java/{name}.jar" for name in ("bcprov", "bcutil", "bcpkix"))


@pytest.fixture(scope="module")
def est():
    profiles = [{"name": "tls-server"}, {"name": "asked", "approvals": 1}, {"name": "p384", "keys": ["ec-p384"]}]
    with Server({"profiles": profiles}) as running:
        yield running


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    folder = tmp_path_factory.mktemp("java")
    subprocess.run(["javac", "-cp", JARS, "-d", folder, PROGRAM], check=True, capture_output=True)

    def run(server, operation, label, *more, name="dev.example.com", want=0):
        done = subprocess.run(["java", "-cp", f"{JARS}:{folder}", "BouncyCastleEst", operation, f"localhost:{server.port}", server.root_pem, label, name,
                               *map(str, more)], capture_output=True, text=True, timeout=120)
        assert done.returncode == want, done.stdout + done.stderr
        return done.stdout
    return run


def code(server, profile="tls-server"):
    return json.loads(server.run("est-credential", "create", "--profile", profile, "--uses", "any", "--json", check=True).stdout)["code"]


def certificates(text):
    blocks = re.findall(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", text, re.DOTALL)
    return [x509.load_pem_x509_certificate(block.encode()) for block in blocks]


def test_cacerts_and_csrattrs(est, program):
    found = certificates(program(est, "cacerts", "-"))
    assert len(found) == 2 and x509.load_pem_x509_certificate(open(est.root_pem, "rb").read()) in found
    assert program(est, "csrattrs", "-").strip() == "none"
    assert "1.2.840.10045.2.1" in program(est, "csrattrs", "p384")


def test_enroll_and_renew(est, program, tmp_path):
    first = program(est, "enroll", "tls-server", "device", code(est))
    issuing = next(c for c in certificates(program(est, "cacerts", "-")) if c.subject != c.issuer).public_bytes(serialization.Encoding.PEM).decode()
    check_chain(first + issuing, est.root_pem, ["dev.example.com"])
    # The program's keys end with it, so the renewal is of a certificate that we asked for.
    key = ec.generate_private_key(ec.SECP256R1())
    csr = (x509.CertificateSigningRequestBuilder().subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "dev.example.com")]))
           .add_extension(x509.SubjectAlternativeName([x509.DNSName("dev.example.com")]), False).sign(key, hashes.SHA256()))
    done = subprocess.run(["curl", "-sS", "--cacert", est.root_pem, "-u", f"x:{code(est)}", "-H", "Content-Type: application/pkcs10", "--data-binary", "@-",
                           f"{est.url}/.well-known/est/simpleenroll"], input=csr.public_bytes(serialization.Encoding.DER), capture_output=True, check=True)
    pem = subprocess.run("base64 -d | openssl pkcs7 -inform DER -print_certs", shell=True, input=done.stdout, capture_output=True, check=True).stdout
    old, = certificates(pem.decode())
    (tmp_path / "d.p12").write_bytes(pkcs12.serialize_key_and_certificates(b"device", key, old, None, serialization.BestAvailableEncryption(b"secret")))
    new, = certificates(program(est, "reenroll", "-", tmp_path / "d.p12", "secret"))
    assert new.subject == old.subject and new.serial_number != old.serial_number
    assert "refused 403" in program(est, "reenroll", "-", tmp_path / "d.p12", "secret", name="other.example.com", want=1)


def test_approval_and_refusals(est, program):
    assert program(est, "enroll", "asked", "device", code(est, "asked")).split() in (["waits", "59"], ["waits", "60"])
    assert "refused 401" in program(est, "enroll", "-", "device", "wrong", want=1)
    assert "refused 404" in program(est, "enroll", "nowhere", "device", code(est), want=1)
