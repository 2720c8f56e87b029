"""Plays the kubelets: nodes, pods that are started, become ready, end and are taken away, as the API sees them."""
import contextlib
import datetime
import itertools
import os
import signal
import subprocess
import sys
import tempfile
import uuid

NODES, PODS = "/api/v1/nodes", "/api/v1/namespaces/{}/pods"
_clock = itertools.count()

# What runs in a container: it accepts connections at an address and port.
SERVER = """
import socket, sys
listener = socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=512)
print("ready", flush=True)
while True:
    listener.accept()[0].close()
"""


def now():
    """Times of a test never repeat: each is one second after the one before."""
    begin = datetime.datetime(2026, 11, 29, 16, tzinfo=datetime.timezone.utc)
    return (begin + datetime.timedelta(seconds=next(_clock))).strftime("%Y-%m-%dT%H:%M:%SZ")


def pod_object(name, namespace, node, labels=None, annotations=None, port=8080, **spec):
    """A Pod to create. spec: further fields of the specification, such as hostNetwork"""
    container = {"name": "c", "image": "registry.invalid/app:1",
                 "ports": [{"name": "http", "containerPort": port, "protocol": "TCP"}]}
    return {"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": name, "namespace": namespace, "labels": labels or {}, "annotations": annotations or {}},
            "spec": {"nodeName": node, "containers": [container], "terminationGracePeriodSeconds": 30,
                     **{key: value for key, value in spec.items() if value is not None}}}


def status_object(addresses, ready=True, phase="Running", container=None, restarts=0, node_address="10.0.0.1",
                  name="c"):
    """What a kubelet writes into the status. addresses: of the pod, one of each family at most;
    name: of its container, as in the pod's spec"""
    condition = {"type": "Ready", "status": "True" if ready else "False", "lastTransitionTime": now()}
    if not ready:
        condition |= {"reason": "ContainersNotReady", "message": "containers with unready status: [c]"}
    status = {"phase": phase, "hostIP": node_address, "conditions": [condition]}
    if addresses:
        status |= {"podIP": addresses[0], "podIPs": [{"ip": address} for address in addresses]}
    if container:
        status["containerStatuses"] = [{
            "name": name, "image": "app:1", "imageID": "app", "ready": ready, "restartCount": restarts,
            "containerID": f"containerd://{container}", "state": {"running": {"startedAt": now()}}}]
    return status


class Kubelet:
    """The kubelet of one node of a control plane."""

    def __init__(self, plane, node="n1", address="10.0.0.1", pods="10.244.1.0/24", region="eu", zone="eu-a"):
        self.plane, self.node, self.address = plane, node, address
        labels = {"kubernetes.io/hostname": node, "topology.kubernetes.io/region": region,
                  "topology.kubernetes.io/zone": zone, "kubernetes.io/os": "linux"}
        plane.create(NODES, {"metadata": {"name": node, "labels": labels}, "spec": {"podCIDR": pods, "podCIDRs": [pods]}})
        plane.patch(f"{NODES}/{node}/status", {"status": {
            "addresses": [{"type": "InternalIP", "address": address}],
            "capacity": {"cpu": "4", "memory": "8Gi", "pods": "110"},
            "allocatable": {"cpu": "4", "memory": "8Gi", "pods": "110"},
            "conditions": [{"type": "Ready", "status": "True", "lastHeartbeatTime": now(), "lastTransitionTime": now()}]}})

    @staticmethod
    def place(name, namespace="shop"):
        return PODS.format(namespace) + "/" + name

    def pod(self, name, addresses, service=None, namespace="shop", ready=True, container=None, **spec):
        """A pod that is created and runs; ready=None: not started yet. Gives the object."""
        labels = {**spec.pop("labels", {}), **({"meshdns.io/service": service} if service else {})}
        made = self.plane.create(PODS.format(namespace), pod_object(name, namespace, self.node, labels, **spec))
        if ready is None:
            return made
        return self.status(name, addresses, namespace, ready=ready, container=container)

    def status(self, name, addresses, namespace="shop", container_name="c", **what):
        change = {"status": status_object([addresses] if isinstance(addresses, str) else addresses,
                                          node_address=self.address, name=container_name, **what)}
        return self.plane.patch(self.place(name, namespace) + "/status", change)

    def end(self, name, namespace="shop"):
        """What comes last of a deletion, or at once where nobody asked for grace."""
        self.plane.delete(self.place(name, namespace), grace=0)


class Cgroups(contextlib.ExitStack):
    """A folder of cgroup v2 of the test's own, with the layout of containerd under systemd."""

    def __enter__(self):
        super().__enter__()
        mounted = next((place for place in ("/sys/fs/cgroup", "/sys/fs/cgroup/unified")
                        if os.path.exists(place + "/cgroup.controllers")), None)
        self.root = mounted and tempfile.mkdtemp(prefix="meshdns-test-", dir=mounted)
        if self.root:
            self.callback(self.remove, self.root)
        return self

    @staticmethod
    def remove(root):
        for place, _, _ in os.walk(root, topdown=False):
            os.rmdir(place)

    def container(self, pod_uid, container):
        """The folder of a container's cgroup, made with its parents."""
        name = f"kubepods.slice/kubepods-pod{pod_uid.replace('-', '_')}.slice/cri-containerd-{container}.scope"
        path = os.path.join(self.root, name)
        os.makedirs(path, exist_ok=True)
        return path

    def run(self, pod_uid, address, port, container=None):
        """A container with one process that listens: (its id, the process)."""
        container = container or uuid.uuid4().hex * 2
        path = self.container(pod_uid, container)
        enter = f"import os; open({path + '/cgroup.procs'!r}, 'w').write('0');"
        process = subprocess.Popen([sys.executable, "-c", enter + SERVER, address, str(port)], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE)
        self.callback(process.stdout.close)
        self.callback(process.wait)
        self.callback(process.kill)
        assert process.stdout.readline() == b"ready\n", f"nobody can listen at {address}:{port}"
        return container, process


def kill(process):
    process.send_signal(signal.SIGKILL)
    process.wait()
