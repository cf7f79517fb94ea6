"""A TPM 2.0 (swtpm) whose key gets a certificate by device-attest-01: what it certifies is its own word, and the CSR is signed
in it (tpm2-openssl). The certificate of its attestation key is by a CA of ours, as an enrollment of TPMs would make it."""

import contextlib
import hashlib
import os
import socket
import subprocess
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from tpm2_pytss import ESAPI, TCTILdr
from tpm2_pytss.constants import ESYS_TR, TPM2_ALG
from tpm2_pytss.types import TPM2B_DATA, TPM2B_PUBLIC, TPMT_SIG_SCHEME

import attest
from acme_raw import Client, Refused, b64, make_csr
from harness import Server
from judge import check_chain, leaf

SERIAL, HANDLE = "SN-0042", 0x81000001
OWN = "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign"
KEYS = {"ec": "ecc256:ecdsa-sha256:null", "ec384": "ecc384:ecdsa-sha384:null", "rsa": "rsa2048:rsassa-sha256:null"}


def free_pair():
    """Two ports beside each other, as swtpm's TCTI wants them."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
            with contextlib.suppress(OSError, OverflowError):
                second.bind(("127.0.0.1", port + 1))
                return port


class Tpm:
    """One TPM with its attestation key, and one key at HANDLE at a time."""

    def __init__(self, folder):
        self.folder, port = folder, free_pair()
        listen = ["--server", f"type=tcp,port={port},bindaddr=127.0.0.1", "--ctrl", f"type=tcp,port={port + 1},bindaddr=127.0.0.1"]
        self.process = subprocess.Popen(["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={folder}", *listen,
                                         "--flags", "not-need-init,startup-clear"])
        self.tcti = f"host=127.0.0.1,port={port}"
        self.wait(port)
        with self.open() as tpm:
            ak, public, *_ = tpm.create_primary(None, TPM2B_PUBLIC.parse(KEYS["ec"], objectAttributes=OWN + "|restricted"),
                                                ESYS_TR.ENDORSEMENT)
            self.ak = tpm.evict_control(ESYS_TR.OWNER, ak, HANDLE - 1)
            self.ak_public = serialization.load_pem_public_key(public.publicArea.to_pem())
            tpm.flush_context(ak)

    def wait(self, port):
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port + 1), 1):
                return
            time.sleep(0.05)
        raise AssertionError("swtpm does not answer")

    def open(self):
        return ESAPI(TCTILdr("swtpm", self.tcti))

    def close(self):
        self.process.terminate()
        self.process.wait(10)

    def certify(self, key_authorization, kind="ec", attributes=OWN):
        """A new key: its public area, what the TPM says of it, and the signature of the attestation key."""
        with self.open() as tpm:
            with contextlib.suppress(Exception):
                tpm.evict_control(ESYS_TR.OWNER, tpm.tr_from_tpmpublic(HANDLE), HANDLE)
            key, public, *_ = tpm.create_primary(None, TPM2B_PUBLIC.parse(KEYS[kind], objectAttributes=attributes), ESYS_TR.OWNER)
            challenge = TPM2B_DATA(hashlib.sha256(key_authorization.encode()).digest())
            info, signature = tpm.certify(key, tpm.tr_from_tpmpublic(HANDLE - 1), challenge, TPMT_SIG_SCHEME(scheme=TPM2_ALG.NULL))
            tpm.evict_control(ESYS_TR.OWNER, key, HANDLE)
            tpm.flush_context(key)
            return public.publicArea.marshal(), bytes(info), signature.marshal()

    def attest(self, authority, key_authorization, names, **key):
        public, info, signature = self.certify(key_authorization, **key)
        return attest.wrap("tpm", {"ver": "2.0", "alg": -7, "x5c": attest.ak_chain(authority, self.ak_public, names), "sig": signature,
                                   "certInfo": info, "pubArea": public})

    def csr(self, serial):
        """By the key at HANDLE, in the TPM."""
        config, made = self.folder / "csr.cnf", self.folder / "csr.der"
        config.write_text("[req]\ndistinguished_name = name\nreq_extensions = extensions\nprompt = no\n[name]\n"
                          f"CN = {serial}\n[extensions]\nsubjectAltName = otherName:1.3.6.1.5.5.7.8.3;SEQUENCE:device\n"
                          f"[device]\nvalue = UTF8:{serial}\n")
        done = subprocess.run(["openssl", "req", "-new", "-provider", "tpm2", "-provider", "default", "-propquery", "?provider=tpm2",
                               "-key", f"handle:{HANDLE:#x}", "-config", config, "-outform", "DER", "-out", made],
                              env={**os.environ, "TPM2OPENSSL_TCTI": "swtpm:" + self.tcti}, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return made.read_bytes()


@pytest.fixture(scope="module")
def tpm(tmp_path_factory):
    made = Tpm(tmp_path_factory.mktemp("tpm"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def authority():
    return attest.Authority("Our TPMs")


@pytest.fixture(scope="module")
def server(authority, tmp_path_factory):
    roots = authority.pem(tmp_path_factory.mktemp("roots") / "tpm.pem")
    devices = {"allow": ["SN-*"]}
    with Server({"acme": {"challenges": ["device-attest-01"], "device_attest_01": {"formats": [{"format": "tpm", "roots": [roots]}]}},
                 "profiles": [{"name": "device", "permanent_identifier": devices}]}) as made:
        yield made


@pytest.fixture
def client(server):
    made = Client(server)
    made.register()
    return made


def begin(client):
    url, order = client.order([{"type": "permanent-identifier", "value": SERIAL}])
    challenge, = client.post(order["authorizations"][0]).json()["challenges"]
    return url, order, challenge, client.key_authorization(challenge["token"])


def answer(client, challenge, obj):
    return client.post(challenge["url"], {"attObj": b64(obj)}).json()


@pytest.mark.parametrize("kind", KEYS)
def test_key_in_a_tpm(server, client, tpm, authority, kind):
    url, order, challenge, key_authorization = begin(client)
    reply = answer(client, challenge, tpm.attest(authority, key_authorization, [attest.permanent(SERIAL)], kind=kind))
    assert reply["status"] == "valid", reply
    with pytest.raises(Refused) as caught:  # a key outside of the TPM
        client.finalize(order, make_csr([attest.permanent(SERIAL)]))
    assert caught.value.type == "badCSR" and "attested" in caught.value.reply.text
    client.finalize(order, tpm.csr(SERIAL))
    text = client.post(client.wait(url, ("valid", "invalid"))["certificate"]).text
    check_chain(text, server.root_pem)
    san = leaf(text).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert list(san) == [attest.permanent(SERIAL)]


def test_a_statement_is_for_one_challenge(client, tpm, authority):
    _, _, challenge, key_authorization = begin(client)
    obj = tpm.attest(authority, key_authorization, [attest.permanent(SERIAL)])
    assert answer(client, challenge, obj)["status"] == "valid"
    reply = answer(client, begin(client)[2], obj)
    assert reply["status"] == "invalid" and "extraData" in reply["error"]["detail"], reply


@pytest.mark.parametrize("attributes, want", [
    (OWN.replace("fixedtpm|", "").replace("fixedparent|", ""), "another TPM"),
    (OWN + "|restricted", "restricted"),
])
def test_keys_that_prove_too_little(client, tpm, authority, attributes, want):
    _, _, challenge, key_authorization = begin(client)
    reply = answer(client, challenge, tpm.attest(authority, key_authorization, [attest.permanent(SERIAL)], attributes=attributes))
    assert reply["status"] == "invalid" and want in reply["error"]["detail"], reply


def test_public_area_of_another_key(client, tpm, authority):
    """What the TPM certified is one key, what is shown another."""
    _, _, challenge, key_authorization = begin(client)
    public, info, signature = tpm.certify(key_authorization)
    other = attest.tpm_public(attest.make_key())
    obj = attest.wrap("tpm", {"ver": "2.0", "alg": -7, "x5c": attest.ak_chain(authority, tpm.ak_public, [attest.permanent(SERIAL)]),
                              "sig": signature, "certInfo": info, "pubArea": other})
    reply = answer(client, challenge, obj)
    assert public != other and reply["status"] == "invalid" and "another key" in reply["error"]["detail"], reply


def test_a_tpm_of_nobody(client, tpm):
    _, _, challenge, key_authorization = begin(client)
    reply = answer(client, challenge, tpm.attest(attest.Authority("Our TPMs"), key_authorization, [attest.permanent(SERIAL)]))
    assert reply["status"] == "invalid" and reply["error"]["type"].endswith(":badAttestationStatement"), reply
