"""The process: start and end, reload, what it tells of itself, and what it keeps from others."""

import concurrent.futures
import datetime
import json
import os
import pathlib
import re
import signal
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from acme_raw import Client, Refused
from harness import BINARY, ROOT, ChallengeServer, Server


def fetch(server, path, port=None):
    """Status, headers and body; from the plain listener when port is given."""
    url = f"http://127.0.0.1:{port}{path}" if port else server.url + path
    try:
        with urllib.request.urlopen(url, context=None if port else server.tls_context(), timeout=60) as reply:
            return reply.status, reply.headers, reply.read()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.headers, refused.read()


def wait_for(condition, seconds=60):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "did not come"
        time.sleep(0.02)


def reload(server, says="event=reloaded"):
    before = server.log_text().count(says)
    server.process.send_signal(signal.SIGHUP)
    server.wait_for_log(says, before)


def shown_certificate(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as raw:
        with ssl._create_unverified_context().wrap_socket(raw, server_hostname="localhost") as tls:
            return x509.load_der_x509_certificate(tls.getpeercert(binary_form=True))


# --- what it tells of itself

def test_health_and_metrics(server):
    assert fetch(server, "/healthz")[::2] == (200, b"alive\n")
    assert fetch(server, "/readyz")[::2] == (200, b"ready\n")
    status, headers, body = fetch(server, "/metrics")
    assert status == 200 and headers["Content-Type"] == "text/plain; version=0.0.4"
    values = dict(re.findall(r"^(\w+(?:\{[^}]*\})?) (\S+)$", body.decode(), re.MULTILINE))
    assert float(values["enrolld_requests_total"]) >= 2
    assert float(values["enrolld_store_commits_total"]) >= 1
    assert float(values['enrolld_issuer_expires_seconds{issuer="issuing"}']) > time.time()
    assert float(values["enrolld_own_certificate_expires_seconds"]) > time.time()
    for name in {v.split("{")[0] for v in values}:
        assert f"# TYPE {name} " in body.decode() and f"# HELP {name} " in body.decode()
    more = dict(re.findall(r"^(\w+) (\S+)$", fetch(server, "/metrics")[2].decode(), re.MULTILINE))
    assert float(more["enrolld_requests_total"]) > float(values["enrolld_requests_total"])


def metrics_status(server, address="127.0.0.1", **headers):
    with socket.create_connection((address, server.plain_port), timeout=60, source_address=(address, 0)) as raw:
        lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        raw.sendall(f"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{lines}\r\n".encode())
        return int(raw.recv(4096).split()[1])


def test_metrics_are_for_this_machine_unless_configured():
    with Server({"status": {"metrics_from": ["127.0.0.0/8"]}}) as own:
        assert '| `[127.0.0.0/8, "::1"]` |' in own.run("check-config", "--print-reference").stdout
        for passed_on in ("Forwarded", "X_Forwarded_For", "Via"):
            assert metrics_status(own, **{passed_on: "for=192.0.2.9"}) == 403
        assert metrics_status(own) == 200
        own.reload({"status": {"metrics_from": ["192.0.2.0/24"]}})
        assert metrics_status(own) == 403
        status, headers, body = fetch(own, "/metrics")
        assert status == 403 and "status.metrics_from" in json.loads(body)["detail"] and b"enrolld_" not in body
        assert fetch(own, "/healthz")[0] == fetch(own, "/readyz")[0] == 200 # of which nobody learns anything
        own.reload({"status": {"metrics_from": []}})
        assert metrics_status(own) == 403
        own.reload({})
        assert metrics_status(own) == 200 and "a restart is needed" not in own.log_text()


def test_ca_certificates_over_plain_http(server):
    status, headers, der = fetch(server, "/ca/issuing.crt", server.plain_port)
    assert status == 200 and headers["Content-Type"] == "application/pkix-cert"
    issuing = x509.load_der_x509_certificate(der)
    status, _, pem = fetch(server, "/root.pem", server.plain_port)
    root = x509.load_pem_x509_certificate(pem)
    assert status == 200 and pem == open(server.root_pem, "rb").read()
    root.public_key().verify(issuing.signature, issuing.tbs_certificate_bytes, ec.ECDSA(issuing.signature_hash_algorithm))
    for path in ("/ca/", "/ca/none.crt", "/ca/issuing", "/ca/issuing.pem", "/ca/issuing.crt/x", "/ca/../root.pem"):
        status, headers, body = fetch(server, path, server.plain_port)
        assert status in (400, 404) and headers["Content-Type"] == "application/problem+json", path
        assert json.loads(body)["status"] == status


def test_listener_serves_its_services_alone():
    listeners = [{"address": "127.0.0.1", "port": 0, "tls": True, "services": ["acme"]},
                 {"address": "127.0.0.1", "port": 0, "tls": False, "services": ["ca"]}]
    server = Server()
    listeners[0]["port"], listeners[1]["port"] = server.port, server.plain_port
    server.write_config({"listeners": listeners})
    with server:
        for path, here, there in (("/acme/directory", 200, 404), ("/root.pem", 404, 200), ("/metrics", 404, 404), ("/healthz", 404, 404)):
            assert fetch(server, path)[0] == here and fetch(server, path, server.plain_port)[0] == there, path


def test_port_0_is_named_in_the_log():
    server = Server()
    server.write_config({"listeners": [{"address": "127.0.0.1", "port": 0, "services": ["acme", "status"]}]})
    server.port = 1
    log = open(server.folder / "log", "ab")
    server.process = subprocess.Popen([BINARY, "serve", "--config", server.config], stdout=log, stderr=log)
    try:
        wait_for(lambda: "event=ready" in server.log_text())
        server.port = int(re.search(r"event=listening \S+ port=(\d+)", server.log_text())[1])
        assert fetch(server, "/healthz")[0] == 200
    finally:
        server.close()


def test_log_as_json():
    with Server({"log": {"format": "json"}}) as server:
        fetch(server, "/healthz")
        wait_for(lambda: "/healthz" in server.log_text() and '"ready"' in server.log_text())
        lines = [json.loads(line) for line in server.log_text().splitlines()]
        assert {"ready", "listening", "request"} <= {line["event"] for line in lines}


def test_log_without_requests():
    with Server({"log": {"requests": False}}) as server:
        fetch(server, "/healthz")
        assert "event=request" not in server.log_text()


# --- start

def test_second_server_is_refused_and_the_first_stays(server):
    second = server.run("serve")
    assert second.returncode == 1
    assert f"{server.folder}/data is in use by another server, process {server.process.pid}" in second.stderr
    assert fetch(server, "/readyz")[0] == 200


def test_port_that_is_taken_is_named(server):
    other = Server()
    try:
        other.write_config({"listeners": [{"address": "127.0.0.1", "port": server.port}]})
        refused = other.run("serve")
        assert refused.returncode == 1
        assert f"cannot listen on 127.0.0.1:{server.port}: Address already in use: another program has it" in refused.stderr
        other.write_config({"listeners": [{"address": "192.0.2.1", "port": 0}]})
        assert "cannot listen on 192.0.2.1:0: Cannot assign requested address: no interface" in other.run("serve").stderr
    finally:
        other.close()


@pytest.mark.parametrize("extra,text", [
    ({"tls": {"certificate": "/nowhere/a.pem", "key": "/nowhere/a.key"}}, "tls.certificate and tls.key: /nowhere/a.pem: No such file"),
    ({"ca": {"issuers": ["nope"]}}, "/ca/nope.pem: there is no CA of this name, which `ca.issuers` names"),
])
def test_file_that_is_not_there_is_told_with_who_names_it(extra, text):
    server = Server()
    try:
        server.write_config(extra)
        refused = server.run("serve")
        assert refused.returncode == 1 and text in refused.stderr
    finally:
        server.close()


def test_wrong_passphrase_and_open_files_are_refused():
    server = Server()
    try:
        path = server.folder / "data/ca/passphrase"
        right = path.read_text()
        path.write_text("wrong\n")
        assert "passphrase does not open" in server.run("serve").stderr
        path.write_text(right)
        path.chmod(0o644)
        assert "mode 0644" in server.run("serve").stderr
        path.unlink()
        assert "No such file" in server.run("serve").stderr
    finally:
        server.close()


@pytest.mark.parametrize("library,webhook,at_start", [("libunbound.so.8", False, True), ("libcurl.so.4", True, True), ("libcurl.so.4", False, False)])
def test_library_that_cannot_be_loaded_is_told_before_the_first_use(tmp_path, library, webhook, at_start):
    (tmp_path / library).write_bytes(b"no library")
    missing = {"LD_LIBRARY_PATH": str(tmp_path)}
    secret = tmp_path / "secret"
    secret.write_text("s" * 40)
    secret.chmod(0o600)
    hooks = [{"name": "audit", "url": "https://hooks.example.com/", "secret": {"file": str(secret)}}]
    with Server({"webhooks": hooks} if webhook else {}) as own:
        checked = own.run("check-config", env={**os.environ, **missing})
        assert checked.returncode == 1 and library in checked.stderr, checked
        own.stop()
        if at_start:
            with pytest.raises(AssertionError, match=library):
                own.start(missing)
        else:
            own.start(missing) # may never be needed
            own.stop()
        own.start()


def test_server_that_waits_has_no_library_that_it_does_not_use():
    if os.geteuid() != 0:
        pytest.skip("what a server has mapped is for root alone to see") # PR_SET_DUMPABLE
    def mapped(own):
        return {name for name in ("libunbound", "libcurl", "libgnutls", "libnettle") if name in pathlib.Path(f"/proc/{own.process.pid}/maps").read_text()}

    with Server({"acme": {"caa_identities": ["ca.example"]}, "profiles": [{"name": "tls-server", "caa": True}]}) as own:
        assert mapped(own) == set()
        with ChallengeServer(own.http01_port) as web:
            client = Client(own)
            client.register()
            client.issue(["a.example.com"], web) # CAA records are a question for libunbound
        assert mapped(own) == {"libunbound", "libnettle"}


def environment_of(server):
    """What others could read of it: nothing at all, unless they are root."""
    try:
        return pathlib.Path(f"/proc/{server.process.pid}/environ").read_text(errors="replace")
    except PermissionError:
        assert os.geteuid() != 0
        return ""


def test_passphrase_from_the_environment_and_from_a_credential(tmp_path):
    (tmp_path / "ca").write_text("correct horse\n")
    (tmp_path / "ca").chmod(0o400)
    for source, env in (({"environment": "CA_PASSPHRASE"}, {"CA_PASSPHRASE": "correct horse"}),
                        ({"credential": "ca"}, {"CREDENTIALS_DIRECTORY": str(tmp_path)})):
        server = Server()
        try:
            (server.folder / "data/ca").rename(server.folder / "data/old")
            server.write_config({"ca": {"passphrase": source}})
            made = server.run("init", env={**os.environ, **env})
            assert made.returncode == 0, made.stderr
            assert not (server.folder / "data/ca/passphrase").exists()
            server.start(env=env)
            assert fetch(server, "/readyz")[0] == 200
            assert "correct horse" not in environment_of(server)
        finally:
            server.close()


def test_serve_init_makes_what_is_missing():
    server = Server()
    try:
        subprocess.run(["rm", "-r", server.folder / "data"], check=True)
        log = open(server.folder / "log", "ab")
        server.process = subprocess.Popen([BINARY, "serve", "--init", "--config", server.config], stdout=log, stderr=log)
        wait_for(lambda: "event=ready" in server.log_text())
        assert fetch(server, "/acme/directory")[0] == 200
        server.stop()
        root = open(server.root_pem).read()
        server.start()
        assert open(server.root_pem).read() == root
    finally:
        server.close()


# --- what it keeps from others

def test_process_keeps_to_itself(server):
    status = open(f"/proc/{server.process.pid}/limits").read()
    assert re.search(r"Max core file size\s+0\s+0\s", status)
    for path in (server.folder / "data").rglob("*"):
        public = path.suffix == ".pem" and path.parent.name == "ca"
        assert path.stat().st_mode & 0o077 == 0 or public, path


def test_own_certificate_is_whole(server):
    subprocess.run(["openssl", "verify", "-x509_strict", "-CAfile", server.root_pem, "-untrusted", server.folder / "data/server.pem",
                    "-purpose", "sslserver", "-verify_hostname", "localhost", server.folder / "data/server.pem"],
                   check=True, capture_output=True)
    names = shown_certificate(server).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]


def test_own_certificate_stays_over_a_restart():
    with Server() as server:
        first = shown_certificate(server).serial_number
        server.stop()
        server.start()
        assert shown_certificate(server).serial_number == first


# --- reload

def test_passphrase_is_changed_as_the_page_says():
    """The lines of docs/operations.md, while the server runs; then it reloads, and starts again, with the new one."""
    lines = re.search(r"(    cd /var/lib/enrolld/ca .*?)\n\n", (ROOT / "docs/operations.md").read_text(), re.DOTALL).group(1)
    with Server() as server:
        ca = pathlib.Path(server.folder) / "data/ca"
        old, keys = (ca / "passphrase").read_text(), {path: path.read_text() for path in ca.glob("*.key")}
        (ca / "token.key").write_text("pkcs11:token=CA;object=other\n")
        done = subprocess.run(["bash", "-e", "-c", lines.replace("/var/lib/enrolld/ca", str(ca))], capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, done.stderr
        (ca / "token.key").unlink()
        assert (ca / "passphrase").read_text() != old and not list(ca.glob("*new"))
        assert len(keys) == 2 and all(path.read_text() != key and path.stat().st_mode & 0o777 == 0o600 for path, key in keys.items())
        reload(server)
        assert server.run("ca", "crl").returncode == 0
        assert server.run("ca", "rekey", "issuing").returncode == 0
        (ca / "passphrase").write_text(old)
        refused = server.run("ca", "rekey", "issuing-2")
        assert refused.returncode == 1 and "the passphrase does not open this key" in refused.stderr

def test_reload_takes_profiles():
    with Server({"profiles": [{"name": "one"}]}) as server:
        assert fetch(server, "/acme/two/directory")[0] == 404
        server.write_config({"profiles": [{"name": "one"}, {"name": "two", "dns": {"deny": ["no.example.com"]}}], "default_profile": "two"})
        reload(server)
        assert fetch(server, "/acme/two/directory")[0] == 200
        client = Client(server)
        client.register()
        with pytest.raises(Refused) as caught:
            client.order(["no.example.com"])
        assert caught.value.type == "rejectedIdentifier"


@pytest.mark.parametrize("text,says", [
    ("profiles: [{name: one, validity: 10y}]", "profile one: validity"),
    ("nonsense: 1", "unknown key"),
    ("{", "not YAML"),
    ("tls: {certificate: /nonexistent.pem, key: /nonexistent.key}", "/nonexistent.pem"),
    ("key_blocklists: [/nonexistent.txt]", "/nonexistent.txt"),
    ("profiles: [{name: one, issuer: other}]\nca: {issuers: [issuing, other]}", "ca/other.pem"),
    (None, "No such file"),
])
def test_bad_file_is_refused_and_the_old_one_stays(text, says):
    with Server({"profiles": [{"name": "kept"}]}) as server:
        before = shown_certificate(server).serial_number
        if text is None:
            server.config.unlink()
        else:
            server.config.write_text(text)
        reload(server, "event=\"reload refused\"")
        assert says in server.log_text()
        assert fetch(server, "/acme/kept/directory")[0] == 200
        assert shown_certificate(server).serial_number == before


def reloads(server):
    return json.loads(server.run("audit", "list", "--json", "--kind", "configuration-reloaded", check=True).stdout)


def test_reload_takes_the_log_level():
    with Server() as server:
        server.write_config({"log": {"level": "debug"}})
        reload(server)
        fetch(server, "/healthz")
        wait_for(lambda: "path=/healthz" in server.log_text())
        server.write_config({"log": {"level": "error"}})
        server.process.send_signal(signal.SIGHUP)
        wait_for(lambda: len(reloads(server)) == 2)
        time.sleep(0.3) # what it does after it has told of it
        before = server.log_text()
        fetch(server, "/healthz")
        time.sleep(0.1)
        assert server.log_text() == before


def write_pair(folder, name):
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
                   .serial_number(x509.random_serial_number()).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
                   .sign(key, hashes.SHA256()))
    (folder / "own.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "own.key").write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                                       serialization.NoEncryption()))
    return certificate.serial_number


def test_reload_takes_the_certificate_without_a_pause():
    with Server() as server:
        serial = write_pair(server.folder, "first")
        server.write_config({"tls": {"certificate": str(server.folder / "own.pem"), "key": str(server.folder / "own.key")}})
        failures, stop = [], []

        def knock():
            while not stop:
                try:
                    shown_certificate(server)
                except OSError as failure:
                    failures.append(failure)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            knocking = [pool.submit(knock) for _ in range(2)]
            reload(server)
            assert shown_certificate(server).serial_number == serial
            serial = write_pair(server.folder, "second") # the same paths, other content
            reload(server)
            assert shown_certificate(server).serial_number == serial
            stop.append(True)
            [k.result() for k in knocking]
        assert not failures


# --- end

def test_end_is_clean_and_frees_the_folder():
    with Server() as server:
        assert server.stop() == 0
        assert "event=ending" in server.log_text()
        server.start()


def test_interrupt_ends_it_too():
    with Server() as server:
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(20) == 0
        server.process = None


def test_requests_in_flight_are_answered_before_the_end(server_draining):
    server, sock, tail = server_draining
    server.process.send_signal(signal.SIGTERM)
    wait_for(lambda: "event=ending" in server.log_text())
    time.sleep(0.2)
    assert server.process.poll() is None
    sock.sendall(tail)
    reply = b""
    while chunk := sock.recv(4096):
        reply += chunk
    assert reply.startswith(b"HTTP/1.1 400 ") and b"Connection: close" in reply
    assert server.process.wait(20) == 0
    server.process = None


def test_second_signal_ends_at_once(server_draining):
    server, _, _ = server_draining
    server.process.send_signal(signal.SIGTERM)
    wait_for(lambda: "event=ending" in server.log_text())
    time.sleep(0.2)
    assert server.process.poll() is None
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(10) == -signal.SIGTERM
    server.process = None


@pytest.fixture
def server_draining():
    """A server that waits for the end of one request's body: it has said that it wants it."""
    with Server({"http": {"drain_timeout": "15s", "body_timeout": "15s"}}) as server:
        raw = socket.create_connection(("127.0.0.1", server.port), timeout=60)
        with server.tls_context().wrap_socket(raw, server_hostname="localhost") as sock:
            body = b"{}"
            sock.sendall(b"POST /acme/tls-server/new-order HTTP/1.1\r\nHost: localhost:%d\r\nContent-Type: application/jose+json\r\n"
                         b"Content-Length: %d\r\nExpect: 100-continue\r\n\r\n" % (server.port, len(body)))
            assert sock.recv(4096) == b"HTTP/1.1 100 Continue\r\n\r\n"
            sock.sendall(body[:1])
            yield server, sock, body[1:]


def test_kill_loses_nothing_that_was_answered():
    with Server() as server:
        client = Client(server)
        client.register()
        orders = [client.order([f"n{i}.example.com"])[0] for i in range(5)]
        server.stop(kill=True)
        server.start()
        for url in orders:
            assert client.post(url).json()["status"] == "pending"


# --- the service manager

def test_service_manager_is_told(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notes:
        notes.bind(str(tmp_path / "notify"))
        notes.settimeout(10)
        server = Server()
        try:
            server.start(env={"NOTIFY_SOCKET": str(tmp_path / "notify")})
            assert notes.recv(200) == b"READY=1"
            server.process.send_signal(signal.SIGHUP)
            assert re.fullmatch(rb"RELOADING=1\nMONOTONIC_USEC=\d+", notes.recv(200))
            assert notes.recv(200) == b"READY=1"
            server.stop()
            assert notes.recv(200) == b"STOPPING=1"
        finally:
            server.close()


def test_unit_file_is_hardened():
    unit = (ROOT / "deploy/enrolld.service").read_text().splitlines()
    for line in ("Type=notify", "DynamicUser=yes", "ProtectSystem=strict", "MemoryDenyWriteExecute=yes", "NoNewPrivileges=yes",
                 "SystemCallFilter=@system-service", "CapabilityBoundingSet=CAP_NET_BIND_SERVICE", "UMask=0077",
                 "ExecReload=/bin/sh -c 'kill -HUP $MAINPID'"):
        assert line in unit, line
