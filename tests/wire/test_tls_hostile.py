"""What a client of TLS can make the server compute or wait for, which has proven nothing yet. It is bounded, whatever the client sends."""

import contextlib
import ctypes
import os
import socket
import ssl
import threading
import time

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from acme_raw import Client
from harness import ChallengeServer, Server, free_port
from test_est_authentication import TLS12, TLS13

HEADER_SECONDS = 3


@pytest.fixture(scope="module")
def server():
    with Server({"http": {"header_timeout": f"{HEADER_SECONDS}s"}, "acme": {"http_01": {"https_port": free_port()}}}) as running:
        yield running


def cpu_seconds(server):
    fields = open(f"/proc/{server.process.pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# --- keys that are expensive to decode

def tlv(tag, *parts):
    body = b"".join(parts)
    length = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes([tag]) + (bytes([len(body)]) if len(body) < 128 else bytes([0x80 + len(length)]) + length) + body


def sequence(*parts):
    return tlv(0x30, *parts)


def integer(n):
    return tlv(2, n.to_bytes(n.bit_length() // 8 + 1, "big"))


def bits(data):
    return tlv(3, b"\0" + data)


ECDSA_SHA256 = sequence(tlv(6, bytes.fromhex("2a8648ce3d040302")))
EC_KEY = tlv(6, bytes.fromhex("2a8648ce3d0201"))


def certificate(key, signer=None):
    name = sequence(tlv(0x31, sequence(tlv(6, b"\x55\x04\x03"), tlv(12, b"x"))))
    body = sequence(tlv(0xa0, integer(2)), integer(5), ECDSA_SHA256, name, sequence(tlv(0x17, b"200101000000Z"), tlv(0x17, b"490101000000Z")), name, key)
    signature = signer.sign(body, ec.ECDSA(hashes.SHA256())) if signer else sequence(integer(1), integer(1))
    return sequence(body, ECDSA_SHA256, bits(signature))


def own_curve():
    """A key on a curve that it describes itself, over a field where each square root costs OpenSSL 70 ms: its order less one can be
    halved 600 times, and both points are compressed."""
    p = (176642073006726561 << 600) + 1
    a, b, x = 3, 1, 3
    point = b"\x02" + x.to_bytes(83, "big")
    field = sequence(tlv(6, bytes.fromhex("2a8648ce3d0101")), integer(p))
    curve = sequence(tlv(4, a.to_bytes(83, "big")), tlv(4, b.to_bytes(83, "big")))
    return sequence(sequence(EC_KEY, sequence(integer(1), field, curve, tlv(4, point), integer(p - 2), integer(1))), bits(point))


def show(server, tmp_path, version, above):
    """A handshake with a certificate of our own and what is above it, and a request."""
    key = ec.generate_private_key(ec.SECP256R1())
    own = certificate(key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo), key)
    (tmp_path / "chain.pem").write_text("".join(map(ssl.DER_cert_to_PEM_cert, [own, *above])))
    (tmp_path / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    context = server.tls_context()
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    context.load_cert_chain(tmp_path / "chain.pem", tmp_path / "key.pem")
    before = cpu_seconds(server)
    try:
        with context.wrap_socket(socket.create_connection(("127.0.0.1", server.port), timeout=60), server_hostname="localhost") as tls:
            tls.sendall(f"GET /.well-known/est/cacerts HTTP/1.1\r\nHost: localhost:{server.port}\r\n\r\n".encode())
            answer = tls.recv(100)
    except OSError as e: # an alert is an ssl.SSLError, which is one
        answer = str(e).encode()
    return answer, cpu_seconds(server) - before


@pytest.mark.parametrize("version", [TLS12, TLS13])
def test_keys_on_curves_of_their_own_are_not_decoded(server, tmp_path, version):
    """RFC 5480, 2.1.1. Four of them took more than half a second of computing time for a client that had shown nothing."""
    answer, spent = show(server, tmp_path, version, [certificate(own_curve())] * 4)
    assert b" 200 " not in answer and spent < 0.3, (answer, spent)
    plain = ec.generate_private_key(ec.SECP384R1()).public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    answer, _ = show(server, tmp_path, version, [certificate(plain)] * 4)
    assert b" 200 " in answer, answer


class Peer:
    """A server of TLS that shows such keys to who is led to it."""

    def __init__(self, port, tmp_path, count=8):
        key = ec.generate_private_key(ec.SECP256R1())
        own = certificate(key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo), key)
        (tmp_path / "peer.pem").write_text("".join(map(ssl.DER_cert_to_PEM_cert, [own, *[certificate(own_curve())] * count])))
        (tmp_path / "peer.key").write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.set_ciphers("DEFAULT@SECLEVEL=0")
        self.context.set_alpn_protocols(["acme-tls/1", "http/1.1"])
        self.context.load_cert_chain(tmp_path / "peer.pem", tmp_path / "peer.key")
        self.socket, self.seen = socket.create_server(("127.0.0.1", port)), 0
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.socket.accept()
                self.seen += 1
                with contextlib.suppress(OSError), connection:
                    connection.settimeout(10)
                    self.context.wrap_socket(connection, server_side=True).recv(100)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


def probed(server, name, kind):
    """What it costs to find that a challenge has not been met."""
    client = Client(server)
    client.register()
    _, order = client.order([name])
    url = order["authorizations"][0]
    challenge = next(c for c in client.post(url).json()["challenges"] if c["type"] == kind)
    before = cpu_seconds(server)
    client.post(challenge["url"], {})
    assert client.wait(url, ("valid", "invalid"))["status"] == "invalid"
    return cpu_seconds(server) - before


def test_keys_of_a_host_that_is_probed_are_not_decoded(server, tmp_path):
    """tls-alpn-01 led the server to compute for three seconds, whatever its time limit."""
    with Peer(server.tls_alpn_port, tmp_path) as peer:
        spent = probed(server, "alpn.curve.example", "tls-alpn-01")
        assert peer.seen and spent < 0.5, spent


def test_keys_of_a_host_that_a_redirect_leads_to_are_not_decoded(server, tmp_path):
    port = server.extra["acme"]["http_01"]["https_port"]

    def redirect(handler):
        handler.send_response(302)
        handler.send_header("Location", f"https://to.curve.example:{port}/")
        handler.send_header("Content-Length", "0")
        handler.end_headers()
        return True
    with Peer(port, tmp_path) as peer, ChallengeServer(server.http01_port) as web:
        web.custom = redirect
        spent = probed(server, "from.curve.example", "http-01")
        assert peer.seen and spent < 0.5, spent


# --- records without data

class Tls13:
    """A client of libssl's own, which can change its keys as often as it wants to (RFC 8446, 4.6.3)."""

    def __init__(self, server):
        self.ssl = ctypes.CDLL("libssl.so.3")
        for call in ("TLS_client_method", "SSL_CTX_new", "SSL_new", "SSL_get_wbio", "BIO_new", "BIO_s_mem"):
            getattr(self.ssl, call).restype = ctypes.c_void_p
        self.context = ctypes.c_void_p(self.ssl.SSL_CTX_new(ctypes.c_void_p(self.ssl.TLS_client_method())))
        self.own = ctypes.c_void_p(self.ssl.SSL_new(self.context))
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=60)
        self.socket.settimeout(None) # libssl is to wait for what it reads
        assert self.ssl.SSL_set_fd(self.own, self.socket.fileno()) == 1 and self.ssl.SSL_connect(self.own) == 1
        self.socket.settimeout(30)
        self.written = ctypes.c_void_p(self.ssl.BIO_new(ctypes.c_void_p(self.ssl.BIO_s_mem())))
        self.ssl.SSL_set0_wbio(self.own, self.written)

    def key_updates(self, count):
        for _ in range(count):
            assert self.ssl.SSL_key_update(self.own, 0) == 1 and self.ssl.SSL_do_handshake(self.own) == 1

    def write(self, data):
        assert self.ssl.SSL_write(self.own, data, len(data)) == len(data)

    def taken(self):
        """What libssl would have sent."""
        size = self.ssl.BIO_ctrl_pending(self.written)
        data = ctypes.create_string_buffer(size)
        assert self.ssl.BIO_read(self.written, data, size) == size
        return data.raw

    def close(self):
        self.socket.close()
        self.ssl.SSL_free(self.own)
        self.ssl.SSL_CTX_free(self.context)


def test_key_updates_do_not_stop_the_clock(server):
    """They are read one after the other, and while more are there nothing else was looked at: no deadline, for as long as they came."""
    request = f"GET /.well-known/est/cacerts HTTP/1.1\r\nHost: localhost:{server.port}\r\n\r\n".encode()
    client = Tls13(server)
    client.key_updates(5)
    client.write(request)
    client.socket.sendall(client.taken())
    assert len(client.socket.recv(65536)) > 100 # a few are nothing
    client.close()
    client = Tls13(server)
    begun = time.monotonic()
    while time.monotonic() < begun + HEADER_SECONDS - 0.4:
        client.key_updates(100)
    client.write(request)
    got = b""
    try:
        client.socket.sendall(client.taken()) # more than the server reads in the time that is left
        while part := client.socket.recv(65536):
            got += part
    except OSError:
        pass
    assert len(got) < 100, "the request was read"
    client.close()


# --- ciphers

def chosen(server, ciphers):
    context = server.tls_context()
    context.maximum_version = TLS12
    context.set_ciphers(":".join(f"ECDHE-ECDSA-{c}" for c in ciphers))
    with context.wrap_socket(socket.create_connection(("127.0.0.1", server.port), timeout=60), server_hostname="localhost") as tls:
        return tls.cipher()[0].removeprefix("ECDHE-ECDSA-")


def test_the_order_of_ciphers_is_the_servers(server):
    strong, quick, soft = "AES256-GCM-SHA384", "AES128-GCM-SHA256", "CHACHA20-POLY1305"
    assert chosen(server, [quick, strong, soft]) == chosen(server, [strong, quick]) == strong
    assert chosen(server, [soft, quick, strong]) == soft # a client without AES in its processor


# --- a client that waits for acknowledgements

def test_request_after_the_handshake_is_not_waited_for(server):
    """A client that leaves TCP as it is sends its request when what it sent last is acknowledged (RFC 896): at once, not after 40 ms."""
    context = server.tls_context()
    context.minimum_version = TLS13
    request = f"GET /.well-known/est/cacerts HTTP/1.1\r\nHost: localhost:{server.port}\r\n\r\n".encode()
    spent = [60]
    while min(spent) >= 0.03 and len(spent) < 200: # once is enough: who is made to wait is always
        with context.wrap_socket(socket.create_connection(("127.0.0.1", server.port), timeout=60), server_hostname="localhost") as tls:
            begun = time.monotonic()
            tls.sendall(request)
            assert tls.recv(100).startswith(b"HTTP/1.1 200 ")
            spent.append(time.monotonic() - begun)
    assert min(spent) < 0.03, spent
