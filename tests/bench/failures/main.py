#!/usr/bin/python3
"""What the system must survive, measured: one line per row, with its bar beside the figure.

main.py [ROW...] [--seconds 10] [--kills 1000] [--orders 10] [--away 20] [--pods 5000] [--seed 7]; MESHDNS_BIN names the folder of the binaries.
1,000 queries a second, each answer checked, run beside every row. Only loopback is used. Rows that are not here are
tests that carry the row's id: A3, A4, B8, B9, D7, F4, and A1 and A6 over simulated time.
"""
import argparse
import sys

import agents
import control_plane
import hostile
import load
import operation
import pods
import pod_sizes
import publication
import storage
import storms
from bed import Skip
from raw_call import Ended

MODULES = (control_plane, load, agents, storage, operation, hostile, publication, storms,
           pods, pod_sizes)
ROWS = {name: row for module in MODULES for name, row in module.ROWS.items()}


def in_order(name):
    return name[0], int(name[1:])


def measure(name, arguments):
    """Prints the row's line; whether it is good."""
    row = ROWS[name]
    try:
        figure, bar, good = row(arguments)
    except Skip as reason:
        print(f"{name:<4}skip  {row.__doc__}: {reason}", flush=True)
        return True
    except (AssertionError, Ended, OSError) as error:
        figure, bar, good = str(error).split("\n", maxsplit=1)[0], "the row comes to its end", False
    print(f"{name:<4}{'ok  ' if good else 'MISS'}  {row.__doc__}: {figure}   [{bar}]", flush=True)
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", metavar="ROW")
    parser.add_argument("--seconds", type=int, default=10, help="of A8, C2, C3, G1, G8, K4 (at their most: 60)")
    parser.add_argument("--kills", type=int, default=1000, help="of D1")
    parser.add_argument("--orders", type=int, default=10, help="of A10")
    parser.add_argument("--away", type=int, default=20, help="seconds without the API server, of B17 (at its most: 600)")
    parser.add_argument("--pods", type=int, default=5000, help="in one list, of B17")
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    names = [name.upper() for name in arguments.rows] or sorted(ROWS, key=in_order)
    unknown = [name for name in names if name not in ROWS]
    if unknown:
        parser.error(f"no row {', '.join(unknown)}; there are {', '.join(sorted(ROWS, key=in_order))}")
    return 1 if sum(not measure(name, arguments) for name in names) else 0


if __name__ == "__main__":
    sys.exit(main())
