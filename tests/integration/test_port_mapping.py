"""Port mapping: a client reaches `number` though the endpoint listens on another port, from another machine and from the
node itself. Machines are network namespaces; the node has the agent, the federation and the instances."""
import json
import re
import shutil
import signal
import subprocess
import time
import unittest

from mesh import WAIT, Bed, eventually, run
from netns import Namespace

NODE4, NODE6 = "10.77.0.1", "fd77::1"
FEDERATION = """\
cluster: eu-1
zones: [{{name: mesh.internal}}]
data_dir: {folder}/federation
dns: {{workers: "1", listen: [{{address: "10.77.0.1:53"}}]}}
federation: {{listen: "10.77.0.1:7400", insecure: true}}
admin: {{listen: "127.0.0.1:0", socket: {folder}/federation.sock}}
"""
AGENT = """\
node: n1
cluster: eu-1
addresses: [10.77.0.1, "fd77::1"]
federation: {{servers: ["10.77.0.1:7400"], insecure: true}}
discovery: {{static: {{directory: {folder}/n1.d}}}}
port_mapping: "on"
admin: {{listen: "127.0.0.1:0", socket: {folder}/n1.sock}}
"""
ENDPOINTS = """\
endpoints:
  - service: app-b
    namespace: shop
    ports: [{name: http, number: 8080}, {name: echo, number: 5001, protocol: UDP}]
    checks: [{tcp: {port: http}, interval: 200ms}]
"""
OBJECT = """\
apiVersion: meshdns.io/v1alpha1
kind: VirtualDestination
metadata: {name: app-b, namespace: shop}
spec:
  hosts: [app-b.mesh.internal]
  services: [{namespace: shop, name: app-b}]
  ports:
    - {name: http, number: 80, targetPort: 8080, mapPorts: MAP}
    - {name: echo, number: 5000, protocol: UDP, targetPort: echo, mapPorts: MAP}
"""
HTTP = """\
import http.server, socket
class Server(http.server.HTTPServer):
    address_family = socket.AF_INET6
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"app-b")
Server(("::", PORT), Answer).serve_forever()
"""
ECHO = """\
import socket
echo = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
echo.bind(("10.77.0.1", 5001))
while True:
    data, peer = echo.recvfrom(100)
    echo.sendto(data, peer)
"""
ASK = """\
import socket
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.settimeout(5)
client.sendto(b"hello", ("10.77.0.1", 5000))
print(client.recv(100).decode())
"""
FOREIGN = """\
table ip foreign {
  map ports { type inet_service : inet_service; elements = { 81 : 8081 } }
  chain prerouting { type nat hook prerouting priority dstnat; policy accept; tcp dport 9999 counter redirect to :9998; }
}
table inet filter {
  chain input { type filter hook input priority 0; policy accept; tcp dport 9997 counter drop; }
}
table inet meshdns-n2 {
  chain prerouting { type nat hook prerouting priority -100; policy accept; ip daddr 10.77.0.9 tcp dport 80 counter dnat ip to 10.77.0.9:1; }
}
"""
LIVES = ["sh", "-c", "nft add table inet probe && nft delete table inet probe"]


@unittest.skipIf(shutil.which("nft") is None or shutil.which("curl") is None, "no nftables or curl here")
class PortMappingTest(unittest.TestCase):
    def setUp(self):
        self.bed = self.enterContext(Bed())
        self.node, self.client = self.machine(), self.machine()
        if subprocess.run([*self.node.prefix, *LIVES], capture_output=True, timeout=WAIT, check=False).returncode != 0:
            self.skipTest("the kernel has no nftables here")
        self.node.ip(f"link add veth0 type veth peer name eth0 netns {self.client.holder.pid}")
        self.node.ip(f"addr add {NODE4}/24 dev veth0")
        self.node.ip(f"-6 addr add {NODE6}/64 dev veth0 nodad")
        self.node.ip("link set veth0 up")
        self.client.ip("addr add 10.77.0.2/24 dev eth0")
        self.client.ip("-6 addr add fd77::2/64 dev eth0 nodad")
        self.client.ip("link set eth0 up")
        self.bed.write("resolv.conf", f"nameserver {NODE4}\n")
        self.bed.write("n1.d/app-b.yaml", ENDPOINTS)
        config = self.bed.write("federation.yaml", FEDERATION.format(folder=self.bed.folder))
        self.federation = self.bed.start("meshdnsd", "--config", config, prefix=self.node.prefix)
        self.federation.wait_line(r"\bready\b")
        self.script(self.node, HTTP.replace("PORT", "8080"))
        self.script(self.node, ECHO)

    def machine(self):
        out = Namespace()
        self.addCleanup(out.close)
        out.ip("link set lo up")
        return out

    def script(self, machine, text):
        """A Python script that runs in the namespace."""
        process = subprocess.Popen([*machine.prefix, "/usr/bin/python3", "-c", text], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        self.addCleanup(lambda: (process.kill(), process.wait(WAIT)))
        return process

    def agent(self, *drop):
        config = self.bed.write("agent.yaml", AGENT.format(folder=self.bed.folder))
        agent = self.bed.start("meshdns-agent", "--config", config, prefix=[*self.node.prefix, *drop])
        agent.wait_line(r"\bready\b")
        agent.wait_line(r"\bconnected\b")
        return agent

    def ctl(self, *words):
        code, out, err = run("meshdnsctl", "--server", f"unix:{self.bed.path('federation.sock')}", *words)
        self.assertEqual(code, 0, err)
        return out

    def apply(self, maps="true"):
        self.ctl("apply", "-f", self.bed.write("app-b-object.yaml", OBJECT.replace("MAP", maps)))

    def nft(self, *words):
        done = subprocess.run([*self.node.prefix, "nft", *words], capture_output=True, text=True, timeout=WAIT, check=True)
        return done.stdout

    def tables(self):
        return self.nft("list", "tables").split("\n")[:-1]

    def until_mapped(self):
        eventually(lambda: "table inet meshdns-n1" in self.tables(), "the agent's table")

    def until_removed(self):
        eventually(lambda: "table inet meshdns-n1" not in self.tables(), "no table of the agent")

    def curl(self, machine, *words):
        """What http://app-b.mesh.internal/ answers by the mesh's DNS; the exit code if it does not."""
        resolver = f"mount --bind {self.bed.path('resolv.conf')} /etc/resolv.conf && exec \"$@\""
        done = subprocess.run([*machine.prefix, "unshare", "--mount", "--", "sh", "-c", resolver, "sh", "curl", "-s",
                               "--noproxy", "*", "--max-time", "20", *words, "http://app-b.mesh.internal/"],
                              capture_output=True, text=True, timeout=WAIT, check=False)
        return done.stdout if done.returncode == 0 else done.returncode

    def http(self, path):
        """A page of the agent's socket."""
        return subprocess.run(["curl", "-s", "--unix-socket", self.bed.path("n1.sock"), f"http://localhost{path}"],
                              capture_output=True, text=True, timeout=WAIT, check=True).stdout

    def mapping(self):
        return json.loads(self.http("/v1/status"))["portMapping"]

    def endpoint(self):
        return json.loads(self.ctl("get", "endpoints", "-o", "json"))["endpoints"][0]

    def until_reported(self, problem=""):
        eventually(lambda: [port.get("problem", "") for port in self.endpoint().get("mapped", [])] == [problem, ""],
                   f"the first port with the problem '{problem}', the other one mapped")

    def test_clients_reach_the_number_from_another_machine_and_from_the_node(self):
        self.agent()
        self.apply()
        self.until_mapped()
        self.until_reported()
        for machine in (self.client, self.node):
            for family in ("-4", "-6"):
                self.assertEqual(self.curl(machine, family), "app-b", family)
            asked = subprocess.run([*machine.prefix, "/usr/bin/python3", "-c", ASK], capture_output=True, text=True,
                                   timeout=WAIT, check=True)
            self.assertEqual(asked.stdout, "hello\n")
        self.assertIn("port 80 is mapped by the node for 1 of 1 endpoint",
                      self.ctl("explain", "app-b.mesh.internal", "--client", "10.77.0.2"))
        self.assertIn("80->8080/TCP", self.ctl("get", "endpoints", "-o", "wide"))
        self.assertIn('meshdns_agent_port_mappings{state="mapped"} 4', self.http("/metrics"))
        eventually(lambda: int(self.mapping().get("connections", 0)) >= 6, "the connections are counted")

    def test_a_foreign_ruleset_stays_as_it_is(self):
        subprocess.run([*self.node.prefix, "nft", "-f", self.bed.write("foreign.nft", FOREIGN)], check=True, timeout=WAIT)
        before = self.nft("list", "ruleset")
        agent = self.agent()
        self.apply()
        self.until_mapped()
        with_ours = self.nft("list", "ruleset")
        self.assertEqual(with_ours.replace(self.nft("list", "table", "inet", "meshdns-n1"), ""), before)
        self.apply("false")
        self.until_removed()
        self.assertEqual(self.nft("list", "ruleset"), before)
        self.apply()
        self.until_mapped()
        self.assertEqual(agent.stop(), 0)
        self.assertEqual(self.nft("list", "ruleset"), before)

    def test_a_crash_leaves_nothing_beyond_the_next_start(self):
        agent = self.agent()
        self.apply()
        self.until_mapped()
        agent.stop(signal.SIGKILL)
        self.assertIn("table inet meshdns-n1", self.tables())
        self.apply("false")
        self.agent()
        self.until_removed()
        self.assertEqual(self.tables(), [])

    def test_a_table_that_is_flushed_is_written_again(self):
        agent = self.agent()
        self.apply()
        self.until_mapped()
        self.nft("flush", "ruleset")
        self.until_mapped()
        agent.wait_line("port mapping is written again")
        self.assertEqual(self.curl(self.client, "-4"), "app-b")

    def test_a_listener_is_not_cut_off(self):
        listener = self.script(self.node, HTTP.replace("PORT", "80"))
        agent = self.agent()
        eventually(lambda: self.curl(self.node, "--resolve", f"app-b.mesh.internal:80:{NODE4}") == "app-b",
                   "the listener on port 80")
        self.apply()
        agent.wait_line(r"port not mapped from=10.77.0.1:80 .*a process listens on \[::\]:80")
        self.until_reported("a process listens on [::]:80")
        self.assertNotIn("dport 80 ", self.nft("list", "ruleset"))
        self.assertIn("refused: a process listens on [::]:80", self.ctl("describe", "endpoint", self.endpoint()["key"]))
        seen = len(agent.lines)
        listener.kill()
        agent.wait_line("port mapped from=10.77.0.1:80", after=seen)
        self.until_reported()
        self.assertEqual(self.curl(self.client, "-4"), "app-b")

    def test_without_permission_the_agent_goes_on(self):
        if shutil.which("setpriv") is None:
            self.skipTest("no setpriv here")
        agent = self.agent("setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin")
        agent.wait_line("port mapping does not work: no port is redirected reason=.*CAP_NET_ADMIN")
        self.apply()
        eventually(lambda: len(self.endpoint().get("mapped", [])) == 2, "the endpoint says that it is not mapped")
        self.assertEqual(self.endpoint()["state"], "serving")
        self.assertIn("CAP_NET_ADMIN", self.endpoint()["mapped"][0]["problem"])
        self.assertIn("CAP_NET_ADMIN", self.mapping()["problem"])
        self.assertIn("meshdns_agent_port_mapping_failed 1", self.http("/metrics"))
        time.sleep(2.5)  # two more attempts
        self.assertEqual(len(re.findall("port mapping does not work", self.log_of(agent))), 1)

    @staticmethod
    def log_of(agent):
        agent.read(0.1)
        return "\n".join(agent.lines)


if __name__ == "__main__":
    unittest.main()
