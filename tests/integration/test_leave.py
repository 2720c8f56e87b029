"""Who takes a node's records away: `leave`, with and without a running agent, and leave_on_stop; nobody else does."""
import json
import signal
import unittest
import urllib.request

import dns.rcode

from mesh import WAIT, Bed, addresses, ask, eventually, run
from one_cluster import AGENT, ENDPOINTS, FEDERATION
from three_clusters import Mesh

EU = "127.0.2.11"


class LeaveTest(unittest.TestCase):
    def setUp(self):
        self.mesh = self.enterContext(Mesh())
        self.mesh.start_all()
        self.until(EU)

    def until(self, address):
        """Waits until the clients of eu-2 get this address."""
        eventually(lambda: addresses(self.mesh.ask("eu-2")) == [address] or None, f"the answer {address}")

    def config(self):
        return self.mesh.path("agent-eu-2.yaml")

    def leave_on_stop(self):
        with open(self.config(), "a", encoding="utf-8") as file:
            file.write("leave_on_stop: true\n")

    def test_a_running_agent_leaves_and_ends(self):
        agent = self.mesh.agents["eu-2"]
        code, out, err = run("meshdns-agent", "leave", "--config", self.config())
        self.assertEqual((code, err), (0, ""))
        self.assertRegex(out, r"^eu-2/eu-2-n1 left the federation at \S+: 1 endpoint withdrawn$")
        self.until("127.0.1.11")
        agent.process.wait(WAIT)
        self.assertEqual(agent.process.returncode, 3, "a code of its own: the service manager does not start it again")

    def test_leave_tells_the_federation_itself_where_no_agent_runs(self):
        self.mesh.agents["eu-2"].stop(signal.SIGKILL)
        self.until(EU)
        code, out, err = run("meshdns-agent", "leave", "--config", self.config())
        self.assertEqual((code, err), (0, ""))
        self.assertIn("no agent was running", out)
        self.until("127.0.1.11")

    def test_leave_on_stop_is_taken_over_by_a_reload(self):
        agent = self.mesh.agents["eu-2"]
        self.leave_on_stop()
        agent.send_signal(signal.SIGHUP)
        agent.wait_line("reloaded")
        self.assertEqual(agent.stop(), 0)
        self.until("127.0.1.11")

    def test_status_shows_the_session(self):
        agent = self.mesh.agents["eu-2"]
        with urllib.request.urlopen("http://%s:%d/v1/status" % agent.address("admin listening"), timeout=WAIT) as reply:
            federation = json.load(reply)["federation"]
        self.assertTrue(federation["connected"])
        self.assertEqual((federation["server"], federation["lastError"]), (self.mesh.federation, ""))
        self.assertEqual((federation["state"], federation["unsent"]), ("in sync", 0))

    def test_a_removed_file_withdraws_its_endpoint(self):
        self.mesh.write("eu-2/app-b.yaml", "endpoints: []\n")
        self.until("127.0.1.11")


class ReloadTest(unittest.TestCase):
    # Guards the reload of a federation: it once forgot services without endpoints, and silent nodes, without waiting.
    def test_a_reload_of_the_federation_takes_nothing_away(self):
        bed = self.enterContext(Bed())
        config = bed.write("federation.yaml", FEDERATION.format(folder=bed.folder, port=0))
        federation = bed.start("meshdnsd", "--config", config)
        port = federation.address("federation listening")[1]
        bed.write("n1.d/all.yaml", ENDPOINTS.format(port=bed.backend().port))
        agent = bed.write("n1.yaml", AGENT.format(node="n1", zone="eu-a", port=port, folder=bed.folder))
        bed.start("meshdns-agent", "--config", agent)
        name, server = "app-b.shop.mesh.internal", federation.address("dns listening")
        eventually(lambda: addresses(ask(server, name)) == ["127.0.0.1"], "the endpoint is answered")
        bed.write("n1.d/all.yaml", "endpoints: []\n")
        eventually(lambda: not addresses(ask(server, name)), "the service has no endpoint")
        self.assertEqual(ask(server, name).rcode(), dns.rcode.NOERROR)
        federation.send_signal(signal.SIGHUP)
        federation.wait_line("reloaded")
        self.assertEqual(ask(server, name).rcode(), dns.rcode.NOERROR, "the service is still known")


if __name__ == "__main__":
    unittest.main()
