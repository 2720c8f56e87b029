"""How long Java keeps a dead address that it got through CoreDNS: as it is, and with the flag of docs/coredns.md."""
import re
import shutil
import sys
import time
import unittest

import corefiles
import lab
import matrix
import peers
from clusters import HOST, INSTANCE, RESOLVERS
from corefiles import BLOCKS, VERSIONS

JAVA = shutil.which("java")
if not JAVA or not shutil.which("javac"):
    lab.skip("no Java that compiles")
lab.enter()  # after the builds: the namespaces have no way out
CLIENT = "eu-1-n1"
LOOKUPS = """\
class Lookups {
  public static void main(String[] words) throws Exception {
    for (;; Thread.sleep(20)) System.out.println(java.net.InetAddress.getByName(words[0]).getHostAddress());
  }
}
"""
IN_POD = 'mount --bind "$1" /etc/resolv.conf && shift && exec "$@"'


class CoreDnsJavaTest(corefiles.CoreDnsTestCase):
    def kept(self, *flags):
        """The seconds for which Java gives the address of an instance that died right after Java had asked."""
        resolver, program = f"nameserver {RESOLVERS['eu-1-dns']}\n", self.mesh.write("Lookups.java", LOOKUPS)
        daemon = self.mesh.on(self.mesh.hosts[CLIENT], "/bin/sh", "-c", IN_POD, "sh",
                              self.mesh.write("java.conf", resolver), JAVA, *flags, program, HOST)
        daemon.wait_line("^" + re.escape(INSTANCE[CLIENT]))
        start = self.mesh.kill(CLIENT)
        daemon.wait_line("^" + re.escape(INSTANCE["eu-1-n2"]))
        took = time.monotonic() - start
        daemon.stop()
        self.mesh.revive(CLIENT)
        self.mesh.settled(CLIENT)
        return took

    def test_how_long_java_keeps_a_dead_address(self):
        stop = self.run_text(VERSIONS[-1], BLOCKS["subnet"])
        flag = peers.blocks("coredns.md", "text")["java"].strip()
        default, short = self.kept(), self.kept(flag)
        stop()
        print(f"\nJava keeps a dead address for {matrix.duration(default)}, with {flag} for {matrix.duration(short)}",
              file=sys.stderr, flush=True)
        self.assertLess(short, default)


if __name__ == "__main__":
    unittest.main()
