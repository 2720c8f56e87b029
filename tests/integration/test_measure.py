"""Agents of two clusters measure each other, on loopback; a gateway that dies is down, and one that is back is up."""
import json
import unittest
import urllib.request

from mesh import WAIT, eventually, texts
from three_clusters import Mesh

OBJECTS = """\
apiVersion: meshdns.io/v1alpha1
kind: Cluster
metadata: {{name: eu-1}}
spec: {{locality: {{region: eu}}}}
---
apiVersion: meshdns.io/v1alpha1
kind: Cluster
metadata: {{name: us-1}}
spec:
  locality: {{region: us}}
  gateways:
    - {{address: {address}, ports: [{{name: http, number: {port}}}]}}
"""


class MeasureTest(unittest.TestCase):
    def setUp(self):
        self.mesh = self.enterContext(Mesh())
        self.mesh.start_daemon()
        self.mesh.backends, self.mesh.agents = {}, {}

    def cluster(self, name):
        """The status of a Cluster object, as `get` prints it."""
        code, out, err = self.mesh.ctl("get", "cluster", name, "-o", "json")
        self.assertEqual(code, 0, err)
        return json.loads(out).get("status", {})

    def milliseconds(self, name, to):
        """What it measures, in ms; loopback is far below one."""
        text = self.cluster(name).get("distances", {}).get(to)
        return text and float(text.removesuffix("us").removesuffix("ms")) / (1000 if text.endswith("us") else 1)

    def test_endpoints_stand_for_a_cluster_without_gateways(self):
        self.mesh.start_agent("eu-1", "127.0.1.11")
        self.mesh.start_agent("us-1", "127.0.3.11")
        self.mesh.apply(OBJECTS.split("  gateways:")[0].format())
        for name, to in (("eu-1", "us-1"), ("us-1", "eu-1")):
            far = eventually(lambda name=name, to=to: self.milliseconds(name, to), f"{name} measures {to}")
            self.assertTrue(0 < far < 200, far)
        code, table, err = self.mesh.ctl("get", "clusters")
        self.assertEqual(code, 0, err)
        self.assertRegex(table, r"NAME +WHERE +DISTANCES +MEASURED +GATEWAYS DOWN")
        self.assertRegex(table, r"eu-1 .* us-1:\d")
        code, text, err = self.mesh.ctl("describe", "cluster", "eu-1")
        self.assertEqual(code, 0, err)
        self.assertRegex(text, r"distances:\n +us-1: \d")
        # and the answers go by it
        eventually(lambda: any("any us-1 (" in line for line in self.explained()), "the ladder knows how far us-1 is")

    def explained(self):
        return texts(self.mesh.ask("eu-1", "_explain.app-b.shop.mesh.internal", "TXT"))

    def test_a_gateway_that_dies_is_down_and_up_again(self):
        self.mesh.start_agent("eu-1", "127.0.1.11")
        gateway = self.mesh.backend("127.0.3.1")
        self.mesh.apply(OBJECTS.format(address=gateway.address, port=gateway.port))
        eventually(lambda: self.milliseconds("eu-1", "us-1"), "the gateway is measured")
        self.assertNotIn("gatewaysDown", self.cluster("eu-1"))

        gateway.close()
        self.mesh.daemon.wait_line(r"warning? gateway down gateway=127.0.3.1 from=eu-1")
        self.assertEqual(self.cluster("eu-1")["gatewaysDown"], ["127.0.3.1"])
        self.assertTrue(self.milliseconds("eu-1", "us-1"), "it is as far as it was")
        code, table, err = self.mesh.ctl("get", "clusters")
        self.assertEqual(code, 0, err)
        self.assertRegex(table, r"eu-1 .* 127\.0\.3\.1 ")
        self.assertEqual(self.metric('meshdns_catalog_gateways_down{from="eu-1"}'), 1)
        self.assertGreater(self.metric('meshdns_catalog_distance_seconds{from="eu-1",to="us-1"}'), 0)
        self.assertEqual(self.metric("meshdns_federation_measured_targets"), 1)

        self.mesh.backend("127.0.3.1", gateway.port)
        self.mesh.daemon.wait_line(r"gateway up gateway=127.0.3.1 from=eu-1")
        self.assertNotIn("gatewaysDown", self.cluster("eu-1"))

    def test_what_was_measured_outlives_a_restart_of_the_federation(self):
        self.mesh.start_agent("eu-1", "127.0.1.11")
        gateway = self.mesh.backend("127.0.3.1")
        self.mesh.apply(OBJECTS.format(address=gateway.address, port=gateway.port))
        before = eventually(lambda: self.milliseconds("eu-1", "us-1"), "the gateway is measured")
        self.mesh.agents["eu-1"].stop()
        self.mesh.daemon.stop()
        self.mesh.start_daemon()
        self.assertEqual(self.milliseconds("eu-1", "us-1"), before)

    def metric(self, name):
        with urllib.request.urlopen("http://%s:%d/metrics" % self.mesh.admin, timeout=WAIT) as reply:
            for line in reply.read().decode().splitlines():
                if line.startswith(name + " "):
                    return float(line.split()[-1])
        raise AssertionError(f"{name} is not exposed")


if __name__ == "__main__":
    unittest.main()
