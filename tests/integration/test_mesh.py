"""The main job end to end: agents report, the federation knows, DNS answers the closest healthy instance."""
import json
import signal
import unittest
import urllib.request

import dns.rcode

from mesh import WAIT, addresses, eventually, run, texts
from three_clusters import CLUSTERS, Mesh

HOME = {"eu-1": "127.0.1.11", "eu-2": "127.0.2.11", "us-1": "127.0.3.11"}


class MeshTest(unittest.TestCase):
    def setUp(self):
        self.mesh = self.enterContext(Mesh())
        self.mesh.start_all()
        self.until(HOME)

    def until(self, expected):
        """Waits until each cluster's clients get the addresses of `expected`."""
        seen = lambda: {name: addresses(self.mesh.ask(name)) for name in CLUSTERS}
        want = {name: sorted([value] if isinstance(value, str) else value) for name, value in expected.items()}
        eventually(lambda: seen() == want or None, f"answers {want}, last {seen()}")

    def test_the_next_closest_takes_over_and_hands_back(self):
        port = self.mesh.backends["eu-1"].port
        self.mesh.backends["eu-1"].close()
        self.until({**HOME, "eu-1": HOME["eu-2"]})
        self.mesh.backends["eu-2"].close()
        self.until({name: HOME["us-1"] for name in CLUSTERS})
        self.mesh.backend("127.0.1.11", port)
        self.until({**HOME, "eu-2": HOME["eu-1"]})

    def test_when_nothing_serves_the_last_known_is_answered_and_said(self):
        for backend in self.mesh.backends.values():
            backend.healthy = False
        text = lambda: [option.text for option in self.mesh.ask("eu-1", use_edns=0).options
                        if getattr(option, "code", None) == 0 and getattr(option, "text", None)]
        eventually(lambda: any("last-resort" in words for words in text()) or None, "an extended error")
        self.assertEqual(addresses(self.mesh.ask("eu-1")), [HOME["eu-1"]])

    def test_a_killed_agent_changes_nothing_and_comes_back(self):
        self.mesh.agents["eu-1"].stop(signal.SIGKILL)
        self.until(HOME)
        self.mesh.agents["eu-1"] = self.mesh.start(*["meshdns-agent", *self.mesh.agents["eu-1"].argv[1:]])
        self.mesh.agents["eu-1"].wait_line("connected")
        self.until(HOME)

    def test_stop_keeps_the_records_and_leave_withdraws_at_once(self):
        self.assertEqual(self.mesh.agents["eu-1"].stop(), 0)
        self.until(HOME)
        argv = self.mesh.agents["eu-2"].argv
        code, out, err = run("meshdns-agent", "leave", *argv[1:])
        self.assertEqual(code, 0, out + err)
        self.until({**HOME, "eu-2": HOME["eu-1"]})

    def test_explain_agrees_in_dig_ctl_and_http(self):
        lines = texts(self.mesh.ask("us-1", "_explain.app-b.mesh.internal", "TXT"))
        self.assertRegex(lines[0], r"^01 client 127\.0\.0\.1 -> us/us-a/us-1 by listener")
        self.assertIn("tier 0 cluster+zone load 100%: 127.0.3.11:", " ".join(lines))
        code, out, err = self.mesh.ctl("explain", "app-b.mesh.internal", "--client", "127.0.0.1")
        self.assertEqual(code, 0, err)
        self.assertIn("TIER  RUNG", out)
        url = "http://%s:%d/v1/explain?host=app-b.mesh.internal&client=127.0.0.1" % self.mesh.admin
        with urllib.request.urlopen(url, timeout=WAIT) as reply:
            self.assertEqual(json.load(reply)["host"], "app-b.mesh.internal")

    def test_srv_lists_every_tier_as_priorities(self):
        reply = self.mesh.ask("eu-1", "_http._tcp.app-b.mesh.internal", "SRV")
        got = sorted((item.priority, item.target.to_text()) for rrset in reply.answer for item in rrset)
        self.assertEqual(got, [(0, "127-0-1-11.app-b.mesh.internal."), (1, "127-0-2-11.app-b.mesh.internal."),
                               (2, "127-0-3-11.app-b.mesh.internal.")])
        self.assertEqual(self.mesh.ask("eu-1", "_ftp._tcp.app-b.mesh.internal", "SRV").rcode(), dns.rcode.NXDOMAIN)

    def test_a_restarted_federation_is_filled_again_by_the_agents(self):
        config = self.mesh.daemon.argv
        address = "listen: \"127.0.0.1:0\"}\nadmin"
        path = config[2]
        with open(path, encoding="utf-8") as file:
            text = file.read()
        self.mesh.write("meshdnsd.yaml", text.replace(address, f"listen: \"{self.mesh.federation}\"}}\nadmin"))
        self.assertEqual(self.mesh.daemon.stop(), 0)
        self.mesh.daemon = self.mesh.start("meshdnsd", "--config", path)
        self.mesh.daemon.wait_line("ready")
        found = [line for line in self.mesh.daemon.lines if "dns listening" in line]
        ports = [int(line.split("address=127.0.0.1:")[1].split()[0]) for line in found]
        self.mesh.dns = {name: ("127.0.0.1", port) for name, port in zip(CLUSTERS, ports)}
        auto = "app-b.shop.mesh.internal"  # objects lived in memory; the automatic host comes from the agents
        eventually(lambda: addresses(self.mesh.ask("eu-1", auto)) == [HOME["eu-1"]] or None, "the automatic host")


if __name__ == "__main__":
    unittest.main()
