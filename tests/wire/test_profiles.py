"""Profiles of the ACME profiles draft, and the directory that each profile has of its own."""

import json
import urllib.parse

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from acme_raw import Client, Refused, make_csr
from harness import ChallengeServer, Server
from judge import leaf

PROFILES = [
    {"name": "web", "description": "TLS servers, 90 days"},
    {"name": "client", "description": "https://pki.example/client", "extended_key_usage": ["clientAuth"], "validity": "7d"},
    {"name": "bound", "eab_required": True},
    {"name": "inner", "directory_alone": True},
    {"name": "addresses", "dns": {"allow": []}, "ip": {"allow": ["*"]}, "names_max": 1, "validity": "2d", "validity_max": "3d"},
    {"name": "devices", "methods": ["est"]},
    {"name": "zone", "acme": {"challenges": ["dns-01"], "pre_authorization": False}},
    {"name": "web-only", "acme": {"challenges": ["http-01"]}},
]


@pytest.fixture(scope="module")
def server():
    with Server({"profiles": PROFILES}) as made:
        yield made


@pytest.fixture(scope="module")
def web(server):
    with ChallengeServer(server.http01_port) as made:
        yield made


def directory(server, name):
    return f"{server.url}/acme/{name}/directory"


def profiles_of(server, url):
    return Client(server, directory=url).directory["meta"]["profiles"]


def test_directory_names_the_profiles_that_can_be_ordered_there(server):
    offered = profiles_of(server, server.directory)
    assert set(offered) == {"web", "client", "bound", "addresses", "zone", "web-only"}
    assert offered["client"] == "https://pki.example/client"
    scheme, text = offered["web"].split(",", 1)
    assert scheme == "data:text/plain;charset=utf-8" and urllib.parse.unquote(text) == "TLS servers, 90 days"
    assert profiles_of(server, directory(server, "web")) == offered
    assert set(profiles_of(server, directory(server, "inner"))) == {"inner"}
    assert set(profiles_of(server, directory(server, "client"))) == {"client"}


def test_named_profile_is_what_is_issued(server, web):
    client = Client(server)
    client.register()
    url, order = client.order(["a.example.com"], profile="client")
    assert order["profile"] == "client"
    client.solve(order, web)
    client.finalize(order, make_csr(["a.example.com"]))
    done = client.wait(url, ("valid", "invalid"))
    assert (done["status"], done["profile"]) == ("valid", "client")
    certificate = leaf(client.post(done["certificate"]).text)
    usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usages) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert (certificate.not_valid_after - certificate.not_valid_before).days == 6


def test_unnamed_profile_is_the_directorys_and_is_shown(server):
    for url, name in ((server.directory, "web"), (directory(server, "client"), "client")):
        client = Client(server, directory=url)
        client.register()
        assert client.order(["a.example.com"])[1]["profile"] == name


def refused(client, kind, names=("a.example.com",), **members):
    with pytest.raises(Refused) as caught:
        client.order(list(names), **members)
    assert (caught.value.type, caught.value.reply.status_code) == (kind, 400), caught.value.reply.text
    return caught.value.reply.json()


@pytest.mark.parametrize("where,name", [
    ("web", "none"), ("web", ""), ("web", "inner"), ("web", "devices"), ("web", "enrolld-server"), ("web", "bound"),
    ("client", "web"), ("inner", "client"),
])
def test_invalid_profile(server, where, name):
    client = Client(server, directory=directory(server, where))
    client.register()
    refused(client, "invalidProfile", profile=name)


def test_profile_that_does_not_fit_the_rest_of_the_order(server):
    client = Client(server)
    client.register()
    refused(client, "invalidProfile", profile="addresses")
    addresses = [{"type": "ip", "value": f"192.0.2.{i}"} for i in (1, 2)]
    refused(client, "invalidProfile", addresses, profile="addresses")
    refused(client, "invalidProfile", addresses[:1], profile="addresses", notAfter="2999-01-01T00:00:00Z")
    refused(client, "malformed", profile=7)
    assert client.order(addresses[:1], profile="addresses")[1]["profile"] == "addresses"


def test_bound_account_may_name_a_bound_profile(server):
    made = json.loads(server.run("eab", "create", "--json", check=True).stdout)
    client = Client(server)
    client.bind(made)
    assert client.order(["a.example.com"], profile="bound")[1]["profile"] == "bound"


def test_finalize_when_the_profile_is_gone(server, web):
    """The draft: invalidProfile once the CA does not issue under it any more."""
    client = Client(server)
    client.register()
    url, order = client.order(["gone.example.com"], profile="client")
    client.solve(order, web)
    server.reload({"profiles": [p if p["name"] != "client" else {**p, "directory_alone": True} for p in PROFILES]})
    try:
        with pytest.raises(Refused) as caught:
            client.finalize(order, make_csr(["gone.example.com"]))
        assert caught.value.type == "invalidProfile"
    finally:
        server.reload({"profiles": PROFILES})
    client.finalize(order, make_csr(["gone.example.com"]))


def types_of(client, url):
    return {c["type"] for c in client.post(url).json()["challenges"]}


def test_a_profile_takes_the_challenges_that_it_names(server, web):
    client = Client(server)
    client.register()
    for profile, want in (("zone", {"dns-01"}), ("web-only", {"http-01"}), ("web", {"http-01", "dns-01", "tls-alpn-01", "dns-account-01"})):
        _, order = client.order([f"{profile}.kinds.example.com"], profile=profile)
        assert types_of(client, order["authorizations"][0]) == want
    # A wildcard name, which http-01 cannot prove.
    with pytest.raises(Refused) as refused:
        client.order(["*.kinds.example.com"], profile="web-only")
    assert refused.value.type == "rejectedIdentifier"


def test_a_proof_that_another_profile_took_does_not_count(server, web):
    client = Client(server)
    client.register()
    client.issue(["proven.example.com"], web, profile="web")
    url, order = client.order(["proven.example.com"], profile="web-only")
    assert order["status"] == "ready"  # http-01 is what it takes
    url, order = client.order(["proven.example.com"], profile="zone")
    assert order["status"] == "pending" and types_of(client, order["authorizations"][0]) == {"dns-01"}
    with pytest.raises(Refused) as refused:
        client.finalize(order, make_csr(["proven.example.com"]))
    assert refused.value.type == "orderNotReady"


def test_a_directory_without_pre_authorization(server):
    client = Client(server, directory=directory(server, "zone"))
    assert "newAuthz" not in client.directory and "newAuthz" in Client(server).directory
    client.register()
    with pytest.raises(Refused) as refused:
        client.post(directory(server, "zone").replace("directory", "new-authz"), {"identifier": {"type": "dns", "value": "a.example.com"}})
    assert refused.value.reply.status_code == 403 and "has no pre-authorization" in refused.value.reply.text
