"""dns-persist-01 (draft-ietf-acme-dns-persist-02, and draft 00's form) on the wire."""

import base64
import hashlib
import time

import pytest

from acme_raw import Client, make_key, thumbprint
from harness import Server
from lying_dns import LyingDns, txt


@pytest.fixture(scope="module")
def liar():
    with LyingDns() as running:
        yield running


def config(liar, *forms):
    return {"acme": {"resolvers": [liar.resolver], "caa_identities": ["ca.example.net"], "challenges": ["http-01", "dns-persist-01"],
                     "dns_persist_01": {"forms": list(forms)}}}


@pytest.fixture(scope="module")
def server(liar):
    with Server(config(liar, "draft-02")) as running:
        yield running


def register(server):
    client = Client(server)
    client.register()
    return client


def hashed(client, domain, key=None):
    inner = bytes([len(domain)]) + domain.encode() + thumbprint(key or client.key).encode() + client.kid.encode()
    digest = base64.urlsafe_b64encode(hashlib.sha256(inner).digest()).rstrip(b"=").decode()
    return client.directory["meta"]["accountHashPrefix"] + "sha-256/" + digest


def prove(client, name):
    authorization = client.order([name])[1]["authorizations"][0]
    challenge = next(c for c in client.post(authorization).json()["challenges"] if c["type"] == "dns-persist-01")
    client.post(challenge["url"], {})
    body = client.wait(authorization, ("valid", "invalid"))
    return body, next(c for c in body["challenges"] if c["type"] == "dns-persist-01")


def test_directory_and_challenge(server):
    client = register(server)
    meta = client.directory["meta"]
    assert meta["issuerDomainNames"] == ["ca.example.net"] and meta["accountHashPrefix"].endswith("/")
    authorization = client.order(["shown.example.com"])[1]["authorizations"][0]
    challenge = next(c for c in client.post(authorization).json()["challenges"] if c["type"] == "dns-persist-01")
    assert challenge["issuerDomainNames"] == ["ca.example.net"] and "token" not in challenge and not challenge.keys() & {"issuer-domain-names", "accounturi"}


def test_issuer_names_are_in_lower_case_3_1(liar):
    extra = config(liar, "draft-02", "draft-00")
    extra["acme"]["caa_identities"] = ["CA.Example.NET", "pki.example.net"]
    with Server(extra) as mixed:
        client = register(mixed)
        authorization = client.order(["lower.example.com"])[1]["authorizations"][0]
        challenge = next(c for c in client.post(authorization).json()["challenges"] if c["type"] == "dns-persist-01")
        for names in (client.directory["meta"]["issuerDomainNames"], challenge["issuerDomainNames"], challenge["issuer-domain-names"]):
            assert names == ["ca.example.net", "pki.example.net"]


def test_not_offered_by_itself():
    with Server() as plain:
        client = register(plain)
        kinds = {c["type"] for c in client.post(client.order(["x.example.com"])[1]["authorizations"][0]).json()["challenges"]}
        assert "dns-persist-01" not in kinds and "accountHashPrefix" not in client.directory["meta"]


def test_record_that_stays(server, liar):
    client = register(server)
    liar.records["_validation-persist.stays.example.com", "TXT"] = [
        txt("other.example; accounturi=https://other.example/1"), txt("ca.example.net;", f" accounturi={hashed(client, 'stays.example.com')}")]
    assert prove(client, "stays.example.com")[0]["status"] == "valid"


def test_record_outlives_a_key_rollover(server, liar):
    client = register(server)
    old = client.key
    liar.records["_validation-persist.rolled.example.com", "TXT"] = [txt(f"ca.example.net; accounturi={hashed(client, 'rolled.example.com')}")]
    from test_acme_protocol import key_change
    client.post(client.directory["keyChange"], key_change(client, new := make_key()))
    client.key = new
    assert hashed(client, "rolled.example.com") != hashed(client, "rolled.example.com", old)
    assert prove(client, "rolled.example.com")[0]["status"] == "valid"


def test_wildcard_needs_the_policy(server, liar):
    client = register(server)
    uri = hashed(client, "*")
    liar.records["_validation-persist.plain.example.com", "TXT"] = [txt(f"ca.example.net; accounturi={uri}")]
    liar.records["_validation-persist.wild.example.com", "TXT"] = [txt(f"ca.example.net; accounturi={uri}; policy=wildcard")]
    body, challenge = prove(client, "*.plain.example.com")
    assert body["status"] == "invalid" and challenge["error"]["type"].endswith(":unauthorized")
    assert prove(client, "*.wild.example.com")[0]["status"] == "valid"


def test_end_of_the_record_ends_the_authorization(server, liar):
    client = register(server)
    until = int(time.time()) + 3600
    liar.records["_validation-persist.ends.example.com", "TXT"] = [
        txt(f"ca.example.net; accounturi={hashed(client, '*')}; persistUntil={until}")]
    body, _ = prove(client, "ends.example.com")
    assert body["status"] == "valid"
    assert body["expires"] <= time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(until))


def test_orders_end_with_the_record(server, liar):
    """One that is ready until long after that could not be finalized any more."""
    client = register(server)
    until = int(time.time()) + 3600
    liar.records["_validation-persist.order.example.com", "TXT"] = [
        txt(f"ca.example.net; accounturi={hashed(client, '*')}; persistUntil={until}")]
    url, order = client.order(["order.example.com"])
    ends = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(until))
    assert order["expires"] > ends
    challenge = next(c for c in client.post(order["authorizations"][0]).json()["challenges"] if c["type"] == "dns-persist-01")
    client.post(challenge["url"], {})
    assert client.wait(order["authorizations"][0], ("valid", "invalid"))["status"] == "valid"
    order = client.post(url).json()
    assert order["status"] == "ready" and order["expires"] == ends


def test_record_of_another_account(server, liar):
    client, other = register(server), register(server)
    liar.records["_validation-persist.foreign.example.com", "TXT"] = [txt(f"ca.example.net; accounturi={hashed(other, '*')}")]
    body, challenge = prove(client, "foreign.example.com")
    assert body["status"] == "invalid" and challenge["error"]["type"].endswith(":unauthorized")
    assert "_validation-persist.foreign.example.com" in challenge["error"]["detail"]


def test_form_of_draft_00(liar):
    with Server(config(liar, "draft-00", "draft-02")) as both:
        client = register(both)
        liar.records["_validation-persist.former.example.com", "TXT"] = [txt(f"ca.example.net; accounturi={client.kid}")]
        body, challenge = prove(client, "former.example.com")
        assert body["status"] == "valid"
        assert challenge["issuer-domain-names"] == challenge["issuerDomainNames"] == ["ca.example.net"]
        assert challenge["accounturi"] == client.kid, "lego 5 makes its record from it"


@pytest.mark.parametrize("name", ["host.above.example.com", "a.b.above.example.com", "*.host.above.example.com"])
def test_record_above_with_the_policy_6(server, liar, name):
    client = register(server)
    liar.records["_validation-persist.above.example.com", "TXT"] = [
        txt(f"ca.example.net; accounturi={hashed(client, 'above.example.com')}; policy=WILDCARD")]
    body, challenge = prove(client, name)
    assert body["status"] == "valid", challenge


@pytest.mark.parametrize("policy", ["", "; policy=other", "; policy="])
def test_record_above_without_the_policy_6_2(server, liar, policy):
    client = register(server)
    for uri in (hashed(client, "strict.example.com"), hashed(client, "*"), hashed(client, "host.strict.example.com")):
        liar.records["_validation-persist.strict.example.com", "TXT"] = [txt(f"ca.example.net; accounturi={uri}{policy}")]
        body, challenge = prove(client, "host.strict.example.com")
        assert body["status"] == "invalid" and "_validation-persist.host.strict.example.com" in challenge["error"]["detail"]


def test_record_above_is_of_its_own_domain_6_1(server, liar):
    """A suffix is one of labels; the hash is of the domain that the record stands at; top-level domains are not asked."""
    client = register(server)
    wild = "; policy=wildcard"
    liar.records["_validation-persist.ther.example.org", "TXT"] = [txt(f"ca.example.net; accounturi={hashed(client, '*')}{wild}")]
    liar.records["_validation-persist.hash.example.org", "TXT"] = [txt(f"ca.example.net; accounturi={hashed(client, 'host.hash.example.org')}{wild}")]
    liar.records["_validation-persist.top", "TXT"] = [txt(f"ca.example.net; accounturi={hashed(client, '*')}{wild}")]
    for name in ("other.example.org", "host.hash.example.org", "a.b.top"):
        assert prove(client, name)[0]["status"] == "invalid", name
    assert not any(name == "_validation-persist.top" for name, *_ in liar.questions)


def test_failure_at_the_name_is_not_mended_above(server, liar):
    client = register(server)
    liar.records["_validation-persist.broken.example.com", "TXT"] = [txt(f"ca.example.net; accounturi={hashed(client, '*')}; policy=wildcard")]
    liar.rcodes["_validation-persist.host.broken.example.com"] = 2
    body, challenge = prove(client, "host.broken.example.com")
    assert body["status"] == "invalid" and challenge["error"]["type"].endswith(":dns")


def test_end_of_a_record_above_ends_the_authorization(server, liar):
    client = register(server)
    until = int(time.time()) + 3600
    liar.records["_validation-persist.until.example.com", "TXT"] = [
        txt(f"ca.example.net; accounturi={hashed(client, '*')}; policy=wildcard; persistUntil={until}")]
    body, _ = prove(client, "deep.until.example.com")
    assert body["status"] == "valid" and body["expires"] <= time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(until))


def test_record_above_in_the_form_of_draft_00(liar):
    with Server(config(liar, "draft-00")) as former:
        client = register(former)
        liar.records["_validation-persist.zero.example.com", "TXT"] = [txt(f"ca.example.net; accounturi={client.kid}; policy=wildcard")]
        assert prove(client, "host.zero.example.com")[0]["status"] == "valid"
        liar.records["_validation-persist.zero.example.com", "TXT"] = [txt(f"ca.example.net; accounturi={client.kid}")]
        assert prove(client, "more.zero.example.com")[0]["status"] == "invalid"
