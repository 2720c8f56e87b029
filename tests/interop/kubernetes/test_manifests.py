"""A real kube-apiserver takes packaging/kubernetes/ as it stands, and the pods that come of it."""
import copy
import glob
import os
import unittest

import yaml

from apiserver import ApiServer

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../packaging/kubernetes")


def setUpModule():
    global server
    server = unittest.enterModuleContext(ApiServer())
    for document in manifests():
        status, message = server.create(document)
        assert status == 201, f"{document['kind']} {document['metadata']['name']}: {status} {message}"


def manifests():
    out = []
    for path in sorted(glob.glob(os.path.join(FOLDER, "*.yaml"))):
        with open(path, encoding="utf-8") as file:
            out += list(yaml.safe_load_all(file))
    return out


def pods():
    """(name, Pod as its controller would make it)"""
    for document in manifests():
        if document["kind"] in ("Deployment", "DaemonSet"):
            template = document["spec"]["template"]
            name = document["metadata"]["name"]
            yield name, {"apiVersion": "v1", "kind": "Pod", "spec": template["spec"], "metadata": {
                "name": name, "namespace": document["metadata"]["namespace"], "labels": template["metadata"]["labels"]}}


class ManifestsTest(unittest.TestCase):
    def test_the_pods_are_admitted(self):
        for name, pod in pods():
            self.assertEqual(server.create(pod, dry_run=True), (201, ""), name)

    def test_meshdnsd_is_admitted_where_nothing_is_allowed(self):
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {
            "name": "strict", "labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}
        self.assertEqual(server.create(namespace)[0], 201)
        for name, pod in pods():
            account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": "strict"}}
            self.assertEqual(server.create(account)[0], 201)
            pod["metadata"]["namespace"] = "strict"
            status, message = server.create(pod, dry_run=True)
            if name == "meshdnsd":
                self.assertEqual((status, message), (201, ""))
            else:  # it needs the node's network, a folder of it, and nothing else
                self.assertEqual(status, 403)
                self.assertIn("host namespaces (hostNetwork=true)", message)
                self.assertIn('restricted volume types (volume "endpoints" uses restricted volume type "hostPath")', message)
                self.assertNotIn("securityContext", message)

    def test_what_is_wrong_would_be_seen(self):
        deployment = next(document for document in manifests() if document["kind"] == "Deployment")
        unknown, value = copy.deepcopy(deployment), copy.deepcopy(deployment)
        unknown["metadata"]["name"] = value["metadata"]["name"] = "other"
        unknown["spec"]["template"]["spec"]["containers"][0]["livenessProb"] = {}
        value["spec"]["selector"]["matchLabels"] = {"app": "another"}
        for document, words in ((unknown, "livenessProb"), (value, "selector")):
            status, message = server.create(document, dry_run=True)
            self.assertIn(status, (400, 422))
            self.assertIn(words, message)


if __name__ == "__main__":
    unittest.main()
