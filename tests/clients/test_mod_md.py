"""Apache's mod_md: a managed domain gets its certificate while the server runs."""

import contextlib
import os
import shutil
import subprocess
import tempfile
import time

import pytest

from harness import free_port
from judge import check_chain
from test_caddy import handshake

MODULES = "/usr/lib/apache2/modules"
CONFIG = """ServerRoot {folder}
DefaultRuntimeDir {folder}
PidFile {folder}/pid
ServerName apache.example.com
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule socache_shmcb_module {modules}/mod_socache_shmcb.so
LoadModule ssl_module {modules}/mod_ssl.so
LoadModule md_module {modules}/mod_md.so
{user}
ErrorLog {folder}/log
LogLevel warn md:debug
Listen 127.0.0.1:{http}
Listen 127.0.0.1:{https}
MDCertificateAuthority {directory}
MDCACertificateFile {folder}/root.pem
MDCertificateAgreement accepted
MDContactEmail apache@example.com
MDCAChallenges {challenge}
Protocols http/1.1 acme-tls/1
MDPortMap 80:{http} 443:{https}
MDStoreDir {folder}/md
MDRetryDelay 5s
MDomain apache.example.com www.apache.example.com
<VirtualHost *:{https}>
  ServerName apache.example.com
  ServerAlias www.apache.example.com
  SSLEngine on
</VirtualHost>
"""


def prepare(server, folder, https, challenge):
    """Children of a server that root starts run as www-data and must reach the folder."""
    as_root = os.getuid() == 0
    if as_root:
        for path in (folder, *folder.parents):
            if str(path).startswith(tempfile.gettempdir() + "/"):
                path.chmod(0o755)
    shutil.copyfile(server.root_pem, folder / "root.pem")
    (folder / "root.pem").chmod(0o644)
    config = folder / "httpd.conf"
    config.write_text(CONFIG.format(folder=folder, modules=MODULES, http=server.http01_port, https=https,
                                    user="User www-data\nGroup www-data" if as_root else "", directory=server.directory,
                                    challenge=challenge))
    return config


@pytest.mark.parametrize("challenge", ["http-01", "tls-alpn-01"])
def test_managed_domain(server, tmp_path, challenge):
    https = server.tls_alpn_port if challenge == "tls-alpn-01" else free_port()
    config = prepare(server, tmp_path, https, challenge)
    process = subprocess.Popen(["apache2", "-D", "FOREGROUND", "-f", str(config)], stdin=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 180
        staged = tmp_path / "md/staging/apache.example.com"
        while not list(staged.glob("pubcert*.pem")) and time.monotonic() < deadline:
            time.sleep(0.3)
        assert list(staged.glob("pubcert*.pem")), (tmp_path / "log").read_text()[-5000:]
        text = None # what is staged is taken up by a start after it is complete
        while text is None and time.monotonic() < deadline:
            time.sleep(1)
            subprocess.run(["apache2", "-f", str(config), "-k", "graceful"], check=True)
            with contextlib.suppress(OSError):
                text = handshake(https, "www.apache.example.com", server.root_pem)
        assert text, (tmp_path / "log").read_text()[-5000:]
    finally:
        process.terminate()
        process.wait(20)
    chain = next((tmp_path / "md/domains/apache.example.com").glob("pubcert*.pem")).read_text()
    check_chain(chain, server.root_pem, ["apache.example.com", "www.apache.example.com"])
