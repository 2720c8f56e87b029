"""B: agents that crash, are restarted, or live in another time."""
import glob
import time

from bed import NAME, FailureBed, Skip, clean, run
from checking_client import Load

BOTH = {"127.0.0.1", "127.0.0.2"}
GRACE = 62.0       # after its start a federation takes nobody for silent
TOLERANCE = 10.0   # back within it changes nothing
HOUR = 3600


def changes_between(seen, since, until):
    """Answers of another set of addresses than the one before."""
    return sum(since <= when < until for when, _ in seen.changes[1:])


def row_b1(_):
    """agent killed: five times back at once, then away for good"""
    with FailureBed() as bed:
        bed.begin(agents=2)
        begun = time.monotonic()
        for _ in range(5):
            bed.wait(1)
            bed.kill("n2")
            bed.wait(1)  # as systemd does it
            bed.start_agent(2)
        bed.wait(max(2.0, begun + GRACE - time.monotonic()))
        killed = time.monotonic()
        bed.kill("n2")
        bed.wait(TOLERANCE + 5)
        seen = bed.seen()
        changes = changes_between(seen, begun, killed)
        gone = [when - killed for when, found in seen.changes if when > killed and found != BOTH]
        left = gone[0] if gone else float("inf")
        return (f"{seen}; 5 crashes: {changes} changes; away for good: last resort after {left:.1f} s",
                "0 wrong; 0; 9 to 11 s (it was heard up to 1 s before)",
                clean(seen) and changes == 0 and TOLERANCE - 1 <= left <= TOLERANCE + 1)


def row_b2(_):
    """agent restart, agent leave"""
    with FailureBed() as bed:
        bed.begin()
        begun = time.monotonic()
        for _ in range(5):
            bed.n1.stop()
            bed.start_agent()
            bed.wait(0.3)
        seen = bed.seen()
        changes = changes_between(seen, begun, time.monotonic())
        load = Load(bed.dns, NAME, ["127.0.0.1"])
        bed.wait(1)
        left = time.monotonic()
        run("meshdns-agent", "leave", "--config", bed.path("n1.yaml"))
        bed.wait(2)
        gone = [when - left for when, found in load.stop().changes if not found]
        taken = gone[0] if gone else float("inf")
        return (f"{seen}; 5 restarts: {changes} changes; leave: gone after {taken * 1000:.0f} ms",
                "0 wrong; 0; <= 1,000 ms", clean(seen) and changes == 0 and taken <= 1)


def faketime():
    found = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
    if not found:
        raise Skip("apt-get install libfaketime")
    return found[0]


def row_b6(_):
    """the wall clock of each daemon jumps by an hour, and back"""
    with FailureBed() as bed:
        for name in ("federation", "replica", "n1", "n2"):
            bed.environments[name] = {
                "LD_PRELOAD": faketime(), "FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_NO_CACHE": "1",
                "FAKETIME_TIMESTAMP_FILE": bed.write(name + ".time", "+0\n")}
        bed.begin(agents=2)
        bed.wait(2)
        before = bed.metric("federation", "meshdns_catalog_revision_number")
        sessions = bed.metric("federation", "meshdns_federation_sessions_total")
        begun = time.monotonic()
        for name in ("federation", "replica", "n1", "n2"):
            for offset in (HOUR, -HOUR, 0):
                bed.write(name + ".time", f"{offset:+d}\n")
                bed.wait(1.5)
        changed = bed.metric("federation", "meshdns_catalog_revision_number") - before
        sessions = bed.metric("federation", "meshdns_federation_sessions_total") - sessions
        seen = bed.seen()
        changes = changes_between(seen, begun, time.monotonic())
        stale = seen.stale_share(begun)
        return (f"{seen}; 12 jumps: {changes} changed answers, {changed:.0f} revisions, {sessions:.0f} new sessions, "
                f"{100 * stale:.0f} % stale", "0 wrong; 0, 0, 0, 0 %",
                clean(seen) and changes == changed == sessions == 0 and stale == 0)


ROWS = {"B1": row_b1, "B2": row_b2, "B6": row_b6}
