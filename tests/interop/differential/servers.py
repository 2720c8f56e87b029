"""nsd, knotd and meshdnsd with one static zone, each on a port of loopback."""
import json
import os

import peers
from mesh import ask, eventually
from ports import free_port
from zone import ZONE

OURS = """\
cluster: eu-1
roles: [dns]
zones: [{{name: mesh.internal, ns: [{{name: ns1.mesh.internal, addresses: [10.0.9.1]}}], contact: ops.example.net}}]
dns:
  workers: "1"
  listen: [{{address: "127.0.0.1:{port}"}}]
  endpoints_file: mesh.yaml
  {static}
admin: {{listen: "127.0.0.1:0", socket: {folder}/meshdnsd.sock}}
"""
NSD = """\
server:
    ip-address: 127.0.0.1@{port}
    server-count: 1
    rrl-ratelimit: 0
    rrl-whitelist-ratelimit: 0
    tcp-query-count: 0
    username: ""
    chroot: ""
    zonesdir: "{folder}"
    database: ""
    xfrdir: "{folder}"
    zonelistfile: "{folder}/nsd.list"
    xfrdfile: "{folder}/nsd.xfrd"
    pidfile: ""
remote-control:
    control-enable: no
zone:
    name: "mesh.internal"
    zonefile: "zone"
"""
KNOT = """\
server:
    listen: 127.0.0.1@{port}
    rundir: "{folder}/knot"
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
database:
    storage: "{folder}/knot"
log:
  - target: stderr
    any: warning
template:
  - id: default
    storage: "{folder}"
    zonefile-sync: -1
    journal-content: none
zone:
  - domain: mesh.internal
    file: "zone"
"""
PORT_TRIES, UP = 3, 15.0  # seconds until it is up
PACKAGES = {"nsd": ("nsd", "/usr/sbin/nsd", "-d", "-c"), "knot": ("knot", "/usr/sbin/knotd", "-c")}


def unpack():
    return {name: peers.debian(package) for name, (package, *_) in PACKAGES.items()}


def static_records(_, lines):
    return "static_records: " + json.dumps(lines)


STATIC = static_records  # how our server gets the zone


def start_ours(bed, lines):
    bed.write("mesh.yaml", "nodes: []\n")
    # not port 0: the port that it becomes is a change of the configuration, with a serial of its own
    text = OURS.format(folder=bed.folder, port=free_port(), static=STATIC(bed, lines))
    config = bed.write("meshdnsd.yaml", text)
    daemon = bed.start("meshdnsd", "--config", config)
    daemon.wait_line("ready")
    return daemon.address("dns listening")


def start_peer(bed, name, root):
    """A server that answers, by its process and not by another that took its port."""
    _, program, *flags = PACKAGES[name]
    os.makedirs(bed.path("knot"), exist_ok=True)
    for left in reversed(range(PORT_TRIES)):
        server = ("127.0.0.1", free_port())
        text = {"nsd": NSD, "knot": KNOT}[name].format(port=server[1], folder=bed.folder)
        daemon = bed.start(root + program, *flags, bed.write(name + ".conf", text), env=peers.environment(root))
        try:
            eventually(lambda: answers(server) or daemon.process.poll() is not None, f"{name} answers", UP)
            if daemon.process.poll() is None:
                return server
        except AssertionError:
            pass
        daemon.stop()
        if not left:
            raise AssertionError(f"{name} does not answer; its log:\n" + "\n".join(daemon.lines))


def answers(server):
    try:
        return bool(ask(server, ZONE, "SOA", tcp=True).answer)  # a port that is not open yet says so
    except OSError:
        return False


def start(bed, lines, roots):
    """All of them: {name: address}. The others get our SOA and NS, so that every answer can be compared whole."""
    ours = start_ours(bed, lines)
    apex = [rrset.to_text() for kind in ("SOA", "NS") for rrset in ask(ours, ZONE, kind).answer]
    bed.write("zone", "\n".join([*apex, "ns1.mesh.internal. 60 A 10.0.9.1", *lines]) + "\n")
    return {"ours": ours, **{name: start_peer(bed, name, root) for name, root in roots.items()}}
