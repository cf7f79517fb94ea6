"""What a whole server does with a large inventory, beside one that begins empty: start, memory, searches over the API
and by `enrolld cert list`, the revocation list, an issuance, a backup meanwhile, the check of the audit log.

    inventory_server.py BUILD STORE

STORE is what bench_inventory left with BENCH_KEEP. It is worked on, not on a copy."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/lib"))
BUILD, STORE = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
os.environ.setdefault("ENROLLD", str((BUILD / "enrolld").absolute()))

from api_client import Api, make_token  # noqa: E402
from harness import BINARY, Server  # noqa: E402

ISSUED = 200
SEARCHES = 20
PROFILES = [{"name": name, "methods": ["acme", "api"]} for name in ("tls-server", "device", "tls-client", "service", "rare")]
QUERIES = [
    {"name": "host1000.unit30.corp.example.com"},
    {"profile": "service", "status": "revoked", "name": "host1000.unit30.corp.example.com"},
    {"status": "revoked"},
    {"profile": "tls-server", "status": "revoked"},
    {"profile": "rare", "status": "revoked"},
    {"profile": "rare", "status": "valid"},
    {"profile": "rare", "expiresBefore": "in 60 days"},
    {"profile": "device", "status": "valid"},
    {"profile": "device", "status": "expiring"},
    {"status": "expired"},
    {"method": "acme", "status": "revoked"},
    {"method": "api"},
    {"status": "renewed"},
    {"metadata": "owner=nobody"},
]


def cpu_ms(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def status_mb(pid, field):
    found = re.search(rf"^{field}:\s*(\d+) kB", pathlib.Path(f"/proc/{pid}/status").read_text(), re.M)
    return int(found[1]) / 1024


def ms(values):
    ordered = sorted(values)
    return f"{statistics.median(ordered):.1f} / {ordered[len(ordered) * 95 // 100]:.1f} / {ordered[-1]:.1f} ms"


def started(server):
    began = time.monotonic()
    server.start()
    return (time.monotonic() - began) * 1000


def query_of(query):
    out = dict(query)
    if out.get("expiresBefore"):
        out["expiresBefore"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 60 * 86400))
    return out


def search_pages(api, query):
    """Pages up to the end, at most so many; the times of each, and how many certificates there were."""
    query, took, found = query_of(query), [], 0
    while len(took) < SEARCHES:
        began = time.monotonic()
        page = api.get("certificates", **query)
        took.append((time.monotonic() - began) * 1000)
        found += len(page["certificates"])
        if "next" not in page:
            return took, found, True
        query["after"] = page["next"]
    return took, found, False


def settled(server):
    """Until what it does at the start is done; the CPU of that."""
    while True:
        before = cpu_ms(server.process.pid)
        time.sleep(2)
        if cpu_ms(server.process.pid) - before < 100:
            return before


def issue(api, server, count, tag):
    took, cpu = [], cpu_ms(server.process.pid)
    for number in range(count):
        began = time.monotonic()
        api.issue(f"{tag}{number}.bench.example.com")
        took.append((time.monotonic() - began) * 1000)
    return took, (cpu_ms(server.process.pid) - cpu) / count


def command(server, *args):
    """Its time, and the CPU of it."""
    before = os.times()
    began = time.monotonic()
    done = subprocess.run([str(BINARY), *args[:2], "--config", str(server.config), *args[2:]], capture_output=True, text=True, check=True)
    after = os.times()
    return time.monotonic() - began, after.children_user + after.children_system - before.children_user - before.children_system, done


def timed(server, *args, note=""):
    wall, cpu, done = command(server, *args)
    lines = max(0, done.stdout.count("\n") - 1)
    print(f"| `{' '.join(args)}`{note} | {wall:.2f} s | {cpu:.2f} s | {lines} |", flush=True)


def crl_path(server):
    """Of the issuing CA, as its certificates say."""
    made = Api(server, make_token(server, "issue", "read")[0]).issue("crl.bench.example.com")
    text = subprocess.run(["openssl", "x509", "-noout", "-ext", "crlDistributionPoints"], input=made["certificate"]["certificate"],
                          capture_output=True, text=True, check=True).stdout
    return re.search(r"URI:(\S+)", text)[1]


def revocation_list_now(api, url):
    """Its size and mark; the first one after a start takes a while."""
    deadline = time.monotonic() + 60
    while (reply := api.session.get(url, timeout=60)).status_code == 503 and time.monotonic() < deadline:
        time.sleep(0.1)
    reply.raise_for_status()
    return len(reply.content), reply.headers["ETag"]


def revocation_list(server, api):
    url = crl_path(server)
    size, before = revocation_list_now(api, url)
    made = api.issue("revoked.bench.example.com")
    cpu, began = cpu_ms(server.process.pid), time.monotonic()
    api.post(f"certificates/{made['certificate']['certificateId']}/revoke", {"revocationReason": "superseded"})
    while revocation_list_now(api, url)[1] == before:
        time.sleep(0.2)
        assert time.monotonic() < began + 60
    print(f"\nrevocation list of {size / 1e6:.2f} MB; {time.monotonic() - began:.1f} s from a revocation to the list with it, "
          f"{cpu_ms(server.process.pid) - cpu:.0f} ms of the server's CPU")


def backup(server, api):
    """Issuances while a backup is taken."""
    with tempfile.TemporaryDirectory(dir=STORE.parent) as name:
        results = []
        thread = threading.Thread(target=lambda: results.append(command(server, "backup", str(pathlib.Path(name) / "copy"))))
        thread.start()
        took = []
        while thread.is_alive():
            took += issue(api, server, 10, f"backup{len(took)}-")[0]
        wall, cpu, _ = results[0]
        size = sum(f.stat().st_size for f in (pathlib.Path(name) / "copy").iterdir())
    print(f"backup while issuing: {wall:.1f} s, {cpu:.1f} s of CPU, {size / 1e6:.0f} MB; {len(took)} issuances meanwhile: {ms(took)}", flush=True)


def take_over(server):
    """The store in the place of the server's own."""
    for name in ("data.mdb", "seal.key"):
        (server.folder / "data" / name).unlink()
        os.link(STORE / name, server.folder / "data" / name)
    (server.folder / "data" / "lock.mdb").unlink(missing_ok=True)


def measure(large):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="enrolld-bench-", dir=STORE.parent))
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder)
        server = stack.enter_context(contextlib.closing(Server({"profiles": PROFILES, "default_profile": "tls-server"}, folder=folder)))
        if large:
            take_over(server)
        start = min(started(server) for _ in range(3) if server.stop() or True)
        busy = settled(server)
        idle = status_mb(server.process.pid, "RssAnon")
        api = Api(server, make_token(server, "issue", "read", "revoke", "admin")[0])
        issue(api, server, 20, "warm")
        took, cpu = issue(api, server, ISSUED, "large" if large else "small")
        print(f"\n{'The large store' if large else 'An empty store'}: start to first answer {start:.0f} ms, {busy:.0f} ms of CPU until it is idle, memory idle {idle:.1f} MB; "
              f"an issuance over the API {ms(took)}, {cpu:.2f} ms of the server's CPU", flush=True)
        if large:
            measure_large(server, api)
        print(f"memory at the end {status_mb(server.process.pid, 'RssAnon'):.1f} MB")


def measure_large(server, api):
    print("\n| search over the API | a page: median / p95 / longest | pages | found |\n| --- | ---: | ---: | ---: |")
    for query in QUERIES:
        took, found, end = search_pages(api, query)
        text = " ".join(f"{k}={v}" for k, v in query.items())
        print(f"| {text} | {ms(took)} | {len(took)}{'' if end else ', and more'} | {found} |", flush=True)
    print("\n| command | time | CPU | lines |\n| --- | ---: | ---: | ---: |")
    timed(server, "cert", "list", "--profile", "service", "--status", "revoked", "--name", "host1000.unit30.corp.example.com")
    timed(server, "cert", "list", "--profile", "rare", "--status", "revoked")
    timed(server, "cert", "list", "--profile", "service", "--status", "revoked", "--limit", "1000")
    timed(server, "cert", "list", "--status", "revoked")
    timed(server, "cert", "list", "--profile", "rare", "--expires-before", "60d")
    timed(server, "cert", "list", "--status", "expiring", "--profile", "rare")
    timed(server, "cert", "list", "--metadata", "owner=nobody")
    timed(server, "audit", "verify")
    revocation_list(server, api)
    backup(server, api)


if __name__ == "__main__":
    measure(False)
    measure(True)
