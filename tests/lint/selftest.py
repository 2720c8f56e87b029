"""Each lint finds what it must find, and only that. Run by run.py selftest, or: python3 -m unittest selftest"""

import tempfile
import unittest
from pathlib import Path

import citations
import clocks
import includes
import layers
import metrics
import sizes
import sources
import tags
import tidy
import tree
import words


class Tree(unittest.TestCase):
    """A small tree without git; `found` gives "path:line" of each problem."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)

    def write(self, path, text):
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text, encoding="utf-8")

    def found(self, lint):
        return [f"{problem.path}:{problem.line}" for problem in sorted(lint.check(self.root))]

    def messages(self, lint):
        return "\n".join(problem.message for problem in lint.check(self.root))


class Includes(Tree):
    def test_each_folder_has_a_line_in_the_table(self):
        self.assertEqual(layers.FOLDERS, set(layers.MAY_INCLUDE))

    def test_the_table_names_only_what_exists(self):
        for folder, targets in layers.MAY_INCLUDE.items():
            self.assertLessEqual(targets, layers.FOLDERS | layers.PROTOS, folder)

    def test_agent_and_dnsd_never_include_each_other(self):
        for folder, targets in layers.MAY_INCLUDE.items():
            other = {"dnsd": layers.AGENT, "agent": layers.DNSD}.get(folder.split("/")[0], layers.AGENT | layers.DNSD)
            self.assertFalse(targets & other, folder)

    def test_the_serving_path_sees_no_protobuf(self):
        self.write("dnsd/query/a.cc", '#include "meshdns/v1/types.pb.h"\n#include <google/protobuf/message.h>\n')
        self.assertEqual(["dnsd/query/a.cc:1", "dnsd/query/a.cc:2"], self.found(includes))

    def test_a_forbidden_edge(self):
        self.write("dnsd/wire/a.h", '#pragma once\n#include "common/base/result.h"\n#include "dnsd/answers/table.h"\n')
        self.assertEqual(["dnsd/wire/a.h:3"], self.found(includes))
        self.assertIn("dnsd/wire may not include dnsd/answers", self.messages(includes))

    def test_base_includes_nothing_of_ours(self):
        self.write("common/base/a.cc", '#include "common/base/a.h"\n#include "common/net/prefix.h"\n')
        self.assertEqual(["common/base/a.cc:2"], self.found(includes))

    def test_one_source_may_more_than_its_folder(self):
        for name in ("persistence", "objects"):
            self.write(f"dnsd/persistence/{name}.cc", '#include "common/process/event_loop.h"\n')
        self.assertEqual(["dnsd/persistence/objects.cc:1"], self.found(includes))

    def test_third_party_stays_in_its_folder(self):
        self.write("common/log/log.cc", "#include <spdlog/spdlog.h>\n#include <string>\n#include <unistd.h>\n")
        self.write("common/net/a.cc", "#include <spdlog/spdlog.h>\n#include <strange/lib.h>\n#include <strange.h>\n")
        self.assertEqual([f"common/net/a.cc:{line}" for line in (1, 2, 3)], self.found(includes))

    def test_sqlite_is_private_to_sources(self):
        self.write("dnsd/store/a.cc", "#include <sqlite3.h>\n")
        self.write("dnsd/store/a.h", "#include <sqlite3.h>\n")
        self.assertEqual(["dnsd/store/a.h:1"], self.found(includes))

    def test_includes_are_root_relative(self):
        self.write("common/net/a.cc", '#include "prefix.h"\n#include "../base/text.h"\n// #include "comment.h"\n')
        self.assertEqual(["common/net/a.cc:1", "common/net/a.cc:2"], self.found(includes))

    def test_sources_never_include_tests(self):
        self.write("common/net/a.cc", '#include "tests/support/a.h"\n')
        self.assertIn("may not include tests/support", self.messages(includes))

    def test_the_real_clock_is_for_the_rim(self):
        self.write("agent/app/main.cc", '#include "common/time/system_clock.h"\n')
        self.write("agent/health/a.cc", '#include "common/time/system_clock.h"\n')
        self.assertEqual(["agent/health/a.cc:1"], self.found(includes))

    def test_a_cycle_between_folders(self):
        self.write("common/net/a.h", '#include "common/model/b.h"\n')
        self.write("common/model/b.h", '#include "common/net/a.h"\n')
        self.assertEqual(["common/model/b.h:1", "common/net/a.h:1"], self.found(includes))
        self.assertIn("cycle: common/net leads back to common/model", self.messages(includes))

    def test_a_folder_that_nobody_planned(self):
        self.write("dnsd/stuff/a.cc", "#include <string>\n")
        self.assertIn("no folder of the layer table", self.messages(includes))


LONG = "\n".join(["  call();"] * 60)


class Sizes(Tree):
    def long_functions(self, text):
        return [first for first, last in sizes.cpp_functions(text) if last - first + 1 > sizes.FUNCTION_LINES]

    def test_a_long_function_in_a_namespace_and_a_class(self):
        self.write("common/net/a.cc", f"namespace a {{\nint small() {{ return 1; }}\n\nvoid big() {{\n{LONG}\n}}\n}}\n")
        self.write("common/net/b.h", f"class B {{\n public:\n  void big() const {{\n{LONG}\n  }}\n}};\n")
        self.assertEqual(["common/net/a.cc:4", "common/net/b.h:3"], self.found(sizes))

    def test_sixty_lines_are_allowed(self):
        body = "\n".join(["  call();"] * 58)
        self.write("common/net/a.cc", f"void fits() {{\n{body}\n}}\n")
        self.assertEqual([], self.found(sizes))

    def test_a_test_body_and_a_lambda_count(self):
        self.assertEqual([1], self.long_functions(f"TEST(Wire, Name) {{\n  run([] {{\n{LONG}\n  }});\n}}\n"))

    def test_a_constructor_with_initialisers(self):
        self.assertEqual([2], self.long_functions(f"\nFoo::Foo(int a)\n    : a_{{a}},\n      b_(1) {{\n{LONG}\n}}\n"))

    def test_braces_in_strings_and_comments_are_none(self):
        tricky = 's = "}"; c = \'}\'; // }\n  r = R"x(}})x"; n = 1\'000;\n'
        text = "void a() {\n  " + tricky + LONG + "\n}\nvoid b() {}\n"
        self.assertEqual([1], self.long_functions(text))

    def test_a_table_is_no_function(self):
        rows = "\n".join(["    {1, f(2)},"] * 80)
        self.assertEqual([], self.long_functions(f"namespace a {{\nconst Row kRows[] = {{\n{rows}\n}};\n}}\n"))

    def test_python_functions(self):
        body = "\n".join(["    call()"] * 60)
        self.write("tests/a.py", f"def small():\n    pass\n\n\ndef big():\n{body}\n")
        self.assertEqual(["tests/a.py:5"], self.found(sizes))

    def test_long_files(self):
        self.write("agent/app/a.h", "\n" * 401)
        self.write("agent/app/b.h", "\n" * 400)
        self.assertEqual(["agent/app/a.h:1"], self.found(sizes))

    def test_an_exception_carries_its_reason(self):
        self.write("common/net/a.cc", f"// NOLINT(size): a table of opcodes\nvoid big() {{\n{LONG}\n}}\n")
        self.write("common/net/b.cc", f"\n\n\n\n// NOLINT(size):\nvoid big() {{\n{LONG}\n}}\n")
        self.assertEqual(["common/net/b.cc:6"], self.found(sizes))


class Clocks(Tree):
    def test_each_source_of_time_and_chance(self):
        lines = ["std::chrono::steady_clock::now();", "auto t = system_clock::now();", "::clock_gettime(c, &t);",
                 "std::this_thread::sleep_for(1s);", "usleep(3);", "std::random_device d;", "getrandom(b, 1, 0);",
                 "int i = rand();", "auto t = std::time(nullptr);", "::sleep(1);", "gpr_now(c);",
                 "Timer::clock_type::now();"]
        self.write("dnsd/app/a.cc", "\n".join(lines))
        self.assertEqual(sorted(f"dnsd/app/a.cc:{line}" for line in range(1, 13)), sorted(self.found(clocks)))

    def test_what_only_looks_like_it(self):
        self.write("dnsd/app/a.cc", '// steady_clock::now()\nlog("rand()");\nbrand();\nx.time(0);\nuptime(nullptr);\n')
        self.assertEqual([], self.found(clocks))

    def test_the_files_that_may(self):
        for path in clocks.ALLOWED:
            self.write(path, "steady_clock::now(); std::random_device d;\n")
        self.assertEqual([], self.found(clocks))
        self.assertLessEqual(len(clocks.ALLOWED), 3)


class TreeShape(Tree):
    def test_the_shape_of_the_design(self):
        for path in ("README.md", "dev", ".clang-tidy", ".ci/run", "docs/adr/0001-a.md", "dnsd/wire/a.cc", "systemd/a"):
            self.write(path, "")
        self.assertEqual([], self.found(tree))

    def test_what_does_not_belong(self):
        for path in ("notes.txt", "src/a.cc", "src/b.cc", "dnsd/misc/a.cc", "tests/e2e/a.py", "build/a.o"):
            self.write(path, "")
        self.assertEqual(["dnsd/misc/a.cc:1", "notes.txt:1", "src/a.cc:1", "tests/e2e/a.py:1"], self.found(tree))


class Metrics(Tree):
    def doc(self, *names):
        rows = "".join(f"| `{name}` | x |\n" for name in names)
        self.write("docs/metrics.md", f"| metric | what |\n| --- | --- |\n{rows}")

    def test_sources_and_list_agree(self):
        made = ('r.counter("meshdns_dns_queries_total", "q");', 'r->gauge("meshdns_dns_hosts", "h");')
        self.write("dnsd/app/a.cc", "\n".join(made))
        self.doc("meshdns_dns_queries_total{transport}", "meshdns_dns_hosts")
        self.assertEqual([], self.found(metrics))

    def test_each_side_may_lack_one(self):
        self.write("dnsd/app/a.cc", 'r.counter("meshdns_dns_queries_total", "q");\n')
        self.doc("meshdns_dns_gone")
        self.assertEqual(["dnsd/app/a.cc:1", "docs/metrics.md:3"], self.found(metrics))

    def test_samples_and_tables_of_names_count(self):
        self.write("dnsd/app/a.cc", 'out.push_back({Sample::Kind::Gauge, "meshdns_dns_age_seconds", "a"});\n'
                                    'const Row kRow{"meshdns_dns_dropped_total", 1};\n')
        self.doc("meshdns_dns_age_seconds")
        self.assertEqual(["dnsd/app/a.cc:2"], self.found(metrics))

    def test_the_form_of_a_name(self):
        for kind, name in (("counter", "meshdns_dns_queries"), ("gauge", "meshdns_dns_queries_total"),
                           ("gauge", "dns_age_seconds"), ("gauge", "meshdns_dns_age_ms"),
                           ("histogram", "meshdns_dns_wait"), ("gauge", "meshdns_Dns_age")):
            self.write("dnsd/app/a.cc", f'r.{kind}("{name}", "q");\n')
            self.doc(name)
            self.assertIn("dnsd/app/a.cc:1", self.found(metrics), name)

    def test_the_list_is_missing(self):
        self.write("dnsd/app/a.cc", 'r.gauge("meshdns_dns_hosts", "h");\n')
        self.assertEqual(["docs/metrics.md:1"], self.found(metrics))


class Words(Tree):
    def test_notes_to_oneself(self):
        for note in words.NOTES:
            self.write("common/net/a.cc", f"int a;  // {note}: later\n")
            self.assertEqual(["common/net/a.cc:1"], self.found(words), note)

    def test_names_that_say_nothing(self):
        for number, name in enumerate(words.EMPTY_NAMES):
            self.write(f"common/net/a{number}.h", f"\nclass Store{name} {{}};\n")
        self.assertEqual([f"common/net/a{number}.h:2" for number in range(len(words.EMPTY_NAMES))], self.found(words))

    def test_files_that_say_nothing(self):
        self.write("common/net/net_util.h", "")
        self.write("common/net/futile.h", "")
        self.assertEqual(["common/net/net_util.h:1"], self.found(words))

    def test_words_inside_others_are_fine(self):
        self.write("common/net/a.cc", 'class Implicit {};\nclass Utility;\n// the manager: cli\n')
        self.write("common/net/b.cc", f'log("class {words.EMPTY_NAMES[0]}");\n')
        self.assertEqual([], self.found(words))


PAGE = """# Page

## 1. Words

1. First.
2. Second.

### Old things

10. Tenth.

## 2. More: `x`/y

| id | what |
| --- | --- |
| A1, A3 | a |
| B3, B4 | b |

```
## 3. In a block
```

## Plain
"""


class Citations(Tree):
    def setUp(self):
        super().setUp()
        self.write("docs/page.md", PAGE)
        self.write("docs/adr/0007-a.md", "# 7. A\n")

    def cites(self, *lines, path="dnsd/wire/a.h"):
        """The problems of a file with these lines, "line: message"."""
        self.write(path, "\n".join(lines) + "\n")
        return [f"{problem.line}: {problem.message}" for problem in sorted(citations.check(self.root))
                if problem.path == path]

    def test_what_there_is(self):
        self.assertEqual([], self.cites(
            "/// docs/page.md, docs/page.md section 1, docs/page.md sections 1 and 2, `docs/page.md`'s",
            "/// (docs/page.md section 1, step 2), docs/page.md section 1, steps 1, 2 and 10 (see docs/page.md",
            "/// section 1, step 2; docs/page.md section",
            "/// 1, \"Old things\"), docs/page.md, \"Old",
            "/// things\", docs/page.md, \"Plain\", docs/page.md A1, docs/page.md rows A1 and B3-B4",
            "/// docs/adr/0007-a.md, docs/adr/0007, ADR 7, ADR 0007; https://example.net/none.md, RFC 1035 4.1.1"))

    def test_a_page_that_is_not_there(self):
        self.assertEqual(2, len(self.cites("// see page.md", "int a;", "// docs/none.md section 4")))
        for path, mark in (("dnsd/wire/a.cc", "//"), ("proto/meshdns/v1/a.proto", "//"), ("dnsd/CMakeLists.txt", "#"),
                           ("tests/a.py", "#"), ("dev", "#"), ("tests/scenario/mesh/a.txt", "#"), (".ci/run", "#")):
            self.assertEqual(["1: none.md: no such page; its path is given from the top of the repository"],
                             self.cites(f"{mark} see none.md", path=path), path)

    def test_what_the_page_does_not_have(self):
        for text, message in (("section 3", "has no section 3"), ("sections 1 to 3", "has no section 3"),
                              ("section 1, step 3", "no step 3 in that section"),
                              ("section 1, steps 1 to 3", "no step 3 in that section"), (", step 1", "without a section"),
                              (', "Older things"', 'has no heading "Older things"'),
                              ('section 2, "Old things"', 'has no heading "Old things" in that section'),
                              ("A2", "has no row A2"), ("A1, B3 and B5", "has no row B5"), ("A1-A3", "has no row A2")):
            found = self.cites(f"// docs/page.md{'' if text[0] == ',' else ' '}{text}.")
            self.assertEqual(1, len(found), text)
            self.assertIn(message, found[0])

    def test_over_the_end_of_a_comments_line(self):
        self.assertEqual(["1: docs/page.md has no section 8"], self.cites("  /// docs/page.md section", "  /// 8, step 1"))
        self.assertEqual(["1: docs/page.md has no row A9"], self.cites("# docs/page.md", "# A9", path="tests/a.py"))

    def test_decisions(self):
        self.assertEqual(["1: there is no decision 0008 in docs/adr"], self.cites("// ADR 8 and ADR 7"))
        self.assertEqual(["1: there is no decision 0009 in docs/adr"], self.cites("// docs/adr/0009 says why"))

    def test_python_by_its_comments_and_docstrings_alone(self):
        self.assertEqual([f"{line}: {name}.md: no such page; its path is given from the top of the repository"
                          for line, name in ((1, "a"), (5, "b"), (6, "c"))],
                         self.cites('"""See a.md."""', "X = 'x.md'", "", "def f():", '    """Text.  b.md', '    c.md"""',
                                    '    return open("y.md")', path="tests/a.py"))

    def test_links_are_relative_to_their_page(self):
        self.write("README.md", "[page.md](docs/page.md) [w](docs/page.md#2-more-xy) [f](docs/adr) [x](https://a.b/c.md)\n")
        self.write("docs/other.md", "[p](page.md#plain) [n](none.md)\n[a](page.md#3-in-a-block) [up](../README.md) [h](#h)\n")
        self.assertEqual(["docs/other.md:1", "docs/other.md:2", "docs/other.md:2"], self.found(citations))
        self.assertIn("docs/page.md has no heading for #3-in-a-block", self.messages(citations))
        self.assertIn("link to none.md: there is no docs/none.md", self.messages(citations))

    def test_pages_cite_by_paths_too(self):
        self.assertEqual(1, len(self.cites("`docs/page.md` section 2", "other.md", "```", "none.md", "```",
                                           path="CHANGELOG.md")))

    def test_tests_that_a_page_names(self):
        self.write("tests/a_test.cc", "TEST_F(Suite,\n       holds) {}\n")
        self.write("tests/test_a.py", "class A:\n    def test_one_thing(self):\n        pass\n")
        self.assertEqual([], self.cites("| `tests/a_test.cc` (`Suite.holds`); `tests/test_a.py` (`test_one_thing`, `test_o*`) |",
                                        path="docs/a.md"))
        self.assertEqual(["1: tests/a_test.cc has no Suite.breaks", "2: tests/test_a.py has no test_one",
                          "3: there is no tests/b.py"],
                         self.cites("`tests/a_test.cc` (`Suite.holds`, `Suite.breaks`)", "`tests/test_a.py` (`test_one`)",
                                    "`tests/b.py`", path="docs/a.md"))


class Tags(Tree):
    def test_each_tag_begins_its_line(self):
        for tag in tags.TAGS:
            self.write("dnsd/wire/a.h", f"/// Does it. {tag}: x\n/// {tag}: y\nint f();\n")
            self.assertEqual(["dnsd/wire/a.h:1"], self.found(tags), tag)

    def test_inside_a_paragraph(self):
        for line in ("/// It is there. errors: Unavailable", "  // the records. source: RFC 1035", "/// all of it; returns: x",
                     "/// or v1::Reply thread:", "/// returns: how many thread: control", "int f();  // A number. thread: any",
                     "/* Says so. requires: more */ int f();"):
            self.write("dnsd/wire/a.h", f"\n{line}\n/// control\nint g();\n")
            self.assertEqual(["dnsd/wire/a.h:2"], self.found(tags), line)

    def test_lines_of_their_own(self):
        self.write("dnsd/wire/a.h", "\n".join((
            "/// Does it.", "/// out:     bytes", "/// returns: how many", "///          of them", "// source: RFC 1035",
            "int f();  // thread: any", "// ---- thread: control ----", "/// thread:  any; `table` must outlive the call",
            "/// A turn on the control thread: it ends.", "/// The resource: none. Its source: a file. errors::Code",
            'auto text = "Done. errors: 3";', "bool returns = a ? b : errors::kNone;")))
        self.assertEqual([], self.found(tags))

    def test_sources_and_tests_too(self):
        for path in ("common/a.cc", "agent/app/a.h", "tests/support/a.h"):
            self.write(path, "/// Does it. returns: x\n")
        self.write("docs/a.md", "It is so. returns: x\n")
        self.assertEqual(["agent/app/a.h:1", "common/a.cc:1", "tests/support/a.h:1"], self.found(tags))


class Code(unittest.TestCase):
    def test_blanks_keep_lines_and_offsets(self):
        text = 'a /* x\ny */ b "s\\"t" \'c\' R"(q\n"w)" 0xF\'F // z\\\nstill\nend'
        code = sources.code_only(text)
        self.assertEqual(len(text), len(code))
        self.assertEqual(text.count("\n"), code.count("\n"))
        self.assertEqual(["a", "b", "0xF'F", "end"], code.split())
        comments = sources.comments_only(text)
        self.assertEqual(len(text), len(comments))
        self.assertEqual(["/*", "x", "y", "*/", "//", "z\\", "still"], comments.split())


class Tidy(Tree):
    def test_clang_gets_the_text_of_a_precompiled_header(self):
        self.write("tests_pch.dir/cmake_pch.hxx", "#include <string>\n")
        pch = self.root / "tests_pch.dir" / "cmake_pch.hxx"
        gcc = f"/usr/bin/g++ -Wall -Winvalid-pch -include {pch} -fpch-preprocess -Wno-restrict -c a.cc"
        entry = {"file": "/a/a.cc", "directory": "/b", "command": gcc}
        tidy.copy_of_pch([entry], self.root)
        self.assertEqual("#include <string>\n", (self.root / "pch.h").read_text(encoding="utf-8"))
        self.assertEqual(f"/usr/bin/g++ -Wall -include {self.root}/pch.h -c a.cc -Wno-sign-conversion",
                         tidy.plain(entry, self.root)["command"])
