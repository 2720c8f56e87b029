"""Three clusters on four nodes with real addresses: one meshdnsd, an agent and an instance per node."""
import os
import sys
import time

import dns.exception
import dns.flags
import dns.message
import dns.query

from lab import Network
from mesh import BIN, WAIT, Bed, addresses, eventually, run
from peers import blocks

SERVER, OUTSIDE = "10.0.9.1", "10.0.9.9"
HOST = "app-b.mesh.internal"
NODES = {  # node: cluster, region, zone, its address, the address of a client there
    "eu-1-n1": ("eu-1", "eu", "eu-a", "10.0.0.11", "10.0.0.21"),
    "eu-1-n2": ("eu-1", "eu", "eu-b", "10.0.1.12", "10.0.1.22"),
    "eu-2-n1": ("eu-2", "eu", "eu-c", "10.1.0.11", "10.1.0.21"),
    "us-1-n1": ("us-1", "us", "us-a", "10.2.0.11", "10.2.0.21"),
}
RESOLVERS = {"eu-1-dns": "10.0.8.53", "eu-2-dns": "10.1.8.53", "us-1-dns": "10.2.8.53"}
INSTANCE = {node: row[3] for node, row in NODES.items()}

MESHDNSD = """\
cluster: eu-1
locality: {region: eu, zone: eu-a}
zones: [{name: mesh.internal}]
data_dir: FOLDER/meshdnsd
federation: {listen: "10.0.9.1:7400", insecure: true}
admin: {listen: "127.0.0.1:0", socket: FOLDER/meshdnsd.sock}
"""
AGENT = """\
node: {node}
cluster: {cluster}
locality: {{region: {region}, zone: {zone}}}
addresses: [{address}]
prefixes: [{prefix}]
federation: {{servers: ["10.0.9.1:7400"], insecure: true}}
discovery: {{static: {{directory: {folder}}}}}
admin: {{listen: "127.0.0.1:0", socket: {folder}/agent.sock}}
"""
ENDPOINT = """\
endpoints:
  - {service: app-b, namespace: shop, labels: {app: app-b}, ports: [{name: http, number: 8080}]}
"""
OBJECTS = """\
apiVersion: meshdns.io/v1alpha1
kind: VirtualDestination
metadata: {name: app-b, namespace: shop}
spec:
  hosts: [app-b.mesh.internal]
  services: [{namespace: shop, matchLabels: {app: app-b}}]
  ports: [{name: http, number: 8080, targetPort: http}]
---
apiVersion: meshdns.io/v1alpha1
kind: Cluster
metadata: {name: eu-1}
spec: {locality: {region: eu}, clientPrefixes: [10.0.0.0/16], distances: {eu-2: 12ms, us-1: 80ms}}
---
apiVersion: meshdns.io/v1alpha1
kind: Cluster
metadata: {name: eu-2}
spec: {locality: {region: eu, zone: eu-c}, clientPrefixes: [10.1.0.0/16], distances: {us-1: 90ms}}
---
apiVersion: meshdns.io/v1alpha1
kind: Cluster
metadata: {name: us-1}
spec: {locality: {region: us, zone: us-a}, clientPrefixes: [10.2.0.0/16]}
"""
SLEEPER = ("import socket, time\n"
           "server = socket.create_server(('{address}', 8080), backlog=64)\n"
           "while True: server.accept()[0].close()\n")


class Clusters(Bed):
    """Start it once; `hosts` are the machines, `ask` is a client's query, `kill` and `revive` are an instance's.

    dns: meshdnsd's section of that name; what docs/coredns.md has unless it is given
    """

    def __init__(self, dns=None):
        super().__init__()
        self.dns = dns or blocks("coredns.md", "yaml")["meshdnsd"]

    def __enter__(self):
        super().__enter__()
        self.network = Network(SERVER, OUTSIDE)
        self.hub, self.hosts, self.sockets, self.instances = self.network.hub, self.network.hosts, {}, {}
        for node, (*_, address, client) in NODES.items():
            self.network.add(node, address, client)
        for name, address in RESOLVERS.items():
            self.network.add(name, address)
        config = self.write("meshdnsd.yaml", MESHDNSD.replace("FOLDER", self.folder) + self.dns)
        self.on(self.hub, "meshdnsd", "--config", config).wait_line("ready")
        for node in NODES:
            self.start_node(node)
        self.apply()
        return self

    def on(self, host, *argv, **options):
        """One of our daemons, or any program given by its path, on a host; it ends with the test."""
        program = os.path.join(BIN, argv[0])  # a path stays itself
        return self.start("/usr/bin/env", *host.wrap, program, *argv[1:], **options)

    def start_node(self, node):
        cluster, region, zone, address, _ = NODES[node]
        self.write(f"{node}/app-b.yaml", ENDPOINT)
        config = self.write(f"{node}.yaml", AGENT.format(
            node=node, cluster=cluster, region=region, zone=zone, address=address, folder=self.path(node),
            prefix=address.rsplit(".", 1)[0] + ".0/24"))
        self.revive(node)
        self.on(self.hosts[node], "meshdns-agent", "--config", config)

    def apply(self):
        code, out, err = run("meshdnsctl", "--server", "unix:" + self.path("meshdnsd.sock"), "apply", "-f",
                             self.write("objects.yaml", OBJECTS))
        assert code == 0, out + err
        for node in NODES:
            self.settled(node)

    def settled(self, node):
        """Waits until a client beside the instance gets it from meshdnsd itself."""
        self.settled_on(node, node)

    def settled_on(self, client, node):
        """Waits until a client on one node gets the instance of another from meshdnsd itself."""
        eventually(lambda: addresses(self.ask(client)) == [INSTANCE[node]], f"the instance of {node}")

    def kill(self, node):
        """Kills the instance of a node as hard as the kernel can; gives the time."""
        self.instances[node].process.kill()
        now = time.monotonic()
        self.instances[node].stop()
        return now

    def revive(self, node):
        """Starts the instance of a node; the agent sees it at its next check."""
        host = self.hosts[node]
        self.instances[node] = self.on(host, sys.executable, "-c", SLEEPER.format(address=host.address))

    def ask(self, node, server=SERVER, name=HOST, kind="A", **options):
        """What a client on this node gets: a stub's query, asked from the client's own address."""
        key = (node, "127.0.0.1" if server.startswith("127.") else NODES[node][4])
        if key not in self.sockets:
            self.sockets[key] = self.hosts[node].socket(source=key[1])
            self.callback(self.sockets[key].close)
        sock = self.sockets[key]
        query = dns.message.make_query(name, kind, **options)
        end = time.monotonic() + WAIT
        while time.monotonic() < end:
            try:
                return dns.query.udp(query, server, sock=sock, timeout=2, ignore_unexpected=True)
            except (dns.exception.Timeout, OSError, dns.query.BadResponse):
                continue
        raise AssertionError(f"{node}: no answer of {server} for {name}")

    def failover(self, node, server=SERVER):
        """Kills the instance beside a client right after its resolver fetched afresh: the seconds until no new query
        gets it, and until no client has it that keeps an answer for its TTL."""
        fresh(lambda: self.ask(node, server))
        dead, kept = INSTANCE[node], float(ttl(self.ask(node, server)))
        start = self.kill(node)
        while dead in addresses(reply := self.ask(node, server)):
            now = time.monotonic() - start
            kept = max(kept, now + ttl(reply))
            assert now < WAIT, f"{dead} is still answered:\n{reply}"
            time.sleep(0.002)
        took = time.monotonic() - start
        self.revive(node)
        self.settled(node)
        return took, max(took, kept)


def ttl(reply):
    return min((rrset.ttl for rrset in reply.answer), default=0)


def fresh(asking, longest=8.0):
    """Asks until the TTL goes up: what was cached has just been fetched again. Without a cache it never falls."""
    end, last = time.monotonic() + longest, ttl(asking())
    first = last
    while time.monotonic() < end:
        now = ttl(asking())
        if now > last:
            return
        if now == first and time.monotonic() > end - longest + 1.5:
            return  # it does not count down: nothing is cached
        last = now
        time.sleep(0.01)
