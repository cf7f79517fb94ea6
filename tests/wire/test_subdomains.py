"""Authorizations for a domain and the names below it (RFC 9444)."""

import pytest

from acme_raw import Client, Refused, make_csr
from harness import ChallengeServer, Server

PROFILES = [{"name": "any", "subdomains": "any"}, {"name": "zone", "subdomains": "dns"}, {"name": "none"},
            {"name": "below", "subdomains": "any", "dns": {"allow": ["**.only.example"]}}]


@pytest.fixture(scope="module")
def server():
    with Server({"profiles": PROFILES}) as made:
        yield made


def open_client(server, name="any"):
    client = Client(server, directory=f"{server.url}/acme/{name}/directory")
    client.register()
    return client


def named(value, ancestor):
    return {"type": "dns", "value": value, "ancestorDomain": ancestor}


def preauthorize(client, value, web=None, **members):
    reply = client.post(client.directory["newAuthz"], {"identifier": {"type": "dns", "value": value, **members}})
    if web:
        client.solve({"authorizations": [reply.headers["Location"]]}, web)
    return reply.headers["Location"], reply.json()


def refused(kind, status, call, *args, **kwargs):
    with pytest.raises(Refused) as caught:
        call(*args, **kwargs)
    assert (caught.value.type, caught.value.reply.status_code) == (kind, status), caught.value.reply.text


def finish(client, url, order, names):
    client.finalize(order, make_csr(names))
    assert client.wait(url, ("valid", "invalid"))["status"] == "valid"


def test_directory_says_so_4_4(server):
    for name, want in (("any", True), ("zone", True), ("none", None)):
        meta = Client(server, directory=f"{server.url}/acme/{name}/directory").directory["meta"]
        assert meta.get("subdomainAuthAllowed") is want


def test_preauthorized_domain_serves_the_names_below_4_2(server, web):
    client = open_client(server)
    authz, shown = preauthorize(client, "pre.example", web, subdomainAuthAllowed=True)
    assert (shown["status"], shown["subdomainAuthAllowed"], shown["identifier"]["value"]) == ("pending", True, "pre.example")
    assert client.post(authz).json()["subdomainAuthAllowed"] is True
    for names in (["sub1.pre.example"], ["a.b.pre.example", "sub2.pre.example"], ["pre.example"]):
        url, order = client.order(names)
        assert (order["status"], order["authorizations"]) == ("ready", [authz])
        assert [i["value"] for i in order["identifiers"]] == names
        finish(client, url, order, names)


def test_without_the_flag_it_serves_itself_alone_4_1(server, web):
    client = open_client(server)
    _, shown = preauthorize(client, "plain.example", web)
    assert "subdomainAuthAllowed" not in shown
    assert client.order(["a.plain.example"])[1]["status"] == "pending"
    _, wider = preauthorize(client, "plain.example", web, subdomainAuthAllowed=True)
    assert wider["subdomainAuthAllowed"] is True
    assert client.order(["b.plain.example"])[1]["status"] == "ready"


def test_ancestor_domain_4_3(server, web):
    client = open_client(server)
    names = ["foo.bar.anc.example", "baz.anc.example"]
    url, order = client.order([named(n, "anc.example") for n in names])
    assert len(order["authorizations"]) == 1
    authz = client.post(order["authorizations"][0]).json()
    assert (authz["identifier"]["value"], authz["subdomainAuthAllowed"], authz["status"]) == ("anc.example", True, "pending")
    assert [i["value"] for i in order["identifiers"]] == names
    client.solve(order, web)
    assert any(path.startswith("/.well-known/acme-challenge/") for path, headers in web.requests if headers["Host"].startswith("anc.example"))
    assert client.post(url).json()["status"] == "ready"
    finish(client, url, order, names)


@pytest.mark.parametrize("value,ancestor", [
    ("a.example.org", "b.example.org"), ("a.example.org", "a.example.org"), ("a.example.org", "mple.org"),
    ("a.example.org", "a.a.example.org"), ("a.example.org", "*.example.org"), ("a.example.org", ""), ("a.example.org", 7),
    ("a.example.org", "example.org."), ("example.org", "xample.org"),
])
def test_ancestor_that_is_none_7_2(server, value, ancestor):
    refused("malformed", 400, open_client(server).order, [named(value, ancestor)])


def test_ancestor_of_an_address(server):
    client = open_client(server)
    refused("malformed", 400, client.order, [{"type": "ip", "value": "192.0.2.1", "ancestorDomain": "0.2.1"}])


def test_wildcard_is_proven_by_itself(server, web):
    client = open_client(server)
    preauthorize(client, "wild.example", web, subdomainAuthAllowed=True)
    _, order = client.order([named("*.wild.example", "wild.example")])
    authz = client.post(order["authorizations"][0]).json()
    assert (order["status"], authz["wildcard"], authz["identifier"]["value"]) == ("pending", True, "wild.example")


def test_profile_that_does_not_take_it(server, web):
    client = open_client(server, "none")
    authz, shown = preauthorize(client, "off.example", web, subdomainAuthAllowed=True)
    assert not shown.get("subdomainAuthAllowed")
    assert client.order(["a.off.example"])[1]["status"] == "pending"
    _, order = client.order([named("b.off.example", "off.example")])
    assert client.post(order["authorizations"][0]).json()["identifier"]["value"] == "b.off.example"


def test_proof_in_the_zone_where_that_is_wanted(server, web):
    client = open_client(server, "zone")
    _, order = client.order([named("a.zone.example", "zone.example")])
    offered = {c["type"] for c in client.post(order["authorizations"][0]).json()["challenges"]}
    assert offered and all(kind.startswith("dns-") for kind in offered)


def test_profiles_of_one_account_hold_their_own_rule(server, web):
    """A proof over http for a domain is none below it where the order's profile wants one in the zone."""
    client = open_client(server)
    preauthorize(client, "mixed.example", web, subdomainAuthAllowed=True)
    assert client.order(["a.mixed.example"])[1]["status"] == "ready"
    for name in ("zone", "none"):
        assert client.order(["b.mixed.example"], profile=name)[1]["status"] == "pending"


def test_domain_that_could_not_be_certified_itself(server, web):
    client = open_client(server, "below")
    refused("rejectedIdentifier", 403, preauthorize, client, "only.example")
    refused("rejectedIdentifier", 403, preauthorize, client, "else.example", subdomainAuthAllowed=True)
    preauthorize(client, "only.example", web, subdomainAuthAllowed=True)
    assert client.order(["a.only.example"])[1]["status"] == "ready"
    refused("rejectedIdentifier", 400, client.order, ["only.example"])


def test_flag_that_is_none(server):
    client = open_client(server)
    refused("malformed", 400, preauthorize, client, "flag.example", subdomainAuthAllowed="yes")


def test_deactivation_ends_it_7_1(server, web):
    client = open_client(server)
    authz, _ = preauthorize(client, "ended.example", web, subdomainAuthAllowed=True)
    url, order = client.order(["a.ended.example"])
    client.post(authz, {"status": "deactivated"})
    assert client.post(url).json()["status"] == "invalid"
    assert client.order(["b.ended.example"])[1]["status"] == "pending"


def test_another_account_has_nothing_of_it(server, web):
    preauthorize(open_client(server), "mine.example", web, subdomainAuthAllowed=True)
    assert open_client(server).order(["a.mine.example"])[1]["status"] == "pending"
