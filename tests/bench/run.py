"""`make bench`: one run, all on this machine: the floor, enrolld, and the ACME servers that Debian
packages, on the same work by the same load generator. BENCH_COUNT sets the certificates of a run,
BENCH_ROUNDS the runs of which a row is the one with the median CPU."""

import contextlib
import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/lib"))

from harness import Server, free_port  # noqa: E402

BUILD = pathlib.Path(sys.argv[1])
COUNT = int(os.environ.get("BENCH_COUNT", "200"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
STALLED = 60    # seconds
CLIENTS = [1, 2, 4, 8, 64]
NAMES_MAX = 20000


def load(directory, tls_ca, root, http_port, dns_port, clients, pid, *how):
    """One run; how: its tag, and whether it polls. None: the server stalled."""
    command = [BUILD / "tests/bench/bench_acme", directory, tls_ca, root, http_port, dns_port, clients, COUNT, pid, *how]
    try:
        done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=STALLED)
    except subprocess.TimeoutExpired:
        return None
    if done.returncode:
        raise SystemExit(f"bench_acme failed: {done.stderr}")
    return json.loads(done.stdout)


def row(clients, run):
    """The run with the median CPU of those that ended; `run` is given the round. Whoever stalls in the first has had its chance."""
    runs = [run(0)]
    if runs[0]:
        runs += [run(number) for number in range(1, ROUNDS)]
    ended = sorted((r for r in runs if r), key=lambda r: r["cpu_ms"])
    found = ended[len(ended) // 2] if ended else {"clients": clients}
    return {**found, "stalled": len(runs) - len(ended)}


def rss_mb(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def start_ms(server):
    """From exec to the first answered request, least of three."""
    best = 1e9
    for _ in range(3):
        began = time.monotonic()
        server.start()
        best = min(best, (time.monotonic() - began) * 1000)
        server.stop()
    return best


def enrolld():
    dns = free_port()
    with contextlib.closing(Server({"acme": {"resolvers": [f"127.0.0.1@{dns}"]}})) as server:
        started = start_ms(server)
        server.start()
        time.sleep(0.5)
        idle = rss_mb(server.process.pid)

        def rows(tag, *polls):
            return [row(clients, lambda n, c=clients: load(server.directory, server.root_pem, server.root_pem, server.http01_port, dns,
                                                           c, server.process.pid, f"{tag}{c}r{n}", *polls)) for clients in CLIENTS]
        return rows("e"), rows("u", "polls"), f"idle memory {idle:.1f} MB, start to first answer {started:.0f} ms"


def self_signed(folder):
    """A certificate for localhost that a peer serves TLS with."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                    "-keyout", folder / "key.pem", "-out", folder / "cert.pem", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost"], check=True, capture_output=True)
    return folder / "cert.pem", folder / "key.pem"


@contextlib.contextmanager
def running(command, folder, env=None):
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen([str(c) for c in command], stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                   env={**os.environ, **(env or {})})
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)


def wait_for_port(port):
    import socket
    for _ in range(200):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise SystemExit(f"nothing listens on {port}")


def pebble_run(clients, tag):
    """On a Pebble of its own: one that has stalled answers nobody any more."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        certificate, key = self_signed(folder)
        port, dns, http = free_port(), free_port(), free_port()
        (folder / "config.json").write_text(json.dumps({"pebble": {
            "listenAddress": f"127.0.0.1:{port}", "managementListenAddress": f"127.0.0.1:{free_port()}", "certificate": str(certificate),
            "privateKey": str(key), "httpPort": http, "tlsPort": free_port(), "ocspResponderURL": ""}}))
        command = ["pebble", "-config", folder / "config.json", "-dnsserver", f"127.0.0.1:{dns}"]
        with running(command, folder, {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0", "PEBBLE_AUTHZREUSE": "0"}) as process:
            wait_for_port(port)
            return load(f"https://localhost:{port}/dir", certificate, "-", http, dns, clients, process.pid, tag)


def pebble():
    return [row(clients, lambda n, c=clients: pebble_run(c, f"p{c}r{n}")) for clients in CLIENTS], "everything in memory, RSA CA"


CADDYFILE = """{{
	admin off
	skip_install_trust
	auto_https disable_redirects
	storage file_system {folder}/storage
	default_bind 127.0.0.1
	https_port {port}
}}
https://localhost:{port} {{
	tls {cert} {key}
	acme_server
}}
"""


def caddy_inside(folder):
    """In a namespace of its own, where port 80 is free to bind and /etc/hosts knows the names."""
    folder = pathlib.Path(folder)
    port = 8443
    certificate, key = self_signed(folder)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    names = [f"127.0.0.1 n{i}.c{c}.bench.example.com" for c in CLIENTS for i in range(COUNT)]
    (folder / "hosts").write_text("\n".join(["127.0.0.1 localhost", *names[:NAMES_MAX], ""]))
    subprocess.run(["mount", "--bind", folder / "hosts", "/etc/hosts"], check=True)
    (folder / "Caddyfile").write_text(CADDYFILE.format(folder=folder, port=port, cert=certificate, key=key))
    environment = {"HOME": str(folder), "XDG_DATA_HOME": str(folder)}
    with running(["caddy", "run", "--adapter", "caddyfile", "--config", folder / "Caddyfile"], folder, environment) as process:
        wait_for_port(port)
        time.sleep(1)
        rows = [row(clients, lambda n, c=clients: load(f"https://localhost:{port}/acme/local/directory", certificate, "-", 80, 0, c,
                                                       process.pid, f"c{c}"))
                for clients in CLIENTS]
    print(json.dumps(rows))


def caddy():
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(["unshare", "--map-root-user", "--net", "--mount", sys.executable, __file__, str(BUILD), "caddy", folder],
                              capture_output=True, text=True)
        if done.returncode:
            log = pathlib.Path(folder) / "log"
            raise SystemExit(f"caddy: {done.stderr}\n{log.read_text()[-2000:] if log.exists() else ''}")
        return json.loads(done.stdout.splitlines()[-1]), "durable, file storage and bbolt"


def version(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    lines = (done.stdout + done.stderr).splitlines()
    return lines[0] if lines else "?"


def package(name):
    return version("dpkg-query", "-W", "-f", "${Version}", name)


def table(name, rows, note, floor):
    print(f"\n{name} ({note})\n")
    print("| clients | certificates/s | p50 ms | p99 ms | server CPU ms/certificate | x bare | x plain | signed requests | memory MB |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for r in rows:
        if "cpu_ms" not in r:
            print(f"| {r['clients']} | stalled: no end within {STALLED} s | | | | | | | |")
            continue
        bare, plain = floors(floor, r["requests"])
        print(f"| {r['clients']} | {r['per_second']:.0f} | {r['p50_ms']:.1f} | {r['p99_ms']:.1f} | {r['cpu_ms']:.2f} | "
              f"{r['cpu_ms'] / bare:.2f} | {r['cpu_ms'] / plain:.2f} | {r['requests']:.1f} | {r['rss_mb']:.1f} |")
    for r in rows:
        if r["stalled"] and "cpu_ms" in r:
            print(f"\n{r['stalled']} of {ROUNDS} runs with {r['clients']} clients did not end within {STALLED} s.")


def floors(floor, requests):
    bare = (requests * floor["verify_us"] + floor["verify_us"] + floor["sign_us"]) / 1000
    plain = (requests * floor["verify_plain_us"] + floor["csr_plain_us"] + floor["certificate_plain_us"]) / 1000
    return bare, plain


def main():
    floor = json.loads(subprocess.run([BUILD / "tests/bench/bench_floor"], capture_output=True, text=True, check=True).stdout)
    print(f"{platform.machine()}, {os.cpu_count()} cores, OpenSSL {package('libssl3')}, {version('gcc', '--version')}; "
          f"{COUNT} certificates a run, {ROUNDS} runs a row, P-256 keys, ES256 accounts, one name each")
    print(f"floor: {json.dumps(floor)}")
    ours, polled, note = enrolld()
    table("enrolld", ours, note, floor)
    table("enrolld, by clients that poll", polled, "authorization and order read again, as most clients do", floor)
    for name, run in (("Pebble", pebble), ("Caddy acme_server", caddy)):
        if not shutil.which(name.split()[0].lower()):
            print(f"\n{name}: not installed")
            continue
        rows, note = run()
        table(f"{name} {package(name.split()[0].lower())}", rows, note, floor)
        shares = [mine["cpu_ms"] / r["cpu_ms"] for mine, r in zip(ours, rows, strict=True) if "cpu_ms" in r]
        print(f"\nenrolld's CPU a certificate is {100 * statistics.median(shares):.0f}% of {name}'s (median over the rows)")


if __name__ == "__main__":
    if len(sys.argv) > 2 and sys.argv[2] == "caddy":
        caddy_inside(sys.argv[3])
    else:
        main()
