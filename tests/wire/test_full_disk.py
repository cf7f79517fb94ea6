"""A disk that is full: a clean 503, nothing lost, and on again when there is room."""

import json
import resource
import time

import pytest

from acme_raw import Client, Refused
from harness import ChallengeServer, Server

ROOM = 96 * 1024


def limit(process, size):
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def test_full_disk_is_a_clean_503_and_no_loss():
    with Server() as server, ChallengeServer(server.http01_port) as web:
        client = Client(server)
        client.register()
        _, certificate = client.issue(["before.example.com"], web)
        size = (server.folder / "data/data.mdb").stat().st_size
        limit(server.process, max(size, 256 * 1024) + ROOM)
        made = []
        with pytest.raises(Refused) as caught:
            for i in range(3000):
                made.append(client.order([f"n{i}.full.example.com"])[0])
        reply = caught.value.reply
        assert reply.status_code == 503 and 1 <= int(reply.headers["Retry-After"]) <= 60
        assert caught.value.type == "serverInternal" and reply.headers["Replay-Nonce"]
        assert "full" not in reply.json()["detail"]
        deadline = time.monotonic() + 60
        while "disk full" not in server.log_text(): # the line follows the reply
            assert time.monotonic() < deadline
            time.sleep(0.05)
        # All that was answered is there, and reading goes on.
        assert made and all(client.post(url).json()["status"] == "pending" for url in (made[0], made[-1]))
        assert client.post(certificate).status_code == 200
        limit(server.process, resource.RLIM_INFINITY)
        client.issue(["after.example.com"], web)
        server.stop(kill=True)
        server.start()
        client.nonces.clear()
        assert client.post(made[-1]).json()["status"] == "pending"
        listed = json.loads(server.run("cert", "list", "--json", check=True).stdout)
        assert {"before.example.com", "after.example.com"} <= {n["value"] for c in listed for n in c["names"]}
