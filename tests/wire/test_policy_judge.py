"""What an enterprise's policies deny is denied in every dress, what a trial says is what an issuance does, and who holds a
key may go on with it."""

import ipaddress
import json
import pathlib
import tempfile

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from api_client import Api, Refused, load, make_token, new_key
from harness import Server
from http_wire import eventually
from test_est import Device, b64, credential, curl, issued, make_csr, refused
from test_est_keygen import oid, tlv
from test_policy import UPN, csr, dns, issue, other, reasons

DENIED = {"name": "denied", "unlisted": "allow",
          "subject": {"cn": {"deny": ["root"]}, "ou": {"deny": ["Admin*", "Domain Admins"]}},
          "san": {"dns": {"deny": ["**.evil.example"]}, "ip": {"deny": ["127.0.0.0/8"]}, "email": {"deny": ["@evil.example", "boss@corp.example"]},
                  "uri": {"deny": ["spiffe://evil/*", "https://evil.example/*"]}, "upn": {"deny": ["*@evil.example"]},
                  "other_name": {"deny": ["1.2.3.4:*"]}}}
TLS = {"key_usage": ["digitalSignature"], "extended_key_usage": ["clientAuth"]}
CONFIG = {"policies": [DENIED, {"name": "owned", "unlisted": "allow", "own_key": True}, {"name": "typeless", "unlisted": "allow", "san": {"dns": {"deny": ["*"]}}}],
          "api": {"requests_per_token": {"burst": 0}},
          "profiles": [{"name": "tls-server"}, {"name": "denied", "policy": "denied", **TLS}, {"name": "owned", "policy": "owned", **TLS},
                       {"name": "typeless", "policy": "typeless", **TLS}, {"name": "mail", "policy": "email-protection"},
                       {"name": "user", "policy": "user", "keep_keys": True}]}


@pytest.fixture(scope="module")
def server():
    with Server(CONFIG) as running:
        yield running


@pytest.fixture(scope="module")
def api(server):
    return Api(server, make_token(server, "issue", "read", "key")[0])


def test_unit_is_denied_with_what_nobody_sees_in_it(api):
    unseen = ["\u00a0Admins", "\ufe0fAdmins", "\U000e0041Admins", "\u3164Admins", "Admins\u2003", "A\u2060dmins", "Adm\x85ins"]
    denied = ["Ad\u200dmins", "Ad\u200cmins", "Domain\u00a0Admins", "Domain \u2003 Admins", "Domain\u3000Admins"]
    for value in unseen + denied:
        says = " ".join(reasons(api, "denied", csr([("OU", value)], dns("a.example"))))
        assert ("cannot be seen" if value in unseen else "denied by template policy") in says, (value, says)


def test_spaces_and_joiners_of_languages_are_certified(api):
    for value in ("\u682a\u5f0f\u4f1a\u793e\u3000\u4f8b", "\u0646\u0627\u0645\u0647\u200c\u0627\u06cc", "Acme\u00a0SA"):
        made = issue(api, "denied", csr([("O", value)], dns("a.example")))
        assert made.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)[0].value == value


def text(value):
    return tlv(12, value.encode())


@pytest.mark.parametrize("names", [
    [other("1.3.6.1.5.5.7.8.9", text("b\u00f6ss@evil.example"))], [other("1.3.6.1.5.5.7.8.9", text("boss@corp.example"))],
    [other("1.3.6.1.5.5.7.8.7", tlv(22, b"_imap.mail.evil.example"))], [other("1.3.6.1.5.5.7.8.8", text("a.evil.example"))],
    [other(UPN, text("a@e\u200bvil.example"))], [other(UPN, text("a@evil.example "))], [other("1.3.6.1.5.5.7.8.5", text("a\u2060@x.example"))],
    [x509.UniformResourceIdentifier("spiffe://evil")], [x509.UniformResourceIdentifier("spiffe://evil:8/x")],
    [x509.UniformResourceIdentifier("spiffe://evil?x")], [x509.UniformResourceIdentifier("https://evil.example")],
    [x509.UniformResourceIdentifier("https://evil.example:443/x")], [x509.UniformResourceIdentifier("https://evil.example#x")],
    [x509.IPAddress(ipaddress.ip_address("::127.0.0.1"))],
], ids=lambda names: str(getattr(names[0], "value", ""))[:40])
def test_denied_name_in_another_dress(api, names):
    says = " ".join(reasons(api, "denied", csr([], names)))
    assert "denied by template policy" in says or "cannot be seen" in says or "IPv4-compatible" in says, says


def test_common_name_is_denied_as_a_name(api):
    for value in ("a.evil.example", "127.0.0.1", "Boss@corp.example"):
        assert reasons(api, "denied", csr([("CN", value)], dns("a.example"))) != []
    says = " ".join(reasons(api, "denied", csr([("CN", "a.evil.example")], dns("a.example"))))
    assert says == 'common_name value is denied by template policy: "a.evil.example" (policy denied, san.dns, deny)'
    issue(api, "denied", csr([("CN", "a.good.example")], dns("a.example")))
    issue(api, "typeless", csr([("CN", "device.7")])) # `deny: ["*"]` is of names, and a common name is none


def test_names_that_are_not_denied_pass(api):
    names = [other("1.3.6.1.5.5.7.8.9", text("\u00fc@corp.example")), other("1.3.6.1.5.5.7.8.7", tlv(22, b"_imap.mail.example")),
             x509.UniformResourceIdentifier("spiffe://evil.good/x"), x509.UniformResourceIdentifier("https://notevil.example"),
             x509.IPAddress(ipaddress.ip_address("::1"))]
    issue(api, "denied", csr([], names))


def test_windows_tells_of_itself(api):
    """IIS and certreq: the ciphers that they can decrypt, and a template's name, in extensions that ask for nothing."""
    add = [("1.2.840.113549.1.9.15", tlv(0x30, tlv(0x30, oid("2.16.840.1.101.3.4.1.42")))),
           ("1.3.6.1.4.1.311.20.2", tlv(30, "WebServer".encode("utf-16-be"))),
           ("1.3.6.1.4.1.311.21.7", tlv(0x30, oid("1.3.6.1.4.1.311.21.8.1") + tlv(2, b"\x64")))]
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).add_extension(x509.SubjectAlternativeName(dns("iis.example")), False)
    for kind, value in add:
        builder = builder.add_extension(x509.UnrecognizedExtension(x509.ObjectIdentifier(kind), value), False)
    made = issue(api, "tls-server", builder.sign(new_key(), hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode())
    assert not {kind for kind, _ in add} & {e.oid.dotted_string for e in made.extensions}
    application_policies = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.311.21.10"), tlv(0x30, b""))
    asks = builder.add_extension(application_policies, False).sign(new_key(), hashes.SHA256()) # usages are asked for by extKeyUsage alone
    assert "1.3.6.1.4.1.311.21.10" in " ".join(reasons(api, "tls-server", asks.public_bytes(serialization.Encoding.PEM).decode()))


# --- a trial says what an issuance does

def approved(api, profile, request):
    return api.post(f"certificate-profiles/{profile}/test", {"csr": request})["approved"]


def test_trial_knows_whose_key_it_is(server, api):
    request = csr([], dns("a.example"), key=new_key())
    assert approved(api, "owned", request)
    issue(api, "owned", request)
    assert approved(api, "owned", request)
    issue(api, "owned", request)
    stranger = Api(server, make_token(server, "issue")[0])
    assert not approved(stranger, "owned", request)
    assert "another requester" in " ".join(reasons(stranger, "owned", request))


def test_trial_takes_the_mail_address_of_the_subject(server, api, tmp_path):
    request = csr([("CN", "Ada"), ("emailAddress", "ada@corp.example")])
    assert approved(api, "mail", request)
    (tmp_path / "ada.csr").write_text(request)
    assert server.run("policy", "test", "--profile", "mail", "--method", "api", str(tmp_path / "ada.csr")).returncode == 0
    issue(api, "mail", request)


# --- who holds a key

def test_own_key_lets_the_holder_renew_with_it(server, tmp_path):
    """RFC 7030, 4.2.2: the same key renews. The code of the first certificate is another credential, and the holder the same."""
    device = Device(server, tmp_path, "a.example", profile="owned")
    request = b64(make_csr("a.example", key=device.key))
    for _ in range(3):
        new = issued(curl(server, "owned/simplereenroll", *device.options, body=request), tmp_path)
        device.options = device.files(new, device.key)
    other_code = credential(server, "--profile", "owned")["code"]
    refused(curl(server, "owned/simpleenroll", "-u", f"x:{other_code}", body=request), 400, "another requester")
    stranger = Device(server, tmp_path, "b.example", profile="owned")
    refused(curl(server, "owned/simplereenroll", *stranger.options, body=b64(make_csr("b.example", key=device.key))), 400, "another requester")


def test_renewal_by_another_token_has_the_same_key(server, api):
    key = new_key()
    first = api.post("certificates", {"profileId": "owned", "csr": csr([], dns("q.example"), key=key)})["certificate"]
    colleague = Api(server, make_token(server, "issue")[0])
    again = colleague.post(f"certificates/{first['certificateId']}/renew", {"renewalKeySource": "csr", "csr": csr([], dns("q.example"), key=key)})
    assert load(again["certificate"]["certificate"]).public_key().public_numbers() == key.public_key().public_numbers()
    with pytest.raises(Refused):
        colleague.post("certificates", {"profileId": "owned", "csr": csr([], dns("q.example"), key=key)})


def test_certificate_with_names_of_other_types_is_renewed(api):
    made = api.post("certificates", {"profileId": "user", "attributes": {"commonName": "Ada", "altNames": [{"type": "upn", "value": "ada@corp.example"}]}})
    path = f"certificates/{made['certificate']['certificateId']}/renew"
    renewed = api.post(path, {"renewalKeySource": "newKey"})["certificate"]
    old, new = load(made["certificate"]["certificate"]), load(renewed["certificate"])
    san = [c.extensions.get_extension_for_class(x509.SubjectAlternativeName).value for c in (old, new)]
    assert san[0] == san[1]
    path = f"certificates/{renewed['certificateId']}/renew"
    mail = [x509.RFC822Name("ada@corp.example")]
    with pytest.raises(Refused) as caught: # of the same value, and another type
        api.post(path, {"renewalKeySource": "csr", "csr": csr([("CN", "Ada")], mail)})
    assert "Subject alternative names mismatch" in str(caught.value.problem)
    api.post(path, {"renewalKeySource": "csr", "csr": csr([("CN", "Ada")], [other(UPN, text("ada@corp.example"))])})


# --- what the CA itself excludes

def test_name_that_the_ca_excludes_is_told():
    names = {"permitted": ["dns:example.com", "dns:localhost"], "excluded": ["dns:secret.example.com"]}
    with Server({"ca": names, "tls": {"names": ["localhost"]}, "policies": [{"name": "free", "unlisted": "allow"}],
                 "profiles": [{"name": "free", "policy": "free", **TLS}]}) as running:
        constrained = Api(running, make_token(running, "issue")[0])
        good = dns("a.example.com")
        issue(constrained, "free", csr([], good))
        for bad, says in ((dns("b.other.example"), "DNS:b.other.example"), (dns("x.secret.example.com"), "DNS:x.secret.example.com"),
                          (dns("*.example.com"), "DNS:*.example.com")):
            assert reasons(constrained, "free", csr([], good + bad + dns("c.example.com")))[0].endswith(f"of this certificate: {says}")
        assert reasons(constrained, "free", csr([("CN", "x.secret.example.com")]))[0].endswith("of this certificate: its subject")


PRESETS = ["tls-server", "tls-client", "dual-purpose", "device", "user", "email-protection", "code-signing", "intermediate-ca"]


def trial_table():
    """What a CA would refuse that has name constraints and may have no CA below it, among what it would not."""
    mail, upn = x509.RFC822Name, lambda name: other(UPN, text(name))
    host = [("CN", "www.example.com")]
    yield from [(host, dns("www.example.com"), None), ([("CN", "www.other.example")], dns("www.other.example"), None),
                (host, dns("www.example.com", "a.secret.example.com"), None), (host, dns("www.example.com", "*.example.com"), None),
                (host, dns("www.example.com") + [x509.IPAddress(ipaddress.ip_address("10.1.2.3"))], None),
                (host, dns("www.example.com") + [x509.IPAddress(ipaddress.ip_address("192.0.2.1"))], None),
                ([("CN", "Ann")], [], None), ([("CN", "Ann")], [mail("ann@corp.example")], None), ([("CN", "Ann")], [mail("ann@other.example")], None),
                ([("CN", "Ann"), ("emailAddress", "ann@other.example")], [], None), ([("CN", "Ann")], [upn("ann@other.example")], None),
                ([("CN", "www.other.example")], [], None), ([("CN", "Sub CA"), ("O", "Example")], [], (True, 0)),
                ([("CN", "Sub CA"), ("O", "Example")], [], (True, None)), ([("CN", "x.secret.example.com"), ("O", "Example")], [], None)]


def verdicts(running, api, profile, request, tmp_path):
    """Of a trial over the API, of one by the command, and of an issuance: each the texts of what is wrong, or none."""
    tried = api.post(f"certificate-profiles/{profile}/test", {"csr": request})
    (tmp_path / "x.csr").write_text(request)
    done = running.run("policy", "test", "--json", "--method", "api", "--profile", profile, str(tmp_path / "x.csr"))
    command = json.loads(done.stdout)
    assert (done.returncode == 0) == command["approved"] and "issuerUnknown" not in command
    told = {False: lambda says: sorted(e["detail"] for e in says["errors"]), True: lambda says: []}
    try:
        issue(api, profile, request)
        issued = []
    except Refused as refusal:
        issued = sorted(e["detail"] for e in refusal.problem["errors"])
    return told[tried["approved"]](tried), told[command["approved"]](command), issued


def test_trial_says_what_the_ca_would():
    """RFC 5280, 4.2.1.9 and 4.2.1.10: of a CSR that its issuer may not certify, each trial says so, with the key at hand or not."""
    names = {"permitted": ["dns:example.com", "dns:localhost", "ip:10.0.0.0/8", "email:corp.example"], "excluded": ["dns:secret.example.com"]}
    config = {"ca": names, "tls": {"names": ["localhost"]}, "api": {"requests_per_token": {"burst": 0}},
              "profiles": [{"name": "tls-server"}] + [{"name": "p-" + n, "policy": n, "methods": ["api"]} for n in PRESETS]}
    with Server(config) as running, tempfile.TemporaryDirectory() as folder:
        api = Api(running, make_token(running, "issue")[0])
        refused_by_ca, approved_all = set(), set()
        for profile in ["p-" + n for n in PRESETS]:
            for subject, sans, basic in trial_table():
                tried, command, issued = verdicts(running, api, profile, csr(subject, sans, basic=basic), pathlib.Path(folder))
                assert tried == command == issued, (profile, subject, sans, tried, command, issued)
                (refused_by_ca if "4.2.1." in " ".join(issued) else approved_all if not issued else set()).add(profile)
        assert refused_by_ca == {"p-" + n for n in PRESETS} and approved_all == {"p-" + n for n in PRESETS if n != "intermediate-ca"}


def test_what_the_ca_excludes_waits_for_nobody():
    """People are not asked to approve what could not be signed then, and no key is made for it."""
    asked = {"name": "asked", "methods": ["api", "est"], "approvals": 1, "est": {"server_keys": ["ec-p256"]}}
    with Server({"ca": {"permitted": ["dns:example.com", "dns:localhost"]}, "tls": {"names": ["localhost"]}, "profiles": [{"name": "tls-server"}, asked]}) as running:
        api = Api(running, make_token(running, "issue")[0])
        code = ("-u", "x:" + credential(running, "--profile", "asked")["code"])
        assert "4.2.1.10" in " ".join(reasons(api, "asked", csr([], dns("a.other.example"))))
        for operation in ("simpleenroll", "serverkeygen"):
            refused(curl(running, f"asked/{operation}", *code, body=b64(make_csr("a.other.example"))), 400, "4.2.1.10")
        assert [r["status"] for r in json.loads(running.run("request", "list", "--json", check=True).stdout)] == ["failed"] # the one of the API
        assert curl(running, "asked/serverkeygen", *code, body=b64(make_csr("a.example.com"))).status == 202


def test_trial_past_the_end_of_the_ca():
    """What is to outlive its issuer is not issued, and no trial says it would be; nor while the CA is disabled."""
    config = {"ca": {"issuing_lifetime": "100d"}, "profiles": [{"name": "tls-server"}, {"name": "long", "validity": "150d", "methods": ["api"]}]}
    with Server(config) as running, tempfile.TemporaryDirectory() as folder:
        api = Api(running, make_token(running, "issue")[0])
        request = csr([], dns("a.example"))
        (pathlib.Path(folder) / "x.csr").write_text(request)

        def tried(profile):
            line = ("policy", "test", "--profile", profile, "--method", "api", f"{folder}/x.csr")
            says, done = api.post(f"certificate-profiles/{profile}/test", {"csr": request}), running.run(*line)
            assert (done.returncode == 0) == says["approved"] and all(e["detail"] in done.stdout for e in says["errors"])
            return [e["detail"] for e in says["errors"]]

        assert tried("tls-server") == []
        (long,) = tried("long")
        assert "before the certificate would" in long
        with pytest.raises(Refused) as caught:
            issue(api, "long", request)
        assert caught.value.problem["detail"] == long
        running.run("ca", "disable", "issuing", check=True)
        assert eventually(lambda: not approved(api, "tls-server", request))
        (disabled,) = tried("tls-server")
        assert disabled == "the issuing CA issuing is disabled and issues nothing"


# --- rules that could mean nothing

@pytest.mark.parametrize("policy, says", [
    ({"san": {"other_name": {"deny": ["XmppAddr:*@evil.example"]}}}, 'san.other_name: "XmppAddr:*@evil.example" does not begin with an OID and a ":"'),
    ({"san": {"other_name": {"deny": ["1.3.6.1.5.5.7.8.5"]}}}, 'does not begin with an OID and a ":"'),
    ({"san": {"hardware_module_name": {"deny": ["ab12"]}}}, 'does not begin with an OID and a "/"'),
    ({"subject": {"c": {"required": ["DE"], "deny": ["DE"]}}}, "subject.c: the same one is required and denied"),
    ({"san": {"other_name": {"deny": ["*@evil.example", "1.2.*", "1.2.3:x"]}, "hardware_module_name": {"allow": ["1.2.3/*", "{identity}"]}}}, None),
])
def test_policy_that_could_not_mean_what_it_says(server, tmp_path, policy, says):
    file = tmp_path / "enrolld.yaml"
    file.write_text(json.dumps({"data": {"folder": str(tmp_path)}, "policies": [{"name": "p", "unlisted": "allow", **policy}],
                                "profiles": [{"name": "x", "policy": "p", **TLS}]}))
    done = server.run("check-config", str(file))
    assert (done.returncode == 0) == (says is None) and (says or "good") in done.stdout + done.stderr
