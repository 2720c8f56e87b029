"""Operators' overrides: drain, force and freeze with real binaries, at a federation and at a replica that has lost it."""
import json
import os
import re
import signal
import time
import unittest
import urllib.request

from mesh import WAIT, Bed, addresses, ask, eventually, run, texts
from one_cluster import AGENT, FEDERATION, REPLICA
from ports import free_port

WEB = "web.shop.mesh.internal"
ENDPOINT = """\
endpoints:
  - {{service: web, namespace: shop, address: {address}, ports: [{{name: http, number: {port}}}],
     checks: [{{tcp: {{port: http}}, interval: 200ms, timeout: 2s}}]}}
"""
NODES = {"n1": ("eu-a", "127.0.0.11"), "n2": ("eu-b", "127.0.0.12")}


class OverridesTest(unittest.TestCase):
    def setUp(self):
        self.bed = self.enterContext(Bed())
        self.port = free_port()
        self.backends = {}

    # ---- the mesh ----

    def start_federation(self):
        config = self.bed.write("federation.yaml", FEDERATION.format(folder=self.bed.folder, port=self.port))
        self.federation = self.bed.start("meshdnsd", "--config", config)
        self.federation.wait_line("ready")
        self.dns = self.federation.address("dns listening")

    def start_agent(self, node):
        zone, address = NODES[node]
        if node not in self.backends:
            self.backends[node] = self.bed.backend(address)
        self.bed.write(f"{node}.d/web.yaml", ENDPOINT.format(address=address, port=self.backends[node].port))
        config = self.bed.write(node + ".yaml", AGENT.format(
            node=node, zone=zone, port=self.port, folder=self.bed.folder).replace("addresses: [127.0.0.1]\n", ""))
        return self.bed.start("meshdns-agent", "--config", config)

    def start_mesh(self):
        self.start_federation()
        for node in NODES:
            self.start_agent(node)
        self.expect("127.0.0.11", "127.0.0.12")

    def start_replica(self):
        config = self.bed.write("replica.yaml", REPLICA.format(folder=self.bed.folder, port=self.port))
        replica = self.bed.start("meshdnsd", "--config", config)
        replica.wait_line("ready")
        return replica

    def ctl(self, *words, at="federation", code=0):
        """Standard output, or, where it fails as it should, standard error."""
        got, out, err = run("meshdnsctl", "--server", "unix:" + self.bed.path(at + ".sock"), *words)
        self.assertEqual(got, code, out + err)
        return err if code else out

    def answer(self, server=None):
        return addresses(ask(server or self.dns, WEB, use_edns=0))

    def expect(self, *wanted, server=None):
        eventually(lambda: self.answer(server) == sorted(wanted), f"{WEB} is {wanted}")

    def metric(self, name, daemon=None):
        text = self.http("metrics", daemon)
        found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
        return float(found.group(1)) if found else None

    def http(self, path, daemon=None):
        host, port = (daemon or self.federation).address("admin listening")
        with urllib.request.urlopen(f"http://{host}:{port}/{path}", timeout=WAIT) as reply:
            return reply.read().decode()

    # ---- drain and force ----

    def test_a_drain_is_in_the_answers_and_goes_again(self):
        self.start_mesh()
        out = self.ctl("drain", "node=n1", "--reason", "new kernel", "--author", "alice@ops", "--for", "1h")
        self.assertEqual(out, "node=n1 drained for 1h, 1 endpoint\nOverride/drain-node-n1 created\n")
        self.expect("127.0.0.12")
        self.assertIn("draining, by alice@ops: new kernel", "\n".join(texts(ask(self.dns, "_explain." + WEB, "TXT"))))
        self.assertIn("draining, by alice@ops: new kernel", self.ctl("explain", WEB))
        self.assertIn("drain-node-n1", self.ctl("describe", "override", "drain-node-n1"))
        table = self.ctl("get", "overrides")
        self.assertRegex(table, r"drain-node-n1 +Drain +node=n1 +alice@ops +(1h|59m\S*) +\S+ ago +new kernel\n")
        self.assertEqual(json.loads(self.http("v1/overrides"))["objects"][0]["spec"]["target"]["node"], "n1")
        self.assertEqual(self.metric('meshdns_catalog_overrides{action="Drain"}'), 1)
        self.federation.wait_line("override in force name=drain-node-n1")
        # what get gives, apply takes again
        document = self.ctl("get", "override", "drain-node-n1", "-o", "yaml")
        path = self.bed.write("again.yaml", document)
        self.assertIn("unchanged", self.ctl("apply", "-f", path))
        self.assertIn("replaced", self.ctl("drain", "node=n1", "--reason", "new disk", "--author", "alice@ops", "--for", "never"))
        self.assertEqual(self.ctl("undrain", "node=n1"),
                         "node=n1 is no longer drained\nOverride/drain-node-n1 deleted\n")
        self.expect("127.0.0.11", "127.0.0.12")
        self.federation.wait_line("override taken back name=drain-node-n1")
        self.assertIn("node=n1 is not drained", self.ctl("undrain", "node=n1", code=1))

    def test_mistakes_are_told(self):
        self.start_federation()
        self.assertIn("node=n1", self.ctl("drain", "node", "n1", code=2))
        self.assertIn("expected endpoint=, node=", self.ctl("drain", "n1", code=2))
        self.assertIn("--reason", self.ctl("force", "down", "node=n1", "--for", "1h", code=2))
        self.assertIn("--for", self.ctl("force", "down", "node=n1", "--reason", "x", code=2))
        self.assertIn("--for", self.ctl("drain", "node=n1", "--for", "soon", code=2))
        self.assertIn("--for never", self.ctl("drain", "node=n1", code=2))
        self.assertIn("leave --local out", self.ctl("drain", "node=n1", "--local", code=1))
        self.assertIn("the mesh is not frozen", self.ctl("thaw", code=1))
        over = self.bed.write("over.yaml", "apiVersion: meshdns.io/v1alpha1\nkind: Override\nmetadata: {name: x}\nspec: "
                              "{action: Down, target: {node: n1}, reason: x, expires: \"2020-01-01T00:00:00Z\"}\n")
        self.assertIn("is over", self.ctl("apply", "-f", over, code=1))

    def test_what_would_empty_a_host_needs_force(self):
        self.start_mesh()
        refused = f"would leave {WEB} without serving endpoints; --force does it all the same"
        self.assertEqual(self.ctl("drain", "cluster=eu-1", "--for", "never", code=1), f"cluster=eu-1: {refused}\n")
        self.ctl("drain", "zone=eu-a", "--for", "never")
        self.expect("127.0.0.12")
        self.assertIn(refused, self.ctl("force", "down", "node=n2", "--reason", "x", "--for", "1h", code=1))
        document = self.bed.write("drain.yaml", "apiVersion: meshdns.io/v1alpha1\nkind: Override\n"
                                  "metadata: {name: b}\nspec: {action: Drain, target: {zone: eu-b}, reason: x}\n")
        self.assertIn(refused, self.ctl("apply", "-f", document, code=1))
        self.assertIn(refused, self.ctl("apply", "--dry-run", "-f", document, code=1))
        self.assertEqual(self.answer(), ["127.0.0.12"])
        self.assertIn("created", self.ctl("apply", "--force", "-f", document))
        self.ctl("delete", "override", "b")
        self.ctl("force", "down", "node=n2", "--reason", "x", "--for", "1h", "--force")
        self.expect("127.0.0.11")  # the drained one is what is left
        self.ctl("force", "up", "node=n2", "--reason", "x", "--for", "1h")  # in place of the down
        self.expect("127.0.0.12")
        self.ctl("unforce", "node=n2")
        self.ctl("undrain", "zone=eu-a")
        self.expect("127.0.0.11", "127.0.0.12")

    def test_overrides_outlast_a_restart_and_end_when_their_time_is_over(self):
        self.start_mesh()
        self.ctl("drain", "node=n1", "--for", "never")
        self.ctl("force", "down", "endpoint=127.0.0.99", "--reason", "x", "--for", "2s", "--force")
        self.expect("127.0.0.12")
        time.sleep(1.2)  # reports are written within a second
        self.assertEqual(self.federation.stop(signal.SIGKILL), -signal.SIGKILL)
        time.sleep(1)  # its time is over meanwhile
        self.start_federation()
        self.expect("127.0.0.12")
        table = self.ctl("get", "overrides")
        self.assertIn("drain-node-n1", table)
        self.assertNotIn("127.0.0.99", table)
        self.ctl("drain", "node=n1", "--for", "2s")
        self.expect("127.0.0.11", "127.0.0.12")
        self.federation.wait_line("override expired name=drain-node-n1")
        self.assertEqual(self.ctl("get", "overrides"), "no overrides\n")
        self.assertEqual(self.federation.stop(), 0)
        self.start_federation()
        self.assertEqual(self.ctl("get", "overrides"), "no overrides\n")

    # ---- freeze ----

    def test_a_frozen_mesh_stays_as_it_is(self):
        self.start_mesh()
        out = self.ctl("freeze", "--reason", "incident 42", "--author", "alice")
        self.assertEqual(out, "the mesh is frozen until it is taken back\nOverride/freeze created\n")
        self.federation.wait_line("mesh frozen")
        self.backends["n1"].close()
        eventually(lambda: self.metric("meshdns_catalog_held_changes"), "the death is held")
        time.sleep(0.5)
        self.assertEqual(self.answer(), ["127.0.0.11", "127.0.0.12"])
        self.assertEqual(self.metric("meshdns_catalog_frozen"), 1)
        self.assertRegex(self.ctl("status"), r"frozen +since \S+Z by alice: incident 42, 1 change held")
        self.assertIn("frozen by alice: incident 42", "\n".join(texts(ask(self.dns, "_explain." + WEB, "TXT"))))
        self.assertRegex(self.ctl("explain", WEB), r"frozen +by alice: incident 42")
        # operators go on
        self.ctl("drain", "node=n2", "--force", "--for", "never")
        self.expect("127.0.0.11")
        self.ctl("undrain", "node=n2")
        # a restart does not thaw; agents tell anew, and are held
        self.federation.stop()
        self.start_federation()
        eventually(lambda: self.metric("meshdns_catalog_held_changes"), "the death is held again")
        self.assertEqual(self.answer(), ["127.0.0.11", "127.0.0.12"])
        self.assertEqual(self.ctl("thaw"), "the mesh is no longer frozen\nOverride/freeze deleted\n")
        self.expect("127.0.0.12")
        self.federation.wait_line("mesh thawed")
        self.assertEqual(self.metric("meshdns_catalog_frozen"), 0)

    def test_a_freeze_ends_by_itself(self):
        self.start_mesh()
        self.ctl("freeze", "--reason", "test", "--for", "10s")
        self.backends["n2"].close()
        eventually(lambda: self.metric("meshdns_catalog_held_changes"), "the death is held")
        self.assertEqual(self.answer(), ["127.0.0.11", "127.0.0.12"])
        self.expect("127.0.0.11")
        self.federation.wait_line("mesh thawed expired=true")

    # ---- a replica alone ----

    def test_a_replica_without_federation_obeys_overrides_of_its_own(self):
        self.start_mesh()
        replica = self.start_replica()
        dns = replica.address("dns listening")
        self.expect("127.0.0.11", "127.0.0.12", server=dns)
        self.assertIn("is connected: change it there", self.ctl("drain", "node=n1", "--local", at="replica", code=1))
        self.federation.stop()
        eventually(lambda: "not reached" in self.ctl("status", at="replica"), "the replica is alone")
        self.assertIn("with --local", self.ctl("drain", "node=n1", "--for", "never", at="replica", code=1))
        self.assertIn("without serving endpoints", self.ctl("drain", "cluster=eu-1", "--local", at="replica", code=1))
        out = self.ctl("drain", "node=n1", "--local", "--author", "bob", at="replica")
        self.assertEqual(out, "node=n1 drained for this replica only for 1h, 1 endpoint\nOverride/drain-node-n1 created\n")
        self.expect("127.0.0.12", server=dns)
        self.assertRegex(self.ctl("get", "overrides", at="replica"), r"drain-node-n1 \(local\) +Drain +node=n1")
        self.assertRegex(self.ctl("status", at="replica"), r"overrides +1, 1 of them local")
        self.assertIn("draining, locally by bob: no reason given", self.ctl("explain", WEB, at="replica"))
        self.assertEqual(self.metric("meshdns_dnsd_local_overrides", replica), 1)
        # over a crash, too
        eventually(lambda: os.path.exists(self.bed.path("replica/replica.snapshot")), "the replica has a snapshot")
        replica.stop(signal.SIGKILL)
        replica = self.start_replica()
        dns = replica.address("dns listening")
        self.assertEqual(self.answer(dns), ["127.0.0.12"])
        # the federation neither hears of it nor takes it away
        self.start_federation()
        replica.wait_line("federation found")
        self.expect("127.0.0.11", "127.0.0.12")
        self.assertEqual(self.ctl("get", "overrides"), "no overrides\n")
        self.ctl("drain", "zone=eu-b", "--reason", "of the federation", "--for", "never")
        eventually(lambda: "drain-zone-eu-b" in self.ctl("get", "overrides", at="replica"), "the replica hears of it")
        self.assertIn("drain-node-n1 (local)", self.ctl("get", "overrides", at="replica"))
        self.ctl("undrain", "zone=eu-b")
        self.expect("127.0.0.12", server=dns)
        self.assertIn("(--local)", self.ctl("undrain", "node=n1", at="replica", code=1))
        self.ctl("undrain", "node=n1", "--local", at="replica")
        self.expect("127.0.0.11", "127.0.0.12", server=dns)
        # one that is over while nobody is there
        self.federation.stop()
        eventually(lambda: "not reached" in self.ctl("status", at="replica"), "the replica is alone again")
        self.ctl("force", "down", "node=n2", "--reason", "x", "--for", "5s", "--local", at="replica")
        self.expect("127.0.0.11", server=dns)
        replica.wait_line("override expired name=local:force-node-n2")
        self.expect("127.0.0.11", "127.0.0.12", server=dns)


if __name__ == "__main__":
    unittest.main()
