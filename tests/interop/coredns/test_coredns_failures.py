"""What clients wait for while one of two servers behind CoreDNS is silent, with each setting of docs/coredns.md.

The second server is a replica on a host of its own. It becomes silent as a host does that loses its power: whatever is
sent to it disappears. One client asks at a steady pace, and each query has the time that glibc gives it.
"""
import re
import select
import signal
import struct
import sys
import time
import unittest

import dns.message
import dns.rcode

import corefiles
import lab
import matrix
import peers
from clusters import HOST, NODES, RESOLVERS
from corefiles import BLOCKS, VERSIONS
from mesh import WAIT, addresses, eventually

lab.enter()  # after the builds: the namespaces have no way out
CLIENT, RESOLVER = "eu-1-n1", "eu-1-dns"
REPLICA, LINK = "10.0.9.2", "to-dns-2"  # LINK: the router's interface
ELSEWHERE = "02:00:00:00:00:01"  # the address of no interface
CONFIG = """\
cluster: eu-1
roles: [dns]
zones: [{name: mesh.internal}]
data_dir: FOLDER
replica: {federation: ["10.0.9.1:7400"], insecure: true}
admin: {listen: "127.0.0.1:0", socket: FOLDER.sock}
"""
PATIENCE = 5.0  # seconds; what glibc waits for an answer
PACE, SECONDS, AFTERWARDS = 0.05, 12.0, 9.0
TWO = peers.blocks("coredns.md", "corefile-two")
SERVERS = "forward . 10.0.9.1 10.0.9.2"


class Asked:
    """What became of the queries that were sent from the failure on: (when each was sent, how long it took or None)."""

    def __init__(self, rows):
        self.rows = rows
        self.slowest = max(took if took is not None else PATIENCE for _, took in rows)
        slow = [sent for sent, took in rows if took is None or took > self.slowest / 2]
        self.over = max(slow, default=0.0)
        self.lost = sum(took is None for _, took in rows) / len(rows)

    def cells(self):
        return [matrix.duration(self.slowest), matrix.duration(self.over), f"{self.lost * 100:.0f} %"]


def ask_steadily(sock, server, seconds, start):
    """Asks for `seconds` after start(), which is called after one second; gives what became of these queries."""
    wire = dns.message.make_query(HOST, "A").to_wire()
    begin, started, queries = time.monotonic(), None, {}
    while (now := time.monotonic()) < begin + 1 + seconds + PATIENCE:
        if started is None and now > begin + 1:
            start()
            started = time.monotonic()
        due = begin + len(queries) * PACE
        if due <= now < begin + 1 + seconds:
            sock.sendto(struct.pack("!H", len(queries)) + wire[2:], (server, 53))
            queries[len(queries)] = [now, None]
        elif now > begin + 1 + seconds and all(answered for _, answered in queries.values()):
            break
        if select.select([sock], [], [], 0.005)[0]:
            data = sock.recv(4096)
            number, flags, _, answers = struct.unpack("!HHHH", data[:8])
            if number in queries and flags & 15 == dns.rcode.NOERROR and answers:
                queries[number][1] = time.monotonic()
    failed = [(sent, answered) for sent, answered in queries.values() if sent >= started]
    return Asked([(sent - started, answered and answered - sent) for sent, answered in failed])


def documented():
    """The table of docs/coredns.md: {(setting, CoreDNS): [slowest, over, lost]}."""
    _, *lines = peers.blocks("coredns.md", "text")["failures"].splitlines()
    return {(setting, version): cells for setting, version, *cells in (re.split(r"  +", line) for line in lines)}


def settings(version):
    """{setting: its block}, where this version knows it."""
    two = TWO["two"]
    silent_first = "forward . 10.0.9.2 10.0.9.1"
    found = {"two": two, "two and force_tcp": two.replace(SERVERS, SERVERS + " {\n        force_tcp\n    }"),
             "two and sequential": two.replace(SERVERS, silent_first + " {\n        policy sequential\n    }"),
             "quick": TWO["quick"], "quickest": TWO["quickest"]}
    assert len(set(found.values())) == len(found)
    if version != VERSIONS[-1]:
        del found["quickest"]
    return found


class CoreDnsFailuresTest(corefiles.CoreDnsTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.host = cls.mesh.network.add("dns-2", REPLICA)
        section = peers.blocks("coredns.md", "yaml")["meshdnsd"].replace("10.0.9.1", REPLICA)
        cls.config = cls.mesh.write("replica.yaml", CONFIG.replace("FOLDER", cls.mesh.path("replica")) + section)
        cls.start_replica()

    @classmethod
    def start_replica(cls):
        cls.replica = cls.mesh.on(cls.host, "meshdnsd", "--config", cls.config)
        cls.speaks()

    @classmethod
    def silence(cls):
        cls.mesh.hub.run("ip", "neighbour", "replace", REPLICA, "dev", LINK, "lladdr", ELSEWHERE, "nud", "permanent")

    @classmethod
    def speak(cls):
        cls.mesh.hub.run("ip", "neighbour", "delete", REPLICA, "dev", LINK)
        cls.speaks()

    @classmethod
    def speaks(cls):
        direct = [NODES[CLIENT][3]]
        eventually(lambda: addresses(cls.mesh.ask(CLIENT, REPLICA)) == direct, "the replica's answer")

    def measure(self, version, text, fail, mend, seconds=SECONDS):
        """One row: CoreDNS with this block while the replica fails."""
        daemon = self.begin(version, self.mesh.hosts[RESOLVER], text)
        daemon.wait_line("CoreDNS-" + re.escape(version))
        with self.mesh.hosts[CLIENT].socket(source=NODES[CLIENT][4]) as sock:
            asked = ask_steadily(sock, RESOLVERS[RESOLVER], seconds, fail)
        daemon.stop()
        mend()
        return asked

    def test_a_silent_server(self):
        expected, rows = documented(), {}
        for version in VERSIONS:
            for setting, text in settings(version).items():
                rows[setting, version] = self.measure(version, text, self.silence, self.speak)
            rows["two and killed", version] = self.measure(version, TWO["two"], self.kill, self.start_replica, 4.0)
        for (setting, version), asked in rows.items():
            print("  ".join([setting.ljust(18), version, *asked.cells()]), file=sys.stderr, flush=True)
        self.assertEqual(set(rows), set(expected))
        for row, asked in rows.items():
            with self.subTest(row):
                self.check(row, asked, expected[row])
        for version in VERSIONS:
            self.assertLess(rows["two and killed", version].over, rows["two", version].over)
            self.assertLess(rows["quick", version].over, rows["two", version].over)
        self.assertLess(rows["quickest", VERSIONS[-1]].slowest, rows["quick", VERSIONS[-1]].slowest)

    def check(self, row, asked, expected):
        self.assertEqual(asked.lost == 0, expected[-1] == "0 %", asked.cells())
        late = [took for sent, took in asked.rows if sent > AFTERWARDS]
        if "force_tcp" not in row[0]:
            self.assertTrue(all(took is not None and took < 1 for took in late), f"not over: {asked.cells()}")

    def test_in_sequence_nobody_waits_for_the_second_server(self):
        text = TWO["two"].replace(SERVERS, SERVERS + " {\n        policy sequential\n    }")
        self.assertNotEqual(text, TWO["two"])
        for version in VERSIONS:
            asked = self.measure(version, text, self.silence, self.speak, 4.0)
            self.assertLess(asked.slowest, 1, version)

    def test_linux_limits_how_often_it_reports_a_closed_port(self):
        """Why some queries wait although the port of the killed process is closed: without the limit none does."""
        limit = "net.ipv4.icmp_ratelimit="
        self.host.run("sysctl", "-q", "-w", limit + "0")
        self.addCleanup(self.host.run, "sysctl", "-q", "-w", limit + "1000")
        for version in VERSIONS:
            asked = self.measure(version, TWO["two"], self.kill, self.start_replica, 4.0)
            print(f"two and killed, no limit  {version}", *asked.cells(), file=sys.stderr, flush=True)
            self.assertLess(asked.slowest, 1, version)

    def kill(self):
        self.replica.stop(signal.SIGKILL)

    def test_older_versions_do_not_start_with_a_read_timeout(self):
        for version in VERSIONS[:-1]:
            with self.subTest(version):
                daemon = self.begin(version, self.mesh.hosts[RESOLVER], TWO["quickest"])
                self.assertNotEqual(daemon.process.wait(WAIT), 0)
                daemon.wait_line("read_timeout")
                daemon.stop()

    def test_the_only_server(self):
        """With one server the client gets SERVFAIL, or nothing in its time."""
        text = BLOCKS["subnet"].replace("10.0.9.1", REPLICA)
        for version in VERSIONS:
            for how, fail, mend in (("silent", self.silence, self.speak), ("killed", self.kill, self.start_replica)):
                with self.subTest(version=version, how=how):
                    daemon = self.begin(version, self.mesh.hosts[RESOLVER], text)
                    daemon.wait_line("CoreDNS-" + re.escape(version))
                    fail()
                    begin = time.monotonic()
                    reply = self.one_query()
                    took = matrix.duration(time.monotonic() - begin)
                    print(f"the only server {how}  {version}  {took}", file=sys.stderr, flush=True)
                    self.assertEqual(reply, dns.rcode.SERVFAIL)
                    daemon.stop()
                    mend()

    def one_query(self, patience=60):
        """The rcode of the answer to one query, however long it takes."""
        with self.mesh.hosts[CLIENT].socket(source=NODES[CLIENT][4]) as sock:
            sock.sendto(dns.message.make_query(HOST, "A").to_wire(), (RESOLVERS[RESOLVER], 53))
            select.select([sock], [], [], patience)
            return dns.message.from_wire(sock.recv(4096)).rcode()


if __name__ == "__main__":
    unittest.main()
