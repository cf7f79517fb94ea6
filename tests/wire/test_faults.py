"""The system refuses: each allocation of the server in turn, each sync of the disk in turn. What is answered then is a
clean 503 or 500, or the truth; never that the client is wrong, never less than was asked for, never what is not on disk."""

import base64
import contextlib
import json
import mmap
import pathlib
import struct
import subprocess

import pytest
import requests

from acme_raw import Client, flattened, make_csr
from api_client import Api, make_token
from harness import Server

MEMORY, SYNC = 1, 2
TURNS = 300
SHIM = pathlib.Path(__file__).resolve().parents[1] / "lib" / "fault_shim.c"


class Faults:
    """What the preloaded library and the test share."""

    def __init__(self, folder):
        self.path, self.library = folder / "faults", folder / "fault_shim.so"
        self.path.write_bytes(bytes(4096))
        subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", self.library, SHIM, "-ldl"], check=True)
        with open(self.path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), 4096)

    def env(self):
        return {"LD_PRELOAD": str(self.library), "TEST_FAULT": str(self.path), "MALLOC_PERTURB_": "165"}

    def begin(self, kind, turn):
        struct.pack_into("4q", self.map, 0, 0, turn, 0, 0)
        struct.pack_into("q", self.map, 0, kind)

    def end(self):
        """Whether something was refused."""
        struct.pack_into("q", self.map, 0, 0)
        return struct.unpack_from("4q", self.map)[3] > 0


class World:
    def __init__(self, server):
        self.server, self.made = server, 0
        self.client = Client(server)
        self.client.register()
        self.api = Api(server, make_token(server, "admin")[0])
        self.known = [self.api.issue(f"{name}.example.com")["certificate"]["certificateId"] for name in ("one", "two")]
        made = server.run("est-credential", "create", "--profile", "tls-server", "--uses", "any", "--json", check=True)
        self.code = json.loads(made.stdout)["code"]

    def name(self):
        self.made += 1
        return f"n{self.made}.faults.example.com"

    def request(self, method, path, **more):
        """On a connection of its own. None: no answer."""
        with requests.Session() as session:
            session.trust_env, session.verify = False, self.server.root_pem
            with contextlib.suppress(requests.RequestException):
                return session.request(method, self.server.url + path, timeout=1, **more)

    def look(self, path):
        return self.request("GET", "/api/v1/cert-manager/" + path, headers={"Authorization": f"Bearer {self.api.token}"})


@pytest.fixture(scope="module")
def faults(tmp_path_factory):
    return Faults(tmp_path_factory.mktemp("faults"))


@pytest.fixture(scope="module")
def world(faults):
    server = Server({"api": {"requests_per_token": {"burst": 0}}})
    server.start(faults.env())
    try:
        yield World(server)
    finally:
        server.close()


def nonce(world):
    reply = yield lambda: world.request("HEAD", "/acme/new-nonce")
    assert len(reply.headers["Replay-Nonce"]) == 30


def order(world):
    body = {"identifiers": [{"type": "dns", "value": world.name()}]}
    url = world.client.directory["newOrder"]
    signed = flattened(world.client.key, world.client.protected(url), body)
    reply = yield lambda: world.request("POST", url.removeprefix(world.server.url), json=signed,
                                        headers={"Content-Type": "application/jose+json"})
    assert world.client.post(reply.headers["Location"]).json()["identifiers"] == body["identifiers"]


def enroll(world):
    name = world.name()
    body = base64.encodebytes(make_csr([name]))
    reply = yield lambda: world.request("POST", "/.well-known/est/tls-server/simpleenroll", data=body, auth=("d", world.code),
                                        headers={"Content-Type": "application/pkcs10"})
    assert reply.content and len(world.api.everything(name=name)) == 1


def search(world):
    reply = yield lambda: world.look("certificates?name=one.example.com")
    assert [c["id"] for c in reply.json()["certificates"]] == world.known[:1]


def show(world):
    reply = yield lambda: world.look("certificates/" + world.known[1])
    assert reply.json()["id"] == world.known[1]


def one_fault(world, faults, kind, turn, action):
    """Whether something was refused; whether the answer was good."""
    asking = action(world)
    ask = next(asking)
    faults.begin(kind, turn)
    reply = ask()
    refused = faults.end()
    assert world.server.process.poll() is None, world.server.log_text()[-3000:]
    good = reply is not None and reply.status_code < 300
    if good:
        with contextlib.suppress(StopIteration):
            asking.send(reply)
    elif reply is not None:
        assert reply.status_code in (500, 503), reply.text
    return refused, good


@pytest.mark.parametrize("action", [nonce, order, enroll, search, show])
def test_memory_that_is_refused_is_no_fault_of_the_client(world, faults, action):
    turn, refused = 0, True
    while refused and turn < TURNS:
        refused, good = one_fault(world, faults, MEMORY, turn, action)
        turn += 1
    assert turn > 2 and good and not refused


@pytest.mark.parametrize("action", [order, enroll])
def test_what_is_not_on_disk_is_not_answered(world, faults, action):
    seen = []
    for turn in range(12):
        refused, good = one_fault(world, faults, SYNC, turn, action)
        assert not (refused and good)
        seen.append((refused, good))
    assert (True, False) in seen and (False, True) in seen


def test_whatever_flush_fails_the_next_request_is_served(world, faults):
    """Records of the journal, its headers and the data's own flush, one commit in 32: which one fails goes by the turn."""
    for _ in range(70):
        assert one_fault(world, faults, SYNC, 0, order) == (True, False)
        assert one_fault(world, faults, SYNC, 1000, order) == (False, True)


def test_the_log_is_whole_after_all_that(world):
    assert world.server.run("audit", "verify").returncode == 0
