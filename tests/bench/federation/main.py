#!/usr/bin/python3
"""What a federation of ten thousand agents must hold, and what gRPC alone costs: main.py [ROW...]

Rows: heartbeats one_watcher many_agents many_watchers sync million kill slow_start; default: all, about 20 minutes. MESHDNS_BIN
names the folder of the binaries. Figures of one run compare with each other only; let nothing else run.
"""
import argparse
import sys

from rows import ROWS, Scale


def text(value, unit):
    if value is None:
        return "-"
    if unit == "lost":
        return str(int(value))
    number = f"{value:.2f}" if value < 10 else f"{value:.0f}"
    return f"{number} {unit}".strip()


def row(figure):
    verdict = "reached" if figure.measured <= figure.bar else "MISSED"
    cells = (figure.what, figure.landed or "-", "<= " + text(figure.bar, figure.unit), text(figure.measured, figure.unit),
             text(figure.bare, figure.unit), verdict)
    return "| " + " | ".join(cells) + " |"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", metavar="ROW")
    parser.add_argument("--size", type=float, default=1.0, help="share of the agents, watchers and changes; bars are for 1")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each steady measurement")
    parser.add_argument("--settle", type=float, default=5.0, help="seconds before it")
    parser.add_argument("--kills", type=int, default=50)
    options = parser.parse_args()
    unknown = [name for name in options.rows if name not in ROWS]
    if unknown:
        parser.error(f"no row named {', '.join(unknown)}; there are {', '.join(ROWS)}")
    scale = Scale(options.size, options.seconds, options.settle, options.kills)
    missed = 0
    print("| figure | landed | bar | measured | bare gRPC | |\n| --- | --- | --- | --- | --- | --- |", flush=True)
    for name in options.rows or ROWS:
        for figure in ROWS[name](scale):
            missed += figure.measured > figure.bar
            print(row(figure), flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
