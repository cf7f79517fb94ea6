"""An ACME client that does exactly what it is told, right or wrong. Keys and signatures come from
python3-cryptography; everything else is written out so that a test can bend any part of it."""

import base64
import hashlib
import hmac
import json
import time

import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils
from cryptography.x509.oid import NameOID

SIZES = {"ES256": (hashes.SHA256, 32, "P-256"), "ES384": (hashes.SHA384, 48, "P-384"), "ES512": (hashes.SHA512, 66, "P-521")}
CURVES = {"ES256": ec.SECP256R1, "ES384": ec.SECP384R1, "ES512": ec.SECP521R1}


def b64(data):
    return base64.urlsafe_b64encode(data if isinstance(data, bytes) else data.encode()).rstrip(b"=").decode()


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def number(value, size=None):
    return b64(value.to_bytes(size or (value.bit_length() + 7) // 8, "big"))


def make_key(alg="ES256"):
    if alg in CURVES:
        return ec.generate_private_key(CURVES[alg]())
    if alg == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate()
    return rsa.generate_private_key(65537, 2048)


def jwk(key):
    public = key.public_key()
    if isinstance(key, ec.EllipticCurvePrivateKey):
        size, name = {"secp256r1": (32, "P-256"), "secp384r1": (48, "P-384"), "secp521r1": (66, "P-521")}[key.curve.name]
        n = public.public_numbers()
        return {"crv": name, "kty": "EC", "x": number(n.x, size), "y": number(n.y, size)}
    if isinstance(key, ed25519.Ed25519PrivateKey):
        raw = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return {"crv": "Ed25519", "kty": "OKP", "x": b64(raw)}
    n = public.public_numbers()
    return {"e": number(n.e), "kty": "RSA", "n": number(n.n)}


def thumbprint(key):
    return b64(hashlib.sha256(json.dumps(jwk(key), sort_keys=True, separators=(",", ":")).encode()).digest())


def natural_alg(key):
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}[key.curve.name]
    return "EdDSA" if isinstance(key, ed25519.Ed25519PrivateKey) else "RS256"


def sign(key, alg, data):
    if alg in SIZES and isinstance(key, ec.EllipticCurvePrivateKey):
        digest, size, _ = SIZES[alg]
        r, s = utils.decode_dss_signature(key.sign(data, ec.ECDSA(digest())))
        size = (key.curve.key_size + 7) // 8
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")
    if alg == "EdDSA":
        return key.sign(data)
    if alg == "PS256":
        return key.sign(data, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
    if alg.startswith("HS"):
        return hmac.new(key, data, {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}[alg]).digest()
    return key.sign(data, padding.PKCS1v15(), hashes.SHA256())


def flattened(key, protected, payload, alg=None, signature=None):
    """payload: None is POST-as-GET, bytes are taken as they are, everything else becomes JSON."""
    text = b"" if payload is None else payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    head = b64(protected if isinstance(protected, bytes) else json.dumps(protected))
    body = b64(text)
    made = sign(key, alg or protected["alg"], f"{head}.{body}".encode()) if signature is None else signature
    return {"protected": head, "payload": body, "signature": b64(made)}


def make_csr(names, key=None, cn=None, extensions=(), subject=(), der=True):
    import ipaddress
    key = key or ec.generate_private_key(ec.SECP256R1())
    rdns = ([x509.NameAttribute(NameOID.COMMON_NAME, cn)] if cn else []) + list(subject)
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(rdns))
    general = [n if isinstance(n, x509.GeneralName) else x509.DNSName(n) for n in names]
    if general:
        builder = builder.add_extension(x509.SubjectAlternativeName(general), False)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    algorithm = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    csr = builder.sign(key, algorithm)
    return csr.public_bytes(serialization.Encoding.DER) if der else csr


class Refused(Exception):
    def __init__(self, reply):
        self.reply = reply
        super().__init__(f"{reply.status_code} {reply.text[:600]}")

    @property
    def type(self):
        return self.reply.json()["type"].rsplit(":", 1)[-1]


class Client:
    """One account key against one directory of one server."""

    def __init__(self, server, key=None, alg=None, directory=None):
        self.server = server
        self.session = requests.Session()
        self.session.verify = server.root_pem
        self.session.trust_env = False
        self.key = key or make_key(alg or "ES256")
        self.alg = alg or natural_alg(self.key)
        self.directory_url = directory or server.directory
        self.directory = self.session.get(self.directory_url).json()
        self.kid = None
        self.nonces = []

    def nonce(self):
        if self.nonces:
            return self.nonces.pop()
        return self.session.head(self.directory["newNonce"]).headers["Replay-Nonce"]

    def protected(self, url, **bend):
        head = {"alg": self.alg, "nonce": None, "url": url}
        head.update({"kid": self.kid} if self.kid else {"jwk": jwk(self.key)})
        head.update(bend)
        if head.get("nonce", "") is None:
            head["nonce"] = self.nonce()
        return {k: v for k, v in head.items() if v is not ...}

    def send(self, url, body, content_type="application/jose+json", method="POST", keep_nonce=True):
        data = body if isinstance(body, (bytes, str)) else json.dumps(body)
        reply = self.session.request(method, url, data=data, headers={"Content-Type": content_type}, timeout=120)
        if keep_nonce and "Replay-Nonce" in reply.headers:
            self.nonces.append(reply.headers["Replay-Nonce"])
        return reply

    def raw_post(self, url, payload=None, key=None, alg=None, **bend):
        """Signs and sends; returns the reply whatever it is. `...` as a value drops a member."""
        return self.send(url, flattened(key or self.key, self.protected(url, **({"alg": alg} if alg else {}), **bend), payload))

    def post(self, url, payload=None, **bend):
        reply = self.raw_post(url, payload, **bend)
        if reply.status_code == 400 and reply.json().get("type", "").endswith(":badNonce"):
            self.nonces.clear()
            reply = self.raw_post(url, payload, **bend)
        if reply.status_code >= 400:
            raise Refused(reply)
        return reply

    def register(self, **members):
        self.kid = None
        reply = self.post(self.directory["newAccount"], {"termsOfServiceAgreed": True, **members})
        self.kid = reply.headers["Location"]
        return reply

    def bind(self, made, **members):
        """Registers with an external account key, as `eab create --json` prints it."""
        head = {"alg": "HS256", "kid": made["kid"], "url": self.directory["newAccount"]}
        return self.register(externalAccountBinding=flattened(unb64(made["key"]), head, jwk(self.key)), **members)

    def order(self, names, **members):
        identifiers = [n if isinstance(n, dict) else {"type": "dns", "value": n} for n in names]
        reply = self.post(self.directory["newOrder"], {"identifiers": identifiers, **members})
        return reply.headers["Location"], reply.json()

    def key_authorization(self, token):
        return f"{token}.{thumbprint(self.key)}"

    def solve(self, order, web):
        """Answers the http-01 challenge of each pending authorization."""
        for url in order["authorizations"]:
            authorization = self.post(url).json()
            if authorization["status"] != "pending":
                continue
            challenge = next(c for c in authorization["challenges"] if c["type"] == "http-01")
            web.answers[challenge["token"]] = self.key_authorization(challenge["token"]).encode()
            self.post(challenge["url"], {})
            self.wait(url, ("valid", "invalid"))

    def wait(self, url, states, seconds=60):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            body = self.post(url).json()
            if body["status"] in states:
                return body
            time.sleep(0.05)
        raise AssertionError(f"{url} is still {body}")

    def finalize(self, order, csr):
        return self.post(order["finalize"], {"csr": b64(csr)})

    def issue(self, names, web, csr=None, **members):
        """A whole issuance; returns the chain's PEM and the certificate's URL."""
        url, order = self.order(names, **members)
        self.solve(order, web)
        dns = [n for n in names if not isinstance(n, dict)]
        self.finalize(order, csr or make_csr(dns))
        done = self.wait(url, ("valid", "invalid"))
        assert done["status"] == "valid", done
        return self.post(done["certificate"]).text, done["certificate"]
