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


def tool(*args):
    done = subprocess.run([str(a) for a in args], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def objects(*more):
    return tool("pkcs11-tool", "--module", MODULE, "--token-label", "our CA", "--login", "--pin", "1234", *more)


@pytest.fixture
def empty_token(tmp_path, monkeypatch):
    folder = tmp_path / "tokens"
    folder.mkdir()
    (tmp_path / "softhsm2.conf").write_text(f"directories.tokendir = {folder}\nobjectstore.backend = file\nlog.level = ERROR\n")
    monkeypatch.setenv("SOFTHSM2_CONF", str(tmp_path / "softhsm2.conf"))
    tool("softhsm2-util", "--init-token", "--free", "--label", "our CA", "--pin", "1234", "--so-pin", "4321")
    pin = tmp_path / "pin"
    pin.write_text("1234\n")
    pin.chmod(0o600)
    return folder


@pytest.fixture
def token(empty_token):
    for number, (label, kind) in enumerate((("root", "EC:secp384r1"), ("issuing", "EC:prime256v1"), ("rsa", "rsa:3072")), 1):
        objects("--keypairgen", "--key-type", kind, "--label", label, "--id", f"0{number}")
    return empty_token


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


def private_keys():
    """What pkcs11-tool says of each."""
    return objects("--list-objects", "--type", "privkey").split("Private Key Object; ")[1:]


def command(server, *args):
    return subprocess.run([BINARY, *args[:2], "--config", server.config, *args[2:]], capture_output=True, text=True, timeout=60)


def test_keys_are_made_in_the_token(empty_token, tmp_path):
    with Server({"ca": {**settings(empty_token), "issuing_key": "rsa-3072"}}) as server:
        made = private_keys()
        assert len(made) == 2 and any("EC" in k and "label:      root" in k for k in made)
        assert any("RSA" in k and "ID:         02" in k for k in made)
        for key in made:
            assert "sensitive, always sensitive, never extractable, local" in key, key
        assert not [p.name for p in pathlib.Path(server.root_pem).parent.glob("*.key") if "PRIVATE" in p.read_text()]
        client = Client(server)
        client.register()
        check(server, issue(client, server, "www.example.com"), tmp_path)
        # A new key by a command, of the kind that it says; the same URI again is the same key.
        uri = "pkcs11:token=our%20CA;object=next"
        done = command(server, "ca", "rekey", "issuing", "--key-uri", uri, "--key", "ec-p384")
        assert done.returncode == 0, done.stderr
        assert sum("label:      next" in k for k in private_keys()) == 1
        for _ in range(2):
            done = command(server, "ca", "csr", "corp", "--name", "Corp", "--key-uri", uri)
            assert done.returncode == 0 and len(private_keys()) == 3, done.stderr
        # A certificate's key must be there.
        done = command(server, "ca", "import", "other", "--certificate", server.root_pem, "--key-uri", uri.replace("next", "absent"))
        assert done.returncode == 1 and "no private key" in done.stderr and len(private_keys()) == 3


def test_a_uri_that_means_two_keys_makes_no_third(empty_token):
    for number in (1, 2):
        objects("--keypairgen", "--key-type", "EC:prime256v1", "--label", "issuing", "--id", f"0{number}")
    server = Server({"ca": {"pkcs11": settings(empty_token)["pkcs11"]}})
    try:
        done = command(server, "ca", "rekey", "issuing", "--key-uri", "pkcs11:token=our%20CA;object=issuing")
        assert done.returncode == 1 and "more than one private key" in done.stderr and len(private_keys()) == 2, done.stderr
    finally:
        server.close()


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
        deadline = time.monotonic() + 60
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
    ("pkcs11:token=absent;object=issuing", "no token"), ("pkcs11:token=our%20CA", "names no key"),
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
