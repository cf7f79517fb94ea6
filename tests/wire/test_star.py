"""Orders whose certificates the server renews by itself (RFC 8739), and certificates without revocation information
(RFC 9608)."""

import contextlib
import datetime
import email.utils
import json
import signal
import time

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import AuthorityInformationAccessOID, ObjectIdentifier

from acme_raw import Client, Refused, b64, make_csr
from harness import ChallengeServer, Server
from judge import leaf, pem_list
from lying_dns import LyingDns

NO_REV_AVAIL = ObjectIdentifier("2.5.29.56")
STAR = {"enabled": True, "min_lifetime": 4, "max_duration": "30d"}
PROFILES = [{"name": "web"}, {"name": "star", "auto_renewal": {**STAR, "certificate_get": True}},
            {"name": "closed", "auto_renewal": STAR}, {"name": "days", "auto_renewal": {"enabled": True, "min_lifetime": "1d"}},
            {"name": "brief", "no_revocation_within": "7d", "validity": "6d"}]


@pytest.fixture(scope="module")
def server():
    with Server({"profiles": PROFILES}) as made:
        yield made


@pytest.fixture
def client(server):
    made = Client(server, directory=f"{server.url}/acme/star/directory")
    made.register()
    return made


def stamp(seconds=0):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def at(text):
    return datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.timezone.utc)


def utc(naive):
    return naive.replace(tzinfo=datetime.timezone.utc)


def refused(kind, status, call, *args, **kwargs):
    with pytest.raises(Refused) as caught:
        call(*args, **kwargs)
    assert (caught.value.type, caught.value.reply.status_code) == (kind, status), caught.value.reply.text


def begin(client, web, name, lifetime=6, end=3600, **more):
    url, order = client.order([name], **{"auto-renewal": {"end-date": stamp(end), "lifetime": lifetime, **more}})
    client.solve(order, web)
    client.finalize(order, make_csr([name]))
    return url, client.wait(url, ("valid", "invalid"))


def current(client, order):
    return leaf(client.post(order["star-certificate"]).text)


def test_directory_says_so_3_2(server):
    def meta(name):
        return Client(server, directory=f"{server.url}/acme/{name}/directory").directory["meta"].get("auto-renewal")
    assert meta("star") == {"min-lifetime": 4, "max-duration": 30 * 86400, "allow-certificate-get": True}
    assert meta("closed") == {"min-lifetime": 4, "max-duration": 30 * 86400}
    assert meta("web") is None


def test_order_and_its_certificate_3_1(server, client, web):
    end = stamp(3600)
    url, order = client.order(["one.example"], **{"auto-renewal": {"end-date": end, "lifetime": 600, "lifetime-adjust": 60, "allow-certificate-get": True}})
    wanted = {"end-date": end, "lifetime": 600, "lifetime-adjust": 60, "allow-certificate-get": True}
    assert (order["status"], order["auto-renewal"]) == ("pending", wanted)
    client.solve(order, web)
    client.finalize(order, make_csr(["one.example"]))
    done = client.wait(url, ("valid", "invalid"))
    assert (done["status"], done["auto-renewal"]) == ("valid", wanted)
    assert "certificate" not in done and at(done["expires"]) >= at(end)
    reply = client.post(done["star-certificate"])
    certificate = leaf(reply.text)
    assert reply.headers["Content-Type"] == "application/pem-certificate-chain" and len(pem_list(reply.text)) == 2
    for header, value in (("Cert-Not-Before", certificate.not_valid_before), ("Cert-Not-After", certificate.not_valid_after)):
        assert email.utils.parsedate_to_datetime(reply.headers[header]) == utc(value)
    assert utc(certificate.not_valid_after) <= at(end)
    assert certificate.extensions.get_extension_for_oid(NO_REV_AVAIL).value.value == b"\x05\x00"
    public = requests.get(done["star-certificate"], verify=server.root_pem)
    assert public.status_code == 200 and leaf(public.text) == certificate
    age = int(public.headers["Cache-Control"].removeprefix("public, max-age="))
    assert 0 < age <= 600 * 0.5
    assert requests.head(done["star-certificate"], verify=server.root_pem).headers["Cert-Not-After"] == reply.headers["Cert-Not-After"]


def test_certificates_roll_3_5(server, client, web):
    lifetime = 8
    _, order = begin(client, web, "roll.example", lifetime=lifetime, end=90)
    seen = [current(client, order)]
    deadline = time.monotonic() + 60
    while len(seen) < 4 and time.monotonic() < deadline:
        asked = datetime.datetime.utcnow()
        fetched = current(client, order)
        if fetched == seen[-1]:
            half = seen[-1].not_valid_after - datetime.timedelta(seconds=lifetime / 2)
            assert asked <= half + datetime.timedelta(seconds=1.5), "the next is there before half of the life of the current one"
        else:
            assert fetched.not_valid_before <= datetime.datetime.utcnow(), "valid when it is published"
            seen.append(fetched)
        time.sleep(0.1)
    assert len(seen) == 4
    assert len({c.serial_number for c in seen}) == 4
    assert len({c.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) for c in seen}) == 1
    ends = [c.not_valid_after for c in seen]
    assert all((b - a).total_seconds() == lifetime for a, b in zip(ends, ends[1:]))
    rows = json.loads(server.run("cert", "list", "--json", "--name", "roll.example", check=True).stdout)
    assert len(rows) >= 4 and all(r["noRevocation"] for r in rows)


def test_end_3_3(client, web):
    url, order = begin(client, web, "end.example", lifetime=4, end=9)
    end, last = at(order["auto-renewal"]["end-date"]).timestamp(), None
    while time.time() < end - 1 or not last:
        last = current(client, order)
        assert utc(last.not_valid_after) <= at(order["auto-renewal"]["end-date"])
        time.sleep(0.3)
    assert utc(last.not_valid_after) == at(order["auto-renewal"]["end-date"])
    time.sleep(max(0, end - time.time()) + 1.5)
    refused("autoRenewalExpired", 403, client.post, order["star-certificate"])
    assert client.post(url).json()["status"] == "valid"


def test_cancel_3_1_2(server, client, web):
    url, order = begin(client, web, "cancel.example", lifetime=4, **{"allow-certificate-get": True})
    canceled = client.post(url, {"status": "canceled"})
    assert (canceled.status_code, canceled.json()["status"]) == (200, "canceled")
    assert "expires" in canceled.json()
    refused("autoRenewalCanceled", 403, client.post, order["star-certificate"])
    public = requests.get(order["star-certificate"], verify=server.root_pem)
    assert public.status_code == 403 and public.json()["type"].endswith(":autoRenewalCanceled")
    refused("autoRenewalCancellationInvalid", 400, client.post, url, {"status": "canceled"})
    time.sleep(5)
    rows = json.loads(server.run("cert", "list", "--json", "--name", "cancel.example", check=True).stdout)
    assert 1 <= len(rows) <= 2
    assert json.loads(server.run("audit", "list", "--json", "--kind", "order-canceled", check=True).stdout)[-1]["about"]["order"] == url.rsplit("/", 1)[-1]


def test_an_operator_cancels_it(server, client, web):
    url, order = begin(client, web, "operator.example", lifetime=4)
    identifier = url.rsplit("/", 1)[-1]
    listed = json.loads(server.run("order", "list", "--json", "--auto-renewal", "--status", "valid", check=True).stdout)
    assert next(o for o in listed if o["id"] == identifier)["autoRenewal"]["lifetime"] == 4
    assert "renews       every 4 s" in server.run("order", "show", identifier, check=True).stdout
    assert json.loads(server.run("order", "cancel", "--json", identifier, check=True).stdout)["status"] == "canceled"
    assert client.post(url).json()["status"] == "canceled"
    refused("autoRenewalCanceled", 403, client.post, order["star-certificate"])
    before = len(json.loads(server.run("cert", "list", "--json", "--name", "operator.example", check=True).stdout))
    time.sleep(4)
    assert len(json.loads(server.run("cert", "list", "--json", "--name", "operator.example", check=True).stdout)) == before


def test_cancel_that_is_none_3_1_2(server, client, web):
    url, order = client.order(["pending.example"], **{"auto-renewal": {"end-date": stamp(60), "lifetime": 10}})
    refused("autoRenewalCancellationInvalid", 400, client.post, url, {"status": "canceled"})
    plain, _ = client.order(["plain.example"])
    refused("autoRenewalCancellationInvalid", 400, client.post, plain, {"status": "canceled"})
    refused("malformed", 400, client.post, url, {"status": "valid"})
    refused("malformed", 400, client.post, url, {})
    other = Client(server, directory=f"{server.url}/acme/star/directory")
    other.register()
    refused("unauthorized", 403, other.post, url, {"status": "canceled"})


def test_revocation_is_not_for_it_3_1_2(server, client, web):
    _, order = begin(client, web, "revoke.example", lifetime=600)
    der = current(client, order).public_bytes(Encoding.DER)
    refused("autoRenewalRevocationNotSupported", 403, client.post, client.directory["revokeCert"], {"certificate": b64(der)})


@pytest.mark.parametrize("wish", [
    {}, [], "x", {"lifetime": 10}, {"end-date": "DAY"}, {"end-date": "tomorrow", "lifetime": 10}, {"end-date": "DAY", "lifetime": 3},
    {"end-date": "DAY", "lifetime": "10"}, {"end-date": "DAY", "lifetime": 10.5}, {"end-date": "DAY", "lifetime": -10},
    {"end-date": "PAST", "lifetime": 10}, {"end-date": "FAR", "lifetime": 10}, {"end-date": "DAY", "lifetime": 10, "lifetime-adjust": -1},
    {"end-date": "DAY", "lifetime": 10, "start-date": 7}, {"end-date": "DAY", "lifetime": 10, "start-date": "FAR"},
    {"end-date": "DAY", "lifetime": 10, "allow-certificate-get": "yes"}, {"end-date": "DAY", "lifetime": 1 << 40},
])
def test_what_cannot_be_had_3_1_1(client, wish):
    dates = {"DAY": stamp(86400), "PAST": stamp(-60), "FAR": stamp(86400 * 365)}
    if isinstance(wish, dict):
        wish = {k: dates.get(v, v) if isinstance(v, str) else v for k, v in wish.items()}
    refused("malformed", 400, client.order, ["wrong.example"], **{"auto-renewal": wish})


@pytest.mark.parametrize("member", ["notBefore", "notAfter"])
def test_not_with_dates_of_rfc_8555_3_1_1(client, member):
    refused("malformed", 400, client.order, ["dates.example"],
            **{"auto-renewal": {"end-date": stamp(60), "lifetime": 10}, member: stamp(30)})


def test_profile_without_it(server):
    client = Client(server)
    client.register()
    refused("malformed", 400, client.order, ["no.example"], **{"auto-renewal": {"end-date": stamp(60), "lifetime": 10}})
    refused("invalidProfile", 400, client.order, ["no.example"], profile="brief", **{"auto-renewal": {"end-date": stamp(60), "lifetime": 10}})


def test_end_within_the_life_of_the_ca_that_took_the_place_3_1_1():
    """The CA that is to sign it counts, and not the one whose place that took."""
    with Server({"profiles": PROFILES}) as own:
        client = Client(own, directory=f"{own.url}/acme/star/directory")
        client.register()
        own.run("ca", "renew", "issuing", "--lifetime", "3d", check=True)
        own.reload()
        wish = {"auto-renewal": {"end-date": stamp(10 * 86400), "lifetime": 3600}}
        refused("malformed", 400, client.order, ["late.example"], **wish)
        own.run("ca", "rekey", "issuing", "--lifetime", "1y", check=True)
        own.reload()
        url, order = client.order(["late.example"], **wish)
        assert order["status"] == "pending"


def test_get_that_was_not_agreed_3_4(server, client, web):
    _, order = begin(client, web, "private.example", lifetime=600)
    assert requests.get(order["star-certificate"], verify=server.root_pem).status_code == 405
    assert requests.get(order["star-certificate"][:-22] + "A" * 22, verify=server.root_pem).status_code == 404
    closed = Client(server, directory=f"{server.url}/acme/closed/directory")
    closed.register()
    _, order = begin(closed, web, "closed.example", lifetime=600, **{"allow-certificate-get": True})
    assert "allow-certificate-get" not in order["auto-renewal"]
    assert requests.get(order["star-certificate"], verify=server.root_pem).status_code == 405


def test_only_its_account_posts(server, client, web):
    _, order = begin(client, web, "owner.example", lifetime=600)
    other = Client(server, directory=f"{server.url}/acme/star/directory")
    other.register()
    refused("unauthorized", 403, other.post, order["star-certificate"])


def test_start_and_the_example_of_3_5_1(server, web):
    client = Client(server, directory=f"{server.url}/acme/days/directory")
    client.register()
    start = stamp(86400)
    url, order = client.order(["later.example"], **{"auto-renewal": {
        "start-date": start, "end-date": stamp(11 * 86400), "lifetime": 4 * 86400, "lifetime-adjust": 3 * 86400}})
    assert order["auto-renewal"]["start-date"] == start
    client.solve(order, web)
    client.finalize(order, make_csr(["later.example"]))
    certificate = current(client, client.wait(url, ("valid", "invalid")))
    assert utc(certificate.not_valid_before) == at(start)
    assert utc(certificate.not_valid_after) == at(start) + datetime.timedelta(days=4)


def test_the_end_of_an_authorization_ends_it(server, client, web):
    url, order = begin(client, web, "taken.example", lifetime=4)
    client.post(order["authorizations"][0], {"status": "deactivated"})
    assert client.post(url).json()["status"] == "canceled"
    refused("autoRenewalCanceled", 403, client.post, order["star-certificate"])
    before = len(json.loads(server.run("cert", "list", "--json", "--name", "taken.example", check=True).stdout))
    time.sleep(4)
    assert len(json.loads(server.run("cert", "list", "--json", "--name", "taken.example", check=True).stdout)) == before


def test_the_end_of_an_account_ends_it(server, client, web):
    _, order = begin(client, web, "left.example", lifetime=600, **{"allow-certificate-get": True})
    client.post(client.kid, {"status": "deactivated"})
    reply = requests.get(order["star-certificate"], verify=server.root_pem)
    assert reply.status_code == 403 and reply.json()["type"].endswith(":autoRenewalCanceled")


def test_policy_that_changed_ends_it(server, client, web):
    """Each renewal passes the gate; what it refuses is told, and tried again later."""
    _, order = begin(client, web, "limited.example", lifetime=4)
    account = client.kid.rsplit("/", 1)[-1]
    server.run("account", "limit", account, "--name", "dns:else.example", check=True)
    serials = set()
    for _ in range(6):
        serials.add(current(client, order).serial_number)
        time.sleep(0.5)
    assert len(serials) <= 2
    refusals = json.loads(server.run("audit", "list", "--json", "--kind", "certificate-refused", check=True).stdout)
    assert any(e["about"].get("order") == order["finalize"].rsplit("/", 2)[-2] for e in refusals)
    server.run("account", "limit", account, "--name", "any", check=True)
    deadline = time.monotonic() + 60
    while True:
        with contextlib.suppress(Refused): # 503 while the last one has ended and none has followed
            if current(client, order).serial_number not in serials:
                break
        assert time.monotonic() < deadline
        time.sleep(0.2)


@pytest.mark.parametrize("kill", [False, True])
def test_restart_in_the_middle(web, kill):
    with Server({"profiles": PROFILES[1:2]}) as server, ChallengeServer(server.http01_port) as own_web:
        client = Client(server)
        client.register()
        _, order = begin(client, own_web, "restart.example", lifetime=4)
        before = current(client, order)
        server.stop(kill=kill)
        time.sleep(6)
        server.start()
        deadline = time.monotonic() + 60
        client.nonces.clear()
        after = before
        while after == before:
            moment = datetime.datetime.utcnow().replace(microsecond=0) # certificates know whole seconds
            with contextlib.suppress(Refused): # 503 until the next one is there
                after = current(client, order)
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert after.not_valid_before <= datetime.datetime.utcnow() and moment <= after.not_valid_after


def test_slow_caa_holds_up_nobody_else():
    """Eleven orders whose CAA is never answered; another, without CAA, goes on to be renewed in time, and one whose
    resolver comes back is renewed again."""
    profiles = [{"name": "star", "auto_renewal": {**STAR, "certificate_get": True}}, {"name": "asks", "caa": True, "auto_renewal": STAR}]
    with LyingDns() as liar, Server({"acme": {"resolvers": [liar.resolver], "caa_identities": ["ca.example.net"]}, "profiles": profiles}) as server:
        with ChallengeServer(server.http01_port) as web:
            slow = Client(server, directory=f"{server.url}/acme/asks/directory")
            slow.register()
            held = [begin(slow, web, f"n{i}.slow.example", lifetime=6)[1] for i in range(11)]
            quick = Client(server)
            quick.register()
            _, order = begin(quick, web, "quick.example", lifetime=6)
            for i in range(11):
                liar.custom[f"n{i}.slow.example"] = lambda query, over_tcp: None
            asked = len(liar.questions)
            deadline, seen, silent = time.monotonic() + 60, set(), set()
            while len(seen) < 5 or len(silent) < 11:
                assert time.monotonic() < deadline, (seen, silent)
                moment = datetime.datetime.utcnow().replace(microsecond=0)
                certificate = current(quick, order)
                assert certificate.not_valid_after >= moment
                seen.add(certificate.serial_number)
                silent = {n for n, kind, _ in liar.questions[asked:] if kind == "CAA" and "slow" in n} # all are asked for
                time.sleep(0.3)
            liar.custom.clear()
            deadline = time.monotonic() + 60
            while True:
                with contextlib.suppress(Refused): # 503: the last one has ended
                    if current(slow, held[0]).not_valid_after > datetime.datetime.utcnow():
                        break
                assert time.monotonic() < deadline
                time.sleep(0.2)


# --- RFC 9608

def extensions(certificate):
    return {e.oid.dotted_string for e in certificate.extensions}


def test_short_lives_say_that_nothing_tells_of_them(server, web):
    client = Client(server)
    client.register()
    pem, _ = client.issue(["brief.example"], web, profile="brief")
    certificate = leaf(pem)
    found = certificate.extensions.get_extension_for_oid(NO_REV_AVAIL)
    assert (found.critical, found.value.value) == (False, b"\x05\x00")
    assert "2.5.29.31" not in extensions(certificate) and "2.5.29.46" not in extensions(certificate)
    access = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    assert [a.access_method for a in access] == [AuthorityInformationAccessOID.CA_ISSUERS]
    longer = leaf(client.issue(["long.example"], web)[0])
    assert NO_REV_AVAIL.dotted_string not in extensions(longer) and "2.5.29.31" in extensions(longer)


def test_longer_life_of_the_same_profile_leads_to_the_list(server, web):
    client = Client(server)
    client.register()
    certificate = leaf(client.issue(["asked.example"], web, profile="brief", notAfter=stamp(20 * 86400))[0])
    assert NO_REV_AVAIL.dotted_string not in extensions(certificate) and "2.5.29.31" in extensions(certificate)


def test_revocation_is_recorded_and_not_published(server, web):
    client = Client(server)
    client.register()
    gone, shown = (leaf(client.issue([name], web, profile=profile)[0]) for name, profile in (("gone.example", "brief"), ("shown.example", "web")))
    for certificate in (gone, shown):
        client.post(client.directory["revokeCert"], {"certificate": b64(certificate.public_bytes(Encoding.DER)), "reason": 1})
    row = json.loads(server.run("cert", "list", "--json", "--name", "gone.example", check=True).stdout)[0]
    assert (row["status"], row["reason"], row["noRevocation"]) == ("revoked", "keyCompromise", True)
    deadline = time.monotonic() + 60
    url = f"http://127.0.0.1:{server.plain_port}/crl/issuing/0.crl"
    while True:
        crl = x509.load_der_x509_crl(requests.get(url).content)
        if crl.get_revoked_certificate_by_serial_number(shown.serial_number):
            break
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert crl.get_revoked_certificate_by_serial_number(gone.serial_number) is None
