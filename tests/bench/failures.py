#!/usr/bin/python3
"""What the system must survive, measured: one line per row, with its bar beside the figure.

failures.py [ROW...] [--kills 200]; MESHDNS_BIN names the folder of the binaries. Only loopback is used.
"""
import argparse
import os
import random
import signal
import socket
import sys
import threading
import time
import urllib.request

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path.insert(0, os.path.join(ROOT, "tests", "integration"))
sys.path.insert(0, os.path.join(ROOT, "packaging", "examples", "demo"))
import wire  # noqa: E402
from checking_client import CheckingClient  # noqa: E402
from mesh import Bed, eventually, run  # noqa: E402

FEDERATION = """\
cluster: one
zones: [{{name: mesh.internal}}]
data_dir: {folder}/fed
dns: {{workers: "1", listen: [{{address: "127.0.0.1:0"}}]}}
federation: {{listen: "{listen}"}}
admin: {{listen: "127.0.0.1:0", socket: {folder}/fed.sock}}
"""
REPLICA = """\
cluster: one
roles: [dns]
zones: [{{name: mesh.internal}}]
data_dir: {folder}/dns
dns: {{workers: "1", stale_after: 2s, listen: [{{address: "{listen}"}}]}}
replica: {{federation: ["{server}"]}}
admin: {{listen: "127.0.0.1:0", socket: {folder}/dns.sock}}
"""
AGENT = """\
node: n1
cluster: one
federation: {{servers: ["{server}"]}}
addresses: [127.0.0.1]
discovery: {{static: {{directory: {folder}/endpoints}}}}
admin: {{listen: "127.0.0.1:0", socket: {folder}/agent.sock}}
"""
OBJECT = """\
apiVersion: meshdns.io/v1alpha1
kind: VirtualDestination
metadata: {{name: o{number}, namespace: kills}}
spec: {{hosts: [o{number}.mesh.internal], services: [{{name: s0, namespace: bench}}]}}
"""


class Instance:
    """Accepts any number of connections at once, and closes them: what a TCP check needs."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                self.socket.accept()[0].close()
            except OSError:
                return

    def close(self):
        self.socket.close()


class FailureBed(Bed):
    def begin(self, endpoints=1):
        self.federation_at = f"127.0.0.1:{free_port()}"
        self.instance = Instance()
        self.callback(self.instance.close)
        self.start_federation()
        entries = "".join(
            f"  - {{service: s{i}, namespace: bench, ports: [{{name: http, number: {self.instance.port}}}], "
            "checks: [{tcp: {port: http}, interval: 60s}]}\n" for i in range(endpoints))
        self.write("endpoints/all.yaml", "endpoints:\n" + entries)
        self.agent_config = self.write("agent.yaml", AGENT.format(server=self.federation_at, folder=self.folder))
        self.start_agent()
        self.dns = ("127.0.0.1", free_port())
        self.start_replica()
        last = f"s{endpoints - 1}.bench.mesh.internal"
        eventually(lambda: self.answer(last, 1.0) == ["127.0.0.1"], f"{last} at the replica", timeout=60)

    def answer(self, name, timeout):
        """The addresses; none while nobody answers."""
        for daemon in (self.federation, self.agent, self.replica):
            if daemon.process.poll() is None:
                daemon.read(0)  # their logs must not fill the pipes
        try:
            return wire.ask(*self.dns, name, timeout=timeout)
        except OSError:
            time.sleep(0.002)
            return []

    def start_federation(self):
        config = self.write("fed.yaml", FEDERATION.format(folder=self.folder, listen=self.federation_at))
        self.federation = self.start("meshdnsd", "--config", config)
        self.federation.wait_line("ready")

    def start_agent(self):
        self.agent = self.start("meshdns-agent", "--config", self.agent_config)
        self.agent.wait_line("connected")

    def start_replica(self):
        config = self.write("dns.yaml", REPLICA.format(
            folder=self.folder, listen="%s:%d" % self.dns, server=self.federation_at))
        begun = time.monotonic()
        self.replica = self.start("meshdnsd", "--config", config)
        return begun

    def client(self, rate=1000):
        return CheckingClient(self.dns, "s0.bench.mesh.internal", ["127.0.0.1"], rate)

    def metric(self, daemon, name):
        url = "http://%s:%d/metrics" % daemon.address("admin listening")
        with urllib.request.urlopen(url, timeout=20) as reply:
            lines = reply.read().decode().splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith(name))

    def ctl(self, *words):
        return run("meshdnsctl", "--server", f"unix:{self.folder}/fed.sock", *words)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def zero_wrong(client):
    return f"{client.right} right, {client.wrong} wrong, {client.lost} lost"


def row_a1(_):
    """federation down"""
    with FailureBed() as bed:
        bed.begin()
        bed.replica.wait_line("ready")
        with bed.client() as client:
            time.sleep(1)
            early = client.stale
            bed.federation.stop(signal.SIGKILL)
            time.sleep(4)
            before, stale = client.right, client.stale
            time.sleep(2)
            share = (client.stale - stale) / max(1, client.right - before)
        return (f"{zero_wrong(client)}; EDE 3 before {early}, after {100 * share:.0f} %", "0 wrong; 0, 100 %",
                client.wrong + client.lost == 0 and early == 0 and share == 1)


def row_a2(_):
    """dnsd restart while the federation is down, 5,000 endpoints"""
    with FailureBed() as bed:
        bed.begin(5000)
        time.sleep(6)  # the snapshot is written every 5 s
        bed.federation.stop(signal.SIGKILL)
        times = []
        for _ in range(20):
            bed.replica.stop(signal.SIGKILL)
            begun = bed.start_replica()
            while bed.answer("s7.bench.mesh.internal", 0.05) != ["127.0.0.1"]:
                if time.monotonic() - begun > 20:
                    raise SystemExit("A2: no answer in 20 s")
            times.append((time.monotonic() - begun) * 1000)
        return f"first right answer: worst of 20 {max(times):.0f} ms", "<= 100 ms", max(times) <= 100


def row_a9(_):
    """federation restart, nothing changed"""
    with FailureBed() as bed:
        bed.begin(2000)
        full = bed.metric(bed.federation, "meshdns_federation_sent_bytes_total")
        time.sleep(2)  # what agents report is stored lazily
        bed.federation.stop(signal.SIGKILL)
        bed.start_federation()
        bed.replica.wait_line("fresh|federation found", after=len(bed.replica.lines))
        time.sleep(3)
        again = bed.metric(bed.federation, "meshdns_federation_sent_bytes_total")
        return f"{again:.0f} of {full:.0f} bytes ({100 * again / full:.1f} %)", "<= 5 %", again <= 0.05 * full


def row_b2(_):
    """agent restart, agent leave"""
    with FailureBed() as bed:
        bed.begin()
        with bed.client() as client:
            for _ in range(5):
                bed.agent.stop()
                bed.start_agent()
                time.sleep(0.3)
            changes = len(client.changes) - 1
            run("meshdns-agent", "leave", "--config", bed.agent_config)
            left = time.monotonic()
            end = left + 10
            while client.changes[-1][1] and time.monotonic() < end:
                time.sleep(0.005)
            taken = client.changes[-1][0] - left
        return (f"5 restarts: {changes} changes; leave: gone after {max(0.0, taken) * 1000:.0f} ms",
                "0; <= 1,000 ms", changes == 0 and taken <= 1)


def row_d1(arguments):
    """kill -9 of the federation during writes"""
    with FailureBed() as bed:
        bed.begin()
        acknowledged, starts, lost = [], [], 0
        generator = random.Random(7)
        for number in range(arguments.kills):
            path = bed.write("object.yaml", OBJECT.format(number=number))
            if generator.random() < 0.5:
                if bed.ctl("apply", "-f", path)[0] == 0:
                    acknowledged.append(f"kills/o{number}")
            bed.federation.stop(signal.SIGKILL)
            begun = time.monotonic()
            bed.start_federation()
            starts.append(time.monotonic() - begun)
            if number % 20 == 19 or number == arguments.kills - 1:
                names = bed.ctl("get", "vd")[1].split()
                lost += sum(name not in names for name in acknowledged)
        return (f"{arguments.kills} kills, {len(acknowledged)} acknowledged, {lost} lost, slowest start "
                f"{max(starts) * 1000:.0f} ms", "0 lost, start <= 1,000 ms", lost == 0 and max(starts) <= 1)


def row_f1(_):
    """200 mutated configurations on reload"""
    with FailureBed() as bed:
        bed.begin()
        bed.replica.wait_line("ready")
        path = bed.path("dns.yaml")
        with open(path, encoding="utf-8") as file:
            good = file.read()
        generator = random.Random(11)
        with bed.client() as client:
            for _ in range(200):
                text = list(good)
                for _ in range(generator.randrange(1, 6)):
                    text[generator.randrange(len(text))] = generator.choice("{}[]:,x0\n \"#&*!")
                bed.write("dns.yaml", "".join(text))
                bed.replica.send_signal(signal.SIGHUP)
                time.sleep(0.02)
                bed.replica.read(0)
        alive = bed.replica.process.poll() is None
        return f"{zero_wrong(client)}, process {'lives' if alive else 'died'}", "0 wrong, lives", (
            alive and client.wrong + client.lost == 0)


ROWS = {"A1": row_a1, "A2": row_a2, "A9": row_a9, "B2": row_b2, "D1": row_d1, "F1": row_f1}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", default=list(ROWS), metavar="ROW")
    parser.add_argument("--kills", type=int, default=200)
    arguments = parser.parse_args()
    failed = 0
    for name in arguments.rows:
        row = ROWS[name.upper()]
        figure, bar, good = row(arguments)
        failed += not good
        print(f"{name:<4}{'ok  ' if good else 'MISS'}  {row.__doc__}: {figure}   [{bar}]", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
