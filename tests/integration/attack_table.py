"""The tables of attacks: one case a line, `name | who | asks | gets`. Their words: tests/integration/attacks/README.md"""
import os
import re

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.path.join(HERE, "attacks")
PROTO = os.path.join(HERE, "../../proto/meshdns/v1")
ACCEPTED = "accepted"


class Row:
    """One case. A row whose `gets` begins with "accepted" is the allowed twin of refused ones."""

    def __init__(self, place, cells):
        self.place = place  # "calls.txt:12"
        self.name, who, asks, self.gets = cells
        self.who, self.asks = words_of(who), words_of(asks)

    def problem(self, outcome):
        """What is wrong with the outcome; empty = it is the expected one."""
        if self.gets.startswith(ACCEPTED):
            right = outcome == self.gets
        else:
            right = self.gets in outcome and not outcome.startswith(ACCEPTED)
        return "" if right else f"{self.place}: {self.name}: expected {self.gets!r}, got {outcome!r}"


def words_of(cell):
    r"""The words between blanks. Inside a word \x20 is a character by its number, and <64a> is 64 times an a."""
    text = re.sub(r"<(\d+)(.)>", lambda found: int(found.group(1)) * found.group(2), cell)
    return [re.sub(r"\\x([0-9a-f]{2})", lambda found: chr(int(found.group(1), 16)), word) for word in text.split()]


def pairs_of(words):
    """(name, value) of words like name=value; a word without = has the value ""."""
    return [(name, value) for name, _, value in (word.partition("=") for word in words)]


def last(words, name, default=""):
    """The value of the last word of this name."""
    return ([default] + [value for found, value in pairs_of(words) if found == name])[-1]


def every(words, name):
    return [value for found, value in pairs_of(words) if found == name]


def read(name):
    """The rows of a table."""
    rows = []
    with open(os.path.join(FOLDER, name), encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if not line.strip() or line.startswith("#"):
                continue
            cells = [cell.strip() for cell in line.split(" | ")]
            if len(cells) != 4 or not all(cells):
                raise ValueError(f"{name}:{number}: four cells are needed")
            rows.append(Row(f"{name}:{number}", cells))
    return rows


def tables():
    return sorted(name for name in os.listdir(FOLDER) if name.endswith(".txt"))


def rpcs():
    """All calls of the services in proto/meshdns/v1: "Admin/List"."""
    found = []
    for name in sorted(os.listdir(PROTO)):
        with open(os.path.join(PROTO, name), encoding="utf-8") as file:
            for service, body in re.findall(r"^service (\w+) \{\n(.*?)^\}", file.read(), re.M | re.S):
                found += [f"{service}/{rpc}" for rpc in re.findall(r"^\s*rpc (\w+)\(", body, re.M)]
    return found
