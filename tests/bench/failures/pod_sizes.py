"""K: how much memory and time the agent needs for the pods of a full node, and the federation for a large cluster."""
import os
import re
import time

import kube_plane
from kubelet import now
from mesh import eventually
from pod_bed import PodBed, install
from pods import pod_bed

SLICES = "/apis/discovery.k8s.io/v1/namespaces/big/endpointslices"
SERVICES, PODS_EACH, NODES = 5000, 10, 500
CHANGES = 50  # a second


def rss(daemon):
    """MiB"""
    with open(f"/proc/{daemon.process.pid}/status", encoding="ascii") as file:
        return int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1)) / 1024


def cpu(daemon):
    """seconds"""
    with open(f"/proc/{daemon.process.pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def row_k3(_):
    """memory of an agent with 110 pods"""
    with pod_bed() as bed:
        for number in range(1, 110):
            bed.node.pod(f"p{number}", [f"127.0.10.{number}"], f"s{number % 20}")
        bed.wait(["127.0.10.109"] if len(bed.answers("s9.shop")) == 1 else bed.answers("s9.shop"), "s9.shop")
        eventually(lambda: len(bed.status()["endpoints"]) >= 110, "110 endpoints")
        time.sleep(6)  # each port has been tried
        size = rss(bed.agent)
        return f"{size:.1f} MiB with {len(bed.status()['endpoints'])} endpoints", "<= 30 MiB", size <= 30


def meta(name, **more):
    return {"name": name, "namespace": "big", "creationTimestamp": now(), **more}


def uid(kind, number):
    return f"0000000{kind}-0000-0000-0000-{number:012}"


def large_cluster():
    """[(registry path, object)]: Services with their slices, and Nodes."""
    for number in range(NODES):
        yield f"minions/n{number}", {"apiVersion": "v1", "kind": "Node", "metadata": {
            "name": f"n{number}", "uid": uid(1, number), "creationTimestamp": now(),
            "labels": {"topology.kubernetes.io/region": "eu", "topology.kubernetes.io/zone": f"eu-{number % 3}"}}}
    for number in range(SERVICES):
        name = f"s{number}"
        yield f"services/specs/big/{name}", {
            "apiVersion": "v1", "kind": "Service", "metadata": meta(name, uid=uid(2, number)),
            "spec": {"type": "ClusterIP", "clusterIP": "None", "clusterIPs": ["None"], "selector": {"app": name}, "ports": [
                {"name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP"}]}}
        yield f"endpointslices/big/{name}-a", slice_object(number)


def slice_object(number):
    endpoints = []
    for index in range(number * PODS_EACH, (number + 1) * PODS_EACH):
        endpoints.append({
            "addresses": [f"10.{index // 62500}.{index // 250 % 250}.{index % 250 + 1}"],
            "conditions": {"ready": True, "serving": True, "terminating": False}, "nodeName": f"n{index % NODES}",
            "targetRef": {"kind": "Pod", "namespace": "big", "name": f"p-{index}", "uid": uid(3, index)}})
    return {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
            "metadata": meta(f"s{number}-a", uid=uid(4, number), labels={"kubernetes.io/service-name": f"s{number}"}),
            "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}], "endpoints": endpoints}


def change(plane, number, ready):
    """One pod of a Service becomes ready, or is no more."""
    patch = [{"op": "replace", "path": "/endpoints/0/conditions", "value": {
        "ready": ready, "serving": ready, "terminating": False}}]
    plane.do("PATCH", f"{SLICES}/s{number}-a", patch, "application/json-patch+json")


def row_k4(arguments):
    """a federation that watches 5,000 Services with 50,000 pods, and 50 changes a second"""
    with kube_plane.ControlPlane() as plane, PodBed(plane, proxied=False) as bed:
        install(plane, "meshdnsd")
        plane.namespace("big")
        plane.put_many(list(large_cluster()))
        begun = time.monotonic()
        bed.begin_federation(bed.followed((plane, "eu-1")))
        last = f"s{SERVICES - 1}.big"
        eventually(lambda: len(bed.answers(last)) == PODS_EACH, "the last Service is answered", timeout=300)
        took = time.monotonic() - begun
        time.sleep(5)
        size, used, begun, done = rss(bed.federation), cpu(bed.federation), time.monotonic(), 0
        while time.monotonic() < begun + arguments.seconds:
            change(plane, done % 500, done // 500 % 2 == 1)
            done += 1
            time.sleep(max(0.0, begun + done / CHANGES - time.monotonic()))
        spent = time.monotonic() - begun
        share = 100 * (cpu(bed.federation) - used) / spent
        eventually(lambda: len(bed.answers("s0.big")) == PODS_EACH - (done - 1) // 500 % 2 ^ 1, "the changes are answered")
        return (f"all answered after {took:.1f} s; {size:.0f} MiB, then {rss(bed.federation):.0f}; {share:.1f} % of a core at "
                f"{done / spent:.0f} changes/s", "<= 300 MiB; <= 5 %", max(size, rss(bed.federation)) <= 300 and share <= 5)


ROWS = {"K3": row_k3, "K4": row_k4}
