"""A hundred thousand mutated packets (docs/failures.md G3): the server stays, says nothing but to what is no request, and
every reply is a message, with the request's id and its question."""
import os
import random
import socket
import subprocess
import sys
import time
import unittest

import peers
from mutations import Mutations
from packets import framed, parsed, query, read_frame
from rfc_server import RfcTest

LDNS = peers.debian("ldnsutils")
SEED = int(os.environ.get("MESHDNS_SEED") or random.SystemRandom().randrange(1 << 32))
DATAGRAMS, FRAMES = 100_000, 10_000
BATCH = 40
SAMPLES = 300  # of the replies that ldns reads too
LAST = b"\xff\xff"


def is_request(packet):
    return len(packet) >= 12 and packet[2] < 0x80


class MutationsTest(RfcTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        print(f"\nMESHDNS_SEED={SEED}", file=sys.stderr, flush=True)

    def check(self, packet, reply):
        """returns: the rcode"""
        self.assertEqual(reply[:2], packet[:2])
        message = parsed(reply)
        if message.question:
            end = 12 + len(message.question[0].name.to_wire()) + 4
            self.assertEqual(reply[12:end], packet[12:end], "another question, or another case")
        return message.rcode()

    def batch(self, sock, packets):
        """Sends these and one good query; the replies in their order. One client is served by one worker."""
        for packet in packets:
            sock.send(packet)
        sock.send(query(ident=0xFFFF))
        replies = []
        while (reply := sock.recv(65535))[:2] != LAST:
            replies.append(reply)
        return replies

    def test_g3_over_udp(self):
        mutations, rcodes, samples, start = Mutations(SEED), {}, [], time.monotonic()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(10)
            sock.connect(self.server)
            for number in range(DATAGRAMS // BATCH):
                drawn = [mutations.next() for _ in range(BATCH)]
                packets = [packet for packet in drawn if packet and packet[:2] != LAST]
                asked = [packet for packet in packets if is_request(packet)]
                replies = self.batch(sock, packets)
                self.assertEqual([reply[:2] for reply in replies], [packet[:2] for packet in asked], "silence, or more")
                for packet, reply in zip(asked, replies):
                    with self.subTest(packet=packet.hex(), reply=reply.hex()):
                        rcode = self.check(packet, reply).name
                        rcodes[rcode] = rcodes.get(rcode, 0) + 1
                if number % (DATAGRAMS // BATCH // SAMPLES) == 0 and replies:
                    samples.append(replies[0])
        print(f"\n{DATAGRAMS} datagrams in {time.monotonic() - start:.0f} s: {rcodes}", file=sys.stderr, flush=True)
        for name in ("NOERROR", "NXDOMAIN", "FORMERR", "REFUSED", "NOTIMP"):
            self.assertGreater(rcodes.get(name, 0), 100, "too few for the test to mean anything")
        self.ldns_reads_them_too(samples)

    def ldns_reads_them_too(self, samples):
        for number, reply in enumerate(samples):
            path = self.bed.write(f"replies/{number}", reply.hex())
            done = subprocess.run([LDNS + "/usr/bin/drill", "-i", path], capture_output=True, text=True, check=False,
                                  env=peers.environment(LDNS))
            self.assertEqual((done.returncode, done.stderr), (0, ""), reply.hex())

    def test_g3_over_tcp(self):
        mutations, sock = Mutations(SEED + 1), None
        for _ in range(FRAMES):
            packet = mutations.next()
            sock = sock or self.connect()
            sock.sendall(framed(packet))
            reply = read_frame(sock)
            # what is no request ends the connection
            self.assertEqual(reply is not None, is_request(packet), packet.hex())
            if reply is None:
                sock.close()
                sock = None
                continue
            with self.subTest(packet=packet.hex(), reply=reply.hex()):
                self.check(packet, reply)


if __name__ == "__main__":
    unittest.main()
