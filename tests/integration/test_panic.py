"""Spill and panic with real binaries: the log has both edges, metrics and _explain say what is answered and why."""
import re
import signal
import unittest
import urllib.request

from mesh import WAIT, Bed, addresses, ask, eventually, texts

STATES = ("serving", "failing", "failing", "failing", "failing")


def mesh_file(states):
    endpoints = "".join(
        f"      - {{service: web, namespace: shop, address: 10.0.0.{i + 1}, state: {state}, "
        f"ports: [{{name: http, number: 80}}]}}\n" for i, state in enumerate(states))
    return f"""\
nodes:
  - name: n1
    cluster: eu-1
    addresses: [10.0.0.11]
    endpoints:
{endpoints}objects:
  - apiVersion: meshdns.io/v1alpha1
    kind: VirtualDestination
    metadata: {{name: web, namespace: shop}}
    spec:
      hosts: [web.mesh.internal]
      services: [{{name: web}}]
      policy: {{spill: {{panicBelow: 50%}}}}
"""


class PanicTest(unittest.TestCase):
    def setUp(self):
        self.bed = self.enterContext(Bed())
        self.write(STATES)
        self.dnsd = self.bed.start("meshdnsd", "--config", self.bed.write("meshdnsd.yaml", f"""\
cluster: eu-1
roles: [dns]
zones: [{{name: mesh.internal}}]
data_dir: {self.bed.path("state")}
dns: {{workers: "1", listen: [{{address: "127.0.0.1:0"}}], endpoints_file: {self.bed.path("mesh.yaml")}}}
admin: {{listen: "127.0.0.1:0", socket: {self.bed.path("dnsd.sock")}}}
"""))
        self.server = self.dnsd.address("dns listening")
        self.dnsd.wait_line(" ready ")

    def write(self, states):
        self.bed.write("mesh.yaml", mesh_file(states))

    def reload(self, states):
        self.write(states)
        self.dnsd.send_signal(signal.SIGHUP)

    def metric(self, name):
        host, port = self.dnsd.address("admin listening")
        with urllib.request.urlopen(f"http://{host}:{port}/metrics", timeout=WAIT) as reply:
            return float(re.search(rf"^{name} (\S+)$", reply.read().decode(), re.M).group(1))

    def explained(self):
        return "\n".join(texts(ask(self.server, "_explain.web.mesh.internal", "TXT")))

    def test_both_edges(self):
        self.dnsd.wait_line("panic: failing endpoints are answered too.*hosts=1")
        self.assertEqual(len(addresses(ask(self.server, "web.mesh.internal"))), 5)
        self.assertIn("load 100% panic:", self.explained())
        self.assertEqual(self.metric("meshdns_answers_panic_hosts"), 1)
        self.reload(("serving", "serving", "serving", "failing", "failing"))
        eventually(lambda: "% panic:" not in self.explained() or None, "60 % serve: the panic is over")
        self.dnsd.wait_line("panic is over")
        self.assertEqual(self.metric("meshdns_answers_panic_hosts"), 0)
        self.assertEqual(addresses(ask(self.server, "web.mesh.internal")), ["10.0.0.1", "10.0.0.2", "10.0.0.3"])


if __name__ == "__main__":
    unittest.main()
