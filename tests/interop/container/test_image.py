"""The image without a container engine: its layout is right, and its programs run in its file system as Kubernetes runs
them: as the image's user, without capabilities, with a root that cannot be written.
"""
import os
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

import image
import lab

MESHDNSD = """\
cluster: eu-1
zones: [{name: mesh.internal}]
dns: {listen: [{address: "127.0.0.1:1053"}]}
federation: {listen: "127.0.0.1:7400", store: {memory: {}}}
"""
AGENT = """\
node: n1
cluster: eu-1
addresses: [127.0.0.1]
federation: {servers: ["127.0.0.1:7400"]}
discovery: {static: {directory: /endpoints.d}}
"""
ENDPOINTS = "endpoints: [{service: web, namespace: shop, ports: [{number: 7400}]}]\n"
# $1: the root, $2: a folder with the configuration, the rest: the program. What a kubelet mounts, and then only this root.
CONTAINER = """\
set -e
root=$1 config=$2; shift 2
mount --make-rprivate /
mount --rbind "$root" "$root"
cd "$root"
mount --bind "$config" etc/meshdns
[ ! -e "$config/endpoints.d" ] || mount --bind "$config/endpoints.d" endpoints.d
mount -t proc proc proc
mount -t tmpfs tmpfs dev
for device in null zero random urandom; do : > dev/$device; mount --bind /dev/$device dev/$device; done
for place in var/lib/meshdns var/lib/meshdns-agent run/meshdns; do
  mount -t tmpfs -o mode=0750,uid=64053,gid=64053 tmpfs $place
done
mount -o remount,bind,ro "$root"
exec chroot "$root" setpriv --reuid=64053 --regid=64053 --clear-groups --bounding-set=-all --inh-caps=-all --no-new-privs "$@"
"""
CHECK = """id -u; id -g; grep -E '^(CapEff|CapBnd|NoNewPrivs):' /proc/self/status | tr -d '\\t'
touch /here 2>/dev/null && echo writable; ls -d /work /home/* 2>/dev/null; sleep 0; whoami"""


def setUpModule():
    image.base()
    lab.enter()


class Container:
    def __init__(self, root, config, *argv):
        self.process = subprocess.Popen(["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", CONTAINER, "sh",
                                         root, config, *argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True, start_new_session=True)
        self.written = None

    def end(self):
        """Ends the program, if it still runs, and returns what it has written."""
        if self.written is None:
            os.killpg(self.process.pid, signal.SIGKILL)  # a change of user has cancelled --kill-child
            self.written = self.process.communicate(timeout=60)[0]
        return self.written

    def output(self):
        self.written = self.process.communicate(timeout=60)[0]
        return self.written


def dig(*argv):
    return subprocess.run(["dig", "@127.0.0.1", "-p", "1053", "+short", "+tries=1", "+timeout=1", *argv], capture_output=True,
                          text=True, check=False).stdout.strip()


class ImageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="meshdns-image-")
        cls.addClassCleanup(shutil.rmtree, cls.folder, True)
        cls.digest = image.pack(cls.path("layout"))
        cls.layout = image.Layout(cls.path("layout"))
        cls.root = cls.path("root")
        cls.layout.unpack(cls.root)

    @classmethod
    def path(cls, name):
        return os.path.join(cls.folder, name)

    def write(self, name, text):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def test_every_blob_has_its_digest_and_is_used(self):
        self.assertEqual(self.digest, self.layout.digest)
        self.assertEqual(set(os.listdir(self.path("layout/blobs/sha256"))), self.layout.seen)

    def test_a_changed_blob_is_found(self):
        shutil.copytree(self.path("layout"), self.path("broken"))
        digest = self.layout.manifest["layers"][1]["digest"].split(":")[1]
        with open(self.path("broken/blobs/sha256/" + digest), "r+b") as file:
            file.seek(1000)
            byte = file.read(1)
            file.seek(1000)
            file.write(bytes([byte[0] ^ 1]))
        with self.assertRaisesRegex(AssertionError, "other content"):
            image.Layout(self.path("broken"))

    def test_the_same_programs_give_the_same_digest(self):
        self.assertEqual(image.pack(self.path("again")), self.digest)

    def test_what_the_configuration_says(self):
        config = self.layout.config
        self.assertEqual(config["created"], "2026-12-01T00:00:00Z")
        self.assertEqual(config["config"]["User"], "64053:64053")
        self.assertEqual(config["config"]["Entrypoint"], ["/usr/bin/meshdnsd"])
        self.assertEqual(set(config["config"]["ExposedPorts"]), {"1053/udp", "1053/tcp", "7400/tcp", "7401/tcp"})
        self.assertEqual(config["config"]["Labels"]["org.opencontainers.image.version"], "0.1.0")

    def test_nothing_of_this_machine_and_nothing_superfluous_is_inside(self):
        members = self.layout.members()
        for name in ("etc/machine-id", "etc/resolv.conf", "etc/hostname"):
            self.assertNotIn(name, members)
        self.assertFalse([name for name in members if name.startswith(("dev/", "var/lib/apt/", "var/cache/"))])
        self.assertFalse([name for name, member in members.items() if member.mode & 0o6000])  # setuid, setgid
        self.assertEqual({member.mtime for member in members.values()}, {image.SECONDS})
        for program in ("meshdnsd", "meshdns-agent", "meshdnsctl"):
            sections = subprocess.run(["readelf", "-S", os.path.join(self.root, "usr/bin", program)], capture_output=True,
                                      text=True, check=True).stdout
            self.assertNotRegex(sections, r"\.symtab|\.debug_info")

    def test_who_a_container_is(self):
        os.makedirs(self.path("empty"), exist_ok=True)
        out = Container(self.root, self.path("empty"), "sh", "-c", CHECK).output().split("\n")
        none = "0" * 16
        self.assertEqual(out, ["64053", "64053", "CapEff:" + none, "CapBnd:" + none, "NoNewPrivs:1", "meshdns", ""])

    def test_all_programs_find_their_libraries(self):
        os.makedirs(self.path("empty"), exist_ok=True)
        for program in ("meshdnsd", "meshdns-agent", "meshdnsctl"):
            out = Container(self.root, self.path("empty"), "/usr/bin/" + program, "--version").output()
            self.assertRegex(out, r"0\.1\.0")

    def test_an_agent_and_a_server_answer_a_question(self):
        self.write("server/meshdnsd.yaml", MESHDNSD)
        self.write("node/agent.yaml", AGENT)
        self.write("node/endpoints.d/web.yaml", ENDPOINTS)
        [entry] = self.layout.config["config"]["Entrypoint"]
        server = Container(self.root, self.path("server"), entry)
        self.addCleanup(server.end)
        agent = Container(self.root, self.path("node"), "/usr/bin/meshdns-agent")
        self.addCleanup(agent.end)
        end = time.monotonic() + 120
        while dig("web.shop.mesh.internal") != "127.0.0.1":
            dead = [each for each in (server, agent) if each.process.poll() is not None]
            if dead or time.monotonic() > end:
                self.fail("\n".join(each.end() for each in (server, agent)))
            time.sleep(0.1)


if __name__ == "__main__":
    unittest.main()
