"""Odd and malformed packets: each gets its answer, or silence, and costs little (RFC 8906, 9619; docs/failures.md G4-G6)."""
import struct

import dns.opcode
import dns.rcode

from mesh import addresses
from packets import (AA, AD, ANY, CD, CH, DO, HEADER, NONE, OPT, QR, RA, RD, TC, Z, flags_of, framed, header, opcode_of,
                     opt, option, parsed, query, question, read_frame, record, subnet, wire_name)
from rfc_server import RfcTest

NOERROR, FORMERR, NXDOMAIN, NOTIMP = dns.rcode.NOERROR, dns.rcode.FORMERR, dns.rcode.NXDOMAIN, dns.rcode.NOTIMP
NXNAME = 128  # RFC 9824: a mark in NSEC records
REFUSED, NOTAUTH, BADVERS = dns.rcode.REFUSED, dns.rcode.NOTAUTH, dns.rcode.BADVERS
ADDRESSES = ["10.0.0.11", "10.0.0.12"]
WORK = 1e-2  # seconds of CPU time: ten times what one message may cost (G4, G5)


class PacketsTest(RfcTest):
    def assert_rcode(self, packet, rcode, note=None):
        reply = self.exchange(packet)
        self.assertEqual((reply.rcode(), reply.id), (rcode, 0x1234), note)
        self.assertEqual(reply.flags & AA, 0, note)
        self.assertEqual(reply.answer + reply.authority, [], note)
        return reply

    def test_rfc1035_silence_for_what_is_no_request(self):
        self.assert_silence(query(flags=QR))
        self.assert_silence(query(flags=QR | AA, edns=opt()))
        self.assert_silence(header(flags=QR, counts=(0, 0, 0, 0)))
        for size in range(HEADER):
            self.assert_silence(query()[:size])

    def test_rfc9619_exactly_one_question(self):
        self.assert_rcode(header(counts=(0, 0, 0, 0)), FORMERR)
        self.assert_rcode(header(counts=(0, 0, 0, 1)) + opt(), FORMERR)
        self.assert_rcode(header(counts=(2, 0, 0, 0)) + question() + question("www.mesh.internal"), FORMERR)
        self.assert_rcode(header(counts=(65535, 0, 0, 0)) + question(), FORMERR)

    def test_rfc1035_bad_names_get_a_header_only(self):
        names = {"a loop": b"\xc0\x0c", "a loop behind a label": b"\x03api\xc0\x0c", "forward": b"\xc0\x20",
                 "into the header": b"\xc0\x00", "label type 0x40": b"\x41x\0", "label type 0x80": b"\x81x\0",
                 "longer than 255": b"\x3f" + b"x" * 63 + (b"\x3f" + b"x" * 63) * 3 + b"\0", "no end": b"\x03api"}
        for what, name in names.items():
            packet = self.datagram(header() + name + (b"" if what == "no end" else struct.pack("!2H", 1, 1)))
            self.assertEqual((len(packet), packet[3] & 15, packet[4:12]), (HEADER, FORMERR, b"\0" * 8), what)

    def test_rfc6891_strict_behind_the_question(self):
        wrong = {
            "junk behind the question": query() + b"x",
            "junk behind OPT": query(edns=opt()) + b"\0",
            "two OPT": header(counts=(1, 0, 0, 2)) + question() + opt() + opt(),
            "OPT in the answer section": header(counts=(1, 1, 0, 0)) + question() + opt(),
            "OPT in the authority section": header(counts=(1, 0, 1, 0)) + question() + opt(),
            "owner not root": query(edns=opt(owner=b"\1x\0")),
            "owner a pointer": query(edns=opt(owner=b"\xc0\x0c")),
            "RDLENGTH past the end": query(edns=opt(length=1)),
            "RDLENGTH far past the end": query(edns=opt(option(3), length=65535)),
            "an option past its record": query(edns=opt(struct.pack("!2H", 3, 9))),
            "half an option": query(edns=opt(b"\0\3\0")),
            "a record that is not there": header(counts=(1, 0, 0, 1)) + question(),
            "answers in a query": header(counts=(1, 1, 0, 0)) + question() + record(),
            "authority in a query": header(counts=(1, 0, 1, 0)) + question() + record(),
        }
        for what, packet in wrong.items():
            self.assert_rcode(packet, FORMERR, what)

    def test_rfc8906_every_cut_of_a_query_is_formerr(self):
        whole = query(edns=opt(option(65001, b"xyz")))
        for size in range(HEADER, len(whole)):
            self.assert_rcode(whole[:size], FORMERR, size)
        self.assertEqual(addresses(self.exchange(whole)), ADDRESSES)

    def test_rfc1035_other_classes(self):
        for qclass in (CH, NONE, ANY, 4, 0, 65535):
            self.assert_rcode(query("mesh.internal", 6, qclass), REFUSED, qclass)

    def test_rfc8906_opcodes_other_than_query(self):
        expected = {code: NOTIMP for code in range(1, 16)} | {4: NOTAUTH}  # 1996 3.10: nobody's secondary
        for code, rcode in expected.items():
            for flags in (0, RD, AA | TC | RD | RA | Z | AD | CD):
                packet = self.datagram(query(kind=6, flags=code << 11 | flags))
                self.assertEqual((opcode_of(packet), parsed(packet).rcode()), (code, rcode))
                self.assertEqual(flags_of(packet), flags & RD, code)

    def test_rfc8490_a_session_cannot_be_opened(self):
        keepalive = struct.pack("!2H2I", 1, 8, 15000, 15000)
        head = header(flags=6 << 11, counts=(0, 0, 0, 0))
        for packet in (head, head + keepalive):
            for reply in (self.datagram(packet), self.over_tcp(packet)):
                self.assertEqual((len(reply), reply[3] & 15, opcode_of(reply)), (HEADER, NOTIMP, 6))

    def test_rfc2136_updates_are_not_offered(self):
        added = record(owner=wire_name("x.mesh.internal"))
        update = header(flags=5 << 11, counts=(1, 0, 1, 0)) + question("mesh.internal", 6) + added
        reply = self.datagram(update)
        self.assertEqual((opcode_of(reply), parsed(reply).rcode()), (dns.opcode.UPDATE, NOTIMP))
        self.assertEqual(self.ask("x").rcode(), NXDOMAIN)

    def test_rfc1035_flags_of_the_request(self):
        for flags in (AA, RA, TC, Z, AD, CD, AA | RA | TC | Z | AD | CD):
            packet = self.datagram(query(flags=flags))
            self.assertEqual((flags_of(packet), packet[3] & 15), (AA, NOERROR), hex(flags))
            self.assertEqual(flags_of(self.datagram(query(flags=flags | RD))), AA | RD, hex(flags))
        self.assertEqual(self.datagram(query(flags=5))[3] & 15, NOERROR)  # an rcode in a request says nothing

    def test_rfc6895_types_that_cannot_be_asked(self):
        for kind in (0, OPT):
            self.assert_rcode(query(kind=kind), FORMERR, kind)
            self.assert_rcode(query("nope.mesh.internal", kind), FORMERR, kind)
            self.assert_rcode(query("example.com", kind), FORMERR, kind)

    def test_rfc9824_3_5_nobody_asks_for_nxname(self):
        for name in ("mesh.internal", "api.shop.mesh.internal", "nope.mesh.internal", "example.com"):
            self.assert_rcode(query(name, NXNAME), FORMERR, name)
            self.assert_rcode(query(name, NXNAME, edns=opt()), FORMERR, name)

    def test_rfc8906_types_and_classes_of_every_number(self):
        """Whatever is asked, something is answered: never silence, NOTIMP or SERVFAIL."""
        answers = (NOERROR, NXDOMAIN, FORMERR, REFUSED)
        for kind in [*range(0, 300), *range(300, 65536, 997), 65535]:
            self.assertIn(self.exchange(query("mesh.internal", kind)).rcode(), answers, kind)
            self.assertIn(self.exchange(query("nope.mesh.internal", kind)).rcode(), answers, kind)

    def test_rfc8906_edns_as_others_send_it(self):
        good = (opt(option(65001)), opt(flags=0x40), opt(flags=DO, size=512))
        bad = (opt(version=1, flags=DO), opt(version=1, options=option(65001)))
        for edns, rcode in [(edns, NOERROR) for edns in good] + [(edns, BADVERS) for edns in bad]:
            reply = self.exchange(query("mesh.internal", 6, edns=edns))
            self.assertEqual((reply.rcode(), reply.edns, reply.options), (rcode, 0, ()))
            self.assertEqual(len(reply.answer), rcode == NOERROR)

    def test_rfc8906_probes_of_coredns(self):
        for edns in (b"", opt()):
            self.assert_rcode(query(b"\0", 2, edns=edns), REFUSED)

    def test_rfc6891_of_options_of_one_kind_the_first_counts(self):
        far, near = subnet(1, 24, b"\x0a\2\x09"), subnet(1, 24, b"\x0a\1\1")
        many = b"".join(option(65000 + n) for n in range(40))
        there = ["10.2.0.11"]
        for options, expected in ((far + near, there), (near + far, ADDRESSES), (many + far + near, there)):
            reply = self.exchange(query(edns=opt(options)))
            self.assertEqual((addresses(reply), len(reply.options)), (expected, 1))
        # what follows the first is not even read
        self.assertEqual(addresses(self.exchange(query(edns=opt(far + subnet(1, 33, b"x"))))), there)

    def test_rfc1035_2_3_4_longest_names_are_answered(self):
        below = [b"\x3f" + b"x" * 63] * 3 + [b"\x2f" + b"y" * 47]
        name = b"".join(below) + wire_name("mesh.internal")
        self.assertEqual(len(name), 255)
        self.assertEqual(self.exchange(query(name)).rcode(), NXDOMAIN)
        self.assertEqual(self.exchange(query(b"\1a" * 120 + wire_name("mesh.internal"))).rcode(), NXDOMAIN)

    def over_tcp(self, packet):
        sock = self.connect()
        sock.sendall(framed(packet))
        return read_frame(sock)

    def cost(self, packet, times=40):
        """Seconds of the server's CPU time for one such message over TCP, and its last reply."""
        sock = self.connect()
        before = self.cpu()
        for _ in range(times):
            sock.sendall(framed(packet))
            reply = read_frame(sock)
        return (self.cpu() - before) / times, parsed(reply)

    def test_g4_messages_full_of_pointers_cost_little(self):
        room = 65535 - len(query())
        chain = b"".join(record(rdata=b"", owner=struct.pack("!H", 0xC00C)) for _ in range(room // 12))
        hops = b"".join(record(kind=5, rdata=struct.pack("!H", 0xC000 | 12 + n)) for n in range(4000))
        for what, packet in (
            ("records whose owner is a pointer", header(counts=(1, 0, 0, room // 12)) + question() + chain),
            ("aliases to each other", header(counts=(1, 0, 0, 4000)) + question() + hops),
            ("a question of pointers", header() + b"\xc0\x0c" * 32000),
            ("junk", query() + b"\xc0" * room),
            ("65,535 records promised", header(counts=(1, 65535, 65535, 65535)) + question() + chain),
        ):
            cost, reply = self.cost(packet)
            self.assertLessEqual(cost, WORK, what)
            self.assertIn(reply.rcode(), (NOERROR, FORMERR), what)

    def test_g5_many_options_cost_little(self):
        kinds = {"10,000 options": option(65001) * 10000,
                 "NSID and cookies": (option(3) + option(10, b"12345678")) * 4000,
                 "subnets": subnet(1, 24, b"\x0a\2\x09") * 5000, "zeros": b"\0" * 60000}
        for what, options in kinds.items():
            cost, reply = self.cost(query(edns=opt(options)))
            self.assertLessEqual(cost, WORK, what)
            self.assertEqual(reply.rcode(), NOERROR, what)

    def test_g6_over_tcp_as_over_udp(self):
        for packet, rcode in ((header(counts=(0, 0, 0, 0)), FORMERR), (query("mesh.internal", 6, ANY), REFUSED),
                              (query(flags=5 << 11), NOTIMP), (query(flags=1 << 11), NOTIMP),
                              (query(flags=4 << 11), NOTAUTH),
                              (query("mesh.internal", 252), REFUSED), (query("api.mesh.internal", 255), NOERROR)):
            self.assertEqual(parsed(self.over_tcp(packet)).rcode(), rcode)
        self.assertIsNone(self.over_tcp(query(flags=QR)))  # what is no request ends the connection
