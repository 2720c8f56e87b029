"""The rows of the federation's table: each measures meshdnsd and, where that has a meaning, gRPC alone."""
import dataclasses
import errno
import os
import signal
import socket
import time

from bed import LoadBed, all_in_sync, now
from failover import ENDPOINT, quantile
from ports import free_port


@dataclasses.dataclass
class Scale:
    """How large, how long."""

    size: float = 1.0     # of each number of agents, watchers and changes
    seconds: float = 20.0  # of each steady measurement
    settle: float = 5.0
    kills: int = 50

    def of(self, number, least=1):
        return max(least, round(number * self.size))


@dataclasses.dataclass
class Figure:
    what: str
    landed: str  # what was measured before the work that the bars are for
    bar: float
    unit: str    # "", "ms", "s", "MiB" or "lost"
    measured: float
    bare: float = None


# ---- CPU of heartbeats ----

def heartbeats(scale):
    count = scale.of(3000, 20)

    def cost(bed, server, messages):
        agents = bed.agents(agents=count, endpoints=1, ramp=3)
        all_in_sync(agents, count)
        time.sleep(scale.settle)
        cpu, seen = server.cpu(), messages()
        time.sleep(scale.seconds)
        seen = messages() - seen
        return (server.cpu() - cpu) / max(seen, 1), seen / scale.seconds

    with LoadBed() as bed:
        server = bed.federation()
        ours, rate = cost(bed, server, bed.messages)
    with LoadBed() as bed:
        server = bed.bare(heartbeat=1000 * count / max(rate, 1e-9))
        bare, _ = cost(bed, server, lambda: server.said()["messages"])
    # at tiny sizes there is less of it than the kernel counts in
    return [Figure(f"CPU of {count} agents' heartbeats / bare gRPC server's", "2.1", 1.2, "", ours / max(bare, 1e-9), 1.0)]


# ---- from a change to watchers ----

def lag(scale, start, numbers, watching):
    """(p99 in ms, sessions lost) of changes that simulated agents make."""
    with LoadBed() as bed:
        start(bed)
        agents = bed.agents(ramp=3, **numbers)
        all_in_sync(agents, numbers["agents"])
        watchers = bed.watchers(watching)
        time.sleep(scale.settle)
        lost = agents.said()["lost"]
        agents.hang_up()
        time.sleep(min(2.0, scale.seconds))
        watchers.hang_up()
        time.sleep(scale.seconds)
        watchers.wait(lambda said: said["lag"]["n"] > 0, "changes are seen")
        return watchers.said()["lag"]["p99"], agents.said()["lost"] - lost


def lag_row(scale, what, landed, bar, numbers, watching):
    ours, lost = lag(scale, LoadBed.federation, numbers, watching)
    bare, _ = lag(scale, LoadBed.bare, numbers, watching)
    return Figure(what, landed, bar, "ms", ours, bare), lost


def one_watcher(scale):
    numbers = {"agents": scale.of(1000, 10), "endpoints": 100, "changes": scale.of(1000, 10)}
    what = "{agents} agents x {endpoints}, {changes} changes/s, one watcher: lag p99".format(**numbers)
    return [lag_row(scale, what, "53 ms", 25, numbers, 1)[0]]


def many_agents(scale):
    numbers = {"agents": scale.of(10000, 20), "endpoints": 10, "changes": scale.of(1000, 10)}
    what = "{agents} agents x {endpoints}, {changes} changes/s".format(**numbers)
    figure, lost = lag_row(scale, what + ": lag p99", "13.5 s", 500, numbers, 1)
    return [figure, Figure(what + ": sessions lost", "thousands", 0, "lost", lost)]


def many_watchers(scale):
    count, figures = scale.of(1000, 2), []
    for changes, landed, bar in ((2, "2.3 s", 100), (20, "11.4 s", 300)):
        numbers = {"agents": scale.of(1000, 10), "endpoints": 10, "changes": changes}
        what = f"{count} watchers, {changes} changes/s: lag p99"
        figures.append(lag_row(scale, what, landed, bar, numbers, count)[0])
    return figures


# ---- until all are in sync ----

def sync(bed, start, count, endpoints):
    """(the server, the agents, seconds until all are in sync)"""
    server = start(bed)
    agents = bed.agents(agents=count, endpoints=endpoints)
    since = all_in_sync(agents, count)
    return server, agents, since - agents.said()["begun"]


def synced(scale, count, endpoints, landed, bars):
    """First and again after kill -9; and what memory is needed, a replica's too."""
    what = f"{count} x {endpoints}: all in sync"
    with LoadBed() as bed:
        server, agents, first = sync(bed, LoadBed.federation, count, endpoints)
        replica = bed.replica()
        replica.find(r" ready\b")
        time.sleep(scale.settle)
        server.end(signal.SIGKILL)
        begun = now()
        server = bed.federation()
        again = all_in_sync(agents, count, begun) - begun
        time.sleep(scale.settle)
        memory = server.rss(), replica.rss()
    with LoadBed() as bed:
        server, _, bare = sync(bed, LoadBed.bare, count, endpoints)
        bare_memory = server.rss()
    return [Figure(what, landed[0], bars[0], "s", first, bare), Figure(what + " after kill -9", landed[1], bars[1], "s", again),
            (memory, bare_memory)]


def ten_thousand(scale):
    return synced(scale, scale.of(10000, 20), 10, ("22.6 s", "34.7 s"), (10, 10))[:2]


def million(scale):
    count = scale.of(10000, 20)
    *figures, (memory, bare) = synced(scale, count, 100, ("70.7 s", "41.5 s"), (60, 40))
    what = f"RSS at {count * 100} endpoints: "
    return figures + [Figure(what + "federation", "2.1 to 2.9 GiB", 1536, "MiB", memory[0], bare),
                      Figure(what + "replica", "1.5 to 1.8 GiB", 1024, "MiB", memory[1])]


# ---- from kill -9 of an instance to the changed answer ----

QUIET = 0.05  # s from the last change to the kill: two changes within 10 ms are published together, 10 ms apart

class Victim:
    """A real instance near, which dies, and one far away, which answers then."""

    def __init__(self, bed):
        self.bed, self.port = bed, free_port("127.0.1.11")
        far = bed.backend("127.0.2.11")
        near = [ENDPOINT.format(service="web", address="127.0.1.11", port=self.port, interval="1s", timeout="2s")]
        self.child = bed.instance("127.0.1.11", self.port)
        self.agents = [
            bed.agent("near", "127.0.1.11", {"web": near}),
            bed.agent("far", "127.0.2.11", {"web": [
                ENDPOINT.format(service="web", address="127.0.2.11", port=far.port, interval="1s", timeout="2s")]})]
        self.agents[0].wait_line("socket events on")

    def answers(self):
        try:
            return self.bed.answer("web")
        except OSError:  # a datagram was lost
            return None

    def wait(self, address):
        end = now() + 120
        while self.answers() != [address]:
            if now() > end:
                raise AssertionError(f"no answer with {address}")
            time.sleep(0.005)

    def refused(self):
        with socket.socket() as attempt:
            return attempt.connect_ex(("127.0.1.11", self.port)) == errno.ECONNREFUSED

    def die(self, changed=None):
        """Milliseconds from the signal to the first changed answer, or to what else `changed` sees."""
        changed = changed or (lambda: self.answers() == ["127.0.2.11"])
        for agent in self.agents:
            agent.read(0)  # their logs must not fill the pipes
        self.wait("127.0.1.11")
        time.sleep(QUIET)
        begun = now()
        os.kill(self.child.pid, signal.SIGKILL)
        while not changed():
            if now() - begun > 60:
                raise AssertionError("nothing changed in 60 s")
            time.sleep(0.0005)
        taken = now() - begun
        self.child.wait()
        self.child = self.bed.instance("127.0.1.11", self.port)
        return taken * 1000


def kills(scale):
    with LoadBed() as bed:
        bed.federation()
        victim = Victim(bed)
        idle = [victim.die() for _ in range(scale.kills)]
        bare = [victim.die(victim.refused) for _ in range(scale.kills)]
        numbers = {"agents": scale.of(1000, 10), "endpoints": 100, "changes": scale.of(1000, 10)}
        agents = bed.agents(ramp=3, **numbers)
        all_in_sync(agents, numbers["agents"])
        time.sleep(scale.settle)
        agents.hang_up()
        time.sleep(min(2.0, scale.seconds))
        busy = [victim.die() for _ in range(scale.kills)]
    what = "kill -9 of an instance to changed answer"
    return [Figure(what + ", idle: p50", "3.1 ms", 3.1, "ms", quantile(idle, 0.5), quantile(bare, 0.5)),
            Figure(what + ", idle: p99", "11 ms", 11, "ms", quantile(idle, 0.99), quantile(bare, 0.99)),
            Figure(what + f", beside {numbers['changes']} changes/s: p99", "", 50, "ms", quantile(busy, 0.99))]


def slow_start(scale):
    """While every host's answers are made anew for every cluster, as in the first 30 s after a start."""
    with LoadBed() as bed:
        bed.federation()
        victim = Victim(bed)
        victim.wait("127.0.1.11")
        clusters, services, count = scale.of(100, 2), scale.of(2000, 10), scale.of(1000, 10)
        bed.agents(agents=count, endpoints=20, services=services, clusters=clusters)
        end, times = now() + 40 * min(1.0, scale.seconds / 20), []
        while now() < end or not times:
            times.append(victim.die())
            time.sleep(0.3)
    what = f"the same while {clusters * services} answer sets go through slow start: p99"
    return [Figure(what, "1.9 to 3.0 s", 100, "ms", quantile(times, 0.99))]


ROWS = {"heartbeats": heartbeats, "one_watcher": one_watcher, "many_agents": many_agents, "many_watchers": many_watchers,
        "sync": ten_thousand, "million": million, "kill": kills, "slow_start": slow_start}
