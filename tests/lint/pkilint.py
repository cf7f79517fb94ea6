#!/usr/bin/env python3
"""Lints every kind of certificate, CRL and OCSP answer with pkilint (https://github.com/digicert/pkilint).

    python3 -m venv build/lint && build/lint/bin/pip install pkilint
    build/lint/bin/python tests/lint/pkilint.py [build/release/tests/unit]

The unit tests make what is linted. pkilint is in no Debian release, so `make check` does not
need this: the tests hold the same rules. Exits with 1 when there is a finding of NOTICE or above that
is not expected.
"""

import collections
import contextlib
import io
import json
import os
import pathlib
import subprocess
import sys
import tempfile

# This script has the name of the package, and its folder would be searched first.
sys.path = [p for p in sys.path if pathlib.Path(p or ".").resolve() != pathlib.Path(__file__).resolve().parent]
from cryptography.x509 import ocsp  # noqa: E402
from cryptography.hazmat.primitives.serialization import Encoding  # noqa: E402
from pkilint.bin import lint_crl, lint_ocsp_response, lint_pkix_cert, lint_pkix_signer_signee_cert_chain  # noqa: E402

MAKERS = ["test_ca_lint", "test_ca_crl", "test_ca_ocsp"]

WRONG = {"NOTICE", "WARNING", "ERROR", "FATAL"}
# RFC 5280, 4.2.1.6 leaves wildcards to others (RFC 9525, 6.3), and pkilint's profile of it has none.
# The test's device has every attribute of a subject, an e-mail address and a DC of its own among them, and its SAN is
# another matter: what may stand there together is for policies to say.
EXPECTED = {
    ("wildcard", "pkix.invalid_domain_name_syntax"),
    ("device", "pkix.name_domain_components_invalid_domain_name"),
    ("device", "pkix.subject_email_address_not_in_san"),
}


def findings(linter, *files, options=()):
    """(severity, code) of each finding of one linter."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        linter.main(["lint", *options, "-f", "JSON", "-s", "DEBUG", *map(str, files)])
    for result in json.loads(out.getvalue())["results"]:
        for finding in result["finding_descriptions"]:
            yield finding["severity"], finding["code"]


def issuer_of(path, folder):
    """The file of the certificate that signed this one, by the maker that begins its name."""
    if path.name.startswith("ca-"):
        return folder / (path.stem.rsplit("-", 1)[0] + "-root.pem")
    makers = [p.stem[len("ca-"):-len("-issuing")] for p in folder.glob("ca-*-issuing.pem")]
    maker = max((m for m in makers if path.name.startswith(m + "-")), key=len)
    return folder / f"ca-{maker}-issuing.pem"


def responder_of(path):
    """The certificate in an OCSP answer, in a file of its own."""
    certificate = ocsp.load_der_ocsp_response(path.read_bytes()).certificates[0]
    responder = path.with_suffix(".responder")
    responder.write_bytes(certificate.public_bytes(Encoding.PEM))
    return responder


def findings_of(path, folder):
    if path.suffix == ".crl":
        return [*findings(lint_crl, path, options=["-t", "CRL", "-p", "PKIX"])]
    if path.suffix == ".ocsp":
        return [*findings(lint_ocsp_response, path), *findings(lint_pkix_cert, responder_of(path))]
    return [*findings(lint_pkix_cert, path), *findings(lint_pkix_signer_signee_cert_chain, issuer_of(path, folder), path)]


def main():
    programs = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "build/release/tests/unit")
    counts, wrong = collections.Counter(), 0
    with tempfile.TemporaryDirectory() as name:
        for maker in MAKERS:
            subprocess.run([programs / maker], env={**os.environ, "ENROLLD_LINT_FOLDER": name}, check=True)
        folder = pathlib.Path(name)
        files = sorted(p for p in folder.iterdir() if p.suffix in (".pem", ".crl", ".ocsp"))
        for path in files:
            found = findings_of(path, folder)
            counts.update(found)
            for severity, code in found:
                if severity in WRONG and (path.stem.rsplit("-", 1)[1], code) not in EXPECTED:
                    wrong += 1
                    print(f"{path.name}: {severity} {code}")
    for (severity, code), n in sorted(counts.items()):
        print(f"{n:6} {severity} {code}")
    print(f"pkilint: {len(files)} certificates, CRLs and OCSP answers, {wrong} unexpected findings of NOTICE or above")
    return 1 if wrong or {p.suffix for p in files} != {".pem", ".crl", ".ocsp"} else 0


if __name__ == "__main__":
    sys.exit(main())
