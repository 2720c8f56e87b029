"""Real clocks, sleeps and random devices stay in the files named here: everything else is handed time and seeds."""

import re

from sources import Problem, code_only, line_of, select

FOLDERS = {"common", "dnsd", "agent"}
ALLOWED = {"common/time/system_clock.cc", "common/base/random_seed.cc"}
INSTEAD = f"only in {', '.join(sorted(ALLOWED))}; take `now`, Clock&, Timers& or a seed"

_REAL = re.compile(
    r"\b(?:steady_clock|system_clock|high_resolution_clock|utc_clock|file_clock|clock_type)\s*::\s*now\b"
    r"|\b(?:clock_gettime|gettimeofday|timespec_get|sleep_for|sleep_until|usleep|nanosleep|clock_nanosleep|gpr_now)\b"
    r"|\b(?:getrandom|getentropy|arc4random|random_device|srand|rdtsc|__rdtsc)\b"
    r"|(?<![\w.>])(?:std::|::)?(?:rand|random|sleep)\s*\("
    r"|(?<![\w.>])(?:std::|::)?time\s*\(\s*(?:nullptr|NULL|0|&)"
)


def check(root):
    problems = []
    for path, text in select(root, FOLDERS, (".h", ".cc")):
        if path in ALLOWED:
            continue
        for match in _REAL.finditer(code_only(text)):
            message = f"{match.group().strip().rstrip('(')}: {INSTEAD}"
            problems.append(Problem(path, line_of(text, match.start()), message))
    return problems
