"""G: hostile clients."""
import os
import resource
import select
import socket
import struct
import time

import checking_client
from bed import NAME, FailureBed, Skip, clean
from flood import Flood
from slow_clients import Slow

SLOW = 5000      # connections
FIRST_QUERY = 2  # seconds until it is due
KIBI = 1 << 10
FLOOD = 200000   # queries a second
RECEIVED = 'meshdns_dns_received_packets_total{transport="udp"}'
EVICTED = 'meshdns_dns_ended_connections_total{reason="evicted"'
REACHED = 0.9    # the share of FLOOD below which nothing is measured


def ask_tcp(server):
    """Seconds from the connection's beginning to a whole reply; OSError if there is none."""
    begun = time.monotonic()
    request = checking_client.query_bytes(NAME, 1)
    with socket.create_connection(server, timeout=5) as client:
        client.sendall(struct.pack("!H", len(request)) + request)
        with client.makefile("rb") as stream:
            reply = stream.read(struct.unpack("!H", stream.read(2))[0])
    rcode, found, _ = checking_client.read_reply(reply, len(request) - 11)
    if rcode != 0 or not found:
        raise OSError(f"RCODE {rcode}")
    return time.monotonic() - begun


def row_g1(arguments):
    """5,000 TCP connections that send a byte each 5 s"""
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < SLOW + 1000:
        raise Skip(f"{SLOW + 1000} open files are not allowed")
    with FailureBed() as bed:
        bed.tcp = f"connections: {SLOW}, connections_per_client: {SLOW}"
        bed.begin()
        bed.wait(1)
        quiet = bed.rss("replica")
        slow = Slow(bed.dns, SLOW)
        bed.callback(slow.process.kill)
        bed.wait(2 * FIRST_QUERY)
        took, most, end = [], 0.0, time.monotonic() + arguments.seconds
        while time.monotonic() < end:
            took.append(ask_tcp(bed.dns))
            most = max(most, bed.rss("replica"))
            bed.wait(0.02)
        attack, evicted = slow.stop(), bed.metric("replica", EVICTED)
        seen = bed.seen()
        each = (most - quiet) * KIBI / SLOW
        late = sorted(took)[int(0.99 * len(took))]
        longest = max(attack["lives"], default=float("inf"))
        good = clean(seen) and late <= 0.1 and each <= 4 and attack["most"] >= 0.9 * SLOW and longest <= FIRST_QUERY + 1
        return (f"{seen}; {len(took)} TCP queries, p99 {late * 1e3:.1f} ms, longest {max(took) * 1e3:.1f} ms; "
                f"{attack['most']} slow at once, {evicted:.0f} made room, the last was cut after {longest:.2f} s; "
                f"{each:.2f} KiB each", "0 wrong; p99 <= 100 ms; <= 4 KiB a connection; cut after 2 s", good and evicted > 0)


class Steady:
    """Asks at a rate whatever becomes of it: who waits for each answer asks less while answers are lost."""

    def __init__(self, server, rate):
        self.gap, self.asked, self.wrong, self.times = 1 / rate, {}, 0, []
        self.client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.client.connect(server)

    def run(self, seconds):
        due = time.monotonic()
        end = due + seconds
        while (now := time.monotonic()) < end:
            if now < due:
                self.read(due - now)
                continue
            number = len(self.asked) & 0xFFFF
            self.asked[len(self.asked)] = now
            self.client.send(checking_client.query_bytes(NAME, number))
            due += self.gap
        while time.monotonic() < end + checking_client.TIMEOUT:
            self.read(0.05)
        self.client.close()

    def read(self, wait):
        if not select.select([self.client], [], [], wait)[0]:
            return
        reply = self.client.recv(4096)
        rcode, found, _ = checking_client.read_reply(reply, len(checking_client.query_bytes(NAME, 0)) - 11)
        self.times.append(time.monotonic() - self.asked[struct.unpack("!H", reply[:2])[0]])
        self.wrong += rcode != 0 or found != {"127.0.0.1"}

    @property
    def lost(self):
        return 1 - len(self.times) / len(self.asked)


def row_g8(arguments):
    """200,000 queries a second from one source beside 1,000 from another, which come by another CPU"""
    seconds = min(arguments.seconds, 60)
    with FailureBed() as bed:
        bed.workers = "auto"
        bed.begin()
        bed.seen()
        steady = Steady(bed.dns, 1000)
        flood = Flood(bed.dns, NAME, FLOOD, seconds)
        bed.callback(flood.process.kill)
        bed.wait(0.5)
        if len(os.sched_getaffinity(0)) < 2:
            raise Skip("there is one CPU")
        cpus = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {max(cpus)})  # the flood is at the first one
        bed.callback(os.sched_setaffinity, 0, cpus)
        before = bed.metric("replica", RECEIVED)
        steady.run(seconds - 1)
        taken = (bed.metric("replica", RECEIVED) - before) / (seconds - 1 + checking_client.TIMEOUT)
        rate = flood.rate()
        late = sorted(steady.times)[int(0.99 * len(steady.times))] if steady.times else float("inf")
        figure = (f"{rate:.0f} qps of flood, {taken:.0f} qps taken; of {len(steady.asked)} others {steady.wrong} wrong, "
                  f"{steady.lost:.2%} lost, p99 {late * 1e3:.1f} ms")
        if rate < REACHED * FLOOD:
            raise Skip(f"the flood is too weak here: {figure}")
        return figure, "<= 1 % of the others lost", steady.wrong == 0 and steady.lost <= 0.01


ROWS = {"G1": row_g1, "G8": row_g8}
