"""Services, EndpointSlices and Nodes of a real API server and its real controllers: what the federation makes of them.

Node n1 has an agent, node n2 has none. The federation has exactly the role that is shipped.
"""
import itertools
import os
import sys
import unittest

import dns.rdatatype

import kube_plane
import lab
from peers import ROOT

kube_plane.program()  # the namespaces have no way out
lab.enter()
sys.path.append(os.path.join(ROOT, "tests", "bench"))
from checking_client import LOST, WRONG, Load  # noqa: E402  (siblings that need none of the above)
from mesh import ask  # noqa: E402
from pod_bed import PodBed, install, route_pods  # noqa: E402

SLICES = "/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices"
SERVICES = "/api/v1/namespaces/shop/services"


def setUpModule():
    global plane, bed, near, far
    route_pods()
    plane = unittest.enterModuleContext(kube_plane.ControlPlane(controllers=True))
    for account in ("meshdns-agent", "meshdnsd"):
        install(plane, account)
    plane.namespace("shop")
    bed = unittest.enterModuleContext(PodBed(plane, cgroups=plane.folder, proxied=False))
    near = bed.kubelet("n1", zone="eu-a")
    far = bed.kubelet("n2", address="10.0.0.2", pods="10.244.128.0/24", zone="eu-b")
    bed.begin_federation(bed.followed((plane, "eu-1")))
    bed.federation.wait_line("kubernetes services listed")
    bed.agent = bed.begin_agent("n1", address="10.0.0.1")


def service_object(name, selector, ports=(("http", 80, "http"),), **spec):
    return {"metadata": {"name": name}, "spec": {"selector": selector, **spec, "ports": [
        {"name": name, "port": port, "targetPort": target} for name, port, target in ports]}}


class ServicesTest(unittest.TestCase):
    """Each test has a Service and addresses of its own: pod 1, 2, ... are on n1, pod 128, 129, ... on n2."""

    numbers = itertools.count(1)

    def setUp(self):
        self.number = next(self.numbers)
        self.service = f"web-{self.number}"
        self.selector = {"app": self.service}

    def address(self, host):
        return f"10.244.{self.number}.{host}"

    def create(self, **spec):
        plane.create(SERVICES, service_object(self.service, self.selector, **spec))

    def pod(self, host, **what):
        kubelet = near if host < 128 else far
        return kubelet.pod(f"{self.service}-{host}", [self.address(host)], labels=self.selector, **what)

    def status(self, host, **what):
        (near if host < 128 else far).status(f"{self.service}-{host}", self.address(host), **what)

    def end(self, host):
        near.end(f"{self.service}-{host}")

    def wait(self, *hosts, name=None):
        bed.wait([self.address(host) for host in hosts], f"{name or self.service}.shop")

    def ports(self, name=None):
        """(target, port) of the Service's SRV record http"""
        reply = ask(bed.dns, f"_http._tcp.{name or self.service}.shop.mesh.internal", "SRV")
        return sorted(item.port for rrset in reply.answer if rrset.rdtype == dns.rdatatype.SRV for item in rrset)

    def test_a_service_is_its_pods(self):
        self.create()
        self.pod(1)
        self.pod(128)
        self.pod(2, ready=False)
        self.wait(1, 128)
        self.assertEqual(self.ports(), [8080, 8080])  # http is 8080 in the pods
        self.status(2, ready=True)
        self.status(128, ready=False)
        self.wait(1, 2)
        self.status(128, ready=True)
        self.end(1)
        self.wait(2, 128)
        plane.delete(f"{SERVICES}/{self.service}")
        self.wait()  # the name stays for forget_after

    def test_pods_come_before_their_service(self):
        self.pod(1)
        self.pod(128)
        self.create()
        self.wait(1, 128)

    def test_a_pod_is_in_several_services(self):
        self.create()
        plane.create(SERVICES, service_object(f"other-{self.number}", self.selector, ports=[("http", 81, 9100)]))
        self.pod(1)
        self.wait(1)
        self.wait(1, name=f"other-{self.number}")
        self.assertEqual((self.ports(), self.ports(f"other-{self.number}")), ([8080], [9100]))
        plane.delete(f"{SERVICES}/other-{self.number}")
        self.wait(name=f"other-{self.number}")
        self.wait(1)

    def test_a_pod_that_is_deleted_leaves_at_once(self):
        self.create()
        for host in (1, 2, 128, 129):
            self.pod(host)
        self.wait(1, 2, 128, 129)
        for host in (1, 128):
            plane.delete(near.place(f"{self.service}-{host}"))
        self.wait(2, 129)

    def test_headless_names_of_pods(self):
        """A StatefulSet's Service: peers find each other before they are ready."""
        self.create(clusterIP="None", publishNotReadyAddresses=True)
        for host in (1, 128):
            self.pod(host, ready=False, hostname=f"peer-{host}", subdomain=self.service)
        self.wait(1, 128)
        for host in (1, 128):
            bed.wait([self.address(host)], f"peer-{host}.{self.service}.shop")

    def test_without_a_selector(self):
        plane.create(SERVICES, {"metadata": {"name": self.service}, "spec": {"ports": [{"name": "http", "port": 80}]}})
        plane.create(SLICES, {
            "metadata": {"name": self.service + "-a", "labels": {"kubernetes.io/service-name": self.service}},
            "addressType": "IPv4", "ports": [{"name": "http", "port": 5432, "protocol": "TCP"}],
            "endpoints": [{"addresses": [self.address(7)], "conditions": {}}]})
        self.wait(7)
        self.assertEqual(self.ports(), [5432])
        plane.delete(f"{SLICES}/{self.service}-a")
        self.wait()

    def test_an_endpoints_object_is_mirrored(self):
        plane.create(SERVICES, {"metadata": {"name": self.service}, "spec": {"ports": [{"name": "http", "port": 80}]}})
        plane.create("/api/v1/namespaces/shop/endpoints", {"metadata": {"name": self.service}, "subsets": [
            {"addresses": [{"ip": self.address(8)}], "ports": [{"name": "http", "port": 80}]}]})
        self.wait(8)

    def test_an_external_name_has_no_endpoints(self):
        plane.create(SERVICES, {"metadata": {"name": self.service}, "spec": {
            "type": "ExternalName", "externalName": "db.example.net"}})
        self.pod(1)
        plane.create(SERVICES, service_object(f"other-{self.number}", self.selector))
        self.wait(1, name=f"other-{self.number}")
        self.wait()

    def test_both_families(self):
        self.create(ipFamilyPolicy="PreferDualStack")
        for kubelet, host in ((near, 1), (far, 128)):
            kubelet.pod(f"{self.service}-{host}", [self.address(host), f"fd00:244::{self.number}:{host}"], labels=self.selector)
        self.wait(1, 128)
        bed.wait([f"fd00:244::{self.number}:1", f"fd00:244::{self.number}:128"], f"{self.service}.shop", "AAAA")

    def test_an_address_and_a_name_come_again(self):
        self.create()
        for host in (1, 128):
            self.pod(host)
        self.wait(1, 128)
        plane.create(SERVICES, service_object(f"next-{self.number}", {"app": f"next-{self.number}"}))
        for kubelet, host in ((near, 1), (far, 128)):
            self.end(host)
            kubelet.pod(f"next-{self.number}-{host}", [self.address(host)], labels={"app": f"next-{self.number}"})
        self.wait(1, 128, name=f"next-{self.number}")
        self.wait()
        for host in (1, 128):  # the old names, with other addresses
            (near if host < 128 else far).pod(f"{self.service}-{host}", [self.address(host + 1)], labels=self.selector)
        self.wait(2, 129)
        self.wait(1, 128, name=f"next-{self.number}")

    def test_finished_jobs_are_nobody(self):
        self.create()
        for host in (1, 2, 128, 129):
            self.pod(host)
        self.wait(1, 2, 128, 129)
        for host in (2, 129):
            self.status(host, ready=False, phase="Succeeded")
        self.wait(1, 128)

    def test_a_deleted_node_takes_its_pods_along(self):
        self.create()
        gone = bed.kubelet(f"gone-{self.number}", address="10.0.0.9", pods="10.244.200.0/24")
        gone.pod(f"{self.service}-200", [self.address(200)], labels=self.selector)
        self.pod(1)
        self.wait(1, 200)
        plane.delete(f"/api/v1/nodes/gone-{self.number}")
        self.wait(1)

    def load_two_pods(self):
        """A pod at each node, and clients that ask for both: (their addresses, the load)."""
        self.pod(1)
        self.pod(128)
        self.wait(1, 128)
        both = [self.address(1), self.address(128)]
        load = Load(bed.dns, f"{self.service}.shop.mesh.internal", both, 500)
        self.addCleanup(load.stop)
        return both, load

    def test_the_api_server_is_killed(self):
        self.create()
        both, load = self.load_two_pods()
        plane.kill("kube-apiserver")
        bed.federation.wait_line("kubernetes watch fails")
        plane.begin_api()
        plane.create(SERVICES, service_object(f"late-{self.number}", self.selector))
        self.wait(1, 128, name=f"late-{self.number}")
        seen = load.stop()
        self.assertEqual((seen.count(WRONG), seen.count(LOST)), (0, 0), seen.problems[:3])
        self.assertEqual([found for _, found in seen.changes], [set(both)])

    def test_an_agent_comes_restarts_and_goes(self):
        self.create()
        both, load = self.load_two_pods()
        second = bed.begin_agent("n2", address="10.0.0.2")
        second.wait_line("kubernetes pods listed")
        second.stop()
        bed.begin_agent("n2", address="10.0.0.2").stop()
        third = bed.begin_agent("n2", address="10.0.0.2")
        third.wait_line("kubernetes pods listed")
        self.status(128, ready=True)
        third.stop()
        seen = load.stop()
        self.assertEqual((seen.count(WRONG), seen.count(LOST)), (0, 0), seen.problems[:3])
        self.assertEqual([found for _, found in seen.changes], [set(both)])
        self.status(128, ready=False)
        self.wait(1)
        self.status(128, ready=True)
        self.wait(1, 128)


if __name__ == "__main__":
    unittest.main()
