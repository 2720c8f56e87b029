"""The mesh of the default overlay beside a real API server: objects and their status, the lease of two instances, the authority
in a Secret, and certificates by the tokens of pods."""
import os
import signal
import unittest

import kube_plane
import lab

kube_plane.program()  # the namespaces have no way out
lab.enter()
from mesh import eventually  # noqa: E402  (siblings that need none of the above)
from mesh_bed import MeshBed, install_kinds  # noqa: E402
from pod_bed import route_pods  # noqa: E402

OBJECTS = "/apis/meshdns.io/v1alpha1/namespaces/shop/virtualdestinations"
LEASE = "/apis/coordination.k8s.io/v1/namespaces/meshdns/leases/meshdnsd"


def destination(name, spec):
    return {"apiVersion": "meshdns.io/v1alpha1", "kind": "VirtualDestination", "metadata": {"name": name}, "spec": spec}


def external(address, host):
    return {"hosts": [host], "externalEndpoints": [{"address": address, "port": 80}]}


class MeshApiTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        route_pods()
        cls.plane = cls.enterClassContext(kube_plane.ControlPlane())
        install_kinds(cls.plane)
        cls.plane.namespace("shop")

    def setUp(self):
        # a namespace and roles of its own for each test would be other roles than those that are shipped
        for path in ("/api/v1/namespaces/meshdns/pods", OBJECTS):
            self.plane.request("DELETE", path, {"gracePeriodSeconds": 0})
        self.remove_roles()
        self.bed = self.enterContext(MeshBed(self.plane))
        self.bed.forget()

    def remove_roles(self):
        roles = "/apis/rbac.authorization.k8s.io/v1"
        for account in ("meshdnsd", "meshdns-agent", "meshdns-dns"):
            for kind in ("clusterroles", "clusterrolebindings", "namespaces/meshdns/roles", "namespaces/meshdns/rolebindings"):
                self.plane.request("DELETE", f"{roles}/{kind}/{account}")
            self.plane.request("DELETE", f"/api/v1/namespaces/meshdns/serviceaccounts/{account}")

    def conditions(self, name):
        status = self.plane.get(f"{OBJECTS}/{name}").get("status", {})
        return {each["type"]: each for each in status.get("conditions", [])}

    def wait_condition(self, name, kind, expected):
        eventually(lambda: self.conditions(name).get(kind, {}).get("status") == expected, f"{kind} of {name} is {expected}")
        return self.conditions(name)[kind]

    def wait_answer(self, daemon, name, expected):
        self.bed.dns = daemon.address("dns listening")
        self.bed.wait(expected, name)

    def test_objects_are_answered_and_have_a_status(self):
        daemon = self.bed.begin()
        self.plane.create(OBJECTS, destination("web", external("192.0.2.1", "web.shop.mesh.internal")))
        self.wait_answer(daemon, "web.shop", ["192.0.2.1"])
        accepted = self.wait_condition("web", "Accepted", "True")
        self.assertEqual(accepted["observedGeneration"], 1)
        self.wait_condition("web", "Programmed", "True")
        code, out, errors = self.plane.kubectl("get", "virtualdestinations", "-n", "shop", "web")
        self.assertEqual(code, 0, errors)
        self.assertIn("web.shop.mesh.internal", out)
        # the schema cannot know it: two entries for one address
        wrong = external("192.0.2.2", "web.shop.mesh.internal")
        wrong["externalEndpoints"].append(wrong["externalEndpoints"][0])
        self.plane.patch(f"{OBJECTS}/web", {"spec": wrong})
        self.wait_condition("web", "Accepted", "False")
        self.wait_answer(daemon, "web.shop", ["192.0.2.1"])
        self.plane.patch(f"{OBJECTS}/web", {"spec": external("192.0.2.3", "web.shop.mesh.internal")})
        self.wait_condition("web", "Accepted", "True")
        self.wait_answer(daemon, "web.shop", ["192.0.2.3"])
        self.plane.delete(f"{OBJECTS}/web")
        self.wait_answer(daemon, "web.shop", [])

    def test_the_second_instance_leads_when_the_first_dies(self):
        first = self.bed.begin("a")
        self.plane.create(OBJECTS, destination("web", external("192.0.2.1", "web.shop.mesh.internal")))
        self.wait_answer(first, "web.shop", ["192.0.2.1"])
        second = self.bed.begin("b", wait="standby: another instance leads")
        holder = self.plane.get(LEASE)["spec"]["holderIdentity"]
        authority = self.bed.secret()["ca.crt"]
        first.stop(signal.SIGKILL)
        second.wait_line("lease acquired")
        second.wait_line(r" ready\b")
        self.wait_answer(second, "web.shop", ["192.0.2.1"])
        self.assertNotEqual(self.plane.get(LEASE)["spec"]["holderIdentity"], holder)
        self.assertEqual(self.bed.secret()["ca.crt"], authority)
        self.assertEqual(second.stop(), 0)
        third = self.bed.begin("a", wait="lease acquired")  # it has not to wait: the lease was given back
        third.wait_line(r" ready\b")

    def test_pods_get_certificates_by_their_tokens(self):
        self.bed.kubelet("n1")
        federation = self.bed.begin()
        agent = self.bed.member("n1", ["a"], self.bed.pod_token("meshdns-agent", "agent-n1", "n1"))
        agent.wait_line(" connected ")
        federation.wait_line(r'certificate signed for a pod peer=\S+ for="node eu-1/n1"')
        replica = self.bed.replica("dns-0", ["a"], self.bed.pod_token("meshdns-dns", "dns-0", "n1"))
        replica.wait_line(r"federation reached|federation found| ready\b")
        eventually(lambda: "dns eu-1/dns-0" in self.bed.ctl("status")[1], "the replica's identity")

    def test_tokens_of_others_get_none(self):
        self.bed.kubelet("n1")
        self.bed.begin()
        other = self.bed.pod_token("meshdns-dns", "dns-1", "n1")  # of a replica, not of an agent
        wrong_audience = self.plane.token("meshdns", "meshdns-agent")
        ended = self.bed.pod_token("meshdns-agent", "agent-ended", "n1")
        self.plane.delete("/api/v1/namespaces/meshdns/pods/agent-ended", grace=0)
        for number, token in enumerate((other, wrong_audience, ended, "not.a.token")):
            with self.subTest(number):
                agent = self.bed.member(f"x{number}", ["a"], token)
                agent.wait_line("cannot join|join refused|not joined|refused")
                self.assertFalse(os.path.exists(self.bed.path(f"x{number}.state/x{number}.crt")))
                agent.stop(signal.SIGKILL)


if __name__ == "__main__":
    unittest.main()
