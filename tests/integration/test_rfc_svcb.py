"""Service bindings, and the names of addresses.

RFC 9460 (SVCB and HTTPS), 1035 3.5 and 3596 2.5 (reverse names), 2317, 6303 and 8020 there.
"""
import ipaddress
import subprocess

import dns.name
import dns.rcode
import dns.rdatatype
import dns.reversename

from mesh import WAIT
from packets import query, wire_name
from rfc_server import CONFIG, EU, US, RfcTest, node

NOERROR, NXDOMAIN, REFUSED = dns.rcode.NOERROR, dns.rcode.NXDOMAIN, dns.rcode.REFUSED
PORT, V4, V6 = 3, 4, 6  # SvcParamKeys

MESH = (
    "nodes:\n"
    + node("web", "eu-1", EU, "web", ["10.0.0.11", "fd00::11"])
    + node("web", "us-1", US, "web", ["10.2.0.11"])
    + node("down", "eu-1", EU, "down", ["10.0.0.21"], "failing")
    + node("plain", "eu-1", EU, "plain", ["10.0.0.31"])
    + """\
objects:
  - apiVersion: meshdns.io/v1alpha1
    kind: VirtualDestination
    metadata: {name: web, namespace: shop}
    spec:
      hosts: [web.mesh.internal, www.web.mesh.internal]
      services: [{name: web}]
      ports:
        - {name: https, number: 443, targetPort: 8443, appProtocol: https}
        - {name: alt, number: 9443, targetPort: 9000, appProtocol: https}
        - {name: http, number: 80, targetPort: http, appProtocol: http}
  - apiVersion: meshdns.io/v1alpha1
    kind: VirtualDestination
    metadata: {name: down, namespace: shop}
    spec:
      hosts: [down.mesh.internal]
      services: [{name: down}]
      ports: [{name: https, number: 443, appProtocol: https}]
      policy: {onEmpty: NoData}
"""
)


def reverse(address):
    return dns.reversename.from_address(address).to_text()


class ServiceBindingTest(RfcTest):
    records = ["alias 60 CNAME web", "21.0.0.10.in-addr.arpa. 60 PTR printer",
               "99.0.0.10.in-addr.arpa. 60 CNAME 99.0-127.0.0.10.in-addr.arpa.",
               "99.0-127.0.0.10.in-addr.arpa. 60 PTR old"]
    config = CONFIG.replace("ops.example.net}}]",
                            "ops.example.net}}, {{name: 10.in-addr.arpa}}, {{name: 0.0.d.f.ip6.arpa}}]")
    mesh = MESH

    def bindings(self, name, kind):
        reply = self.ask(name, kind)
        self.assertEqual(reply.rcode(), NOERROR)
        [rrset] = [rrset for rrset in reply.answer if rrset.rdtype == dns.rdatatype.from_text(kind)]
        return reply, sorted(rrset, key=lambda item: item.priority)

    def test_rfc9460_2_3_names_have_the_port_and_the_protocol(self):
        for name, port in (("_80._http.web", 8080), ("_443._https.web", 8443), ("_9443._https.web", 9000)):
            _, found = self.bindings(name, "SVCB")
            self.assertEqual([item.params[PORT].port for item in found], [port] * 3, name)

    def test_rfc9460_2_4_1_priorities_are_tiers_and_never_alias_mode(self):
        _, found = self.bindings("_80._http.web", "SVCB")
        self.assertEqual(sorted((item.priority, item.target.to_text()) for item in found),
                         [(1, "10-0-0-11.web.mesh.internal."), (1, "fd00-0-0-0-0-0-0-11.web.mesh.internal."),
                          (2, "10-2-0-11.web.mesh.internal.")])

    def test_rfc9460_7_3_hints_are_the_targets_addresses(self):
        reply, found = self.bindings("_443._https.web", "SVCB")
        extra = {(rrset.name, rrset.rdtype): sorted(item.address for item in rrset) for rrset in reply.additional}
        for item in found:
            for kind, key in (("A", V4), ("AAAA", V6)):
                answer = self.ask(item.target.to_text(), kind).answer
                there = [record.address for rrset in answer for record in rrset]
                self.assertEqual(list(item.params[key].addresses) if key in item.params else [], there)
                self.assertEqual(extra.get((item.target, dns.rdatatype.from_text(kind)), []), there)

    def test_rfc9460_2_2_keys_ascend_and_targets_are_whole(self):
        packet = self.datagram(query("_80._http.web.mesh.internal", 64))
        for target, hint in (("10-0-0-11", b"\0\4\0\4"), ("fd00-0-0-0-0-0-0-11", b"\0\6\0\x10")):
            address = "10.0.0.11" if hint == b"\0\4\0\4" else "fd00::11"
            rdata = (b"\0\1" + wire_name(f"{target}.web.mesh.internal") + b"\0\3\0\2\x1f\x90" + hint
                     + ipaddress.ip_address(address).packed)
            self.assertEqual(packet.count(len(rdata).to_bytes(2, "big") + rdata), 1, target)

    def test_rfc9460_9_1_https_of_port_443_is_at_the_host(self):
        for name in ("web", "alias", "www.web"):
            _, found = self.bindings(name, "HTTPS")
            self.assertEqual([(item.priority, item.params[PORT].port) for item in found],
                             [(1, 8443), (1, 8443), (2, 8443)])
        self.assert_negative(self.ask("_443._https.web", "HTTPS"), NOERROR)
        _, found = self.bindings("_9443._https.web", "HTTPS")
        self.assertEqual([item.params[PORT].port for item in found], [9000] * 3)

    def test_rfc9460_9_5_https_only_where_https_is_spoken(self):
        for name in ("plain.shop", "_80._http.web"):
            self.assert_negative(self.ask(name, "HTTPS"), NOERROR)

    def test_rfc9460_what_is_not_offered_does_not_exist(self):
        for name in ("_8080._http.web", "_080._http.web", "_80._https.web", "_grpc.web", "x._80._http.web"):
            self.assert_negative(self.ask(name, "SVCB"), NXDOMAIN)

    def test_rfc9460_names_are_there_whatever_health_says(self):
        self.assert_negative(self.ask("_443._https.down", "SVCB"), NOERROR, ttl=1)
        self.assert_negative(self.ask("down", "HTTPS"), NOERROR, ttl=1)

    def test_rfc8020_the_names_above_bindings_and_places_exist(self):
        for name in ("_http.web", "_https.web", "_tcp.web", "_zone.web", "pin._zone.web", "prefer._cluster.web",
                     "x.pin._region.web"):
            self.assert_negative(self.ask(name, "SVCB"), NOERROR)

    def test_rfc8020_every_name_above_an_address_exists(self):
        for address in ("10.0.0.11", "fd00::11"):
            name = dns.name.from_text(reverse(address)).parent()
            apex = dns.name.from_text("10.in-addr.arpa." if "." in address else "0.0.d.f.ip6.arpa.")
            while name.is_subdomain(apex):
                reply = self.ask(name.to_text(), "PTR")
                self.assertEqual((reply.rcode(), reply.answer, reply.authority[0].name), (NOERROR, [], apex), name)
                name = name.parent()
            self.assertEqual(self.ask(name.to_text(), "PTR").rcode(), REFUSED)

    def test_rfc1035_3_5_and_rfc3596_an_address_has_one_name(self):
        for address, name in (("10.0.0.11", "10-0-0-11"), ("fd00::11", "fd00-0-0-0-0-0-0-11")):
            [rrset] = self.ask(reverse(address), "PTR").answer
            self.assertEqual([item.to_text() for item in rrset], [f"{name}.web.mesh.internal."])
            kind = "A" if "." in address else "AAAA"
            self.assertEqual([item.address for item in self.ask(rrset[0].to_text(), kind).answer[0]], [address])

    def test_rfc1035_3_5_dig_x(self):
        command = ["dig", "@127.0.0.1", "-p", str(self.server[1]), "+norec", "+short", "-x", "10.2.0.11"]
        out = subprocess.run(command, capture_output=True, text=True, timeout=WAIT, check=True).stdout
        self.assertEqual(out, "10-2-0-11.web.mesh.internal.\n")

    def test_rfc8020_addresses_of_nobody_do_not_exist(self):
        for name in ("12.0.0.10", "1.0.10", "x.11.0.0.10", "011.0.0.10", "web.shop.10"):
            reply = self.ask(f"{name}.in-addr.arpa.", "PTR")
            self.assertEqual((reply.rcode(), reply.authority[0].name.to_text()), (NXDOMAIN, "10.in-addr.arpa."), name)

    def test_rfc6303_only_configured_reverse_zones_are_ours(self):
        for address in ("192.168.0.1", "127.0.0.1", "fd01::1"):
            self.assertEqual(self.ask(reverse(address), "PTR").rcode(), REFUSED, address)
        [soa] = self.ask("10.in-addr.arpa.", "SOA").answer
        self.assertEqual(soa[0].mname.to_text(), "ns.10.in-addr.arpa.")

    def test_rfc2317_static_names_stand_before_addresses(self):
        self.assertEqual(self.ask(reverse("10.0.0.21"), "PTR").answer[0][0].to_text(), "printer.mesh.internal.")
        chain = self.ask(reverse("10.0.0.99"), "PTR").answer
        self.assertEqual([rrset[0].to_text() for rrset in chain], ["99.0-127.0.0.10.in-addr.arpa.", "old.mesh.internal."])
