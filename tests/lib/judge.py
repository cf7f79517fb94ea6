"""Judges that nobody here wrote: openssl and GnuTLS say whether a certificate is right."""

import pathlib
import re
import subprocess
import tempfile

from cryptography import x509

PEM = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----\n?", re.S)


def pem_list(text):
    return PEM.findall(text if isinstance(text, str) else text.decode())


def leaf(text):
    return x509.load_pem_x509_certificate(pem_list(text)[0].encode())


def dns_names(text):
    names = leaf(text).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return sorted(names.get_values_for_type(x509.DNSName))


def check_chain(text, root, names=()):
    """openssl verify -x509_strict and certtool must both accept leaf and chain under the root alone."""
    chain = pem_list(text)
    with tempfile.TemporaryDirectory() as folder:
        first, rest, whole = (pathlib.Path(folder) / n for n in ("leaf", "rest", "whole"))
        first.write_text(chain[0])
        rest.write_text("".join(chain[1:]))
        whole.write_text("".join(chain))
        command = ["openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", root]
        if chain[1:]:
            command += ["-untrusted", str(rest)]
        for name in names:
            command += ["-verify_hostname", name]
        done = subprocess.run([*command, str(first)], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        done = subprocess.run(["certtool", "--verify", "--load-ca-certificate", root, "--infile", str(whole)],
                              capture_output=True, text=True)
        assert done.returncode == 0 and "Verified" in done.stdout, done.stdout + done.stderr
    if names:
        assert dns_names(text) == sorted(names)
    return leaf(text)
