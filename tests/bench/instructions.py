#!/usr/bin/python3
"""User-space instructions per UDP query of the running server, counted by callgrind: instructions.py [--keep]

Two questions are measured: an A answer of three records with EDNS, and the mix of the peers' bench (95 % A of 1, 3 and
8 records, AAAA, SRV, NXDOMAIN). Only the threads that answer are counted, and of them the difference between a short
and a longer load on the same start. Clients are in several places, behind eight sockets.
Exits with 1 if a figure is more than 5 % above the one kept in instructions.json. --keep writes what was measured there.
"""
import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from targets import load_peers

HERE = os.path.dirname(os.path.abspath(__file__))
BASELINE = os.path.join(HERE, "instructions.json")
ADDRESS, PORT = "127.0.0.1", 5399
CLIENT = "127.1.0.9"  # in the first place
SECONDS = (0.4, 2.2)
GROWTH = 1.05
GOALS = {"a_3_records": 500}
NAMES = 200


def run(*command, **options):
    return subprocess.run(command, check=True, **options)


def prepare(peers, folder):
    """Builds the load generator and writes the workload; returns the query file of each question."""
    peers["build"]()
    peers["gen"](out=folder, only="places", names=NAMES)
    files = {"mix": os.path.join(folder, "queries.txt"), "a_3_records": os.path.join(folder, "three.txt")}
    with open(files["a_3_records"], "w", encoding="ascii") as out:
        for i in range(NAMES):
            if i % 5 in (1, 3):  # these have three addresses in each place
                out.write(f"svc-{i}.mesh.internal A\n")
    return files


def start(peers, folder):
    """The server under callgrind, as soon as it answers."""
    out = os.path.join(folder, "server")
    shutil.rmtree(out, ignore_errors=True)
    os.makedirs(out)
    argv = ["valgrind", "-q", "--tool=callgrind", "--trace-children=yes", f"--callgrind-out-file={out}/cg.%p",
            "--toggle-collect=std::thread::_State_impl*DnsServer*_M_run*",
            f"{HERE}/run_ours", out, ADDRESS, str(PORT), "1", folder]
    with open(os.path.join(out, "log"), "w", encoding="utf-8") as log:
        server = subprocess.Popen(argv, stdout=log, stderr=subprocess.STDOUT)
    deadline = time.time() + 120
    while not peers["answers"](PORT, CLIENT):
        if server.poll() is not None or time.time() > deadline:
            server.kill()
            with open(os.path.join(out, "log"), encoding="utf-8") as log:
                sys.exit("the server did not start:\n" + log.read()[-2000:])
        time.sleep(0.1)
    return server, out


def counted(out):
    total = 0
    for name in os.listdir(out):
        if name.startswith("cg."):
            with open(os.path.join(out, name), encoding="utf-8", errors="replace") as profile:
                total += sum(int(line.split()[1]) for line in profile if line.startswith("summary:"))
    return total


def load(peers, folder, queries, seconds):
    """(instructions, answers) of one start and one load."""
    server, out = start(peers, folder)
    try:
        result = run(peers["BLAST"], "--server", f"{ADDRESS}:{PORT}", "--queries", queries, "--window", "64", "--sockets", "8",
                     "--warmup", "0", "--duration", str(seconds), capture_output=True, text=True)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(60)
    return counted(out), json.loads(result.stdout)["recv"]


def measure(peers, folder, queries):
    (few, few_answers), (many, many_answers) = (load(peers, folder, queries, seconds) for seconds in SECONDS)
    if many_answers <= few_answers:
        sys.exit("the longer load got no more answers than the short one: is the machine busy?")
    return round((many - few) / (many_answers - few_answers))


def report(measured, kept):
    print("| question | user instructions per query | goal | kept | |\n|---|---|---|---|---|")
    grown = False
    for question, figure in measured.items():
        before = kept.get(question)
        too_many = before is not None and figure > before * GROWTH
        grown = grown or too_many
        print(f"| {question} | {figure} | {GOALS.get(question, '')} | {before} | {'GREW by more than 5 %' if too_many else 'ok'} |")
    return grown


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keep", action="store_true", help="write the figures to instructions.json")
    keep = parser.parse_args().keep
    peers = load_peers(rounds=1)
    with tempfile.TemporaryDirectory(prefix="meshdns-instructions-") as folder:
        files = prepare(peers, folder)
        measured = {question: measure(peers, folder, path) for question, path in files.items()}
    kept = {}
    if os.path.exists(BASELINE):
        with open(BASELINE, encoding="utf-8") as file:
            kept = json.load(file)
    grown = report(measured, kept)
    if keep:
        with open(BASELINE, "w", encoding="utf-8") as file:
            json.dump(measured, file, indent=2)
            file.write("\n")
    sys.exit(1 if grown and not keep else 0)


if __name__ == "__main__":
    main()
