"""Certificates and their authority are exchanged every two seconds while agents report and clients ask."""
import os
import socket
import ssl
import threading
import time
import unittest
import urllib.request

import dns.message
import dns.rcode

from mesh import WAIT, addresses, ask, eventually
from raw_call import SETTINGS, frame
from test_authority import TRUSTED, AuthorityBed
from tls_bed import DNSD

AGENT = """\
node: {node}
cluster: eu-1
addresses: ["{address}"]
federation: {{servers: ["{server}"], tls: {{certificate: {node}.pem, key: {node}.key, ca: ca/ca.pem}}}}
discovery: {{static: {{directory: {node}.d}}}}
admin: {{listen: "127.0.0.1:0", socket: {folder}/{node}.sock}}
"""
ENDPOINTS = """\
endpoints:
  - {{service: web, namespace: shop, address: {address}, ports: [{{name: http, number: {port}}}],
     checks: [{{tcp: {{port: http}}, interval: 200ms, timeout: 2s}}]}}
"""
REPLICA = ('roles: [dns]\nreplica: {{federation: ["{server}"], '
           "tls: {{certificate: edge.pem, key: edge.key, ca: ca/ca.pem}}}}")
OWNERS = {"fed": ("--federation", "eu-1/fed", "--address", "127.0.0.1"), "edge": ("--dns", "eu-1/edge"),
          "n1": ("--node", "eu-1/n1"), "n2": ("--node", "eu-1/n2"), "n3": ("--node", "eu-1/n3")}
NODES = {"n1": "127.0.0.11", "n2": "127.0.0.12", "n3": "127.0.0.13"}
END = "-----END CERTIFICATE-----\n"
HOST = "web.shop.mesh.internal"
ROUNDS, INTERVAL = 10, 2.0
ATTEMPTS = 3
USED_WITHIN = 10  # seconds


class Resolver(threading.Thread):
    """Asks one query after the other as resolvers do: once more after a second, because a busy kernel may lose a packet."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.query = dns.message.make_query(HOST, "A").to_wire()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.settimeout(1)
        self.socket.connect(server)
        self.ended, self.asked, self.repeated, self.failed = threading.Event(), 0, 0, []

    def run(self):
        with self.socket:
            while not self.ended.is_set():
                self.asked += 1
                self.ask(self.asked.to_bytes(4, "big")[2:] + self.query[2:])
                time.sleep(0.001)

    def ask(self, query):
        for attempt in range(ATTEMPTS):
            self.repeated += attempt > 0
            self.socket.send(query)
            try:
                reply = self.socket.recv(4096)
                while reply[:2] != query[:2]:  # the late answer to a query that was asked again
                    reply = self.socket.recv(4096)
            except OSError:
                continue
            reply = dns.message.from_wire(reply)
            if reply.rcode() != dns.rcode.NOERROR or not reply.answer:
                self.failed.append(reply.to_text())
            return
        self.failed.append(f"query {self.asked}: no answer")


class RotationTest(unittest.TestCase):
    def setUp(self):
        self.bed = self.enterContext(AuthorityBed())
        self.bed.ca("init")
        for owner, words in OWNERS.items():
            self.bed.ca("issue", *words, "--out", owner)
        self.federation = self.bed.secured()
        self.agents = [self.start_agent(node, address) for node, address in NODES.items()]
        role = REPLICA.format(server=self.bed.server)
        config = self.bed.write("edge.yaml", DNSD.format(role=role, data=self.bed.path("edge"), name="edge"))
        self.replica = self.bed.start("meshdnsd", "--config", config)
        self.replica.wait_line("ready")
        self.servers = [daemon.address("dns listening") for daemon in (self.federation, self.replica)]
        for server in self.servers:
            eventually(lambda: addresses(ask(server, HOST)) == sorted(NODES.values()), "all three are answered")
        self.clients, self.made = [], []  # made: when the federation got a certificate, and the certificate

    def start_agent(self, node, address):
        backend = self.bed.backend(address)
        self.bed.write(f"{node}.d/web.yaml", ENDPOINTS.format(address=address, port=backend.port))
        config = self.bed.write(f"agent-{node}.yaml", AGENT.format(node=node, address=address, server=self.bed.server,
                                                                   folder=self.bed.folder))
        agent = self.bed.start("meshdns-agent", "--config", config)
        agent.wait_line(" connected ")
        return agent

    # ---- the load ----

    def begin(self, *servers):
        self.clients = [Resolver(server) for server in servers]
        for client in self.clients:
            client.start()

    def end(self):
        """Ends the load. Each query must have been answered."""
        for client in self.clients:
            client.ended.set()
        for client in self.clients:
            client.join(WAIT)
        self.assertEqual([client.failed for client in self.clients], [[] for _ in self.clients])
        asked, repeated = (sum(getattr(client, name) for client in self.clients) for name in ("asked", "repeated"))
        self.assertLessEqual(repeated, 1 + asked / 1000)
        return asked

    def sessions(self):
        """How many sessions agents have begun, and how many subscribers there are."""
        host, port = self.federation.address("admin listening")
        with urllib.request.urlopen(f"http://{host}:{port}/metrics", timeout=WAIT) as reply:
            lines = reply.read().decode().splitlines()
        names = ("sessions_total ", "connected_agents ", "subscribers ")
        return [float(line.split()[-1]) for name in names for line in lines if line.startswith("meshdns_federation_" + name)]

    def assert_nothing_was_lost(self, before):
        self.assertEqual(self.sessions(), before)
        daemons = [self.federation, self.replica, *self.agents]
        for daemon in daemons:
            daemon.read(0)
        lost = ("disconnected", "federation lost", "agent session ended", "subscriber gone", "handshake failed")
        self.assertEqual([line for daemon in daemons for line in daemon.lines if any(word in line for word in lost)], [])

    # ---- the exchange ----

    def exchange(self):
        """New certificates with new keys take the place of all old ones."""
        for owner, words in OWNERS.items():
            self.bed.ca("issue", *words, "--out", "new")
            for ending in ("key", "pem"):
                os.rename(self.bed.path("new." + ending), self.bed.path(f"{owner}.{ending}"))
        with open(self.bed.path("fed.pem"), encoding="utf-8") as file:
            first = file.read().split(END)[0] + END
        self.made.append((time.monotonic(), ssl.PEM_cert_to_DER_cert(first)))

    def context(self):
        """An SSLContext that shows the present certificate of n1."""
        out = ssl.create_default_context(cafile=self.bed.path(TRUSTED))
        out.load_cert_chain(self.bed.path("n1.pem"), self.bed.path("n1.key"))
        out.set_alpn_protocols(["h2"])
        return out

    def shown(self, context):
        """The federation's certificate in a new handshake; None = the federation refuses the client."""
        host, port = self.bed.server.split(":")
        try:
            with context.wrap_socket(socket.create_connection((host, int(port))), server_hostname=host) as secured:
                secured.settimeout(WAIT)
                secured.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0))
                return secured.getpeercert(True) if secured.recv(9) else None
        except OSError:
            return None

    def staleness(self):
        """For how many seconds a newer certificate than the one that is shown has been there."""
        shown = self.shown(self.context())
        later = [at for (_, made), (at, _) in zip(self.made, self.made[1:]) if made == shown]
        return time.monotonic() - later[0] if later else 0.0

    def test_new_certificates_every_two_seconds_and_a_new_authority_cost_nothing(self):
        before = self.sessions()
        self.assertEqual(before, [len(NODES), len(NODES), 1])
        self.begin(*self.servers)
        began, oldest = time.monotonic(), 0.0
        for number in range(ROUNDS):
            self.exchange()
            while time.monotonic() < began + (number + 1) * INTERVAL:
                oldest = max(oldest, self.staleness())
                time.sleep(0.2)
        self.assertLess(oldest, USED_WITHIN)
        self.assert_nothing_was_lost(before)
        self.exchange_authority(before)
        seconds, asked = time.monotonic() - began, self.end()
        print(f"{asked} queries in {seconds:.0f} s, none lost; a new certificate is used after {oldest:.1f} s at most")
        self.assertGreater(asked / seconds, 100)
        self.assert_clients_use_the_new_ones()

    def exchange_authority(self, before):
        """Two are trusted while everybody gets certificates of the new one; then that one is trusted alone."""
        old, daemons = self.context(), (self.federation, self.replica, *self.agents)
        time.sleep(2.5)  # until all have taken the last certificates, so that the next line is about the authority
        for daemon in daemons:
            daemon.read(0)
        seen = [len(daemon.lines) for daemon in daemons]
        self.bed.ca("rotate")
        for daemon, after in zip(daemons, seen):
            daemon.wait_line("tls files taken", after=after)
        time.sleep(1.5)  # gRPC looks once a second for what was taken
        old.load_verify_locations(self.bed.path(TRUSTED))
        self.exchange()
        eventually(lambda: self.shown(self.context()) == self.made[-1][1], "the new certificate is shown", USED_WITHIN)
        self.assertIsNotNone(self.shown(old), "the old authority is trusted, too")
        self.assert_nothing_was_lost(before)
        self.bed.ca("rotate", "--finish")
        eventually(lambda: self.shown(old) is None, "the old authority is not trusted any more", USED_WITHIN)
        self.assertEqual(self.shown(self.context()), self.made[-1][1])
        self.federation.wait_line("tls handshake failed .*certificate verify failed")
        self.federation.lines = [line for line in self.federation.lines if "handshake failed" not in line]
        self.assert_nothing_was_lost(before)

    def assert_clients_use_the_new_ones(self):
        """After a restart of the federation, which trusts the new authority alone, all come back; the replica answers."""
        self.begin(self.servers[1])
        seen = [len(daemon.lines) for daemon in (self.replica, *self.agents)]
        self.federation.stop()
        self.federation = self.bed.secured(self.bed.server)
        for daemon, after in zip((self.replica, *self.agents), seen):
            daemon.wait_line(" connected |federation found", after=after)
        self.end()


if __name__ == "__main__":
    unittest.main()
