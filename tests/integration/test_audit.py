"""The audit of a federation: its file, which logrotate may move away and a disk may refuse, and whom it names."""
import json
import os
import shutil
import signal
import stat
import subprocess
import unittest
import urllib.request

import one_cluster
from mesh import BIN, WAIT, Bed, eventually, run
from ports import free_port

OBJECT = """\
apiVersion: meshdns.io/v1alpha1
kind: VirtualDestination
metadata: {{name: {name}, namespace: shop}}
spec: {{hosts: [{name}.mesh.internal], services: [{{name: {name}}}]}}
"""


class AuditFileTest(unittest.TestCase):
    def setUp(self):
        self.bed = self.enterContext(Bed())
        self.file = self.bed.path("audit.json")
        self.port = free_port()
        self.config = self.configure(self.file)

    def configure(self, file):
        text = one_cluster.FEDERATION.format(folder=self.bed.folder, port=self.port)
        return self.bed.write("federation.yaml", text + f"audit: {{file: {file}}}\n")

    def start(self):
        self.federation = self.bed.start("meshdnsd", "--config", self.config)
        self.federation.wait_line(r"\bready\b")

    def apply(self, name):
        object_file = self.bed.write(name + ".object.yaml", OBJECT.format(name=name))
        code, out, err = run("meshdnsctl", "--server", "unix:" + self.bed.path("federation.sock"), "apply", "-f", object_file)
        self.assertEqual(code, 0, out + err)

    def lines(self, file=None):
        with open(file or self.file, encoding="utf-8") as opened:
            return [json.loads(line) for line in opened]

    def metric(self, name):
        with urllib.request.urlopen("http://%s:%d/metrics" % self.federation.address("admin listening"), timeout=WAIT) as reply:
            return next(float(line.split()[-1]) for line in reply.read().decode().splitlines() if line.startswith(name + " "))

    def test_each_change_is_a_line_for_the_owner_alone(self):
        self.start()
        self.apply("web")
        line, = eventually(self.lines, "a line")
        self.assertRegex(line.pop("time"), r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.assertGreater(line.pop("revision"), 0)
        self.assertRegex(line.pop("who"), rf" \(uid {os.getuid()}, pid \d+\)$")
        self.assertEqual(line, {"event": "audit", "from": "unix", "verb": "apply", "outcome": "ok",
                                "objects": "VirtualDestination/shop/web created"})
        self.assertEqual(stat.S_IMODE(os.stat(self.file).st_mode), 0o600)
        self.assertEqual(self.metric("meshdns_audit_file_usable"), 1)

    def test_the_kernel_says_who_calls(self):
        if os.getuid() != 0 or not shutil.which("setpriv"):
            self.skipTest("only root can become another user, with setpriv")
        as_nobody = ["setpriv", "--reuid=65534", "--regid=0", "--clear-groups", "--"]
        os.chmod(self.bed.folder, 0o710)
        program = os.path.join(BIN, "meshdnsctl")
        if subprocess.run([*as_nobody, "test", "-x", program], check=False).returncode:
            self.skipTest("another user cannot run " + program)
        self.start()
        self.apply("web")
        subprocess.run([*as_nobody, "env", "USER=root", program, "--server", "unix:" + self.bed.path("federation.sock"),
                        "delete", "vd", "shop/web"], check=True, capture_output=True, timeout=WAIT)
        first, second = eventually(lambda: len(self.lines()) == 2 and self.lines(), "two lines")
        self.assertIn(" (uid 0, pid ", first["who"])
        self.assertRegex(second["who"], r"^\S+ \(uid 65534, pid \d+\)$")

    def test_a_file_that_is_moved_away_is_made_again_by_a_reload(self):
        self.start()
        self.apply("web")
        eventually(self.lines, "a line")
        os.rename(self.file, self.file + ".1")
        self.federation.send_signal(signal.SIGHUP)
        self.federation.wait_line("reloaded")
        self.apply("api")
        eventually(lambda: os.path.exists(self.file) and self.lines(), "a line in the new file")
        self.assertEqual([line["objects"] for line in self.lines() + self.lines(self.file + ".1")],
                         ["VirtualDestination/shop/api created", "VirtualDestination/shop/web created"])

    def test_a_reload_with_a_wrong_configuration_makes_it_again_too(self):
        self.start()
        os.rename(self.file, self.file + ".1")
        self.bed.write("federation.yaml", "cluser: eu-1\n")
        self.federation.send_signal(signal.SIGHUP)
        self.federation.wait_line("reload failed")
        self.apply("web")
        eventually(lambda: os.path.exists(self.file) and self.lines(), "a line in the new file")

    def test_a_file_that_cannot_be_written_stops_nothing(self):
        os.mkdir(self.file)  # not even root can write there
        code, out, err = run("meshdnsd", "--check-config", "--config", self.config)
        self.assertEqual((code, out), (2, ""))
        self.assertIn(f"audit.file: {self.file}: Is a directory", err)
        self.start()
        self.federation.wait_line("audit file cannot be written problem=.*Is a directory")
        self.apply("web")
        self.assertEqual((self.metric("meshdns_audit_file_usable"), self.metric("meshdns_audit_lost_entries_total")), (0, 1))
        os.rmdir(self.file)
        self.federation.send_signal(signal.SIGHUP)
        self.federation.wait_line("audit file is written again")
        self.apply("api")
        eventually(self.lines, "a line")
        self.assertEqual(run("meshdnsd", "--check-config", "--config", self.config)[0], 0)

    def test_a_relative_file_is_in_data_dir(self):
        self.config = self.configure("audit/changes.json")
        code, _, err = run("meshdnsd", "--check-config", "--config", self.config)
        self.assertEqual(code, 2)
        self.assertRegex(err, r"audit\.file: \S+/audit: No such file or directory")


if __name__ == "__main__":
    unittest.main()
