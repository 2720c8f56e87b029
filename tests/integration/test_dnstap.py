"""dns.dnstap: what is asked and answered reaches a receiver, and a receiver that is gone or stuck holds up nobody."""
import re
import signal
import socket
import time
import unittest
import urllib.request

import dns.message
import dns.rdatatype

from dnstap import AUTH_QUERY, AUTH_RESPONSE, READY, START, STOP, TCP, UDP, Receiver
from mesh import WAIT, Bed, ask, eventually
from rfc_server import CONFIG, MESH, RECORDS

FLOOD = 20000  # queries of the test of a receiver that is stuck


class DnstapTest(unittest.TestCase):
    def setUp(self):
        self.bed = self.enterContext(Bed())
        self.socket = self.bed.path("tap.sock")
        self.receiver = None
        self.addCleanup(lambda: self.receiver and self.receiver.close())

    def listen(self, **options):
        self.receiver = Receiver(self.socket, **options)

    def go(self):
        self.receiver.close()
        self.receiver = None

    def start(self, more=""):
        self.bed.write("mesh.yaml", MESH)
        records = "".join(f'    - "{record}"\n' for record in RECORDS[:2])
        text = CONFIG.format(folder=self.bed.folder, records=records)
        text = text.replace("dns:\n", f"dns:\n  dnstap: {{socket: {self.socket}{more}}}\n", 1)
        self.daemon = self.bed.start("meshdnsd", "--config", self.bed.write("meshdnsd.yaml", text))
        self.daemon.wait_line("ready")
        self.server = self.daemon.address("dns listening")
        self.admin = self.daemon.address("admin listening")

    def metric(self, name):
        with urllib.request.urlopen(f"http://{self.admin[0]}:{self.admin[1]}/metrics", timeout=WAIT) as page:
            return float(re.search(rf"^meshdns_dnstap_{name} (\S+)", page.read().decode(), re.MULTILINE)[1])

    def ask(self, tcp=False):
        return ask(self.server, "api.mesh.internal", tcp=tcp)

    def arrived(self, count):
        eventually(lambda: len(self.receiver.messages) >= count or self.receiver.problem, f"{count} messages")
        self.assertIsNone(self.receiver.problem)
        return self.receiver.messages

    def test_queries_and_answers(self):
        self.listen()
        self.start(", identity: ns1")
        self.daemon.wait_line("dnstap connected")
        began = time.time()
        replies = [self.ask(), self.ask(tcp=True)]
        for transport, reply in zip((UDP, TCP), replies):
            query, response = [each for each in self.arrived(4) if each.protocol == transport]
            self.assertEqual((query.type, response.type), (AUTH_QUERY, AUTH_RESPONSE))
            for each in (query, response):
                self.assertEqual((each.identity, each.family), ("ns1", 1))
                self.assertRegex(each.version, r"^meshdnsd \d")
                self.assertEqual(each.client[0], socket.inet_aton("127.0.0.1"))
                self.assertEqual(each.server, (socket.inet_aton("127.0.0.1"), self.server[1]))
                self.assertLess(abs(each.asked_at - began), WAIT)
            self.assertEqual(query.client, response.client)
            self.assertEqual((query.answered_at, query.response, response.query), (None, None, None))
            self.assertGreaterEqual(response.answered_at, response.asked_at)
            asked = dns.message.from_wire(query.query)
            self.assertEqual((asked.id, asked.answer, asked.question), (reply.id, [], reply.question))
            self.assertEqual(dns.message.from_wire(response.response), reply)
            self.assertEqual(dns.message.from_wire(response.response).answer, reply.answer)
        eventually(lambda: self.metric("sent_messages_total") == 4, "sent")
        self.assertEqual((self.metric("dropped_messages_total"), self.metric("connected")), (0, 1))
        self.assertEqual(self.daemon.stop(), 0)
        eventually(lambda: self.receiver.control == [READY, START, STOP], "the end of the stream")

    def test_a_datagram_that_gets_no_answer(self):
        self.listen()
        self.start()
        self.daemon.wait_line("dnstap connected")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.sendto(b"\x12\x34\x80\x00" + bytes(8), self.server)  # a response
        self.ask()
        alone, query, response = self.arrived(3)
        self.assertEqual((alone.type, alone.query), (AUTH_QUERY, b"\x12\x34\x80\x00" + bytes(8)))
        self.assertEqual((query.type, response.type), (AUTH_QUERY, AUTH_RESPONSE))

    def test_a_receiver_that_goes_and_comes(self):
        self.start()
        self.daemon.wait_line("dnstap not connected.*No such file")
        self.assertTrue(self.ask().answer)
        eventually(lambda: self.metric("dropped_messages_total") == 2, "dropped without a receiver")
        self.assertEqual(self.metric("connected"), 0)
        self.listen()
        self.daemon.wait_line("dnstap connected")
        self.ask()
        self.arrived(2)
        for tcp in (False, True):
            seen = len(self.daemon.lines)
            self.go()
            self.daemon.wait_line("dnstap not connected", after=seen)
            self.assertTrue(self.ask(tcp).answer)
            self.assertEqual(self.metric("connected"), 0)
            self.listen()
            self.daemon.wait_line("dnstap connected", after=seen)
            self.ask(tcp)
            self.assertEqual([each.type for each in self.arrived(2)], [AUTH_QUERY, AUTH_RESPONSE])
        self.assertEqual(self.metric("dropped_messages_total"), 6)
        told = [line for line in self.daemon.lines if "dnstap not connected" in line]
        self.assertEqual(len(told), 3, "each loss is told once")

    def test_a_receiver_that_says_nothing(self):
        self.listen(accepts=False)
        self.start()
        self.daemon.wait_line("dnstap not connected")
        self.assertTrue(self.ask().answer)
        self.assertEqual(self.daemon.stop(), 0)

    def test_a_receiver_that_reads_nothing(self):
        self.listen(reads=False)
        self.start()
        self.daemon.wait_line("dnstap connected")
        query = dns.message.make_query("api.mesh.internal", dns.rdatatype.A).to_wire()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(WAIT)
            sock.connect(self.server)
            for _ in range(FLOOD):
                sock.send(query)
                self.assertEqual(sock.recv(65535)[:2], query[:2])
        eventually(lambda: self.metric("dropped_messages_total") > 0, "dropped")
        self.daemon.wait_line("dnstap not connected.*takes nothing")
        self.assertTrue(self.ask().answer)
        self.assertEqual(self.daemon.stop(), 0)

    def test_a_reload_leaves_it(self):
        self.listen()
        self.start(", identity: ns1")
        self.daemon.wait_line("dnstap connected")
        with open(self.bed.path("meshdnsd.yaml"), encoding="utf-8") as file:
            self.bed.write("meshdnsd.yaml", file.read().replace("identity: ns1", "identity: ns2"))
        self.daemon.send_signal(signal.SIGHUP)
        self.daemon.wait_line("restart needed.*dns.dnstap")
        self.ask()
        self.assertEqual({each.identity for each in self.arrived(2)}, {"ns1"})

    def test_without_it_nothing_is_shown(self):
        self.start()
        text = self.bed.path("meshdnsd.yaml")
        with open(text, encoding="utf-8") as file:
            without = "".join(line for line in file if "dnstap" not in line)
        self.daemon.stop()
        daemon = self.bed.start("meshdnsd", "--config", self.bed.write("meshdnsd.yaml", without))
        daemon.wait_line("ready")
        host, port = daemon.address("admin listening")
        with urllib.request.urlopen(f"http://{host}:{port}/metrics", timeout=WAIT) as page:
            self.assertNotIn("dnstap", page.read().decode())


if __name__ == "__main__":
    unittest.main()
