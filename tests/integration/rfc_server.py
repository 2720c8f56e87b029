"""The server that the tests of the RFCs ask: one meshdnsd with a static mesh, and packets as bytes."""
import os
import socket
import unittest

import dns.flags
import dns.name
import dns.rdatatype

from mesh import BIN, WAIT, Bed, ask
from packets import parsed, query

CONFIG = """\
cluster: eu-1
roles: [dns]
zones: [{{name: mesh.internal, ns: [{{name: ns1.mesh.internal, addresses: [10.0.9.1]}}], contact: ops.example.net}}]
dns:
  workers: "2"
  listen: [{{address: "127.0.0.1:0"}}]
  trusted_forwarders: [{{prefix: 127.0.0.1/32, granularity: cluster}}]
  explain_allow: [127.0.0.1/32]
  endpoints_file: mesh.yaml
  static_records:
{records}
admin: {{listen: "127.0.0.1:0", socket: {folder}/meshdnsd.sock}}
"""
LINKS = 4
LONG = ".".join(letter * 60 for letter in "abc")
RECORDS = [
    "www 60 CNAME api", "alias 60 CNAME www", "away 60 CNAME example.org.", "broken 60 CNAME nowhere",
    "loop-a 60 CNAME loop-b", "loop-b 60 CNAME loop-a",
    "info 30 TXT hello", "deep.er.tree 60 TXT x", "*.wild 60 TXT any", "host.wild 60 A 10.9.9.1",
    "odd 60 TYPE65400 \\\\# 4 0a000001", "mail 60 MX 10 ns1", "two 60 A 10.9.9.2", "two 30 A 10.9.9.3",
    "chain0 60 CNAME " + LONG + ".chain1",
    *(f"{LONG}.chain{n} 60 CNAME {LONG}.chain{n + 1}" for n in range(1, LINKS)),
    *(f"big 60 TXT {number:02}{'x' * 200}" for number in range(20)),
]
SIZE = 300  # endpoints of the large service
EIGHT = 8  # endpoints whose SRV records and addresses fit into 1,232 bytes, but not into 512


def node(name, cluster, locality, service, addresses, state="serving"):
    endpoints = "".join(
        f"      - {{service: {service}, namespace: shop, labels: {{app: {service}}}, address: {address},\n"
        f"         state: {state}, ports: [{{name: http, number: 8080}}]}}\n" for address in addresses)
    return f"  - name: {name}\n    cluster: {cluster}\n    locality: {locality}\n    endpoints:\n{endpoints}"


def virtual_destination(name, policy="{}", app=None):
    return f"""\
  - apiVersion: meshdns.io/v1alpha1
    kind: VirtualDestination
    metadata: {{name: {name}, namespace: shop}}
    spec:
      hosts: [{name}.mesh.internal]
      services: [{{matchLabels: {{app: {app or name}}}}}]
      ports: [{{name: http, number: 80, targetPort: http}}]
      policy: {policy}
"""


def cluster(name, region, prefixes):
    return f"""\
  - apiVersion: meshdns.io/v1alpha1
    kind: Cluster
    metadata: {{name: {name}}}
    spec: {{locality: {{region: {region}}}, clientPrefixes: [{prefixes}]}}
"""


EU, US = "{region: eu, zone: eu-a}", "{region: us, zone: us-a}"
MESH = (
    "nodes:\n"
    + node("api", "eu-1", EU, "api", ["10.0.0.11", "10.0.0.12", "fd00::11"])
    + node("api", "us-1", US, "api", ["10.2.0.11"])
    + node("large", "eu-1", EU, "large", [f"10.1.{n // 200}.{n % 200 + 1}" for n in range(SIZE)])
    + node("eight", "eu-1", EU, "eight", [f"10.1.9.{n + 1}" for n in range(EIGHT)])
    + node("failed", "eu-1", EU, "failed", ["10.0.0.21"], "failing")
    + node("empty", "eu-1", EU, "empty", ["10.0.0.31"], "failing")
    + "objects:\n"
    + virtual_destination("api") + virtual_destination("large")
    + virtual_destination("full", "{maxAnswers: 29}", "large") + virtual_destination("eight") + virtual_destination("failed")
    + virtual_destination("empty", "{onEmpty: NoData}") + virtual_destination("nothing")
    + cluster("eu-1", "eu", "10.1.0.0/16, 10.2.3.0/24, fd01::/48") + cluster("us-1", "us", "10.2.0.0/16")
)


def sanitized():
    """Whether the binaries carry AddressSanitizer, which costs time and memory of its own."""
    with open(os.path.join(BIN, "meshdnsd"), "rb") as file:
        return b"__asan_init" in file.read()


class RfcTest(unittest.TestCase):
    """One server for all tests of a class; it must be the same process at their end."""

    records = RECORDS
    config = CONFIG
    mesh = MESH

    @classmethod
    def setUpClass(cls):
        cls.bed = cls.enterClassContext(Bed())
        cls.bed.write("mesh.yaml", cls.mesh)
        records = "".join(f'    - "{record}"\n' for record in cls.records)
        config = cls.bed.write("meshdnsd.yaml", cls.config.format(folder=cls.bed.folder, records=records.rstrip()))
        cls.daemon = cls.bed.start("meshdnsd", "--config", config)
        cls.daemon.wait_line("ready")
        cls.server = cls.daemon.address("dns listening")

    def tearDown(self):
        self.assertIsNone(self.daemon.process.poll(), "the server ended")

    def ask(self, name, kind="A", **options):
        """A reply for a name in or outside the zone; the name without dot at the end is below it."""
        full = name if name.endswith(".") else f"{name}.mesh.internal." if name else "mesh.internal."
        return ask(self.server, full, kind, **options)

    def exchange(self, packet, source=None):
        """The parsed reply to a datagram of these bytes."""
        return parsed(self.datagram(packet, source))

    def datagram(self, packet, source=None):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(WAIT)
            if source:
                sock.bind((source, 0))
            sock.sendto(packet, self.server)
            return sock.recv(65535)

    def assert_silence(self, packet):
        """No reply, though the server has answered what it got afterwards."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(WAIT)
            sock.sendto(packet, self.server)
            sock.sendto(query(ident=0x7777), self.server)
            self.assertEqual(sock.recv(65535)[:2], b"\x77\x77")
            sock.settimeout(0.02)
            with self.assertRaises(TimeoutError):
                sock.recv(65535)

    def connect(self):
        sock = socket.create_connection(self.server, timeout=WAIT)
        self.addCleanup(sock.close)
        return sock

    def assert_negative(self, reply, rcode, ttl=5):
        """NXDOMAIN or NODATA as RFC 2308 has it."""
        self.assertEqual(reply.rcode(), rcode, reply)
        self.assertTrue(reply.flags & dns.flags.AA, reply)
        self.assertEqual([(rrset.rdtype, rrset.ttl) for rrset in reply.authority], [(dns.rdatatype.SOA, ttl)], reply)
        self.assertEqual(reply.authority[0].name, dns.name.from_text("mesh.internal."))

    def cpu(self):
        """Seconds of CPU time that the server's threads have used."""
        folder = f"/proc/{self.daemon.process.pid}/task"
        total = 0
        for task in os.listdir(folder):
            with open(f"{folder}/{task}/schedstat", encoding="ascii") as file:
                total += int(file.read().split()[0])
        return total / 1e9
