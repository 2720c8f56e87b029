"""The federation's port under clients that give up, that say nothing, and whose links fall silent (docs/failures.md H3)."""
import ctypes
import fcntl
import json
import os
import re
import socket
import sys
import termios
import threading
import unittest
import urllib.request

from good_agents import GoodAgents
from mesh import BIN, Bed, eventually, run
from raw_agent import RawAgent, fields
from raw_call import Ended, RawCall
from storm import STAGES, Storm

CONFIG = """\
cluster: one
zones: [{{name: mesh.internal}}]
data_dir: {folder}/data
dns: {{workers: "1", listen: [{{address: "127.0.0.1:0"}}]}}
federation: {{listen: "127.0.0.1:0", store: {{memory: {{}}}}{more}}}
admin: {{listen: "127.0.0.1:0", socket: {folder}/ctl.sock}}
"""
CLIENTS = 600
FEW = 150
ACCEPTED = "meshdns_federation_accepted_connections_total"
LONG = 120  # seconds: ten times what a storm's end, a timeout or a silent link needs
SO_ATTACH_FILTER = 26
PROTOCOL_ERROR = 4


class Instruction(ctypes.Structure):
    _fields_ = [("code", ctypes.c_ushort), ("jt", ctypes.c_ubyte), ("jf", ctypes.c_ubyte), ("k", ctypes.c_uint)]


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.POINTER(Instruction))]


def fall_silent(link):
    """Nothing reaches this socket any more, and it has nothing to send: as when the cable is pulled."""
    eventually(lambda: int.from_bytes(fcntl.ioctl(link, termios.TIOCOUTQ, bytes(4)), sys.byteorder) == 0,
               "all is acknowledged")
    drop = Instruction(6, 0, 0, 0)  # BPF_RET: 0 bytes
    link.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, bytes(Program(1, ctypes.pointer(drop))))


class ConnectionsTest(unittest.TestCase):
    def setUp(self):
        self.bed = self.enterContext(Bed())
        self.reading = threading.Lock()

    def begin(self, more="", limit=None):
        config = self.bed.write("fed.yaml", CONFIG.format(folder=self.bed.folder, more=more))
        binary = os.path.join(BIN, "meshdnsd")
        limited = ("/usr/bin/prlimit", f"--nofile={limit}:{limit}") if limit else ()
        self.daemon = self.bed.start(*limited, binary, "--config", config)
        self.daemon.wait_line(r" ready\b")
        self.server = "%s:%d" % self.daemon.address("federation listening")

    def metric(self, name):
        with urllib.request.urlopen("http://%s:%d/metrics" % self.daemon.address("admin listening"), timeout=20) as reply:
            found = re.search(rf"^{re.escape(name)} (\S+)$", reply.read().decode(), re.MULTILINE)
        return float(found.group(1))

    def status(self):
        code, out, _ = run("meshdnsctl", "--server", f"unix:{self.bed.path('ctl.sock')}", "status", "-o", "json")
        self.assertEqual(0, code)
        return json.loads(out)["connections"]

    def drain(self):
        with self.reading:
            self.daemon.read(0)

    def wait_line(self, pattern):
        with self.reading:
            return self.daemon.wait_line(pattern)

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.daemon.process.pid}/fd"))

    def weather_storms(self, stages, **options):
        """Storms that take more than there is room for, one after the other."""
        self.begin(**options)
        good = GoodAgents(self.server, 10, self.drain)
        self.addCleanup(good.close)
        before = self.descriptors()
        for stage in stages:
            with self.subTest(stage=stage):
                accepted = self.metric(ACCEPTED)
                storm = Storm(self.server, stage, CLIENTS)
                try:
                    eventually(lambda was=accepted: self.metric(ACCEPTED) > was + FEW, "they come", timeout=LONG)
                    if stage != "gone":
                        eventually(lambda: self.metric("meshdns_federation_connections_wait") == 1, "no room",
                                   timeout=LONG)
                    self.assertLess(good.newcomer(f"during-{stage}", LONG), LONG)
                finally:
                    seen = storm.stop()
                self.assertGreater(seen["begun"], FEW)
                self.assertIsNone(self.daemon.process.poll())
                self.assertLess(good.newcomer(f"after-{stage}", LONG), LONG)
                eventually(lambda: self.descriptors() <= before + 5, "descriptors are back", timeout=LONG)
                eventually(lambda: self.metric("meshdns_federation_open_connections") == 10, "all are gone",
                           timeout=LONG)
                self.assertEqual([], good.lost)

    def test_storms_at_the_bound(self):
        self.weather_storms(STAGES, more=", max_connections: 200")
        self.assertGreater(self.metric('meshdns_federation_rejected_connections_total{reason="evicted"}'), 0)
        self.wait_line("connections wait: the limit is reached address=")
        self.wait_line("connections wait no more")

    # gRPC's own listener never accepts again after EMFILE
    def test_storms_with_few_descriptors(self):
        self.weather_storms(("connect", "half"), limit=256)
        self.assertEqual(0, self.metric("meshdns_federation_accept_failures_total"))

    def test_an_address_has_its_share_and_status_says_so(self):
        self.begin(", max_connections: 100, max_connections_per_address: 20")
        host, port = self.server.split(":")
        silent = [socket.create_connection((host, int(port)), source_address=("127.7.9.9", 0)) for _ in range(30)]
        for one in silent:
            self.addCleanup(one.close)
        eventually(lambda: self.status()["refused"] == 10, "ten are refused")
        self.daemon.wait_line("connections refused: the limit of their address is reached address=127.7.9.9 most=20")
        RawAgent(self.server, "n1").close()
        status = self.status()
        self.assertEqual(100, status["most"])
        self.assertFalse(status["full"])

    def test_a_stream_that_says_nothing_is_told_to_go(self):
        self.begin()
        for method in ("Report", "Watch"):
            with self.subTest(method=method):
                call = RawCall(self.server, method)
                self.addCleanup(call.close)
                goodbye = fields(call.receive(LONG))
                reply = fields(next(value for value in goodbye.values() if isinstance(value, bytes)))
                self.assertEqual(PROTOCOL_ERROR, reply[1])
                self.assertRegex(reply[3].decode(), "no (Hello|Subscribe) within 10 s")
                with self.assertRaises(Ended):
                    call.receive(LONG)

    def test_a_connection_that_never_begins_is_closed(self):
        self.begin()
        host, port = self.server.split(":")
        with socket.create_connection((host, int(port)), timeout=LONG) as silent:
            while silent.recv(1000):
                continue
        eventually(lambda: self.metric("meshdns_federation_open_connections") == 0, "it is gone", timeout=LONG)

    # CHANGELOG: within 15 s. The server sends no pings: the kernel finds them
    def test_peers_whose_links_fall_silent_are_found(self):
        self.begin()
        agent = RawAgent(self.server, "n1")
        watcher = RawCall(self.server, "Watch")
        watcher.send(b"\x0a\x02\x08\x01")  # Subscribe as a replica
        self.addCleanup(agent.close)
        self.addCleanup(watcher.close)
        eventually(lambda: self.metric("meshdns_federation_subscribers") == 1, "it has subscribed")
        for link in (agent.call.socket, watcher.socket):
            fall_silent(link)
        eventually(lambda: self.metric("meshdns_federation_subscribers") == 0, "the watcher is found", timeout=LONG)
        eventually(lambda: self.metric("meshdns_federation_connected_agents") == 0, "the agent is found", timeout=LONG)


if __name__ == "__main__":
    unittest.main()
