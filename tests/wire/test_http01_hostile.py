"""Web servers that answer http-01 in bad faith, beside those of test_attacks.py."""

import gzip
import time

import pytest

from acme_raw import Client
from harness import ChallengeServer, Server
from test_dns_hostile import answer, begin


@pytest.fixture(scope="module")
def server():
    with Server() as running:
        yield running


@pytest.fixture
def client(server):
    made = Client(server)
    made.register()
    return made


def packed(body):
    def reply(handler):
        handler.send_response(200)
        handler.send_header("Content-Encoding", "gzip")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)
        return True
    return reply


@pytest.mark.parametrize("what", ["the proof", "a bomb"])
def test_nothing_is_unpacked(server, client, what):
    with ChallengeServer(server.http01_port) as web:
        authorization, challenge, _ = begin(client, "packed.example.com", "http-01")
        proof = client.key_authorization(challenge["token"]).encode()
        web.custom = packed(gzip.compress(proof if what == "the proof" else bytes(200 * 1024 * 1024), 1))
        status, error = answer(client, authorization, challenge)
    assert status == "invalid" and error["type"].endswith(":incorrectResponse")
    assert "more than" in error["detail"] if what == "a bomb" else "something else" in error["detail"]


@pytest.mark.parametrize("part", ["body", "header"])
def test_drop_by_drop(server, client, part):
    """Each byte comes in time, the whole does not."""
    def drip(handler):
        text = b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n" if part == "body" else b"HTTP/1.1 200 OK\r\nX-A: "
        handler.wfile.write(text)
        for _ in range(100):
            time.sleep(0.1)
            try:
                handler.wfile.write(b"a")
                handler.wfile.flush()
            except OSError:
                break
        return True

    with ChallengeServer(server.http01_port) as web:
        authorization, challenge, _ = begin(client, "drip.example.com", "http-01")
        web.custom = drip
        began = time.monotonic()
        status, error = answer(client, authorization, challenge)
    assert status == "invalid" and "time" in error["detail"] and time.monotonic() - began < 9


def test_redirects_in_a_circle(server, client):
    hops = []

    def circle(handler):
        hops.append(handler.path)
        handler.send_response(302)
        handler.send_header("Location", f"http://circle.example.com:{server.http01_port}/{len(hops)}")
        handler.send_header("Content-Length", "0")
        handler.end_headers()
        return True

    with ChallengeServer(server.http01_port) as web:
        authorization, challenge, _ = begin(client, "circle.example.com", "http-01")
        web.custom = circle
        status, error = answer(client, authorization, challenge)
    assert status == "invalid" and "redirects" in error["detail"] and len(hops) == 11


def test_ten_megabytes_are_not_read(server, client):
    sent = []

    def large(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", str(10 * 1024 * 1024))
        handler.end_headers()
        try:
            for _ in range(160):
                handler.wfile.write(b"x" * 65536)
                sent.append(65536)
        except OSError:
            pass
        return True

    with ChallengeServer(server.http01_port) as web:
        authorization, challenge, _ = begin(client, "large.example.com", "http-01")
        web.custom = large
        status, error = answer(client, authorization, challenge)
        time.sleep(0.2)
    assert status == "invalid" and "more than" in error["detail"] and sum(sent) < 8 * 1024 * 1024
