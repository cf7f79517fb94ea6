"""Webhooks: events of the audit log at a receiver that fails, stalls and redirects, across restarts of the server."""

import datetime
import hashlib
import hmac
import http.server
import json
import re
import signal
import socket
import ssl
import subprocess
import threading
import time

import pytest

from acme_raw import Client, make_csr
from api_client import Api, Refused, make_token
from harness import BINARY, ROOT, ChallengeServer, Server, WebServer

FAST = {"webhook": {"allow": ["127.0.0.0/8"], "retry_first": "1s", "retry_max": "2s", "timeout": "1s"},
        "api": {"requests_per_token": {"burst": 0}},
        "profiles": [{"name": "tls-server", "methods": ["acme", "api"]}, {"name": "other", "methods": ["api"]},
                     {"name": "guarded", "methods": ["acme"], "approvals": 1},
                     {"name": "soon", "methods": ["api"], "expiry_alerts": ["2h", "30m"]},
                     {"name": "silent", "methods": ["api"], "expiry_alerts": ["none"]}]}


class Receiver:
    """Takes what is posted; `answer` says how: a status, or a function of the handler that answers itself."""

    def __init__(self, answer=200, context=None, port=0):
        self.requests, self.answer, self.lock = [], answer, threading.Lock()
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with owner.lock:
                    owner.requests.append((dict(self.headers.items()), body, self.path))
                    answer = owner.answer
                if callable(answer):
                    answer = answer(self)
                if answer is None:
                    return
                self.send_response(answer)
                for name, value in getattr(self, "more", {}).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def do_GET(self):
                with owner.lock:
                    owner.requests.append((dict(self.headers.items()), None, self.path))
                self.send_error(400)

            def log_message(self, *args):
                pass

        class Http(WebServer):
            def handle_error(self, *args):
                pass

        self.server = Http(("127.0.0.1", port), Handler)
        self.port = self.server.server_address[1]
        if context:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/hook?key=hidden"

    def bodies(self):
        """Without those about certificates that the server makes for itself, whenever it does."""
        with self.lock:
            bodies = [json.loads(body) for _, body, _ in self.requests if body is not None]
        return [b for b in bodies if b.get("certificate", {}).get("method") != "internal"]

    def wait(self, count, seconds=60):
        """The first events, each once: an event can come again, but not out of its order."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if len(unique(self.bodies())) >= count:
                break
            time.sleep(0.02)
        found = unique(self.bodies())
        assert len(found) >= count, found
        return found

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def unique(bodies):
    seen = {}
    for body in bodies:
        seen.setdefault(body["id"], body)
    return list(seen.values())


def verify(secret, headers, body, now=None, tolerance=300):
    parts = [p.split("=", 1) for p in headers["Enrolld-Signature"].split(",")]
    (t,) = [v for k, v in parts if k == "t"]
    want = hmac.new(secret.encode(), t.encode() + b"." + body, hashlib.sha256).hexdigest()
    return abs((now or time.time()) - int(t)) <= tolerance and any(k == "v1" and hmac.compare_digest(v, want) for k, v in parts)


def until(check, seconds=60):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = check()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError("it did not come about")


@pytest.fixture(scope="module")
def server():
    with Server(FAST) as running:
        yield running


@pytest.fixture(scope="module")
def api(server):
    return Api(server, make_token(server, "admin", "key")[0])


@pytest.fixture
def receiver():
    with Receiver() as running:
        yield running


def create(server, url, *options):
    made = json.loads(server.run("webhook", "create", "--json", *options, url, check=True).stdout)
    return made["id"], made["secret"]


def shown(server, hook):
    (row,) = [r for r in json.loads(server.run("webhook", "list", "--json", check=True).stdout) if r["id"] == hook]
    return row


@pytest.fixture
def hook(server, receiver):
    made = create(server, receiver.url)
    yield made
    server.run("webhook", "revoke", made[0])


def test_an_issued_and_revoked_certificate_is_told_of_signed(server, api, receiver, hook):
    issued = api.issue("a.example")["certificate"]
    api.post(f"certificates/{issued['certificateId']}/revoke", {"revocationReason": "superseded"})
    events = receiver.wait(2)
    assert [e["type"] for e in events] == ["certificate-issued", "certificate-revoked"]
    assert all(e["certificate"]["id"] == issued["certificateId"] and e["webhook"] == hook[0] and e["version"] == 1 for e in events)
    assert events[0]["event"]["about"]["names"] == ["dns:a.example"] and events[1]["event"]["about"]["reason"] == "superseded"
    for headers, body, path in receiver.requests:
        assert verify(hook[1], headers, body) and path == "/hook?key=hidden"
        assert not verify(hook[1], headers, body + b" ") and not verify("other secret of 16", headers, body)
        assert not verify(hook[1], headers, body, now=time.time() + 301)
        assert headers["Content-Type"] == "application/json" and headers["Enrolld-Event-Id"] == json.loads(body)["id"]
        assert headers["Enrolld-Event-Type"] == json.loads(body)["type"] and headers["User-Agent"].startswith("enrolld/")


def test_the_id_is_the_events_hash_in_the_audit_log(server, api, receiver, hook):
    api.issue("b.example")
    (event,) = receiver.wait(1)
    lines = server.run("audit", "export", check=True).stdout.splitlines()
    assert any(json.loads(line)["hash"] == event["id"] and json.loads(line)["event"] == event["event"] for line in lines)


def test_filters(server, api, receiver):
    hook, _ = create(server, receiver.url, "--event", "certificate-revoked,token-*", "--profile", "other")
    first = api.issue("c.example")["certificate"]
    second = api.issue("d.example", profile="other")["certificate"]
    for made in (first, second):
        api.post(f"certificates/{made['certificateId']}/revoke")
    make_token(server, "read")
    make_token(server, "read", profile="other")
    (event,) = receiver.wait(1)
    time.sleep(1)
    assert [e["type"] for e in receiver.bodies()] == ["certificate-revoked"]
    assert event["certificate"]["id"] == second["certificateId"]
    # A revocation names no profile itself: that of the certificate counts.
    server.run("webhook", "change", "--event", "token-created", "--profile", "any", hook, check=True)
    make_token(server, "read")
    assert receiver.wait(2)[1]["type"] == "token-created"
    server.run("webhook", "revoke", hook, check=True)


def test_a_request_that_people_decide(server, receiver):
    hook, _ = create(server, receiver.url, "--profile", "guarded")
    silent, _ = create(server, receiver.url + "&other", "--profile", "other")
    with ChallengeServer(server.http01_port) as web:
        client = Client(server, directory=server.url + "/acme/guarded/directory")
        client.register()
        url, order = client.order(["wait.example"])
        client.solve(order, web)
        client.finalize(order, make_csr(["wait.example"]))
        (made,) = receiver.wait(1)
        assert made["type"] == "request-made" and "certificate" not in made
        server.run("request", "approve", made["event"]["about"]["request"], "--by", "ada", check=True)
        client.wait(url, ("valid",))
    events = receiver.wait(3)
    assert [e["type"] for e in events] == ["request-made", "request-decided", "certificate-issued"]
    assert {e["webhook"] for e in events} == {hook}
    for made in (hook, silent):
        server.run("webhook", "revoke", made, check=True)


@pytest.mark.parametrize("status", [500, 429, 404, 302])
def test_what_was_not_taken_is_tried_again_in_order(server, api, status):
    def refuse(handler):
        handler.more = {"Location": f"http://127.0.0.1:{handler.server.server_address[1]}/elsewhere"}
        return status

    with Receiver(refuse) as receiver:
        hook, _ = create(server, receiver.url)
        ids = [api.issue(f"r{i}.example")["certificate"]["certificateId"] for i in range(3)]
        row = until(lambda: (lambda r: r if r["attempts"] >= 2 else None)(shown(server, hook)))
        metrics = server.get("/metrics").decode()
        assert re.search(rf'enrolld_webhook_failed_tries{{webhook="{hook}",status="failing"}} [1-9]', metrics)
        assert re.search(rf'enrolld_webhook_behind_events{{webhook="{hook}"}} [1-9]', metrics)
        assert row["status"] == "failing" and str(status) in row["lastError"] and row["tries"][0]["status"] == status
        assert str(status) in server.run("webhook", "list", check=True).stdout
        # One event alone was tried, and no redirect was followed.
        assert {b["certificate"]["id"] for b in receiver.bodies()} == {ids[0]}
        assert {path for _, _, path in receiver.requests} == {"/hook?key=hidden"}
        receiver.answer = 204
        assert [e["certificate"]["id"] for e in receiver.wait(3)] == ids
        until(lambda: shown(server, hook)["status"] == "active" and shown(server, hook)["delivered"] == 3)
        server.run("webhook", "revoke", hook, check=True)


def test_retry_after_is_kept_to(server, api):
    def later(handler):
        handler.more = {"Retry-After": "5"}
        return 503

    with Receiver(later) as receiver:
        hook, _ = create(server, receiver.url)
        begun = time.monotonic()
        api.issue("later.example")
        receiver.wait(1)
        receiver.answer = 200
        until(lambda: len(receiver.bodies()) == 2)
        assert 4 <= time.monotonic() - begun <= 30
        server.run("webhook", "revoke", hook, check=True)


def test_one_that_stalls_holds_no_other_up(server, api):
    release = threading.Event()

    def stall(handler):
        release.wait(30)

    with Receiver(stall) as slow, Receiver() as quick:
        hooks = [create(server, slow.url)[0], create(server, quick.url)[0]]
        api.issue("stalled.example")
        assert quick.wait(1, 5)
        row = until(lambda: (lambda r: r if r["attempts"] else None)(shown(server, hooks[0])))
        assert "in time" in row["lastError"]
        release.set()
        slow.answer = 200
        until(lambda: shown(server, hooks[0])["delivered"] == 1)
        for hook in hooks:
            server.run("webhook", "revoke", hook, check=True)


def test_what_a_receiver_writes_is_not_kept(server, api):
    """Neither a body without end nor headers without end cost more than the try."""
    def flood(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", str(1 << 40))
        handler.end_headers()
        try:
            while True:
                handler.wfile.write(b"secret of the inner network " * 1000)
        except OSError:
            handler.close_connection = True

    def headers(handler):
        try:
            handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
            while True:
                handler.wfile.write(b"X-More: " + b"y" * 1000 + b"\r\n")
        except OSError:
            handler.close_connection = True

    with Receiver(flood) as receiver:
        hook, _ = create(server, receiver.url)
        assert api.post(f"/api/v1/webhooks/{hook}/test") == {"taken": True, "status": 200}
        receiver.answer = headers
        tested = api.post(f"/api/v1/webhooks/{hook}/test")
        assert not tested["taken"] and "header" in tested["error"]
        server.run("webhook", "revoke", hook, check=True)
    assert "inner network" not in server.log_text()


def test_receivers_that_stall_leave_threads_to_the_others(receiver):
    """Sixteen that take connections and say nothing, where eight threads send."""
    slow = {**FAST, "webhook": {**FAST["webhook"], "timeout": "4s", "retry_max": "1s"}}
    with Server(slow) as server, socket.create_server(("127.0.0.1", 0), backlog=500) as silent:
        api = Api(server, make_token(server, "admin")[0])
        hooks = [create(server, f"http://127.0.0.1:{silent.getsockname()[1]}/{i}")[0] for i in range(16)]
        create(server, receiver.url)
        api.issue("first.example")
        receiver.wait(1)
        until(lambda: all(shown(server, hook).get("lastError") for hook in hooks))
        begun = time.monotonic()
        for i in range(3):
            api.issue(f"next{i}.example")
            receiver.wait(2 + i)
        assert time.monotonic() - begun < 4


def test_the_environment_names_no_proxy(receiver):
    with Server(FAST) as server:
        server.stop()
        dead = "http://127.0.0.1:9"
        server.start(env={"http_proxy": dead, "HTTP_PROXY": dead, "ALL_PROXY": dead, "all_proxy": dead})
        api = Api(server, make_token(server, "admin")[0])
        create(server, receiver.url, "--profile", "tls-server")
        api.issue("proxy.example")
        receiver.wait(1)


def test_reload_takes_how_webhooks_are_sent(receiver):
    """A connection that is kept is none that new rules let pass."""
    closed = {**FAST, "webhook": {**FAST["webhook"], "allow": ["127.0.0.0/8"], "deny": ["127.0.0.1"]}}
    with Server(FAST) as server:
        api = Api(server, make_token(server, "admin")[0])
        hook, _ = create(server, receiver.url)
        api.issue("before.example")
        receiver.wait(1)
        server.reload(closed)
        api.issue("denied.example")
        until(lambda: "does not connect to 127.0.0.1" in (shown(server, hook).get("lastError") or ""))
        assert not api.post(f"/api/v1/webhooks/{hook}/test")["taken"]
        assert len(receiver.bodies()) == 1
        refused = server.log_text().count("reload refused")
        server.write_config({**FAST, "webhook": {**FAST["webhook"], "retry_first": "1h"}}) # longer than retry_max
        server.process.send_signal(signal.SIGHUP)
        until(lambda: server.log_text().count("reload refused") > refused)
        with pytest.raises(Refused, match="does not connect"):
            api.post("/api/v1/webhooks", {"url": receiver.url})
        server.reload(FAST)
        assert receiver.wait(2)[1]["event"]["about"]["names"] == ["dns:denied.example"]
        assert "a restart is needed" not in server.log_text()


def test_nothing_is_lost_or_reordered_across_kills(receiver):
    with Server(FAST) as server:
        api = Api(server, make_token(server, "admin")[0])
        hook, secret = create(server, receiver.url)
        ids, fails = [], iter(range(1000))

        # Every third is refused, every fifth is cut off in the middle.
        def moody(handler):
            turn = next(fails)
            if turn % 5 == 4:
                handler.close_connection = True
                handler.connection.shutdown(socket.SHUT_RDWR)
                return None
            return 500 if turn % 3 == 2 else 200

        receiver.answer = moody
        for kill in (True, False, True):
            ids += [api.issue(f"k{len(ids) + i}.example")["certificate"]["certificateId"] for i in range(4)]
            until(lambda: len(receiver.bodies()) > 2 * len(ids) // 4)
            server.stop(kill=kill)
            server.start()
        found = receiver.wait(len(ids), 60)
        assert [e["certificate"]["id"] for e in found] == ids
        # What came again came again before anything that is later.
        order = [ids.index(b["certificate"]["id"]) for b in receiver.bodies()]
        assert order == sorted(order)
        assert all(verify(secret, headers, body) for headers, body, _ in receiver.requests)
        until(lambda: shown(server, hook)["status"] == "active" and shown(server, hook)["delivered"] >= len(ids))


def test_it_is_given_up_and_resumed():
    with Server({**FAST, "webhook": {**FAST["webhook"], "retry_max": "1s", "give_up": "3s"}}) as server, Receiver(500) as receiver:
        api = Api(server, make_token(server, "admin")[0])
        hook, _ = create(server, receiver.url, "--profile", "tls-server")
        ids = [api.issue(f"g{i}.example")["certificate"]["certificateId"] for i in range(3)]
        row = until(lambda: (lambda r: r if r["status"] == "stopped" else None)(shown(server, hook)))
        assert "500" in row["lastError"] and "given up" in server.run("webhook", "list", check=True).stdout
        told = json.loads(server.run("audit", "list", "--json", "--kind", "webhook-stopped", check=True).stdout)
        assert told[0]["about"]["webhook"] == hook and "hidden" not in json.dumps(told)
        tried = len(receiver.bodies())
        time.sleep(2.5)
        assert len(receiver.bodies()) == tried
        receiver.answer = 200
        server.run("webhook", "resume", "--skip", hook, check=True)
        until(lambda: len(receiver.bodies()) == tried + 2)
        assert [b["certificate"]["id"] for b in receiver.bodies()[tried:]] == ids[1:]


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/", "https://10.1.2.3/", "http://[::1]:9/", "http://192.168.1.1/", "http://169.254.169.254/latest",
                                 "ftp://example.com/", "http://user:pass@example.com/", "nothing", "http://[::1", "https://[fd00::1]/"])
def test_urls_that_are_refused(url):
    with Server({"api": {"requests_per_token": {"burst": 0}}}) as server:
        assert server.run("webhook", "create", url).returncode == 1
        api = Api(server, make_token(server, "admin")[0])
        with pytest.raises(Refused) as caught:
            api.post("/api/v1/webhooks", {"url": url})
        assert caught.value.status == 400 and "url" in caught.value.fields()
        assert api.get("/api/v1/webhooks") == {"webhooks": []}


def test_a_name_is_judged_by_the_address_it_has():
    """Nothing is allowed here, and localhost is a name: what it resolves to is judged when it is connected to."""
    with Server({"webhook": {"retry_first": "1s"}, "api": {"requests_per_token": {"burst": 0}}}) as server, Receiver() as receiver:
        api = Api(server, make_token(server, "admin")[0])
        made = api.post("/api/v1/webhooks", {"url": f"http://localhost:{receiver.port}/"})
        tested = api.post(f"/api/v1/webhooks/{made['id']}/test")
        assert not tested["taken"] and "loopback" in tested["error"] and receiver.requests == []
        assert server.run("webhook", "test", made["id"]).returncode == 1


def test_tls_is_verified(server, api):
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization
    from api_client import csr, new_key
    key = new_key()
    issued = api.post("certificates", {"profileId": "tls-server", "csr": csr("localhost", key=key)})["certificate"]
    pem = server.folder / "receiver.pem"
    pem.write_text(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                     serialization.NoEncryption()).decode() + issued["certificate"] + issued["certificateChain"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    with Receiver(context=context) as receiver:
        hook, _ = create(server, f"https://localhost:{receiver.port}/")
        tested = api.post(f"/api/v1/webhooks/{hook}/test")
        assert not tested["taken"] and "certificate" in tested["error"].lower() and receiver.requests == []
        # With our own root as the bundle it is good, but for another name still not.
        server.write_config({**FAST, "webhook": {**FAST["webhook"], "ca_bundle": server.root_pem}})
        assert "200" in server.run("webhook", "test", hook, check=True).stdout
        server.run("webhook", "change", "--url", f"https://127.0.0.1:{receiver.port}/", hook, check=True)
        assert server.run("webhook", "test", hook).returncode == 1
        server.write_config(FAST)
        server.run("webhook", "revoke", hook, check=True)


def test_over_the_api(server, api, receiver):
    made = api.post("/api/v1/webhooks", {"url": receiver.url, "events": ["certificate-issued"], "note": "chat", "profiles": ["other"]})
    assert made["secret"].startswith("whs_") and made["status"] == "active"
    path = f"/api/v1/webhooks/{made['id']}"
    assert api.post(path + "/test") == {"taken": True, "status": 200}
    (test,) = receiver.wait(1)
    assert test["type"] == "webhook-test" and verify(made["secret"], *receiver.requests[0][:2])
    shown_now = api.get(path)
    assert "secret" not in shown_now and shown_now["note"] == "chat" and shown_now["profiles"] == ["other"]
    changed = api.call("PATCH", path, {"newSecret": True, "profiles": []})
    assert changed["secret"] != made["secret"] and changed["events"] == ["certificate-issued"]
    api.issue("over.example")
    receiver.wait(2)
    assert verify(changed["secret"], *receiver.requests[1][:2]) and not verify(made["secret"], *receiver.requests[1][:2])
    own = api.call("PATCH", path, {"secret": "0123456789abcdef"})
    assert "secret" not in own
    assert api.post(path + "/resume", {"skip": False})["status"] == "active"
    assert any(w["id"] == made["id"] for w in api.get("/api/v1/webhooks")["webhooks"])
    api.call("DELETE", path)
    for call in (lambda: api.get(path), lambda: api.call("DELETE", path), lambda: api.post(path + "/test"), lambda: api.post(path + "/resume")):
        with pytest.raises(Refused) as caught:
            call()
        assert caught.value.status == 404
    kinds = [e["kind"] for e in json.loads(server.run("audit", "list", "--json", check=True).stdout)
             if e.get("about", {}).get("webhook") == made["id"]]
    assert kinds == ["webhook-created", "webhook-changed", "webhook-changed", "webhook-resumed", "webhook-revoked"]


def test_bad_input_names_the_field(server, api):
    with pytest.raises(Refused) as caught:
        api.post("/api/v1/webhooks", {"url": "http://127.0.0.1:1/", "events": ["certificate-isued", "token-*"], "secret": "short and with spaces",
                                      "profiles": ["nowhere"], "more": 1})
    assert {"more"} <= set(caught.value.fields())
    with pytest.raises(Refused) as caught:
        api.post("/api/v1/webhooks", {"url": "gopher://x/", "events": ["certificate-isued", "token-*"], "secret": "short and with spaces",
                                      "profiles": ["nowhere"]})
    assert set(caught.value.fields()) == {"url", "events[0]", "secret", "profiles[0]"}
    narrow = Api(server, make_token(server, "admin", profile="other")[0])
    with pytest.raises(Refused) as caught:
        narrow.get("/api/v1/webhooks")
    assert caught.value.status == 403


def test_there_is_a_most():
    with Server({**FAST, "webhook": {"allow": ["127.0.0.0/8"]}}) as server:
        api = Api(server, make_token(server, "admin")[0])
        for _ in range(32):
            api.post("/api/v1/webhooks", {"url": "http://127.0.0.1:1/"})
        with pytest.raises(Refused) as caught:
            api.post("/api/v1/webhooks", {"url": "http://127.0.0.1:1/"})
        assert caught.value.status == 409


# --- the page that receivers are written by


def code(language):
    (text,) = re.findall(r"```" + language + r"\n(.*?)```", (ROOT / "docs/webhooks.md").read_text(), re.DOTALL)
    return text


def test_the_examples_of_the_page_verify(server, api, receiver, hook, tmp_path):
    assert api.post(f"/api/v1/webhooks/{hook[0]}/test")["taken"]
    headers, body, _ = receiver.requests[0]
    signature = headers["Enrolld-Signature"]
    old = f"t={int(time.time()) - 301},v1="
    old += hmac.new(hook[1].encode(), old[2:-4].encode() + b"." + body, hashlib.sha256).hexdigest()
    rows = [(hook[1], signature, body, True), (hook[1], signature, body + b"x", False), (hook[1] + "x", signature, body, False),
            (hook[1], old, body, False), (hook[1], signature.replace("v1=", "v1=0"), body, False)]
    space = {}
    exec(code("python"), space)
    for secret, header, content, want in rows:
        assert space["verified"](secret, header, content) == want
        (tmp_path / "body").write_bytes(content)
        shell = subprocess.run(["sh", "-c", code("sh") + 'verified "$@"', "sh", secret, header, str(tmp_path / "body")])
        assert (shell.returncode == 0) == want


def test_the_body_of_the_page_has_the_members_that_are_sent(server, api, receiver, hook):
    page = json.loads(code("json").replace("[...]", "[]"))
    api.issue("page.example")
    (event,) = receiver.wait(1)
    assert set(event) == set(page) and set(page["event"]) <= set(event["event"]) and set(page["certificate"]) <= set(event["certificate"])


# --- certificates that expire


def expiring(server):
    told = json.loads(server.run("audit", "list", "--json", "--kind", "certificate-expiring", check=True).stdout)
    return [e["about"]["certificate"] for e in told]


def test_one_that_expires_soon_is_told_of_once(server, api, receiver, hook):
    issued = api.issue("soon.example", profile="soon", attributes={"ttl": "1h"})["certificate"]["certificateId"]
    silent = api.issue("silent.example", profile="silent", attributes={"ttl": "1h"})["certificate"]["certificateId"]
    # A day is longer than this life: what nobody asked for does not come with the certificate.
    plain = api.issue("plain.example", attributes={"ttl": "1h"})["certificate"]["certificateId"]
    events = receiver.wait(4)
    told, = [e for e in events if e["type"] == "certificate-expiring"]
    assert sorted(e["type"] for e in events if e is not told) == ["certificate-issued"] * 3
    about = told["event"]["about"]
    assert about["certificate"] == issued and about["alert"] == "2h" and told["certificate"]["id"] == issued
    assert {silent, plain}.isdisjoint(expiring(server))
    server.stop(kill=True)
    server.start()
    again = api.issue("other.example")["certificate"]["certificateId"]
    assert receiver.wait(5)[4]["certificate"]["id"] == again
    time.sleep(2)
    assert expiring(server) == [issued]


def test_one_that_was_replaced_is_not_told_of(server, api):
    names = ["one.example", "two.example"]
    newer = api.issue(*names, profile="soon", attributes={"ttl": "3h"})["certificate"]["certificateId"]
    older = api.issue(*reversed(names), profile="soon", attributes={"ttl": "1h"})["certificate"]["certificateId"]
    other = api.issue("one.example", profile="soon", attributes={"ttl": "1h"})["certificate"]["certificateId"]
    until(lambda: other in expiring(server))
    assert {newer, older}.isdisjoint(expiring(server))


def test_a_renewal_of_the_servers_own_that_fails_is_told_of_and_the_alert_comes_all_the_same(receiver):
    kept = {"name": "kept", "methods": ["api"], "keep_keys": True, "renew_before": "3535s", "validity": "1h", "validity_max": "1d"}
    with Server({**FAST, "profiles": [{"name": "tls-server"}, kept]}) as server:
        api = Api(server, make_token(server, "admin")[0])
        create(server, receiver.url, "--profile", "kept")
        made = api.post("certificates", {"profileId": "kept", "attributes": {"commonName": "kept.example"}})["certificate"]["certificateId"]
        server.write_config({**FAST, "profiles": [
            {"name": "tls-server"}, {**kept, "dns": {"allow": ["nothing.example"]}, "expiry_alerts": ["59m"]}]})
        server.process.send_signal(signal.SIGHUP)
        failed = until(lambda: next((e for e in receiver.bodies() if e["type"] == "renewal-failed"), None), 30)
        assert failed["certificate"]["id"] == made and "kept.example" in failed["event"]["about"]["reason"]
        alert = until(lambda: next((e for e in receiver.bodies() if e["type"] == "certificate-expiring"), None), 30)
        assert alert["certificate"]["id"] == made and alert["event"]["about"]["alert"] == "59m"


# --- those of the configuration


def reload(server, extra, log="configuration-reloaded"):
    before = server.run("audit", "list", "--kind", log).stdout.count(log)
    server.write_config(extra)
    server.process.send_signal(signal.SIGHUP)
    until(lambda: server.run("audit", "list", "--kind", log).stdout.count(log) > before)


def rows(server):
    return {r.get("name"): r for r in json.loads(server.run("webhook", "list", "--json", check=True).stdout)}


def test_the_configuration_names_webhooks(receiver, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("0123456789abcdef-file\n")
    secret.chmod(0o600)
    chat = {"name": "chat", "url": receiver.url, "secret": {"file": str(secret)}, "profiles": ["tls-server"], "note": "the team"}
    pipe = {"name": "pipe", "url": receiver.url + "&pipe", "secret": {"environment": "PIPE_SECRET"}, "events": ["token-*"]}
    server = Server({**FAST, "webhooks": [chat, pipe]})
    try:
        server.start(env={"PIPE_SECRET": "0123456789abcdef-pipe"})
        api = Api(server, make_token(server, "admin")[0])
        api.issue("declared.example")
        events = {e["type"]: e for e in receiver.wait(2)}
        now = rows(server)
        assert events["certificate-issued"]["webhook"] == now["chat"]["id"] and events["token-created"]["webhook"] == now["pipe"]["id"]
        assert now["chat"]["note"] == "the team" and now["chat"]["events"] == ["certificate-*", "request-*", "renewal-failed"]
        for headers, body, path in receiver.requests:
            assert verify("0123456789abcdef-pipe" if path.endswith("pipe") else "0123456789abcdef-file", headers, body)
        # Nobody else changes or ends it; testing and resuming are no changes.
        for done in (server.run("webhook", "change", "--note", "x", now["chat"]["id"]), server.run("webhook", "revoke", now["chat"]["id"])):
            assert done.returncode == 1 and "of the configuration" in done.stderr
        with pytest.raises(Refused) as caught:
            api.call("DELETE", f"/api/v1/webhooks/{now['chat']['id']}")
        assert caught.value.status == 409
        server.run("webhook", "test", now["chat"]["id"], check=True)
        # A reload changes what it says differently, and leaves each where it is; a secret of the environment stays.
        made = server.run("audit", "list", "--kind", "webhook-changed").stdout
        reload(server, {**FAST, "webhooks": [{**chat, "events": ["certificate-revoked"]}, pipe]})
        later = rows(server)
        assert later["chat"]["id"] == now["chat"]["id"] and later["chat"]["events"] == ["certificate-revoked"]
        assert later["pipe"]["id"] == now["pipe"]["id"] and later["pipe"]["cursor"] >= now["pipe"]["cursor"]
        assert server.run("audit", "list", "--kind", "webhook-changed").stdout.count("webhook-changed") == made.count("webhook-changed") + 1
        # One that is named no more ends; those of commands stay. A new one with a secret of the environment needs a restart.
        other, _ = create(server, receiver.url)
        reload(server, {**FAST, "webhooks": [chat]})
        assert set(rows(server)) == {"chat", None} and rows(server)[None]["id"] == other
        reload(server, {**FAST, "webhooks": [chat, {**pipe, "name": "late"}]}, "configuration-refused")
        assert "a restart reads its secret" in server.log_text() and set(rows(server)) == {"chat", None}
    finally:
        server.close()


@pytest.mark.parametrize("row,text", [
    ({"url": "http://127.0.0.1/"}, "loopback"), ({"secret": {}}, "expected one of `file`, `environment` and `credential`"),
    ({"secret": {"file": "a", "credential": "b"}}, "expected one of"), ({"events": ["certificate-isued"]}, "webhooks[0].events[0]"),
    ({"profiles": ["nowhere"]}, "webhooks[0].profiles[0]"), ({"url": "nonsense:"}, "webhooks[0].url"), ({"name": "No Name"}, "webhooks[0].name"),
])
def test_what_is_wrong_in_the_configuration_is_told_with_its_place(row, text, tmp_path):
    config = tmp_path / "c.yaml"
    config.write_text(json.dumps({"webhooks": [{"name": "a", "url": "https://receiver.example/", "secret": {"file": "x"}, **row}]}))
    done = subprocess.run([BINARY, "check-config", str(config)], capture_output=True, text=True)
    assert done.returncode == 1 and text in done.stderr, done.stderr


def test_an_imported_certificate_is_told_of_by_the_usual_times(server, api):
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from api_client import new_key
    key, now = new_key(), datetime.datetime.now(datetime.timezone.utc)
    name = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, "elsewhere")])
    pem = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(x509.random_serial_number()) \
        .not_valid_before(now - datetime.timedelta(days=360)).not_valid_after(now + datetime.timedelta(days=5)) \
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("elsewhere.example")]), False).sign(key, hashes.SHA256())
    imported = api.post("certificates/import", {"certificate": pem.public_bytes(serialization.Encoding.PEM).decode()})["id"]
    until(lambda: imported in expiring(server))
    (event,) = [e for e in json.loads(server.run("audit", "list", "--json", "--kind", "certificate-expiring", check=True).stdout)
                if e["about"]["certificate"] == imported]
    assert event["about"]["alert"] == "7d" and event["about"]["daysLeft"] in (4, 5)
