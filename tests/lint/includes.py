"""Include edges against the layer table (layers.py), third-party headers, and cycles between folders."""

import re

import layers
from sources import Problem, line_of, select, without_comments

_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)


def folder_of(path):
    return "/".join(path.split("/")[:2])


def target_of(header):
    """The folder that a quoted header belongs to, generated code included; None if it is not root-relative."""
    if header.startswith(("meshdns/", "grpc/health/")):
        if header.endswith(".grpc.pb.h"):
            return layers.SERVICE_PROTOS
        return layers.CONFIG_PROTOS if header.startswith("meshdns/config/") else layers.WIRE_PROTOS
    folder = folder_of(header)
    return folder if folder in layers.FOLDERS or header.startswith("tests/") else None


def allowed(path):
    """What `path` may include by the table."""
    folder = folder_of(path)
    everywhere = set() if folder == "common/base" else layers.EVERYWHERE
    return everywhere | {folder} | layers.MAY_INCLUDE[folder] | layers.FILES_MAY_INCLUDE.get(path, set())


def quoted_problem(path, header):
    folder = folder_of(path)
    target = target_of(header)
    if target is None:
        return f'"{header}" is not root-relative or not in a folder of the layer table'
    if header in layers.CLOCK_HEADERS and folder not in layers.CLOCK_HEADERS[header] | {"common/time"}:
        return f'"{header}": only the rim owns a clock; take Clock& or `now`'
    if target not in allowed(path):
        return f"{folder} may not include {target} ({header})"
    return None


def library_of(header):
    """The third-party library of an angled header; "" for the standard library and the system; None if unknown."""
    for name, (starts, _) in layers.THIRD_PARTY.items():
        if header.startswith(starts):
            return name
    plain = "/" not in header and ("." not in header or header in layers.SYSTEM_HEADERS)
    return "" if plain or header.startswith(layers.SYSTEM_FOLDERS) else None


def angled_problem(path, header):
    library = library_of(header)
    if library is None:
        return f"<{header}> belongs to no library of layers.py"
    if not library:
        return None
    places = layers.THIRD_PARTY[library][1]
    if folder_of(path) not in places and path not in places:
        return f"{folder_of(path)} may not include {library} (<{header}>)"
    if library in layers.PRIVATE_TO_SOURCES and path.endswith(".h"):
        return f"{library} stays private to sources (<{header}>)"
    return None


def edges(root):
    """(path, line, header, quoted) of each include in common, dnsd and agent."""
    for path, text in select(root, {"common", "dnsd", "agent"}, (".h", ".cc")):
        for match in _INCLUDE.finditer(without_comments(text)):
            quoted, angled = match.groups()
            yield path, line_of(text, match.start()), quoted or angled, quoted is not None


def cycle_problems(found):
    """One problem for each folder edge from which the includes lead back."""
    graph = {}
    first = {}
    for path, line, header, quoted in found:
        source, target = folder_of(path), target_of(header) if quoted else None
        if target in layers.FOLDERS and target != source:
            graph.setdefault(source, set()).add(target)
            first.setdefault((source, target), (path, line))
    for (source, target), (path, line) in first.items():
        if reaches(graph, target, source):
            yield Problem(path, line, f"cycle: {target} leads back to {source}")


def reaches(graph, start, goal):
    seen, left = set(), [start]
    while left:
        folder = left.pop()
        if folder == goal:
            return True
        if folder not in seen:
            seen.add(folder)
            left.extend(graph.get(folder, ()))
    return False


def check(root):
    found = list(edges(root))
    problems = []
    for path, line, header, quoted in found:
        if folder_of(path) not in layers.FOLDERS:
            problems.append(Problem(path, line, f"{folder_of(path)} is no folder of the layer table"))
            continue
        message = quoted_problem(path, header) if quoted else angled_problem(path, header)
        if message:
            problems.append(Problem(path, line, message))
    return problems + list(cycle_problems(found))
