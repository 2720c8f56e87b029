"""What streams can make a federation hold that say nothing, never end, or are not read."""
import contextlib
import os
import re
import socket
import struct
import unittest
import urllib.request

from mesh import Bed, eventually
from raw_agent import RawAgent, field, fields
from raw_call import DATA, END_HEADERS, HEADERS, INITIAL_WINDOW, SETTINGS, Ended, RawCall, frame, header

CONFIG = """\
cluster: one
zones: [{{name: mesh.internal}}]
data_dir: {folder}/data
dns: {{workers: "1", listen: [{{address: "127.0.0.1:0"}}]}}
federation: {{listen: "127.0.0.1:0", store: {{memory: {{}}}}}}
admin: {{listen: "127.0.0.1:0", socket: {folder}/ctl.sock}}
"""
MEGABYTE = 1 << 20
ENDPOINTS = 12000  # about 3 MB: a batch has several parts
DEAF = 200
STREAMS = 2000
MOST_OF_CONNECTION = 1024
LONG = 120  # seconds: ten times what a deadline or a cut needs


def connection(server):
    """A connection on which HTTP/2 has begun; nothing is read from it."""
    host, port = server.split(":")
    made = socket.create_connection((host, int(port)), timeout=LONG)
    made.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0))
    return made


def head(method):
    """The headers of a call."""
    names = {":method": "POST", ":scheme": "http", ":path": "/meshdns.v1.Federation/" + method, ":authority": "x",
             "content-type": "application/grpc", "te": "trailers"}
    return b"".join(header(*name) for name in names.items())


def subscriptions(numbers):
    """The bytes of Watch calls that say at once who they are."""
    said = field(1, field(1, 1) + field(7, "many"))
    said = struct.pack("!BI", 0, len(said)) + said
    return b"".join(frame(HEADERS, END_HEADERS, 1 + 2 * i, head("Watch")) + frame(DATA, 0, 1 + 2 * i, said) for i in numbers)


class StreamsTest(unittest.TestCase):
    def setUp(self):
        self.bed = self.enterContext(Bed())
        config = self.bed.write("fed.yaml", CONFIG.format(folder=self.bed.folder))
        self.daemon = self.bed.start("meshdnsd", "--config", config)
        self.daemon.wait_line(r" ready\b")
        self.server = "%s:%d" % self.daemon.address("federation listening")

    def metric(self, name):
        with urllib.request.urlopen("http://%s:%d/metrics" % self.daemon.address("admin listening"), timeout=LONG) as reply:
            found = re.search(rf"^{re.escape(name)} (\S+)$", reply.read().decode(), re.MULTILINE)
        return float(found.group(1)) if found else 0

    def streams(self):
        return self.metric("meshdns_federation_open_streams")

    def refused(self, reason):
        return self.metric(f'meshdns_federation_refused_streams_total{{reason="{reason}"}}')

    def memory(self):
        """Resident bytes."""
        with open(f"/proc/{self.daemon.process.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def agent(self, node):
        made = RawAgent(self.server, node)
        self.addCleanup(made.close)
        return made

    def fill(self):
        for node, of_node in (("n1", range(ENDPOINTS // 2)), ("n2", range(ENDPOINTS // 2, ENDPOINTS))):
            self.agent(node).send_full(RawAgent.endpoint(f"k{i}", f"web{i % 50}", f"10.{i >> 16}.{i >> 8 & 255}.{i & 255}")
                                       for i in of_node)
        eventually(lambda: self.metric('meshdns_catalog_endpoints{state="serving"}') == ENDPOINTS, "all is known", timeout=LONG)

    def deaf(self, number):
        """A subscriber that holds other records, so that it gets a batch of its own, and never reads."""
        call = RawCall(self.server, "Watch", deaf=True)
        self.addCleanup(call.close)
        call.window = {0: INITIAL_WINDOW, 1: INITIAL_WINDOW}
        origin = field(1, "one") + field(2, socket.gethostname())
        held = field(1, origin) + field(2, 5) + field(3, 7) + field(4, os.urandom(8192))
        call.send(field(1, field(1, 1) + field(2, held) + field(7, f"deaf{number}")))

    # they had a gigabyte
    def test_subscribers_that_read_nothing(self):
        self.fill()
        before = self.memory()
        for number in range(DEAF):
            self.deaf(number)
        eventually(lambda: self.metric("meshdns_federation_unread_waits_total") > DEAF / 2, "they wait", timeout=LONG)
        self.assertLess(self.memory(), before + 96 * MEGABYTE)
        eventually(lambda: self.metric("meshdns_federation_cut_subscribers_total") >= DEAF, "all are cut", timeout=LONG)
        eventually(lambda: self.metric("meshdns_federation_unread_bytes") == 0, "nothing is held", timeout=LONG)
        self.assertLess(self.memory(), before + 96 * MEGABYTE)
        good = RawCall(self.server, "Watch")
        self.addCleanup(good.close)
        good.send(field(1, field(1, 1) + field(7, "good")))
        # Batch.last of a snapshot
        eventually(lambda: fields(fields(good.receive(LONG)).get(1, b"")).get(7) == 1, "the whole mesh", timeout=LONG)

    def test_streams_that_say_nothing(self):
        before = self.memory()
        for _ in range(4):
            made = connection(self.server)
            self.addCleanup(made.close)
            made.sendall(b"".join(frame(HEADERS, END_HEADERS, 1 + 2 * i, head("Report")) for i in range(STREAMS // 4)))
        refused = 'meshdns_federation_refused_streams_total{reason="silent"}'
        eventually(lambda: self.metric(refused) >= STREAMS - 1024, "those beyond the bound are refused", timeout=LONG)
        self.assertLessEqual(self.metric("meshdns_federation_silent_streams"), 1024)
        self.assertLess(self.memory(), before + 96 * MEGABYTE)
        eventually(lambda: self.metric("meshdns_federation_silent_streams") == 0, "after 10 s they are gone", timeout=LONG)
        self.agent("good")

    # gRPC bounds the streams of a connection only if its client has acknowledged the bound: others had as many as four
    # times the connections of their address.
    def test_streams_of_one_connection_that_acknowledges_nothing(self):
        before = self.memory()
        made = connection(self.server)
        self.addCleanup(made.close)
        for begin in range(0, STREAMS, STREAMS // 10):
            made.sendall(subscriptions(range(begin, begin + STREAMS // 10)))
            eventually(lambda: self.streams() + self.refused("connection") >= begin + STREAMS // 10 and
                       self.metric("meshdns_federation_silent_streams") == 0, "they have spoken", timeout=LONG)
        self.assertEqual(self.streams(), MOST_OF_CONNECTION)
        self.assertEqual(self.refused("connection"), STREAMS - MOST_OF_CONNECTION)
        self.assertEqual((self.refused("silent"), self.refused("open")), (0, 0))
        self.assertLess(self.memory(), before + 96 * MEGABYTE)
        self.agent("good")
        made.close()
        eventually(lambda: self.streams() == 1, "the good agent's is left", timeout=LONG)
        self.agent("better")

    def test_streams_of_one_connection_that_acknowledges_the_bound(self):
        self.agent("good")
        made = RawCall(self.server, "Watch")  # acknowledges what it reads
        self.addCleanup(made.close)
        eventually(lambda: (made.pump(0.1), made.most_streams)[1] is not None, "the federation says the bound")
        self.assertEqual(made.most_streams, MOST_OF_CONNECTION)
        with contextlib.suppress(Ended):
            made.put(subscriptions(range(1, STREAMS)))
        eventually(lambda: (made.pump(0.1), made.ended or self.refused("connection"))[1], "more are refused", timeout=LONG)
        self.assertLessEqual(self.streams(), MOST_OF_CONNECTION + 1)
        self.agent("better")

    def test_a_full_that_never_ends(self):
        before = self.memory()
        bad = self.agent("bad")
        part = b"".join(field(3, RawAgent.endpoint(f"k{i}", "web", "10.0.0.1") + field(2, "u" * 500)) for i in range(1500))
        with self.assertRaises(Ended):
            for number in range(100):
                bad.say(4, field(1, number) + part)
            bad.call.receive(LONG)
        eventually(lambda: self.metric("meshdns_federation_arriving_bytes") == 0, "it is given back", timeout=LONG)
        self.assertLess(self.memory(), before + 192 * MEGABYTE)
        self.agent("good")


if __name__ == "__main__":
    unittest.main()
