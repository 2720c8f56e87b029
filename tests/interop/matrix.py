"""Who gets whose instances through a resolver, and how long a dead one is answered: a table, measured and documented."""
import re

from clusters import INSTANCE
from mesh import addresses
from peers import blocks

CLIENTS = ("eu-1-n1", "eu-1-n2", "us-1-n1")  # two zones of one cluster, and another cluster; they ask in this order
OWN = [[node] for node in CLIENTS]
AT_ONCE = 2.0  # seconds; it takes milliseconds, and a cache 5 s


def duration(seconds):
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


class Row:
    """What one recipe gives."""

    def __init__(self, got, took, kept):
        self.got, self.took, self.kept = got, took, kept

    def cells(self):
        return [*(" ".join(nodes) for nodes in self.got), duration(self.took), duration(self.kept)]


def nodes(reply):
    """The nodes whose instances are in an answer."""
    found = addresses(reply)
    return [node for node in INSTANCE if INSTANCE[node] in found]


def measure(mesh, where):
    """One row; `where` is each client's resolver."""
    got = [nodes(mesh.ask(node, where[node])) for node in CLIENTS]
    return Row(got, *mesh.failover(CLIENTS[0], where[CLIENTS[0]]))


def text(what, rows):
    head = [what, *("from " + node for node in CLIENTS), "gone from new answers", "and from clients' caches"]
    lines = [head, *([name, *row.cells()] for name, row in rows.items())]
    widths = [max(map(len, column)) for column in zip(*lines)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines)


def documented(document):
    """The matrix in docs/<document>: {name: (whose instances each client gets, whether a dead one is gone at once)}."""
    _, *lines = blocks(document, "text")["matrix"].splitlines()
    rows = [re.split(r"  +", line) for line in lines]
    return {name: ([cell.split() for cell in got], took.endswith(" ms")) for name, *got, took, _ in rows}
