"""docs/operations.md and the README's Install: their blocks run, and every line that the daemons warn with is explained.

A block runs in a copy of the machine's file tree (an overlay that vanishes), as root without a network. Building is exempt;
systemctl, kubectl and podman are played by scripts that check what they are given.
"""
import glob
import os
import re
import subprocess
import unittest

from mesh import Bed
from supervisor import BUILD, ROOT

SYSTEMCTL = """\
#!/bin/sh -e
echo "systemctl $*" >> /played
[ "$1" = enable ] || exit 0
line=$(sed -n 's/^ExecStart=//p' "/usr/lib/systemd/system/$3.service")
exec setpriv --reuid=meshdns --regid=meshdns --clear-groups --no-new-privs -- $line --check-config
"""
CLIENT = """\
#!/bin/sh -e
echo "${0##*/} $*" >> /played
case " $* " in
*" -n "*) exit 0 ;;
*" -k "*) while [ "$1" != -k ]; do shift; done; [ -e "$2/kustomization.yaml" ] ;;
*) while [ "$1" != -f ]; do shift; done; [ -e "$2" ] ;;
esac
"""
# $1: an empty folder, $2: the script, the rest: folders that stay as they are
TREE = """\
set -e
tree=$1 script=$2; shift 2
mount -t tmpfs tmpfs "$tree"
mkdir "$tree/upper" "$tree/work" "$tree/root" "$tree/bin"
mount -t overlay overlay -o "lowerdir=/,upperdir=$tree/upper,workdir=$tree/work" "$tree/root"
for folder in /proc /dev "$@"; do mkdir -p "$tree/root$folder"; mount --bind "$folder" "$tree/root$folder"; done
cp -r "${script%/*}/played" "$tree/root/played-programs"
: > "$tree/root/played"
status=0
chroot "$tree/root" /bin/bash -e "$script" || status=$?
sed 's/^/played: /' "$tree/root/played"
exit $status
"""


def text_of(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def blocks(text, language):
    return re.findall(rf"^```{language}[^\n]*\n(.*?)^```$", text, re.M | re.S)


def sources():
    for folder in ("common", "dnsd", "agent"):
        for where, _, names in os.walk(os.path.join(ROOT, folder)):
            for name in sorted(names):
                if name.endswith((".cc", ".h")) and not where.endswith("dnsd/ctl"):
                    yield text_of(os.path.relpath(os.path.join(where, name), ROOT))


class BlocksTest(unittest.TestCase):
    def setUp(self):
        if os.getuid() != 0:
            self.skipTest("only root can make a copy of the file tree")
        self.bed = self.enterContext(Bed())
        for name, script in (("systemctl", SYSTEMCTL), ("kubectl", CLIENT), ("podman", CLIENT)):
            os.chmod(self.bed.write("played/" + name, script), 0o755)
        os.chmod(self.bed.folder, 0o755)
        os.mkdir(self.bed.path("tree"))
        done = self.in_tree("true")
        if done.returncode:
            self.skipTest("no overlay of the file tree here: " + done.stderr.strip())

    def in_tree(self, commands):
        script = self.bed.write("script", f"cd {ROOT}\nexport PATH=/played-programs:/usr/sbin:/usr/bin:/sbin:/bin\n{commands}\n")
        return subprocess.run(["unshare", "--mount", "--net", "sh", "-c", TREE, "sh", self.bed.path("tree"), script, ROOT,
                               BUILD, self.bed.folder], capture_output=True, text=True, timeout=300, check=False)

    def run_blocks(self, text):
        """Runs all `sh` blocks as one script; gives the lines of the played programs."""
        commands = "".join(blocks(text, "sh"))
        commands = re.sub(r"^\./dev .*$", "", commands, flags=re.M).replace("build/release", BUILD)
        for tool in ("systemd-sysusers", "systemd-tmpfiles", "setpriv"):
            if tool in commands + SYSTEMCTL and subprocess.run(["which", tool], capture_output=True, check=False).returncode:
                self.skipTest("not on this machine: " + tool)
        done = self.in_tree(commands)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return re.findall(r"^played: (.*)$", done.stdout, re.M)

    def test_operations(self):
        self.assertEqual(self.run_blocks(text_of("docs/operations.md")), [
            "systemctl daemon-reload", "systemctl enable --now meshdnsd", "systemctl enable --now meshdns-agent",
            "podman build -f packaging/container/Containerfile -t meshdns:0.1.0 .",
            "kubectl apply -k packaging/kubernetes/overlays/default"])

    def test_readme(self):
        install = re.search(r"^## Install\n(.*?)^## ", text_of("README.md"), re.M | re.S).group(1)
        self.assertEqual(self.run_blocks(install), [
            "systemctl daemon-reload", "systemctl enable --now meshdnsd",
            "podman build -f packaging/container/Containerfile -t meshdns:0.1.0 .",
            "kubectl apply -k packaging/kubernetes/overlays/default",
            "kubectl -n shop label service app-b meshdns.io/export=true",
            "kubectl -n meshdns get service meshdns-dns"])

    def test_a_block_that_fails_is_seen(self):
        self.assertNotEqual(self.in_tree("systemctl enable --now nothing").returncode, 0)
        self.assertNotEqual(self.in_tree("kubectl apply -k packaging/nothing").returncode, 0)


class WordsTest(unittest.TestCase):
    def test_the_readmes_corefile_is_the_recommended_one(self):
        install = re.search(r"^## Install\n(.*?)^## ", text_of("README.md"), re.M | re.S).group(1)
        recommended = re.search(r"## The recommended block(.*?)^## ", text_of("docs/coredns.md"), re.M | re.S).group(1)
        self.assertEqual(blocks(install, "corefile"), blocks(recommended, "corefile"))

    def test_every_warning_is_explained(self):
        documented = text_of("docs/operations.md")
        for source in sources():
            for first in re.findall(r"log::(?:warn|error)\((.*?)(?:, *\n? *\{|\);)", source, re.S):
                for words in re.findall(r'"([^"]+)"', first):
                    self.assertTrue("`" + words.split(":")[0] in documented, f"not in docs/operations.md: {words}")

    def test_every_explained_line_exists(self):
        table = text_of("docs/operations.md").split("## What the log says at the edges")[1].split("\n## ")[0]
        code = "".join(sources())
        for row in re.findall(r"^\| `.*$", table, re.M):
            _, line, _, _, end, _ = row.split("|")
            for words in re.findall(r"`([^`]+)`", line + end):
                self.assertTrue('"' + words in code, f"no daemon says so: {words}")


class BoundsTest(unittest.TestCase):
    def test_every_bound_has_a_test_that_exists(self):
        tests = {}
        for where, _, names in os.walk(os.path.join(ROOT, "tests/unit")):
            for name in names:
                if name.endswith(".cc"):
                    text = text_of(os.path.relpath(os.path.join(where, name), ROOT))
                    for suite, test in re.findall(r"^TEST(?:_F|_P)?\((\w+),\s+(\w+)\)", text, re.M):
                        tests.setdefault(suite, []).append(test)
        table = text_of("docs/security.md").split("## Bounds")[1].split("\n## ")[0]
        rows = [row.split(" | ")[4] for row in re.findall(r"^\| .*$", table, re.M)[2:]]
        self.assertGreater(len(rows), 30)
        for row in rows:
            named = re.findall(r"`([^`]+)`", row)
            self.assertTrue(named, row)
            suite = None
            for name in named:
                if not re.fullmatch(r"\w*\.[\w…*]+", name):  # a Python test or a fuzz target
                    stem = name.removeprefix("integration_")
                    self.assertTrue(any(os.path.exists(os.path.join(ROOT, path)) for path in
                                        (f"tests/integration/{stem}.py", f"tests/fuzz/{name}.cc")) or
                                    any(f"def {name}(" in text_of(os.path.relpath(path, ROOT)) for path in
                                        glob.glob(os.path.join(ROOT, "tests/integration/*.py"))), name)
                    continue
                suite = name.split(".")[0] or suite
                test = name.split(".")[1]
                known = tests.get(suite, []) if not suite.endswith("*") else ["*"]
                self.assertTrue(any(one.startswith(test.rstrip("*")) for one in known), f"there is no {suite}.{test}")


if __name__ == "__main__":
    unittest.main()
