"""The life of a CA: each event as docs/ca.md has it, with openssl as the CA outside, and as a verifier."""

import base64
import datetime
import json
import re
import signal
import socket
import ssl
import subprocess
import time

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp

from acme_raw import Client, Refused
from api_client import Api, Refused as ApiRefused, csr, make_token
from harness import BINARY, ChallengeServer, Server
from judge import leaf, pem_list


def openssl(*args, check=True, **kwargs):
    done = subprocess.run(["openssl", *map(str, args)], capture_output=True, text=True, timeout=60, **kwargs)
    assert not check or done.returncode == 0, (args, done.stdout, done.stderr)
    return done


def ca(server, command, *args, check=True):
    done = subprocess.run([BINARY, "ca", command, "--config", server.config, *map(str, args)], capture_output=True, text=True,
                          timeout=60)
    assert not check or done.returncode == 0, (command, args, done.stdout, done.stderr)
    return done


def cas(server):
    return {row["name"]: row for row in json.loads(ca(server, "list", "--json").stdout)}


def reload(server):
    before = server.log_text().count("event=reload")
    server.process.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + 60
    while server.log_text().count("event=reload") == before:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert "event=reloaded" in server.log_text().splitlines()[-1] or "reload refused" not in server.log_text()


@pytest.fixture
def fresh():
    """A server of one test's own, initialized and not started."""
    server = Server()
    yield server
    server.close()


class Shop:
    """A running server's client, and the files of what it got."""

    def __init__(self, server, folder):
        self.server, self.folder, self.count = server, folder, 0
        self.client = Client(server)
        self.client.register()

    def issue(self, name="www.example.com"):
        with ChallengeServer(self.server.http01_port) as web:
            chain, _ = self.client.issue([name], web)
        self.count += 1
        path = self.folder / f"chain{self.count}.pem"
        path.write_text(chain)
        return chain, path


def leaf_of(chain):
    return x509.load_pem_x509_certificate(pem_list(chain)[0].encode())


def issuer_of(chain):
    return x509.load_pem_x509_certificate(pem_list(chain)[1].encode())


def verify(root, chain_path, *options):
    return openssl("verify", "-x509_strict", "-CAfile", root, "-untrusted", chain_path, *options, chain_path)


def crl_url(certificate):
    points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    return points[0].full_name[0].value


def folder_of(server):
    return server.folder / "data" / "ca"


# --- renew, rekey, disable


def test_renewed_ca_is_used_after_reload(fresh, tmp_path):
    fresh.start()
    shop = Shop(fresh, tmp_path)
    before = issuer_of(shop.issue()[0])
    refused = ca(fresh, "renew", "issuing", "--lifetime", "30y", check=False)
    assert refused.returncode == 1 and "--lifetime: the CA that signs it ends at 20" in refused.stderr
    ca(fresh, "renew", "issuing", "--lifetime", "3y")
    reload(fresh)
    chain, path = shop.issue()
    after = issuer_of(chain)
    assert after.serial_number != before.serial_number and after.subject == before.subject
    assert after.public_key().public_numbers() == before.public_key().public_numbers()
    ski = x509.SubjectKeyIdentifier
    assert after.extensions.get_extension_for_class(ski) == before.extensions.get_extension_for_class(ski)
    verify(fresh.root_pem, path)


def refused_reload(server, extra):
    server.write_config(extra)
    before = server.log_text().count('event="reload refused"')
    server.process.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + 60
    while server.log_text().count('event="reload refused"') == before:
        assert time.monotonic() < deadline and "event=reloaded" not in server.log_text(), server.log_text()
        time.sleep(0.05)


def test_a_refused_reload_changes_nothing(tmp_path):
    """Neither of the CA, whose files were good, nor of the webhooks that the new configuration has not."""
    secret = tmp_path / "secret"
    secret.write_text("0123456789abcdef0123456789abcdef")
    secret.chmod(0o600)
    hook = {"name": "kept", "url": "http://127.0.0.1:9/hook", "secret": {"file": str(secret)}}
    good = {"webhooks": [hook], "webhook": {"allow": ["127.0.0.0/8"]}}
    bad = [
        {**good, "webhooks": [{**hook, "name": "other", "secret": {"file": str(tmp_path / "none")}}]},
        {**good, "webhooks": [], "tls": {"certificate": str(tmp_path / "none"), "key": str(tmp_path / "none")}},
        {**good, "webhooks": [], "profiles": [{"name": "tls-server", "issuer": "elsewhere"}]},
        {**good, "webhooks": [], "ca": {"issuers": ["issuing", "elsewhere"]}},
    ]
    with Server(good) as server:
        shop = Shop(server, tmp_path)
        first = issuer_of(shop.issue()[0])
        hooks = lambda: [(h["name"], h["url"], h["status"]) for h in json.loads(server.run("webhook", "list", "--json", check=True).stdout)]
        before = hooks()
        ca(server, "rekey", "issuing")
        for extra in bad:
            refused_reload(server, extra)
            assert issuer_of(shop.issue()[0]) == first, extra
            server.write_config(good)
            assert hooks() == before, extra
        reload(server)
        chain, path = shop.issue()
        assert issuer_of(chain).subject != first.subject
        verify(server.root_pem, path)


def wait_for(url, deadline=15):
    end = time.monotonic() + deadline
    while True:
        reply = requests.get(url)
        if reply.status_code == 200 or time.monotonic() > end:
            return reply
        time.sleep(0.2)


def ocsp_status(chain, url):
    request = ocsp.OCSPRequestBuilder().add_certificate(leaf_of(chain), issuer_of(chain), hashes.SHA1()).build()
    reply = requests.post(url, data=request.public_bytes(serialization.Encoding.DER),
                          headers={"Content-Type": "application/ocsp-request"})
    return ocsp.load_der_ocsp_response(reply.content)


def test_rekeyed_ca_issues_and_the_old_one_goes_on(fresh, tmp_path):
    fresh.start()
    shop = Shop(fresh, tmp_path)
    old_chain, old_path = shop.issue()
    done = json.loads(ca(fresh, "rekey", "issuing", "--json").stdout)
    assert done["successor"] == "issuing-2"
    assert ca(fresh, "rekey", "issuing", check=False).returncode == 1
    reload(fresh)
    new_chain, new_path = shop.issue()
    assert issuer_of(new_chain).public_key().public_numbers() != issuer_of(old_chain).public_key().public_numbers()
    assert issuer_of(new_chain).subject != issuer_of(old_chain).subject
    assert "/crl/issuing/" in crl_url(leaf_of(old_chain)) and "/crl/issuing-2/" in crl_url(leaf_of(new_chain))
    for path in (old_path, new_path):
        verify(fresh.root_pem, path)
    # The old one still signs its list, with what is revoked from now on, and its OCSP answers.
    fresh.run("cert", "revoke", format(leaf_of(old_chain).serial_number, "x"), check=True)
    deadline = time.monotonic() + 60
    while True:
        crl = x509.load_der_x509_crl(requests.get(crl_url(leaf_of(old_chain))).content)
        if crl.get_revoked_certificate_by_serial_number(leaf_of(old_chain).serial_number):
            break
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert crl.is_signature_valid(issuer_of(old_chain).public_key())
    new_crl = x509.load_der_x509_crl(wait_for(crl_url(leaf_of(new_chain))).content)
    assert new_crl.is_signature_valid(issuer_of(new_chain).public_key())
    base = f"http://127.0.0.1:{fresh.plain_port}/ocsp/"
    assert ocsp_status(old_chain, base + "issuing").certificate_status == ocsp.OCSPCertStatus.REVOKED
    deadline = time.monotonic() + 60
    while ocsp_status(new_chain, base + "issuing-2").response_status != ocsp.OCSPResponseStatus.SUCCESSFUL:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert ocsp_status(new_chain, base + "issuing-2").certificate_status == ocsp.OCSPCertStatus.GOOD
    rows = cas(fresh)
    assert rows["issuing"]["status"] == "succeeded" and rows["issuing"]["successor"] == "issuing-2"
    # And a restart finds both.
    fresh.stop()
    fresh.start()
    assert issuer_of(Shop(fresh, tmp_path).issue()[0]).subject == issuer_of(new_chain).subject


def test_a_signature_is_asked_of_the_ca_that_signs_now(fresh):
    """A profile names the CA whose place another one has taken, of another kind of key."""
    fresh.write_config({"profiles": [{"name": "shop", "issuer": "issuing"}]})
    ca(fresh, "rekey", "issuing", "--key", "rsa-3072")
    fresh.start()
    api = Api(fresh, make_token(fresh, "issue")[0])

    def made(algorithm):
        attributes = {"altNames": [{"value": "a.example"}], "signatureAlgorithm": algorithm}
        return api.post("certificates", {"profileId": "shop", "attributes": attributes})["certificate"]

    issued = x509.load_pem_x509_certificate(made("rsa-sha384")["certificate"].encode())
    assert issued.signature_algorithm_oid == x509.SignatureAlgorithmOID.RSA_WITH_SHA384
    with pytest.raises(ApiRefused) as refusal:
        made("ecdsa-sha384")
    assert "RSA key" in refusal.value.fields()["attributes.signatureAlgorithm"]


def test_cas_are_not_of_a_profile_that_is_called_as_they_are(fresh):
    """Their rows say `ca` for a profile; a configuration may have a profile of that name."""
    fresh.write_config({"profiles": [{"name": "ca"}]})
    fresh.start()
    everywhere, narrow = (Api(fresh, make_token(fresh, "read", "revoke", "issue", **options)[0]) for options in ({}, {"profile": "ca"}))
    issued = narrow.issue("a.example", profile="ca")["certificate"]["certificateId"]
    cas_own = {row["id"] for row in everywhere.everything(profile="ca")} - {issued}
    assert len(cas_own) == 2  # root and issuing
    assert [row["id"] for row in narrow.everything()] == [issued]
    assert [row["id"] for row in narrow.everything(profile="ca")] == [issued]
    for one in cas_own:
        for call, path in ((narrow.get, ""), (narrow.get, "/pem"), (narrow.post, "/revoke"), (narrow.post, "/renew")):
            with pytest.raises(ApiRefused) as refusal:
                call(f"certificates/{one}{path}")
            assert refusal.value.status == 404
    assert all(everywhere.get(f"certificates/{one}")["status"] == "valid" for one in cas_own)


def test_disabled_ca_issues_nothing_and_signs_its_lists(fresh, tmp_path):
    fresh.start()
    shop = Shop(fresh, tmp_path)
    chain, _ = shop.issue()
    ca(fresh, "disable", "issuing")
    with pytest.raises(Exception) as refused:
        shop.issue("other.example.com")
    assert "503" in str(refused.value) or "serverInternal" in str(refused.value)
    fresh.run("cert", "revoke", format(leaf_of(chain).serial_number, "x"), check=True)
    deadline = time.monotonic() + 60
    while not x509.load_der_x509_crl(requests.get(crl_url(leaf_of(chain))).content).get_revoked_certificate_by_serial_number(
            leaf_of(chain).serial_number):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert ca(fresh, "disable", "issuing", check=False).returncode == 1
    ca(fresh, "enable", "issuing")
    deadline = time.monotonic() + 60
    while True:
        try:
            shop.issue("again.example.com")
            break
        except Exception:
            assert time.monotonic() < deadline
            time.sleep(0.5)
    told = fresh.run("audit", "list").stdout
    assert "ca-disabled" in told and "ca-enabled" in told


def est_refusal(server, name):
    code = json.loads(server.run("est-credential", "create", "--profile", "tls-server", "--json", check=True).stdout)["code"]
    der = x509.load_pem_x509_csr(csr(name).encode()).public_bytes(serialization.Encoding.DER)
    return requests.post(f"{server.url}/.well-known/est/simpleenroll", base64.encodebytes(der), auth=("x", code), verify=server.root_pem,
                         headers={"Content-Type": "application/pkcs10"})


def test_who_is_told_that_a_ca_issues_nothing_is_told_which_and_why(fresh, tmp_path):
    """Disabled, or ending too soon: the API's problem, ACME's and EST's line name the CA."""
    fresh.start()
    shop, api, reader = Shop(fresh, tmp_path), *(Api(fresh, make_token(fresh, role)[0]) for role in ("issue", "read"))

    def told(*words):
        with pytest.raises(ApiRefused) as over_api:
            api.issue("api.example.com")
        assert over_api.value.status == 503 and int(over_api.value.reply.headers["Retry-After"]) > 0
        est = est_refusal(fresh, "est.example.com")
        assert est.status_code == 503 and int(est.headers["Retry-After"]) > 0
        with pytest.raises(Refused) as over_acme:
            shop.issue("acme.example.com")
        for text in (over_api.value.problem["detail"], est.text, over_acme.value.reply.json()["detail"]):
            assert all(word in text for word in words), text
        assert over_acme.value.type == "serverInternal"

    def shown(disabled):
        deadline = time.monotonic() + 15
        while [i["disabled"] for i in reader.get("ca")["issuers"] if i["id"] == "issuing"] != [disabled]:
            assert time.monotonic() < deadline
            time.sleep(0.2)

    ca(fresh, "disable", "issuing")
    told("the issuing CA issuing is disabled")
    shown(True)
    ca(fresh, "enable", "issuing")
    shown(False)
    ca(fresh, "renew", "issuing", "--lifetime", "10d")
    reload(fresh)
    told("the issuing CA issuing ends at ", "before the certificate would")
    # What fits is issued.
    assert api.issue("short.example.com", attributes={"ttl": "5d"})["certificate"]


# --- the root


def cacerts(server):
    reply = requests.get(f"{server.url}/.well-known/est/cacerts", verify=server.root_pem)
    assert reply.status_code == 200
    done = subprocess.run(["openssl", "pkcs7", "-inform", "DER", "-print_certs"], input=__import__("base64").b64decode(reply.content),
                          capture_output=True, check=True)
    return [x509.load_pem_x509_certificate(p.encode()) for p in pem_list(done.stdout.decode())]


def key_id(certificate):
    return certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest


def authority_id(certificate):
    return certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier


def test_root_rollover(fresh, tmp_path):
    fresh.start()
    shop = Shop(fresh, tmp_path)
    _, before = shop.issue()
    folder = folder_of(fresh)
    old_root = tmp_path / "old-root.pem"
    old_root.write_bytes((folder / "root.pem").read_bytes())
    ca(fresh, "rollover")
    assert ca(fresh, "rollover", check=False).returncode == 1
    reload(fresh)
    new_root = folder / "root-2.pem"
    bag = cacerts(fresh)
    selfsigned = [c for c in bag if c.subject == c.issuer]
    assert len(bag) == 5 and len(selfsigned) == 4
    # OldWithNew and NewWithOld verify with the root that each is signed by, and lead to the other.
    link = tmp_path / "link.pem"
    links = [c for c in selfsigned if key_id(c) != authority_id(c)]
    assert len(links) == 2
    link.write_text("".join(c.public_bytes(serialization.Encoding.PEM).decode() for c in links))
    issuing = folder / "issuing.pem"
    openssl("verify", "-CAfile", old_root, issuing)
    openssl("verify", "-CAfile", new_root, "-untrusted", link, issuing)
    assert openssl("verify", "-CAfile", new_root, issuing, check=False).returncode != 0
    # Who trusts the old root is served as before.
    _, during = shop.issue()
    verify(old_root, during)
    ca(fresh, "rollover", "--switch")
    reload(fresh)
    _, after = shop.issue()
    verify(new_root, after)
    assert requests.get(f"http://127.0.0.1:{fresh.plain_port}/root.pem").text == new_root.read_text()
    openssl("verify", "-CAfile", old_root, "-untrusted", link, issuing)
    leaf = tmp_path / "leaf.pem"
    leaf.write_text(pem_list(before.read_text())[0])
    openssl("verify", "-CAfile", new_root, "-untrusted", issuing, leaf)
    crl = requests.get(f"http://127.0.0.1:{fresh.plain_port}/crl/root-2/0.crl").content
    (tmp_path / "root.crl").write_bytes(crl)
    openssl("crl", "-inform", "DER", "-in", tmp_path / "root.crl", "-CAfile", new_root, "-noout")
    fresh.stop()
    ca(fresh, "rollover", "--end")
    assert not (folder / "root.rollover.pem").exists()
    assert cas(fresh)["root"]["status"] == "succeeded"


def is_reached_by(server, root):
    """A client that trusts this root alone makes its connection."""
    try:
        with socket.create_connection(("127.0.0.1", server.port), timeout=60) as raw:
            ssl.create_default_context(cafile=root).wrap_socket(raw, server_hostname="localhost").close()
    except ssl.SSLCertVerificationError:
        return False
    return True


def test_the_server_is_reached_by_who_trusts_a_root_at_each_step_of_a_rollover(fresh, tmp_path):
    fresh.start()
    old, new = tmp_path / "old.pem", folder_of(fresh) / "root-2.pem"
    old.write_bytes((folder_of(fresh) / "root.pem").read_bytes())
    ca(fresh, "rollover")
    reload(fresh)
    assert is_reached_by(fresh, old)
    ca(fresh, "rollover", "--switch")
    reload(fresh)
    assert is_reached_by(fresh, new), "its chain is the one of now, though its certificate is of before"
    assert is_reached_by(fresh, old), "by NewWithOld"
    ca(fresh, "rekey", "issuing")
    reload(fresh)
    assert is_reached_by(fresh, new) and is_reached_by(fresh, old), "with a certificate by another CA below the new root"
    fresh.stop()
    fresh.start()
    assert is_reached_by(fresh, new) and is_reached_by(fresh, old)
    ca(fresh, "rollover", "--end")
    reload(fresh)
    assert is_reached_by(fresh, new) and not is_reached_by(fresh, old)


def test_the_server_shows_the_renewed_certificate_of_its_ca(fresh):
    fresh.start()
    ca(fresh, "renew", "issuing")
    reload(fresh)
    shown = openssl("s_client", "-connect", f"127.0.0.1:{fresh.port}", "-servername", "localhost", "-showcerts", input="").stdout
    assert (folder_of(fresh) / "issuing.pem").read_text().strip() in shown


def test_root_renewed_with_its_chains(fresh):
    before = cas(fresh)["root"]
    ca(fresh, "renew", "root", "--lifetime", "25y")
    after = cas(fresh)["root"]
    assert after["serial"] != before["serial"] and after["subject"] == before["subject"]
    fresh.start()
    openssl("verify", "-CAfile", fresh.root_pem, folder_of(fresh) / "issuing.pem")


def test_revoked_ca_is_on_the_roots_list(fresh, tmp_path):
    fresh.start()
    _, path = Shop(fresh, tmp_path).issue()
    issuing = folder_of(fresh) / "issuing.pem"
    point = crl_url(x509.load_pem_x509_certificate(issuing.read_bytes()))
    assert point == f"http://127.0.0.1:{fresh.plain_port}/crl/root/0.crl"

    def verified():
        lists = tmp_path / "lists.pem"
        text = b""
        for name in ("root", "issuing"):
            crl = x509.load_der_x509_crl(requests.get(f"http://127.0.0.1:{fresh.plain_port}/crl/{name}/0.crl").content)
            text += crl.public_bytes(serialization.Encoding.PEM)
        lists.write_bytes(text)
        return openssl("verify", "-crl_check_all", "-x509_strict", "-CAfile", fresh.root_pem, "-untrusted", path, "-CRLfile", lists,
                       path, check=False)
    assert verified().returncode == 0, verified().stderr
    ca(fresh, "revoke", "issuing", "--reason", "cACompromise")
    done = verified()
    assert done.returncode != 0 and "certificate revoked" in done.stderr + done.stdout
    aia = issuing and x509.load_pem_x509_certificate(issuing.read_bytes()).extensions.get_extension_for_class(
        x509.AuthorityInformationAccess).value[0].access_location.value
    assert x509.load_der_x509_certificate(requests.get(aia).content).subject == x509.load_pem_x509_certificate(issuing.read_bytes()).issuer


def test_a_revoked_ca_is_revoked_with_all_certificates_of_its_key(fresh, tmp_path):
    """One that it had before a renewal, or below the other root of a rollover, would do as well for who has got the key."""
    fresh.start()
    folder = folder_of(fresh)
    leaf = tmp_path / "leaf.pem"
    leaf.write_text(pem_list(Shop(fresh, tmp_path).issue()[1].read_text())[0])
    first, root = tmp_path / "first.pem", tmp_path / "root.pem"
    first.write_bytes((folder / "issuing.pem").read_bytes())
    root.write_bytes((folder / "root.pem").read_bytes())
    ca(fresh, "renew", "issuing", "--lifetime", "3y")
    renewed = (folder / "issuing.pem").read_bytes()
    ca(fresh, "rollover")
    ca(fresh, "rollover", "--switch")
    reload(fresh)
    lists = tmp_path / "lists.pem"
    serials = {x509.load_pem_x509_certificate(c).serial_number for c in (first.read_bytes(), renewed)}

    def listed(name):
        crl = x509.load_der_x509_crl(requests.get(f"http://127.0.0.1:{fresh.plain_port}/crl/{name}/0.crl").content)
        lists.write_bytes((lists.read_bytes() if lists.exists() else b"") + crl.public_bytes(serialization.Encoding.PEM))
        return {entry.serial_number for entry in crl}

    ca(fresh, "revoke", "issuing", "--reason", "superseded")
    done = ca(fresh, "revoke", "issuing", "--reason", "cACompromise")
    assert "revoked 3 certificates of issuing" in done.stdout
    assert "revoked already (cACompromise)" in ca(fresh, "revoke", "issuing", check=False).stderr
    assert listed("root") == serials
    assert listed("root-2") == {x509.load_pem_x509_certificate((folder / "issuing.pem").read_bytes()).serial_number}
    listed("issuing")
    done = openssl("verify", "-crl_check_all", "-CAfile", root, "-untrusted", first, "-CRLfile", lists, leaf, check=False)
    assert done.returncode != 0 and "certificate revoked" in done.stderr + done.stdout


# --- outside


class Outside:
    """A root that openssl keeps."""

    def __init__(self, folder, path_length=None):
        self.folder = folder
        self.key, self.certificate = folder / "outside.key", folder / "outside.pem"
        length = "" if path_length is None else f",pathlen:{path_length}"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384", "-nodes", "-keyout", self.key, "-out",
                self.certificate, "-subj", "/O=Outside/CN=Outside Root", "-days", "3650", "-addext",
                f"basicConstraints=critical,CA:TRUE{length}", "-addext", "keyUsage=critical,keyCertSign,cRLSign")

    def sign(self, csr, out, *options, ca_true=True, usage="keyCertSign,cRLSign", days=1000):
        extensions = self.folder / "extensions"
        extensions.write_text(f"basicConstraints=critical,CA:{'TRUE' if ca_true else 'FALSE'}\nkeyUsage=critical,{usage}\n"
                              "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n")
        openssl("x509", "-req", "-in", csr, "-CA", self.certificate, "-CAkey", self.key, "-days", days, "-extfile", extensions,
                "-out", out, *options)
        return out


def events(server, kind):
    return json.loads(server.run("audit", "list", "--json", "--kind", kind, check=True).stdout)


def test_the_server_makes_a_roots_list_in_time(fresh):
    """Where the root's key is at hand; where not, it says so, and once."""
    path = folder_of(fresh) / "root.crl"
    number = lambda: x509.load_der_x509_crl(path.read_bytes()).extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    first = json.loads(ca(fresh, "crl", "--lifetime", "8s", "--json").stdout)[0]["number"]
    time.sleep(6.5)
    fresh.start()
    deadline = time.monotonic() + 60
    while number() == first:
        assert time.monotonic() < deadline, fresh.log_text()
        time.sleep(0.1)
    made = events(fresh, "crl-made")[-1]
    assert made["actor"] == "server" and made["about"] == {**made["about"], "ca": "root", "number": number()}
    openssl("crl", "-in", path, "-inform", "DER", "-CAfile", fresh.root_pem, "-noout")
    assert requests.get(f"http://127.0.0.1:{fresh.plain_port}/crl/root/0.crl").content == path.read_bytes()
    fresh.stop()
    time.sleep(6.5)
    (folder_of(fresh) / "root.key").rename(folder_of(fresh).parent / "root.key")
    fresh.start()
    deadline = time.monotonic() + 60
    while not events(fresh, "crl-ends"):
        assert time.monotonic() < deadline, fresh.log_text()
        time.sleep(0.1)
    told, = events(fresh, "crl-ends")
    assert told["about"]["ca"] == "root" and "key" in told["about"]["cause"] and 'run `enrolld ca crl`' in fresh.log_text()


def listed_by_root(server):
    return {entry.serial_number for entry in x509.load_der_x509_crl((folder_of(server) / "root.crl").read_bytes())}


def issuing_serial(server):
    return x509.load_pem_x509_certificate((folder_of(server) / "issuing.pem").read_bytes()).serial_number


def until(server, condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, server.log_text()
        time.sleep(0.2)


def test_a_hold_of_a_ca_by_command_reaches_the_roots_list(fresh):
    serial = issuing_serial(fresh)
    fresh.run("cert", "revoke", "--reason", "certificateHold", format(serial, "x"), check=True)
    assert serial in listed_by_root(fresh)
    done = fresh.run("cert", "release", "--json", format(serial, "x"), check=True)
    assert json.loads(done.stdout)["status"] == "valid" and done.stderr == "" and serial not in listed_by_root(fresh)


def test_a_hold_of_a_ca_over_the_api_reaches_the_roots_list(fresh):
    fresh.start()
    api = Api(fresh, make_token(fresh, "admin")[0])
    serial = issuing_serial(fresh)
    row = json.loads(fresh.run("cert", "show", "--json", format(serial, "x"), check=True).stdout)
    api.post(f"certificates/{row['id']}/revoke", {"revocationReason": "certificateHold"})
    until(fresh, lambda: serial in listed_by_root(fresh))
    api.post(f"certificates/{row['id']}/release")
    until(fresh, lambda: serial not in listed_by_root(fresh))
    assert [event["actor"] for event in events(fresh, "crl-made")] == ["server"] * 2


def test_a_list_that_cannot_be_made_anew_is_told_of(fresh):
    fresh.start()
    serial = issuing_serial(fresh)
    (folder_of(fresh) / "root.key").rename(folder_of(fresh).parent / "root.key")
    done = fresh.run("cert", "revoke", "--reason", "certificateHold", format(serial, "x"), check=True)
    assert "CRL of root does not tell of it yet" in done.stderr and "Run `enrolld ca crl root`" in done.stderr
    until(fresh, lambda: "does not tell of all revocations: run `enrolld ca crl`" in fresh.log_text())
    assert serial not in listed_by_root(fresh) and root_metrics(fresh)["failures_total"] == 1


def root_metrics(server):
    text = requests.get(f"http://127.0.0.1:{server.plain_port}/metrics").text
    found = {name: float(value) for name, value in re.findall(r'^enrolld_root_crl_(\w+)\{ca="root"\} (\S+)$', text, re.MULTILINE)}
    assert 'enrolld_crl_next_update_seconds{issuer="root"}' not in text # whose time is another
    return found


def test_metrics_tell_of_a_roots_list(fresh):
    path = folder_of(fresh) / "root.crl"
    fresh.start()
    crl = x509.load_der_x509_crl(path.read_bytes())
    moment = lambda at: at.replace(tzinfo=datetime.timezone.utc).timestamp()
    assert root_metrics(fresh) == {"this_update_seconds": moment(crl.last_update), "next_update_seconds": moment(crl.next_update),
                                   "failures_total": 0}
    ca(fresh, "crl", "--lifetime", "4s") # made by a command, and seen at once
    assert root_metrics(fresh)["next_update_seconds"] < time.time() + 5
    fresh.stop()
    (folder_of(fresh) / "root.key").rename(folder_of(fresh).parent / "root.key")
    time.sleep(4)
    fresh.start()
    deadline = time.monotonic() + 60
    while root_metrics(fresh)["failures_total"] == 0:
        assert time.monotonic() < deadline, fresh.log_text()
        time.sleep(0.1)
    assert root_metrics(fresh)["failures_total"] == 1 and root_metrics(fresh)["next_update_seconds"] < time.time()
    fresh.stop()
    path.write_bytes(b"no list")
    fresh.start()
    while root_metrics(fresh) != {"failures_total": 1}:
        assert time.monotonic() < deadline + 10, fresh.log_text()
        time.sleep(0.1)


def test_init_puts_its_cas_into_the_inventory(fresh):
    rows = json.loads(fresh.run("cert", "list", "--json", check=True).stdout)
    assert {(r["profile"], r["issuer"], r["status"]) for r in rows} == {("ca", "root", "valid")}
    assert {r["subject"] for r in rows} == {"CN=enrolld Root CA", "CN=enrolld Issuing CA"}
    assert fresh.run("init").returncode != 0
    assert len(json.loads(fresh.run("cert", "list", "--json", check=True).stdout)) == 2


def use(server, *names):
    server.write_config(dict(server.extra, ca={"urls": f"http://127.0.0.1:{server.plain_port}", "issuers": list(names)}))


def test_csr_signed_outside_is_installed(fresh, tmp_path):
    outside = Outside(tmp_path)
    csr, signed = tmp_path / "corp.csr", tmp_path / "corp.pem"
    ca(fresh, "csr", "corp", "--name", "Corp Issuing CA", "--organization", "Corp", "--key", "ec-p384", "--path-length", "0",
       "--permit", "dns:example.com,ip:10.0.0.0/8", "--out", csr)
    text = openssl("req", "-in", csr, "-noout", "-verify", "-text").stdout
    assert "CA:TRUE, pathlen:0" in text and "Certificate Sign, CRL Sign" in text and "DNS:example.com" in text
    outside.sign(csr, signed)
    done = ca(fresh, "install", "corp", signed, check=False)
    assert done.returncode == 1 and "chain" in done.stderr, done.stderr
    ca(fresh, "install", "corp", signed, "--chain", outside.certificate)
    use(fresh, "issuing", "corp")
    fresh.extra["profiles"] = [{"name": "corp", "issuer": "corp"}]
    use(fresh, "issuing", "corp")
    fresh.start()
    chain, path = Shop(fresh, tmp_path).issue()
    assert issuer_of(chain).subject.rfc4514_string() == "CN=Corp Issuing CA,O=Corp"
    verify(outside.certificate, path)
    # Renewed outside: the same key, another certificate.
    ca(fresh, "csr", "corp", "--out", csr)
    outside.sign(csr, signed, days=2000)
    ca(fresh, "install", "corp", signed, "--chain", outside.certificate)
    reload(fresh)
    chain, path = Shop(fresh, tmp_path).issue()
    assert issuer_of(chain).serial_number == x509.load_pem_x509_certificate(signed.read_bytes()).serial_number
    verify(outside.certificate, path)


def make_ca(tmp_path, outside, name, **kwargs):
    key, csr, out = (tmp_path / f"{name}.{e}" for e in ("key", "csr", "pem"))
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", csr, "-subj", f"/CN={name}")
    outside.sign(csr, out, **kwargs)
    return key, out


@pytest.mark.parametrize("form", ["pem", "encrypted", "traditional", "pkcs12"])
def test_import(fresh, tmp_path, form):
    outside = Outside(tmp_path)
    key, certificate = make_ca(tmp_path, outside, "Old CA")
    secret = tmp_path / "secret"
    secret.write_text("open sesame\n")
    secret.chmod(0o600)
    options = ["--certificate", certificate, "--key", key, "--chain", outside.certificate]
    if form == "encrypted":
        openssl("pkcs8", "-topk8", "-v2", "aes-256-cbc", "-in", key, "-out", tmp_path / "e.key", "-passout", f"file:{secret}")
        options[3] = tmp_path / "e.key"
    elif form == "traditional":
        openssl("ec", "-in", key, "-aes256", "-out", tmp_path / "e.key", "-passout", f"file:{secret}")
        options[3] = tmp_path / "e.key"
    elif form == "pkcs12":
        openssl("pkcs12", "-export", "-inkey", key, "-in", certificate, "-certfile", outside.certificate, "-out", tmp_path / "ca.p12",
                "-passout", f"file:{secret}")
        (tmp_path / "ca.p12").chmod(0o640)
        options = ["--pkcs12", tmp_path / "ca.p12"]
        done = ca(fresh, "import", "old", *options, "--passphrase-file", secret, check=False)
        assert done.returncode == 1 and "others can read" in done.stderr
        (tmp_path / "ca.p12").chmod(0o600)
    if form != "pem":
        (tmp_path / "e.key").exists() and (tmp_path / "e.key").chmod(0o600)
        done = ca(fresh, "import", "old", *options, check=False)
        assert done.returncode == 1 and "passphrase" in done.stderr
        for words in ("another", "x" * 1025, "x" * 4000):  # OpenSSL asks for 1024 bytes of one at most
            (tmp_path / "wrong").write_text(words)
            (tmp_path / "wrong").chmod(0o600)
            done = ca(fresh, "import", "old", *options, "--passphrase-file", tmp_path / "wrong", check=False)
            assert done.returncode == 1 and "the passphrase does not open this" in done.stderr
        options += ["--passphrase-file", secret]
    ca(fresh, "import", "old", *options)
    assert "ENCRYPTED PRIVATE KEY" in (folder_of(fresh) / "old.key").read_text()
    assert (folder_of(fresh) / "old.key").stat().st_mode & 0o777 == 0o600
    fresh.extra["profiles"] = [{"name": "old", "issuer": "old"}]
    use(fresh, "issuing", "old")
    fresh.start()
    _, path = Shop(fresh, tmp_path).issue()
    verify(outside.certificate, path)


@pytest.mark.parametrize("options,algorithm,other", [
    (["ec", "-pkeyopt", "ec_paramgen_curve:P-521"], "ecdsa-with-SHA512", "ecdsa-sha256"), (["ed25519"], "ED25519", "ed25519")])
def test_ca_keys_on_p521_and_ed25519(fresh, tmp_path, options, algorithm, other):
    """Certificates, lists and OCSP answers of such a CA, as OpenSSL and GnuTLS judge them, and the CA's renewal."""
    outside = Outside(tmp_path)
    key, request, certificate = (tmp_path / f"odd.{e}" for e in ("key", "csr", "pem"))
    openssl("req", "-newkey", *options, "-nodes", "-keyout", key, "-out", request, "-subj", "/CN=Odd")
    outside.sign(request, certificate)
    ca(fresh, "import", "odd", "--certificate", certificate, "--key", key, "--chain", outside.certificate)
    fresh.extra["profiles"] = [{"name": "odd", "issuer": "odd", "keys": ["ec-p256", "ec-p521", "ed25519"]}]
    use(fresh, "issuing", "odd")
    fresh.start()
    api = Api(fresh, make_token(fresh, "admin")[0])
    made = [api.issue(f"{i}.example.com", profile="odd")["certificate"] for i in range(2)]
    assert api.post("certificates", {"profileId": "odd", "attributes": {"commonName": "m.example.com", "signatureAlgorithm": other}})
    with pytest.raises(ApiRefused) as caught:
        api.post("certificates", {"profileId": "odd", "attributes": {"commonName": "m.example.com", "signatureAlgorithm": "rsa-sha256"}})
    assert "attributes.signatureAlgorithm" in caught.value.fields()
    api.post(f"certificates/{made[1]['certificateId']}/revoke")
    paths = []
    for i, one in enumerate(made):
        paths.append(tmp_path / f"{i}.pem")
        paths[i].write_text(one["certificate"] + certificate.read_text())
        assert f"Signature Algorithm: {algorithm}" in openssl("x509", "-in", paths[i], "-noout", "-text").stdout
    url = crl_url(x509.load_pem_x509_certificate(made[0]["certificate"].encode()))
    until(fresh, lambda: len(x509.load_der_x509_crl(wait_for(url).content)) == 1)
    (tmp_path / "odd.crl").write_bytes(wait_for(url).content)
    openssl("crl", "-inform", "DER", "-in", tmp_path / "odd.crl", "-out", tmp_path / "crl.pem")
    check = ["verify", "-CAfile", outside.certificate, "-untrusted", certificate, "-CRLfile", tmp_path / "crl.pem", "-crl_check"]
    assert openssl(*check, paths[0]).returncode == 0
    assert "revoked" in openssl(*check, paths[1], check=False).stderr
    responder = x509.load_pem_x509_certificate(made[0]["certificate"].encode()).extensions.get_extension_for_class(x509.AuthorityInformationAccess)
    address = [d.access_location.value for d in responder.value if d.access_method == x509.AuthorityInformationAccessOID.OCSP][0]
    for path, status in zip(paths, ("good", "revoked")):
        done = openssl("ocsp", "-issuer", certificate, "-cert", path, "-url", address, "-CAfile", outside.certificate, "-verify_other", certificate)
        assert f"{path}: {status}" in done.stdout and "Response verify OK" in done.stderr
        told = subprocess.run(["ocsptool", f"--ask={address}", "--load-cert", path, "--load-issuer", certificate, "--load-trust", certificate],
                              capture_output=True, text=True)
        assert "Verifying OCSP Response: Success." in told.stdout + told.stderr and f"Certificate Status: {status}" in told.stdout, told.stdout + told.stderr
        told = subprocess.run(["certtool", "--verify", "--load-ca-certificate", outside.certificate, "--load-crl", tmp_path / "crl.pem", "--infile", path],
                              capture_output=True, text=True)
        assert ("Chain verification output: Verified." in told.stdout) == (status == "good"), told.stdout
    ca(fresh, "csr", "odd", "--out", tmp_path / "again.csr", check=False)
    ca(fresh, "rekey", "issuing")
    reload(fresh)
    assert api.issue("later.example.com", profile="odd")["certificate"]


def test_import_refuses_what_is_no_good_ca(fresh, tmp_path):
    outside, short = Outside(tmp_path), Outside(tmp_path_sub(tmp_path, "short"), path_length=0)
    key, certificate = make_ca(tmp_path, outside, "Good")
    other, _ = make_ca(tmp_path, outside, "Other")
    cases = [
        (other, certificate, outside.certificate, "not the key of the certificate"),
        (*make_ca(tmp_path, outside, "Leaf", ca_true=False, usage="digitalSignature"), outside.certificate, "basicConstraints"),
        (*make_ca(tmp_path, outside, "NoSign", usage="cRLSign"), outside.certificate, "keyCertSign"),
        (*make_ca(tmp_path, outside, "NoList", usage="keyCertSign"), outside.certificate, "cRLSign"),
        (*make_ca(tmp_path, short, "Deep"), short.certificate, "allows 0 CAs below"),
        (key, certificate, short.certificate, "chain"),
        (key, certificate, None, "chain"),
        (key, tmp_path / "absent.pem", outside.certificate, "absent.pem"),
        (certificate, certificate, outside.certificate, ""),
    ]
    before = sorted(p.name for p in folder_of(fresh).iterdir())
    for key_file, certificate_file, chain, text in cases:
        key_file.chmod(0o600)
        options = ["--certificate", certificate_file, "--key", key_file] + (["--chain", chain] if chain else [])
        done = ca(fresh, "import", "bad", *options, check=False)
        assert done.returncode == 1 and text in done.stderr, (text, done.stderr)
        assert sorted(p.name for p in folder_of(fresh).iterdir()) == before
    key.chmod(0o644)
    done = ca(fresh, "import", "bad", "--certificate", certificate, "--key", key, "--chain", outside.certificate, check=False)
    assert done.returncode == 1 and "others can read" in done.stderr
    key.chmod(0o600)
    assert ca(fresh, "import", "issuing", "--certificate", certificate, "--key", key, "--chain", outside.certificate,
              check=False).returncode == 1


def tmp_path_sub(tmp_path, name):
    (tmp_path / name).mkdir()
    return tmp_path / name


def test_imported_root_is_completed_by_init(tmp_path):
    outside = Outside(tmp_path)
    config = tmp_path / "enrolld.yaml"
    config.write_text(json.dumps({"data": {"folder": str(tmp_path / "data")}}))

    def run(*args):
        done = subprocess.run([BINARY, *map(str, args), "--config", config], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
    run("ca", "import", "root", "--certificate", outside.certificate, "--key", outside.key)
    run("init")
    openssl("verify", "-x509_strict", "-CAfile", outside.certificate, tmp_path / "data/ca/issuing.pem")
    run("audit", "verify")


# --- names and path length


def test_name_constraints_hold(tmp_path):
    names = ["dns:example.com", "dns:localhost", "ip:127.0.0.0/8"]
    extra = {"ca": {"permitted": names, "excluded": ["dns:secret.example.com"]}}
    with Server(extra) as server:
        shop = Shop(server, tmp_path)
        _, path = shop.issue("www.example.com")
        verify(server.root_pem, path)
        for name in ("www.example.net", "a.secret.example.com"):
            with pytest.raises(Refused) as refused:
                shop.issue(name)
            assert refused.value.type == "rejectedIdentifier", refused.value
        shown = json.loads(ca(server, "show", "issuing", "--json").stdout)
        assert shown["permitted"] == names and shown["excluded"] == ["dns:secret.example.com"]


# --- deltas and shards


def test_delta_crls(tmp_path):
    extra = {"crl": {"delta_lifetime": "1h", "pause": "100ms"}}
    with Server(extra) as server:
        shop = Shop(server, tmp_path)
        revoked, path = shop.issue()
        url = crl_url(leaf_of(revoked))
        base = wait_for(url).content
        time.sleep(1.1)
        server.run("cert", "revoke", format(leaf_of(revoked).serial_number, "x"), check=True)
        deadline = time.monotonic() + 60
        while requests.get(url).content == base:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        parsed = x509.load_der_x509_crl(base)
        freshest = parsed.extensions.get_extension_for_class(x509.FreshestCRL).value[0].full_name[0].value
        assert freshest == url.replace("/0.crl", "/0.delta.crl")
        delta = x509.load_der_x509_crl(requests.get(freshest).content)
        indicator = delta.extensions.get_extension_for_class(x509.DeltaCRLIndicator)
        number = x509.CRLNumber
        assert indicator.critical and indicator.value.crl_number == parsed.extensions.get_extension_for_class(number).value.crl_number
        complete = x509.load_der_x509_crl(requests.get(url).content)
        assert delta.extensions.get_extension_for_class(number) == complete.extensions.get_extension_for_class(number)
        with pytest.raises(x509.ExtensionNotFound):
            delta.extensions.get_extension_for_class(x509.FreshestCRL)
        alone, both = tmp_path / "alone.pem", tmp_path / "both.pem" # openssl takes a delta for a whole list unless told of deltas
        alone.write_bytes(parsed.public_bytes(serialization.Encoding.PEM))
        both.write_bytes(alone.read_bytes() + delta.public_bytes(serialization.Encoding.PEM))
        check = ["verify", "-crl_check", "-CAfile", server.root_pem, "-untrusted", path, "-CRLfile"]
        assert openssl(*check, alone, path).returncode == 0
        done = openssl(*check, both, "-extended_crl", "-use_deltas", path, check=False)
        assert done.returncode != 0 and "revoked" in done.stderr + done.stdout, done.stderr


def test_shards(tmp_path):
    extra = {"crl": {"pause": "100ms"}}
    server = Server(extra)
    try:
        server.start()
        shop = Shop(server, tmp_path)
        early, early_path = shop.issue()
        assert crl_url(leaf_of(early)).endswith("/crl/issuing/0.crl")
        server.write_config({"crl": {"pause": "100ms", "shards": 4}})
        reload(server)
        late = [shop.issue(f"s{i}.example.com") for i in range(12)]
        urls = {crl_url(leaf_of(chain)) for chain, _ in late}
        assert 2 <= len(urls) <= 4
        everybody = [(early, early_path), *late]
        for chain, _ in everybody:
            server.run("cert", "revoke", format(leaf_of(chain).serial_number, "x"), check=True)
        for chain, path in everybody:
            leaf, url = leaf_of(chain), crl_url(leaf_of(chain))
            deadline = time.monotonic() + 60
            while True:
                crl = x509.load_der_x509_crl(wait_for(url).content)
                if crl.get_revoked_certificate_by_serial_number(leaf.serial_number):
                    break
                assert time.monotonic() < deadline
                time.sleep(0.2)
            scope = crl.extensions.get_extension_for_class(x509.IssuingDistributionPoint)
            assert scope.critical and scope.value.full_name[0].value == url
            (tmp_path / "shard.pem").write_bytes(crl.public_bytes(serialization.Encoding.PEM))
            done = openssl("verify", "-crl_check", "-extended_crl", "-CAfile", server.root_pem, "-untrusted", path, "-CRLfile",
                           tmp_path / "shard.pem", path, check=False)
            assert "certificate revoked" in done.stderr + done.stdout
        counts = [len(x509.load_der_x509_crl(requests.get(u).content)) for u in sorted(urls | {crl_url(leaf_of(early))})]
        assert sum(counts) == len(everybody)
        # Back to one: what was issued stays where its URL leads.
        server.write_config({"crl": {"pause": "100ms"}})
        reload(server)
        assert crl_url(leaf_of(shop.issue()[0])).endswith("/0.crl")
        for url in urls:
            assert requests.get(url).status_code == 200
    finally:
        server.close()


def test_strongswan_verifies_with_lists(fresh, tmp_path):
    """Its revocation plugin fetches nothing without the curl plugin, so pki gets the lists as files."""
    fresh.start()
    chain, _ = Shop(fresh, tmp_path).issue()
    names = {"leaf": pem_list(chain)[0], "issuing": pem_list(chain)[1], "root": open(fresh.root_pem).read()}
    for name, pem in names.items():
        (tmp_path / f"{name}.pem").write_text(pem)
    point = f"http://127.0.0.1:{fresh.plain_port}/crl"

    def verified():
        lists = []
        for name in ("root", "issuing"):
            (tmp_path / f"{name}.crl").write_bytes(requests.get(f"{point}/{name}/0.crl").content)
            lists += ["--crl", tmp_path / f"{name}.crl"]
        return subprocess.run(["pki", "--verify", "--in", tmp_path / "leaf.pem", "--cacert", tmp_path / "issuing.pem", "--cacert",
                               tmp_path / "root.pem", *lists], capture_output=True, text=True, timeout=60)
    done = verified()
    assert done.returncode == 0 and "certificate trusted" in done.stdout, done.stdout + done.stderr
    fresh.run("cert", "revoke", format(leaf_of(chain).serial_number, "x"), check=True)
    deadline = time.monotonic() + 60
    while (done := verified()).returncode == 0:
        assert time.monotonic() < deadline
        time.sleep(0.3)
    assert "revoked" in done.stdout + done.stderr, done.stdout + done.stderr


@pytest.mark.parametrize("options", [["-legacy"], ["-legacy", "-keypbe", "PBE-SHA1-RC2-40", "-certpbe", "PBE-SHA1-RC2-40"],
                                     ["-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-3DES", "-macalg", "sha1"],
                                     ["-name", "Ausstellende CA \u00dc \u6f22\u5b57"], ["-macalg", "sha512"]])
def test_import_of_old_and_odd_pkcs12(tmp_path, options):
    server = Server(folder=tmp_path)
    root, mid, sub = (tmp_path / n for n in ("r", "m", "s"))
    for name, issuer in ((root, None), (mid, root), (sub, mid)):
        openssl("req", "-x509" if not issuer else "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key",
                "-subj", f"/O=Old/CN={name.name}", "-out", f"{name}.pem" if not issuer else f"{name}.csr",
                *(["-addext", "keyUsage=critical,keyCertSign,cRLSign"] if not issuer else []))
        if issuer:
            extensions = tmp_path / "ext"
            extensions.write_text("basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n"
                                  "authorityKeyIdentifier=keyid\n")
            openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{issuer}.pem", "-CAkey", f"{issuer}.key", "-CAcreateserial", "-days", "300",
                    "-extfile", extensions, "-out", f"{name}.pem")
    above = tmp_path / "above.pem"
    above.write_text((tmp_path / "r.pem").read_text() + (tmp_path / "m.pem").read_text())  # the root first
    openssl("pkcs12", "-export", "-inkey", f"{sub}.key", "-in", f"{sub}.pem", "-certfile", above, "-passout", "pass:old secret", "-out",
            tmp_path / "old.p12", *options)
    secret = tmp_path / "secret"
    secret.write_text("old secret\n")
    for path in (secret, tmp_path / "old.p12"):
        path.chmod(0o600)
    ca(server, "import", "old", "--pkcs12", tmp_path / "old.p12", "--passphrase-file", secret)
    assert leaf((server.folder / "data/ca/old.chain.pem").read_bytes()).subject.rfc4514_string() == "CN=m,O=Old"
    secret.write_text("another\n")
    wrong = ca(server, "import", "again", "--pkcs12", tmp_path / "old.p12", "--passphrase-file", secret, check=False)
    assert wrong.returncode == 1 and "the passphrase does not open this file" in wrong.stderr
    server.close()
