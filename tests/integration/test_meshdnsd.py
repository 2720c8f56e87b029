"""meshdnsd alone: configuration, DNS from a file, reload, and the command line."""
import json
import os
import re
import signal
import subprocess
import unittest
import urllib.error
import urllib.request

import dns.edns
import dns.flags
import dns.rcode

from mesh import WAIT, Bed, addresses, ask, eventually, run, texts

CONFIG = """\
cluster: eu-1
locality: {{region: eu, zone: eu-a}}
roles: [dns]
zones: [{{name: mesh.internal, contact: ops.example.net}}]
dns:
  workers: "2"
  listen:
    - {{address: "127.0.0.1:0", locality: {{cluster: eu-1, region: eu, zone: eu-a}}}}
    - {{address: "127.0.0.1:0", locality: {{cluster: us-1, region: us, zone: us-a}}}}
  endpoints_file: mesh.yaml
  static_records: ["www 60 CNAME app-b", "info 30 TXT hello"]
admin: {{listen: "127.0.0.1:0", socket: {folder}/meshdnsd.sock, hosts: [metrics.example.net]}}
"""
MESH = """\
nodes:
  - name: n1
    cluster: eu-1
    locality: {region: eu, zone: eu-a}
    addresses: [10.0.0.11]
    endpoints:
      - {service: app-b, namespace: shop, labels: {app: app-b}, ports: [{name: http, number: 8080}]}
  - name: n1
    cluster: us-1
    locality: {region: us, zone: us-a}
    addresses: [10.2.0.11]
    endpoints:
      - {service: app-b, namespace: shop, labels: {app: app-b}, ports: [{name: http, number: 8080}]}
objects:
  - apiVersion: meshdns.io/v1alpha1
    kind: VirtualDestination
    metadata: {name: app-b, namespace: shop}
    spec:
      hosts: [app-b.mesh.internal]
      services: [{matchLabels: {app: app-b}}]
      ports: [{name: http, number: 80, targetPort: http}]
"""


class MeshdnsdTest(unittest.TestCase):
    def setUp(self):
        self.bed = self.enterContext(Bed())
        self.bed.write("mesh.yaml", MESH)
        self.config = self.bed.write("meshdnsd.yaml", CONFIG.format(folder=self.bed.folder))
        self.daemon = self.bed.start("meshdnsd", "--config", self.config)
        self.daemon.wait_line("ready")
        lines = [line for line in self.daemon.lines if "dns listening" in line]
        self.eu, self.us = [("127.0.0.1", int(line.split("address=127.0.0.1:")[1].split()[0])) for line in lines]
        self.admin = "http://%s:%d" % self.daemon.address("admin listening")

    def fetch(self, path):
        with urllib.request.urlopen(self.admin + path, timeout=WAIT) as reply:
            return reply.read().decode()

    def ctl(self, *words):
        return run("meshdnsctl", "--server", "unix:" + self.bed.path("meshdnsd.sock"), *words)

    def test_closest_by_listener_over_udp_and_tcp(self):
        for tcp in (False, True):
            self.assertEqual(addresses(ask(self.eu, "app-b.mesh.internal", tcp=tcp)), ["10.0.0.11"])
            self.assertEqual(addresses(ask(self.us, "app-b.mesh.internal", tcp=tcp)), ["10.2.0.11"])

    def test_dig_is_the_debugger(self):
        dig = ["dig", "@127.0.0.1", "-p", str(self.eu[1]), "+short"]
        out = subprocess.run([*dig, "www.mesh.internal"], capture_output=True, text=True, timeout=WAIT, check=True).stdout
        self.assertEqual(out.split(), ["app-b.mesh.internal.", "10.0.0.11"])
        out = subprocess.run([*dig, "TXT", "_explain.app-b.mesh.internal"], capture_output=True, text=True, timeout=WAIT,
                             check=True).stdout
        self.assertIn("tier 1 any us-1 load 0%: 10.2.0.11:8080 serving", out)

    def test_a_page_of_another_site_reads_nothing_at_the_admin_port(self):
        request = urllib.request.Request(self.admin + "/metrics", headers={"Host": "evil.example"})
        with self.assertRaises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=WAIT)
        self.assertEqual(refused.exception.code, 403)
        self.assertIn("evil.example", refused.exception.read().decode())
        self.assertIn("meshdns_http_refused_requests_total 1\n", self.fetch("/metrics"))
        named = urllib.request.Request(self.admin + "/healthz", headers={"Host": "Metrics.example.net:80"})
        with urllib.request.urlopen(named, timeout=WAIT) as reply:
            self.assertEqual(reply.status, 200)
        self.daemon.wait_line("HTTP request refused")

    def test_outside_our_zones_is_refused_with_the_reason(self):
        reply = ask(self.eu, "example.org", use_edns=0)
        self.assertEqual(reply.rcode(), dns.rcode.REFUSED)
        self.assertFalse(reply.flags & dns.flags.AA)
        self.assertEqual([option.code for option in reply.options if option.otype == dns.edns.OptionType.EDE], [20])
        self.assertEqual(ask(self.eu, ".", "NS").rcode(), dns.rcode.REFUSED)  # CoreDNS's probe of its upstreams

    def test_negative_answers_carry_the_soa(self):
        reply = ask(self.eu, "nope.mesh.internal")
        self.assertEqual(reply.rcode(), dns.rcode.NXDOMAIN)
        self.assertEqual(reply.authority[0].ttl, 5)
        self.assertEqual(reply.authority[0][0].rname.to_text(), "ops.example.net.")
        self.assertEqual(texts(ask(self.eu, "info.mesh.internal", "TXT")), ["hello"])

    def test_reload_takes_the_new_files(self):
        serial = ask(self.eu, "mesh.internal", "SOA").answer[0][0].serial
        self.bed.write("mesh.yaml", MESH.replace("10.0.0.11", "10.0.0.99"))
        self.daemon.send_signal(signal.SIGHUP)
        eventually(lambda: addresses(ask(self.eu, "app-b.mesh.internal")) == ["10.0.0.99"] or None, "the new address")
        self.assertGreater(ask(self.eu, "mesh.internal", "SOA").answer[0][0].serial, serial)

    def test_a_wrong_file_is_told_and_changes_nothing(self):
        self.bed.write("mesh.yaml", MESH.replace("weight", "wait").replace("service: app-b", "servce: app-b"))
        self.daemon.send_signal(signal.SIGHUP)
        self.daemon.wait_line("reload failed")
        self.daemon.wait_line(r'did you mean \\?"service')
        self.assertEqual(addresses(ask(self.eu, "app-b.mesh.internal")), ["10.0.0.11"])
        self.assertIn("meshdns_config_failed_reloads_total 1", self.fetch("/metrics"))

    def test_what_needs_a_restart_is_told(self):
        text = CONFIG.format(folder=self.bed.folder).replace('workers: "2"', 'workers: "1"')
        self.bed.write("meshdnsd.yaml", text)
        self.daemon.send_signal(signal.SIGHUP)
        self.daemon.wait_line("restart needed for=dns.workers")
        for _ in range(2):  # it is compared with what runs, not with the file of the last reload
            at = len(self.daemon.lines)
            self.daemon.send_signal(signal.SIGHUP)
            self.daemon.wait_line("restart needed for=dns.workers", after=at)
        self.assertEqual(json.loads(self.fetch("/v1/status"))["restartNeeded"], ["dns.workers"])
        self.bed.write("meshdnsd.yaml", CONFIG.format(folder=self.bed.folder) + "extra: 1\n")
        self.daemon.send_signal(signal.SIGHUP)
        eventually(lambda: "unknown field" in json.loads(self.fetch("/v1/status"))["reloadProblem"], "the problem")
        self.bed.write("meshdnsd.yaml", CONFIG.format(folder=self.bed.folder))
        self.daemon.send_signal(signal.SIGHUP)
        eventually(lambda: json.loads(self.fetch("/v1/status"))["reloadProblem"] == "", "a good reload")
        self.assertEqual(json.loads(self.fetch("/v1/status"))["restartNeeded"], [])

    def test_http_is_for_reading(self):
        self.assertEqual(self.fetch("/healthz"), "ok\n")
        self.assertEqual(self.fetch("/readyz"), "ready\n")
        self.assertIn('"app-b.mesh.internal"', self.fetch("/v1/explain?host=app-b.mesh.internal&client=10.0.0.9"))
        for path, code in (("/nothing", 404), ("/v1/explain?host=x.mesh.internal", 404),
                           ("/v1/explain?host=app-b.mesh.internal&client=x", 400)):
            with self.assertRaises(urllib.error.HTTPError) as failed:
                self.fetch(path)
            self.assertEqual(failed.exception.code, code)
            failed.exception.close()

    def test_every_metric_is_documented(self):
        root = os.path.join(os.path.dirname(__file__), "..", "..")
        with open(os.path.join(root, "docs", "metrics.md"), encoding="utf-8") as file:
            documented = file.read()
        ask(self.eu, "app-b.mesh.internal")
        names = {line.split()[2] for line in self.fetch("/metrics").splitlines() if line.startswith("# TYPE")}
        self.assertTrue(names)
        self.assertEqual([name for name in names if f"`{name}`" not in documented], [])

    def test_an_address_in_use_names_its_holder(self):
        text = CONFIG.format(folder=self.bed.folder).replace("127.0.0.1:0\", locality: {cluster: eu-1",
                                                             "127.0.0.1:%d\", locality: {cluster: eu-1" % self.eu[1])
        text = text.replace("meshdnsd.sock", "second.sock")
        second = self.bed.write("second.yaml", text)
        code, _, err = run("meshdnsd", "--config", second)
        self.assertEqual(code, 1)
        holder = re.search(r"held by meshdnsd \(pid (\d+)\)", err)
        self.assertTrue(holder, err)
        self.assertEqual(int(holder.group(1)), self.daemon.process.pid)

    def test_ctl_reads_and_describes(self):
        code, out, err = self.ctl("get", "endpoints")
        self.assertEqual((code, err), (0, ""))
        self.assertIn("shop/app-b  10.0.0.11:8080  eu/eu-a/eu-1  eu-1/n1  serving", out)
        self.assertTrue(all(len(line) <= 110 for line in out.splitlines()), out)
        self.assertIn("weight     1", self.ctl("describe", "endpoint", "eu-1/n1/shop/app-b/10.0.0.11:8080")[1])
        self.assertEqual(self.ctl("describe", "node", "eu-1/nope")[0], 1)
        self.assertEqual(self.ctl("get", "planets")[0], 2)
        self.assertIn("ready", self.ctl("status")[1])

    def test_ctl_applies_all_or_nothing(self):
        good = MESH[MESH.index("  - apiVersion"):].replace("  - apiVersion", "apiVersion").replace("\n    ", "\n")
        path = self.bed.write("vd.yaml", good.replace("app-b.mesh.internal", "api.mesh.internal").replace(
            "name: app-b, namespace", "name: api, namespace"))
        self.assertEqual(self.ctl("diff", "-f", path)[0], 1)
        self.assertEqual(self.ctl("apply", "--dry-run", "-f", path)[1], "VirtualDestination/shop/api created (dry run)\n")
        self.assertEqual(self.ctl("apply", "-f", path)[1], "VirtualDestination/shop/api created\n")
        self.assertEqual(self.ctl("apply", "-f", path)[1], "VirtualDestination/shop/api unchanged\n")
        self.assertEqual(self.ctl("diff", "-f", path)[0], 0)
        self.assertEqual(addresses(ask(self.eu, "api.mesh.internal")), ["10.0.0.11"])
        bad = self.bed.write("bad.yaml", good.replace("matchLabels", "matchLabel").replace("number: 80,", "number: 80800,"))
        code, out, err = self.ctl("apply", "-f", bad)
        self.assertEqual((code, out), (2, ""))
        self.assertIn('spec.services[0].matchLabel: unknown field (did you mean "matchLabels"?)', err)
        self.assertIn("2 errors, nothing applied", err)
        yaml = self.bed.write("again.yaml", self.ctl("get", "vd", "shop/api", "-o", "yaml")[1])
        self.assertEqual(self.ctl("apply", "-f", yaml)[1], "VirtualDestination/shop/api unchanged\n")
        self.assertEqual(self.ctl("delete", "vd", "shop/api")[0], 0)
        self.assertEqual(self.ctl("delete", "vd", "shop/api")[0], 1)

    def test_an_object_of_another_manager_is_refused(self):
        good = MESH[MESH.index("  - apiVersion"):].replace("  - apiVersion", "apiVersion").replace("\n    ", "\n")
        path = self.bed.write("vd.yaml", good.replace("number: 80,", "number: 81,"))
        code, _, err = self.ctl("apply", "-f", path)
        self.assertEqual(code, 1)
        self.assertIn("managed by file", err)


class CommandLineTest(unittest.TestCase):
    def setUp(self):
        self.bed = self.enterContext(Bed())

    def test_check_config_tells_all_problems_with_their_places(self):
        text = CONFIG.format(folder=self.bed.folder).replace("endpoints_file: mesh.yaml", "endpoint_file: mesh.yaml")
        path = self.bed.write("bad.yaml", text.replace("region: us", "region: u_s") + "extra: 1\n")
        code, _, err = run("meshdnsd", "--config", path, "--check-config")
        self.assertEqual(code, 2)
        for words in ("bad.yaml:10:3: dns.endpoint_file: unknown field (did you mean \"endpoints_file\"?)",
                      "bad.yaml:13:1: extra: unknown field", "u_s"):
            self.assertIn(words, err)
        self.assertRegex(err, r"\n\d+ errors\n$")

    def test_wrong_flags_and_missing_files(self):
        self.assertEqual(run("meshdnsd", "--confg", "x")[0], 2)
        self.assertEqual(run("meshdnsd", "--config", self.bed.path("none.yaml"))[0], 2)
        self.assertEqual(run("meshdnsctl")[0], 2)
        self.assertEqual(run("meshdnsctl", "--server", "unix:" + self.bed.path("none.sock"), "status")[0], 1)
        for binary in ("meshdnsd", "meshdns-agent", "meshdnsctl"):
            code, out, _ = run(binary, "--version")
            self.assertEqual((code, out.split()[0]), (0, binary))
            self.assertEqual(run(binary, "--help")[0], 0)
        self.assertIn("complete -F", run("meshdnsctl", "completion", "bash")[1])

    def test_good_config_is_ok(self):
        self.bed.write("mesh.yaml", MESH)
        path = self.bed.write("good.yaml", CONFIG.format(folder=self.bed.folder))
        code, out, err = run("meshdnsd", "--check-config", "--config", path)
        self.assertEqual((code, out, err), (0, f"{path}: ok\n", ""))


if __name__ == "__main__":
    unittest.main()
