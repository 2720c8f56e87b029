#!/usr/bin/python3
"""Runs the lints: run.py [--list] [--root DIR] [NAME...]; exits with the number of lints that found something."""

import argparse
import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

import citations  # noqa: E402  (siblings, found by the line above)
import clocks
import includes
import metrics
import sizes
import sources
import tags
import tree
import words

LINTS = {module.__name__: module.check for module in (includes, sizes, clocks, tree, metrics, words, citations, tags)}


def selftest(_root):
    """Each lint finds what it must; see selftest.py."""
    suite = unittest.defaultTestLoader.loadTestsFromName("selftest")
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=0).run(suite)
    return [sources.Problem("tests/lint/selftest.py", 1, str(test)) for test, _ in result.failures + result.errors]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--list", action="store_true", help="print the names")
    parser.add_argument("--root", type=Path, default=sources.ROOT, help="the tree to read")
    parser.add_argument("name", nargs="*", choices=[[], *LINTS, "selftest"], help="default: all")
    return parser.parse_args()


def main():
    args = arguments()
    checks = {**LINTS, "selftest": selftest}
    if args.list:
        print("\n".join(checks))
        return 0
    failed = 0
    for name in args.name or checks:
        problems = sorted(checks[name](args.root))
        for problem in problems:
            print(problem)
        print(f"lint {name}: {len(problems) or 'no'} problem{'s' * (len(problems) != 1)}", flush=True)
        failed += bool(problems)
    return failed


if __name__ == "__main__":
    sys.exit(main())
