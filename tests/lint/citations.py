"""Citations lead somewhere: to pages, their sections, steps, headings and rows, to decisions, and to tests.

A page is cited by its path from the top of the repository, in one of these forms:

    PAGE                            PAGE section 4, step 3          PAGE section 5, "Brakes"
    PAGE, "Brakes"                  PAGE A3, A5 and B1-B4           docs/adr/0009 or ADR 9

`section 4` is a heading that begins with "4.", a step is an item of a numbered list in that section, a row is a table row
whose first cell has the id. Links of Markdown are relative to their page. A page names tests as `FILE` (`NAME`, `NAME`).
"""

import io
import posixpath
import re
import tokenize

from sources import Problem, line_of, repository_files

SUFFIXES = (".h", ".cc", ".proto", ".py", ".sh", ".txt", ".cmake", ".yaml", ".yml", ".md")
SCRIPTS = {"dev", ".ci/run"}
CORPUS = "tests/fuzz/corpus/"  # bytes, not text

# White space, and where a comment goes on in the next line.
_GAP = r"(?:[ \t]+|[ \t]*\n[ \t]*(?://[/!]?|\#|\*)?[ \t]*)"


def _list_of(item):
    return rf"{item}\b(?:(?:-|,?{_GAP}(?:and|to){_GAP}|,{_GAP}){item}\b)*"


_MENTION = re.compile(
    rf"""(?<![\w/.:*{{}}<-])(?P<path>(?:[\w.-]+/)*[\w.-]*\w\.md)\b(?![/\w-])`?
    (?:,?{_GAP}sections?{_GAP}(?P<sections>{_list_of(r"[0-9]+")}))?
    (?:,{_GAP}steps?{_GAP}(?P<steps>{_list_of(r"[0-9]+")}))?
    (?:,{_GAP}"(?P<heading>[^"]{{1,100}})")?
    (?:,?{_GAP}(?:rows?{_GAP})?(?P<rows>{_list_of(r"[A-Z][0-9]{1,2}")}))?""", re.VERBOSE)
_DECISION = re.compile(r"\bADR (\d{1,4})\b|\bdocs/adr/(\d{4})(?![\w-])")
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_TESTS = re.compile(r"`(tests/[\w./-]+\.(?:py|cc|txt))`(?:\s\((`[\w.*]+`(?:,\s`[\w.*]+`)*)\))?")
_HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*$", re.MULTILINE)
_NUMBERED = re.compile(r"^ {0,3}(\d+)\. ", re.MULTILINE)
_FENCE = re.compile(r"^(`{3,})[^\n]*\n.*?^\1[ \t]*$", re.MULTILINE | re.DOTALL)


def _blank(text):
    return re.sub(r"[^\n]", " ", text)


def without_fences(text):
    """Markdown with its blocks of code replaced by blanks; offsets and lines stay."""
    return _FENCE.sub(lambda match: _blank(match.group()), text)


def anchor_of(heading):
    """The anchor that GitHub gives a heading."""
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    return re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")


class Page:
    """What can be cited of a page."""

    def __init__(self, text):
        text = without_fences(text)
        self.anchors, self.headings, self.rows = set(), set(), set()
        self.sections = {}  # number -> (headings, steps)
        found = list(_HEADING.finditer(text))
        for at, match in enumerate(found):
            self._add(match.group(2))
            number = re.match(r"(\d+)\. ", match.group(2))
            if number:
                level = len(match.group(1))
                inside = []
                for other in found[at + 1:]:
                    if len(other.group(1)) <= level:
                        break
                    inside.append(other)
                end = next((other.start() for other in found[at + 1:] if len(other.group(1)) <= level), len(text))
                steps = {int(step) for step in _NUMBERED.findall(text, match.end(), end)}
                self.sections[int(number.group(1))] = {other.group(2) for other in inside}, steps
        for line in text.splitlines():
            if line.startswith("|"):
                self.rows |= set(re.findall(r"\b[A-Z]\d{1,2}\b", line.split("|")[1]))

    def _add(self, heading):
        anchor, copies = anchor_of(heading), 0
        while anchor in self.anchors:
            copies += 1
            anchor = f"{anchor_of(heading)}-{copies}"
        self.anchors.add(anchor)
        self.headings.add(heading)


def plain_list(text):
    """"A1-A3 and B2" -> A1, A2, A3, B2."""
    out = []
    for dash, letter, number in re.findall(r"(-|\bto\s(?:[^A-Z0-9]*))?([A-Z]?)([0-9]+)", text):
        if dash and out and out[-1][0] == letter:
            out += [(letter, one) for one in range(out[-1][1] + 1, int(number))]
        out.append((letter, int(number)))
    return [f"{letter}{number}" if letter else number for letter, number in out]


def comments_of_python(text):
    """Python with everything but comments and docstrings replaced by blanks; lines stay."""
    lines = [_blank(line) for line in text.splitlines(keepends=True)]
    fresh = True  # at the beginning of a statement
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT or (token.type == tokenize.STRING and fresh):
            for number, piece in enumerate(token.string.splitlines(keepends=True), token.start[0] - 1):
                first = token.start[1] if number == token.start[0] - 1 else 0
                lines[number] = lines[number][:first] + piece + lines[number][first + len(piece):]
        if token.type not in (tokenize.COMMENT, tokenize.NL):
            fresh = token.type in (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)
    return "".join(lines)


class Citations:
    """Checks files of one tree."""

    def __init__(self, root):
        self.root = root
        self.files = repository_files(root)
        self.paths = set(self.files)
        for name in self.files:
            while name := posixpath.dirname(name):
                self.paths.add(name)
        self.decisions = {name.split("/")[-1][:4] for name in self.files if re.match(r"docs/adr/\d{4}-", name)}
        self.pages = {}

    def text_of(self, name):
        return (self.root / name).read_text(encoding="utf-8", errors="replace")

    def page(self, name):
        if name not in self.pages:
            self.pages[name] = Page(self.text_of(name))
        return self.pages[name]

    def check(self):
        for name in self.files:
            if (name.endswith(SUFFIXES) or name in SCRIPTS) and not name.startswith(CORPUS):
                yield from self.check_file(name, self.text_of(name))

    def check_file(self, name, text):
        if name.endswith(".py"):
            text = comments_of_python(text)
        if name.endswith(".md"):
            text = without_fences(text)
            yield from self.check_links(name, text)
            yield from self.check_tests(name, text)
            text = _LINK.sub(lambda match: _blank(match.group()), text)
        for match in _MENTION.finditer(text):
            for message in self.problems_of_mention(match):
                yield Problem(name, line_of(text, match.start()), message)
        for match in _DECISION.finditer(text):
            number = (match.group(1) or match.group(2)).zfill(4)
            if number not in self.decisions:
                yield Problem(name, line_of(text, match.start()), f"there is no decision {number} in docs/adr")

    def problems_of_mention(self, match):
        path = match.group("path")
        if path not in self.paths:
            yield f"{path}: no such page; its path is given from the top of the repository"
            return
        page = self.page(path)
        headings, steps = page.headings, None
        for section in plain_list(match.group("sections") or ""):
            if section not in page.sections:
                yield f"{path} has no section {section}"
                return
            headings, steps = page.sections[section]
        for step in plain_list(match.group("steps") or ""):
            if steps is None or step not in steps:
                yield f"{path}: no step {step} " + ("without a section" if steps is None else "in that section")
        heading = re.sub(_GAP, " ", match.group("heading") or "")
        if heading and heading not in headings:
            yield f'{path} has no heading "{heading}"' + (" in that section" if steps is not None else "")
        for row in plain_list(match.group("rows") or ""):
            if row not in page.rows:
                yield f"{path} has no row {row}"

    def check_links(self, name, text):
        for match in _LINK.finditer(text):
            target, _, anchor = match.group(1).partition("#")
            if re.match(r"[a-z]+:", target):
                continue
            path = posixpath.normpath(posixpath.join(posixpath.dirname(name), target)) if target else name
            if path not in self.paths:
                yield Problem(name, line_of(text, match.start()), f"link to {target}: there is no {path}")
            elif anchor and path.endswith(".md") and anchor not in self.page(path).anchors:
                yield Problem(name, line_of(text, match.start()), f"{path} has no heading for #{anchor}")

    def check_tests(self, name, text):
        for match in _TESTS.finditer(text):
            path, line = match.group(1), line_of(text, match.start())
            if path not in self.paths:
                yield Problem(name, line, f"there is no {path}")
                continue
            source = self.text_of(path)
            for test in re.findall(r"[\w.*]+", match.group(2) or ""):
                if not has_test(source, test):
                    yield Problem(name, line, f"{path} has no {test}")


def has_test(source, name):
    """name: of a function, or Suite.name; with * at its end the beginning of one"""
    word = re.escape(name.rstrip("*")) + (r"\w*" if name.endswith("*") else "")
    suite, dot, test = word.partition(r"\.")
    in_suite = rf"^TEST(?:_F|_P)?\({suite},\s*{test}\)" if dot else rf"^\s*(?:def|class) {word}\b"
    return re.search(in_suite, source, re.MULTILINE) is not None


def check(root):
    return list(Citations(root).check())
