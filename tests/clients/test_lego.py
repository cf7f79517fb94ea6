"""lego, as Debian ships it."""

import json

from client import read, revoked, run
from judge import check_chain


def lego(server, folder, *args, account=(), **kwargs):
    return run(server, "lego", "--server", server.directory, "--path", folder, "--accept-tos", "--email", "ops@example.com",
               "--http", "--http.port", f"127.0.0.1:{server.http01_port}", *account, *args, **kwargs)


def test_run_renew_revoke(server, tmp_path):
    names = ["-d", "lego.example.com", "-d", "lego2.example.com"]
    lego(server, tmp_path, *names, "run")
    path = tmp_path / "certificates/lego.example.com.crt"
    first = check_chain(read(path), server.root_pem, ["lego.example.com", "lego2.example.com"])
    lego(server, tmp_path, *names, "renew", "--days", "10000", "--no-random-sleep")
    text = read(path)
    second = check_chain(text, server.root_pem, ["lego.example.com", "lego2.example.com"])
    assert first.serial_number != second.serial_number
    lego(server, tmp_path, "-d", "lego.example.com", "revoke", "--reason", "4")
    assert revoked(server, text)


def test_rsa_and_upper_case(server, tmp_path):
    lego(server, tmp_path, "--key-type", "rsa2048", "-d", "Upper.Example.com", "run")
    found = [p for p in (tmp_path / "certificates").glob("*.crt") if "issuer" not in p.name]
    assert check_chain(read(found[0]), server.root_pem, ["upper.example.com"]).public_key().key_size == 2048


def test_external_account(server, tmp_path):
    made = json.loads(server.run("eab", "create", "--json", check=True).stdout)
    lego(server, tmp_path, "-d", "legoeab.example.com", "run", account=["--eab", "--kid", made["kid"], "--hmac", made["key"]])
    check_chain(read(tmp_path / "certificates/legoeab.example.com.crt"), server.root_pem, ["legoeab.example.com"])


def test_tls_alpn(server, tmp_path):
    run(server, "lego", "--server", server.directory, "--path", tmp_path, "--accept-tos", "--email", "ops@example.com",
        "--tls", "--tls.port", f"127.0.0.1:{server.tls_alpn_port}", "-d", "legotls.example.com", "run")
    check_chain(read(tmp_path / "certificates/legotls.example.com.crt"), server.root_pem, ["legotls.example.com"])
