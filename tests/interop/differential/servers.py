"""nsd, knotd and meshdnsd with one static zone, each on a port of loopback."""
import os

import peers
from mesh import ask, eventually
from ports import free_port
from zone import ZONE

APEX = """\
$ORIGIN mesh.internal.
@ 120 IN SOA ns1 ops.example.net. (
    2026010101 ; serial
    1h 10m 1d  ; refresh, retry, expire
    60 )       ; minimum
  60 NS ns1
ns1 60 A 10.0.9.1
"""
OURS = """\
cluster: eu-1
roles: [dns]
zones: [{{name: mesh.internal}}]
dns:
  workers: "1"
  listen: [{{address: "127.0.0.1:0"}}]
  endpoints_file: mesh.yaml
  static_zone_file: zone
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


def start_ours(bed):
    bed.write("mesh.yaml", "nodes: []\n")
    text = OURS.format(folder=bed.folder)
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
    """All of them with the same file: {name: address}."""
    bed.write("zone", "\n".join([APEX, *lines]) + "\n")
    return {"ours": start_ours(bed), **{name: start_peer(bed, name, root) for name, root in roots.items()}}
