#!/usr/bin/python3
"""The goals of docs/performance.md beside what one run of this machine gives: targets.py [--rounds N] [--out FILE]

Our server, a UDP echo, and of gdnsd, Knot and NSD those that are installed answer the same load in turn, round after
round. Ratios are formed within a round, each against an echo run right before and after it, and given as the median
and the range of all rounds. Takes about 6 minutes for 9 rounds.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
PEERS = ("gdnsd-geo", "knot", "nsd")
OURS = "OURS"


def load_peers(rounds):
    """The names of peers/peers.py, which is one program, without running its main()."""
    ours = f"{HERE}/run_ours {{dir}} {{addr}} {{port}} {{threads}} {{data}}"
    sys.argv = ["peers.py", "--ours", ours, "--rounds", str(rounds), "--secs", "0.5"]
    path = f"{HERE}/peers/peers.py"
    with open(path, encoding="utf-8") as source:
        text = source.read().rsplit("\nmain()", 1)[0]
    names = {"__file__": path, "__name__": "peers"}
    exec(compile(text, path, "exec"), names)  # pylint: disable=exec-used
    return names


def trains_file(folder, names):
    """Questions of one length with answers of one length, so that a train of them is answered by a train."""
    path = os.path.join(folder, "trains.txt")
    with open(path, "w", encoding="ascii") as out:
        for i in range(1000, names):
            if i % 5 in (1, 3):  # three addresses each
                out.write(f"svc-{i}.mesh.internal A\n")
    return path


class Run:
    def __init__(self, peers):
        self.peers = peers
        self.servers = {}
        self.results = {}

    def start(self, name):
        server = self.peers["Srv"](name)
        if server.up is None:
            print(f"{name} did not start", file=sys.stderr)
        else:
            self.servers[name] = server

    def stop(self):
        for server in self.servers.values():
            server.stop()

    def keep(self, name, test, result):
        if result and result.get("qps"):
            self.results.setdefault((name, test), []).append(result)

    def round(self, number, trains):
        paired, blast = self.peers["paired"], self.peers["blast"]
        echo = self.servers["echo-mmsg"]
        load = {"sockets": 32, "duration": 0.5, "warmup": 0.2, "seed": number}
        for name, server in self.servers.items():
            self.keep(name, "peak", paired(server, echo, window=128, **load))
            self.keep(name, "latency", blast(server, rate=20000, sockets=16, duration=0.5, warmup=0.25, seed=number))
            if name == OURS:
                self.keep(name, "ecs", paired(server, echo, window=128, ecs=100, **load))
            if name not in self.peers["ECHOES"] and number < 3:
                self.keep(name, "tcp", self.peers["tcp"](server))
        for name in (OURS, "echo-mmsg"):
            one = {"sockets": 1, "window": 256, "duration": 0.5, "warmup": 0.2, "seed": number, "queries": trains}
            self.keep(name, "trains", blast(self.servers[name], gso=True, **one))

    def ratios(self, name, test, base, base_test, figure):
        ours = self.results.get((name, test), [])
        other = self.results.get((base, base_test), [])
        return [a[figure] / b[figure] for a, b in zip(ours, other) if b[figure]]

    def figures(self, name, test, figure):
        return [result[figure] for result in self.results.get((name, test), [])]


def goals(run):
    """(what, goal, at least or at most, figures of each round)"""
    yield "UDP QPS, one core / echo", 0.95, ">=", run.figures(OURS, "peak", "rq")
    yield "UDP QPS / gdnsd geoip", 1.10, ">=", run.ratios(OURS, "peak", "gdnsd-geo", "peak", "rq")
    yield "UDP QPS / Knot", 1.25, ">=", run.ratios(OURS, "peak", "knot", "peak", "rq")
    yield "UDP QPS / NSD", 1.25, ">=", run.ratios(OURS, "peak", "nsd", "peak", "rq")
    yield "CPU per query / echo", 1.05, "<=", run.figures(OURS, "peak", "rc")
    yield "QPS with client subnet / without", 0.97, ">=", run.ratios(OURS, "ecs", OURS, "peak", "rq")
    yield "trains of one socket, QPS / echo", 1.6, ">=", run.ratios(OURS, "trains", "echo-mmsg", "trains", "qps")
    yield "trains of one socket, CPU / echo", None, "<=", run.ratios(OURS, "trains", "echo-mmsg", "trains", "server_ns_per_q")
    yield "TCP QPS / gdnsd", 1.0, ">=", run.ratios(OURS, "tcp", "gdnsd-geo", "tcp", "qps")
    yield "TCP CPU per query / gdnsd", 0.8, "<=", run.ratios(OURS, "tcp", "gdnsd-geo", "tcp", "server_ns_per_q")
    yield "p50 at 20,000 qps / echo", 1.05, "<=", run.ratios(OURS, "latency", "echo-mmsg", "latency", "p50_us")


def verdict(goal, sense, figure):
    if goal is None:
        return ""
    return "reached" if (figure >= goal if sense == ">=" else figure <= goal) else "MISSED"


def report(run):
    print("| what | goal | median (range), rounds | |\n|---|---|---|---|")
    for what, goal, sense, figures in goals(run):
        if not figures:
            print(f"| {what} | {sense} {goal} | not measured | |")
            continue
        median = statistics.median(figures)
        bar = f"{sense} {goal:.2f}" if goal is not None else ""
        print(f"| {what} | {bar} | {median:.2f} ({min(figures):.2f}-{max(figures):.2f}), {len(figures)} | {verdict(goal, sense, median)} |")
    print("\n| server | peak QPS | CPU ns/query | of it user | p50 us | TCP QPS |\n|---|---|---|---|---|---|")
    for name in run.servers:
        def middle(test, figure, name=name):
            figures = run.figures(name, test, figure)
            return f"{statistics.median(figures):.0f}" if figures else "-"
        print(f"| {name} | {middle('peak', 'qps')} | {middle('peak', 'server_ns_per_q')} | {middle('peak', 'server_user_ns')} "
              f"| {middle('latency', 'p50_us')} | {middle('tcp', 'qps')} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--out", help="write the figures of all rounds there, as JSON")
    options = parser.parse_args()
    peers = load_peers(options.rounds)
    peers["build"]()
    data = peers["DATA"]
    if not os.path.exists(f"{data}/.done"):
        peers["gen"]()
        with open(f"{data}/.done", "w", encoding="ascii"):
            pass
    trains = trains_file(data, peers["a"].names)
    run = Run(peers)
    try:
        for name in ("echo-mmsg", OURS) + tuple(n for n in PEERS if peers["shutil"].which(peers["P"][n][1](peers["W"] + "/run/probe", 1, 1, data)[0])):
            run.start(name)
        for number in range(options.rounds):
            run.round(number, trains)
    finally:
        run.stop()
    report(run)
    if options.out:
        with open(options.out, "w", encoding="utf-8") as out:
            json.dump({f"{name} {test}": results for (name, test), results in run.results.items()}, out)


if __name__ == "__main__":
    main()
