"""C and A8: more than is good for it."""
import statistics
import struct
import threading
import time

import checking_client
from bed import FailureBed, clean
from raw_agent import RawAgent, field
from raw_call import Ended, RawCall

ENDPOINTS = 2000  # of a storm; a service each ten
PER_MESSAGE = 100
MEBI = 1 << 20


def endpoints(agent, count, flip=0):
    """flip: another address of each"""
    return [agent.endpoint(f"x{i}", f"x{i // 10}", f"127.{1 + flip}.{i >> 8 & 255}.{i & 255}") for i in range(count)]


class Storm(threading.Thread):
    """Changes addresses at a rate, and one marker ten times a second; `sent` says when which marker went out."""

    def __init__(self, bed, rate):
        super().__init__(daemon=True)
        self.agent = RawAgent(bed.federation_at, "storm")
        self.rate, self.sent, self.changes = rate, {}, 0
        self.stopping = threading.Event()
        self.agent.send_full([*endpoints(self.agent, ENDPOINTS), self.agent.endpoint("m", "marker", "127.200.0.0")])
        self.deltas = [self.messages(endpoints(self.agent, ENDPOINTS, flip)) for flip in (1, 0)]

    @staticmethod
    def messages(encoded):
        return [b"".join(field(1, one) for one in encoded[at:at + PER_MESSAGE])
                for at in range(0, len(encoded), PER_MESSAGE)]

    def run(self):
        begun, number, marks = time.monotonic(), 0, 0
        while not self.stopping.is_set():
            now = time.monotonic() - begun
            if now * 10 >= marks:
                marks += 1
                address = f"127.200.{marks >> 8}.{marks & 255}"
                self.sent[address] = time.monotonic()
                self.agent.send_delta(field(1, self.agent.endpoint("m", "marker", address)))
            while self.changes < self.rate * now and not self.stopping.is_set():
                turn, at = divmod(number, len(self.deltas[0]))
                self.agent.send_delta(self.deltas[turn % 2][at])
                number += 1
                self.changes += PER_MESSAGE
                now = time.monotonic() - begun
                if now * 10 >= marks:
                    break
            time.sleep(0.002)

    def end(self):
        self.stopping.set()
        self.join(30)
        self.agent.close()


class Lags:
    """How long it took from a marker's report until it, or a later one, was the replica's answer."""

    def __init__(self, bed, storm):
        self.bed, self.storm, self.lags = bed, storm, []

    def watch(self, seconds):
        """The lags of so many seconds; those that stay unseen count as they stand."""
        begun, reached, order = time.monotonic(), 0, []
        first = len(self.storm.sent)
        lags = []
        while time.monotonic() < begun + seconds:
            self.bed.drain_logs()
            try:
                found = checking_client.ask(self.bed.dns, "marker.bench.mesh.internal")
            except OSError:
                continue
            now, order = time.monotonic(), list(self.storm.sent)
            if found and found[0] in self.storm.sent:
                at = order.index(found[0])
                lags += [now - self.storm.sent[address] for address in order[max(first, reached):at + 1]]
                reached = max(reached, at + 1)
            time.sleep(0.005)
        unseen = order[max(first, reached):]
        return lags + [time.monotonic() - self.storm.sent[address] for address in unseen]


def row_a8(arguments):
    """update storm, 10,000 changes a second"""
    with FailureBed() as bed:
        bed.begin()
        storm = Storm(bed, 10000)
        bed.wait_answer("marker.bench.mesh.internal", ["127.200.0.0"])
        bed.wait(5)
        names = ("federation", "replica")
        quiet = {name: bed.rss(name) for name in names}
        begun = time.monotonic()
        bed.wait(5)
        middle = time.monotonic()
        storm.start()
        lags = Lags(bed, storm).watch(arguments.seconds)
        peak = {name: bed.rss(name) for name in names}
        ended = time.monotonic()
        storm.end()
        bed.wait(15)
        after = {name: bed.rss(name) for name in names}
        seen = bed.seen()
        ratio = seen.percentile(0.99, middle, ended) / seen.percentile(0.99, begun, middle)
        growth = max(peak[name] / quiet[name] - 1 for name in names)
        kept = max(after[name] / quiet[name] - 1 for name in names)
        rate = storm.changes / (ended - middle)
        return (f"{seen}; {rate:.0f} changes/s for {arguments.seconds} s: p99 x {ratio:.1f}, "
                f"lag at most {max(lags):.2f} s, RSS +{100 * growth:.0f} %, afterwards +{100 * kept:.0f} %",
                "0 wrong; <= 2; <= 3 s; <= 50 %; returns to +15 %",
                clean(seen) and ratio <= 2 and max(lags) <= 3 and growth <= 0.5 and kept <= 0.15 and rate > 9500)


def row_c2(arguments):
    """five subscribers that never read, 500 changes a second"""
    with FailureBed() as bed:
        bed.begin()
        storm = Storm(bed, 500)
        bed.wait_answer("marker.bench.mesh.internal", ["127.200.0.0"])
        storm.start()
        bed.wait(5)
        lags = Lags(bed, storm)
        before = statistics.median(lags.watch(arguments.seconds))
        quiet = bed.rss("federation")
        stuck = [RawCall(bed.federation_at, "Watch", deaf=True) for _ in range(5)]
        for call in stuck:
            call.send(field(1, field(1, 1)))
        bed.wait(2)
        present = bed.metric("federation", "meshdns_federation_subscribers")
        after = statistics.median(lags.watch(arguments.seconds))
        growth = bed.rss("federation") / quiet - 1
        storm.end()
        for call in stuck:
            call.close()
        seen = bed.seen()
        return (f"{seen}; {present:.0f} subscribers; RSS {100 * growth:+.1f} %, the replica's lag "
                f"{1000 * (after - before):+.0f} ms", "0 wrong; 6; <= 10 %; <= 100 ms",
                clean(seen) and present == 6 and growth <= 0.1 and after - before <= 0.1)


def row_c3(arguments):
    """a replica with max_records: 10000 beside 60,000 endpoints, 128 MiB"""
    with FailureBed() as bed:
        bed.max_records = 10000
        bed.begin()
        agent = RawAgent(bed.federation_at, "large")
        agent.send_full(endpoints(agent, 60000))
        bed.wait_line("replica", "refuses more records")
        peak, end = 0.0, time.monotonic() + arguments.seconds
        while time.monotonic() < end:
            agent.sign_of_life()
            bed.wait(0.5)
            peak = max(peak, bed.rss("replica"))
        held = bed.metric("replica", "meshdns_catalog_records")
        full = bed.metric("replica", "meshdns_catalog_full")
        agent.close()
        seen = bed.seen()
        return (f"{seen}; holds {held:.0f} records, {'says so' if full else 'does not say so'}, at most {peak:.0f} MiB",
                "0 wrong; <= 10,000; says so; <= 128 MiB", clean(seen) and held <= 10000 and full == 1 and peak <= 128)


def endless(call, declared):
    """Sends a message of that length until the call is ended: (bytes sent, why it ended)."""
    sent, chunk = 0, b"\0" * 65536
    try:
        call.send_bytes(struct.pack("!BI", 0, declared))
        while sent < min(declared, 64 * MEBI):
            call.send_bytes(chunk, timeout=10)
            sent += len(chunk)
        call.receive(10)
    except Ended as ended:
        return sent, str(ended)
    return sent, None


def row_c4(_):
    """messages of 8 MiB and without end"""
    with FailureBed() as bed:
        bed.begin(agents=3)
        bed.wait(2)
        quiet, peak, cut, sent = bed.rss("federation"), 0.0, 0, 0
        sessions = bed.metric("federation", "meshdns_federation_sessions_total")
        attempts = [(method, size) for method in ("Report", "Watch") for size in (8 * MEBI, 0xFFFFFFFF)] * 3
        for method, size in attempts:
            call = RawCall(bed.federation_at, method)
            amount, why = endless(call, size)
            sent = max(sent, amount)
            cut += why is not None and why not in ("silent", "no room is given any more")
            peak = max(peak, bed.rss("federation"))
            bed.drain_logs()
            call.close()
        bed.wait(1)
        again = bed.metric("federation", "meshdns_federation_sessions_total") - sessions - len(attempts) / 2
        seen = bed.seen()
        return (f"{seen}; {cut} of {len(attempts)} cut after at most {sent / MEBI:.1f} MiB, "
                f"RSS +{peak - quiet:.1f} MiB, {again:.0f} sessions of others ended", "0 wrong; all; <= 8 MiB; 0",
                clean(seen) and cut == len(attempts) and peak - quiet <= 8 and again == 0)


ROWS = {"A8": row_a8, "C2": row_c2, "C3": row_c3, "C4": row_c4}
