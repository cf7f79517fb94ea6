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

ACME_IDENTIFIER = "1.3.6.1.5.5.7.1.31"
LEGACY = "1.3.6.1.5.5.7.1.30.1"
PEM = serialization.Encoding.PEM


def proof(key_authorization, names, oid=ACME_IDENTIFIER, critical=True, days=1):
    """Certificate and key in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
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
    certificate = builder.sign(key, hashes.SHA256())
    private = key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return certificate.public_bytes(PEM), private


class AlpnServer:
    """Shows the last certificate that it was given. silent: takes connections and says nothing."""

    def __init__(self, port, address="127.0.0.1", protocols=("acme-tls/1",), silent=False, highest=None):
        self.folder = tempfile.TemporaryDirectory()
        self.names = []        # what SNI said
        self.data = b""        # what came after the handshake
        self.silent = silent
        self.protocols, self.highest = protocols, highest
        self.context = None
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.socket = socket.socket(family)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind((address, port))
        self.socket.listen(20)
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def show(self, certificate, key):
        path = pathlib.Path(self.folder.name) / "both.pem"
        path.write_bytes(certificate + key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if self.highest:
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = self.highest
            context.set_ciphers("DEFAULT@SECLEVEL=0")
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
