"""Renewal information (RFC 9773): what is suggested, what replaces what, and what nobody may ask."""

import datetime
import json
import time

import pytest
from cryptography import x509

from acme_raw import Client, Refused, b64, make_csr
from harness import ChallengeServer, Server
from judge import leaf

UTC = datetime.timezone.utc


def when(text):
    return datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def cert_id(certificate):
    """RFC 9773, 4.1: as a client makes it, from the certificate alone."""
    key_id = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    n = certificate.serial_number
    return f"{b64(key_id)}.{b64(n.to_bytes(n.bit_length() // 8 + 1, 'big'))}"


@pytest.fixture(scope="module")
def client(server):
    made = Client(server)
    made.register()
    return made


def issue(client, web, *names, **members):
    return leaf(client.issue(list(names), web, **members)[0])


def info(client, name, status=200):
    reply = client.session.get(f"{client.directory['renewalInfo']}/{name}")
    assert reply.status_code == status, reply.text
    return reply


def window(client, certificate):
    shown = info(client, cert_id(certificate)).json()["suggestedWindow"]
    assert set(shown) == {"start", "end"}
    return when(shown["start"]), when(shown["end"])


def test_suggested_window_4_2(server, client, web):
    certificate = issue(client, web, "ari.example.com")
    assert not client.directory["renewalInfo"].endswith("/")
    reply = info(client, cert_id(certificate))
    assert reply.headers["Content-Type"] == "application/json"
    assert 60 <= int(reply.headers["Retry-After"]) <= 86400
    assert reply.headers["Cache-Control"] == "public, max-age=300"
    assert "Replay-Nonce" not in reply.headers
    assert set(reply.json()) == {"suggestedWindow"}
    start, end = window(client, certificate)
    begin, over = certificate.not_valid_before.replace(tzinfo=UTC), certificate.not_valid_after.replace(tzinfo=UTC)
    life = over - begin
    assert begin + life * 0.65 <= start < end <= begin + life * 0.81
    assert window(client, certificate) == (start, end)
    head = client.session.head(f"{client.directory['renewalInfo']}/{cert_id(certificate)}")
    assert (head.status_code, head.text, head.headers["Retry-After"]) == (200, "", reply.headers["Retry-After"])


def test_a_fleet_is_spread(client, web):
    windows = [window(client, issue(client, web, f"fleet{i}.example.com")) for i in range(12)]
    starts = sorted(start for start, _ in windows)
    assert starts[-1] - starts[0] > datetime.timedelta(days=2)


@pytest.mark.parametrize("name,status", [
    ("AA.AQ", 404), ("aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE", 404), ("x", 400), ("AA.AQ.AQ", 400), ("AA.AR", 400),
    (".AQ", 400), ("AA.", 400), ("AA.gA", 400),
])
def test_what_is_no_certificate_4_1(client, name, status):
    reply = info(client, name, status)
    assert reply.headers["Content-Type"] == "application/problem+json"
    assert reply.json()["type"] == "urn:ietf:params:acme:error:malformed"
    assert reply.headers["Cache-Control"] == "no-store"


def test_the_serial_of_one_and_the_key_of_another_4_1(client, web):
    certificate = issue(client, web, "mixed.example.com")
    key_id, serial = cert_id(certificate).split(".")
    info(client, f"{b64(bytes(20))}.{serial}", 404)
    info(client, f"{key_id}.AQ", 404)


def test_post_is_not_for_it(client, web):
    url = f"{client.directory['renewalInfo']}/AA.AQ"
    assert client.raw_post(url).status_code == 405


def test_revoked_is_to_be_renewed_at_once_4_2(client, web):
    certificate = issue(client, web, "gone.example.com")
    from cryptography.hazmat.primitives.serialization import Encoding
    client.post(client.directory["revokeCert"], {"certificate": b64(certificate.public_bytes(Encoding.DER))})
    start, end = window(client, certificate)
    assert start < end < datetime.datetime.now(UTC)


def refused(kind, status, call, *args, **kwargs):
    with pytest.raises(Refused) as caught:
        call(*args, **kwargs)
    assert (caught.value.type, caught.value.reply.status_code) == (kind, status), caught.value.reply.text
    assert "replaces" in caught.value.reply.json()["detail"]


def test_replaces_5(server, client, web):
    old = issue(client, web, "old.example.com", "both.example.com")
    url, order = client.order(["both.example.com", "new.example.com"], replaces=cert_id(old))
    assert order["replaces"] == cert_id(old)
    client.solve(order, web)
    assert client.post(url).json()["replaces"] == cert_id(old)
    client.finalize(order, make_csr(["both.example.com", "new.example.com"]))
    done = client.wait(url, ("valid", "invalid"))
    assert (done["status"], done["replaces"]) == ("valid", cert_id(old))
    refused("alreadyReplaced", 409, client.order, ["both.example.com"], replaces=cert_id(old))
    new = leaf(client.post(done["certificate"]).text)
    rows = {int(r["serial"], 16): r for r in json.loads(server.run("cert", "list", "--json", "--name", "both.example.com", check=True).stdout)}
    old_row, new_row = rows[old.serial_number], rows[new.serial_number]
    assert old_row.get("replacedBy", old_row.get("replaced_by")) == new_row["id"]


def test_one_order_at_a_time_replaces_5(server, client, web):
    """Marked by an order that is not invalid: while it is under way, and when it has ended well; not when it has failed."""
    old = issue(client, web, "marked.example.com")
    url, order = client.order(["marked.example.com"], replaces=cert_id(old))
    refused("alreadyReplaced", 409, client.order, ["marked.example.com"], replaces=cert_id(old))
    client.order(["marked.example.com"]) # without the word it is an order as any
    client.post(order["authorizations"][0], {"status": "deactivated"})
    assert client.post(url).json()["status"] == "invalid"
    url, order = client.order(["marked.example.com"], replaces=cert_id(old))
    client.solve(order, web)
    assert client.post(url).json()["status"] == "ready"
    refused("alreadyReplaced", 409, client.order, ["marked.example.com"], replaces=cert_id(old))
    client.finalize(order, make_csr(["marked.example.com"]))
    assert client.wait(url, ("valid", "invalid"))["status"] == "valid"
    refused("alreadyReplaced", 409, client.order, ["marked.example.com"], replaces=cert_id(old))


def test_of_many_at_once_one_replaces_5(server, client, web):
    from concurrent.futures import ThreadPoolExecutor
    old = issue(client, web, "raced.example.com")
    clients = []
    for _ in range(8):
        one = Client(server, key=client.key)
        one.kid = client.kid
        clients.append(one)

    def ask(one):
        try:
            return one.order(["raced.example.com"], replaces=cert_id(old))[1]["status"]
        except Refused as refusal:
            return refusal.type
    with ThreadPoolExecutor(8) as pool:
        told = sorted(pool.map(ask, clients))
    assert told == ["alreadyReplaced"] * 7 + ["pending"] or told == ["alreadyReplaced"] * 7 + ["ready"]


def test_replaces_that_is_wrong_5(server, client, web):
    mine = issue(client, web, "mine.example.com")
    names = ["mine.example.com"]
    refused("malformed", 400, client.order, names, replaces="no name at all")
    refused("malformed", 400, client.order, names, replaces=cert_id(mine) + "=")
    refused("malformed", 400, client.order, names, replaces=7)
    refused("malformed", 400, client.order, names, replaces="aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE")
    refused("malformed", 400, client.order, ["else.example.com"], replaces=cert_id(mine))
    other = Client(server)
    other.register()
    refused("unauthorized", 403, other.order, names, replaces=cert_id(mine))
    assert client.order(names, replaces=cert_id(mine))[1]["replaces"] == cert_id(mine)


def test_a_failed_order_leaves_its_predecessor_5(client, web):
    old = issue(client, web, "failing.example.com")
    url, order = client.order(["failing.example.com", "never.example.com"], replaces=cert_id(old))
    for authz in order["authorizations"]:
        client.post(authz, {"status": "deactivated"})
    assert client.post(url).json()["status"] == "invalid"
    client.order(["failing.example.com"], replaces=cert_id(old))


def test_profile_says_when_and_the_issuer_why(tmp_path):
    extra = {
        "profiles": [{"name": "early", "validity": "10d", "renewal": {"from": 10, "until": 20}}, {"name": "brief", "validity": "1h"}],
        "acme": {"renewal_info": {"explanation_url": "https://pki.example/renewals", "retry_after": "2h"}},
    }
    with Server(extra) as server, ChallengeServer(server.http01_port) as web:
        client = Client(server)
        client.register()
        certificate = issue(client, web, "early.example.com")
        start, end = window(client, certificate)
        begin = certificate.not_valid_before.replace(tzinfo=UTC)
        assert begin + datetime.timedelta(days=1) <= start < end <= begin + datetime.timedelta(days=2, hours=1)
        reply = info(client, cert_id(certificate))
        assert reply.json()["explanationURL"] == "https://pki.example/renewals"
        assert reply.headers["Retry-After"] == "7200"
        brief = issue(client, web, "brief.example.com", profile="brief")
        assert int(info(client, cert_id(brief)).headers["Retry-After"]) == 179


def test_asking_is_limited_by_address_6():
    extra = {"acme": {"website": "https://pki.example/limits", "limits": {"renewal_info_per_address": {"burst": 3, "period": "1h"}}}}
    with Server(extra) as server:
        client = Client(server)
        for _ in range(3):
            info(client, "AA.AQ", 404)
        reply = info(client, "AA.AQ", 429)
        assert reply.json()["type"].endswith(":rateLimited") and int(reply.headers["Retry-After"]) > 0
        assert '<https://pki.example/limits>;rel="help"' in reply.headers["Link"] # RFC 8555, 6.6
        assert client.session.get(server.directory).status_code == 200


def test_renewals_pass_the_limit_of_a_name_5():
    extra = {"acme": {"limits": {"orders_per_name": {"burst": 2, "period": "1d"}}},
             "profiles": [{"name": "web", "validity": "60s", "backdate": 0, "renewal": {"from": 1, "until": 2}}]}
    with Server(extra) as server, ChallengeServer(server.http01_port) as web:
        client = Client(server)
        client.register()
        old = issue(client, web, "busy.example.com")
        client.order(["busy.example.com"])
        with pytest.raises(Refused) as caught:
            client.order(["busy.example.com"])
        assert (caught.value.type, caught.value.reply.status_code) == ("rateLimited", 503)
        time.sleep(2.1)
        client.order(["busy.example.com"], replaces=cert_id(old))


def test_asking_writes_nothing(server, client, web):
    certificate = issue(client, web, "quiet.example.com")
    before = server.get("/metrics").decode()
    for _ in range(20):
        info(client, cert_id(certificate))
    after = server.get("/metrics").decode()
    commits = [line for line in before.splitlines() if "commit" in line and not line.startswith("#")]
    assert commits and all(line in after.splitlines() for line in commits)


# --- an operator's word

def renew_now(server, *args, check=True):
    done = server.run("renew-now", "--json", *args)
    assert done.returncode == 0 or not check, done.stderr
    return json.loads(done.stdout)["count"] if done.returncode == 0 else done.stderr


@pytest.fixture(scope="module")
def fleet():
    extra = {"profiles": [{"name": "web", "methods": ["acme", "api"]}, {"name": "mail", "methods": ["acme", "api"], "validity": "30d"}]}
    with Server(extra) as server, ChallengeServer(server.http01_port) as web:
        client = Client(server)
        client.register()
        yield server, client, web


def over_now(client, certificate):
    return window(client, certificate)[1] < datetime.datetime.now(UTC)


def test_renew_now_moves_what_matches(fleet):
    server, client, web = fleet
    one, two, mail = issue(client, web, "one.example.com"), issue(client, web, "two.example.com"), issue(client, web, "m.example.com", profile="mail")
    usual = [window(client, c) for c in (one, two, mail)]
    assert renew_now(server, "--filter", "name=one.example.com") == 1
    assert over_now(client, one) and [window(client, c) for c in (two, mail)] == usual[1:]
    assert renew_now(server, "--filter", "profile=mail,name=m.example.com", "--over", "8h", "--explanation", "https://pki.example/why") == 1
    start, end = window(client, mail)
    now = datetime.datetime.now(UTC)
    assert now - datetime.timedelta(seconds=30) < start < end < now + datetime.timedelta(hours=8, seconds=1)
    assert end - start == datetime.timedelta(hours=2)
    assert info(client, cert_id(mail)).json()["explanationURL"] == "https://pki.example/why"
    assert window(client, two) == usual[1]
    row = json.loads(server.run("cert", "list", "--json", "--name", "one.example.com", check=True).stdout)[0]
    assert row["status"] == "valid" and when(row["renewUntil"]) < now
    assert renew_now(server, "--issuer", "issuing", "--issued-after", "1h", "--account", client.kid.rsplit("/", 1)[-1]) == 3
    assert all(over_now(client, c) for c in (one, two, mail))
    assert renew_now(server, "--all", "--undo") >= 3
    assert [window(client, c) for c in (one, two, mail)] == usual
    events = json.loads(server.run("audit", "list", "--json", "--kind", "renewal-advised", check=True).stdout)
    assert events[0]["about"]["filter"] == "name=one.example.com" and events[0]["about"]["count"] == 1


def test_renew_now_by_key_and_age(fleet):
    import hashlib
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
    server, client, web = fleet
    certificate = issue(client, web, "key.example.com")
    spki = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert renew_now(server, "--filter", f"key={hashlib.sha256(spki).hexdigest()}") == 1
    assert over_now(client, certificate)
    assert renew_now(server, "--filter", "issued-before=1d") == 0
    assert renew_now(server, "--filter", "issuer=other") == 0


def test_renewed_and_revoked_are_left_alone(fleet):
    server, client, web = fleet
    old = issue(client, web, "left.example.com")
    issue(client, web, "left.example.com", replaces=cert_id(old))
    assert renew_now(server, "--filter", "name=left.example.com") == 1
    assert not over_now(client, old)


@pytest.mark.parametrize("args", [
    [], ["--all", "--filter", "profile=web"], ["--filter", "colour=red"], ["--filter", "profile"], ["--filter", "status=odd"],
    ["--filter", "key=zz"], ["--all", "--over", "soon"], ["--all", "--explanation", "javascript:x"], ["--all", "--over", "1000d"],
])
def test_renew_now_refuses(fleet, args):
    assert fleet[0].run("renew-now", *args).returncode != 0


def test_renew_now_over_the_api(fleet):
    from api_client import Api, make_token
    server, client, web = fleet
    certificate, other = issue(client, web, "api.example.com"), issue(client, web, "apim.example.com", profile="mail")
    api = Api(server, make_token(server, "admin")[0])
    path = "certificates/renew-now"
    reply = api.post(path, {"filter": {"name": "api.example.com"}, "explanationUrl": "https://pki.example/w"})
    assert reply == {"count": 1}
    assert over_now(client, certificate) and not over_now(client, other)
    assert info(client, cert_id(certificate)).json()["explanationURL"] == "https://pki.example/w"
    for body in ({}, {"filter": {}}, {"filter": {"colour": "red"}}, {"filter": {"status": "odd"}}, {"filter": {"name": "x"}, "over": "soon"}):
        with pytest.raises(Exception) as caught:
            api.post(path, body)
        assert caught.value.status in (400, 422), caught.value
    narrow = Api(server, make_token(server, "admin", profile="mail")[0])
    assert narrow.post(path, {"filter": {"method": "acme"}})["count"] >= 1
    assert over_now(client, other)
    reader = Api(server, make_token(server, "read")[0])
    with pytest.raises(Exception) as caught:
        reader.post(path, {"filter": {"name": "api.example.com"}})
    assert caught.value.status == 403


# --- a CA on its way out

def test_certificates_of_a_ca_that_is_replaced():
    with Server() as server, ChallengeServer(server.http01_port) as web:
        client = Client(server)
        client.register()
        old = issue(client, web, "old-ca.example.com")
        assert not over_now(client, old)
        folder = server.folder / "data/ca"
        for path in list(folder.glob("issuing.*")):
            (folder / path.name.replace("issuing", "second", 1)).write_bytes(path.read_bytes())
        for path in folder.glob("second.*"):
            path.chmod(0o600)
        for ca in ({"issuers": ["second", "issuing"], "retiring": ["issuing"]}, {"issuers": ["second"]}):
            server.stop()
            server.write_config({"ca": ca})
            server.start()
            client.nonces.clear()
            assert over_now(client, old)
            assert not over_now(client, issue(client, web, f"new{len(ca)}.example.com"))
            info(client, f"{b64(bytes(20))}.{cert_id(old).split('.')[1]}", 404)


def test_certificates_of_a_ca_that_was_rekeyed_and_disabled():
    with Server() as server, ChallengeServer(server.http01_port) as web:
        client = Client(server)
        client.register()
        old = issue(client, web, "rekeyed.example.com")
        server.run("ca", "rekey", "issuing", check=True)
        server.stop()
        server.start()
        client.nonces.clear()
        assert not over_now(client, old)
        server.run("ca", "disable", "issuing", check=True)
        deadline = time.monotonic() + 60
        while not over_now(client, old):
            assert time.monotonic() < deadline
            time.sleep(0.2)
        assert not over_now(client, issue(client, web, "fresh.example.com"))


@pytest.mark.parametrize("ca", [{"retiring": ["issuing"]}, {"retiring": ["none"]}])
def test_retiring_that_is_wrong(server, ca):
    before = server.extra
    server.write_config({"ca": ca})
    done = server.run("check-config")
    server.write_config(before)
    assert done.returncode != 0 and "ca.retiring" in done.stderr
