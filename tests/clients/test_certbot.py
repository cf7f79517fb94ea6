"""certbot, as Debian ships it."""

import json

from client import read, revoked, run
from judge import check_chain


def certbot(server, folder, *args, **kwargs):
    return run(server, "certbot", *args, "--non-interactive", "--server", server.directory, "--config-dir", folder / "etc",
               "--work-dir", folder / "work", "--logs-dir", folder / "log", **kwargs)


def issue(server, folder, *names, extra=()):
    wanted = [part for name in names for part in ("-d", name)]
    return certbot(server, folder, "certonly", "--standalone", "--http-01-port", server.http01_port,
                   "--http-01-address", "127.0.0.1", *wanted, *extra)


def test_life_of_a_certificate(server, tmp_path):
    certbot(server, tmp_path, "register", "--agree-tos", "-m", "operator@example.com")
    issue(server, tmp_path, "one.example.com", "two.example.com")
    live = tmp_path / "etc/live/one.example.com"
    first = check_chain(read(live / "fullchain.pem"), server.root_pem, ["one.example.com", "two.example.com"])
    certbot(server, tmp_path, "renew", "--force-renewal", "--http-01-port", server.http01_port, "--no-random-sleep-on-renew")
    text = read(live / "fullchain.pem")
    second = check_chain(text, server.root_pem, ["one.example.com", "two.example.com"])
    assert first.serial_number != second.serial_number
    certbot(server, tmp_path, "revoke", "--cert-path", live / "cert.pem", "--reason", "superseded", "--no-delete-after-revoke")
    assert revoked(server, text)


def test_revoke_by_key(server, tmp_path):
    issue(server, tmp_path, "bykey.example.com", extra=["--agree-tos", "-m", "operator@example.com"])
    live = tmp_path / "etc/live/bykey.example.com"
    text = read(live / "fullchain.pem")
    certbot(server, tmp_path, "revoke", "--cert-path", live / "cert.pem", "--key-path", live / "privkey.pem",
            "--reason", "keycompromise", "--no-delete-after-revoke")
    assert revoked(server, text)


def test_account_is_updated_and_unregistered(server, tmp_path):
    certbot(server, tmp_path, "register", "--agree-tos", "-m", "first@example.com")
    certbot(server, tmp_path, "update_account", "-m", "second@example.com")
    shown = certbot(server, tmp_path, "show_account").stdout
    assert "second@example.com" in shown
    certbot(server, tmp_path, "unregister")
    accounts = json.loads(server.run("account", "list", "--json", check=True).stdout)
    assert any(a["status"] == "deactivated" and "mailto:second@example.com" in a["contact"] for a in accounts)


def test_rsa_key(server, tmp_path):
    issue(server, tmp_path, "rsa.example.com", extra=["--agree-tos", "-m", "a@example.com", "--key-type", "rsa",
                                                      "--rsa-key-size", "3072"])
    text = read(tmp_path / "etc/live/rsa.example.com/fullchain.pem")
    assert check_chain(text, server.root_pem, ["rsa.example.com"]).public_key().key_size == 3072


def test_external_account(server, tmp_path):
    made = json.loads(server.run("eab", "create", "--json", check=True).stdout)
    certbot(server, tmp_path, "register", "--agree-tos", "-m", "eab@example.com", "--eab-kid", made["kid"],
            "--eab-hmac-key", made["key"])
    accounts = json.loads(server.run("account", "list", "--json", check=True).stdout)
    assert any(a.get("eab") == made["kid"] for a in accounts)
