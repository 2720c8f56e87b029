"""The agent's binary alone: its flags, its files, its signals. No federation runs: silence changes nothing here."""
import http.client
import json
import os
import signal
import socket
import unittest
import urllib.request

from mesh import WAIT, Bed, eventually, run

CONFIG = """\
node: n1
cluster: eu-1
locality: {{region: eu, zone: eu-a}}
addresses: [127.0.0.1]
federation: {{servers: ["127.0.0.1:1"]}}
discovery: {{static: {{directory: {directory}}}}}
admin: {{listen: "127.0.0.1:0", socket: {socket}}}
{more}"""

ENDPOINT = """\
endpoints:
  - service: {service}
    namespace: shop
    ports: [{{name: http, number: {port}}}]
    checks: [{{http: {{port: http, path: /healthz}}, interval: 200ms, timeout: 2s}}]
"""


class AgentTest(unittest.TestCase):
    def setUp(self):
        self.bed = self.enterContext(Bed())
        self.backend = self.bed.backend()
        self.endpoints("app-b", self.backend.port)
        self.config = self.write_config()

    def write_config(self, directory="endpoints.d", more=""):
        return self.bed.write("agent.yaml", CONFIG.format(directory=directory, socket=self.bed.path("agent.sock"), more=more))

    def endpoints(self, service, port, folder="endpoints.d"):
        return self.bed.write(f"{folder}/{service}.yaml", ENDPOINT.format(service=service, port=port))

    def start(self, *flags):
        agent = self.bed.start("meshdns-agent", "--config", self.config, *flags)
        agent.wait_line(r"\bready\b")
        return agent

    def get(self, agent, path):
        with urllib.request.urlopen("http://%s:%d%s" % (*agent.address("admin listening"), path), timeout=WAIT) as reply:
            return reply.read().decode()

    def states(self, agent):
        status = json.loads(self.get(agent, "/v1/status"))
        return {endpoint["key"]: endpoint["state"] for endpoint in status["endpoints"]}

    def until(self, agent, expected):
        want = {f"shop/{service}/127.0.0.1:{port}": state for (service, port), state in expected.items()}
        eventually(lambda: self.states(agent) == want or None, f"states {want}, last {self.states(agent)}")

    # ---- flags ----

    def test_version_and_help(self):
        self.assertRegex(run("meshdns-agent", "--version")[1], r"^meshdns-agent \d")
        code, out, _ = run("meshdns-agent", "--help")
        self.assertEqual(code, 0)
        self.assertIn("leave", out)

    def test_wrong_flags_are_2(self):
        for words in (["--bogus"], ["stay"], ["--dev", "--config", self.config], ["--once", "--check-config"]):
            code, _, err = run("meshdns-agent", *words)
            self.assertEqual((code, bool(err)), (2, True), words)

    def test_check_config_says_ok(self):
        code, out, err = run("meshdns-agent", "--check-config", "--config", self.config)
        self.assertEqual((code, err), (0, ""))
        self.assertIn("ok, 1 endpoint", out)

    def test_check_config_tells_all_problems_at_once(self):
        config = self.bed.write("bad.yaml", "cluser: eu-1\nfederation: {servers: [nowhere]}\nadmin: {listen: here}\n")
        code, _, err = run("meshdns-agent", "--check-config", "--config", config)
        self.assertEqual(code, 2)
        self.assertIn(f'{config}:1:1: cluser: unknown field (did you mean "cluster"?)', err)
        lines = err.splitlines()
        self.assertGreaterEqual(len(lines), 4)
        self.assertEqual(lines[-1], f"{len(lines) - 1} errors")

    def test_check_config_reads_the_endpoints_too(self):
        path = self.bed.write("endpoints.d/bad.yaml", "endpoints: [{service: a, namespace: b, port: 80}]\n")
        code, _, err = run("meshdns-agent", "--check-config", "--config", self.config)
        self.assertEqual(code, 2)
        self.assertIn(path, err)
        self.assertIn('did you mean "ports"?', err)

    def test_check_config_wants_a_folder_of_endpoints_that_can_be_read(self):
        self.bed.write("plain", "")
        for folder, why in (("nowhere", "no such file or directory"), ("plain", "not a directory")):
            self.config = self.write_config(directory=folder)
            code, _, err = run("meshdns-agent", "--check-config", "--config", self.config)
            self.assertEqual((code, err), (2, f"{self.bed.path(folder)}: {why}\n1 error\n"))

    def test_a_missing_config_is_2(self):
        code, _, err = run("meshdns-agent", "--config", self.bed.path("none.yaml"))
        self.assertEqual(code, 2)
        self.assertEqual(err.splitlines(), [
            self.bed.path("none.yaml") + ": No such file or directory (an example: "
            "/usr/share/meshdns/examples/agent.yaml; to try it without a file: meshdns-agent --dev)", "1 error"])

    def test_once_prints_a_table(self):
        self.endpoints("dead", 1)
        code, out, err = run("meshdns-agent", "--once", "--config", self.config)
        self.assertEqual((code, err), (0, ""))
        rows = [line.split(maxsplit=3) for line in out.splitlines()]
        self.assertEqual(rows, [["NAMESPACE/SERVICE", "ADDRESS", "STATE", "WHY"],
                                ["shop/app-b", f"127.0.0.1:{self.backend.port}", "serving"],
                                ["shop/dead", "127.0.0.1:1", "failing", "connection refused"]])

    def test_once_is_1_where_a_file_is_wrong(self):
        self.bed.write("endpoints.d/bad.yaml", "endpoints: 7\n")
        self.backend.healthy = False
        code, out, err = run("meshdns-agent", "--once", "--config", self.config)
        self.assertEqual(code, 1)
        self.assertIn("failing  http 503", out)
        self.assertIn("bad.yaml", err)

    def test_once_without_endpoints(self):
        os.remove(self.bed.path("endpoints.d/app-b.yaml"))
        self.assertEqual(run("meshdns-agent", "--once", "--config", self.config)[:2],
                         (0, "NAMESPACE/SERVICE  ADDRESS  STATE  WHY\n"))

    # ---- checks ----

    def test_checks_run_and_a_killed_listener_is_noticed(self):
        agent = self.start()
        self.until(agent, {("app-b", self.backend.port): "serving"})
        self.backend.close()
        agent.wait_line(r"endpoint failing key=shop/app-b/\S+ why=\"connection refused\"")

    def test_health_that_comes_back(self):
        agent = self.start()
        agent.wait_line("endpoint serving")
        self.backend.healthy = False
        agent.wait_line(r'endpoint failing .*why="http 503"')
        self.backend.healthy = True
        agent.wait_line("endpoint serving .*was=failing")

    # ---- files and signals ----

    def test_files_come_and_go(self):
        agent = self.start()
        other = self.bed.backend()
        self.endpoints("app-c", other.port)
        self.until(agent, {("app-b", self.backend.port): "serving", ("app-c", other.port): "serving"})
        os.remove(self.bed.path("endpoints.d/app-b.yaml"))
        self.until(agent, {("app-c", other.port): "serving"})

    def test_a_broken_endpoints_file_keeps_what_it_listed(self):
        agent = self.start()
        self.until(agent, {("app-b", self.backend.port): "serving"})
        self.bed.write("endpoints.d/app-b.yaml", "endpoints: [{service: app-b\n")
        agent.wait_line("endpoints.d has a problem")
        source = json.loads(self.get(agent, "/v1/status"))["sources"][0]
        self.assertEqual((source["name"], source["listed"]), ("static", False))
        self.assertIn("app-b.yaml", source["error"])
        self.until(agent, {("app-b", self.backend.port): "serving"})

    def test_a_broken_config_keeps_the_old_one(self):
        agent = self.start()
        self.bed.write("agent.yaml", "clustr: eu-1\n")
        agent.send_signal(signal.SIGHUP)
        agent.wait_line(r"reload failed, the old configuration stays problem=.*did you mean")
        self.assertIn("meshdns_config_failed_reloads_total 1", self.get(agent, "/metrics"))
        self.until(agent, {("app-b", self.backend.port): "serving"})
        self.write_config()
        agent.send_signal(signal.SIGHUP)
        agent.wait_line("reloaded")
        self.assertEqual(agent.stop(), 0)

    def test_reload_moves_to_another_folder_and_never_to_one_that_is_not_there(self):
        agent = self.start()
        self.write_config(directory="nowhere")
        agent.send_signal(signal.SIGHUP)
        agent.wait_line("reload failed, the old configuration stays problem=.*nowhere")
        self.until(agent, {("app-b", self.backend.port): "serving"})
        other = self.bed.backend()
        self.endpoints("app-c", other.port, "more.d")
        self.write_config(directory="more.d")
        agent.send_signal(signal.SIGHUP)
        self.until(agent, {("app-c", other.port): "serving"})

    def test_reload_says_what_needs_a_restart(self):
        agent = self.start()
        path = self.write_config(more="prefixes: [10.0.0.0/24]\n")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        self.bed.write("agent.yaml", text.replace("node: n1", "node: n2"))
        agent.send_signal(signal.SIGHUP)
        agent.wait_line('restart needed for="node, prefixes"$')

    def test_sigterm_and_sigint_end_it_gracefully(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            self.assertEqual(self.start().stop(number), 0)
        self.assertFalse(os.path.exists(self.bed.path("agent.sock")))

    def test_leave_on_stop_without_a_federation_ends_soon(self):
        self.write_config(more="leave_on_stop: true\n")
        agent = self.start()
        self.assertEqual(agent.stop(), 0)
        agent.wait_line("leave not acknowledged")

    # ---- admin ----

    def test_admin_port_reads_and_the_socket_leaves(self):
        agent = self.start()
        self.assertEqual(self.get(agent, "/healthz"), "ok\n")
        self.assertEqual(self.get(agent, "/readyz"), "ready\n")
        status = json.loads(self.get(agent, "/v1/status"))
        self.assertEqual((status["node"], status["cluster"], status["locality"]["zone"]), ("n1", "eu-1", "eu-a"))
        self.assertEqual((status["federation"]["server"], status["federation"]["connected"]), ("127.0.0.1:1", False))
        client = http.client.HTTPConnection(*agent.address("admin listening"), timeout=WAIT)
        client.request("POST", "/v1/leave")
        self.assertEqual(client.getresponse().status, 404)
        client.close()

    def test_leave_without_a_federation_fails_and_the_agent_goes_on(self):
        agent = self.start()
        code, _, err = run("meshdns-agent", "leave", "--config", self.config)
        self.assertEqual(code, 1)
        self.assertIn("nothing is withdrawn: no session with the federation at 127.0.0.1:1", err)
        self.until(agent, {("app-b", self.backend.port): "serving"})
        self.assertEqual(agent.stop(), 0)

    def test_leave_without_agent_and_federation_says_so(self):
        code, _, err = run("meshdns-agent", "--config", self.config, "leave")
        self.assertEqual(code, 1)
        self.assertIn("eu-1/n1 did not leave: no agent runs here", err)
        self.assertIn("127.0.0.1:1: no session", err)

    def test_a_second_agent_on_the_same_socket_does_not_start(self):
        self.start()
        code, _, err = run("meshdns-agent", "--config", self.config)
        self.assertEqual(code, 1)
        self.assertIn("cannot start", err)

    def test_a_socket_that_was_left_behind_is_replaced(self):
        with socket.socket(socket.AF_UNIX) as stale:
            stale.bind(self.bed.path("agent.sock"))
        self.assertEqual(self.start().stop(), 0)


if __name__ == "__main__":
    unittest.main()
