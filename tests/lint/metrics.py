"""Metric names have the form meshdns_<component>_<what>_<unit>[_total], and docs/metrics.md lists exactly them."""

import re

from sources import Problem, line_of, select, without_comments

FOLDERS = {"common", "dnsd", "agent"}
DOC = "docs/metrics.md"
UNITS = ("seconds", "bytes", "ratio", "info", "celsius")

_NAME = re.compile(r'"(meshdns_[A-Za-z0-9_]*)"')
_MADE = re.compile(r'(?:\.|->)(counter|gauge|histogram)\(\s*"([^"]*)"')
_SAMPLE = re.compile(r'Sample::Kind::(Counter|Gauge|Histogram)\s*,\s*"([^"]*)"')
_COLLECTED = re.compile(r'\b(count|gauge)\(\s*out,\s*"([^"]*)"')  # common/metrics/samples.h
_FORM = re.compile(r"meshdns(?:_[a-z][a-z0-9]*){2,}")
_LISTED = re.compile(r"`(meshdns_[a-z0-9_]+)(?:\{[^`]*\})?`")


def name_problem(kind, name):
    if name.startswith("process_"):  # what Prometheus's client libraries call such metrics everywhere
        return None
    if not _FORM.fullmatch(name):
        return f"metric {name}: meshdns_<component>_<what>_<unit>[_total] in lower case"
    if kind == "counter" and not name.endswith("_total"):
        return f"counter {name} ends in _total"
    if kind in ("gauge", "histogram") and name.endswith("_total"):
        return f"{kind} {name} does not end in _total: it may fall"
    if kind == "histogram" and not name.endswith(UNITS):
        return f"histogram {name} ends in a unit ({', '.join(UNITS)})"
    if re.search(r"_(ms|us|ns|millis\w*|micros\w*|nanos\w*|secs?|kb|mb|[km]i?b|percent)(_total)?$", name):
        return f"metric {name}: base units only (seconds, bytes, ratio)"
    return None


def used(root):
    """(path, line, kind, name) of each metric in the sources; kind is "" where only the name stands in a table."""
    for path, text in select(root, FOLDERS, (".h", ".cc")):
        code = without_comments(text)
        kinds = {}
        for match in (*_MADE.finditer(code), *_SAMPLE.finditer(code)):
            kinds[match.start(2)] = match.group(1).lower()
        for match in _COLLECTED.finditer(code):
            kinds[match.start(2)] = "counter" if match.group(1) == "count" else "gauge"
        for match in _NAME.finditer(code):
            yield path, line_of(code, match.start()), kinds.pop(match.start(1), ""), match.group(1)
        for start, kind in kinds.items():
            name = code[start:code.index('"', start)]
            yield path, line_of(code, start), kind, name


def listed(text):
    """Name -> line in docs/metrics.md: what stands in backquotes in the first cell of a table."""
    names = {}
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("|"):
            for match in _LISTED.finditer(line.split("|")[1]):
                names.setdefault(match.group(1), number)
    return names


def check(root):
    found = list(used(root))
    problems = []
    for path, line, kind, name in found:
        message = name_problem(kind, name)
        if message:
            problems.append(Problem(path, line, message))
    if not (root / DOC).is_file():
        missing = Problem(DOC, 1, f"missing; it lists each of the {len(found)} metrics in a table")
        return problems + [missing] * bool(found)
    names = listed((root / DOC).read_text(encoding="utf-8"))
    seen = {}
    for path, line, _, name in found:
        if not name.startswith("process_"):
            seen.setdefault(name, Problem(path, line, f"metric {name} is not in {DOC}"))
    problems += [problem for name, problem in seen.items() if name not in names]
    problems += [Problem(DOC, line, f"{name} is in no source") for name, line in names.items() if name not in seen]
    return problems
