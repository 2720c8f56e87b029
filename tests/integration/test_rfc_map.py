"""docs/rfc-map.md names files and tests that exist, and every RFC that a test is named for."""
import glob
import os
import re
import unittest

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))


def text_of(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


class RfcMapTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.map = text_of("docs", "rfc-map.md")
        files = glob.glob(os.path.join(ROOT, "tests", "**", "test_*.py"), recursive=True)
        cls.tests = {name for file in files for name in re.findall(r"def (test_\w+)\(self", text_of(file))}

    def test_its_files_exist(self):
        paths = set(re.findall(r"`((?:dnsd|tests)/[\w/.]+)`", self.map))
        self.assertGreater(len(paths), 20)
        self.assertEqual([path for path in sorted(paths) if not os.path.exists(os.path.join(ROOT, path))], [])

    def test_its_tests_exist(self):
        named = set(re.findall(r"`(test_(?:rfc\d|g\d|\w+)_?\w*\*?)`", self.map))
        self.assertGreater(len(named), 20)
        for name in named:
            prefix = name.rstrip("*")
            found = any(test.startswith(prefix) if name.endswith("*") else test == name for test in self.tests)
            self.assertTrue(found, name)

    def test_every_rfc_with_a_test_is_in_it(self):
        numbers = {number for test in self.tests for number in re.findall(r"^test_rfc(\d+)", test)}
        rows = re.findall(r"^\| ([\d, ]+) \|", self.map, re.M)
        self.assertEqual(sorted(numbers - {number for row in rows for number in row.split(", ")}), [])
