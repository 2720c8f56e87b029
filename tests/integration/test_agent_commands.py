"""The commands of a running agent: register, deregister, list, push, drain, undrain, status, check. A federation answers."""
import json
import os
import re
import signal
import socketserver
import stat
import subprocess
import threading
import time
import unittest
import urllib.error
import urllib.request

from mesh import BIN, WAIT, Bed, addresses, ask, eventually, run
from one_cluster import FEDERATION
from ports import free_port
from supervisor import ROOT

AGENT = """\
node: {node}
cluster: eu-1
locality: {{region: eu, zone: eu-a}}
addresses: [{address}]
federation: {{servers: ["127.0.0.1:{port}"]}}
discovery: {{static: {{directory: {folder}/{node}.d}}}}
state_dir: {folder}/{node}.state
admin: {{listen: "127.0.0.1:0", socket: {folder}/{node}.sock}}
"""
ENTRY = """\
  - {{service: {service}, namespace: shop, ports: [{{name: http, number: {port}}}], checks: [{{{check}, interval: 200ms}}]}}
"""
TCP = "tcp: {port: http}"


class AgentBed(unittest.TestCase):
    """A federation, and agents with a folder for their state."""

    def setUp(self):
        self.bed = self.enterContext(Bed())
        self.port = free_port()
        config = self.bed.write("federation.yaml", FEDERATION.format(folder=self.bed.folder, port=self.port))
        self.federation = self.bed.start("meshdnsd", "--config", config)
        self.dns = self.federation.address("dns listening")
        self.agent = self.start("n1")

    def start(self, node, address="127.0.0.1"):
        os.makedirs(self.bed.path(node + ".d"), exist_ok=True)
        config = self.bed.write(node + ".yaml", AGENT.format(node=node, address=address, port=self.port, folder=self.bed.folder))
        agent = self.bed.start("meshdns-agent", "--config", config)
        agent.wait_line(r"\bready\b")
        agent.wait_line(r"\bconnected\b")
        return agent

    def command(self, *words, node="n1", code=0, stdin=""):
        """Standard output, or standard error if the command has to fail."""
        got, out, err = run("meshdns-agent", *words, "--config", self.bed.path(node + ".yaml"), stdin=stdin)
        self.assertEqual(got, code, out + err)
        self.assertFalse(out if code else err)
        return err if code else out

    def entry(self, service, port, check=TCP):
        return ENTRY.format(service=service, port=port, check=check)

    def register(self, *entries, code=0, node="n1"):
        return self.command("register", "-f", self.bed.write("given.yaml", "endpoints:\n" + "".join(entries)), code=code, node=node)

    def answered(self, service, expected):
        name = service + ".shop.mesh.internal"
        eventually(lambda: addresses(ask(self.dns, name)) == expected or None, f"{name} is {expected}")

    def status(self, node="n1"):
        return json.loads(self.command("status", "-o", "json", node=node))

    def state(self, key):
        return {row["key"]: row["state"] for row in self.status()["endpoints"]}.get(key)

    def restart(self, number=signal.SIGTERM):
        self.agent.stop(number)
        self.agent = self.start("n1")


class RegistrationTest(AgentBed):
    def test_what_is_registered_is_answered_over_a_restart_until_it_is_deregistered(self):
        port = self.bed.backend().port
        key = f"shop/web/127.0.0.1:{port}"
        self.assertEqual(self.register(self.entry("web", port)), key + " registered\n")
        self.assertEqual(self.register(self.entry("web", port)), key + " unchanged\n")
        self.answered("web", ["127.0.0.1"])
        self.restart(signal.SIGKILL)
        eventually(lambda: self.state(key) == "serving", "it is checked again")
        self.answered("web", ["127.0.0.1"])
        self.assertRegex(self.command("list"), rf"^ENDPOINT +PORTS +STATE +WHY\n{key} +http {port}/TCP +serving\n$")
        self.assertEqual(self.command("deregister", "shop/web"), key + " deregistered\n")
        self.answered("web", [])
        self.restart()
        self.assertEqual(self.command("list"), "no registrations\n")

    def test_standard_input_and_one_key_of_several(self):
        ports = [self.bed.backend().port for _ in range(2)]
        text = "endpoints:\n" + "".join(self.entry("web", port) for port in ports)
        self.assertEqual(self.command("register", "-f", "-", stdin=text).count(" registered\n"), 2)
        self.command("deregister", f"shop/web/127.0.0.1:{ports[0]}")
        rows = json.loads(self.command("list", "-o", "json"))["registrations"]
        self.assertEqual([(row["key"], row["ports"]) for row in rows],
                         [(f"shop/web/127.0.0.1:{ports[1]}", [f"http {ports[1]}/TCP"])])

    def test_a_wrong_file_registers_nothing_and_names_all_problems(self):
        err = self.register(self.entry("web", 80), self.entry("db", 99999), "  - {srevice: x}\n", code=2)
        self.assertRegex(err, r"given\.yaml:3:\d+: endpoints\[1\]\.ports\[0\]\.number: ")
        self.assertIn('(did you mean "service"?)', err)
        self.assertEqual(self.command("list"), "no registrations\n")
        for text, why in (("", "the file is empty"), ("[}", "not YAML"), ("\xff", "UTF-8"), ("endpoints: 7", "expected a list")):
            path = self.bed.path("raw.yaml")
            with open(path, "wb") as file:
                file.write(text.encode("latin-1"))
            self.assertIn(why, self.command("register", "-f", path, code=2))
        self.assertIn("no such file", self.command("register", "-f", self.bed.path("none.yaml"), code=2).lower())

    def test_sizes_have_bounds(self):
        large = self.bed.write("large.yaml", "endpoints: []\n" + "#" * (1 << 20))
        self.assertIn("larger than 1 MiB", self.command("register", "-f", large, code=2))
        fits = self.bed.write("fits.yaml", "endpoints: []\n" + "#" * ((1 << 20) - 20))
        self.assertEqual(self.command("register", "-f", fits), "nothing to change\n")
        for start in range(0, 10_000, 2500):
            self.register(*(f"  - {{service: s, namespace: shop, address: 127.0.{i >> 8}.{i & 255}, ports: [{{number: 1}}], "
                            "checks: [{none: {}}]}\n" for i in range(start, start + 2500)))
        self.assertIn("more than 10000 registrations", self.register(self.entry("web", 80), code=1))
        self.assertEqual(len(json.loads(self.command("list", "-o", "json"))["registrations"]), 10_000)
        self.assertEqual(self.command("deregister", "shop/s").count("\n"), 10_000)

    def test_a_key_belongs_to_one_source(self):
        port = self.bed.backend().port
        key = f"shop/web/127.0.0.1:{port}"
        self.assertIn("is there twice", self.register(self.entry("web", port), self.entry("web", port), code=2))
        self.bed.write("n1.d/web.yaml", "endpoints:\n" + self.entry("web", port))
        eventually(lambda: self.state(key) == "serving", "the file is read")
        self.assertEqual(self.register(self.entry("web", port), code=1), f"{key} is listed by the source static already\n")
        self.assertIn("it is listed by the source static", self.command("deregister", "shop/web", code=1))
        os.remove(self.bed.path("n1.d/web.yaml"))
        eventually(lambda: self.state(key) is None, "the file is gone")
        self.register(self.entry("web", port))
        self.bed.write("n1.d/web.yaml", "endpoints:\n" + self.entry("web", port))
        self.agent.wait_line("source of endpoints has a problem source=local .*listed by the source static")
        self.assertIn("the source static lists it already", self.command("list"))
        os.remove(self.bed.path("n1.d/web.yaml"))
        self.agent.wait_line("source of endpoints has no problem source=local")
        self.answered("web", ["127.0.0.1"])

    def test_what_is_not_registered(self):
        self.register(self.entry("web", 80))
        self.assertEqual(self.command("deregister", "shop/wbe", code=1), "shop/wbe is not registered (did you mean shop/web?)\n")

    def test_a_broken_file_loses_nothing(self):
        port = self.bed.backend().port
        self.register(self.entry("web", port))
        self.answered("web", ["127.0.0.1"])
        self.agent.stop()
        path = self.bed.path("n1.state/n1.registrations.yaml")
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        with open(path, encoding="utf-8") as file:
            good = file.read()
        with open(path, "w", encoding="utf-8") as file:
            file.write(good[:-10])
        self.agent = self.start("n1")
        self.agent.wait_line(f"source of endpoints has a problem source=local problem=\"?{path}: line")
        self.assertIn("correct this file or move it away", self.register(self.entry("db", 80), code=1))
        self.assertIn("local: not all is read", self.command("status"))
        self.answered("web", ["127.0.0.1"])  # the federation keeps what the agent cannot read
        with open(path, "w", encoding="utf-8") as file:
            file.write(good)
        self.agent.send_signal(signal.SIGHUP)
        self.agent.wait_line("source of endpoints has no problem source=local")
        eventually(lambda: self.state(f"shop/web/127.0.0.1:{port}") == "serving", "it is checked again")


class PushTest(AgentBed):
    def setUp(self):
        super().setUp()
        self.key = "shop/job/127.0.0.1:4711"
        self.register(self.entry("job", 4711, "ttl: {ttl: 4s}"))

    def test_up_down_and_warn_count_at_once_and_expire(self):
        self.assertEqual(self.command("push", "shop/job", "up"), self.key + " up\n")
        self.answered("job", ["127.0.0.1"])
        self.command("push", "shop/job", "warn", "--detail", "disk 91 %")
        eventually(lambda: "disk 91 %" in self.command("status"), "the warning is shown")
        self.answered("job", ["127.0.0.1"])
        self.command("push", self.key, "down", "--detail", "disk full")
        self.agent.wait_line(rf'endpoint failing key={self.key} why="disk full"')
        self.command("push", "shop/job", "up")
        eventually(lambda: self.state(self.key) == "serving", "it is up again")
        mark = len(self.agent.lines)
        self.agent.wait_line(f"endpoint failing key={self.key}", after=mark)  # nobody pushes any more

    def test_a_push_survives_a_restart(self):
        self.register(self.entry("night", 4712, "ttl: {ttl: 10m}"))
        self.command("push", "shop/night", "up")
        self.answered("night", ["127.0.0.1"])
        for number in (signal.SIGTERM, signal.SIGKILL):
            # a push that says something new is kept within 0.1 s, also if the agent is killed then
            eventually(lambda: os.path.exists(self.bed.path("n1.state/n1.pushes")), "it is kept")
            self.restart(number)
            eventually(lambda: self.state("shop/night/127.0.0.1:4712") == "serving", "it is still up")

    def test_what_cannot_be_pushed(self):
        self.register(self.entry("web", 80), self.entry("two", 81, "ttl: {}"), self.entry("two", 82, "ttl: {}"))
        for words, code, why in ((("shop/none", "up"), 1, "no endpoint of this node is shop/none"),
                                 (("shop/web", "up"), 1, "has no ttl check"),
                                 (("shop/two", "up"), 1, "several endpoints here; say which: shop/two/127.0.0.1:81"),
                                 (("shop/job", "sideways"), 2, "sideways"),
                                 (("shop/job", "up", "--detail", "x" * 4097), 2, "longer than 4096 bytes"),
                                 (("shop/job", "up", "--detail", "a\nb"), 2, "one line of printable text")):
            self.assertIn(why, self.command("push", *words, code=code))


class DrainTest(AgentBed):
    def setUp(self):
        super().setUp()
        self.other = self.start("n2", "127.0.0.2")
        self.here = self.bed.backend().port
        there = self.bed.backend("127.0.0.2").port
        self.register(self.entry("web", self.here))
        self.register(self.entry("web", there), node="n2")
        self.answered("web", ["127.0.0.1", "127.0.0.2"])

    def test_a_drained_node_is_not_answered_until_undrain_also_over_a_restart(self):
        self.assertEqual(self.command("drain", "--reason", "kernel update"), "n1 drained until undrain, 1 endpoint\n")
        self.answered("web", ["127.0.0.2"])
        self.assertRegex(self.command("status"), r"drained +this node for \S+, until undrain, 1 endpoint: kernel update\n")
        self.assertRegex(self.command("status"), r"\n\S+ +draining +\S+ +drained at its node: kernel update\n")
        self.restart()
        self.agent.wait_line("drained since before the restart")
        eventually(lambda: self.state(f"shop/web/127.0.0.1:{self.here}") == "draining", "it is still drained")
        self.assertEqual(addresses(ask(self.dns, "web.shop.mesh.internal")), ["127.0.0.2"])
        self.assertEqual(self.command("undrain"), "n1 no longer drained, 1 endpoint\n")
        self.answered("web", ["127.0.0.1", "127.0.0.2"])
        self.assertEqual(self.command("undrain", code=1), "this node is not drained\n")

    def test_a_drain_of_a_service_ends_by_itself(self):
        self.assertEqual(self.command("drain", "--service", "shop/web", "--for", "2s", "--reason", "deploy"),
                         "shop/web drained for 2s, 1 endpoint\n")
        self.answered("web", ["127.0.0.2"])
        self.agent.wait_line('drain ends target=shop/web why="its time is over"')
        self.answered("web", ["127.0.0.1", "127.0.0.2"])
        self.assertEqual(self.status()["drains"], [])

    def test_the_last_resort_is_drained_too(self):
        for node in ("n1", "n2"):
            self.command("drain", "--reason", "x", node=node)
        eventually(lambda: self.status("n2")["endpoints"][0]["state"] == "draining", "both are drained")
        self.answered("web", ["127.0.0.1", "127.0.0.2"])

    def test_what_cannot_be_drained(self):
        for words, code, why in ((("--service", "shop/wbe", "--reason", "x"), 1, "did you mean shop/web?"),
                                 (("--for", "x", "--reason", "x"), 2, "for: "), (("--for", "8d", "--reason", "x"), 2, "up to 7d"),
                                 (("--for", "1h"), 2, "--reason"), (("--reason", "a\x1bb"), 2, "printable")):
            self.assertIn(why, self.command("drain", *words, code=code))
        self.assertEqual(self.status()["drains"], [])

    def test_a_folder_that_cannot_be_written_is_told(self):
        os.rename(self.bed.path("n1.state"), self.bed.path("away"))
        self.bed.write("n1.state", "no folder")
        code, out, err = run("meshdns-agent", "drain", "--reason", "x", "--config", self.bed.path("n1.yaml"))
        self.assertEqual((code, out), (0, "n1 drained until undrain, 1 endpoint\n"))
        self.assertIn("warning: drains are forgotten at a restart", err)
        self.agent.wait_line("state cannot be kept over a restart what=drains")
        self.assertRegex(self.command("status"), r"\ntrouble +drains are forgotten at a restart: ")
        os.remove(self.bed.path("n1.state"))
        self.assertEqual(self.command("undrain"), "n1 no longer drained, 1 endpoint\n")
        self.agent.wait_line("state is kept over a restart what=drains")


class ReadingTest(AgentBed):
    def test_status_shows_checks_and_is_json(self):
        port = self.bed.backend().port
        self.register(self.entry("web", port, "http: {port: http, path: /healthz}"))
        eventually(lambda: self.state(f"shop/web/127.0.0.1:{port}") == "serving", "it serves")
        text = self.command("status")
        self.assertRegex(text, r"^node +n1 at eu/eu-a/eu-1, 127\.0\.0\.1, version \S+\nfederation +127\.0\.0\.1:\d+: in sync, 0 records unsent\n"
                               r"(?:events +\S+ (?:on|off).*\n)+source +static: read\nsource +local: read\n")
        self.assertRegex(text, rf"\nshop/web/127\.0\.0\.1:{port} +http +127\.0\.0\.1:{port} +success +[\d.]+ms +[\d.]+s +")
        self.assertLessEqual(max(map(len, text.split("\n"))), 110)
        [check] = self.status()["checks"]
        self.assertEqual((check["kind"], check["address"], check["result"]), ("http", f"127.0.0.1:{port}", "success"))

    def test_check_runs_now_and_shows_both_sides(self):
        backend = self.bed.backend()
        self.register(self.entry("web", backend.port, "http: {port: http, path: /healthz}").replace("200ms", "1h"))
        eventually(lambda: self.state(f"shop/web/127.0.0.1:{backend.port}") == "serving", "it serves")
        backend.healthy = False
        out = self.command("check", "shop/web")
        self.assertRegex(out, rf"^shop/web/127\.0\.0\.1:{backend.port} http at 127\.0\.0\.1:{backend.port}\n"
                              r"  asked  GET /healthz, expects 200-399\n  got    failure: http 503 \([\d.]+ms\)\n$")
        self.assertEqual(json.loads(self.command("check", "shop/web", "-o", "json"))["runs"][0]["detail"], "http 503")
        self.assertIn("no endpoint of this node is shop/none", self.command("check", "shop/none", code=1))

    def test_the_port_reads_and_changes_nothing(self):
        self.register(self.entry("web", 80))
        host, port = self.agent.address("admin listening")

        def get(path, method="GET"):
            request = urllib.request.Request(f"http://{host}:{port}{path}", method=method)
            with urllib.request.urlopen(request, timeout=WAIT) as reply:
                return json.load(reply)

        self.assertEqual(get("/v1/registrations")["registrations"][0]["service"], "web")
        self.assertEqual(get("/v1/drains"), {"drains": []})
        for path in ("/v1/register", "/v1/deregister?target=shop/web", "/v1/push", "/v1/drain", "/v1/undrain", "/v1/check"):
            with self.assertRaises(urllib.error.HTTPError) as caught:
                get(path, "POST")
            self.assertEqual(caught.exception.code, 404, path)
            caught.exception.close()
        self.assertEqual(stat.S_IMODE(os.stat(self.bed.path("n1.sock")).st_mode), 0o660)

    def test_without_an_agent_the_error_says_so(self):
        self.agent.stop()
        for words in (["status"], ["list"], ["drain", "--reason", "x"], ["push", "shop/web", "up"]):
            self.assertRegex(self.command(*words, code=1), r"^no agent runs here: \S+/n1\.sock: ")
        self.assertIn("--socket PATH", run("meshdns-agent", "status", "--config", self.bed.path("none.yaml"))[2])
        self.assertEqual(run("meshdns-agent", "status", "--socket", self.bed.path("none.sock"))[0], 1)

    def test_an_older_agent_is_told_from_one_that_refuses(self):
        path = self.bed.path("older.sock")

        class Older(socketserver.StreamRequestHandler):
            def handle(self):
                while self.rfile.readline().strip():
                    pass
                body = b"no such path; the paths are:\n  /v1/status\n"
                self.wfile.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

        with socketserver.UnixStreamServer(path, Older) as server:
            thread = threading.Thread(target=server.serve_forever, args=(0.02,))
            thread.start()
            code, _, err = run("meshdns-agent", "list", "--socket", path)
            server.shutdown()
            thread.join()
        self.assertEqual((code, err), (1, "the agent that runs here is older and does not know this command; restart it\n"))

    def test_completion_knows_every_command_and_the_services_here(self):
        self.register(self.entry("web", 80))
        listed = re.findall(r"^  ([a-z]+)  ", run("meshdns-agent", "--help")[1].split("Subcommands:")[1], re.M)
        words = run("meshdns-agent", "__complete", "")[1].split()
        self.assertEqual(sorted(listed), words)
        self.assertGreater(len(words), 8)
        for command in words:
            wanted = set(re.findall(r"(--[a-z]+)", run("meshdns-agent", command, "--help")[1]))
            self.assertEqual(set(run("meshdns-agent", "__complete", command, "--")[1].split()) - {"--config"}, wanted, command)
        script = run("meshdns-agent", "completion", "bash")[1] + (
            f'COMP_LINE="meshdns-agent push --socket {self.bed.path("n1.sock")} shop/w"; COMP_POINT=${{#COMP_LINE}}; '
            '_meshdns_agent; echo "${COMPREPLY[0]}"\n')
        done = subprocess.run(["bash", "-c", script], env={**os.environ, "PATH": f"{os.path.abspath(BIN)}:{os.environ['PATH']}"},
                              capture_output=True, text=True, timeout=WAIT, check=False)
        self.assertEqual((done.stdout, done.stderr), ("shop/web\n", ""))


class DocsTest(AgentBed):
    """docs/agent.md: its commands are run in its order, and print what it says. Times differ."""
    READING = ("list", "status", "check", "curl", "dig")

    @staticmethod
    def plain(text):
        text = re.sub(r"\b\d+(\.\d+)?(ns|us|ms|s|m|h)\b|running", "TIME", text)
        return [" ".join(line.split()) for line in re.sub(r"version \S+", "version V", text).splitlines()]

    def test_the_examples_do_what_they_say(self):
        with open(os.path.join(ROOT, "docs/agent.md"), encoding="utf-8") as file:
            text = file.read()
        backends = {"8080": str(self.bed.backend().port), "8081": str(free_port())}
        text = re.sub(r"\b808[01]\b", lambda found: backends[found[0]], text.replace("10.0.0.11", "127.0.0.1"))
        text = text.replace("10.0.9.1:7400", f"127.0.0.1:{self.port}")
        text = text.replace("127.0.0.1:7402", "%s:%d" % self.agent.address("admin listening"))
        text = text.replace("/run/meshdns/agent.sock", self.bed.path("n1.sock"))
        for name, content in re.findall(r"^```yaml (\S+)\n(.*?)^```$", text, re.M | re.S):
            self.bed.write(name, content)
        self.bed.write("bin/meshdns-agent", f'#!/bin/sh\nexec {os.path.abspath(BIN)}/meshdns-agent --config {self.bed.path("n1.yaml")} "$@"\n')
        os.chmod(self.bed.path("bin/meshdns-agent"), 0o755)
        steps = [step for block in re.findall(r"^```console\n(.*?)^```$", text, re.M | re.S)
                 for step in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.M)]
        self.assertGreater(len(steps), 10)
        for command, expected in steps:
            self.step(command, self.plain(expected))

    def step(self, command, expected):
        end = time.monotonic() + WAIT
        reads = any(word in command.split() for word in self.READING)
        while True:
            done = subprocess.run(["bash", "-c", command], cwd=self.bed.folder, capture_output=True, text=True, timeout=WAIT,
                                  check=False, env={**os.environ, "PATH": f"{self.bed.path('bin')}:{os.environ['PATH']}"})
            got = self.plain(done.stdout + done.stderr)
            if got == expected or not reads or time.monotonic() > end:
                break
            time.sleep(0.05)
        self.assertEqual(got, expected, command)


if __name__ == "__main__":
    unittest.main()
