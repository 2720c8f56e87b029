"""A node with addresses of both families: each is checked and answered by its own result."""
import socket
import unittest

import one_cluster
from mesh import Bed, addresses, ask, eventually, run, texts
from ports import free_port

CONFIG = one_cluster.AGENT.replace("addresses: [127.0.0.1]", 'addresses: [127.0.0.1, "::1"]')


class FamiliesTest(unittest.TestCase):
    def setUp(self):
        self.bed = self.enterContext(Bed())
        port = free_port()
        options = {"folder": self.bed.folder, "port": port}
        self.daemon = self.bed.start("meshdnsd", "--config",
                                     self.bed.write("federation.yaml", one_cluster.FEDERATION.format(**options)))
        self.backend = self.bed.backend("127.0.0.1")
        self.bed.write("n1.d/app-b.yaml", one_cluster.ENDPOINTS.format(port=self.backend.port))
        self.config = self.bed.write("n1.yaml", CONFIG.format(node="n1", zone="eu-a", **options))
        self.server = self.daemon.address("dns listening")

    def answered(self, kind):
        return addresses(ask(self.server, "app-b.shop.mesh.internal", kind))

    def test_a_service_on_one_family_is_answered_there_alone(self):
        agent = self.bed.start("meshdns-agent", "--config", self.config)
        eventually(lambda: self.answered("A") == ["127.0.0.1"], "the IPv4 address is answered")
        agent.wait_line(r"address not answered key=\S+ address=::1 why=\"IPv6 is not answered: connection refused\"")
        self.assertEqual(self.answered("AAAA"), [])
        explained = texts(ask(self.server, "_explain.app-b.shop.mesh.internal", "TXT"))
        self.assertTrue(any("IPv6 is not answered: connection refused" in line for line in explained), explained)
        self.enterContext(socket.create_server(("::1", self.backend.port), family=socket.AF_INET6))
        eventually(lambda: self.answered("AAAA") == ["::1"], "the IPv6 address is answered too")
        self.assertEqual(self.answered("A"), ["127.0.0.1"])

    def test_once_has_a_line_for_each_address(self):
        code, out, err = run("meshdns-agent", "--once", "--config", self.config)
        self.assertEqual((code, err), (0, ""))
        self.assertEqual([line.split()[1:3] for line in out.splitlines()[1:]],
                         [[f"127.0.0.1:{self.backend.port}", "serving"], [f"[::1]:{self.backend.port}", "failing"]])


if __name__ == "__main__":
    unittest.main()
