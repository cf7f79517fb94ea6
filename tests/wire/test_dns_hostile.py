"""What a resolver that lies, or breaks, can do to validations: nothing but make them fail, soon and with a reason."""

import base64
import hashlib
import random
import time

import dns.flags
import dns.message
import pytest

from acme_raw import Client, thumbprint
from harness import ChallengeServer, Server
from lying_dns import LyingDns, txt

SOON = 9  # seconds: the time of one try, and room


@pytest.fixture(scope="module")
def liar():
    with LyingDns() as running:
        yield running


@pytest.fixture(scope="module")
def server(liar):
    with Server({"acme": {"resolvers": [liar.resolver]}}) as running:
        yield running


@pytest.fixture
def client(server):
    made = Client(server)
    made.register()
    return made


def begin(client, name, kind="dns-01"):
    authorization = client.order([name])[1]["authorizations"][0]
    challenge = next(c for c in client.post(authorization).json()["challenges"] if c["type"] == kind)
    text = f"{challenge['token']}.{thumbprint(client.key)}"
    return authorization, challenge, base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def answer(client, authorization, challenge):
    began = time.monotonic()
    client.post(challenge["url"], {})
    body = client.wait(authorization, ("valid", "invalid"))
    assert time.monotonic() - began < SOON
    return body["status"], next(c for c in body["challenges"] if c["type"] == challenge["type"]).get("error")


def at(name):
    return f"_acme-challenge.{name}"


# --- what is right although it looks odd

def test_many_strings_are_one_text(client, liar):
    authorization, challenge, proof = begin(client, "strings.example.com")
    liar.records[at("strings.example.com"), "TXT"] = [txt(*proof)]
    assert answer(client, authorization, challenge) == ("valid", None)


def test_a_record_of_a_thousand_strings_beside_the_right_one(client, liar):
    authorization, challenge, proof = begin(client, "thousand.example.com")
    liar.records[at("thousand.example.com"), "TXT"] = [txt(*["x" * 60] * 1000), txt(proof)]
    assert answer(client, authorization, challenge) == ("valid", None)


def test_wildcard_and_base_have_their_records_side_by_side(client, liar):
    order = client.order(["pair.example.com", "*.pair.example.com"])[1]
    proofs, pending = [], []
    for authorization in order["authorizations"]:
        challenge = next(c for c in client.post(authorization).json()["challenges"] if c["type"] == "dns-01")
        text = f"{challenge['token']}.{thumbprint(client.key)}"
        proofs.append(base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode())
        pending.append((authorization, challenge))
    liar.records[at("pair.example.com"), "TXT"] = [f'"{p}"' for p in proofs]
    for authorization, challenge in pending:
        assert answer(client, authorization, challenge) == ("valid", None)


def test_truncated_answer_is_asked_for_over_tcp(client, liar):
    authorization, challenge, proof = begin(client, "long.example.com")
    liar.records[at("long.example.com"), "TXT"] = [txt("y" * 250, str(i)) for i in range(40)] + [txt(proof)]
    assert answer(client, authorization, challenge) == ("valid", None)
    assert (at("long.example.com"), "TXT", "tcp") in liar.questions


def test_dns_account_01(server, client, liar):
    authorization, challenge, proof = begin(client, "account.example.com", "dns-account-01")
    label = base64.b32encode(hashlib.sha256(client.kid.encode()).digest()[:10]).decode().lower()
    liar.records[f"_{label}._acme-challenge.account.example.com", "TXT"] = [txt(proof)]
    assert answer(client, authorization, challenge) == ("valid", None)


def test_dns_account_01_of_another_account(server, client, liar):
    other = Client(server)
    other.register()
    authorization, challenge, proof = begin(client, "foreign.example.com", "dns-account-01")
    label = base64.b32encode(hashlib.sha256(other.kid.encode()).digest()[:10]).decode().lower()
    liar.records[f"_{label}._acme-challenge.foreign.example.com", "TXT"] = [txt(proof)]
    liar.records[at("foreign.example.com"), "TXT"] = [txt(proof)]
    status, error = answer(client, authorization, challenge)
    assert status == "invalid" and client.kid in error["detail"], "draft 03, 3.4: the URL that the label is made from"


# --- lies

def reply_to(query, **changes):
    reply = dns.message.make_response(query)
    reply.flags |= dns.flags.RA
    for name, value in changes.items():
        setattr(reply, name, value)
    return reply


def wrong_id(proof):
    def lie(query, over_tcp):
        reply = reply_to(query, id=query.id ^ 0x5555)
        reply.answer.append(dns.rrset.from_text(query.question[0].name, 60, "IN", "TXT", proof))
        return reply.to_wire()
    return lie


def wrong_name(proof):
    def lie(query, over_tcp):
        reply = reply_to(query)
        reply.answer.append(dns.rrset.from_text("_acme-challenge.elsewhere.example.net.", 60, "IN", "TXT", proof))
        return reply.to_wire()
    return lie


def wrong_type(proof):
    def lie(query, over_tcp):
        reply = reply_to(query)
        reply.answer.append(dns.rrset.from_text(query.question[0].name, 60, "IN", "SPF", proof))
        return reply.to_wire()
    return lie


def truncated_for_ever(proof):
    def lie(query, over_tcp):
        if over_tcp:
            return None
        reply = reply_to(query)
        reply.flags |= dns.flags.TC
        return reply.to_wire()
    return lie


def silent(proof):
    return lambda query, over_tcp: None


def garbage(proof):
    return lambda query, over_tcp: query.to_wire()[:2] + b"\x81\x80" + b"\xff" * 400


def cut(proof):
    def lie(query, over_tcp):
        reply = reply_to(query)
        reply.answer.append(dns.rrset.from_text(query.question[0].name, 60, "IN", "TXT", proof))
        return reply.to_wire()[:-10]
    return lie


def bad_lengths(proof):
    """A TXT record whose string says that it is longer than the record."""
    def lie(query, over_tcp):
        reply = reply_to(query)
        data = dns.rdata.GenericRdata(1, 16, b"\xff" + proof.encode())
        made = dns.rrset.RRset(query.question[0].name, 1, 16)
        made.ttl = 60
        made.items[data] = None
        reply.answer.append(made)
        return reply.to_wire()
    return lie


LIES = [wrong_id, wrong_name, wrong_type, truncated_for_ever, silent, garbage, cut, bad_lengths]


@pytest.mark.parametrize("lie", LIES, ids=lambda f: f.__name__)
def test_lie(client, liar, lie):
    name = f"{lie.__name__.replace('_', '-')}.example.com"
    authorization, challenge, proof = begin(client, name)
    liar.custom[at(name)] = lie(proof)
    status, error = answer(client, authorization, challenge)
    assert status == "invalid" and error["type"].endswith((":dns", ":incorrectResponse")), error
    assert at(name) in error["detail"]


def test_alias_loop(client, liar):
    authorization, challenge, _ = begin(client, "loop.example.com")
    liar.records[at("loop.example.com"), "CNAME"] = [at("pool.example.com") + "."]
    liar.records[at("pool.example.com"), "CNAME"] = [at("loop.example.com") + "."]
    status, error = answer(client, authorization, challenge)
    assert status == "invalid" and error["type"].endswith(":dns")


def test_endless_aliases(client, liar):
    authorization, challenge, proof = begin(client, "chain.example.com")
    before = len(liar.questions)
    liar.records[at("chain.example.com"), "CNAME"] = ["c0.example.com."]
    for i in range(60):
        liar.records[f"c{i}.example.com", "CNAME"] = [f"c{i + 1}.example.com."]
    liar.records["c60.example.com", "TXT"] = [txt(proof)]
    status, error = answer(client, authorization, challenge)
    assert status == "invalid" and error["type"].endswith(":dns")
    assert len(liar.questions) - before < 60


def test_huge_answer(client, liar):
    authorization, challenge, _ = begin(client, "huge.example.com")
    liar.records[at("huge.example.com"), "TXT"] = [txt("z" * 200, str(i)) for i in range(290)]
    status, error = answer(client, authorization, challenge)
    assert status == "invalid" and "none of the 290 TXT records" in error["detail"]
    assert len(error["detail"]) < 600 and "zzz" not in error["detail"]


def test_other_peoples_records_are_not_repeated(client, liar):
    """An alias that a client sets may lead to what is no business of its own."""
    authorization, challenge, _ = begin(client, "curious.example.com")
    liar.records[at("curious.example.com"), "CNAME"] = ["secret.example.com."]
    liar.records["secret.example.com", "TXT"] = [txt("password=hunter2")]
    status, error = answer(client, authorization, challenge)
    assert status == "invalid" and "hunter2" not in str(error)


def test_address_that_changes_between_check_and_connection(server, client, liar):
    """The second answer is never asked for: what was judged is what is connected to."""
    asked = []

    def change(query, over_tcp):
        reply = reply_to(query)
        if query.question[0].rdtype == 1:
            asked.append(1)
            reply.answer.append(dns.rrset.from_text(query.question[0].name, 0, "IN", "A", "127.0.0.1" if len(asked) == 1 else "169.254.169.254"))
        return reply.to_wire()

    authorization, challenge, _ = begin(client, "changing.example.com", "http-01")
    liar.custom["changing.example.com"] = change
    with ChallengeServer(server.http01_port) as web:
        web.answers[challenge["token"]] = f"{challenge['token']}.{thumbprint(client.key)}".encode()
        assert answer(client, authorization, challenge) == ("valid", None)
    assert len(asked) == 1


def test_tcp_only():
    with LyingDns(udp=False) as liar, Server({"acme": {"resolvers": [liar.resolver], "dns": {"tcp": True}}}) as server:
        client = Client(server)
        client.register()
        authorization, challenge, proof = begin(client, "tcp.example.com")
        liar.records[at("tcp.example.com"), "TXT"] = [txt(proof)]
        assert answer(client, authorization, challenge) == ("valid", None)
        assert all(how == "tcp" for _, _, how in liar.questions)


def test_from_the_root_itself(tmp_path):
    """No resolver is asked: the way down begins at the root, here a server that has all zones. Name servers have port 53."""
    address = f"127.{random.randint(1, 250)}.{random.randint(0, 250)}.53"
    hints = tmp_path / "root.hints"
    hints.write_text(f". 3600 NS a.root.\na.root. 3600 A {address}\n")
    try:
        root = LyingDns(address=address, port=53)
    except PermissionError:
        pytest.skip("port 53 is for root alone on this machine")
    with root, Server({"acme": {"resolvers": [], "dns": {"root_hints": [str(hints)]}}}) as server:
        root.records["", "NS"] = ["a.root."]
        root.records["a.root", "A"] = [address]
        client = Client(server)
        client.register()
        authorization, challenge, proof = begin(client, "root.example.com")
        root.records[at("root.example.com"), "TXT"] = [txt(proof)]
        assert answer(client, authorization, challenge) == ("valid", None)


def test_zone_of_its_own_resolver(server):
    with LyingDns() as outer, LyingDns() as inner:
        zones = [{"zone": "corp.example", "resolvers": [inner.resolver]}]
        with Server({"acme": {"resolvers": [outer.resolver], "dns": {"zones": zones}}}) as split:
            client = Client(split)
            client.register()
            authorization, challenge, proof = begin(client, "host.corp.example")
            inner.records[at("host.corp.example"), "TXT"] = [txt(proof)]
            assert answer(client, authorization, challenge) == ("valid", None)
            assert not outer.questions


def test_failed_lookup_is_tried_again_8_2():
    """A record that comes late: the challenge stays processing, tells the fault, and is tried again."""
    with LyingDns() as liar, Server({"acme": {"resolvers": [liar.resolver], "http_01": {"attempts": 3}}}) as server:
        client = Client(server)
        client.register()
        authorization, challenge, proof = begin(client, "late.example.com")
        shown = client.post(challenge["url"], {})
        assert shown.json()["status"] == "processing" and "TXT" in shown.json()["error"]["detail"]
        assert int(shown.headers["Retry-After"]) <= 6
        liar.records[at("late.example.com"), "TXT"] = [txt(proof)]
        body = client.wait(authorization, ("valid", "invalid"))
        assert body["status"] == "valid"
