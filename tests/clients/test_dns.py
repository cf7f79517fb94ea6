"""dns-01 against a real authoritative server (Knot DNS) that certbot and lego update by RFC 2136."""

import base64
import hashlib
import time

import pytest

from acme_raw import Client, make_csr
from client import read, run
from harness import Server
from judge import check_chain
from knot import KEY, SECRET, Knot

ZONES = {
    "plain.test": "_acme-challenge.alias CNAME proof.elsewhere.test.\n" + "".join(f'_acme-challenge.crowd TXT "{i:0>200}"\n' for i in range(20)),
    "elsewhere.test": "",
    "signed.test": '@ CAA 0 issue "ca.test"\nhost A 127.0.0.1\n',
    "bogus.test": "host A 127.0.0.1\n",
}


@pytest.fixture(scope="module")
def knot():
    with Knot(ZONES, signed=("signed.test", "bogus.test")) as running:
        yield running


def spoil(ds):
    """The same record for another key."""
    return ds[:-8] + ("deadbeef" if not ds.endswith("deadbeef") else "deadbeee")


@pytest.fixture(scope="module")
def server(knot):
    """Asks Knot for the zones that it has; lame.test is one that it does not have."""
    zones = [{"zone": z, "resolvers": [knot.resolver], "authoritative": True} for z in (*ZONES, "lame.test")]
    anchors = [knot.ds("signed.test"), spoil(knot.ds("bogus.test"))]
    with Server({"acme": {"dns": {"zones": zones, "trust_anchors": anchors}, "caa_identities": ["ca.test"]},
                 "profiles": [{"name": "tls-server"}, {"name": "signed", "require_dnssec": True, "caa": True}]}) as running:
        yield running


def certbot(server, knot, folder, *names):
    credentials = folder / "rfc2136.ini"
    credentials.write_text(f"dns_rfc2136_server = 127.0.0.1\ndns_rfc2136_port = {knot.port}\ndns_rfc2136_name = {KEY}.\n"
                           f"dns_rfc2136_secret = {SECRET}\ndns_rfc2136_algorithm = HMAC-SHA256\n")
    credentials.chmod(0o600)
    domains = [part for name in names for part in ("-d", name)]
    return run(server, "certbot", "certonly", "--server", server.directory, "--config-dir", folder / "etc", "--work-dir", folder / "work",
               "--logs-dir", folder / "logs", "-n", "--agree-tos", "-m", "ops@example.com", "--dns-rfc2136",
               "--dns-rfc2136-credentials", credentials, "--dns-rfc2136-propagation-seconds", "1", *domains)


def lego(server, knot, folder, *names, directory=None, check=True):
    domains = [part for name in names for part in ("-d", name)]
    return run(server, "lego", "--server", directory or server.directory, "--path", folder, "--accept-tos", "--email", "ops@example.com",
               "--dns", "rfc2136", "--dns.disable-cp", "--dns.resolvers", f"127.0.0.1:{knot.port}", *domains, "run", check=check,
               env={"RFC2136_NAMESERVER": f"127.0.0.1:{knot.port}", "RFC2136_TSIG_KEY": f"{KEY}.", "RFC2136_TSIG_SECRET": SECRET,
                    "RFC2136_TSIG_ALGORITHM": "hmac-sha256.", "RFC2136_SEQUENCE_INTERVAL": "1", "LEGO_EXPERIMENTAL_CNAME_SUPPORT": "true"})


def test_certbot_wildcard_and_base_in_one_order(server, knot, tmp_path):
    names = ["both.plain.test", "*.both.plain.test"]
    certbot(server, knot, tmp_path, *names)
    check_chain(read(tmp_path / "etc/live/both.plain.test/fullchain.pem"), server.root_pem, names)


def test_lego_wildcard_and_base_in_one_order(server, knot, tmp_path):
    names = ["lego.plain.test", "*.lego.plain.test"]
    lego(server, knot, tmp_path, *names)
    check_chain(read(tmp_path / "certificates/lego.plain.test.crt"), server.root_pem, names)


def test_lego_in_a_signed_zone_of_a_profile_that_wants_it(server, knot, tmp_path):
    lego(server, knot, tmp_path, "lego.signed.test", directory=server.url + "/acme/signed/directory")
    check_chain(read(tmp_path / "certificates/lego.signed.test.crt"), server.root_pem, ["lego.signed.test"])


def test_lego_with_a_challenge_behind_an_alias(server, knot, tmp_path):
    lego(server, knot, tmp_path, "alias.plain.test")
    check_chain(read(tmp_path / "certificates/alias.plain.test.crt"), server.root_pem, ["alias.plain.test"])


def test_lego_in_a_bogus_zone(server, knot, tmp_path):
    done = lego(server, knot, tmp_path, "lego.bogus.test", check=False)
    assert done.returncode and "bogus" in done.stdout and "_acme-challenge.lego.bogus.test" in done.stdout, done.stdout


# --- by hand, for what no client does

def order(server, name, directory=None):
    client = Client(server, directory=directory)
    client.register()
    body = client.order([name])[1]
    authorization = body["authorizations"][0]
    challenge = next(c for c in client.post(authorization).json()["challenges"] if c["type"] == "dns-01")
    digest = hashlib.sha256(client.key_authorization(challenge["token"]).encode()).digest()
    return client, body, authorization, challenge, base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def answer(client, authorization, challenge):
    client.post(challenge["url"], {})
    body = client.wait(authorization, ("valid", "invalid"))
    return body["status"], next(c for c in body["challenges"] if c["type"] == "dns-01").get("error")


def test_answer_that_is_too_long_for_udp(server, knot):
    """Twenty other records are at the name: more than Knot says here over UDP."""
    client, body, authorization, challenge, proof = order(server, "crowd.plain.test")
    others = [f"{i:0>200}" for i in range(20)]
    knot.update("plain.test", "_acme-challenge.crowd.plain.test", *others, proof)
    assert answer(client, authorization, challenge) == ("valid", None)
    assert client.finalize(body, make_csr(["crowd.plain.test"])).json()["status"] == "valid"


def test_lame_server(server):
    client, _, authorization, challenge, _ = order(server, "host.lame.test")
    status, error = answer(client, authorization, challenge)
    assert status == "invalid" and error["type"].endswith(":dns")
    assert "_acme-challenge.host.lame.test" in error["detail"] and "SERVFAIL" in error["detail"]


def test_bogus_zone_is_refused_by_every_profile(server, knot):
    client, _, authorization, challenge, proof = order(server, "host.bogus.test")
    knot.update("bogus.test", "_acme-challenge.host.bogus.test", proof)
    status, error = answer(client, authorization, challenge)
    assert status == "invalid" and error["type"].endswith(":dns") and "bogus" in error["detail"]


def test_unsigned_zone_is_refused_where_signatures_are_wanted(server, knot):
    client, _, authorization, challenge, proof = order(server, "host.plain.test", server.url + "/acme/signed/directory")
    knot.update("plain.test", "_acme-challenge.host.plain.test", proof)
    status, error = answer(client, authorization, challenge)
    assert status == "invalid" and error["type"].endswith(":dns") and "not signed" in error["detail"]


def test_signed_denials_are_climbed_over_to_caa(server, knot):
    """The name itself is proven not to have CAA records, or not to exist; those of the zone count, and are signed."""
    client, body, authorization, challenge, proof = order(server, "deep.below.signed.test", server.url + "/acme/signed/directory")
    knot.update("signed.test", "_acme-challenge.deep.below.signed.test", proof)
    assert answer(client, authorization, challenge) == ("valid", None)
    assert client.finalize(body, make_csr(["deep.below.signed.test"])).json()["status"] == "valid"


def test_signed_denial_of_a_name_says_nothing_of_its_neighbours(server, knot):
    """What RFC 8198 lets resolvers conclude would deny a record that was published a moment ago: the denial of a zone's
    first name begins at the apex, so that it denies the wildcard and all names before that one as well."""
    client, body, authorization, challenge, proof = order(server, "ab.signed.test", server.url + "/acme/signed/directory")
    knot.update("signed.test", "_acme-challenge.ab.signed.test", proof)
    assert answer(client, authorization, challenge) == ("valid", None)
    assert client.finalize(body, make_csr(["ab.signed.test"])).json()["status"] == "valid" # asks for CAA, which there is not
    client, _, authorization, challenge, proof = order(server, "aa.signed.test")
    knot.update("signed.test", "_acme-challenge.aa.signed.test", proof)
    assert answer(client, authorization, challenge) == ("valid", None)


def test_wrong_record_is_told_with_what_was_wanted(server, knot):
    client, _, authorization, challenge, proof = order(server, "wrong.signed.test")
    knot.update("signed.test", "_acme-challenge.wrong.signed.test", "A" * 43)
    status, error = answer(client, authorization, challenge)
    assert status == "invalid" and error["type"].endswith(":incorrectResponse")
    assert proof in error["detail"] and "A" * 43 in error["detail"] and "_acme-challenge.wrong.signed.test" in error["detail"]


def test_authorization_without_signatures_does_not_serve_the_profile_that_wants_them(server, knot):
    """A reused authorization must have been proven as the profile demands."""
    client, _, authorization, challenge, proof = order(server, "again.signed.test")
    knot.update("signed.test", "_acme-challenge.again.signed.test", proof)
    assert answer(client, authorization, challenge) == ("valid", None)
    assert client.order(["again.signed.test"])[1]["status"] == "ready"
    assert client.order(["again.signed.test"], profile="signed")[1]["status"] == "pending"


def test_nsec3_with_absurd_iterations_is_bounded():
    """libunbound takes such a zone as unsigned (RFC 9276, 3.2) instead of hashing: soon, and not as proven."""
    with Knot({"absurd.test": ""}, signed=("absurd.test",), nsec3=True, iterations=2500) as knot:
        dns = {"zones": [{"zone": "absurd.test", "resolvers": [knot.resolver], "authoritative": True}], "trust_anchors": [knot.ds("absurd.test")]}
        with Server({"acme": {"dns": dns, "caa_identities": ["ca.test"]},
                     "profiles": [{"name": "signed", "require_dnssec": True, "caa": True}]}) as server:
            client, _, authorization, challenge, proof = order(server, "host.absurd.test")
            knot.update("absurd.test", "_acme-challenge.host.absurd.test", proof)
            status, error = answer(client, authorization, challenge)
            assert status == "invalid" and error["type"].endswith(":dns"), error
            assert "CAA" in error["detail"] and "not signed" in error["detail"], error


def test_trust_anchor_in_a_file_is_read_again(knot, tmp_path):
    anchors = tmp_path / "anchors"
    anchors.write_text(spoil(knot.ds("signed.test")) + "\n")
    dns = {"zones": [{"zone": "signed.test", "resolvers": [knot.resolver], "authoritative": True}], "trust_anchors": [str(anchors)]}
    with Server({"acme": {"dns": dns}}) as server:
        client, _, authorization, challenge, proof = order(server, "file.signed.test")
        knot.update("signed.test", "_acme-challenge.file.signed.test", proof)
        status, error = answer(client, authorization, challenge)
        assert status == "invalid" and "bogus" in error["detail"]
        anchors.write_text(knot.ds("signed.test") + "\n")
        time.sleep(1.2)
        client, _, authorization, challenge, proof = order(server, "file.signed.test")
        knot.update("signed.test", "_acme-challenge.file.signed.test", proof)
        assert answer(client, authorization, challenge) == ("valid", None)


def test_trust_anchor_that_cannot_be_used_is_told_at_the_start(tmp_path):
    with pytest.raises(AssertionError, match="trust anchors"):
        Server({"acme": {"dns": {"trust_anchors": [str(tmp_path / "missing")]}}}).start()
