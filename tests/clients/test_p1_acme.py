"""p1_acme of ejabberd, as Debian ships it. It does not verify the server's certificate, and checks the chain that it gets."""

import json
import pathlib

import pytest

from client import run
from harness import ChallengeServer
from judge import check_chain, pem_list

PROGRAM = pathlib.Path(__file__).with_name("p1_acme.escript")


@pytest.mark.parametrize("kind", ["ec", "rsa"])
def test_issue_renew_revoke(server, tmp_path, kind):
    names = [f"{kind}.p1.example.com", f"www.{kind}.p1.example.com"]
    with ChallengeServer(server.http01_port, folder=tmp_path):
        done = run(server, "escript", PROGRAM, server.directory, server.root_pem, tmp_path, kind, *names)
    check_chain("".join(pem_list(done.stdout)), server.root_pem, names)
    rows = json.loads(server.run("cert", "list", "--name", names[0], "--json", check=True).stdout)
    assert sorted(row["status"] for row in rows) == ["revoked", "valid"]
