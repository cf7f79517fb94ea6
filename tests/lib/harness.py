"""What whole-server tests stand on: a running enrolld, a DNS server that answers as told, and a
web server for challenge files. Everything listens on loopback, on ports that were free a moment
ago, and stops with the test."""

import contextlib
import http.server
import ipaddress
import itertools
import json
import os
import pathlib
import random
import signal
import socket
import socketserver
import ssl
import struct
import subprocess
import tempfile
import threading
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("ENROLLD", ROOT / "build" / os.environ.get("V", "release") / "enrolld"))


class Ports:
    """Ports for one process at a time: blocks of numbers, each held by the name of a socket while the process lives, so that
    no other run of these tests is told a port that is promised here and not bound yet."""
    SIZE = 128

    def __init__(self):
        self.lock = threading.Lock()
        self.held, self.given = [], iter(())

    def blocks(self):
        """Outside of the ports that the system gives to connections, any of which could have one before it is used."""
        low, high = 32768, 60999
        with contextlib.suppress(OSError):
            low, high = map(int, pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
        if low >= 12000:
            return range(max(10000, low - 12800), low - self.SIZE + 1, self.SIZE)
        return range(high + 1 if high < 60000 else 10000, 65536 - self.SIZE, self.SIZE)

    def more(self):
        """Another block; all that are held anew when each is somebody's."""
        for first in random.sample(self.blocks(), len(self.blocks())):
            name = socket.socket(socket.AF_UNIX)
            try:
                name.bind(f"\0enrolld-test-ports-{first}")
            except OSError:
                name.close()
                continue
            self.held.append((first, name))
            return iter(range(first, first + self.SIZE))
        assert self.held, "all ports are held by other runs"
        return itertools.chain(*(range(first, first + self.SIZE) for first, _ in self.held))

    def take(self, kind):
        with self.lock:
            while True:
                port = next(self.given, None)
                if port is None:
                    self.given = self.more()
                    continue
                with socket.socket(socket.AF_INET, kind) as s, contextlib.suppress(OSError):
                    s.bind(("127.0.0.1", port))
                    return port


ports = Ports()


def free_port(kind=socket.SOCK_STREAM):
    return ports.take(kind)


def merge(base, extra):
    """Deep merge of configuration mappings; lists are replaced."""
    out = dict(base)
    for key, value in (extra or {}).items():
        out[key] = merge(out[key], value) if isinstance(value, dict) and isinstance(out.get(key), dict) else value
    return out


class Dns:
    """Answers every A question with 127.0.0.1, unless told otherwise. UDP only, loopback only."""

    def __init__(self):
        self.records = {}     # name -> list of addresses; [] is NXDOMAIN
        self.questions = []
        self.default = ["127.0.0.1"]
        self.sequence = {}    # name -> list of lists: one for each A question, the last one stays
        dns = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                data, sock = self.request
                with contextlib.suppress(Exception):
                    sock.sendto(dns.answer(data), self.client_address)

        self.server = socketserver.ThreadingUDPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def addresses(self, name, kind):
        turns = self.sequence.get(name)
        if turns:
            return turns.pop(0) if len(turns) > 1 and kind == 1 else turns[0]
        return self.records.get(name, self.default)

    def answer(self, data):
        position, labels = 12, []
        while data[position]:
            labels.append(data[position + 1:position + 1 + data[position]].decode("ascii").lower())
            position += data[position] + 1
        kind, = struct.unpack("!H", data[position + 1:position + 3])
        question = data[12:position + 5]
        name = ".".join(labels)
        self.questions.append((name, kind))
        wanted = {1: 4, 28: 6}.get(kind)
        addresses = self.addresses(name, kind) if wanted else []
        answers = [ipaddress.ip_address(a).packed for a in addresses if ipaddress.ip_address(a).version == wanted]
        missing = wanted and not addresses
        reply = data[:2] + struct.pack("!HHHHH", 0x8580 | (3 if missing else 0), 1, len(answers), 0, 0) + question
        for packed in answers:
            reply += b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 0, len(packed)) + packed
        return reply

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class WebServer(http.server.ThreadingHTTPServer):
    """The library's own, which asks the resolver for its own name before it listens, and lets five connections wait."""
    daemon_threads = True
    request_queue_size = 128

    def server_bind(self):
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]


class ChallengeServer:
    """A web server for http-01: tokens from a mapping, files from a folder, or a handler of one's own."""

    def __init__(self, port, folder=None, address="127.0.0.1"):
        self.answers = {}     # token -> bytes
        self.requests = []    # (path, headers)
        self.custom = None    # callable(handler) -> True when it has answered
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                owner.requests.append((self.path, dict(self.headers.items())))
                if owner.custom and owner.custom(self):
                    return
                token = self.path.rsplit("/", 1)[-1]
                body = owner.answers.get(token)
                if body is None and folder is not None and (pathlib.Path(folder) / token).is_file():
                    body = (pathlib.Path(folder) / token).read_bytes()
                self.send_response(200 if body is not None else 404)
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, *args):
                pass

        class Server(WebServer):
            address_family = socket.AF_INET6 if ":" in address else socket.AF_INET

        self.server = Server((address, port), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Server:
    """One enrolld with its own folder, CA and configuration."""

    def __init__(self, extra=None, folder=None):
        self.temporary = None if folder else tempfile.TemporaryDirectory(prefix="enrolld-test-")
        self.folder = pathlib.Path(folder or self.temporary.name)
        self.dns = Dns()
        self.port = free_port()
        self.plain_port = free_port()
        self.http01_port = free_port()
        self.tls_alpn_port = free_port()
        self.extra = extra or {}
        self.process = None
        self.config = self.folder / "enrolld.yaml"
        self.write_config()
        self.run("init", check=True)

    def default_config(self):
        return {
            "data": {"folder": str(self.folder / "data")},
            "ca": {"urls": f"http://127.0.0.1:{self.plain_port}"},
            "listeners": [
                {"address": "127.0.0.1", "port": self.port, "tls": True, "services": ["acme", "est", "api", "ca", "status"]},
                {"address": "127.0.0.1", "port": self.plain_port, "tls": False, "services": ["ca", "status"]},
            ],
            "tls": {"names": ["localhost", "127.0.0.1"]},
            "acme": {
                "http_01": {"port": self.http01_port, "allow": ["127.0.0.0/8", "::1"], "timeout": "3s", "attempts": 1},
                "tls_alpn_01": {"port": self.tls_alpn_port},
                "resolvers": [f"127.0.0.1@{self.dns.port}"],
                "limits": {k: {"burst": 0} for k in
                           ("accounts_per_address", "orders_per_account", "orders_per_name", "requests_per_address")},
            },
        }

    def write_config(self, extra=None):
        if extra is not None:
            self.extra = extra
        # JSON is YAML.
        self.config.write_text(json.dumps(merge(self.default_config(), self.extra), indent=1))

    def run(self, *args, check=False, **kwargs):
        done = subprocess.run([str(BINARY), *args[:1], "--config", str(self.config), *args[1:]], text=True,
                              capture_output=True, timeout=180, **kwargs)
        if check and done.returncode:
            raise AssertionError(f"enrolld {args} exit {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def start(self, env=None):
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen([str(BINARY), "serve", "--config", str(self.config)], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, env={**os.environ, **(env or {})})
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError("enrolld ended: " + self.log_text())
            with contextlib.suppress(OSError):
                self.get("/acme/directory")
                return self
            time.sleep(0.02)
        raise AssertionError("enrolld does not answer: " + self.log_text())

    def reload(self, config=None):
        """The configuration anew, by SIGHUP, and back when the server has taken it."""
        if config is not None:
            self.write_config(config)
        before = self.log_text().count("event=reloaded")
        self.process.send_signal(signal.SIGHUP)
        self.wait_for_log("event=reloaded", before)

    def wait_for_log(self, says, before):
        """Until the log says it once more. What a reload does is a durable commit too, and a disk that others write to can take its time."""
        deadline = time.monotonic() + 60
        while self.log_text().count(says) <= before:
            assert time.monotonic() < deadline, self.log_text()
            time.sleep(0.02)

    def log_text(self):
        return (self.folder / "log").read_text(errors="replace")

    def stop(self, kill=False):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
            self.process.wait(30)
        status = self.process.returncode if self.process else None
        self.process = None
        return status

    def close(self):
        status = self.stop()
        self.dns.close()
        if self.temporary:
            self.temporary.cleanup()
        assert status in (0, None, -signal.SIGKILL), f"enrolld ended with {status}"

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.close()

    @property
    def url(self):
        return f"https://localhost:{self.port}"

    @property
    def directory(self):
        return self.url + "/acme/directory"

    @property
    def root_pem(self):
        return str(self.folder / "data" / "ca" / "root.pem")

    def tls_context(self):
        return ssl.create_default_context(cafile=self.root_pem)

    def get(self, path):
        with urllib.request.urlopen(self.url + path, context=self.tls_context(), timeout=60) as reply:
            return reply.read()
