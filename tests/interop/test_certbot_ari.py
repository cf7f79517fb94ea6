"""certbot of a version that asks for renewal information (RFC 9773): `make interop` installs it beside the sources."""

import os
import pathlib
import subprocess

import pytest
from cryptography import x509

from harness import Server

CERTBOT = pathlib.Path(os.environ.get("INTEROP_CERTBOT", pathlib.Path(__file__).parents[2] / "build/interop/bin/certbot"))


@pytest.fixture(scope="module")
def server():
    with Server({"profiles": [{"name": "web"}, {"name": "mail", "validity": "30d"}]}) as running:
        yield running


def certbot(server, folder, *args):
    where = ["--config-dir", folder / "c", "--work-dir", folder / "w", "--logs-dir", folder / "l"]
    done = subprocess.run([CERTBOT, *args, *where, "--non-interactive"], capture_output=True, text=True, timeout=120,
                          env={"PATH": os.environ["PATH"], "REQUESTS_CA_BUNDLE": server.root_pem, "HOME": str(folder)})
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def certonly(server, folder, name, *more):
    return certbot(server, folder, "certonly", "--standalone", "--http-01-port", str(server.http01_port), "--server", server.directory,
                   "--agree-tos", "--register-unsafely-without-email", "-d", name, *more)


def leaf(folder, name):
    return x509.load_pem_x509_certificate((folder / f"c/live/{name}/cert.pem").read_bytes())


def test_renews_when_the_server_asks_for_it(server, tmp_path):
    certonly(server, tmp_path, "ari.example.com")
    first = leaf(tmp_path, "ari.example.com")
    server.run("renew-now", "--filter", "name=ari.example.com", check=True)
    certbot(server, tmp_path, "renew", "--no-random-sleep-on-renew")
    assert leaf(tmp_path, "ari.example.com").serial_number != first.serial_number


def test_waits_until_then(server, tmp_path):
    certonly(server, tmp_path, "waits.example.com")
    first = leaf(tmp_path, "waits.example.com")
    assert "not yet due" in certbot(server, tmp_path, "renew", "--no-random-sleep-on-renew")
    # It asks again after Retry-After, and not before (RFC 9773, 4.3.2).
    server.run("renew-now", "--filter", "name=waits.example.com", check=True)
    certbot(server, tmp_path, "renew", "--no-random-sleep-on-renew")
    assert leaf(tmp_path, "waits.example.com") == first


def test_revoked_is_renewed(server, tmp_path):
    certonly(server, tmp_path, "revoked.example.com")
    first = leaf(tmp_path, "revoked.example.com")
    server.run("cert", "revoke", f"{first.serial_number:x}", check=True)
    certbot(server, tmp_path, "renew", "--no-random-sleep-on-renew")
    assert leaf(tmp_path, "revoked.example.com").serial_number != first.serial_number


def test_profile(server, tmp_path):
    certonly(server, tmp_path, "profile.example.com", "--required-profile", "mail")
    certificate = leaf(tmp_path, "profile.example.com")
    assert (certificate.not_valid_after - certificate.not_valid_before).days == 29
