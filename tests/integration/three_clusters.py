"""A mesh of three clusters in one process tree: one meshdnsd with a listener per cluster, one agent per node."""
import os

from mesh import Bed, ask, run

CLUSTERS = {"eu-1": ("eu", "eu-a"), "eu-2": ("eu", "eu-c"), "us-1": ("us", "us-a")}

MESHDNSD = """\
cluster: eu-1
locality: {{region: eu, zone: eu-a}}
zones: [{{name: mesh.internal}}]
data_dir: {data}
dns:
  workers: 1
  listen:
{listen}
federation: {{listen: "127.0.0.1:0"}}
admin: {{listen: "127.0.0.1:0", socket: {socket}}}
"""

AGENT = """\
node: {node}
cluster: {cluster}
locality: {{region: {region}, zone: {zone}}}
addresses: [127.0.0.1]
federation: {{servers: ["{server}"]}}
discovery: {{static: {{directory: {folder}}}}}
admin: {{listen: "127.0.0.1:0", socket: {socket}}}
"""

ENDPOINT = """\
endpoints:
  - service: app-b
    namespace: shop
    labels: {{app: app-b}}
    address: {address}
    ports: [{{name: http, number: {port}}}]
    checks: [{{http: {{port: http, path: /healthz}}, interval: {interval}, timeout: 2s}}]
"""

OBJECTS = """\
apiVersion: meshdns.io/v1alpha1
kind: VirtualDestination
metadata: {name: app-b, namespace: shop}
spec:
  hosts: [app-b.mesh.internal]
  services: [{namespace: shop, matchLabels: {app: app-b}}]
  ports: [{name: http, number: 8080, targetPort: http, appProtocol: http}]
---
apiVersion: meshdns.io/v1alpha1
kind: Cluster
metadata: {name: eu-1}
spec:
  locality: {region: eu, zone: eu-a}
  distances: {eu-2: 12ms, us-1: 80ms}
---
apiVersion: meshdns.io/v1alpha1
kind: Cluster
metadata: {name: eu-2}
spec:
  locality: {region: eu, zone: eu-c}
  distances: {us-1: 90ms}
"""


class Mesh(Bed):
    """Call start() first; then `dns[cluster]` is where that cluster's clients ask."""

    def start_all(self, interval="200ms"):
        self.start_daemon()
        self.backends, self.agents = {}, {}
        for index, cluster in enumerate(CLUSTERS):
            self.start_agent(cluster, f"127.0.{index + 1}.11", interval)
        self.apply(OBJECTS)

    def start_daemon(self):
        listen = "".join(f'    - {{address: "127.0.0.1:0", locality: {{cluster: {name}, region: {region}, zone: {zone}}}}}\n'
                         for name, (region, zone) in CLUSTERS.items())
        config = self.write("meshdnsd.yaml", MESHDNSD.format(listen=listen, socket=self.path("meshdnsd.sock"),
                                                               data=self.path("state")))
        self.daemon = self.start("meshdnsd", "--config", config)
        self.daemon.wait_line("ready")
        self.federation = "%s:%d" % self.daemon.address("federation listening")
        self.admin = self.daemon.address("admin listening")
        found = [line for line in self.daemon.lines if "dns listening" in line]
        ports = [int(line.split("address=127.0.0.1:")[1].split()[0]) for line in found]
        self.dns = {name: ("127.0.0.1", port) for name, port in zip(CLUSTERS, ports)}

    def start_agent(self, cluster, address, interval="200ms"):
        region, zone = CLUSTERS[cluster]
        backend = self.backend(address)
        self.backends[cluster] = backend
        folder = os.path.join(self.folder, cluster)
        self.write(f"{cluster}/app-b.yaml", ENDPOINT.format(address=address, port=backend.port, interval=interval))
        config = self.write(f"agent-{cluster}.yaml", AGENT.format(
            node=f"{cluster}-n1", cluster=cluster, region=region, zone=zone, server=self.federation, folder=folder,
            socket=self.path(f"agent-{cluster}.sock")))
        self.agents[cluster] = self.start("meshdns-agent", "--config", config)

    def ctl(self, *words, stdin=""):
        return run("meshdnsctl", "--server", "unix:" + self.path("meshdnsd.sock"), *words, stdin=stdin)

    def apply(self, text):
        code, out, err = self.ctl("apply", "-f", self.write("objects.yaml", text))
        assert code == 0, out + err
        return out

    def ask(self, cluster, name="app-b.mesh.internal", kind="A", **options):
        return ask(self.dns[cluster], name, kind, **options)
