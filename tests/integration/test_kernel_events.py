"""What the kernel reports to an agent at once: the end of UDP servers and of listeners in containers, and listeners that appear.

The checks here are an hour apart, so whatever is noticed was reported. A container is a network namespace of its own."""
import json
import os
import subprocess
import sys
import time
import unittest

from mesh import WAIT, Bed, eventually
from netns import Namespace
from ports import free_port
from supervisor import ROOT, as_unit, read_unit

A_STRANGER = 64053  # a user id that owns nothing
FALL = 3  # a pending endpoint is checked so often in a row, a second apart
SOON = 5.0  # seconds; it takes milliseconds
NODE, CONTAINER = "10.77.0.1", "10.77.0.2"

CONFIG = """\
node: n1
cluster: eu-1
addresses: [{address}]
federation: {{servers: ["127.0.0.1:1"]}}
discovery: {{static: {{directory: endpoints.d}}}}
admin: {{listen: "127.0.0.1:0", socket: {folder}/agent.sock}}
{more}"""
ENDPOINT = """\
endpoints:
  - service: {service}
    namespace: shop
    address: {address}
    ports: [{{name: main, number: {port}, protocol: {protocol}}}]
    checks: [{{{check}, interval: 1h, timeout: 2s}}]
"""
TCP_CHECK = "tcp: {port: main}"
UDP_CHECK = "udp: {port: main, send: hello, expect: hello}"
TCP_SERVER = """
import socket, sys
server = socket.create_server((sys.argv[1], int(sys.argv[2])))
print("there", flush=True)
while True:
    server.accept()[0].close()
"""
UDP_SERVER = """
import socket, sys
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind((sys.argv[1], int(sys.argv[2])))
print("there", flush=True)
while True:
    server.sendto(*server.recvfrom(2048))
"""
GET = "import sys, urllib.request; sys.stdout.write(urllib.request.urlopen(sys.argv[1], timeout=60).read().decode())"


class Case(unittest.TestCase):
    def setUp(self):
        self.bed = self.enterContext(Bed())

    def config(self, address="127.0.0.1", more=""):
        return self.bed.write("agent.yaml", CONFIG.format(address=address, folder=self.bed.folder, more=more))

    def endpoint(self, address, port, service="app-b", protocol="TCP", check=TCP_CHECK):
        self.bed.write(f"endpoints.d/{service}.yaml", ENDPOINT.format(
            address=address, port=port, service=service, protocol=protocol, check=check))

    def agent(self, config, prefix=()):
        agent = self.bed.start("meshdns-agent", "--config", config, prefix=prefix)
        agent.wait_line("socket events on")
        return agent

    def server(self, script, address, port, prefix=()):
        child = subprocess.Popen([*prefix, sys.executable, "-c", script, address, str(port)], stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.kill, child)
        self.assertEqual(child.stdout.readline(), "there\n")
        return child

    @staticmethod
    def kill(child):
        child.kill()
        child.wait(WAIT)
        child.stdout.close()

    def get(self, agent, path, prefix=()):
        url = "http://%s:%d%s" % (*agent.address("admin listening"), path)
        return subprocess.run([*prefix, sys.executable, "-c", GET, url], capture_output=True, text=True, timeout=WAIT,
                              check=True).stdout

    def events(self, agent, prefix=()):
        """The kinds of events in the status, by name: (on, detail)."""
        status = json.loads(self.get(agent, "/v1/status", prefix))
        return {entry["name"]: (entry["on"], entry["detail"]) for entry in status["events"]}

    def metric(self, agent, name, prefix=()):
        for line in self.get(agent, "/metrics", prefix).splitlines():
            if line.startswith(name + " "):
                return float(line.split()[1])
        raise AssertionError(f"no metric {name}")

    def assert_withdrawn_soon(self, agent, child, address):
        begun = time.monotonic()
        self.kill(child)
        agent.wait_line(f"socket event address={address}")
        agent.wait_line("endpoint failing .*refused")
        self.assertLess(time.monotonic() - begun, SOON)


class OwnNamespaceTest(Case):
    def test_a_udp_server_that_dies_is_withdrawn_at_once(self):
        port = free_port()
        child = self.server(UDP_SERVER, "127.0.0.1", port)
        self.endpoint("127.0.0.1", port, protocol="UDP", check=UDP_CHECK)
        agent = self.agent(self.config())
        agent.wait_line("endpoint serving")
        self.assert_withdrawn_soon(agent, child, f"127.0.0.1:{port}")
        self.assertEqual(self.events(agent)["udp"], (True, ""))

    def test_a_listener_that_appears_is_probed_at_once(self):
        for script, protocol, check in ((TCP_SERVER, "TCP", TCP_CHECK), (UDP_SERVER, "UDP", UDP_CHECK)):
            with self.subTest(protocol=protocol), Bed() as self.bed:
                port = free_port()
                self.endpoint("127.0.0.1", port, protocol=protocol, check=check)
                agent = self.agent(self.config())
                eventually(lambda: self.probes(agent) >= FALL, "the first checks, which fail; the next one is in an hour")
                self.assertEqual(self.events(agent)["listener"], (True, "1 pending endpoint"))
                self.server(script, "127.0.0.1", port)
                agent.wait_line(f"listener appeared address=127.0.0.1:{port} endpoints=1")
                agent.wait_line("endpoint serving")
                eventually(lambda: self.events(agent)["listener"] == (True, "0 pending endpoints"), "nothing is pending")
                self.assertEqual(self.metric(agent, "meshdns_agent_appeared_listeners_total"), 1)

    def probes(self, agent):
        return self.metric(agent, 'meshdns_agent_probes_total{outcome="refused"}')


@unittest.skipIf(os.getuid() != 0, "only root enters other namespaces")
class ContainerTest(Case):
    """The agent is in one namespace, and the server in another one, with a cable between them."""

    def setUp(self):
        super().setUp()
        self.node = Namespace()
        self.addCleanup(self.node.close)
        self.node.ip("link set lo up")
        self.container = self.new_container()

    def new_container(self):
        container = Namespace()
        self.addCleanup(container.close)
        container.ip("link set lo up")
        self.node.cable(container, f"{NODE}/24", f"{CONTAINER}/24")
        return container

    def start(self, more="", prefix=()):
        agent = self.agent(self.config(address=NODE, more=more), prefix=[*self.node.prefix, *prefix])
        agent.wait_line("endpoint serving")
        return agent

    def watched(self, agent):
        return self.metric(agent, "meshdns_agent_watched_namespaces", self.node.prefix)

    def test_a_listener_in_a_container_that_dies_is_withdrawn_at_once(self):
        child = self.server(TCP_SERVER, "0.0.0.0", 8080, self.container.prefix)
        self.endpoint(CONTAINER, 8080)
        agent = self.start()
        agent.wait_line("namespace events on")
        self.assertEqual(self.events(agent, self.node.prefix)["namespace"], (True, "1 namespace watched"))
        self.assert_withdrawn_soon(agent, child, f"{CONTAINER}:8080")

    def test_a_udp_server_in_a_container_that_dies_is_withdrawn_at_once(self):
        child = self.server(UDP_SERVER, CONTAINER, 53, self.container.prefix)
        self.endpoint(CONTAINER, 53, protocol="UDP", check=UDP_CHECK)
        agent = self.start()
        agent.wait_line("namespace events on")
        self.assert_withdrawn_soon(agent, child, f"{CONTAINER}:53")

    def test_a_listener_that_appears_in_a_container_is_probed_at_once(self):
        self.endpoint(CONTAINER, 8080)
        agent = self.agent(self.config(address=NODE), prefix=self.node.prefix)
        agent.wait_line("namespace events on")
        metric = 'meshdns_agent_probes_total{outcome="refused"}'
        eventually(lambda: self.metric(agent, metric, self.node.prefix) >= FALL,
                   "the first checks, which fail; the next one is in an hour")
        self.server(TCP_SERVER, "0.0.0.0", 8080, self.container.prefix)
        agent.wait_line(f"listener appeared address={CONTAINER}:8080 endpoints=1")
        agent.wait_line("endpoint serving")

    def test_the_units_user_with_the_drop_in_is_told_too(self):
        unit = read_unit(os.path.join(ROOT, "systemd/meshdns-agent.service"))
        for key, values in read_unit(os.path.join(ROOT, "packaging/examples/meshdns-agent.service.d/namespaces.conf"))["Service"].items():
            unit["Service"][key] = values
        self.assertEqual(unit["Service"]["RestrictNamespaces"], ["net"])  # as setns() says which kind it enters
        os.chown(self.bed.folder, A_STRANGER, A_STRANGER)
        child = self.server(TCP_SERVER, "0.0.0.0", 8080, self.container.prefix)
        self.endpoint(CONTAINER, 8080)
        agent = self.start(prefix=as_unit(unit, A_STRANGER))
        agent.wait_line("namespace events on")
        self.assert_withdrawn_soon(agent, child, f"{CONTAINER}:8080")

    def test_a_container_that_ends_is_let_go_and_its_successor_is_watched(self):
        child = self.server(TCP_SERVER, "0.0.0.0", 8080, self.container.prefix)
        self.endpoint(CONTAINER, 8080)
        agent = self.start()
        agent.wait_line("namespace events on")
        descriptors = self.descriptors(agent)
        for _ in range(5):
            self.kill(child)
            self.container.close()
            eventually(lambda: self.watched(agent) == 0, "the namespace is let go")
            # the cable ends with its namespace, so it was not kept alive
            eventually(lambda: "veth" not in self.links(), "the namespace has ended")
            self.container = self.new_container()
            child = self.server(TCP_SERVER, "0.0.0.0", 8080, self.container.prefix)
            eventually(lambda: self.watched(agent) == 1, "the next container is found")
        self.assertLessEqual(self.descriptors(agent), descriptors)

    def links(self):
        return subprocess.run([*self.node.prefix, "ip", "-details", "link"], capture_output=True, text=True, timeout=WAIT,
                              check=True).stdout

    @staticmethod
    def descriptors(agent):
        return len(os.listdir(f"/proc/{agent.process.pid}/fd"))

    def test_without_permission_checks_go_on_and_it_is_said_once(self):
        child = self.server(TCP_SERVER, "0.0.0.0", 8080, self.container.prefix)
        self.endpoint(CONTAINER, 8080)
        agent = self.start(prefix=["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin", "--"])
        off = "namespace events off: only checks find listeners of containers that die"
        agent.wait_line(f'{off} reason="CAP_SYS_ADMIN is missing"')
        self.assertEqual(self.events(agent, self.node.prefix)["namespace"], (False, "CAP_SYS_ADMIN is missing"))
        self.assertEqual(self.metric(agent, 'meshdns_agent_kernel_events{kind="namespace"}', self.node.prefix), 0)
        text = ENDPOINT.format(address=CONTAINER, port=8080, service="app-b", protocol="TCP", check=TCP_CHECK)
        self.bed.write("endpoints.d/app-b.yaml", text.replace("1h", "200ms"))
        self.kill(child)
        agent.wait_line("endpoint failing")
        self.assertEqual(len([line for line in agent.lines if off in line]), 1)
        os.remove(self.bed.path("endpoints.d/app-b.yaml"))
        agent.wait_line("namespace events are not needed")

    def test_they_can_be_switched_off(self):
        self.server(TCP_SERVER, "0.0.0.0", 8080, self.container.prefix)
        self.endpoint(CONTAINER, 8080)
        agent = self.start(more='namespaces: "off"\n')
        on, detail = self.events(agent, self.node.prefix)["namespace"]
        self.assertFalse(on)
        self.assertEqual(detail, 'namespaces: "off" in agent.yaml')
        self.assertEqual(self.watched(agent), 0)


if __name__ == "__main__":
    unittest.main()
