"""Several places must agree before a proof is believed: resolvers for DNS and CAA, proxies for http-01."""

import contextlib

import pytest

from acme_raw import Client
from harness import ChallengeServer, Server
from lying_dns import LyingDns, txt
from proxy import Proxy, Socks
from test_dns_hostile import answer, at, begin


@contextlib.contextmanager
def places(quorum, kind=Proxy):
    """A server that looks with three eyes: its own, another resolver, and another resolver with a proxy."""
    with LyingDns() as own, LyingDns() as second, LyingDns() as third, kind() as proxy:
        points = [{"name": "second", "resolvers": [second.resolver]},
                  {"name": "third", "resolvers": [third.resolver], "proxy": proxy.url}]
        config = {"acme": {"resolvers": [own.resolver], "vantage": {"points": points, "quorum": quorum}, "caa_identities": ["ca.example.net"]},
                  "profiles": [{"name": "tls-server", "caa": True}]}
        with Server(config) as server:
            client = Client(server)
            client.register()
            yield server, client, (own, second, third), proxy


def publish(liars, name, proof):
    for liar in liars:
        liar.records[at(name), "TXT"] = [txt(proof)]


def test_quorum_of_resolvers():
    with places(2) as (_, client, liars, _):
        for seen_by, want in ((liars, "valid"), (liars[:2], "valid"), ((liars[0], liars[2]), "valid"), (liars[:1], "invalid"), (liars[1:], "invalid")):
            name = "-".join(str(liars.index(x)) for x in seen_by) + ".example.com"
            authorization, challenge, proof = begin(client, name)
            publish(seen_by, name, proof)
            status, error = answer(client, authorization, challenge)
            assert status == want, (name, error)
        assert "TXT" in error["detail"], "this server itself must always agree"


def test_who_did_not_agree_is_told():
    with places(3) as (_, client, liars, _):
        authorization, challenge, proof = begin(client, "told.example.com")
        publish(liars[:2], "told.example.com", proof)
        status, error = answer(client, authorization, challenge)
        assert status == "invalid" and "2 of 3 vantage points agree, 3 are wanted; third:" in error["detail"]


def test_quorum_of_caa():
    with places(3) as (_, client, liars, _):
        authorization, challenge, proof = begin(client, "caa.example.com")
        publish(liars, "caa.example.com", proof)
        liars[2].records["caa.example.com", "CAA"] = ['0 issue ";"']
        status, error = answer(client, authorization, challenge)
        assert status == "invalid" and error["type"].endswith(":caa") and "third" in error["detail"]


@pytest.mark.parametrize("kind", [Proxy, Socks])
@pytest.mark.parametrize("beyond,want", [("same", "valid"), ("nothing", "invalid"), ("another", "invalid")])
def test_http_through_a_proxy(kind, beyond, want):
    """The third place sees the web server that its proxy leads to."""
    with places(3, kind) as (server, client, liars, proxy), ChallengeServer(server.http01_port) as web, ChallengeServer(0) as other:
        target = f"127.0.0.1:{server.http01_port}"
        proxy.elsewhere = {"same": {}, "nothing": {target: None}, "another": {target: ("127.0.0.1", other.port)}}[beyond]
        authorization, challenge, _ = begin(client, "web.example.com", "http-01")
        text = client.key_authorization(challenge["token"]).encode()
        web.answers[challenge["token"]] = text
        other.answers[challenge["token"]] = b"something else"
        status, error = answer(client, authorization, challenge)
        assert status == want, error
        assert proxy.asked == [target], "by the address that was judged, not by name"
        if want == "invalid":
            assert "third" in error["detail"]


@pytest.mark.parametrize("kind", [Proxy, Socks])
def test_ipv4_after_ipv6_beyond_a_proxy(kind):
    """That the proxy could be connected to says nothing of the place behind it."""
    with places(3, kind) as (server, client, liars, proxy), ChallengeServer(server.http01_port) as web:
        targets = [f"[::1]:{server.http01_port}", f"127.0.0.1:{server.http01_port}"]
        proxy.elsewhere = {targets[0]: None}
        for liar in liars:
            liar.records["both.example.com", "AAAA"] = ["::1"]
            liar.records["both.example.com", "A"] = ["127.0.0.1"]
        authorization, challenge, _ = begin(client, "both.example.com", "http-01")
        web.answers[challenge["token"]] = client.key_authorization(challenge["token"]).encode()
        status, error = answer(client, authorization, challenge)
        assert status == "valid", error
        assert proxy.asked == targets


@pytest.mark.parametrize("kind", [Proxy, Socks])
def test_proxy_does_not_lead_around_the_judgement(kind):
    """What may not be connected to may not be through a proxy either."""
    with places(3, kind) as (server, client, liars, proxy), ChallengeServer(server.http01_port) as web:
        liars[2].records["inner.example.com", "A"] = ["169.254.169.254"]
        authorization, challenge, _ = begin(client, "inner.example.com", "http-01")
        web.answers[challenge["token"]] = client.key_authorization(challenge["token"]).encode()
        status, error = answer(client, authorization, challenge)
        assert status == "invalid" and "169.254.169.254" in error["detail"] and not proxy.asked
