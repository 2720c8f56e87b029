#!/usr/bin/python3
"""What the checks of an agent cost: the CPU time of a TCP check beside that of a bare epoll loop which connects and
closes as often, and the agent's memory.

checks.py [--checks 10000] [--interval 5] [--rounds 4] [--seconds 10]; MESHDNS_BIN names the folder of the binaries. Both
run at the same time on the same machine, and are measured over the same seconds. Exit code 1 if a bar is missed. Only
loopback is used.
"""
import argparse
import http.client
import os
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "integration"))
from mesh import BIN, Bed, eventually  # noqa: E402

MOST_RATIO = 1.3
MOST_MIB = 64
TICKS = os.sysconf("SC_CLK_TCK")

AGENT = """\
node: n1
cluster: bench
federation: {{servers: ["unix:{folder}/nobody.sock"]}}
addresses: [127.0.0.1]
discovery: {{static: {{directory: {folder}/endpoints.d}}}}
admin: {{listen: "127.0.0.1:0", socket: {folder}/agent.sock}}
log: {{level: warn}}
"""
ENDPOINT = """\
- {{service: s{service}, namespace: bench, address: 127.1.{high}.{low}, ports: [{{name: t, number: {port}}}],
   checks: [{{tcp: {{port: t}}, interval: {interval}s}}]}}
"""


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident_mib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        line, = [line for line in file if line.startswith("VmRSS")]
    return int(line.split()[1]) / 1024


def metrics(where):
    """The value of each sample of the agent by its name with its labels."""
    client = http.client.HTTPConnection(*where, timeout=30)
    client.request("GET", "/metrics")
    lines = client.getresponse().read().decode().splitlines()
    client.close()
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))}


def made(where, outcome="success"):
    return metrics(where)[f'meshdns_agent_probes_total{{outcome="{outcome}"}}']


class ChecksBed(Bed):
    def tool(self, *argv):
        child = subprocess.Popen([os.path.join(BIN, "bare_checks"), *argv], stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE)
        self.callback(child.stdout.close)
        self.callback(child.wait)
        self.callback(child.kill)
        return child

    def begin(self, checks, interval):
        port = int(self.tool("listen").stdout.readline())
        entries = [ENDPOINT.format(service=i % 500, high=i >> 8, low=i & 255, port=port, interval=interval)
                   for i in range(checks)]
        self.write("endpoints.d/bench.yaml", "endpoints:\n" + "".join(entries))
        self.bare = self.tool("check", str(port), str(checks), str(interval * 1000))
        self.agent = self.start("meshdns-agent", "--config", self.write("agent.yaml", AGENT.format(folder=self.folder)),
                                "--log-level", "info")
        self.where = self.agent.address("admin listening")

    def settle(self, checks):
        def ready():
            self.agent.read(0)  # its log must not fill the pipe
            return made(self.where) >= 2 * checks
        eventually(ready, "every endpoint was checked twice")

    def measure(self, seconds, expected):
        """CPU microseconds of one check: the agent's, the bare loop's."""
        self.agent.read(0)
        pids = (self.agent.process.pid, self.bare.pid)
        before = [cpu_seconds(pid) for pid in pids]
        count = made(self.where)
        begun = time.monotonic()
        time.sleep(seconds)
        count = made(self.where) - count
        taken = time.monotonic() - begun
        agent, bare = (1e6 * (cpu_seconds(pid) - was) for pid, was in zip(pids, before))
        if abs(count - expected * taken) > 0.1 * expected * taken:
            raise SystemExit(f"{count:.0f} checks in {taken:.1f} s instead of {expected * taken:.0f}")
        return agent / count, bare / (expected * taken)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checks", type=int, default=10_000)
    parser.add_argument("--interval", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seconds", type=int, default=10)
    arguments = parser.parse_args()
    with ChecksBed() as bed:
        bed.begin(arguments.checks, arguments.interval)
        bed.settle(arguments.checks)
        rounds = [bed.measure(arguments.seconds, arguments.checks / arguments.interval) for _ in range(arguments.rounds)]
        ratios = [agent / bare for agent, bare in rounds]
        ratio, mib = statistics.median(ratios), resident_mib(bed.agent.process.pid)
        wrong = sum(made(bed.where, outcome) for outcome in ("failure", "timeout", "refused", "unknown"))
    print(f"{arguments.checks} TCP checks at {arguments.interval} s, {len(rounds)} rounds of {arguments.seconds} s: "
          f"{statistics.median(agent for agent, _ in rounds):.0f} us of CPU for a check, "
          f"bare loop {statistics.median(bare for _, bare in rounds):.0f} us, "
          f"ratio {ratio:.2f} ({min(ratios):.2f}-{max(ratios):.2f}) (goal: <= {MOST_RATIO})")
    print(f"agent's memory: {mib:.1f} MiB (goal: <= {MOST_MIB} MiB); checks that did not succeed: {wrong:.0f}")
    return 0 if ratio <= MOST_RATIO and mib <= MOST_MIB and wrong == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
