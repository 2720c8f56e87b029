"""Queries as clients send them, and what is left of them after a few mistakes; from a seed."""
import random
import struct

from packets import DO, RD, header, opt, option, query, question, record, subnet

NAMES = ("api.mesh.internal", "aPi.MesH.internal", "www.mesh.internal", "_http._tcp.api.mesh.internal",
         "_all.large.mesh.internal", "_explain.api.mesh.internal", "nope.mesh.internal", "a.b.wild.mesh.internal",
         "chain0.mesh.internal", "mesh.internal", "example.com", "", "10-0-0-11.api.mesh.internal",
         "failed.mesh.internal", "_tcp.api.mesh.internal")
KINDS = (1, 2, 5, 6, 12, 15, 16, 28, 33, 41, 65, 250, 251, 252, 255, 257, 65400)
OPTIONS = (b"", option(3), option(10, b"12345678"), subnet(1, 24, b"\x0a\2\x09"), subnet(2, 48, b"\xfd\1\0\0\0\0"),
           option(65001, b"x"), option(11, b"\0\1"), option(12, b"\0" * 20), option(19))


class Mutations:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def good(self):
        """A query of the kind that is sent a million times a day."""
        pick = self.random.choice
        edns = b"" if self.random.random() < 0.3 else opt(
            pick(OPTIONS) + pick(OPTIONS), pick((0, 512, 1232, 4096)), pick((0, 0, 0, 1)), pick((0, DO)))
        if self.random.random() < 0.05:  # IXFR carries a record
            return header(flags=RD, counts=(1, 0, 1, 0)) + question("mesh.internal", 251) + record(6, b"\0" * 22)
        return query(pick(NAMES), pick(KINDS), flags=pick((0, RD)), edns=edns)

    def next(self):
        """A good one with up to eight changes, each anywhere."""
        packet = bytearray(self.good())
        packet[:2] = self.random.randbytes(2)
        for _ in range(self.random.choice((0, 1, 1, 1, 2, 3, 8))):
            self.change(packet)
        return bytes(packet[:4096])

    def change(self, packet):
        at = self.random.randrange(len(packet) + 1)
        span = self.random.choice((1, 1, 2, 4, 16))
        kind = self.random.randrange(9)
        if kind == 0 and at < len(packet):
            packet[at] ^= 1 << self.random.randrange(8)
        elif kind == 1 and at < len(packet):
            packet[at] = self.random.choice((0, 1, 0x3F, 0x40, 0x7F, 0x80, 0xC0, 0xFF))
        elif kind == 2:
            packet[at:at] = self.random.randbytes(span)
        elif kind == 3:
            del packet[at:at + span]
        elif kind == 4:
            packet[at:at] = packet[at:at + span] * self.random.choice((1, 2, 50))
        elif kind == 5:
            del packet[at:]
        elif kind == 6:  # a pointer
            packet[at:at + 2] = struct.pack("!H", 0xC000 | self.random.randrange(max(1, len(packet))))
        elif kind == 7 and len(packet) >= 12:  # counts of records
            struct.pack_into("!H", packet, self.random.choice((4, 6, 8, 10)), self.random.choice((0, 1, 2, 255, 65535)))
        else:
            packet[at:at] = self.good()[self.random.randrange(20):]
