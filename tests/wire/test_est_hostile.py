"""EST and a client that means harm: of TLS, of HTTP, of paths, and one that guesses. Each is refused in its own way, and the server
goes on for the others."""

import base64
import hashlib
import json
import socket
import ssl
import struct
import subprocess
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa

from harness import Server
from test_est import EST, PKCS10, Device, b64, credential, curl, issued, make_csr, make_key, nothing_changes, refused
from test_est_authentication import TLS12, TLS13, Line, Maker, basic, certify, device_csr, digest_answer, digest_fields, name

ALERT, HANDSHAKE = 21, 22
PROTOCOL_VERSION, HANDSHAKE_FAILURE, NO_APPLICATION_PROTOCOL = 70, 40, 120


@pytest.fixture(scope="module")
def maker(tmp_path_factory):
    return Maker(tmp_path_factory.mktemp("maker"), "acme-devices")


@pytest.fixture(scope="module")
def server(maker):
    rows = [{"name": "factory", "labels": ["factory"], "methods": ["manufacturer"], "manufacturers": [str(maker.pem)]},
            {"name": "listed", "labels": ["listed"], "methods": ["manufacturer"], "manufacturers": [str(maker.pem)], "listed": True},
            {"name": "digest", "labels": ["digest"], "methods": ["digest-sha256"]}, {"name": "rest"}]
    labels = [{"label": label, "profile": "device"} for label in ("factory", "listed")] + [{"label": "digest", "profile": "tls-server"}]
    with Server({"est": {"authentication": rows, "labels": labels}, "profiles": [
            {"name": "tls-server"}, {"name": "other"}, {"name": "device", "methods": ["est"], "common_name": "if-asked"}]}) as running:
        yield running


@pytest.fixture(autouse=True)
def goes_on(server):
    yield
    assert curl(server, "cacerts").status == 200
    assert server.process.poll() is None


# --- ClientHello, byte by byte

def extension(kind, data):
    return struct.pack("!HH", kind, len(data)) + data


def sni(host):
    return extension(0, struct.pack("!HBH", len(host) + 3, 0, len(host)) + host)


def alpn(*names):
    listed = b"".join(bytes([len(n)]) + n for n in names)
    return extension(16, struct.pack("!H", len(listed)) + listed)


GROUPS = extension(10, b"\x00\x04\x00\x1d\x00\x17") + extension(11, b"\x01\x00")
SIGNATURES = extension(13, b"\x00\x06\x04\x03\x08\x04\x04\x01")
GOOD_SUITES = [0xc02b, 0xc02f, 0xc02c, 0xc030]


def hello(version=0x0303, suites=GOOD_SUITES, compressions=b"\0", extensions=sni(b"localhost") + GROUPS + SIGNATURES):
    listed = b"".join(struct.pack("!H", s) for s in suites)
    body = struct.pack("!H", version) + bytes(32) + b"\0" + struct.pack("!H", len(listed)) + listed + bytes([len(compressions)]) + compressions
    body += struct.pack("!H", len(extensions)) + extensions
    return b"\x01" + len(body).to_bytes(3, "big") + body


def records(data, size=16384, kind=HANDSHAKE, version=0x0301):
    return b"".join(struct.pack("!BHH", kind, version, len(data[i:i + size])) + data[i:i + size] for i in range(0, len(data), size))


def send(server, data):
    """The first record of the answer; (None, b""): there was none."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as s:
        got = b""
        try:
            s.sendall(data)
            s.shutdown(socket.SHUT_WR)
            while part := s.recv(65536):
                got += part
        except OSError:
            pass
    return (got[0], got[5:]) if len(got) > 5 else (None, b"")


def alert_of(answer):
    kind, body = answer
    assert kind == ALERT, (kind, body[:40])
    return body[1]


def test_hello_that_is_good_is_answered(server):
    """So that what follows is refused for what is odd in it."""
    kind, body = send(server, records(hello()))
    assert kind == HANDSHAKE and body[0] == 2 and body[4:6] == b"\x03\x03"


@pytest.mark.parametrize("version", [0x0300, 0x0301, 0x0302, 0x0002])
def test_old_versions(server, version):
    """SSL 3.0, TLS 1.0 and 1.1 (RFC 8996, 3 and 4)."""
    assert alert_of(send(server, records(hello(version)))) in ([PROTOCOL_VERSION] if version > 0x0300 else [PROTOCOL_VERSION, HANDSHAKE_FAILURE])


def test_sslv2_hello(server):
    assert send(server, b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10" + bytes(37))[0] != HANDSHAKE


def test_fallback_of_a_client_that_can_more(server):
    kind, body = send(server, records(hello(suites=[*GOOD_SUITES, 0x5600]))) # RFC 7507, 3
    assert kind == ALERT and body[1] == 86


@pytest.mark.parametrize("what,suite", [
    ("NULL", 0x003b), ("NULL with ECDHE", 0xc006), ("anonymous", 0x006c), ("anonymous ECDH", 0xc018), ("export RC4", 0x0003), ("RC4", 0x0005), ("ECDHE RC4", 0xc007),
    ("DES", 0x0009), ("3DES", 0xc008), ("RSA key exchange", 0x009c), ("CBC", 0xc023), ("SRP", 0xc021), ("PSK", 0x00a8), ("no such", 0xabcd)])
def test_weak_ciphers_are_not_spoken(server, what, suite):
    """None that does not hide what is sent, so that no key made here ever travels in the open (RFC 7030, 4.4; RFC 9325, 4.1)."""
    assert alert_of(send(server, records(hello(suites=[suite])))) == HANDSHAKE_FAILURE


def test_compression_is_not_taken(server):
    kind, body = send(server, records(hello(compressions=b"\x01\x00"))) # CRIME
    assert kind == HANDSHAKE
    session = body[38]
    assert body[39 + session + 2] == 0
    assert send(server, records(hello(compressions=b"\x01")))[0] == ALERT # without null it is malformed


@pytest.mark.parametrize("host", [b"", b".", b"localhost.", b"a\0b", b"127.0.0.1", b"::1", b"x" * 255, b"\xff\xfe", b"*.example.com", b"../../etc", b"a b"])
def test_odd_server_names(server, host):
    assert send(server, records(hello(extensions=sni(host) + GROUPS + SIGNATURES)))[0] in (HANDSHAKE, ALERT)


def test_two_server_names_and_one_extension_twice(server):
    for extensions in (sni(b"a") + sni(b"b"), extension(0, b"\x00\x08\x00\x00\x01a\x00\x00\x01b"), extension(0, b"\x00\xff\x00\x00\x01a"), GROUPS + GROUPS):
        assert send(server, records(hello(extensions=extensions + SIGNATURES)))[0] == ALERT


@pytest.mark.parametrize("offered,want", [
    ((b"h2",), NO_APPLICATION_PROTOCOL), ((b"acme-tls/1",), NO_APPLICATION_PROTOCOL), ((b"http/0.9",), NO_APPLICATION_PROTOCOL), ((b"http/1.0",), None), ((b"HTTP/1.1",), NO_APPLICATION_PROTOCOL),
    ((b"http/1.1\0",), NO_APPLICATION_PROTOCOL), ((b"x" * 255,), NO_APPLICATION_PROTOCOL), ((b"h2", b"http/1.1"), None), ((b"\0", b"http/1.1"), None)])
def test_odd_application_protocols(server, offered, want):
    answer = send(server, records(hello(extensions=GROUPS + SIGNATURES + alpn(*offered))))
    assert alert_of(answer) == want if want else answer[0] == HANDSHAKE


@pytest.mark.parametrize("data", [extension(16, b""), extension(16, b"\x00\x00"), extension(16, b"\x00\x02\x05h"), extension(16, b"\x00\x01\x00")])
def test_malformed_application_protocols(server, data):
    assert send(server, records(hello(extensions=GROUPS + SIGNATURES + data)))[0] == ALERT


def test_hello_in_records_of_one_byte(server):
    assert send(server, records(hello(), size=1))[0] == HANDSHAKE


GARBAGE = [
    b"\0" * 100, b"\xff" * 20000, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"\x16\x03\x01\xff\xff" + bytes(70000), b"\x16\x03\x01\x00\x00" * 1000,
    records(b"\x01\xff\xff\xff" + bytes(60000)), records(b"\x02" + hello()[1:]), records(b"hello", kind=23), records(b"\x01\x00", kind=ALERT), records(b"\x01", kind=20),
    records(hello())[:30], records(b"\x02\x28", kind=ALERT) * 100, b"\x18\x03\x02\x00\x03\x01\x40\x00"]


@pytest.mark.parametrize("row", range(len(GARBAGE)))
def test_garbage(server, row):
    assert send(server, GARBAGE[row])[0] in (None, ALERT)


def test_many_empty_records_end(server):
    assert send(server, records(hello())[:5] + hello()[:10] + b"\x16\x03\x01\x00\x00" * 200)[0] in (None, ALERT)


# --- sessions

def s_client(server, *options, data=b""):
    done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-CAfile", server.root_pem, "-servername", "localhost", *map(str, options)],
                          input=data, capture_output=True, timeout=60)
    return (done.stdout + done.stderr).decode(errors="replace")


def test_renegotiation_is_refused(server):
    text = s_client(server, "-tls1_2", data=b"R\nGET / HTTP/1.1\r\n\r\n")
    assert "RENEGOTIATING" in text and "no renegotiation" in text and "HTTP/1.1" not in text


def test_tls_13_gives_no_tickets_and_takes_no_early_data(server, tmp_path):
    (tmp_path / "early").write_bytes(b"GET /.well-known/est/cacerts HTTP/1.1\r\nHost: localhost\r\n\r\n")
    text = s_client(server, "-tls1_3", "-sess_out", tmp_path / "session", data=b"Q\n")
    assert "New Session Ticket" not in text and not (tmp_path / "session").exists()
    # with a session of TLS 1.2, and one that another server could have given
    s_client(server, "-tls1_2", "-sess_out", tmp_path / "old", data=b"Q\n")
    assert (tmp_path / "old").exists()
    text = s_client(server, "-tls1_2", "-sess_in", tmp_path / "old", data=b"Q\n")
    assert "Reused" in text and "TLSv1.2" in text
    text = s_client(server, "-tls1_3", "-sess_in", tmp_path / "old", "-early_data", tmp_path / "early", data=b"Q\n")
    assert "Early data was not sent" in text or "Early data was rejected" in text
    assert "Reused" not in text


def begun(server, options, label="tls-server", csr=None):
    """A session of TLS 1.2 that can be resumed."""
    with Line(server, options, version=TLS12) as line:
        line.post(f"{label}/simpleenroll", csr or make_csr("a.example.com"))
        session = line.tls.session
        line.tls.unwrap()
    return session, line.context


def test_resumed_session_keeps_its_own_identity(server, tmp_path):
    """Whose certificate is loaded when a session of another is resumed: who speaks is who began it."""
    one, two = Device(server, tmp_path, "one.example.com"), Device(server, tmp_path, "two.example.com")
    session, context = begun(server, one.options)
    context.load_cert_chain(two.options[1], two.options[3])
    with Line(server, session=session, context=context) as line:
        assert line.tls.session_reused
        with nothing_changes(server):
            refused(line.post("tls-server/simplereenroll", make_csr("two.example.com")), 403)
        issued(line.post("tls-server/simplereenroll", make_csr("one.example.com")), tmp_path)


def test_resumed_session_after_its_certificate_is_revoked(server, tmp_path):
    device = Device(server, tmp_path, "gone.example.com")
    session, context = begun(server, device.options)
    server.run("cert", "revoke", f"{device.certificate.serial_number:x}", check=True)
    with nothing_changes(server), Line(server, session=session, context=context) as line:
        assert line.tls.session_reused
        refused(line.post("tls-server/simplereenroll", make_csr("gone.example.com")), 403, "revoked")
        refused(line.post("tls-server/simpleenroll", make_csr("gone.example.com"), Authorization=basic("x:" + "y" * 20)), 403, "revoked")


def test_session_of_another_label_is_judged_by_this_one(server, maker, tmp_path):
    session, context = begun(server, maker.device("SN-1"), "factory", device_csr("SN-1", cn="SN-1"))
    with nothing_changes(server), Line(server, session=session, context=context) as line:
        assert line.tls.session_reused
        refused(line.post("listed/simpleenroll", device_csr("SN-1")), 403, "list")
        refused(line.post("tls-server/simpleenroll", make_csr("a.example.com")), 401)


def test_session_that_was_anonymous_stays_so(server, tmp_path):
    device = Device(server, tmp_path, "late.example.com")
    session, context = begun(server, ())
    context.load_cert_chain(device.options[1], device.options[3])
    with nothing_changes(server), Line(server, session=session, context=context) as line:
        assert line.tls.session_reused
        refused(line.post("tls-server/simplereenroll", make_csr("late.example.com")), 403)


def test_session_that_nobody_began(server):
    session = b"\x20" + b"s" * 32
    data = hello()
    kind, body = send(server, records(data[:1] + (len(data) - 4 + 32).to_bytes(3, "big") + data[4:38] + session + data[39:]))
    assert kind == HANDSHAKE and body[0] == 2 and body[39:71] != b"s" * 32


def test_empty_certificate_and_no_second_question(server, tmp_path):
    """A client that offers to authenticate after the handshake (RFC 8446, 4.6.2) is not asked; what it is decides at the beginning."""
    device = Device(server, tmp_path, "later.example.com")
    context = server.tls_context()
    context.post_handshake_auth = True
    with Line(server, context=context, version=TLS13) as line:
        context.load_cert_chain(device.options[1], device.options[3])
        with nothing_changes(server):
            refused(line.post("tls-server/simplereenroll", make_csr("later.example.com")), 403)
            refused(line.post("tls-server/simpleenroll", make_csr("later.example.com")), 401)


# --- client certificates

def rejected(server, options, label="factory", csr=None, version=TLS12):
    """In the handshake, or after it with a refusal."""
    try:
        with Line(server, options, version=version, level=0) as line:
            reply = line.post(f"{label}/simpleenroll", csr or device_csr("SN"))
    except (ssl.SSLError, ConnectionError, AssertionError):
        return None
    assert reply.status in (401, 403), reply.body
    return reply


@pytest.mark.parametrize("version", [TLS12, TLS13])
def test_tiny_and_weak_client_keys(server, maker, version):
    with nothing_changes(server):
        rejected(server, maker.device("SN", key=rsa.generate_private_key(65537, 512)), version=version)
        rejected(server, maker.device("SN", key=rsa.generate_private_key(65537, 1024)), version=version)
        reply = rejected(server, maker.device("SN", hash=hashes.SHA1()), version=version)
        assert reply is None or b"weak" in reply.body


@pytest.mark.parametrize("version", [TLS12, TLS13])
def test_chain_of_two_hundred(server, maker, version):
    options = maker.device("SN", chain=[maker.ca] * 200)
    with nothing_changes(server):
        assert rejected(server, options, version=version) is None # over 32 KiB: the handshake ends


def test_certificate_that_is_ours_in_name_alone(server, tmp_path):
    device = Device(server, tmp_path, "real.example.com")
    key = make_key()
    forged = certify(device.certificate.subject, key, device.certificate, key, serial=device.certificate.serial_number,
                     extensions=[(e.value, e.critical) for e in device.certificate.extensions if not isinstance(e.value, x509.BasicConstraints)])
    with nothing_changes(server):
        refused(curl(server, "simplereenroll", *device.files(forged, key), body=b64(make_csr("real.example.com"))), 403)


# --- paths (RFC 9110, 4.2.3: nothing is normalized into what it was not)

@pytest.mark.parametrize("path", [
    "/.well-known/est/pal", "/.well-known/est/tls-server/crls", "/.well-known/est/symmetrickeys", "/.well-known/est/eecerts",
    "/.well-known/est//cacerts", "//.well-known/est/cacerts", "/.well-known//est/cacerts", "/.well-known/est/cacerts//", "/.well-known/est%2fcacerts", "/.well-known/est/cacerts%2f",
    "/.well-known/est/tls-server%2fcacerts", "/.well-known/est/tls-server/../cacerts", "/.well-known/est/tls-server/%2e%2e/cacerts", "/.well-known/est/..;/cacerts",
    "/.well-known/est/./cacerts", "/.well-known/est/cacerts;x=y", "/.well-known/est/cacerts/.", "/.well-known/est/CACERTS", "/.well-known/EST/cacerts", "/.WELL-KNOWN/est/cacerts",
    "/.well-known/est/cacerts%00", "/.well-known/est/cacert%73", "/.well-known/est/TLS-SERVER/cacerts", "/.well-known/est/tls-server%20/cacerts", "/.well-known/est/%c0%ae/cacerts",
    "/.well-known/est/cacerts\\", "/.well-known\\est\\cacerts", "/.well-known/est/a/b/c/d/cacerts", "/.well-known/est/" + "a" * 3000 + "/cacerts", "/.well-known/est/cacerts/cacerts/cacerts/cacerts/cacerts"])
def test_paths_that_are_none(server, path):
    with Line(server) as line:
        line.tls.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost:{server.port}\r\nUser-Agent: x\r\n\r\n".encode())
        reply = line.reply()
    assert reply.status in (400, 404) and reply.body.count(b"\n") <= 1, (reply.status, reply.body)


@pytest.mark.parametrize("path", ["cacerts", "cacerts/", "cacerts?x=y", "tls-server/cacerts/?a=/simpleenroll"])
def test_paths_that_are(server, path):
    assert curl(server, path).status == 200


# --- headers

def raw(server, head, body=b""):
    with Line(server) as line:
        line.tls.sendall(head.encode("latin-1") + b"\r\n\r\n" + body)
        return line.reply()


def test_replies_cannot_be_split(server):
    """Nothing of a request comes back as a line of its own: not a label, a user, a media type or a method."""
    csr = b64(make_csr("a.example.com"))
    host = f"Host: localhost:{server.port}\r\nUser-Agent: x\r\nContent-Length: {len(csr)}"
    rows = [
        (f"POST {EST}x%0d%0aSet-Cookie:%20a=b/simpleenroll HTTP/1.1\r\n{host}\r\nContent-Type: {PKCS10}", 404),
        (f"POST {EST}simpleenroll HTTP/1.1\r\n{host}\r\nContent-Type: {PKCS10}\r\nAuthorization: {basic('x' + chr(13) + chr(10) + 'Set-Cookie: a=b:y')}", 401),
        (f"POST {EST}simpleenroll HTTP/1.1\r\n{host}\r\nContent-Type: {PKCS10}\r\nAuthorization: Basic\rSet-Cookie: a=b", 400),
        (f"POST {EST}simpleenroll HTTP/1.1\r\n{host}\r\nContent-Type: {PKCS10}\r\n Set-Cookie: a=b", 400),
        (f"POST {EST}simpleenroll HTTP/1.1\r\n{host}\r\nContent-Type: a/b%0d%0aSet-Cookie: a=b", 415),
        (f"POST {EST}simpleenroll HTTP/1.1\r\n{host}\r\nContent-Type: {PKCS10}\r\nAuthorization: Digest username=\"a%0d%0aSet-Cookie: a=b\"", 401),
    ]
    with nothing_changes(server):
        for head, status in rows:
            reply = raw(server, head, csr)
            assert reply.status == status and "Set-Cookie" not in reply.names, (head, reply.status, reply.body)
            assert reply.body.count(b"\n") <= 1 and b"\r" not in reply.body
    for line in server.log_text().splitlines():
        assert line.startswith("time="), line


@pytest.mark.parametrize("type,status", [
    ("application/pkcs10", 200), ("application/PKCS10;charset=utf-8", 200), ("application/pkcs10 ; x=y", 200), ("application/pkcs10;", 200),
    ("application/pkcs10x", 415), ("application/pkcs1", 415), ("application/pkcs10, text/plain", 415), ("text/plain; application/pkcs10", 415),
    ("application/*", 415), ("*/*", 415), ("application", 415), ("/", 415), ("application/x-pkcs10", 415), ("multipart/form-data; boundary=application/pkcs10", 415)])
def test_media_types(server, type, status):
    code = credential(server)["code"]
    assert curl(server, "simpleenroll", "-u", f"x:{code}", body=b64(make_csr("a.example.com")), type=type).status == status


def test_media_type_twice(server):
    csr = b64(make_csr("a.example.com"))
    reply = raw(server, f"POST {EST}simpleenroll HTTP/1.1\r\nHost: localhost:{server.port}\r\nContent-Length: {len(csr)}\r\nContent-Type: {PKCS10}\r\nContent-Type: text/plain", csr)
    assert reply.status == 400


@pytest.mark.parametrize("header", [
    "Basic", "Basic ", "Basic =", "Basic ====", "Basic " + "A" * 9000, "Basic !!!!", "basic\t" + base64.b64encode(b"a:b").decode(), "Bearer x", "Negotiate", "", "Basic Og==",
    "Basic " + base64.b64encode(b"\xff\xfe:\xff").decode(), "Basic " + base64.b64encode(b"a:b\0c").decode(), "Digest", "Digest ,,,,", "Digest username", 'Digest username="', "Digest " + "a=b," * 900])
def test_authorizations_that_are_none(server, header):
    csr = b64(make_csr("a.example.com"))
    with nothing_changes(server):
        for label in ("", "digest/"):
            reply = raw(server, f"POST {EST}{label}simpleenroll HTTP/1.1\r\nHost: localhost:{server.port}\r\nUser-Agent: x\r\nContent-Length: {len(csr)}\r\n"
                        f"Content-Type: {PKCS10}\r\nAuthorization: {header}", csr)
            assert reply.status in (400, 401, 431), (reply.status, reply.body)


# --- guessing

def is_not_looked_at(guess, right):
    """Though it is right. A guess is free again every three seconds, and that may be the very moment: then once more."""
    for _ in range(20):
        assert any(guess() == 429 for _ in range(60)), "guesses are not slowed"
        if right() == 429:
            return
    raise AssertionError("what is right passes, however many guess")


def test_guesses_at_digest_are_slowed(server):
    """Each guess with a nonce and a count of its own; and the secret that is right is still let in."""
    secret = credential(server, "--kind", "secret", "--user", "guessed", "--profile", "tls-server", "--digest", "sha-256")["secret"]
    server.run("est-credential", "create", "--kind", "password", "--user", "person", "--profile", "tls-server", "--digest", "sha-256",
               input="correct horse battery\n", check=True)
    where, statuses = EST + "digest/simpleenroll", []
    with Line(server) as line:
        for i in range(40):
            reply = line.post("digest/simpleenroll", make_csr("a.example.com"))
            if reply.status == 401:
                fields = digest_fields(reply.headers["www-authenticate"])
                reply = line.post("digest/simpleenroll", make_csr("a.example.com"), Authorization=digest_answer(fields, "guessed", f"guess {i}", where, hash=hashlib.sha256))
            statuses.append(reply.status)
            if reply.status == 429:
                assert 1 <= int(reply.headers["retry-after"]) <= 600
                break
        assert statuses[-1] == 429 and set(statuses[:-1]) == {401} and 15 <= len(statuses) <= 40, statuses
        reply = line.post("digest/simpleenroll", make_csr("a.example.com"))
        if reply.status == 401:
            fields = digest_fields(reply.headers["www-authenticate"])
            assert line.post("digest/simpleenroll", make_csr("a.example.com"), Authorization=digest_answer(fields, "guessed", secret, where, hash=hashlib.sha256)).status == 200
        # A password that could be guessed is not looked at any more.
        def answered(user, text):
            asked = line.post("digest/simpleenroll", make_csr("a.example.com"))
            if asked.status != 401:
                return asked.status
            answer = digest_answer(digest_fields(asked.headers["www-authenticate"]), user, text, where, hash=hashlib.sha256)
            return line.post("digest/simpleenroll", make_csr("a.example.com"), Authorization=answer).status
        is_not_looked_at(lambda: answered("guessed", "guess"), lambda: answered("person", "correct horse battery"))


@pytest.mark.parametrize("label,pair", [("", "person:a wrong password"), ("codes/", "x:guess")])
def test_guesses_over_basic_are_slowed(label, pair):
    """And then a password is not looked at any more, though it is right: a code, which nobody guesses, is."""
    est = {"labels": [{"label": "codes", "profile": "tls-server"}], "authentication": [{"name": "codes", "labels": ["codes"], "methods": ["code"]}]}
    with Server({"est": est}) as own:
        own.run("est-credential", "create", "--kind", "password", "--user", "person", "--profile", "tls-server", input="correct horse battery\n", check=True)
        code = credential(own, "--profile", "tls-server")["code"]
        ask = lambda where, who: curl(own, f"{where}simpleenroll", "-u", who, body=b64(make_csr("a.example.com"))).status
        assert curl(own, "codes/simpleenroll", body=b64(make_csr("a.example.com"))).status == 401 # who shows nothing is asked for it
        statuses = [ask(label, pair) for _ in range(20)]
        assert set(statuses) == {401}, statuses
        is_not_looked_at(lambda: ask(label, pair), lambda: ask("", "person:correct horse battery"))
        assert ask("codes/", f"x:{code}") == 200
        told, deadline = [], time.monotonic() + 60
        while not told:
            assert time.monotonic() < deadline
            told = json.loads(own.run("audit", "list", "--kind", "enrollment-refused", "--json", check=True).stdout)
        assert not any("is wanted" in reason for event in told for reason in event["about"].get("reasons", []))


def test_a_name_tells_nothing_of_its_owner():
    """An unknown user, a revoked one and a wrong secret have one answer."""
    with Server() as own:
        made = credential(own, "--kind", "secret", "--user", "was-there")
        own.run("est-credential", "revoke", made["id"], check=True)
        credential(own, "--kind", "secret", "--user", "is-there")
        answers = [curl(own, "simpleenroll", "-u", f"{user}:wrong", body=b64(make_csr("a.example.com"))) for user in ("never-there", "was-there", "is-there")]
        assert {(a.status, a.body, tuple(a.names)) for a in answers} == {(401, answers[0].body, tuple(answers[0].names))}
