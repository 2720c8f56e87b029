"""What is answered for names that exist, exist in part, or do not.

RFC 1034, 1035, 1982, 2181, 2308, 2782, 3597, 4343, 4592, 5936, 8020, 8482, 9077 and 9471.
"""
import signal
import subprocess

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype

from mesh import WAIT, addresses, ask, eventually, texts
from packets import AA, AD, CD, RD, flags_of, query
from rfc_server import MESH, RfcTest

NOERROR, NXDOMAIN, REFUSED = dns.rcode.NOERROR, dns.rcode.NXDOMAIN, dns.rcode.REFUSED
EVERY_TYPE = ("A", "AAAA", "NS", "SOA", "MX", "TXT", "SRV", "CAA", "DS", "DNSKEY", "TYPE666", "TYPE65535")


class NamesTest(RfcTest):
    def dig(self, *words):
        command = ["dig", "@127.0.0.1", "-p", str(self.server[1]), "+norec", "+tries=1", *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=WAIT, check=True).stdout

    def test_rfc1034_only_own_zones_are_answered_with_authority(self):
        reply = self.ask("api")
        self.assertEqual(reply.flags, dns.flags.QR | dns.flags.AA)
        self.assertEqual(addresses(reply), ["10.0.0.11", "10.0.0.12"])
        for name in ("example.com.", "internal.", ".", "xmesh.internal.", "mesh.internal.example.com."):
            with self.subTest(name):
                reply = self.ask(name)
                self.assertEqual((reply.rcode(), reply.flags & dns.flags.AA), (REFUSED, 0))
                self.assertEqual(reply.answer + reply.authority + reply.additional, [])  # no referral upwards

    def test_rfc1034_dig_sees_the_refusal_and_its_reason(self):
        out = self.dig("example.com", "A")
        self.assertIn("status: REFUSED", out)
        self.assertRegex(out, r"flags: qr; ")
        self.assertIn("EDE: 20 (Not Authoritative)", out)

    def test_rfc1034_recursion_is_not_available(self):
        sent = query(flags=RD | CD | AD)
        self.assertEqual(flags_of(self.datagram(sent)), AA | RD)
        self.assertEqual(flags_of(self.datagram(query())), AA)

    def test_rfc1034_4_3_2_aliases_are_followed_inside_the_zone(self):
        reply = self.ask("alias")
        chain = [(rrset.name.labels[0].decode(), dns.rdatatype.to_text(rrset.rdtype)) for rrset in reply.answer]
        self.assertEqual(chain[:2], [("alias", "CNAME"), ("www", "CNAME")])
        self.assertEqual(addresses(reply), ["10.0.0.11", "10.0.0.12"])
        reply = self.ask("alias", "CNAME")
        self.assertEqual([rrset[0].to_text() for rrset in reply.answer], ["www.mesh.internal."])

    def test_rfc1034_4_3_2_an_alias_to_the_outside_ends_there(self):
        reply = self.ask("away")
        self.assertEqual((reply.rcode(), len(reply.answer), reply.authority), (NOERROR, 1, []))

    def test_rfc1034_loops_end_and_repeat_nothing(self):
        reply = self.ask("loop-a")
        self.assertEqual(reply.rcode(), NOERROR)
        self.assertEqual([rrset.name.labels[0] for rrset in reply.answer], [b"loop-a", b"loop-b"])

    def test_rfc2308_2_negative_at_the_end_of_a_chain(self):
        for alias, rcode in (("broken", NXDOMAIN), ("www", NOERROR)):
            reply = self.ask(alias, "MX")
            with self.subTest(alias):
                self.assertEqual(reply.answer[0].rdtype, dns.rdatatype.CNAME)
                self.assert_negative(reply, rcode)

    def test_rfc2181_5_2_one_ttl_per_set(self):
        [rrset] = self.ask("two").answer
        self.assertEqual((rrset.ttl, sorted(item.to_text() for item in rrset)), (30, ["10.9.9.2", "10.9.9.3"]))

    def test_rfc1035_4_1_4_names_are_compressed_and_pointers_go_back(self):
        reply = self.datagram(query("alias.mesh.internal"))
        self.assertEqual(reply.count(b"\x08internal"), 1)
        at = 12 + 4 + len(b"\x05alias\x04mesh\x08internal\x00")
        while (found := reply.find(b"\xc0", at)) >= 0:
            self.assertLess(reply[found + 1], found)
            at = found + 1

    def test_rfc1035_classes_other_than_in_are_refused(self):
        for qclass in ("CH", "HS", "NONE", "ANY"):
            reply = ask(self.server, "mesh.internal", "SOA", rdclass=qclass)
            self.assertEqual((reply.rcode(), reply.flags & dns.flags.AA), (REFUSED, 0), qclass)
        self.assertIn("status: REFUSED", self.dig("-c", "CH", "version.bind", "TXT"))

    def test_rfc2308_negative_answers_carry_the_soa(self):
        self.assert_negative(self.ask("nope"), NXDOMAIN)
        self.assert_negative(self.ask("a.b.c.nope"), NXDOMAIN)
        self.assert_negative(self.ask("info", "MX"), NOERROR)
        self.assert_negative(self.ask("info", "MX", use_edns=0, payload=512), NOERROR)

    def test_rfc9077_negative_ttl_is_the_lesser_of_soa_ttl_and_minimum(self):
        [soa] = self.ask("", "SOA").answer
        [negative] = self.ask("nope").authority
        self.assertEqual(negative.ttl, min(soa.ttl, soa[0].minimum))
        self.assertEqual(negative[0], soa[0])

    def test_rfc2308_a_host_without_instances_is_nodata(self):
        for host in ("empty", "nothing"):
            for kind in ("A", "AAAA", "TXT"):
                reply = self.ask(host, kind)
                self.assertEqual((reply.rcode(), reply.answer), (NOERROR, []), f"{host} {kind}")
                self.assertEqual(reply.authority[0].rdtype, dns.rdatatype.SOA)
                self.assertLessEqual(reply.authority[0].ttl, 5)

    def test_rfc2308_by_default_the_last_known_are_answered(self):
        self.assertEqual(addresses(self.ask("failed")), ["10.0.0.21"])

    def test_rfc4343_case_is_ignored_and_comes_back(self):
        for name in (b"aPi.MeSh.InTeRnAl", b"API.MESH.INTERNAL", b"Nope.MesH.internal", b"wWw.mesh.INTERNAL"):
            asked = b"".join(bytes([len(part)]) + part for part in name.split(b".")) + b"\0"
            reply = self.datagram(query(asked))
            self.assertEqual(reply[12:12 + len(asked)], asked)
            expected = NXDOMAIN if name.lower().startswith(b"nope") else NOERROR
            self.assertEqual(dns.message.from_wire(reply).rcode(), expected)
        self.assertIn("aPi.MeSh.InTeRnAl.", self.dig("aPi.MeSh.InTeRnAl", "+noall", "+answer"))

    def test_rfc4343_only_ascii_letters_have_case(self):
        self.assertEqual(self.exchange(query(b"\x04inf\xcf" + b"\x04mesh\x08internal\x00")).rcode(), NXDOMAIN)
        # '@' and '[' stand beside the letters, 0x20 below '`' and '{'
        self.assertEqual(self.exchange(query(b"\x04@nfo\x04mesh\x08internal\x00", 16)).rcode(), NXDOMAIN)

    def test_rfc2782_services(self):
        reply = self.ask("_http._tcp.api", "SRV")
        services = sorted((item.priority, item.weight, item.port, item.target) for item in reply.answer[0])
        self.assertEqual([service[:3] for service in services], [(0, 100, 8080)] * 3 + [(1, 100, 8080)])
        for *_, target in services:
            there = [kind for kind in ("A", "AAAA") if self.ask(target.to_text(), kind).answer]
            self.assertTrue(there, target)
            self.assertEqual(self.ask(target.to_text(), "CNAME").answer, [], "an alias as target")
        extra = {rrset.name for rrset in reply.additional}
        self.assertEqual(extra, {target for *_, target in services})

    def test_rfc2782_targets_are_not_compressed(self):
        packet = self.datagram(query("_http._tcp.api.mesh.internal", 33))
        whole = packet.count(b"\x03api\x04mesh\x08internal\x00")
        self.assertEqual(whole, 1 + len(self.ask("_http._tcp.api", "SRV").answer[0]))

    def test_rfc2782_what_is_not_offered_does_not_exist(self):
        for name in ("_grpc._tcp.api", "_http._udp.api", "_udp.api", "x._http._tcp.api"):
            self.assert_negative(self.ask(name, "SRV"), NXDOMAIN)

    def test_rfc3597_unknown_types_exist_or_do_not(self):
        for kind in ("TYPE666", "TYPE65535", "TYPE65280", "NSEC", "DS", "URI"):
            self.assert_negative(self.ask("", kind), NOERROR)
            self.assert_negative(self.ask("nope", kind), NXDOMAIN)
            reply = self.ask("api", kind)
            self.assertEqual((reply.rcode(), len(reply.authority)), (NOERROR, 1), kind)
        [rrset] = self.ask("odd", "TYPE65400").answer
        self.assertEqual(rrset[0].data, bytes.fromhex("0a000001"))
        self.assertIn("status: NOERROR", self.dig("mesh.internal", "TYPE65535"))

    def test_rfc4592_wildcards(self):
        self.assertEqual(texts(self.ask("a.wild", "TXT")), ["any"])
        self.assertEqual(texts(self.ask("a.b.c.wild", "TXT")), ["any"])
        self.assertEqual(self.ask("A.wild", "TXT").answer[0].name, dns.name.from_text("a.wild.mesh.internal."))
        self.assertEqual(texts(self.ask("*.wild", "TXT")), ["any"])
        self.assert_negative(self.ask("a.wild", "A"), NOERROR)
        self.assert_negative(self.ask("host.wild", "TXT"), NOERROR)  # a name that exists hides it
        self.assert_negative(self.ask("x.host.wild", "TXT"), NXDOMAIN)  # and for all below it
        self.assert_negative(self.ask("wild", "TXT"), NOERROR)

    def test_rfc8020_empty_non_terminals_exist(self):
        for name in ("_tcp.api", "tree", "er.tree", "wild"):
            for kind in EVERY_TYPE:
                self.assert_negative(self.ask(name, kind), NOERROR)
        self.assertIn("status: NOERROR", self.dig("_tcp.api.mesh.internal", "A"))

    def test_rfc8020_nothing_is_below_what_does_not_exist(self):
        self.assert_negative(self.ask("nope.tree", "TXT"), NXDOMAIN)
        self.assert_negative(self.ask("deep.nope.tree", "TXT"), NXDOMAIN)

    def test_rfc8482_any_gets_one_set(self):
        for name, kinds in (("api", {"HINFO"}), ("", {"SOA"}), ("two", {"A"})):
            reply = self.ask(name, "ANY")
            found = {dns.rdatatype.to_text(rrset.rdtype) for rrset in reply.answer}
            self.assertEqual((reply.rcode(), found), (NOERROR, kinds), name)
        self.assertEqual(self.ask("api", "ANY").answer[0][0].cpu, b"RFC8482")
        self.assert_negative(self.ask("nope", "ANY"), NXDOMAIN)

    def test_rfc5936_transfers_are_not_offered(self):
        for kind in ("AXFR", "IXFR"):
            reply = ask(self.server, "mesh.internal", kind, tcp=True)
            self.assertEqual((reply.rcode(), reply.answer), (REFUSED, []), kind)
        self.assertEqual(ask(self.server, "mesh.internal", "AXFR").rcode(), dns.rcode.FORMERR)  # 4.2: not over UDP
        self.assertEqual(ask(self.server, "mesh.internal", "IXFR").rcode(), REFUSED)

    def test_rfc9471_the_servers_addresses_come_with_their_names(self):
        reply = self.ask("", "NS")
        self.assertEqual([item.target.to_text() for item in reply.answer[0]], ["ns1.mesh.internal."])
        self.assertEqual([(rrset.name.to_text(), rrset[0].to_text()) for rrset in reply.additional],
                         [("ns1.mesh.internal.", "10.0.9.1")])


class SerialTest(RfcTest):
    def serial(self):
        return self.ask("", "SOA").answer[0][0].serial

    def change(self, address):
        """One more change, published: the serial that came with it."""
        self.bed.write("mesh.yaml", MESH.replace("10.0.0.11", address))
        self.daemon.send_signal(signal.SIGHUP)
        self.daemon.wait_line("reloaded", after=len(self.daemon.lines))
        eventually(lambda: address in addresses(self.ask("api")), "the change")
        return self.serial()

    def test_rfc1982_the_serial_goes_up_with_a_change_and_never_with_a_query(self):
        first = self.change("10.0.0.98")
        for name in ("api", "nope", "", "_http._tcp.api"):
            self.ask(name)
        self.assertEqual(self.serial(), first)
        second = self.change("10.0.0.99")
        self.assertTrue(0 < (second - first) % 2**32 < 2**31, (first, second))
