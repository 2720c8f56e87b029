"""An endpoint that comes back gets its weight in tenths: nothing but the time makes the answers anew."""
import time
import unittest

from mesh import Bed, ask, eventually, run

OBJECT = """\
apiVersion: meshdns.io/v1alpha1
kind: VirtualDestination
metadata: {name: web, namespace: shop}
spec:
  hosts: [web.mesh.internal]
  services: [{name: web}]
  policy: {slowStart: 6s, ttl: 1s}
"""


class SlowStartTest(unittest.TestCase):
    def setUp(self):
        self.bed = self.enterContext(Bed())
        self.backends = {address: self.bed.backend(address) for address in ("127.0.5.1", "127.0.5.2")}
        self.bed.write("endpoints.d/web.yaml", "endpoints:\n" + "".join(
            f"  - {{service: web, namespace: shop, address: {address}, ports: [{{name: http, number: {backend.port}}}],\n"
            f"     checks: [{{tcp: {{port: http}}, interval: 1s, timeout: 5s}}]}}\n"
            for address, backend in self.backends.items()))
        config = self.bed.write("meshdnsd.yaml", f"""\
cluster: eu-1
zones: [{{name: mesh.internal}}]
dns: {{workers: "1", listen: [{{address: "127.0.0.1:0"}}]}}
federation: {{listen: "127.0.0.1:0", store: {{memory: {{}}}}}}
admin: {{listen: "127.0.0.1:0", socket: {self.bed.path("dnsd.sock")}}}
""")
        dnsd = self.bed.start("meshdnsd", "--config", config)
        self.server = dnsd.address("dns listening")
        host, port = dnsd.address("federation listening")
        agent = self.bed.write("agent.yaml", f"""\
node: n1
cluster: eu-1
addresses: [127.0.5.1]
federation: {{servers: ["{host}:{port}"]}}
discovery: {{static: {{directory: endpoints.d}}}}
admin: {{listen: "127.0.0.1:0", socket: {self.bed.path("agent.sock")}}}
""")
        self.bed.start("meshdns-agent", "--config", agent)
        code, out, err = run("meshdnsctl", "--server", f"unix:{self.bed.path('dnsd.sock')}", "apply", "-f",
                             self.bed.write("web.yaml", OBJECT))
        self.assertEqual(code, 0, out + err)

    def weights(self):
        reply = ask(self.server, "_http._tcp.web.mesh.internal", "SRV")
        return {record.target.to_text().split(".")[0]: record.weight
                for rrset in reply.answer for record in rrset}

    def test_weights_rise_to_the_whole(self):
        whole = {"127-0-5-1": 100, "127-0-5-2": 100}
        eventually(lambda: self.weights() == whole or None, "both serve")
        port = self.backends["127.0.5.2"].port
        self.backends["127.0.5.2"].close()
        eventually(lambda: self.weights() == {"127-0-5-1": 100} or None, "one is gone")
        time.sleep(7)  # what is left has its whole weight then
        self.bed.backend("127.0.5.2", port)
        seen = []

        def done():
            weights = self.weights()
            if "127-0-5-2" in weights and weights["127-0-5-2"] not in seen:
                seen.append(weights["127-0-5-2"])
            return weights == whole or None

        eventually(done, "the whole weight again")
        self.assertEqual(seen, sorted(seen))
        self.assertGreater(len(seen), 2, seen)
        self.assertLess(seen[0], 50, seen)


if __name__ == "__main__":
    unittest.main()
