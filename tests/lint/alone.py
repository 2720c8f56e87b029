#!/usr/bin/python3
"""Has clang read each source alone: alone.py --fuzz DIR --build DIR [--tests]; exits 1 if it does not take one.

All other builds of `./dev test` compile sources of a folder together, with g++ only. A source that lacks an include, or that
clang does not take, would be found by whoever changes or fuzzes it next. Clang goes as far as its own intermediate code,
because some of what it lacks shows there only; machine code would take twice as long. Sources that include gRPC, Asio or Beast
are left to clang-tidy (`./dev lint --all`): they take 4 to 20 s each."""

import argparse
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

from sources import ROOT, count_bad  # noqa: E402  (found by the line above)

CODEGEN = ["-O0", "-Xclang", "-emit-codegen-only", "-c"]

# What most sources include, and most tests: read once, it halves the time.
COMMON = """algorithm array chrono cstdint cstring functional map memory optional set span string string_view unordered_map
utility variant vector fmt/format.h tl/expected.hpp""".split()
FOR_TESTS = [*COMMON, "gmock/gmock.h", "gtest/gtest.h"]


def flags_of(entry, fuzz, build):
    """Compiler and flags of a database's entry; generated headers are those of the other build. -pthread is left out: it would
    have to be equal for all that share the headers that are read once."""
    words = shlex.split(entry["command"].replace(f"{fuzz}/proto", f"{build}/proto"))
    first = next(i for i, word in enumerate(words) if re.search(r"clang\+\+(-\d+)?$", word))  # behind ccache
    words = [word for word in words[first:] if not word.startswith(("-fsanitize", "-fno-sanitize", "-fPI", "-O", "-g", "-pthread"))]
    at = words.index("-o")
    words = [*words[:at], *words[at + 2:words.index("-c")]]
    return without_pch(words)


def without_pch(words):
    """The same without the precompiled header of the build, which is not built here."""
    pairs = {i for i, word in enumerate(words) if word == "-Xclang"}
    return [word for i, word in enumerate(words) if i not in pairs and i - 1 not in pairs and "pch" not in word]


def prepare(command, folder, name, headers):
    """Reads the headers; returns the option by which others need not."""
    header = folder / f"{name}.h"
    header.write_text("".join(f"#include <{name}>\n" for name in headers), encoding="utf-8")
    subprocess.run([*command, "-O0", "-x", "c++-header", str(header), "-o", f"{header}.pch"], cwd=ROOT, check=True)
    return ["-include-pch", f"{header}.pch"]


def is_test(path):
    return path.startswith(f"{ROOT}/tests/")


def read(command, path):
    result = subprocess.run([*command, *(["-fsyntax-only"] if is_test(path) else CODEGEN), path], cwd=ROOT, capture_output=True, text=True, check=False)
    return result.returncode, (result.stdout + result.stderr).replace(f"{ROOT}/", "")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fuzz", type=Path, required=True, help="a configured folder of the preset fuzz")
    parser.add_argument("--build", type=Path, required=True, help="a build folder with generated headers")
    parser.add_argument("--tests", action="store_true", help="read the tests too, which takes twice as long")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    args = parser.parse_args()
    fuzz, build = args.fuzz.resolve(), args.build.resolve()
    entries = json.loads((fuzz / "compile_commands.json").read_text(encoding="utf-8"))
    ours = [entry for entry in entries if not entry["file"].startswith(f"{fuzz}{os.sep}")]  # and not generated
    commands = {entry["file"]: flags_of(entry, fuzz, build) for entry in ours if args.tests or not is_test(entry["file"])}
    if not commands:
        print("alone: there are no sources")
        return 1
    pch = {False: prepare(next(iter(commands.values())), fuzz, "common", COMMON)}
    if args.tests:
        a_test = next(command for path, command in commands.items() if path.startswith(f"{ROOT}/tests/unit/"))
        pch[True] = prepare(a_test, fuzz, "for_tests", FOR_TESTS)
    bad = count_bad(lambda item: read([*item[1], *pch[is_test(item[0])]], item[0]), sorted(commands.items()), args.jobs)
    print(f"alone: {len(commands)} sources, {bad} that clang does not compile")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
