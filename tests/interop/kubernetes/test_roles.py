"""The roles that are shipped are enough, and each of their rules is needed."""
import copy
import unittest

import kube_plane
import lab

kube_plane.program()  # the namespaces have no way out
lab.enter()
from pod_bed import ROLES, PodBed, install, roles_of, route_pods  # noqa: E402  (a sibling that needs none of the above)

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

    def put(self, role):
        place = f"{ROLES}/clusterroles/{role['metadata']['name']}"
        version = self.plane.get(place)["metadata"]["resourceVersion"]
        changed = copy.deepcopy(role)
        changed["metadata"]["resourceVersion"] = version
        self.plane.do("PUT", place, changed)

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
                self.put(without(self.role, permission))
                agent = self.bed.begin_agent()
                agent.wait_line(PROBLEM + f"(cannot {verb} resource .*{resource}|{resource}.*{verb})")
                self.put(self.role)
                agent.wait_line("kubernetes node read" if resource == "nodes" else "kubernetes watch works again")
                agent.stop()


if __name__ == "__main__":
    unittest.main()
