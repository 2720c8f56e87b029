"""A fresh Debian tree with what `cmake --install` puts there, booted by systemd-nspawn: the units start as they are,
with their user and capabilities, and systemd restarts a daemon that stands still (F6).
"""
import re
import unittest

from tree import Tree

MESHDNSD = """\
cluster: eu-1
zones: [{name: mesh.internal}]
dns: {listen: [{address: "127.0.0.1:53"}]}
federation: {listen: "127.0.0.1:7400"}
"""
AGENT = """\
node: n1
cluster: eu-1
addresses: [127.0.0.1]
federation: {servers: ["127.0.0.1:7400"]}
"""
ENDPOINTS = "endpoints: [{service: web, namespace: shop, ports: [{number: 7400}]}]\n"
SCRIPT = """\
until meshdnsctl get endpoints | grep -q serving; do sleep 0.1; done
for unit in meshdnsd meshdns-agent; do
  pid=$(systemctl show --value -p MainPID $unit)
  echo "$unit $(systemctl is-active $unit) user=$(stat -c %U /proc/$pid)" \\
    $(grep -E '^(CapEff|CapBnd|NoNewPrivs|Seccomp):' /proc/$pid/status | tr -d '\\t')
done
stat -c '%n %U %a' /var/lib/meshdns /run/meshdns
systemctl reload meshdnsd meshdns-agent && echo reloaded
for unit in meshdnsd meshdns-agent; do
  old=$(systemctl show --value -p MainPID $unit)
  begun=$(date +%s%N)
  kill -STOP "$old"
  for i in $(seq 600); do
    new=$(systemctl show --value -p MainPID $unit)
    [ "$new" != "$old" ] && [ "$new" != 0 ] && [ "$(systemctl is-active $unit)" = active ] && break
    sleep 0.05
  done
  echo "$unit restarted after $((($(date +%s%N) - begun) / 1000000)) ms"
done
until meshdnsctl get endpoints | grep -q serving; do sleep 0.1; done
systemctl stop meshdnsd meshdns-agent
systemctl show --value -p Result meshdnsd meshdns-agent | xargs echo stopped:
"""


class BootTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        tree = Tree()
        cls.addClassCleanup(tree.remove)
        tree.write("/etc/meshdns/meshdnsd.yaml", MESHDNSD)
        tree.write("/etc/meshdns/agent.yaml", AGENT)
        tree.write("/etc/meshdns/endpoints.d/web.yaml", ENDPOINTS)
        cls.report = tree.boot(SCRIPT)
        print(cls.report, flush=True)

    def test_the_units_run_as_their_user_with_their_capabilities(self):
        bind = "0000000000000400"  # CAP_NET_BIND_SERVICE
        none = "0000000000000000"
        for unit, capabilities in (("meshdnsd", bind), ("meshdns-agent", none)):
            self.assertIn(f"{unit} active user=meshdns CapEff:{capabilities} CapBnd:{capabilities} NoNewPrivs:1 "
                          "Seccomp:2", self.report)

    def test_the_folders_are_the_users(self):
        for name in ("/var/lib/meshdns", "/run/meshdns"):
            self.assertRegex(self.report, rf"(?m)^{name} meshdns ")

    def test_reload_and_stop_work(self):
        self.assertIn("\nreloaded\n", self.report)
        self.assertIn("stopped: success success", self.report)

    def test_a_daemon_that_stands_still_is_restarted(self):  # F6
        for unit in ("meshdnsd", "meshdns-agent"):
            found = re.search(rf"^{unit} restarted after (\d+) ms$", self.report, re.M)
            self.assertTrue(found, self.report)
            self.assertLessEqual(int(found.group(1)), 10000)


if __name__ == "__main__":
    unittest.main()
