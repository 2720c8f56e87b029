#!/usr/bin/python3
"""Has clang read the sources of the fuzz targets: fuzz_clang.py --fuzz DIR --build DIR; exits 1 if it does not take one.

All else is compiled by g++ only, so that a source that clang does not take was found by whoever fuzzed next. Clang goes as
far as its own intermediate code, because some of what it lacks shows there only; machine code would take twice as long."""

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

# What most sources include: read once, it halves the time.
COMMON = """algorithm array chrono cstdint cstring functional map memory optional set span string string_view unordered_map
utility variant vector fmt/format.h tl/expected.hpp""".split()


def sources_of(fuzz):
    """What the fuzz targets are made of, except generated code."""
    targets = [path.stem for path in sorted((ROOT / "tests/fuzz").glob("*_fuzz.cc"))]
    inputs = subprocess.run(["ninja", "-C", str(fuzz), "-t", "inputs", *targets], capture_output=True, text=True, check=True)
    files = {os.path.normpath(fuzz / line) for line in inputs.stdout.splitlines() if line.endswith(".cc")}
    return {file for file in files if not file.startswith(f"{fuzz}{os.sep}")}


def flags_of(entry, fuzz, build):
    """Compiler and flags of a database's entry; generated headers are those of the other build."""
    words = shlex.split(entry["command"].replace(f"{fuzz}/proto", f"{build}/proto"))
    first = next(i for i, word in enumerate(words) if re.search(r"clang\+\+(-\d+)?$", word))  # behind ccache
    words = [word for word in words[first:] if not word.startswith(("-fsanitize", "-fno-sanitize", "-fPI", "-O", "-g"))]
    at = words.index("-o")
    return [*words[:at], *words[at + 2:words.index("-c")]]


def prepare(command, folder):
    """Reads the common headers; returns the option by which others need not."""
    header = folder / "common.h"
    header.write_text("".join(f"#include <{name}>\n" for name in COMMON), encoding="utf-8")
    subprocess.run([*command, "-O0", "-x", "c++-header", str(header), "-o", f"{header}.pch"], cwd=ROOT, check=True)
    return ["-include-pch", f"{header}.pch"]


def read(command, path):
    result = subprocess.run([*command, *CODEGEN, path], cwd=ROOT, capture_output=True, text=True, check=False)
    return result.returncode, (result.stdout + result.stderr).replace(f"{ROOT}/", "")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fuzz", type=Path, required=True, help="a configured folder of the preset fuzz")
    parser.add_argument("--build", type=Path, required=True, help="a build folder with generated headers")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    args = parser.parse_args()
    fuzz, build = args.fuzz.resolve(), args.build.resolve()
    wanted = sources_of(fuzz)
    entries = json.loads((fuzz / "compile_commands.json").read_text(encoding="utf-8"))
    commands = {entry["file"]: flags_of(entry, fuzz, build) for entry in entries if entry["file"] in wanted}
    if not commands:
        print("fuzz_clang: there are no sources")
        return 1
    pch = prepare(next(iter(commands.values())), fuzz)
    bad = count_bad(lambda item: read([*item[1], *pch], item[0]), sorted(commands.items()), args.jobs)
    print(f"fuzz_clang: {len(commands)} sources, {bad} that clang does not compile")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
