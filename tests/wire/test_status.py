"""What relying parties ask: CRLs and OCSP over plain HTTP, from the URLs in the certificates, judged by
openssl and GnuTLS."""

import base64
import datetime
import hashlib
import json
import re
import socket
import subprocess
import time
import urllib.parse
from email.utils import parsedate_to_datetime

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtensionOID

from acme_raw import Client, b64
from harness import ChallengeServer, Server
from judge import leaf, pem_list

SECONDS = 10  # within which a revocation must be on the list; the server takes two


class Issued:
    """A certificate of the server with its files, as a relying party has them."""

    def __init__(self, folder, chain, root):
        self.chain, self.root, self.folder = chain, root, folder
        self.leaf, self.issuer = (x509.load_pem_x509_certificate(p.encode()) for p in pem_list(chain)[:2])
        self.leaf_pem, self.issuer_pem = folder / "leaf.pem", folder / "issuer.pem"
        self.leaf_pem.write_text(pem_list(chain)[0])
        self.issuer_pem.write_text(pem_list(chain)[1])

    def serial(self):
        text = format(self.leaf.serial_number, "x")
        return "0" * (len(text) % 2) + text

    def access(self, method):
        info = self.leaf.extensions.get_extension_for_oid(ExtensionOID.AUTHORITY_INFORMATION_ACCESS).value
        return next(a.access_location.value for a in info if a.access_method == method)

    @property
    def ocsp_url(self):
        return self.access(AuthorityInformationAccessOID.OCSP)

    @property
    def crl_url(self):
        points = self.leaf.extensions.get_extension_for_oid(ExtensionOID.CRL_DISTRIBUTION_POINTS).value
        return points[0].full_name[0].value

    def request(self, nonce=None, algorithm=None):
        builder = ocsp.OCSPRequestBuilder().add_certificate(self.leaf, self.issuer, algorithm or hashes.SHA1())
        if nonce:
            builder = builder.add_extension(x509.OCSPNonce(nonce), False)
        return builder.build().public_bytes(serialization.Encoding.DER)


@pytest.fixture
def issue(server, web, tmp_path):
    client = Client(server)
    client.register()

    def one(name="www.example.com"):
        folder = tmp_path / f"{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        chain, _ = client.issue([name], web)
        issued = Issued(folder, chain, server.root_pem)
        issued.client = client
        return issued
    return one


def revoke_by_acme(issued, reason=4):
    der = issued.leaf.public_bytes(serialization.Encoding.DER)
    issued.client.post(issued.client.directory["revokeCert"], {"certificate": b64(der), "reason": reason})


def post(issued, body, content_type="application/ocsp-request", url=None):
    return requests.post(url or issued.ocsp_url, data=body, headers={"Content-Type": content_type})


def get(issued, body, quote=True, between="/"):
    text = base64.b64encode(body).decode()
    return raw_get(issued.ocsp_url + between + (urllib.parse.quote(text, safe="") if quote else text))


def raw_get(url, method="GET", **headers):
    """The path as it is written: requests would tidy it up."""
    import http.client
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
    connection.request(method, url[url.index(parts.netloc) + len(parts.netloc):], headers=headers)
    reply = connection.getresponse()
    reply.content = reply.read()
    connection.close()
    return reply


def answer(reply):
    assert reply.headers["Content-Type"] == "application/ocsp-response"
    return ocsp.load_der_ocsp_response(reply.content)


def crl_of(issued):
    return x509.load_der_x509_crl(requests.get(issued.crl_url).content)


def wait_for_crl(issued):
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        crl = crl_of(issued)
        if crl.get_revoked_certificate_by_serial_number(issued.leaf.serial_number):
            return crl
        time.sleep(0.1)
    raise AssertionError("the revocation is on no CRL")


def verify(issued, *options):
    return subprocess.run(["openssl", "verify", "-x509_strict", "-CAfile", issued.root, "-untrusted", issued.issuer_pem,
                           *options, issued.leaf_pem], capture_output=True, text=True)


def save_crl(issued):
    pem = issued.folder / "crl.pem"
    pem.write_bytes(crl_of(issued).public_bytes(serialization.Encoding.PEM))
    return pem


# --- CRLs


def test_pointers_lead_here(server, issue):
    issued = issue()
    base = f"http://127.0.0.1:{server.plain_port}"
    assert issued.crl_url == f"{base}/crl/issuing/0.crl"
    assert issued.ocsp_url == f"{base}/ocsp/issuing"
    issuer = requests.get(issued.access(AuthorityInformationAccessOID.CA_ISSUERS)).content
    assert x509.load_der_x509_certificate(issuer) == issued.issuer


def test_openssl_verify_crl_check(issue):
    """Judged with the list at hand, and with openssl fetching it from the URL in the certificate."""
    issued = issue()
    done = verify(issued, "-crl_check", "-CRLfile", save_crl(issued))
    assert done.returncode == 0, done.stdout + done.stderr
    assert verify(issued, "-crl_check", "-crl_download").returncode == 0
    revoke_by_acme(issued)
    wait_for_crl(issued)
    for options in (["-CRLfile", save_crl(issued)], ["-crl_download"]):
        done = verify(issued, "-crl_check", *options)
        assert done.returncode != 0 and "certificate revoked" in done.stdout + done.stderr


def test_certtool_reads_the_crl(issue):
    issued = issue()
    revoke_by_acme(issued, 1)
    wait_for_crl(issued)
    pem = save_crl(issued)
    info = subprocess.run(["certtool", "--crl-info", "--infile", pem], capture_output=True, text=True)
    assert info.returncode == 0 and "Version: 2" in info.stdout and issued.serial() in info.stdout.replace(":", "").lower()
    done = subprocess.run(["certtool", "--verify-crl", "--load-ca-certificate", issued.issuer_pem, "--infile", pem],
                          capture_output=True, text=True)
    assert done.returncode == 0 and "Verified" in done.stdout, done.stdout
    done = subprocess.run(["certtool", "--verify", "--load-ca-certificate", issued.root, "--load-crl", pem, "--infile",
                           chain_file(issued)], capture_output=True, text=True)
    assert "revoked" in done.stdout + done.stderr


def chain_file(issued):
    path = issued.folder / "chain.pem"
    path.write_text(issued.chain)
    return path


def test_a_revocation_by_another_process_is_seen(server, issue):
    """`enrolld cert revoke` writes the store that the server has open."""
    issued = issue()
    assert answer(get(issued, issued.request())).certificate_status == ocsp.OCSPCertStatus.GOOD
    number = crl_of(issued).extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    server.run("cert", "revoke", issued.serial(), "--reason", "keyCompromise", check=True)
    told = answer(get(issued, issued.request()))
    assert told.certificate_status == ocsp.OCSPCertStatus.REVOKED
    assert told.revocation_reason == x509.ReasonFlags.key_compromise
    crl = wait_for_crl(issued)
    entry = crl.get_revoked_certificate_by_serial_number(issued.leaf.serial_number)
    assert entry.extensions.get_extension_for_class(x509.CRLReason).value.reason == x509.ReasonFlags.key_compromise
    assert crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number > number


def test_many_revocations_share_few_lists(server, issue):
    issued = [issue(f"many{i}.example.com") for i in range(8)]
    first = crl_of(issued[0]).extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    numbers = set()
    for one in issued:
        revoke_by_acme(one)
    for one in issued:
        crl = wait_for_crl(one)
        numbers.add(crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number)
    assert all(n >= first for n in numbers) and len(numbers) <= 3


def test_crl_headers_and_conditions(issue):
    issued = issue()
    reply = requests.get(issued.crl_url)
    crl = x509.load_der_x509_crl(reply.content)
    etag = reply.headers["ETag"]
    assert reply.status_code == 200 and reply.headers["Content-Type"] == "application/pkix-crl"
    assert etag == f'"{hashlib.sha256(reply.content).hexdigest()}"'
    assert parsedate_to_datetime(reply.headers["Last-Modified"]).replace(tzinfo=None) == crl.last_update
    assert parsedate_to_datetime(reply.headers["Expires"]).replace(tzinfo=None) == crl.next_update
    age = int(re.search(r"max-age=(\d+)", reply.headers["Cache-Control"])[1])
    assert 0 < age <= (crl.next_update - crl.last_update).total_seconds()
    head = requests.head(issued.crl_url)
    assert head.status_code == 200 and head.headers["ETag"] == etag and not head.content
    assert int(head.headers["Content-Length"]) == len(reply.content)
    for condition in ({"If-None-Match": etag}, {"If-None-Match": f'"x", W/{etag}'}, {"If-None-Match": "*"},
                      {"If-Modified-Since": reply.headers["Last-Modified"]}):
        same = requests.get(issued.crl_url, headers=condition)
        assert same.status_code == 304 and not same.content and same.headers["ETag"] == etag
    for condition in ({"If-None-Match": '"x"'}, {"If-Modified-Since": "Sun, 06 Nov 1994 08:49:37 GMT"},
                      {"If-None-Match": '"x"', "If-Modified-Since": reply.headers["Last-Modified"]}):
        assert requests.get(issued.crl_url, headers=condition).status_code == 200


def test_a_crl_of_many_records(server, issue):
    """Longer than one TLS record, which is sent apart from the head: whole, also by two readers at once."""
    count = 350
    issued = [issue("long.example.com") for _ in range(count)]
    for one in issued:
        revoke_by_acme(one)
    wait_for_crl(issued[-1])
    crls = [requests.get(issued[0].crl_url).content, requests.get(issued[0].crl_url).content]
    assert crls[0] == crls[1] and len(crls[0]) > 16384
    crl = x509.load_der_x509_crl(crls[0])
    assert crl.is_signature_valid(issued[0].issuer.public_key())
    serials = [r.serial_number for r in crl]
    assert len(set(serials)) == len(serials) and {i.leaf.serial_number for i in issued} <= set(serials)


def test_metrics_of_the_crl(server, issue):
    issued = issue()
    revoke_by_acme(issued)
    wait_for_crl(issued)
    crl, text = crl_of(issued), server.get("/metrics").decode()
    until = int(re.search(r'^enrolld_crl_next_update_seconds\{issuer="issuing"\} (\d+)$', text, re.M)[1])
    assert until == int(crl.next_update.replace(tzinfo=datetime.timezone.utc).timestamp())
    assert int(re.search(r'^enrolld_crl_entries\{issuer="issuing"\} (\d+)$', text, re.M)[1]) == len(crl)


@pytest.mark.parametrize("path,status", [
    ("/crl/issuing/1.crl", 404), ("/crl/issuing/0", 404), ("/crl/other/0.crl", 404), ("/crl/issuing", 404),
    ("/ocsp/other/MEow", 404), ("/ocsp", 404),
])
def test_what_is_not_there(server, path, status):
    assert requests.get(f"http://127.0.0.1:{server.plain_port}{path}").status_code == status


# --- OCSP


def openssl_ocsp(issued, *options):
    """The options stand first: a hash is that of the certificates which follow it."""
    return subprocess.run(["openssl", "ocsp", *options, "-issuer", issued.issuer_pem, "-cert", issued.leaf_pem, "-url", issued.ocsp_url,
                           "-CAfile", issued.root, "-verify_other", issued.issuer_pem], capture_output=True, text=True)


@pytest.mark.parametrize("options", [(), ("-no_nonce",), ("-sha256",), ("-sha256", "-no_nonce")])
def test_openssl_ocsp(issue, options):
    issued = issue()
    done = openssl_ocsp(issued, *options)
    assert done.returncode == 0 and "Response verify OK" in done.stderr and "leaf.pem: good" in done.stdout, done.stdout + done.stderr
    assert "WARNING" not in done.stderr
    revoke_by_acme(issued, 4)
    done = openssl_ocsp(issued, *options)
    assert "Response verify OK" in done.stderr and "leaf.pem: revoked" in done.stdout and "superseded" in done.stdout, done.stdout


def test_gnutls_ocsptool(issue):
    issued = issue()
    for want in ("good", "revoked"):
        for nonce in ("--nonce", "--no-nonce"):
            done = subprocess.run(["ocsptool", "--ask", "--load-cert", issued.leaf_pem, "--load-issuer", issued.issuer_pem, nonce],
                                  capture_output=True, text=True)
            assert f"Certificate Status: {want}" in done.stdout, done.stdout + done.stderr
            assert "Verifying OCSP Response: Success" in done.stdout, done.stdout + done.stderr
        if want == "good":
            revoke_by_acme(issued)


def test_get_and_post_say_the_same(issue):
    issued = issue()
    request = issued.request()
    by_post = post(issued, request)
    for reply in (get(issued, request), get(issued, request, quote=False), get(issued, request, between="//")):
        assert reply.status == 200 and reply.content == by_post.content
    assert answer(by_post).certificate_status == ocsp.OCSPCertStatus.GOOD


def test_get_with_every_character_of_base64(issue):
    """Slashes, pluses and padding, encoded or not: nonces bring them all."""
    issued = issue()
    for i in range(60):
        nonce = hashlib.sha256(bytes([i])).digest()[:16 + i % 17]
        request = issued.request(nonce)
        told = answer(get(issued, request, quote=i % 2))
        assert told.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce == nonce


def test_ocsp_headers_and_conditions(issue):
    """RFC 9919, 6 and 7.2."""
    issued = issue()
    url = issued.ocsp_url + "/" + urllib.parse.quote(base64.b64encode(issued.request()).decode(), safe="")
    reply = raw_get(url)
    told = answer(reply)
    etag = reply.headers["ETag"]
    assert etag == f'"{hashlib.sha256(reply.content).hexdigest()}"'
    assert parsedate_to_datetime(reply.headers["Last-Modified"]).replace(tzinfo=None) == told.produced_at == told.this_update
    assert parsedate_to_datetime(reply.headers["Expires"]).replace(tzinfo=None) == told.next_update
    control = [p.strip() for p in reply.headers["Cache-Control"].split(",")]
    assert {"public", "no-transform", "must-revalidate"} <= set(control) and "no-cache" not in control
    age = int(re.search(r"max-age=(\d+)", reply.headers["Cache-Control"])[1])
    assert 0 < age < (told.next_update - told.this_update).total_seconds()
    same = raw_get(url, **{"If-None-Match": etag})
    assert same.status == 304 and not same.content and same.headers["ETag"] == etag
    head = raw_get(url, "HEAD")
    assert head.status == 200 and int(head.headers["Content-Length"]) == len(reply.content) and not head.content
    assert raw_get(url).content == reply.content
    revoke_by_acme(issued)
    after = raw_get(url, **{"If-None-Match": etag})
    assert after.status == 200 and answer(after).certificate_status == ocsp.OCSPCertStatus.REVOKED


def test_nonces_over_the_wire(issue):
    issued = issue()
    for size in (1, 16, 32, 128):
        told = answer(post(issued, issued.request(b"n" * size)))
        assert told.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce == b"n" * size
    assert answer(post(issued, issued.request(b"n" * 129))).response_status == ocsp.OCSPResponseStatus.MALFORMED_REQUEST


def test_unknown_and_unauthorized(issue):
    """A serial that is not ours, and an issuer that is not ours."""
    issued = issue()
    body = issued.request()
    serial = issued.leaf.serial_number.to_bytes(20, "big").lstrip(b"\0")
    at = body.index(serial)
    told = answer(post(issued, body[:at] + bytes([serial[0] ^ 1]) + body[at + 1:]))
    assert told.certificate_status == ocsp.OCSPCertStatus.UNKNOWN
    reply = post(issued, body.replace(hashlib.sha1(issued.issuer.subject.public_bytes()).digest(), b"x" * 20))
    assert reply.status_code == 200 and reply.content == bytes.fromhex("30030a0106")
    assert "no-cache" in reply.headers["Cache-Control"] and "ETag" not in reply.headers


@pytest.mark.parametrize("body", [b"", b"0", b"\x30\x00", b"GET / HTTP/1.1", b"\x30\x80" + b"\0" * 40, b"\x30\x84\xff\xff\xff\xff"],
                         ids=["empty", "one byte", "empty sequence", "text", "indefinite", "huge length"])
def test_malformed_requests(server, body):
    url = f"http://127.0.0.1:{server.plain_port}/ocsp/issuing"
    reply = requests.post(url, data=body, headers={"Content-Type": "application/ocsp-request"})
    assert reply.status_code == 200 and reply.content == bytes.fromhex("30030a0101")
    assert "no-cache" in reply.headers["Cache-Control"]


@pytest.mark.parametrize("path", ["", "/", "//", "/?", "/%", "/%4", "/%zz", "/MEow", "/not base64".replace(" ", "%20"), "/MEow%00", "/====", "/M"])
def test_malformed_paths(server, path):
    reply = raw_get(f"http://127.0.0.1:{server.plain_port}/ocsp/issuing{path}")
    assert reply.status == 200 and reply.content == bytes.fromhex("30030a0101"), reply.status


def test_what_http_itself_refuses(issue):
    issued = issue()
    assert post(issued, issued.request(), "application/octet-stream").status_code == 415
    assert post(issued, b"0" * 20000).status_code == 413
    assert requests.put(issued.ocsp_url, data=b"").status_code == 405
    assert post(issued, issued.request(), url=issued.ocsp_url.replace("issuing", "other")).status_code == 404


def test_the_responder_is_in_the_inventory(server, issue):
    issued = issue()
    certificate = answer(post(issued, issued.request())).certificates[0]
    rows = json.loads(server.run("cert", "list", "--profile", "ocsp-responder", "--json", check=True).stdout)
    rows = rows if isinstance(rows, list) else rows["certificates"]
    assert format(certificate.serial_number, "x") in [r["serial"].lstrip("0") for r in rows]
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert [u.dotted_string for u in usage] == ["1.3.6.1.5.5.7.3.9"]


def test_the_responder_is_found_by_its_key_identifier(issue):
    """RFC 6960, 4.2.1: the ResponderID is the SHA-1 hash of the key (RFC 5280, 4.2.1.2, method 1). Some look for a certificate with that
    subjectKeyIdentifier, and for nothing else."""
    issued = issue()
    told = answer(post(issued, issued.request()))
    certificate = told.certificates[0]
    assert told.responder_key_hash == x509.SubjectKeyIdentifier.from_public_key(certificate.public_key()).digest
    assert told.responder_key_hash == certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest


# --- servers of their own


def test_a_restart_goes_on(tmp_path):
    """Numbers rise, what was revoked stays revoked, and a new responder key answers."""
    with Server() as server, ChallengeServer(server.http01_port) as web:
        client = Client(server)
        client.register()
        issued = Issued(tmp_path, client.issue(["restart.example.com"], web)[0], server.root_pem)
        issued.client = client
        revoke_by_acme(issued)
        before = wait_for_crl(issued)
        responder = answer(post(issued, issued.request())).certificates[0]
        server.stop()
        server.start()
        deadline = time.monotonic() + SECONDS
        while requests.get(issued.crl_url).status_code == 503 and time.monotonic() < deadline:
            time.sleep(0.02)
        after = crl_of(issued)
        number = [c.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number for c in (before, after)]
        assert number[1] > number[0] and after.get_revoked_certificate_by_serial_number(issued.leaf.serial_number)
        told = answer(post(issued, issued.request()))
        assert told.certificate_status == ocsp.OCSPCertStatus.REVOKED and told.certificates[0] != responder
        done = openssl_ocsp(issued)
        assert "Response verify OK" in done.stderr and "revoked" in done.stdout


def test_configured_lifetimes_and_refusals(tmp_path):
    extra = {"crl": {"lifetime": "1h", "interval": "30m", "max_age": "5m"},
             "ocsp": {"lifetime": "10m", "responder_lifetime": "1h", "nonce": False, "unknown": "unauthorized"}}
    with Server(extra) as server, ChallengeServer(server.http01_port) as web:
        client = Client(server)
        client.register()
        issued = Issued(tmp_path, client.issue(["life.example.com"], web)[0], server.root_pem)
        reply = requests.get(issued.crl_url)
        crl = x509.load_der_x509_crl(reply.content)
        assert (crl.next_update - crl.last_update).total_seconds() == 3600
        assert "max-age=300" in reply.headers["Cache-Control"]
        told = answer(post(issued, issued.request(b"n" * 32)))
        assert (told.next_update - told.this_update).total_seconds() == 600 and not list(told.extensions)
        body = issued.request()
        serial = issued.leaf.serial_number.to_bytes(20, "big").lstrip(b"\0")
        at = body.index(serial)
        assert post(issued, body[:at] + bytes([serial[0] ^ 1]) + body[at + 1:]).content == bytes.fromhex("30030a0106")


def test_rsa_issuer(tmp_path):
    with Server({"ca": {"issuing_key": "rsa-3072"}}) as server, ChallengeServer(server.http01_port) as web:
        client = Client(server)
        client.register()
        issued = Issued(tmp_path, client.issue(["rsa.example.com"], web)[0], server.root_pem)
        issued.client = client
        deadline = time.monotonic() + 120  # the responder's RSA key is being made
        while post(issued, issued.request()).status_code == 503 and time.monotonic() < deadline:
            time.sleep(0.2)
        done = openssl_ocsp(issued)
        assert "Response verify OK" in done.stderr and "leaf.pem: good" in done.stdout, done.stderr
        assert verify(issued, "-crl_check", "-crl_download").returncode == 0
        revoke_by_acme(issued)
        wait_for_crl(issued)
        assert verify(issued, "-crl_check", "-crl_download").returncode != 0


@pytest.mark.parametrize("extra,text", [
    ({"crl": {"lifetime": "1h", "interval": "1h"}}, "expected less than `crl.lifetime`"),
    ({"ocsp": {"lifetime": "1h", "responder_lifetime": "1h"}}, "expected at least twice `ocsp.lifetime`"),
    ({"ocsp": {"unknown": "good"}}, "unknown"),
])
def test_configurations_that_do_not_fit(tmp_path, extra, text):
    server = Server()
    try:
        server.write_config(extra)
        done = server.run("check-config")
        assert done.returncode != 0 and text in done.stderr
    finally:
        server.close()


@pytest.mark.parametrize("url", ["http://pki.example", "http://pki.example:8080", "http://[2001:db8::1]:8080"])
def test_names_of_the_server(url):
    """Relying parties come by the name in ca.urls, and old clients by none at all."""
    with Server({"ca": {"urls": url}, "tls": {"names": ["localhost"]}}) as server:
        authority = url[len("http://"):]
        for host, status in ((authority, 200), ("localhost", 200), (None, 200), ("other.example", 421)):
            head = "GET /ca/issuing.crt HTTP/1.0\r\n" + (f"Host: {host}\r\n" if host else "") + "\r\n"
            with socket.create_connection(("127.0.0.1", server.plain_port), timeout=60) as s:
                s.sendall(head.encode())
                assert s.recv(64).startswith(f"HTTP/1.1 {status} ".encode()), host
