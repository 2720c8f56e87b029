"""Brakes: agents that fall silent together are held, and everybody says so (docs/failures.md B12, B13)."""
import re
import signal
import unittest
import urllib.request

from mesh import WAIT, Bed, addresses, ask, eventually, run, texts
from one_cluster import AGENT, FEDERATION, REPLICA

ENDPOINT = """\
endpoints:
  - {{service: app-b, namespace: shop, address: {address}, ports: [{{name: http, number: {port}}}],
     checks: [{{tcp: {{port: http}}, interval: 1s, timeout: 2s}}]}}
"""
NAME = "app-b.shop.mesh.internal"
ZONES = {"n1": "eu-b", "n2": "eu-b", "n3": "eu-b", "n4": "eu-b", "m1": "eu-a"}
ADDRESSES = {node: f"127.0.0.{11 + index}" for index, node in enumerate(ZONES)}
GRACE = 60 + WAIT  # after its start a federation takes nobody for silent for 60 s
HELD = "its agent is not heard, held by the %s brake"


class BrakesTest(unittest.TestCase):
    def setUp(self):
        self.bed = self.enterContext(Bed())
        self.federation = self.start_daemon("federation", FEDERATION, 0)
        self.port = self.federation.address("federation listening")[1]
        self.agents = {node: self.start_agent(node) for node in ZONES}
        self.replica = self.start_daemon("replica", REPLICA, self.port)
        for daemon in (self.federation, self.replica):
            eventually(lambda daemon=daemon: self.all_of(daemon) == sorted(ADDRESSES.values()), "everybody serves")

    def start_daemon(self, name, text, port):
        config = self.bed.write(name + ".yaml", text.format(folder=self.bed.folder, port=port))
        daemon = self.bed.start("meshdnsd", "--config", config)
        daemon.wait_line("ready")
        return daemon

    def start_agent(self, node):
        backend = self.bed.backend(ADDRESSES[node])
        self.bed.write(f"{node}.d/all.yaml", ENDPOINT.format(address=backend.address, port=backend.port))
        config = self.bed.write(node + ".yaml", AGENT.format(node=node, zone=ZONES[node], port=self.port,
                                                             folder=self.bed.folder))
        return self.bed.start("meshdns-agent", "--config", config)

    def signal(self, nodes, number):
        for node in nodes:
            self.agents[node].send_signal(number)

    def ctl(self, name, *words):
        code, out, err = run("meshdnsctl", "--server", f"unix:{self.bed.path(name)}.sock", *words)
        self.assertEqual((code, err), (0, ""))
        return out

    def metric(self, daemon, name):
        with urllib.request.urlopen("http://%s:%d/metrics" % daemon.address("admin listening"), timeout=WAIT) as reply:
            found = re.search(rf"^{re.escape(name)} (\S+)$", reply.read().decode(), re.MULTILINE)
        return float(found.group(1))

    def all_of(self, daemon):
        return addresses(ask(daemon.address("dns listening"), "_all." + NAME))

    def expect_held(self, brake, reason, nodes):
        """By status, nodes, explain, _explain and metrics, at the federation and at its replica."""
        line = rf"brake +{brake}   {re.escape(reason)}   holds {nodes} nodes\n"
        for name, daemon in (("federation", self.federation), ("replica", self.replica)):
            eventually(lambda name=name: re.search(line, self.ctl(name, "status")), f"status of the {name}")
            explained = self.ctl(name, "explain", NAME)
            self.assertEqual(len(re.findall(r"serving +\S+ +" + HELD % brake, explained)), nodes, explained)
            self.assertEqual(self.ctl(name, "get", "nodes").count(" held "), nodes)
            lines = " ".join(texts(ask(daemon.address("dns listening"), "_explain." + NAME, "TXT", tcp=True)))
            self.assertEqual(len(re.findall("serving [^ ]+, " + HELD % brake, lines)), nodes, lines)
        self.assertEqual(self.metric(self.federation, f'meshdns_federation_brakes_closed{{brake="{brake}"}}'), 1)
        self.assertEqual(self.metric(self.federation, f'meshdns_federation_brake_held_nodes{{brake="{brake}"}}'), nodes)
        self.assertGreaterEqual(self.metric(self.replica, "meshdns_dnsd_origin_brakes_closed"), 1)

    def expect_open(self, brake):
        self.federation.wait_line(rf"brake open brake={brake} ")
        self.assertEqual(self.metric(self.federation, f'meshdns_federation_brakes_closed{{brake="{brake}"}}'), 0)
        self.assertEqual(self.metric(self.federation, f'meshdns_federation_brake_held_nodes{{brake="{brake}"}}'), 0)
        for name in ("federation", "replica"):
            eventually(lambda name=name: "brake" not in self.ctl(name, "status"), f"status of the {name}")
            eventually(lambda name=name: "not heard" not in self.ctl(name, "explain", NAME), "everybody is heard")

    def test_silence_of_many_changes_no_answer(self):
        self.signal(("n1", "n2", "n3"), signal.SIGSTOP)
        self.agents["n4"].stop(signal.SIGKILL)
        self.federation.wait_line(r'brake closed brake=zone covers=eu/eu-b reason="4 of 4 agents of eu/eu-b '
                                  r'silent within 60s" held=', timeout=GRACE)
        self.expect_held("zone", "4 of 4 agents of eu/eu-b silent within 60s", 4)
        self.assertEqual(self.all_of(self.federation), sorted(ADDRESSES.values()))

        # an owner's word passes
        run("meshdns-agent", "leave", "--config", self.bed.path("n4.yaml"))
        left = sorted(address for node, address in ADDRESSES.items() if node != "n4")
        for daemon in (self.federation, self.replica):
            eventually(lambda daemon=daemon: self.all_of(daemon) == left, "only the one that left is gone")
        self.expect_held("zone", "3 of 3 agents of eu/eu-b silent within 60s", 3)

        self.signal(("n1", "n2", "n3"), signal.SIGCONT)
        self.expect_open("zone")

        rest = ("n1", "n2", "n3", "m1")
        self.signal(rest, signal.SIGSTOP)
        self.federation.wait_line(r'brake closed brake=overall covers="all agents" reason="4 of 4 agents silent"')
        self.expect_held("overall", "4 of 4 agents silent", 4)
        self.signal(rest, signal.SIGCONT)
        self.expect_open("overall")
        for daemon in (self.federation, self.replica):
            self.assertEqual(self.all_of(daemon), left)
        self.assertFalse([line for line in self.federation.lines if "agent silent" in line])


if __name__ == "__main__":
    unittest.main()
