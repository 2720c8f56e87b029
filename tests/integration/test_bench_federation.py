"""That `./dev bench federation` works; its figures at these sizes say nothing."""
import os
import re
import subprocess
import sys
import unittest

from mesh import BIN, WAIT

MAIN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "bench", "federation", "main.py")
TINY = ["--size", "0.002", "--seconds", "2", "--settle", "0.5", "--kills", "2"]


class FederationBenchTest(unittest.TestCase):
    def rows(self, *names):
        """The cells of each row of the table."""
        done = subprocess.run([sys.executable, MAIN, *TINY, *names], capture_output=True, text=True, timeout=6 * WAIT,
                              env={**os.environ, "MESHDNS_BIN": BIN}, check=False)
        self.assertIn(done.returncode, (0, 1), done.stdout + done.stderr)
        head, _, *rows = done.stdout.splitlines()
        self.assertEqual(head, "| figure | landed | bar | measured | bare gRPC | |", done.stderr)
        return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]

    def expect(self, names, figures, bare):
        """So many figures, so many of them beside one of gRPC alone."""
        rows = self.rows(*names)
        self.assertEqual(len(rows), figures, rows)
        for row in rows:
            self.assertRegex(row[3], r"^[0-9.]+( ms| s| MiB)?$", row)
            self.assertIn(row[5], ("reached", "MISSED"), row)
        self.assertEqual(len([row for row in rows if re.match(r"[0-9.]+", row[4])]), bare, rows)

    def test_heartbeats_and_changes(self):
        self.expect(["heartbeats", "one_watcher", "many_watchers"], 4, 4)

    def test_all_in_sync_and_again(self):
        self.expect(["sync"], 2, 1)

    def test_kills(self):
        self.expect(["kill"], 3, 2)

    def test_a_row_that_does_not_exist_is_told(self):
        done = subprocess.run([sys.executable, MAIN, "none"], capture_output=True, text=True, timeout=WAIT, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("no row named none; there are heartbeats, one_watcher", done.stderr)


if __name__ == "__main__":
    unittest.main()
