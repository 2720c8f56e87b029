"""The files that the lints read, and C++ without its comments and literals."""

import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, order=True)
class Problem:
    path: str
    line: int
    message: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.message}"


def repository_files(root):
    """Paths relative to `root`, sorted: what git tracks or would track; without git, all but build/ and dot-folders."""
    if (root / ".git").exists():
        command = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\0")
        return sorted(name for name in set(names) if name and (root / name).is_file())
    found = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
    return sorted(str(path) for path in found if not {"build", ".git", "__pycache__"} & set(path.parts))


def select(root, folders, suffixes):
    """Pairs of path and text of the files under `folders` (top-level names) that end in one of `suffixes`."""
    for name in repository_files(root):
        if name.split("/")[0] in folders and name.endswith(tuple(suffixes)):
            yield name, (root / name).read_text(encoding="utf-8", errors="replace")


def count_bad(read, items, jobs):
    """Calls read(item), so many at a time, which gives a status and what was said; prints what those said whose status is
    not 0, in the order of the items. Returns how many these are."""
    bad = 0
    with ThreadPoolExecutor(jobs) as pool:
        for status, said in pool.map(read, items):
            if status:
                bad += 1
                print(said, flush=True)
    return bad


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


_COMMENT = r"//(?:[^\\\n]|\\.)*|/\*.*?\*/"
_RAW_STRING = r'R"(?P<mark>[^()\\\s]{0,16})\(.*?\)(?P=mark)"'
_LITERAL = r'"(?:[^"\\\n]|\\.)*"|(?<![0-9a-fA-F])\'(?:[^\'\\\n]|\\.)+\''
_TOKEN = re.compile(f"(?P<comment>{_COMMENT})|(?P<raw>{_RAW_STRING})|(?P<literal>{_LITERAL})", re.DOTALL)


def _blank(text):
    return re.sub(r"[^\n]", " ", text)


def code_only(text):
    """C++ with comments, strings and characters replaced by blanks; offsets and lines stay."""
    return _TOKEN.sub(lambda match: _blank(match.group()), text)


def comments_only(text):
    """C++ with everything but its comments replaced by blanks; offsets and lines stay."""
    out, end = [], 0
    for match in _TOKEN.finditer(text):
        kept = match.group() if match.group("comment") else _blank(match.group())
        out += [_blank(text[end:match.start()]), kept]
        end = match.end()
    return "".join(out) + _blank(text[end:])


def without_comments(text):
    """C++ with comments replaced by blanks; strings stay."""
    return _TOKEN.sub(lambda match: _blank(match.group()) if match.group("comment") else match.group(), text)
