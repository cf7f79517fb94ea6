"""Raw HTTP/1.1 for tests on the wire: a connection that sends what it is told, and the small server
of tests/wire/http_server.c."""

import contextlib
import datetime
import ipaddress
import os
import pathlib
import socket
import ssl
import subprocess
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "build" / os.environ.get("V", "release") / "tests" / "wire" / "http_server"


def make_certificate(folder, name, days_from=-1, days_to=1):
    """A self-signed certificate for loopback. Returns the paths of chain and key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.utcnow()
    alternatives = [x509.DNSName("localhost")]
    alternatives += [x509.IPAddress(ipaddress.ip_address(a)) for a in ("127.0.0.1", "::1")]
    certificate = (x509.CertificateBuilder().subject_name(subject).issuer_name(subject)
                   .public_key(key.public_key()).serial_number(x509.random_serial_number())
                   .not_valid_before(now + datetime.timedelta(days=days_from))
                   .not_valid_after(now + datetime.timedelta(days=days_to))
                   .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
                   .sign(key, hashes.SHA256()))
    chain, secret = folder / f"{name}.pem", folder / f"{name}.key"
    chain.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                         serialization.NoEncryption()))
    return chain, secret


class HttpServer:
    """tests/wire/http_server.c, running."""

    def __init__(self, folder, listeners=("plain=127.0.0.1", "tls=127.0.0.1"), **options):
        self.chain, self.key = make_certificate(folder, "server")
        arguments = [*listeners, f"chain={self.chain}", f"key={self.key}", "access_log=1"]
        if "external_url" not in options:
            arguments += ["name=localhost", "name=127.0.0.1", "name=::1"]
        arguments += [f"{name}={value}" for name, value in options.items()]
        self.log = folder / "log"
        self.process = subprocess.Popen([PROGRAM, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=self.log.open("wb"), text=True)
        self.ports = [int(self.process.stdout.readline()) for _ in listeners]

    def command(self, text):
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def counters(self):
        return {k: int(v) for k, v in (pair.split("=") for pair in self.command("counters").split())}

    def log_lines(self):
        return self.log.read_text(errors="replace").splitlines()

    def close(self):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            return self.process.wait(30)
        finally:
            self.process.kill()
            self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        status = self.close()
        assert status == 0, f"the server ended with {status}: {self.log.read_text(errors='replace')[-2000:]}"


class Reply:
    def __init__(self, head, body):
        lines = head.decode("latin-1").split("\r\n")
        self.version, status, self.reason = lines[0].split(" ", 2)
        self.status = int(status)
        self.headers = [tuple(line.split(": ", 1)) for line in lines[1:]]
        self.body = body

    def get(self, name):
        values = [v for n, v in self.headers if n == name]
        assert len(values) <= 1, f"{name} stands {len(values)} times"
        return values[0] if values else None

    @property
    def text(self):
        return self.body.decode()


class Closed(Exception):
    pass


class Connection:
    """Sends bytes as they are and reads replies one by one."""

    def __init__(self, port, context=None, address="127.0.0.1", timeout=20, receive_buffer=None):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        raw = socket.socket(family)
        raw.settimeout(timeout)
        if receive_buffer:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        raw.connect((address, port))
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = context.wrap_socket(raw, server_hostname="localhost") if context else raw
        self.buffer = b""

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode("latin-1"))
        return self

    def fill(self):
        try:
            data = self.socket.recv(65536)
        except (ConnectionError, ssl.SSLError) as error:
            raise Closed(str(error)) from error
        if not data:
            raise Closed("end")
        self.buffer += data

    def reply(self, head_only=False):
        while b"\r\n\r\n" not in self.buffer:
            self.fill()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        reply = Reply(head, b"")
        if head_only or reply.status in (100, 204, 304):
            return reply
        length = int(reply.get("Content-Length"))
        while len(self.buffer) < length:
            self.fill()
        reply.body, self.buffer = self.buffer[:length], self.buffer[length:]
        return reply

    def until_read(self):
        """Returns when the server has taken all that was sent off its socket (IPv4)."""
        ours, theirs = self.socket.getsockname()[1], self.socket.getpeername()[1]

        def is_read():
            for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
                local, remote, _, queues = line.split()[1:5]
                if (int(local[-4:], 16), int(remote[-4:], 16)) == (theirs, ours):
                    return int(queues.partition(":")[2], 16) == 0
            return False
        assert eventually(is_read)

    def is_closed(self, within=10.0):
        """Whether the server ends the connection without another byte."""
        self.socket.settimeout(within)
        try:
            self.fill()
        except Closed:
            return True
        except (TimeoutError, socket.timeout):
            return False
        raise AssertionError(f"more came: {self.buffer[:200]}")

    def ask(self, method, path, *lines, body=None, head_only=False):
        head = [f"{method} {path} HTTP/1.1", "Host: localhost", *lines]
        if body is not None:
            head.append(f"Content-Length: {len(body)}")
        self.send("\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + (body or b""))
        return self.reply(head_only or method == "HEAD")

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()


def client_context(chain, version=None, certificate=None):
    context = ssl.create_default_context(cafile=str(chain))
    if version:
        context.minimum_version = context.maximum_version = version
    if certificate:
        context.load_cert_chain(*map(str, certificate))
    return context


@contextlib.contextmanager
def took(least, most):
    """The block lasts that many seconds."""
    begun = time.monotonic()
    yield
    lasted = time.monotonic() - begun
    assert least <= lasted <= most, f"it took {lasted:.2f} s, not {least} to {most} s"


def eventually(fact, within=20.0):
    """Whether it comes true in time."""
    until = time.monotonic() + within
    while not fact():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True
