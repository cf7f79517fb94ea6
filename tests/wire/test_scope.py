"""What accounts may order: external account keys with a scope, and accounts that are limited later."""

import json

import pytest
from cryptography import x509

from acme_raw import Client, Refused, make_csr
from harness import ChallengeServer, Server
from judge import leaf

PROFILES = [{"name": "web"}, {"name": "mail", "email": {"allow": ["@corp.example"]}}, {"name": "bound", "eab_required": True}]


@pytest.fixture(scope="module")
def server():
    with Server({"profiles": PROFILES}) as made:
        yield made


def key(server, *args):
    return json.loads(server.run("eab", "create", "--json", *args, check=True).stdout)


def bound(server, made, directory=None):
    client = Client(server, directory=directory)
    client.bind(made)
    return client


def scoped(server, *args):
    return bound(server, key(server, *args))


def account_id(client):
    return client.kid.rsplit("/", 1)[-1]


def limit(server, client, *args):
    return json.loads(server.run("account", "limit", "--json", account_id(client), *args, check=True).stdout)


def refused(kind, status, call, *args, **kwargs):
    with pytest.raises(Refused) as caught:
        call(*args, **kwargs)
    assert (caught.value.type, caught.value.reply.status_code) == (kind, status), caught.value.reply.text
    return caught.value.reply


def events(server, kind):
    return json.loads(server.run("audit", "list", "--json", "--kind", kind, check=True).stdout)


def finish(client, url, order, names):
    client.finalize(order, make_csr(names))
    return leaf(client.post(client.wait(url, ("valid", "invalid"))["certificate"]).text)


def test_a_type_without_challenges_is_for_who_is_trusted_with_it(server):
    """A mail address has no challenge here: unsupported, but for an account that is authorized for some."""
    ann, eve = ({"type": "email", "value": f"{who}@corp.example"} for who in ("ann", "eve"))
    refused("unsupportedIdentifier", 400, scoped(server, "--authorize", "dns:*.trusted.example").order, [ann], profile="mail")
    client = scoped(server, "--authorize", "email:ann@corp.example")
    url, order = client.order([ann], profile="mail")
    assert order["status"] == "ready"
    refused("rejectedIdentifier", 400, client.order, [eve], profile="mail")
    certificate = finish(client, url, order, [x509.RFC822Name("ann@corp.example")])
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.RFC822Name) == ["ann@corp.example"]


def test_names_that_may_be_ordered(server, web):
    client = scoped(server, "--name", "dns:**.lab.example,ip:10.1.0.0/16")
    reply = refused("rejectedIdentifier", 400, client.order, ["a.lab.example", "a.else.example"])
    assert [s["identifier"]["value"] for s in reply.json()["subproblems"]] == ["a.else.example"]
    refused("rejectedIdentifier", 400, client.order, ["lab.example"])
    refused("rejectedIdentifier", 400, client.order, [{"type": "ip", "value": "10.2.0.1"}])
    reply = refused("rejectedIdentifier", 403, client.post, client.directory["newAuthz"],
                    {"identifier": {"type": "dns", "value": "a.else.example"}})
    url, order = client.order(["a.lab.example"])
    assert order["status"] == "pending"
    client.solve(order, web)
    finish(client, url, order, ["a.lab.example"])


def test_covered_names_are_authorized_without_a_challenge(server):
    client = scoped(server, "--authorize", "dns:*.trusted.example,ip:192.0.2.0/24")
    names = ["a.trusted.example", "*.trusted.example"]
    url, order = client.order(names + [{"type": "ip", "value": "192.0.2.7"}])
    assert order["status"] == "ready"
    for authz in order["authorizations"]:
        shown = client.post(authz).json()
        assert (shown["status"], shown["challenges"]) == ("valid", [])
    told = events(server, "authorization-granted")[-1]
    assert told["actor"] == f"account {account_id(client)}" and told["about"]["order"] == url.rsplit("/", 1)[-1]
    assert told["about"]["names"] == names + ["192.0.2.7"]
    import ipaddress
    from cryptography import x509
    client.finalize(order, make_csr(names + [x509.IPAddress(ipaddress.ip_address("192.0.2.7"))]))
    assert client.wait(url, ("valid", "invalid"))["status"] == "valid"


def test_everything_else_is_challenged(server, web):
    client = scoped(server, "--authorize", "dns:*.trusted.example")
    url, order = client.order(["b.trusted.example", "b.wild.example"])
    assert order["status"] == "pending"
    states = {client.post(a).json()["identifier"]["value"]: client.post(a).json()["status"] for a in order["authorizations"]}
    assert states == {"b.trusted.example": "valid", "b.wild.example": "pending"}
    client.solve(order, web)
    finish(client, url, order, ["b.trusted.example", "b.wild.example"])


def test_preauthorization_of_a_covered_name(server):
    client = scoped(server, "--authorize", "dns:*.trusted.example")
    reply = client.post(client.directory["newAuthz"], {"identifier": {"type": "dns", "value": "p.trusted.example"}})
    assert (reply.status_code, reply.json()["status"], reply.json()["challenges"]) == (201, "valid", [])


def test_others_are_granted_nothing(server):
    client = Client(server)
    client.register()
    assert client.order(["c.trusted.example"])[1]["status"] == "pending"


def test_profiles_that_it_opens(server):
    made = key(server, "--profile", "web,mail")
    client = bound(server, made)
    for name in ("web", "mail"):
        client.order(["a.example.com"], profile=name)
    refused("invalidProfile", 400, client.order, ["a.example.com"], profile="bound")
    client = Client(server, directory=f"{server.url}/acme/bound/directory")
    refused("unauthorized", 403, client.bind, made)
    narrow = scoped(server, "--profile", "web")
    refused("invalidProfile", 400, narrow.order, ["a.example.com"], profile="mail")


def test_where_requests_come_from(server):
    made = key(server, "--network", "192.0.2.0/24,10.0.0.0/8")
    client = Client(server)
    refused("unauthorized", 403, client.bind, made)
    home = scoped(server, "--network", "127.0.0.0/8,::1")
    home.order(["a.example.com"])
    limit(server, home, "--network", "192.0.2.0/24")
    refused("unauthorized", 403, home.order, ["a.example.com"])
    refused("unauthorized", 403, home.post, home.kid)
    limit(server, home, "--network", "any")
    home.order(["a.example.com"])


def issue(client, name):
    url, order = client.order([name])
    assert order["status"] == "ready"
    return finish(client, url, order, [name])


def test_quota_in_all_is_one_for_all_accounts_of_a_key(server):
    made = key(server, "--authorize", "dns:*.q.example", "--quota-total", "3")
    first, second = bound(server, made), bound(server, made)
    ready_url, ready = second.order(["late.q.example"])
    issue(first, "a.q.example")
    issue(second, "b.q.example")
    issue(first, "c.q.example")
    refused("unauthorized", 403, first.order, ["d.q.example"])
    refused("unauthorized", 403, second.order, ["d.q.example"])
    refused("unauthorized", 403, second.finalize, ready, make_csr(["late.q.example"]))
    assert second.post(ready_url).json()["status"] == "ready"
    row = next(r for r in json.loads(server.run("eab", "list", "--json", check=True).stdout) if r["kid"] == made["kid"])
    assert (row["quotaTotal"], row["spentTotal"], row["authorized"]) == (3, 3, ["dns:*.q.example"])


def test_quota_of_a_period(server):
    client = scoped(server, "--authorize", "dns:*.p.example", "--quota", "2/1h")
    waiting = [client.order([f"w{i}.p.example"]) for i in range(3)]
    for url, order in waiting[:2]:
        name = order["identifiers"][0]["value"]
        finish(client, url, order, [name])
    reply = refused("rateLimited", 503, client.finalize, waiting[2][1], make_csr(["w2.p.example"]))
    assert 1 <= int(reply.headers["Retry-After"]) <= 60
    refused("rateLimited", 503, client.order, ["x.p.example"])


def test_parallel_finalizes_stay_within_the_quota(server):
    import concurrent.futures
    made = key(server, "--authorize", "dns:*.r.example", "--quota-total", "4")
    clients = [bound(server, made) for _ in range(8)]
    orders = [c.order([f"r{i}.r.example"]) for i, c in enumerate(clients)]

    def finalize(i):
        try:
            return clients[i].finalize(orders[i][1], make_csr([f"r{i}.r.example"])).status_code
        except Refused as refusal:
            return refusal.reply.status_code
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        done = list(pool.map(finalize, range(8)))
    assert sorted(done) == [200] * 4 + [403] * 4


def test_limited_after_the_fact(server, web):
    client = Client(server)
    client.register()
    url, order = client.order(["old.a.example"])
    client.solve(order, web)
    shown = limit(server, client, "--name", "dns:*.b.example", "--quota-total", "5")
    assert (shown["names"], shown["quotaTotal"], shown["spentTotal"]) == (["dns:*.b.example"], 5, 0)
    refused("rejectedIdentifier", 400, client.order, ["new.a.example"])
    refused("rejectedIdentifier", 400, client.finalize, order, make_csr(["old.a.example"]))
    assert "may order    dns:*.b.example\n" in server.run("account", "show", account_id(client), check=True).stdout
    assert events(server, "account-limited")[-1]["about"]["names"] == ["dns:*.b.example"]
    limit(server, client, "--name", "any")
    finish(client, url, order, ["old.a.example"])
    assert json.loads(server.run("account", "show", "--json", account_id(client), check=True).stdout)["spentTotal"] == 1


def test_what_was_granted_ends_with_the_grant(server):
    client = scoped(server, "--authorize", "dns:*.g.example")
    url, order = client.order(["x.g.example"])
    limit(server, client, "--authorize", "any")
    refused("unauthorized", 403, client.finalize, order, make_csr(["x.g.example"]))
    assert client.order(["x.g.example"])[1]["status"] == "pending"
    limit(server, client, "--authorize", "dns:x.g.example")
    finish(client, url, order, ["x.g.example"])


def test_a_grant_proves_nothing_to_others(server, web):
    """Holding a granted authorization is no right to revoke what another account has proven."""
    from cryptography.hazmat.primitives.serialization import Encoding
    from acme_raw import b64
    owner = Client(server)
    owner.register()
    certificate = leaf(owner.issue(["held.g.example"], web)[0])
    other = scoped(server, "--authorize", "dns:*.g.example")
    other.order(["held.g.example"])
    refused("unauthorized", 403, other.post, other.directory["revokeCert"],
            {"certificate": b64(certificate.public_bytes(Encoding.DER))})


@pytest.mark.parametrize("args", [
    ["--name", "lab.example"], ["--name", "dns:"], ["--authorize", "ip:300.0.0.1"], ["--network", "10.0.0.1/8"],
    ["--network", "here"], ["--quota", "5"], ["--quota", "0/1d"], ["--quota", "5/soon"], ["--quota-total", "-1"],
    ["--quota-total", "many"], ["--profile", "none"], ["--quota", "5/0s"],
])
def test_scopes_that_are_wrong(server, args):
    assert server.run("eab", "create", *args).returncode != 0
    client = Client(server)
    client.register()
    assert server.run("account", "limit", account_id(client), *args).returncode != 0


def test_limit_wants_to_know_what(server):
    client = Client(server)
    client.register()
    assert server.run("account", "limit", account_id(client)).returncode != 0
    assert server.run("account", "limit", "A" * 22, "--quota-total", "1").returncode != 0
