"""DNS over TCP: RFC 7766, 5966 and 9210; docs/failures.md G1 and G2."""
import resource
import socket
import struct
import threading
import time

import dns.name
import dns.rcode

from mesh import WAIT, addresses, eventually
from packets import QR, framed, header, opt, parsed, query, read_frame
from rfc_server import SIZE, RfcTest, sanitized

FIRST_QUERY = 2.0  # seconds, in which the first whole query is due
WRITE_BLOCKED = 0.5
LATE = WAIT  # for a machine that is busy
CONNECTIONS = 1000  # that the server keeps


class TcpTest(RfcTest):
    def closed_after(self, sock):
        """Seconds until the server ends a connection on which it has nothing to say."""
        start = time.monotonic()
        sock.settimeout(LATE)
        try:
            self.assertEqual(sock.recv(1), b"")
        except ConnectionResetError:
            pass
        return time.monotonic() - start

    def test_rfc7766_5_the_same_answers_as_over_udp(self):
        for name, kind in (("two", "A"), ("nope", "A"), ("alias", "CNAME"), ("", "SOA"), ("info", "TXT"),
                           ("odd", "TYPE65400"), ("example.com.", "A"), ("broken", "SRV")):
            udp, tcp = (self.ask(name, kind, tcp=tcp) for tcp in (False, True))
            self.assertEqual((tcp.rcode(), tcp.flags, tcp.answer, tcp.authority, tcp.additional),
                             (udp.rcode(), udp.flags, udp.answer, udp.authority, udp.additional), name)

    def test_rfc7766_5_what_is_too_large_for_udp(self):
        for payload in (None, 512):
            options = {} if payload is None else {"use_edns": 0, "payload": payload}
            whole = self.ask("_all.large", tcp=True, **options)  # RFC 6891 6.2.5: the size is UDP's
            self.assertEqual(len(addresses(whole)), SIZE)

    def test_rfc7766_6_2_1_1_fifty_pipelined_in_one_segment(self):
        sock = self.connect()
        names = ["two.mesh.internal", "nope.mesh.internal", "_all.large.mesh.internal", "example.com"]
        sock.sendall(b"".join(framed(query(names[n % 4], ident=n)) for n in range(50)))
        got = {}
        for _ in range(50):
            reply = parsed(read_frame(sock))
            got[reply.id] = reply
        self.assertEqual(sorted(got), list(range(50)))
        for ident, reply in got.items():
            self.assertEqual(reply.question[0].name, dns.name.from_text(names[ident % 4]))

    def test_rfc7766_8_one_byte_at_a_time(self):
        sock = self.connect()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for number, byte in enumerate(framed(query("two.mesh.internal", edns=opt()))):
            sock.sendall(bytes([byte]))
            if number % 8 == 0:
                time.sleep(0.001)  # so that these are read one by one
        self.assertEqual(len(addresses(parsed(read_frame(sock)))), 2)

    def test_rfc7766_8_length_and_message_in_one_segment(self):
        sock = self.connect()
        for _ in range(20):
            sock.sendall(framed(query("two.mesh.internal")))
            data = sock.recv(65535)
            self.assertEqual(len(data), 2 + struct.unpack("!H", data[:2])[0])

    def test_rfc7766_6_2_4_a_half_closed_client_is_answered(self):
        """Also beyond the 64 KiB that wait at once."""
        sock, times = self.connect(), 100
        sock.sendall(b"".join(framed(query("_all.large.mesh.internal", ident=number)) for number in range(times)))
        sock.shutdown(socket.SHUT_WR)
        replies = [read_frame(sock) for _ in range(times)]
        self.assertNotIn(None, replies)
        self.assertEqual([parsed(reply).id for reply in replies], list(range(times)))
        self.assertIsNone(read_frame(sock))

    def test_rfc7766_6_2_3_a_connection_stays_open_between_queries(self):
        sock = self.connect()
        for pause in (0, FIRST_QUERY + 1):  # behind the first query the idle time counts, 30 s
            time.sleep(pause)
            sock.sendall(framed(query("two.mesh.internal")))
            self.assertEqual(parsed(read_frame(sock)).rcode(), dns.rcode.NOERROR)

    def test_rfc9210_what_is_no_dns_ends_the_connection(self):
        for stream in (framed(b""), framed(b"x"), framed(query()[:11]), framed(query(flags=QR))):
            sock = self.connect()
            sock.sendall(stream)
            self.assertLess(self.closed_after(sock), LATE, stream[:20])

    def test_rfc7766_malformed_queries_keep_the_connection(self):
        sock = self.connect()
        for packet, rcode in ((header(counts=(0, 0, 0, 0)), 1), (query() + b"x", 1), (query("two.mesh.internal"), 0)):
            sock.sendall(framed(packet))
            self.assertEqual(parsed(read_frame(sock)).rcode(), rcode)

    def test_g1_the_first_query_is_due(self):
        silent, dripping = self.connect(), self.connect()
        stop = threading.Event()

        def drip():
            try:
                for byte in framed(query("two.mesh.internal")):
                    dripping.sendall(bytes([byte]))
                    if stop.wait(0.4):
                        return
            except OSError:
                pass

        thread = threading.Thread(target=drip)
        thread.start()
        try:
            self.assertTrue(FIRST_QUERY * 0.9 < self.closed_after(silent) < LATE)
            self.closed_after(dripping)
        finally:
            stop.set()
            thread.join()

    def test_g1_slow_connections_are_not_in_the_way(self):
        """More connections than the server keeps, each with half a query: others are answered at once, the memory per
        connection is small, and the longest idle ones make room."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = CONNECTIONS + 500
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, wanted + 200)), hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        before, slow = self.memory(), []
        for _ in range(min(wanted, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 200)):
            slow.append(self.connect())
            slow[-1].sendall(b"\0\x40\x12")
        took = []
        for _ in range(20):
            start = time.monotonic()
            self.assertEqual(self.ask("api", tcp=True).rcode(), dns.rcode.NOERROR)
            took.append(time.monotonic() - start)
        self.assertLess(sorted(took)[10], FIRST_QUERY, "nobody waits until the slow ones are cut")
        if not sanitized():
            self.assertLess((self.memory() - before) / CONNECTIONS, 4096)
        self.closed_after(slow[0])

    def memory(self):
        """Bytes of resident memory of the server."""
        with open(f"/proc/{self.daemon.process.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * resource.getpagesize()

    def test_g2_a_client_that_never_reads_is_cut(self):
        sock = socket.socket()
        self.addCleanup(sock.close)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.connect(self.server)
        sock.setblocking(False)
        before = self.memory()
        asked = framed(query("_all.large.mesh.internal")) * 200
        start = time.monotonic()

        def cut():
            try:
                sock.send(asked)
            except BlockingIOError:
                pass
            except (ConnectionResetError, BrokenPipeError):
                return True
            return False

        eventually(cut, "the end of the connection", LATE)
        self.assertGreater(time.monotonic() - start, WRITE_BLOCKED * 0.9)
        self.assertLess(self.memory() - before, (40 if sanitized() else 4) << 20)  # 64 KiB wait, not what was asked for
        self.assertEqual(self.ask("api", tcp=True).rcode(), dns.rcode.NOERROR)
