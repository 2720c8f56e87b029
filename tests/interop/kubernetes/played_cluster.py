"""Plays the scheduler and the kubelets of a control plane: pods get a node, an address, and a process in a cgroup."""
import threading
import time

from kubelet import Kubelet
from kube_plane import Refused

PODS = "/api/v1/pods"
RESTART = 1.5  # seconds until a kubelet starts a container again


class PlayedCluster:
    """One node. begin() plays until the control plane ends.

    start: called for each pod of the namespace `meshdns`; what else runs accepts connections at port 8080.
    """

    def __init__(self, plane, cgroups, node, address, network, start=lambda pod: None, zone="a"):
        """network: the first three numbers of the pods' addresses, with a dot after"""
        self.plane, self.cgroups, self.network, self.start = plane, cgroups, network, start
        self.kubelet = Kubelet(plane, node, address=address, pods=network + "0/24", zone=zone)
        self.hosts = iter(range(1, 255))
        self.running = {}  # by uid: [name of the pod, address, process, restarts]
        self.killed = {}   # by uid: when it was seen dead
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self.play, daemon=True)

    def begin(self):
        self.thread.start()

    def end(self):
        self.stopped.set()
        self.thread.join()

    def play(self):
        while not self.stopped.wait(0.05):
            status, reply = self.plane.request("GET", PODS)
            for pod in reply["items"] if status == 200 else []:
                try:
                    self.step(pod)
                except Refused:
                    pass  # it has changed meanwhile; the next round sees that

    def step(self, pod):
        meta = pod["metadata"]
        place = "/api/v1/namespaces/{namespace}/pods/{name}".format(**meta)
        if "deletionTimestamp" in meta:
            self.take_away(meta["uid"], place)
        elif "nodeName" not in pod["spec"]:
            self.plane.create(place + "/binding", {
                "metadata": {"name": meta["name"]}, "target": {"apiVersion": "v1", "kind": "Node", "name": self.kubelet.node}})
        elif meta["uid"] not in self.running:
            self.run(pod)
        else:
            self.restart(pod)

    def run(self, pod):
        meta = pod["metadata"]
        own = pod["spec"].get("hostNetwork", False)
        address = self.kubelet.address if own else self.network + str(next(self.hosts))
        process, container = None, None
        if meta["namespace"] == "meshdns":
            self.start(pod)
        else:
            container, process = self.cgroups.run(meta["uid"], address, 8080)
        self.running[meta["uid"]] = [meta["name"], address, process, 0]
        self.kubelet.status(meta["name"], address, meta["namespace"], container=container,
                            container_name=pod["spec"]["containers"][0]["name"])

    def restart(self, pod):
        """A container whose process was killed runs again a little later, as a kubelet has it."""
        meta = pod["metadata"]
        name, address, process, restarts = entry = self.running[meta["uid"]]
        if process is None or process.poll() is None:
            return
        since = self.killed.setdefault(meta["uid"], time.monotonic())
        if time.monotonic() - since > RESTART:
            del self.killed[meta["uid"]]
            container, entry[2] = self.cgroups.run(meta["uid"], address, 8080)
            entry[3] = restarts + 1
            self.kubelet.status(name, address, meta["namespace"], container=container, restarts=restarts + 1,
                                container_name=pod["spec"]["containers"][0]["name"])

    def take_away(self, uid, place):
        _, _, process, _ = self.running.get(uid, [None] * 4)
        if process:
            process.kill()
            process.wait()
        self.plane.delete(place, grace=0)
