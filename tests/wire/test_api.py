"""The REST API over the wire: what it does, what it refuses, and that it is as it describes itself. Each
route is walked as the server's own `routes --json` lists them."""

import datetime
import json
import re
import ssl
import subprocess
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from api_client import Api, Refused, Schema, csr, load, make_token, new_key
from harness import Server
from http_wire import Connection

PROFILES = [{"name": "tls-server", "methods": ["acme", "api"]},
            {"name": "other", "methods": ["acme", "api"]},
            {"name": "closed", "methods": ["acme"]},
            {"name": "bound", "methods": ["api"], "policy": "bound", "key_usage": ["digitalSignature"], "extended_key_usage": ["clientAuth"]},
            {"name": "narrow", "methods": ["api"], "dns": {"allow": ["**.narrow.example"]}, "keys": ["ec-p384"]}]


POLICIES = [{"name": "bound", "unlisted": "allow", "subject": {"cn": {"required": ["{identity}"]}}}]


@pytest.fixture(scope="module")
def server():
    with Server({"profiles": PROFILES, "policies": POLICIES, "api": {"requests_per_token": {"burst": 0}}}) as running:
        yield running


@pytest.fixture(scope="module")
def api(server):
    """Who may do everything."""
    return Api(server, make_token(server, "admin", "key")[0])


@pytest.fixture(scope="module")
def routes(server):
    return [r for r in json.loads(server.run("routes", "--json", check=True).stdout) if r["wing"] == "api"]


def refused(status, call, /, *args, **kwargs):
    with pytest.raises(Refused) as caught:
        call(*args, **kwargs)
    assert caught.value.status == status, caught.value
    return caught.value


RFC3339 = "%Y-%m-%dT%H:%M:%SZ"


def now():
    return datetime.datetime.now(datetime.timezone.utc)


def later(days):
    return (now() + datetime.timedelta(days=days)).strftime(RFC3339)


def dates(certificate):
    """Older versions of the library know dates without a zone alone."""
    if hasattr(certificate, "not_valid_after_utc"):
        return certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return certificate.not_valid_before, certificate.not_valid_after


def life(certificate):
    begin, end = dates(certificate)
    return end - begin


# --- issuing

def test_the_documented_request(server, api, tmp_path):
    key = new_key()
    reply = api.post("certificates", {"profileId": "tls-server", "csr": csr("www.example.com", key=key),
                                      "attributes": {"ttl": "90d"}})
    assert set(reply) == {"certificate", "certificateRequestId"}
    made = reply["certificate"]
    assert set(made) == {"certificate", "certificateChain", "issuingCaCertificate", "serialNumber", "certificateId"}
    certificate = load(made["certificate"])
    assert certificate.serial_number == int(made["serialNumber"], 16)
    assert certificate.public_key().public_numbers() == key.public_key().public_numbers()
    assert life(certificate) == datetime.timedelta(days=90, seconds=-1)
    assert made["certificateChain"].startswith(made["issuingCaCertificate"])
    for name in ("certificate", "certificateChain"):
        (tmp_path / name).write_text(made[name])
    # The chain ends in the root, so that it is all that a verifier needs.
    subprocess.run(["openssl", "verify", "-CAfile", tmp_path / "certificateChain", tmp_path / "certificate"], check=True)
    subprocess.run(["openssl", "verify", "-CAfile", server.root_pem, "-untrusted", tmp_path / "certificateChain",
                    tmp_path / "certificate"], check=True)
    record = api.get(f"certificate-requests/{reply['certificateRequestId']}")
    assert record["status"] == "issued" and record["certificateId"] == made["certificateId"]


def test_chain_without_root(api):
    whole = api.issue("a.example")["certificate"]["certificateChain"]
    less = api.issue("a.example", removeRootsFromChain=True)["certificate"]["certificateChain"]
    assert whole.count("BEGIN") == 2 and less.count("BEGIN") == 1 and whole.startswith(less)


@pytest.mark.parametrize("ttl,seconds", [("12h", 43200), ("1d", 86400), ("3m", 90 * 86400), ("1y", 365 * 86400)])
def test_ttl(api, ttl, seconds):
    certificate = load(api.issue("ttl.example", attributes={"ttl": ttl})["certificate"]["certificate"])
    assert life(certificate) == datetime.timedelta(seconds=seconds - 1)


def test_explicit_dates(api):
    end = later(10)
    made = load(api.issue("dates.example", attributes={"notAfter": end})["certificate"]["certificate"])
    assert dates(made)[1].strftime(RFC3339) == end


def self_signed():
    key, name = new_key(), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "self")])
    return (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
            .not_valid_before(now() - datetime.timedelta(days=1)).not_valid_after(now() + datetime.timedelta(days=9))
            .sign(key, hashes.SHA256()))


def pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


GOOD = csr("good.example")
KEY = new_key().private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                              serialization.NoEncryption()).decode()
BAD_BODIES = [
    ({"csr": GOOD}, 400, "profileId", "is missing"),
    ({"profileId": "tls-server"}, 400, "csr", "CSR cannot be empty"),
    ({"profileId": "tls-server", "csr": ""}, 400, "csr", "CSR cannot be empty"),
    ({"profileId": "tls-server", "csr": " \n\t "}, 400, "csr", "CSR cannot be empty"),
    ({"profileId": "tls-server", "csr": None}, 400, "csr", "expected a text"),
    ({"profileId": "tls-server", "csr": "-----BEGIN CERTIFICATE REQUEST-----\n-----END CERTIFICATE REQUEST-----\n"},
     400, "csr", "CSR cannot be empty"),
    ({"profileId": "tls-server", "csr": "hello"}, 400, "csr", "as PEM"),
    ({"profileId": "tls-server", "csr": GOOD.replace("END", "FIN")}, 400, "csr", "no \"END"),
    ({"profileId": "tls-server", "csr": GOOD.replace("M", "!", 1)}, 400, "csr", "no base64"),
    ({"profileId": "tls-server", "csr": GOOD[:200] + "AAAA" + GOOD[204:]}, 400, "csr", ""),
    ({"profileId": "tls-server", "csr": GOOD + KEY}, 400, "csr", "private key"),
    ({"profileId": "tls-server", "csr": pem(self_signed())}, 400, "csr",
     "Self-signed certificates are not supported for CSR signing"),
    ({"profileId": "nothing", "csr": GOOD}, 404, "profileId", "there is no such profile"),
    ({"profileId": "closed", "csr": GOOD}, 400, "csr", "not open to this way"),
    ({"profileId": "tls-server", "csr": GOOD, "attributes": {"ttl": "400d"}}, 400, "attributes.ttl", "longer than"),
    ({"profileId": "tls-server", "csr": GOOD, "attributes": {"ttl": "90"}}, 400, "attributes.ttl", "as `90d`"),
    ({"profileId": "tls-server", "csr": GOOD, "attributes": {"ttl": "0d"}}, 400, "attributes.ttl", "as `90d`"),
    ({"profileId": "tls-server", "csr": GOOD, "attributes": {"ttl": "-1d"}}, 400, "attributes.ttl", "as `90d`"),
    ({"profileId": "tls-server", "csr": GOOD, "attributes": {"ttl": 90}}, 400, "attributes.ttl", "expected a text"),
    ({"profileId": "tls-server", "csr": GOOD, "attributes": {"ttl": "9999999999d"}}, 400, "attributes.ttl", "as `90d`"),
    ({"profileId": "tls-server", "csr": GOOD, "attributes": {"ttl": "10d", "notAfter": "2030-01-01T00:00:00Z"}},
     400, "attributes.ttl", "cannot be given together"),
    ({"profileId": "tls-server", "csr": GOOD, "attributes": {"ttl": "10d", "notBefore": "2030-01-01T00:00:00Z"}},
     400, "attributes.ttl", "cannot be given together"),
    ({"profileId": "tls-server", "csr": GOOD, "attributes": {"notAfter": "2000-01-01T00:00:00Z"}},
     400, "attributes.notAfter", "past"),
    ({"profileId": "tls-server", "csr": GOOD, "attributes": {"notAfter": "soon"}}, 400, "attributes.notAfter", "RFC 3339"),
    ({"profileId": "tls-server", "csr": GOOD, "attributes": {"cn": "x"}}, 400, "attributes.cn", "no such field"),
    ({"profileId": "tls-server", "csr": GOOD, "attributes": []}, 400, "attributes", "expected an object"),
    ({"profileId": "tls-server", "csr": GOOD, "metadata": {}}, 400, "metadata", "expected a list"),
    ({"profileId": "tls-server", "csr": GOOD, "metadata": [{"key": "a", "value": "1"}] * 2}, 400, "metadata", "twice"),
    ({"profileId": "tls-server", "csr": GOOD, "metadata": [{"key": "", "value": "1"}]}, 400, "metadata[0].key", "1 to 64"),
    ({"profileId": "tls-server", "csr": GOOD, "metadata": [{"key": "a", "value": "b=c"}, {"key": "a=b", "value": "c"}]}, 400, "metadata[1].key", "has a `=`"),
    ({"profileId": "tls-server", "csr": GOOD, "metadata": [{"key": "a", "value": "x" * 513}]}, 400, "metadata[0].value", "512"),
    ({"profileId": "tls-server", "csr": GOOD, "metadata": [{"key": str(i), "value": ""} for i in range(33)]},
     400, "metadata", "at most 32"),
    ({"profileId": "tls-server", "csr": GOOD, "metadata": [{"key": "a\nb", "value": ""}]}, 400, "metadata[0].key", "control"),
    ([], 400, "", "expected an object"),
]


@pytest.mark.parametrize("body,status,field,text", BAD_BODIES)
def test_bad_request_names_the_field_and_changes_nothing(api, body, status, field, text):
    before = len(api.everything())
    problem = refused(status, api.post, "certificates", body)
    if field:
        assert text in problem.fields()[field], problem
    assert text in problem.problem["detail"]
    assert len(api.everything()) == before


@pytest.mark.parametrize("text,field,fault", [
    ('{"profileId": "tls-server", "csr": "a\\u0000b"}', "csr", "an escaped NUL"),
    ('{"profileId": "tls-server", "attributes": {"altNames": [{"value": "x"}, {"value": "\\ud800"}]}}', "attributes.altNames[1].value",
     "an unpaired surrogate"),
    ('{"profileId": "tls-server", "metadata": [{"key": "k", "value": "\xff"}]}', "metadata[0].value", "not UTF-8"),
    ('{"profileId": "tls-server", "attributes": {"ttl": 1d}}', "attributes", "no comma"),
    ('{"profileId": "tls-server", "csr": "a\nb"}', "csr", "bare control character"),
])
def test_text_that_is_no_json_names_the_field_too(api, text, field, fault):
    reply = api.raw("POST", "/api/v1/cert-manager/certificates", data=text.encode("latin-1"), headers={"Content-Type": "application/json"})
    api.check("POST", "/api/v1/cert-manager/certificates", reply)
    assert reply.status_code == 400
    (error,) = reply.json()["errors"]
    assert error["field"].startswith(field) and fault in error["detail"] and "at byte" in error["detail"], error


def test_all_violations_come_together(api):
    body = {"profileId": "narrow", "csr": csr("wide.example", "also.example", cn="wide.example"),
            "attributes": {"ttl": "400d"}}
    problem = refused(400, api.post, "certificates", body)
    details = [e["detail"] for e in problem.problem["errors"]]
    for part in ("wide.example", "also.example", "ec-p256", "longer than"):
        assert any(part.lower() in d.lower() for d in details), (part, details)
    assert "attributes.ttl" in problem.fields()
    # What was refused is kept, with all the reasons.
    record = api.get(problem.reply.headers["Location"])
    assert record["status"] == "failed" and record["reasons"] == details and "certificateId" not in record
    assert record["id"] in [r["id"] for r in api.everything("certificate-requests", status="failed")]


def test_each_violation_is_an_entry_of_its_own(server, api, tmp_path):
    text = csr("wide.example", "also.example", cn="wide.example")
    errors = refused(400, api.post, "certificates", {"profileId": "narrow", "csr": text}).problem["errors"]
    told = {(e["field"], e["value"], e["rule"], e["message"]) for e in errors}
    assert ("san.dns", "also.example", "allow", "DNS SAN value does not match allowed patterns") in told, told
    assert any(e["field"] == "keys" and e["rule"] == "allow" and e["value"] == "ec-p256"
               and e["message"] == "Key algorithm is not allowed by template policy" for e in errors), told
    assert all(e["field"] and e["rule"] and e["message"] and e["detail"] for e in errors), errors
    # The gate's own rules are told the same way.
    plain = refused(400, api.post, "certificates", {"profileId": "tls-server", "csr": csr(*[f"n{i}.example" for i in range(150)])})
    assert [(e["field"], e["rule"]) for e in plain.problem["errors"]] == [("csr", "names-count")]
    # What a trial tells is what a refusal would.
    trial = api.post("certificate-profiles/narrow/test", {"csr": text})
    assert {(e["field"], e["value"], e["rule"], e["message"]) for e in trial["errors"]} == told
    (tmp_path / "r.csr").write_text(text)
    ran = server.run("policy", "test", "--profile", "narrow", "--method", "api", "--json", str(tmp_path / "r.csr"))
    assert ran.returncode == 1 and json.loads(ran.stdout)["errors"] == trial["errors"]
    assert api.post("certificate-profiles/tls-server/test", {"csr": csr("test.example")})["errors"] == []


def test_names_are_the_tokens(server, api):
    token, token_id = make_token(server, "issue", "read", name="dns:**.team.example,dns:team.example", profile="tls-server,other")
    team = Api(server, token)
    made = team.issue("a.b.team.example", "team.example")["certificate"]["certificateId"]
    assert api.get(f"certificates/{made}")["identity"] == f"token {token_id}"
    problem = refused(403, team.issue, "www.example.com", "a.team.example")
    assert [(e["field"], e["value"], e["rule"]) for e in problem.problem["errors"]] == [("san.dns", "www.example.com", "names-proven")]
    assert refused(403, team.issue, "a.team.example", profile="narrow").problem["detail"].endswith("not for profile narrow")
    assert refused(403, team.issue, "a.team.example", profile="nothing")


def test_policy_is_bound_to_the_tokens_identity(server):
    robot = Api(server, make_token(server, "issue", identity="robot-7")[0])
    made = robot.post("certificates", {"profileId": "bound", "csr": csr("r.example", cn="robot-7")})
    assert "robot-7" in load(made["certificate"]["certificate"]).subject.rfc4514_string()
    for cn in ("robot-8", "*", "{identity}", None):
        assert "common_name" in refused(400, robot.post, "certificates", {"profileId": "bound", "csr": csr("r.example", cn=cn)}).problem["detail"]
    nobody = Api(server, make_token(server, "issue")[0])
    refused(400, nobody.post, "certificates", {"profileId": "bound", "csr": csr("r.example", cn="robot-7")})


def test_a_csr_is_judged_without_issuing(api):
    before = len(api.everything())
    good = api.post("certificate-profiles/tls-server/test", {"csr": csr("test.example")})
    assert good["approved"] and all(r["held"] and not r["reasons"] for r in good["rules"])
    bad = api.post("certificate-profiles/narrow/test", {"csr": csr("test.example")})
    assert not bad["approved"]
    broken = [v for v in bad["verdicts"] if not v["held"]]
    assert {"san.dns"} <= {v["field"] for v in broken} and all(v["text"] for v in broken)
    bound = {"csr": csr("r.example", cn="robot-7"), "identity": "robot-7"}
    assert api.post("certificate-profiles/bound/test", bound)["approved"]
    assert not api.post("certificate-profiles/bound/test", {**bound, "identity": "robot-8"})["approved"]
    assert "CSR cannot be empty" in refused(400, api.post, "certificate-profiles/narrow/test", {"csr": ""}).problem["detail"]
    refused(404, api.post, "certificate-profiles/nothing/test", bound)
    assert len(api.everything()) == before and not api.everything("certificate-requests", profile="bound", status="pending")


# --- the inventory

@pytest.fixture(scope="module")
def stock(server, api):
    """Certificates to search among."""
    ids = {}
    for i in range(5):
        ids[f"s{i}"] = api.issue(f"s{i}.stock.example", "all.stock.example", profile="other", attributes={"ttl": f"{20 + i}d"},
                                 metadata=[{"key": "row", "value": str(i % 2)}])["certificate"]["certificateId"]
    api.post(f"certificates/{ids['s4']}/revoke", {"revocationReason": "superseded"})
    return ids


def names(rows):
    return {r["names"][-1]["value"].split(".")[0] for r in rows}


def test_search(api, stock):
    row = api.get(f"certificates/{stock['s1']}")
    assert api.get(f"certificates/{row['serial']}")["id"] == api.get(f"certificates/{row['fingerprint']}")["id"] == row["id"]
    for written in (row["serial"], row["fingerprint"]):  # as openssl prints them
        assert api.get("certificates/" + ":".join(written[i:i + 2] for i in range(0, len(written), 2)).upper())["id"] == row["id"]
    one = [dict(serial=row["serial"]), dict(fingerprint=row["fingerprint"]), dict(key=row["keyHash"]),
           dict(name="s1.stock.example"), dict(name="dns:S1.Stock.example"),
           dict(serial="0" + row["serial"].upper()), dict(fingerprint=":".join(row["fingerprint"][i:i + 2] for i in range(0, 64, 2)))]
    for query in one:
        assert [r["id"] for r in api.everything(**query)] == [row["id"]], query
    many = [(dict(name="all.stock.example"), "01234"), (dict(name="all.stock.example", status="revoked"), "4"),
            (dict(name="all.stock.example", status="valid"), "0123"), (dict(profile="other", metadata="row=1"), "13"),
            (dict(profile="other", status="revoked"), "4"), (dict(name="all.stock.example", status="expired"), ""),
            (dict(name="all.stock.example", profile="tls-server"), ""), (dict(name="email:all.stock.example"), ""),
            (dict(name="all.stock.example", method="acme"), ""), (dict(name="all.stock.example", issuer="issuing"), "01234"),
            (dict(profile="other", issuer="elsewhere"), ""), (dict(name="all.stock.example", issuedAfter=later(-1)), "01234"),
            (dict(name="all.stock.example", issuedAfter=later(1)), ""), (dict(name="all.stock.example", issuedBefore=later(-1)), ""),
            (dict(name="all.stock.example", issuedBefore=later(1)), "01234"), (dict(name="all.stock.example", identity=row["identity"]), "01234")]
    for query, wanted in many:
        assert names(api.everything(**query)) == {"s" + c for c in wanted}, query
    between = api.everything(expiresAfter=later(20.5), expiresBefore=later(23.5), profile="other")
    assert names(between) == {"s1", "s2", "s3"} and [r["notAfter"] for r in between] == sorted(r["notAfter"] for r in between)
    assert stock["s4"] in [r["id"] for r in api.everything(status="revoked")]


def test_an_address_is_found_however_it_is_written(server, api):
    made = api.post("certificates", {"profileId": "tls-server", "attributes": {"altNames": [{"type": "ip", "value": "2001:db8::5"}]}})
    made = made["certificate"]["certificateId"]
    for name in ("2001:db8::5", "ip:2001:db8::5", "2001:DB8:0:0:0:0:0:5", "ip:2001:0db8::0005"):
        assert [r["id"] for r in api.everything(name=name)] == [made], name
        told = json.loads(server.run("cert", "list", "--json", "--name", name, check=True).stdout)
        assert [r["id"] for r in (told if isinstance(told, list) else told["certificates"])] == [made], name
    assert not api.everything(name="dns:2001:db8::5")


@pytest.mark.parametrize("query", [{}, {"profile": "other"}, {"name": "all.stock.example"}, {"status": "valid"},
                                   {"expiresAfter": "2020-01-01T00:00:00Z"}, {"status": "revoked"}])
def test_pages_are_a_whole(api, stock, query):
    whole = [r["id"] for r in api.everything(**query, limit="1000")]
    for limit in ("1", "2", "3"):
        paged = [r["id"] for r in api.everything(**query, limit=limit)]
        assert paged == whole
    assert len(set(whole)) == len(whole)


@pytest.mark.parametrize("query,field", [
    ({"limit": "0"}, "limit"), ({"limit": "1001"}, "limit"), ({"limit": "x"}, "limit"), ({"serial": "xyz"}, "serial"),
    ({"serial": "12" * 30}, "serial"), ({"fingerprint": "abcd"}, "fingerprint"), ({"key": "zz"}, "key"),
    ({"status": "good"}, "status"), ({"method": "x"}, "method"), ({"expiresBefore": "tomorrow"}, "expiresBefore"),
    ({"after": "x"}, "after"), ({"after": "99.x"}, "after"), ({"after": "-1.x"}, "after"), ({"name": ""}, "name"),
    ({"name": "a\nb"}, "name"), ({"name": "x" * 300}, "name"), ({"nonsense": "1"}, "nonsense"),
])
def test_bad_search(api, query, field):
    assert field in refused(400, api.get, "certificates", **query).fields()


def test_bad_queries_of_all_kinds(api):
    for query in ("limit=1&limit=2", "name=%00", "name=%ff", "&&&=&", "=", "a" * 500):
        assert api.raw("GET", "/api/v1/cert-manager/certificates?" + query).status_code == 400, query
    assert refused(400, api.get, "certificates", after="0.!!").status == 400


def test_reading(api, stock, tmp_path, server):
    one = stock["s0"]
    row, body, bundle = (api.get(f"certificates/{one}{tail}") for tail in ("", "/certificate", "/bundle"))
    assert row["pem"] == body["certificate"] == bundle["certificate"]
    assert body["certificateChain"].count("BEGIN") == 2 and bundle["certificateChain"].count("BEGIN") == 1
    assert api.get(f"certificates/{one}/pem") == bundle["certificate"] + bundle["certificateChain"]
    for wrong in ("A" * 22, "00", "ff" * 32, "nothing", "..%2f"):
        reply = api.raw("GET", f"/api/v1/cert-manager/certificates/{wrong}")
        assert reply.status_code == 404, wrong


# --- revoking

@pytest.mark.parametrize("by", ["id", "serial", "fingerprint"])
def test_revoke(api, by):
    made = api.issue("revoke.example")["certificate"]["certificateId"]
    row = api.get(f"certificates/{made}")
    reply = api.post(f"certificates/{row[by]}/revoke", {"revocationReason": "KEY_COMPROMISE"})
    assert reply["certificateId"] == made and reply["revocationReason"] == "keyCompromise"
    after = api.get(f"certificates/{made}")
    assert after["status"] == "revoked" and after["reason"] == "keyCompromise" and after["revokedBy"].startswith("token ")
    assert refused(409, api.post, f"certificates/{made}/revoke", {}).problem["type"].endswith("already-revoked")


@pytest.mark.parametrize("reason,wanted", [
    (None, "unspecified"), ("0", "unspecified"), ("superseded", "superseded"), ("CESSATION_OF_OPERATION", "cessationOfOperation"),
    ("cACompromise", "cACompromise"), ("certificateHold", "certificateHold"), ("A_A_COMPROMISE", "aACompromise"), ("9", "privilegeWithdrawn")])
def test_reasons(api, reason, wanted):
    made = api.issue("reason.example")["certificate"]["certificateId"]
    reply = api.post(f"certificates/{made}/revoke", {"revocationReason": reason} if reason else {})
    assert reply["revocationReason"] == wanted


def test_wrong_reasons(api):
    made = api.issue("reason.example")["certificate"]["certificateId"]
    for reason in ("removeFromCRL", "7", "8", "11", "-1", "because", "keyCompromise\n"):
        assert "revocationReason" in refused(400, api.post, f"certificates/{made}/revoke", {"revocationReason": reason}).fields()
    assert api.get(f"certificates/{made}")["status"] == "valid"


# --- renewing

def test_renew_links_both(api):
    first = api.issue("renew.example", metadata=[{"key": "owner", "value": "Ada"}])["certificate"]["certificateId"]
    second = api.post(f"certificates/{first}/renew", {"csr": csr("renew.example")})["certificate"]["certificateId"]
    old, new = api.get(f"certificates/{first}"), api.get(f"certificates/{second}")
    assert old["replacedBy"] == second and new["replaces"] == first and old["status"] == "valid"
    assert new["metadata"] == old["metadata"] and new["profile"] == old["profile"]
    assert first in [r["id"] for r in api.everything(name="renew.example", status="renewed")]
    short = api.issue("renew.example", attributes={"ttl": "29d"})["certificate"]["certificateId"]
    assert [r["id"] for r in api.everything(name="renew.example", status="expiring")] == [short]
    api.post(f"certificates/{short}/renew", {"csr": csr("renew.example")})
    assert api.everything(name="renew.example", status="expiring") == []
    refused(409, api.post, f"certificates/{first}/renew", {"csr": csr("renew.example")})
    third = api.post(f"certificates/{second}/renew", {"csr": csr("renew.example"), "attributes": {"ttl": "7d"}, "metadata": []})
    assert "metadata" not in api.get(f"certificates/{third['certificate']['certificateId']}")
    record = api.get(f"certificate-requests/{third['certificateRequestId']}")
    assert record["replaces"] == second


def test_renewal_is_judged_again(api):
    first = api.issue("one.example", "two.example")["certificate"]["certificateId"]
    for wrong in (csr("one.example"), csr("one.example", "two.example", "three.example"), csr("one.example", "other.example")):
        assert "Subject alternative names mismatch" in refused(
            400, api.post, f"certificates/{first}/renew", {"csr": wrong}).problem["detail"]
    assert "CSR cannot be empty" in refused(400, api.post, f"certificates/{first}/renew", {}).problem["detail"]
    refused(400, api.post, f"certificates/{first}/renew", {"csr": csr("one.example", "two.example"), "attributes": {"ttl": "2y"}})
    assert "replacedBy" not in api.get(f"certificates/{first}")
    api.post(f"certificates/{first}/revoke", {})
    refused(409, api.post, f"certificates/{first}/renew", {"csr": csr("one.example", "two.example")})


def test_latest_active_bundle(api):
    path = "certificate-profiles/tls-server/certificates/latest-active-bundle"
    refused(404, api.get, path, identifier="latest.example")
    refused(400, api.get, path)
    first = api.issue("latest.example")["certificate"]["certificateId"]
    assert api.get(path, identifier="latest.example")["certificateId"] == first
    second = api.post(f"certificates/{first}/renew", {"csr": csr("latest.example")})["certificate"]["certificateId"]
    for identifier in ("latest.example", "LATEST.example", "dns:latest.example", first, second):
        assert api.get(path, identifier=identifier)["certificateId"] == second
    refused(404, api.get, path.replace("tls-server", "other"), identifier="latest.example")
    refused(404, api.get, path.replace("tls-server", "other"), identifier=first)
    api.post(f"certificates/{second}/revoke", {})
    assert api.get(path, identifier="latest.example")["certificateId"] == first


def test_the_latest_is_one_that_counts_now(api):
    path = "certificate-profiles/tls-server/certificates/latest-active-bundle"
    begin = {"notBefore": later(1), "notAfter": later(10)}
    api.issue("early.example", attributes=begin)
    refused(404, api.get, path, identifier="early.example")
    made = api.issue("early.example")["certificate"]["certificateId"]
    api.issue("early.example", attributes=begin)
    assert api.get(path, identifier="early.example")["certificateId"] == made


def test_the_latest_of_one_second(api):
    """Ids have no order within a second, and no renewal says which of these is the newer one."""
    path = "certificate-profiles/tls-server/certificates/latest-active-bundle"
    for i in range(12):
        made = [api.issue(f"second-{i}.example")["certificate"]["certificateId"] for _ in range(3)]
        assert api.get(path, identifier=f"second-{i}.example")["certificateId"] == made[-1]


# --- certificates of others, and what is kept beside

def test_import(api):
    foreign = self_signed()
    made = api.post("certificates/import", {"certificate": pem(foreign), "profileId": "other", "metadata": [{"key": "a", "value": "b"}]})
    assert made["method"] == "import" and made["issuerSubject"] == "CN=self" and "issuer" not in made and made["profile"] == "other"
    assert api.everything(serial="01")[0]["id"] == made["id"]
    assert made["id"] in [r["id"] for r in api.everything(method="import")]
    refused(404, api.get, "certificate-profiles/other/certificates/latest-active-bundle", identifier="self")  # it is not ours
    assert refused(409, api.post, "certificates/import", {"certificate": pem(foreign)})
    refused(409, api.post, f"certificates/{made['id']}/revoke", {})
    refused(409, api.post, f"certificates/{made['id']}/renew", {"csr": csr("self.example")})
    assert api.get(f"certificates/{made['id']}/bundle")["certificateChain"] == ""
    api.call("DELETE", f"certificates/{made['id']}")
    refused(404, api.get, f"certificates/{made['id']}")
    again = api.post("certificates/import", {"certificate": pem(self_signed())})
    assert "profile" not in again
    for wrong in ({"certificate": "x"}, {"certificate": GOOD}, {}, {"certificate": pem(foreign), "profileId": "nothing"}):
        refused(404 if "profileId" in wrong else 400, api.post, "certificates/import", wrong)


def test_what_was_issued_is_not_deleted(api):
    made = api.issue("stay.example")["certificate"]["certificateId"]
    refused(409, api.call, "DELETE", f"certificates/{made}")
    assert api.get(f"certificates/{made}")["status"] == "valid"


TEXTS = ["'; DROP TABLE certificates; --", "<script>alert(1)</script>", "../../../etc/passwd", "%s%n%x", "${jndi:ldap://x/a}",
         "{{7*7}}", "\"\\\"", "ünïcødé \U0001f511", "\u202eabc", "a" * 255, "$(id)", "|cat /etc/passwd", "\ufeff", "NaN", "null", "-1"]


def test_metadata_is_kept_as_it_is(api):
    made = api.issue("meta.example")["certificate"]["certificateId"]
    entries = [{"key": f"k{i}", "value": text} for i, text in enumerate(TEXTS)] + [{"key": t[:40], "value": ""} for t in TEXTS[:6]]
    assert api.call("PATCH", f"certificates/{made}", {"metadata": entries})["metadata"] == entries
    assert api.get(f"certificates/{made}")["metadata"] == entries
    assert [r["id"] for r in api.everything(name="meta.example", metadata=f"k0={TEXTS[0]}")] == [made]
    assert [r["id"] for r in api.everything(name="meta.example", metadata="k0")] == [made] and not api.everything(name="meta.example", metadata="k")
    assert "metadata" in api.call("PATCH", f"certificates/{made}", {})
    with pytest.raises(Refused) as caught:
        api.call("PATCH", f"certificates/{made}", {"metadata": [{"key": "k=0", "value": "x"}]})
    assert [e["field"] for e in caught.value.problem["errors"]] == ["metadata[0].key"]
    assert "metadata" not in api.call("PATCH", f"certificates/{made}", {"metadata": []})


# --- who may what

def test_profiles_and_cas(server, api):
    assert {p["id"] for p in api.get("certificate-profiles")["profiles"]} == {p["name"] for p in PROFILES}
    assert api.get("certificate-profiles/narrow")["keys"] == ["ec-p384"]
    refused(404, api.get, "certificate-profiles/nothing")
    issuer, = api.get("ca")["issuers"]
    assert issuer["id"] == "issuing" and issuer["certificateChain"].count("BEGIN") == 2


def test_scoped_token_sees_its_profiles_alone(server, api, stock):
    scoped = Api(server, make_token(server, "read", "issue", "revoke", profile="tls-server")[0])
    mine = api.issue("mine.example")["certificate"]
    assert {r["profile"] for r in scoped.everything()} == {"tls-server"}
    assert scoped.everything(name="all.stock.example") == []
    assert scoped.everything(profile="other") == []
    assert scoped.everything(expiresAfter="2020-01-01T00:00:00Z", limit="1000")
    assert {r["profileId"] for r in scoped.everything("certificate-requests")} == {"tls-server"}
    assert [p["id"] for p in scoped.get("certificate-profiles")["profiles"]] == ["tls-server"]
    assert scoped.get(f"certificates/{mine['certificateId']}")["id"] == mine["certificateId"]
    row = api.get(f"certificates/{stock['s0']}")
    for name in (row["id"], row["serial"], row["fingerprint"]):
        refused(404, scoped.get, f"certificates/{name}")
        refused(404, scoped.post, f"certificates/{name}/revoke", {})
    assert api.get(f"certificates/{row['id']}")["status"] == "valid"


def test_revoked_and_expired_tokens(server):
    token, token_id = make_token(server, "read")
    client = Api(server, token)
    assert client.call("GET", "/api/v1/token")["roles"] == ["read"]
    server.run("token", "revoke", token_id, check=True)
    problem = refused(401, client.call, "GET", "/api/v1/token")
    assert "revoked" in problem.problem["detail"] and 'error="invalid_token"' in problem.reply.headers["WWW-Authenticate"]


def test_client_certificate_is_a_token(server, api, tmp_path):
    key = new_key()
    made = api.post("certificates", {"profileId": "tls-server", "csr": csr("client.example", key=key)})["certificate"]
    (tmp_path / "client.pem").write_text(made["certificate"])
    (tmp_path / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                                         serialization.NoEncryption()))
    shown = (str(tmp_path / "client.pem"), str(tmp_path / "key.pem"))
    assert refused(401, Api(server, certificate=shown).call, "GET", "/api/v1/token").problem["detail"].endswith("no token's")
    make_token(server, "read", certificate=shown[0])
    client = Api(server, certificate=shown)
    assert client.call("GET", "/api/v1/token")["roles"] == ["read"]
    refused(403, client.issue, "x.example")
    # A token that is shown counts, and not the certificate.
    assert client.raw("GET", "/api/v1/token", token="nothing").status_code == 401
    api.post(f"certificates/{made['certificateId']}/revoke", {})
    assert "revoked" in refused(401, client.call, "GET", "/api/v1/token").problem["detail"]


def test_authorization_headers(server, api):
    for value in ("", "Bearer", "Bearer ", "Basic eA==", "bearer x", f"Bearer  {api.token}x", f"Token {api.token}", api.token, "Bearer \xff"):
        reply = api.raw("GET", "/api/v1/token", token=None, headers={"Authorization": value.encode("latin-1")})
        assert reply.status_code in (400, 401), value
    assert api.raw("GET", "/api/v1/token", token=None, headers={"Authorization": f"bEARER  {api.token}"}).status_code == 200
    assert api.raw("GET", f"/api/v1/token?access_token={api.token}", token=None).status_code == 401


def test_two_authorization_headers_are_none(server, api):
    """Not even where both are good: another reader could take the other one (RFC 9110, 5.3)."""
    line = f"Authorization: Bearer {api.token}"
    with Connection(server.port, ssl.create_default_context(cafile=server.root_pem), address="127.0.0.1") as connection:
        assert connection.ask("GET", "/api/v1/token", line).status == 200
        reply = connection.ask("GET", "/api/v1/token", line, line)
        assert reply.status == 400 and "Authorization" in reply.text


def test_the_use_of_a_token_is_noted_once_an_hour(server):
    token, made = make_token(server, "read")

    def shown():
        return next(row for row in json.loads(server.run("token", "list", "--json", check=True).stdout) if row["id"] == made).get("used")
    assert shown() is None
    client = Api(server, token)
    assert client.raw("GET", "/api/v1/token").status_code == 200
    first = shown()
    assert first
    time.sleep(1.1)
    assert client.raw("GET", "/api/v1/token").status_code == 200 and shown() == first


def test_rate_of_a_token(server):
    with Server({"profiles": PROFILES, "policies": POLICIES, "api": {"requests_per_token": {"burst": 5, "period": "1h"}}}) as narrow:
        client, other = (Api(narrow, make_token(narrow, "read")[0]) for _ in range(2))
        answers = [client.raw("GET", "/api/v1/token") for _ in range(7)]
        assert [a.status_code for a in answers] == [200] * 5 + [429] * 2
        assert int(answers[-1].headers["Retry-After"]) > 0
        assert other.raw("GET", "/api/v1/token").status_code == 200


# --- the walk: every route that the server says it has

def fill(path):
    return path.replace("{id}", "A" * 22).replace("{profile}", "tls-server")


@pytest.fixture(scope="module")
def tokens(server):
    roles = ("issue", "read", "revoke", "approve", "key", "admin")
    made = {role: make_token(server, role)[0] for role in roles}
    made["elsewhere"] = make_token(server, "admin", "key", profile="other")[0]
    return made


def test_description_and_routes_are_the_same(api, routes):
    described = {(m.upper(), p): o for p, operations in api.schema.document["paths"].items() for m, o in operations.items()}
    assert set(described) == {(r["method"], r["path"]) for r in routes}
    for r in routes:
        operation = described[r["method"], r["path"]]
        assert operation["description"] == f"Role: {r['role']}."
        assert ("requestBody" in operation) == ("body" in r)
        assert [p["name"] for p in operation["parameters"] if p["in"] == "path"] == \
            [s[1:-1] for s in r["path"].split("/") if s.startswith("{")]
        if "body" in r:
            schema = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
            assert schema.rsplit("/", 1)[1] == r["body"]
    operations = list(described.values())
    tags = {t["name"] for t in api.schema.document["tags"]}
    assert len({o["operationId"] for o in operations}) == len(operations) and {t for o in operations for t in o["tags"]} == tags
    for o in operations:
        assert o["summary"] and "default" not in o["responses"] and {"400", "413", "500", "503"} <= set(o["responses"])
        assert ("401" in o["responses"]) == ("403" in o["responses"]) == ("429" in o["responses"]) == (o.get("security") != [])
    # Nothing refers to what is not there, and nothing is there for nobody.
    text = json.dumps(api.schema.document)
    for name in api.schema.document["components"]["schemas"]:
        assert text.count(f"schemas/{name}\"") >= 1, name


def test_what_is_no_json_is_described_as_bytes(api):
    """As texts of these types openapi-generator's clients in Python cannot read them."""
    contents = {kind: content["schema"] for operations in api.schema.document["paths"].values() for operation in operations.values()
                for response in operation["responses"].values() for kind, content in response.get("content", {}).items() if not kind.endswith("json")}
    assert contents == dict.fromkeys(["application/pem-certificate-chain", "application/x-pem-file", "application/x-pkcs12"],
                                     {"type": "string", "format": "binary"})


def test_walk_without_token(api, routes):
    for r in routes:
        reply = api.raw(r["method"], fill(r["path"]), body={} if "body" in r else None, token=None)
        if r["role"] == "none":
            assert reply.status_code == 200
            continue
        assert reply.status_code == 401, r
        assert reply.headers["WWW-Authenticate"] == 'Bearer realm="enrolld"'
        api.check(r["method"], fill(r["path"]), reply)
        reply = api.raw(r["method"], fill(r["path"]), body={} if "body" in r else None, token="enrolld_" + "A" * 22 + "." + "B" * 43)
        assert reply.status_code == 401 and "invalid_token" in reply.headers["WWW-Authenticate"]


def test_walk_with_the_wrong_role(api, routes, tokens):
    for r in routes:
        for role in ("issue", "read", "revoke", "approve", "key", "admin"):
            may = r["role"] in ("none", "any", role) or (role == "admin" and r["role"] != "key")
            reply = api.raw(r["method"], fill(r["path"]), body={} if "body" in r else None, token=tokens[role])
            assert (reply.status_code != 403) if may else (reply.status_code == 403), (r, role, reply.text)


def test_walk_from_another_profile(api, routes, tokens):
    mine = api.issue("walk.example")
    ids = {"certificate": mine["certificate"]["certificateId"], "request": mine["certificateRequestId"]}
    bodies = {"IssueRequest": {"profileId": "tls-server", "csr": csr("walk.example")}, "RenewRequest": {"csr": csr("walk.example")},
              "ImportRequest": {"certificate": pem(self_signed()), "profileId": "tls-server"},
              "RenewNowRequest": {"filter": {"name": "walk.example"}},
              "WebhookRequest": {"url": "https://receiver.example/"}, "Pkcs12Request": {"password": "x"},
              "CredentialRequest": {"profileId": "tls-server"}, "DevicesRequest": {"devices": [{"device": "A"}]}}
    for r in routes:
        path = r["path"].replace("{id}", ids.get(r["scope"], "A" * 22)).replace("{profile}", "tls-server")
        query = "?identifier=walk.example" if path.endswith("latest-active-bundle") else ""
        body = bodies.get(r["body"], {}) if "body" in r else None
        reply = api.raw(r["method"], path + query, body=body, token=tokens["elsewhere"])
        if r["scope"] == "open" and r["method"] == "GET":
            assert reply.status_code == 200 and "walk.example" not in reply.text, r
        elif r.get("body") == "RenewNowRequest":
            assert reply.status_code == 200 and reply.json() == {"count": 0}, r
        else:
            assert reply.status_code in (403, 404), (r, reply.status_code, reply.text)
    assert api.get(f"certificates/{ids['certificate']}")["status"] == "valid"
    assert len(api.everything(name="walk.example")) == 1


def deep(n):
    return '{"profileId":' + "[" * n + "]" * n + "}"


def test_walk_with_malformed_bodies(api, routes):
    bodies = [b"", b"{", b"[]", b"null", b"1", b'"x"', b"{}x", b"\xff\xfe", b'{"a":1,"a":2}', b"{\"a\":\"\\u0000\"}", b'{"a":"\xed\xa0\x80"}',
              deep(40).encode(), deep(50000).encode(), b'{"a":' + b"9" * 4000 + b"}", b"{'a':1}", b'{"a":1,}', b'{"a":NaN}',
              json.dumps({"x" * 4000: 1}).encode(), json.dumps({"\u202e\x00": 1}).encode(), json.dumps({f"f{i}": i for i in range(9000)}).encode()]
    for r in routes:
        if "body" not in r:
            continue
        for data in bodies:
            reply = api.raw(r["method"], fill(r["path"]), data=data, headers={"Content-Type": "application/json"})
            wanted = (400,) if len(data) <= r["bodyMax"] else (400, 413)
            assert reply.status_code in wanted, (r, data[:50], reply.text)
            api.check(r["method"], fill(r["path"]), reply)
            assert len(reply.content) < 100000


def test_walk_with_wrong_forms(api, routes):
    for r in routes:
        path = fill(r["path"])
        if "body" in r:
            large = api.raw(r["method"], path, data=b" " * (r["bodyMax"] + 1), headers={"Content-Type": "application/json"})
            assert large.status_code == 413
            for kind in ("text/plain", "application/x-www-form-urlencoded", "application/jsonx", ""):
                assert api.raw(r["method"], path, data=b"{}", headers={"Content-Type": kind}).status_code == 415
        else:
            assert api.raw(r["method"], path, data=b"{}", headers={"Content-Type": "application/json"}).status_code in (413, 415, 400)
        assert api.raw(r["method"], path + "?nonsense=1", body={} if "body" in r else None).status_code == 400 or r["role"] == "none"
        # Those of the path as it is described: "certificates/import" is not one of "certificates/{id}".
        allowed = {x["method"] for x in routes if x["path"] == r["path"]} | {"OPTIONS"}
        allowed |= {"HEAD"} if "GET" in allowed else set()
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"} - allowed | {"OPTIONS"}:
            reply = api.raw(method, path)
            assert reply.status_code == (204 if method == "OPTIONS" else 405), (method, path)
            assert set(reply.headers["Allow"].split(", ")) == allowed, (method, path)


def fields_of(description, schema, path=()):
    """Paths to every text of a schema."""
    schema = description.resolve(schema)
    for name, member in schema.get("properties", {}).items():
        member = description.resolve(member)
        if member.get("type") == "string":
            yield path + (name,)
        elif member.get("type") == "object":
            yield from fields_of(description, member, path + (name,))
        elif member.get("type") == "array":
            items = description.resolve(member["items"])
            yield from (path + (name, 0),) if items.get("type") == "string" else fields_of(description, items, path + (name, 0))


def put(body, path, text):
    for step, after in zip(path[:-1], path[1:]):
        body = body.setdefault(step, [{}] if after == 0 else {}) if not isinstance(step, int) else body[0]
    body[path[-1]] = text


def test_walk_with_injections_in_every_text(api, routes):
    before = len(api.everything())
    hostile = TEXTS + ["x\r\nSet-Cookie: a=b", "a\u0000b", "\u009b1m", "x" * 100000]
    for r in routes:
        if "body" not in r:
            continue
        schema = api.schema.document["components"]["schemas"][r["body"]]
        for path in fields_of(api.schema, schema):
            for text in hostile:
                body = {name: "x" for name in schema["required"] if name != path[0]}
                put(body, path, text)
                reply = api.raw(r["method"], fill(r["path"]), body=body)
                nothing = path[0] == "filter" and reply.status_code == 200 and reply.json() == {"count": 0}
                # A list of devices and a note take any plain word.
                word = (r["body"] == "DevicesRequest" or (r["body"], path[0]) == ("ExternalKeyRequest", "note")) and reply.status_code == 200
                assert nothing or word or 400 <= reply.status_code < 500, (r, path, text, reply.text)
                api.check(r["method"], fill(r["path"]), reply)
                assert "Set-Cookie" not in reply.headers
    for r in routes:
        operation = api.schema.operation(r["method"], fill(r["path"]))
        for parameter in operation["parameters"]:
            for text in hostile[:-1]:
                if parameter["in"] == "query":
                    reply = api.raw(r["method"], fill(r["path"]), params={parameter["name"]: text})
                    assert reply.status_code in (200, 400, 404), (r, parameter, text, reply.text)
                    api.check(r["method"], fill(r["path"]), reply)
    assert len(api.everything()) == before


def test_unknown_paths(api):
    for path in ("/api/", "/api/v1/", "/api/v2/cert-manager/certificates", "/api/v1/cert-manager/nothing", "/api/v1//token"):
        reply = api.raw("GET", path)
        assert reply.status_code == 404 and reply.headers["Content-Type"] == "application/problem+json"


def test_head_is_get_without_the_body(api):
    reply = api.raw("HEAD", "/api/v1/token")
    assert reply.status_code == 200 and reply.content == b""


def test_what_was_decided_is_in_the_audit_log(server, api):
    made = api.issue("audit.example")["certificate"]["certificateId"]
    refused(400, api.issue, "audit.example", profile="narrow")
    api.call("PATCH", f"certificates/{made}", {"metadata": [{"key": "a", "value": "b"}]})
    api.post(f"certificates/{made}/revoke", {})
    refused(400, api.issue, "audit.example", attributes={"ttl": "400d"})
    server.stop()  # what waits in the queue of refusals is written
    text = server.run("audit", "list", "--json", check=True).stdout
    server.start()
    for kind in ("certificate-issued", "certificate-refused", "certificate-changed", "certificate-revoked"):
        assert kind in text


def test_nothing_of_it_on_a_plain_listener(server):
    done = Server.run(server, "check-config")
    assert done.returncode == 0
    config = json.loads(server.config.read_text())
    config["listeners"][0]["tls"] = False
    path = server.folder / "plain.yaml"
    path.write_text(json.dumps(config))
    done = subprocess.run([str(__import__("harness").BINARY), "check-config", str(path)], text=True, capture_output=True)
    assert done.returncode != 0 and "tls" in done.stderr


def test_schema_check_can_fail(api):
    check = Schema(api.schema.document)
    with pytest.raises(AssertionError):
        check.check({"$ref": "#/components/schemas/Problem"}, {"type": "x", "status": "400", "detail": ""})
    with pytest.raises(AssertionError):
        check.check({"$ref": "#/components/schemas/Problem"}, {"type": "x", "status": 400, "detail": "", "more": 1})
