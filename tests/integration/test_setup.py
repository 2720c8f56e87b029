"""The set-up in docs/security.md, run as it is printed: a federation, three agents, a replica and an operator, each on a
machine of its own. A machine is a network namespace with its own /etc, /var/lib and /run."""
import contextlib
import os
import re
import shutil
import signal
import subprocess
import time
import unittest

from mesh import BIN, WAIT, Bed, eventually
from supervisor import ROOT

PAGE = os.path.join(ROOT, "docs/security.md")
BLOCK = re.compile(r"^```(\w+) (\w+)(?::(\S+))?\n(.*?)^```$", re.M | re.S)  # kind, machine, file, text
ADDRESSES = {"server": "10.0.9.1", "n1": "10.0.0.11", "n2": "10.0.0.12", "n3": "10.0.0.13", "replica": "10.0.9.2",
             "operator": "10.0.0.50"}
INSIDE = """\
set -e
mkdir "$1/etc"
for name in passwd group nsswitch.conf hosts ld.so.cache; do cp "/etc/$name" "$1/etc"; done
mount --bind "$1/etc" /etc
mount -t tmpfs tmpfs /var/lib
mount -t tmpfs tmpfs /run
mkdir -p /etc/meshdns /run/meshdns
mkdir -p -m 0700 /var/lib/meshdns /var/lib/meshdns-agent
ip link set lo up
echo there
exec sleep infinity
"""
# what the page says to systemd: `systemctl enable --now NAME`
SYSTEMCTL = """\
#!/bin/sh
setsid "$3" > "/etc/$3.log" 2>&1 < /dev/null &
echo $! >> /etc/pids
until grep -q " ready" "/etc/$3.log"; do
  grep -q "^State:.[A-Y]" "/proc/$!/status" || exit 1  # it has ended
  sleep 0.05
done
"""


class Machine:
    """A namespace of networks and of mounts."""

    def __init__(self, bed, name):
        self.name, self.folder = name, bed.path(name)
        os.mkdir(self.folder)
        words = ["unshare", "--net", "--mount", "--", "bash", "-c", INSIDE, "machine", self.folder]
        self.holder = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if self.holder.stdout.readline() != "there\n":
            self.close()
            raise unittest.SkipTest("no namespaces of networks and mounts here")
        self.tools = bed.path("tools")
        self.path = os.pathsep.join([self.tools, os.path.abspath(BIN), os.environ["PATH"]])

    def run(self, text):
        """Runs a script in /etc; gives what it prints."""
        inside = ["nsenter", "-t", str(self.holder.pid), "--net", "--mount", "--"]
        environment = {**os.environ, "PATH": self.path, "HOME": "/run", "XDG_CONFIG_HOME": "", "MESHDNS_SERVER": ""}
        done = subprocess.run([*inside, "bash", "-e", "-c", "cd /etc\n" + text], capture_output=True, text=True,
                              env=environment, timeout=WAIT, check=False)
        if done.returncode:
            raise AssertionError(f"{self.name}: {text}{done.stdout}{done.stderr}\n" + self.logs())
        return done.stdout

    def inside(self, path):
        """The path from outside of a file in /etc."""
        return self.folder + path

    def write(self, path, text):
        with open(self.inside(path), "w", encoding="utf-8") as file:
            file.write(text)

    def read(self, path):
        try:
            with open(self.inside(path), encoding="utf-8", errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def logs(self):
        return "".join(self.read(f"/etc/{name}.log") for name in ("meshdnsd", "meshdns-agent"))

    def wait_for(self, daemon, pattern):
        try:
            eventually(lambda: re.search(pattern, self.read(f"/etc/{daemon}.log")), pattern)
        except AssertionError as error:
            raise AssertionError(f"{self.name}: {error}\n{self.logs()}") from None

    def close(self):
        for pid in self.read("/etc/pids").split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        self.holder.kill()
        self.holder.wait(WAIT)
        self.holder.stdout.close()
        self.holder.stderr.close()


class SetupTest(unittest.TestCase):
    def setUp(self):
        if os.geteuid() != 0 or not all(map(shutil.which, ("unshare", "nsenter", "ip"))):
            self.skipTest("only root can make these machines")
        self.bed = self.enterContext(Bed())
        self.bed.write("tools/systemctl", SYSTEMCTL)
        os.chmod(self.bed.path("tools/systemctl"), 0o755)
        self.machines = {}
        for name in ADDRESSES:
            self.machines[name] = Machine(self.bed, name)
            self.addCleanup(self.machines[name].close)
        self.connect()
        with open(PAGE, encoding="utf-8") as file:
            self.blocks = BLOCK.findall(file.read())

    def connect(self):
        """Each machine has a cable to the server."""
        server = self.machines["server"]
        server.run(f"ip addr add {ADDRESSES['server']}/32 dev lo")
        for number, (name, address) in enumerate(list(ADDRESSES.items())[1:]):
            holder = self.machines[name].holder.pid
            server.run(f"ip link add cable{number} type veth peer name eth0 netns {holder}\nip link set cable{number} up\n"
                       f"ip route add {address}/32 dev cable{number} src {ADDRESSES['server']}")
            self.machines[name].run(f"ip addr add {address}/32 dev eth0\nip link set eth0 up\n"
                                    f"ip route add {ADDRESSES['server']}/32 dev eth0 src {address}")

    def of_node(self, name, text):
        """The text for a node, of which the page shows the first."""
        return text.replace("eu1-n1", "eu1-" + name).replace(ADDRESSES["n1"], ADDRESSES[name])

    def carry(self, name, machine, folder="/etc/meshdns/"):
        """Copies a file from the server to another machine, as the page asks."""
        shutil.copy(self.machines["server"].inside("/etc/" + name), self.machines[machine].inside(folder + name))

    def obey(self, wanted):
        """Does what the blocks of one kind of machine say, on the machines of this kind."""
        names = ("n1", "n2", "n3") if wanted == "node" else ("server",) if wanted == "more" else (wanted,)
        out = ""
        for name in names:
            for kind, machine, file, text in self.blocks:
                if machine != wanted:
                    continue
                text = self.of_node(name, text) if wanted == "node" else text
                if kind == "yaml":
                    self.machines[name].write(file, text)
                else:
                    out += self.machines[name].run(text)
        return out

    def count(self, machine):
        """The commands of the page for a machine; starting a daemon is none."""
        texts = [text for kind, of, _, text in self.blocks if of == machine and kind == "sh"]
        lines = [line for text in texts for line in text.splitlines()]
        return len([line for line in lines if not line.startswith("systemctl")]), len(lines)

    def test_the_page_leads_from_empty_machines_to_identities(self):
        began = time.monotonic()
        self.obey("server")
        for name in ("n1", "n2", "n3"):
            self.carry("join.token", name)
        self.obey("node")
        for name in ("n1", "n2", "n3"):
            self.machines[name].wait_for("meshdns-agent", " connected ")
        agents = time.monotonic() - began
        self.obey("more")
        self.carry("edge.token", "replica")
        self.obey("replica")
        self.carry("alice.token", "operator", "/etc/")
        self.machines["replica"].wait_for("meshdnsd", "federation found")
        status = self.obey("operator")
        (server, all_server), (node, all_node) = self.count("server"), self.count("node")
        print(f"three agents after {agents:.1f} s, all after {time.monotonic() - began:.1f} s; commands on the server: "
              f"{server} ({all_server} with systemctl), on a node: {node} ({all_node} with systemctl)")
        self.assertLessEqual((server, all_node), (3, 1))
        self.assertIn("dns eu-1/edge", status)
        self.assertIn("3 agents", status)
        self.assertNotIn("insecure", status)

    def test_the_page_refuses_who_has_no_part_in_it(self):
        self.obey("server")
        self.carry("join.token", "n1")
        agent = next(text for kind, machine, _, text in self.blocks if (kind, machine) == ("yaml", "node"))
        self.machines["n1"].write("/etc/meshdns/agent.yaml", agent.replace("eu1-n1", "us1-n1"))
        self.machines["n1"].run("systemctl enable --now meshdns-agent || true")
        self.machines["n1"].wait_for("meshdns-agent", r"\(rule token-name\)")


if __name__ == "__main__":
    unittest.main()
