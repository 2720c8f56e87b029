"""Socket activation: the service manager holds the DNS port (docs/failures.md A3 and F5)."""
import os
import socket
import threading
import time
import unittest

import dns.edns
import dns.message
import dns.rcode

import mesh
from launch import Sockets
from mesh import WAIT, Bed, addresses, ask
from ports import free_port

DNSD = """\
cluster: eu-1
zones: [{{name: mesh.internal}}]
{role}
data_dir: {folder}/{name}
dns: {{workers: "{workers}", listen: [{{address: "127.0.0.1:{port}"}}], static_records: ["www 60 A 192.0.2.1"]}}
admin: {{listen: "127.0.0.1:0", socket: {folder}/{name}.sock}}
"""
NOT_READY = 14  # RFC 8914
QUERIES = 4000
IN_FLIGHT = 100


def codes(reply):
    return [int(option.code) for option in reply.options if isinstance(option, dns.edns.EDEOption)]


class ActivationTest(unittest.TestCase):
    def setUp(self):
        self.bed = self.enterContext(Bed())

    def sockets(self, **options):
        out = Sockets(**options)
        self.bed.callback(out.close)
        return out

    def config(self, name, role, port, workers=1):
        return self.bed.write(name + ".yaml", DNSD.format(folder=self.bed.folder, name=name, role=role, port=port,
                                                          workers=workers))

    def dnsd(self, sockets, name, role, workers=1, port=None):
        config = self.config(name, role, port or sockets.address[1], workers)
        return sockets.start(self.bed, os.path.join(mesh.BIN, "meshdnsd"), "--config", config)

    def federation(self, sockets, **options):
        role = 'federation: {listen: "127.0.0.1:0", store: {memory: {}}}'
        daemon = self.dnsd(sockets, "fed", role, **options)
        daemon.wait_line("ready")
        return daemon

    def test_the_sockets_are_served(self):
        for udp, workers in ((1, 1), (1, 3), (3, 2), (2, 3)):
            with self.subTest(udp=udp, workers=workers):
                sockets = self.sockets(udp=udp)
                daemon = self.federation(sockets, workers=workers)
                daemon.wait_line(f"dns listening address=127.0.0.1:{sockets.address[1]} .*inherited=true")
                for _ in range(20):  # from so many ports that every queue gets some
                    self.assertEqual(addresses(ask(sockets.address, "www.mesh.internal")), ["192.0.2.1"])
                self.assertEqual(addresses(ask(sockets.address, "www.mesh.internal", tcp=True)), ["192.0.2.1"])
                self.assertEqual(daemon.stop(), 0)

    def test_sockets_for_another_process_are_left_alone(self):
        sockets = self.sockets()
        config = self.config("fed", 'federation: {listen: "127.0.0.1:0", store: {memory: {}}}', 0)
        environment = {**os.environ, "LISTEN_PID": "1", "LISTEN_FDS": str(len(sockets.all))}
        daemon = self.bed.start("meshdnsd", "--config", config, env=environment)
        daemon.wait_line("dns listening .*inherited=false")
        daemon.wait_line("ready")

    def test_a_socket_that_no_listen_address_has_is_told(self):
        sockets = self.sockets()
        daemon = self.dnsd(sockets, "fed", 'federation: {listen: "127.0.0.1:0", store: {memory: {}}}',
                           port=free_port())
        daemon.wait_line("dns listening .*inherited=false")
        daemon.wait_line(f"socket not used address=127.0.0.1:{sockets.address[1]}")

    def test_a_replica_that_knows_nothing_yet_says_not_ready(self):
        later = free_port()
        sockets = self.sockets()
        replica = self.dnsd(sockets, "replica", f'roles: [dns]\nreplica: {{federation: ["127.0.0.1:{later}"]}}')
        replica.wait_line("no snapshot: DNS answers SERVFAIL")
        for name in ("web.shop.mesh.internal", "mesh.internal", "www.mesh.internal", "none.mesh.internal"):
            for tcp in (False, True):
                reply = ask(sockets.address, name, tcp=tcp, use_edns=0)
                self.assertEqual((reply.rcode(), codes(reply)), (dns.rcode.SERVFAIL, [NOT_READY]), name)
                self.assertFalse(reply.answer or reply.authority)
        self.assertEqual(ask(sockets.address, "web.shop.mesh.internal").rcode(), dns.rcode.SERVFAIL)
        self.assertEqual(ask(sockets.address, "example.net").rcode(), dns.rcode.REFUSED)
        self.assertFalse([line for line in replica.lines if " ready" in line])
        role = f'federation: {{listen: "127.0.0.1:{later}", store: {{memory: {{}}}}}}'
        self.bed.start("meshdnsd", "--config", self.config("fed", role, 0)).wait_line("ready")
        replica.wait_line(" ready ")
        reply = ask(sockets.address, "none.mesh.internal", use_edns=0)
        self.assertEqual((reply.rcode(), codes(reply)), (dns.rcode.NXDOMAIN, []))
        self.assertEqual(addresses(ask(sockets.address, "www.mesh.internal")), ["192.0.2.1"])

    def test_without_passed_sockets_the_port_stays_shut(self):
        port = free_port()
        config = self.config("replica", f'roles: [dns]\nreplica: {{federation: ["127.0.0.1:{free_port()}"]}}', port)
        self.bed.start("meshdnsd", "--config", config).wait_line("no snapshot: DNS is not served")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            one.bind(("127.0.0.1", port))  # nobody has it

    def test_no_query_is_lost_over_restarts(self):
        """Each is asked once, some 2,000 a second, while the daemon is replaced twice."""
        sockets = self.sockets()
        daemon = self.federation(sockets, workers=2)
        asker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.bed.callback(asker.close)
        asker.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        asker.connect(sockets.address)
        wire = bytearray(dns.message.make_query("www.mesh.internal", "A").to_wire())
        heard = set()

        def hear():
            asker.settimeout(WAIT)
            while len(heard) < QUERIES:
                try:
                    data = asker.recv(4096)
                except TimeoutError:
                    return
                if data[3] & 15 == dns.rcode.NOERROR:
                    heard.add(int.from_bytes(data[:2], "big"))

        hearer = threading.Thread(target=hear)
        hearer.start()
        sender = threading.Thread(target=self.send_all, args=(asker, wire, heard))
        sender.start()
        for _ in range(2):
            time.sleep(0.3)
            self.assertEqual(daemon.stop(), 0)
            daemon = self.federation(sockets, workers=2)
        sender.join()
        hearer.join()
        self.assertEqual(len(heard), QUERIES)

    @staticmethod
    def send_all(asker, wire, heard):
        end = time.monotonic() + WAIT
        for number in range(QUERIES):
            # no more than the kernel keeps for a socket that nobody reads
            while number - len(heard) > IN_FLIGHT and time.monotonic() < end:
                time.sleep(0.001)
            wire[0:2] = number.to_bytes(2, "big")
            asker.send(wire)
            time.sleep(0.0005)


if __name__ == "__main__":
    unittest.main()
