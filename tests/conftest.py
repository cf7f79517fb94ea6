"""Fixtures for whole-server tests."""

import sys
import pathlib

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent / "lib"))

from harness import ChallengeServer, Server  # noqa: E402


@pytest.fixture(scope="module")
def server():
    """A server that a whole file shares."""
    with Server() as running:
        yield running


@pytest.fixture
def web(server):
    """A web server on the port that the shared server's http-01 probes ask."""
    with ChallengeServer(server.http01_port) as running:
        yield running
