"""dns.static_zone_file: a master file beside the mesh, read again by a reload."""
import signal
import unittest

import dns.rcode

from mesh import Bed, addresses, ask, eventually, run, texts

CONFIG = """\
cluster: eu-1
roles: [dns]
zones: [{{name: mesh.internal}}, {{name: 10.in-addr.arpa}}]
dns:
  workers: "1"
  listen: [{{address: "127.0.0.1:0"}}]
  endpoints_file: mesh.yaml
  static_zone_file: mesh.internal.zone
  static_records: ["beside 60 TXT here"]
admin: {{listen: "127.0.0.1:0", socket: {folder}/meshdnsd.sock}}
"""
ENDPOINT = """\
nodes:
  - name: n1
    cluster: eu-1
    addresses: [10.0.0.11]
    endpoints: [{service: web, namespace: shop, ports: [{name: http, number: 8080}]}]
"""
ZONE = """\
$TTL 1m
@ IN SOA ns1 ops.example.net. (
    {serial} ; serial
    1h 10m 1d 5 )
  NS ns1
ns1 A 10.0.9.1
api CNAME web.shop
*.wild TXT any
deep.er.tree TXT x
$ORIGIN 10.in-addr.arpa.
11.0.0 PTR api.mesh.internal.
"""
BROKEN = "$TTL 1m\n@ SOA a b 1 1 1 1 1\nok A 10.0.0.1\nbad A 10.0.0\n( ; open\nsub DNAME x\n"


class ZoneFileTest(unittest.TestCase):
    def setUp(self):
        self.bed = self.enterContext(Bed())
        self.bed.write("mesh.yaml", "nodes: []\n")
        self.write_zone(ZONE.format(serial=2026010101))
        self.config = self.bed.write("meshdnsd.yaml", CONFIG.format(folder=self.bed.folder))

    def write_zone(self, text):
        self.zone = self.bed.write("mesh.internal.zone", text)

    def start(self):
        self.daemon = self.bed.start("meshdnsd", "--config", self.config)
        self.daemon.wait_line("ready")
        self.server = self.daemon.address("dns listening")

    def ask(self, name, kind="A"):
        return ask(self.server, name, kind)

    def serial(self):
        return self.ask("mesh.internal", "SOA").answer[0][0].serial

    def reload(self):
        seen = len(self.daemon.lines)
        self.daemon.send_signal(signal.SIGHUP)
        return self.daemon.wait_line("reloaded|reload failed", after=seen).group()

    def test_the_file_beside_the_mesh(self):
        self.bed.write("mesh.yaml", ENDPOINT)
        self.start()
        self.assertEqual(addresses(self.ask("api.mesh.internal")), ["10.0.0.11"])
        self.assertEqual(texts(self.ask("x.y.wild.mesh.internal", "TXT")), ["any"])
        self.assertEqual(texts(self.ask("beside.mesh.internal", "TXT")), ["here"])
        self.assertEqual(self.ask("er.tree.mesh.internal").rcode(), dns.rcode.NOERROR)
        self.assertEqual(self.ask("x.er.tree.mesh.internal").rcode(), dns.rcode.NXDOMAIN)
        self.assertEqual(self.ask("11.0.0.10.in-addr.arpa", "PTR").answer[0][0].to_text(), "api.mesh.internal.")
        soa = self.ask("mesh.internal", "SOA").answer[0][0]
        self.assertEqual((soa.mname.to_text(), soa.rname.to_text(), soa.refresh),
                         ("ns1.mesh.internal.", "ops.example.net.", 3600))
        self.assertNotEqual(soa.serial, 2026010101, "with hosts the serial is the cluster's")

    def test_a_tool_can_wait_for_the_serial_of_the_file(self):
        self.start()
        self.assertEqual(self.serial(), 2026010101)
        self.write_zone(ZONE.format(serial=2026010102) + "new.mesh.internal. A 10.0.0.1\n")
        self.assertEqual(self.reload(), "reloaded")
        eventually(lambda: self.serial() == 2026010102, "the new serial")
        self.assertEqual(addresses(self.ask("new.mesh.internal")), ["10.0.0.1"])

    def test_every_mistake_is_told_at_once_and_a_reload_keeps_what_was(self):
        self.start()
        self.write_zone(BROKEN)
        self.assertEqual(self.reload(), "reload failed")
        self.daemon.wait_line("mesh.internal.zone:4: ")
        self.daemon.wait_line("mesh.internal.zone:5: a parenthesis is not closed")
        self.assertEqual(self.serial(), 2026010101)
        self.assertEqual(texts(self.ask("deep.er.tree.mesh.internal", "TXT")), ["x"])
        code, _, err = run("meshdnsd", "--check-config", "--config", self.config)
        self.assertEqual(code, 2)
        self.assertTrue(err.startswith(self.zone + ":4: "), err)
        self.assertTrue(err.endswith(":5: a parenthesis is not closed\n2 errors\n"), err)

    def test_a_file_that_is_not_there_is_told(self):
        self.bed.write("meshdnsd.yaml", CONFIG.format(folder=self.bed.folder).replace("mesh.internal.zone", "none"))
        code, _, err = run("meshdnsd", "--check-config", "--config", self.config)
        self.assertEqual(code, 2)
        self.assertIn("dns.static_zone_file: " + self.bed.path("none") + ": No such file", err)


if __name__ == "__main__":
    unittest.main()
