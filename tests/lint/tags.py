"""The tags of doc comments begin lines of their own: returns, thread, errors, source and requires.

    /// Writes the answer for `request`.
    /// returns: bytes written; 0 = drop silently
    void stop();  // thread: any
"""

import re

from sources import Problem, comments_only, select

FOLDERS = {"common", "dnsd", "agent", "tests"}
TAGS = ("returns", "thread", "errors", "source", "requires")

# Words before which it is no tag but a noun: "on the control thread: ...".
NOUNS_AFTER = ("a", "an", "the", "its", "their", "this", "that", "each", "one", "own", "other", "control", "compile", "store", "log")

_TAG = re.compile(r"(?<![\w-])(" + "|".join(TAGS) + r"):(?!:)")
_START = re.compile(r"\s*(?://[/!]?<?|/\*\*?|\*)?[\s-]*")
_NOUN = re.compile(r"\b(?:" + "|".join(NOUNS_AFTER) + r")\s+$", re.IGNORECASE)


def check_file(path, text):
    for number, line in enumerate(comments_only(text).splitlines(), 1):
        begin = _START.match(line).end()
        for match in _TAG.finditer(line, begin):
            if match.start() > begin and not _NOUN.search(line[:match.start()]):
                yield Problem(path, number, f"{match.group()} begins a line of its own")


def check(root):
    return [problem for path, text in select(root, FOLDERS, (".h", ".cc")) for problem in check_file(path, text)]
