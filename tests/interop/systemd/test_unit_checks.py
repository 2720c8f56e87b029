"""Checks that need a real systemd: `systemd` follows units over the system's bus, `exec` runs in the sandbox of the agent's
unit with the drop-in of docs/checks.md, and `locality: auto` reads what cloud-init has left. Booted by systemd-nspawn.
"""
import os
import re
import unittest

from tree import Tree

PAGE = os.path.join(os.path.dirname(__file__), "../../../docs/checks.md")
MESHDNSD = """\
cluster: eu-1
zones: [{name: mesh.internal}]
dns: {listen: [{address: "127.0.0.1:53"}]}
federation: {listen: "127.0.0.1:7400"}
"""
AGENT = """\
node: n1
cluster: eu-1
locality: auto
addresses: [127.0.0.1]
federation: {servers: ["127.0.0.1:7400"]}
exec: {enabled: true}
"""
ENDPOINTS = """\
endpoints:
  - {namespace: shop, service: web, ports: [{number: 81}], checks: [{systemd: {unit: web.service}}]}
  - {namespace: shop, service: plain, ports: [{number: 82}], checks: [{exec: {command: [/bin/true]}, interval: 100ms}]}
  - {namespace: shop, service: other, ports: [{number: 83}],
     checks: [{exec: {command: [/usr/local/bin/who], user: daemon}, interval: 100ms}]}
"""
WEB = "[Service]\nExecStart=/bin/sleep infinity\n"
# fails when a program of another user has what it must not have
WHO = """\
#!/bin/sh
test "$(id -un) $(id -G)" = "daemon 1" || { echo "runs as $(id)"; exit 2; }
grep -Eq '^CapAmb:\\s*0+$' /proc/self/status || { echo "has capabilities"; exit 3; }
grep -Eq '^CapEff:\\s*0+$' /proc/self/status || { echo "has capabilities"; exit 4; }
kill -TERM "$PPID" 2>/dev/null && { echo "may end the agent"; exit 5; }
exit 0
"""
DATA = '{"v1": {"cloud_name": "aws", "region": "eu-central-1", "availability_zone": "eu-central-1a"}}'
SCRIPT = """\
serves() { meshdnsctl get endpoints | grep -E "shop/$1 .*serving" >/dev/null; }
says() { meshdnsctl get endpoints -o json | grep -F "$1" >/dev/null; }
wait_for() { for i in $(seq 300); do "$@" && { echo "ok: $*"; return; }; sleep 0.1; done; echo "not: $*"; }
wait_for serves plain
wait_for serves other
wait_for says "web.service is inactive (dead)"
systemctl start web
wait_for serves web
systemctl kill --signal=KILL web
wait_for says "web.service is failed (failed)"
systemctl daemon-reexec
systemctl start web
wait_for serves web
systemctl stop web
wait_for says "web.service is inactive (dead)"
meshdnsctl get nodes
meshdnsctl get endpoints -o json
journalctl --no-pager -u meshdns-agent 2>/dev/null | tail -40
"""


def drop_in():
    """The one of the page."""
    with open(PAGE, encoding="utf-8") as file:
        return re.search(r"^```text\n(\[Service\]\nAmbient.*?)^```$", file.read(), re.M | re.S).group(1)


class UnitChecksTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        tree = Tree()
        cls.addClassCleanup(tree.remove)
        tree.write("/etc/meshdns/meshdnsd.yaml", MESHDNSD)
        tree.write("/etc/meshdns/agent.yaml", AGENT)
        tree.write("/etc/meshdns/endpoints.d/all.yaml", ENDPOINTS)
        tree.write("/etc/systemd/system/web.service", WEB)
        tree.write("/etc/systemd/system/meshdns-agent.service.d/user.conf", drop_in())
        tree.write("/etc/tmpfiles.d/cloud.conf", "d /run/cloud-init 0755 - - -\n"
                                                 f"f /run/cloud-init/instance-data.json 0644 - - - {DATA}\n")
        tree.write("/usr/local/bin/who", WHO)
        os.chmod(tree.root + "/usr/local/bin/who", 0o755)
        cls.report = tree.boot(SCRIPT)
        print(cls.report, flush=True)

    def test_programs_run_in_the_sandbox(self):
        self.assertIn("ok: serves plain\n", self.report)

    def test_a_program_of_another_user(self):
        self.assertIn("ok: serves other\n", self.report)

    def test_units_are_followed_over_a_new_start_of_systemd(self):
        self.assertEqual(self.report.count("ok: serves web\n"), 2)
        self.assertEqual(self.report.count("ok: says web.service is inactive (dead)\n"), 2)
        self.assertIn("ok: says web.service is failed (failed)\n", self.report)

    def test_the_machine_says_where_it_is(self):
        self.assertIn("eu-central-1/eu-central-1a", self.report)


if __name__ == "__main__":
    unittest.main()
