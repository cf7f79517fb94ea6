"""Connections that have nothing in hand while others wait for a thread: parked, not ended, and as good as new when they
speak. The server is tests/wire/http_server.c."""

import contextlib
import pathlib
import resource
import socket
import ssl
import threading
import time

import pytest

from http_wire import Closed, Connection, HttpServer, client_context, eventually, make_certificate, took

HEAD = "GET /hello HTTP/1.1\r\nHost: localhost\r\n"


def is_served(connection):
    return connection.ask("GET", "/hello").status == 200


def close_all(connections):
    for c in connections:
        c.close()


@pytest.mark.parametrize("tls", [False, True])
def test_idle_connections_make_room_and_stay(tmp_path, tls):
    with HttpServer(tmp_path, threads=3, keep_alive_ms=20000, header_ms=20000) as server:
        def connect():
            return Connection(server.ports[tls], client_context(server.chain) if tls else None)
        kept = []
        for _ in range(23):
            kept.append(connect())
            assert is_served(kept[-1])
        counters = server.counters()
        assert counters["parked"] >= 20 and counters["active"] == 23 and counters["gave_way"] == 0
        for _ in range(5):
            assert all(map(is_served, kept))
        close_all(kept)
        assert eventually(lambda: server.counters()["active"] == 0)
        assert server.counters()["parked"] == 0


def test_client_certificate_is_still_known(tmp_path):
    certificate = make_certificate(tmp_path, "device")
    with HttpServer(tmp_path, ("tls=127.0.0.1",), threads=1, keep_alive_ms=20000) as server:
        context = client_context(server.chain, certificate=certificate)
        with Connection(server.ports[0], context) as device:
            first = device.ask("GET", "/facts").text.splitlines()
            other = Connection(server.ports[0], client_context(server.chain))
            for _ in range(3):
                assert "chain=0" in other.ask("GET", "/facts").text
                again = device.ask("GET", "/facts").text.splitlines()
                assert "chain=1" in again
                assert [x for x in again if not x.startswith("id=")] == [x for x in first if not x.startswith("id=")]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_busy_connections_share_the_threads(tmp_path, version):
    """More clients than threads, each asking again and again: all are served, by turns, and nobody is ever cut off."""
    served, faults = [0] * 16, []

    def client(i, server, until):
        context = client_context(server.chain, version) if i % 2 else None
        try:
            with Connection(server.ports[i % 2], context) as c:
                while time.monotonic() < until:
                    reply = c.ask("POST", "/echo", body=b"%d" % served[i])
                    assert reply.status == 201 and reply.body == b"%d" % served[i] and reply.get("Connection") != "close"
                    served[i] += 1
        except (Closed, OSError, AssertionError) as e:
            faults.append((i, repr(e)))

    with HttpServer(tmp_path, threads=4, keep_alive_ms=20000) as server:
        until = time.monotonic() + 4
        threads = [threading.Thread(target=client, args=(i, server, until)) for i in range(len(served))]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert server.counters()["connections"] == len(served)
    assert not faults and min(served) * 20 > max(served), (faults, served)


def test_pipelined_requests_are_not_lost(tmp_path):
    with HttpServer(tmp_path, threads=1, keep_alive_ms=20000) as server:
        with Connection(server.ports[0]) as a:
            assert is_served(a)
            b = Connection(server.ports[1], client_context(server.chain))
            assert is_served(b)
            for _ in range(5):
                for c in (a, b):
                    c.send(HEAD + "\r\n" + HEAD + "\r\n" + HEAD + "\r\n")
                for c in (a, b):
                    assert [c.reply().status for _ in range(3)] == [200] * 3


def test_half_a_record_is_not_lost(tmp_path):
    """A parked connection's client that sends what is half of a record, and the rest much later."""
    with HttpServer(tmp_path, threads=1, keep_alive_ms=20000, header_ms=20000) as server:
        into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = client_context(server.chain).wrap_bio(into, out, server_hostname="localhost")
        halves = Connection(server.ports[1])
        with pytest.raises(ssl.SSLWantReadError):
            tls.do_handshake()
        halves.send(out.read())
        into.write(halves.socket.recv(65536))
        tls.do_handshake()
        for parted in (False, True, True):
            tls.write((HEAD + "\r\n").encode())
            sent = out.read()
            for part in (sent[:3], sent[3:20], sent[20:]) if parted else (sent,):
                halves.send(part)
                if parted:
                    with Connection(server.ports[0]) as other:
                        assert is_served(other)
            into.write(halves.socket.recv(65536))
            assert tls.read(1000).startswith(b"HTTP/1.1 200")
        halves.close()


@pytest.mark.parametrize("tls", [False, True])
def test_deadlines_go_on(tmp_path, tls):
    """Of who was served and is parked; a word in time is heard."""
    with HttpServer(tmp_path, threads=1, keep_alive_ms=4000) as server:
        kept = []
        with took(3.9, 12):
            for _ in range(3):
                kept.append(Connection(server.ports[tls], client_context(server.chain) if tls else None))
                assert is_served(kept[-1])
            time.sleep(2)
            assert is_served(kept[1])
            assert kept[0].is_closed() and kept[2].is_closed()
        assert is_served(kept[1])
        assert server.counters()["timeouts"] == 0  # nothing was owed
        close_all(kept)


def test_parked_connections_count_for_their_address(tmp_path):
    with HttpServer(tmp_path, threads=2, per_address=6, keep_alive_ms=20000) as server:
        kept = [Connection(server.ports[0]) for _ in range(6)]
        assert all(map(is_served, kept))
        with Connection(server.ports[0]) as c:
            assert c.is_closed()
        kept.pop().close()
        assert eventually(lambda: server.counters()["active"] == 5)
        with Connection(server.ports[0]) as c:
            assert is_served(c)
        close_all(kept)


def with_files(count, *arguments, **options):
    """A server that may open so many files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))
    try:
        return HttpServer(*arguments, **options)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_who_is_parked_longest_leaves_where_there_is_no_room(tmp_path):
    """A process that may open 256 files parks 64 connections."""
    with with_files(256, tmp_path, threads=2, keep_alive_ms=20000) as server:
        kept = []
        for _ in range(80):
            kept.append(Connection(server.ports[0]))
            assert is_served(kept[-1])
        assert eventually(lambda: server.counters()["active"] <= 68)
        counters = server.counters() # each of the two threads may have seen the last place
        assert counters["parked"] <= 66 and counters["gave_way"] == 80 - counters["active"] >= 12
        assert eventually(lambda: server.counters()["gave_way"] == sum(c.is_closed(0.01) for c in kept[:24]))
        assert all(map(is_served, kept[-40:]))
        close_all(kept)


def ask_for(port, target):
    c = Connection(port, timeout=60)
    c.send(f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    return c


def test_nobody_is_accepted_while_the_queue_is_full(tmp_path):
    """With 256 files 112 wait in the server and 88 with the system, until there is room; then all are served, and nobody is cut off."""
    with with_files(256, tmp_path, ("plain=127.0.0.1",), threads=2, keep_alive_ms=20000, header_ms=20000) as server:
        for _ in range(2):
            before = server.counters()
            slow = [ask_for(server.ports[0], "/slow?ms=5000") for _ in range(2)]
            assert eventually(lambda: server.counters()["slow"] == 2)
            crowd = [ask_for(server.ports[0], f"/item/{i}") for i in range(200)]
            assert eventually(lambda: server.counters()["waiting"] == 112)
            while server.counters()["slow"] == 2:
                counters = server.counters()
                assert counters["waiting"] == 112 or counters["slow"] < 2
                assert counters["connections"] - before["connections"] == 2 or counters["slow"] < 2
                time.sleep(0.05)
            assert [c.reply().text.split()[-1] for c in crowd] == [str(i) for i in range(200)]
            assert all(c.reply().status == 200 for c in slow)
            after = server.counters()
            assert after["requests"] - before["requests"] == after["connections"] - before["connections"] == 202
            assert after["gave_way"] == after["refused"] == after["timeouts"] == after["waiting"] == 0
            close_all(crowd + slow)


def flood(server, count, tls, first):
    """So many connections that say no more than this."""
    begun = [Connection(server.ports[tls]) for _ in range(count)]
    for c in begun:
        c.socket.sendall(first)
    time.sleep(0.3)
    return begun


def client_hello():
    context, read, write = ssl.create_default_context(), ssl.MemoryBIO(), ssl.MemoryBIO()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    tls = context.wrap_bio(read, write, server_hostname="localhost")
    with contextlib.suppress(ssl.SSLWantReadError):
        tls.do_handshake()
    return tls, read, write


@pytest.mark.parametrize("tls", [False, True])
def test_silent_connections_hold_no_threads(tmp_path, tls):
    with HttpServer(tmp_path, threads=3, header_ms=20000) as server:
        silent = flood(server, 40, tls, b"")
        with took(0, 1):
            with Connection(server.ports[0]) as c:
                assert is_served(c)
        assert eventually(lambda: server.counters()["parked"] >= 37)
        for c in silent[::7]: # and are served when they speak
            if tls:
                c.socket = client_context(server.chain).wrap_socket(c.socket, server_hostname="localhost")
            assert is_served(c)
        close_all(silent)
        assert eventually(lambda: server.counters()["active"] == 0)
        assert server.counters()["gave_way"] == server.counters()["timeouts"] == 0


def memory(pid):
    """In bytes."""
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) * 1024


def test_silent_connections_have_no_tls(tmp_path):
    """Neither those that came while others waited for a thread, nor those that came one by one: TLS would take 30 kB of each."""
    with HttpServer(tmp_path, threads=3, header_ms=20000) as server:
        with Connection(server.ports[1], client_context(server.chain)) as c:
            assert is_served(c)
        before = memory(server.process.pid)
        silent = []
        for i in range(600):
            silent.append(Connection(server.ports[1]))
            if i < 300:
                assert eventually(lambda: server.counters()["waiting"] == 0)
        assert eventually(lambda: server.counters()["parked"] >= 597)
        assert memory(server.process.pid) - before < 600 * 10000
        close_all(silent)


def test_handshakes_that_wait_for_their_clients_hold_no_threads(tmp_path):
    """Begun and left, in the middle of a record and after the server's flight; who then goes on is served."""
    with HttpServer(tmp_path, threads=3, keep_alive_ms=20000, header_ms=20000) as server:
        tls, read, write = client_hello()
        hello = write.read()
        begun = flood(server, 20, True, hello) + flood(server, 20, True, hello[:100])
        with took(0, 8): # half a second for each, three at a time
            for _ in range(3):
                with Connection(server.ports[0]) as c:
                    assert is_served(c)
        peer = begun[7].socket
        while True:
            read.write(peer.recv(65536))
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                pass
        tls.write(b"GET /hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        peer.sendall(write.read())
        got = b""
        while b"\r\n\r\n" not in got:
            read.write(peer.recv(65536))
            with contextlib.suppress(ssl.SSLWantReadError):
                got += tls.read(4096)
        assert got.startswith(b"HTTP/1.1 200 ")
        assert server.counters()["gave_way"] == 0
        close_all(begun)


def test_handshakes_that_are_parked_end_in_time(tmp_path):
    with HttpServer(tmp_path, threads=2, header_ms=3000) as server:
        hello = client_hello()[2].read()
        begun = flood(server, 8, True, hello)
        assert eventually(lambda: server.counters()["parked"] >= 5)
        assert eventually(lambda: server.counters()["active"] == 0, 20)
        counters = server.counters()
        assert counters["timeouts"] + counters["gave_way"] == 8 and counters["timeouts"] >= 5
        close_all(begun)


@pytest.mark.parametrize("first", [HEAD, f"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4000\r\n\r\nx"], ids=["head", "body"])
def test_the_more_wait_the_less_is_waited_for(tmp_path, first):
    """45 that are slow, 3 threads: at two seconds each, who comes last would wait for 30."""
    with HttpServer(tmp_path, threads=3, keep_alive_ms=20000, header_ms=20000, body_ms=20000) as server:
        slow = flood(server, 45, False, first.encode())
        with took(1, 20), Connection(server.ports[0], timeout=20) as c:
            assert is_served(c)
        close_all(slow)


def test_drain_ends_those_that_are_parked(tmp_path):
    with HttpServer(tmp_path, threads=2, keep_alive_ms=20000) as server:
        kept = []
        for i in range(20):
            kept.append(Connection(server.ports[i % 2], client_context(server.chain) if i % 2 else None))
            assert is_served(kept[-1])
        with took(0, 12):
            assert server.command("drain 20000") == "done"
            assert all(c.is_closed() for c in kept)
        close_all(kept)


def test_who_speaks_as_the_server_ends_is_not_forgotten(tmp_path):
    """Called, waiting for the one thread, and then the end: closed, not leaked (a sanitizer's build would say)."""
    with HttpServer(tmp_path, threads=1, keep_alive_ms=20000) as server:
        kept = []
        for _ in range(10):
            kept.append(Connection(server.ports[0]))
            assert is_served(kept[-1])
        kept[0].send("GET /slow?ms=2000 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert eventually(lambda: server.counters()["slow"] == 1)
        for c in kept[1:]:
            c.send(HEAD + "\r\n")
        assert eventually(lambda: server.counters()["waiting"] == 9)
        assert server.counters()["slow"] == 1
        assert server.command("drain 100") == "done"
        close_all(kept)


def test_grace_of_a_handshake_begins_when_its_client_speaks(tmp_path):
    """Not when a thread took the connection, which said nothing for longer than that."""
    with HttpServer(tmp_path, threads=2, keep_alive_ms=20000, header_ms=20000) as server:
        def connect():
            return socket.create_connection(("127.0.0.1", server.ports[True]), timeout=60)
        late, inward, outward = connect(), ssl.MemoryBIO(), ssl.MemoryBIO()
        with took(0, 12):
            for _ in range(3): # others want the threads
                assert is_served(Connection(server.ports[False]))
        time.sleep(5.5)
        tls = client_context(server.chain).wrap_bio(inward, outward, server_hostname="localhost")
        with pytest.raises(ssl.SSLWantReadError):
            tls.do_handshake()
        hello = outward.read()
        late.sendall(hello)
        time.sleep(0.2)
        crowd = [connect() for _ in range(8)]
        for c in crowd: # who begin, and go no further
            c.sendall(hello)
        time.sleep(1) # a device computes
        while True:
            data = late.recv(65536)
            assert data, "it was cut off"
            inward.write(data)
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                pass
        late.sendall(outward.read())
        tls.write((HEAD + "\r\n").encode())
        late.sendall(outward.read())
        assert late.recv(65536)
        close_all([late, *crowd])
