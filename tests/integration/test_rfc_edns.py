"""EDNS and the size of answers: RFC 6891, 2671, 3225, 7871, 8914, 9715 and 2181 9 (TC)."""
import struct
import subprocess

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype

from mesh import WAIT, addresses, ask, texts
from packets import DO, opt, option, query, subnet
from rfc_server import EIGHT, LINKS, SIZE, RfcTest

NOERROR, FORMERR, NXDOMAIN, BADVERS = dns.rcode.NOERROR, dns.rcode.FORMERR, dns.rcode.NXDOMAIN, dns.rcode.BADVERS
UNTRUSTED = "127.0.0.2"


def explained(reply):
    return [int(item.code) for item in reply.options if item.otype == dns.edns.OptionType.EDE]


def subnets(reply):
    found = [item for item in reply.options if item.otype == dns.edns.OptionType.ECS]
    return [(f"{item.address}/{item.srclen}", item.scopelen) for item in found]


class EdnsTest(RfcTest):
    def test_rfc6891_6_1_1_opt_comes_back_only_if_asked(self):
        for name in ("api", "nope", "example.com."):
            self.assertEqual(self.ask(name).edns, -1)
            self.assertEqual(self.ask(name, use_edns=0).edns, 0)
        self.assertEqual(self.exchange(query(edns=opt(b"\0\1\0\1"))).edns, 0)  # FORMERR for its rdata keeps it

    def test_rfc6891_6_1_3_other_versions(self):
        strange = option(3) + option(10, b"x" * 7)
        for version, options, flags in ((1, b"", 0), (255, b"", DO), (1, strange, DO), (7, b"\1", 0)):
            packet = self.datagram(query(edns=opt(options, version=version, flags=flags)))
            reply = dns.message.from_wire(packet)
            self.assertEqual((reply.rcode(), reply.edns, reply.answer), (BADVERS, 0, []))
            self.assertEqual(reply.options, ())
            self.assertEqual(self.exchange(query("nope.mesh.internal", edns=opt(version=version))).rcode(), BADVERS)
        dig = ["dig", "@127.0.0.1", "-p", str(self.server[1]), "+edns=1", "+noednsneg", "api.mesh.internal"]
        out = subprocess.run(dig, capture_output=True, text=True, timeout=WAIT, check=True).stdout
        self.assertIn("status: BADVERS", out)

    def test_rfc6891_6_1_2_unknown_options_and_flags_are_ignored(self):
        for edns in (opt(option(65001, b"\xbe\xef")), opt(option(65001)), opt(option(0, b"x")), opt(flags=0x0080),
                     opt(flags=0x7FFF), opt(option(12, b"\0" * 100))):
            reply = self.exchange(query(edns=edns))
            self.assertEqual((reply.rcode(), addresses(reply)), (NOERROR, ["10.0.0.11", "10.0.0.12"]))
            self.assertEqual((reply.options, reply.ednsflags & 0xFFFF), ((), 0))

    def test_rfc3225_3_do_is_copied(self):
        for flags in (0, DO, 0xFFFF):
            self.assertEqual(self.exchange(query(edns=opt(flags=flags))).ednsflags & 0xFFFF, flags & DO)

    def test_rfc6891_6_2_3_sizes(self):
        self.assertEqual(self.ask("api", use_edns=0, payload=4096).payload, 1232)
        sizes = (None, 0, 511, 512, 800, 1232, 4096, 65535)
        for stated, most in zip(sizes, (512, 512, 512, 512, 800, 1232, 1232, 1232)):
            edns = b"" if stated is None else opt(size=stated)
            self.assertLessEqual(len(self.datagram(query("_all.large.mesh.internal", edns=edns))), most, stated)
            packet = self.datagram(query("_http._tcp.eight.mesh.internal", 33, edns=edns))
            self.assertLessEqual(len(packet), most, stated)
            extra = dns.message.from_wire(packet).additional
            self.assertEqual(len(extra) == EIGHT, most >= 800, stated)  # which of them fit shows the size that counts

    def test_rfc8914_why_it_is_so(self):
        self.assertEqual(explained(self.ask("example.com.", use_edns=0)), [20])
        self.assertEqual(explained(self.ask("failed", use_edns=0)), [0])
        self.assertEqual(explained(self.ask("api", use_edns=0)), [])
        for tcp in (False, True):
            refused = self.ask("_explain.api", "TXT", use_edns=0, source=UNTRUSTED, tcp=tcp)
            self.assertEqual((refused.rcode(), explained(refused)), (dns.rcode.REFUSED, [18]))
        self.assertEqual(self.ask("_explain.api", "TXT", use_edns=0).rcode(), NOERROR)
        cut = self.ask("_explain.api", "TXT", use_edns=0, tcp=False)
        self.assertEqual((bool(cut.flags & dns.flags.TC), cut.answer), (True, []), "no cookie: dig comes back over TCP")

    def test_rfc8914_informational_text_is_for_who_may_explain(self):
        [here] = [item for item in self.ask("large", use_edns=0).options if item.otype == dns.edns.OptionType.EDE]
        self.assertIn(f"8 of {SIZE}", here.text)
        self.assertEqual(explained(self.ask("large", use_edns=0, source=UNTRUSTED)), [])


class ClientSubnetTest(RfcTest):
    def look(self, prefix, name="api", **options):
        """(addresses, the subnet options) for a client behind this forwarder."""
        reply = self.ask(name, use_edns=0, options=[dns.edns.ECSOption(*prefix)], **options)
        return addresses(reply), subnets(reply)

    def test_rfc7871_7_2_1_scope_is_the_range_that_decided(self):
        eu, us = ["10.0.0.11", "10.0.0.12"], ["10.2.0.11"]
        self.assertEqual(self.look(("10.2.9.0", 24)), (us, [("10.2.9.0/24", 21)]))
        # a /24 of another place lies in this /16: no range may take both
        self.assertEqual(self.look(("10.2.3.0", 24)), (eu, [("10.2.3.0/24", 24)]))
        self.assertEqual(self.look(("10.1.7.0", 24)), (eu, [("10.1.7.0/24", 16)]))
        self.assertEqual(self.look(("fd01::", 48))[0], eu)

    def test_rfc7871_7_2_1_ranges_do_not_overlap(self):
        """Every client of a range gets the answer that was given for the range."""
        for third in range(16):
            got, [(_, scope)] = self.look((f"10.2.{third}.0", 24))
            if scope <= 24:
                first = third & ~((1 << (24 - scope)) - 1)
                for other in range(first, first + (1 << (24 - scope))):
                    self.assertEqual(self.look((f"10.2.{other}.0", 24))[0], got, (third, other))

    def test_rfc7871_7_1_2_source_0_asks_not_to_be_located(self):
        got, echoed = self.look(("0.0.0.0", 0))
        self.assertEqual(echoed, [("0.0.0.0/0", 0)])
        self.assertEqual(got, addresses(self.ask("api")))

    def test_rfc7871_7_2_1_scope_0_where_all_get_the_same(self):
        for name in ("two", "nope", "info", "failed"):
            _, [(_, scope)] = self.look(("10.2.9.0", 24), name)
            self.assertEqual(scope, 0, name)
        reply = self.ask("nope", use_edns=0, options=[dns.edns.ECSOption("10.2.9.0", 24)])
        self.assertEqual((reply.rcode(), subnets(reply)), (NXDOMAIN, [("10.2.9.0/24", 0)]))

    def test_rfc7871_7_2_1_negative_answers_have_scope_0(self):
        """The closest tier there has no IPv6 address; others may get one, so it is not kept for long."""
        reply = self.ask("api", "AAAA", use_edns=0, options=[dns.edns.ECSOption("10.2.9.0", 24)])
        self.assertEqual((reply.answer, subnets(reply)), ([], [("10.2.9.0/24", 0)]))
        self.assert_negative(reply, NOERROR, ttl=1)
        self.assertEqual(addresses(self.ask("api", "AAAA")), ["fd00::11"])

    def test_rfc7871_the_scope_of_an_alias_is_that_of_its_end(self):
        reply = self.ask("www", use_edns=0, options=[dns.edns.ECSOption("10.2.9.0", 24)])
        self.assertEqual((addresses(reply), subnets(reply)), (["10.2.0.11"], [("10.2.9.0/24", 21)]))

    def test_rfc7871_11_2_from_others_it_is_as_absent(self):
        got, echoed = self.look(("10.2.9.0", 24), source=UNTRUSTED)
        self.assertEqual((got, echoed), (["10.0.0.11", "10.0.0.12"], []))

    def test_rfc7871_answered_only_when_asked(self):
        self.assertEqual(subnets(self.ask("api", use_edns=0)), [])

    def test_rfc7871_6_malformed_ones(self):
        lengths = (subnet(1, 24, b"\x0a\1\2\1"), subnet(1, 24, b"\x0a\1"), subnet(1, 33, b"\1" * 5), subnet(1, 8, b""),
                   subnet(2, 129, b"\1" * 17), option(8, b"\0\1\0"), option(8))
        for data in (*lengths, subnet(1, 20, b"\x0a\1\x1f"), subnet(1, 24, b"\x0a\1\2", scope=24)):
            reply = self.exchange(query(edns=opt(data)))
            self.assertEqual((reply.rcode(), reply.answer), (FORMERR, []), data.hex())
            self.assertEqual((reply.edns, subnets(reply)), (0, []))

    def test_rfc7871_unknown_families_are_as_absent(self):
        for data in (subnet(3, 24, b"\1\2\3"), subnet(0, 0, b""), subnet(65535, 255, b"\1")):
            reply = self.exchange(query(edns=opt(data)))
            self.assertEqual((reply.rcode(), subnets(reply)), (NOERROR, []), data.hex())

    def test_rfc7871_over_tcp_too(self):
        self.assertEqual(self.look(("10.2.9.0", 24), tcp=True), (["10.2.0.11"], [("10.2.9.0/24", 21)]))


class TruncationTest(RfcTest):
    def test_rfc2181_9_an_answer_that_does_not_fit(self):
        for name, kind, whole in (("_all.large", "A", SIZE), ("big", "TXT", 20)):
            for payload in (None, 512, 1232, 4096):
                edns = {} if payload is None else {"use_edns": 0, "payload": payload}
                reply = self.ask(name, kind, **edns)
                self.assertTrue(reply.flags & dns.flags.TC, f"{name} {payload}")
                part = len(addresses(reply) + texts(reply))
                self.assertTrue(0 < part < whole, f"{name} {payload}: {part}")  # what fits, for who cannot come back
                self.assertEqual(reply.edns, -1 if payload is None else 0)
            full = self.ask(name, kind, tcp=True)
            self.assertFalse(full.flags & dns.flags.TC)
            self.assertEqual(len(addresses(full) + texts(full)), whole)

    def test_rfc2181_9_our_own_cap_is_no_truncation(self):
        for options in ({}, {"use_edns": 0, "payload": 512}, {"tcp": True}):
            reply = self.ask("large", **options)
            self.assertFalse(reply.flags & dns.flags.TC)
            self.assertEqual(len(addresses(reply)), 8)

    def test_rfc2782_all_of_a_service(self):
        """Over UDP what fits, with TC; over TCP everything, below the port and at the host."""
        for name in ("_http._tcp.large", "large"):
            reply = self.ask(name, "SRV", use_edns=0, payload=1232)
            self.assertTrue(reply.flags & dns.flags.TC)
            self.assertGreater(len(reply.answer[0]), 8)
            full = self.ask(name, "SRV", tcp=True)
            self.assertFalse(full.flags & dns.flags.TC)
            self.assertEqual(len({item.target for item in full.answer[0]}), SIZE)

    def test_rfc2181_9_additional_records_go_without_tc(self):
        counts = []
        for payload in (1232, 600, 512):
            reply = self.ask("_http._tcp.eight", "SRV", use_edns=0, payload=payload)
            self.assertFalse(reply.flags & dns.flags.TC, payload)
            self.assertEqual(len(reply.answer[0]), EIGHT)
            counts.append(len(reply.additional))
        self.assertEqual(counts, sorted(counts, reverse=True))
        self.assertEqual((counts[0], counts[-1] < counts[0]), (EIGHT, True))

    def test_rfc8914_text_goes_first(self):
        """Whatever the room, the text is there whole or not at all, and never instead of an address."""
        for payload in range(512, 700, 9):
            reply = self.ask("full", use_edns=0, payload=payload)
            self.assertEqual((reply.flags & dns.flags.TC, len(addresses(reply))), (0, 29), payload)
            for item in reply.options:
                self.assertIn(item.text, (None, "", f"29 of {SIZE}"), payload)

    def test_rfc2181_9_a_negative_answer_is_whole_or_truncated(self):
        """Behind a chain of long names there is a size at which only the SOA does not fit."""
        seen = set()
        for payload in range(512, 1232, 7):
            reply = self.ask("chain0", use_edns=0, payload=payload)
            cut = bool(reply.flags & dns.flags.TC)
            whole = not cut or reply.rcode() == NXDOMAIN  # of the chain; then it was the SOA that did not fit
            self.assertEqual((len(reply.answer) == LINKS, len(reply.authority)), (whole, 0 if cut else 1), payload)
            seen.add((cut, reply.rcode()))
        self.assertEqual(seen, {(True, NOERROR), (True, NXDOMAIN), (False, NXDOMAIN)})

    def test_rfc1035_2_3_4_a_default_answer_stays_below_512_bytes(self):
        self.assertLessEqual(len(self.datagram(query("large.mesh.internal", edns=opt(size=4096)))), 512)

    def test_rfc9715_udp_answers_are_never_fragmented(self):
        for name, kind in (("_all.large", 1), ("big", 16), ("_http._tcp.large", 33), ("_explain.large", 16)):
            packet = self.datagram(query(f"{name}.mesh.internal", kind, edns=opt(size=65535)))
            self.assertLessEqual(len(packet), 1232)
            self.assertEqual(struct.unpack("!H", packet[:2]), (0x1234,))
