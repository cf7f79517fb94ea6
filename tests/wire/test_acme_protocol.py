"""RFC 8555 as its sections have it, over the wire."""

import base64
import concurrent.futures
import datetime
import ipaddress
import json
import re
import time

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from acme_raw import Client, Refused, b64, flattened, jwk, make_csr, make_key
from harness import ChallengeServer, Server
from judge import check_chain, leaf, pem_list


@pytest.fixture
def client(server):
    made = Client(server)
    made.register()
    return made


def refused(kind, status, call, *args, **kwargs):
    with pytest.raises(Refused) as caught:
        call(*args, **kwargs)
    reply = caught.value.reply
    assert (caught.value.type, reply.status_code) == (kind, status), reply.text
    assert reply.headers["Content-Type"] == "application/problem+json"
    assert reply.headers["Replay-Nonce"]
    assert "subproblems" not in reply.json() or reply.json()["subproblems"]
    return reply.json()


def ready(client, web, names, **members):
    url, order = client.order(names, **members)
    client.solve(order, web)
    assert client.post(url).json()["status"] == "ready"
    return url, order


# --- 7.1.1, 7.2

def test_directory_7_1_1(server, client):
    reply = client.session.get(server.directory)
    assert reply.headers["Content-Type"] == "application/json"
    body = reply.json()
    assert {"newNonce", "newAccount", "newOrder", "newAuthz", "revokeCert", "keyChange"} <= set(body)
    for name, url in body.items():
        if name != "meta":
            assert url.startswith(server.url + "/acme/") and not url.endswith("/")


def test_directory_meta_7_1_1():
    extra = {"acme": {"terms_of_service": "https://ca.example/terms", "website": "https://ca.example", "caa_identities": ["ca.example"]}}
    with Server(extra) as server:
        meta = Client(server).directory["meta"]
        assert meta["termsOfService"] == "https://ca.example/terms"
        assert meta["website"] == "https://ca.example"
        assert meta["caaIdentities"] == ["ca.example"]


def test_new_nonce_7_2(client):
    url = client.directory["newNonce"]
    head, get = client.session.head(url), client.session.get(url)
    assert (head.status_code, get.status_code) == (200, 204)
    for reply in (head, get):
        assert re.fullmatch(r"[A-Za-z0-9_-]+", reply.headers["Replay-Nonce"])
        assert reply.headers["Cache-Control"] == "no-store"
        assert reply.headers["Link"].endswith('/directory>;rel="index"')
    assert get.content == b""
    assert head.headers["Replay-Nonce"] != get.headers["Replay-Nonce"]


def test_every_reply_has_a_nonce_and_an_index_link_6_5(client):
    for reply in (client.post(client.kid), client.raw_post(client.kid, b"[]")):
        assert reply.headers["Replay-Nonce"]
        assert '/directory>;rel="index"' in reply.headers["Link"]


# --- 7.3

@pytest.mark.parametrize("alg", ["RS256", "PS256", "ES256", "ES384", "ES512", "EdDSA"])
def test_new_account_with_each_algorithm_6_2(server, alg):
    fresh = Client(server, key=make_key("RS256" if alg == "PS256" else alg), alg=alg)
    reply = fresh.register(contact=["mailto:a@example.com"])
    assert reply.status_code == 201
    assert reply.json()["status"] == "valid"
    assert reply.json()["contact"] == ["mailto:a@example.com"]
    assert reply.json()["orders"].startswith(fresh.kid)
    assert fresh.post(fresh.kid).json()["status"] == "valid"


def test_existing_account_is_200_with_location_7_3_1(server, client):
    again = Client(server, key=client.key)
    reply = again.register()
    assert reply.status_code == 200 and reply.headers["Location"] == client.kid


@pytest.mark.parametrize("alg", ["ES256", "RS256", "EdDSA"])
def test_an_account_shows_its_key(server, alg):
    """No field of RFC 8555, 7.1.2, but Boulder and Pebble send it, and acmephp and node's acme-client look for it, the latter after a rollover."""
    client = Client(server, alg=alg)
    assert client.register().json()["key"] == jwk(client.key)
    new = make_key()
    inner = flattened(new, {"alg": "ES256", "jwk": jwk(new), "url": client.directory["keyChange"]}, {"account": client.kid, "oldKey": jwk(client.key)})
    assert client.post(client.directory["keyChange"], inner).json()["key"] == jwk(new)


def test_only_return_existing_7_3_1(server, client):
    again = Client(server, key=client.key)
    assert again.register(onlyReturnExisting=True).status_code == 200
    refused("accountDoesNotExist", 400, Client(server).register, onlyReturnExisting=True)


def test_terms_must_be_agreed_7_3():
    with Server({"acme": {"terms_of_service": "https://ca.example/terms"}}) as server:
        for value in (False, None, "yes", ...):
            fresh = Client(server)
            with pytest.raises(Refused) as caught:
                fresh.post(fresh.directory["newAccount"], {} if value is ... else {"termsOfServiceAgreed": value})
            assert caught.value.type in ("userActionRequired", "malformed")
        assert Client(server).register().json()["termsOfServiceAgreed"] is True


@pytest.mark.parametrize("contact,kind", [
    (["tel:+123"], "unsupportedContact"), (["mailto:a@b.example?subject=x"], "invalidContact"), (["mailto:a@b.example,c@d.example"], "invalidContact"),
    (["mailto:"], "invalidContact"), (["mailto:nobody"], "invalidContact"), ("mailto:a@b.example", "malformed"), ([1], "malformed"),
    (["mailto:a@b.example\r\nX: y"], "invalidContact"), (["mailto:a@b.example"] * 50, "malformed"), ([""], "malformed"),
])
def test_contacts_7_3(server, contact, kind):
    fresh = Client(server)
    with pytest.raises(Refused) as caught:
        fresh.register(contact=contact)
    assert caught.value.reply.status_code == 400
    assert caught.value.type in (kind, "invalidContact", "unsupportedContact")


def test_update_of_contacts_7_3_2(client):
    body = client.post(client.kid, {"contact": ["mailto:new@example.com"]}).json()
    assert body["contact"] == ["mailto:new@example.com"]
    assert client.post(client.kid, {"contact": []}).json().get("contact", []) == []
    # Unrecognised fields and those that the client may not set are ignored.
    body = client.post(client.kid, {"status": "valid", "orders": "https://evil.example", "unknown": 1}).json()
    assert body["status"] == "valid" and "evil" not in json.dumps(body)


def test_null_is_nothing_said_7_3(server):
    """github.com/eggsampler/acme sends "externalAccountBinding": null with each new account."""
    nothing = dict(externalAccountBinding=None, contact=None, onlyReturnExisting=None, termsOfServiceAgreed=None)
    fresh = Client(server)
    assert fresh.register(**nothing).status_code == 201
    fresh.post(fresh.kid, {"contact": ["mailto:kept@example.com"]})
    assert fresh.post(fresh.kid, {"contact": None}).json()["contact"] == ["mailto:kept@example.com"]
    order = fresh.post(fresh.directory["newOrder"], {"identifiers": [{"type": "dns", "value": "null.example.com", "ancestorDomain": None}],
                                                     "notBefore": None, "notAfter": None, "replaces": None, "profile": None, "auto-renewal": None})
    assert order.status_code == 201 and "notAfter" not in order.json() and "auto-renewal" not in order.json()


def test_gos_zero_time_is_nothing_said_7_4(client):
    """smallstep's `step ca certificate --acme` sends it for dates that nobody asked for."""
    zero = "0001-01-01T00:00:00Z"
    order = client.post(client.directory["newOrder"], {"identifiers": [{"type": "dns", "value": "zero.example.com"}], "notBefore": zero, "notAfter": zero})
    assert order.status_code == 201 and not {"notBefore", "notAfter"} & set(order.json())
    refused("malformed", 400, client.post, client.directory["newOrder"],
            {"identifiers": [{"type": "dns", "value": "zero.example.com"}], "notBefore": "0001-01-01T00:00:01Z"})


def test_null_is_no_external_account_7_3_4():
    with Server({"profiles": [{"name": "tls-server", "eab_required": True}]}) as server:
        refused("externalAccountRequired", 403, Client(server).register, externalAccountBinding=None)


def test_what_is_not_the_clients_to_say_is_not_reflected_7_3(server):
    fresh = Client(server)
    body = fresh.register(orders="https://evil.example/", status="deactivated", unknown={"a": 1}, initialIp="192.0.2.1").json()
    assert set(body) <= {"status", "contact", "termsOfServiceAgreed", "orders", "key"} and body["status"] == "valid"
    assert body["orders"].startswith(fresh.kid)
    assert "evil" not in fresh.post(fresh.kid).text


def test_parallel_new_accounts_make_one(server):
    key = make_key()

    def register(_):
        return Client(server, key=key).register().headers["Location"]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(register, range(16)))) == 1


def test_deactivation_7_3_6(client, web):
    url, order = client.order(["deactivated.example.com"])
    body = client.post(client.kid, {"status": "deactivated"}).json()
    assert body["status"] == "deactivated"
    refused("unauthorized", 401, client.post, client.kid)
    refused("unauthorized", 401, client.post, url)


def test_deactivation_cancels_what_was_begun_7_3_6(server, client, web):
    pending = client.order(["begun.example.com"])[0]
    ready_url, order = client.order(["proven.example.com"])
    client.solve(order, web)
    status = lambda url: json.loads(server.run("order", "show", url.rsplit("/", 1)[1], "--json", check=True).stdout)["status"]
    assert [status(pending), status(ready_url)] == ["pending", "ready"]
    client.post(client.kid, {"status": "deactivated"})
    assert [status(pending), status(ready_url)] == ["invalid", "invalid"]


def test_deactivated_key_cannot_come_back_7_3_6(server, client):
    client.post(client.kid, {"status": "deactivated"})
    again = Client(server, key=client.key)
    with pytest.raises(Refused) as caught:
        again.register()
    assert caught.value.type == "unauthorized"


def test_contact_of_getssl_has_a_space(server):
    """It writes one after "mailto:", which is not kept."""
    reply = Client(server).register(contact=["mailto: getssl@example.com"])
    assert reply.json()["contact"] == ["mailto:getssl@example.com"]


def test_key_of_a_deactivated_account_is_403_and_says_so(server, client):
    """By these two Ansible's acme_account knows that what it was to deactivate is deactivated already."""
    client.post(client.kid, {"status": "deactivated"})
    reply = refused("unauthorized", 403, Client(server, key=client.key).register, onlyReturnExisting=True)
    assert "deactivated" in reply["detail"]
    refused("unauthorized", 401, client.post, client.kid)


def test_kid_of_no_account_6_2(client):
    """Also where it has not the form of our ids: Ansible's acme_account_info looks for an account so."""
    for kid in (client.kid + "x", client.kid[:-1], client.kid[:-22] + "A" * 22):
        refused("accountDoesNotExist", 400, client.post, client.kid, kid=kid)


# --- 7.3.4 external account binding

def eab(server, client, made, alg="HS256", key=None, url=None, inner_key=None, kid=None, nonce=None):
    secret = base64.urlsafe_b64decode(made["key"] + "==") if key is None else key
    head = {"alg": alg, "kid": made["kid"] if kid is None else kid, "url": url or client.directory["newAccount"]}
    if nonce:
        head["nonce"] = nonce
    return flattened(secret, head, jwk(inner_key or client.key), alg=alg)


def create_eab(server, *args):
    return json.loads(server.run("eab", "create", "--json", *args, check=True).stdout)


@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512"])
def test_external_account_7_3_4(server, alg):
    fresh = Client(server)
    binding = eab(server, fresh, create_eab(server), alg=alg)
    assert fresh.register(externalAccountBinding=binding).json()["externalAccountBinding"] == binding


def test_external_account_that_is_wrong_7_3_4(server):
    made = create_eab(server)
    other = make_key()
    cases = [dict(key=b"x" * 32), dict(url="https://evil.example/"), dict(inner_key=other), dict(kid="nobody"), dict(nonce="abc")]
    for case in cases:
        fresh = Client(server)
        with pytest.raises(Refused) as caught:
            fresh.register(externalAccountBinding=eab(server, fresh, made, **case))
        assert caught.value.type in ("unauthorized", "malformed"), case
    for broken in ({}, {"protected": "", "payload": "", "signature": ""}, "text", 1, []):
        fresh = Client(server)
        with pytest.raises(Refused) as caught:
            fresh.register(externalAccountBinding=broken)
        assert caught.value.type == "malformed", broken


def test_external_account_alg_must_be_a_mac_7_3_4(server):
    fresh = Client(server)
    made = create_eab(server)
    head = {"alg": "ES256", "kid": made["kid"], "url": fresh.directory["newAccount"]}
    with pytest.raises(Refused) as caught:
        fresh.register(externalAccountBinding=flattened(fresh.key, head, jwk(fresh.key)))
    assert caught.value.type in ("badSignatureAlgorithm", "malformed")


def test_external_account_use_count_and_revocation(server):
    made = create_eab(server, "--uses", "1")
    first, second = Client(server), Client(server)
    first.register(externalAccountBinding=eab(server, first, made))
    refused("unauthorized", 403, second.register, externalAccountBinding=eab(server, second, made))
    made = create_eab(server)
    server.run("eab", "revoke", made["kid"], check=True)
    refused("unauthorized", 403, second.register, externalAccountBinding=eab(server, second, made))


def test_external_account_required_7_3_4():
    extra = {"profiles": [{"name": "bound", "eab_required": True}, {"name": "open"}], "default_profile": "bound"}
    with Server(extra) as server:
        fresh = Client(server)
        assert fresh.directory["meta"]["externalAccountRequired"] is True
        refused("externalAccountRequired", 403, fresh.register)
        only_open = create_eab(server, "--profile", "open")
        refused("unauthorized", 403, fresh.register, externalAccountBinding=eab(server, fresh, only_open))
        fresh.register(externalAccountBinding=eab(server, fresh, create_eab(server, "--profile", "bound")))
        # An account of the open directory is nobody in the bound one.
        other = Client(server, directory=server.url + "/acme/open/directory")
        other.register()
        bound = Client(server, key=other.key)
        bound.kid = other.kid
        with pytest.raises(Refused):
            bound.order(["smuggled.example.com"])


# --- 7.3.5 key change

def key_change(client, new, inner_url=None, account=None, old=None, inner_jwk=None, inner_extra=None):
    url = client.directory["keyChange"]
    head = {"alg": "ES256", "jwk": inner_jwk or jwk(new), "url": inner_url or url, **(inner_extra or {})}
    return flattened(new, head, {"account": account or client.kid, "oldKey": old or jwk(client.key)})


def test_key_change_7_3_5(server, client, web):
    new = make_key()
    url, _ = client.order(["rollover.example.com"])
    client.post(client.directory["keyChange"], key_change(client, new))
    with pytest.raises(Refused):
        client.post(client.kid)
    client.key = new
    assert client.post(client.kid).json()["status"] == "valid"
    assert client.post(url).json()["status"] == "pending"
    # Challenges are answered with the new key from now on.
    client.solve(client.post(url).json(), web)
    assert client.post(url).json()["status"] == "ready"


def test_key_change_that_is_wrong_7_3_5(server, client):
    new = make_key()
    url = client.directory["keyChange"]
    cases = {
        "inner url": key_change(client, new, inner_url=client.directory["newOrder"]),
        "account": key_change(client, new, account=client.kid + "x"),
        "old key": key_change(client, new, old=jwk(make_key())),
        "inner jwk of another key": key_change(client, new, inner_jwk=jwk(make_key())),
        "inner nonce": key_change(client, new, inner_extra={"nonce": client.nonce()}),
        "inner kid": flattened(new, {"alg": "ES256", "kid": client.kid, "url": url}, {"account": client.kid, "oldKey": jwk(client.key)}),
        "no jws": {"account": client.kid, "oldKey": jwk(client.key)},
    }
    for name, payload in cases.items():
        with pytest.raises(Refused) as caught:
            client.post(url, payload)
        assert caught.value.type in ("malformed", "unauthorized"), name
    assert client.post(client.kid).status_code == 200


def test_key_change_to_a_key_in_use_is_409_7_3_5(server, client):
    other = Client(server)
    other.register()
    with pytest.raises(Refused) as caught:
        client.post(client.directory["keyChange"], key_change(client, other.key))
    assert caught.value.reply.status_code == 409
    assert caught.value.reply.headers["Location"] == other.kid


# --- 7.4 orders

def test_new_order_7_4(client):
    reply = client.post(client.directory["newOrder"], {"identifiers": [{"type": "dns", "value": "Order.Example.com"}]})
    assert reply.status_code == 201
    body = reply.json()
    assert body["status"] == "pending"
    assert body["identifiers"] == [{"type": "dns", "value": "Order.Example.com"}]  # echoed as sent
    assert body["finalize"] and body["expires"] and len(body["authorizations"]) == 1
    assert "error" not in body and "certificate" not in body
    read = client.post(reply.headers["Location"])
    assert read.status_code == 200 and read.json() == body
    authorization = client.post(body["authorizations"][0]).json()
    assert authorization["identifier"] == {"type": "dns", "value": "order.example.com"}
    assert authorization["status"] == "pending" and "wildcard" not in authorization
    for challenge in authorization["challenges"]:
        assert {"type", "url", "token", "status"} <= set(challenge)
        assert len(challenge["token"]) >= 22 and re.fullmatch(r"[A-Za-z0-9_-]+", challenge["token"])
        assert "error" not in challenge


@pytest.mark.parametrize("identifiers,kind", [
    ([], "malformed"), (None, "malformed"), ("x", "malformed"), ([{}], "malformed"), ([{"type": "dns"}], "malformed"),
    ([{"type": "dns", "value": 1}], "malformed"), ([{"type": "telephone", "value": "1"}], "unsupportedIdentifier"),
    ([{"type": "dns", "value": ""}], "malformed"), ([{"type": "dns", "value": "a..b"}], "malformed"),
    ([{"type": "dns", "value": "a b.example"}], "malformed"), ([{"type": "dns", "value": "192.0.2.1"}], "malformed"),
    ([{"type": "dns", "value": "*.*.example.com"}], "malformed"), ([{"type": "dns", "value": "a.*.example.com"}], "malformed"),
    ([{"type": "dns", "value": "x" * 64 + ".example.com"}], "malformed"), ([{"type": "dns", "value": "a\u0000.example.com"}], "malformed"),
    ([{"type": "dns", "value": "b\u00fccher.example"}], "malformed"), ([{"type": "ip", "value": "300.1.1.1"}], "malformed"),
    ([{"type": "dns", "value": "evil.example.com/path"}], "malformed"), ([{"type": "dns", "value": "_x.example.com"}], "malformed"),
], ids=str)
def test_identifiers_that_are_wrong_7_4(client, identifiers, kind):
    with pytest.raises(Refused) as caught:
        client.post(client.directory["newOrder"], {} if identifiers is None else {"identifiers": identifiers})
    assert caught.value.reply.status_code in (400, 403)
    assert caught.value.type in (kind, "rejectedIdentifier", "malformed", "unsupportedIdentifier")
    if kind == "unsupportedIdentifier":
        assert caught.value.type == kind


def test_refused_identifiers_are_told_together_6_7_1():
    with Server({"profiles": [{"name": "default", "dns": {"allow": ["**.example.com"], "deny": ["secret.example.com"]}}],
                 "default_profile": "default"}) as server:
        client = Client(server)
        client.register()
        with pytest.raises(Refused) as caught:
            client.order(["ok.example.com", "outside.example.net", "secret.example.com"])
        body = caught.value.reply.json()
        assert caught.value.type in ("rejectedIdentifier", "compound")
        assert {s["identifier"]["value"] for s in body["subproblems"]} == {"outside.example.net", "secret.example.com"}
        assert all(s["type"].endswith(":rejectedIdentifier") and s["detail"] for s in body["subproblems"])
        with pytest.raises(Refused) as caught: # mod_md and others show the detail alone
            client.order(["ok.example.com", "outside.example.net"])
        body = caught.value.reply.json()
        assert "outside.example.net" in body["detail"] and body["detail"] == body["subproblems"][0]["detail"]


def test_not_before_and_not_after_7_4(client, web):
    now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    text = lambda t: t.isoformat().replace("+00:00", "Z")  # noqa: E731
    url, order = ready(client, web, ["dated.example.com"], notBefore=text(now), notAfter=text(now + datetime.timedelta(days=3)))
    assert order["notBefore"] == text(now)
    client.finalize(order, make_csr(["dated.example.com"]))
    done = client.post(url).json()
    certificate = leaf(client.post(done["certificate"]).text)
    assert certificate.not_valid_before == now.replace(tzinfo=None)
    assert certificate.not_valid_after == (now + datetime.timedelta(days=3)).replace(tzinfo=None)
    for members in ({"notAfter": text(now + datetime.timedelta(days=36500))}, {"notAfter": text(now - datetime.timedelta(days=1))},
                    {"notBefore": "yesterday"}, {"notBefore": text(now + datetime.timedelta(days=2)), "notAfter": text(now + datetime.timedelta(days=1))},
                    {"notAfter": 5}):
        with pytest.raises(Refused):
            client.order(["dated.example.com"], **members)


def test_the_longest_life_can_be_asked_for_7_4():
    """cert-manager says notAfter: its duration after the time it has."""
    with Server({"profiles": [{"name": "web", "validity": "30d", "validity_max": "90d"}]}) as server, ChallengeServer(server.http01_port) as web:
        client = Client(server)
        client.register()
        for _ in range(3):
            now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
            end = now + datetime.timedelta(days=90)
            url, order = client.order(["longest.example.com"], notAfter=end.isoformat().replace("+00:00", "Z"))
            client.solve(order, web)
            client.finalize(order, make_csr(["longest.example.com"]))
            certificate = leaf(client.post(client.wait(url, ("valid",))["certificate"]).text)
            assert certificate.not_valid_after == end.replace(tzinfo=None)
            assert certificate.not_valid_after - certificate.not_valid_before < datetime.timedelta(days=90)
        with pytest.raises(Refused):
            client.order(["longest.example.com"], notAfter=(end + datetime.timedelta(days=1)).isoformat().replace("+00:00", "Z"))


def test_orders_list_is_paged_7_1_2_1():
    with Server({"acme": {"orders_page": 5}}) as server:
        client = Client(server)
        orders_url = client.register().json()["orders"]
        made = [client.order([f"n{i}.example.com"])[0] for i in range(12)]
        found, url, pages = [], orders_url, 0
        while url:
            reply = client.post(url)
            assert len(reply.json()["orders"]) <= 5
            found += reply.json()["orders"]
            link = re.search(r'<([^>]+)>;\s*rel="next"', reply.headers["Link"])
            url = link.group(1) if link else None
            pages += 1
        assert sorted(found) == sorted(made) and pages == 3
        other = Client(server)
        other.register()
        with pytest.raises(Refused):
            other.post(orders_url)


def test_only_the_owner_sees_an_order(server, client):
    url, order = client.order(["mine.example.com"])
    other = Client(server)
    other.register()
    for target in (url, order["authorizations"][0], client.post(order["authorizations"][0]).json()["challenges"][0]["url"]):
        with pytest.raises(Refused) as caught:
            other.post(target)
        assert caught.value.reply.status_code in (401, 403, 404)


# --- 7.5 authorizations and challenges

def test_challenge_7_5_1(client, web):
    url, order = client.order(["challenge.example.com"])
    authorization_url = order["authorizations"][0]
    challenge = client.post(authorization_url).json()["challenges"][0]
    # Reading does not start a validation.
    assert client.post(challenge["url"]).json()["status"] == "pending"
    time.sleep(0.4)
    assert not web.requests and client.post(challenge["url"]).json()["status"] == "pending"
    web.answers[challenge["token"]] = client.key_authorization(challenge["token"]).encode() + b"  \r\n"
    reply = client.post(challenge["url"], {})
    assert reply.status_code == 200 and reply.json()["url"] == challenge["url"]
    assert f'<{authorization_url}>;rel="up"' in reply.headers["Link"]
    body = client.wait(authorization_url, ("valid", "invalid"))
    assert body["status"] == "valid"
    settled = next(c for c in body["challenges"] if c["status"] == "valid")
    assert settled["validated"].endswith("Z")
    assert web.requests[0][0] == "/.well-known/acme-challenge/" + challenge["token"]
    assert web.requests[0][1]["Host"].startswith("challenge.example.com")
    # Again, once settled: 200 and no second probe.
    seen = len(web.requests)
    assert client.post(challenge["url"], {}).json()["status"] == "valid"
    time.sleep(0.2)
    assert len(web.requests) == seen
    assert client.post(url).json()["status"] == "ready"


def test_common_case_is_valid_in_the_reply():
    """Which waits for it: here as long as it may, on a machine that may be slow."""
    with Server({"acme": {"challenge_wait": "10s"}}) as server, ChallengeServer(server.http01_port) as web:
        client = Client(server)
        client.register()
        _, order = client.order(["quick.example.com"])
        challenge = client.post(order["authorizations"][0]).json()["challenges"][0]
        web.answers[challenge["token"]] = client.key_authorization(challenge["token"]).encode()
        assert client.post(challenge["url"], {}).json()["status"] == "valid"


def test_failed_challenge_8(client, web):
    url, order = client.order(["failing.example.com", "fine.example.com"])
    challenge = client.post(order["authorizations"][0]).json()["challenges"][0]
    web.answers[challenge["token"]] = b"wrong"
    client.post(challenge["url"], {})
    body = client.wait(order["authorizations"][0], ("valid", "invalid"))
    assert body["status"] == "invalid"
    error = next(c for c in body["challenges"] if c["status"] == "invalid")["error"]
    assert error["type"].endswith((":incorrectResponse", ":unauthorized")) and "failing.example.com" in error["detail"]
    assert client.post(url).json()["status"] == "invalid"
    refused("orderNotReady", 403, client.finalize, order, make_csr(["failing.example.com", "fine.example.com"]))


def test_authorization_is_reused_by_its_account_alone(server, client, web):
    ready(client, web, ["reuse.example.com"])
    assert client.order(["reuse.example.com"])[1]["status"] == "ready"
    assert client.order(["REUSE.example.com"])[1]["status"] == "ready"
    other = Client(server)
    other.register()
    assert other.order(["reuse.example.com"])[1]["status"] == "pending"
    # What proves one host proves no wildcard, whose only challenges are of DNS.
    wildcard = client.order(["*.reuse.example.com"])[1]
    assert wildcard["status"] == "pending"
    body = client.post(wildcard["authorizations"][0]).json()
    assert body["wildcard"] is True and body["identifier"]["value"] == "reuse.example.com"
    assert {c["type"] for c in body["challenges"]} == {"dns-01", "dns-account-01"}


def test_deactivated_authorization_7_5_2(client, web):
    url, order = ready(client, web, ["relinquish.example.com"])
    body = client.post(order["authorizations"][0], {"status": "deactivated"}).json()
    assert body["status"] == "deactivated"
    assert client.post(url).json()["status"] == "invalid"
    refused("orderNotReady", 403, client.finalize, order, make_csr(["relinquish.example.com"]))
    assert client.order(["relinquish.example.com"])[1]["status"] == "pending"
    _, order = client.order(["other.example.com"])
    for payload in ({"status": "valid"}, {"status": 1}):
        with pytest.raises(Refused) as caught:
            client.post(order["authorizations"][0], payload)
        assert caught.value.type == "malformed"


def test_pre_authorization_7_4_1(client, web):
    reply = client.post(client.directory["newAuthz"], {"identifier": {"type": "dns", "value": "ahead.example.com"}})
    assert reply.status_code == 201 and reply.json()["status"] == "pending"
    challenge = reply.json()["challenges"][0]
    web.answers[challenge["token"]] = client.key_authorization(challenge["token"]).encode()
    client.post(challenge["url"], {})
    client.wait(reply.headers["Location"], ("valid",))
    _, order = client.order(["ahead.example.com"])
    assert order["status"] == "ready" and order["authorizations"] == [reply.headers["Location"]]
    with pytest.raises(Refused):
        client.post(client.directory["newAuthz"], {"identifier": {"type": "dns", "value": "*.ahead.example.com"}})


def test_ip_identifiers_rfc_8738(client, web):
    identifier = {"type": "ip", "value": "127.0.0.1"}
    url, order = ready(client, web, [identifier])
    assert order["identifiers"] == [identifier]
    client.finalize(order, make_csr([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]))
    certificate = leaf(client.post(client.post(url).json()["certificate"]).text)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.IPAddress) == [ipaddress.ip_address("127.0.0.1")]


@pytest.mark.parametrize("value", ["2001:DB8::1", "2001:0db8::1", "2001:db8:0::1", "2001:db8:0:0:0:0:0:1", "2001:db8::1:1:1:1:1", "::1 ", "127.0.0.01"])
def test_an_address_has_one_spelling_8738_3(client, value):
    """The textual form of RFC 5952, section 4: what the order shows is what the authorization is for."""
    for call in (lambda: client.order([{"type": "ip", "value": value}]),
                 lambda: client.post(client.directory["newAuthz"], {"identifier": {"type": "ip", "value": value}})):
        with pytest.raises(Refused) as caught:
            call()
        assert caught.value.type == "malformed" and "8738" in caught.value.reply.text


@pytest.mark.parametrize("kind,value", [("email", "ann@corp.example"), ("uri", "spiffe://corp.example/x"), ("permanent-identifier", "LAB-1")])
def test_what_nothing_can_prove_is_unsupported_6_7(client, kind, value):
    """No challenge, and nothing that this account is trusted with: another type is wanted, not another name."""
    for call in (lambda: client.order([{"type": kind, "value": value}]),
                 lambda: client.post(client.directory["newAuthz"], {"identifier": {"type": kind, "value": value}})):
        with pytest.raises(Refused) as caught:
            call()
        assert caught.value.type == "unsupportedIdentifier"


def test_ipv6_identifier_is_probed_over_ipv6(server, client):
    with ChallengeServer(server.http01_port, address="::1") as web:
        url, order = ready(client, web, [{"type": "ip", "value": "::1"}])
        assert web.requests[0][1]["Host"].startswith("[::1]")


def test_ipv6_is_tried_before_ipv4(server, client, web):
    server.dns.records["dual.example.com"] = ["::1", "127.0.0.1"]
    ready(client, web, ["dual.example.com"])  # nothing listens on ::1: IPv4 is tried once
    with ChallengeServer(server.http01_port, address="::1") as six:
        server.dns.records["dual2.example.com"] = ["::1", "127.0.0.1"]
        ready(client, six, ["dual2.example.com"])
        assert six.requests


# --- 7.4 finalize

def test_finalize_7_4(server, client, web):
    url, order = ready(client, web, ["final.example.com"])
    csr = make_csr(["final.example.com"], cn="final.example.com")
    reply = client.finalize(order, csr)
    assert reply.status_code == 200 and reply.headers["Location"] == url
    assert reply.json()["status"] in ("processing", "valid")
    done = client.wait(url, ("valid",))
    again = client.finalize(order, csr)
    assert again.status_code == 200 and again.json()["certificate"] == done["certificate"]
    refused("orderNotReady", 403, client.finalize, order, make_csr(["final.example.com"]))
    chain = client.post(done["certificate"])
    assert chain.headers["Content-Type"] == "application/pem-certificate-chain"
    check_chain(chain.text, server.root_pem, ["final.example.com"])
    assert chain.text.endswith("-----END CERTIFICATE-----\n")
    subject = leaf(chain.text).subject
    assert [a.value for a in subject] == ["final.example.com"]
    root = open(server.root_pem).read().strip()
    assert root not in chain.text and len(pem_list(chain.text)) >= 2


def test_finalize_before_ready_7_4(client):
    _, order = client.order(["early.example.com"])
    refused("orderNotReady", 403, client.finalize, order, make_csr(["early.example.com"]))


OTHER_NAME = x509.OtherName(ObjectIdentifier("1.3.6.1.4.1.311.20.2.3"), b"\x0c\x04evil")
CSR_CASES = {
    "name added": dict(names=["gate.example.com", "extra.example.com"]),
    "name replaced": dict(names=["other.example.com"]),
    "no name": dict(names=[]),
    "wildcard instead": dict(names=["*.example.com"]),
    "foreign common name": dict(names=["gate.example.com"], cn="evil.example.com"),
    "common name that is no name": dict(names=["gate.example.com"], cn="Evil Corp"),
    "organization": dict(names=["gate.example.com"], subject=[x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Evil")]),
    "email in the subject": dict(names=["gate.example.com"], subject=[x509.NameAttribute(NameOID.EMAIL_ADDRESS, "a@b.example")]),
    "second common name": dict(names=["gate.example.com"], cn="gate.example.com",
                               subject=[x509.NameAttribute(NameOID.COMMON_NAME, "evil.example.com")]),
    "e-mail name": dict(names=["gate.example.com", x509.RFC822Name("a@example.com")]),
    "URI name": dict(names=["gate.example.com", x509.UniformResourceIdentifier("https://gate.example.com")]),
    "address name": dict(names=["gate.example.com", x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
    "UPN name": dict(names=["gate.example.com", OTHER_NAME]),
    "directory name": dict(names=["gate.example.com", x509.DirectoryName(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")]))]),
    "registered id": dict(names=["gate.example.com", x509.RegisteredID(ObjectIdentifier("1.2.3"))]),
    "CA": dict(names=["gate.example.com"], extensions=[(x509.BasicConstraints(True, 0), True)]),
    "code signing": dict(names=["gate.example.com"], extensions=[(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), False)]),
    "certificate signing": dict(names=["gate.example.com"], extensions=[(x509.KeyUsage(*[i == 5 for i in range(9)]), True)]),
    "unknown extension": dict(names=["gate.example.com"], extensions=[(x509.UnrecognizedExtension(ObjectIdentifier("1.2.3.4"), b"\x05\x00"), False)]),
    "name constraints": dict(names=["gate.example.com"], extensions=[(x509.NameConstraints([x509.DNSName("x")], None), True)]),
}


@pytest.fixture(scope="module")
def gate(server):
    client = Client(server)
    client.register()
    with ChallengeServer(server.http01_port) as web:
        return client, *ready(client, web, ["gate.example.com"])


@pytest.mark.parametrize("case", CSR_CASES, ids=str)
def test_csr_smuggles_what_the_order_did_not_prove(gate, case):
    client, url, order = gate
    problem = refused("badCSR", 400, client.finalize, order, make_csr(**CSR_CASES[case]))
    assert len(problem["detail"]) > 10
    assert client.post(url).json()["status"] == "ready"  # a refused CSR leaves the order ready


def test_weak_keys_in_a_csr(gate):
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
    client, url, order = gate
    for key in (rsa.generate_private_key(65537, 1024), rsa.generate_private_key(3, 2048), ec.generate_private_key(ec.SECP224R1()),
                ec.generate_private_key(ec.SECP256K1())):
        with pytest.raises(Refused) as caught:
            client.finalize(order, make_csr(["gate.example.com"], key=key))
        assert caught.value.type in ("badPublicKey", "badCSR") and caught.value.reply.status_code == 400
    assert client.post(url).json()["status"] == "ready"


def test_account_key_in_a_csr(gate):
    client, url, order = gate
    with pytest.raises(Refused) as caught:
        client.finalize(order, make_csr(["gate.example.com"], key=client.key))
    assert caught.value.type in ("badCSR", "badPublicKey")


def test_csr_that_is_no_csr(gate):
    client, url, order = gate
    good = make_csr(["gate.example.com"])
    for bad in (b"", b"\x30\x00", good[:-1], good + b"\0", good[:-2] + b"\0\0", b"-----BEGIN", b"\x30" * 200):
        refused("badCSR", 400, client.finalize, order, bad)
    for payload in ({"csr": 1}, {"csr": "***"}, {}):
        with pytest.raises(Refused) as caught:
            client.post(order["finalize"], payload)
        assert caught.value.type in ("badCSR", "malformed")
    assert client.post(url).json()["status"] == "ready"


def test_padded_csr_of_synology(client, web):
    _, order = ready(client, web, ["synology.example.com"])
    csr = make_csr(["synology.example.com"])
    padded = base64.urlsafe_b64encode(csr).decode()
    while not padded.endswith("="):
        csr = make_csr(["synology.example.com"])
        padded = base64.urlsafe_b64encode(csr).decode()
    assert client.post(order["finalize"], {"csr": padded}).status_code == 200


def test_ed25519_certificate(server, client, web):
    chain, _ = client.issue(["ed.example.com"], web, csr=make_csr(["ed.example.com"], key=ed25519.Ed25519PrivateKey.generate()))
    check_chain(chain, server.root_pem, ["ed.example.com"])


def test_hundred_parallel_finalizes_give_one_certificate(server, web):
    client = Client(server)
    client.register()
    url, order = ready(client, web, ["race.example.com"])
    csrs = [make_csr(["race.example.com"]) for _ in range(4)]
    nonces = [client.session.head(client.directory["newNonce"]).headers["Replay-Nonce"] for _ in range(100)]
    bodies = [flattened(client.key, client.protected(order["finalize"], nonce=n), {"csr": b64(csrs[i % 4])}) for i, n in enumerate(nonces)]

    def send(body):
        return requests.post(order["finalize"], data=json.dumps(body), headers={"Content-Type": "application/jose+json"},
                             verify=server.root_pem)
    with concurrent.futures.ThreadPoolExecutor(25) as pool:
        replies = list(pool.map(send, bodies))
    assert {r.status_code for r in replies} <= {200, 403}
    assert any(r.status_code == 200 for r in replies)
    done = client.wait(url, ("valid",))
    listed = json.loads(server.run("cert", "list", "--name", "dns:race.example.com", "--json", check=True).stdout)
    assert len(listed) == 1 and done["certificate"].endswith(listed[0]["id"])


# --- 7.4.2, 7.6

def test_certificate_is_its_owners_7_4_2(server, client, web):
    _, url = client.issue(["owner.example.com"], web)
    other = Client(server)
    other.register()
    with pytest.raises(Refused) as caught:
        other.post(url)
    assert caught.value.reply.status_code in (401, 403, 404)


def der(chain):
    return leaf(chain).public_bytes(serialization.Encoding.DER)


def revoke(client, chain, **members):
    return client.post(client.directory["revokeCert"], {"certificate": b64(der(chain)), **members})


def test_revoke_by_the_account_7_6(client, web):
    chain, url = client.issue(["revoke.example.com"], web)
    reply = revoke(client, chain, reason=4)
    assert reply.status_code == 200 and reply.content == b""
    refused("alreadyRevoked", 400, revoke, client, chain)
    assert client.post(url).status_code == 200


def test_revoke_by_the_certificates_key_7_6(server, client, web):
    key = ec.generate_private_key(ec.SECP256R1())
    chain, _ = client.issue(["bykey.example.com"], web, csr=make_csr(["bykey.example.com"], key=key))
    stranger = Client(server)  # signs with a jwk that is not the certificate's
    refused("unauthorized", 403, revoke, stranger, chain)
    holder = Client(server, key=key)
    assert revoke(holder, chain, reason=1).status_code == 200


def test_revoke_by_another_account_that_holds_the_names_7_6(server, client, web):
    chain, _ = client.issue(["shared1.example.com", "shared2.example.com"], web)
    other = Client(server)
    other.register()
    refused("unauthorized", 403, revoke, other, chain)
    ready(other, web, ["shared1.example.com"])
    refused("unauthorized", 403, revoke, other, chain)
    ready(other, web, ["shared2.example.com"])
    assert revoke(other, chain).status_code == 200


@pytest.mark.parametrize("reason", [7, 8, 11, -1, 2, 6, 10, "1", 1.5, {}, [1]], ids=str)
def test_revocation_reasons_7_6(gate_certificate, reason):
    client, chain = gate_certificate
    with pytest.raises(Refused) as caught:
        revoke(client, chain, reason=reason)
    assert caught.value.type in ("badRevocationReason", "malformed")


@pytest.fixture(scope="module")
def gate_certificate(server):
    client = Client(server)
    client.register()
    with ChallengeServer(server.http01_port) as web:
        return client, client.issue(["reasons.example.com"], web)[0]


def test_revoke_what_we_did_not_issue_7_6(gate_certificate):
    client, chain = gate_certificate
    own = der(chain)
    for wrong in (own[:-1] + bytes([own[-1] ^ 1]), own + b"\0", b"\x30\x03\x02\x01\x00", b""):
        with pytest.raises(Refused) as caught:
            client.post(client.directory["revokeCert"], {"certificate": b64(wrong)})
        assert caught.value.reply.status_code in (400, 403, 404)


# --- client notes of the field

def test_profile_directories(server):
    extra = {"profiles": [{"name": "one"}, {"name": "two", "dns": {"allow": ["only.example.com"]}}], "default_profile": "one"}
    with Server(extra) as server:
        two = Client(server, directory=server.url + "/acme/two/directory")
        two.register()
        assert "/acme/two/" in two.kid
        refused("rejectedIdentifier", 400, two.order, ["else.example.com"])
        two.order(["only.example.com"])


def test_compact_json_with_type_before_url(client):
    _, order = client.order(["flat.example.com"])
    text = client.post(order["authorizations"][0]).text
    assert '": ' not in text and '"error":{}' not in text
    challenges = re.search(r'"challenges":\[(.*?)\]', text).group(1)
    for one in re.findall(r"\{[^{}]*\}", challenges):
        assert one.index('"type"') < one.index('"url"')


def test_missing_user_agent_is_fine(server):
    import http.client
    connection = http.client.HTTPSConnection("localhost", server.port, context=server.tls_context())
    connection.request("GET", "/acme/directory")
    assert connection.getresponse().status == 200
    connection.close()


def test_csr_of_acme_sh_asks_for_both_purposes(client, web):
    """And one that asks for one purpose gets that one."""
    both = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    for asked in (both, both[:1]):
        csr = make_csr(["purposes.example.com"], extensions=[(x509.ExtendedKeyUsage(asked), False)])
        chain, _ = client.issue(["purposes.example.com"], web, csr=csr)
        given = leaf(chain).extensions.get_extension_for_class(x509.ExtendedKeyUsage)
        assert list(given.value) == asked and not given.critical


def usages(**given):
    names = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign",
             "encipher_only", "decipher_only")
    return x509.KeyUsage(**{name: given.get(name, False) for name in names})


def test_csr_of_openssls_template_asks_for_nonrepudiation(client, web):
    """`keyUsage = nonRepudiation, digitalSignature, keyEncipherment` is v3_req of OpenSSL's own openssl.cnf, and in each CSR of acmephp. It is
    neither refused nor certified. What nobody asks for from habit is refused."""
    key = make_key("RS256")
    asked = [(x509.BasicConstraints(False, None), False), (usages(digital_signature=True, content_commitment=True, key_encipherment=True), False)]
    chain, _ = client.issue(["template.example.com"], web, csr=make_csr(["template.example.com"], key=key, extensions=asked))
    given = leaf(chain).extensions.get_extension_for_class(x509.KeyUsage).value
    assert given.digital_signature and given.key_encipherment and not given.content_commitment
    _, order = ready(client, web, [{"type": "dns", "value": "template.example.com"}])
    for wrong in (usages(digital_signature=True, data_encipherment=True), usages(content_commitment=True)):
        refused("badCSR", 400, client.finalize, order, make_csr(["template.example.com"], key=key, extensions=[(wrong, False)]))


def test_must_staple_is_certified_rfc7633(client, web):
    """`certbot --must-staple`, `MDMustStaple on`: the server says by its CSR that it staples. It can say nothing else by it."""
    staple, newer = x509.TLSFeatureType.status_request, x509.TLSFeatureType.status_request_v2
    chain, _ = client.issue(["staple.example.com"], web, csr=make_csr(["staple.example.com"], extensions=[(x509.TLSFeature([staple]), False)]))
    given = leaf(chain).extensions.get_extension_for_class(x509.TLSFeature)
    assert list(given.value) == [staple] and not given.critical
    plain, _ = client.issue(["staple.example.com"], web)
    with pytest.raises(x509.ExtensionNotFound):
        leaf(plain).extensions.get_extension_for_class(x509.TLSFeature)
    _, order = ready(client, web, [{"type": "dns", "value": "staple.example.com"}])
    for features, usage in (([newer], None), ([staple, newer], None), ([staple], ExtendedKeyUsageOID.CLIENT_AUTH)):
        asked = [(x509.TLSFeature(features), False)] + ([(x509.ExtendedKeyUsage([usage]), False)] if usage else [])
        refused("badCSR", 400, client.finalize, order, make_csr(["staple.example.com"], extensions=asked))


def test_ip_csr_of_acme_sh_has_a_filler(client, web):
    """It writes O=acme.sh where it has no name: that is let pass, alone, and is not certified."""
    address = ipaddress.ip_address("127.0.0.1")
    url, order = ready(client, web, [{"type": "ip", "value": "127.0.0.1"}])
    filler = x509.NameAttribute(NameOID.ORGANIZATION_NAME, "acme.sh")
    for subject in ([filler, filler], [filler, x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "acme.sh")],
                    [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "acme.sh Ltd")], [x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "acme.sh")]):
        refused("badCSR", 400, client.finalize, order, make_csr([x509.IPAddress(address)], subject=subject))
    client.finalize(order, make_csr([x509.IPAddress(address)], subject=[filler]))
    assert not list(leaf(client.post(client.post(url).json()["certificate"]).text).subject)


def test_csr_of_crypt_le_has_fillers(client, web):
    """le.pl writes these four beside the common name, whatever it is told: they are let pass, all four alone, and are not certified."""
    name = lambda oid, value: x509.NameAttribute(oid, value)
    common = name(NameOID.COMMON_NAME, "le.example.com")
    four = [name(NameOID.STATE_OR_PROVINCE_NAME, "-"), name(NameOID.COUNTRY_NAME, "GB"), name(NameOID.LOCALITY_NAME, "-"),
            name(NameOID.ORGANIZATION_NAME, "-")]
    url, order = ready(client, web, ["le.example.com"])
    for subject in ([*four[:3]], [*four, four[0]], [*four[:3], name(NameOID.ORGANIZATION_NAME, "Evil")], [*four[:3], four[0]],
                    [four[0], name(NameOID.COUNTRY_NAME, "DE"), *four[2:]], [*four, name(NameOID.ORGANIZATIONAL_UNIT_NAME, "-")]):
        refused("badCSR", 400, client.finalize, order, make_csr(["le.example.com"], subject=[common, *subject]))
    client.finalize(order, make_csr(["le.example.com"], subject=[common, *four]))
    assert leaf(client.post(client.post(url).json()["certificate"]).text).subject.rfc4514_string() == "CN=le.example.com"


def test_dns01_is_the_last_of_the_challenges_of_dns(client):
    """Crypt::LE takes of all types that begin with "dns-" the one that comes last."""
    for name in ("order.example.com", "*.order.example.com"):
        _, order = client.order([name])
        types = [c["type"] for c in client.post(order["authorizations"][0]).json()["challenges"]]
        assert "dns-account-01" in types and [t for t in types if t.startswith("dns-")][-1] == "dns-01"


def cross_sign(root_pem):
    """A second root, and the first one's name and key certified by it: PEM of both."""
    key = ec.generate_private_key(ec.SECP256R1())
    first = x509.load_pem_x509_certificate(open(root_pem, "rb").read())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Second Root")])

    def certify(subject, public_key):
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(name).public_key(public_key)
        builder = builder.serial_number(x509.random_serial_number()).not_valid_before(first.not_valid_before)
        builder = builder.not_valid_after(first.not_valid_after).add_extension(x509.BasicConstraints(True, None), True)
        builder = builder.add_extension(x509.KeyUsage(*[i in (5, 6) for i in range(9)]), True)
        builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), False)
        if subject == first.subject:
            own = first.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        else:
            own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        made = builder.add_extension(own, False).sign(key, hashes.SHA256())
        return made.public_bytes(serialization.Encoding.PEM).decode()
    return certify(first.subject, first.public_key()), certify(name, key.public_key())


def test_alternate_chains_7_4_2(tmp_path):
    server = Server()
    cross, second = cross_sign(server.root_pem)
    (server.folder / "data/ca/issuing.chain-second.pem").write_text(cross + second)
    with server, ChallengeServer(server.http01_port) as web:
        client = Client(server)
        client.register()
        chain, url = client.issue(["alternate.example.com"], web)
        check_chain(chain, server.root_pem, ["alternate.example.com"])
        links = re.findall(r'<([^>]+)>;\s*rel="alternate"', client.post(url).headers["Link"])
        assert len(links) == 1
        other = client.post(links[0])
        assert other.headers["Content-Type"] == "application/pem-certificate-chain"
        assert pem_list(other.text)[0] == pem_list(chain)[0] and other.text != chain
        assert url in other.headers["Link"]
        (tmp_path / "second.pem").write_text(second)
        check_chain(other.text, str(tmp_path / "second.pem"), ["alternate.example.com"])
        for wrong in ("/1" if links[0].endswith("/0") else "/2", "/x", "/-1", "/99999999999999999999"):
            with pytest.raises(Refused) as caught:
                client.post(url + wrong)
            assert caught.value.reply.status_code == 404, wrong
