"""The Helm chart renders the objects that kustomize renders, and refuses values that make no sense."""
import fcntl
import os
import re
import shutil
import subprocess
import unittest

import manifests
from lab import skip
from mesh import Bed
from peers import ROOT, attempt, folder

HERE = os.path.dirname(os.path.abspath(__file__))
CHART = os.path.join(ROOT, "packaging/helm/meshdns")
EVERYTHING = ["agent.nodeFiles=true", "dns.clusterIP=10.96.0.53", "networkPolicy.nodes={192.168.0.0/16}",
              "peers.loadBalancer.enabled=true", "serviceMonitor.enabled=true"]
COMPONENTS = ["cluster-ip", "network-policy", "node-files", "peers", "service-monitor"]


def helm():
    """The path of Helm, built from its module (3 min on 2 cores); cached until go.mod changes."""
    binary, module = os.path.join(folder("helm"), "helm"), os.path.join(HERE, "go.mod")
    with open(binary + ".lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if os.path.exists(binary) and os.path.getmtime(binary) > os.path.getmtime(module):
            return binary
        go = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin:/usr/lib/go/bin")
        if not go:
            skip("Helm cannot be built: no go")
        attempt("Helm cannot be built", go, "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", binary,
                "helm.sh/helm/v3/cmd/helm", cwd=HERE)
    return binary


def setUpModule():
    if not shutil.which("kubectl"):
        skip("no kubectl to render what the chart is compared with")
    helm()


def template(*values, namespace="meshdns"):
    arguments = [part for value in values for part in ("--set", value)]
    return subprocess.run([helm(), "template", "meshdns", CHART, "--namespace", namespace, "--include-crds", "--kube-version",
                           "1.34.0", *arguments], capture_output=True, text=True, check=False)


def rendered(*values):
    done = template(*values)
    if done.returncode:
        raise AssertionError(done.stderr)
    return manifests.parse(done.stdout)


def comparable(objects):
    """{kind and name: object} without what marks a changed configuration, and without the Namespace, which Helm makes."""
    found = {}
    for document in objects:
        if document["kind"] == "Namespace":
            continue
        name = document["metadata"]["name"]
        if document["kind"] == "ConfigMap":
            name = document["metadata"]["name"] = re.sub(r"-[a-z0-9]{10}$", "", name)
            document["data"] = {file: manifests.parse(text) for file, text in document["data"].items()}
        template_ = document.get("spec", {}).get("template", {})
        template_.get("metadata", {}).pop("annotations", None)
        pod = template_.get("spec", {})
        for volume in pod.get("volumes", []):
            if volume["name"] == "config":
                source = volume["projected"]["sources"][0]["configMap"] if "projected" in volume else volume["configMap"]
                source["name"] = re.sub(r"-[a-z0-9]{10}$", "", source["name"])
        if pod:
            pod["volumes"].sort(key=lambda volume: volume["name"])
            pod["containers"][0]["volumeMounts"].sort(key=lambda mount: mount["name"])
        key = document["kind"] + " " + name
        assert key not in found, key
        found[key] = document
    return found


class HelmTest(unittest.TestCase):
    maxDiff = None

    def equal(self, chart, kustomize):
        chart, kustomize = comparable(chart), comparable(kustomize)
        self.assertEqual(sorted(chart), sorted(kustomize))
        for name, document in kustomize.items():
            self.assertEqual(chart[name], document, name)

    def test_the_chart_is_the_default_overlay(self):
        self.equal(rendered(), manifests.overlay("default"))

    def test_its_values_are_the_components(self):
        bed = self.enterContext(Bed())
        self.equal(rendered(*EVERYTHING), manifests.with_components(bed, "default", COMPONENTS))

    def test_a_changed_configuration_restarts_the_pods(self):
        def sums(*values):
            return {document["metadata"]["name"]: document["spec"]["template"]["metadata"]["annotations"]["checksum/config"]
                    for document in rendered(*values) if document["kind"] in ("Deployment", "DaemonSet")}
        before, after = sums(), sums("dns.explainAllow={192.168.0.0/16}")
        self.assertEqual({name for name in before if before[name] != after[name]}, {"meshdns-dns"})

    def test_values_reach_what_they_are_for(self):
        text = template("cluster=us-1", "zones={a.internal,b.internal}", "image.repository=registry.example/meshdns",
                        "image.tag=1.2", "federation.addresses={fed.example}", namespace="dns").stdout
        objects = manifests.Objects(manifests.parse(text))
        configs = objects.configs()
        self.assertEqual({config["cluster"] for config in configs.values()}, {"us-1"})
        self.assertEqual(configs["meshdns-dns"]["zones"], [{"name": "a.internal"}, {"name": "b.internal"}])
        federation = configs["meshdnsd"]["federation"]
        self.assertEqual(federation["addresses"], ["meshdnsd.dns.svc.cluster.local", "fed.example"])
        self.assertEqual(federation["lease"]["kubernetes"]["namespace"], "dns")
        self.assertEqual({container["image"] for _, _, container in objects.pods()}, {"registry.example/meshdns:1.2"})
        self.assertNotRegex(text, r"namespace: meshdns\b")
        [policy] = objects.of("ValidatingAdmissionPolicy")
        self.assertEqual(policy["spec"]["variables"][0]["expression"], "['a.internal', 'b.internal']")

    def test_values_that_make_no_sense_are_refused(self):
        for value in ("clustre=eu-1", "cluster=EU 1", "zones=", "dns.replicas=0", "image.tag=latest", "networkPolicy.nodes={all}"):
            with self.subTest(value):
                done = template(value)
                self.assertNotEqual(done.returncode, 0)
                self.assertIn("schema", done.stderr)


if __name__ == "__main__":
    unittest.main()
