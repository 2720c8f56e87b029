"""The pods of a node as endpoints: what the API server says, what the agent sees by itself, and nobody at the API server."""
import http.client
import json
import os
import re
import signal
import socket
import time
import unittest

import one_cluster
from api_server import AGENT, ApiServer, pod
from mesh import BIN, addresses, ask, eventually, run
from ports import free_port
from tls_bed import TlsBed

NODE = {"kind": "Node", "apiVersion": "v1", "metadata": {"name": "n1", "uid": "nu", "labels": {
    "topology.kubernetes.io/region": "eu-west", "topology.kubernetes.io/zone": "eu-west/a"}},
        "spec": {"podCIDRs": ["127.0.9.0/24"]}, "status": {"addresses": [{"type": "InternalIP", "address": "127.0.0.1"}]}}


class PodsTest(unittest.TestCase):
    def setUp(self):
        self.bed = self.enterContext(TlsBed())
        self.bed.authority("ca")
        self.bed.certificate("api", "ca", uris=[])
        self.bed.write("token", "the-token\n")
        os.makedirs(self.bed.path("cgroup"))
        self.bed.write("cgroup/cgroup.controllers", "cpu\n")
        self.api, self.api_port = None, 0
        self.begin_api()
        self.addCleanup(lambda: self.api and self.api.close())
        port = free_port()
        words = {"folder": self.bed.folder, "port": port}
        self.federation = self.bed.start(os.path.join(BIN, "meshdnsd"), "--config",
                                         self.bed.write("fed.yaml", one_cluster.FEDERATION.format(**words)))
        self.federation.wait_line(r" ready\b")
        self.dns = self.federation.address("dns listening")
        os.makedirs(self.bed.path("n1.d"))
        self.config = self.bed.write("n1.yaml", AGENT.format(api=self.api_port, **words))

    def begin_api(self, pods=None):
        self.api = ApiServer(self.bed.path("api.pem"), self.bed.path("api.key"), self.api_port)
        self.api_port = self.api.port
        self.api.nodes["n1"] = NODE
        self.api.pods = pods or {}
        return self.api

    def end_api(self):
        pods = self.api.pods
        self.api.close()
        self.api = None
        return pods

    def begin_agent(self):
        agent = self.bed.start(os.path.join(BIN, "meshdns-agent"), "--config", self.config)
        agent.wait_line(r" ready\b")
        return agent

    def cgroup(self, uid, container, populated):
        folder = f"cgroup/kubepods.slice/kubepods-pod{uid.replace('-', '_')}.slice/cri-containerd-{container}.scope"
        os.makedirs(self.bed.path(folder), exist_ok=True)
        with open(self.bed.path(folder + "/cgroup.events"), "w", encoding="ascii") as file:
            file.write(f"populated {populated}\nfrozen 0\n")

    def answers(self, name="app-b"):
        return sorted(addresses(ask(self.dns, f"{name}.shop.mesh.internal")))

    def wait(self, expected, name="app-b"):
        eventually(lambda: self.answers(name) == expected, f"{name} is {expected}, not {self.answers(name)}")

    def status(self):
        connection = http.client.HTTPConnection("localhost")
        with socket.socket(socket.AF_UNIX) as connection.sock:
            connection.sock.connect(self.bed.path("n1.sock"))
            connection.request("GET", "/v1/status")
            return json.loads(connection.getresponse().read())

    def test_a_label_makes_pods_answer(self):
        agent = self.begin_agent()
        self.api.put("u1", pod("app-b-1", "127.0.9.1", "app-b", ready=False))
        self.api.put("u2", pod("other-1", "127.0.9.2", None))
        agent.wait_line("kubernetes pods listed")
        self.api.put("u1", pod("app-b-1", "127.0.9.1", "app-b", since="2026-11-29T16:00:05Z"))
        self.wait(["127.0.9.1"])
        self.api.put("u3", pod("app-b-2", "127.0.9.3", "app-b"))
        self.wait(["127.0.9.1", "127.0.9.3"])
        self.api.put("u1", pod("app-b-1", "127.0.9.1", "app-b", ready=False, since="2026-11-29T16:00:09Z"))
        self.wait(["127.0.9.3"])
        self.api.put("u1", pod("app-b-1", "127.0.9.1", "app-b", since="2026-11-29T16:00:10Z"))
        self.wait(["127.0.9.1", "127.0.9.3"])
        self.api.put("u1", pod("app-b-1", "127.0.9.1", "app-b", since="2026-11-29T16:00:10Z", deleted=True))
        self.wait(["127.0.9.3"])
        self.api.remove("u1")
        self.api.remove("u3")
        eventually(lambda: not self.answers(), "all pods are gone")
        self.assertEqual(self.api.tokens, {"Bearer the-token"})

    def test_a_pod_without_a_service_is_answered_where_its_labels_are_selected(self):
        batch = pod("batch-1", "127.0.9.7", None)
        batch["metadata"]["labels"] = {"app": "batch"}
        self.api.put("u1", batch)
        self.api.put("u2", pod("app-b-1", "127.0.9.1", "app-b"))
        agent = self.begin_agent()
        agent.wait_line("kubernetes pods listed")
        self.wait(["127.0.9.1"])
        selecting = self.bed.write("batch.yaml", """\
apiVersion: meshdns.io/v1alpha1
kind: VirtualDestination
metadata: {name: batch, namespace: shop}
spec: {hosts: [batch.shop.mesh.internal], services: [{matchLabels: {app: batch}}]}
""")
        server = "unix:" + self.bed.path("federation.sock")
        code, out, err = run("meshdnsctl", "--server", server, "apply", "-f", selecting)
        self.assertEqual(code, 0, out + err)
        self.wait(["127.0.9.7"], "batch")
        code, out, err = run("meshdnsctl", "--server", server, "get", "endpoints")
        self.assertRegex(out, r"(?m)^shop/- +127\.0\.9\.7:8080 ")
        self.assertRegex(out, r"(?m)^shop/app-b +127\.0\.9\.1:8080 ")
        self.assertEqual([each["refused"] for each in self.status()["endpoints"]], ["", ""])

    def test_the_node_object_says_where_it_is(self):
        agent = self.begin_agent()
        agent.wait_line("kubernetes node read node=n1 region=eu-west zone=eu-west-a")
        self.federation.wait_line("agent session .*n1")
        status = eventually(lambda: self.status() if "eu-west-a" in json.dumps(self.status()) else None, "the place is shown")
        sources = {source["name"]: source for source in status["sources"]}
        self.assertEqual(set(sources), {"static", "local", "kubernetes"})
        eventually(lambda: {s["name"]: s for s in self.status()["sources"]}["kubernetes"].get("listed"), "listed")

    def test_a_dead_container_is_out_before_its_kubelet_says_so(self):
        name = "f" * 64
        self.cgroup("u-1", name, 1)
        self.cgroup("u-2", "e" * 64, 1)
        self.api.put("u-1", pod("app-b-1", "127.0.9.1", "app-b", container=name))
        self.api.put("u-2", pod("app-b-2", "127.0.9.2", "app-b", container="e" * 64))
        agent = self.begin_agent()
        self.wait(["127.0.9.1", "127.0.9.2"])
        begun = time.monotonic()
        self.cgroup("u-1", name, 0)
        self.wait(["127.0.9.2"])
        self.assertLess(time.monotonic() - begun, 5)  # the kubelet says nothing in this test
        agent.wait_line("container ended key=pod/u-1")
        # the kubelet has made a new container, and it is ready
        self.cgroup("u-1", "d" * 64, 1)
        self.api.put("u-1", pod("app-b-1", "127.0.9.1", "app-b", container="d" * 64, since="2026-11-29T16:01:00Z"))
        self.wait(["127.0.9.1", "127.0.9.2"])

    def test_without_the_api_server_nothing_changes(self):
        self.api.put("u1", pod("app-b-1", "127.0.9.1", "app-b"))
        self.api.put("u2", pod("app-b-2", "127.0.9.2", "app-b"))
        agent = self.begin_agent()
        both = ["127.0.9.1", "127.0.9.2"]
        self.wait(both)
        pods = self.end_api()
        agent.wait_line("kubernetes watch fails")
        self.assertEqual(self.answers(), both)
        agent.stop(signal.SIGKILL)
        agent = self.begin_agent()  # and knows nothing now
        agent.wait_line(r" connected ")
        agent.wait_line("kubernetes watch fails")
        for _ in range(20):
            self.assertEqual(self.answers(), both)
            time.sleep(0.05)
        pods.pop("u2")
        self.begin_api(pods)
        self.wait(["127.0.9.1"])  # what the list does not name is gone, and only then

    def test_a_mistake_is_said(self):
        wrong = pod("app-b-1", "127.0.9.1", "app-b")
        wrong["metadata"]["annotations"] = {"meshdns.io/weight": "many"}
        self.api.put("u1", wrong)
        agent = self.begin_agent()
        agent.wait_line(re.escape("shop/app-b-1: meshdns.io/weight: expected 0 to 65535"))
        self.wait(["127.0.9.1"])


if __name__ == "__main__":
    unittest.main()
