"""The checks grpc, udp and dns of the agent's binary, against a gRPC server, a real unbound, and sockets (docs/checks.md)."""
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import unittest
import urllib.request

from mesh import BIN, WAIT, eventually, run
from ports import free_port
from tls_bed import TlsBed

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interop"))
import peers  # noqa: E402  (its folder is not a package)

CONFIG = """\
node: n1
cluster: eu-1
addresses: [127.0.0.1]
federation: {{servers: ["127.0.0.1:1"]}}
discovery: {{static: {{directory: endpoints.d}}}}
admin: {{listen: "127.0.0.1:0", socket: {folder}/agent.sock}}
"""

ENDPOINT = """\
  - service: {service}
    namespace: shop
    ports: [{{name: tcp, number: {port}}}, {{name: udp, number: {port}, protocol: UDP}}]
    checks: [{{{check}, interval: {interval}, timeout: 5s}}]
"""

UNBOUND = """\
server:
  interface: 127.0.0.1@{port}
  port: {port}
  username: ""
  chroot: ""
  directory: "{folder}"
  pidfile: ""
  use-syslog: no
  logfile: ""
  verbosity: 1
  do-not-query-localhost: yes
  local-zone: "example.net." static
  local-data: "www.example.net. 60 A 192.0.2.1"
  local-data: "www.example.net. 60 AAAA 2001:db8::1"
  local-data: "_http._tcp.example.net. 60 SRV 0 1 80 www.example.net."
  local-zone: "refused.example." refuse
{many}
"""


class HealthServer:
    """A gRPC server that says what it is told to say."""

    def __init__(self, *words):
        self.process = subprocess.Popen([os.path.join(BIN, "health_server"), *words], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        self.port = int(re.search(r"address=127\.0\.0\.1:(\d+)", line).group(1))

    def say(self, service, word):
        self.process.stdin.write(f"{service} {word}\n")
        self.process.stdin.flush()

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(WAIT)
        self.process.stdin.close()
        self.process.stdout.close()


class UdpServer:
    """Answers each datagram with `answer`; None = with nothing."""

    def __init__(self, answer):
        self.answer = answer
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.got = []
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            data, peer = self.socket.recvfrom(65536)
            if data == b"end" and peer[1] == self.port:
                return
            self.got.append(data)
            if self.answer is not None:
                self.socket.sendto(self.answer, peer)

    def close(self):
        self.socket.sendto(b"end", self.socket.getsockname())
        self.thread.join()
        self.socket.close()


class ChecksTest(unittest.TestCase):
    def setUp(self):
        self.bed = self.enterContext(TlsBed())
        self.config = self.bed.write("agent.yaml", CONFIG.format(folder=self.bed.folder))

    def write(self, checks, port, interval="200ms"):
        """Lists an endpoint for each check: {service: check}."""
        entries = [ENDPOINT.format(service=service, port=port, check=check, interval=interval)
                   for service, check in checks.items()]
        self.bed.write("endpoints.d/all.yaml", "endpoints:\n" + "".join(entries))

    def once(self, checks, port):
        """What each check says, by `meshdns-agent --once`: {service: (state, why)}."""
        self.write(checks, port)
        code, out, err = run("meshdns-agent", "--once", "--config", self.config)
        unexpected = [line for line in err.splitlines() if "tls handshake failed" not in line]
        self.assertEqual((code, unexpected), (0, []), out)
        rows = re.findall(r"^shop/(\S+) +\S+ +(\S+) *(.*?) *$", out, re.M)
        self.assertEqual(len(rows), len(checks), out)
        return {service: (state, why) for service, state, why in rows}

    def start(self):
        self.agent = self.bed.start("meshdns-agent", "--config", self.config)
        self.agent.wait_line(r"\bready\b")
        self.admin = "http://%s:%d" % self.agent.address("admin listening")

    def until(self, expected):
        def states():
            with urllib.request.urlopen(self.admin + "/v1/status", timeout=WAIT) as reply:
                endpoints = json.loads(reply.read())["endpoints"]
            return {endpoint["key"].split("/")[1]: endpoint["state"] for endpoint in endpoints}
        eventually(lambda: states() == expected, f"states {expected}")

    def health_server(self, *words):
        server = HealthServer(*words)
        self.addCleanup(server.stop)
        return server

    def udp_server(self, answer):
        server = UdpServer(answer)
        self.addCleanup(server.close)
        return server

    # ---- grpc ----

    def test_grpc_once(self):
        server = self.health_server()
        server.say("cart", "not-serving")
        checks = {"all": "grpc: {port: tcp}", "cart": "grpc: {port: tcp, service: cart, watch: true}",
                  "till": "grpc: {port: tcp, service: till}"}
        self.assertEqual(self.once(checks, server.port), {
            "all": ("serving", ""), "cart": ("failing", "NOT_SERVING"),
            "till": ("failing", 'the server has no service "till"')})
        server.stop()
        self.assertEqual(self.once({"all": "grpc: {port: tcp}"}, server.port), {"all": ("failing", "connection refused")})

    def test_grpc_tls(self):
        self.bed.authority("ca")
        self.bed.certificate("fed", "ca", san="DNS:cart.example, IP:127.0.0.1")
        server = self.health_server("0", self.bed.path("fed.pem"), self.bed.path("fed.key"))
        ca = self.bed.path("ca.pem")
        verified = f"grpc: {{port: tcp, tls: true, tls_options: {{ca: {ca}}}}}"
        got = self.once({
            "address": verified,
            "name": f"grpc: {{port: tcp, tls: true, tls_options: {{ca: {ca}, server_name: cart.example}}}}",
            "other": f"grpc: {{port: tcp, tls: true, tls_options: {{ca: {ca}, server_name: till.example}}}}",
            "unknown": "grpc: {port: tcp, tls: true}",
            "unverified": "grpc: {port: tcp, tls: true, tls_options: {verify: false}}",
            "plain": "grpc: {port: tcp}",
        }, server.port)
        self.assertEqual({service: state for service, (state, _) in got.items()}, {
            "address": "serving", "name": "serving", "other": "failing", "unknown": "failing", "unverified": "serving",
            "plain": "failing"})
        self.assertIn("of another name", got["other"][1])
        self.assertIn("certificate verify failed", got["unknown"][1])

    def test_grpc_watch(self):
        """With an interval of one hour, only the stream can bring the news."""
        server = self.health_server()
        self.write({"cart": "grpc: {port: tcp, service: cart, watch: true}"}, server.port, interval="1h")
        server.say("cart", "serving")
        self.start()
        self.until({"cart": "serving"})
        server.say("cart", "not-serving")
        self.until({"cart": "failing"})
        server.say("cart", "serving")
        self.until({"cart": "serving"})
        server.stop()
        self.until({"cart": "failing"})

    # ---- udp ----

    def test_udp(self):
        server = self.udp_server(b"\0+PONG\r\n")
        checks = {"hex": 'udp: {port: udp, send_hex: "50 49 4e 47 0d 0a", expect: PONG}',
                  "other": "udp: {port: udp, send: ping, expect: pong}", "any": "udp: {port: udp}"}
        self.assertEqual(self.once(checks, server.port), {
            "hex": ("serving", ""), "other": ("failing", "unexpected answer: \\u0000+PONG\\r\\n"), "any": ("serving", "")})
        self.assertEqual(sorted(server.got), [b"", b"PING\r\n", b"ping"])
        nobody = free_port()
        self.assertEqual(set(self.once(checks, nobody).values()), {("failing", "connection refused")})

    def test_udp_without_answers(self):
        server = self.udp_server(None)
        self.assertEqual(self.once({"any": "udp: {port: udp, send: hello}"}, server.port), {"any": ("serving", "")})
        got = self.once({"wanted": "udp: {port: udp, send: hello, expect: pong}"}, server.port)
        self.assertEqual(got, {"wanted": ("failing", "timeout after 5s")})

    # ---- dns ----

    def unbound(self):
        """The port of an unbound that serves a few names of its own."""
        program, environment = shutil.which("unbound", path="/usr/sbin:/usr/bin"), None
        if not program:
            root = peers.debian("unbound")
            program, environment = root + "/usr/sbin/unbound", peers.environment(root)
        port = free_port()
        many = "\n".join(f'  local-data: "many.example.net. 60 A 10.0.{i // 100}.{i % 100}"' for i in range(300))
        config = self.bed.write("unbound.conf", UNBOUND.format(port=port, folder=self.bed.folder, many=many))
        daemon = self.bed.start(program, "-d", "-c", config, env=environment)
        daemon.wait_line("start of service")
        return daemon, port

    def test_dns(self):
        daemon, port = self.unbound()
        checks = {
            "code": "dns: {port: udp, name: www.example.net}",
            "v4": "dns: {port: udp, name: www.example.net, expect: 192.0.2.1}",
            "v6": 'dns: {port: udp, name: WWW.example.net, type: AAAA, expect: "2001:db8::1"}',
            "other": "dns: {port: udp, name: www.example.net, expect: 192.0.2.2}",
            "tcp": "dns: {port: tcp, name: www.example.net, expect: 192.0.2.1, tcp: true}",
            "many": "dns: {port: udp, name: many.example.net, expect: 10.0.2.99}",
            "srv": "dns: {port: udp, name: _http._tcp.example.net, type: SRV}",
            "gone": "dns: {port: udp, name: gone.example.net}",
            "absent": "dns: {port: udp, name: gone.example.net, rcode: NXDOMAIN}",
            "refused": "dns: {port: udp, name: refused.example, rcode: REFUSED}",
        }
        self.assertEqual(self.once(checks, port), {
            "code": ("serving", ""), "v4": ("serving", ""), "v6": ("serving", ""), "tcp": ("serving", ""),
            "many": ("serving", ""), "srv": ("serving", ""), "absent": ("serving", ""), "refused": ("serving", ""),
            "other": ("failing", "the answer has no 192.0.2.2: it has 192.0.2.1"),
            "gone": ("failing", "NXDOMAIN, expected NOERROR")})
        daemon.stop()
        both = {"udp": checks["code"], "tcp": checks["tcp"]}
        self.assertEqual(set(self.once(both, port).values()), {("failing", "connection refused")})


if __name__ == "__main__":
    unittest.main()
