"""acme-tiny, as Debian ships it, and with it the embedded clients that derive from it."""

import subprocess

from client import run
from harness import ChallengeServer
from judge import check_chain


def openssl(*args):
    subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True)


def test_issue(server, tmp_path):
    web = tmp_path / "web"
    web.mkdir()
    openssl("genrsa", "-traditional", "-out", tmp_path / "account.key", "2048")
    openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", tmp_path / "key",
            "-subj", "/", "-addext", "subjectAltName=DNS:tiny.example.com,DNS:tiny2.example.com", "-out", tmp_path / "csr")
    with ChallengeServer(server.http01_port, folder=web):
        done = run(server, "acme-tiny", "--account-key", tmp_path / "account.key", "--csr", tmp_path / "csr", "--acme-dir", web,
                   "--directory-url", server.directory, "--disable-check", "--contact", "mailto:tiny@example.com")
    check_chain(done.stdout, server.root_pem, ["tiny.example.com", "tiny2.example.com"])
