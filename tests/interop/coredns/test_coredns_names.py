"""How many queries a pod sends for one lookup: counted by CoreDNS's `log`, with glibc's resolver and with musl's."""
import re
import shutil
import subprocess
import sys
import unittest

import corefiles
import lab
import peers
from clusters import HOST, INSTANCE, RESOLVERS
from corefiles import BLOCKS, VERSIONS
from mesh import WAIT

MUSL = peers.debian("musl-dev") + "/usr/"
if not shutil.which("gcc"):
    lab.skip("no gcc, which links a program with musl")
lab.enter()  # after builds and downloads: the namespaces have no way out

CLIENT, RESOLVER = "eu-1-n1", "eu-1-dns"
LOOKUP = """\
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
int main(int count, char **words) {
  struct addrinfo *found, hints = {.ai_socktype = SOCK_STREAM};
  if (count != 2 || getaddrinfo(words[1], NULL, &hints, &found)) return 1;
  char text[INET_ADDRSTRLEN];
  return puts(inet_ntop(AF_INET, &((struct sockaddr_in *)found->ai_addr)->sin_addr, text, sizeof text)) < 0;
}
"""
CLUSTER_NAMES = "    template IN ANY cluster.local {\n        rcode NXDOMAIN\n    }\n"
OF_ITS_OWN = ".:53 {\n    errors\n" + CLUSTER_NAMES + "    forward . /etc/resolv.conf\n}\n"
IN_POD = 'mount --bind "$1" /etc/resolv.conf && shift && exec "$@"'
TRAILING_DOT, NDOTS, AUTOPATH = "a dot at the end", "ndots:2", "autopath"


def musl_lookup(path):
    """Links LOOKUP with musl; gives the program."""
    include, library = MUSL + "include/x86_64-linux-musl", MUSL + "lib/x86_64-linux-musl/"
    crt = [library + name for name in ("crt1.o", "crti.o", "crtn.o")]
    peers.attempt("a program cannot be linked with musl", "gcc", "-x", "c", "-c", "-nostdinc", "-isystem", include,
                  "-fno-pie", "-o", path + ".o", "-", input=LOOKUP)
    parts = [*crt[:2], path + ".o", library + "libc.a", "-lgcc", crt[2]]
    peers.attempt("a program cannot be linked with musl", "gcc", "-static", "-nostdlib", "-no-pie", "-o", path, *parts)
    return path


def documented():
    """The table of docs/coredns.md: {(what is asked, the block): [queries with glibc, with musl]}."""
    _, *lines = peers.blocks("coredns.md", "text")["names"].splitlines()
    rows = [re.split(r"  +", line) for line in lines]
    return {(what, block): [int(cell) for cell in cells] for what, block, *cells in rows}


class CoreDnsNamesTest(corefiles.CoreDnsTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.lookups = [["getent", "ahosts"], [musl_lookup(cls.mesh.path("lookup"))]]
        cls.pod = peers.blocks("coredns.md", "conf")["pod"]
        search = re.search("^search .*", cls.pod, re.M).group()
        cls.autopath = "    autopath " + cls.mesh.write("search.conf", search + "\n") + "\n"

    def corefile(self, what, block):
        """The block of docs/coredns.md with the rest of a cluster's names, and a log of what is asked."""
        inside = block == "inside"
        names = CLUSTER_NAMES + (self.autopath if what == AUTOPATH else "")
        text = BLOCKS[block].replace("    errors\n", "    errors\n" + names) if inside else \
            BLOCKS[block] + OF_ITS_OWN.replace(CLUSTER_NAMES, names)
        return text.replace("    errors\n", "    errors\n    log\n")

    def count(self, daemon, what, lookup):
        """The queries of one lookup."""
        options = self.pod.replace("ndots:5", "ndots:2") if what == NDOTS else self.pod
        name = HOST + "." if what == TRAILING_DOT else HOST
        before = len(daemon.lines)
        argv = [*self.mesh.hosts[CLIENT].wrap, "/bin/sh", "-c", IN_POD, "sh", self.mesh.write("pod.conf", options),
                *lookup, name]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=WAIT, check=True)
        self.assertEqual(done.stdout.split()[0], INSTANCE[CLIENT], "the instance beside the client")
        while daemon.read(0.5):
            pass
        return sum(bool(re.search(r'"(A|AAAA) IN ', line)) for line in daemon.lines[before:])

    def measure(self, version, what, block):
        daemon = self.begin(version, self.mesh.hosts[RESOLVER], self.corefile(what, block))
        daemon.wait_line("CoreDNS-" + re.escape(version))
        counts = [self.count(daemon, what, lookup) for lookup in self.lookups]
        daemon.stop()
        return counts

    def test_queries_of_one_lookup(self):
        self.assertIn(RESOLVERS[RESOLVER], self.pod)
        for version in VERSIONS:
            for (what, block), expected in documented().items():
                with self.subTest(version=version, what=what, block=block):
                    counts = self.measure(version, what, block)
                    print(f"{version}  {what}, {block}: {counts}", file=sys.stderr, flush=True)
                    self.assertEqual(counts, expected)


if __name__ == "__main__":
    unittest.main()
