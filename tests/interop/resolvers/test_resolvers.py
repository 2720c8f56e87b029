"""What clients get through Debian's resolvers, with each recipe of docs/resolvers.md as it stands there.

unbound and dnsmasq run once per cluster, with what makes a recipe need its lines: protection against rebinding, and
validation. systemd-resolved runs on one node.
"""
import sys
import unittest

import lab
import matrix
import peers
import resolved
from clusters import NODES, RESOLVERS, Clusters
from mesh import WAIT, addresses, eventually

PACKAGES = {"unbound": peers.debian("unbound"), "dnsmasq": peers.debian("dnsmasq-base")}
peers.debian("systemd-resolved")
RECIPES = peers.blocks("resolvers.md", "conf")
lab.enter()  # behind the downloads: in there is no way out

BASE = {
    "unbound": """\
server:
    interface: 0.0.0.0
    access-control: 0.0.0.0/0 allow
    private-address: 10.0.0.0/8
    trust-anchor: ". DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D"
    use-syslog: no
    do-daemonize: no
    chroot: ""
    username: ""
    directory: "{folder}"
    pidfile: ""
forward-zone:
    name: "."
    forward-addr: 10.0.9.1
remote-control:
    control-enable: no
""",
    "dnsmasq": """\
no-resolv
no-hosts
stop-dns-rebind
pid-file=
""",
}
PROGRAM = {"unbound": ("/usr/sbin/unbound", "-d", "-c"), "dnsmasq": ("/usr/sbin/dnsmasq", "-d", "-C")}
UP = {"unbound": "start of service", "dnsmasq": "started, version"}
NEEDED = {"unbound": ("domain-insecure", "private-domain"), "dnsmasq": ("rebind-domain-ok",)}


class ResolversTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.mesh = cls.enterClassContext(Clusters())
        cls.where = {node: RESOLVERS[NODES[node][0] + "-dns"] for node in NODES}

    def start(self, host, recipe, text):
        """A resolver with its recipe on a host, up."""
        kind = recipe.split("-")[0]
        root = PACKAGES[kind]
        config = self.mesh.write(f"{recipe}-{host}.conf", BASE[kind].replace("{folder}", self.mesh.folder) + text)
        program, *flags = PROGRAM[kind]
        daemon = self.mesh.on(self.mesh.hosts[host], root + program, *flags, config, env=peers.environment(root))
        daemon.wait_line(UP[kind])
        return daemon

    def measure(self, recipe):
        running = [self.start(host, recipe, RECIPES[recipe]) for host in RESOLVERS]
        row = matrix.measure(self.mesh, self.where)
        for daemon in running:
            daemon.stop()
        return row

    def test_matrix(self):
        expected = matrix.documented("resolvers.md")
        rows = {recipe: self.measure(recipe) for recipe in expected}
        print("\n" + matrix.text("recipe", rows), file=sys.stderr, flush=True)
        for recipe, row in rows.items():
            with self.subTest(recipe):
                got, at_once = expected[recipe]
                self.assertEqual(row.got, got)
                self.assertLess(row.took, matrix.AT_ONCE if at_once else WAIT)

    def test_each_needed_line_is_needed(self):
        for recipe, text in RECIPES.items():
            for line in NEEDED.get(recipe, ()):
                with self.subTest(f"{recipe} without {line}"):
                    self.assertIn(line, text)
                    kept = "".join(item for item in text.splitlines(True) if line not in item)
                    daemon = self.start("us-1-dns", recipe, kept)
                    reply = self.mesh.ask("us-1-n1", self.where["us-1-n1"])
                    self.assertEqual(addresses(reply), [], f"{recipe} without {line}")
                    daemon.stop()

    def test_resolved(self):
        if reason := resolved.cannot_run():
            self.skipTest(reason)
        config = self.mesh.write("resolved.conf", peers.blocks("resolvers.md", "ini")["resolved"])
        node = matrix.CLIENTS[0]
        daemon = resolved.start(self.mesh, self.mesh.hosts[node], config)
        daemon.wait_line("system hostname")
        eventually(lambda: matrix.nodes(self.mesh.ask(node, resolved.STUB)) == [node], "systemd-resolved's answer")
        took, kept = self.mesh.failover(node, resolved.STUB)
        daemon.stop()
        print(f"\nsystemd-resolved on {node}: gone after {matrix.duration(took)}, kept {matrix.duration(kept)}",
              file=sys.stderr, flush=True)
        self.assertLess(took, matrix.AT_ONCE)


if __name__ == "__main__":
    unittest.main()
