"""A client of the REST API that holds every reply to the server's own description of itself."""

import json
import re

import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

KINDS = {"string": str, "integer": int, "boolean": bool, "object": dict, "array": list, "null": type(None)}
RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


class Schema:
    """As much of JSON Schema as the description uses."""

    def __init__(self, document):
        self.document = document

    def resolve(self, schema):
        reference = schema.get("$ref")
        if not reference:
            return schema
        section, name = reference.split("/")[-2:]
        return self.resolve(self.document["components"][section][name])

    def check(self, schema, value, where="$"):
        schema = self.resolve(schema)
        kinds = [schema["type"]] if isinstance(schema.get("type"), str) else schema.get("type")
        if kinds:
            assert any(type(value) is KINDS[kind] for kind in kinds), f"{where} is none of {kinds}"
        assert "enum" not in schema or value in schema["enum"], where
        if isinstance(value, str):
            assert schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", 1 << 30), where
            assert re.search(schema.get("pattern", ""), value), where
            assert schema.get("format") != "date-time" or RFC3339.fullmatch(value), where
        if type(value) is int:
            assert schema.get("minimum", value) <= value <= schema.get("maximum", value), where
        if isinstance(value, list):
            assert len(value) <= schema.get("maxItems", 1 << 30), where
            for i, entry in enumerate(value):
                self.check(schema["items"], entry, f"{where}[{i}]")
        if isinstance(value, dict) and "properties" in schema:
            for name in schema["required"]:
                assert name in value, f"{where}.{name} is missing"
            for name, member in value.items():
                assert name in schema["properties"], f"{where}.{name} is not described"
                self.check(schema["properties"][name], member, f"{where}.{name}")

    def operation(self, method, path):
        """The operation and the captures of a path."""
        parts = path.split("/")
        fits = []
        for pattern, operations in self.document["paths"].items():
            pieces = pattern.split("/")
            if len(pieces) == len(parts) and all(a == b or (a.startswith("{") and b) for a, b in zip(pieces, parts)):
                fits.append((sum(p.startswith("{") for p in pieces), pattern))
        for _, pattern in sorted(fits):
            if method.lower() in self.document["paths"][pattern]:
                return self.document["paths"][pattern][method.lower()]
        return None


class Refused(Exception):
    def __init__(self, reply):
        self.reply, self.status, self.problem = reply, reply.status_code, reply.json()
        super().__init__(f"{self.status} {self.problem}")

    def fields(self):
        return {e.get("field"): e["detail"] for e in self.problem.get("errors", [])}


def refused(status, call, /, *args, **kwargs):
    """What a call is refused with, which has to be of that status."""
    try:
        call(*args, **kwargs)
    except Refused as why:
        assert why.status == status, why
        return why
    raise AssertionError(f"not refused: {args} {kwargs}")


class Api:
    def __init__(self, server, token=None, certificate=None):
        self.server, self.token = server, token
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = server.root_pem
        self.session.cert = certificate
        self.schema = Schema(self.raw("GET", "/api/v1/openapi.json", token=None).json())

    def raw(self, method, path, body=None, token="", headers=None, data=None, **kwargs):
        token = self.token if token == "" else token
        headers = dict(headers or {})
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if body is not None:
            data, headers["Content-Type"] = json.dumps(body), headers.get("Content-Type", "application/json")
        return self.session.request(method, self.server.url + path, headers=headers, data=data, timeout=60,
                                    allow_redirects=False, **kwargs)

    def check(self, method, path, reply):
        """That the reply is one that the description knows."""
        operation = self.schema.operation(method, path.split("?")[0])
        assert reply.headers["Cache-Control"] == "no-store"
        assert str(reply.status_code) in operation["responses"], (method, path, reply.status_code)
        response = self.schema.resolve(operation["responses"][str(reply.status_code)])
        for name in {"Location", "Retry-After", "WWW-Authenticate"} & set(reply.headers):
            assert name in response["headers"], (method, path, reply.status_code, name)
        if "content" not in response:
            assert reply.content == b""
            return
        (kind, content), = response["content"].items()
        assert reply.headers["Content-Type"] == kind, reply.text
        self.schema.check(content["schema"], reply.json() if kind.endswith("json") else reply.text)
        assert reply.status_code < 400 or reply.json()["status"] == reply.status_code

    def call(self, method, path, body=None, **kwargs):
        if not path.startswith("/"):
            path = "/api/v1/cert-manager/" + path
        reply = self.raw(method, path, body, **kwargs)
        self.check(method, path, reply)
        if reply.status_code >= 400:
            raise Refused(reply)
        return reply.json() if reply.headers.get("Content-Type") == "application/json" else reply.text

    def get(self, path, **query):
        return self.call("GET", path + ("?" + requests.compat.urlencode(query) if query else ""))

    def post(self, path, body=None):
        return self.call("POST", path, {} if body is None else body)

    def issue(self, *names, profile="tls-server", **more):
        return self.post("certificates", {"profileId": profile, "csr": csr(*names), **more})

    def everything(self, path="certificates", **query):
        """All pages of a search."""
        found, key = [], "requests" if path.endswith("requests") else "certificates"
        while True:
            page = self.get(path, **query)
            found += page[key]
            if "next" not in page:
                return found
            query["after"] = page["next"]


def make_token(server, *roles, **options):
    """The token and its id."""
    more = [word for name, value in options.items() for word in (f"--{name}", value)]
    made = json.loads(server.run("token", "create", "--json", "--role", ",".join(roles), *more, check=True).stdout)
    return made.get("token"), made["id"]


def new_key():
    return ec.generate_private_key(ec.SECP256R1())


def csr(*names, key=None, cn=None, organization=None):
    subject = ([x509.NameAttribute(NameOID.COMMON_NAME, cn)] if cn else []) + \
              ([x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization)] if organization else [])
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(subject))
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in names]), False)
    return builder.sign(key or new_key(), hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def load(pem):
    return x509.load_pem_x509_certificate(pem.encode())
