"""What went wrong in other servers, one test a story. The walks of test_acme_hostile.py and the CSR
cases of test_acme_protocol.py hold what they share with these."""

import contextlib
import ipaddress
import json
import os
import resource
import time

import pytest
import requests
from cryptography import x509

from acme_raw import Client, Refused, make_csr
from harness import ChallengeServer, Server
from test_acme_protocol import ready

ONE_ADDRESS = {"acme": {"http_01": {"allow": ["127.0.0.1/32"]}}}


@pytest.fixture(scope="module")
def narrow():
    """Probes may reach 127.0.0.1 and nothing else of the loopback network."""
    with Server(ONE_ADDRESS) as server:
        yield server


@contextlib.contextmanager
def prober(server):
    client = Client(server)
    client.register()
    with ChallengeServer(server.http01_port) as web:
        yield client, web


def failed_probe(client, name):
    """Posts the http-01 challenge of a new order for name and returns how it failed."""
    _, order = client.order([name])
    url = order["authorizations"][0]
    challenge = next(c for c in client.post(url).json()["challenges"] if c["type"] == "http-01")
    client.post(challenge["url"], {})
    body = client.wait(url, ("valid", "invalid"))
    assert body["status"] == "invalid"
    return next(c for c in body["challenges"] if c["type"] == "http-01")["error"]


def redirect(location):
    def answer(handler):
        handler.send_response(302)
        handler.send_header("Location", location)
        handler.send_header("Content-Length", "0")
        handler.end_headers()
        return True
    return answer


# --- server-side request forgery through validation

@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.2", "::1", "169.254.169.254", "0.0.0.0", "fe80::1", "::ffff:127.0.0.1", "224.0.0.1", "::"])
def test_ssrf_special_addresses_are_not_probed_by_default(address):
    with Server({"acme": {"http_01": {"allow": []}}}) as server, prober(server) as (client, web):
        server.dns.records["inner.example.com"] = [address]
        error = failed_probe(client, "inner.example.com")
        assert error["type"].endswith((":connection", ":unauthorized", ":rejectedIdentifier", ":dns")), error
        assert "inner.example.com" in error["detail"] and not web.requests


def test_ssrf_redirect_to_a_denied_address_on_the_second_hop(narrow):
    with prober(narrow) as (client, web), ChallengeServer(narrow.http01_port, address="127.0.0.2") as inner:
        narrow.dns.records["second.example.com"] = ["127.0.0.2"]
        web.custom = redirect(f"http://second.example.com:{narrow.http01_port}/secret")
        error = failed_probe(client, "first.example.com")
        assert web.requests and not inner.requests
        assert "second.example.com" in error["detail"] or "127.0.0.2" in error["detail"]


def test_ssrf_redirect_to_an_address_as_such(narrow):
    with prober(narrow) as (client, web), ChallengeServer(narrow.http01_port, address="127.0.0.2") as inner:
        web.custom = redirect(f"http://127.0.0.2:{narrow.http01_port}/secret")
        failed_probe(client, "literal.example.com")
        assert web.requests and not inner.requests


@pytest.mark.parametrize("target", ["http://ok.example.com:{other}/x", "ftp://ok.example.com/x", "file:///etc/passwd", "gopher://ok.example.com/x",
                                    "http://user:secret@ok.example.com:{port}/x", "//", "http://"])
def test_ssrf_redirect_to_another_port_or_scheme(narrow, target):
    with prober(narrow) as (client, web), ChallengeServer(0) as other:
        web.custom = lambda handler: redirect(target.format(other=other.port, port=narrow.http01_port))(handler) \
            if len(web.requests) == 1 else False
        failed_probe(client, "scheme.example.com")
        assert not other.requests and len(web.requests) <= 2
        assert all("Authorization" not in headers for _, headers in web.requests)


def test_ssrf_endless_redirects_end(narrow):
    with prober(narrow) as (client, web):
        web.custom = redirect(f"http://loop.example.com:{narrow.http01_port}/again")
        failed_probe(client, "loop.example.com")
        assert 2 <= len(web.requests) <= 11


def test_ssrf_the_reply_is_never_shown(narrow):
    with prober(narrow) as (client, web):
        secret = "very-secret-page-content"

        def answer(handler):
            handler.send_response(200)
            handler.send_header("Content-Length", str(len(secret)))
            handler.end_headers()
            handler.wfile.write(secret.encode())
            return True
        web.custom = answer
        error = failed_probe(client, "leak.example.com")
        assert secret not in error["detail"] and secret not in narrow.log_text()


def test_ssrf_a_large_or_endless_body_is_cut(narrow):
    with prober(narrow) as (client, web):
        sent = []

        def answer(handler):
            handler.send_response(200)
            handler.end_headers()
            with contextlib.suppress(OSError):
                for _ in range(200):
                    handler.wfile.write(b"x" * 65536)
                    sent.append(1)
            handler.close_connection = True
            return True
        web.custom = answer
        began = time.monotonic()
        failed_probe(client, "large.example.com")
        assert time.monotonic() - began < 8 and len(sent) < 150


def test_ssrf_the_proxy_of_the_environment_is_not_used():
    server = Server()
    with ChallengeServer(0) as proxy:
        server.start(env={name: f"http://127.0.0.1:{proxy.port}" for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "https_proxy")})
        with contextlib.closing(server), prober(server) as (client, web):
            ready(client, web, ["direct.example.com"])
            assert not proxy.requests


# --- DNS rebinding

def test_dns_rebinding_a_name_is_resolved_once_and_that_address_is_used(narrow):
    with prober(narrow) as (client, web), ChallengeServer(narrow.http01_port, address="127.0.0.2") as inner:
        narrow.dns.sequence["rebind.example.com"] = [["127.0.0.1"], ["127.0.0.2"]]
        narrow.dns.questions.clear()
        _, order = client.order(["rebind.example.com"])
        client.solve(order, web)
        asked = [kind for name, kind in narrow.dns.questions if name == "rebind.example.com" and kind == 1]
        assert len(asked) == 1 and web.requests and not inner.requests


# --- one policy for every way

def test_address_rules_hold_on_the_way_of_a_csr_too():
    rules = {"profiles": [{"name": "default", "ip": {"allow": ["10.0.0.0/8"]}, "dns": {"allow": ["**.example.com"]}}], "default_profile": "default"}
    with Server(rules) as server, prober(server) as (client, web):
        with pytest.raises(Refused) as caught:
            client.order([{"type": "ip", "value": "127.0.0.1"}])
        assert caught.value.type == "rejectedIdentifier"
        _, order = ready(client, web, ["www.example.com"])
        with pytest.raises(Refused) as caught:
            client.finalize(order, make_csr(["www.example.com", x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]))
        assert caught.value.type == "badCSR"


# --- one name checked N times instead of N names once

def test_every_name_of_an_order_is_checked_at_finalize(server, web):
    names = [f"n{i}.recheck.example.com" for i in range(5)]
    for spoiled in range(len(names)):
        client = Client(server)
        client.register()
        _, order = ready(client, web, names)
        by_name = {client.post(u).json()["identifier"]["value"]: u for u in order["authorizations"]}
        assert sorted(by_name) == names
        client.post(by_name[names[spoiled]], {"status": "deactivated"})
        with pytest.raises(Refused) as caught:
            client.finalize(order, make_csr(names))
        assert caught.value.type == "orderNotReady"


# --- a stolen account key and authorizations kept for long

def test_kept_authorizations_end_with_their_account(server, web):
    client = Client(server)
    client.register()
    _, order = ready(client, web, ["kept.example.com"])
    client.post(client.kid, {"status": "deactivated"})
    shown = json.loads(server.run("account", "show", client.kid.rsplit("/", 1)[1], "--json", check=True).stdout)
    assert shown["status"] == "deactivated"
    with pytest.raises(Refused) as caught:
        client.finalize(order, make_csr(["kept.example.com"]))
    assert caught.value.type == "unauthorized"
    again = Client(server)
    again.register()
    assert again.order(["kept.example.com"])[1]["status"] == "pending"


# --- nonces

def test_nonces_are_not_pushed_out_by_mere_requests_for_more(server):
    client = Client(server)
    client.register()
    kept = client.nonce()
    url = client.directory["newNonce"]
    for _ in range(1500):
        client.session.head(url)
    assert client.raw_post(client.kid, None, nonce=kept).status_code == 200


def test_nonces_differ_and_say_nothing(server):
    client = Client(server)
    nonces = [client.session.head(client.directory["newNonce"]).headers["Replay-Nonce"] for _ in range(50)]
    assert len(set(nonces)) == 50
    tails = [n[8:] for n in nonces]
    assert len({t[:4] for t in tails}) > 40  # no counter in sight


# --- text that a client might act on

def test_challenge_tokens_are_plain_and_problems_are_one_line(server, web):
    client = Client(server)
    client.register()
    for value in ("a\r\nSet-Cookie: x", "$(reboot).example.com", "`id`.example.com", "<script>.example.com", "a\u202eb.example.com"):
        with pytest.raises(Refused) as caught:
            client.order([value])
        body = caught.value.reply.json()
        assert "\n" not in body["detail"] and "\r" not in body["detail"]
        assert "Set-Cookie" not in caught.value.reply.headers
        assert caught.value.reply.headers["Content-Type"] == "application/problem+json"


# --- services stay on their listeners

def test_acme_is_not_served_on_the_plain_listener(server):
    reply = requests.get(f"http://127.0.0.1:{server.plain_port}/acme/directory", timeout=60)
    assert reply.status_code == 404


def test_files_of_the_server_are_its_own(server):
    for folder, _, files in os.walk(server.folder / "data"):
        assert os.stat(folder).st_mode & 0o077 == 0, folder
        for name in files:
            mode = os.stat(os.path.join(folder, name)).st_mode & 0o777
            assert mode in (0o600, 0o644) and (mode == 0o600 or name.endswith(".pem")), (folder, name, oct(mode))


def test_too_few_open_files_are_told_at_the_start():
    """In place of a server that says that it is ready, and then accepts nobody."""
    server = Server()
    try:
        done = server.run("serve", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)))
        assert done.returncode == 1 and "64 threads take 192 open files, and this process may have 64" in done.stderr, done.stderr
    finally:
        server.close()
