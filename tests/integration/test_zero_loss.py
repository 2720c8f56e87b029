"""What is reloaded and changed while clients ask costs none of their queries (tests/bench has it at 10,000 a second)."""
import signal
import socket
import threading
import time
import unittest

import dns.message
import dns.rcode

from mesh import WAIT, Bed, run

CONFIG = """\
cluster: eu-1
zones: [{{name: mesh.internal}}]
data_dir: {folder}
dns:
  workers: "2"
  listen: [{{address: "127.0.0.1:{port}"}}]
  stale_after: {number}s
  static_zone_file: mesh.internal.zone
federation: {{listen: "127.0.0.1:0", store: {{memory: {{}}}}}}
admin: {{listen: "127.0.0.1:0", socket: {folder}/meshdnsd.sock}}
"""
OBJECT = """\
apiVersion: meshdns.io/v1alpha1
kind: VirtualDestination
metadata: {{name: web, namespace: shop}}
spec: {{hosts: [web{number}.mesh.internal], services: [{{namespace: shop, name: web}}]}}
"""
RECORDS, ROUNDS = 500, 6


class Client(threading.Thread):
    """Asks one query after the other; each has to be answered, and rightly."""

    def __init__(self, server, name):
        super().__init__(daemon=True)
        self.query = dns.message.make_query(name, "A").to_wire()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.settimeout(WAIT)
        self.socket.connect(server)
        self.ended, self.asked, self.problems = threading.Event(), 0, []

    def run(self):
        with self.socket:
            while not self.ended.is_set():
                self.asked += 1
                try:
                    self.socket.send(self.asked.to_bytes(4, "big")[2:] + self.query[2:])
                    reply = dns.message.from_wire(self.socket.recv(4096))
                except OSError as error:
                    self.problems.append(f"query {self.asked}: {error}")
                    return
                if reply.id != self.asked & 0xFFFF or reply.rcode() != dns.rcode.NOERROR or not reply.answer:
                    self.problems.append(reply.to_text())
                time.sleep(0.001)


class ZeroLossTest(unittest.TestCase):
    def setUp(self):
        self.bed = self.enterContext(Bed())
        self.write(0, 0)
        self.daemon = self.bed.start("meshdnsd", "--config", self.bed.path("meshdnsd.yaml"))
        self.daemon.wait_line("ready")
        self.server = self.daemon.address("dns listening")
        self.clients = [Client(self.server, f"h{n}.mesh.internal") for n in range(3)]
        for client in self.clients:
            client.start()

    def write(self, number, port):
        """Another configuration and another zone file, in which what is asked stays."""
        records = "".join(f"h{n} 60 A 10.0.{n >> 8}.{n & 255}\n" for n in range(RECORDS + 50 * number))
        self.bed.write("mesh.internal.zone", f"@ 5 SOA ns1 ops {number + 1} 1 1 1 5\n" + records)
        self.bed.write("meshdnsd.yaml", CONFIG.format(folder=self.bed.folder, number=number + 1, port=port))

    def test_reloads_and_changes_of_the_catalog(self):
        for number in range(ROUNDS):
            seen = len(self.daemon.lines)
            self.write(number, self.server[1])
            self.daemon.send_signal(signal.SIGHUP)
            self.daemon.wait_line("reloaded", after=seen)
            file = self.bed.write("web.yaml", OBJECT.format(number=number))
            code, _, err = run("meshdnsctl", "--server", "unix:" + self.bed.path("meshdnsd.sock"), "apply", "-f", file)
            self.assertEqual(code, 0, err)  # what lint finds is said, and is no error
        for client in self.clients:
            client.ended.set()
        for client in self.clients:
            client.join(2 * WAIT)
            self.assertEqual(client.problems, [])
            self.assertGreater(client.asked, 10)


if __name__ == "__main__":
    unittest.main()
