"""CSRs that were bent: the structure of good ones is changed at random, and signed anew. ACME, EST and the API hear each of them, and
say the same; what they certify is what all readers see in it."""

import base64
import copy
import ipaddress
import os
import random

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

import der_tree
from acme_raw import Client, Refused as AcmeRefused, b64 as b64url
from api_client import Api, make_token
from harness import ChallengeServer, Server
from test_est import b64, credential

SEED = int(os.environ.get("CSR_SEED", "20"))
COUNT = int(os.environ.get("CSR_COUNT", "600"))
NAME = "a.wicked.example"
DER = serialization.Encoding.DER


def rsa_key():
    return rsa.generate_private_key(65537, 2048)


def base_csr(key, subject=(), extensions=(), attribute=None):
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([x509.NameAttribute(o, v) for o, v in subject]))
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), False)
    for extension in extensions:
        builder = builder.add_extension(extension, False)
    if attribute:
        builder = builder.add_attribute(*attribute)
    return builder.sign(key, None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()).public_bytes(DER)


def key_usage():
    return x509.KeyUsage(True, False, False, False, False, False, False, False, False)


def bases():
    """Good ones, each with its key."""
    p256, p384, ed, big = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP384R1()), ed25519.Ed25519PrivateKey.generate(), rsa_key()
    usages = [key_usage(), x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])]
    return [
        (p256, base_csr(p256)),
        (p256, base_csr(p256, [(NameOID.COMMON_NAME, NAME)], usages)),
        (p384, base_csr(p384, (), [x509.BasicConstraints(False, None), x509.SubjectKeyIdentifier(b"x" * 20)])),
        (ed, base_csr(ed, [(NameOID.COMMON_NAME, NAME)], [x509.TLSFeature([x509.TLSFeatureType.status_request])])),
        (big, base_csr(big, [(NameOID.COMMON_NAME, NAME)], usages, (x509.oid.AttributeOID.UNSTRUCTURED_NAME, b"hunter2"))),
    ]


def sign(key, tbs):
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(tbs)
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(tbs, padding.PKCS1v15(), hashes.SHA256())
    return key.sign(tbs, ec.ECDSA(hashes.SHA256()))


# --- how an element is bent; each gets the random numbers, the element and the one around it

STRINGS = [b"", b"\0", b"b.wicked.example", b"*.wicked.example", b"a.wicked.example\0.b", b"A.WICKED.EXAMPLE", b"a.wicked.example.", b" a.wicked.example",
           b"a\xad.wicked.example", b"xn--a.wicked.example", b"127.0.0.1", b"\xff\xfe", b"\x7f", b"a" * 300, b"a.wicked.example\n", b"CA:TRUE"]
TAGS = [1, 2, 3, 4, 5, 6, 0x0a, 0x0c, 0x13, 0x14, 0x16, 0x1e, 0x1c, 0x1f, 0x30, 0x31, 0x80, 0x81, 0x82, 0x84, 0x86, 0x87, 0x88, 0xa0, 0xa1, 0xa3, 0xa4, 0xa5, 0x24, 0x22, 0x62]
OIDS = [bytes.fromhex(o) for o in ("551d11", "551d13", "551d0f", "551d25", "551d1e", "551d20", "550403", "55040a", "550405", "2a864886f70d010901", "2a864886f70d01090e",
        "2b06010401823702010e", "2b06010505070118", "2b06010505070309", "2b06010505070707240001", "80", "ff", "", "551d91", "2b0601050507030e")]


def drop(rng, element, parent):
    parent[1].remove(element)


def double(rng, element, parent):
    parent[1].insert(rng.randrange(len(parent[1]) + 1), copy.deepcopy(element))


def retag(rng, element, parent):
    element[0] = rng.choice(TAGS)


def flip(rng, element, parent):
    if isinstance(element[1], bytes) and element[1]:
        at = rng.randrange(len(element[1]))
        element[1] = element[1][:at] + bytes([element[1][at] ^ 1 << rng.randrange(8)]) + element[1][at + 1:]


def cut(rng, element, parent):
    if isinstance(element[1], bytes):
        element[1] = element[1][:rng.randrange(len(element[1]) + 1)]


def string(rng, element, parent):
    if isinstance(element[1], bytes):
        element[1] = rng.choice(STRINGS)


def oid(rng, element, parent):
    if element[0] == 6:
        element[1] = rng.choice(OIDS)


def pad(rng, element, parent):
    if isinstance(element[1], bytes):
        element[1] = b"\0" + element[1] if rng.random() < .5 else element[1] + b"\0"


def shuffle(rng, element, parent):
    if isinstance(element[1], list):
        rng.shuffle(element[1])


def long_length(rng, element, parent):
    """A length in more bytes than it needs (X.690, 10.1)."""
    inside = der_tree.content(element)
    size = rng.choice([2, 3, 4, 8])
    element[:] = [bytes([element[0], 0x80 | size]) + len(inside).to_bytes(size, "big") + inside, None]


def endless(rng, element, parent):
    """BER's indefinite length."""
    if isinstance(element[1], list):
        element[:] = [bytes([element[0], 0x80]) + der_tree.content(element) + b"\0\0", None]


def nest(rng, element, parent):
    for _ in range(rng.choice([1, 2, 60])):
        element[:] = [rng.choice([0x30, 0x31, 0xa0, 0x24]), [list(element)]]


def many(rng, element, parent):
    parent[1].extend(copy.deepcopy(element) for _ in range(rng.choice([3, 40, 120])))


def name_more(rng, element, parent):
    """Another name of any type beside the one that is there."""
    if element[0] == 0x82:
        kind = rng.choice([0x81, 0x82, 0x86, 0x87, 0x88, 0xa0, 0xa4])
        value = {0x87: rng.choice([b"\x7f\0\0\1", bytes(16), bytes(3), ipaddress.ip_address("::ffff:10.0.0.1").packed]), 0xa0: [[6, bytes.fromhex("2b060104018237140203")], [0xa0, [[12, b"root@x.example"]]]],
                 0xa4: [[0x30, [[0x31, [[0x30, [[6, b"\x55\4\3"], [12, NAME.encode()]]]]]]]]}.get(kind, rng.choice(STRINGS))
        parent[1].append([kind, value])


def extension_more(rng, element, parent):
    """Another extension beside the first: what makes a CA, what constrains, what nobody knows."""
    if element[0] == 0x30 and isinstance(element[1], list) and element[1] and element[1][0] == [6, b"\x55\x1d\x11"]:
        made = rng.choice([
            [[6, b"\x55\x1d\x13"], [1, b"\xff"], [4, [[0x30, [[1, b"\xff"]]]]]], [[6, b"\x55\x1d\x13"], [4, [[0x30, [[2, b"\0"]]]]]], [[6, b"\x55\x1d\x13"], [4, [[0x30, [[1, b"\1"], [2, b"\xff"]]]]]],
            [[6, b"\x55\x1d\x0f"], [4, [[3, b"\1\6"]]]], [[6, b"\x55\x1d\x0f"], [4, [[3, b"\0\x80\x80"]]]], [[6, b"\x55\x1d\x0f"], [4, [[3, b"\7\x80"]]]],
            [[6, b"\x55\x1d\x25"], [4, [[0x30, [[6, bytes.fromhex("2b06010505070309")]]]]]], [[6, b"\x55\x1d\x25"], [4, [[0x30, [[6, b"\x55\x1d\x25\0"]]]]]],
            [[6, b"\x55\x1d\x1e"], [1, b"\xff"], [4, [[0x30, []]]]], [[6, bytes.fromhex("2b06010505070118")], [4, [[0x30, [[2, b"\x11"]]]]]],
            [[6, b"\x55\x1d\x11"], [4, [[0x30, [[0x82, b"b.wicked.example"]]]]]], [[6, bytes.fromhex("2b06010505073001")], [4, b"\5\0"]],
        ])
        parent[1].append([0x30, made])


def subject_more(rng, element, parent):
    if element[0] == 0x31 and isinstance(element[1], list) and element[1] and element[1][0][0] == 0x30:
        kind = rng.choice([b"\x55\4\3", b"\x55\4\x0a", b"\x55\4\5", bytes.fromhex("2a864886f70d010901")])
        pair = [0x30, [[6, kind], [rng.choice([12, 0x13, 0x16, 0x1e, 0x1c, 0x14]), rng.choice([*STRINGS, NAME.encode(), NAME.encode("utf-16-be"), NAME.encode("utf-32-be")])]]]
        element[1].append(pair) if rng.random() < .5 else parent[1].append([0x31, [pair]])


BENDS = [drop, double, retag, flip, cut, string, oid, pad, shuffle, long_length, endless, nest, many, name_more, name_more, extension_more, extension_more, subject_more]


def bend(rng, key, der):
    """One that was bent in one to three ways, and what was done to it. It is mostly signed anew; the bytes that no reader sees stay."""
    outer = der_tree.unwrap(der_tree.decode(der))
    info, done = outer[1][0], []
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        how = rng.choice(BENDS)
        places = [(e, p) for e, p in der_tree.walk(info) if p is not None and e[1] is not None]
        if how is name_more:
            places = [(e, p) for e, p in places if e[0] == 0x82] or places
        if how in (extension_more, subject_more):
            places = [(e, p) for e, p in places if e[0] in (0x30, 0x31) and isinstance(e[1], list) and e[1] and (e[1][0] == [6, b"\x55\x1d\x11"] or how is subject_more and e[0] == 0x31)] or places
        if rng.random() < .03:
            places = [(e, p) for e, p in der_tree.walk(outer) if p is not None and e[1] is not None]
        element, parent = rng.choice(places)
        how(rng, element, parent)
        done.append(how.__name__)
    if rng.random() > .05 and len(outer[1]) > 2 and outer[1][-1][1] is not None:
        outer[1][-1][1] = b"\0" + sign(key, der_tree.encode(outer[1][0]))
    made = der_tree.encode(outer)
    if rng.random() < .03:
        made += rng.choice([b"\0", b"\0\0", der])
        done.append("trailing")
    return made, "+".join(done)


# --- the three ways to ask

class Acme:
    """One account; an order that was refused for its CSR is ready still, and takes the next."""

    def __init__(self, server, web):
        self.client, self.web = Client(server), web
        self.client.register()
        self.order = None

    def ask(self, csr):
        if not self.order:
            self.url, self.order = self.client.order([NAME])
            self.client.solve(self.order, self.web)
        try:
            self.client.finalize(self.order, csr)
        except AcmeRefused as why:
            assert why.reply.status_code < 500, why
            return None, why.reply.json()["detail"]
        done = self.client.wait(self.url, ("valid", "invalid"))
        self.order = None
        return x509.load_pem_x509_certificate(self.client.post(done["certificate"]).text.encode()), ""


class Est:
    def __init__(self, server):
        self.api, self.server = Api(server), server
        self.code = credential(server, "--profile", "tls-server", "--uses", "any", "--name", "dns:" + NAME)["code"]

    def ask(self, csr):
        reply = self.api.session.post(self.server.url + "/.well-known/est/simpleenroll", data=b64(csr), headers={"Content-Type": "application/pkcs10"}, auth=("d", self.code), timeout=60)
        assert reply.status_code < 500, reply.text
        if reply.status_code != 200:
            return None, reply.text
        found, = serialization.pkcs7.load_der_pkcs7_certificates(base64.b64decode(reply.content))
        return found, ""


class Rest:
    def __init__(self, server):
        self.api = Api(server, make_token(server, "issue", name="dns:" + NAME)[0])

    def ask(self, csr):
        pem = "-----BEGIN CERTIFICATE REQUEST-----\n" + b64(csr).decode() + "-----END CERTIFICATE REQUEST-----\n"
        reply = self.api.raw("POST", "/api/v1/cert-manager/certificates", {"profileId": "tls-server", "csr": pem})
        assert reply.status_code < 500, reply.text
        if reply.status_code >= 300:
            return None, reply.text
        return x509.load_pem_x509_certificate(reply.json()["certificate"]["certificate"].encode()), ""


# --- the judge

def verify(key, signature, signed):
    if isinstance(key, ed25519.Ed25519PublicKey):
        key.verify(signature, signed)
    elif isinstance(key, rsa.RSAPublicKey):
        key.verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
    else:
        key.verify(signature, signed, ec.ECDSA(hashes.SHA256()))


def own_key(csr):
    """Of a CSR, once it is seen that the key has signed it. Read by place: what stands in attributes that nobody knows is no matter
    here, and to some readers it is."""
    info, _, signature = der_tree.elements(der_tree.read(csr)[1])
    _, _, spki, *_ = der_tree.elements(der_tree.read(info)[1])
    key = serialization.load_der_public_key(spki)
    verify(key, der_tree.read(signature)[1][1:], info)
    return spki


def check(certificate, csr):
    """That nothing of the CSR but its key and its proven name is in what was issued."""
    assert certificate.public_key().public_bytes(DER, serialization.PublicFormat.SubjectPublicKeyInfo) == own_key(csr)
    extensions = {e.oid._name: e.value for e in certificate.extensions}
    assert list(extensions["subjectAltName"]) == [x509.DNSName(NAME)]
    assert not extensions["basicConstraints"].ca
    usage = extensions["keyUsage"]
    assert not usage.key_cert_sign and not usage.crl_sign
    assert set(extensions["extendedKeyUsage"]) <= {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH}
    assert set(extensions) <= {"subjectAltName", "basicConstraints", "keyUsage", "extendedKeyUsage", "authorityKeyIdentifier", "subjectKeyIdentifier",
                               "cRLDistributionPoints", "authorityInfoAccess", "TLSFeature", "certificatePolicies"}
    assert [a.value for a in certificate.subject] in ([], [NAME])


@pytest.fixture(scope="module")
def ways():
    with Server({"api": {"requests_per_token": {"burst": 0}}}) as server, ChallengeServer(server.http01_port) as web:
        yield [Acme(server, web), Est(server), Rest(server)]


def test_good_ones_are_issued(ways):
    """So that what follows is refused for what was bent."""
    for _, csr in bases():
        for way in ways:
            certificate, why = way.ask(csr)
            assert certificate, why
            check(certificate, csr)


def test_bent_ones_are_judged_alike(ways):
    rng, good, issued = random.Random(SEED), bases(), 0
    for i in range(COUNT):
        key, der = rng.choice(good)
        csr, how = bend(rng, key, der)
        replies = [way.ask(csr) for way in ways]
        verdicts = {bool(certificate) for certificate, _ in replies}
        assert len(verdicts) == 1, (i, how, csr.hex(), [why for _, why in replies])
        issued += True in verdicts
        for certificate, _ in replies:
            if certificate:
                check(certificate, csr)
    assert COUNT / 20 < issued < COUNT * 3 / 4
