"""The mesh of the manifests beside a real API server: the configurations of the default overlay, the shipped roles, and real
tokens of pods. Replaced are addresses and files, and what a pod has from its kubelet."""
import base64
import os

import yaml

import kube_plane
from mesh import BIN, run
from pod_bed import PodBed, install
from ports import free_port

OVERLAY = os.path.join(kube_plane.MANIFESTS, "overlays", "default")
EXPORTS = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
           "metadata": {"name": "serviceexports.multicluster.x-k8s.io",
                        "annotations": {"api-approved.kubernetes.io": "https://github.com/kubernetes/enhancements/pull/1646"}},
           "spec": {"group": "multicluster.x-k8s.io", "scope": "Namespaced",
                    "names": {"kind": "ServiceExport", "plural": "serviceexports"},
                    "versions": [{"name": "v1alpha1", "served": True, "storage": True, "subresources": {"status": {}},
                                  "schema": {"openAPIV3Schema": {
                                      "type": "object", "x-kubernetes-preserve-unknown-fields": True}}}]}}
AUTHORITY = "meshdns-authority"


def install_kinds(plane):
    """Our kinds as they are shipped, and the ServiceExport of MCS."""
    code, _, errors = plane.kubectl("apply", "-k", os.path.join(kube_plane.MANIFESTS, "crds"), "--server-side", "--validate=strict")
    assert code == 0, errors
    plane.create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", EXPORTS)
    for group in ("meshdns.io/v1alpha1", "multicluster.x-k8s.io/v1alpha1"):
        plane.wait_for(f"/apis/{group}")


def overlay(name):
    with open(os.path.join(OVERLAY, name), encoding="utf-8") as file:
        return yaml.safe_load(file)


class MeshBed(PodBed):
    """`plane` has the kinds; the accounts and their roles come from here. Instances of meshdnsd are named a, b, ..."""

    def __enter__(self):
        super().__enter__()
        for account in ("meshdnsd", "meshdns-agent", "meshdns-dns"):
            install(self.plane, account)
        self.ports = {}
        return self

    def access(self):
        """How meshdnsd reaches the API server, with the token of its service account."""
        token = self.write("meshdnsd.token", self.plane.token("meshdns", "meshdnsd"))
        return {"server": self.plane.server, "ca_file": self.plane.path("ca.pem"), "token_file": token}

    def config(self, name):
        config, access = overlay("meshdnsd.yaml"), self.access()
        self.ports[name] = free_port()
        federation = config["federation"]
        federation |= {"listen": f"127.0.0.1:{self.ports[name]}", "addresses": ["127.0.0.1"],
                       "kubernetes": [{"cluster": "eu-1", **access}]}
        federation["authority_secret"] |= access
        federation["store"]["kubernetes"] |= access
        federation["lease"]["kubernetes"] |= access
        federation["lease"]["duration"] = "3s"
        config["identity"]["kubernetes"] |= access
        config["dns"] = {"listen": [{"address": "127.0.0.1:0"}], "workers": "1"}
        return config | {"data_dir": self.path(name), "admin": {"listen": "127.0.0.1:0", "socket": self.path(name + ".sock")}}

    def begin(self, name="a", wait=r" ready\b"):
        os.makedirs(self.path(name), mode=0o700, exist_ok=True)
        daemon = self.start("meshdnsd", self.write(f"{name}.yaml", yaml.safe_dump(self.config(name))))
        daemon.wait_line(wait)
        return daemon

    def ctl(self, *words, name="a", stdin=""):
        return run(os.path.join(BIN, "meshdnsctl"), "--server", "unix:" + self.path(name + ".sock"), *words, stdin=stdin)

    def mount_authority(self):
        """The certificate in the ConfigMap, as a kubelet mounts it."""
        data = self.plane.wait_for(f"/api/v1/namespaces/meshdns/configmaps/{AUTHORITY}")["data"]
        return self.write("authority.crt", data["ca.crt"])

    def pod_token(self, account, name, node):
        pod = self.plane.create("/api/v1/namespaces/meshdns/pods", {
            "metadata": {"name": name}, "spec": {"nodeName": node, "serviceAccountName": account, "containers": [
                {"name": "c", "image": "meshdns:1"}]}})
        return self.plane.token("meshdns", account, pod, audiences=["meshdns-federation"])

    def join(self, servers, token_file):
        return {"servers": [f"127.0.0.1:{self.ports[name]}" for name in servers],
                "join": {"kubernetes": {"token_file": token_file, "ca_file": self.mount_authority()}}}

    def member(self, node, servers, token):
        """An agent of a pod on `node` that shows this token."""
        config = overlay("agent.yaml")
        config["federation"] = self.join(servers, self.write(f"{node}.joining", token))
        os.makedirs(self.path(node + ".d"), exist_ok=True)
        os.makedirs(self.path(node + ".state"), mode=0o700, exist_ok=True)
        config |= {"addresses": ["127.0.0.1"], "state_dir": self.path(node + ".state"),
                   "discovery": {"static": {"directory": self.path(node + ".d")}},
                   "admin": {"listen": "127.0.0.1:0", "socket": self.path(node + ".sock")}}
        self.environment = os.environ | {"NODE_NAME": node}
        return self.start("meshdns-agent", self.write(f"{node}.yaml", yaml.safe_dump(config)))

    def replica(self, pod, servers, token):
        config = overlay("dns.yaml")
        join = self.join(servers, self.write(f"{pod}.joining", token))
        os.makedirs(self.path(pod), mode=0o700, exist_ok=True)
        config |= {"dns": {"listen": [{"address": "127.0.0.1:0"}], "workers": "1"}, "data_dir": self.path(pod),
                   "replica": {"federation": join["servers"], "join": join["join"]},
                   "admin": {"listen": "127.0.0.1:0", "socket": self.path(pod + ".sock")}}
        self.environment = os.environ | {"POD_NAME": pod}
        return self.start("meshdnsd", self.write(f"{pod}.yaml", yaml.safe_dump(config)))

    def secret(self):
        data = self.plane.get(f"/api/v1/namespaces/meshdns/secrets/{AUTHORITY}")["data"]
        return {name: base64.b64decode(text).decode() for name, text in data.items()}

    def forget(self):
        """Removes what meshdnsd makes in the API: authority and lease."""
        for path in (f"/api/v1/namespaces/meshdns/secrets/{AUTHORITY}", f"/api/v1/namespaces/meshdns/configmaps/{AUTHORITY}",
                     "/apis/coordination.k8s.io/v1/namespaces/meshdns/leases/meshdnsd"):
            self.plane.request("DELETE", path)
