"""docs/api.md: its commands run as they stand, and its table has every request that there is, with its role."""

import json
import os
import re
import subprocess

import pytest
import yaml

from harness import BINARY, ROOT, Server

PAGE = (ROOT / "docs" / "api.md").read_text()


def blocks(kind):
    return re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.M | re.S)


def test_each_command_works(tmp_path):
    config, = blocks("yaml")
    with Server(yaml.safe_load(config)) as server:
        tools = f'set -euo pipefail\nenrolld() {{ "{BINARY}" "$1" --config "{server.config}" "${{@:2}}"; }}\n'
        script = tools + "\n".join(f"echo '--- block {i}' >&2\n{text}" for i, text in enumerate(blocks("sh")))
        environment = {**os.environ, "SERVER": server.url, "ROOT": str(server.root_pem), "no_proxy": "*"}
        done = subprocess.run(["bash", "-c", script], cwd=tmp_path, env=environment, text=True, capture_output=True, timeout=120)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert "BEGIN PRIVATE KEY" in (tmp_path / "opened.pem").read_text() and "friendlyName: app" in (tmp_path / "opened.pem").read_text()
    assert "BEGIN ENCRYPTED PRIVATE KEY" in (tmp_path / "sealed.pem").read_text()
    assert "BEGIN PRIVATE KEY" in json.loads((tmp_path / "vault.json").read_text())["certificate"]["privateKey"]


def test_the_table_is_whole():
    listed = {}
    for requests, role in re.findall(r"^\| (`[A-Z]+ /.*?) \| (\w+) \|", PAGE, re.M):
        for method, path in re.findall(r"`([A-Z]+) (\S+)`", requests):
            listed[method, "/api/v1" + path] = role
    done = subprocess.run([BINARY, "routes", "--json"], text=True, capture_output=True, check=True)
    routes = {(r["method"], r["path"]): r["role"] for r in json.loads(done.stdout) if r["wing"] == "api"}
    assert listed == routes


@pytest.mark.parametrize("text", blocks("json"))
def test_examples_are_json(text):
    json.loads(text)
