"""device-attest-01 (draft-ietf-acme-device-attest-09): orders for devices, proven by what their hardware says of a key."""

import datetime
import json

import cbor2
import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

import attest
from acme_raw import Client, Refused, b64, make_csr
from harness import Server
from judge import leaf

FORMATS = ["tpm", "apple", "android-key", "packed", "step"]
SERIAL = "C02XJ0AAJHD2"
BADLY = "urn:ietf:params:acme:error:badAttestationStatement"


def device(value, kind="permanent-identifier"):
    return {"type": kind, "value": value}


@pytest.fixture(scope="module")
def makers():
    return {f: attest.Authority(f"Maker of {f}") for f in FORMATS}


def config(folder, makers, formats=FORMATS, **more):
    devices = {"permanent_identifier": {"allow": ["*"], "deny": ["STOLEN*"]}, "hardware_module_name": {"allow": ["1.3.6.1.4.1.99.1/*"]}}
    return {
        "acme": {
            "challenges": ["http-01", "device-attest-01"],
            "device_attest_01": {"formats": [{"format": f, "roots": [makers[f].pem(folder / f"{f}.pem")]} for f in formats]},
        },
        "policies": [{"name": "anything", "unlisted": "allow"}],
        "profiles": [
            {"name": "device", **devices},
            {"name": "named", **devices, "acme": {"device_names": "always"}},
            {"name": "private", "policy": "anything", "extended_key_usage": ["clientAuth"], "key_usage": ["digitalSignature"], "subject": {"o": ["Example"]}, "acme": {"device_names": "never"}},
            {"name": "apples", **devices, "acme": {"attestation_formats": ["apple"] if "apple" in formats else []}},
            {"name": "web"},
            {"name": "guarded", **devices, "approvals": 1, "acme": {"device_names": "always"}},
            {"name": "http", **devices, "acme": {"challenges": ["http-01"]}},
        ],
        **more,
    }


@pytest.fixture(scope="module")
def server(makers, tmp_path_factory):
    with Server(config(tmp_path_factory.mktemp("roots"), makers)) as made:
        yield made


@pytest.fixture
def client(server):
    made = Client(server)
    made.register()
    return made


def challenge_of(client, order, which=0):
    authorization = client.post(order["authorizations"][which]).json()
    assert [c["type"] for c in authorization["challenges"]] == ["device-attest-01"]
    return authorization["challenges"][0]


def answer(client, challenge, obj, **more):
    return client.post(challenge["url"], {"attObj": b64(obj), **more})


def order_for(client, *names, **members):
    url, order = client.order([n if isinstance(n, dict) else device(n) for n in names], **members)
    return url, order, challenge_of(client, order)


def attested(client, challenge, obj):
    reply = answer(client, challenge, obj).json()
    assert reply["status"] == "valid", reply
    return reply


def refused(client, challenge, obj, text):
    """The challenge ends, with an error that an operator can act on, and order and authorization with it."""
    reply = answer(client, challenge, obj).json()
    assert (reply["status"], reply["error"]["type"]) == ("invalid", BADLY), reply
    assert text in reply["error"]["detail"], reply["error"]["detail"]
    return reply


def issued(client, url, order, csr):
    client.finalize(order, csr)
    done = client.wait(url, ("valid", "invalid"))
    assert done["status"] == "valid", done
    return leaf(client.post(done["certificate"]).text)


def others(certificate):
    try:
        san = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    return list(san.value.get_values_for_type(x509.OtherName))


def events(server, kind):
    return json.loads(server.run("audit", "list", "--json", "--kind", kind, check=True).stdout)


MAKE = {
    "tpm": lambda m, k, ka, **n: attest.tpm(m, k, ka, [attest.permanent(SERIAL)], **n),
    "apple": lambda m, k, ka, **n: attest.apple(m, k, ka, SERIAL, **n),
    "android-key": lambda m, k, ka, **n: attest.android(m, k, ka, SERIAL, **n),
    "packed": lambda m, k, ka, **n: attest.packed(m, k, ka, [attest.permanent(SERIAL)], **n),
    "step": lambda m, k, ka, **n: attest.step(m, k, ka, 12345678, **n),
}


def value_of(fmt):
    return "12345678" if fmt == "step" else SERIAL


def begin(client, fmt, **members):
    url, order, challenge = order_for(client, value_of(fmt), **members)
    return url, order, challenge, client.key_authorization(challenge["token"])


@pytest.mark.parametrize("fmt", FORMATS)
def test_each_format(server, client, makers, fmt):
    key = attest.make_key()
    url, order, challenge, key_authorization = begin(client, fmt)
    reply = attested(client, challenge, MAKE[fmt](makers[fmt], key, key_authorization))
    assert "validated" in reply and client.post(url).json()["status"] == "ready"
    certificate = issued(client, url, order, make_csr([attest.permanent(value_of(fmt))], key))
    assert others(certificate) == [attest.permanent(value_of(fmt))]
    assert certificate.public_key().public_numbers() == key.public_key().public_numbers()
    about = events(server, "device-attested")[-1]["about"]
    assert (about["format"], about["identifier"], about["type"]) == (fmt, value_of(fmt), "permanent-identifier")
    assert f"permanent-identifier {value_of(fmt)}" in about["proven"] and len(about["key"]) == 64


@pytest.mark.parametrize("fmt", FORMATS)
def test_each_format_of_another_maker(client, makers, fmt):
    """Also one whose root is there for another format."""
    stranger = makers["packed" if fmt != "packed" else "step"]
    _, _, challenge, key_authorization = begin(client, fmt)
    refused(client, challenge, MAKE[fmt](stranger, attest.make_key(), key_authorization), f'"{fmt}"')


@pytest.mark.parametrize("fmt", FORMATS)
def test_each_format_for_another_challenge(client, makers, fmt):
    url, order, challenge, _ = begin(client, fmt)
    other = begin(client, fmt)[3]
    refused(client, challenge, MAKE[fmt](makers[fmt], attest.make_key(), other), f'"{fmt}"')
    shown = client.post(url).json()
    assert shown["status"] == "invalid" and client.post(order["authorizations"][0]).json()["status"] == "invalid"
    with pytest.raises(Refused) as caught:
        client.finalize(order, make_csr([], attest.make_key(), cn=value_of(fmt)))
    assert caught.value.type == "orderNotReady"


@pytest.mark.parametrize("fmt", FORMATS)
def test_each_format_of_an_expired_device(client, makers, fmt):
    _, _, challenge, key_authorization = begin(client, fmt)
    ends = datetime.datetime.utcnow() - datetime.timedelta(minutes=5)
    refused(client, challenge, MAKE[fmt](makers[fmt], attest.make_key(), key_authorization, ends=ends), "expired")


@pytest.mark.parametrize("fmt", FORMATS)
def test_each_format_and_another_key_in_the_csr(client, makers, fmt):
    """The order stays ready: a CSR can be amended (RFC 8555, 7.4)."""
    key = attest.make_key()
    url, order, challenge, key_authorization = begin(client, fmt)
    attested(client, challenge, MAKE[fmt](makers[fmt], key, key_authorization))
    with pytest.raises(Refused) as caught:
        client.finalize(order, make_csr([attest.permanent(value_of(fmt))], attest.make_key()))
    assert caught.value.type == "badCSR" and "attested" in caught.value.reply.text
    assert client.post(url).json()["status"] == "ready"
    issued(client, url, order, make_csr([attest.permanent(value_of(fmt))], key))


# --- the response

def test_another_accounts_key_authorization(server, client, makers):
    other = Client(server)
    other.register()
    _, _, challenge = order_for(client, SERIAL)
    obj = attest.packed(makers["packed"], attest.make_key(), other.key_authorization(challenge["token"]), [attest.permanent(SERIAL)])
    refused(client, challenge, obj, "over the key authorization")


def test_another_accounts_challenge(server, client, makers):
    other = Client(server)
    other.register()
    _, _, challenge = order_for(client, SERIAL)
    with pytest.raises(Refused) as caught:
        answer(other, challenge, attest.packed(makers["packed"], attest.make_key(), other.key_authorization(challenge["token"]),
                                               [attest.permanent(SERIAL)]))
    assert caught.value.reply.status_code in (403, 404)
    assert client.post(challenge["url"]).json()["status"] == "pending"


def test_replayed_object(client, makers):
    key = attest.make_key()
    url, order, challenge, key_authorization = begin(client, "packed")
    obj = MAKE["packed"](makers["packed"], key, key_authorization)
    attested(client, challenge, obj)
    assert answer(client, challenge, obj).json()["status"] == "valid"      # the same challenge: answered as it is
    refused(client, order_for(client, SERIAL)[2], obj, "over the key authorization")  # another one: not proven by it


def test_response_without_object(client, makers):
    """No response at all: the challenge waits on."""
    _, _, challenge, key_authorization = begin(client, "packed")
    for payload in ({}, {"attObj": None}, {"attObj": 7}, {"attObj": {}}, {"error": "attestation failed"}):
        with pytest.raises(Refused) as caught:
            client.post(challenge["url"], payload)
        assert (caught.value.type, caught.value.reply.status_code) == ("malformed", 400)
        assert "attObj" in caught.value.reply.text
    assert client.post(challenge["url"]).json()["status"] == "pending"
    reply = answer(client, challenge, MAKE["packed"](makers["packed"], attest.make_key(), key_authorization), more={"x": [1]})
    assert reply.json()["status"] == "valid"


HOSTILE = {
    "empty": ("", "cannot be read"),
    "no base64url": ("!!!", "base64url"),
    "padded": ("oA==", "base64url"),
    "no format": (b64(b"\xa0"), '"fmt"'),
    "breaks alone": (b64(b"\xff" * 20), "cannot be read"),
    "deep": (b64(b"\x81" * 20000 + b"\x00"), "cannot be read"),
    "deep without lengths": (b64(b"\x9f" * 20000), "cannot be read"),
    "array of 2^63": (b64(b"\x9b\x7f\xff\xff\xff\xff\xff\xff\xff"), "cannot be read"),
    "string of 64 GiB": (b64(b"\x5b\x00\x00\x00\x10\x00\x00\x00\x00x"), "cannot be read"),
    "format none": (b64(cbor2.dumps({"fmt": "none", "attStmt": {}})), '"none" is not accepted'),
    "no chain": (b64(cbor2.dumps({"fmt": "packed", "attStmt": {}})), "x5c"),
    "no certificate": (b64(cbor2.dumps({"fmt": "packed", "attStmt": {"alg": -7, "sig": b"x", "x5c": [b"x"]}})), "packed"),
    "more after it": (b64(cbor2.dumps({"fmt": "packed", "attStmt": {}}) + b"\x00"), "cannot be read"),
}


@pytest.mark.parametrize("text, want", HOSTILE.values(), ids=HOSTILE)
def test_hostile_objects(client, text, want):
    _, _, challenge = order_for(client, SERIAL)
    reply = client.post(challenge["url"], {"attObj": text}).json()
    assert (reply["status"], reply["error"]["type"]) == ("invalid", BADLY), reply
    assert want in reply["error"]["detail"]


def test_object_beyond_the_request(client):
    _, _, challenge = order_for(client, SERIAL)
    with pytest.raises(Refused) as caught:
        answer(client, challenge, bytes(100000))
    assert caught.value.reply.status_code == 413


def test_data_of_browsers_beside_it(client, makers):
    """authData says nothing here, and other members neither (5)."""
    url, order, challenge, key_authorization = begin(client, "packed")
    obj = cbor2.loads(MAKE["packed"](makers["packed"], attest.make_key(), key_authorization))
    attested(client, challenge, cbor2.dumps({**obj, "authData": b"\0" * 37, "more": [1, {"x": None}]}))


def test_another_device(server, client, makers):
    _, _, challenge = order_for(client, "C02OTHER")
    key_authorization = client.key_authorization(challenge["token"])
    obj = attest.packed(makers["packed"], attest.make_key(), key_authorization, [attest.permanent(SERIAL)])
    refused(client, challenge, obj, f'not of permanent-identifier "C02OTHER" but of permanent-identifier "{SERIAL}"')
    about = events(server, "attestation-refused")[-1]["about"]
    assert (about["identifier"], about["format"]) == ("C02OTHER", "packed")
    assert about["proven"] == [f"permanent-identifier {SERIAL}"] and "C02OTHER" in about["reason"]


def test_case_counts(client, makers):
    _, _, challenge = order_for(client, SERIAL.lower())
    obj = attest.packed(makers["packed"], attest.make_key(), client.key_authorization(challenge["token"]), [attest.permanent(SERIAL)])
    refused(client, challenge, obj, "not of")


def test_the_object_is_not_kept(server, client, makers):
    _, _, challenge, key_authorization = begin(client, "packed")
    obj = MAKE["packed"](makers["packed"], attest.make_key(), key_authorization)
    attested(client, challenge, obj)
    for path in server.folder.rglob("*"):
        assert not path.is_file() or obj[-200:] not in path.read_bytes(), path


# --- identifiers

@pytest.mark.parametrize("identifier", [
    device(""), device("/1.2.3"), device("a/"), device("a/b"), device("a/1.2/3"), device("a/01.2"), device("a/1.40.1"),
    device("ABCD", "hardware-module"), device("/1.2", "hardware-module"), device("ABCD/x", "hardware-module"),
])
def test_malformed_identifiers(client, identifier):
    for ask in (lambda: client.order([identifier]), lambda: client.post(client.directory["newAuthz"], {"identifier": identifier})):
        with pytest.raises(Refused) as caught:
            ask()
        assert caught.value.type == "malformed", caught.value


def test_malformed_beside_a_good_one(client):
    with pytest.raises(Refused) as caught:
        client.order([device("good"), device("bad/"), device("worse", "hardware-module")])
    body = caught.value.reply.json()
    assert caught.value.type == "malformed"
    assert [(s["identifier"]["type"], s["identifier"]["value"]) for s in body["subproblems"]] == [
        ("permanent-identifier", "bad/"), ("hardware-module", "worse")]


def test_the_policy_is_held(client):
    for name, profile in ((device("STOLEN-1"), "device"), (device("x/1.2", "hardware-module"), "device"), (device("x"), "web")):
        with pytest.raises(Refused) as caught:
            client.order([name], profile=profile)
        assert caught.value.type in ("rejectedIdentifier", "invalidProfile"), caught.value


def test_no_challenge_where_the_profile_takes_others(client):
    with pytest.raises(Refused) as caught:
        client.order([device(SERIAL)], profile="http")
    assert caught.value.type == "rejectedIdentifier" and "no challenge type" in caught.value.reply.text


def test_assigner(client, makers):
    """An identifier with an assigner is proven by a name with that assigner alone, and is so in the certificate."""
    key = attest.make_key()
    url, order, challenge = order_for(client, f"{SERIAL}/1.2.3.4")
    key_authorization = client.key_authorization(challenge["token"])
    obj = attest.packed(makers["packed"], key, key_authorization, [attest.permanent(SERIAL), attest.permanent(SERIAL, "1.2.3.4")])
    attested(client, challenge, obj)
    for wrong in (attest.permanent(SERIAL), attest.permanent(SERIAL, "1.2.3.5"), attest.permanent(f"{SERIAL}/1.2.3.4")):
        with pytest.raises(Refused) as caught:
            client.finalize(order, make_csr([wrong], key))
        assert caught.value.type == "badCSR"
    assert others(issued(client, url, order, make_csr([attest.permanent(SERIAL, "1.2.3.4")], key))) == [attest.permanent(SERIAL, "1.2.3.4")]
    _, _, challenge = order_for(client, f"{SERIAL}/1.2.3.4")
    obj = attest.packed(makers["packed"], key, client.key_authorization(challenge["token"]), [attest.permanent(SERIAL)])
    refused(client, challenge, obj, "not of")


def test_hardware_module(client, makers):
    key, kind = attest.make_key(), "1.3.6.1.4.1.99.1"
    url, order, challenge = order_for(client, device(f"TPM 7/{kind}", "hardware-module"))
    assert order["identifiers"] == [device(f"TPM 7/{kind}", "hardware-module")]
    key_authorization = client.key_authorization(challenge["token"])
    attested(client, challenge, attest.tpm(makers["tpm"], key, key_authorization, [attest.module("TPM 7", kind)]))
    with pytest.raises(Refused):
        client.finalize(order, make_csr([attest.module("TPM 8", kind)], key))
    assert others(issued(client, url, order, make_csr([attest.module("TPM 7", kind)], key))) == [attest.module("TPM 7", kind)]


def test_device_and_module_in_one_order(client, makers):
    """Each is proven by itself, and one key must be attested for both."""
    key, other, kind = attest.make_key(), attest.make_key(), "1.3.6.1.4.1.99.1"
    names = [attest.permanent(SERIAL), attest.module("M1", kind)]
    for second, works in ((other, False), (key, True)):
        url, order, _ = order_for(client, SERIAL, device(f"M1/{kind}", "hardware-module"))
        for i, attesting in enumerate((key, second)):
            challenge = challenge_of(client, order, i)
            attested(client, challenge, attest.packed(makers["packed"], attesting, client.key_authorization(challenge["token"]), names))
        if works:
            assert sorted(o.type_id.dotted_string for o in others(issued(client, url, order, make_csr(names, key)))) == [
                "1.3.6.1.5.5.7.8.3", "1.3.6.1.5.5.7.8.4"]
            continue
        for tried in (key, other):
            with pytest.raises(Refused) as caught:
                client.finalize(order, make_csr(names, tried))
            assert caught.value.type == "badCSR"


def test_device_and_host_in_one_order(client, makers, web):
    """What is a host's is proven as a host's, and must be in the CSR (RFC 8555, 7.4)."""
    key = attest.make_key()
    url, order = client.order([device(SERIAL), "laptop.example"])
    challenge = challenge_of(client, order)
    attested(client, challenge, MAKE["packed"](makers["packed"], key, client.key_authorization(challenge["token"])))
    assert client.post(url).json()["status"] == "pending"
    client.solve(order, web)
    for names in ([attest.permanent(SERIAL)], ["laptop.example", "other.example"]):
        with pytest.raises(Refused) as caught:
            client.finalize(order, make_csr(names, key))
        assert caught.value.type == "badCSR"
    certificate = issued(client, url, order, make_csr(["laptop.example"], key))
    assert certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName) == ["laptop.example"]


# --- what the certificate says

def ready(client, makers, profile="device", value=SERIAL):
    key = attest.make_key()
    url, order, challenge = order_for(client, value, profile=profile)
    attested(client, challenge, attest.packed(makers["packed"], key, client.key_authorization(challenge["token"]), [attest.permanent(value)]))
    return url, order, key


def test_csr_that_does_not_name_the_device(client, makers):
    """3.2: it may be left out. Then something else must name the holder (RFC 5280, 4.1.2.6)."""
    url, order, key = ready(client, makers)
    with pytest.raises(Refused) as caught:
        client.finalize(order, make_csr([], key))
    assert caught.value.type == "badCSR" and "no name" in caught.value.reply.text
    certificate = issued(client, url, order, make_csr([], key, cn=SERIAL))
    assert others(certificate) == [] and certificate.subject.rfc4514_string() == f"CN={SERIAL}"


def test_certificates_that_always_name_the_device(client, makers):
    url, order, key = ready(client, makers, "named")
    assert others(issued(client, url, order, make_csr([], key))) == [attest.permanent(SERIAL)]
    url, order, key = ready(client, makers, "named")
    assert others(issued(client, url, order, make_csr([attest.permanent(SERIAL)], key))) == [attest.permanent(SERIAL)]


def test_certificates_that_never_name_the_device(client, makers):
    url, order, key = ready(client, makers, "private")
    for csr in (make_csr([attest.permanent(SERIAL)], key), make_csr([], key, cn=SERIAL),
                make_csr([], key, subject=[x509.NameAttribute(NameOID.SERIAL_NUMBER, SERIAL)])):
        with pytest.raises(Refused) as caught:
            client.finalize(order, csr)
        assert caught.value.type == "badCSR", caught.value
    certificate = issued(client, url, order, make_csr([], key))
    assert others(certificate) == [] and certificate.subject.rfc4514_string() == "O=Example"
    assert SERIAL.encode() not in certificate.tbs_certificate_bytes


@pytest.mark.parametrize("csr", [
    lambda key: make_csr([attest.permanent(SERIAL)], key, cn="another"),
    lambda key: make_csr([attest.permanent(SERIAL), attest.permanent("another")], key),
    lambda key: make_csr([attest.permanent(SERIAL), attest.module(SERIAL, "1.3.6.1.4.1.99.1")], key),
    lambda key: make_csr([attest.permanent(SERIAL), "evil.example"], key),
    lambda key: make_csr([attest.permanent(SERIAL)], key, subject=[x509.NameAttribute(NameOID.SERIAL_NUMBER, "another")]),
    lambda key: make_csr([x509.OtherName(x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3"), b"\x0c\x03a@b")], key),
])
def test_csr_that_asks_for_more(client, makers, csr):
    _, order, key = ready(client, makers)
    with pytest.raises(Refused) as caught:
        client.finalize(order, csr(key))
    assert caught.value.type in ("badCSR", "rejectedIdentifier"), caught.value


def test_value_beyond_ascii(client, makers):
    url, order, key = ready(client, makers, value="Gerät 7 *")
    assert order["identifiers"] == [device("Gerät 7 *")]
    assert others(issued(client, url, order, make_csr([attest.permanent("Gerät 7 *")], key))) == [attest.permanent("Gerät 7 *")]


# --- again, beforehand, and no longer

def test_a_new_order_is_attested_anew(client, makers):
    url, order, key = ready(client, makers)
    issued(client, url, order, make_csr([attest.permanent(SERIAL)], key))
    _, again, challenge = order_for(client, SERIAL)
    assert again["status"] == "pending" and challenge["status"] == "pending"


def test_preauthorized_key_is_the_orders(client, makers):
    key = attest.make_key()
    reply = client.post(client.directory["newAuthz"], {"identifier": device(SERIAL)})
    assert reply.status_code == 201
    challenge = reply.json()["challenges"][0]
    attested(client, challenge, MAKE["packed"](makers["packed"], key, client.key_authorization(challenge["token"])))
    url, order = client.order([device(SERIAL)])
    assert order["status"] == "ready" and order["authorizations"] == [reply.headers["Location"]]
    with pytest.raises(Refused) as caught:
        client.finalize(order, make_csr([attest.permanent(SERIAL)], attest.make_key()))
    assert caught.value.type == "badCSR" and "attested" in caught.value.reply.text
    issued(client, url, order, make_csr([attest.permanent(SERIAL)], key))
    url, order = client.order([device(SERIAL)])
    client.post(order["authorizations"][0], {"status": "deactivated"})
    assert client.post(url).json()["status"] == "invalid"
    with pytest.raises(Refused) as caught:
        client.finalize(order, make_csr([attest.permanent(SERIAL)], key))
    assert caught.value.type == "orderNotReady"


def test_challenge_of_a_deactivated_authorization(client, makers):
    _, order, challenge, key_authorization = begin(client, "packed")
    client.post(order["authorizations"][0], {"status": "deactivated"})
    with pytest.raises(Refused) as caught:
        answer(client, challenge, MAKE["packed"](makers["packed"], attest.make_key(), key_authorization))
    assert caught.value.type == "malformed"


def test_key_rollover_before_the_response(server, client, makers):
    """The key authorization is of the account's key as it is now (5)."""
    from acme_raw import flattened, jwk, make_key
    _, _, challenge, before = begin(client, "packed")
    new = make_key()
    url = client.directory["keyChange"]
    inner = flattened(new, {"alg": "ES256", "jwk": jwk(new), "url": url}, {"account": client.kid, "oldKey": jwk(client.key)})
    client.post(url, inner)
    client.key = new
    refused(client, challenge, MAKE["packed"](makers["packed"], attest.make_key(), before), "over the key authorization")
    _, _, challenge, now = begin(client, "packed")
    attested(client, challenge, MAKE["packed"](makers["packed"], attest.make_key(), now))


def test_people_approve_it(server, client, makers):
    url, order, key = ready(client, makers, "guarded")
    assert client.finalize(order, make_csr([], key)).json()["status"] == "processing"
    request, = json.loads(server.run("request", "list", "--json", check=True).stdout)
    server.run("request", "approve", request["id"], "--by", "ada", check=True)
    done = client.wait(url, ("valid", "invalid"))
    assert others(leaf(client.post(done["certificate"]).text)) == [attest.permanent(SERIAL)]


@pytest.mark.parametrize("profile", ["device", "private"])
def test_replaces(client, makers, profile):
    """RFC 9773, 5: they share the device, also where the certificate does not tell."""
    from test_renewal_info import cert_id
    url, order, key = ready(client, makers, profile)
    old = issued(client, url, order, make_csr([] if profile == "private" else [attest.permanent(SERIAL)], key))
    _, order, _ = order_for(client, SERIAL, profile=profile, replaces=cert_id(old))
    assert order["replaces"] == cert_id(old)


def test_replaces_another_device(client, makers):
    from test_renewal_info import cert_id
    url, order, key = ready(client, makers)
    old = issued(client, url, order, make_csr([attest.permanent(SERIAL)], key))
    with pytest.raises(Refused) as caught:
        order_for(client, "another", replaces=cert_id(old))
    assert caught.value.type == "malformed" and "replaces" in caught.value.reply.text


# --- who may

def test_scope_of_an_external_account_key(server, makers):
    made = json.loads(server.run("eab", "create", "--json", "--name", "permanent-identifier:LAB-*", check=True).stdout)
    client = Client(server)
    client.bind(made)
    for name in (device("HQ-1"), device("lab-1"), device("LAB-1/1.3.6.1.4.1.99.1", "hardware-module"), "lab.example"):
        with pytest.raises(Refused) as caught:
            client.order([name])
        assert caught.value.type == "rejectedIdentifier"
    url, order, key = ready(client, makers, value="LAB-1")
    issued(client, url, order, make_csr([attest.permanent("LAB-1")], key))


def test_device_that_an_external_account_key_authorizes(server):
    """6.1.2: the account is trusted for it; no key was attested, so any is taken."""
    made = json.loads(server.run("eab", "create", "--json", "--authorize", "permanent-identifier:OLD-7", check=True).stdout)
    client = Client(server)
    client.bind(made)
    url, order = client.order([device("OLD-7")])
    assert order["status"] == "ready"
    assert others(issued(client, url, order, make_csr([attest.permanent("OLD-7")]))) == [attest.permanent("OLD-7")]
    assert client.order([device("OLD-70")])[1]["status"] == "pending"


def test_formats_of_a_profile(client, makers):
    _, _, challenge = order_for(client, SERIAL, profile="apples")
    key_authorization = client.key_authorization(challenge["token"])
    refused(client, challenge, MAKE["packed"](makers["packed"], attest.make_key(), key_authorization), "profile apples takes no attestation")
    url, order, challenge = order_for(client, SERIAL, profile="apples")
    key = attest.make_key()
    attested(client, challenge, MAKE["apple"](makers["apple"], key, client.key_authorization(challenge["token"])))
    issued(client, url, order, make_csr([attest.permanent(SERIAL)], key))


def test_a_proof_for_one_profile_in_an_order_for_another(client, makers):
    """Pre-authorized in a format that the other profile does not take: the gate holds what newOrder let pass."""
    key = attest.make_key()
    challenge = client.post(client.directory["newAuthz"], {"identifier": device(SERIAL)}).json()["challenges"][0]
    attested(client, challenge, MAKE["packed"](makers["packed"], key, client.key_authorization(challenge["token"])))
    _, order = client.order([device(SERIAL)], profile="apples")
    if order["status"] == "pending":  # it was not taken for the order at all
        return
    with pytest.raises(Refused) as caught:
        client.finalize(order, make_csr([attest.permanent(SERIAL)], key))
    assert "format packed" in caught.value.reply.text


# --- configuration

def test_off_by_default():
    with Server() as server:
        client = Client(server)
        client.register()
        for ask in (lambda: client.order([device(SERIAL)]), lambda: client.post(client.directory["newAuthz"], {"identifier": device(SERIAL)})):
            with pytest.raises(Refused) as caught:
                ask()
            assert caught.value.type == "unsupportedIdentifier"


def test_roots_are_read_again(makers, tmp_path):
    """A maker that is trusted no more, from the next response on; and one that a file adds."""
    old, new = attest.Authority("Old"), attest.Authority("New")
    with Server(config(tmp_path, {"packed": old}, ["packed"])) as server:
        client = Client(server)
        client.register()
        for maker, other in ((old, new), (new, old)):
            _, _, challenge, key_authorization = begin(client, "packed")
            refused(client, challenge, MAKE["packed"](other, attest.make_key(), key_authorization), "packed")
            _, _, challenge, key_authorization = begin(client, "packed")
            attested(client, challenge, MAKE["packed"](maker, attest.make_key(), key_authorization))
            server.reload(config(tmp_path, {"packed": new}, ["packed"]))


@pytest.mark.parametrize("acme, profile, want", [
    ({"challenges": ["device-attest-01"]}, {}, "acme.challenges"),
    ({"device_attest_01": {"formats": [{"format": "u2f", "roots": ["x"]}]}}, {}, "acme.device_attest_01.formats[0].format"),
    ({"device_attest_01": {"formats": [{"format": "packed"}]}}, {}, "acme.device_attest_01.formats[0]"),
    ({"device_attest_01": {"formats": [{"format": "packed", "roots": []}]}}, {}, "acme.device_attest_01.formats[0].roots"),
    ({"device_attest_01": {"formats": [{"format": "packed", "roots": ["x"]}] * 2}}, {}, "acme.device_attest_01.formats[1].format"),
    ({"device_attest_01": {"formats": [{"format": "packed", "roots": ["/nowhere/roots.pem"]}]}}, {}, "/nowhere/roots.pem"),
    ({}, {"acme": {"attestation_formats": ["tpm"]}}, "profiles[0].acme.attestation_formats[0]"),
    ({}, {"acme": {"device_names": "sometimes"}}, "profiles[0].acme.device_names"),
    ({}, {"policy": "device", "permanent_identifier": {"allow": ["*"]}}, "profiles[0].permanent_identifier"),
])
def test_configuration_that_is_refused(tmp_path, acme, profile, want):
    import subprocess
    from harness import BINARY
    path = tmp_path / "enrolld.yaml"
    path.write_text(json.dumps({"acme": acme, "profiles": [{"name": "device", **profile}]}, indent=1))
    done = subprocess.run([str(BINARY), "check-config", str(path)], capture_output=True, text=True, timeout=60)
    assert done.returncode != 0 and want in done.stderr, done.stderr
