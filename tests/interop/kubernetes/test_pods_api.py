"""Pods of a real API server as endpoints: what the agent makes of each thing that happens to a pod.

The kubelet is played (kubelet.py): it writes the status, and runs processes at the pods' addresses where a row needs them.
"""
import itertools
import unittest

import kube_plane
import lab

kube_plane.program()  # the namespaces have no way out
lab.enter()
from kubelet import Cgroups, kill  # noqa: E402  (siblings that need none of the above)
from pod_bed import PodBed, install, route_pods  # noqa: E402


def setUpModule():
    global plane, kubelet, bed, cgroups
    route_pods()
    cgroups = unittest.enterModuleContext(Cgroups())
    plane = unittest.enterModuleContext(kube_plane.ControlPlane())
    install(plane, "meshdns-agent")
    plane.namespace("shop")
    bed = unittest.enterModuleContext(PodBed(plane, cgroups=cgroups.root or "/sys/fs/cgroup", proxied=False))
    bed.begin_federation()
    kubelet = bed.kubelet()
    bed.agent = bed.begin_agent()


class PodsTest(unittest.TestCase):
    """Each test has a service and addresses of its own."""

    numbers = itertools.count(1)

    def setUp(self):
        number = next(self.numbers)
        self.service = f"app-{number}"
        self.address = lambda host: f"10.244.{number}.{host}"

    def start(self, name, host, service=None, **what):
        return kubelet.pod(f"{self.service}-{name}", [self.address(host)], service or self.service, **what)

    def place(self, name):
        return kubelet.place(f"{self.service}-{name}")

    def status(self, name, host, **what):
        return kubelet.status(f"{self.service}-{name}", self.address(host), **what)

    def wait(self, *hosts, service=None):
        bed.wait([self.address(host) for host in hosts], (service or self.service) + ".shop")

    def test_readiness_decides(self):
        self.start("a", 1, ready=False)
        self.start("b", 2)
        self.wait(2)
        self.status("a", 1, ready=True)
        self.wait(1, 2)
        self.status("b", 2, ready=False)
        self.wait(1)
        self.status("b", 2, ready=True)
        self.wait(1, 2)

    def test_a_pod_without_an_address_is_nobody(self):
        self.start("a", 1, ready=None)
        self.start("b", 2)
        self.wait(2)
        self.status("a", 1)
        self.wait(1, 2)

    def test_labels_are_followed(self):
        self.start("a", 1)
        self.start("b", 2, service=f"other-{self.service}")
        self.wait(1)
        plane.patch(self.place("b"), {"metadata": {"labels": {"meshdns.io/service": self.service}}})
        self.wait(1, 2)
        plane.patch(self.place("a"), {"metadata": {"labels": {"meshdns.io/service": None}}})
        self.wait(2)

    def test_a_pod_that_is_deleted_leaves_at_once(self):
        self.start("a", 1)
        self.start("b", 2)
        self.wait(1, 2)
        plane.delete(self.place("a"))  # with 30 s of grace
        self.wait(2)
        self.assertEqual(plane.request("GET", self.place("a"))[0], 200)  # it is there yet
        plane.delete(self.place("b"))
        bed.wait([self.address(1), self.address(2)], f"{self.service}.shop")  # nobody else is left: the last resort
        self.status("a", 1, ready=False)
        self.wait(2)
        for name in ("a", "b"):
            kubelet.end(f"{self.service}-{name}")
        self.wait()

    def test_a_finished_job_is_nobody_and_its_address_is_free(self):
        self.start("job", 1)
        self.wait(1)
        self.status("job", 1, ready=False, phase="Succeeded")
        self.wait()
        self.start("next", 1, service=f"next-{self.service}")
        self.wait(1, service=f"next-{self.service}")
        self.wait()

    def test_an_address_belongs_to_one_pod(self):
        self.start("old", 1)
        self.wait(1)
        plane.delete(self.place("old"))
        self.start("new", 1, service=f"new-{self.service}")
        self.wait(1, service=f"new-{self.service}")
        self.wait()
        kubelet.end(f"{self.service}-old")
        self.wait(1, service=f"new-{self.service}")
        self.wait()

    def test_a_name_that_comes_again_is_another_pod(self):
        """As the pods of a StatefulSet."""
        first = self.start("0", 1)
        self.start("1", 2)
        self.wait(1, 2)
        kubelet.end(f"{self.service}-0")
        self.wait(2)
        second = self.start("0", 3, ready=False)
        self.assertNotEqual(first["metadata"]["uid"], second["metadata"]["uid"])
        self.wait(2)
        self.status("0", 3)
        self.wait(2, 3)

    def test_both_families(self):
        number = self.service.removeprefix("app-")
        both = [self.address(1), f"fd00:244::{number}"]
        kubelet.pod(f"{self.service}-a", both, self.service)
        bed.wait(both[:1], f"{self.service}.shop")
        bed.wait(both[1:], f"{self.service}.shop", "AAAA")

    def test_a_pod_in_the_network_of_its_node_is_at_the_node(self):
        kubelet.pod(f"{self.service}-a", ["10.0.0.1"], self.service, hostNetwork=True, port=9001)
        kubelet.pod(f"{self.service}-b", ["10.0.0.1"], f"other-{self.service}", hostNetwork=True, port=9002)
        for service in (self.service, f"other-{self.service}"):
            bed.wait(["10.0.0.1"], f"{service}.shop")
        kubelet.end(f"{self.service}-a")
        bed.wait([], f"{self.service}.shop")
        bed.wait(["10.0.0.1"], f"other-{self.service}.shop")

    def test_an_eviction_is_a_deletion(self):
        self.start("a", 1)
        self.start("b", 2)
        self.wait(1, 2)
        plane.create(self.place("a") + "/eviction", {
            "apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": f"{self.service}-a", "namespace": "shop"}})
        self.wait(2)

    def test_a_killed_process_is_out_before_its_kubelet_says_so(self):
        if not cgroups.root:
            self.skipTest("not on this machine: cgroup v2")
        pods = {}
        for host in (1, 2):
            made = self.start(str(host), host, ready=None)
            container, process = cgroups.run(made["metadata"]["uid"], self.address(host), 8080)
            pods[host] = made["metadata"]["uid"], process
            self.status(str(host), host, container=container)
        self.wait(1, 2)
        uid, process = pods[1]
        kill(process)
        self.wait(2)
        bed.agent.wait_line(f"container ended key=pod/{uid}")
        container, _ = cgroups.run(uid, self.address(1), 8080)  # its kubelet has started another one
        self.status("1", 1, container=container, restarts=1)
        self.wait(1, 2)

    def test_a_node_says_where_its_pods_are(self):
        self.start("a", 1)
        self.wait(1)
        bed.agent.wait_line("kubernetes node read node=n1 region=eu zone=eu-a")
        place = bed.status()["locality"]
        self.assertEqual((place["region"], place["zone"]), ("eu", "eu-a"))


if __name__ == "__main__":
    unittest.main()
