"""`make run`: the lines that it prints do what they say when they are pasted, and a second start
finds the CA again."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

import pytest

from harness import BINARY, ROOT, free_port


class Run:
    def __init__(self, folder, port, plain_port, http01_port):
        self.folder, self.output = folder, folder.parent / "output"
        with open(self.output, "wb") as out:
            self.process = subprocess.Popen([ROOT / "tools/run.sh", BINARY], stdin=subprocess.DEVNULL, stdout=out, stderr=out, env={
                **os.environ, "ENROLLD_VAR": str(folder), "ENROLLD_PORT": str(port), "ENROLLD_PLAIN_PORT": str(plain_port),
                "ENROLLD_HTTP01_PORT": str(http01_port)})
        deadline = time.monotonic() + 60
        while "event=ready" not in self.text():
            assert self.process.poll() is None and time.monotonic() < deadline, self.text()
            time.sleep(0.02)

    def text(self):
        return self.output.read_text()

    def lines(self):
        """The indented lines, by their program."""
        pasted = re.findall(r"^  (\S.*)$", self.text(), re.MULTILINE)
        return {"api" if "/api/v1/" in line else re.search(r"(certbot|lego|openssl|curl|enrolld) ", line).group(1): line for line in pasted}

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(20) == 0


@pytest.fixture(scope="module")
def ports():
    return free_port(), free_port(), free_port()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("run") / "var"


@pytest.fixture
def run(folder, ports):
    running = Run(folder, *ports)
    yield running
    running.end()


def paste(line, cwd):
    done = subprocess.run(["sh", "-c", line], cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=90)
    assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def check_status(made, folder, scratch):
    """Its list is where it says."""
    path = scratch / "made.pem"
    path.write_text(made["certificate"] + made["issuingCaCertificate"])
    for _ in range(50):
        done = subprocess.run(["openssl", "verify", "-crl_check", "-crl_download", "-CAfile", folder / "data/ca/root.pem", "-untrusted",
                               path, path], capture_output=True, text=True, timeout=60)
        if done.returncode == 0:
            return
        time.sleep(0.2)
    raise AssertionError(done.stderr)


@pytest.mark.parametrize("program", ["certbot", "lego", "openssl", "api", "curl", "enrolld"])
def test_printed_line_works_when_pasted(run, program, tmp_path):
    assert shutil.which(program) or program in ("enrolld", "api"), f"{program} is not installed: make check installs it"
    shown = paste(run.lines()[program], tmp_path)
    if program == "certbot":
        assert (run.folder / "certbot/live/demo.localhost/fullchain.pem").is_file()
    elif program == "lego":
        assert (run.folder / "lego/certificates/demo.localhost.crt").is_file()
    elif program == "openssl":
        assert "DNS:device.localhost" in paste(f"openssl x509 -in {run.folder}/device.pem -noout -ext subjectAltName", tmp_path)
    elif program == "api":
        made = json.loads(shown)["certificate"]
        assert "PRIVATE KEY" in made["privateKey"]
        check_status(made, run.folder, tmp_path)
    elif program == "curl":
        assert "newOrder" in shown
    else:
        assert "dns:demo.localhost" in shown


def test_second_start_finds_the_ca_again(tmp_path, ports):
    folder = tmp_path / "var"
    first = Run(folder, *ports)
    first.end()
    assert "made " in first.text()
    root = folder / "data/ca/root.pem"
    before = root.read_bytes()
    config = (folder / "enrolld.yaml").read_bytes()
    second = Run(folder, *ports)
    second.end()
    assert root.read_bytes() == before and (folder / "enrolld.yaml").read_bytes() == config
    assert "made " not in second.text()


def test_nothing_of_it_is_for_others(run, folder):
    for path in [folder, *folder.rglob("*")]:
        if path.name in ("certbot", "lego", "device.pem") or {"certbot", "lego"} & set(path.relative_to(folder).parts):
            continue
        others = path.stat().st_mode & 0o077
        assert others == 0 or path.suffix == ".pem" and path.parent.name == "ca", path
