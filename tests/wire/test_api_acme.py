"""External account keys, ACME accounts and ACME orders over the REST API: the same as their commands, and seen by whom they
are for."""

import datetime
import json

import pytest

from acme_raw import Client, make_csr
from acme_raw import Refused as AcmeRefused
from api_client import Api, Refused, make_token, refused
from harness import Server

PROFILES = [{"name": "web"}, {"name": "mail"}, {"name": "star", "auto_renewal": {"enabled": True, "min_lifetime": 4, "max_duration": "30d"}}]
KEYS, ACCOUNTS, ORDERS = ("/api/v1/acme/" + noun for noun in ("external-account-keys", "accounts", "orders"))
NOBODY = "A" * 22


@pytest.fixture(scope="module")
def server():
    with Server({"profiles": PROFILES, "api": {"requests_per_token": {"burst": 0}}}) as running:
        yield running


@pytest.fixture(scope="module")
def api(server):
    return Api(server, make_token(server, "admin")[0])


def command(server, *words):
    return json.loads(server.run(*words, "--json", check=True).stdout)


def events(server, kind):
    return command(server, "audit", "list", "--kind", kind)


def everything(api, path, key, **query):
    found, pages = [], 0
    while True:
        page = api.get(path, **query)
        found, pages = found + page[key], pages + 1
        if "next" not in page:
            return found, pages
        query["after"] = page["next"]


def account_id(client):
    return client.kid.rsplit("/", 1)[-1]


def registered(server, made=None, directory=None):
    client = Client(server, directory=directory)
    client.bind(made) if made else client.register()
    return client


# --- external account keys

def test_a_key_binds_an_account_within_its_scope(server, api):
    wanted = {"profiles": ["web"], "names": ["dns:**.lab.example"], "authorized": ["dns:*.trusted.example"], "networks": ["127.0.0.0/8"],
              "quota": 5, "quotaPeriod": 86400, "quotaTotal": 9, "usesMax": 1, "note": "gateway",
              "expires": (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=9)).strftime("%Y-%m-%dT%H:%M:%SZ")}
    made = api.post(KEYS, wanted)
    assert {name: made[name] for name in wanted} == wanted and made["status"] == "valid" and made["uses"] == 0
    token = json.loads(server.run("token", "list", "--json", check=True).stdout)[0]["id"]
    told = events(server, "eab-created")[-1]
    assert (told["actor"], told["about"]["eab"], told["about"]["authorized"]) == (f"token {token}", made["kid"], wanted["authorized"])
    assert told["from"] == "127.0.0.1" and made["key"] not in json.dumps(told)
    client = registered(server, made)
    url, order = client.order(["a.trusted.example"])
    assert order["status"] == "ready"
    with pytest.raises(AcmeRefused):
        client.order(["a.else.example"])
    shown = api.get(f"{KEYS}/{made['kid']}")
    assert "key" not in shown and (shown["status"], shown["uses"]) == ("used up", 1)
    assert shown == command(server, "eab", "show", made["kid"]) == [k for k in api.get(KEYS)["keys"] if k["kid"] == made["kid"]][0]
    assert made["key"] not in server.run("eab", "show", made["kid"], check=True).stdout
    assert api.get(f"{ACCOUNTS}/{account_id(client)}")["names"] == wanted["names"]
    revoked = api.post(f"{KEYS}/{made['kid']}/revoke")
    assert revoked["status"] == "revoked" and events(server, "eab-revoked")[-1]["actor"] == f"token {token}"
    refused(409, api.post, f"{KEYS}/{made['kid']}/revoke")
    with pytest.raises(AcmeRefused):
        registered(server, made)


def test_a_key_that_was_revoked_over_the_api_binds_nobody(server, api):
    made = api.post(KEYS)
    assert registered(server, made).kid
    api.post(f"{KEYS}/{made['kid']}/revoke")
    with pytest.raises(AcmeRefused) as caught:
        registered(server, made)
    assert caught.value.type == "unauthorized"


@pytest.mark.parametrize("body,field,text", [
    ({"profiles": ["web", "nothing"]}, "profiles[1]", "no such profile"),
    ({"names": ["lab.example"]}, "names[0]", "dns:"),
    ({"authorized": ["dns:*.lab.example", "moon:x"]}, "authorized[1]", ""),
    ({"networks": ["10.0.0.0/99"]}, "networks[0]", "10.0.0.0/8"),
    ({"quota": 5}, "quotaPeriod", "is missing"),
    ({"quota": -1}, "quota", ""),
    ({"usesMax": "many"}, "usesMax", ""),
    ({"expires": "2001-01-01T00:00:00Z"}, "expires", "a time to come"),
    ({"note": "x" * 256}, "note", ""),
    ({"hmac": "x"}, "hmac", "")])
def test_a_wish_that_makes_no_sense(server, api, body, field, text):
    before = api.get(KEYS)["keys"]
    caught = refused(404 if field.startswith("profiles") else 400, api.post, KEYS, body)
    assert text in caught.fields()[field]
    assert api.get(KEYS)["keys"] == before


def test_all_that_is_wrong_with_a_wish_comes_together(api):
    caught = refused(400, api.post, KEYS, {"names": ["x"], "networks": ["y"], "quota": 1})
    assert set(caught.fields()) == {"names[0]", "networks[0]", "quotaPeriod"}


def test_pages_of_keys(server, api):
    for _ in range(5):
        api.post(KEYS)
    all_of_them, _ = everything(api, KEYS, "keys")
    paged, pages = everything(api, KEYS, "keys", limit=2)
    assert paged == all_of_them and pages >= 3 and len({k["kid"] for k in paged}) == len(paged)
    assert all_of_them == command(server, "eab", "list")


def test_nothing_is_made_that_gives_more_than_its_maker_has(server, api):
    bound = Api(server, make_token(server, "admin", name="dns:*.mine.example")[0])
    assert "bound to names" in refused(403, bound.post, KEYS, {"authorized": ["dns:*.other.example"]}).problem["detail"]
    assert bound.post(KEYS, {"names": ["dns:*.other.example"]})["kid"]  # its names are to be proven
    client = registered(server)
    refused(403, bound.call, "PATCH", f"{ACCOUNTS}/{account_id(client)}", {"authorized": ["dns:*.other.example"]})
    refused(403, bound.post, "/api/v1/est/credentials", {"profileId": "web"})
    refused(403, bound.post, "/api/v1/est/credentials/import", {"devices": [{"device": "A1"}]})
    assert "authorized" not in api.get(f"{ACCOUNTS}/{account_id(client)}")
    assert bound.get("/api/v1/est/credentials") == {"credentials": []}


@pytest.mark.parametrize("path", [f"{KEYS}/{NOBODY}", f"{ACCOUNTS}/{NOBODY}", f"{ORDERS}/{NOBODY}", f"{KEYS}/x", f"{ACCOUNTS}/%2e%2e", f"{ORDERS}/x%00y"])
def test_what_there_is_not(api, path):
    reply = api.raw("GET", path)
    assert reply.status_code in (400, 404) and reply.headers["Content-Type"] == "application/problem+json"


# --- accounts

def test_accounts_are_found_and_shown(server, api):
    key = api.post(KEYS)
    clients = [registered(server, key), registered(server, directory=f"{server.url}/acme/mail/directory"), registered(server)]
    ids = [account_id(c) for c in clients]
    assert api.get(f"{ACCOUNTS}/{ids[0]}") == command(server, "account", "show", ids[0])
    found = {query: {a["id"] for a in everything(api, ACCOUNTS, "accounts", limit=1, **dict([query]))[0]}
             for query in (("eab", key["kid"]), ("directory", "mail"), ("status", "valid"))}
    assert found["eab", key["kid"]] == {ids[0]} and found["directory", "mail"] == {ids[1]} and set(ids) <= found["status", "valid"]
    assert {a["id"] for a in command(server, "account", "list", "--eab", key["kid"])} == {ids[0]}
    assert {a["id"] for a in command(server, "account", "list", "--directory", "mail", "--status", "valid")} == {ids[1]}
    assert command(server, "account", "list", "--status", "revoked") == api.get(ACCOUNTS, status="revoked")["accounts"] == []
    assert "--status" in server.run("account", "list", "--status", "x").stderr
    assert refused(400, api.get, ACCOUNTS, status="asleep").fields()["status"]


def test_an_account_is_limited_and_the_rest_stays(server, api):
    client = registered(server)
    path = f"{ACCOUNTS}/{account_id(client)}"
    assert api.call("PATCH", path, {"names": ["dns:*.a.example"], "quota": 3, "quotaPeriod": 60})["quota"] == 3
    shown = api.call("PATCH", path, {"authorized": ["dns:*.a.example"]})
    assert (shown["names"], shown["authorized"], shown["quota"]) == (["dns:*.a.example"], ["dns:*.a.example"], 3)
    assert client.order(["x.a.example"])[1]["status"] == "ready"
    with pytest.raises(AcmeRefused):
        client.order(["x.b.example"])
    shown = api.call("PATCH", path, {"names": [], "authorized": [], "quota": 0})
    assert not {"names", "authorized", "quota", "quotaPeriod"} & set(shown)
    assert client.order(["x.b.example"])[1]["status"] == "pending"
    told = events(server, "account-limited")
    assert len(told) == 3 and told[0]["about"]["names"] == ["dns:*.a.example"] and told[0]["actor"].startswith("token ")
    refused(400, api.call, "PATCH", path, {})
    assert set(refused(400, api.call, "PATCH", path, {"names": ["x"], "quota": 1}).fields()) == {"names[0]", "quotaPeriod"}
    assert len(events(server, "account-limited")) == 3


def test_deactivated_over_the_api(server, api):
    client = registered(server)
    url, _ = client.order(["gone.example"])
    path = f"{ACCOUNTS}/{account_id(client)}"
    assert api.post(f"{path}/deactivate")["status"] == "deactivated"
    assert refused(409, api.post, f"{path}/deactivate").problem["detail"].endswith("is deactivated already")
    with pytest.raises(AcmeRefused) as caught:
        client.post(url)
    assert caught.value.type == "unauthorized"
    assert api.get(f"{ORDERS}/{url.rsplit('/', 1)[-1]}")["status"] == "invalid"
    told = events(server, "account-deactivated")[-1]
    assert told["about"]["account"] == account_id(client) and told["actor"].startswith("token ") and told["from"] == "127.0.0.1"


# --- orders

def test_orders_are_found_and_shown(server, api, web):
    client, other = registered(server), registered(server, directory=f"{server.url}/acme/mail/directory")
    url, order = client.order(["o.example"])
    client.solve(order, web)
    client.finalize(order, make_csr(["o.example"]))
    done = client.wait(url, ("valid", "invalid"))
    assert done["status"] == "valid"
    second, third = client.order(["p.example", "q.example"])[0], other.order(["r.example"])[0]
    ids = [u.rsplit("/", 1)[-1] for u in (url, second, third)]
    shown = api.get(f"{ORDERS}/{ids[0]}")
    assert shown == command(server, "order", "show", ids[0]) and shown["certificate"]
    assert shown["certificate"] == api.get("certificates", account=account_id(client))["certificates"][0]["id"]
    assert {o["id"] for o in everything(api, ORDERS, "orders", account=account_id(client), limit=1)[0]} == {ids[1], ids[0]}
    assert [o["id"] for o in api.get(ORDERS, profile="mail")["orders"]] == [ids[2]] == \
        [o["id"] for o in command(server, "order", "list", "--profile", "mail")]
    assert {o["status"] for o in api.get(ORDERS, status="pending")["orders"]} == {"pending"}
    assert everything(api, ORDERS, "orders", limit=1)[0] == command(server, "order", "list")
    assert refused(400, api.get, ORDERS, status="done").fields()["status"] and refused(400, api.get, ORDERS, account="x").fields()["account"]


def test_orders_of_other_profiles_are_not_there(server, api):
    mail = registered(server, directory=f"{server.url}/acme/mail/directory")
    identifier = mail.order(["s.example"])[0].rsplit("/", 1)[-1]
    one = Api(server, make_token(server, "admin", "read", profile="web")[0])
    assert all(o["profile"] == "web" for o in everything(one, ORDERS, "orders")[0])
    refused(404, one.get, f"{ORDERS}/{identifier}")
    refused(404, one.post, f"{ORDERS}/{identifier}/cancel")
    for path in (KEYS, ACCOUNTS):
        refused(403, one.get, path)
    own = Api(server, make_token(server, "admin", profile="mail")[0])
    assert own.post(f"{ORDERS}/{identifier}/cancel")["status"] == "invalid"
    told = events(server, "order-canceled")[-1]
    assert told["about"]["order"] == identifier and told["actor"].startswith("token ")
    refused(409, api.post, f"{ORDERS}/{identifier}/cancel")


def test_an_order_that_renews_itself_is_ended(server, api, web):
    client = registered(server, directory=f"{server.url}/acme/star/directory")
    end = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    url, order = client.order(["star.example"], **{"auto-renewal": {"end-date": end, "lifetime": 600}})
    client.solve(order, web)
    client.finalize(order, make_csr(["star.example"]))
    assert client.wait(url, ("valid", "invalid"))["status"] == "valid"
    found, = api.get(ORDERS, autoRenewal="true")["orders"]
    assert found["autoRenewal"]["lifetime"] == 600
    assert api.post(f"{ORDERS}/{found['id']}/cancel")["status"] == "canceled"
    assert client.post(url).json()["status"] == "canceled"


def test_a_reader_changes_nothing(server, api):
    client = registered(server)
    reader = Api(server, make_token(server, "read")[0])
    assert reader.get(f"{ACCOUNTS}/{account_id(client)}")["status"] == "valid"
    for method, path, body in (("POST", f"{ACCOUNTS}/{account_id(client)}/deactivate", {}), ("PATCH", f"{ACCOUNTS}/{account_id(client)}", {"quota": 0}),
                               ("POST", KEYS, {}), ("GET", KEYS, None), ("POST", f"{ORDERS}/{NOBODY}/cancel", {})):
        refused(403, reader.call, method, path, body)
