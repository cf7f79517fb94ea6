"""docs/ca.md: each command that it shows works as it stands, block by block, on a CA as `enrolld init` makes it."""

import pathlib
import re
import shlex
import subprocess

import pytest

from harness import Server

PAGE = (pathlib.Path(__file__).parents[2] / "docs" / "ca.md").read_text()
INDENTED = re.compile(r"(?:^    .*\n)+", re.M)


def blocks():
    found = [[line[4:] for line in match.group().splitlines()] for match in INDENTED.finditer(PAGE)]
    return [lines for lines in found if any(line.startswith("enrolld ") for line in lines)]


def openssl(folder, *args):
    done = subprocess.run(["openssl", *args], cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def folder(tmp_path):
    """With what the page takes as given: a CA of another product, its root, and its files."""
    (tmp_path / "ca.cnf").write_text("basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n"
                                     "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n")
    make = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    openssl(tmp_path, "req", "-x509", *make, "-keyout", "root.key", "-out", "root.pem", "-subj", "/CN=Outside", "-days", "3650",
            "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    openssl(tmp_path, "req", *make, "-keyout", "corp.key", "-out", "other.csr", "-subj", "/CN=Corp")
    openssl(tmp_path, "x509", "-req", "-in", "other.csr", "-CA", "root.pem", "-CAkey", "root.key", "-extfile", "ca.cnf", "-days", "1000",
            "-out", "corp.pem")
    (tmp_path / "chain.pem").write_text((tmp_path / "root.pem").read_text())
    openssl(tmp_path, "pkcs12", "-export", "-in", "corp.pem", "-inkey", "corp.key", "-certfile", "chain.pem", "-passout", "pass:secret",
            "-out", "corp.p12")
    (tmp_path / "secret").write_text("secret\n")
    for name in ("root.key", "corp.key", "secret", "corp.p12"):
        (tmp_path / name).chmod(0o600)
    return tmp_path


def stories():
    """Lines of one block follow each other, but of imports each is another way to the same end."""
    for lines in blocks():
        commands = [line for line in lines if line.startswith(("enrolld ", "# outside: openssl x509"))]
        if all("ca import" in line for line in commands):
            yield from ([line] for line in commands)
        else:
            yield commands


@pytest.mark.parametrize("story", stories(), ids=lambda story: re.sub(r"\W+", " ", story[0])[:40])
def test_commands_work_as_they_stand(story, folder):
    (folder / "server").mkdir()
    server = Server(folder=folder / "server")
    try:
        for line in story:
            if line == "enrolld init":
                assert pathlib.Path(server.root_pem).exists() # the harness has run it
            elif line.startswith("#"):
                openssl(folder, "x509", "-req", "-in", "corp.csr", "-CA", "root.pem", "-CAkey", "root.key", "-extfile", "ca.cnf",
                        "-days", "1000", "-out", "corp.pem")
            else:
                done = server.run(*shlex.split(line, comments=True)[1:], cwd=folder)
                assert done.returncode == 0, (line, done.stderr)
    finally:
        server.close()


def test_all_commands_of_a_cas_life_are_shown():
    shown = {" ".join(shlex.split(line)[1:3]) for story in stories() for line in story if line.startswith("enrolld ca ")}
    assert shown == {f"ca {name}" for name in ("list", "show", "import", "csr", "install", "renew", "rekey", "rollover", "disable",
                                               "enable", "revoke", "crl")}
