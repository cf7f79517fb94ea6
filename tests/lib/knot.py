"""Knot DNS, as Debian ships it: an authoritative server with zones that it signs, and that take updates
(RFC 2136) from who has the key. One process, on a port of loopback, in a folder of its own."""

import base64
import pathlib
import secrets
import socket
import subprocess
import tempfile
import time

from harness import free_port

SECRET = base64.b64encode(secrets.token_bytes(32)).decode()
KEY = "update-key"
ZONE = """$TTL 60
@ SOA ns.{zone}. hostmaster.{zone}. 1 3600 600 86400 60
@ NS ns
ns A 127.0.0.1
{records}
"""
CONFIG = """server:
  listen: [127.0.0.1@{port}]
  rundir: {folder}
  udp-max-payload: 1220
log:
- target: {folder}/log
  any: info
database:
  storage: {folder}/db
key:
- id: {key}
  algorithm: hmac-sha256
  secret: {secret}
acl:
- id: updates
  key: {key}
  action: update
policy:
- id: test
  algorithm: ecdsap256sha256
  single-type-signing: on
  nsec3: {nsec3}
  nsec3-iterations: {iterations}
template:
- id: default
  storage: {folder}
  file: "%s.zone"
  acl: updates
  zonefile-load: difference
  journal-content: all
zone:
"""


class Knot:
    """zones: name -> records in master form. signed: those of them with DNSSEC."""

    def __init__(self, zones, signed=(), nsec3=False, iterations=0):
        self.temporary = tempfile.TemporaryDirectory(prefix="enrolld-knot-")
        self.folder = pathlib.Path(self.temporary.name)
        self.port = free_port(socket.SOCK_DGRAM)
        self.signed = signed
        (self.folder / "db").mkdir()
        text = CONFIG.format(port=self.port, folder=self.folder, key=KEY, secret=SECRET, nsec3="on" if nsec3 else "off",
                             iterations=iterations)
        for name, records in zones.items():
            (self.folder / f"{name}.zone").write_text(f"$ORIGIN {name}.\n" + ZONE.format(zone=name, records=records))
            text += f"- domain: {name}\n"
            if name in signed:
                text += "  dnssec-signing: on\n  dnssec-policy: test\n"
        self.config = self.folder / "knot.conf"
        self.config.write_text(text)
        with open(self.folder / "out", "wb") as out:
            self.process = subprocess.Popen(["/usr/sbin/knotd", "-c", str(self.config)], stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        self.wait()

    def wait(self):
        import dns.exception
        import dns.message
        import dns.query
        deadline = time.monotonic() + 60
        for name in [z.stem for z in self.folder.glob("*.zone")]:
            while True:
                assert self.process.poll() is None and time.monotonic() < deadline, self.said()
                try:
                    kind = "DNSKEY" if name in self.signed else "SOA"
                    answer = dns.query.udp(dns.message.make_query(name, kind), "127.0.0.1", port=self.port, timeout=1)
                    if answer.answer:
                        break
                except (dns.exception.DNSException, OSError):
                    pass
                time.sleep(0.05)

    def said(self):
        return "".join(p.read_text() for p in (self.folder / "out", self.folder / "log") if p.exists())

    def ds(self, zone):
        """The DS record that a parent, or a trust anchor, would have."""
        out = subprocess.run(["/usr/sbin/keymgr", "-c", str(self.config), zone, "ds"], check=True, text=True, capture_output=True).stdout
        fields = out.splitlines()[0].split()
        return f"{zone}. IN DS " + " ".join(fields[fields.index("DS") + 1:])

    def update(self, zone, name, *texts):
        """Replaces the TXT records of a name."""
        import dns.query
        import dns.tsigkeyring
        import dns.update
        update = dns.update.Update(zone, keyring=dns.tsigkeyring.from_text({KEY: SECRET}), keyalgorithm="hmac-sha256")
        update.delete(name + ".", "TXT")
        for text in texts:
            update.add(name + ".", 60, "TXT", text)
        answer = dns.query.tcp(update, "127.0.0.1", port=self.port, timeout=5)
        assert answer.rcode() == 0, answer

    @property
    def resolver(self):
        return f"127.0.0.1@{self.port}"

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
        self.temporary.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
