"""acmetool, as Debian ships it."""

from client import read, run
from judge import check_chain


def test_want(server, tmp_path):
    state = tmp_path / "state"
    (state / "conf").mkdir(parents=True)
    (state / "conf/target").write_text(
        f"request:\n  provider: {server.directory}\n  key:\n    type: ecdsa\n  challenge:\n"
        f"    http-ports:\n      - 127.0.0.1:{server.http01_port}\n    http-self-test: false\n")
    (state / "conf/responses").write_text('"acme-enter-email": "tool@example.com"\n"acme-agreement:": true\n')

    def acmetool(*args):
        return run(server, "acmetool", "--batch", f"--state={state}", f"--hooks={tmp_path}/hooks", "--xlog.severity=debug", *args)

    acmetool("want", "acmetool.example.com", "acmetool2.example.com")
    path = state / "live/acmetool.example.com/fullchain"
    text = read(path)
    check_chain(text, server.root_pem, ["acmetool.example.com", "acmetool2.example.com"])
    # This version only marks its own state and sends no request: docs/clients.md.
    acmetool("revoke", path.resolve().parent.name)
    acmetool("reconcile")
    assert (path.resolve().parent / "revoke").exists() and "revoke-cert" not in server.log_text()
