"""explain, simulate, history, watch and lint with real binaries: what is foretold comes true, what comes true is told."""
import json
import signal
import subprocess
import unittest
import urllib.error
import urllib.request

from mesh import BIN, WAIT, Bed, addresses, ask, eventually, run, texts

CONFIG = """\
cluster: eu-1
roles: [dns]
zones: [{{name: mesh.internal}}]
dns:
  workers: 1
  listen: [{{address: "127.0.0.1:0"}}]
  endpoints_file: mesh.yaml
admin: {{listen: "127.0.0.1:0", socket: {folder}/meshdnsd.sock}}
"""
NODE = """\
  - name: {name}
    cluster: {cluster}
    locality: {{region: {region}, zone: {zone}}}
    addresses: [{address}]
    prefixes: [{prefix}]
    endpoints:
      - {{service: app-b, namespace: shop, labels: {{app: app-b}}, ports: [{{name: http, number: 8080}}], state: {state}}}
"""
OBJECTS = """\
objects:
  - apiVersion: meshdns.io/v1alpha1
    kind: VirtualDestination
    metadata: {name: app-b, namespace: shop}
    spec:
      hosts: [app-b.mesh.internal]
      services: [{matchLabels: {app: app-b}}]
      ports: [{name: http, number: 8080, targetPort: http}]
  - apiVersion: meshdns.io/v1alpha1
    kind: Cluster
    metadata: {name: eu-1}
    spec: {locality: {region: eu}, distances: {us-1: 80ms}}
"""
HOST = "app-b.mesh.internal"
SUSPICIOUS = """\
apiVersion: meshdns.io/v1alpha1
kind: VirtualDestination
metadata: {name: bad, namespace: shop}
spec:
  hosts: [bad.mesh.internal]
  services: [{matchLabels: {app: app-c}}]
  policy: {ladder: [region, zone, any]}
"""

ADVISED = """\
apiVersion: meshdns.io/v1alpha1
kind: Override
metadata: {name: long}
spec: {target: {cluster: eu-1}, action: Drain, reason: test}
"""


def mesh(state="serving"):
    eu = NODE.format(name="n1", cluster="eu-1", region="eu", zone="eu-a", address="10.0.0.11", prefix="127.0.0.0/8", state=state)
    us = NODE.format(name="n2", cluster="us-1", region="us", zone="us-a", address="10.2.0.11", prefix="10.2.0.0/16", state="serving")
    return "nodes:\n" + eu + us + OBJECTS


class ToolsTest(unittest.TestCase):
    def setUp(self):
        self.bed = self.enterContext(Bed())
        self.bed.write("mesh.yaml", mesh())
        config = self.bed.write("meshdnsd.yaml", CONFIG.format(folder=self.bed.folder))
        self.daemon = self.bed.start("meshdnsd", "--config", config)
        self.daemon.wait_line("ready")
        self.dns = self.daemon.address("dns listening")
        self.flags = ["--server", "unix:" + self.bed.path("meshdnsd.sock")]

    def ctl(self, *words, code=0):
        got, out, err = run("meshdnsctl", *self.flags, *words)
        self.assertEqual(got, code, out + err)
        return out + err

    def fetch(self, path):
        host, port = self.daemon.address("admin listening")
        with urllib.request.urlopen(f"http://{host}:{port}{path}", timeout=WAIT) as reply:
            return json.load(reply)

    def change(self, state):
        """The endpoint in eu-1 changes its state."""
        self.bed.write("mesh.yaml", mesh(state))
        self.daemon.send_signal(signal.SIGHUP)
        want = ["10.0.0.11"] if state == "serving" else ["10.2.0.11"]
        eventually(lambda: addresses(ask(self.dns, HOST)) == want, "the answer changes")

    def test_dig_ctl_and_http_explain_alike(self):
        lines = texts(ask(self.dns, "_explain." + HOST, "TXT", tcp=True))
        self.assertEqual(lines[0], "01 client 127.0.0.1 -> eu/eu-a/eu-1 by node prefix 127.0.0.0/8 (n1)")
        view = self.ctl("explain", HOST, "--client", "127.0.0.1")
        self.assertRegex(view, r"(?m)^client   eu/eu-a/eu-1 +by node prefix 127\.0\.0\.0/8 \(n1\)$")
        self.assertRegex(view, r"(?m)^policy   shop/app-b +default ladder   no fence   no spill   empty: last resort$")
        self.assertRegex(view, r"(?m)^0     cluster\+zone  100%  10\.0\.0\.11:8080 +eu/eu-a/eu-1  serving ")
        self.assertRegex(view, r"(?m)^1     any \(us-1\)      0%  10\.2\.0\.11:8080 ")
        self.assertRegex(view, r"(?m)^answer   A 10\.0\.0\.11      ttl 5 s$")
        reply = self.fetch(f"/v1/explain?host={HOST}&client=127.0.0.1")
        self.assertEqual((reply["answer"], reply["answerTier"]), (["10.0.0.11"], 0))
        self.assertEqual(json.loads(self.ctl("explain", HOST, "-o", "json"))["answer"], ["10.0.0.11"])

    def test_what_is_foretold_of_one_client_comes_true(self):
        words = ("simulate", HOST, "--client", "127.0.0.1", "--down", "cluster=eu-1")
        view = self.ctl(*words)
        self.assertRegex(view, r"(?m)^now      A 10\.0\.0\.11 ")
        self.assertRegex(view, r"(?m)^then     A 10\.2\.0\.11 ")
        self.assertRegex(view, r"(?m)^10\.0\.0\.11:8080  eu/eu-a/eu-1  serving  out   forced down")
        self.assertEqual(json.loads(self.ctl(*words, "-o", "json"))["after"]["answer"], ["10.2.0.11"])
        reply = self.fetch(f"/v1/simulate?host={HOST}&client=127.0.0.1&down=cluster%3Deu-1,node%3Dn9")
        self.assertEqual((reply["before"]["answer"], reply["after"]["answer"]), (["10.0.0.11"], ["10.2.0.11"]))
        self.assertEqual(reply["notes"], ['no endpoint belongs to node=n9 (did you mean "n1"?)'])
        self.assertEqual(addresses(ask(self.dns, HOST)), ["10.0.0.11"], "nothing was changed")

    def test_all_hosts_seen_from_everywhere(self):
        view = self.ctl("simulate", "--down", "cluster=eu-1", "--down", "cluster=us-1")
        self.assertRegex(view, r"(?m)^app-b\.mesh\.internal +eu/eu-a/eu-1 \+1 +tier 0 cluster\+zone: 1 endpoint +NOTHING SERVES$")
        self.assertEqual(view.count("NOTHING SERVES"), 2, view)
        self.assertLessEqual(max(len(line) for line in view.splitlines()), 110)
        self.assertIn("2 hosts, 2 with endpoints there: the answers of 2 change, nothing serves of 2\n", view)
        view = self.ctl("simulate", "--drain", "node=us-1/n2")
        self.assertRegex(view, r"app-b\.mesh\.internal +us/us-a/us-1 +tier 0 cluster\+zone: 1 endpoint +tier 1 any eu-1: 1 endpoint")
        self.assertNotIn("NOTHING SERVES", view)
        self.assertIn('no endpoint belongs to cluster=eu1 (did you mean "eu-1"?)', self.ctl("simulate", "--down", "cluster=eu1"))

    def test_a_file_is_looked_at_without_a_server(self):
        path = self.bed.path("mesh.yaml")
        words = ("simulate", HOST, "--client", "10.2.0.9", "--down", "zone=us-a")
        self.assertEqual(self.daemon.stop(), 0)
        code, out, err = run("meshdnsctl", *words, "-f", path)
        self.assertEqual((code, err), (0, ""), out)
        self.assertRegex(out, r"(?m)^now      A 10\.2\.0\.11 ")
        self.assertRegex(out, r"(?m)^then     A 10\.0\.0\.11 ")
        code, out, _ = run("meshdnsctl", "simulate", "-f", path, "--down", "zone=us-a")
        self.assertEqual(code, 0)
        self.assertIn("the answers of 2 change, nothing serves of 0", out)
        self.assertEqual(run("meshdnsctl", "simulate", HOST, "--down", "zone=us-a", "-f", path, "--zone", "other.example")[0], 1)
        self.assertEqual(run("meshdnsctl", "lint", "--mesh", path)[:2], (0, "nothing found in 2 objects\n"))
        for wrong in (("-f", self.bed.path("nothing.yaml")), ("-f", self.bed.write("bad.yaml", "nodes: [{nam: x}]\n")),
                      ("--zone", "mesh.internal"), ("-f", path, "--zone", "a..b")):
            self.assertEqual(run("meshdnsctl", *words, *wrong)[0], 2 if "--zone" in wrong or "-f" in wrong else 1, wrong)

    def test_wrong_flags(self):
        for words in (("simulate",), ("simulate", HOST), ("simulate", HOST, "--down", "eu-1"), ("simulate", HOST, "--down"),
                      ("simulate", "--client", "10.0.0.9", "--down", "cluster=eu-1"), ("simulate", HOST, "--gone", "x"),
                      ("simulate", HOST, "--client", "x", "--down", "cluster=eu-1"),
                      ("simulate", HOST, "--listener", "10.9.9.9:53", "--down", "cluster=eu-1"),
                      ("history",), ("history", HOST, "more"), ("lint", "-f"), ("lint", "more"), ("lint", "-f", "/nothing")):
            code, out, err = run("meshdnsctl", *self.flags, *words)
            self.assertEqual((code, out), (2, ""), words)
            self.assertTrue(err, words)
        for words in (("history", "nobody.mesh.internal"), ("simulate", "nobody.mesh.internal", "--down", "cluster=eu-1"),
                      ("watch", "nobody.mesh.internal")):
            self.ctl(*words, code=1)
        for path, code in (("/v1/simulate?down=cluster%3Deu-1", 400), (f"/v1/simulate?host={HOST}&down=eu-1", 400),
                           ("/v1/history?host=nobody.mesh.internal", 404), ("/v1/simulate?host=nobody.mesh.internal", 404)):
            with self.assertRaises(urllib.error.HTTPError) as caught:
                self.fetch(path)
            self.assertEqual(caught.exception.code, code, path)
            caught.exception.close()

    def test_history_tells_what_was_answered_and_why(self):
        self.change("failing")
        self.change("serving")
        events = json.loads(self.ctl("history", HOST, "-o", "json"))["events"]
        went, came = events[-2:]
        self.assertEqual([(change["endpoint"], change["before"], change["after"]) for change in went["endpoints"]],
                         [("10.0.0.11:8080", "serving", "last_resort")])
        answer, = went["answers"]
        self.assertEqual((answer["from"], answer["before"], answer["after"]),
                         (["eu/eu-a/eu-1"], "tier 0 cluster+zone: 10.0.0.11", "tier 1 any us-1: 10.2.0.11"))
        self.assertEqual(came["answers"][0]["after"], "tier 0 cluster+zone: 10.0.0.11")
        self.assertLess(went["id"], came["id"])
        view = self.ctl("history", HOST)
        self.assertRegex(view, r"(?m)^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d\d\dZ  \S+ ago  app-b\.mesh\.internal  revision \d+$")
        self.assertRegex(view, r"(?m)^  10\.0\.0\.11:8080  eu/eu-a/eu-1  serving -> last_resort$")
        self.assertEqual(len(self.fetch(f"/v1/history?host={HOST}")["events"]), len(events))

    def watch(self, *words):
        return subprocess.Popen([f"{BIN}/meshdnsctl", *self.flags, "watch", *words], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    def test_watch_tells_them_as_they_come_and_ends_with_ctrl_c(self):
        with self.watch(HOST, "-o", "json") as told, self.watch() as all_told:
            # what comes before it has asked is not told: change until it is
            lines = []
            state = "serving"
            while not lines:
                state = "failing" if state == "serving" else "serving"
                self.change(state)
                lines = [told.stdout.readline()] if self.readable(told) else []
            event = json.loads(lines[0])
            self.assertEqual((event["host"], event["endpoints"][0]["after"]),
                             (HOST, "serving" if state == "serving" else "last_resort"))
            while not self.readable(all_told):  # it may have asked later than the other
                state = "failing" if state == "serving" else "serving"
                self.change(state)
            self.assertIn("ago  app-b.", all_told.stdout.readline())
            for process in (told, all_told):
                process.send_signal(signal.SIGINT)
                _, err = process.communicate(timeout=WAIT)
                self.assertEqual((process.returncode, err), (0, ""))

    @staticmethod
    def readable(process):
        import select
        return bool(select.select([process.stdout], [], [], 1)[0])

    # Guards the end: calls that wait for events must not hold it up.
    def change_until_told(self, watching):
        """What comes before it has asked is not told."""
        for state in ["failing", "serving"] * 100:
            self.change(state)
            if self.readable(watching):
                return watching.stdout.readline()
        return self.fail("nothing is told")

    def test_a_server_that_ends_does_not_wait_for_watchers(self):
        with self.watch() as told:
            self.change_until_told(told)  # it watches
            self.assertEqual(self.daemon.stop(), 0)
            self.assertNotIn("killed", "\n".join(self.daemon.lines))
            self.assertIn("waiting for it", told.stderr.readline())
            told.send_signal(signal.SIGTERM)
            told.communicate(timeout=WAIT)
            self.assertEqual(told.returncode, 0)

    def test_lint_of_files_and_of_what_is_live(self):
        path = self.bed.write("objects.yaml", SUSPICIOUS)
        out = self.ctl("lint", "-f", path, code=1)
        self.assertIn(f"{path}: VirtualDestination/shop/bad: spec.services[0]: warning: it matches no endpoint\n", out)
        self.assertIn("spec.policy.ladder[1]: warning: the tier is never reached: region before it takes all that zone would", out)
        self.assertIn("2 warnings in 1 object\n", out)
        self.bed.write("objects.yaml", SUSPICIOUS.replace("bad.mesh.internal", "bad.example.org"))
        self.assertIn("error: bad.example.org is below none of the server's zones", self.ctl("lint", "-f", path, code=1))
        self.bed.write("objects.yaml", SUSPICIOUS.replace("ladder", "lader"))
        self.assertIn('did you mean "ladder"', self.ctl("lint", "-f", path, code=2))
        self.ctl("lint", "-f", path, "--fail-on", "never", code=2)
        self.bed.write("objects.yaml", ADVISED)
        self.assertIn("1 advice in 1 object\n", self.ctl("lint", "-f", path))
        self.ctl("lint", "-f", path, "--fail-on", "error")
        self.ctl("lint", "-f", path, "--fail-on", "advice", code=1)
        self.assertEqual(self.ctl("lint"), "nothing found in 2 objects\n")
        self.assertEqual(self.fetch("/v1/lint")["objects"], 2)

    def test_conditions_say_what_is_wrong(self):
        def conditions(kind, name):
            found = json.loads(self.ctl("get", kind, name, "-o", "json"))["status"]["conditions"]
            for condition in found:
                self.assertTrue(condition["reason"] and condition["message"], condition)
            return {condition["type"]: (condition["status"], condition["reason"], condition["message"]) for condition in found}
        found = conditions("vd", "shop/app-b")
        self.assertEqual(list(found), ["Accepted", "Programmed", "Degraded"])
        self.assertEqual(found["Degraded"], ("False", "AsExpected", "2 of 2 endpoints serving"))
        self.assertEqual(list(conditions("cluster", "eu-1")), ["Accepted", "Programmed", "Degraded"])
        self.bed.write("mesh.yaml", mesh("failing").replace("state: serving", "state: failing"))
        self.daemon.send_signal(signal.SIGHUP)
        eventually(lambda: conditions("vd", "shop/app-b")["Degraded"] ==
                   ("True", "NothingServes", "nothing serves of app-b.mesh.internal"), "it is degraded")


if __name__ == "__main__":
    unittest.main()
