"""A: the control plane is gone, seen from a replica."""
import os
import random
import shutil
import statistics
import time

from bed import NAME, WRONG, FailureBed, clean, eventually
from raw_agent import RawAgent
from wire import Wire


def row_a1(_):
    """federation down three times: stale answers, as fast as before"""
    with FailureBed() as bed:
        bed.begin()
        fresh, down, stale_early, stale_late = [], [], [], []
        for _ in range(3):
            bed.wait(2)
            begun = time.monotonic()
            bed.wait(3)
            fresh.append((begun, time.monotonic()))
            bed.kill("federation")
            killed = time.monotonic()
            stale_early.append((begun, killed + 1.4))  # it was heard half a second before, and is looked at each second
            bed.wait(3.5)
            begun = time.monotonic()
            bed.wait(3)
            down.append((begun, time.monotonic()))
            stale_late.append(down[-1])
            bed.start_federation()
            bed.wait_line("replica", "records are fresh again")
        seen = bed.seen()
        early = max(seen.stale_share(*span) for span in stale_early)
        late = min(seen.stale_share(*span) for span in stale_late)
        ratio = (statistics.median(seen.percentile(0.5, *span) for span in down)
                 / statistics.median(seen.percentile(0.5, *span) for span in fresh))
        return (f"{seen}; EDE 3 before {100 * early:.0f} %, after {100 * late:.0f} %; median latency x {ratio:.3f}",
                "0 wrong; 0, 100 %; <= 1.05", clean(seen) and early == 0 and late == 1 and ratio <= 1.05)


def is_right(found):
    return bool(found) and all(address.startswith("127.0.1.") for address in found)


def restarts(bed, count, name):
    """Milliseconds from each start of the replica to its first right answer; infinite after a minute."""
    times = []
    for _ in range(count):
        bed.kill("replica")
        begun = time.monotonic()
        bed.start_replica()
        while not is_right(bed.answer(name, 0.05)):
            if time.monotonic() - begun > 60:
                return [float("inf")]
        times.append((time.monotonic() - begun) * 1000)
    return times


def wait_snapshot(bed, size):
    """Until the replica has a snapshot of at least so many bytes."""
    path = bed.path("dns/replica.snapshot")
    eventually(lambda: bed.drain_logs() or os.path.exists(path) and os.path.getsize(path) > size, "the snapshot",
               timeout=120)


def row_a2(_):
    """dnsd restart while the federation is down, 5,000 and 100,000 endpoints, ten a service"""
    worst = {}
    for endpoints, count in ((5000, 20), (100000, 5)):
        with FailureBed() as bed:
            bed.begin()
            agent = RawAgent(bed.federation_at, "raw")
            agent.send_full([agent.endpoint(f"x{i}", f"x{i // 10}", f"127.0.1.{i % 10}") for i in range(endpoints)])
            last = f"x{endpoints // 10 - 1}.bench.mesh.internal"
            try:
                eventually(lambda b=bed, n=last: is_right(b.answer(n)), last, timeout=300)
                wait_snapshot(bed, 50 * endpoints)
            except AssertionError:  # so many are not even published in time
                worst[endpoints] = float("inf")
                continue
            bed.kill("federation")
            agent.close()
            worst[endpoints] = max(restarts(bed, count, last))
            wrong = bed.seen().count(WRONG)
            if wrong:
                return f"{wrong} wrong", "0 wrong", False
    return (f"first right answer: worst {worst[5000]:.0f} ms of 5,000 endpoints, {worst[100000]:.0f} ms of 100,000",
            "<= 100 ms, <= 500 ms", worst[5000] <= 100 and worst[100000] <= 500)


def come_back_empty(endpoints):
    """The row's figure, and whether it is good."""
    with FailureBed() as bed:
        bed.begin(endpoints)
        bed.wait(1)
        bed.kill("federation")
        shutil.rmtree(bed.path("fed"))
        begun = time.monotonic()
        bed.start_federation()
        eventually(lambda: bed.drain_logs() or bed.metric("federation", "meshdns_catalog_endpoints") == endpoints,
                   "the full set", timeout=120)
        taken = time.monotonic() - begun
        bed.wait(8)
        held = bed.metric("replica", "meshdns_catalog_endpoints")
        refused = bed.metric("replica", "meshdns_dnsd_shrink_refused")
        seen = bed.seen()
        return (f"{seen}; full set back after {taken:.1f} s; the replica holds {held:.0f} of {endpoints}, "
                f"{'refuses' if refused else 'follows'}",
                clean(seen) and taken <= 60 and held == endpoints and not refused)


def row_a5(_):
    """federation comes back empty, its agents are up: 300 endpoints, 5 endpoints"""
    figures = [come_back_empty(300), *(come_back_empty(5) for _ in range(3))]
    return "; ".join(figure for figure, _ in figures), "0 wrong; <= 60 s; follows", all(good for _, good in figures)


def row_a7(_):
    """links to the federation fall silent (half-open TCP)"""
    with FailureBed() as bed:
        links = {name: Wire() for name in ("replica", "n1")}
        for link in links.values():
            bed.callback(link.close)
            link.target = bed.federation_at
        bed.followed, bed.reported = links["replica"].address, links["n1"].address
        bed.stale_after = "3s"
        bed.begin()
        bed.wait(2)
        before = bed.metric("federation", 'meshdns_federation_updates_total{kind="snapshot"}')
        found = {}
        begun = time.monotonic()
        for link in links.values():
            link.fall_silent()
        patterns = {"replica": "federation lost", "n1": "disconnected"}
        while len(found) < 2 and time.monotonic() < begun + 60:
            for name, pattern in patterns.items():
                bed.daemons[name].read(0.02)
                if name not in found and any(pattern in line for line in bed.daemons[name].lines):
                    found[name] = time.monotonic() - begun
        for link in links.values():
            link.mend()
        bed.daemons["replica"].wait_line("records are fresh again", timeout=60)
        snapshots = bed.metric("federation", 'meshdns_federation_updates_total{kind="snapshot"}') - before
        gone = bed.metric("federation", "meshdns_federation_subscribers")
        seen = bed.seen()
        worst = max(found.get(name, 99.0) for name in patterns)
        return (f"{seen}; noticed by the replica after {found.get('replica', 99):.1f} s, by the agent after "
                f"{found.get('n1', 99):.1f} s; {snapshots:.0f} snapshots, {gone:.0f} subscribers afterwards",
                "0 wrong; <= 20 s; 0", clean(seen) and worst <= 20 and snapshots == 0)


def row_a9(_):
    """federation restart, nothing changed"""
    with FailureBed() as bed:
        bed.begin(2000)
        full = bed.metric("federation", "meshdns_federation_sent_bytes_total")
        bed.wait(2)  # what agents report is stored lazily
        bed.kill("federation")
        bed.start_federation()
        bed.wait_line("replica", "fresh|federation found")
        bed.wait(3)
        again = bed.metric("federation", "meshdns_federation_sent_bytes_total")
        seen = bed.seen()
        return (f"{seen}; {again:.0f} of {full:.0f} bytes ({100 * again / full:.1f} %)", "0 wrong; <= 5 %",
                clean(seen) and again <= 0.05 * full)


def cold_start(generator):
    """(order, seconds from the last start to all addresses, what the load saw)."""
    with FailureBed() as bed:
        names = ["federation", "replica", 1, 2, 3]
        wanted = ["127.0.0.1", "127.0.0.2", "127.0.0.3"]
        for number in names[2:]:
            bed.write_agent(number)
        generator.shuffle(names)
        bed.start_load(wanted)
        for name in names:
            if name == "federation":
                bed.start_federation(wait=False)
            elif name == "replica":
                bed.start_replica()
            else:
                bed.start_agent(name, wait=False)
            bed.wait(generator.choice((0, 0, 0.3, 1.5)))
        return names, bed.wait_answer(NAME, wanted), bed.seen()


def row_a10(arguments):
    """cold start of the whole site in random orders"""
    generator = random.Random(arguments.seed)
    worst, worst_order, wrong = 0.0, [], 0
    for _ in range(arguments.orders):
        order, taken, seen = cold_start(generator)
        wrong += seen.count(WRONG)
        if taken > worst:
            worst, worst_order = taken, order
    return (f"{arguments.orders} orders, slowest {worst:.1f} s ({' '.join(map(str, worst_order))}), {wrong} wrong "
            "after the first right answer", "<= 30 s, 0 wrong", worst <= 30 and wrong == 0)


ROWS = {"A1": row_a1, "A2": row_a2, "A5": row_a5, "A7": row_a7, "A9": row_a9, "A10": row_a10}
