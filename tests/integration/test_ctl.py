"""meshdnsctl as people type it: what succeeds at nothing is refused, what is mistyped is understood, exit codes mean one thing."""
import json
import os
import pwd
import re
import select
import socket
import subprocess
import unittest

from mesh import BIN, WAIT, Bed, eventually, run
from one_cluster import AGENT, FEDERATION, REPLICA
from ports import free_port

ENDPOINT = """\
endpoints:
  - {{service: web, namespace: shop, address: {address}, labels: {{app: web, v: "{v}"}}, weight: 3,
     ports: [{{name: http, number: {port}}}], checks: [{{tcp: {{port: http}}, interval: 200ms, timeout: 2s}}]}}
"""
WEB = """\
apiVersion: meshdns.io/v1alpha1
kind: VirtualDestination
metadata: {{name: {name}, namespace: shop}}
spec: {{hosts: [{name}.mesh.internal], services: [{{name: {service}}}]}}
"""


class CtlTest(unittest.TestCase):
    def setUp(self):
        self.bed = self.enterContext(Bed())
        self.port = free_port()
        self.federation = self.start("federation", FEDERATION)

    def start(self, name, text):
        config = self.bed.write(name + ".yaml", text.format(folder=self.bed.folder, port=self.port))
        daemon = self.bed.start("meshdnsd", "--config", config)
        daemon.wait_line("ready")
        return daemon

    def start_node(self, node, address):
        backend = self.bed.backend(address)
        self.bed.write(f"{node}.d/web.yaml", ENDPOINT.format(address=address, port=backend.port, v=node))
        config = self.bed.write(node + ".yaml", AGENT.format(node=node, zone="eu-a", port=self.port,
                                                             folder=self.bed.folder))
        agent = self.bed.start("meshdns-agent", "--config", config)
        eventually(lambda: address in self.ctl("get", "endpoints", "--state", "serving"), node)
        return agent, f"{address}:{backend.port}"

    def ctl(self, *words, at="federation", code=0):
        """Standard output, or, where it fails as it should, standard error."""
        got, out, err = run("meshdnsctl", "--server", "unix:" + self.bed.path(at + ".sock"), *words)
        self.assertEqual(got, code, out + err)
        return err if code else out

    def web(self, name="web", service="web"):
        return self.bed.write(name + ".object.yaml", WEB.format(name=name, service=service))

    # ---- what is mistyped ----

    def test_words_that_are_no_commands(self):
        for words, told in ((["exlpain", "x"], 'unknown command "exlpain" (did you mean "explain"?)'),
                            (["foo"], 'unknown command "foo"; meshdnsctl --help lists all'),
                            (["get", "vd", "-o", "xml"], "--output: expected table, wide, json or yaml (got xml)"),
                            (["get", "endpoint5"], "there is no kind endpoint5 (did you mean endpoints?)")):
            self.assertIn(told, self.ctl(*words, code=2))
        self.assertIn("meshdnsctl ", self.ctl("version"))
        self.assertIn("Examples:\n  meshdnsctl explain web.mesh.internal", self.ctl("help", "explain"))

    def test_help_is_narrow_and_has_the_options_of_every_command(self):
        commands = re.findall(r"^  ([a-z-]+) ", self.ctl("--help").split("Subcommands:")[1], re.M)
        self.assertGreater(len(commands), 15)
        for words in ([], *([command] for command in commands)):
            text = self.ctl(*words, "--help")
            self.assertLessEqual(max(map(len, text.split("\n"))), 100, text)
            self.assertNotIn(" TEXT", text)
            if words:
                self.assertIn("-o,--output FORMAT", text)

    def test_names_are_suggested_and_parts_of_keys_are_enough(self):
        _, where = self.start_node("n1", "127.0.0.11")
        self.ctl("apply", self.web())
        self.assertIn("web.mesh.internal", self.ctl("get", "vd", "web"))
        self.assertIn('"eu-1/n1"', self.ctl("get", "nodes", "n1", "-o", "json"))
        for word in (where, "127.0.0.11", f"eu-1/n1/shop/web/{where}"):
            self.assertIn("shop/web", self.ctl("describe", "endpoint", word))
        self.assertIn("(did you mean shop/web?)", self.ctl("get", "vd", "wbe", code=1))
        self.assertIn("(did you mean eu-1/n1?)", self.ctl("describe", "node", "n2", code=1))

    def test_completion(self):
        _, where = self.start_node("n1", "127.0.0.11")
        self.ctl("apply", self.web())
        environment = {**os.environ, "MESHDNS_SERVER": self.bed.path("federation.sock")}

        def completed(*words):
            done = subprocess.run([f"{BIN}/meshdnsctl", "__complete", *words], env=environment, capture_output=True,
                                  text=True, timeout=WAIT, check=True)
            return done.stdout.split()

        self.assertEqual(completed("ex"), ["explain"])
        self.assertEqual(completed("explain", ""), ["web.mesh.internal"])
        self.assertEqual(completed("get", "n"), ["nodes"])
        self.assertEqual(completed("get", "nodes", ""), ["eu-1/n1"])
        self.assertIn("--for", completed("drain", "--"))
        self.assertNotIn("--for", completed("get", "--"))
        self.assertEqual(completed("drain", "no"), ["node="])
        self.assertEqual(completed("drain", "node="), ["node=eu-1/n1"])
        self.assertEqual(completed("-o", "j"), ["json"])
        self.assertEqual(completed("drain", "endpoint=127"), ["endpoint=" + where])
        self.assertEqual(completed("apply", "-f", ""), [":files"])
        script = self.ctl("completion", "bash") + (
            'COMP_LINE="meshdnsctl drain node=e"; COMP_POINT=${#COMP_LINE}; _meshdnsctl; echo "${COMPREPLY[@]}"\n')
        environment["PATH"] = f"{os.path.abspath(BIN)}:{environment['PATH']}"
        done = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True, timeout=WAIT,
                              check=False)
        self.assertEqual((done.stdout, done.stderr), ("eu-1/n1\n", ""))
        self.assertIn("compdef", self.ctl("completion", "zsh"))
        self.assertIn("complete -c meshdnsctl", self.ctl("completion", "fish"))

    # ---- what succeeds at nothing ----

    def test_an_override_for_nothing_is_refused(self):
        self.start_node("n1", "127.0.0.11")
        err = self.ctl("drain", "node=n11", "--for", "1h", code=1)
        self.assertIn("no endpoint belongs to node=n11, did you mean", err.replace(" (did", ", did"))
        self.assertEqual(self.ctl("get", "overrides"), "no overrides\n")
        self.assertIn("node=n11 drained for 1h, 0 endpoints\n", self.ctl("drain", "node=n11", "--for", "1h", "--force"))
        self.assertIn("zone=eu-9", self.ctl("force", "down", "zone=eu-9", "--reason", "x", "--for", "1h", code=1))

    def test_apply_says_what_lint_finds_and_strict_refuses_it(self):
        self.start_node("n1", "127.0.0.11")
        code, out, err = run("meshdnsctl", "--server", self.bed.path("federation.sock"), "apply",
                             self.web("other", "webb"))
        self.assertEqual((code, out), (0, "VirtualDestination/shop/other created\n"))
        self.assertIn("warning: it matches no endpoint", err)
        err = self.ctl("apply", "--strict", self.web("third", "webb"), code=1)
        self.assertIn("nothing applied: --strict refuses", err)
        self.assertNotIn("third", self.ctl("get", "vd"))

    # ---- files and exit codes ----

    def test_several_files_and_folders(self):
        self.bed.write("objects/a.yaml", WEB.format(name="a", service="web"))
        self.bed.write("objects/b.yml", WEB.format(name="b", service="web"))
        self.bed.write("objects/readme.txt", "no object")
        self.assertEqual(self.ctl("apply", "-f", self.bed.path("objects"), self.web("c")),
                         "VirtualDestination/shop/a created\nVirtualDestination/shop/b created\n"
                         "VirtualDestination/shop/c created\n")
        self.assertEqual(self.ctl("diff", self.bed.path("objects")).count("unchanged"), 2)
        self.ctl("delete", "vd", "shop/a")
        self.assertIn("nothing deleted", self.ctl("delete", "-f", self.bed.path("objects"), code=1))
        self.assertEqual(self.ctl("delete", "-f", self.bed.path("objects"), "--ignore-not-found"),
                         "VirtualDestination/shop/b deleted\n")
        self.assertIn("say which files", self.ctl("apply", code=2))

    def test_exit_codes(self):
        bad = self.bed.write("bad.yaml", WEB.format(name="web", service="web").replace("hosts", "hots"))
        self.assertRegex(self.ctl("diff", bad, code=2), r"\d errors?, nothing compared\n$")
        differs = run("meshdnsctl", "--server", self.bed.path("federation.sock"), "diff", self.web())
        self.assertEqual(differs[0], 1)
        self.assertEqual(run("meshdnsctl", "--server", self.bed.path("none.sock"), "diff", self.web())[0], 3)
        self.assertEqual(run("meshdnsctl", "--server", self.bed.path("none.sock"), "status", "--check")[0], 2)
        self.assertEqual(run("meshdnsctl", "--server", self.bed.path("federation.sock"), "status", "--check")[0], 0)
        self.start("replica", REPLICA.replace("dns: {{", "dns: {{stale_after: 2s, "))
        self.assertIn("this is a replica", self.ctl("apply", self.web(), at="replica", code=1))
        self.federation.stop()
        eventually(lambda: run("meshdnsctl", "--server", self.bed.path("replica.sock"), "status", "--check")[0] == 1,
                   "the replica is stale")

    @unittest.skipIf(os.geteuid() != 0, "only root can become somebody else")
    def test_a_socket_of_others_is_no_missing_server(self):
        os.chmod(self.bed.folder, 0o755)
        done = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--", f"{BIN}/meshdnsctl", "--server",
                               self.bed.path("federation.sock"), "status"], capture_output=True, text=True, check=False)
        if "setpriv" in done.stderr or "failed to execute" in done.stderr:
            self.skipTest("nobody cannot run it from here: " + done.stderr)
        self.assertEqual(done.returncode, 1)
        self.assertIn("permission denied: ", done.stderr)
        self.assertIn("the group meshdns", done.stderr)

    # ---- what is listed ----

    def test_endpoints_are_chosen_and_shown_wide(self):
        _, first = self.start_node("n1", "127.0.0.11")
        _, second = self.start_node("n2", "127.0.0.12")
        for words, wanted in ((["--node", "n2"], [second]), (["-l", "v=n1"], [first]),
                              (["--service", "shop/web"], [first, second]), (["--service", "shop/none"], [])):
            out = self.ctl("get", "endpoints", *words)
            self.assertEqual([where for where in (first, second) if where in out], wanted, out)
        wide = self.ctl("get", "endpoints", "-o", "wide")
        self.assertRegex(wide, rf"shop/web +{first} .* 3 +http \d+/TCP +app=web,v=n1 +eu-1/n1/shop/web/")
        self.assertRegex(self.ctl("get", "clusters"), r"(?m)^eu-1 +eu/-/eu-1|^eu-1 ")
        self.assertRegex(self.ctl("status"), r"dns +127\.0\.0\.1:\d+ +-/-/eu-1")

    def test_a_frozen_mesh_is_told_above_the_list(self):
        self.start_node("n1", "127.0.0.11")
        self.ctl("freeze", "--reason", "incident 42", "--author", "alice")
        self.assertTrue(self.ctl("get", "endpoints").startswith("frozen by alice: incident 42: "))

    # ---- who, and what ----

    def test_a_node_that_is_gone_is_forgotten(self):
        agent, where = self.start_node("n1", "127.0.0.11")
        self.start_node("n2", "127.0.0.12")
        self.assertIn("is connected", self.ctl("forget", "node=n1", code=1))
        agent.stop(9)
        eventually(lambda: re.search(r"eu-1/n1 .*disconnected|eu-1/n1 .*late", self.ctl("get", "nodes")), "it is gone")
        self.assertIn("not found", self.ctl("forget", "node=n9", code=1))
        self.assertEqual(self.ctl("forget", "node=n1"), "Node/eu-1/n1 forgotten, with its endpoints\n")
        self.assertNotIn(where, self.ctl("get", "endpoints"))
        self.assertNotIn("eu-1/n1", self.ctl("get", "nodes"))
        self.assertIn("a node is named", self.ctl("forget", "n1", code=2))

    def test_changes_are_logged_with_who_and_what(self):
        self.ctl("apply", self.web())
        user = f"{pwd.getpwuid(os.getuid()).pw_name} \\(uid {os.getuid()}, pid \\d+\\)"
        self.federation.wait_line(f'audit who="{user}" from=unix verb=apply objects="VirtualDestination/shop/web created" '
                                  r"revision=\d+ outcome=ok$")
        self.ctl("apply", self.web())  # nothing changes: nothing is logged
        self.ctl("delete", "vd", "shop/web")
        self.federation.wait_line(f'audit who="{user}" from=unix verb=delete objects=VirtualDestination/shop/web ')
        self.assertEqual(len([line for line in self.federation.lines if " audit " in line]), 2)
        self.assertRegex(self.ctl("history", "--changes"), rf"(?s)^\S+Z  {user} from unix  apply  VirtualDestination/shop/web "
                         rf"created  revision \d+  ok\n\S+Z  {user} from unix  delete  VirtualDestination/shop/web  revision")
        changes = json.loads(self.ctl("history", "--changes", "-o", "json"))["changes"]
        self.assertEqual([(change["verb"], change["outcome"]) for change in changes], [("apply", "ok"), ("delete", "ok")])

    def test_the_author_of_an_override_is_the_user_of_the_socket(self):
        self.start_node("n1", "127.0.0.11")
        self.ctl("drain", "node=n1", "--for", "1h", "--force")
        author = json.loads(self.ctl("get", "overrides", "-o", "json"))["spec"]["author"]
        self.assertEqual(author, f"{pwd.getpwuid(os.getuid()).pw_name}@{socket.gethostname()}")

    def test_watch_goes_on_over_a_restart_and_tells_of_operators(self):
        watching = subprocess.Popen([f"{BIN}/meshdnsctl", "--server", self.bed.path("federation.sock"), "watch", "-o",
                                     "json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(watching.stderr.close)
        self.addCleanup(watching.stdout.close)
        self.addCleanup(watching.wait)
        self.addCleanup(watching.kill)
        number = 0
        while not select.select([watching.stdout], [], [], 1)[0]:  # it is not told what came before it has asked
            number += 1
            self.ctl("apply", self.web(f"web-{number}"))
        self.assertIn("web-", watching.stdout.readline())
        self.federation.stop()
        self.assertIn("waiting for it", watching.stderr.readline())
        self.federation = self.start("federation", FEDERATION)
        self.assertEqual(watching.stderr.readline(), "connected again\n")
        self.ctl("freeze", "--reason", "incident 42", "--author", "alice")
        for line in watching.stdout:
            if "Override/freeze created: Freeze all by alice: incident 42" in json.loads(line)["summary"]:
                break

    def test_replicas_are_listed_by_name(self):
        self.start("replica", REPLICA)
        found = self.federation.wait_line(r"subscriber fills replica=(eu-1/\S+) peer=(\S+)")
        eventually(lambda: re.search(rf"replica +{re.escape(found.group(1))} +\S+ +connected \S+ +up to date",
                                     self.ctl("status")), "the replica in status")


if __name__ == "__main__":
    unittest.main()
