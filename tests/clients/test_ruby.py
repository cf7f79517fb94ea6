"""Ruby's acme-client, as Debian ships it."""

import json
import pathlib

from client import run
from harness import ChallengeServer
from judge import check_chain

PROGRAM = pathlib.Path(__file__).with_name("acme_client.rb")


def test_issue_revoke_rollover(server, tmp_path):
    """Its CSR says version 3."""
    names = ["ruby.example.com", "www.ruby.example.com"]
    with ChallengeServer(server.http01_port, folder=tmp_path):
        done = run(server, "ruby", PROGRAM, server.directory, server.root_pem, tmp_path, *names)
    check_chain(done.stdout, server.root_pem, names)
    rows = json.loads(server.run("cert", "list", "--name", names[0], "--json", check=True).stdout)
    assert [row["status"] for row in rows] == ["revoked"]
