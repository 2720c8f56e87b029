"""What clients get through the real CoreDNS, with each block of docs/coredns.md as it stands there.

CoreDNS runs once per cluster, and once per node for the NodeLocal shape. The matrix is printed at the end: who gets the
instances of which nodes, and how long a dead one is answered.
"""
import sys
import unittest

import dns.edns
import dns.rcode
import dns.rdatatype

import lab
import matrix
import peers
from clusters import NODES, OUTSIDE, RESOLVERS, SERVER, Clusters
from mesh import WAIT, addresses

COREDNS = peers.coredns()
lab.enter()  # behind the build: in there is no way out
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
RECOMMENDED = "subnet"


class CoreDnsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.mesh = cls.enterClassContext(Clusters())
        cls.mesh.write("resolv.conf", f"nameserver {OUTSIDE}\n")
        for node in NODES:
            cls.mesh.hosts[node].run("ip", "address", "add", NODELOCAL + "/32", "dev", "lo")
        cls.start(cls.mesh.hub, REST_OF_THE_DNS)

    @classmethod
    def start(cls, host, block):
        """CoreDNS with a block on a host, up."""
        text = block.replace("/etc/resolv.conf", cls.mesh.path("resolv.conf"))
        daemon = cls.mesh.on(host, COREDNS, "-conf", cls.mesh.write(f"Corefile-{host.name}", text))
        daemon.wait_line("CoreDNS-1")
        return daemon

    def run_block(self, name):
        """Each cluster's CoreDNS (or each node's) with one block; gives what ends it."""
        per_node = NODELOCAL in BLOCKS[name]
        hosts = NODES if per_node else RESOLVERS
        self.where = {node: NODELOCAL if per_node else RESOLVERS[NODES[node][0] + "-dns"] for node in NODES}
        running = [self.start(self.mesh.hosts[host], BLOCKS[name]) for host in hosts]
        return lambda: [daemon.stop() for daemon in running]

    def ask(self, node, *question, **options):
        return self.mesh.ask(node, self.where[node], *question, **options)

    def measure(self, name):
        stop = self.run_block(name)
        row = matrix.measure(self.mesh, self.where)
        stop()
        return row

    def test_matrix(self):
        expected = matrix.documented("coredns.md")
        self.assertEqual(set(BLOCKS), set(expected))
        rows = {name: self.measure(name) for name in expected}
        print("\n" + matrix.text("block", rows), file=sys.stderr, flush=True)
        for name, row in rows.items():
            with self.subTest(name):
                got, at_once = expected[name]
                self.assertEqual(row.got, got)
                self.assertLess(row.took, matrix.AT_ONCE if at_once else WAIT)
        best = rows[RECOMMENDED]
        self.assertEqual(best.got, matrix.OWN)
        slow = [row.took for name, row in rows.items() if not expected[name][1]]
        self.assertLess(best.took, min(slow))

    def test_the_rest_of_the_names_goes_on(self):
        self.addCleanup(self.run_block("inside"))
        self.assertEqual(addresses(self.ask("eu-1-n1", "www.example.org")), ["192.0.2.7"])
        self.assertEqual(self.ask("eu-1-n1", "nothing.test").rcode(), dns.rcode.NXDOMAIN)
        self.assertEqual(self.ask("eu-1-n1", "nope.mesh.internal").rcode(), dns.rcode.NXDOMAIN)

    def test_the_client_never_sees_the_subnet(self):
        self.addCleanup(self.run_block(RECOMMENDED))
        for edns in (-1, 0):
            options = self.ask("eu-1-n1", use_edns=edns).options
            self.assertEqual([item for item in options if item.otype == dns.edns.OptionType.ECS], [])

    def test_priorities_arrive_as_they_were_sent(self):
        for name in ("bare", RECOMMENDED, "inside", "nodelocal"):
            with self.subTest(name):
                stop = self.run_block(name)
                self.check_priorities("us-1-n1")
                stop()

    def check_priorities(self, node):
        question = ("_http._tcp.app-b.mesh.internal", "SRV")
        through = self.srv(self.ask(node, *question))
        direct = self.srv(self.mesh.ask(node, SERVER, *question))
        self.assertEqual(sorted(through), sorted(direct))
        self.assertGreater(len({priority for priority, _ in direct}), 1, direct)

    @staticmethod
    def srv(reply):
        return [(item.priority, item.target.to_text()) for rrset in reply.answer
                if rrset.rdtype == dns.rdatatype.SRV for item in rrset]


if __name__ == "__main__":
    unittest.main()
