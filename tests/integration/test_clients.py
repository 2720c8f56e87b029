"""What clients ask for by EDNS options, and what they get when they are strangers or greedy."""
import os
import re
import signal
import socket
import subprocess
import unittest
import urllib.request

import dns.edns
import dns.flags
import dns.message
import dns.query
import dns.rcode

from mesh import BIN, WAIT, Bed, addresses, ask, eventually, run
from test_meshdnsd import MESH

CONFIG = """\
cluster: eu-1
locality: {{region: eu, zone: eu-a}}
roles: [dns]
zones: [{{name: mesh.internal}}]
dns:
  workers: "2"
  listen: [{{address: "{address}:{port}"}}]
  endpoints_file: mesh.yaml
{more}
admin: {{listen: "127.0.0.1:0", socket: {folder}/meshdnsd.sock}}
"""
NAME = "app-b.mesh.internal"
NSID, COOKIE, KEEPALIVE, ZONEVERSION = 3, 10, 11, 19
CLIENT_COOKIE = bytes(range(1, 9))


def with_option(server, code, data=b"", tcp=False, name=NAME):
    """The reply and the data of its option of the same code; None = it has none."""
    reply = ask(server, name, tcp=tcp, use_edns=0, options=[dns.edns.GenericOption(code, data)])
    found = [option.to_wire() for option in reply.options if option.otype == code]
    return reply, found[0] if found else None


class ClientsTest(unittest.TestCase):
    def setUp(self):
        self.bed = self.enterContext(Bed())
        self.bed.write("mesh.yaml", MESH)

    def config(self, more="", name="meshdnsd.yaml", address="127.0.0.1", port=0):
        text = CONFIG.format(folder=self.bed.folder, address=address, port=port, more=more)
        return self.bed.write(name, text.replace("meshdnsd.sock", name + ".sock"))

    def start(self, more="", name="meshdnsd.yaml"):
        daemon = self.bed.start("meshdnsd", "--config", self.config(more, name))
        daemon.wait_line("ready")
        return daemon, daemon.address("dns listening")

    def metrics(self, daemon):
        with urllib.request.urlopen("http://%s:%d/metrics" % daemon.address("admin listening"), timeout=WAIT) as reply:
            return reply.read().decode()

    def dig(self, server, *words):
        argv = ["dig", "@" + server[0], "-p", str(server[1]), "+norec", *words, NAME]
        return subprocess.run(argv, capture_output=True, text=True, timeout=WAIT, check=True).stdout

    def test_dig_shows_who_answers_and_for_how_long(self):
        _, server = self.start("  nsid: eu1-dns1")
        self.assertIn('("eu1-dns1")', self.dig(server, "+nsid"))
        self.assertIn("TCP KEEPALIVE: 30.0 secs", self.dig(server, "+tcp", "+keepalive"))
        self.assertNotIn("KEEPALIVE", self.dig(server, "+notcp", "+keepalive"))
        self.assertRegex(self.dig(server, "+cookie=0102030405060708"), r"COOKIE: 010203040506070801000000[0-9a-f]{24} \(good\)")

    def test_the_host_s_name_is_the_default_nsid(self):
        _, server = self.start()
        self.assertEqual(with_option(server, NSID)[1], socket.gethostname().encode()[:64])
        _, quiet = self.start("  nsid: off", "quiet.yaml")
        self.assertIsNone(with_option(quiet, NSID)[1])

    def test_the_zone_s_version_is_its_serial(self):
        _, server = self.start()
        serial = ask(server, "mesh.internal", "SOA").answer[0][0].serial
        self.assertEqual(with_option(server, ZONEVERSION)[1], bytes([2, 0]) + serial.to_bytes(4, "big"))
        self.assertIsNone(with_option(server, ZONEVERSION, name="example.org")[1])

    def test_servers_with_one_secret_take_each_other_s_cookies(self):
        self.bed.write("a.secret", "00112233445566778899aabbccddeeff\n")
        self.bed.write("b.secret", "ffeeddccbbaa99887766554433221100\n")
        first, server = self.start("  cookie_secrets: [a.secret]")
        _, other = self.start("  cookie_secrets: [b.secret, a.secret]", "other.yaml")
        _, stranger = self.start("", "stranger.yaml")
        cookie = with_option(server, COOKIE, CLIENT_COOKIE)[1]
        self.assertEqual(len(cookie), 24)
        self.assertEqual(with_option(server, COOKIE, cookie)[1], cookie)
        by_other = with_option(other, COOKIE, cookie)[1]
        self.assertNotEqual(by_other, cookie, "good, but signed anew by the first secret")
        reply, by_stranger = with_option(stranger, COOKIE, cookie)
        self.assertEqual((reply.rcode(), addresses(reply)), (dns.rcode.NOERROR, ["10.0.0.11"]), "a wrong cookie is as none")
        self.assertNotIn(by_stranger, (cookie, by_other))
        self.bed.write("a.secret", "ffeeddccbbaa99887766554433221100\n")
        first.send_signal(signal.SIGHUP)
        eventually(lambda: with_option(server, COOKIE, by_other)[1] == by_other or None, "the new secret")

    def test_a_cookie_alone_is_answered(self):
        _, server = self.start()
        query = dns.message.Message(id=77)
        query.use_edns(0, options=[dns.edns.GenericOption(COOKIE, CLIENT_COOKIE)])
        reply = dns.query.udp(query, server[0], port=server[1], timeout=WAIT)
        self.assertEqual(reply.rcode(), dns.rcode.NOERROR)
        self.assertEqual(len(reply.options[0].to_wire()), 24)

    def test_a_wrong_secret_is_told_and_changes_nothing(self):
        self.bed.write("a.secret", "00112233445566778899aabbccddeeff\n")
        daemon, server = self.start("  cookie_secrets: [a.secret]")
        cookie = with_option(server, COOKIE, CLIENT_COOKIE)[1]
        self.bed.write("a.secret", "0011\n")
        daemon.send_signal(signal.SIGHUP)
        daemon.wait_line("reload failed")
        daemon.wait_line("a.secret: expected 32 hexadecimal digits, or 16 bytes")
        self.assertEqual(with_option(server, COOKIE, cookie)[1], cookie)
        code, _, err = run("meshdnsd", "--check-config", "--config", self.bed.path("meshdnsd.yaml"))
        self.assertEqual(code, 2)
        self.assertIn("a.secret", err)

    def test_who_is_not_allowed_is_refused_with_the_reason(self):
        daemon, server = self.start("  allow: [10.0.0.0/8]")
        for tcp in (False, True):
            reply = ask(server, NAME, tcp=tcp, use_edns=0)
            self.assertEqual(reply.rcode(), dns.rcode.REFUSED)
            self.assertEqual([option.code for option in reply.options if option.otype == dns.edns.OptionType.EDE], [18])
        self.assertIn('meshdns_dns_denied_queries_total{transport="tcp"} 1', self.metrics(daemon))
        self.config("  allow: [127.0.0.0/8]")
        daemon.send_signal(signal.SIGHUP)
        eventually(lambda: addresses(ask(server, NAME)) == ["10.0.0.11"] or None, "an answer")

    def test_tcp_settings_need_a_restart(self):
        daemon, server = self.start("  tcp: {connections_per_client: 1, idle: 5s}")
        self.assertEqual(with_option(server, KEEPALIVE, tcp=True)[1], (50).to_bytes(2, "big"))
        self.config("  tcp: {idle: 6s}\n  cpu_steering: false")
        daemon.send_signal(signal.SIGHUP)
        daemon.wait_line(r'restart needed for="?dns.tcp, dns.cpu_steering')


@unittest.skipUnless(os.geteuid() == 0, "a network namespace of its own needs root")
class StrangerTest(unittest.TestCase):
    """A client with a public address, in a network namespace where only it and the server are."""

    def setUp(self):
        self.bed = self.enterContext(Bed())
        self.bed.write("mesh.yaml", MESH)
        more = "  cookie_secrets: [a.secret]\n  rate_limit: {per_second: 1, burst: 20}"
        self.bed.write("a.secret", "00112233445566778899aabbccddeeff\n")
        config = self.bed.write("meshdnsd.yaml", CONFIG.format(folder=self.bed.folder, address="0.0.0.0", port=5300, more=more))
        inside = "ip link set lo up && ip address add 198.51.100.1/24 dev lo && exec $0 --config $1"
        self.daemon = self.bed.start("/usr/bin/unshare", "--net", "sh", "-c", inside, os.path.join(BIN, "meshdnsd"), config)
        self.daemon.wait_line("ready")

    def digs(self, address, count, *words):
        """So many queries at once; the header lines of their replies."""
        line = " ".join(["@" + address, "-p 5300 +norec +tries=1 +timeout=60", *words, NAME])
        batch = self.bed.write("batch", (line + "\n") * count)
        argv = ["nsenter", "--net", "--target", str(self.daemon.process.pid), "dig", "-f", batch]
        out = subprocess.run(argv, capture_output=True, text=True, timeout=WAIT, check=True).stdout
        return re.findall(r"^;; flags: (.*?);", out, re.MULTILINE), out

    def test_its_answers_are_limited_unless_a_cookie_proves_its_address(self):
        flags, _ = self.digs("198.51.100.1", 60, "+nocookie", "+ignore")
        self.assertEqual(len(flags), 60, "slip 1: none is dropped")
        truncated = sum(" tc" in each for each in flags)
        self.assertTrue(30 <= truncated <= 40, f"{truncated} of 60: 20 at once, and one a second")
        self.daemon.wait_line("answers are limited .*to=198.51.100.0/24")
        cookie = re.search(r"COOKIE: ([0-9a-f]{48})", self.digs("198.51.100.1", 1, "+ignore")[1]).group(1)
        flags, _ = self.digs("198.51.100.1", 60, "+ignore", "+cookie=" + cookie)
        self.assertEqual([each for each in flags if " tc" in each], [])
        _, out = self.digs("198.51.100.1", 1, "+nocookie")
        self.assertIn("10.0.0.11", out, "over TCP, which dig tries by itself")
        flags, _ = self.digs("127.0.0.1", 60, "+nocookie", "+ignore")
        self.assertEqual([each for each in flags if " tc" in each], [], "loopback never is")


if __name__ == "__main__":
    unittest.main()
