"""Functions of at most 60 lines, files of at most 400; `NOLINT(size): reason` exempts.

The comment stands on the function's first line or the line before it; for a file, in its first three lines.
"""

import ast
import re

from sources import Problem, code_only, line_of, select

FOLDERS = {"dnsd", "agent", "common", "tests", "packaging"}
FUNCTION_LINES = 60
FILE_LINES = 400

_EXEMPT = re.compile(r"NOLINT\(size\): \S")
_SCOPE = re.compile(r"\b(namespace|class|struct|union|enum|extern)\b[^()]*$|^\s*extern\s*$")
_PREPROCESSOR = re.compile(r"^[ \t]*#(?:[^\\\n]|\\.)*", re.MULTILINE | re.DOTALL)


def _blanked(text):
    blank = lambda match: re.sub(r"[^\n]", " ", match.group())
    return _PREPROCESSOR.sub(blank, code_only(text))


def matching_brace(code, opening):
    """The offset of the brace that closes the one at `opening`; the end if there is none."""
    depth = 0
    for match in re.compile(r"[{}]").finditer(code, opening):
        depth += 1 if match.group() == "{" else -1
        if depth == 0:
            return match.start()
    return len(code)


def cpp_functions(text):
    """(first line, last line) of each function body that stands in a namespace or class; lambdas count to theirs."""
    code = _blanked(text)
    separator = re.compile(r"[;{}]|\b(?:public|private|protected)\s*:")
    head = at = 0
    start = None
    while match := separator.search(code, at):
        at = match.end()
        if match.group() == "{":
            before = code[head:match.start()]
            if "(" in before and not _SCOPE.search(before):
                at = matching_brace(code, match.start()) + 1
                # `: a_{1}, b_{2} {`: the body follows the initialisers, the function begins before them.
                if start is None or before.lstrip()[:1] not in (",", ""):
                    start = head + len(before) - len(before.lstrip())
                if not re.match(r"\s*[,{]", code[at:at + 400]):
                    yield line_of(code, start), line_of(code, min(at, len(code)) - 1)
                    start = None
            elif start is not None and not before.strip():
                at = matching_brace(code, match.start()) + 1
                yield line_of(code, start), line_of(code, at - 1)
                start = None
        head = at


def python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.lineno, node.end_lineno


def check_file(path, text):
    lines = text.splitlines()
    if len(lines) > FILE_LINES and not any(_EXEMPT.search(line) for line in lines[:3]):
        yield Problem(path, 1, f"{len(lines)} lines; a file has at most {FILE_LINES}")
    functions = python_functions(text) if path.endswith(".py") else cpp_functions(text)
    for first, last in functions:
        exempt = any(_EXEMPT.search(line) for line in lines[max(first - 2, 0):first])
        if last - first + 1 > FUNCTION_LINES and not exempt:
            yield Problem(path, first, f"function of {last - first + 1} lines; at most {FUNCTION_LINES}")


def check(root):
    return [problem for path, text in select(root, FOLDERS, (".h", ".cc", ".py")) for problem in check_file(path, text)]
