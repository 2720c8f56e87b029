"""What people get wrong: it is told, and does no harm to what runs."""
import json
import os
import unittest

from mesh import WAIT, Bed, addresses, ask, eventually, run

DNSD = """\
cluster: eu-1
zones: [{{name: mesh.internal}}]
data_dir: {folder}/{name}
dns:
  workers: "1"
  listen: [{{address: "127.0.0.1:0"}}]
  static_records: {records}
federation: {{listen: "unix:{folder}/federation.sock", store: {{memory: {{}}}}}}
admin: {{listen: "127.0.0.1:0", socket: {folder}/{name}.sock}}
"""
AGENT = """\
node: n1
cluster: eu-1
addresses: [127.0.0.1]
federation: {{servers: ["unix:{folder}/federation.sock"]}}
discovery: {{static: {{directory: {name}.d}}}}
admin: {{listen: "127.0.0.1:0", socket: {folder}/{name}.sock}}
"""
ENDPOINTS = """\
endpoints:
  - {{service: {service}, namespace: shop, ports: [{{name: http, number: {port}}}],
      checks: [{{tcp: {{port: http}}, interval: 200ms, timeout: 1s}}]}}
"""
OBJECT = """\
apiVersion: meshdns.io/v1alpha1
kind: VirtualDestination
metadata: {{name: {name}, namespace: shop}}
spec: {{hosts: [{name}.mesh.internal], services: [{{name: web}}]}}
"""


class MistakesTest(unittest.TestCase):
    def setUp(self):
        self.bed = self.enterContext(Bed())
        self.backend = self.bed.backend()

    def dnsd_config(self, name="meshdnsd", records="[]"):
        return self.bed.write(f"{name}.yaml", DNSD.format(folder=self.bed.folder, name=name, records=records))

    def start_dnsd(self, name="meshdnsd"):
        daemon = self.bed.start("meshdnsd", "--config", self.dnsd_config(name))
        daemon.wait_line("ready")
        return daemon

    def start_agent(self, name, service):
        self.bed.write(f"{name}.d/{service}.yaml", ENDPOINTS.format(service=service, port=self.backend.port))
        config = self.bed.write(f"{name}.yaml", AGENT.format(folder=self.bed.folder, name=name))
        return self.bed.start("meshdns-agent", "--config", config)

    def ctl(self, *words):
        return run("meshdnsctl", "--server", "unix:" + self.bed.path("meshdnsd.sock"), *words)

    # as if somebody had copied a configuration and changed everything but the node's name
    def test_a_second_agent_with_the_same_name_changes_nothing(self):
        server = self.start_dnsd().address("dns listening")
        self.start_agent("first", "web")
        here = lambda name: addresses(ask(server, name))
        eventually(lambda: here("web.shop.mesh.internal") == ["127.0.0.1"], "the first agent's service")
        second = self.start_agent("second", "other")
        second.wait_line("another agent reports for eu-1/n1")
        self.assertEqual(here("web.shop.mesh.internal"), ["127.0.0.1"])
        self.assertEqual(here("other.shop.mesh.internal"), [])

    def test_the_federation_socket_of_a_running_meshdnsd_is_not_taken(self):
        first = self.start_dnsd()
        second = self.bed.start("meshdnsd", "--config", self.dnsd_config("second"))
        second.wait_line("cannot start.*federation.sock: another process serves there")
        self.assertEqual(second.process.wait(WAIT), 1)
        self.assertIsNone(first.process.poll())
        self.assertTrue(os.path.exists(self.bed.path("federation.sock")))

    def test_a_file_where_the_socket_should_be_is_kept(self):
        self.bed.write("meshdnsd.sock", "precious")
        daemon = self.bed.start("meshdnsd", "--config", self.dnsd_config())
        daemon.wait_line("cannot start.*there is a file that is no socket")
        self.assertEqual(daemon.process.wait(WAIT), 1)
        self.assertTrue(os.path.isfile(self.bed.path("meshdnsd.sock")))

    def test_every_bad_static_record_is_told_with_its_place(self):
        records = '["ok 60 A 10.0.0.1", "www 60 CNAME", "@ 60 CNAME ok", "$INCLUDE /etc/hosts"]'
        config = self.dnsd_config(records=records)
        code, _, err = run("meshdnsd", "--check-config", "--config", config)
        self.assertEqual(code, 2)
        self.assertIn(config + ':7:40: dns.static_records[1]: "www 60 CNAME": ', err)
        self.assertIn(config + ":7:56: dns.static_records[2]: ", err)
        self.assertIn(config + ":7:73: dns.static_records[3]: ", err)
        self.assertTrue(err.endswith("3 errors\n"), err)

    def test_an_object_file_without_objects_is_wrong(self):
        code, _, err = self.ctl("apply", "-f", self.bed.write("empty.yaml", "# nothing yet\n"))
        self.assertEqual(code, 2)
        self.assertIn("there is no object in it", err)

    # ---- what programs read ----

    def test_what_get_prints_apply_takes(self):
        self.start_dnsd()
        both = self.bed.write("both.yaml", OBJECT.format(name="a") + "---\n" + OBJECT.format(name="b"))
        self.assertEqual(self.ctl("apply", "-f", both)[0], 0)
        for form in ("json", "yaml"):
            file = self.bed.write("all." + form, self.ctl("get", "vd", "-o", form)[1])
            self.assertEqual(self.ctl("diff", "-f", file), (0, "VirtualDestination/shop/a unchanged\n"
                                                            "VirtualDestination/shop/b unchanged\n", ""), form)

    def test_describe_has_the_form_that_is_asked_for(self):
        self.start_dnsd()
        self.ctl("apply", "-f", self.bed.write("a.yaml", OBJECT.format(name="a")))
        self.assertEqual(json.loads(self.ctl("describe", "vd", "shop/a", "-o", "json")[1])["metadata"]["name"], "a")

    @unittest.skipIf(os.path.exists("/run/meshdns/meshdnsd.sock"), "an installed meshdnsd comes first")
    def test_meshdnsctl_finds_what_runs_for_development(self):
        self.start_dnsd()
        os.mkdir(self.bed.path("meshdns-dev"), 0o700)
        os.link(self.bed.path("meshdnsd.sock"), self.bed.path("meshdns-dev/meshdnsd.sock"))
        os.environ["XDG_RUNTIME_DIR"] = self.bed.folder
        self.addCleanup(os.environ.pop, "XDG_RUNTIME_DIR")
        code, out, err = run("meshdnsctl", "status")
        self.assertEqual((code, err), (0, ""))
        self.assertIn("eu-1/", out)
        os.chmod(self.bed.path("meshdns-dev"), 0o770)  # another user could have put a socket there
        self.assertNotIn("eu-1/", run("meshdnsctl", "status")[1])


if __name__ == "__main__":
    unittest.main()
