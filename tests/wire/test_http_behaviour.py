"""The HTTP server on the wire: what design and RFC 9112 ask of civetweb, tamed. The server is
tests/wire/http_server.c, two small wings over server/listen.c."""

import contextlib
import json
import re
import resource
import select
import socket
import ssl
import subprocess
import threading
import time
import warnings

import pytest

from http_wire import PROGRAM, Closed, Connection, HttpServer, client_context, eventually, make_certificate, took

END = "\r\n\r\n"
HEAD = "GET /hello HTTP/1.1\r\nHost: localhost\r\n"
POST = "POST /echo HTTP/1.1\r\nHost: localhost\r\n"
ECHO_MAX = 1024 * 1024
LATE = 12 # seconds: more than any machine adds to what is due, less than the deadlines (20) that must not be what ends it


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("http")


@pytest.fixture(scope="module")
def patient(folder):
    """Deadlines that no test meets."""
    with HttpServer(folder, ("plain=127.0.0.1", "tls=127.0.0.1", "tls=::", "plain=::1"), threads=32, header_ms=20000,
                    body_ms=20000, reply_ms=20000, keep_alive_ms=20000) as server:
        yield server


@pytest.fixture(scope="module")
def hasty(tmp_path_factory):
    with HttpServer(tmp_path_factory.mktemp("hasty"), threads=16, header_ms=500, body_ms=500, reply_ms=500,
                    keep_alive_ms=500) as server:
        yield server


@pytest.fixture
def plain(patient):
    with Connection(patient.ports[0]) as connection:
        yield connection


def check_problem(reply, status, words=""):
    """Ours, not civetweb's own page."""
    assert reply.status == status, reply.text
    assert reply.get("Content-Type") == "application/problem+json"
    problem = json.loads(reply.body)
    assert problem["status"] == status and problem["type"] == "about:blank" and problem["title"] == reply.reason
    assert words in problem["detail"]


def check_refused(connection, data, status, words=""):
    """Refused, and the connection is over."""
    reply = connection.send(data).reply()
    check_problem(reply, status, words)
    assert reply.get("Connection") == "close"
    assert connection.is_closed()


# --- replies

def test_reply_is_whole_and_plain(plain):
    reply = plain.ask("GET", "/hello")
    assert (reply.version, reply.status, reply.reason) == ("HTTP/1.1", 200, "OK")
    assert reply.text == "GET /hello "
    assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", reply.get("Date"))
    assert len(reply.headers) < 16
    assert all(re.fullmatch(r"[A-Z][a-z]*(-[A-Z][a-z]*)*", name) for name, _ in reply.headers), reply.headers
    assert not [name for name, _ in reply.headers if name.startswith(("Access-Control", "Server", "X-"))]


def test_kept_connection_serves_again(plain):
    for number in range(5):
        reply = plain.ask("GET", f"/item/{number}")
        assert reply.text == f"GET /item/{number} {number}" and reply.get("Connection") is None


def test_body_comes_back_as_it_went(plain):
    for body in (b"", b"x", bytes(range(256)) * 16, b"y" * ECHO_MAX):
        reply = plain.ask("POST", "/echo", body=body)
        assert reply.status == 201 and reply.body == body


@pytest.mark.parametrize("version,lines,kept", [
    ("1.1", "", True), ("1.1", "Connection: keep-alive\r\n", True), ("1.1", "Connection: close\r\n", False),
    ("1.1", "Connection: TE, close\r\n", False), ("1.1", "Connection: keep-alive, close\r\n", False), ("1.1", "Connection: CLOSE,keep-alive\r\n", False),
    ("1.1", "Connection: keep-alive\r\nconnection: close\r\n", False), ("1.1", "Connection: keep-alive, closer\r\n", True),
    ("1.0", "Connection: keep-alive, close\r\n", False), ("1.0", "", False), ("1.0", "Connection: keep-alive\r\n", True),
    ("1.0", "Connection: Keep-Alive\r\n", True)])
def test_connection_is_kept_as_asked(plain, version, lines, kept):
    reply = plain.send(f"GET /hello HTTP/{version}\r\nHost: localhost\r\n{lines}\r\n").reply()
    assert reply.status == 200
    assert reply.get("Connection") == (None if kept and version == "1.1" else "keep-alive" if kept else "close")
    if kept:
        assert plain.ask("GET", "/hello").status == 200
    else:
        assert plain.is_closed()


def test_http10_needs_no_host(plain):
    reply = plain.send("GET /facts HTTP/1.0\r\n\r\n").reply()
    assert f"base_url=http://127.0.0.1:{plain.socket.getpeername()[1]}\n" in reply.text


def test_head_has_no_body(plain):
    reply = plain.ask("HEAD", "/hello")
    assert reply.status == 200 and reply.get("Content-Length") == "12" and reply.get("Content-Type") == "text/plain"
    refusal = plain.ask("HEAD", "/nowhere")
    assert refusal.status == 404 and int(refusal.get("Content-Length")) > 0
    assert plain.ask("GET", "/hello").text == "GET /hello "


def test_204_has_neither_body_nor_length(plain):
    reply = plain.ask("GET", "/nothing")
    assert reply.status == 204 and reply.get("Content-Length") is None and reply.get("Content-Type") is None
    reply = plain.ask("HEAD", "/nothing")
    assert reply.status == 200 and reply.get("Content-Length") == "0"
    assert plain.ask("GET", "/hello").status == 200


def test_options_says_what_is_allowed(plain):
    reply = plain.ask("OPTIONS", "/facts", "Origin: https://evil.example", "Access-Control-Request-Method: POST")
    assert reply.status == 204 and reply.get("Allow") == "GET, HEAD, POST, OPTIONS"
    assert not [name for name, _ in reply.headers if name.startswith("Access-Control")]
    assert plain.ask("OPTIONS", "/hello").get("Allow") == "GET, HEAD, OPTIONS"
    check_problem(plain.ask("OPTIONS", "/nowhere"), 404)


def test_options_for_the_whole_server(plain):
    reply = plain.send(f"OPTIONS * HTTP/1.1\r\nHost: localhost{END}").reply()
    assert reply.status == 204 and reply.get("Allow") and reply.get("Connection") == "close"
    assert plain.is_closed()


@pytest.mark.parametrize("method", ["DELETE", "PUT", "PATCH", "POST", "PROPFIND", "TRACE", "QUERY", "LOCK"])
def test_wrong_method(plain, method):
    body = None if method in ("PROPFIND", "LOCK", "DELETE") else b"{}"
    if method in ("TRACE", "QUERY"):  # civetweb does not know them, and the connection ends with it
        reply = plain.send(f"{method} /hello?x HTTP/1.1\r\nHost: localhost{END}").reply()
        assert reply.status == 405 and reply.get("Allow") == "GET, HEAD, OPTIONS" and plain.is_closed()
        return
    reply = plain.ask(method, "/hello", body=body)
    assert reply.status == 405 and reply.get("Allow") == "GET, HEAD, OPTIONS"
    assert plain.ask("GET", "/hello").status == 200


@pytest.mark.parametrize("method", ["FOO", "get", "GETT", "X-!#$%&'*+.^_`|~"])
def test_unknown_method(plain, method):
    check_refused(plain, f"{method} /hello HTTP/1.1\r\nHost: localhost{END}", 501, "method")


def test_connect_is_refused(plain):
    check_refused(plain, f"CONNECT localhost:443 HTTP/1.1\r\nHost: localhost{END}", 400)


def test_wrong_media_type(plain):
    assert plain.ask("POST", "/json", "Content-Type: application/json; charset=utf-8", body=b"{}").status == 201
    for lines in ([], ["Content-Type: text/json"], ["Content-Type: application/jsonx"]):
        reply = plain.ask("POST", "/json", *lines, body=b"{}")
        assert reply.status == 415 and reply.get("Content-Type") == "text/x-worded"


def test_the_wing_words_refusals(plain):
    for data, want in ((("GET", "/worded/x/y"), "route 2, .*, NOT_FOUND"), (("PUT", "/worded/x", b""), "route 2, .*, METHOD"),
                       (("POST", "/worded/x", b"z" * 1001), "route 0, .*, TOO_LARGE")):
        reply = plain.ask(*data[:2], body=data[2] if len(data) > 2 else None)
        assert reply.get("Content-Type") == "text/x-worded" and re.match(want, reply.text), reply.text


def test_fault_of_our_own_is_logged_not_shown(patient, plain):
    reply = plain.ask("GET", "/worded/broken")
    assert reply.status == 500 and "fire" not in reply.text
    name = reply.text.split(", ")[1]
    assert eventually(lambda: [line for line in patient.log_lines() if name in line])
    line, = [line for line in patient.log_lines() if name in line]
    assert 'cause="the disk is on fire"' in line and "level=error" in line


def test_log_has_one_line_without_secrets(patient, plain):
    plain.ask("GET", "/item/logged?token=SECRET1", "Authorization: Basic SECRET2", "Cookie: SECRET3")
    plain.ask("GET", "/hello")
    lines = [line for line in patient.log_lines() if "/item/logged" in line]
    assert len(lines) == 1
    assert re.search(r"event=request id=[0-9a-f]{8}-[0-9a-f]+ peer=127.0.0.1 method=GET path=/item/logged status=200 "
                     r"bytes=\d+ ms=\d+$", lines[0])
    assert "SECRET" not in patient.log.read_text(errors="replace")


def test_log_cannot_be_written_by_clients(patient, plain):
    plain.ask("GET", "/item/%0alevel=error\"x=")
    plain.ask("GET", "/hello")
    line, = [line for line in patient.log_lines() if "/item/%0a" in line]
    assert '\\"x=' in line and line.startswith("time=")
    plain.send("GET /forged\nlevel=error\x1b[31m HTTP/1.1\r\n")
    assert plain.reply().status == 400
    assert "forged" not in patient.log.read_text(errors="replace")


def test_request_ids_differ(plain):
    ids = {re.search("id=(.*)", plain.ask("GET", "/facts").text)[1] for _ in range(10)}
    assert len(ids) == 10


# --- the head

def test_path_and_query_as_sent(plain):
    text = plain.ask("GET", "/facts?a=%41?&b=/../c").text
    assert "path=/facts\n" in text and "query=a=%41?&b=/../c\n" in text


@pytest.mark.parametrize("path", ["/%68ello", "/./hello", "/x/../hello", "//hello", "/hello/", "/hello;x", "/hello#x", "/hello%00",
                                  "/item/..", "/item/.", "/item/", "/item/a%2fb", "/item/a/b", "/HELLO", "/item/" + "x" * 128])
def test_odd_paths_match_nothing(plain, path):
    check_problem(plain.ask("GET", path), 404)


def test_absolute_target_wins_over_host(plain):
    port = plain.socket.getpeername()[1]
    for target, base in ((f"http://localhost:{port}", f"http://localhost:{port}"), ("http://127.0.0.1:1", "http://127.0.0.1:1"),
                         ("HTTP://localhost", "http://localhost")):
        with Connection(port) as c:
            text = c.send(f"GET {target}/facts?x=y HTTP/1.1\r\nHost: elsewhere.example{END}").reply().text
            assert f"base_url={base}\n" in text and "path=/facts\n" in text and "query=x=y\n" in text
    check_problem(plain.send(f"GET http://evil.example/hello HTTP/1.1\r\nHost: localhost{END}").reply(), 421)


def test_query_is_not_an_older_one(tmp_path):
    """civetweb leaves the last query in place where it finds no handler for a target."""
    with HttpServer(tmp_path, ("plain=127.0.0.1",), threads=1) as server:
        for path in ("/facts?aaaaaaaaaaaaaaaaaaaaaaa=1", "/facts?b=2"):
            with Connection(server.ports[0]) as c:
                assert c.ask("GET", path).status == 200
                text = c.send(f"GET http://localhost:1/facts?x=y&more=of%20it HTTP/1.1\r\nHost: localhost{END}").reply().text
                assert "query=x=y&more=of%20it\n" in text and "headers=1\n" in text
            with Connection(server.ports[0]) as c:
                assert c.ask("GET", path).status == 200
                check_refused(c, f"FOO /facts HTTP/1.1\r\nHost: localhost{END}", 501)


@pytest.mark.parametrize("lines,status", [
    ("", 400), ("Host: \r\n", 400), ("Host: localhost\r\nHost: localhost\r\n", 400), ("Host: localhost\r\nhOST: evil\r\n", 400),
    ("Host: a/b\r\n", 400), ("Host: localhost:99999\r\n", 400), ("Host: localhost, evil\r\n", 400), ("Host: evil.example\r\n", 421),
    ("Host: localhost.evil.example\r\n", 421)])
def test_missing_or_odd_host(plain, lines, status):
    check_refused(plain, f"GET /hello HTTP/1.1\r\n{lines}\r\n", status)


def test_external_url_is_what_counts(tmp_path):
    with HttpServer(tmp_path, ("plain=127.0.0.1",), external_url="https://ca.example") as server:
        with Connection(server.ports[0]) as c:
            assert "base_url=https://ca.example\n" in c.send(f"GET /facts HTTP/1.1\r\nHost: 10.9.8.7:1{END}").reply().text
            check_refused(c, f"GET /facts HTTP/1.1\r\nAccept: */*{END}", 400, "Host")


@pytest.mark.parametrize("name,data", [
    ("folded header", HEAD + "X: a\r\n b" + END),
    ("folded request line", "GET /hello HTTP/1.1\r\n Host: localhost" + END),
    ("hidden behind a fold", HEAD + " X: a\r\nContent-Length: 5" + END + "hello"),
    ("space before colon", HEAD + "X : a" + END),
    ("tab before colon", HEAD + "X\t: a" + END),
    ("no colon", HEAD + "X" + END),
    ("no name", HEAD + ": a" + END),
    ("bare CR in a value", HEAD + "X: a\rY: b" + END),
    ("bare CR after the request line", "GET /hello HTTP/1.1\r\r\nHost: localhost" + END),
    ("bare LF after a header", "GET /hello HTTP/1.1\r\nHost: localhost\nX: a" + END),
    ("bare LF after the request line", "GET /hello HTTP/1.1\nHost: localhost" + END),
    ("bare LFs at the end", "GET /hello HTTP/1.1\r\nHost: localhost\n\n"),
    ("NUL in a value", HEAD + "X: a\0b" + END),
    ("NUL in the target", "GET /hel\0lo HTTP/1.1\r\nHost: localhost" + END),
    ("control character", HEAD + "X: a\x0bb" + END),
    ("DEL", HEAD + "X: a\x7fb" + END),
    ("name that is no token", HEAD + "X(y): a" + END),
    ("name of eight bits", HEAD + "X\xe4: a" + END),
    ("two spaces", "GET  /hello HTTP/1.1\r\nHost: localhost" + END),
    ("space in the target", "GET /hello x HTTP/1.1\r\nHost: localhost" + END),
    ("space before the method", " GET /hello HTTP/1.1\r\nHost: localhost" + END),
    ("two empty lines first", "\r\n\r\n" + HEAD + "\r\n"),
    ("only empty lines", "\r\n\r\n\r\n\r\n"),
    ("only line feeds", "\n\n"),
    ("HTTP/0.9", "GET /hello\r\n\r\n"),
    ("lower-case protocol", "GET /hello http/1.1\r\nHost: localhost" + END),
    ("no HTTP at all", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    ("target of another scheme", "GET ftp://localhost/hello HTTP/1.1\r\nHost: localhost" + END),
    ("relative target", "GET hello HTTP/1.1\r\nHost: localhost" + END),
])
def test_malformed_head(plain, name, data):
    check_refused(plain, data, 400)


def test_one_empty_line_first_is_overlooked(plain):
    assert plain.send("\r\n" + HEAD + "\r\n").reply().text == "GET /hello "
    assert plain.send("\r\n" + HEAD + "\r\n").reply().text == "GET /hello "


def test_bytes_of_another_client_are_never_parsed(tmp_path):
    """civetweb parses beyond what it has read when a request begins with empty lines."""
    with HttpServer(tmp_path, ("plain=127.0.0.1",), threads=1, header_ms=3000) as server:
        with Connection(server.ports[0]) as victim:
            victim.send("XXXXGET /item/SECRET HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic SECRET\r\n")
            time.sleep(0.1)
        with Connection(server.ports[0]) as attacker:
            check_refused(attacker, "\r\n\r\n", 400)
        assert "SECRET" not in server.log.read_text()


@pytest.mark.parametrize("version", ["1.2", "2.0", "3.0", "0.9"])
def test_other_version(plain, version):
    check_refused(plain, f"GET /hello HTTP/{version}\r\nHost: localhost{END}", 505)


def test_http2_preface(plain):
    reply = plain.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").reply()
    assert reply.status in (501, 505) and plain.is_closed()


@pytest.mark.parametrize("upgrade", ["websocket", "h2c", "TLS/1.2"])
def test_upgrade_is_overlooked(plain, upgrade):
    lines = ("Connection: Upgrade, HTTP2-Settings", f"Upgrade: {upgrade}", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA",
             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13")
    reply = plain.ask("GET", "/hello", *lines)
    assert reply.status == 200 and reply.text == "GET /hello " and reply.get("Connection") == "close"
    assert plain.is_closed()


def test_64_headers_and_not_one_more(plain):
    reply = plain.ask("GET", "/facts", *[f"X-{i}: {i}" for i in range(62)], "X-Probe:  last  ")
    assert "headers=64\n" in reply.text and "probe=[last]\n" in reply.text
    check_refused(plain, HEAD + "".join(f"X-{i}: {i}\r\n" for i in range(64)) + "\r\n", 431, "64")


def test_header_beyond_64_is_not_lost_in_silence(plain):
    check_refused(plain, POST + "".join(f"X-{i}: {i}\r\n" for i in range(63)) + "Content-Length: 5" + END + "hello", 431)


@pytest.mark.parametrize("head", [HEAD + "X: " + "a" * 17000 + END, "GET /" + "a" * 17000 + " HTTP/1.1\r\nHost: localhost" + END,
                                  HEAD + "X: " + "a" * 200000 + END, HEAD + "".join(f"X-{i}: {'b' * 600}\r\n" for i in range(60)) + "\r\n"])
def test_oversized_head(plain, head):
    check_refused(plain, head, 431)


def test_head_of_16000_bytes_is_read(plain):
    assert plain.ask("GET", "/hello", "X: " + "a" * 16000).status == 200


# --- the content

def test_expect_100_continue_is_answered_at_once(plain):
    with took(0, 0.3):
        interim = plain.send(POST + "Expect: 100-continue\r\nContent-Length: 5" + END).reply()
    assert interim.status == 100 and interim.headers == []
    assert plain.send("hello").reply().body == b"hello"
    assert plain.ask("GET", "/hello").status == 200


@pytest.mark.parametrize("data,status", [
    (POST + "Expect: 100-continue\r\nContent-Length: 99999999" + END, 413),
    ("POST /nowhere HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 5" + END, 404),
    ("POST /echo HTTP/1.1\r\nHost: evil\r\nExpect: 100-continue\r\nContent-Length: 5" + END, 421),
    ("POST /hello HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 5" + END, 405),
    (POST + "Expect: 100-continue\r\nTransfer-Encoding: gzip" + END, 400),
    ("POST /hello HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked" + END, 405),
    (POST + "Expect: magic\r\nContent-Length: 5" + END, 417),
    (POST + "Expect: 100-continue, magic\r\nContent-Length: 5" + END, 417)])
def test_expectation_is_not_met_before_the_head_is_judged(plain, data, status):
    reply = plain.send(data).reply()
    assert reply.status == status and reply.get("Connection") == "close"
    assert plain.is_closed()


def test_100_is_not_sent_when_the_body_is_there(plain):
    reply = plain.send(POST + "Expect: 100-continue\r\nContent-Length: 5" + END + "hello").reply()
    assert reply.status == 201 and reply.body == b"hello"


def test_http10_gets_no_100(plain):
    plain.send("POST /echo HTTP/1.0\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 5" + END)
    time.sleep(0.1)
    assert plain.send("hello").reply().status == 201


@pytest.mark.parametrize("lines", ["Content-Length: 5\r\nContent-Length: 5", "Content-Length: 5\r\ncontent-length: 6",
                                   "Content-Length: 5, 5", "Content-Length: +5", "Content-Length: -5", "Content-Length: 0x5",
                                   "Content-Length: 5 5", "Content-Length: five", "Content-Length: ", "Content-Length: 5\r\nContent-Length: 0",
                                   "Content-Length: 99999999999999999999999"])
def test_double_or_odd_content_length(plain, lines):
    plain.send(POST + lines + END + "hello")
    reply = plain.reply()
    assert reply.status in (400, 411) and reply.get("Connection") == "close"
    assert plain.is_closed()


@pytest.mark.parametrize("lines,status", [
    ("Transfer-Encoding: chunked\r\nContent-Length: 5", 400), ("Content-Length: 5\r\nTransfer-Encoding: chunked", 400),
    ("Transfer-Encoding: gzip, chunked", 400), ("Transfer-Encoding: identity\r\nContent-Length: 5", 400), ("Transfer-Encoding: xchunked", 400),
    ("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", 400), ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", 400),
    ("Transfer-Encoding:\r\nContent-Length: 5", 400), ("Transfer-Encoding: chunked, chunked", 400)])
def test_transfer_codings_that_are_refused(plain, lines, status):
    check_refused(plain, POST + lines + END + "5\r\nhello\r\n0\r\n\r\n", status)


CHUNKED = POST + "Transfer-Encoding: chunked" + END


@pytest.mark.parametrize("chunks,body", [
    ("5\r\nhello\r\n0\r\n\r\n", b"hello"), ("0\r\n\r\n", b""), ("1\r\nh\r\n4;a=b\r\nello\r\n0\r\nX: y\r\n\r\n", b"hello")])
def test_chunked_content_is_read(plain, chunks, body):
    """At once, byte by byte, and with the next request right behind it."""
    assert plain.send(CHUNKED + chunks).reply().body == body
    for c in CHUNKED + chunks:
        plain.send(c)
    assert plain.reply().body == body
    plain.send(CHUNKED + chunks + HEAD + "\r\n" + CHUNKED + chunks + HEAD + "\r\n")
    assert [plain.reply().body for _ in range(4)] == [body, b"GET /hello ", body, b"GET /hello "]


def test_chunked_content_after_100(plain):
    with took(0, 0.3):
        assert plain.send(POST + "Expect: 100-continue\r\nTransfer-Encoding: chunked" + END).reply().status == 100
    assert plain.send("5\r\nhello\r\n0\r\n\r\n").reply().body == b"hello"
    assert plain.ask("GET", "/hello").status == 200


@pytest.mark.parametrize("chunks", ["5\nhello\n0\n\n", "x\r\n", "+5\r\nhello\r\n0\r\n\r\n", "5\r\nhelloX0\r\n\r\n", "FFFFFFFFF\r\nx", "5 5\x01\r\nhello"])
def test_chunks_that_are_malformed(plain, chunks):
    reply = plain.send(CHUNKED + chunks + HEAD + "\r\n").reply()
    assert reply.status == 400 and reply.get("Connection") == "close" and "RFC 9112, 7.1" in reply.text
    assert plain.is_closed()


@pytest.mark.parametrize("size", ["7FFFFFFF", "FFFFFFFF", "100001"])
def test_chunks_that_are_too_large(plain, size):
    reply = plain.send(CHUNKED + size + "\r\n" + "x" * 70000).reply()
    assert reply.status == 413 and reply.get("Connection") == "close"
    assert plain.is_closed()


def test_chunked_content_where_none_is_taken(plain):
    reply = plain.send("GET /hello HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked" + END + "5\r\nhello\r\n0\r\n\r\n").reply()
    assert reply.status == 413 and reply.get("Connection") == "close"
    assert plain.is_closed()


def test_chunked_content_is_not_for_http_10(plain):
    check_refused(plain, "POST /echo HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked" + END + "0\r\n\r\n", 400)


def test_chunked_content_that_stops(patient):
    with Connection(patient.ports[0]) as c:
        c.send(CHUNKED + "5\r\nhel")
        c.socket.shutdown(socket.SHUT_WR)
        reply = c.reply()
        assert reply.status == 400 and "ended" in reply.text


def test_post_without_length(plain):
    reply = plain.ask("POST", "/echo")
    assert reply.status == 411
    assert plain.ask("GET", "/hello").status == 200


def test_content_where_none_is_taken(plain):
    reply = plain.ask("GET", "/hello", body=b"hello")
    assert reply.status == 413
    assert plain.ask("GET", "/hello").status == 200


@pytest.mark.parametrize("size", [1001, 20000, 60000])
def test_little_too_large_keeps_the_connection(plain, size):
    assert plain.ask("POST", "/json", "Content-Type: application/json", body=b"x" * size).status == 413
    assert plain.ask("GET", "/hello").text == "GET /hello "


def test_oversized_body_is_refused_before_it_is_read(patient):
    context = client_context(patient.chain)
    for port, tls in ((patient.ports[0], None), (patient.ports[1], context)):
        with Connection(port, tls) as c:
            c.send(POST + f"Content-Length: {ECHO_MAX + 1}" + END + "x" * 200000)
            reply = c.reply()
            assert reply.status == 413 and reply.get("Connection") == "close"
            assert c.is_closed()


def test_body_in_pieces(plain):
    plain.send(POST + "Content-Length: 10" + END[:2])
    for piece in (END[2:], "01", "234", "", "56789"):
        plain.send(piece)
        time.sleep(0.02)
    assert plain.reply().body == b"0123456789"


def test_client_that_leaves_within_its_body(patient):
    before = patient.counters()["active"]
    with Connection(patient.ports[0]) as c:
        c.send(POST + "Content-Length: 10" + END + "01234")
        c.socket.shutdown(socket.SHUT_WR)
        reply = c.reply()
        assert reply.status == 400 and "ended" in reply.text
    assert eventually(lambda: patient.counters()["active"] <= before)


# --- pipelining

def test_pipelined_requests_are_answered_in_order(plain):
    plain.send("".join(f"GET /item/{i} HTTP/1.1\r\nHost: localhost{END}" for i in range(20)))
    for i in range(20):
        assert plain.reply().text.endswith(f" {i}")


def test_pipelined_bodies_stay_apart(plain):
    plain.send(POST + "Content-Length: 5" + END + "hello" + POST + "Content-Length: 0" + END + HEAD + "\r\n" +
               POST + "Content-Length: 3" + END + "bye")
    assert [plain.reply().body for _ in range(4)] == [b"hello", b"", b"GET /hello ", b"bye"]


def test_pipelined_head_is_checked_too(plain):
    plain.send(HEAD + "\r\n" + HEAD + "X : smuggled" + END)
    assert plain.reply().status == 200
    check_problem(plain.reply(), 400)
    assert plain.is_closed()


def test_pipelined_head_in_two_parts(plain):
    plain.send(HEAD + "\r\n" + HEAD[:10])
    assert plain.reply().status == 200
    plain.send(HEAD[10:] + "\r\n")
    assert plain.reply().status == 200
    plain.send(HEAD + "\r\n" + HEAD[:10])
    assert plain.reply().status == 200
    check_refused(plain, HEAD[10:] + "X: a\r\n b" + END, 400)


def test_after_a_refusal_nothing_more_is_read(plain):
    plain.send(POST + "Content-Length: 1\r\nContent-Length: 1" + END + "x" + HEAD + "\r\n")
    assert plain.reply().status == 400
    assert plain.is_closed()


# --- deadlines

@pytest.mark.parametrize("tls", [False, True])
def test_stalled_body(hasty, tls):
    with Connection(hasty.ports[1 if tls else 0], client_context(hasty.chain) if tls else None) as c:
        with took(0.4, LATE):
            c.send(POST + "Content-Length: 10" + END + "01234")
            reply = c.reply()
        assert reply.status == 408 and reply.get("Connection") == "close"
        assert c.is_closed()


def drip(connection, data, pause):
    """Sends byte after byte until the server has had enough. Whether it has answered."""
    for i in range(len(data)):
        try:
            connection.socket.sendall(data[i:i + 1])
            connection.socket.settimeout(pause)
            connection.fill()
            return True
        except (TimeoutError, ssl.SSLWantReadError):
            connection.socket.settimeout(8)
        except (OSError, Closed):
            return False
    raise AssertionError("all was sent and the server has said nothing")


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("what", ["head", "body"])
def test_slow_drip(hasty, tls, what):
    """Bytes that come one by one do not prolong the deadline."""
    with Connection(hasty.ports[1 if tls else 0], client_context(hasty.chain) if tls else None) as c:
        head = POST + "Content-Length: 1000" + END
        with took(0.4, LATE):
            if what == "body":
                c.send(head)
            assert drip(c, b"x" * 1000 if what == "body" else head.encode(), 0.05)
        assert c.reply().status == 408
        assert c.is_closed()


def test_slow_drip_of_a_handshake(hasty):
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context(hasty.chain).wrap_bio(incoming, outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    with took(0.4, LATE), Connection(hasty.ports[1]) as c:
        drip(c, outgoing.read(), 0.05)


def test_silence_is_ended_in_silence(hasty):
    for port in hasty.ports:
        with took(0.4, LATE), Connection(port) as c:
            assert c.is_closed()


def test_idle_connection_is_ended_in_silence(hasty):
    with Connection(hasty.ports[0]) as c:
        with took(0.4, LATE):
            assert c.ask("GET", "/hello").status == 200
            assert c.is_closed()


def test_begun_request_has_its_own_deadline(tmp_path):
    """A request that begins late in an idle connection's life is not cut short by it."""
    with HttpServer(tmp_path, ("plain=127.0.0.1",), keep_alive_ms=3000, header_ms=20000) as server, Connection(server.ports[0]) as c:
        assert c.ask("GET", "/hello").status == 200
        time.sleep(1)
        c.send(HEAD[:5])
        time.sleep(3)
        assert c.send(HEAD[5:] + "\r\n").reply().status == 200


def test_slow_handler_is_not_the_clients_fault(hasty):
    with Connection(hasty.ports[0]) as c:
        assert c.ask("GET", "/slow?ms=1200").status == 200
        assert c.ask("GET", "/hello").status == 200


@pytest.mark.parametrize("tls", [False, True])
def test_slow_reader(hasty, tls):
    """Who does not read is cut off, and the thread is free again."""
    before = hasty.counters()
    context = client_context(hasty.chain) if tls else None
    with Connection(hasty.ports[1 if tls else 0], context, receive_buffer=4096) as c:
        c.send(f"GET /big?size=4000000 HTTP/1.1\r\nHost: localhost{END}")
        assert eventually(lambda: hasty.counters()["timeouts"] > before["timeouts"]), "the slow reader was never cut off"
        with pytest.raises(Closed):
            c.reply()
    cpu = hasty.counters()["cpu_us"] - before["cpu_us"]
    assert cpu < 400000, f"waiting cost {cpu} us of CPU"


def test_reader_that_gets_on_is_waited_for(tmp_path):
    """16 MB in 5 s, of which the sockets hold a few; a reply that does not move is given 3 s."""
    size = 16000000
    with HttpServer(tmp_path, ("plain=127.0.0.1",), reply_ms=3000) as server, Connection(server.ports[0], receive_buffer=4096) as c:
        c.send(f"GET /big?size={size} HTTP/1.1\r\nHost: localhost{END}")
        parts, taken = [], 0
        for step in range(50):
            while taken < min(size, size // 50 * (step + 1)):
                c.fill()
                parts.append(c.buffer)
                taken += len(c.buffer)
                c.buffer = b""
            time.sleep(0.1)
        c.buffer = b"".join(parts)
        assert len(c.reply().body) == size


def test_timeouts_are_counted(hasty):
    before = hasty.counters()["timeouts"]
    with Connection(hasty.ports[0]) as c:
        c.send(HEAD)
        assert c.reply().status == 408
    assert hasty.counters()["timeouts"] == before + 1


# --- what is left in memory

def writable_memory(process):
    """All that the process could write to, as bytes. Its parent may read it."""
    parts = []
    with open(f"/proc/{process.pid}/maps") as maps, open(f"/proc/{process.pid}/mem", "rb", 0) as memory:
        for line in maps:
            where, mode = line.split()[:2]
            begin, end = (int(x, 16) for x in where.split("-"))
            if mode.startswith("rw") and "[v" not in line and end - begin < 1 << 30:  # not a sanitizer's shadow
                memory.seek(begin)
                with contextlib.suppress(OSError):
                    parts.append(memory.read(end - begin))
    return b"".join(parts)


@pytest.mark.parametrize("tls", [False, True])
def test_nothing_of_a_request_stays_in_memory(tmp_path, tls):
    """A token and a password, neither of which is the next connection's."""
    token, password = "".join(["tok", "en-", "o" * 90]), "".join(["pass", "word-", "x" * 90])
    with HttpServer(tmp_path, threads=2) as server:
        with Connection(server.ports[1 if tls else 0], client_context(server.chain) if tls else None) as c:
            assert c.ask("POST", "/echo", f"Authorization: Bearer {token}", body=password.encode()).body == password.encode()
        assert eventually(lambda: server.counters()["active"] == 0)
        memory = writable_memory(server.process)
        assert not [what for what in (token, password) if what.encode() in memory]


# --- many connections

def test_connections_of_one_address_are_capped(tmp_path):
    with HttpServer(tmp_path, threads=16, per_address=3, keep_alive_ms=5000, header_ms=5000) as server:
        kept = [Connection(server.ports[0]) for _ in range(3)]
        assert all(c.ask("GET", "/hello").status == 200 for c in kept)
        for port in server.ports:
            with Connection(port) as c:
                assert c.is_closed()
        with Connection(server.ports[0], address="127.0.0.1") as c, pytest.raises(Closed):
            c.send(HEAD + "\r\n")
            c.reply()
        kept.pop().close()
        assert eventually(lambda: server.counters()["active"] == 2)
        with Connection(server.ports[0]) as c:
            assert c.ask("GET", "/hello").status == 200
        for c in kept:
            assert c.ask("GET", "/hello").status == 200
            c.close()


def test_who_goes_no_further_gives_way(tmp_path):
    with HttpServer(tmp_path, threads=3, keep_alive_ms=20000, header_ms=20000) as server:
        with took(1.9, LATE):
            half = [Connection(server.ports[0]) for _ in range(3)]
            for c in half:
                c.send(HEAD)
            time.sleep(0.2)
            with Connection(server.ports[0]) as a, Connection(server.ports[0]) as b, Connection(server.ports[0]) as c:
                assert [x.ask("GET", "/hello").status for x in (a, b, c)] == [200] * 3
        ended = 0 # one at least; a, b and c share its thread
        for c in half:
            c.socket.settimeout(0.3)
            try:
                data = c.socket.recv(4096)
                ended += not data or data.startswith(b"HTTP/1.1 408 ") or data[0] == 21
            except TimeoutError:
                pass
            except OSError:
                ended += 1
        assert 1 <= ended <= 3


def test_stalled_body_gives_way(tmp_path):
    with HttpServer(tmp_path, threads=3, keep_alive_ms=20000, header_ms=20000, body_ms=20000) as server:
        with took(1.9, LATE):
            stalled = [Connection(server.ports[0]) for _ in range(3)]
            for c in stalled:
                c.send(POST + "Content-Length: 1000\r\n\r\nbegun").until_read()
            with Connection(server.ports[0]) as a, Connection(server.ports[0]) as b, Connection(server.ports[0]) as c:
                assert [x.ask("GET", "/hello").status for x in (a, b, c)] == [200] * 3
        for c in stalled:
            assert c.reply().status == 408
            c.close()


def test_body_that_gets_on_keeps_its_thread(tmp_path):
    """Longer on its way than a stalled one is given, and faster than the least rate."""
    with HttpServer(tmp_path, threads=1, keep_alive_ms=20000, header_ms=20000, body_ms=20000) as server:
        with Connection(server.ports[0]) as steady, Connection(server.ports[0]) as waiting:
            steady.send(POST + "Content-Length: 150000\r\n\r\n")
            for _ in range(15):
                steady.send("x" * 10000)
                time.sleep(0.2)
            assert steady.reply().status == 201
            assert waiting.ask("GET", "/hello").status == 200


class SlowReader:
    """Takes its reply at a rate, once in a quarter of a second; `got` are the bytes so far."""

    def __init__(self, port, context, size, rate):
        self.connection = Connection(port, context, receive_buffer=4096)
        self.connection.send(f"GET /big?size={size} HTTP/1.1\r\nHost: localhost{END}")
        self.got, self.size, self.ended = 0, size, False
        self.thread = threading.Thread(target=self.read, args=(rate // 4,))
        self.thread.start()

    def read(self, step):
        due = 0
        while not self.ended and self.got < self.size:
            due += step
            while self.got < due and not self.ended:
                try:
                    data = self.connection.socket.recv(min(65536, due - self.got))
                except OSError:
                    data = b""
                self.got += len(data)
                self.ended = not data
            time.sleep(0.25)
        self.ended = True
        self.connection.close()


def end_all(readers):
    for r in readers:
        r.ended = True
    for r in readers:
        r.thread.join()


@pytest.mark.parametrize("tls", [False, True])
def test_slow_readers_give_way(tmp_path, tls):
    """Of 16 MB at 1 kB/s, which are taken for as long as nobody else wants the thread."""
    with HttpServer(tmp_path, threads=3, keep_alive_ms=20000, header_ms=20000, reply_ms=20000) as server:
        context = client_context(server.chain) if tls else None
        slow = [SlowReader(server.ports[tls], context, 16000000, 1000) for _ in range(3)]
        time.sleep(4)
        assert server.counters()["gave_way"] == 0 and not any(r.ended for r in slow)
        with took(0, LATE), Connection(server.ports[0]) as c:
            assert c.ask("GET", "/hello").status == 200
        counters = server.counters()
        assert counters["gave_way"] == 1 and counters["timeouts"] == 0 # no more than are wanted
        end_all(slow)


def test_the_more_wait_the_less_slow_readers_are_waited_for(tmp_path):
    """45 of them and 3 threads: at two seconds each, who comes last would wait for 30."""
    with HttpServer(tmp_path, threads=3, keep_alive_ms=60000, header_ms=60000, reply_ms=60000) as server:
        slow = [SlowReader(server.ports[0], None, 16000000, 1000) for _ in range(45)]
        with took(0.2, 20), Connection(server.ports[0], timeout=25) as c:
            assert c.ask("GET", "/hello").status == 200
        end_all(slow)


def test_reader_that_gets_on_keeps_its_thread(tmp_path):
    """Longer than a slow one has, and faster than the least rate."""
    with HttpServer(tmp_path, threads=1, keep_alive_ms=20000, header_ms=20000, reply_ms=20000) as server:
        steady = SlowReader(server.ports[0], None, 12000000, 1600000)
        time.sleep(0.3)
        with Connection(server.ports[0]) as waiting:
            assert waiting.ask("GET", "/hello").status == 200
        steady.thread.join()
        assert steady.got >= 12000000 and server.counters()["gave_way"] == 0


def test_many_connections_wait_their_turn(tmp_path):
    with HttpServer(tmp_path, ("plain=127.0.0.1",), threads=4, keep_alive_ms=20000) as server:
        connections = [Connection(server.ports[0]) for _ in range(60)]
        with took(0, LATE):
            for c in connections:
                assert c.ask("GET", "/hello").status == 200
        for c in connections:
            c.close()


def test_silence_while_waiting_counts(tmp_path):
    """Who says nothing for two seconds has had his time when a thread comes to him: hundreds of them hold nobody up."""
    with HttpServer(tmp_path, threads=3, keep_alive_ms=20000, header_ms=20000) as server:
        silent = [Connection(server.ports[i % 2]) for i in range(300)]
        time.sleep(0.5)
        with Connection(server.ports[1], client_context(server.chain)) as c, took(0, LATE):
            assert c.ask("GET", "/hello").status == 200
        for c in silent:
            c.close()


def test_slow_handshake_has_more_time(tmp_path):
    """A device that computes for three seconds, while others wait."""
    with HttpServer(tmp_path, threads=1, keep_alive_ms=20000, header_ms=20000) as server:
        slow = Connection(server.ports[1])
        into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = client_context(server.chain).wrap_bio(into, out, server_hostname="localhost")
        with pytest.raises(ssl.SSLWantReadError):
            tls.do_handshake()
        slow.send(out.read())
        waits = [Connection(server.ports[0]) for _ in range(5)]
        for c in waits:
            c.send(HEAD + "\r\n")
        time.sleep(3)
        into.write(slow.socket.recv(65536))
        tls.do_handshake()
        tls.write((HEAD + "\r\n").encode())
        slow.send(out.read())
        into.write(slow.socket.recv(65536))
        assert tls.read(1000).startswith(b"HTTP/1.1 200")
        assert [c.reply().status for c in waits] == [200] * 5


def test_none_of_a_crowd_is_cut_off(tmp_path):
    """More than the system's queue would hold, all at once; as many as may be open where that is less."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    count = min(1500, hard - 200)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        with HttpServer(tmp_path, ("plain=127.0.0.1",), threads=4, header_ms=60000) as server:
            crowd = []
            for _ in range(count):
                s = socket.socket()
                s.setblocking(False)
                s.connect_ex(("127.0.0.1", server.ports[0]))
                crowd.append(s)
            for s in crowd:
                s.settimeout(60)
            for s in crowd:
                s.sendall((HEAD + "Connection: close\r\n\r\n").encode())
            for s in crowd:
                assert s.recv(4096).startswith(b"HTTP/1.1 200")
                s.close()
            assert server.counters()["connections"] == count
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


# --- TLS

@pytest.mark.parametrize("version,name", [(ssl.TLSVersion.TLSv1_2, "TLSv1.2"), (ssl.TLSVersion.TLSv1_3, "TLSv1.3")])
def test_tls_version(patient, version, name):
    with Connection(patient.ports[1], client_context(patient.chain, version)) as c:
        text = c.ask("GET", "/facts").text
        assert f"version={name}\n" in text and f"base_url=https://localhost\n" in text
        assert c.socket.version() == name


def test_tls_11_is_refused(patient):
    context = client_context(patient.chain)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError):
        Connection(patient.ports[1], context)


def test_channel_binding(patient):
    for version, has_unique in ((ssl.TLSVersion.TLSv1_2, True), (ssl.TLSVersion.TLSv1_3, False)):
        with Connection(patient.ports[1], client_context(patient.chain, version)) as c:
            facts = dict(line.split("=", 1) for line in c.ask("GET", "/facts").text.splitlines())
            again = dict(line.split("=", 1) for line in c.ask("GET", "/facts").text.splitlines())
            assert len(facts["exporter"]) == 64 and facts["exporter"] == again["exporter"]
            assert facts.get("unique") == (c.socket.get_channel_binding().hex() if has_unique else None)


def test_optional_client_certificate(patient, folder):
    rows = [(None, 0), (make_certificate(folder, "good"), 1), (make_certificate(folder, "expired", -3, -2), 1),
            (make_certificate(folder, "early", 2, 3), 1)]
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        for certificate, want in rows:
            with Connection(patient.ports[1], client_context(patient.chain, version, certificate)) as c:
                text = c.ask("GET", "/facts").text
            assert f"chain={want}\n" in text
            if certificate:
                assert f"certificate={ssl.PEM_cert_to_DER_cert(certificate[0].read_text()).hex()}\n" in text


def test_certificate_is_of_the_connection_alone(patient, folder):
    """Threads serve one client after another."""
    shown = make_certificate(folder, "shown")
    for _ in range(40):
        with Connection(patient.ports[1], client_context(patient.chain, None, shown)) as c:
            assert "chain=1\n" in c.ask("GET", "/facts").text
        with Connection(patient.ports[1], client_context(patient.chain)) as c:
            assert "chain=0\n" in c.ask("GET", "/facts").text
        with Connection(patient.ports[0]) as c:
            assert "chain=" not in c.ask("GET", "/facts").text


def test_certificate_is_changed_while_serving(tmp_path):
    fresh = make_certificate(tmp_path, "fresh")
    with HttpServer(tmp_path) as server:
        with Connection(server.ports[1], client_context(server.chain)) as old:
            assert old.ask("GET", "/hello").status == 200
            assert server.command(f"certificate {fresh[0]} {fresh[1]}") == "done"
            with Connection(server.ports[1], client_context(fresh[0])) as new:
                assert new.ask("GET", "/hello").status == 200
            with pytest.raises(ssl.SSLCertVerificationError):
                Connection(server.ports[1], client_context(server.chain))
            assert old.ask("GET", "/hello").status == 200
        assert eventually(lambda: [line for line in server.log_lines() if "event=handshake" in line and "unknown ca" in line])


def test_plain_text_on_a_tls_port(patient):
    with Connection(patient.ports[1]) as c:
        c.send(HEAD + "\r\n")
        with pytest.raises(Closed):
            c.reply()
    with Connection(patient.ports[1], client_context(patient.chain)) as c:
        assert c.ask("GET", "/hello").status == 200


def test_ipv6_and_both(patient):
    context = client_context(patient.chain)
    for port, address, tls, base in ((patient.ports[2], "::1", context, "https://[::1]"), (patient.ports[2], "127.0.0.1", context,
                                     "https://127.0.0.1"), (patient.ports[3], "::1", None, "http://[::1]")):
        with Connection(port, tls, address=address) as c:
            host = f"[{address}]" if ":" in address else address
            text = c.send(f"GET /facts HTTP/1.1\r\nHost: {host}:{port}{END}").reply().text
            assert f"base_url={base}:{port}\n" in text and f"peer={address}\n" in text


def records(data):
    """Lengths of the TLS records of application data."""
    at = 0
    while at < len(data):
        length = int.from_bytes(data[at + 3:at + 5], "big")
        if data[at] == 23:
            yield length
        at += 5 + length


class Tapped:
    """A TLS 1.2 client that keeps what it receives as it came: handshake messages are no application data there."""

    def __init__(self, port, chain):
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = client_context(chain, ssl.TLSVersion.TLSv1_2).wrap_bio(self.incoming, self.outgoing, server_hostname="localhost")
        self.socket = socket.create_connection(("127.0.0.1", port), 8)
        self.tap = b""
        self.run(self.tls.do_handshake)

    def run(self, step, *arguments):
        while True:
            try:
                result = step(*arguments)
                self.socket.sendall(self.outgoing.read())
                return result
            except ssl.SSLWantReadError:
                self.socket.sendall(self.outgoing.read())
                data = self.socket.recv(65536)
                assert data
                self.tap += data
                self.incoming.write(data)

    def get(self, path):
        self.tap = b""
        self.run(self.tls.write, f"GET {path} HTTP/1.1\r\nHost: localhost{END}".encode())
        text = b""
        while b"\r\n\r\n" not in text:
            text += self.run(self.tls.read, 65536)
        head, body = text.split(b"\r\n\r\n", 1)
        length = int(re.search(rb"Content-Length: (\d+)", head)[1])
        while len(body) < length:
            body += self.run(self.tls.read, 65536)
        return head, body, list(records(self.tap))


def test_small_reply_is_one_record(patient):
    client = Tapped(patient.ports[1], patient.chain)
    for size in (0, 1, 1000, 16000):
        head, body, lengths = client.get(f"/big?size={size}")
        assert len(body) == size and len(lengths) == 1
    head, body, lengths = client.get("/big?size=16384")
    assert len(lengths) == 2 and lengths[0] < 1024, "the head of a large reply is a record of its own"
    head, body, lengths = client.get("/big?size=100000")
    assert len(body) == 100000 and lengths[0] < 1024
    client.socket.close()


# --- drain

def test_drain_loses_no_reply(tmp_path):
    with HttpServer(tmp_path, threads=16, keep_alive_ms=20000, header_ms=20000) as server:
        context = client_context(server.chain)
        slow = [Connection(server.ports[0]), Connection(server.ports[1], context)]
        idle = [Connection(server.ports[0]), Connection(server.ports[1], context)]
        begun = Connection(server.ports[0])
        for c in idle:
            assert c.ask("GET", "/hello").status == 200
        begun.send(HEAD).until_read()
        started = time.monotonic()
        for c in slow:
            c.send(f"GET /slow?ms=3000 HTTP/1.1\r\nHost: localhost{END}")
        assert eventually(lambda: server.counters()["slow"] == 2)
        ended = []
        drain = threading.Thread(target=lambda: ended.append((server.command("drain 20000"), time.monotonic())))
        drain.start()
        assert all(c.is_closed() for c in idle)
        assert not select.select([c.socket for c in slow], [], [], 0)[0], "idle connections end at once"
        reply = begun.send("\r\n").reply()
        check_problem(reply, 503)
        assert reply.get("Connection") == "close" and reply.get("Retry-After")
        with Connection(server.ports[1], context) as c, pytest.raises(Closed):
            c.reply()
        for c in slow:
            reply = c.reply()
            assert reply.status == 200 and reply.get("Connection") == "close"
            assert c.is_closed()
        drain.join()
        assert ended[0][0] == "done" and 2.9 < ended[0][1] - started < 3 + LATE
        with pytest.raises(ConnectionError):
            Connection(server.ports[0])


def test_drain_ends_in_time(tmp_path):
    with HttpServer(tmp_path, ("plain=127.0.0.1",), header_ms=20000) as server:
        with Connection(server.ports[0]) as c:
            c.send(HEAD).until_read()
            with took(0.25, LATE):
                assert server.command("drain 300") == "done"


def test_drain_with_nobody_there_is_quick(tmp_path):
    with HttpServer(tmp_path) as server, took(0, LATE):
        assert server.command("drain 20000") == "done"


def test_address_that_cannot_be_had_is_said(tmp_path):
    """An address that is not ours fails as a port that is taken does."""
    chain, key = make_certificate(tmp_path, "server")
    arguments = [PROGRAM, "plain=127.0.0.1", "plain=192.0.2.1", f"chain={chain}", f"key={key}"]
    result = subprocess.run(arguments, input="", capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 1 and "cannot listen on 192.0.2.1:0" in result.stderr
