"""What the demo consists of: a federation; three clusters with a DNS replica and two nodes each; on every node an agent
and a service instance."""
from dataclasses import dataclass

DNS_PORT = 8053
SERVICE_PORT = 8080
FEDERATION = "127.0.0.1:7400"
ADMIN = "127.0.0.1:7401"
FEDERATION_DNS = "127.0.0.1:8054"
CUT_LINK = "127.0.0.1:7410"  # the way to the federation that the demo cuts
HOST = "app-b.mesh.internal"
FORWARDER = "127.0.0.54"  # asks for others, and says for whom


@dataclass(frozen=True)
class Node:
    name: str
    cluster: str
    region: str
    zone: str
    address: str

    @property
    def network(self):
        return f"net-{self.region}"

    @property
    def federation(self):
        return CUT_LINK if self.name == "us1-n1" else FEDERATION


@dataclass(frozen=True)
class Cluster:
    name: str
    region: str
    zone: str  # where its clients ask
    dns: str

    @property
    def network(self):
        return f"net-{self.region}"


CLUSTERS = [
    Cluster("eu-1", "eu", "eu-a", "127.0.1.53"),
    Cluster("eu-2", "eu", "eu-c", "127.0.2.53"),
    Cluster("us-1", "us", "us-a", "127.0.3.53"),
]

NODES = [
    Node("eu1-n1", "eu-1", "eu", "eu-a", "127.0.1.11"),
    Node("eu1-n2", "eu-1", "eu", "eu-b", "127.0.1.12"),
    Node("eu2-n1", "eu-2", "eu", "eu-c", "127.0.2.11"),
    Node("eu2-n2", "eu-2", "eu", "eu-c", "127.0.2.12"),
    Node("us1-n1", "us-1", "us", "us-a", "127.0.3.11"),
    Node("us1-n2", "us-1", "us", "us-a", "127.0.3.12"),
]

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
  distances: {eu-2: 12ms, us-1: 80ms}
---
apiVersion: meshdns.io/v1alpha1
kind: Cluster
metadata: {name: eu-2}
spec:
  distances: {us-1: 85ms}
"""

FENCE = """\
apiVersion: meshdns.io/v1alpha1
kind: VirtualDestination
metadata: {name: fenced, namespace: shop}
spec:
  hosts: [fenced.mesh.internal]
  services: [{namespace: shop, matchLabels: {app: app-b}}]
  policy: {fence: {within: region}, onEmpty: NoData}
"""

SPILL_HOST = "spill.mesh.internal"
SPILL_PREFIXES = [f"10.2.{number}.0/24" for number in range(40)]  # clients of eu-2
SPILL = f"""\
apiVersion: meshdns.io/v1alpha1
kind: VirtualDestination
metadata: {{name: spill, namespace: shop}}
spec:
  hosts: [{SPILL_HOST}]
  services: [{{namespace: shop, matchLabels: {{app: app-b}}}}]
  policy: {{spill: {{overprovisioning: 140%}}}}
---
apiVersion: meshdns.io/v1alpha1
kind: Cluster
metadata: {{name: eu-2}}
spec:
  distances: {{us-1: 85ms}}
  clientPrefixes: [{", ".join(SPILL_PREFIXES)}]
"""

GATEWAY = Node("us1-gateway", "us-1", "us", "us-a", "127.0.3.1")
GATEWAYS = """\
apiVersion: meshdns.io/v1alpha1
kind: Cluster
metadata: {name: us-1}
spec:
  network: net-us
  gateways: [{address: 127.0.3.1, ports: [{name: http, number: 8080}]}]
"""


def federation_yaml(folder):
    return f"""\
cluster: eu-1
locality: {{region: eu, zone: eu-a}}
zones: [{{name: mesh.internal}}]
data_dir: {folder}/state
dns: {{workers: "1", listen: [{{address: "{FEDERATION_DNS}"}}]}}
federation: {{listen: "{FEDERATION}"}}
admin: {{listen: "{ADMIN}", socket: {folder}/meshdnsd.sock}}
"""


def replica_yaml(cluster, folder):
    return f"""\
cluster: {cluster.name}
locality: {{network: {cluster.network}, region: {cluster.region}, zone: {cluster.zone}}}   # who asks here is here
roles: [dns]
zones: [{{name: mesh.internal}}]
data_dir: {folder}/state
dns:
  workers: "1"
  stale_after: 2s
  listen: [{{address: "{cluster.dns}:{DNS_PORT}"}}]
  trusted_forwarders: [{{prefix: {FORWARDER}/32}}]     # whose client subnets are believed
replica: {{federation: ["{FEDERATION}"]}}
admin: {{listen: "127.0.0.1:0", socket: {folder}/meshdnsd.sock}}
"""


def agent_yaml(node, folder):
    return f"""\
node: {node.name}
cluster: {node.cluster}
locality: {{network: {node.network}, region: {node.region}, zone: {node.zone}}}
addresses: [{node.address}]
federation: {{servers: ["{node.federation}"]}}
discovery: {{static: {{directory: {folder}/endpoints.d}}}}
admin: {{listen: "127.0.0.1:0", socket: {folder}/agent.sock}}
"""


def endpoints_yaml():
    return f"""\
endpoints:
  - service: app-b
    namespace: shop
    labels: {{app: app-b}}
    ports: [{{name: http, number: {SERVICE_PORT}}}]
    checks: [{{http: {{port: http, path: /healthz}}, interval: 1s, timeout: 500ms}}]
"""
