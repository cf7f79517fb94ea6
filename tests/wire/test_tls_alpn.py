"""tls-alpn-01 (RFC 8737) and IP identifiers in it (RFC 8738, 6), against peers right and wrong."""

import contextlib
import ipaddress
import ssl
import subprocess
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from acme_raw import Client, thumbprint
from alpn_server import LEGACY, AlpnServer, proof
from harness import Server


@pytest.fixture
def client(server):
    made = Client(server)
    made.register()
    return made


def begin(client, name, kind="dns"):
    """The challenge of a new order for name, with its authorization's URL and the key authorization."""
    _, order = client.order([{"type": kind, "value": name}] if kind == "ip" else [name])
    url = order["authorizations"][0]
    challenge = next(c for c in client.post(url).json()["challenges"] if c["type"] == "tls-alpn-01")
    return url, challenge, f"{challenge['token']}.{thumbprint(client.key)}"


def answer(client, url, challenge):
    client.post(challenge["url"], {})
    body = client.wait(url, ("valid", "invalid"))
    return body["status"], next(c for c in body["challenges"] if c["type"] == "tls-alpn-01").get("error")


def test_proof(server, client):
    with AlpnServer(server.tls_alpn_port) as peer:
        url, challenge, text = begin(client, "alpn.example.com")
        peer.show(*proof(text, ["alpn.example.com"]))
        assert answer(client, url, challenge) == ("valid", None)
        assert peer.names == ["alpn.example.com"]
        time.sleep(0.1)
        assert peer.data == b"", "nothing is said after the handshake (RFC 8737, 3)"


@pytest.mark.parametrize("address,name", [
    ("127.0.0.1", "1.0.0.127.in-addr.arpa"),
    ("::1", "1." + "0." * 31 + "ip6.arpa"),
])
def test_ip_identifier_has_the_reverse_name_8738_6(server, client, address, name):
    with AlpnServer(server.tls_alpn_port, address=address) as peer:
        url, challenge, text = begin(client, address, "ip")
        peer.show(*proof(text, [ipaddress.ip_address(address)]))
        assert answer(client, url, challenge) == ("valid", None)
        assert peer.names == [name]


def test_a_wildcard_cannot_be_proven_so(client):
    _, order = client.order(["*.alpn.example.com"])
    kinds = {c["type"] for c in client.post(order["authorizations"][0]).json()["challenges"]}
    assert "tls-alpn-01" not in kinds


# What a peer does, the kind of the problem, and a word of its text.
WRONG = {
    "TLS 1.1": (dict(highest=ssl.TLSVersion.TLSv1_1), dict(), "tls", "acme-tls/1"),
    "no ALPN": (dict(protocols=()), dict(), "tls", "acme-tls/1"),
    "other protocol": (dict(protocols=("h2", "http/1.1")), dict(), "tls", "acme-tls/1"),
    "two names": (dict(), dict(names=["wrong.example.com", "more.example.com"]), "incorrectResponse", "2 names"),
    "two subjectAltNames": (dict(), dict(more_names=["wrong.example.com"]), "tls", "an extension twice"),
    "two subjectAltNames, the second another": (dict(), dict(more_names=["more.example.com"]), "tls", "an extension twice"),
    "two identifiers": (dict(), dict(again="TEXT"), "incorrectResponse", "several acmeIdentifier"),
    "two identifiers, the second another": (dict(), dict(again="else"), "incorrectResponse", "several acmeIdentifier"),
    "another name": (dict(), dict(names=["more.example.com"]), "incorrectResponse", "another name"),
    "not critical": (dict(), dict(critical=False), "incorrectResponse", "not critical"),
    "legacy OID": (dict(), dict(oid=LEGACY), "incorrectResponse", LEGACY),
    "no identifier": (dict(), dict(oid=None), "incorrectResponse", "acmeIdentifier"),
}


def test_peer_that_is_written_out(server, client):
    """So that the two of everything below are refused for what they are, and not for how they are shown."""
    with AlpnServer(server.tls_alpn_port) as peer:
        url, challenge, text = begin(client, "plain.example.com")
        peer.show_as_it_is(*proof(text, ["plain.example.com"]))
        assert answer(client, url, challenge) == ("valid", None)


def test_dates_of_a_proof_say_nothing(server, client):
    """As pebble-challtestsrv and Boulder's load generator show it: RFC 8737, 3 lists what is looked at, and no dates."""
    with AlpnServer(server.tls_alpn_port) as peer:
        url, challenge, text = begin(client, "ended.example.com")
        peer.show(*proof(text, ["ended.example.com"], days=-1))
        assert answer(client, url, challenge) == ("valid", None)


def test_proof_of_a_server_with_several_keys(server, client):
    """mod_md with `MDPrivateKeys secp384r1 rsa`: it shows its proof in the place of the RSA certificate, and the site's own EC one
    to who likes that better."""
    with AlpnServer(server.tls_alpn_port) as peer:
        url, challenge, text = begin(client, "keys.example.com")
        with_rsa = proof(text, ["keys.example.com"], key=rsa.generate_private_key(65537, 2048))
        peer.show(*with_rsa, *proof(text, ["keys.example.com", "www.keys.example.com"], oid=None))
        assert answer(client, url, challenge) == ("valid", None)


def is_twice(pem):
    """What is shown is what the case says, and its signature is good: nothing else is wrong with it."""
    text = subprocess.run(["openssl", "x509", "-noout", "-text"], input=pem, capture_output=True, check=True).stdout.decode()
    assert max(text.count("X509v3 Subject Alternative Name"), text.count("1.3.6.1.5.5.7.1.31")) == 2 or "DNS:wrong.example.com, DNS:" in text
    certificate = x509.load_pem_x509_certificate(pem)
    certificate.public_key().verify(certificate.signature, certificate.tbs_certificate_bytes, ec.ECDSA(hashes.SHA256()))


def speaks_tls_1_1(port):
    """So that it is the version that is refused, and not a peer that cannot speak at all."""
    done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-tls1_1", "-alpn", "acme-tls/1",
                           "-cipher", "DEFAULT@SECLEVEL=0"], input=b"", capture_output=True, timeout=60)
    assert b"ALPN protocol: acme-tls/1" in done.stdout and b"TLSv1.1" in done.stdout, done.stdout.decode() + done.stderr.decode()


@pytest.mark.parametrize("case", WRONG)
def test_peer_that_is_wrong(server, client, case):
    how, made, kind, text = WRONG[case]
    with AlpnServer(server.tls_alpn_port, **how) as peer:
        url, challenge, key_authorization = begin(client, "wrong.example.com")
        made = {k: key_authorization if v == "TEXT" else v for k, v in made.items()}
        certificate, key = proof(key_authorization, **{"names": ["wrong.example.com"], **made})
        (peer.show_as_it_is if case.startswith("two ") else peer.show)(certificate, key)
        if case.startswith("two "):
            is_twice(certificate)
        if case == "TLS 1.1":
            speaks_tls_1_1(peer.port)
        status, error = answer(client, url, challenge)
    assert status == "invalid" and error["type"].endswith(":" + kind), error
    assert "wrong.example.com" in error["detail"] and "127.0.0.1" in error["detail"] and text in error["detail"]


def test_tls_11_is_refused_where_the_system_allows_it(tmp_path):
    """RFC 8737, 4. Debian's own openssl.cnf would refuse it too: here another one does not."""
    (tmp_path / "openssl.cnf").write_text("openssl_conf = all\n[all]\nssl_conf = tls\n[tls]\nsystem_default = loose\n"
                                          "[loose]\nMinProtocol = TLSv1\nCipherString = DEFAULT@SECLEVEL=0\n")
    server = Server()
    server.start(env={"OPENSSL_CONF": str(tmp_path / "openssl.cnf")})
    with contextlib.closing(server), AlpnServer(server.tls_alpn_port, highest=ssl.TLSVersion.TLSv1_1) as peer:
        client = Client(server)
        client.register()
        url, challenge, text = begin(client, "old.example.com")
        peer.show(*proof(text, ["old.example.com"]))
        speaks_tls_1_1(peer.port)
        status, error = answer(client, url, challenge)
    assert status == "invalid" and error["type"].endswith(":tls"), error


def test_proof_of_another_account(server, client):
    other = Client(server)
    other.register()
    with AlpnServer(server.tls_alpn_port) as peer:
        url, challenge, _ = begin(client, "foreign.example.com")
        peer.show(*proof(f"{challenge['token']}.{thumbprint(other.key)}", ["foreign.example.com"]))
        status, error = answer(client, url, challenge)
    assert status == "invalid" and "key authorization" in error["detail"]


def test_slow_peer_is_given_up(server, client):
    with AlpnServer(server.tls_alpn_port, silent=True):
        url, challenge, _ = begin(client, "slow.example.com")
        began = time.monotonic()
        status, error = answer(client, url, challenge)
    assert status == "invalid" and "in time" in error["detail"] and time.monotonic() - began < 8


def test_huge_chain_is_not_read(server, client):
    with AlpnServer(server.tls_alpn_port) as peer:
        url, challenge, text = begin(client, "chain.example.com")
        certificate, key = proof(text, ["chain.example.com"])
        peer.show(certificate * 200, key)
        status, error = answer(client, url, challenge)
    assert status == "invalid" and "too large" in error["detail"]


def test_nobody_there(server, client):
    url, challenge, _ = begin(client, "nobody.example.com")
    status, error = answer(client, url, challenge)
    assert status == "invalid" and error["type"].endswith(":connection") and "refused" in error["detail"]
