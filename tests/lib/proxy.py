"""Proxies, HTTP with CONNECT alone and SOCKS 5 (RFC 1928), and a network behind them that is another than ours: where they
are told to, they connect elsewhere."""

import contextlib
import ipaddress
import select
import socket
import socketserver
import struct
import threading


class Proxy:
    scheme = "http"

    def __init__(self):
        self.asked = []       # "127.0.0.1:8080"
        self.elsewhere = {}   # the same -> (address, port); None: refused
        owner = self

        class Handler(socketserver.StreamRequestHandler):
            rbufsize = 0

            def handle(self):
                with contextlib.suppress(OSError, ValueError, struct.error):
                    owner.serve(self)

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"{self.scheme}://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def connect(self, target):
        """A connection to what was asked for, or to what stands in its place."""
        self.asked.append(target)
        host, port = target.rsplit(":", 1)
        to = self.elsewhere.get(target, (host.strip("[]"), int(port)))
        if not to:
            raise OSError("refused")
        return socket.create_connection(to, timeout=5)

    def serve(self, handler):
        line = handler.rfile.readline().decode()
        while handler.rfile.readline().strip():
            pass
        method, target, _ = line.split()
        try:
            assert method == "CONNECT"
            other = self.connect(target)
        except (OSError, AssertionError):
            handler.wfile.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
            return
        handler.wfile.write(b"HTTP/1.1 200 Connected\r\n\r\n")
        self.relay(handler.connection, other)

    @staticmethod
    def relay(one, other):
        with other:
            while True:
                for ready in select.select([other, one], [], [], 5)[0]:
                    data = ready.recv(65536)
                    if not data:
                        return
                    (one if ready is other else other).sendall(data)

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Socks(Proxy):
    """Without authentication, and CONNECT alone. A name that is to be resolved here is written down as it is."""
    scheme = "socks5"

    def serve(self, handler):
        version, methods = handler.rfile.read(2)
        if version != 5 or 0 not in handler.rfile.read(methods):
            handler.wfile.write(b"\x05\xff")
            return
        handler.wfile.write(b"\x05\x00")
        _, command, _, kind = handler.rfile.read(4)
        size = {1: 4, 4: 16}.get(kind) or handler.rfile.read(1)[0]
        host = handler.rfile.read(size)
        host = str(ipaddress.ip_address(host)) if kind in (1, 4) else host.decode()
        port, = struct.unpack("!H", handler.rfile.read(2))
        try:
            assert command == 1
            other = self.connect(f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
        except (OSError, AssertionError):
            handler.wfile.write(b"\x05\x05\x00\x01" + bytes(6))
            return
        handler.wfile.write(b"\x05\x00\x00\x01" + bytes(6))
        self.relay(handler.connection, other)
