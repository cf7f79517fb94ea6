"""Caddy as a client: it must serve a site with a certificate that it got by itself."""

import contextlib
import os
import socket
import ssl
import subprocess
import time

import pytest

from harness import free_port
from judge import check_chain

CADDYFILE = """{{
	admin off
	http_port {http}
	https_port {https}
	storage file_system {folder}/storage
	skip_install_trust
	email caddy@example.com
	default_bind 127.0.0.1
}}
caddy.example.com {{
	tls {{
		issuer acme {{
			dir {directory}
			trusted_roots {root}
			{only}
			alt_http_port {http}
			alt_tlsalpn_port {https}
		}}
	}}
	respond "served"
}}
"""


def handshake(port, name, root):
    context = ssl.create_default_context(cafile=root)
    with socket.create_connection(("127.0.0.1", port), timeout=60) as plain:
        with context.wrap_socket(plain, server_hostname=name) as tls:
            return ssl.DER_cert_to_PEM_cert(tls.getpeercert(True))


@pytest.mark.parametrize("off", ["http", "tlsalpn"])
def test_site_gets_its_certificate(server, tmp_path, off):
    """By the challenge that is not off."""
    https = server.tls_alpn_port if off == "http" else free_port()
    config = tmp_path / "Caddyfile"
    config.write_text(CADDYFILE.format(http=server.http01_port, https=https, folder=tmp_path, directory=server.directory,
                                       root=server.root_pem, only=f"disable_{off}_challenge"))
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path)}
    with open(tmp_path / "log", "wb") as log:
        process = subprocess.Popen(["caddy", "run", "--adapter", "caddyfile", "--config", str(config)], env=environment,
                                   stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        deadline, text = time.monotonic() + 60, None
        while text is None and time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                text = handshake(https, "caddy.example.com", server.root_pem)
            time.sleep(0.2)
        assert text, (tmp_path / "log").read_text()[-4000:]
    finally:
        process.terminate()
        process.wait(20)
    chain = next((tmp_path / "storage").glob("**/caddy.example.com.crt")).read_text()
    check_chain(chain, server.root_pem, ["caddy.example.com"])
