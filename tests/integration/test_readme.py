"""The README's "By hand" is executed exactly as it is printed: three shells, in a network of their own."""
import os
import re
import signal
import subprocess
import unittest

from mesh import BIN, Bed, eventually
from supervisor import ROOT

INSIDE = ["unshare", "--net", *([] if os.geteuid() == 0 else ["--map-root-user"]), "--kill-child", "--fork", "--pid",
          "--mount-proc"]
# every shell is a child of one that has the network; it runs the script that it is told by name
SHELLS = """\
ip link set lo up
while read -r name; do
  { bash -e "$name" > "$name.out" 2>&1; echo $? > "$name.new"; mv "$name.new" "$name.code"; } < /dev/null &
done
"""


def section(title):
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
        return re.search(rf"^## {title}\n(.*?)^## ", file.read(), re.M | re.S).group(1)


class ByHandTest(unittest.TestCase):
    def setUp(self):
        if subprocess.run([*INSIDE, "ip", "link", "set", "lo", "up"], capture_output=True, check=False).returncode:
            self.skipTest("no network namespace here")
        self.bed = self.enterContext(Bed())
        os.makedirs(self.bed.path("repository/build/check"))
        os.symlink(os.path.abspath(BIN), self.bed.path("repository/build/check/bin"))
        os.symlink(os.path.join(ROOT, "packaging"), self.bed.path("repository/packaging"))
        environment = {**os.environ, "XDG_RUNTIME_DIR": self.bed.folder, "MESHDNS_SERVER": ""}
        self.shells = subprocess.Popen([*INSIDE, "bash", "-c", SHELLS], cwd=self.bed.path("repository"), text=True,
                                       stdin=subprocess.PIPE, env=environment, start_new_session=True)
        self.addCleanup(self.end)
        found = re.findall(r"^```sh (\S+)\n(.*?)^```$", section("By hand"), re.M | re.S)
        self.blocks = dict(found)
        self.assertEqual([name for name, _ in found], ["first", "second", "third"])

    def end(self):
        self.shells.stdin.close()
        os.killpg(self.shells.pid, signal.SIGKILL)
        self.shells.wait()

    def begin(self, name, text):
        path = self.bed.write(name, text)
        self.shells.stdin.write(path + "\n")
        self.shells.stdin.flush()
        return path

    def text(self, path):
        try:
            with open(path, encoding="utf-8") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def wait_for(self, path, pattern):
        try:
            eventually(lambda: re.search(pattern, self.text(path)), pattern)
        except AssertionError:
            self.fail(f"{pattern!r} is not in {path}:\n{self.text(path)}")

    def test_it_leads_to_an_answer(self):
        self.wait_for(self.begin("first", self.blocks["first"]) + ".out", " ready")
        self.wait_for(self.begin("second", self.blocks["second"]) + ".out", r" connected ")
        probe = 'until dig @127.0.0.1 -p 8053 app-b.shop.mesh.internal +short | grep -q .; do :; done'
        self.wait_for(self.begin("probe", probe) + ".code", r"^0$")
        third = self.begin("third", self.blocks["third"])
        self.wait_for(third + ".code", r"\d")
        out = self.text(third + ".out")
        self.assertEqual(self.text(third + ".code").strip(), "0", out)
        self.assertEqual(len(re.findall(r"^app-b\.shop\.mesh\.internal\.\s.*\sA\s+127\.0\.0\.1$", out, re.M)), 1, out)
        self.assertEqual(len(re.findall(r"^app-b\.mesh\.internal\.\s.*\sA\s+127\.0\.0\.1$", out, re.M)), 1, out)
        self.assertIn("VirtualDestination/shop/app-b created", out)
        self.assertRegex(out, r"answer +A 127\.0\.0\.1")
        self.assertIn("2 hosts, 2 with endpoints there", out)
        self.assertRegex(out, r"endpoint=127\.0\.0\.1:8080 drained for 10m, 1 endpoint")
        self.assertIn("endpoint=127.0.0.1:8080 is no longer drained", out)

    def test_the_example_passes_lint(self):
        self.wait_for(self.begin("first", self.blocks["first"]) + ".out", " ready")
        self.wait_for(self.begin("second", self.blocks["second"]) + ".out", r" connected ")
        lint = self.begin("lint", 'build/check/bin/meshdnsctl lint -f packaging/examples/app-b.yaml')
        self.wait_for(lint + ".code", r"\d")
        self.assertEqual((self.text(lint + ".code"), self.text(lint + ".out")), ("0\n", "nothing found in 1 object\n"))


if __name__ == "__main__":
    unittest.main()
