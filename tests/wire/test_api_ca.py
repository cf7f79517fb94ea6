"""The CAs over the REST API: what is told of them, and that one is disabled and enabled at once."""

import json
import pathlib
import subprocess
import time

import pytest
import requests
from cryptography import x509

from api_client import Api, Refused, load, make_token, refused
from harness import Server


@pytest.fixture(scope="module")
def server():
    profiles = [{"name": "tls-server", "methods": ["acme", "api"]}, {"name": "other", "methods": ["acme", "api"]}]
    with Server({"profiles": profiles, "api": {"requests_per_token": {"burst": 0}}}) as running:
        yield running


@pytest.fixture(scope="module")
def api(server):
    return Api(server, make_token(server, "admin")[0])


def command(server, *words):
    return json.loads(server.run(*words, "--json", check=True).stdout)


def settled(api, condition, seconds=20):
    deadline = time.monotonic() + seconds
    while True:
        shown = api.get("ca/issuing")
        if condition(shown):
            return shown
        assert time.monotonic() < deadline, shown
        time.sleep(0.1)


def test_issuers_and_the_others(server, api):
    listed = api.get("ca")
    assert [i["id"] for i in listed["issuers"]] == ["issuing"] and [i["id"] for i in listed["others"]] == ["root"]
    root = listed["others"][0]
    assert root["root"] and root["certificate"] == root["certificateChain"] and root["subject"] == root["issuer"]
    assert root["certificate"].strip() == pathlib.Path(server.root_pem).read_text().strip()


def test_chain_verifies_and_facts_are_the_certificates(server, api, tmp_path):
    shown = settled(api, lambda s: "ocsp" in s and s["crl"].get("number"))
    issuing, root = [load(p + "-----END CERTIFICATE-----\n") for p in shown["certificateChain"].split("-----END CERTIFICATE-----\n")[:2]]
    assert load(shown["certificate"]) == issuing and root == load(pathlib.Path(server.root_pem).read_text())
    assert (int(shown["serial"], 16), shown["pathLength"]) == (issuing.serial_number, issuing.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length)
    assert shown["notAfter"] == issuing.not_valid_after.strftime("%Y-%m-%dT%H:%M:%SZ")
    path = tmp_path / "issuing.pem"
    path.write_text(shown["certificate"])
    subprocess.run(["openssl", "verify", "-CAfile", server.root_pem, path], check=True, capture_output=True)
    text = subprocess.run(["openssl", "x509", "-in", path, "-noout", "-fingerprint", "-sha256"], capture_output=True, text=True, check=True).stdout
    assert text.split("=")[1].strip().replace(":", "").lower() == shown["fingerprint"]
    responder = api.get(f"certificates/{shown['ocsp']['responderCertificateId']}")
    assert responder["profile"] == "ocsp-responder" and responder["notAfter"] == shown["ocsp"]["responderNotAfter"]


def test_the_command_says_the_same(server, api):
    shown = settled(api, lambda s: "ocsp" in s and s["crl"].get("number") and not s["crl"]["waiting"])
    told = command(server, "ca", "show", "issuing")
    assert told.pop("name") == shown.pop("id")
    for live in ("nextUpdate", "entries"):  # known where the lists are
        assert live in shown["crl"] and live not in told["crl"]
        del shown["crl"][live]
    assert told == shown


def test_state_of_the_crl(server, api):
    before = settled(api, lambda s: s["crl"].get("number") and not s["crl"]["waiting"])["crl"]
    made = api.issue("crl.example")["certificate"]["certificateId"]
    api.post(f"certificates/{made}/revoke", {"revocationReason": "superseded"})
    after = settled(api, lambda s: s["crl"]["entries"] == before["entries"] + 1)["crl"]
    assert after["number"] > before["number"] and not after["waiting"]
    published = requests.get(f"{server.url}/crl/issuing/0.crl", verify=server.root_pem)
    crl = x509.load_der_x509_crl(published.content)
    assert crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number == after["number"]
    assert len(crl) == after["entries"] and crl.next_update.strftime("%Y-%m-%dT%H:%M:%SZ") == after["nextUpdate"]


def test_disabled_and_enabled_at_once(server, api):
    assert api.issue("before.example")
    shown = api.post("ca/issuing/disable")
    assert shown["disabled"] and shown["status"] == "disabled" and shown["disabledBy"].startswith("token ") and shown["disabledSince"]
    assert "is disabled" in refused(503, api.issue, "during.example").problem["detail"]
    refused(409, api.post, "ca/issuing/disable")
    assert command(server, "ca", "show", "issuing")["disabledBy"] == shown["disabledBy"]
    shown = api.post("ca/issuing/enable")
    assert not shown["disabled"] and not {"disabledSince", "disabledBy"} & set(shown)
    refused(409, api.post, "ca/issuing/enable")
    deadline = time.monotonic() + 15
    while True:  # the server takes it up within a second or so
        try:
            assert api.issue("after.example")
            break
        except Refused:
            assert time.monotonic() < deadline
            time.sleep(0.2)
    told = [(e["kind"], e["about"]["ca"]) for e in command(server, "audit", "list") if e["kind"] in ("ca-disabled", "ca-enabled")]
    assert told == [("ca-disabled", "issuing"), ("ca-enabled", "issuing")]


@pytest.mark.parametrize("name", ["nothing", "ISSUING", "..%2fissuing", "issuing.chain", "issuing%00", "-", "x" * 300])
def test_what_there_is_not(api, name):
    for method, path, body in (("GET", f"ca/{name}", None), ("POST", f"ca/{name}/disable", {}), ("POST", f"ca/{name}/enable", {})):
        reply = api.raw(method, "/api/v1/cert-manager/" + path, body)
        assert reply.status_code in (400, 404) and "/" not in reply.json()["detail"].replace("there is no CA", ""), reply.text


def test_who_may(server):
    scoped = Api(server, make_token(server, "admin", profile="other")[0])
    reader = Api(server, make_token(server, "read", profile="other")[0])
    assert scoped.get("ca/issuing")["id"] == reader.get("ca/issuing")["id"] == "issuing"
    for one in (scoped, reader):
        refused(403, one.post, "ca/issuing/disable")
    assert not reader.get("ca/issuing")["disabled"]
