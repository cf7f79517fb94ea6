"""certificateHold (RFC 5280, 5.3.1): a certificate is put on hold, is released or revoked for good, and complete lists,
deltas and OCSP tell of it, as openssl judges them."""

import json
import subprocess
import time

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtensionOID

from api_client import Api, Refused, load, make_token
from harness import Server

PROFILES = [{"name": "tls-server", "methods": ["acme", "api"]}]


@pytest.fixture(scope="module", params=[1, 3], ids=["one list", "shards"])
def server(request):
    with Server({"profiles": PROFILES, "crl": {"delta_lifetime": "1h", "pause": "100ms", "shards": request.param},
                 "api": {"requests_per_token": {"burst": 0}}}) as running:
        yield running


@pytest.fixture(scope="module")
def api(server):
    return Api(server, make_token(server, "admin")[0])


class Issued:
    def __init__(self, api, folder):
        made = api.issue("hold.example")["certificate"]
        self.id, self.folder = made["certificateId"], folder
        self.leaf, self.issuer = load(made["certificate"]), load(made["issuingCaCertificate"])
        (folder / "leaf.pem").write_text(made["certificate"])
        (folder / "issuer.pem").write_text(made["issuingCaCertificate"])

    def lists(self):
        """The complete list and its delta, of one number."""
        points = self.leaf.extensions.get_extension_for_oid(ExtensionOID.CRL_DISTRIBUTION_POINTS).value
        url = points[0].full_name[0].value
        complete = x509.load_der_x509_crl(requests.get(url).content)
        freshest = complete.extensions.get_extension_for_class(x509.FreshestCRL).value[0].full_name[0].value
        return complete, x509.load_der_x509_crl(requests.get(freshest).content)

    def on(self, crl):
        entry = crl.get_revoked_certificate_by_serial_number(self.leaf.serial_number)
        return entry and entry.extensions.get_extension_for_class(x509.CRLReason).value.reason

    def told(self, complete, delta):
        """Waits for lists that say so."""
        deadline = time.monotonic() + 60
        while (found := tuple(self.on(crl) for crl in self.lists())) != (complete, delta):
            assert time.monotonic() < deadline, found
            time.sleep(0.1)

    def status(self):
        info = self.leaf.extensions.get_extension_for_oid(ExtensionOID.AUTHORITY_INFORMATION_ACCESS).value
        url = next(a.access_location.value for a in info if a.access_method == AuthorityInformationAccessOID.OCSP)
        request = ocsp.OCSPRequestBuilder().add_certificate(self.leaf, self.issuer, hashes.SHA256()).build()
        reply = requests.post(url, data=request.public_bytes(serialization.Encoding.DER),
                              headers={"Content-Type": "application/ocsp-request"})
        parsed = ocsp.load_der_ocsp_response(reply.content)
        return parsed.certificate_status, parsed.revocation_reason

    def verify(self, root):
        """openssl's own word with complete list and delta."""
        lists = self.folder / "lists.pem"
        lists.write_bytes(b"".join(c.public_bytes(serialization.Encoding.PEM) for c in self.lists()))
        done = subprocess.run(["openssl", "verify", "-crl_check", "-use_deltas", "-extended_crl", "-CAfile", root, "-untrusted",
                               str(self.folder / "issuer.pem"), "-CRLfile", str(lists), str(self.folder / "leaf.pem")],
                              capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def issued(api, tmp_path):
    return Issued(api, tmp_path)


HOLD, REMOVED = x509.ReasonFlags.certificate_hold, x509.ReasonFlags.remove_from_crl
GOOD, REVOKED = ocsp.OCSPCertStatus.GOOD, ocsp.OCSPCertStatus.REVOKED


def refused(status, call, /, *args):
    with pytest.raises(Refused) as caught:
        call(*args)
    assert caught.value.status == status, caught.value
    return caught.value.problem["detail"]


def test_hold_and_release(server, api, issued):
    assert issued.status() == (GOOD, None)
    api.post(f"certificates/{issued.id}/revoke", {"revocationReason": "certificateHold"})
    assert issued.status() == (REVOKED, HOLD)
    issued.told(HOLD, HOLD)
    status, text = issued.verify(server.root_pem)
    assert status != 0 and "revoked" in text
    row = api.get(f"certificates/{issued.id}")
    assert (row["status"], row["reason"]) == ("revoked", "certificateHold")

    done = api.post(f"certificates/{issued.id}/release")
    assert done["certificateId"] == issued.id and done["releasedAt"]
    assert issued.status() == (GOOD, None)
    issued.told(None, REMOVED)
    assert issued.verify(server.root_pem)[0] == 0, issued.verify(server.root_pem)
    row = api.get(f"certificates/{issued.id}")
    assert row["status"] == "valid" and row["released"] == done["releasedAt"] and "revoked" not in row and "reason" not in row
    assert issued.id not in [r["id"] for r in api.everything(status="revoked")]
    event = json.loads(server.run("audit", "list", "--json", "--kind", "certificate-released", check=True).stdout)[-1]
    assert event["about"]["certificate"] == issued.id and event["actor"].startswith("token ") and event["about"]["held"]


def test_hold_that_becomes_final(api, issued):
    api.post(f"certificates/{issued.id}/revoke", {"revocationReason": "CERTIFICATE_HOLD"})
    assert "already" in refused(409, api.post, f"certificates/{issued.id}/revoke", {"revocationReason": "certificateHold"})
    api.post(f"certificates/{issued.id}/revoke", {"revocationReason": "keyCompromise"})
    assert issued.status() == (REVOKED, x509.ReasonFlags.key_compromise)
    issued.told(x509.ReasonFlags.key_compromise, x509.ReasonFlags.key_compromise)
    assert "for good (keyCompromise)" in refused(409, api.post, f"certificates/{issued.id}/release")
    assert "already" in refused(409, api.post, f"certificates/{issued.id}/revoke", {"revocationReason": "certificateHold"})


def test_a_compromise_that_is_learned_later(server, api, issued):
    """The revocation and its time stay; the reason is on OCSP, list and delta, and the key is certified no more."""
    superseded, compromised = x509.ReasonFlags.superseded, x509.ReasonFlags.key_compromise
    first = api.post(f"certificates/{issued.id}/revoke", {"revocationReason": "superseded"})
    issued.told(superseded, superseded)
    time.sleep(1.1)
    assert "already" in refused(409, api.post, f"certificates/{issued.id}/revoke", {"revocationReason": "unspecified"})
    second = api.post(f"certificates/{issued.id}/revoke", {"revocationReason": "keyCompromise"})
    assert second["revokedAt"] == first["revokedAt"] == api.get(f"certificates/{issued.id}")["revoked"]
    assert issued.status() == (REVOKED, compromised)
    issued.told(compromised, compromised)
    event = json.loads(server.run("audit", "list", "--json", "--kind", "certificate-revoked", check=True).stdout)[-1]
    assert (event["about"]["reasonBefore"], event["about"]["reason"]) == ("superseded", "keyCompromise")
    assert event["time"] > first["revokedAt"]
    again = server.run("cert", "revoke", "--reason", "keyCompromise", issued.id)
    assert again.returncode == 1 and "revoked already (keyCompromise)" in again.stderr


def test_a_key_that_turned_out_compromised_is_certified_no_more(api):
    key = ec.generate_private_key(ec.SECP256R1())
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).add_extension(
        x509.SubjectAlternativeName([x509.DNSName("lost.example")]), False).sign(key, hashes.SHA256())
    body = {"profileId": "tls-server", "csr": request.public_bytes(serialization.Encoding.PEM).decode()}
    made = api.post("certificates", body)["certificate"]["certificateId"]
    api.post(f"certificates/{made}/revoke", {"revocationReason": "cessationOfOperation"})
    api.post("certificates", body)
    api.post(f"certificates/{made}/revoke", {"revocationReason": "keyCompromise"})
    assert "keyCompromise" in refused(400, api.post, "certificates", body)


def test_held_again(server, issued):
    """And by the command, in another process than the server."""
    for _ in range(2):
        server.run("cert", "revoke", "--reason", "certificateHold", issued.id, check=True)
        issued.told(HOLD, HOLD)
        row = json.loads(server.run("cert", "release", "--json", issued.id, check=True).stdout)
        assert row["status"] == "valid" and row["released"]
        issued.told(None, REMOVED)
    assert server.run("cert", "release", issued.id).returncode == 1
    assert "released" in server.run("cert", "show", issued.id, check=True).stdout


def test_what_is_not_on_hold_is_not_released(server, api, issued):
    assert "not on hold" in refused(409, api.post, f"certificates/{issued.id}/release")
    refused(404, api.post, "certificates/" + "0" * 22 + "/release")
    assert "/release" in refused(400, api.post, f"certificates/{issued.id}/revoke", {"revocationReason": "removeFromCRL"})
    for role in ("issue,read", "approve"):
        other = Api(server, make_token(server, *role.split(","))[0])
        refused(403, other.post, f"certificates/{issued.id}/release")
    assert issued.status() == (GOOD, None)
