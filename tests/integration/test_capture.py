"""meshdnsctl capture: some of the queries, while they come."""
import json
import subprocess
import unittest

from mesh import BIN, WAIT, Bed, ask, run
from rfc_server import CONFIG, MESH, RECORDS

CAPTURED = 3  # queries of each kind


class CaptureTest(unittest.TestCase):
    def setUp(self):
        self.bed = self.enterContext(Bed())
        self.bed.write("mesh.yaml", MESH)
        records = "".join(f'    - "{record}"\n' for record in RECORDS[:2])
        text = CONFIG.format(folder=self.bed.folder, records=records)
        daemon = self.bed.start("meshdnsd", "--config", self.bed.write("meshdnsd.yaml", text))
        daemon.wait_line("ready")
        self.daemon, self.server = daemon, daemon.address("dns listening")
        self.flags = ["--server", "unix:" + self.bed.path("meshdnsd.sock")]

    def capture(self, *words):
        """What is shown while each name is asked several times."""
        seen = len(self.daemon.lines)
        ctl = subprocess.Popen([f"{BIN}/meshdnsctl", *self.flags, "capture", "--for", "1s", *words],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.daemon.wait_line(r"capture begins by=\"\S+ \(uid \d+, pid \d+\)\"", after=seen)
        for _ in range(CAPTURED):
            ask(self.server, "api.mesh.internal")
            ask(self.server, "api.mesh.internal", "AAAA", tcp=True)
            ask(self.server, "www.mesh.internal", source="127.0.0.2")
        out, err = ctl.communicate(timeout=WAIT)
        self.assertEqual((ctl.returncode, err), (0, ""))
        self.daemon.wait_line("capture ended", after=seen)
        return out

    def test_what_is_asked_for_a_host(self):
        title, *rows, end = self.capture("--host", "api.mesh.internal").splitlines()
        self.assertEqual(title.split()[:3], ["SECOND", "CLIENT", "BY"])
        self.assertEqual(end, f"{2 * CAPTURED} queries")
        kinds = sorted({tuple(row.split()[1:]) for row in rows})
        self.assertEqual(kinds, [("127.0.0.1", "tcp", "AAAA", "NOERROR", "1", "0", "api.mesh.internal."),
                                 ("127.0.0.1", "udp", "A", "NOERROR", kinds[1][4], "0", "api.mesh.internal.")])
        seconds = [float(row.split()[0]) for row in rows]
        self.assertEqual(seconds, sorted(seconds))

    def test_a_client_prefix_and_json(self):
        found = json.loads(self.capture("--client", "127.0.0.2/32", "-o", "json"))["queries"]
        self.assertEqual([(query["client"], query["name"]) for query in found],
                         [("127.0.0.2", "www.mesh.internal.")] * CAPTURED)

    def test_one_at_a_time_and_no_wrong_filters(self):
        seen = len(self.daemon.lines)
        with subprocess.Popen([f"{BIN}/meshdnsctl", *self.flags, "capture", "--for", "30s"], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as first:
            self.daemon.wait_line("capture begins", after=seen)
            self.assertIn("another capture is under way", run("meshdnsctl", *self.flags, "capture")[2])
            first.kill()
        self.daemon.wait_line("capture ended", after=seen)  # nobody looks any more
        for words in (("--host", "a..b"), ("--client", "x"), ("--for", "soon")):
            self.assertEqual(run("meshdnsctl", *self.flags, "capture", *words)[0], 2, words)


if __name__ == "__main__":
    unittest.main()
