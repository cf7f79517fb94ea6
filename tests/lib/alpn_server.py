"""A TLS server that answers tls-alpn-01 (RFC 8737) as it is told, right or wrong."""

import contextlib
import datetime
import hashlib
import ipaddress
import pathlib
import socket
import ssl
import tempfile
import threading

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

import tls12

ACME_IDENTIFIER = "1.3.6.1.5.5.7.1.31"
LEGACY = "1.3.6.1.5.5.7.1.30.1"
PEM = serialization.Encoding.PEM


SUBJECT_ALT_NAME = "2.5.29.17"
STAND_IN = {SUBJECT_ALT_NAME: "2.5.29.117", ACME_IDENTIFIER: "1.3.6.1.5.5.7.1.117"} # as long as what they stand for


def der_length(n):
    return bytes([n]) if n < 128 else bytes([0x81, n]) if n < 256 else bytes([0x82]) + n.to_bytes(2, "big")


def der(tag, value):
    return bytes([tag]) + der_length(len(value)) + value


def oid_der(oid):
    arcs = [int(x) for x in oid.split(".")]
    assert all(a < 128 for a in arcs)
    return der(6, bytes([arcs[0] * 40 + arcs[1], *arcs[2:]]))


def with_true_oids(certificate, key):
    """No library makes certificates that have an extension twice: the second one's OID is put in, and what it is then is
    signed anew."""
    tbs = certificate.tbs_certificate_bytes
    for true, stand_in in STAND_IN.items():
        tbs = tbs.replace(oid_der(stand_in), oid_der(true))
    signature = key.sign(tbs, ec.ECDSA(hashes.SHA256()))
    algorithm = der(0x30, bytes.fromhex("06082a8648ce3d040302")) # ecdsa-with-SHA256
    return der(0x30, tbs + algorithm + der(3, b"\0" + signature))


def proof(key_authorization, names, oid=ACME_IDENTIFIER, critical=True, days=1, more_names=(), again=None, key=None):
    """Certificate and key in PEM. more_names: in a second subjectAltName; again: what a second acmeIdentifier is of."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "challenge")])
    now = datetime.datetime.utcnow()
    builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
               .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=3))
               .not_valid_after(now + datetime.timedelta(days=days)))
    general = [x509.IPAddress(n) if isinstance(n, (ipaddress.IPv4Address, ipaddress.IPv6Address)) else x509.DNSName(n) for n in names]
    builder = builder.add_extension(x509.SubjectAlternativeName(general), False)
    if oid:
        digest = b"\x04\x20" + hashlib.sha256(key_authorization.encode()).digest()
        builder = builder.add_extension(x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), digest), critical)
    if more_names:
        value = x509.SubjectAlternativeName([x509.DNSName(n) for n in more_names]).public_bytes()
        builder = builder.add_extension(x509.UnrecognizedExtension(x509.ObjectIdentifier(STAND_IN[SUBJECT_ALT_NAME]), value), False)
    if again:
        digest = b"\x04\x20" + hashlib.sha256(again.encode()).digest()
        builder = builder.add_extension(x509.UnrecognizedExtension(x509.ObjectIdentifier(STAND_IN[ACME_IDENTIFIER]), digest), True)
    certificate = builder.sign(key, hashes.SHA256())
    private = key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    if more_names or again:
        return ssl.DER_cert_to_PEM_cert(with_true_oids(certificate, key)).encode(), private
    return certificate.public_bytes(PEM), private


class AlpnServer:
    """Shows the last certificate that it was given. silent: takes connections and says nothing."""

    def __init__(self, port, address="127.0.0.1", protocols=("acme-tls/1",), silent=False, highest=None):
        self.folder = tempfile.TemporaryDirectory()
        self.names = []        # what SNI said
        self.data = b""        # what came after the handshake
        self.silent = silent
        self.protocols, self.highest = protocols, highest
        self.context = self.plain = None
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.socket = socket.socket(family)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind((address, port))
        self.socket.listen(20)
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def show_as_it_is(self, certificate, key):
        """What no TLS library loads."""
        self.plain = certificate, key

    def show(self, certificate, key, *more):
        """More: a certificate and a key of another kind, for clients that prefer it."""
        path = pathlib.Path(self.folder.name) / "both.pem"
        path.write_bytes(certificate + key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if self.highest:
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = self.highest
            context.set_ciphers("DEFAULT@SECLEVEL=0")
        context.load_cert_chain(path)
        if more:
            context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE # which web servers do not set
            path.write_bytes(b"".join(more))
            context.load_cert_chain(path)
        if self.protocols:
            context.set_alpn_protocols(list(self.protocols))
        context.sni_callback = lambda _socket, name, _context: self.names.append(name)
        self.context = context

    def serve(self, connection):
        connection.settimeout(10)
        with contextlib.suppress(OSError, ssl.SSLError), connection:
            if self.silent:
                connection.recv(65536)
                connection.recv(65536)
            elif self.plain:
                tls12.shake(connection, *self.plain)
            else:
                with self.context.wrap_socket(connection, server_side=True) as tls:
                    self.data += tls.recv(100)

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.socket.accept()
                threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.folder.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
