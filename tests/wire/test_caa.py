"""CAA (RFC 8659, RFC 8657) on the wire: when a name is proven, and for each identifier again at finalize."""

import pytest

from acme_raw import Client, make_csr
from harness import ChallengeServer, Server
from lying_dns import LyingDns


@pytest.fixture(scope="module")
def liar():
    with LyingDns() as running:
        yield running


@pytest.fixture(scope="module")
def server(liar):
    profiles = [{"name": "tls-server", "caa": True}, {"name": "free"}]
    with Server({"acme": {"resolvers": [liar.resolver], "caa_identities": ["ca.example.net", "pki.example.net"]}, "profiles": profiles}) as running:
        yield running


@pytest.fixture
def client(server):
    made = Client(server)
    made.register()
    return made


@pytest.fixture
def web(server):
    with ChallengeServer(server.http01_port) as running:
        yield running


def prove(client, web, name, kind="http-01"):
    authorization = client.order([name])[1]["authorizations"][0]
    challenge = next(c for c in client.post(authorization).json()["challenges"] if c["type"] == kind)
    web.answers[challenge["token"]] = client.key_authorization(challenge["token"]).encode()
    client.post(challenge["url"], {})
    body = client.wait(authorization, ("valid", "invalid"))
    return body["status"], next(c for c in body["challenges"] if c["type"] == kind).get("error")


def test_directory_says_the_names(client):
    assert client.directory["meta"]["caaIdentities"] == ["ca.example.net", "pki.example.net"]


def test_forbidden_when_proven(client, web, liar):
    liar.records["forbidden.example.com", "CAA"] = ['0 issue "other.example.net"']
    status, error = prove(client, web, "deep.below.forbidden.example.com")
    assert status == "invalid" and error["type"].endswith(":caa"), error
    assert "deep.below.forbidden.example.com" in error["detail"] and "at forbidden.example.com" in error["detail"]


def test_permitted(client, web, liar):
    liar.records["permitted.example.com", "CAA"] = ['0 issue "other.example.net"', '0 issue "PKI.example.net"']
    assert prove(client, web, "permitted.example.com") == ("valid", None)


def test_account_and_method_8657(server, client, web, liar):
    other = Client(server)
    other.register()
    for name, value, want in (("own", f"ca.example.net; accounturi={client.kid}", "valid"),
                              ("others", f"ca.example.net; accounturi={other.kid}", "invalid"),
                              ("http", "ca.example.net; validationmethods=http-01", "valid"),
                              ("dns", "ca.example.net; validationmethods=dns-01,tls-alpn-01", "invalid")):
        liar.records[f"{name}.limits.example.com", "CAA"] = [f'0 issue "{value}"']
        assert prove(client, web, f"{name}.limits.example.com")[0] == want, name


def test_servfail_is_no_permission(client, web, liar):
    liar.rcodes["parent.example.org"] = 2
    status, error = prove(client, web, "host.parent.example.org")
    assert status == "invalid" and error["type"].endswith(":dns") and "SERVFAIL" in error["detail"] and "CAA" in error["detail"]


def test_each_identifier_again_at_finalize(client, web, liar):
    """Permitted when proven, forbidden since: the order stays ready, and each name is told."""
    names = [f"n{i}.later.example.com" for i in range(6)]
    _, order = client.order(names)
    client.solve(order, web)
    for name in (names[1], names[4]):
        liar.records[name, "CAA"] = ['0 issue ";"']
    before = len(liar.questions)
    with pytest.raises(Exception) as caught:
        client.finalize(order, make_csr(names))
    reply = caught.value.reply
    assert reply.status_code == 403 and caught.value.type == "caa"
    assert [s["identifier"]["value"] for s in reply.json()["subproblems"]] == [names[1], names[4]]
    assert {n for n, kind, _ in liar.questions[before:] if kind == "CAA"} >= set(names)
    for name in (names[1], names[4]):
        del liar.records[name, "CAA"]
    assert client.finalize(order, make_csr(names)).json()["status"] == "valid"


def test_profile_that_does_not_ask(server, liar):
    client = Client(server, directory=server.url + "/acme/free/directory")
    client.register()
    liar.records["free.example.com", "CAA"] = ['0 issue ";"']
    with ChallengeServer(server.http01_port) as web:
        assert prove(client, web, "free.example.com") == ("valid", None)
        assert ("free.example.com", "CAA", "udp") not in liar.questions
