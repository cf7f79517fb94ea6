"""What docs/conformance-acme.md says is held is held where it says, and by tests that exist; and small tests of its rows
that stand nowhere else."""

import json
import re
import threading
import time

import pytest
import requests

from acme_raw import Client, Refused, b64
from harness import ROOT
from judge import leaf, pem_list
from test_acme_protocol import der

PAGE = ROOT / "docs/conformance-acme.md"


def rows():
    for line in PAGE.read_text().splitlines():
        cells = [c.strip() for c in line.strip().strip("|").split("|")]
        if line.startswith("|") and len(cells) == 4 and not set(cells[0]) <= {"-", " "} and cells[0] != "section":
            yield cells


def known_tests():
    names = set()
    for path in (ROOT / "tests").glob("*/*.py"):
        names.update(re.findall(r"^def (test_\w+)\(", path.read_text(), re.MULTILINE))
    for path in (ROOT / "tests/unit").glob("test_*.c"):
        names.update(re.findall(r"^static void (\w+)\(void \*\*(?:state|\w+)\)", path.read_text(), re.MULTILINE))
    return names


def test_every_row_has_a_test_that_exists():
    known, seen = known_tests(), 0
    for section, requirement, files, tests in rows():
        named = re.findall(r"`(\w+)`", tests)
        assert named or tests.startswith("none:"), f"{section}: {requirement}"
        assert set(named) <= known, f"{section}: {set(named) - known}"
        seen += 1
    assert seen > 150


def test_every_row_has_a_file_that_exists():
    for section, _, files, tests in rows():
        named = re.findall(r"`([\w./]+)`", files)
        assert named or tests.startswith("none:"), section
        for name in named:
            assert (ROOT / name).is_file(), f"{section}: {name}"


def test_what_clients_insist_on_is_tested():
    text = (ROOT / "docs/clients.md").read_text()
    named = {name for name, suffix in re.findall(r"\b(test_\w+)(\.(?:py|c))?", text) if not suffix}
    assert len(named) > 10 and named <= known_tests(), named - known_tests()


# --- rows that stand nowhere else

@pytest.fixture
def client(server):
    made = Client(server)
    made.register()
    return made


def test_get_of_what_is_not_for_everybody_6_3(server, client, web):
    _, certificate = client.issue(["get.example.com"], web)
    url, order = client.order(["get.example.com", "other.get.example.com"])
    authorization = order["authorizations"][1]
    challenge = client.post(authorization).json()["challenges"][0]["url"]
    for target in (client.kid, client.kid + "/orders", url, order["finalize"], authorization, challenge, certificate,
                   *(client.directory[n] for n in ("newAccount", "newOrder", "newAuthz", "revokeCert", "keyChange"))):
        reply = requests.get(target, verify=server.root_pem)
        assert reply.status_code == 405, target
        assert reply.json()["type"] == "urn:ietf:params:acme:error:malformed"
        assert "POST" in reply.headers["Allow"]


def test_post_as_get_of_directory_and_nonce_6_3(client):
    for url in (client.directory_url, client.directory["newNonce"]):
        assert client.post(url).status_code in (200, 204)


def test_problem_has_the_status_of_its_reply_9457_3_1_2(client, web):
    _, order = client.order(["status.example.com"])
    for call in (lambda: client.post(order["finalize"], {"csr": "AA"}), lambda: client.order([]), lambda: client.post(client.kid + "x")):
        with pytest.raises(Refused) as caught:
            call()
        reply = caught.value.reply
        assert reply.json()["status"] == reply.status_code
        assert set(reply.json()) <= {"type", "detail", "status", "subproblems", "instance", "algorithms"}
        assert reply.headers["Content-Type"] == "application/problem+json"
        assert "identifier" not in reply.json() # 6.7.1


def test_deactivation_leaves_certificates_7_3_6(server, client, web):
    chain, _ = client.issue(["kept.example.com"], web)
    client.post(client.kid, {"status": "deactivated"})
    serial = f"{leaf(chain).serial_number:x}"
    shown = json.loads(server.run("cert", "show", serial.zfill(len(serial) + len(serial) % 2), "--json", check=True).stdout)
    assert shown["status"] == "valid"


def test_response_fields_are_ignored_7_5_1(client, web):
    _, order = client.order(["fields.example.com"])
    challenge = next(c for c in client.post(order["authorizations"][0]).json()["challenges"] if c["type"] == "http-01")
    web.answers[challenge["token"]] = client.key_authorization(challenge["token"]).encode()
    told = {"keyAuthorization": "wrong", "type": "dns-01", "status": "valid", "token": "x", "unknown": [1, {}]}
    assert client.post(challenge["url"], told).json()["status"] == "valid"
    body = client.post(order["authorizations"][0]).json()
    assert body["expires"] and body["challenges"][0]["token"] == challenge["token"]


def test_allowed_reasons_are_told_7_6(client, web):
    chain, _ = client.issue(["reasons-told.example.com"], web)
    for reason in (2, 6, 7, 8, 10, 99):
        with pytest.raises(Refused) as caught:
            client.post(client.directory["revokeCert"], {"certificate": b64(der(chain)), "reason": reason})
        assert (caught.value.type, caught.value.reply.status_code) == ("badRevocationReason", 400)
        assert "allowed are 0, 1, 3, 4, 5, 9" in caught.value.reply.json()["detail"]


def test_chain_is_strict_pem_9_1(client, web):
    chain, _ = client.issue(["pem.example.com"], web)
    one = r"-----BEGIN CERTIFICATE-----\n(?:[A-Za-z0-9+/]{64}\n)*[A-Za-z0-9+/]{1,64}={0,2}\n-----END CERTIFICATE-----\n"
    assert re.fullmatch(f"(?:{one})+", chain)
    certificates = [leaf(pem) for pem in pem_list(chain)]
    assert "CA:TRUE" not in str(certificates[0].extensions) and certificates[0].issuer == certificates[1].subject
    for one, next_one in zip(certificates, certificates[1:]):
        assert one.issuer == next_one.subject


def test_urls_cannot_be_guessed_10_5(client, web):
    _, order = client.order(["a.guess.example.com", "b.guess.example.com"])
    url, again = client.order(["c.guess.example.com"])
    ids = [u.rsplit("/", 1)[-1] for u in (*order["authorizations"], *again["authorizations"], url, client.kid)]
    assert len(set(ids)) == len(ids) and all(len(i) == 22 for i in ids)
    for one, other in zip(ids[:-2], ids[1:-1]): # made in the same moment: what follows the time is random
        assert sum(a != b for a, b in zip(one[-14:], other[-14:])) > 6


def test_links_are_those_of_rfc_8288(client, web):
    chain_url = client.issue(["links.example.com"], web)[1]
    _, order = client.order(["links2.example.com"])
    challenge = client.post(order["authorizations"][0]).json()["challenges"][0]
    for reply in (client.post(chain_url), client.post(challenge["url"]), client.post(client.kid), client.raw_post(client.kid, b"[]")):
        links = requests.utils.parse_header_links(reply.headers["Link"])
        assert {"index"} <= {link["rel"] for link in links}
        assert all(link["url"].startswith("https://") for link in links)
        assert next(link["url"] for link in links if link["rel"] == "index").endswith("/directory")


def test_retry_after_is_whole_seconds(client, web):
    told = threading.Event()
    web.custom = lambda handler: told.wait(2) and None
    _, order = client.order(["waits.example.com"])
    challenge = next(c for c in client.post(order["authorizations"][0]).json()["challenges"] if c["type"] == "http-01")
    web.answers[challenge["token"]] = client.key_authorization(challenge["token"]).encode()
    reply = client.post(challenge["url"], {})
    assert (reply.status_code, reply.json()["status"]) == (200, "processing")
    for each in (reply, client.post(challenge["url"]), client.post(order["authorizations"][0])):
        if "Retry-After" in each.headers:
            assert 1 <= int(each.headers["Retry-After"]) <= 60
    assert "Retry-After" in reply.headers
    told.set()
    assert client.wait(order["authorizations"][0], ("valid", "invalid"))["status"] == "valid"
