"""Replicas: what they answer while their federation is away, and what they do when it is back (docs/failures.md A1-A5)."""
import contextlib
import os
import re
import signal
import socket
import time
import unittest
import urllib.request

import dns.edns
import dns.message
import dns.rcode

from mesh import WAIT, Bed, addresses, ask, eventually, run
from ports import free_port
from wire import Wire

FEDERATION = """\
cluster: eu-1
zones: [{{name: mesh.internal}}]
data_dir: {folder}/{name}
dns: {{workers: "1", listen: [{{address: "127.0.0.1:0"}}]}}
federation: {{listen: "127.0.0.1:0"}}
admin: {{listen: "127.0.0.1:0", socket: {folder}/{name}.sock}}
"""
AGENT = """\
node: {node}
cluster: eu-1
addresses: [127.0.0.1]
federation: {{servers: ["{server}"]}}
discovery: {{static: {{directory: {folder}/{node}.d}}}}
admin: {{listen: "127.0.0.1:0", socket: {folder}/{node}.sock}}
"""
REPLICA = """\
cluster: eu-1
roles: [dns]
zones: [{{name: mesh.internal}}]
data_dir: {folder}/{name}
dns: {{workers: "1", listen: [{{address: "127.0.0.1:{port}"}}], stale_after: {stale_after}}}
replica: {{federation: [{servers}]}}
admin: {{listen: "127.0.0.1:0", socket: {folder}/{name}.sock}}
"""
OBJECT = """\
apiVersion: meshdns.io/v1alpha1
kind: VirtualDestination
metadata: {name: api, namespace: shop}
spec: {hosts: [api.mesh.internal], services: [{namespace: shop, name: app-b}]}
"""
WEB = "app-b.shop.mesh.internal"
STALE = 3  # RFC 8914


def endpoints(services, address, port):
    """A file of endpoints of one backend."""
    return "endpoints:\n" + "".join(
        f"  - {{service: {service}, namespace: shop, address: {address}, ports: [{{name: http, number: {port}}}],\n"
        f"     checks: [{{tcp: {{port: http}}, interval: 200ms, timeout: 2s}}]}}\n" for service in services)


class ReplicaTest(unittest.TestCase):
    def setUp(self):
        self.bed = self.enterContext(Bed())
        self.backend = self.bed.backend()
        self.wire = Wire()
        self.bed.callback(self.wire.close)

    # ---- the mesh ----

    def start_federation(self, name="federation"):
        config = self.bed.write(name + ".yaml", FEDERATION.format(folder=self.bed.folder, name=name))
        self.federation = self.bed.start("meshdnsd", "--config", config)
        self.federation.wait_line("ready")
        self.federation_name = name
        self.wire.target = "%s:%d" % self.federation.address("federation listening")
        return self.wire.target

    def start_agent(self, node="n1", services=("app-b",), address="127.0.0.1"):
        backend = self.backend if address == self.backend.address else self.bed.backend(address)
        self.bed.write(f"{node}.d/all.yaml", endpoints(services, address, backend.port))
        config = self.bed.write(node + ".yaml", AGENT.format(node=node, server=self.wire.target,
                                                             folder=self.bed.folder))
        agent = self.bed.start("meshdns-agent", "--config", config)
        eventually(lambda: self.ctl(self.federation_name, "get", "endpoints")[1].count("serving") >= len(services),
                   f"{node} reports")
        return agent

    def start_replica(self, name="replica", servers=None, stale_after="30s", port=0):
        """It is told where the federation is: behind the wire, or at `servers`."""
        listed = ", ".join(f'"{server}"' for server in servers or [self.wire.address])
        config = self.bed.write(name + ".yaml", REPLICA.format(folder=self.bed.folder, name=name, servers=listed,
                                                               stale_after=stale_after, port=port))
        replica = self.bed.start("meshdnsd", "--config", config)
        replica.wait_line("admin socket")
        return replica

    def serving(self, replica):
        replica.wait_line("ready")
        return replica.address("dns listening")

    def ctl(self, name, *words):
        return run("meshdnsctl", "--server", "unix:" + self.bed.path(name + ".sock"), *words)

    def metric(self, daemon, name, labels=""):
        host, port = daemon.address("admin listening")
        with urllib.request.urlopen(f"http://{host}:{port}/metrics", timeout=WAIT) as reply:
            text = reply.read().decode()
        found = re.search(rf"^{name}{re.escape(labels)} (\S+)$", text, re.MULTILINE)
        return float(found.group(1)) if found else None

    def updates(self):
        return {kind: self.metric(self.federation, "meshdns_federation_updates_total", f'{{kind="{kind}"}}')
                for kind in ("delta", "snapshot", "buckets")}

    # ---- what is asked ----

    def look(self, server, name=WEB):
        """(addresses, whether the answer says that it is stale); an answer must always be one."""
        reply = ask(server, name, use_edns=0)
        self.assertEqual(reply.rcode(), dns.rcode.NOERROR)
        codes = [int(option.code) for option in reply.options if option.otype == dns.edns.OptionType.EDE]
        self.assertIn(codes, ([], [STALE]))
        return addresses(reply), codes == [STALE]

    def file(self, generation="", name="replica"):
        return self.bed.path(f"{name}/replica.snapshot{generation}")

    def replica_with_two_generations(self):
        """The older one has one address, the newer one two. Both daemons are gone."""
        self.start_federation()
        self.start_agent()
        first = self.start_replica()
        server = self.serving(first)
        eventually(lambda: self.look(server)[0] == ["127.0.0.1"], "the first address")
        self.assertEqual(first.stop(), 0)
        self.start_agent("n2", address="127.0.0.2")
        second = self.start_replica()
        server = self.serving(second)
        eventually(lambda: self.look(server)[0] == ["127.0.0.1", "127.0.0.2"], "the second address")
        self.assertEqual(second.stop(), 0)
        self.federation.stop()
        for generation in ("", ".previous"):
            self.assertTrue(os.path.exists(self.file(generation)), generation)

    def spoil(self, generation):
        with open(self.file(generation), "r+b") as file:
            file.seek(-20, os.SEEK_END)  # the content, before its length and checksum
            byte = file.read(1)
            file.seek(-20, os.SEEK_END)
            file.write(bytes([byte[0] ^ 0x40]))

    # ---- tests ----

    def test_follows_and_is_no_place_for_changes(self):
        self.start_federation()
        self.start_agent()
        replica = self.start_replica()
        server = self.serving(replica)
        eventually(lambda: self.look(server)[0] == ["127.0.0.1"], "the address")
        path = self.bed.write("api.yaml", OBJECT)
        code, out, err = self.ctl("replica", "apply", "-f", path)
        self.assertNotEqual(code, 0, out)
        self.assertIn("this is a replica", out + err)
        self.assertNotEqual(self.ctl("replica", "delete", "vd", "shop/api")[0], 0)
        self.assertEqual(self.ctl("federation", "apply", "-f", path)[0], 0)
        eventually(lambda: ask(server, "api.mesh.internal").rcode() == dns.rcode.NOERROR, "the object")
        self.assertEqual(self.look(server, "api.mesh.internal")[0], ["127.0.0.1"])
        self.assertIn("api", self.ctl("replica", "get", "vd")[1])
        self.assertRegex(self.ctl("replica", "status")[1], rf"follows +{self.wire.address} +connected")
        self.assertEqual(self.metric(self.federation, "meshdns_federation_subscribers"), 1)
        self.backend.close()
        eventually(lambda: "connection refused" in self.ctl("replica", "get", "endpoints")[1], "the death")

    def test_nothing_is_served_before_something_is_known(self):  # A3
        port = free_port()
        replica = self.start_replica(port=port)
        replica.wait_line("no snapshot")
        replica.wait_line("federation not reached")
        with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as client:
            client.connect(("127.0.0.1", port))
            client.settimeout(WAIT)
            client.send(dns.message.make_query(WEB, "A").to_wire())
            with self.assertRaises(ConnectionRefusedError):
                client.recv(512)
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), WAIT)
        self.assertRegex(self.ctl("replica", "status")[1], "not reached")
        self.start_federation()
        self.start_agent()
        self.assertEqual(self.serving(replica), ("127.0.0.1", port))
        eventually(lambda: addresses(ask(("127.0.0.1", port), WEB)) == ["127.0.0.1"], "the address")

    def test_says_when_it_is_stale_and_only_then(self):  # A1
        self.start_federation()
        self.start_agent()
        replica = self.start_replica(stale_after="3s")
        server = self.serving(replica)
        eventually(lambda: self.look(server)[0] == ["127.0.0.1"], "the address")
        end = time.monotonic() + 4
        while time.monotonic() < end:
            self.assertEqual(self.look(server), (["127.0.0.1"], False))
            time.sleep(0.05)
        self.wire.cut()
        cut = time.monotonic()
        eventually(lambda: self.look(server) == (["127.0.0.1"], True), "EDE 3")
        self.assertGreater(time.monotonic() - cut, 1.0, "it was heard half a second before the cut, or a little earlier")
        for _ in range(50):
            self.assertEqual(self.look(server), (["127.0.0.1"], True))
        self.assertEqual(addresses(ask(server, WEB)), ["127.0.0.1"], "without EDNS there is no place to say it")
        self.assertIn("STALE", self.ctl("replica", "status")[1])
        self.assertEqual(self.metric(replica, "meshdns_dnsd_stale"), 1)
        self.assertGreater(self.metric(replica, "meshdns_dnsd_snapshot_age_seconds"), 3)
        replica.wait_line("records are stale")
        self.wire.mend()
        eventually(lambda: self.look(server) == (["127.0.0.1"], False), "fresh answers")
        replica.wait_line("records are fresh again")

    def test_restarts_from_its_snapshot(self):  # A2
        self.start_federation()
        self.start_agent()
        replica = self.start_replica(stale_after="1s")
        eventually(lambda: self.look(self.serving(replica))[0] == ["127.0.0.1"], "the address")
        eventually(lambda: os.path.exists(self.file()), "the snapshot")
        time.sleep(0.2)  # the address may have come after the set that was saved first
        eventually(lambda: os.stat(self.file()).st_size > 200, "the endpoint in it")
        self.wire.cut()
        replica.stop(signal.SIGKILL)
        time.sleep(2.5)  # the age of the file: seconds, and more than stale_after
        replica = self.start_replica(stale_after="1s")
        self.assertEqual(self.look(self.serving(replica)), (["127.0.0.1"], True), "the first answer")
        replica.wait_line("snapshot restored")
        self.wire.mend()
        eventually(lambda: self.look(self.serving(replica)) == (["127.0.0.1"], False), "fresh answers")
        self.assertEqual(self.updates()["snapshot"], 1, "what was restored is not sent again")

    def test_a_damaged_generation_is_put_aside(self):  # A4
        self.replica_with_two_generations()
        self.spoil("")
        replica = self.start_replica()
        self.assertEqual(self.look(self.serving(replica))[0], ["127.0.0.1"], "the older generation")
        replica.wait_line("snapshot damaged problem=")
        self.assertEqual(self.metric(replica, "meshdns_dnsd_damaged_snapshots"), 1)
        self.assertTrue(any("bad" in name for name in os.listdir(self.bed.path("replica"))))

    def test_an_older_damaged_generation_does_not_matter(self):  # A4
        self.replica_with_two_generations()
        self.spoil(".previous")
        replica = self.start_replica()
        self.assertEqual(self.look(self.serving(replica))[0], ["127.0.0.1", "127.0.0.2"])
        self.assertEqual(self.metric(replica, "meshdns_dnsd_damaged_snapshots"), 0)

    def test_two_damaged_generations_are_no_snapshot(self):  # A4
        self.replica_with_two_generations()
        self.spoil("")
        self.spoil(".previous")
        replica = self.start_replica()
        replica.wait_line("dns no longer served")  # the compiled answers were whole, but nothing is known of their records
        replica.wait_line("no snapshot")
        replica.wait_line("federation not reached")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
            asker.connect(replica.address("dns listening"))
            asker.send(b"anything")
            self.assertRaises(ConnectionRefusedError, asker.recv, 1)
        self.assertIsNone(replica.process.poll())

    def test_answers_before_it_has_read_its_snapshot(self):
        self.start_federation()
        self.start_agent()
        replica = self.start_replica(stale_after="1s")
        eventually(lambda: self.look(self.serving(replica))[0] == ["127.0.0.1"], "the address")
        self.wire.cut()
        self.assertEqual(replica.stop(), 0)  # writes what was put off
        self.assertTrue(os.path.exists(self.bed.path("replica/answers.snapshot")))
        time.sleep(2.5)  # more than stale_after
        replica = self.start_replica(stale_after="1s")
        self.assertEqual(self.look(replica.address("dns listening")), (["127.0.0.1"], True), "the first answer")
        self.serving(replica)
        text = "\n".join(replica.lines)
        self.assertLess(text.index("compiled answers taken"), text.index("dns listening"))
        self.assertLess(text.index("dns listening"), text.index("snapshot restored"))
        self.assertEqual(self.look(self.serving(replica)), (["127.0.0.1"], True), "from the records")
        self.wire.mend()
        eventually(lambda: self.look(self.serving(replica)) == (["127.0.0.1"], False), "fresh answers")

    def test_an_end_that_is_known_needs_no_federation(self):
        self.start_federation()
        self.start_agent()
        self.start_agent("n2", address="127.0.0.2")
        replica = self.start_replica()
        server, both = self.serving(replica), ["127.0.0.1", "127.0.0.2"]
        eventually(lambda: self.look(server)[0] == both, "both addresses")
        for words in (("drain", "node=n2"), ("freeze",)):
            self.assertEqual(self.ctl("federation", *words, "--for", "5s", "--reason", "test")[0], 0)
        replica.wait_line("mesh frozen")
        self.wire.cut()
        for line in ("override in force", "federation lost", "override expired", "mesh thawed"):
            replica.wait_line(line)
        eventually(lambda: self.look(server)[0] == both, "both addresses again")
        self.assertNotIn("frozen", self.ctl("replica", "status")[1])
        self.assertIn("no overrides", self.ctl("replica", "get", "overrides")[1])

    def test_resumes_by_delta(self):  # A7
        self.start_federation()
        self.start_agent()
        replica = self.start_replica()
        server = self.serving(replica)
        eventually(lambda: self.look(server)[0] == ["127.0.0.1"], "the address")
        before = self.updates()
        self.wire.cut()
        replica.wait_line("federation lost")
        self.start_agent("n2", address="127.0.0.2")
        self.assertEqual(self.look(server)[0], ["127.0.0.1"])
        self.wire.mend()
        eventually(lambda: self.look(server)[0] == ["127.0.0.1", "127.0.0.2"], "what was missed")
        after = self.updates()
        self.assertGreater(after["delta"], before["delta"])
        self.assertEqual((after["snapshot"], after["buckets"]), (before["snapshot"], before["buckets"]))

    def test_a_restarted_federation_is_compared(self):  # A9
        self.start_federation()
        self.start_agent()
        replica = self.start_replica()
        server = self.serving(replica)
        eventually(lambda: self.look(server)[0] == ["127.0.0.1"], "the address")
        self.federation.stop()
        replica.wait_line("federation lost")
        self.start_federation()
        replica.wait_line("federation found", after=1 + max(i for i, line in enumerate(replica.lines)
                                                            if "federation lost" in line))
        self.assertEqual(self.look(server), (["127.0.0.1"], False))
        self.assertEqual(self.updates()["snapshot"], 0)

    def test_the_next_federation_is_tried(self):
        gone = "127.0.0.1:%d" % free_port()
        live = self.start_federation()
        self.start_agent()
        replica = self.start_replica(servers=[gone, live])
        server = self.serving(replica)
        eventually(lambda: self.look(server)[0] == ["127.0.0.1"], "the address")
        replica.wait_line(f"federation not reached.*{gone}")
        self.assertRegex(self.ctl("replica", "status")[1], rf"follows +{live} +connected")

    def serial(self, server):
        return ask(server, "mesh.internal", "SOA").answer[0][0].serial

    def test_the_serial_is_that_of_the_federation_and_never_goes_back(self):
        first_fed = self.start_federation()
        agent = self.start_agent()
        here = self.federation.address("dns listening")
        one, two = [self.serving(self.start_replica(name)) for name in ("replica", "second")]
        alike = lambda: len({self.serial(server) for server in (here, one, two)}) == 1
        eventually(alike, "one serial")
        before = self.serial(one)
        self.ctl("federation", "apply", "-f", self.bed.write("object.yaml", OBJECT))
        eventually(lambda: alike() and self.serial(one) != before, "the next serial")
        seen = self.serial(one)
        self.assertTrue(0 < (seen - before) % 2**32 < 2**31, (before, seen))
        agent.stop()
        self.federation.stop()
        self.assertEqual(self.serial(one), seen, "without the federation")
        self.assertNotEqual(self.start_federation(), first_fed)
        here = self.federation.address("dns listening")
        self.assertLess((self.serial(here) - seen) % 2**32, 2**31, "it goes on where it ended")
        eventually(alike, "one serial again")
        self.assertLess((self.serial(one) - seen) % 2**32, 2**31)

    def test_a_set_that_shrinks_too_much_waits_for_a_word(self):  # A5
        services = ["app-b", *(f"s{i}" for i in range(24))]
        self.start_federation()
        agent = self.start_agent(services=services)
        replica = self.start_replica()
        server = self.serving(replica)
        eventually(lambda: self.ctl("replica", "get", "endpoints")[1].count("serving") == 25, "all endpoints")
        self.assertNotEqual(self.ctl("replica", "approve-shrink")[0], 0, "there is nothing to approve")
        self.assertEqual(self.metric(replica, "meshdns_dnsd_shrink_refused"), 0)
        agent.stop(signal.SIGKILL)
        self.federation.stop()
        self.start_federation("empty")
        replica.wait_line("the federation is recovering")
        self.assertEqual(self.ctl("replica", "get", "endpoints")[1].count("serving"), 25, "nothing goes yet")
        self.assertNotIn("would go", self.ctl("replica", "status")[1])
        self.assertEqual(self.ctl("empty", "approve-shrink")[0], 0, "nothing more is to be expected")
        replica.wait_line("set refused.*25 of 25 endpoints would go")
        self.assertEqual(self.look(server)[0], ["127.0.0.1"])
        self.assertIn("25 of 25 endpoints would go", self.ctl("replica", "status")[1])
        self.assertEqual(self.metric(replica, "meshdns_dnsd_shrink_refused"), 1)
        code, _, err = self.ctl("empty", "approve-shrink")
        self.assertNotEqual(code, 0)
        self.assertIn("not a replica", err)
        code, out, err = self.ctl("replica", "approve-shrink")
        self.assertEqual(code, 0, err)
        self.assertIn("25 of 25 endpoints would go", out)
        replica.wait_line("no set is refused any more")
        eventually(lambda: "no endpoints" in self.ctl("replica", "get", "endpoints")[1], "the empty set")
        self.assertEqual(self.metric(replica, "meshdns_dnsd_shrink_refused"), 0)
        self.assertNotIn("would go", self.ctl("replica", "status")[1])


if __name__ == "__main__":
    unittest.main()
