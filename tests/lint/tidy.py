#!/usr/bin/python3
"""clang-tidy over the sources that changed: tidy.py --build DIR [--all]; exits 1 if it found something."""

import argparse
import json
import os
import re
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from sources import ROOT, count_bad, repository_files  # noqa: E402  (found by the line above)

_GCC_ONLY = re.compile(r" (?:-Winvalid-pch|-fpch-preprocess|-Wno-restrict)(?= |$)")
_PCH = re.compile(r"(?<= -include )\S*/cmake_pch\.hxx(?= |$)")
# What packaging/cmake/Options.cmake adds for clang.
_CLANG_ONLY = " -Wno-sign-conversion"
_NOISE = re.compile(r"^(?:\d+ warnings? generated|Suppressed \d+ warnings|Use -header-filter)", re.MULTILINE)


def plain(entry, folder):
    """A compile command that clang understands: without g++'s own options, with the text of precompiled headers."""
    command = _GCC_ONLY.sub("", entry["command"])
    return {**entry, "command": _PCH.sub(f"{folder}/pch.h", command) + _CLANG_ONLY}


def copy_of_pch(entries, folder):
    """The precompiled header's text, away from g++'s binary form of it, which clang would take."""
    for match in filter(None, (_PCH.search(entry["command"]) for entry in entries)):
        (folder / "pch.h").write_text(Path(match.group()).read_text(encoding="utf-8"), encoding="utf-8")
        return


def git(*words):
    result = subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=False)
    return result.stdout.split() if result.returncode == 0 else []


def base():
    """Where the work began: the merge base with the main branch elsewhere, else the commit before the last."""
    for branch in ("origin/main", "origin/HEAD", "main"):
        found = git("merge-base", "HEAD", branch)
        if found and found != git("rev-parse", "HEAD"):
            return found[0]
    return "HEAD~1" if git("rev-parse", "--verify", "-q", "HEAD~1") else "HEAD"


def chosen(everything):
    """Paths of the sources to check, relative to the root."""
    sources = {path for path in repository_files(ROOT) if path.endswith(".cc")}
    if everything:
        return sources
    changed = git("diff", "--name-only", "--diff-filter=d", base()) + git("ls-files", "--others", "--exclude-standard")
    return sources & set(changed)


def prepared(build, wanted):
    """Writes a database for clang beside the build; returns its folder and the wanted files that are in it."""
    entries = json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))
    folder = build / "tidy"
    folder.mkdir(exist_ok=True)
    copy_of_pch(entries, folder)
    database = json.dumps([plain(entry, folder) for entry in entries])
    (folder / "compile_commands.json").write_text(database, encoding="utf-8")
    known = {os.path.relpath(entry["file"], ROOT) for entry in entries}
    return folder, sorted(wanted & known)


def tidy(folder, path):
    command = ["clang-tidy-14", "--quiet", "-p", str(folder), str(ROOT / path)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    said = result.stdout + ("" if result.returncode == 0 else result.stderr)
    lines = [line for line in said.replace(f"{ROOT}/", "").splitlines() if not _NOISE.match(line)]
    return result.returncode, "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, required=True, help="a configured build folder")
    parser.add_argument("--all", action="store_true", help="all sources")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    args = parser.parse_args()
    folder, paths = prepared(args.build.resolve(), chosen(args.all))
    bad = count_bad(lambda path: tidy(folder, path), paths, args.jobs)
    print(f"clang-tidy: {len(paths)} sources, {bad} with problems")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
