"""A mesh beside a real API server: a federation, and agents with exactly the role that is shipped."""
import contextlib
import copy
import http.client
import json
import os
import signal
import socket
import tempfile

import dns.exception
import dns.message
import dns.query

import kube_plane
import lab
from faults import Proxy
from kubelet import Kubelet
from mesh import BIN, WAIT, addresses, eventually
from ports import free_port

FEDERATION = """\
cluster: {cluster}
zones: [{{name: mesh.internal}}]
data_dir: {folder}/federation-{cluster}
dns: {{workers: "1", listen: [{{address: "127.0.0.1:0"}}]}}
federation: {{listen: "127.0.0.1:{port}"{more}}}
admin: {{listen: "127.0.0.1:0", socket: {folder}/federation-{cluster}.sock}}
"""
AGENT = """\
node: {node}
cluster: {cluster}
addresses: [{address}]
federation: {{servers: ["127.0.0.1:{port}"]}}
discovery:
  static: {{directory: {folder}/{node}.d}}
  kubernetes: {{server: "{server}", ca: {ca}, token_file: {folder}/{node}.token, cgroup_root: {cgroups}}}
admin: {{listen: "127.0.0.1:0", socket: {folder}/{node}.sock}}
"""
ROLES = "/apis/rbac.authorization.k8s.io/v1"
PLURALS = {"ClusterRole": "clusterroles", "ClusterRoleBinding": "clusterrolebindings", "Role": "roles",
           "RoleBinding": "rolebindings"}


def route_pods():
    """Every address of the pods and nodes of these tests is one of this namespace."""
    for network in ("10.244.0.0/16", "10.0.0.0/24"):
        lab.command("ip", "route", "replace", "local", network, "dev", "lo")
    lab.command("ip", "-6", "route", "replace", "local", "fd00:244::/64", "dev", "lo")


def roles_of(account, namespace="meshdns"):
    """What is shipped for a service account: its roles and bindings, with `namespace` where a file leaves it open."""
    found = copy.deepcopy(kube_plane.shipped(*PLURALS))
    for document in found:
        for subject in document.get("subjects", []):
            subject.setdefault("namespace", namespace)
        if document["kind"] in ("Role", "RoleBinding"):
            document["metadata"].setdefault("namespace", namespace)
    bindings = [document for document in found if any(
        subject["kind"] == "ServiceAccount" and subject["name"] == account for subject in document.get("subjects", []))]
    names = {(binding["roleRef"]["kind"], binding["roleRef"]["name"]) for binding in bindings}
    return [document for document in found if (document["kind"], document["metadata"]["name"]) in names] + bindings


def install(plane, account, change=lambda document: document, namespace="meshdns"):
    """The service account with its shipped roles. change: applied to each document before"""
    if plane.request("GET", f"/api/v1/namespaces/{namespace}")[0] != 200:
        plane.namespace(namespace)
    plane.create(f"/api/v1/namespaces/{namespace}/serviceaccounts", {"metadata": {"name": account}})
    for document in map(change, roles_of(account, namespace)):
        place = f"/namespaces/{document['metadata']['namespace']}" if "namespace" in document["metadata"] else ""
        plane.create(f"{ROLES}{place}/{PLURALS[document['kind']]}", document)


class PodBed(contextlib.ExitStack):
    """`plane` has the role of the agents already; each agent has a pod in it, and a token that is bound to that pod."""

    def __init__(self, plane, cluster="eu-1", cgroups="/sys/fs/cgroup", proxied=True):
        super().__init__()
        self.plane, self.cluster, self.cgroups, self.proxied = plane, cluster, cgroups, proxied
        self.port, self.tokens = free_port(), {}
        self.environment = None

    def __enter__(self):
        super().__enter__()
        self.folder = tempfile.mkdtemp(dir=self.plane.folder)
        self.proxy = self.enter_context(Proxy(self.plane)) if self.proxied else None
        return self

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def start(self, binary, config):
        daemon = self.plane.start(os.path.join(BIN, binary), "--config", config, env=self.environment)
        self.callback(lambda: daemon.process.poll() is None and daemon.stop(signal.SIGKILL))
        return daemon

    def begin_federation(self, more=""):
        """more: further keys of `federation`, with a comma before"""
        words = {"folder": self.folder, "cluster": self.cluster, "port": self.port, "more": more}
        self.federation = self.start("meshdnsd", self.write(f"federation-{self.cluster}.yaml",
                                                            FEDERATION.format(**words)))
        self.federation.wait_line(r" ready\b")
        self.dns = self.federation.address("dns listening")
        return self.federation

    def followed(self, *clusters):
        """Keys of `federation` by which it follows the API servers of these clusters: (control plane, cluster), ..."""
        entries = []
        for plane, cluster in clusters:
            token = self.write(f"{cluster}.token", plane.token("meshdns", "meshdnsd"))
            entries.append(f'{{cluster: {cluster}, server: "{plane.server}", ca_file: {plane.path("ca.pem")}, '
                           f'token_file: {token}}}')
        return f", kubernetes: [{', '.join(entries)}]"

    # ---- agents ----

    def kubelet(self, node="n1", **where):
        """A node with a pod for its agent."""
        kubelet = Kubelet(self.plane, node, **where)
        self.renew_token(node)
        return kubelet

    def renew_token(self, node="n1"):
        """A new pod for the agent, and a token of its."""
        name = f"meshdns-agent-{node}-{len(self.tokens)}"
        pod = self.plane.create("/api/v1/namespaces/meshdns/pods", {
            "metadata": {"name": name}, "spec": {"nodeName": node, "serviceAccountName": "meshdns-agent", "containers": [
                {"name": "agent", "image": "meshdns:1"}]}})
        self.tokens[name] = self.plane.token("meshdns", "meshdns-agent", pod)
        self.write(f"{node}.token", self.tokens[name])
        return name

    def begin_agent(self, node="n1", address="127.0.0.1", wait=r" ready\b"):
        os.makedirs(self.path(f"{node}.d"), exist_ok=True)
        config = self.write(f"{node}.yaml", AGENT.format(
            node=node, cluster=self.cluster, address=address, port=self.port, folder=self.folder,
            server=(self.proxy or self.plane).server, ca=self.plane.path("ca.pem"), cgroups=self.cgroups))
        agent = self.start("meshdns-agent", config)
        agent.wait_line(wait)
        return agent

    def status(self, node="n1"):
        """What the agent says at /v1/status."""
        connection = http.client.HTTPConnection("localhost")
        with socket.socket(socket.AF_UNIX) as connection.sock:
            connection.sock.connect(self.path(f"{node}.sock"))
            connection.request("GET", "/v1/status")
            return json.loads(connection.getresponse().read())

    # ---- answers ----

    def answers(self, name="app-b.shop", kind="A"):
        """The sorted addresses; a packet that is lost on a busy machine is sent again."""
        query = dns.message.make_query(f"{name}.mesh.internal", kind, flags=0)
        for _ in range(20):
            with contextlib.suppress(dns.exception.Timeout):
                return addresses(dns.query.udp(query, self.dns[0], port=self.dns[1], timeout=2))
        raise AssertionError(f"no answer for {name}")

    def wait(self, expected, name="app-b.shop", kind="A", timeout=WAIT):
        expected = sorted(expected)
        eventually(lambda: self.answers(name, kind) == expected, f"{name} is {expected}", timeout)
