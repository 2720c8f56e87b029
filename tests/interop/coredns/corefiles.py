"""CoreDNS, in each version, with blocks of docs/coredns.md on the hosts of three clusters.

The CoreDNS builds happen at the import: a test module imports this before it calls lab.enter().
"""
import re
import unittest

import peers
from clusters import NODES, OUTSIDE, RESOLVERS, Clusters

# the last version without `revert`; the one of kubeadm 1.34, in which `revert` with `cache` panics; a current one
VERSIONS = ("1.11.3", "1.12.1", "1.14.7")
COREDNS = {version: peers.coredns(version) for version in VERSIONS}
BLOCKS = peers.blocks("coredns.md", "corefile")
NODELOCAL = "169.254.20.10"
REST_OF_THE_DNS = """\
.:53 {
    bind 10.0.9.9
    template IN A example.org {
        answer "{{ .Name }} 60 IN A 192.0.2.7"
    }
    template IN ANY . {
        rcode NXDOMAIN
    }
}
"""


class CoreDnsTestCase(unittest.TestCase):
    """Three clusters, and the rest of the DNS at OUTSIDE; `run_text` starts CoreDNS in front of them."""

    dns = None  # meshdnsd's section of that name, where it is not the one of docs/coredns.md

    @classmethod
    def setUpClass(cls):
        cls.mesh = cls.enterClassContext(Clusters(cls.dns))
        cls.mesh.write("resolv.conf", f"nameserver {OUTSIDE}\n")
        for node in NODES:
            cls.mesh.hosts[node].run("ip", "address", "add", NODELOCAL + "/32", "dev", "lo")
        cls.begin(VERSIONS[-1], cls.mesh.hub, REST_OF_THE_DNS).wait_line("CoreDNS-1")

    @classmethod
    def begin(cls, version, host, block):
        """CoreDNS with a block on a host; it may refuse the block."""
        text = block.replace("/etc/resolv.conf", cls.mesh.path("resolv.conf"))
        return cls.mesh.on(host, COREDNS[version], "-conf", cls.mesh.write(f"Corefile-{host.name}", text))

    def run_text(self, version, text):
        """Each cluster's CoreDNS (or each node's) with one block, up; gives what ends it."""
        per_node = NODELOCAL in text
        hosts = NODES if per_node else RESOLVERS
        self.where = {node: NODELOCAL if per_node else RESOLVERS[NODES[node][0] + "-dns"] for node in NODES}
        running = [self.begin(version, self.mesh.hosts[host], text) for host in hosts]
        for daemon in running:
            daemon.wait_line("CoreDNS-" + re.escape(version))
        return lambda: [daemon.stop() for daemon in running]

    def each(self, names, check):
        """Calls check(name of the block) while it runs, for each block and version."""
        for version in VERSIONS:
            for name in names:
                with self.subTest(version=version, block=name):
                    stop = self.run_text(version, BLOCKS[name])
                    try:
                        check(name)
                    finally:
                        stop()

    def ask(self, node, *question, **options):
        return self.mesh.ask(node, self.where[node], *question, **options)
