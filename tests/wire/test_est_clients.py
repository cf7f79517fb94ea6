"""EST as the clients in the field speak it, the sloppy and the strict: a small client of our own that sends bytes as it is told, and
counts the TLS records of what comes back."""

import base64
import socket
import ssl
import time

import pytest

from harness import Server
from test_est import CERTS_ONLY, EST, b64, credential, judge, make_csr, make_key, names_of

APPLICATION_DATA, ALERT = 23, 21


class Client:
    """One TLS 1.2 connection over memory, so that each record can be seen."""

    def __init__(self, server, version=ssl.TLSVersion.TLSv1_2):
        context = server.tls_context()
        context.maximum_version = version
        self.raw = socket.create_connection(("127.0.0.1", server.port), timeout=60)
        self.input, self.output = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.input, self.output, server_hostname="localhost")
        self.received, self.port = b"", server.port
        while True:
            try:
                self.tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self.flush()
                self.feed()
        self.flush()
        self.received = b""

    def flush(self):
        data = self.output.read()
        if data:
            self.raw.sendall(data)

    def feed(self):
        data = self.raw.recv(65536)
        self.received += data
        self.input.write(data) if data else self.input.write_eof()
        return data

    def send(self, data, pieces=None, pause=0.0):
        """Each piece is a record of its own."""
        size = -(-len(data) // pieces) if pieces else len(data)
        for at in range(0, len(data), size):
            self.tls.write(data[at:at + size])
            self.flush()
            time.sleep(pause)

    def reply(self):
        """Head and body of one reply."""
        text = b""
        while True:
            head, end, body = text.partition(b"\r\n\r\n")
            length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
            if end and head.split()[1] == b"100":
                text = body
                continue
            if end and len(body) >= length:
                return head, body
            try:
                text += self.tls.read(65536)
            except ssl.SSLWantReadError:
                assert self.feed(), "the connection ended early"

    def records(self):
        """Types of the records that have come."""
        types, at = [], 0
        while at + 5 <= len(self.received):
            types.append(self.received[at])
            at += 5 + int.from_bytes(self.received[at + 3:at + 5], "big")
        return types

    def ends(self):
        """Reads on to the end of the connection."""
        while True:
            try:
                if not self.tls.read(65536):
                    return True
            except ssl.SSLWantReadError:
                if not self.feed():
                    return False # without close_notify
            except ssl.SSLZeroReturnError:
                return True

    def close(self):
        self.raw.close()


@pytest.fixture(scope="module")
def server():
    profiles = [{"name": "tls-server"}, {"name": "asked", "approvals": 1}, {"name": "made", "est": {"server_keys": ["ec-p256"], "csr_oids": ["serialNumber"]}}]
    with Server({"profiles": profiles}) as running:
        yield running


@pytest.fixture
def connect(server):
    made = []

    def new(**options):
        made.append(Client(server, **options))
        return made[-1]
    yield new
    for client in made:
        client.close()


def basic(server, profile="tls-server"):
    code = credential(server, "--profile", profile)["code"]
    return "Authorization: Basic " + base64.b64encode(f"device:{code}".encode()).decode()


def post(path, body, *lines, type="application/pkcs10"):
    head = [f"POST {EST}{path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}", *([f"Content-Type: {type}"] if type else []), *lines]
    return ("\r\n".join(head) + "\r\n\r\n").encode() + body


def certificate(head, body, tmp_path):
    assert head.split()[1] == b"200", (head, body)
    reply = type("Reply", (), {"body": body})
    found, = judge(reply, tmp_path)
    return found


# --- what is sent (libest reads at most 16 headers, in this case of letters; strongSwan reads one record of 1024 bytes of them)

def replies(server):
    csr = b64(make_csr("a.example.com"))
    return {
        "cacerts": f"GET {EST}cacerts HTTP/1.1\r\nHost: localhost\r\n\r\n".encode(),
        "csrattrs": f"GET {EST}made/csrattrs HTTP/1.1\r\nHost: localhost\r\n\r\n".encode(),
        "simpleenroll": post("simpleenroll", csr, basic(server)), "serverkeygen": post("made/serverkeygen", csr, basic(server, "made")),
        "202": post("asked/simpleenroll", csr, basic(server, "asked"), "Accept: */*"), "401": post("simpleenroll", csr, "User-Agent: one that shows texts"), "403": post("simplereenroll", csr),
        "404": post("none/simpleenroll", csr), "400": post("simpleenroll", b"{}", basic(server)), "415": post("simpleenroll", csr, type="text/plain"),
        "405": f"GET {EST}simpleenroll HTTP/1.1\r\nHost: localhost\r\n\r\n".encode(), "501": post("fullcmc", b"x"),
    }


NAMES = ["cacerts", "csrattrs", "simpleenroll", "serverkeygen", "202", "401", "403", "404", "400", "415", "405", "501"]


@pytest.mark.parametrize("name", NAMES)
def test_reply_is_in_one_record_with_few_canonical_headers(server, connect, name):
    client = connect()
    client.send(replies(server)[name])
    head, body = client.reply()
    lines = head.decode("ascii").split("\r\n")
    names = [line.split(": ")[0] for line in lines[1:]]
    assert lines[0].startswith("HTTP/1.1 ") and (not name.isdigit() or lines[0].split()[1] == name)
    assert client.records() == [APPLICATION_DATA]
    assert len(names) < 16 and len(head) + 4 < 1000 and len(set(names)) == len(names)
    assert all(n == "-".join("WWW" if part == "WWW" else part.capitalize() for part in n.split("-")) for n in names), names
    assert "Content-Length" in names and "Transfer-Encoding" not in names
    if name.isdigit():
        assert "Content-Type: text/plain" in lines and body.count(b"\n") == 1 and body.endswith(b"\n") and 10 < len(body) < 600
    else:
        assert ("Content-Transfer-Encoding: base64" in lines) == (name != "serverkeygen")
    assert (f"Content-Type: {CERTS_ONLY}" in lines) == (name == "simpleenroll")


@pytest.mark.parametrize("name", NAMES)
def test_connection_ends_at_once_as_asked(server, connect, name):
    client = connect()
    client.send(replies(server)[name].replace(b"Host: localhost\r\n", b"Host: localhost\r\nConnection: close\r\n"))
    head, _ = client.reply()
    began = time.monotonic()
    assert client.ends(), "no close_notify"
    assert time.monotonic() - began < 4 and b"\r\nConnection: close" in head
    assert client.records() in ([APPLICATION_DATA, ALERT], [APPLICATION_DATA])


def test_connection_is_kept_otherwise(server, connect, tmp_path):
    client = connect()
    for _ in range(3):
        client.send(post("simpleenroll", b64(make_csr("a.example.com")), basic(server)))
        certificate(*client.reply(), tmp_path)


def test_first_401_has_no_body_for_bare_clients(server, connect, tmp_path):
    """Bouncy Castle leaves the body of a 401 unread and fails for that; it sends neither User-Agent nor Accept."""
    client, csr = connect(), b64(make_csr("a.example.com"))
    client.send(post("simpleenroll", csr))
    head, body = client.reply()
    assert head.startswith(b"HTTP/1.1 401 ") and b"WWW-Authenticate: Basic" in head and b"Content-Length: 0" in head and body == b""
    client.send(post("simpleenroll", csr, "Authorization: Basic eDp5"))
    head, body = client.reply()
    assert head.startswith(b"HTTP/1.1 401 ") and body.endswith(b"\n")
    client.send(post("simpleenroll", csr, basic(server)))
    certificate(*client.reply(), tmp_path)


# --- what is taken

DRESSES = {
    "HTTP/1.1 with a Host alone": {}, "lower case": {"swap": (b"Content-Length", b"content-length")},
    "parameters": {"type": "application/pkcs10; charset=UTF-8"}, "upper case": {"type": "APPLICATION/PKCS10"},
    "CTE": {"lines": ["Content-Transfer-Encoding: binary"]}, "no CTE": {}, "foreign Accept": {"lines": ["Accept: image/png"]},
    "libest": {"lines": ["User-Agent: libest 3.2.0p", "Accept: */*", "Content-Transfer-Encoding: base64"]},
    "DER": {"body": lambda der: der}, "PEM": {"body": lambda der: b"-----BEGIN CERTIFICATE REQUEST-----\r\n" + base64.encodebytes(der).replace(b"\n", b"\r\n") +
                                              b"-----END CERTIFICATE REQUEST-----\r\n"},
    "text before PEM": {"body": lambda der: b"Certificate Request:\n    Data:\n-----BEGIN CERTIFICATE REQUEST-----\n" + base64.encodebytes(der) +
                        b"-----END CERTIFICATE REQUEST-----\n"},
    "one line": {"body": base64.b64encode}, "64 columns": {"body": lambda der: b"\n".join(base64.b64encode(der)[i:i + 64] for i in range(0, 2000, 64)).strip()},
    "tabs": {"body": lambda der: b"\t" + base64.encodebytes(der).replace(b"\n", b" \t\r\n")}, "slash": {"path": "simpleenroll/"},
}


@pytest.mark.parametrize("what", DRESSES)
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_sloppy_clients(server, connect, what, version, tmp_path):
    row = DRESSES[what]
    body = row.get("body", base64.encodebytes)(make_csr("a.example.com"))
    data = post(row.get("path", "simpleenroll"), body, basic(server), *row.get("lines", []), type=row.get("type", "application/pkcs10"))
    client = connect(version=version)
    client.send(data.replace(*row["swap"]) if "swap" in row else data)
    assert names_of(certificate(*client.reply(), tmp_path)) == ["a.example.com"]


@pytest.mark.parametrize("pieces,pause", [(7, 0.05), (200, 0.001)])
def test_request_in_many_records(server, connect, pieces, pause, tmp_path):
    client = connect()
    client.send(post("simpleenroll", b64(make_csr("a.example.com")), basic(server)), pieces=pieces, pause=pause)
    certificate(*client.reply(), tmp_path)


@pytest.mark.parametrize("size", [2048, 100, 1])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_body_in_chunks(server, connect, size, version, tmp_path):
    """As Go's net/http sends what it does not know the length of (globalsign's estclient)."""
    body, line = base64.b64encode(make_csr("a.example.com")), basic(server)
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(body[i:i + size]), body[i:i + size]) for i in range(0, len(body), size)) + b"0\r\n\r\n"
    head = post("simpleenroll", b"", line, "User-Agent: Go-http-client/1.1", "Accept-Encoding: gzip").replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
    client = connect(version=version)
    client.send(head + chunks)
    assert names_of(certificate(*client.reply(), tmp_path)) == ["a.example.com"]
    client.send(f"GET {EST}cacerts HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()) # the connection goes on
    assert client.reply()[0].split()[1] == b"200"


def test_body_comes_late(server, connect, tmp_path):
    head, _, body = post("simpleenroll", b64(make_csr("a.example.com")), basic(server)).partition(b"\r\n\r\n")
    client = connect()
    client.send(head + b"\r\n\r\n")
    time.sleep(1.5)
    client.send(body)
    certificate(*client.reply(), tmp_path)


def test_body_that_never_comes_changes_nothing(server, connect):
    head, _, _ = post("simpleenroll", b64(make_csr("gone.example.com")), basic(server)).partition(b"\r\n\r\n")
    client = connect()
    client.send(head + b"\r\n\r\nMIIB")
    client.close()
    time.sleep(0.3)
    assert "gone.example.com" not in server.run("cert", "list", check=True).stdout


def test_continue_is_said_before_the_body(server, connect, tmp_path):
    head, _, body = post("simpleenroll", b64(make_csr("a.example.com")), basic(server), "Expect: 100-continue").partition(b"\r\n\r\n")
    client = connect()
    client.send(head + b"\r\n\r\n")
    began = time.monotonic()
    while b"100 Continue" not in (text := peek(client)):
        pass
    assert text.startswith(b"HTTP/1.1 100 ") and time.monotonic() - began < 15 # the body is given twenty
    client.send(body)
    certificate(*client.reply(), tmp_path)


def test_continue_is_not_said_to_http_1_0(server, connect):
    head, _, body = post("simpleenroll", b64(make_csr("a.example.com")), basic(server), "Expect: 100-continue").partition(b"\r\n\r\n")
    client = connect()
    client.send(head.replace(b" HTTP/1.1", b" HTTP/1.0", 1) + b"\r\n\r\n")
    time.sleep(0.3)
    client.send(body)
    while not (text := peek(client)):
        pass
    assert text.startswith(b"HTTP/1.1 200 ")


def peek(client):
    try:
        return client.tls.read(65536)
    except ssl.SSLWantReadError:
        assert client.feed()
        return b""


def test_key_is_the_same_in_csr_and_certificate(server, connect, tmp_path):
    key = make_key()
    client = connect(version=ssl.TLSVersion.TLSv1_3)
    client.send(post("simpleenroll", b64(make_csr("a.example.com", key=key)), basic(server)))
    assert certificate(*client.reply(), tmp_path).public_key().public_numbers() == key.public_key().public_numbers()
