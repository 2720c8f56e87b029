"""A federation that has lost its store (docs/failures.md A5): answers are never wrong, and it says what it does."""
import contextlib
import os
import shutil
import signal
import sqlite3
import time
import unittest

import dns.rcode

from mesh import Bed, addresses, ask, eventually, run
from one_cluster import AGENT, FEDERATION, REPLICA

ENDPOINT = """\
endpoints:
  - {{service: {service}, namespace: shop, address: 127.0.0.1, ports: [{{name: http, number: {port}}}],
     checks: [{{tcp: {{port: http}}, interval: 200ms, timeout: 2s}}]}}
"""
OBJECT = """\
apiVersion: meshdns.io/v1alpha1
kind: VirtualDestination
metadata: {name: api, namespace: shop}
spec: {hosts: [api.mesh.internal], services: [{namespace: shop, name: app-a}]}
"""
STRICT = """\
apiVersion: meshdns.io/v1alpha1
kind: Cluster
metadata: {name: eu-1}
spec: {agents: [{nodes: ["*"], namespaces: [other]}]}
"""
NAMES = ["app-a.shop.mesh.internal", "app-b.shop.mesh.internal", "api.mesh.internal"]


class RecoveryTest(unittest.TestCase):
    """Two nodes; the agent of the second one is gone when the federation comes back with nothing."""

    def setUp(self):
        self.bed = self.enterContext(Bed())
        self.port = 0
        self.start_federation()
        self.port = self.federation.address("federation listening")[1]
        self.agents = {}
        for node, service in (("n1", "app-a"), ("n2", "app-b")):
            port = self.bed.backend().port  # an address and port are one node's
            self.bed.write(f"{node}.d/all.yaml", ENDPOINT.format(service=service, port=port))
            config = self.bed.write(node + ".yaml", AGENT.format(node=node, zone="eu-a", port=self.port, folder=self.bed.folder))
            self.agents[node] = self.bed.start("meshdns-agent", "--config", config)
        self.ctl("apply", "-f", self.bed.write("object.yaml", OBJECT))
        config = self.bed.write("replica.yaml", REPLICA.format(port=self.port, folder=self.bed.folder))
        self.replica = self.bed.start("meshdnsd", "--config", config)
        self.replica.wait_line("ready")
        eventually(lambda: all(self.look(self.replica, name) == ["127.0.0.1"] for name in NAMES), "all names")
        self.agents["n2"].stop(signal.SIGKILL)

    def start_federation(self):
        config = self.bed.write("federation.yaml", FEDERATION.format(folder=self.bed.folder, port=self.port))
        self.federation = self.bed.start("meshdnsd", "--config", config)
        self.federation.wait_line("admin socket")

    def ctl(self, *words, name="federation"):
        return run("meshdnsctl", "--server", "unix:" + self.bed.path(name + ".sock"), *words)

    def status(self, name="federation"):
        return self.ctl("status", name=name)[1]

    def look(self, daemon, name):
        return addresses(ask(daemon.address("dns listening"), name))

    def watch(self, daemon, seconds):
        """Every answer in this time is right."""
        server = daemon.address("dns listening")
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for name in NAMES:
                reply = ask(server, name)
                self.assertEqual((reply.rcode(), addresses(reply)), (dns.rcode.NOERROR, ["127.0.0.1"]), name)
            time.sleep(0.02)

    def back_again(self):
        eventually(lambda: "1 agent connected" in self.status(), "the agent that lives is back")

    def remove_store(self):
        for name in os.listdir(self.bed.path("federation")):
            if name.startswith("federation.db") and not name.endswith(".state"):
                os.unlink(self.bed.path("federation/" + name))

    def test_a_wiped_disk_takes_nothing_away_from_a_replica(self):
        self.federation.stop()
        shutil.rmtree(self.bed.path("federation"))
        self.start_federation()
        self.federation.wait_line("recovering: the store was lost")
        self.replica.wait_line("the federation is recovering")
        self.back_again()
        self.watch(self.replica, 2)
        self.assertRegex(self.status(), r"recovering +the store was lost")
        self.assertRegex(self.status("replica"), r"recovering +the federation has lost its store")
        self.assertEqual(self.look(self.federation, NAMES[0]), ["127.0.0.1"], "the agent has told it")
        # an operator says that nothing more is to be expected
        code, out, err = self.ctl("approve-shrink")
        self.assertEqual(code, 0, err)
        self.assertIn("endpoints known: 1", out)
        self.replica.wait_line("the federation has recovered")
        self.federation.wait_line("recovered")
        eventually(lambda: ask(self.replica.address("dns listening"), NAMES[1]).rcode() == dns.rcode.NXDOMAIN,
                   "what the federation does not know goes now")
        self.assertEqual(self.look(self.replica, NAMES[0]), ["127.0.0.1"])
        self.assertNotIn("recovering", self.status() + self.status("replica"))

    def test_a_lost_store_is_seeded_from_the_snapshot(self):
        self.federation.stop()  # it writes what it put off
        self.remove_store()
        self.start_federation()
        self.federation.wait_line("seeded from a snapshot")
        self.federation.wait_line("ready")
        self.watch(self.federation, 0.5)
        self.back_again()
        self.watch(self.federation, 1)
        self.watch(self.replica, 1)
        self.assertRegex(self.status(), r"recovering +the store was lost")
        self.assertIn("api", self.ctl("get", "virtualdestinations")[1], "operators' objects, too")
        # once more, before the recovery is over: it still is one
        self.federation.stop(signal.SIGKILL)
        self.start_federation()
        self.federation.wait_line("recovering: the store was lost")
        self.watch(self.federation, 0.5)

    def test_a_rule_that_becomes_stricter_meanwhile_holds_when_the_recovery_is_over(self):
        self.federation.stop()
        self.remove_store()
        self.start_federation()
        self.federation.wait_line("recovering: the store was lost")
        self.back_again()
        code, out, err = self.ctl("apply", "-f", self.bed.write("cluster.yaml", STRICT))
        self.assertEqual(code, 0, out + err)
        self.watch(self.federation, 1.5)  # more than a sweep: nothing is removed before the recovery is over
        self.assertFalse([line for line in self.federation.lines if "endpoints withdrawn" in line])
        self.assertEqual(self.ctl("approve-shrink")[0], 0)
        # of the agent that is connected, and of the node whose agent is gone
        for node in ("n1", "n2"):
            self.federation.wait_line(f"endpoints withdrawn: a rule forbids them node=eu-1/{node} endpoints=1 ")
        for name in NAMES:
            eventually(lambda name=name: self.look(self.federation, name) == [], name + " is not answered any more")

    def noted_objects(self):
        """How many transactions of objects the marker beside the store tells of."""
        with open(self.bed.path("federation/federation.db.state"), encoding="ascii") as file:
            return int(file.read().split()[2])

    def kill_after_an_object(self):
        """Kills the federation when one object more was acknowledged; gives the path of the store's log."""
        eventually(lambda: any(name.startswith("federation.snapshot") for name in os.listdir(self.bed.path("federation"))),
                   "a snapshot")
        self.ctl("apply", "-f", self.bed.write("more.yaml", OBJECT.replace("name: api", "name: more").replace("api.mesh", "more.mesh")))
        eventually(lambda: self.noted_objects() >= 2, "both transactions of objects are noted")
        self.federation.stop(signal.SIGKILL)
        return self.bed.path("federation/federation.db-wal")

    def test_a_log_that_is_gone_takes_no_object_back(self):
        log = self.kill_after_an_object()
        os.unlink(log)
        self.start_federation()
        self.federation.wait_line("ready")
        self.assertEqual(self.look(self.federation, "more.mesh.internal"), ["127.0.0.1"])
        self.watch(self.federation, 0.5)

    def test_without_a_snapshot_dns_waits(self):
        self.federation.stop()
        self.remove_store()
        for name in os.listdir(self.bed.path("federation")):
            if "snapshot" in name:
                os.unlink(self.bed.path("federation/" + name))
        self.start_federation()
        self.federation.wait_line("nothing is known: DNS is not served")
        self.back_again()
        self.watch(self.replica, 1)
        self.assertFalse(any("dns listening" in line for line in self.federation.lines))
        self.assertIn("not ready", self.status())
        self.assertEqual(self.ctl("approve-shrink")[0], 0)
        self.federation.wait_line("dns listening")
        eventually(lambda: self.look(self.federation, NAMES[0]) == ["127.0.0.1"], "what the agents have told")

    def stored_digests(self):
        """How many endpoints' rows say what their agent counts them for."""
        with contextlib.closing(sqlite3.connect(self.bed.path("federation/federation.db"))) as store:
            return store.execute("SELECT count(*) FROM records WHERE type='Endpoint' AND digest<>0").fetchone()[0]

    def test_an_agent_whose_records_were_kept_does_not_send_them_again(self):
        self.federation.stop()  # it writes what it put off
        self.assertEqual(self.stored_digests(), 2)
        self.start_federation()
        self.federation.wait_line("agent session node=eu-1/n1 ")
        sessions = [line for line in self.federation.lines if "agent session node=" in line]
        self.assertRegex(sessions[0], r"node=eu-1/n1 .*full=false")
        self.watch(self.federation, 0.5)
        # what the agent says from now on counts as before
        self.assertEqual(run("meshdns-agent", "leave", "--config", self.bed.path("n1.yaml"))[0], 0)
        eventually(lambda: self.look(self.federation, NAMES[0]) == [], "what it withdraws goes")

    def test_a_first_start_is_no_recovery(self):
        self.assertNotIn("recovering", self.status())
        self.assertFalse(any("recovering" in line for line in self.federation.lines))


if __name__ == "__main__":
    unittest.main()
