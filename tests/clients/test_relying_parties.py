"""What other verifiers than OpenSSL and GnuTLS make of certificates, lists, deltas and OCSP answers: Java's PKIX validator, Bouncy Castle's,
and NSS. docs/ca.md says which of them knows what."""

import pathlib
import subprocess
import time

import pytest
import requests
from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtensionOID

from api_client import Api, load, make_token
from harness import Server

PROGRAM = pathlib.Path(__file__).parent / "RelyingParty.java"
JARS = ":".join(f"/usr/share/java/{name}.jar" for name in ("bcprov", "bcutil", "bcpkix"))
PRESETS = {
    "tls-server": ({"altNames": [{"type": "dns", "value": "www.example.com"}, {"type": "ip", "value": "10.1.2.3"}]}, "V"),
    "tls-client": ({"commonName": "client 7", "altNames": [{"type": "email", "value": "ann@example.com"}]}, "C"),
    "device": ({"commonName": "device-7", "organization": "Example Ltd", "altNames": [{"type": "dns", "value": "d7.example.com"}]}, "C"),
    "email-protection": ({"altNames": [{"type": "email", "value": "ann@example.com"}]}, "S"),
    "code-signing": ({"commonName": "Example Ltd", "country": "DE"}, None),  # NSS: docs/ca.md
}
PROFILES = [{"name": name, "policy": name, "methods": ["acme", "api"]} for name in PRESETS]
KINDS = {
    "ec": {"crl": {"pause": "100ms", "delta_lifetime": "1h"}},
    "rsa": {"crl": {"pause": "100ms"}, "ca": {"root_key": "rsa-3072", "issuing_key": "rsa-3072"}},
    "shards": {"crl": {"pause": "100ms", "shards": 3, "delta_lifetime": "1h"}},
    "names": {"crl": {"pause": "100ms"}, "ca": {"permitted": ["dns:example.com", "dns:localhost", "ip:10.0.0.0/8", "ip:127.0.0.0/8",
                                                             "email:example.com"], "excluded": ["dns:secret.example.com"]}},
}


def point(certificate):
    points = certificate.extensions.get_extension_for_oid(ExtensionOID.CRL_DISTRIBUTION_POINTS).value
    return points[0].full_name[0].value


class Shelf:
    """Certificates of a server, each in a folder with what a relying party has of it."""

    def __init__(self, server, folder):
        self.server, self.folder, self.want = server, folder, {}
        self.api = Api(server, make_token(server, "admin")[0])

    def put(self, name, preset, want="good"):
        made = self.api.post("certificates", {"profileId": preset, "attributes": PRESETS[preset][0], "removeRootsFromChain": True})["certificate"]
        folder = self.folder / name
        folder.mkdir()
        (folder / "leaf.pem").write_text(made["certificate"])
        (folder / "chain.pem").write_text(made["certificateChain"])
        (folder / "root.pem").write_bytes(pathlib.Path(self.server.root_pem).read_bytes())
        info = load(made["certificate"]).extensions.get_extension_for_oid(ExtensionOID.AUTHORITY_INFORMATION_ACCESS).value
        (folder / "ocsp").write_text(next(a.access_location.value for a in info if a.access_method == AuthorityInformationAccessOID.OCSP))
        self.want[name] = (preset, want)
        return made["certificateId"]

    def revoke(self, name, preset, reason):
        certificate = self.put(name, preset, "revoked")
        self.api.post(f"certificates/{certificate}/revoke", {"revocationReason": reason})
        return certificate

    def fill(self):
        for preset in PRESETS:
            self.put(preset, preset)
        for reason in ("unspecified", "keyCompromise", "superseded", "certificateHold"):
            self.revoke(f"revoked-{reason}", "tls-server", reason)
        released = self.revoke("released", "tls-server", "certificateHold")
        self.told("released", True)
        self.api.post(f"certificates/{released}/release")
        self.want["released"] = ("tls-server", "good")
        self.told("released", False)

    def told(self, name, revoked):
        """Waits until the list has, or has not, the certificate."""
        leaf = load((self.folder / name / "leaf.pem").read_text())
        deadline = time.monotonic() + 40  # how soon is judged in tests/wire/test_status.py
        while True:
            reply = requests.get(point(leaf))
            # a list without entries is false as a condition: a shard may have none
            crl = x509.load_der_x509_crl(reply.content) if reply.status_code == 200 else None
            if crl is not None and (crl.get_revoked_certificate_by_serial_number(leaf.serial_number) is not None) == revoked:
                return
            assert time.monotonic() < deadline
            time.sleep(0.1)

    def take_lists(self):
        for name, (_, want) in self.want.items():
            folder = self.folder / name
            if want == "revoked":
                self.told(name, True)
            for i, part in enumerate(("leaf.pem", "chain.pem")):
                crl = requests.get(point(load((folder / part).read_text()))).content
                (folder / f"{i}.crl").write_bytes(crl)
                parsed = x509.load_der_x509_crl(crl)
                for freshest in (e.value for e in parsed.extensions if e.oid == ExtensionOID.FRESHEST_CRL):
                    (folder / f"{i}.delta").write_bytes(requests.get(freshest[0].full_name[0].value).content)


@pytest.fixture(scope="module", params=KINDS)
def shelf(request, tmp_path_factory):
    with Server({"profiles": PROFILES, "tls": {"names": ["localhost"]}, **KINDS[request.param]}) as server:
        shelf = Shelf(server, tmp_path_factory.mktemp(request.param))
        shelf.kind = request.param
        shelf.fill()
        shelf.take_lists()
        yield shelf


@pytest.fixture(scope="module")
def java(tmp_path_factory):
    folder = tmp_path_factory.mktemp("java")
    subprocess.run(["javac", "-cp", JARS, "-d", folder, PROGRAM], check=True, capture_output=True)

    def judge(shelf, provider, mode):
        done = subprocess.run(["java", "-Xmn256m", "-cp", f"{JARS}:{folder}", "RelyingParty", provider, mode, *[shelf.folder / name for name in shelf.want]],
                              capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return dict(zip(shelf.want, done.stdout.splitlines(), strict=True))
    return judge


def is_revoked(text):
    return "CertificateRevokedException" in text or "revocation after" in text or "certificate revoked, reason" in text


@pytest.mark.parametrize("provider,mode", [("SUN", "none"), ("SUN", "crl"), ("SUN", "fetch"), ("SUN", "ocsp"), ("BC", "crl"), ("BC", "delta"),
                                           ("BC", "ocsp")])
def test_java(shelf, java, provider, mode):
    """By lists at hand, with deltas, fetched from where the certificates point, and by OCSP. Bouncy Castle's OCSP request has empty extensions,
    and its caches hold by weak references what they use a line later: room enough that nothing is collected, and no fetching of lists."""
    told = java(shelf, provider, mode)
    for name, (_, want) in shelf.want.items():
        if want == "good" or mode == "none":
            assert told[name] == "good", (name, told[name])
        else:
            assert is_revoked(told[name]), (name, told[name])


def nss(*args, check=True):
    done = subprocess.run([*map(str, args)], capture_output=True, text=True, timeout=60)
    assert not check or done.returncode == 0, (args, done.stdout, done.stderr)
    return done.returncode, done.stdout + done.stderr


def nss_database(place, shelf):
    """One for all: each is several durable writes."""
    database = f"sql:{place}"
    some = shelf.folder / "released"
    nss("certutil", "-N", "-d", database, "--empty-password")
    nss("certutil", "-A", "-d", database, "-n", "root", "-t", "CT,C,C", "-i", some / "root.pem")
    nss("certutil", "-A", "-d", database, "-n", "chain", "-t", ",,", "-i", some / "chain.pem")
    return database


def nss_verify(database, shelf, name):
    folder, usage = shelf.folder / name, PRESETS[shelf.want[name][0]][1]
    nss("certutil", "-A", "-d", database, "-n", name, "-t", ",,", "-i", folder / "leaf.pem")
    return nss("certutil", "-V", "-e", "-d", database, "-n", name, "-u", usage, check=False)[1]


def test_nss(shelf, tmp_path):
    """certutil -V with the lists that crlutil took; lists with issuingDistributionPoint it does not take (RFC 5280, 5.2: critical)."""
    database, some = nss_database(tmp_path, shelf), shelf.folder / "released"
    told = [nss("crlutil", "-I", "-d", database, "-i", some / f"{i}.crl", check=False) for i in (1, 0)]
    if shelf.kind == "shards":
        assert told[0][0] == 0 and "CRL_UNKNOWN_CRITICAL_EXTENSION" in told[1][1], told
    else:
        assert told == [(0, ""), (0, "")], told
    for name, (preset, want) in shelf.want.items():
        if PRESETS[preset][1]:
            text = nss_verify(database, shelf, name)
            assert ("is valid" if want == "good" or shelf.kind == "shards" else "revoked") in text, (name, text)


def test_nss_by_ocsp(shelf, tmp_path):
    """With no list at hand: no answer is no good answer."""
    database = nss_database(tmp_path, shelf)
    for name in ("tls-server", "released", "revoked-keyCompromise", "revoked-certificateHold"):
        text = nss("vfychain", "-d", database, "-pp", "-u", "1", "-g", "leaf", "-m", "ocsp", "-s", "requireInfo", "-h", "requireFreshInfo",
                   "-a", shelf.folder / name / "leaf.pem", check=False)[1]
        assert ("Chain is good" if shelf.want[name][1] == "good" else "revoked") in text, (name, text)
