"""Configurations of one cluster's daemons: a federation, a replica that follows it, and agents. port: the federation's; of ENDPOINTS the
instance's."""

FEDERATION = """\
cluster: eu-1
zones: [{{name: mesh.internal}}]
data_dir: {folder}/federation
dns: {{workers: "1", listen: [{{address: "127.0.0.1:0"}}]}}
federation: {{listen: "127.0.0.1:{port}"}}
admin: {{listen: "127.0.0.1:0", socket: {folder}/federation.sock}}
"""
REPLICA = """\
cluster: eu-1
roles: [dns]
zones: [{{name: mesh.internal}}]
data_dir: {folder}/replica
dns: {{workers: "1", listen: [{{address: "127.0.0.1:0"}}]}}
replica: {{federation: ["127.0.0.1:{port}"]}}
admin: {{listen: "127.0.0.1:0", socket: {folder}/replica.sock}}
"""
AGENT = """\
node: {node}
cluster: eu-1
locality: {{region: eu, zone: {zone}}}
addresses: [127.0.0.1]
federation: {{servers: ["127.0.0.1:{port}"]}}
discovery: {{static: {{directory: {folder}/{node}.d}}}}
admin: {{listen: "127.0.0.1:0", socket: {folder}/{node}.sock}}
"""
ENDPOINTS = """\
endpoints:
  - service: app-b
    namespace: shop
    ports: [{{name: http, number: {port}}}]
    checks: [{{tcp: {{port: http}}, interval: 200ms}}]
"""
