"""Answers that an earlier run has compiled: when they are taken, and when not."""
import os
import re
import signal
import unittest
import urllib.request

from mesh import WAIT, Bed, addresses, ask, eventually

CONFIG = """\
cluster: eu-1
roles: [dns]
zones: [{{name: mesh.internal, contact: {contact}}}]
data_dir: {folder}/data
dns:
  workers: "1"
  listen: [{{address: "127.0.0.1:0"}}]
  endpoints_file: mesh.yaml
admin: {{listen: "127.0.0.1:0", socket: {folder}/meshdnsd.sock}}
"""
MESH = """\
nodes:
  - name: n1
    cluster: eu-1
    prefixes: [127.0.0.0/8]
    endpoints:
      - {{service: web, namespace: shop, address: {address}, ports: [{{name: http, number: 80}}]}}
"""
WEB = "web.shop.mesh.internal"


class WarmStartTest(unittest.TestCase):
    def setUp(self):
        self.bed = self.enterContext(Bed())
        self.kept = self.bed.path("data/answers.snapshot")
        self.write()
        self.start_and_keep()

    def write(self, address="10.0.0.1", contact="ops.example.net"):
        self.config = self.bed.write("meshdnsd.yaml", CONFIG.format(folder=self.bed.folder, contact=contact))
        self.bed.write("mesh.yaml", MESH.format(address=address))

    def start(self):
        server = self.bed.start("meshdnsd", "--config", self.config)
        server.wait_line("ready")
        return server

    def start_and_keep(self):
        """Starts, waits until the answers are kept, and ends in the roughest way."""
        server = self.start()
        eventually(lambda: os.path.exists(self.kept), "the answers are kept")
        server.stop(signal.SIGKILL)
        return server

    def outcome(self, server):
        """What the metrics say about the compiled answers, and what it answers."""
        host, port = server.address("admin listening")
        with urllib.request.urlopen(f"http://{host}:{port}/metrics", timeout=WAIT) as reply:
            text = reply.read().decode()
        found = re.findall(r'^meshdns_dnsd_compiled_answers\{outcome="(\w+)"\} 1$', text, re.MULTILINE)
        return found, addresses(ask(server.address("dns listening"), WEB))

    def test_the_next_start_takes_them(self):
        for _ in range(2):
            server = self.start()
            text = "\n".join(server.lines)
            self.assertLess(text.index("compiled answers taken hosts=1"), text.index("dns listening"))
            self.assertLess(text.index("dns listening"), text.index("ready"))
            self.assertEqual(self.outcome(server), (["taken"], ["10.0.0.1"]))
            server.stop(signal.SIGKILL)

    def test_nothing_is_kept_at_first(self):
        os.remove(self.kept)
        server = self.start()
        server.wait_line("compiled answers not taken reason=missing")
        self.assertEqual(self.outcome(server), (["missing"], ["10.0.0.1"]))

    def test_other_endpoints_are_others(self):
        self.write(address="10.0.0.2")
        server = self.start()
        server.wait_line("compiled answers not taken reason=other")
        self.assertEqual(self.outcome(server), (["other"], ["10.0.0.2"]))

    def test_another_configuration_is_another(self):
        self.write(contact="net.example.net")
        self.assertEqual(self.outcome(self.start()), (["other"], ["10.0.0.1"]))

    def test_a_reload_keeps_what_it_has_made(self):
        server = self.start()
        before = os.stat(self.kept).st_ino
        self.write(address="10.0.0.3")
        server.send_signal(signal.SIGHUP)
        eventually(lambda: os.stat(self.kept).st_ino != before, "the answers are kept anew")
        server.stop(signal.SIGKILL)
        self.assertEqual(self.outcome(self.start()), (["taken"], ["10.0.0.3"]))

    def test_damaged_ones_are_not_taken(self):
        with open(self.kept, "rb") as file:
            whole = file.read()
        at = len(whole) // 2
        for damaged in (whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:], whole[:-1], whole[:20], b""):
            with open(self.kept, "wb") as file:
                file.write(damaged)
            server = self.start()
            server.wait_line("compiled answers damaged problem=")
            self.assertEqual(self.outcome(server), (["damaged"], ["10.0.0.1"]))
            server.stop(signal.SIGKILL)


if __name__ == "__main__":
    unittest.main()
