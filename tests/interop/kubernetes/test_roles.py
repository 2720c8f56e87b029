"""The roles that are shipped are enough, and each of their rules is needed."""
import copy
import signal
import unittest

import kube_plane
import lab

kube_plane.program()  # the namespaces have no way out
lab.enter()
from mesh_bed import MeshBed, install_kinds  # noqa: E402  (siblings that need none of the above)
from pod_bed import PLURALS, ROLES, PodBed, install, roles_of, route_pods  # noqa: E402

PROBLEM = r"kubernetes (watch fails|node cannot be read).*"


def permissions(role):
    """[(group, resource, verb)] of a role."""
    return [(group, resource, verb) for rule in role["rules"] for group in rule["apiGroups"]
            for resource in rule["resources"] for verb in rule["verbs"]]


def without(role, permission):
    group, resource, verb = permission
    left = [each for each in permissions(role) if each != permission]
    changed = copy.deepcopy(role)
    changed["rules"] = [{"apiGroups": [group], "resources": [resource], "verbs": [verb]} for group, resource, verb in left]
    return changed


def put(plane, role):
    """Exchanges a role that is there."""
    space = f"/namespaces/{role['metadata']['namespace']}" if "namespace" in role["metadata"] else ""
    place = f"{ROLES}{space}/{PLURALS[role['kind']]}/{role['metadata']['name']}"
    changed = copy.deepcopy(role)
    changed["metadata"]["resourceVersion"] = plane.get(place)["metadata"]["resourceVersion"]
    plane.do("PUT", place, changed)


def setUpModule():
    route_pods()


class AgentRoleTest(unittest.TestCase):
    def setUp(self):
        # an initial watch needs no `list`; servers before 1.32 and 1.33 cannot do one
        self.plane = self.enterContext(kube_plane.ControlPlane("--feature-gates=WatchList=false"))
        install(self.plane, "meshdns-agent")
        self.plane.namespace("shop")
        self.bed = self.enterContext(PodBed(self.plane, cgroups=self.plane.folder, proxied=False))
        self.bed.begin_federation()
        self.kubelet = self.bed.kubelet()
        self.kubelet.pod("a", ["10.244.1.1"], "app-b")
        self.role = next(role for role in roles_of("meshdns-agent") if role["kind"] == "ClusterRole")

    def test_each_rule_is_needed(self):
        agent = self.bed.begin_agent()
        agent.wait_line("kubernetes node read")
        self.bed.wait(["10.244.1.1"])
        self.assertFalse([line for line in agent.lines if "kubernetes watch fails" in line])
        agent.stop()
        wanted = permissions(self.role)
        self.assertEqual(sorted(wanted), [("", "nodes", "get"), ("", "pods", "list"), ("", "pods", "watch")])
        for permission in wanted:
            with self.subTest(permission):
                _, resource, verb = permission
                put(self.plane, without(self.role, permission))
                agent = self.bed.begin_agent()
                agent.wait_line(PROBLEM + f"(cannot {verb} resource .*{resource}|{resource}.*{verb})")
                put(self.plane, self.role)
                agent.wait_line("kubernetes node read" if resource == "nodes" else "kubernetes watch works again")
                agent.stop()


class FederationRoleTest(unittest.TestCase):
    """meshdnsd with the configuration of the default overlay."""

    OBJECT = "/apis/meshdns.io/v1alpha1/namespaces/shop/virtualdestinations"
    EXPORT = "/apis/multicluster.x-k8s.io/v1alpha1/namespaces/shop/serviceexports"

    def setUp(self):
        self.plane = self.enterContext(kube_plane.ControlPlane("--feature-gates=WatchList=false"))
        install_kinds(self.plane)
        self.plane.namespace("shop")
        self.bed = self.enterContext(MeshBed(self.plane))
        self.bed.kubelet("n1")
        self.roles = [role for role in roles_of("meshdnsd") if role["kind"] in ("ClusterRole", "Role")]
        self.count = 0

    def begin(self):
        """A federation in a cluster that has never seen one; everything that needs a right happens."""
        self.bed.forget()
        self.count += 1
        name = f"f{self.count}"
        self.plane.create(self.OBJECT, {"metadata": {"name": name}, "spec": {
            "hosts": [f"{name}.shop.mesh.internal"], "externalEndpoints": [{"address": "192.0.2.1", "port": 80}]}})
        return name, self.bed.begin(name, wait="starting")

    def test_each_rule_of_what_is_read_and_written_is_needed(self):
        """Those of rare events are in the tests below."""
        name, daemon = self.begin()
        daemon.wait_line(r" ready\b")
        daemon.wait_line("kubernetes services listed")
        daemon.stop()
        self.assertFalse([line for line in daemon.lines if "cannot" in line and "resource" in line], daemon.lines)
        rare = {("", "secrets", "update"), ("", "configmaps", "update"), ("authentication.k8s.io", "tokenreviews", "create"),
                ("meshdns.io", "meshclusters/status", "patch"), ("meshdns.io", "overrides/status", "patch"),
                ("multicluster.x-k8s.io", "serviceexports/status", "patch"), ("coordination.k8s.io", "leases", "update")}
        tried = set()
        for role in self.roles:
            for permission in permissions(role):
                if permission in rare:
                    continue
                with self.subTest(permission):
                    tried.add(permission)
                    _, resource, verb = permission
                    put(self.plane, without(role, permission))
                    _, daemon = self.begin()
                    daemon.wait_line(rf"(cannot {verb} resource .*{resource}|{resource}.*{verb})")
                    put(self.plane, role)
                    daemon.stop(signal.SIGKILL)
        self.assertGreaterEqual(len(tried), 18)

    def test_without_reviews_no_pod_joins(self):
        cluster_role = next(role for role in self.roles if role["kind"] == "ClusterRole")
        put(self.plane, without(cluster_role, ("authentication.k8s.io", "tokenreviews", "create")))
        name, daemon = self.begin()
        daemon.wait_line(r" ready\b")
        agent = self.bed.member("n1", [name], self.bed.pod_token("meshdns-agent", "agent-n1", "n1"))
        daemon.wait_line("tokenreviews")
        put(self.plane, cluster_role)
        agent.wait_line(" connected ", timeout=120)

    def test_without_updates_the_lease_is_not_renewed(self):
        role = next(role for role in self.roles if role["kind"] == "Role")
        _, daemon = self.begin()
        daemon.wait_line("lease acquired")
        put(self.plane, without(role, ("coordination.k8s.io", "leases", "update")))
        daemon.wait_line("lease lost: .*could not be renewed")


if __name__ == "__main__":
    unittest.main()
