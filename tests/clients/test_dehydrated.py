"""dehydrated, as Debian ships it."""

import json

from client import read, revoked, run
from harness import ChallengeServer
from judge import check_chain


def dehydrated(server, folder, *args, **kwargs):
    return run(server, "dehydrated", "--config", folder / "config", *args, **kwargs)


def prepare(server, folder, *extra):
    (folder / "web").mkdir()
    (folder / "config").write_text("\n".join([
        f'CA="{server.directory}"', f'BASEDIR="{folder}"', f'WELLKNOWN="{folder}/web"', 'CONTACT_EMAIL="d@example.com"',
        'HOOK_CHAIN="no"', *extra, ""]))


def test_register_issue_renew_revoke_deactivate(server, tmp_path):
    prepare(server, tmp_path)
    with ChallengeServer(server.http01_port, folder=tmp_path / "web"):
        dehydrated(server, tmp_path, "--register", "--accept-terms")
        names = ["-d", "dehydrated.example.com dehydrated2.example.com"]
        dehydrated(server, tmp_path, "--cron", *names)
        path = tmp_path / "certs/dehydrated.example.com/fullchain.pem"
        first = check_chain(read(path), server.root_pem, ["dehydrated.example.com", "dehydrated2.example.com"])
        dehydrated(server, tmp_path, "--cron", "--force", *names)
        text = read(path)
        assert first.serial_number != check_chain(text, server.root_pem).serial_number
        dehydrated(server, tmp_path, "--account")
        dehydrated(server, tmp_path, "--revoke", tmp_path / "certs/dehydrated.example.com/cert.pem")
        assert revoked(server, text)
        dehydrated(server, tmp_path, "--deactivate")


def test_external_account(server, tmp_path):
    made = json.loads(server.run("eab", "create", "--json", check=True).stdout)
    prepare(server, tmp_path, f'EAB_KID="{made["kid"]}"', f'EAB_HMAC_KEY="{made["key"]}"', 'KEY_ALGO="rsa"', 'KEYSIZE="2048"')
    with ChallengeServer(server.http01_port, folder=tmp_path / "web"):
        dehydrated(server, tmp_path, "--register", "--accept-terms")
        dehydrated(server, tmp_path, "--cron", "-d", "dehydratedeab.example.com")
    check_chain(read(tmp_path / "certs/dehydratedeab.example.com/fullchain.pem"), server.root_pem, ["dehydratedeab.example.com"])
