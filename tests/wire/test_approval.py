"""Requests that people must approve: an ACME order waits in processing until they have (RFC 8555, 7.4)."""

import json
import time

import pytest

from acme_raw import Client, Refused, make_csr
from harness import ChallengeServer, Server
from lying_dns import LyingDns

PROFILES = [
    {"name": "open"},
    {"name": "guarded", "approvals": 2, "approvers": ["ada", "bob", "eve"], "subject": {"o": ["Example"]}, "policy": "named"},
    {"name": "one", "approvals": 1},
]
POLICIES = [{
    "name": "named", "subject": {"cn": {"allow": ["{name}"]}, "o": {"required": ["Example"]}}, "san": {"dns": {"allow": ["*"]}},
    "keys": ["ec-p256"], "signatures": ["ecdsa-sha256"], "key_usage": {"required": ["digitalSignature"]},
    "extended_key_usage": {"required": ["serverAuth"]}, "validity_max": "30d",
}]


@pytest.fixture(scope="module")
def server():
    with Server({"profiles": PROFILES, "policies": POLICIES}) as server:
        yield server


@pytest.fixture(scope="module")
def web(server):
    with ChallengeServer(server.http01_port) as web:
        yield web


def asked(server, web, profile, name, csr=None):
    """An order whose finalize waits; the client, its URL, the order, the CSR, the request."""
    client = Client(server, directory=server.url + f"/acme/{profile}/directory")
    client.register()
    url, order = client.order([name])
    client.solve(order, web)
    csr = csr or make_csr([name])
    reply = client.finalize(order, csr)
    assert reply.status_code == 200 and reply.json()["status"] == "processing" and int(reply.headers["Retry-After"]) >= 1
    request = next(r for r in requests(server) if r["order"] == url.rsplit("/", 1)[1])
    return client, url, order, csr, request


def requests(server, *more):
    return json.loads(server.run("request", "list", "--json", *more, check=True).stdout)


def decide(server, what, request, by, *more):
    return server.run("request", what, request["id"], "--by", by, "--json", *more)


def ended(server, request, status):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        now = json.loads(server.run("request", "show", request["id"], "--json", check=True).stdout)
        if now["status"] == status and "ended" in now:
            return now
        time.sleep(0.1)
    raise AssertionError(now)


def test_two_of_three_approve(server, web):
    client, url, order, csr, request = asked(server, web, "guarded", "two.example.com")
    assert (request["status"], request["needed"], request["approvals"]) == ("pending", 2, 0)
    assert request["names"] == "dns:two.example.com" and request["csr"].startswith("-----BEGIN CERTIFICATE REQUEST-----")
    assert client.finalize(order, csr).json()["status"] == "processing"  # the same CSR is answered as the first time
    with pytest.raises(Refused) as refused:
        client.finalize(order, make_csr(["two.example.com"]))
    assert refused.value.type == "orderNotReady"
    first = json.loads(decide(server, "approve", request, "ada").stdout)
    assert first["status"] == "pending" and first["approvals"] == 1
    for who, text in (("ada", "has decided"), ("mallory", "none of the approvers")):
        again = decide(server, "approve", request, who)
        assert again.returncode == 1 and text in again.stderr
    assert client.post(url).json()["status"] == "processing"
    assert json.loads(decide(server, "approve", request, "bob", "--reason", "known").stdout)["status"] == "approved"
    done = client.wait(url, ("valid", "invalid"))
    assert done["status"] == "valid", done
    assert client.post(done["certificate"]).text.startswith("-----BEGIN CERTIFICATE-----")
    assert client.finalize(order, csr).json()["certificate"] == done["certificate"]
    now = ended(server, request, "issued")
    assert [(d["by"], d["approved"]) for d in now["decisions"]] == [("ada", True), ("bob", True)]
    row = json.loads(server.run("cert", "show", now["certificate"], "--json", check=True).stdout)
    assert row["subject"] == "O=Example" and row["profile"] == "guarded"
    assert decide(server, "cancel", request, "ada").returncode == 1


@pytest.mark.parametrize("what,status", [("reject", "rejected"), ("cancel", "cancelled")])
def test_refused(server, web, what, status):
    client, url, order, csr, request = asked(server, web, "one", f"{what}.example.com")
    assert json.loads(decide(server, what, request, "ada", "--reason", "not ours").stdout)["status"] == status
    done = client.wait(url, ("valid", "invalid"))
    assert done["status"] == "invalid" and done["error"]["type"].endswith(":unauthorized")
    assert done["error"]["detail"] == f"the request was {status}: not ours"
    assert ended(server, request, status)["reasons"] == ["not ours"]
    assert decide(server, "approve", request, "bob").returncode == 1
    assert request["id"] in [r["id"] for r in requests(server, "--status", status)]


def test_judged_again(server, web):
    """What the gate would refuse at the time of the approval is not issued: here the account has ended."""
    client, url, order, csr, request = asked(server, web, "one", "late.example.com")
    account = client.kid.rsplit("/", 1)[1]
    server.run("account", "deactivate", account, check=True)
    decide(server, "approve", request, "ada")
    now = ended(server, request, "failed")
    assert "deactivated" in now["reasons"][0] and "certificate" not in now


def test_what_is_wrong_is_told_before(server, web):
    """Nobody is asked about a CSR that would be refused anyway."""
    client = Client(server, directory=server.url + "/acme/guarded/directory")
    client.register()
    url, order = client.order(["wrong.example.com"])
    client.solve(order, web)
    before = len(requests(server))
    with pytest.raises(Refused) as refused:
        client.finalize(order, make_csr(["other.example.com"]))
    assert refused.value.type == "badCSR" and len(requests(server)) == before
    assert client.post(url).json()["status"] == "ready"


def test_restart_carries_out(server, web):
    """An approval that is given while no server runs is carried out by the next one."""
    client, url, order, csr, request = asked(server, web, "one", "restart.example.com")
    server.stop()
    assert json.loads(decide(server, "approve", request, "ada").stdout)["status"] == "approved"
    server.start()
    client.nonces = []
    assert client.wait(url, ("valid", "invalid"))["status"] == "valid"


def test_wrong_lines(server, web):
    assert decide(server, "reject", asked(server, web, "one", "lines.example.com")[4], "ada").returncode == 0
    for line, text in ((("show", "x"), "there is no request x"), (("approve", "A" * 22), "there is no request"),
                       (("list", "--status", "odd"), "expected one of pending")):
        done = server.run("request", *line)
        assert done.returncode == 1 and text in done.stderr
    kinds = {event["kind"] for event in json.loads(server.run("audit", "list", "--json", check=True).stdout)}
    assert {"request-made", "request-decided"} <= kinds


@pytest.fixture(scope="module")
def liar():
    with LyingDns() as running:
        yield running


@pytest.fixture(scope="module")
def asking(liar):
    profiles = [{"name": "one", "approvals": 1, "caa": True}, {"name": "free", "approvals": 1}]
    acme = {"resolvers": [liar.resolver], "caa_identities": ["ca.example.net"], "http_01": {"timeout": "12s"}}
    with Server({"acme": acme, "profiles": profiles}) as server:
        with ChallengeServer(server.http01_port) as web:
            yield server, web


@pytest.mark.parametrize("owner,want", [("ca.example.net", "valid"), ("other.example.net", "invalid")])
def test_caa_counts_when_it_is_approved(asking, liar, owner, want):
    """What the owners say when the certificate is made, and not when it was asked for."""
    server, web = asking
    name = f"{want}.approved.example"
    client, url, _, _, request = asked(server, web, "one", name)
    liar.records[name, "CAA"] = [f'0 issue "{owner}"']
    decide(server, "approve", request, "ada")
    done = client.wait(url, ("valid", "invalid"))
    assert done["status"] == want
    if want == "invalid":
        assert done["error"]["type"].endswith(":caa")
        assert "CAA" in ended(server, request, "failed")["reasons"][0]


def test_slow_caa_holds_up_no_other_approval(asking, liar):
    server, web = asking
    slow = [asked(server, web, "one", f"s{i}.slow.example") for i in range(9)]
    quick = asked(server, web, "free", "quick.example")
    for i in range(9):
        liar.custom[f"s{i}.slow.example"] = lambda query, over_tcp: None
    for one in slow:
        decide(server, "approve", one[4], "ada")
    deadline = time.monotonic() + 60
    while len({n for n, kind, _ in liar.questions if kind == "CAA" and n.endswith("slow.example")} & set(liar.custom)) < 8:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    decide(server, "approve", quick[4], "ada")
    began = time.monotonic()
    assert quick[0].wait(quick[1], ("valid", "invalid"))["status"] == "valid"
    assert time.monotonic() - began < 10, "one of nine that wait twelve seconds each would have held it up"
    liar.custom.clear()
    for client, url, *_ in slow:
        assert client.wait(url, ("valid", "invalid"))["status"] in ("valid", "invalid")
