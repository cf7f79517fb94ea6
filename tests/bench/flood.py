"""A flood of challenges for hosts that never answer, and what others feel of it: how long a good challenge takes, from its
POST to `valid`, before and meanwhile. Part of `make bench`; FLOOD_ACCOUNTS and FLOOD_NAMES (of each) set its size."""

import os
import pathlib
import socket
import statistics
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/lib"))

from acme_raw import Client  # noqa: E402
from harness import ChallengeServer, Server  # noqa: E402

ACCOUNTS = int(os.environ.get("FLOOD_ACCOUNTS", "8"))
NAMES = int(os.environ.get("FLOOD_NAMES", "50"))
GOOD = 40


def register(server):
    client = Client(server)
    client.register()
    return client


def challenge_of(client, name):
    authorization = client.order([name])[1]["authorizations"][0]
    return authorization, next(c for c in client.post(authorization).json()["challenges"] if c["type"] == "http-01")


def prove(client, web, name):
    """Milliseconds to `valid`."""
    authorization, challenge = challenge_of(client, name)
    web.answers[challenge["token"]] = client.key_authorization(challenge["token"]).encode()
    began = time.monotonic()
    client.post(challenge["url"], {})
    assert client.wait(authorization, ("valid", "invalid"), seconds=120)["status"] == "valid"
    return (time.monotonic() - began) * 1000


def begin_flood(server, number):
    client = register(server)
    for i in range(NAMES):
        _, challenge = challenge_of(client, f"f{i}.a{number}.dead.example.com")
        client.raw_post(challenge["url"], {})


def line(what, times):
    times = sorted(times)
    p95 = times[int(len(times) * 0.95)]
    print(f"| {what} | {statistics.median(times):.0f} | {p95:.0f} | {times[-1]:.0f} |")
    return statistics.median(times)


def main():
    config = {"acme": {"http_01": {"timeout": "10s", "attempts": 3}}}
    with Server(config) as server, ChallengeServer(server.http01_port) as web:
        # A host that takes no connection: its queue of them is full.
        dead = socket.socket()
        dead.bind(("127.0.0.9", server.http01_port))
        dead.listen(0)
        keep = [socket.create_connection(("127.0.0.9", server.http01_port)) for _ in range(1)]
        names = server.dns
        usual = names.addresses
        names.addresses = lambda name, kind: ["127.0.0.9"] if name.endswith(".dead.example.com") else usual(name, kind)
        client = register(server)
        print(f"\n{ACCOUNTS} accounts, {NAMES} challenges each, for hosts that never answer\n")
        print("| a good challenge, ms | median | p95 | longest |\n| --- | --- | --- | --- |")
        before = line("alone", [prove(client, web, f"g{i}.example.com") for i in range(GOOD)])
        floods = [threading.Thread(target=begin_flood, args=(server, n), daemon=True) for n in range(ACCOUNTS)]
        for flood in floods:
            flood.start()
        time.sleep(3)
        during = line("in the flood", [prove(client, web, f"d{i}.example.com") for i in range(GOOD)])
        late = register(server)
        line("in the flood, an account that is new", [prove(late, web, f"n{i}.example.com") for i in range(GOOD)])
        for flood in floods:
            flood.join()
        for each in keep:
            each.close()
        dead.close()
    return during < 10 * before + 100


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
