"""An HTTP proxy that knows CONNECT alone, and a network behind it that is another than ours: where it is told to,
it connects elsewhere."""

import contextlib
import select
import socket
import socketserver
import threading


class Proxy:
    def __init__(self):
        self.asked = []       # "127.0.0.1:8080"
        self.elsewhere = {}   # the same -> (address, port); None: refused
        owner = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                line = self.rfile.readline().decode()
                while self.rfile.readline().strip():
                    pass
                method, target, _ = line.split()
                owner.asked.append(target)
                host, port = target.rsplit(":", 1)
                to = owner.elsewhere.get(target, (host.strip("[]"), int(port)))
                try:
                    assert method == "CONNECT" and to
                    other = socket.create_connection(to, timeout=5)
                except (OSError, AssertionError):
                    self.wfile.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
                    return
                self.wfile.write(b"HTTP/1.1 200 Connected\r\n\r\n")
                with other, contextlib.suppress(OSError):
                    while True:
                        for ready in select.select([other, self.connection], [], [], 5)[0]:
                            data = ready.recv(65536)
                            if not data:
                                return
                            (self.connection if ready is other else other).sendall(data)

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
