"""A name server that says what it is told to, over UDP and TCP, and lies when told to: wrong ids, wrong types,
answers that change, loops, silence, truncation without TCP."""

import contextlib
import socket
import socketserver
import struct
import threading

import dns.flags
import dns.message
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset


def txt(*strings):
    """The data of one TXT record, its strings as they are."""
    parts = [s if isinstance(s, bytes) else s.encode() for s in strings]
    return b"".join(bytes([len(p)]) + p for p in parts)


class LyingDns:
    def __init__(self, udp=True, tcp=True, address="127.0.0.1", port=0):
        self.records = {}      # (name, "TXT") -> list of master-form texts, or of bytes: raw record data
        self.custom = {}       # name -> callable(query, over_tcp) -> bytes or None (silence)
        self.rcodes = {}       # name -> number
        self.default = ["127.0.0.1"]  # addresses of names that are not listed; [] for NXDOMAIN
        self.questions = []
        self.servers = []
        owner = self

        class Udp(socketserver.BaseRequestHandler):
            def handle(self):
                data, sock = self.request
                with contextlib.suppress(Exception):
                    reply = owner.answer(data, False)
                    for part in reply if isinstance(reply, list) else [reply]:
                        if part:
                            sock.sendto(part, self.client_address)

        class Tcp(socketserver.BaseRequestHandler):
            def handle(self):
                with contextlib.suppress(Exception):
                    while True:
                        head = self.request.recv(2, socket.MSG_WAITALL)
                        data = self.request.recv(struct.unpack("!H", head)[0], socket.MSG_WAITALL)
                        reply = owner.answer(data, True)
                        if not reply:
                            return
                        self.request.sendall(struct.pack("!H", len(reply)) + reply)

        class TcpServer(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            request_queue_size = 128

        # One port for both: that of TCP, if UDP has it free.
        for _ in range(20):
            listener = TcpServer((address, port), Tcp, bind_and_activate=True)
            self.port = listener.server_address[1]
            try:
                datagrams = socketserver.ThreadingUDPServer((address, self.port), Udp)
                break
            except OSError:
                listener.server_close()
        for server, wanted in ((listener, tcp), (datagrams, udp)):
            server.daemon_threads = True
            if wanted:
                self.servers.append(server)
                threading.Thread(target=server.serve_forever, daemon=True).start()
            else:
                server.server_close()

    @property
    def resolver(self):
        return f"127.0.0.1@{self.port}"

    def rrset(self, name, kind):
        values = self.records.get((name, kind))
        if values is None and kind == "A" and (name, "CNAME") not in self.records:
            values = self.default
        if not values:
            return None
        number = dns.rdatatype.from_text(kind)
        datas = []
        for value in values:
            if isinstance(value, bytes):
                datas.append(dns.rdata.GenericRdata(dns.rdataclass.IN, number, value))
            else:
                datas.append(dns.rdata.from_text("IN", kind, value))
        made = dns.rrset.RRset(dns.name.from_text(name), dns.rdataclass.IN, number)
        made.ttl = 60
        for data in datas:
            made.items[data] = None
        return made

    def usual(self, query):
        reply = dns.message.make_response(query)
        reply.flags |= dns.flags.AA | dns.flags.RA
        question = query.question[0]
        name, kind = question.name.to_text().rstrip(".").lower(), dns.rdatatype.to_text(question.rdtype)
        known = any(n == name for n, _ in self.records) or self.default
        reply.set_rcode(self.rcodes.get(name, 0 if known else 3))
        for each in ("CNAME", kind) if kind != "CNAME" else (kind,):
            found = self.rrset(name, each)
            if found is not None:
                reply.answer.append(found)
        return reply

    def answer(self, data, over_tcp):
        query = dns.message.from_wire(data)
        question = query.question[0]
        name = question.name.to_text().rstrip(".").lower()
        self.questions.append((name, dns.rdatatype.to_text(question.rdtype), "tcp" if over_tcp else "udp"))
        if name in self.custom:
            return self.custom[name](query, over_tcp)
        reply = self.usual(query)
        wire = reply.to_wire(max_size=65535)
        if not over_tcp and len(wire) > 1200:
            reply = dns.message.make_response(query)
            reply.flags |= dns.flags.TC
            wire = reply.to_wire()
        return wire

    def close(self):
        for server in self.servers:
            server.shutdown()
            server.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
