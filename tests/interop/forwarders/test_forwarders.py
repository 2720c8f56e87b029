"""No forwarder makes a client see two tiers: while the closest cluster lives its addresses are all that glibc's
getaddrinfo gives, and when it is dead only the next one's, with caches cold and warm.

Each of Debian's forwarders runs on a host of cluster eu-1, with the recipe of docs/resolvers.md and with its defaults.
"""
import sys
import time
import unittest

import lab
import peers
import resolved
from clusters import HOST, INSTANCE, Clusters

for package in ("unbound", "dnsmasq-base", "bind9", "systemd-resolved"):
    peers.debian(package)
lab.enter()  # behind the downloads: in there is no way out

import forwarders

OWN = ("eu-1-n1", "eu-1-n2")
NEXT = "eu-2-n1"
CLIENT = "eu-1-n1"
LOOKUPS, PACE = 500, 0.016  # over 8 s: what is cached runs out at least once
KEPT = 7.0  # seconds; a TTL, and one more second of caches that count whole ones
NODE = {address: node for node, address in INSTANCE.items()}
DNS = """\
dns:
  listen: [{{address: "10.0.9.1:53"}}]
  trusted_forwarders: [{forwarders}]
"""


def names(found):
    """{addresses: times} with the nodes' names, most frequent first."""
    rows = sorted(found.items(), key=lambda row: -row[1])
    return ", ".join(f"{' '.join(NODE.get(part, part) for part in row.split())} x{count}" for row, count in rows)


class ForwardersTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        recipes = forwarders.recipes()
        if reason := resolved.cannot_run():
            print(f"\nleft out: {reason}", file=sys.stderr, flush=True)
            recipes = {name: text for name, text in recipes.items() if not name.startswith(forwarders.LOCAL)}
        where = {name: f"10.0.8.{number}" for number, name in enumerate(recipes, 60)}
        trusted = ", ".join(f"{{prefix: {address}/32, granularity: cluster}}" for address in where.values())
        cls.mesh = cls.enterClassContext(Clusters(DNS.format(forwarders=trusted)))
        cls.forwarders = [forwarders.Forwarder(cls.mesh, name, where[name], text) for name, text in recipes.items()]

    def start(self):
        for one in self.forwarders:
            one.start()

    def lookups(self, times, pace):
        """{forwarder: what its client got}, all of them at the same time."""
        client = self.mesh.hosts[CLIENT]
        running = {one.name: one.lookups(client, HOST, times, pace) for one in self.forwarders}
        return {name: forwarders.finish(daemon) for name, daemon in running.items()}

    def assert_only(self, phase, got, nodes):
        """Each answer has addresses of these nodes and of no other; there always is one."""
        print(f"\n{phase}", file=sys.stderr)
        for name, (found, first) in got.items():
            print(f"  {name.ljust(24)}{names(found)}; first: {names(first)}", file=sys.stderr, flush=True)
        allowed = {INSTANCE[node] for node in nodes}
        for name, (found, _) in got.items():
            with self.subTest(f"{name}: {phase}"):
                self.assertLessEqual({address for row in found for address in row.split()}, allowed, found)

    def test_no_client_sees_two_tiers(self):
        self.start()
        self.assert_only("eu-1 lives, caches cold", self.lookups(1, 0), OWN)
        self.assert_only("eu-1 lives, caches warm", self.lookups(LOOKUPS, PACE), OWN)
        for node in OWN:
            self.mesh.kill(node)
        self.mesh.settled_on(CLIENT, NEXT)
        time.sleep(KEPT)
        self.assert_only("eu-1 is dead, caches warm", self.lookups(LOOKUPS, PACE), [NEXT])
        self.start()
        self.assert_only("eu-1 is dead, caches cold", self.lookups(50, PACE), [NEXT])


if __name__ == "__main__":
    unittest.main()
