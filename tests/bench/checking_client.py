#!/usr/bin/python3
"""A client that asks at a steady rate and checks every answer, beside whatever is done to the servers.

checking_client.py ADDRESS PORT NAME RATE ALLOWED...: asks until its input ends, then writes what it saw
(a pickled dict).
"""
import os
import pickle
import select
import socket
import struct
import subprocess
import sys
import time

TIMEOUT = 0.5
RIGHT, WRONG, LOST = range(3)


def query_bytes(name, identity):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    opt = b"\0" + struct.pack("!HHIH", 41, 1232, 0, 0)
    return struct.pack("!6H", identity, 0, 1, 0, 0, 1) + labels + b"\0" + struct.pack("!2H", 1, 1) + opt


def read_reply(reply, at):
    """(RCODE, addresses, whether EDE 3 is there); at: where the question ends."""
    found = set()
    for _ in range(struct.unpack("!H", reply[6:8])[0]):  # the owner is a pointer, 2 bytes
        kind, _, _, size = struct.unpack("!HHIH", reply[at + 2:at + 12])
        if kind == 1:
            found.add(socket.inet_ntoa(reply[at + 12:at + 16]))
        at += 12 + size
    return reply[3] & 15, found, b"\0\x0f\0\x02\0\x03" in reply[at:]


def ask(server, name, timeout=1.0):
    """The sorted IPv4 addresses of one answer; OSError while nobody answers."""
    request = query_bytes(name, struct.unpack("!H", os.urandom(2))[0])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.connect(server)
        client.settimeout(timeout)
        client.send(request)
        reply = client.recv(4096)
    return sorted(read_reply(reply, len(request) - 11)[1])


class Asker:
    """Its samples are (when, how long it took, RIGHT WRONG or LOST, whether EDE 3 was there)."""

    def __init__(self, server, name, rate, allowed):
        self.name, self.interval, self.allowed = name, 1.0 / rate, set(allowed)
        self.samples, self.problems = [], []
        self.changes = []  # (when, addresses) of every answer that differs from the one before
        self.early = 0     # before the first right answer the name may not be registered yet
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect(server)
        self.socket.settimeout(TIMEOUT)

    def run(self):
        identity, due = 0, time.monotonic()
        while not select.select([sys.stdin], [], [], max(0.0, due - time.monotonic()))[0]:
            identity = (identity + 1) & 0xFFFF
            self.ask(identity)
            due = max(due + self.interval, time.monotonic() - 0.1)

    def ask(self, identity):
        request, begun = query_bytes(self.name, identity), time.monotonic()
        kind, stale = LOST, False
        try:
            self.socket.send(request)
            reply = self.socket.recv(4096)
            while struct.unpack("!H", reply[:2])[0] != identity:  # of one that was given up
                reply = self.socket.recv(4096)
            kind, stale = self.judge(begun, *read_reply(reply, len(request) - 11))
        except OSError:
            time.sleep(0.002)
        if self.samples or kind == RIGHT:
            self.samples.append((begun, time.monotonic() - begun, kind, stale))
        else:
            self.early += 1

    def judge(self, when, rcode, found, stale):
        if not self.changes or self.changes[-1][1] != found:
            self.changes.append((when, found))
        if rcode == 0 and found and found <= self.allowed:
            return RIGHT, stale
        self.problems.append((when, rcode, sorted(found)))
        return WRONG, stale


class Load:
    """An Asker in a process of its own, so that what the test does itself delays no query."""

    def __init__(self, server, name, allowed, rate=1000):
        self.process = subprocess.Popen(
            [sys.executable, __file__, server[0], str(server[1]), name, str(rate), *allowed],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.seen = None

    def stop(self):
        """What it saw; the same when called again."""
        if self.seen is None:
            output, _ = self.process.communicate(timeout=60)
            self.seen = Seen(pickle.loads(output))
        return self.seen


class Seen:
    def __init__(self, content):
        self.samples, self.problems = content["samples"], content["problems"]
        self.changes, self.early = content["changes"], content["early"]

    def count(self, kind, since=0.0, until=float("inf")):
        return sum(sample[2] == kind for sample in self.samples if since <= sample[0] < until)

    def stale_share(self, since=0.0, until=float("inf")):
        """Of the right answers, those with EDE 3."""
        stale = [sample[3] for sample in self.samples if since <= sample[0] < until and sample[2] == RIGHT]
        return sum(stale) / max(1, len(stale))

    def percentile(self, share, since=0.0, until=float("inf")):
        """Seconds that an answer took, by nearest rank."""
        times = sorted(sample[1] for sample in self.samples if since <= sample[0] < until and sample[2] != LOST)
        return times[min(len(times) - 1, int(share * len(times)))] if times else float("inf")

    @property
    def rate(self):
        span = self.samples[-1][0] - self.samples[0][0] if len(self.samples) > 1 else 0
        return len(self.samples) / span if span else 0

    def __str__(self):
        return f"{self.count(RIGHT)} right, {self.count(WRONG)} wrong, {self.count(LOST)} lost at {self.rate:.0f} qps"


def main():
    address, port, name, rate, *allowed = sys.argv[1:]
    asker = Asker((address, int(port)), name, float(rate), allowed)
    asker.run()
    content = {"samples": asker.samples, "problems": asker.problems[:1000], "changes": asker.changes,
               "early": asker.early}
    sys.stdout.buffer.write(pickle.dumps(content))


if __name__ == "__main__":
    main()
