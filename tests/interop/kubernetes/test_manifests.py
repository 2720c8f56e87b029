"""A real API server takes packaging/kubernetes as it stands, and its controllers make pods of it.

The server has the admission setting of GKE, where pods of critical priority need a quota, and there is no StorageClass.
"""
import glob
import os
import unittest

import yaml

from kube_plane import MANIFESTS, ControlPlane, Refused
from kubelet import Kubelet
from mesh import eventually

OVERLAYS = sorted(map(os.path.basename, glob.glob(os.path.join(MANIFESTS, "overlays", "*"))))
QUOTA = """\
apiVersion: apiserver.config.k8s.io/v1
kind: AdmissionConfiguration
plugins:
- name: ResourceQuota
  configuration:
    apiVersion: apiserver.config.k8s.io/v1
    kind: ResourceQuotaConfiguration
    limitedResources:
    - resource: pods
      matchScopes:
      - {scopeName: PriorityClass, operator: In, values: [system-node-critical, system-cluster-critical]}
"""
OTHERS = {"monitoring.coreos.com": ["ServiceMonitor"], "cert-manager.io": ["Issuer", "Certificate"]}


def foreign_kind(group, kind):
    """A kind of an operator that does not run here."""
    plural = kind.lower() + "s"
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": f"{plural}.{group}"},
            "spec": {"group": group, "scope": "Namespaced", "names": {"kind": kind, "plural": plural},
                     "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {
                         "type": "object", "x-kubernetes-preserve-unknown-fields": True}}}]}}


class Quota(ControlPlane):
    """With GKE's admission setting."""

    def begin(self):
        self.flags = ["--admission-control-config-file=" + self.write("admission.yaml", QUOTA)]
        super().begin()


def overlay(name):
    return os.path.join(MANIFESTS, "overlays", name)


class ManifestsTest(unittest.TestCase):
    def setUp(self):
        self.plane = self.enterContext(Quota(controllers=True))
        for number in (1, 2):
            Kubelet(self.plane, f"n{number}", address=f"10.0.0.{number}")

    def apply(self, path):
        return self.plane.kubectl("apply", "-k", path, "--server-side", "--validate=strict")

    def pods(self):
        """{name of the workload: number of its pods}"""
        found = {}
        for pod in self.plane.get("/api/v1/namespaces/meshdns/pods")["items"]:
            name = pod["metadata"]["labels"]["app.kubernetes.io/name"]
            found[name] = found.get(name, 0) + 1
        return found

    def test_each_overlay_is_taken_and_becomes_pods(self):
        expected = {"default": {"meshdns-agent": 2, "meshdns-dns": 2, "meshdnsd": 2},
                    "dev": {"meshdns-agent": 2, "meshdns-dns": 1, "meshdnsd": 1}}
        for name in OVERLAYS:
            with self.subTest(name):
                for _ in range(2):  # what is applied again is what is there
                    code, _, errors = self.apply(overlay(name))
                    self.assertEqual((code, errors), (0, ""))
                self.assertEqual(self.plane.kubectl("diff", "-k", overlay(name), "--server-side")[:2], (0, ""))
                wanted = expected.get(name, {})
                eventually(lambda: self.pods() == wanted, f"pods of {name} {wanted}")
                self.assertEqual(self.plane.get("/api/v1/persistentvolumeclaims")["items"], [])
                code, _, errors = self.plane.kubectl("delete", "-k", overlay(name), "--wait=false")
                self.assertEqual((code, errors), (0, ""))
                eventually(lambda: self.end_pods() == 404, "the namespace is gone")

    def end_pods(self):
        """The kubelets' part in the end of a namespace; its status code then."""
        for pod in self.plane.request("GET", "/api/v1/namespaces/meshdns/pods")[1].get("items", []):
            self.plane.request("DELETE", "/api/v1/namespaces/meshdns/pods/" + pod["metadata"]["name"],
                               {"gracePeriodSeconds": 0})
        return self.plane.request("GET", "/api/v1/namespaces/meshdns")[0]

    def test_each_component_is_taken(self):
        for group, kinds in OTHERS.items():
            for kind in kinds:
                self.plane.create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", foreign_kind(group, kind))
                self.plane.wait_for(f"/apis/{group}/v1/{kind.lower()}s")
        for path in sorted(glob.glob(os.path.join(MANIFESTS, "components", "*"))):
            with self.subTest(os.path.basename(path)):
                folder = os.path.join(self.plane.folder, "with-" + os.path.basename(path))
                relative = lambda place: os.path.relpath(place, folder)
                self.plane.write(os.path.join(folder, "kustomization.yaml"), yaml.safe_dump({
                    "apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization",
                    "resources": [relative(overlay("default"))], "components": [relative(path)]}))
                code, _, errors = self.apply(folder)
                self.assertEqual((code, errors), (0, ""))

    def test_servers_are_admitted_where_nothing_is_allowed(self):
        self.plane.create("/api/v1/namespaces", {"metadata": {"name": "strict", "labels": {
            "pod-security.kubernetes.io/enforce": "restricted"}}})
        rendered = self.plane.kubectl("kustomize", overlay("default"))[1]
        for document in yaml.safe_load_all(rendered):
            if document["kind"] not in ("Deployment", "DaemonSet"):
                continue
            name, spec = document["metadata"]["name"], document["spec"]["template"]["spec"]
            spec.pop("priorityClassName")
            self.plane.create("/api/v1/namespaces/strict/serviceaccounts", {"metadata": {"name": spec["serviceAccountName"]}})
            create = lambda: self.plane.create("/api/v1/namespaces/strict/pods?dryRun=All", {
                "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec})
            if document["kind"] == "Deployment":
                create()
            else:  # it needs the node's network, a folder of it, and nothing else
                with self.assertRaises(Refused) as refused:
                    create()
                self.assertIn("host namespaces (hostNetwork=true)", refused.exception.message)
                self.assertIn('restricted volume types (volume "cgroup" uses restricted volume type "hostPath")',
                              refused.exception.message)
                self.assertNotIn("securityContext", refused.exception.message)

    def test_a_namespace_claims_its_own_hosts(self):
        code, _, errors = self.apply(overlay("default"))
        self.assertEqual((code, errors), (0, ""))
        self.plane.namespace("shop")
        self.plane.wait_for("/apis/meshdns.io/v1alpha1")
        claim = lambda name, host: self.plane.create("/apis/meshdns.io/v1alpha1/namespaces/shop/virtualdestinations", {
            "apiVersion": "meshdns.io/v1alpha1", "kind": "VirtualDestination", "metadata": {"name": name},
            "spec": {"hosts": [host], "services": [{"name": "web"}]}})
        eventually(lambda: self.message(lambda: claim("x", "pay.mesh.internal")).startswith(
            "virtualdestinations.meshdns.io \"x\" is forbidden"), "the policy is in force")
        claim("a", "pay.shop.mesh.internal")
        self.plane.patch("/api/v1/namespaces/shop", {"metadata": {"annotations": {"meshdns.io/hosts": "pay.mesh.internal"}}})
        eventually(lambda: self.message(lambda: claim("b", "pay.mesh.internal")) == "", "the annotation counts")

    def message(self, action):
        """What the API server says against it; it is undone where nothing is said."""
        try:
            made = action()["metadata"]
        except Refused as refused:
            return refused.message
        self.plane.delete(f"/apis/meshdns.io/v1alpha1/namespaces/shop/virtualdestinations/{made['name']}")
        return ""

    def test_what_is_wrong_would_be_seen(self):
        folder = os.path.join(self.plane.folder, "wrong")
        text = self.plane.kubectl("kustomize", overlay("dev"))[1]
        for right, wrong in (("livenessProbe:", "livenessProb:"), ("serviceAccountName:", "serviceAccountNam:")):
            path = self.plane.write(os.path.join(folder, "all.yaml"), text.replace(right, wrong))
            code, _, errors = self.plane.kubectl("apply", "-f", path, "--server-side", "--validate=strict")
            self.assertNotEqual(code, 0)
            self.assertIn(wrong[:-1], errors)


if __name__ == "__main__":
    unittest.main()
