"""Which addresses an agent reports: those of its connection to the federation, as the machine has them now."""
import json
import unittest

import one_cluster
from mesh import Bed, eventually, run
from netns import Namespace
from ports import free_port

AGENT = """\
node: n1
cluster: eu-1
federation: {{servers: ["{server}:{port}"], insecure: true}}
discovery: {{static: {{directory: {folder}/n1.d}}}}
admin: {{listen: "127.0.0.1:0", socket: {folder}/n1.sock}}
"""
ENDPOINT = "endpoints: [{service: app-b, namespace: shop, ports: [{name: http, number: 8080}]}]\n"


class AddressesTest(unittest.TestCase):
    def setUp(self):
        self.bed = self.enterContext(Bed())
        self.options = {"folder": self.bed.folder, "port": free_port()}
        self.bed.write("n1.d/app-b.yaml", ENDPOINT)

    def start(self, binary, name, text, namespace=None, **more):
        """A daemon, in the namespace if one is given."""
        config = self.bed.write(name, text.format(**(self.options | more)))
        return self.bed.start(binary, "--config", config, prefix=namespace.prefix if namespace else ())

    def nodes(self):
        """The addresses of each node, as the federation has them."""
        code, out, err = run("meshdnsctl", "--server", f"unix:{self.bed.path('federation.sock')}",
                             "get", "nodes", "-o", "json")
        self.assertEqual(code, 0, err)
        nodes = json.loads(out)["nodes"]
        return {node["key"]: node.get("addresses", []) for node in nodes}

    def until(self, addresses):
        eventually(lambda: self.nodes() == {"eu-1/n1": addresses}, f"the addresses {addresses}")

    def lone(self):
        """A machine with loopback alone, and a federation on it that listens everywhere."""
        namespace = Namespace()
        self.addCleanup(namespace.close)
        namespace.ip("link set lo up")
        federation = one_cluster.FEDERATION.replace('"127.0.0.1:{port}"', '"0.0.0.0:{port}", insecure: true')
        self.start("meshdnsd", "federation.yaml", federation, namespace).wait_line(r"\bready\b")
        return namespace

    # Guards against an agent that starts before its network: it reported 127.0.0.1 for ever.
    def test_it_waits_for_an_address_and_follows_it(self):
        namespace = self.lone()
        agent = self.start("meshdns-agent", "n1.yaml", AGENT, namespace, server="10.77.0.1")
        agent.wait_line("this machine has no address yet that others can reach")
        self.assertEqual(self.nodes(), {})
        namespace.ip("addr add 10.77.0.1/32 dev lo")
        agent.wait_line("connected")
        self.until(["10.77.0.1"])
        agent.wait_line("addresses changed was=127.0.0.1 now=10.77.0.1")
        # the connection now comes from another one
        seen = len(agent.lines)
        namespace.ip("addr add 10.77.0.2/32 dev lo")
        namespace.ip("route replace local 10.77.0.1/32 dev lo src 10.77.0.2 table local")
        agent.wait_line("addresses changed was=10.77.0.1 now=10.77.0.2", after=seen)
        self.until(["10.77.0.2"])

    def test_routed_addresses_of_both_families_are_reported(self):
        namespace = self.lone()
        namespace.ip("addr add 10.77.0.1/32 dev lo")
        namespace.ip("-6 addr add fd77::1/128 dev lo")
        namespace.ip("route add 192.0.2.0/24 dev lo src 10.77.0.1")
        self.start("meshdns-agent", "n1.yaml", AGENT, namespace, server="[fd77::1]")
        self.until(["10.77.0.1", "fd77::1"])

    def test_loopback_is_not_told_to_a_federation_on_another_machine(self):
        namespace = self.lone()
        namespace.ip("addr add 10.77.0.1/32 dev lo")
        text = AGENT + "addresses: [10.77.0.1, 127.0.0.1]\n"
        agent = self.start("meshdns-agent", "n1.yaml", text, namespace, server="10.77.0.1")
        agent.wait_line("not connected .*addresses: 127.0.0.1 is on this machine only")
        self.assertEqual(self.nodes(), {})

    def test_a_federation_that_is_named_is_asked_where_it_is(self):
        federation = self.start("meshdnsd", "federation.yaml", one_cluster.FEDERATION)
        federation.wait_line(r"\bready\b")
        agent = self.start("meshdns-agent", "n1.yaml", AGENT, server="localhost")
        agent.wait_line(r"\bconnected server=localhost:")
        self.assertTrue(eventually(lambda: self.nodes().get("eu-1/n1"), "the node is known with addresses"))


if __name__ == "__main__":
    unittest.main()
