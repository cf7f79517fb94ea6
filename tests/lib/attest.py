"""Attestation objects of each format that device-attest-01 takes, with authorities of our own: what a device's hardware and
its maker would do, in Python. Each part can be bent."""

import datetime
import hashlib
import struct

import cbor2
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

APPLE_SERIAL, APPLE_UDID, APPLE_FRESHNESS = (f"1.2.840.113635.100.8.{n}" for n in ("9.1", "9.2", "11.1"))
YUBICO_SERIAL = "1.3.6.1.4.1.41482.3.7"
ANDROID = "1.3.6.1.4.1.11129.2.1.17"
DAY = datetime.timedelta(days=1)


def der(tag, content):
    length = len(content)
    head = bytes([length]) if length < 0x80 else bytes([0x80 | (len(bytes_of(length)))]) + bytes_of(length)
    return (tag if isinstance(tag, bytes) else bytes([tag])) + head + content


def bytes_of(number):
    return number.to_bytes((number.bit_length() + 7) // 8 or 1, "big")


def oid_der(dotted):
    arcs = [int(a) for a in dotted.split(".")]
    out = b""
    for arc in [arcs[0] * 40 + arcs[1], *arcs[2:]]:
        part = bytes([arc & 0x7F])
        while arc := arc >> 7:
            part = bytes([0x80 | arc & 0x7F]) + part
        out += part
    return der(6, out)


def permanent(value, assigner=None):
    """RFC 4043"""
    return x509.OtherName(x509.ObjectIdentifier("1.3.6.1.5.5.7.8.3"),
                          der(0x30, der(0x0C, value.encode()) + (oid_der(assigner) if assigner else b"")))


def module(serial, kind):
    """RFC 4108, 5"""
    return x509.OtherName(x509.ObjectIdentifier("1.3.6.1.5.5.7.8.4"), der(0x30, oid_der(kind) + der(4, serial.encode())))


def make_key(curve=ec.SECP256R1):
    return ec.generate_private_key(curve())


def spki(key):
    return key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def opaque(oid, value):
    return x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), value)


class Authority:
    """A root, and an intermediate CA below it that certifies keys of devices."""

    def __init__(self, name):
        self.name, self.root_key, self.key = name, make_key(ec.SECP384R1), make_key()
        self.root = self.sign(self.root_key, f"{name} root", f"{name} root", self.root_key, self.constraints(1))
        self.intermediate = self.sign(self.key, f"{name} CA", f"{name} root", self.root_key, self.constraints(0))

    @staticmethod
    def constraints(length):
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        return [(x509.BasicConstraints(True, length), True), (usage, True)]

    def sign(self, key, subject, issuer, issuer_key, extensions, ends=None):
        now = datetime.datetime.utcnow()
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)] if subject else [])
        public = key.public_key() if hasattr(key, "public_key") else key
        builder = (x509.CertificateBuilder().subject_name(name).public_key(public)
                   .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
                   .serial_number(x509.random_serial_number()).not_valid_before((ends or now) - 2 * DAY)
                   .not_valid_after(ends or now + 30 * DAY))
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(issuer_key, hashes.SHA256())

    def certify(self, key, extensions=(), names=(), subject="device", ends=None):
        """The chain for x5c."""
        more = [(x509.BasicConstraints(False, None), True), *((e, False) for e in extensions)]
        if names:
            more.append((x509.SubjectAlternativeName(names), not subject))
        leaf = self.sign(key, subject, f"{self.name} CA", self.key, more, ends)
        return [c.public_bytes(serialization.Encoding.DER) for c in (leaf, self.intermediate)]

    def pem(self, path):
        path.write_bytes(self.root.public_bytes(serialization.Encoding.PEM))
        return str(path)


def wrap(fmt, statement, **more):
    return cbor2.dumps({"fmt": fmt, "attStmt": statement, **more})


def sign(key, data):
    return key.sign(data, ec.ECDSA(hashes.SHA256()))


# --- each: authority, key to attest, key authorization, names of the device; `ends` is the end of its certificate

def packed(authority, key, key_authorization, names, ends=None):
    return wrap("packed", {"alg": -7, "sig": sign(key, key_authorization.encode()),
                           "x5c": authority.certify(key, names=names, ends=ends)})


def step(authority, key, key_authorization, serial, ends=None):
    yubikey = opaque(YUBICO_SERIAL, der(2, b"\0" * (bytes_of(serial)[0] >> 7) + bytes_of(serial)))
    return wrap("step", {"alg": -7, "sig": cbor2.dumps(sign(key, key_authorization.encode())),
                         "x5c": authority.certify(key, [yubikey], ends=ends)})


def apple(authority, key, key_authorization, serial, udid="00008120-000A1B2C3D4E5F6G", ends=None):
    token = key_authorization.split(".")[0]
    told = {APPLE_SERIAL: serial.encode(), APPLE_UDID: udid.encode(), APPLE_FRESHNESS: hashlib.sha256(token.encode()).digest()}
    chain = authority.certify(key, [opaque(o, v) for o, v in told.items()], ends=ends)
    return wrap("apple", {"x5c": chain})


def tag(number, content):
    """[number] EXPLICIT, also above 30."""
    if number < 31:
        return der(0xA0 | number, content)
    return der(bytes([0xBF, 0x80 | number >> 7, number & 0x7F]), content)


def android(authority, key, key_authorization, serial, ends=None):
    hardware = (tag(1, der(0x31, der(2, b"\x02"))) + tag(702, der(2, b"\x00")) + tag(713, der(4, serial.encode())))
    description = der(0x30, der(2, b"\x01\x2c") + der(10, b"\x01") + der(2, b"\x01\x2c") + der(10, b"\x01") +
                      der(4, key_authorization.encode()) + der(4, b"") + der(0x30, b"") + der(0x30, hardware))
    return wrap("android-key", {"alg": -7, "sig": sign(key, key_authorization.encode()),
                                "x5c": authority.certify(key, [opaque(ANDROID, description)], ends=ends)})


def sized(data):
    return struct.pack(">H", len(data)) + data


def tpm_public(key, attributes=0x00040072):
    """TPMT_PUBLIC of a P-256 key that signs: fixedTPM, fixedParent, sensitiveDataOrigin, userWithAuth, sign."""
    n = key.public_key().public_numbers()
    return (struct.pack(">HHI", 0x0023, 0x000B, attributes) + sized(b"") + struct.pack(">HHHH", 0x0010, 0x0010, 0x0003, 0x0010) +
            sized(n.x.to_bytes(32, "big")) + sized(n.y.to_bytes(32, "big")))


def tpm_hardware():
    """What the certificate of an attestation key says of its TPM (TCG EK Credential Profile, 3.2.9)."""
    return x509.DirectoryName(x509.Name([x509.NameAttribute(x509.ObjectIdentifier(f"2.23.133.2.{i}"), text)
                                         for i, text in ((1, "id:00001014"), (2, "swtpm"), (3, "id:00010002"))]))


def ak_chain(authority, ak, names, ends=None):
    usage = x509.ExtendedKeyUsage([x509.ObjectIdentifier("2.23.133.8.3")])
    return authority.certify(ak, [usage], [tpm_hardware(), *names], subject=None, ends=ends)


def tpm(authority, key, key_authorization, names, ends=None, ak=None, public=None):
    ak, public = ak or make_key(), public or tpm_public(key)
    name = b"\x00\x0b" + hashlib.sha256(public).digest()
    extra = hashlib.sha256(key_authorization.encode()).digest()
    info = (struct.pack(">IH", 0xFF544347, 0x8017) + sized(b"\x00\x0b" + bytes(32)) + sized(extra) +
            struct.pack(">QIIBQ", 1, 0, 0, 1, 1) + sized(name) + sized(name))
    return wrap("tpm", {"ver": "2.0", "alg": -7, "x5c": ak_chain(authority, ak, names, ends), "sig": sign(ak, info), "certInfo": info,
                        "pubArea": public})
