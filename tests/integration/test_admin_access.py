"""Who is answered at the admin ports of both daemons: clients on loopback that name the server, and others as far as they may.

The daemons run in a network namespace that has loopback and one address beyond it, so that both kinds of clients exist.
"""
import subprocess
import unittest

from mesh import WAIT, Bed
from netns import Namespace

BEYOND = "10.77.0.1"
MESHDNSD = """\
cluster: eu-1
roles: [dns]
zones: [{{name: mesh.internal}}]
dns: {{listen: [{{address: "127.0.0.1:0"}}], workers: "1", endpoints_file: mesh.yaml}}
admin: {{listen: "0.0.0.0:0", socket: {folder}/meshdnsd.sock, hosts: [proxy.example.net]{more}}}
"""
AGENT = """\
node: n1
cluster: eu-1
addresses: [127.0.0.1]
federation: {{servers: ["127.0.0.1:1"]}}
discovery: {{static: {{directory: {folder}/endpoints.d}}}}
admin: {{listen: "0.0.0.0:0", socket: {folder}/agent.sock, hosts: [proxy.example.net]{more}}}
"""
# $1: address, $2: port, $3: the whole head of a request
ASK = """\
import socket, sys
with socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=60) as client:
    client.sendall(sys.argv[3].encode() + b"Connection: close\\r\\n\\r\\n")
    answer = b""
    while piece := client.recv(65536):
        answer += piece
sys.stdout.buffer.write(answer)
"""


class AdminAccessTest(unittest.TestCase):
    def setUp(self):
        self.bed = self.enterContext(Bed())
        self.namespace = Namespace()
        self.addCleanup(self.namespace.close)
        self.namespace.ip("link set lo up")
        self.namespace.ip(f"addr add {BEYOND}/32 dev lo")
        self.bed.write("mesh.yaml", "nodes: []\n")
        self.bed.write("endpoints.d/none.yaml", "endpoints: []\n")

    def daemons(self, more=""):
        """Both daemons, with further keys of `admin`: each with the port at which it answers over HTTP."""
        for binary, text in (("meshdnsd", MESHDNSD), ("meshdns-agent", AGENT)):
            config = self.bed.write(binary + ".yaml", text.format(folder=self.bed.folder, more=more))
            daemon = self.bed.start(binary, "--config", config, prefix=self.namespace.prefix)
            daemon.wait_line(r"\bready\b")
            yield daemon, daemon.address("admin listening")[1]

    def ask(self, where, port, path, host, version="1.1"):
        """The status and the body of the answer."""
        head = f"GET {path} HTTP/{version}\r\n" + (f"Host: {host}\r\n" if host else "")
        answer = subprocess.run([*self.namespace.prefix, "/usr/bin/python3", "-c", ASK, where, str(port), head],
                                capture_output=True, timeout=WAIT, check=True).stdout.decode()
        top, _, body = answer.partition("\r\n\r\n")
        return int(top.split()[1]), body

    def test_on_loopback_the_host_must_be_this_server(self):
        for daemon, port in self.daemons():
            for path in ("/metrics", "/healthz", "/readyz", "/v1/status"):
                for host in ("localhost:7401", "127.0.0.1", BEYOND, "proxy.example.net"):
                    self.assertEqual(self.ask("127.0.0.1", port, path, host)[0], 200, (path, host))
                status, body = self.ask("127.0.0.1", port, path, "evil.example")
                self.assertEqual(status, 403, path)
                self.assertRegex(body, r"^Host evil\.example is not this server, .* admin\.hosts\n$")
            self.assertEqual(self.ask("127.0.0.1", port, "/healthz", "")[0], 400)
            self.assertEqual(self.ask("127.0.0.1", port, "/healthz", "", version="1.0")[0], 200)
            daemon.wait_line('HTTP request refused address=.* peer=127.0.0.1 path=/metrics reason="Host evil.example is not')
            metrics = self.ask("127.0.0.1", port, "/metrics", "localhost")[1]
            self.assertIn("meshdns_http_refused_requests_total 5\n", metrics)

    def test_beyond_loopback_probes_and_prometheus_are_answered(self):
        for daemon, port in self.daemons():
            for path in ("/metrics", "/healthz", "/readyz"):
                for host in (f"{BEYOND}:{port}", "meshdnsd.meshdns.svc:7401"):
                    self.assertEqual(self.ask(BEYOND, port, path, host)[0], 200, (path, host))
            for path in ("/v1/status", "/v1/nodes", "/"):
                status, body = self.ask(BEYOND, port, path, BEYOND)
                self.assertEqual(status, 403, path)
                self.assertIn(f"admin.public allows only /healthz, /metrics, /readyz to {BEYOND}", body)
            daemon.wait_line(f"HTTP request refused address=.* peer={BEYOND} path=/v1/status reason=\"admin.public")

    def test_what_is_public_is_a_setting(self):
        for _, port in self.daemons(", public: [health]"):
            self.assertEqual(self.ask(BEYOND, port, "/healthz", BEYOND)[0], 200)
            self.assertEqual(self.ask(BEYOND, port, "/metrics", BEYOND)[0], 403)
            self.assertEqual(self.ask("127.0.0.1", port, "/metrics", "localhost")[0], 200)


if __name__ == "__main__":
    unittest.main()
