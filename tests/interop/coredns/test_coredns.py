"""What clients get through the real CoreDNS, with each block of docs/coredns.md as it stands there, in each version.

CoreDNS runs once per cluster, and once per node for the NodeLocal shape. The matrix is printed at the end: who gets the
instances of which nodes, and how long a dead one is answered.
"""
import sys
import unittest

import dns.edns
import dns.rcode
import dns.rdatatype

import corefiles
import lab
import matrix
from clusters import SERVER
from corefiles import BLOCKS, VERSIONS
from mesh import WAIT, addresses

lab.enter()  # after the builds: the namespaces have no way out
RECOMMENDED = ("subnet", "inside")
SUBNET = "rewrite edns0 subnet set 32 128"


class CoreDnsTest(corefiles.CoreDnsTestCase):
    def measure(self, version, name):
        stop = self.run_text(version, BLOCKS[name])
        row = matrix.measure(self.mesh, self.where)
        stop()
        return row

    def test_matrix(self):
        expected = matrix.documented("coredns.md")
        self.assertEqual(set(BLOCKS), set(expected))
        for version in VERSIONS:
            rows = {name: self.measure(version, name) for name in expected}
            print("\n" + matrix.text(version, rows), file=sys.stderr, flush=True)
            with self.subTest(version):
                self.check_matrix(expected, rows)

    def check_matrix(self, expected, rows):
        for name, row in rows.items():
            got, at_once = expected[name]
            self.assertEqual(row.got, got, name)
            self.assertLess(row.took, matrix.AT_ONCE if at_once else WAIT, name)
        slow = [row.took for name, row in rows.items() if not expected[name][1]]
        for name in RECOMMENDED:
            self.assertEqual(rows[name].got, matrix.OWN, name)
            self.assertLess(rows[name].took, min(slow), name)

    def test_the_rest_of_the_names_goes_on(self):
        self.each(["inside"], self.check_the_rest)

    def check_the_rest(self, _):
        self.assertEqual(addresses(self.ask("eu-1-n1", "www.example.org")), ["192.0.2.7"])
        self.assertEqual(self.ask("eu-1-n1", "nothing.test").rcode(), dns.rcode.NXDOMAIN)
        self.assertEqual(self.ask("eu-1-n1", "nope.mesh.internal").rcode(), dns.rcode.NXDOMAIN)

    def test_what_the_client_sees_of_the_subnet(self):
        self.each(RECOMMENDED, self.check_the_subnet)

    def check_the_subnet(self, name):
        for edns in (-1, 0):
            options = self.ask("eu-1-n1", use_edns=edns).options
            subnets = [item for item in options if item.otype == dns.edns.OptionType.ECS]
            self.assertEqual(len(subnets), 1 if name == "subnet" else 0)

    def test_priorities_arrive_as_they_were_sent(self):
        self.each(["bare", *RECOMMENDED, "nodelocal"], lambda _: self.check_priorities("us-1-n1"))

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

    def test_revert_takes_a_cluster_down(self):
        """Why the blocks do without it. The first version does not start with it, the second answers SERVFAIL."""
        text = BLOCKS["inside"].replace(SUBNET, SUBNET + " revert")
        self.assertNotEqual(text, BLOCKS["inside"])
        without, panics, mended = VERSIONS
        daemon = self.begin(without, self.mesh.hosts["eu-1-dns"], text)
        self.assertNotEqual(daemon.process.wait(WAIT), 0)
        daemon.wait_line("rewrite: EDNS0 subnet")
        for version, rcode in ((panics, dns.rcode.SERVFAIL), (mended, dns.rcode.NOERROR)):
            with self.subTest(version):
                stop = self.run_text(version, text)
                self.assertEqual(self.ask("eu-1-n1").rcode(), rcode)
                stop()


if __name__ == "__main__":
    unittest.main()
