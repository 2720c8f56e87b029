"""What CoreDNS leaves of an answer besides its addresses: `_explain`, Extended DNS Errors, and short TTLs.

Clients of the clusters eu-1 and eu-2 are in explain_allow, as docs/coredns.md lists them; those of us-1 are not.
"""
import re
import subprocess
import unittest

import dns.edns
import dns.rcode

import corefiles
import lab
import peers
from clusters import HOST, NODES, SERVER
from corefiles import BLOCKS
from mesh import WAIT

lab.enter()  # after the builds: the namespaces have no way out
EXPLAIN = "_explain." + HOST
INSIDE, OUTSIDE = "eu-1-n1", "us-1-n1"
PROHIBITED = 18  # RFC 8914
SHORTEST = 5  # seconds; what CoreDNS's cache makes of every shorter TTL
CACHING = {name for name, text in BLOCKS.items() if "cache" in text}
YAML = peers.blocks("coredns.md", "yaml")
SHORT = {0: "zero.mesh.internal", 1: "one.mesh.internal"}


def keys(section):
    """The lines below `dns:` of a block."""
    first, rest = section.split("\n", 1)
    assert first == "dns:", section
    return rest


class CoreDnsAnswersTest(corefiles.CoreDnsTestCase):
    dns = YAML["meshdnsd"] + keys(YAML["explain"]) + '  static_records: ["zero 0 A 192.0.2.80", "one 1 A 192.0.2.81"]\n'

    def dig(self, node, *words):
        """What dig prints on a node, where it asks from the address of a client."""
        argv = ["dig", "-b", NODES[node][4], "@" + self.where[node], *words, "TXT", EXPLAIN]
        done = subprocess.run([*self.mesh.hosts[node].wrap, *argv], capture_output=True, text=True, timeout=WAIT,
                              check=True)
        return done.stdout

    def first_line(self, node):
        return sorted(self.dig(node, "+short").splitlines())[0]

    def test_explanations_say_where_the_client_is(self):
        printed = peers.blocks("coredns.md", "text")["explain"].splitlines()[0]
        self.each(["subnet", "inside"], lambda _: self.assertEqual(self.first_line(INSIDE), printed))

    def test_clients_outside_get_no_explanation(self):
        self.each(["subnet", "inside"], lambda _: self.assertIn("status: REFUSED", self.dig(OUTSIDE)))

    def test_without_the_subnet_corednss_own_address_counts(self):
        printed = peers.blocks("coredns.md", "text")["explain-bare"].splitlines()[0]
        self.each(["bare"], lambda _: self.check_bare(printed))

    def check_bare(self, printed):
        self.assertEqual(self.first_line(INSIDE), printed)
        self.assertIn("status: REFUSED", self.dig(OUTSIDE))

    def test_cache_mixes_up_explanations(self):
        self.each(["subnet-and-cache"], lambda _: self.assertEqual(self.first_line("eu-1-n2"), self.first_line(INSIDE)))

    def errors(self, reply):
        return [int(item.code) for item in reply.options if item.otype == dns.edns.OptionType.EDE]

    def test_cache_removes_extended_errors(self):
        direct = self.mesh.ask(OUTSIDE, SERVER, EXPLAIN, "TXT", use_edns=0)
        self.assertEqual(self.errors(direct), [PROHIBITED])
        self.each(BLOCKS, self.check_errors)

    def check_errors(self, name):
        reply = self.ask(OUTSIDE, EXPLAIN, "TXT", use_edns=0)
        self.assertEqual(reply.rcode(), dns.rcode.REFUSED)
        self.assertEqual(self.errors(reply), [] if name in CACHING else [PROHIBITED])

    def test_cache_makes_short_ttls_longer(self):
        self.each(BLOCKS, self.check_ttls)

    def check_ttls(self, name):
        for ttl, record in SHORT.items():
            rrset, = self.ask(INSIDE, record).answer
            self.assertEqual(rrset.ttl, SHORTEST if name in CACHING else ttl, record)

    def test_objects_of_managed_clusters_have_the_recommended_block(self):
        """Their lines are not run here, so they are at least the ones that are."""
        recommended = [line.split() for line in BLOCKS["subnet"].splitlines()[1:-1]]
        for name in ("coredns-custom", "eks"):
            self.assertIn("mesh.internal:53 {", YAML[name])
            lines = [line.split() for line in YAML[name].split("mesh.internal:53 {\n")[1].splitlines()]
            self.assertEqual(lines[:len(recommended)], recommended, name)
        plugins = [" ".join(line) for line in recommended]
        written = re.findall(r"\{name: (\w+)(?:, parameters: ([^}]+))?\}", YAML["rke2"])
        self.assertEqual([" ".join(part for part in plugin if part) for plugin in written], plugins)


if __name__ == "__main__":
    unittest.main()
