"""Every route of the ACME wing, walked from the server's own route table with requests that must be
refused: the right problem type and status each time, a fresh nonce each time, nothing stored."""

import hashlib
import json
import time

import pytest

from acme_raw import Client, b64, flattened, jwk, make_csr, sign
from harness import ChallengeServer, Server

NONCE_TEXT = "JWS has an invalid anti-replay nonce"


class World:
    """A server with something behind every {name} of its routes, and two accounts."""

    def __init__(self):
        self.server = Server({"profiles": [{"name": "tls-server", "auto_renewal": {"enabled": True}}]}).start()
        self.web = ChallengeServer(self.server.http01_port)
        self.alice, self.mallory = Client(self.server), Client(self.server)
        self.alice.register()
        self.mallory.register()
        _, self.certificate = self.alice.issue(["walk.example.com"], self.web)
        self.star = self.star_certificate("rolling.example.com")
        self.order_url, order = self.alice.order(["pending.example.com"])
        self.authorization = order["authorizations"][0]
        self.challenge = self.alice.post(self.authorization).json()["challenges"][0]["url"]
        self.finalize = order["finalize"]
        gone = Client(self.server)
        gone.register()
        gone.post(gone.kid, {"status": "deactivated"})
        self.gone = gone
        shown = self.server.run("routes", "--json", check=True)
        self.routes = [r for r in json.loads(shown.stdout) if r["wing"] == "acme"]

    def star_certificate(self, name):
        """The URL of a certificate that renews itself, and not while a test runs (RFC 8739)."""
        url, order = self.alice.order([name], **{"auto-renewal": {"end-date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 20 * 86400)),
                                                                  "lifetime": 10 * 86400}})
        self.alice.solve(order, self.web)
        self.alice.finalize(order, make_csr([name]))
        return self.alice.wait(url, ("valid", "invalid"))["star-certificate"]

    def url(self, route):
        """A URL of this route that names something of Alice's."""
        profile = self.alice.kid.split("/")[4]
        known = {
            "account/{id}": self.alice.kid, "account/{id}/orders": self.alice.kid + "/orders", "order/{id}": self.order_url,
            "order/{id}/finalize": self.finalize, "authz/{id}": self.authorization, "challenge/{authz}/{key}": self.challenge,
            "certificate/{id}": self.certificate, "certificate/{id}/{n}": self.certificate + "/0",
            "star-certificate/{id}": self.star, "renewal-info/{id}": self.alice.directory["renewalInfo"] + "/AA.AQ",
        }
        path = route["path"]
        tail = path.removeprefix("/acme/{profile}/")
        return known[tail] if "{" in tail else self.server.url + path.replace("{profile}", profile)

    def digest(self):
        return hashlib.sha256((self.server.folder / "data/data.mdb").read_bytes()).hexdigest()

    def close(self):
        self.web.close()
        self.server.close()


@pytest.fixture(scope="module")
def world():
    made = World()
    yield made
    made.close()


def signed_routes(world):
    return [r for r in world.routes if r["method"] == "POST"]


def as_wanted(world, route, client=None):
    """A client signing in the way this row wants."""
    client = client or world.alice
    if route["auth"] == "jwk":
        fresh = Client(world.server, key=client.key)
        fresh.kid = None
        return fresh
    return client


def payload_of(route):
    return None if route["payload"] == "empty" else {}


def refused(world, reply, types, statuses, nonce=True):
    assert reply.status_code in statuses, (reply.request.url, reply.status_code, reply.text)
    assert reply.headers["Content-Type"] == "application/problem+json"
    assert reply.json()["type"] in [f"urn:ietf:params:acme:error:{t}" for t in types], (reply.request.url, reply.text)
    if nonce:
        assert reply.headers.get("Replay-Nonce"), reply.request.url
        assert reply.headers["Cache-Control"] == "no-store"


def walk(world, make, types, statuses):
    """Sends make(route, client, url) to every signed route; the store must not change."""
    before = world.digest()
    count = 0
    for route in signed_routes(world):
        client = as_wanted(world, route)
        reply = make(route, client, world.url(route))
        if reply is None:
            continue
        refused(world, reply, types, statuses)
        count += 1
    assert count > 5
    assert world.digest() == before


def bent(world, types, statuses, payload=..., **bend):
    def make(route, client, url):
        return client.raw_post(url, payload_of(route) if payload is ... else payload, **bend)
    walk(world, make, types, statuses)


def test_every_route_is_there(world):
    for route in signed_routes(world):
        reply = world.server and world.alice.session.options(world.url(route))
        assert reply.status_code == 204 and route["method"] in reply.headers["Allow"], route


def test_wrong_method(world):
    before = world.digest()
    for route in world.routes:
        wrong = "PUT" if route["method"] != "PUT" else "POST"
        reply = world.alice.session.request(wrong, world.url(route))
        refused(world, reply, ["malformed"], [405], nonce=False)
        assert route["method"] in reply.headers["Allow"]
    assert world.digest() == before


@pytest.mark.parametrize("media", ["application/json", "text/plain", "application/jose", "multipart/form-data", ""])
def test_wrong_media_type(world, media):
    def make(route, client, url):
        return client.send(url, flattened(client.key, client.protected(url), payload_of(route)), content_type=media)
    walk(world, make, ["malformed"], [415])


def test_body_too_large(world):
    def make(route, client, url):
        return client.session.post(url, data=b"x" * (route["bodyMax"] + 1), headers={"Content-Type": "application/jose+json"})
    walk(world, make, ["malformed"], [413])


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"{}", b"\xff\xfe", b'{"a":1}garbage', b"{'a':1}",
                                  b'{"protected":1,"payload":"","signature":""}', b'{"protected":"","payload":"","signature":""}',
                                  b'{"protected":"e30","payload":"","signature":""}', b'{"a":"\\u0000"}'])
def test_bad_json(world, body):
    walk(world, lambda route, client, url: client.send(url, body), ["malformed"], [400])


def test_deep_json(world):
    deep = b'{"a":' * 3000 + b"1" + b"}" * 3000
    walk(world, lambda route, client, url: client.send(url, deep), ["malformed"], [400])


def test_deep_json_in_the_payload(world):
    deep = b'{"a":' * 200 + b"1" + b"}" * 200

    def make(route, client, url):
        return None if route["payload"] == "empty" else client.raw_post(url, deep)
    walk(world, make, ["malformed"], [400])


def test_duplicate_members(world):
    def make(route, client, url):
        body = flattened(client.key, client.protected(url), payload_of(route))
        text = json.dumps(body)
        return client.send(url, text[:-1] + f', "payload": "{body["payload"]}"}}')
    walk(world, make, ["malformed"], [400])


def test_duplicate_members_in_the_protected_header(world):
    def make(route, client, url):
        head = json.dumps(client.protected(url))
        return client.send(url, flattened(client.key, (head[:-1] + f', "url": {json.dumps(url)}}}').encode(), payload_of(route),
                                          alg=client.alg))
    walk(world, make, ["malformed"], [400])


def test_jwk_where_kid_is_wanted_and_the_reverse(world):
    def make(route, client, url):
        if route["auth"] == "kid-or-jwk":
            return None
        if route["auth"] == "jwk":
            return client.raw_post(url, {}, jwk=..., kid=world.alice.kid)
        return client.raw_post(url, payload_of(route), kid=..., jwk=jwk(client.key))
    walk(world, make, ["malformed"], [400])


def test_jwk_and_kid_together(world):
    bent(world, ["malformed"], [400], jwk=jwk(world.alice.key), kid=world.alice.kid)


def test_neither_jwk_nor_kid(world):
    bent(world, ["malformed"], [400], jwk=..., kid=...)


def test_another_accounts_kid(world):
    """The key of one account under the kid of another."""
    def make(route, client, url):
        return None if route["auth"] == "jwk" else client.raw_post(url, payload_of(route), kid=world.mallory.kid)
    walk(world, make, ["malformed", "unauthorized"], [400, 401, 403])


def test_another_accounts_resources(world):
    """A right signature by an account that does not own what the URL names."""
    def make(route, client, url):
        if route["auth"] == "jwk" or "{id}" not in route["path"] and "{authz}" not in route["path"]:
            return None
        payload = {"csr": b64(make_csr(["pending.example.com"]))} if url.endswith("finalize") else payload_of(route)
        return world.mallory.raw_post(url, payload)
    walk(world, make, ["unauthorized", "malformed"], [401, 403, 404])


def test_deactivated_account(world):
    def make(route, client, url):
        return None if route["auth"] == "jwk" else world.gone.raw_post(url, payload_of(route))
    walk(world, make, ["unauthorized"], [401, 403])


@pytest.mark.parametrize("kid", ["", "x", "https://localhost/acme/default/account/x", "{base}/acme/{profile}/account/AAAAAAAAAAAAAAAAAAAAAA",
                                 "{base}/acme/other/account/{id}", "http://evil.example/acme/{profile}/account/{id}", "{id}", 7, None, {}],
                         ids=str)
def test_kid_must_be_the_whole_account_url(world, kid):
    if isinstance(kid, str):
        kid = kid.replace("{base}", world.server.url).replace("{profile}", world.alice.kid.split("/")[4]) \
                 .replace("{id}", world.alice.kid.rsplit("/", 1)[1])

    def make(route, client, url):
        return None if route["auth"] == "jwk" else client.raw_post(url, payload_of(route), kid=kid)
    walk(world, make, ["malformed", "accountDoesNotExist", "unauthorized"], [400, 401, 403])


@pytest.mark.parametrize("url", ["https://evil.example/", "{base}/acme/directory", "{url}/", "{url}?x=1", "http{rest}", "", 5, None, ...], ids=str)
def test_wrong_url(world, url):
    def make(route, client, right):
        wrong = url
        if isinstance(url, str):
            wrong = url.replace("{base}", world.server.url).replace("{url}", right).replace("{rest}", right[5:])
        if wrong == right:
            return None
        head = client.protected(right)
        head.pop("url")
        if wrong is not ...:
            head["url"] = wrong
        return client.send(right, flattened(client.key, head, payload_of(route)))
    walk(world, make, ["unauthorized", "malformed"], [400, 401, 403])


@pytest.mark.parametrize("alg", ["none", "None", "", "HS256", "HS512", "RS512x", "ES256K", "RSA1_5", 1, None, ...], ids=str)
def test_algorithm_that_is_not_allowed(world, alg):
    def make(route, client, url):
        head = client.protected(url)
        head.pop("alg")
        if alg is not ...:
            head["alg"] = alg
        signature = b"" if alg in ("none", "None") else sign(b"secret", alg, b"x") if str(alg).startswith("HS") else b"x" * 64
        return client.send(url, flattened(client.key, head, payload_of(route), signature=signature))
    walk(world, make, ["badSignatureAlgorithm", "malformed"], [400])


def test_refused_algorithm_lists_those_accepted(world):
    url = world.alice.directory["newOrder"]
    head = {**world.alice.protected(url), "alg": "HS256"}
    reply = world.alice.send(url, flattened(world.alice.key, head, {}, signature=b"x" * 32))
    refused(world, reply, ["badSignatureAlgorithm"], [400])
    assert {"RS256", "ES256", "EdDSA"} <= set(reply.json()["algorithms"])


@pytest.mark.parametrize("alg", ["RS256", "PS256", "ES384", "ES512", "EdDSA"])
def test_algorithm_that_does_not_fit_the_key(world, alg):
    """alg of one kind, an ES256 key."""
    def make(route, client, url):
        return client.send(url, flattened(client.key, {**client.protected(url), "alg": alg}, payload_of(route), alg="ES256"))
    walk(world, make, ["malformed", "badSignatureAlgorithm", "badPublicKey"], [400])


def test_two_signatures(world):
    def make(route, client, url):
        body = flattened(client.key, client.protected(url), payload_of(route))
        one = {"protected": body["protected"], "signature": body["signature"]}
        return client.send(url, {"payload": body["payload"], "signatures": [one, one]})
    walk(world, make, ["malformed"], [400])


def test_general_form_beside_the_flattened(world):
    def make(route, client, url):
        return client.send(url, {**flattened(client.key, client.protected(url), payload_of(route)), "signatures": []})
    walk(world, make, ["malformed"], [400])


def test_unprotected_header(world):
    def make(route, client, url):
        return client.send(url, {**flattened(client.key, client.protected(url), payload_of(route)), "header": {}})
    walk(world, make, ["malformed"], [400])


def test_crit(world):
    bent(world, ["malformed"], [400], crit=["exp"], exp=1)


def test_unencoded_payload(world):
    bent(world, ["malformed"], [400], b64=False, crit=["b64"])


def test_unencoded_payload_without_crit(world):
    bent(world, ["malformed"], [400], b64=False)


@pytest.mark.parametrize("nonce", ["", "x", "AAAAAAAAAAAAAAAAAAAAAAAA", "a b", "\u00e9", 1, None, ...], ids=str)
def test_nonce_that_is_none(world, nonce):
    def make(route, client, url):
        head = client.protected(url)
        head.pop("nonce")
        if nonce is not ...:
            head["nonce"] = nonce
        return client.send(url, flattened(client.key, head, payload_of(route)))
    walk(world, make, ["badNonce", "malformed"], [400])


def test_replayed_nonce(world):
    def make(route, client, url):
        used = client.nonce()
        first = client.directory["newAccount" if route["auth"] == "jwk" else "newOrder"]
        client.raw_post(first, {"onlyReturnExisting": True}, nonce=used)
        reply = client.raw_post(url, payload_of(route), nonce=used)
        assert reply.json()["detail"] == NONCE_TEXT
        return reply
    walk(world, make, ["badNonce"], [400])


def test_nonce_of_another_server(world):
    with Server() as other:
        foreign = Client(other).nonce()
        bent(world, ["badNonce"], [400], nonce=foreign)


def test_bad_signature_does_not_burn_the_nonce(world):
    nonce = world.alice.nonce()
    body = flattened(world.alice.key, world.alice.protected(world.alice.kid, nonce=nonce), None, signature=b"\x01" * 64)
    refused(world, world.alice.send(world.alice.kid, body), ["malformed", "unauthorized"], [400, 401, 403])
    assert world.alice.raw_post(world.alice.kid, None, nonce=nonce).status_code == 200


def test_signature_over_another_payload(world):
    def make(route, client, url):
        body = flattened(client.key, client.protected(url), payload_of(route))
        return client.send(url, {**body, "payload": b64(b'{"status":"deactivated"}')})
    walk(world, make, ["malformed", "unauthorized"], [400, 401, 403])


def test_object_where_post_as_get_is_wanted(world):
    def make(route, client, url):
        return client.raw_post(url, {}) if route["payload"] == "empty" else None
    before = world.digest()
    for route in signed_routes(world):
        reply = make(route, world.alice, world.url(route))
        if reply is not None:
            refused(world, reply, ["malformed"], [400])
    assert world.digest() == before


def test_post_as_get_where_an_object_is_wanted(world):
    before = world.digest()
    for route in signed_routes(world):
        if route["payload"] == "object":
            reply = as_wanted(world, route).raw_post(world.url(route), None)
            refused(world, reply, ["malformed"], [400])
    assert world.digest() == before


@pytest.mark.parametrize("payload", [b"[]", b"null", b"1", b'"text"', b"{", b"\xff"], ids=repr)
def test_payload_that_is_no_object(world, payload):
    def make(route, client, url):
        return None if route["payload"] == "empty" else client.raw_post(url, payload)
    walk(world, make, ["malformed"], [400])


@pytest.mark.parametrize("field", ["protected", "payload", "signature"])
@pytest.mark.parametrize("spoil", [lambda t: t + "=", lambda t: t + "\n", lambda t: "+" + t, lambda t: t + "AA==", lambda t: t + "\u00e9"],
                         ids=["padding", "newline", "plus", "more", "utf8"])
def test_base64url_is_strict(world, field, spoil):
    def make(route, client, url):
        body = flattened(client.key, client.protected(url), payload_of(route))
        return client.send(url, {**body, field: spoil(body[field])})
    walk(world, make, ["malformed", "unauthorized"], [400, 401, 403])


def test_private_members_in_a_jwk(world):
    bad = {**jwk(world.alice.key), "d": b64(b"1" * 32)}
    fresh = Client(world.server)
    reply = fresh.raw_post(fresh.directory["newAccount"], {}, jwk=bad)
    refused(world, reply, ["malformed", "badPublicKey"], [400])


@pytest.mark.parametrize("change", [{"x": b64(b"\x01" * 32)}, {"crv": "P-384"}, {"crv": "secp256k1"}, {"x": ""}, {"y": ...}, {"kty": "oct"},
                                    {"kty": "RSA"}, {"kty": ...}, {"x": b64(b"\0" + b"\1" * 32)}], ids=str)
def test_jwk_that_is_no_key(world, change):
    key = {k: v for k, v in {**jwk(world.alice.key), **change}.items() if v is not ...}
    fresh = Client(world.server)
    reply = fresh.raw_post(fresh.directory["newAccount"], {}, jwk=key)
    refused(world, reply, ["malformed", "badPublicKey", "badSignatureAlgorithm"], [400])


def test_weak_account_keys(world):
    from cryptography.hazmat.primitives.asymmetric import rsa
    for key in (rsa.generate_private_key(65537, 1024), rsa.generate_private_key(3, 2048)):
        fresh = Client(world.server, key=key)
        reply = fresh.raw_post(fresh.directory["newAccount"], {"termsOfServiceAgreed": True})
        refused(world, reply, ["badPublicKey"], [400])


@pytest.mark.parametrize("path", ["/acme", "/acme/", "/acme/nowhere/directory", "/acme/../acme/directory", "/acme/%64irectory", "/acme//directory",
                                  "/acme/directory/", "/acme/directory%00", "/acme/{profile}/order", "/acme/{profile}/order/", "/etc/passwd", "//", "/"])
def test_paths_that_lead_nowhere(world, path):
    import http.client
    profile = world.alice.kid.split("/")[4]
    connection = http.client.HTTPSConnection("localhost", world.server.port, context=world.server.tls_context(), timeout=60)
    connection.request("GET", path.replace("{profile}", profile))
    reply = connection.getresponse()
    assert reply.status in (400, 404, 405), (path, reply.status)
    reply.read()
    connection.close()


def test_unknown_ids(world):
    unknown = "A" * 22
    for known in (world.order_url, world.authorization, world.certificate):
        url = known.rsplit("/", 1)[0] + "/" + unknown
        refused(world, world.alice.raw_post(url, None), ["malformed", "unauthorized"], [403, 404])


