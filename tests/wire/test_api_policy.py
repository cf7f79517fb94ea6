"""Profiles and policies over the REST API and by command: what a profile demands is read in full, and is what is held."""

import json

import pytest

from api_client import Api, csr, make_token, refused
from harness import Server

PROFILES = [{"name": "tls-server", "methods": ["acme", "api"], "eab_required": True, "acme": {"challenges": ["dns-01"]}},
            {"name": "corp", "methods": ["api"], "policy": "corp", "approvals": 1, "approvers": ["ada"]},
            {"name": "field", "methods": ["est"], "policy": "device"},
            {"name": "secret", "methods": ["api"], "policy": "hidden", "extended_key_usage": ["serverAuth"]}]
POLICIES = [{"name": "corp", "subject": {"o": {"required": ["Example"]}, "cn": {"allow": ["{name}"]}}, "san": {"dns": {"allow": ["**.corp.example"]}},
             "keys": ["ec-p256"], "signatures": ["ecdsa-sha256"], "key_usage": {"allow": ["digitalSignature", "keyEncipherment"]},
             "extended_key_usage": {"allow": ["serverAuth", "clientAuth"]}, "validity_max": "397d"},
            {"name": "hidden", "unlisted": "allow"}]


@pytest.fixture(scope="module")
def server():
    with Server({"profiles": PROFILES, "policies": POLICIES}) as running:
        yield running


@pytest.fixture(scope="module")
def api(server):
    return Api(server, make_token(server, "admin")[0])


def command(server, *words):
    return json.loads(server.run(*words, "--json", check=True).stdout)


def test_what_a_profile_demands(server, api):
    shown = api.get("certificate-profiles/corp")
    assert (shown["methods"], shown["policy"], shown["approvalsNeeded"], shown["approvers"]) == (["api"], "corp", 1, ["ada"])
    assert shown["rules"]["subject"]["o"] == {"required": ["Example"]} and shown["rules"]["san"] == {"dns": {"allow": ["**.corp.example"]}}
    assert shown["rules"]["keys"] == shown["keys"] == ["ec-p256"] and shown["rules"]["unlisted"] == "refuse"
    assert api.get("certificate-profiles/tls-server")["acme"] == {"externalAccountRequired": True, "challenges": ["dns-01"], "autoRenewal": False}
    assert "acme" not in api.get("certificate-profiles/field")
    # It is the rule that is held.
    errors = refused(400, api.post, "certificates", {"profileId": "corp", "csr": csr("a.else.example")}).problem["errors"]
    assert {"subject.o", "san.dns"} <= {e["field"] for e in errors}


@pytest.mark.parametrize("name", [p["name"] for p in PROFILES])
def test_the_commands_say_the_same(server, api, name):
    shown = api.get(f"certificate-profiles/{name}")
    assert command(server, "profile", "show", name) == shown
    rules = shown.pop("rules")
    assert [p for p in command(server, "profile", "list") if p["id"] == name] == [shown] == \
        [p for p in api.get("certificate-profiles")["profiles"] if p["id"] == name]
    text = server.run("profile", "show", name, check=True).stdout
    assert f'"id": "{name}"' in text and f'"unlisted": "{rules["unlisted"]}"' in text
    assert name in server.run("profile", "list", check=True).stdout


@pytest.mark.parametrize("name,built_in,profiles", [("corp", False, ["corp"]), ("device", True, ["field"]), ("code-signing", True, [])])
def test_policies_are_read_whole(server, api, name, built_in, profiles):
    shown = api.get(f"policies/{name}")
    assert (shown["builtIn"], shown["profiles"]) == (built_in, profiles) and bool(shown.get("description")) == built_in
    assert shown["rules"] == command(server, "policy", "show", name)
    listed = [p for p in api.get("policies")["policies"] if p["id"] == name]
    assert listed == [{k: v for k, v in shown.items() if k != "rules"}]


def test_the_list_is_that_of_the_command(server, api):
    assert [(p["id"], p["builtIn"]) for p in api.get("policies")["policies"]] == \
        [(p["name"], p["builtIn"]) for p in command(server, "policy", "list")]


def test_policies_of_other_profiles_are_not_there(server):
    scoped = Api(server, make_token(server, "read", profile="corp")[0])
    assert {p["id"] for p in scoped.get("policies")["policies"] if not p["builtIn"]} == {"corp"}
    refused(404, scoped.get, "policies/hidden")
    refused(403, scoped.get, "certificate-profiles/secret")
    assert scoped.get("policies/device")["profiles"] == []


@pytest.mark.parametrize("name", ["nothing", "tls-server%00", "..", "CORP", "x" * 500])
def test_what_there_is_not(server, api, name):
    assert api.raw("GET", f"/api/v1/cert-manager/policies/{name}").status_code in (400, 404)
    done = server.run("profile", "show", "nothing")
    assert done.returncode != 0 and "there is no profile nothing" in done.stderr
