"""H3: clients of the federation's port that give up at some stage and come again."""
import os
import sys
import time

from bed import FailureBed
from good_agents import GoodAgents
from mesh import BIN
from storm import STAGES, Storm

COUNT = 10000
GOOD = 10
MEBI = 1 << 20
KEPT = 100  # MiB that may stay: catalog entries of 10,000 nodes, buffers of gRPC
MOST_LINES = 1000  # of the log that are kept
LIMITS = (1024, 20000)  # descriptors
CONFIG = """\
cluster: one
zones: [{{name: mesh.internal}}]
data_dir: {folder}/fed
dns: {{workers: "1", listen: [{{address: "127.0.0.1:0"}}]}}
federation: {{listen: "{listen}", store: {{memory: {{}}}}}}
admin: {{listen: "127.0.0.1:0", socket: {folder}/fed.sock}}
"""


def descriptors(daemon):
    return len(os.listdir(f"/proc/{daemon.process.pid}/fd"))


def resident(daemon):
    with open(f"/proc/{daemon.process.pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / MEBI


def at_most(figure, bound, patience):
    """Waits until the figure is not above the bound; the figure."""
    end = time.monotonic() + patience
    while figure() > bound and time.monotonic() < end:
        time.sleep(0.5)
    return figure()


class Weather:
    """One federation, its good agents, and a storm."""

    def __init__(self, limit, stage, seconds, count=COUNT):
        self.problems, self.text = [], f"{limit} {stage}: "
        with FailureBed() as bed:
            config = bed.write("fed.yaml", CONFIG.format(folder=bed.folder, listen=bed.federation_at))
            self.daemon = bed.start("/usr/bin/prlimit", f"--nofile={limit}:{limit}", os.path.join(BIN, "meshdnsd"),
                                    "--config", config)
            bed.daemons["federation"] = self.daemon
            self.daemon.wait_line(r" ready\b")
            self.weather(bed, stage, seconds, count)

    def weather(self, bed, stage, seconds, count):
        good = GoodAgents(bed.federation_at, GOOD, self.drain)
        before = descriptors(self.daemon), resident(self.daemon)
        storm = Storm(bed.federation_at, stage, count)
        welcomes, most = [], 0
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.daemon.process.poll() is None:
            time.sleep(min(5, seconds / 2))
            welcomes.append(good.newcomer(f"new{len(welcomes)}"))
            if self.daemon.process.poll() is None:
                most = max(most, resident(self.daemon))
        seen = storm.stop()
        self.expect(self.daemon.process.poll() is None, "dead")
        if self.problems:
            self.text += f"dead after {seconds - (end - time.monotonic()):.0f} s"
            return
        welcomes.append(good.newcomer("last"))
        left = at_most(lambda: descriptors(self.daemon), before[0] + 5, 90)
        memory = at_most(lambda: resident(self.daemon), before[1] + KEPT, 30)
        self.expect(memory <= before[1] + KEPT, f"{memory:.0f} MiB left of {before[1]:.0f}")
        self.expect(not good.lost, f"{len(good.lost)} sessions lost")
        self.expect(max(welcomes) <= 5, f"welcome after {max(welcomes):.1f} s")
        self.expect(left <= before[0] + 5, f"{left} descriptors left of {before[0]}")
        self.text += (f"{seen['begun']} begun, {seen['cut']} cut, welcomes <= {max(welcomes):.2f} s, "
                      f"{before[1]:.0f} -> {most:.0f} -> {memory:.0f} MiB")
        good.close()

    def drain(self):
        if self.daemon.process.poll() is None:
            self.daemon.read(0)
            del self.daemon.lines[:-MOST_LINES]

    def expect(self, so, problem):
        if not so:
            self.problems.append(problem)


def row_h3(arguments):
    """10,000 clients that connect and give up at each stage, with 1,024 and 20,000 descriptors"""
    texts, problems = [], []
    for limit in LIMITS:
        for stage in STAGES:
            weather = Weather(limit, stage, arguments.seconds)
            texts.append(weather.text)
            print(f"    {weather.text}", *weather.problems, sep="   ", file=sys.stderr, flush=True)
            problems += [f"{limit} {stage}: {problem}" for problem in weather.problems]
    return ("; ".join(problems or texts), "alive; 10 of 10 sessions; welcome <= 5 s; descriptors and memory back", not problems)


ROWS = {"H3": row_h3}
