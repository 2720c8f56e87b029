"""One static zone behind nsd, knotd and meshdnsd: whatever is asked, they answer alike, but for what is listed here."""
import os
import random
import socket
import subprocess
import sys
import time
import unittest

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import dns.rdataclass
import dns.rdatatype

import peers
import servers
from mesh import Bed
from packets import framed, parsed, read_frame
from zone import KINDS, ZONE, StaticZone

ROOTS = servers.unpack()
LDNS = peers.debian("ldnsutils")
SEED = int(os.environ.get("MESHDNS_SEED") or random.SystemRandom().randrange(1 << 32))
SAMPLES = 300  # of our replies that ldns reads too
WAYS = (  # what the client can take: EDNS size, DO, TCP
    (None, False, False), (512, False, False), (1232, True, False), (4096, True, False), (None, False, True),
    (1232, True, True),
)


class Asked:
    """One question in one of the ways to ask it."""

    def __init__(self, name, kind, way):
        self.name, self.kind = name, kind
        self.size, self.dnssec, self.tcp = way
        options = {} if self.size is None else {"use_edns": 0, "payload": self.size, "ednsflags": self.dnssec << 15}
        query = dns.message.make_query(name, kind, id=0, **options)
        query.flags = 0
        self.packet = query.to_wire()

    def __str__(self):
        return f"{self.name} {self.kind} size={self.size} do={self.dnssec} tcp={self.tcp}"


class Asker:
    """A client of one server: a datagram each, and one connection at a time."""

    def __init__(self, server):
        self.server = server
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.settimeout(10)
        self.udp.connect(server)
        self.tcp = None

    def ask(self, asked, ident):
        packet = ident.to_bytes(2, "big") + asked.packet[2:]
        if not asked.tcp:
            reply = self.over_udp(packet)
        else:
            reply = self.over_tcp(packet)
        assert reply is None or reply[:2] == packet[:2], asked
        return reply

    def over_udp(self, packet):
        try:
            self.udp.send(packet)
            return self.udp.recv(65535)
        except TimeoutError:
            return None

    def over_tcp(self, packet):
        for _ in range(2):  # a server may end a connection between two queries
            try:
                if self.tcp is None:
                    self.tcp = socket.create_connection(self.server, timeout=10)
                self.tcp.sendall(framed(packet))
                if reply := read_frame(self.tcp):
                    return reply
            except OSError:
                pass
            self.close_tcp()
        return None

    def close_tcp(self):
        if self.tcp:
            self.tcp.close()
        self.tcp = None

    def close(self):
        self.udp.close()
        self.close_tcp()


class Answer:
    """What is compared of a reply: all that a resolver goes by, in an order of its own."""

    def __init__(self, reply):
        message = parsed(reply)
        self.rcode = dns.rcode.to_text(message.rcode())
        self.authoritative = bool(message.flags & dns.flags.AA)
        self.truncated = bool(message.flags & dns.flags.TC)
        self.recursion = bool(message.flags & (dns.flags.RA | dns.flags.AD))
        self.edns = (message.edns, message.ednsflags & 0xFFFF if message.edns >= 0 else 0)
        self.question = [str(item.name) for item in message.question]  # in the case that was asked
        # what there is of a truncated answer is not used (RFC 2181 9)
        self.answer = [] if self.truncated else texts(message.answer)
        soa = [rrset for rrset in message.authority if rrset.rdtype == dns.rdatatype.SOA]
        self.soa = [] if self.truncated else texts(soa)

    def differences(self, other):
        return sorted(key for key, value in vars(self).items() if value != vars(other)[key])


def texts(rrsets):
    return sorted(f"{str(rrset.name).lower()} {rrset.ttl} {dns.rdatatype.to_text(rrset.rdtype)} {str(item).lower()}"
                  for rrset in rrsets for item in rrset)


OUR_LINKS, KNOT_LINKS = 9, 5  # the most aliases in an answer
MANY_NAMES = 4  # aliases before which a writer that remembers eight names has forgotten the first ones


def links(answer):
    return sum(" CNAME " in line for line in answer.answer)


def allowed(zone, name, asked, ours, theirs):
    """Why this difference is right; None = it is not."""
    fields = set(ours.differences(theirs))
    if asked.kind == "ANY" and fields <= {"answer", "truncated"} and ours.answer:
        return "ANY: one set is enough, each takes another (RFC 8482 4.1)"
    if not fields <= {"answer", "truncated", "rcode", "soa"}:
        return None
    if asked.name.lower() in zone.loops and ours.rcode == "NOERROR":
        return "a loop of aliases: each stops somewhere"
    if name == "knot" and asked.kind == "NSEC" and (links(ours) > 0 or ours.truncated):
        return "NSEC stands beside an alias (RFC 4035 2.5): knot does not follow it, with DNSSEC or without"
    if name == "knot" and links(theirs) == KNOT_LINKS:
        return "a long chain: knot leaves the rest to the resolver"
    if ours.truncated and not theirs.truncated and links(theirs) >= MANY_NAMES:
        return "a chain with data: names are compressed against the last few ones, so that we fill 512 bytes earlier"
    if links(ours) == OUR_LINKS:
        return "a long chain: we leave the rest to the resolver"
    return None


class DifferentialTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        print(f"\nMESHDNS_SEED={SEED}", file=sys.stderr, flush=True)
        cls.bed = cls.enterClassContext(Bed())
        cls.zone = StaticZone(SEED)
        cls.askers = {}
        for name, server in servers.start(cls.bed, cls.zone.lines, ROOTS).items():
            cls.askers[name] = Asker(server)
            cls.addClassCleanup(cls.askers[name].close)
        cls.kept = []

    def replies(self, asked, ident):
        return {name: self.reply(name, asked, ident) for name in self.askers}

    def reply(self, name, asked, ident):
        reply = self.askers[name].ask(asked, ident)
        self.assertTrue(reply, f"{name} does not answer {asked}")
        return reply

    def questions(self, names):
        """Every name and type in one of the ways, drawn; what is at a name in all of them."""
        draw, out = random.Random(SEED), []
        for name in names:
            there = {line.split()[2] for line in self.zone.lines if line.split()[0] == name.lower()}
            for kind in KINDS:
                ways = WAYS if kind in there or "CNAME" in there and kind == "A" else [draw.choice(WAYS)]
                out += [(name, kind, way) for way in ways]
        return out

    def test_every_question_is_answered_alike(self):
        names, start, seen, wrong = self.zone.questions(), time.monotonic(), {}, {}
        everything = self.questions(names)
        for ident, row in enumerate(everything):
            asked = Asked(*row)
            replies = self.replies(asked, ident & 0xFFFF)
            if ident % (len(everything) // SAMPLES) == 0:
                self.kept.append(replies["ours"])
            answers = {name: Answer(reply) for name, reply in replies.items()}
            for name in ROOTS:
                if fields := answers["ours"].differences(answers[name]):
                    reason = allowed(self.zone, name, asked, answers["ours"], answers[name])
                    if reason is None:
                        what = [f"{field}: {vars(answers['ours'])[field]}, {name} {vars(answers[name])[field]}"
                                for field in fields]
                        wrong.setdefault((name, *fields), []).append(f"{asked}: ours {'; '.join(what)}")
                    seen[reason] = seen.get(reason, 0) + 1
        print(f"\n{len(everything)} questions about {len(names)} names to {len(self.askers)} servers in "
              f"{time.monotonic() - start:.0f} s; differences: {seen}", file=sys.stderr, flush=True)
        examples = [f"{len(found)}x {found[0]}" for found in wrong.values()]
        self.assertEqual(examples, [], "\n".join(examples))
        self.ldns_reads_them_too()

    def ldns_reads_them_too(self):
        for number, reply in enumerate(self.kept):
            path = self.bed.write(f"replies/{number}", reply.hex())
            done = subprocess.run([LDNS + "/usr/bin/drill", "-i", path], capture_output=True, text=True, check=False,
                                  env=peers.environment(LDNS))
            self.assertEqual((done.returncode, done.stderr), (0, ""), reply.hex())
            self.assertIn(";; ->>HEADER<<-", done.stdout)


if __name__ == "__main__":
    unittest.main()
