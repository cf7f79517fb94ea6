"""How the tests call other people's ACME clients: bounded in time, no configuration of the
machine's own, its trust store replaced for the length of the call where a client has no option."""

import os
import pathlib
import shutil
import subprocess

SHIM = pathlib.Path(__file__).with_name("trust_shim.c")


def shim(folder):
    """The preloaded library that stands the server's root in for the system's trust store."""
    library = pathlib.Path(folder) / "trust_shim.so"
    if not library.exists():
        subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", library, SHIM, "-ldl"], check=True)
    return str(library)


def run(server, *command, check=True, timeout=240, env=None, cwd=None, system_trust=False):
    """Runs a client that trusts the server's root through the usual variables; with system_trust, for a client
    that has no such variable, in place of the system's trust store."""
    assert shutil.which(command[0]), f"{command[0]} is not installed: make check installs it"
    command = [str(c) for c in command]
    if system_trust:
        env = {"LD_PRELOAD": shim(server.folder), "TEST_TRUST": server.root_pem, **(env or {})}
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
