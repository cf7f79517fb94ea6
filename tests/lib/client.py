"""How the tests call other people's ACME clients: bounded in time, no configuration of the
machine's own, its trust store replaced for the length of the call where a client has no option."""

import os
import pathlib
import shutil
import subprocess

SYSTEM_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"


def run(server, *command, check=True, timeout=90, env=None, cwd=None, system_trust=False):
    """Runs a client that trusts the server's root through the usual variables; with system_trust, in a mount
    namespace of its own where the root is the system's whole trust store."""
    assert shutil.which(command[0]), f"{command[0]} is not installed: make check installs it"
    command = [str(c) for c in command]
    if system_trust:
        inner = 'mount --bind "$0" "$1" && shift 1 && exec "$@"'
        command = ["unshare", "--map-root-user", "--mount", "sh", "-c", inner, server.root_pem, SYSTEM_BUNDLE, *command]
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(server.folder), "LANG": "C.UTF-8",
        "SSL_CERT_FILE": server.root_pem, "REQUESTS_CA_BUNDLE": server.root_pem, "CURL_CA_BUNDLE": server.root_pem,
        "LEGO_CA_CERTIFICATES": server.root_pem, **(env or {}),
    }
    done = subprocess.run(command, env=environment, cwd=cwd, stdin=subprocess.DEVNULL, text=True, timeout=timeout,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if check and done.returncode:
        raise AssertionError(f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}\n--- server\n{server.log_text()[-3000:]}")
    return done


def read(*parts):
    return pathlib.Path(*parts).read_text()


def revoked(server, pem):
    """Whether the server's own list says that this certificate is revoked."""
    import json
    from judge import leaf
    serial = format(leaf(pem).serial_number, "x")
    shown = server.run("cert", "show", serial if len(serial) % 2 == 0 else "0" + serial, "--json", check=True)
    return json.loads(shown.stdout)["status"] == "revoked"
