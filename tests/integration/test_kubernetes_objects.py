"""Operators' objects in the Kubernetes API, their status, and the lease by which one of two instances leads."""
import json
import os
import signal
import time
import unittest

import one_cluster
from api_objects import GROUP, LEASES, ObjectsApi
from mesh import BIN, addresses, ask, eventually, run
from ports import free_port
from tls_bed import TlsBed

FEDERATION = """\
cluster: eu-1
zones: [{{name: mesh.internal}}]
data_dir: {folder}/{name}
dns: {{workers: "1", listen: [{{address: "127.0.0.1:{dns}"}}]}}
federation:
  listen: "127.0.0.1:{port}"
  store: {{kubernetes: {{server: "https://127.0.0.1:{api}", ca_file: ca.pem, token_file: token}}}}
{lease}
{followed}
admin: {{listen: "127.0.0.1:0", socket: {folder}/{name}.sock}}
"""
LEASE = """\
  lease:
    duration: {duration}
    kubernetes: {{namespace: meshdns, name: meshdnsd, server: "https://127.0.0.1:{api}", ca_file: ca.pem, token_file: token}}
"""
FOLLOWED = """\
  kubernetes: [{{cluster: eu-1, server: "https://127.0.0.1:{api}", ca_file: ca.pem, token_file: token}}]
"""
WEB = f"{GROUP}/namespaces/shop/virtualdestinations/web"


def external(address, host="web.mesh.internal"):
    """The spec of a virtual destination that needs no agent."""
    return {"hosts": [host], "externalEndpoints": [{"address": address, "port": 80}]}


class Case(unittest.TestCase):
    def setUp(self):
        self.bed = self.enterContext(TlsBed())
        self.bed.authority("ca")
        self.bed.certificate("api", "ca", uris=[])
        self.bed.write("token", "the-token\n")
        self.api, self.api_port = None, 0
        self.begin_api()
        self.addCleanup(lambda: self.api.close())
        self.port = free_port()

    def begin_api(self):
        objects = self.api.objects if self.api else None
        self.api = ObjectsApi(self.bed.path("api.pem"), self.bed.path("api.key"), self.api_port, objects)
        self.api_port = self.api.port

    def begin(self, name="federation", lease=None, dns=0, followed=False):
        words = {"folder": self.bed.folder, "name": name, "port": self.port, "dns": dns, "api": self.api_port}
        text = FEDERATION.format(lease=LEASE.format(duration=lease, api=self.api_port) if lease else "",
                                 followed=FOLLOWED.format(api=self.api_port) if followed else "", **words)
        return self.bed.start(os.path.join(BIN, "meshdnsd"), "--config", self.bed.write(f"{name}.yaml", text))

    def ready(self, *args, **options):
        daemon = self.begin(*args, **options)
        daemon.wait_line(r" ready\b")
        return daemon, daemon.address("dns listening")

    def ctl(self, *argv, name="federation", stdin=""):
        return run("meshdnsctl", "--server", f"unix:{self.bed.folder}/{name}.sock", *argv, stdin=stdin)

    def status(self, name="federation"):
        code, out, error = self.ctl("status", "-o", "json", name=name)
        self.assertEqual(code, 0, error)
        return json.loads(out)

    def wait(self, dns, expected, host="web.mesh.internal"):
        eventually(lambda: sorted(addresses(ask(dns, host))) == expected, f"{host} is {expected}")


class ObjectsTest(Case):
    def test_objects_come_and_go_with_the_api(self):
        self.api.apply("virtualdestinations", "web", external("192.0.2.1"), "shop")
        self.api.apply("meshclusters", "eu-1", {"locality": {"region": "eu"}})
        daemon, dns = self.ready()
        daemon.wait_line("kubernetes objects listed objects=2")
        self.wait(dns, ["192.0.2.1"])
        self.api.apply("virtualdestinations", "web", external("192.0.2.2"), "shop")
        self.wait(dns, ["192.0.2.2"])
        self.api.apply("virtualdestinations", "api", external("192.0.2.3", "api.mesh.internal"), "shop")
        self.wait(dns, ["192.0.2.3"], "api.mesh.internal")
        self.api.delete(f"{GROUP}/namespaces/shop/virtualdestinations/api")
        self.wait(dns, [], "api.mesh.internal")
        code, out, _ = self.ctl("get", "clusters")
        self.assertEqual(code, 0)
        self.assertIn("eu-1", out)
        code, out, _ = self.ctl("status")
        self.assertRegex(out, r"objects +in the Kubernetes API   2 objects\n")

    def test_the_status_says_what_get_says(self):
        self.api.apply("virtualdestinations", "web", external("192.0.2.1"), "shop")
        self.ready()
        conditions = eventually(lambda: self.api.conditions(WEB), "there is a status")
        self.assertEqual(conditions["Accepted"]["status"], "True")
        self.assertEqual(conditions["Accepted"]["message"], "taken by the federation of eu-1")
        self.assertEqual(conditions["Programmed"]["status"], "True")
        self.assertEqual(conditions["Degraded"]["status"], "False")
        for condition in conditions.values():
            self.assertEqual(condition["observedGeneration"], 1)
            self.assertRegex(condition["lastTransitionTime"], r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        before = len(self.api.patches)
        time.sleep(2)  # four turns: our own events cause no patch
        self.assertEqual(len(self.api.patches), before)
        self.api.apply("virtualdestinations", "web", external("192.0.2.2"), "shop")
        eventually(lambda: self.api.conditions(WEB)["Accepted"]["observedGeneration"] == 2, "the new generation")

    def test_what_is_refused_leaves_the_version_before_in_force(self):
        self.api.apply("virtualdestinations", "web", external("192.0.2.1"), "shop")
        daemon, dns = self.ready()
        self.wait(dns, ["192.0.2.1"])
        self.api.apply("virtualdestinations", "web", {"hosts": ["*.mesh.internal"]}, "shop")
        self.api.apply("virtualdestinations", "bad", {"hosts": []}, "shop")
        daemon.wait_line("kubernetes objects refused")
        accepted = eventually(lambda: [c for c in [self.api.conditions(WEB).get("Accepted", {})] if c.get("status") == "False"],
                              "it is refused")[0]
        self.assertEqual(accepted["reason"], "Invalid")
        self.assertIn("spec.hosts[0]: a wildcard is not allowed here", accepted["message"])
        self.assertIn("generation 1 stays in force", accepted["message"])
        bad = eventually(lambda: self.api.conditions(f"{GROUP}/namespaces/shop/virtualdestinations/bad"), "the other one too")
        self.assertEqual({name: c["status"] for name, c in bad.items()}, {"Accepted": "False", "Programmed": "False"})
        self.wait(dns, ["192.0.2.1"])
        self.assertEqual(self.status()["objectStore"]["refused"], 2)
        self.api.apply("virtualdestinations", "web", external("192.0.2.9"), "shop")
        self.api.delete(f"{GROUP}/namespaces/shop/virtualdestinations/bad")
        self.wait(dns, ["192.0.2.9"])
        daemon.wait_line("kubernetes objects are all taken")

    def namespace(self, hosts):
        """Namespace shop, with the annotation that names its hosts."""
        with self.api.lock:
            self.api.put("MODIFIED", "/api/v1/namespaces", "/api/v1/namespaces/shop", {"metadata": {
                "name": "shop", "uid": "ns-shop", "annotations": {"meshdns.io/hosts": hosts} if hosts else {}}})

    def accepted(self, expected):
        wanted = lambda: (found := self.api.conditions(WEB).get("Accepted")) and (found["status"], found["reason"]) == expected
        eventually(wanted, f"Accepted is {expected}")
        return self.api.conditions(WEB)["Accepted"]["message"]

    def test_an_object_has_the_hosts_that_its_namespace_may_have(self):
        self.namespace("")
        self.api.apply("virtualdestinations", "web", external("192.0.2.1"), "shop")
        self.api.apply("virtualdestinations", "own", external("192.0.2.2", "own.shop.mesh.internal"), "shop")
        daemon, dns = self.ready(followed=True)
        self.assertIn("meshdns.io/hosts", self.accepted(("False", "HostNotAllowed")))
        self.wait(dns, [])
        self.wait(dns, ["192.0.2.2"], "own.shop.mesh.internal")
        self.namespace("web.mesh.internal, no host")
        self.wait(dns, ["192.0.2.1"])
        self.accepted(("True", "Valid"))
        daemon.wait_line("kubernetes annotation has an entry that is no host")
        self.namespace("*.example.com")
        self.wait(dns, [])
        self.accepted(("False", "HostNotAllowed"))
        daemon.wait_line("objects withdrawn: their namespaces may not have their hosts")
        self.wait(dns, ["192.0.2.2"], "own.shop.mesh.internal")

    def test_without_the_api_everything_stays_also_over_a_restart(self):
        self.api.apply("virtualdestinations", "web", external("192.0.2.1"), "shop")
        self.api.apply("virtualdestinations", "gone", external("192.0.2.2", "gone.mesh.internal"), "shop")
        daemon, dns = self.ready()
        self.wait(dns, ["192.0.2.1"])
        self.wait(dns, ["192.0.2.2"], "gone.mesh.internal")
        self.api.close()
        daemon.wait_line("kubernetes watch fails")
        self.assertEqual(daemon.stop(), 0)
        daemon, dns = self.ready()
        self.wait(dns, ["192.0.2.1"])
        self.wait(dns, ["192.0.2.2"], "gone.mesh.internal")
        self.assertFalse(self.status()["objectStore"]["listed"])
        self.api.objects.pop(f"{GROUP}/namespaces/shop/virtualdestinations/gone")
        self.begin_api()
        self.wait(dns, [], "gone.mesh.internal")
        self.wait(dns, ["192.0.2.1"])

    def test_only_kubectl_changes_them(self):
        self.api.apply("virtualdestinations", "web", external("192.0.2.1"), "shop")
        _, dns = self.ready()
        self.wait(dns, ["192.0.2.1"])
        code, text, _ = self.ctl("get", "vd", "shop/web", "-o", "yaml")
        self.assertEqual(code, 0)
        for argv in (["apply", "-f", "-"], ["apply", "--force", "-f", "-"], ["delete", "-f", "-"], ["delete", "vd", "shop/web"]):
            code, _, error = self.ctl(*argv, stdin=text)
            self.assertEqual(code, 1, argv)
            self.assertIn("change them with kubectl", error)
        code, out, error = self.ctl("diff", "-f", "-", stdin=text)
        self.assertEqual((code, out), (0, "VirtualDestination/shop/web unchanged\n"), error)
        code, out, _ = self.ctl("freeze", "--reason", "incident", "--print")
        self.assertEqual(code, 0)
        self.assertIn("kind: Override\n", out)
        self.wait(dns, ["192.0.2.1"])

    def test_an_override_ends_when_its_time_is_over(self):
        self.api.apply("virtualdestinations", "web", external("192.0.2.1"), "shop")
        daemon, _ = self.ready()
        end = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3))
        self.api.apply("overrides", "freeze", {"action": "Freeze", "reason": "incident", "expires": end})
        daemon.wait_line("mesh frozen")
        path = f"{GROUP}/overrides/freeze"
        eventually(lambda: self.api.conditions(path).get("Accepted", {}).get("status") == "True", "it is in force")
        daemon.wait_line("mesh thawed")
        accepted = eventually(lambda: [c for c in [self.api.conditions(path)["Accepted"]] if c["status"] == "False"], "over")[0]
        self.assertEqual(accepted["reason"], "Expired")

    def test_a_status_that_may_not_be_written_is_said(self):
        self.api.forbidden = {"patch"}
        self.api.apply("virtualdestinations", "web", external("192.0.2.1"), "shop")
        daemon, dns = self.ready()
        daemon.wait_line(r"kubernetes status cannot be written.*virtualdestinations/status\], verbs: \[patch\]")
        self.wait(dns, ["192.0.2.1"])
        self.assertIn("Forbidden", self.status()["objectStore"]["problem"])
        self.api.forbidden = set()
        daemon.wait_line("kubernetes status can be written again")


class DocumentsTest(Case):
    """What kubectl prints goes into meshdnsctl, and the other way round."""

    def test_kubectls_documents_are_taken(self):
        words = {"folder": self.bed.folder, "port": self.port}
        daemon = self.bed.start(os.path.join(BIN, "meshdnsd"), "--config",
                                self.bed.write("plain.yaml", one_cluster.FEDERATION.format(**words)))
        daemon.wait_line(r" ready\b")
        meta = {"uid": "u", "resourceVersion": "7", "generation": 3, "creationTimestamp": "2026-11-29T16:00:00Z",
                "managedFields": [{"manager": "kubectl", "time": "2026-11-29T16:00:00Z"}],
                "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}"}}
        status = {"conditions": [{"type": "Accepted", "status": "True", "lastTransitionTime": "2026-11-29T16:00:00Z"}]}
        items = [{"apiVersion": "meshdns.io/v1alpha1", "kind": "VirtualDestination", "status": status,
                  "metadata": meta | {"name": "web", "namespace": "shop"}, "spec": external("192.0.2.1")},
                 {"apiVersion": "meshdns.io/v1alpha1", "kind": "MeshCluster", "metadata": meta | {"name": "us-1"},
                  "spec": {"distances": {"eu-1": "80ms"}}}]
        listed = {"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""}, "items": items}
        code, out, error = self.ctl("apply", "-f", "-", stdin=json.dumps(listed))
        self.assertEqual((code, out), (0, "VirtualDestination/shop/web created\nCluster/us-1 created\n"), error)
        for kind, name in (("vd", "shop/web"), ("meshcluster", "us-1")):
            code, text, _ = self.ctl("get", kind, name, "-o", "json")
            document = json.loads(text)
            self.assertLessEqual(set(document["metadata"]), {"name", "namespace", "labels", "annotations"})
            self.assertEqual(document["status"]["manager"], "cli")
            code, out, error = self.ctl("apply", "-f", "-", stdin=text)
            self.assertEqual((code, out.split()[1]), (0, "unchanged"), error)
        self.assertEqual(document["kind"], "MeshCluster")


class LeaseTest(Case):
    def holder(self):
        lease = self.api.lease()
        return lease["spec"]["holderIdentity"] if lease else None

    def begin_both(self, duration="2s"):
        """(the leader, its DNS, the standby)"""
        self.api.apply("virtualdestinations", "web", external("192.0.2.1"), "shop")
        leader, dns = self.ready("a", lease=duration)
        standby = self.begin("b", lease=duration, dns=0)
        standby.wait_line("standby: another instance leads")
        return leader, dns, standby

    def test_a_standby_does_nothing_and_says_so(self):
        leader, dns, standby = self.begin_both()
        self.wait(dns, ["192.0.2.1"])
        leader.wait_line("lease acquired")
        self.assertFalse([line for line in standby.lines if "listening" in line and "admin" not in line])
        status = self.status("b")
        self.assertEqual((status["lease"]["state"], status["lease"]["holder"]), ("standby", self.holder()))
        self.assertFalse(status["ready"])
        self.assertEqual(self.status("a")["lease"]["state"], "leading")
        code, _, error = self.ctl("status", "--check", name="b")
        self.assertEqual((code, error), (2, "standby: another instance leads\n"))
        code, _, error = self.ctl("delete", "vd", "shop/web", name="b")
        self.assertEqual(code, 1)
        self.assertIn("this instance is a standby", error)
        self.assertFalse(os.path.exists(self.bed.path("b/federation.db")))
        first = self.api.lease()["spec"]["renewTime"]
        eventually(lambda: self.api.lease()["spec"]["renewTime"] != first, "it is renewed")

    def test_the_standby_leads_when_the_leader_ends(self):
        leader, _, standby = self.begin_both("20s")
        begun = time.monotonic()
        self.assertEqual(leader.stop(), 0)
        standby.wait_line("lease acquired")
        self.assertLess(time.monotonic() - begun, 15)  # it does not wait for the end of the lease
        standby.wait_line(r" ready\b")
        self.wait(standby.address("dns listening"), ["192.0.2.1"])
        self.assertEqual(self.api.lease()["spec"]["leaseTransitions"], 1)

    def test_the_standby_leads_when_the_leader_dies(self):
        leader, _, standby = self.begin_both()
        leader.stop(signal.SIGKILL)
        standby.wait_line("lease acquired")
        standby.wait_line(r" ready\b")
        self.wait(standby.address("dns listening"), ["192.0.2.1"])

    def test_a_leader_that_loses_the_lease_ends(self):
        leader, _, standby = self.begin_both()
        path = f"{LEASES}/meshdnsd"
        with self.api.lock:
            lease = self.api.objects[path]
            lease["spec"] |= {"holderIdentity": "somebody", "renewTime": "2026-11-29T16:00:00.000000Z"}
            self.api.put("MODIFIED", LEASES, path, lease)
        leader.wait_line("lease lost: this instance leads no longer .*the lease is held by somebody")
        leader.process.wait(60)
        self.assertEqual(leader.stop(), 1)
        standby.wait_line("lease acquired")  # nobody renews it

    def test_without_the_api_the_leader_ends_in_time(self):
        leader, _, standby = self.begin_both()
        self.api.close()
        leader.wait_line("lease lost: .*could not be renewed")
        leader.process.wait(60)
        self.assertEqual(leader.stop(), 1)
        standby.wait_line("kubernetes lease cannot be used")
        self.begin_api()
        standby.wait_line("lease acquired")
        standby.wait_line("kubernetes lease can be used again")


if __name__ == "__main__":
    unittest.main()
