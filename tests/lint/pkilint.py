#!/usr/bin/env python3
"""Lints every kind of certificate with pkilint (https://github.com/digicert/pkilint).

    python3 -m venv build/lint && build/lint/bin/pip install pkilint
    build/lint/bin/python tests/lint/pkilint.py [build/release/tests/unit/test_ca_lint]

The unit test makes the certificates. pkilint is in no Debian release, so `make check` does not
need this: tests/unit/test_ca_lint.c holds the same rules. Exits with 1 when there is a finding of
NOTICE or above that is not expected.
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
from pkilint.bin import lint_pkix_cert, lint_pkix_signer_signee_cert_chain  # noqa: E402

WRONG = {"NOTICE", "WARNING", "ERROR", "FATAL"}
# RFC 5280, 4.2.1.6 leaves wildcards to others (RFC 9525, 6.3), and pkilint's profile of it has none.
EXPECTED = {("wildcard", "pkix.invalid_domain_name_syntax")}


def findings(linter, *files):
    """(severity, code) of each finding of one linter."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        linter.main(["lint", "-f", "JSON", "-s", "DEBUG", *map(str, files)])
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


def main():
    program = sys.argv[1] if len(sys.argv) > 1 else "build/release/tests/unit/test_ca_lint"
    counts, wrong = collections.Counter(), 0
    with tempfile.TemporaryDirectory() as name:
        subprocess.run([program], env={**os.environ, "ENROLLD_LINT_FOLDER": name}, check=True)
        folder = pathlib.Path(name)
        files = sorted(folder.glob("*.pem"))
        for path in files:
            found = [*findings(lint_pkix_cert, path),
                     *findings(lint_pkix_signer_signee_cert_chain, issuer_of(path, folder), path)]
            counts.update(found)
            for severity, code in found:
                if severity in WRONG and (path.stem.rsplit("-", 1)[1], code) not in EXPECTED:
                    wrong += 1
                    print(f"{path.name}: {severity} {code}")
    for (severity, code), n in sorted(counts.items()):
        print(f"{n:6} {severity} {code}")
    print(f"pkilint: {len(files)} certificates, {wrong} unexpected findings of NOTICE or above")
    return 1 if wrong or not files else 0


if __name__ == "__main__":
    sys.exit(main())
