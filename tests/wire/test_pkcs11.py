"""CA keys in a PKCS#11 token: SoftHSM 2, found by its module, used by a server under load, lost and found."""

import concurrent.futures
import os
import pathlib
import subprocess
import time

import pytest
from cryptography import x509

from acme_raw import Client, Refused
from harness import BINARY, ChallengeServer, Server
from judge import pem_list

MODULE = "/usr/lib/softhsm/libsofthsm2.so"


@pytest.fixture
def token(tmp_path, monkeypatch):
    folder = tmp_path / "tokens"
    folder.mkdir()
    (tmp_path / "softhsm2.conf").write_text(f"directories.tokendir = {folder}\nobjectstore.backend = file\nlog.level = ERROR\n")
    monkeypatch.setenv("SOFTHSM2_CONF", str(tmp_path / "softhsm2.conf"))

    def tool(*args):
        done = subprocess.run([str(a) for a in args], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
    tool("softhsm2-util", "--init-token", "--free", "--label", "our CA", "--pin", "1234", "--so-pin", "4321")
    for number, (label, kind) in enumerate((("root", "EC:secp384r1"), ("issuing", "EC:prime256v1"), ("rsa", "rsa:3072")), 1):
        tool("pkcs11-tool", "--module", MODULE, "--token-label", "our CA", "--login", "--pin", "1234", "--keypairgen", "--key-type", kind,
             "--label", label, "--id", f"0{number}")
    pin = tmp_path / "pin"
    pin.write_text("1234\n")
    pin.chmod(0o600)
    return folder


def settings(token, **pin):
    return {"root_key_uri": "pkcs11:token=our%20CA;object=root", "issuing_key_uri": "pkcs11:token=our%20CA;id=%02",
            "pkcs11": {"module": MODULE, "pin": pin or {"file": str(token.parent / "pin")}}}


def issue(client, server, name):
    with ChallengeServer(server.http01_port) as web:
        return client.issue([name], web)[0]


def check(server, chain, folder):
    path = folder / "chain.pem"
    path.write_text(chain)
    done = subprocess.run(["openssl", "verify", "-x509_strict", "-CAfile", server.root_pem, "-untrusted", path, path],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_ca_in_a_token_issues(token, tmp_path):
    with Server({"ca": settings(token)}) as server:
        folder = pathlib.Path(server.root_pem).parent
        assert (folder / "issuing.key").read_text() == "pkcs11:token=our%20CA;id=%02\n"
        client = Client(server)
        client.register()
        check(server, issue(client, server, "www.example.com"), tmp_path)
        # Another key, RSA, in the same token takes its place.
        done = subprocess.run([BINARY, "ca", "rekey", "--config", server.config, "issuing", "--key-uri",
                               "pkcs11:token=our%20CA;object=rsa"], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        server.stop()
        server.start()
        client = Client(server)
        client.register()
        chain = issue(client, server, "www.example.com")
        issuer = x509.load_pem_x509_certificate(pem_list(chain)[1].encode())
        assert issuer.public_key().key_size == 3072
        check(server, chain, tmp_path)


def test_many_sign_at_once(token, tmp_path):
    with Server({"ca": settings(token)}) as server, ChallengeServer(server.http01_port) as web:
        def work(number):
            client = Client(server)
            client.register()
            return [client.issue([f"h{number}-{i}.example.com"], web)[0] for i in range(4)]
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            chains = [c for one in pool.map(work, range(8)) for c in one]
        assert len({x509.load_pem_x509_certificate(pem_list(c)[0].encode()).serial_number for c in chains}) == 32
        for chain in chains[::8]:
            check(server, chain, tmp_path)


def test_a_token_that_is_lost_and_comes_back(token, tmp_path):
    with Server({"ca": settings(token)}) as server:
        client = Client(server)
        client.register()
        issue(client, server, "www.example.com")
        away = token.rename(tmp_path / "away")
        token.mkdir()
        with pytest.raises(Refused) as refused:
            issue(client, server, "lost.example.com")
        assert refused.value.reply.status_code == 503 and "Retry-After" in refused.value.reply.headers
        assert "PKCS#11" in server.log_text()
        token.rmdir()
        away.rename(token)
        deadline = time.monotonic() + 30
        while True:
            try:
                check(server, issue(client, server, "found.example.com"), tmp_path)
                break
            except Refused:
                assert time.monotonic() < deadline, server.log_text()[-2000:]
                time.sleep(1)


@pytest.mark.parametrize("change,text", [
    (lambda token: token.rename(token.parent / "away") and token.mkdir(), 'no token "our CA" is present'),
    (lambda token: (token.parent / "pin").write_text("9999\n"), "refuses the PIN"),
    (lambda token: (token.parent / "pin").unlink(), "pin"),
    (lambda token: (token.parent / "pin").chmod(0o644), "others can read"),
])
def test_a_start_without_token_or_pin_says_so(token, change, text):
    server = Server({"ca": settings(token)})
    try:
        change(token)
        done = server.run("serve")
        assert done.returncode == 1 and text in done.stderr, done.stderr
    finally:
        server.close()


def test_pin_from_environment_and_credential(token, tmp_path, monkeypatch):
    monkeypatch.setenv("OUR_PIN", "1234")
    with Server({"ca": settings(token, environment="OUR_PIN")}) as server:
        environment = pathlib.Path(f"/proc/{server.process.pid}/environ")
        assert os.access(environment, os.R_OK) is False or b"OUR_PIN=1234" not in environment.read_bytes()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    with Server({"ca": settings(token, credential="pin")}) as server:
        assert server.get("/acme/directory")


@pytest.mark.parametrize("uri,text", [
    ("pkcs11:token=our%20CA;object=absent", "no private key"), ("pkcs11:token=our%20CA", "names no key"),
    ("pkcs11:object=issuing", "names no token"), ("pkcs11:token=a;object=b?pin-value=1234", "query"),
    ("pkcs11:token=a;colour=b;object=c", "not known"), ("pkcs11:token=a;object=%zz", "percent"), ("file:///x", "pkcs11:"),
])
def test_uris_that_mean_no_key(token, tmp_path, uri, text):
    server = Server({"ca": {"pkcs11": settings(token)["pkcs11"]}})
    try:
        done = subprocess.run([BINARY, "ca", "csr", "--config", server.config, "new", "--name", "New", "--key-uri", uri],
                              capture_output=True, text=True)
        assert done.returncode == 1 and text in done.stderr, done.stderr
        server.write_config({"ca": {"pkcs11": settings(token)["pkcs11"], "issuing_key_uri": uri}})
        judged = server.run("check-config")
        assert judged.returncode == (0 if "absent" in uri else 1), judged.stderr
    finally:
        server.close()
