"""The Services of a cluster of Kubernetes as hosts: from the API server's slices to answers, with agents and without."""
import os
import subprocess
import threading
import time
import unittest

import dns.edns

from api_server import AGENT, NAMESPACES, NODES, SERVICES, SLICES, ApiServer, endpoint, place, pod, service, slice_of
from mesh import BIN, WAIT, addresses, ask, eventually
from ports import free_port
from tls_bed import TlsBed

GRACE = 75  # seconds
FEDERATION = """\
cluster: eu-1
locality: {{region: eu, zone: eu-a}}
zones: [{{name: mesh.internal}}]
data_dir: {folder}/data
dns:
  listen: [{{address: "127.0.0.1:0"}}]
  trusted_forwarders: [{{kubernetes: {{namespace: shop, service: kube-dns}}}}]
federation:
  listen: "127.0.0.1:{port}"
  store: {{sqlite: {{}}}}
  kubernetes: [{{cluster: eu-1, server: "https://127.0.0.1:{api}", ca_file: ca.pem, token_file: token}}]
admin: {{listen: "127.0.0.1:0", socket: {folder}/fed.sock}}
"""
EXPORTS = "/apis/multicluster.x-k8s.io/v1beta1/serviceexports"
EXPORTED = {"Valid": ("True", "Valid"), "Ready": ("True", "Exported"), "Conflict": ("False", "NoConflicts")}
NO_SERVICE = {"Valid": ("False", "NoService"), "Ready": ("False", "Pending"), "Conflict": ("False", "NoConflicts")}
FAR_AGENT = """\
node: far
cluster: us-1
locality: {{region: us}}
addresses: [127.0.0.1]
federation: {{servers: ["127.0.0.1:{port}"]}}
discovery: {{static: {{directory: {folder}/far.d}}}}
admin: {{listen: "127.0.0.1:0", socket: {folder}/far.sock}}
"""
FAR_ENDPOINT = "endpoints: [{{service: web, namespace: shop, address: 127.0.0.1, ports: [{{name: {name}, number: {port}}}]}}]\n"
NODE = {"kind": "Node", "apiVersion": "v1", "metadata": {"name": "n1", "uid": "nu", "labels": {
    "topology.kubernetes.io/region": "eu", "topology.kubernetes.io/zone": "eu-a"}}, "spec": {}, "status": {}}


class ServicesTest(unittest.TestCase):
    def setUp(self):
        self.bed = self.enterContext(TlsBed())
        self.bed.authority("ca")
        self.bed.certificate("api", "ca", uris=[])
        self.bed.write("token", "the-token\n")
        os.makedirs(self.bed.path("cgroup"))
        os.makedirs(self.bed.path("n1.d"))
        self.bed.write("cgroup/cgroup.controllers", "cpu\n")
        self.api = ApiServer(self.bed.path("api.pem"), self.bed.path("api.key"))
        self.addCleanup(lambda: self.api and self.api.close())
        self.api.nodes["n1"] = NODE
        self.api.put_object(NODES, "n1", place(), namespace="")
        self.api.put_object(NAMESPACES, "shop", {}, namespace="")
        self.port = free_port()
        words = {"folder": self.bed.folder, "port": self.port, "api": self.api.port}
        self.config = self.bed.write("fed.yaml", FEDERATION.format(**words))
        self.agent_config = self.bed.write("n1.yaml", AGENT.format(**words))

    def begin(self):
        self.federation = self.bed.start(os.path.join(BIN, "meshdnsd"), "--config", self.config)
        self.federation.wait_line(r" ready\b")
        self.dns = self.federation.address("dns listening")
        return self.federation

    def begin_agent(self):
        agent = self.bed.start(os.path.join(BIN, "meshdns-agent"), "--config", self.agent_config)
        agent.wait_line("kubernetes pods listed")
        return agent

    def answers(self, name="web"):
        return sorted(addresses(ask(self.dns, f"{name}.shop.mesh.internal")))

    def wait(self, expected, name="web"):
        eventually(lambda: self.answers(name) == expected, f"{name} is {expected}, not {self.answers(name)}")

    def status(self):
        out = subprocess.run([os.path.join(BIN, "meshdnsctl"), "--server", f"unix:{self.bed.path('fed.sock')}", "status"],
                             capture_output=True, text=True, check=False, timeout=60)
        return out.stdout + out.stderr

    def get_endpoints(self):
        out = subprocess.run([os.path.join(BIN, "meshdnsctl"), "--server", f"unix:{self.bed.path('fed.sock')}", "get", "endpoints"],
                             capture_output=True, text=True, check=True, timeout=60)
        return out.stdout

    def subnet_answered(self):
        subnet = dns.edns.ECSOption("127.0.9.0", 24)
        reply = ask(self.dns, "kube-dns.shop.mesh.internal", use_edns=True, options=[subnet])
        return any(isinstance(option, dns.edns.ECSOption) for option in reply.options)

    def test_from_a_service_to_an_answer_without_any_agent(self):
        federation = self.begin()
        federation.wait_line("kubernetes services listed cluster=eu-1 services=0")
        self.api.put_object(SERVICES, "web", service())
        self.api.put_object(SLICES, "web-1", slice_of("web", [endpoint("u1", "127.0.9.1"), endpoint("u2", "127.0.9.2", ready=False)]))
        self.wait(["127.0.9.1"])
        self.api.put_object(SLICES, "web-1", slice_of("web", [endpoint("u1", "127.0.9.1"), endpoint("u2", "127.0.9.2")]))
        self.wait(["127.0.9.1", "127.0.9.2"])
        self.api.put_object(SLICES, "web-1", slice_of("web", [
            endpoint("u1", "127.0.9.1", ready=False, serving=True, terminating=True), endpoint("u2", "127.0.9.2")]))
        self.wait(["127.0.9.2"])
        # the ports are those of the slice
        self.assertIn("8080", ask(self.dns, "_http._tcp.web.shop.mesh.internal", "SRV").to_text())
        # an object that cannot be read is said, and its last version stays
        self.api.put_object(SLICES, "web-1", {"metadata": {}, "endpoints": 7})
        federation.wait_line("kubernetes object cannot be read")
        self.wait(["127.0.9.2"])
        self.assertRegex(self.status(), "PROBLEM: shop/web-1: endpoints: expected a list")
        self.api.put_object(SLICES, "web-1", slice_of("web", []))
        federation.wait_line("kubernetes object can be read again")
        eventually(lambda: not self.answers(), "all are gone")

    def test_an_api_server_that_is_away_takes_no_answer_away(self):
        self.api.put_object(SERVICES, "web", service())
        self.api.put_object(SLICES, "web-1", slice_of("web", [endpoint("u1", "127.0.9.1")]))
        federation = self.begin()
        self.wait(["127.0.9.1"])
        self.api.deny(SLICES)
        federation.wait_line("kubernetes watch fails .*resources: .endpointslices")
        self.assertRegex(self.status(), "PROBLEM: endpointslices: .*403")
        self.api.close()
        self.api = None
        eventually(lambda: "not listed yet" not in self.status(), "the status has what was listed")
        self.wait(["127.0.9.1"])
        # not even a restart of the federation does
        federation.stop()
        federation = self.begin()
        federation.wait_line("kubernetes watch fails")
        self.wait(["127.0.9.1"])
        self.assertRegex(self.status(), "kubernetes +eu-1 .*not listed yet")

    def test_agents_take_over_and_leave_without_a_wrong_answer(self):
        self.api.put_object(SERVICES, "web", service())
        pods = {f"u{i}": f"127.0.9.{i}" for i in range(1, 5)}
        self.api.put_object(SLICES, "web-1", slice_of("web", [endpoint(uid, address) for uid, address in pods.items()]))
        for uid, address in pods.items():
            self.api.put(uid, pod(uid, address, None))
        federation = self.begin()
        everything = sorted(pods.values())
        self.wait(everything)
        wrong, ends, asked = [], threading.Event(), [0]

        def watch():
            while not ends.is_set():
                found = self.answers()
                asked[0] += 1
                if found != everything:
                    wrong.append(found)
        watcher = threading.Thread(target=watch)
        watcher.start()
        self.addCleanup(ends.set)
        agent = self.begin_agent()
        eventually(lambda: "1 agent with pods" in self.status(), "the agent owns the pods")
        time.sleep(1)
        agent.stop()  # as when the DaemonSet is removed
        federation.wait_line("agent leaves .*withdraw=false")
        # no lease ends in the first minute of a federation
        federation.wait_line("agent gone: its pods are followed by the API server's word", timeout=GRACE + WAIT)
        eventually(lambda: "0 agents with pods" in self.status(), "the federation follows them again")
        agent = self.begin_agent()
        eventually(lambda: "1 agent with pods" in self.status(), "the agent owns the pods again")
        done = subprocess.run([os.path.join(BIN, "meshdns-agent"), "leave", "--config", self.agent_config],
                              capture_output=True, text=True, check=False, timeout=60)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        eventually(lambda: "0 agents with pods" in self.status(), "the agent has left")
        time.sleep(1)
        ends.set()
        watcher.join()
        self.assertGreater(asked[0], 100)
        self.assertEqual(wrong, [])

    def test_a_deleted_node_takes_its_endpoints_with_it(self):
        self.api.put_object(NODES, "n2", place(zone="eu-b"), namespace="")
        self.api.put_object(SERVICES, "web", service())
        self.api.put_object(SLICES, "web-1", slice_of("web", [endpoint("u1", "127.0.9.1"), endpoint("u2", "127.0.9.2", node="n2")]))
        self.begin()
        self.wait(["127.0.9.1"])  # zone eu-a is nearer
        self.api.remove_object(NODES, "n1", namespace="")
        self.wait(["127.0.9.2"])

    def test_the_addresses_of_a_service_are_trusted_forwarders(self):
        self.api.put_object(SERVICES, "kube-dns", service())
        federation = self.begin()
        federation.wait_line("kubernetes services listed")
        self.api.put_object(SLICES, "kube-dns-1", slice_of("kube-dns", [endpoint("d1", "127.0.0.1"), endpoint("d2", "127.0.9.53")]))
        federation.wait_line("trusted forwarders changed addresses=2")
        # only a trusted forwarder gets an answer to the option
        eventually(self.subnet_answered, "127.0.0.1 is trusted")
        self.api.put_object(SLICES, "kube-dns-1", slice_of("kube-dns", [endpoint("d2", "127.0.9.53")]))
        federation.wait_line("trusted forwarders changed addresses=1")
        eventually(lambda: not self.subnet_answered(), "127.0.0.1 is trusted no more")

    # ---- ServiceExports ----

    def begin_exports(self):
        self.api.groups["/apis/multicluster.x-k8s.io"] = ["v1beta1", "v1alpha1"]

    def export(self, name, generation=1, status=None):
        """A ServiceExport as kubectl makes it, or as a controller of others has left it."""
        thing = {"kind": "ServiceExport", "apiVersion": "multicluster.x-k8s.io/v1beta1", "metadata": {"generation": generation}}
        self.api.put_object(EXPORTS, name, thing | ({"status": status} if status else {}))

    def conditions(self, name="web"):
        """{type: (status, reason)} of a ServiceExport, as the API server has it."""
        with self.api.lock:
            thing = self.api.collections.get(EXPORTS, {}).get(f"serviceexports-shop-{name}", {})
            return {each["type"]: (each["status"], each["reason"]) for each in thing.get("status", {}).get("conditions", [])}

    def wait_conditions(self, expected, name="web"):
        eventually(lambda: self.conditions(name) == expected, f"{name} has {expected}, not {self.conditions(name)}")

    def test_a_service_export_says_what_became_of_it(self):
        self.begin_exports()
        federation = self.begin()
        federation.wait_line("kubernetes serviceexports are followed .*version=v1beta1")
        self.export("web")
        self.wait_conditions(NO_SERVICE)
        self.api.put_object(SERVICES, "web", service())
        self.wait_conditions(EXPORTED)
        self.api.put_object(SERVICES, "web", service(type="ExternalName", externalName="web.example.org"))
        self.wait_conditions({"Valid": ("False", "InvalidServiceType"), "Ready": ("False", "Failed"),
                              "Conflict": ("False", "NoConflicts")})
        self.api.remove_object(SERVICES, "web")
        self.wait_conditions(NO_SERVICE)
        with self.api.lock:
            [condition] = [each for each in self.api.patches[-1][1]["status"]["conditions"] if each["type"] == "Valid"]
        self.assertEqual((condition["observedGeneration"], condition["message"]), (1, "there is no Service shop/web"))
        self.assertRegex(condition["lastTransitionTime"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")

    def test_a_status_is_written_once_and_leaves_the_conditions_of_others(self):
        self.begin_exports()
        other = {"type": "Programmed", "status": "True", "reason": "Other", "message": "of another controller",
                 "lastTransitionTime": "2026-11-29T16:00:00Z", "observedGeneration": 1}
        self.export("web", status={"conditions": [other]})
        self.api.put_object(SERVICES, "web", service())
        self.begin()
        self.wait_conditions(EXPORTED | {"Programmed": ("True", "Other")})
        for i in range(1, 20):  # the catalog changes, and the status does not
            self.api.put_object(SLICES, "web-1", slice_of("web", [endpoint("u1", f"127.0.9.{i}")]))
            self.wait([f"127.0.9.{i}"])
        time.sleep(2)
        self.assertEqual(len(self.api.patches), 1)
        self.export("web", generation=2, status=self.api.collections[EXPORTS]["serviceexports-shop-web"]["status"])
        eventually(lambda: len(self.api.patches) == 2, "another generation is observed")

    def test_clusters_that_export_other_ports_are_a_conflict(self):
        self.begin_exports()
        self.export("web")
        self.api.put_object(SERVICES, "web", service())
        self.api.put_object(SLICES, "web-1", slice_of("web", [endpoint("u1", "127.0.9.1")]))
        self.begin()
        self.wait_conditions(EXPORTED)
        far = self.bed.write("far.yaml", FAR_AGENT.format(folder=self.bed.folder, port=self.port))
        number = self.bed.backend().port
        self.bed.write("far.d/web.yaml", FAR_ENDPOINT.format(name="grpc", port=number))
        agent = self.bed.start(os.path.join(BIN, "meshdns-agent"), "--config", far)
        self.wait_conditions(EXPORTED | {"Conflict": ("True", "PortConflict")})
        with self.api.lock:
            [condition] = [each for each in self.api.patches[-1][1]["status"]["conditions"] if each["type"] == "Conflict"]
        self.assertEqual(condition["message"], "the ports differ: eu-1 has http/TCP; us-1 has grpc/TCP")
        agent.stop()
        self.bed.write("far.d/web.yaml", FAR_ENDPOINT.format(name="http", port=number))
        self.bed.start(os.path.join(BIN, "meshdns-agent"), "--config", far)
        self.wait_conditions(EXPORTED)

    def test_a_missing_rule_is_named_and_takes_no_answer_away(self):
        self.begin_exports()
        self.export("web")
        self.api.put_object(SERVICES, "web", service())
        self.api.put_object(SLICES, "web-1", slice_of("web", [endpoint("u1", "127.0.9.1")]))
        self.api.deny(EXPORTS + "/status")
        federation = self.begin()
        federation.wait_line(r"kubernetes status cannot be written.*resources: .serviceexports/status., verbs: .patch.")
        self.wait(["127.0.9.1"])
        self.assertRegex(self.status(), "PROBLEM: serviceexports/status: .*403")
        self.api.allow(EXPORTS + "/status")
        federation.wait_line("kubernetes status can be written again")
        self.wait_conditions(EXPORTED)
