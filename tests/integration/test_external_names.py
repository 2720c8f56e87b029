"""External endpoints by hostname: what the resolver says is answered, and the last good of it while it says nothing."""
import re
import signal
import socket
import threading
import unittest
import urllib.request

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from mesh import WAIT, Bed, addresses, ask, eventually, run
from one_cluster import FEDERATION, REPLICA

FROM_FILE = """\
cluster: eu-1
roles: [dns]
zones: [{{name: mesh.internal}}]
data_dir: {folder}/file
dns: {{workers: "1", listen: [{{address: "127.0.0.1:0"}}], endpoints_file: mesh.yaml}}
admin: {{listen: "127.0.0.1:0", socket: {folder}/file.sock}}
external_names: {{servers: ["{upstream}"]}}
"""
OBJECT = """\
apiVersion: meshdns.io/v1alpha1
kind: VirtualDestination
metadata: {{name: {name}, namespace: shop}}
spec:
  hosts: [{name}.mesh.internal]
  ports: [{{name: https, number: 443}}]
  externalEndpoints: [{{hostname: {hostname}, port: 443}}]
"""
MESH = """\
nodes: []
objects:
  - apiVersion: meshdns.io/v1alpha1
    kind: VirtualDestination
    metadata: {name: db, namespace: shop}
    spec:
      hosts: [db.mesh.internal]
      externalEndpoints: [{hostname: db.example.net, port: 5432}]
"""


class Upstream:
    """A resolver on loopback that says what `names` holds: (name, type) -> addresses, or NXDOMAIN; counts questions."""

    def __init__(self):
        self.names = {}
        self.asked = []
        self.address = ("127.0.0.1", 0)
        self.start()

    def start(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(self.address)
        self.address = self.socket.getsockname()
        self.socket.settimeout(0.1)
        self.running = True
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while self.running:
            try:
                data, peer = self.socket.recvfrom(4096)
            except TimeoutError:
                continue
            query = dns.message.from_wire(data)
            question = query.question[0]
            name, kind = question.name.to_text(True).lower(), dns.rdatatype.to_text(question.rdtype)
            self.asked.append(name)
            reply = dns.message.make_response(query, recursion_available=True)
            if not any(known == name for known, _ in self.names):
                reply.set_rcode(dns.rcode.NXDOMAIN)
            elif (name, kind) in self.names:
                reply.answer.append(dns.rrset.from_text(question.name, 1, "IN", kind, *self.names[name, kind]))
            self.socket.sendto(reply.to_wire(), peer)

    def stop(self):
        self.running = False
        self.thread.join()
        self.socket.close()

    def text(self):
        return "{}:{}".format(*self.address)


class ExternalNamesTest(unittest.TestCase):
    def setUp(self):
        self.bed = self.enterContext(Bed())
        self.upstream = Upstream()
        self.addCleanup(lambda: self.upstream.running and self.upstream.stop())
        self.port = 0

    def start_federation(self):
        text = FEDERATION.format(folder=self.bed.folder, port=self.port)
        text += f'external_names: {{servers: ["{self.upstream.text()}"]}}\n'
        self.federation = self.bed.start("meshdnsd", "--config", self.bed.write("federation.yaml", text))
        self.federation.wait_line("ready")
        self.port = self.federation.address("federation listening")[1]

    def ctl(self, *words):
        code, out, err = run("meshdnsctl", "--server", "unix:" + self.bed.path("federation.sock"), *words)
        self.assertEqual(code, 0, out + err)
        return out

    def apply(self, name, hostname):
        self.ctl("apply", "-f", self.bed.write(name + ".yaml", OBJECT.format(name=name, hostname=hostname)))

    def look(self, name, kind="A", daemon=None):
        return addresses(ask((daemon or self.federation).address("dns listening"), name + ".mesh.internal", kind))

    def becomes(self, name, expected, kind="A", daemon=None):
        eventually(lambda: self.look(name, kind, daemon) == expected, f"{name} {kind} is {expected}")

    def gauge(self, state):
        host, port = self.federation.address("admin listening")
        with urllib.request.urlopen(f"http://{host}:{port}/metrics", timeout=WAIT) as reply:
            text = reply.read().decode()
        return int(re.search(rf'^meshdns_dnsd_external_names{{state="{state}"}} (\d+)$', text, re.MULTILINE).group(1))

    def test_answers_follow_the_resolver_and_stay_when_it_dies(self):
        self.upstream.names = {("db.example.net", "A"): ["192.0.2.1"], ("db.example.net", "AAAA"): ["2001:db8::1"]}
        self.start_federation()
        self.apply("db", "DB.example.net.")
        self.becomes("db", ["192.0.2.1"])
        self.becomes("db", ["2001:db8::1"], "AAAA")
        text = REPLICA.format(folder=self.bed.folder, port=self.port)
        replica = self.bed.start("meshdnsd", "--config", self.bed.write("replica.yaml", text))
        replica.wait_line("ready")
        self.becomes("db", ["192.0.2.1"], daemon=replica)

        self.upstream.names = {("db.example.net", "A"): ["192.0.2.2", "192.0.2.3"]}
        self.becomes("db", ["192.0.2.2", "192.0.2.3"])
        self.becomes("db", [], "AAAA")
        self.becomes("db", ["192.0.2.2", "192.0.2.3"], daemon=replica)

        self.upstream.stop()
        self.federation.wait_line('external name fails name=db.example.net reason=".*" addresses_kept=2')
        self.assertEqual(self.look("db"), ["192.0.2.2", "192.0.2.3"])
        self.assertEqual((self.gauge("kept"), self.gauge("resolved"), self.gauge("missing")), (1, 0, 0))
        self.assertIn("its last good addresses are kept", self.ctl("status"))
        self.assertIn("NamesResolved", self.ctl("get", "vd", "shop/db", "-o", "yaml"))

        # what was good is good after a restart too, however that came
        self.federation.stop(signal.SIGKILL)
        self.start_federation()
        self.assertEqual(self.look("db"), ["192.0.2.2", "192.0.2.3"])
        self.federation.wait_line("external name fails name=db.example.net")
        self.assertEqual(self.look("db"), ["192.0.2.2", "192.0.2.3"])
        self.assertEqual(self.look("db", daemon=replica), ["192.0.2.2", "192.0.2.3"])

        self.upstream.names = {("db.example.net", "A"): ["192.0.2.4"]}
        self.upstream.start()
        self.federation.wait_line("external name resolves again name=db.example.net")
        self.becomes("db", ["192.0.2.4"])
        self.becomes("db", ["192.0.2.4"], daemon=replica)
        self.assertEqual(self.gauge("resolved"), 1)

    def test_a_name_that_does_not_exist_gives_no_endpoint_until_it_does(self):
        self.start_federation()
        self.apply("db", "db.example.net")
        self.federation.wait_line('external name fails name=db.example.net reason="no such name" addresses_kept=0')
        reply = ask(self.federation.address("dns listening"), "db.mesh.internal")
        self.assertEqual((reply.rcode(), addresses(reply)), (dns.rcode.NOERROR, []))
        self.assertEqual(self.gauge("missing"), 1)
        self.assertIn("db.example.net: no such name; it was never resolved", self.ctl("status"))
        self.upstream.names = {("db.example.net", "A"): ["192.0.2.1"]}
        self.becomes("db", ["192.0.2.1"])
        # said not to exist: the last good addresses stay all the same
        self.upstream.names = {}
        before = len(self.federation.lines)
        self.federation.wait_line('external name fails .* reason="no such name" addresses_kept=1', after=before)
        self.assertEqual(self.look("db"), ["192.0.2.1"])
        self.ctl("delete", "vd", "shop/db")
        eventually(lambda: self.gauge("kept") == 0, "a name that no object uses is dropped")

    def test_a_name_of_our_own_is_not_asked_for(self):
        self.start_federation()
        self.apply("db", "api.mesh.internal")
        self.federation.wait_line("external name refused name=api.mesh.internal zone=mesh.internal")
        self.assertEqual(self.look("db"), [])
        self.assertIn("api.mesh.internal is in mesh.internal", self.ctl("status"))
        self.assertNotIn("api.mesh.internal", self.upstream.asked)

    def test_objects_of_an_endpoints_file_have_them_too(self):
        self.upstream.names = {("db.example.net", "A"): ["192.0.2.1"]}
        self.bed.write("mesh.yaml", MESH)
        text = FROM_FILE.format(folder=self.bed.folder, upstream=self.upstream.text())
        config = self.bed.write("file.yaml", text)
        server = self.bed.start("meshdnsd", "--config", config)
        server.wait_line("ready")
        self.becomes("db", ["192.0.2.1"], daemon=server)
        self.bed.write("mesh.yaml", MESH.replace("db.example.net", "db2.example.net"))
        self.upstream.names[("db2.example.net", "A")] = ["192.0.2.2"]
        server.send_signal(signal.SIGHUP)
        self.becomes("db", ["192.0.2.2"], daemon=server)
        # other resolvers, by a reload
        other = Upstream()
        self.addCleanup(other.stop)
        other.names = {("db2.example.net", "A"): ["192.0.2.9"]}
        self.bed.write("file.yaml", text.replace(self.upstream.text(), other.text()))
        server.send_signal(signal.SIGHUP)
        self.becomes("db", ["192.0.2.9"], daemon=server)


if __name__ == "__main__":
    unittest.main()
