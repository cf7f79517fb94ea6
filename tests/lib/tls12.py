"""The server's side of one TLS 1.2 handshake, written out (ECDHE-ECDSA-AES128-GCM-SHA256 on P-256): TLS libraries do not load
certificates that are as broken as some tests want them."""

import hashlib
import hmac
import os
import ssl
import struct

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

HANDSHAKE, CHANGE_CIPHER = 22, 20


def prf(secret, label, seed, size):
    seed, out, a = label + seed, b"", label + seed
    while len(out) < size:
        a = hmac.digest(secret, a, "sha256")
        out += hmac.digest(secret, a + seed, "sha256")
    return out[:size]


def sized(value, bytes_of_length):
    return len(value).to_bytes(bytes_of_length, "big") + value


def message(kind, body):
    return bytes([kind]) + sized(body, 3)


def read_record(connection):
    kind, _, size = struct.unpack("!BHH", read(connection, 5))
    return kind, read(connection, size)


def read(connection, size):
    data = b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            raise OSError("the connection ended")
        data += more
    return data


def send(connection, kind, data):
    connection.sendall(struct.pack("!BHH", kind, 0x0303, len(data)) + data)


def server_hello(random, protocol):
    alpn = struct.pack("!HH", 16, len(protocol) + 3) + sized(sized(protocol, 1), 2)
    extensions = b"\xff\x01\x00\x01\x00" + b"\x00\x0b\x00\x02\x01\x00" + alpn
    return message(2, b"\x03\x03" + random + b"\x00" + b"\xc0\x2b" + b"\x00" + sized(extensions, 2))


def key_exchange(key, share, randoms):
    point = share.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    parameters = b"\x03\x00\x17" + sized(point, 1)
    return message(12, parameters + b"\x04\x03" + sized(key.sign(randoms + parameters, ec.ECDSA(hashes.SHA256())), 2))


def shake(connection, pem, key_pem, protocol=b"acme-tls/1"):
    """Until both have said Finished; then waits for what the client says."""
    key = serialization.load_pem_private_key(key_pem, None)
    share = ec.generate_private_key(ec.SECP256R1())
    _, hello = read_record(connection)
    client_random, server_random = hello[6:38], os.urandom(32)
    flight = (server_hello(server_random, protocol) + message(11, sized(sized(ssl.PEM_cert_to_DER_cert(pem.decode()), 3), 3)) +
              key_exchange(key, share, client_random + server_random) + message(14, b""))
    send(connection, HANDSHAKE, flight)
    _, exchange = read_record(connection)
    if len(exchange) <= 5: # an alert
        raise OSError("the client ends it")
    point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), exchange[5:])
    master = prf(share.exchange(ec.ECDH(), point), b"master secret", client_random + server_random, 48)
    keys = prf(master, b"key expansion", server_random + client_random, 40)
    read_record(connection) # ChangeCipherSpec
    read_record(connection) # Finished: what it must say is known
    so_far = hello + flight + exchange
    so_far += message(20, prf(master, b"client finished", hashlib.sha256(so_far).digest(), 12))
    finished = message(20, prf(master, b"server finished", hashlib.sha256(so_far).digest(), 12))
    aad = bytes(8) + struct.pack("!BHH", HANDSHAKE, 0x0303, len(finished))
    send(connection, CHANGE_CIPHER, b"\x01")
    send(connection, HANDSHAKE, bytes(8) + AESGCM(keys[16:32]).encrypt(keys[36:40] + bytes(8), finished, aad))
    connection.recv(100)
