"""The audit log over the wire: what was decided is in it, whole, and what is not there anymore is missed."""

import concurrent.futures
import hashlib
import json
import pathlib
import re
import signal
import subprocess
import sys
import time
import urllib.parse

import pytest
from cryptography import x509

from api_client import Api, Refused as ApiRefused, make_token
from acme_raw import Client, Refused, b64, make_csr, make_key
from harness import ChallengeServer, ROOT, Server


def events(server, *options):
    return json.loads(server.run("audit", "list", "--json", *options, check=True).stdout)


def of_kind(server, kind):
    return events(server, "--kind", kind)


def whole(server):
    found = json.loads(server.run("audit", "verify", "--json", check=True).stdout)
    assert found["whole"] is True
    return found["event"]


def wait_for(server, kind, count=1):
    """Refusals are written a moment after they were given."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = of_kind(server, kind)
        if len(found) >= count:
            return found
        time.sleep(0.1)
    raise AssertionError(f"no {kind}: {events(server, '--last', '10')}")


@pytest.fixture
def client(server):
    made = Client(server)
    made.register(contact=["mailto:a@example.com"])
    return made


def account_of(client):
    return client.kid.rsplit("/", 1)[1]


def issue(client, web, names):
    url, order = client.order(names)
    client.solve(order, web)
    done = client.post(order["finalize"], {"csr": b64(make_csr(names))})
    assert done.json()["status"] == "valid", done.text
    return client.post(done.json()["certificate"], None).text


def test_an_issuance(server, client, web):
    pem = issue(client, web, ["issued.example.com"])
    certificate = x509.load_pem_x509_certificate(pem.encode())
    event = of_kind(server, "certificate-issued")[-1]
    assert event["actor"] == f"account {account_of(client)}"
    assert event["from"] == "127.0.0.1"
    assert event["about"]["names"][0] == "dns:issued.example.com"
    assert int(event["about"]["serial"], 16) == certificate.serial_number
    from cryptography.hazmat.primitives.hashes import SHA256
    assert event["about"]["fingerprint"] == certificate.fingerprint(SHA256()).hex()
    shown = json.loads(server.run("cert", "show", event["about"]["certificate"], "--json", check=True).stdout)
    assert shown["fingerprint"] == event["about"]["fingerprint"]
    whole(server)


def test_each_certificate_has_its_event(server, client, web):
    issue(client, web, ["one.example.com"])
    # OCSP responders' are listed to who asks for them alone
    listed = {c["fingerprint"] for asked in ([], ["--profile", "ocsp-responder"])
              for c in json.loads(server.run("cert", "list", "--json", *asked, check=True).stdout)}
    told = [e["about"]["fingerprint"] for e in of_kind(server, "certificate-issued")]
    assert listed == set(told) and len(told) == len(set(told))


def test_a_refusal(server, client, web):
    url, order = client.order(["right.example.com"])
    client.solve(order, web)
    for _ in range(3):
        with pytest.raises(Refused):
            client.post(order["finalize"], {"csr": b64(make_csr(["right.example.com", "wrong.example.com"]))})
    event = wait_for(server, "certificate-refused")[-1]
    assert event["actor"] == f"account {account_of(client)}"
    assert event["about"]["order"] == url.rsplit("/", 1)[1]
    assert "names-equal" in event["about"]["rules"]
    assert any("wrong.example.com" in reason for reason in event["about"]["reasons"])
    whole(server)


def test_a_revocation_by_its_account_and_by_its_key(server, client, web):
    for by_key in (False, True):
        key = make_key()
        names = ["revoked.example.com"]
        _, order = client.order(names)
        client.solve(order, web)
        done = client.post(order["finalize"], {"csr": b64(make_csr(names, key=key))})
        pem = client.post(done.json()["certificate"], None).text
        certificate = x509.load_pem_x509_certificate(pem.encode())
        from cryptography.hazmat.primitives.serialization import Encoding
        payload = {"certificate": b64(certificate.public_bytes(Encoding.DER)), "reason": 4}
        asker = Client(server, key=key) if by_key else client
        asker.post(asker.directory["revokeCert"], payload)
        event = of_kind(server, "certificate-revoked")[-1]
        assert event["actor"] == ("certificate key" if by_key else f"account {account_of(client)}")
        assert event["from"] == "127.0.0.1"
        assert event["about"]["reason"] == "superseded"
        assert int(event["about"]["serial"], 16) == certificate.serial_number
    whole(server)


def test_accounts(server):
    client = Client(server)
    client.register()
    mine = f"account {account_of(client)}"
    client.post(client.kid, {"contact": ["mailto:b@example.com"]})
    client.post(client.kid, {"status": "deactivated"})
    kinds = [e["kind"] for e in events(server) if e["actor"] == mine]
    assert kinds == ["account-created", "account-changed", "account-deactivated"]


def test_commands_beside_the_server(server):
    made = json.loads(server.run("eab", "create", "--json", "--note", "ours", check=True).stdout)
    server.run("eab", "revoke", made["kid"], check=True)
    created, revoked = of_kind(server, "eab-created")[-1], of_kind(server, "eab-revoked")[-1]
    assert created["about"] == {"eab": made["kid"], "note": "ours"}
    assert revoked["about"]["eab"] == made["kid"]
    assert created["actor"] == revoked["actor"] and created["actor"].startswith("operator ")
    assert made["key"] not in server.run("audit", "export", check=True).stdout
    whole(server)


def test_reloads(server):
    digest = hashlib.sha256(server.config.read_bytes()).hexdigest()
    assert of_kind(server, "server-started")[-1]["about"]["configDigest"] == digest
    server.write_config({"log": {"level": "debug"}})
    server.process.send_signal(signal.SIGHUP)
    taken = wait_for(server, "configuration-reloaded")[-1]
    assert taken["about"]["configDigest"] == hashlib.sha256(server.config.read_bytes()).hexdigest() != digest
    good = server.config.read_text()
    server.config.write_text("no: such: thing")
    server.process.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + 60
    while "reload refused" not in server.log_text() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.2)
    server.config.write_text(good)
    refused = wait_for(server, "configuration-refused")[-1]
    assert refused["about"]["config"] == str(server.config) and refused["about"]["cause"]
    whole(server)


def test_parallel_issuance_and_commands_keep_one_chain():
    with Server() as server, ChallengeServer(server.http01_port) as web:
        def clients(n):
            client = Client(server)
            client.register()
            for i in range(4):
                issue(client, web, [f"n{i}.c{n}.example.com"])

        def commands(_):
            for _ in range(8):
                server.run("eab", "create", check=True)

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda job: job[0](job[1]), [(clients, n) for n in range(6)] + [(commands, 0), (commands, 1)]))
        last = whole(server)
        found = events(server)
        assert [e["seq"] for e in found] == list(range(1, last + 1))
        assert sum(e["kind"] == "certificate-issued" and e["actor"] != "server" and e["about"]["profile"] != "ca" for e in found) == 24
        assert sum(e["kind"] == "eab-created" for e in found) == 16
        assert server.stop() == 0
        assert events(server)[-1]["kind"] == "server-stopped"
        whole(server)


def test_a_killed_server_leaves_a_whole_log():
    with Server() as server, ChallengeServer(server.http01_port) as web:
        client = Client(server)
        client.register()
        issue(client, web, ["before.example.com"])
        server.stop(kill=True)
        before = whole(server)
        assert of_kind(server, "certificate-issued")[-1]["about"]["names"][0] == "dns:before.example.com"
        server.start()
        assert whole(server) > before


# --- as somebody who has nothing but the export

def snippet():
    """The program that docs/audit.md shows."""
    text = (ROOT / "docs/audit.md").read_text()
    return re.search(r"```python\n(.*?)```", text, re.S).group(1)


def check(text, tmp_path):
    program, export = tmp_path / "check.py", tmp_path / "export"
    program.write_text(snippet())
    export.write_text(text)
    return subprocess.run([sys.executable, program, export], text=True, capture_output=True, timeout=60)


def test_an_export_can_be_checked_without_enrolld(server, client, tmp_path):
    text = server.run("audit", "export", check=True).stdout
    lines = text.splitlines(keepends=True)
    assert all(set(json.loads(line)) == {"hash", "event"} for line in lines)
    good = check(text, tmp_path)
    assert good.returncode == 0 and f"{len(lines)} events" in good.stdout, good.stderr
    bent = {
        "changed": text.replace("operator ", "operatOr ", 1),
        "removed": "".join(lines[:2] + lines[3:]),
        "swapped": "".join(lines[:1] + [lines[2], lines[1]] + lines[3:]),
        "doubled": "".join(lines[:2] + lines[1:]),
    }
    for name, wrong in bent.items():
        assert wrong != text and check(wrong, tmp_path).returncode != 0, name
    assert server.run("audit", "verify", str(tmp_path / "export")).returncode == 1
    check(text, tmp_path)
    assert server.run("audit", "verify", str(tmp_path / "export")).returncode == 0


def test_bad_options_change_nothing(server):
    before = whole(server)
    for options in (["list", "--kind", "nothing"], ["list", "--since", "soon"], ["list", "--limit", "-1"],
                    ["verify", "--known", "1:zz"], ["verify", "/nonexistent"], ["export", "--after", "x"]):
        done = server.run("audit", *options)
        assert done.returncode in (1, 2) and done.stderr.startswith("enrolld: ") and not done.stdout, options
    assert whole(server) == before


def test_the_log_over_the_api_is_the_log():
    with Server({"profiles": [{"name": "tls-server"}]}) as server:
        token, _ = make_token(server, "admin")
        api = Api(server, token)
        for i in range(3):
            api.issue(f"log{i}.example")

        def everything(**query):
            found = []
            while True:
                page = api.call("GET", "/api/v1/audit/events?" + urllib.parse.urlencode({"limit": 2, **query}))
                found += page["events"]
                if "next" not in page:
                    return found
                query["after"] = page["next"]

        listed = events(server)
        assert everything() == listed and len(listed) > 6
        assert everything(kind="certificate-issued") == of_kind(server, "certificate-issued") and len(everything(kind="certificate-issued")) >= 3
        assert everything(after=str(listed[-2]["seq"])) == listed[-1:]
        assert everything(since=listed[-1]["time"])[-1] == listed[-1] and everything(since="2100-01-01T00:00:00Z") == []
        for wrong in ("after=x", "after=-1", "after=99999999999999999999999", "kind=nothing", "since=yesterday", "limit=0"):
            with pytest.raises(ApiRefused) as refused:
                api.call("GET", "/api/v1/audit/events?" + wrong)
            assert refused.value.status == 400 and wrong.split("=")[0] in refused.value.fields()
        for roles, more in ((["read", "issue", "key"], {}), (["admin"], {"profile": "tls-server"})):
            with pytest.raises(ApiRefused) as refused:
                Api(server, make_token(server, *roles, **more)[0]).call("GET", "/api/v1/audit/events")
            assert refused.value.status == 403
