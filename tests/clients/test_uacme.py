"""uacme, as Debian ships it: it has no option for the trust store, so it gets one of its own."""

import json

from client import read, revoked, run
from harness import ChallengeServer
from judge import check_chain

HOOK = """#!/bin/sh
# method type identifier token authorization
[ "$2" = http-01 ] || exit 1
case "$1" in
begin) printf %s "$5" > "{folder}/$4" ;;
done|failed) rm -f "{folder}/$4" ;;
esac
"""


def uacme(server, folder, *args, **kwargs):
    return run(server, "uacme", "-v", "-y", "-a", server.directory, "-c", folder / "conf", "-h", folder / "hook", *args,
               system_trust=True, **kwargs)


def prepare(folder):
    (folder / "web").mkdir()
    hook = folder / "hook"
    hook.write_text(HOOK.format(folder=folder / "web"))
    hook.chmod(0o755)


def test_issue_renew_newkey_revoke(server, tmp_path):
    prepare(tmp_path)
    with ChallengeServer(server.http01_port, folder=tmp_path / "web"):
        uacme(server, tmp_path, "new", "uacme@example.com")
        uacme(server, tmp_path, "-t", "EC", "-o", "issue", "uacme.example.com", "uacme2.example.com")
        path = tmp_path / "conf/uacme.example.com/cert.pem"
        first = check_chain(read(path), server.root_pem, ["uacme.example.com", "uacme2.example.com"])
        uacme(server, tmp_path, "newkey")
        uacme(server, tmp_path, "update", "changed@example.com")
        uacme(server, tmp_path, "-t", "EC", "-f", "-o", "issue", "uacme.example.com", "uacme2.example.com")
        text = read(path)
        assert first.serial_number != check_chain(text, server.root_pem).serial_number
        uacme(server, tmp_path, "-r", "4", "revoke", path)
        assert revoked(server, text)
        uacme(server, tmp_path, "-t", "RSA", "-b", "2048", "-o", "issue", "uacmersa.example.com")
        path = tmp_path / "conf/uacmersa.example.com/cert.pem"
        text = read(path)
        uacme(server, tmp_path, "revoke", path, tmp_path / "conf/private/uacmersa.example.com/key.pem")
        assert revoked(server, text)
        uacme(server, tmp_path, "deactivate")


def test_external_account(server, tmp_path):
    prepare(tmp_path)
    made = json.loads(server.run("eab", "create", "--json", check=True).stdout)
    with ChallengeServer(server.http01_port, folder=tmp_path / "web"):
        uacme(server, tmp_path, "-e", f"{made['kid']}:{made['key']}", "new", "eab@example.com")
        uacme(server, tmp_path, "-t", "EC", "-o", "issue", "uacmeeab.example.com")
    check_chain(read(tmp_path / "conf/uacmeeab.example.com/cert.pem"), server.root_pem, ["uacmeeab.example.com"])
