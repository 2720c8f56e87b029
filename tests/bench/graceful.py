#!/usr/bin/python3
"""Graceful restarts under load: how often the agent takes an endpoint out that never stopped serving. nginx reloads, the
upgrade of nginx's binary, and instances that hand a port over (SO_REUSEPORT), each checked by HTTP and TCP every 100 ms.

graceful.py [--rounds 500]; MESHDNS_BIN names the folder of the binaries. One line per kind of restart; the bar is 0, and
exit code 1 says that it was missed. Only loopback is used. 500 rounds take about 6 minutes.
"""
import argparse
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "integration"))
from graceful import Restarts  # noqa: E402
from mesh import Bed  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=500, help="of all kinds of restart together")
    options = parser.parse_args()
    print("| restart | rounds | seconds each | false withdrawals | bar | |\n| --- | --- | --- | --- | --- | --- |")
    missed = 0
    with Bed() as bed:
        restarts = Restarts(bed)
        share = -(-options.rounds // len(restarts.changes))
        for name, change in restarts.changes.items():
            before, begun = len(restarts.withdrawn()), time.monotonic()
            for _ in range(share):
                change()
                restarts.withdrawn()  # reads the log, before its pipe is full
            took = (time.monotonic() - begun) / share
            time.sleep(1)  # ten more checks
            count = len(restarts.withdrawn()) - before
            missed += count
            print(f"| {name} | {share} | {took:.2f} | {count} | 0 | {'reached' if count == 0 else 'MISSED'} |", flush=True)
        print(f"{sum(client.answers for client in restarts.load)} answers to the load meanwhile")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
