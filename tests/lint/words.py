"""No notes to oneself in the sources, no names that say nothing."""

import re

from sources import Problem, code_only, line_of, select

FOLDERS = {"proto", "common", "dnsd", "agent", "tests", "packaging", "systemd", ".ci"}
SUFFIXES = (".h", ".cc", ".py", ".proto", ".txt", ".cmake", ".sh", ".yaml", ".yml", ".service")

# Built from halves, so that this file does not report itself.
NOTES = ("TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK")
EMPTY_NAMES = ("Manager", "Helper", "Helpers", "Util", "Utils", "Impl")

_NOTE = re.compile(r"\b(" + "|".join(NOTES) + r")\b")
_CLASS = re.compile(r"\b(?:class|struct|enum|using)\s+(?:\[\[\w+\]\]\s*)?(\w*?(?:" + "|".join(EMPTY_NAMES)
                    + r"))\b(?!\s*::)")
_FILE = re.compile(r"(?:^|_)(?:manager|helpers?|utils?|impl)\.(?:h|cc|py)$")


def check_file(path, text):
    if _FILE.search(path.rsplit("/", 1)[-1]):
        yield Problem(path, 1, "a file is named for what is in it: no manager, helper, util, impl")
    for match in _NOTE.finditer(text):
        yield Problem(path, line_of(text, match.start()), f"{match.group(1)}: finish it or open an issue")
    code = code_only(text) if path.endswith((".h", ".cc")) else text
    for match in _CLASS.finditer(code) if path.endswith((".h", ".cc", ".py")) else ():
        yield Problem(path, line_of(text, match.start()), f"{match.group(1)}: name the role or how it is done")


def check(root):
    return [problem for path, text in select(root, FOLDERS, SUFFIXES) for problem in check_file(path, text)]
