"""The containers of a node as endpoints: what the API of Docker or Podman says, what it says wrongly, and no API."""
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
import unittest

import one_cluster
from docker_api import DockerApi
from mesh import BIN, WAIT, Bed, addresses, ask, eventually
from ports import free_port

AGENT = """\
node: n1
cluster: eu-1
addresses: [127.0.0.1]
federation: {{servers: ["127.0.0.1:{port}"]}}
discovery:
  static: {{directory: {folder}/n1.d}}
  containers: {{socket: {socket}}}
admin: {{listen: "127.0.0.1:0", socket: {folder}/n1.sock}}
"""
WEB = {"meshdns.service": "web", "meshdns.namespace": "shop", "meshdns.check.interval": "200ms", "meshdns.check.tcp": ""}


class ContainersBed(unittest.TestCase):
    """A federation, and an agent that follows containers."""

    def setUp(self):
        self.bed = self.enterContext(Bed())
        port = free_port()
        os.makedirs(self.bed.path("n1.d"))
        self.words = {"folder": self.bed.folder, "port": port, "socket": self.bed.path("docker.sock")}
        self.federation = self.bed.start(os.path.join(BIN, "meshdnsd"), "--config",
                                         self.bed.write("fed.yaml", one_cluster.FEDERATION.format(**self.words)))
        self.federation.wait_line(r" ready\b")
        self.dns = self.federation.address("dns listening")
        self.api, self.listening = None, set()
        self.addCleanup(lambda: self.api and self.api.close())

    def begin_api(self, dialect="docker"):
        self.api = DockerApi(self.bed.path("docker.sock"), dialect)
        return self.api

    def begin_agent(self):
        agent = self.bed.start(os.path.join(BIN, "meshdns-agent"), "--config",
                               self.bed.write("n1.yaml", AGENT.format(**self.words)))
        agent.wait_line(r" ready\b")
        return agent

    def listener(self, address):
        """What a container with an address of its own has: a port that is open."""
        if address not in self.listening:
            self.listening.add(address)
            self.bed.backend(address, 8080)
        return address

    def answers(self, name="web", kind="A"):
        return sorted(addresses(ask(self.dns, f"{name}.shop.mesh.internal", kind)))

    def wait(self, expected, name="web"):
        eventually(lambda: self.answers(name) == expected, f"{name} is {expected}, not {self.answers(name)}")

    def ask_agent(self, path):
        connection = http.client.HTTPConnection("localhost")
        with socket.socket(socket.AF_UNIX) as connection.sock:
            connection.sock.connect(self.bed.path("n1.sock"))
            connection.request("GET", path)
            return connection.getresponse().read().decode()

    def source(self):
        sources = json.loads(self.ask_agent("/v1/status"))["sources"]
        return next(each for each in sources if each["name"] == "containers")

    def metric(self, name):
        found = re.search(rf"(?m)^{re.escape(name)} (\S+)$", self.ask_agent("/metrics"))
        return found and float(found[1])


class ContainersTest(ContainersBed):
    def test_labels_make_containers_answer(self):
        for dialect in ("docker", "podman"):
            with self.subTest(dialect):
                api = self.begin_api(dialect)
                first = api.run("web-1", WEB, self.listener("127.0.9.1"), {"8080/tcp": None})
                api.run("db-1", {}, "127.0.9.9", {"5432/tcp": None})
                agent = self.begin_agent()
                agent.wait_line("containers listed.* containers=1")
                self.wait(["127.0.9.1"])
                second = api.run("web-2", WEB, self.listener("127.0.9.2"), {"8080/tcp": None})
                self.wait(["127.0.9.1", "127.0.9.2"])
                api.kill(first)
                self.wait(["127.0.9.2"])
                api.start(first)
                self.wait(["127.0.9.1", "127.0.9.2"])
                api.remove(first)
                api.remove(second)
                self.wait([])
                self.assertEqual(self.metric("meshdns_agent_containers_listed"), 1)
                agent.stop()
                api.close()
                os.unlink(self.bed.path("docker.sock"))

    def test_a_container_that_dies_is_out_before_any_check_fails(self):
        api = self.begin_api()
        self.begin_agent().wait_line("containers listed")
        slow = WEB | {"meshdns.check.interval": "1h", "meshdns.check.fall": "100"}
        containers = {place: api.run(f"web-{place}", slow, self.listener(place), {"8080/tcp": None})
                      for place in ("127.0.9.1", "127.0.9.2")}
        self.wait(["127.0.9.1", "127.0.9.2"])
        begin = time.monotonic()
        api.kill(containers["127.0.9.1"])  # its port stays open here: only the event can say it
        self.wait(["127.0.9.2"])
        self.assertLess(time.monotonic() - begin, WAIT / 10)

    def test_a_paused_or_unhealthy_container_is_out_until_it_is_well(self):
        for dialect in ("docker", "podman"):
            with self.subTest(dialect):
                api = self.begin_api(dialect)
                one = api.run("web-1", WEB, self.listener("127.0.9.1"), {"8080/tcp": None})
                two = api.run("web-2", WEB, self.listener("127.0.9.2"), {"8080/tcp": None}, health="starting")
                agent = self.begin_agent()
                self.wait(["127.0.9.1"])
                api.health(two, "healthy")
                self.wait(["127.0.9.1", "127.0.9.2"])
                api.pause(one)
                self.wait(["127.0.9.2"])
                status = json.loads(self.ask_agent("/v1/status"))["endpoints"]
                self.assertIn(("failing", "container paused"), [(each["state"], each["why"]) for each in status])
                api.pause(one, False)
                self.wait(["127.0.9.1", "127.0.9.2"])
                api.health(two, "unhealthy")
                self.wait(["127.0.9.1"])
                api.health(two, "healthy")
                self.wait(["127.0.9.1", "127.0.9.2"])
                api.remove(one)
                api.remove(two)
                self.wait([])
                agent.stop()
                api.close()
                os.unlink(self.bed.path("docker.sock"))

    def test_a_published_port_is_answered_at_the_node(self):
        api = self.begin_api()
        self.begin_agent()
        backend = self.bed.backend()
        labels = {"meshdns.service": "web", "meshdns.namespace": "shop", "meshdns.port": "http:80", "meshdns.weight": "3",
                  "meshdns.check.http.path": "/healthz", "meshdns.check.interval": "200ms", "meshdns.labels.version": "v2"}
        container = api.run("web-1", labels, "172.17.0.2", {"80/tcp": [("0.0.0.0", backend.port)]})
        self.wait(["127.0.0.1"])
        self.assertEqual([item.port for rrset in ask(self.dns, "_http._tcp.web.shop.mesh.internal", "SRV").answer
                          for item in rrset], [backend.port])
        backend.healthy = False
        status = lambda: json.loads(self.ask_agent("/v1/status"))["endpoints"][0]
        eventually(lambda: status()["state"] == "failing", "the check of the published port fails")
        self.assertEqual(status()["key"], f"container/{container[:12]}")

    def test_a_wrong_label_is_told_by_the_containers_name(self):
        api = self.begin_api()
        agent = self.begin_agent()
        api.run("web-1", WEB, self.listener("127.0.9.1"), {"8080/tcp": None})
        wrong = api.run("web-2", WEB | {"meshdns.weight": "many", "meshdns.check.tcp.prot": "1"}, "127.0.9.2",
                        {"8080/tcp": None})
        agent.wait_line(r"source of endpoints has a problem.*web-2: meshdns\.weight: expected .*\(got many\)")
        agent.wait_line(r"source of endpoints has a problem.*web-2: meshdns\.check\.tcp\.prot: unknown field")
        self.wait(["127.0.9.1"])
        self.assertIn("web-2: meshdns.weight", self.source()["error"])
        self.assertTrue(self.source()["listed"])
        self.assertEqual(self.metric('meshdns_agent_source_problems{source="containers"}'), 2)
        api.remove(wrong)
        agent.wait_line("source of endpoints has no problem")
        eventually(lambda: self.source()["error"] == "", "nothing is wrong any more")

    def test_while_the_api_is_away_nothing_is_withdrawn(self):
        api = self.begin_api()
        api.run("web-1", WEB, self.listener("127.0.9.1"), {"8080/tcp": None})
        two = api.run("web-2", WEB, self.listener("127.0.9.2"), {"8080/tcp": None})
        agent = self.begin_agent()
        self.wait(["127.0.9.1", "127.0.9.2"])
        api.close()
        agent.wait_line("source of endpoints has a problem.*GET /events: ")
        eventually(lambda: not self.source()["listed"], "the source is not listed")
        self.assertIn("docker.sock", self.source()["error"])
        self.assertEqual(self.metric("meshdns_agent_containers_listed"), 0)
        self.assertEqual(self.answers(), ["127.0.9.1", "127.0.9.2"])
        # the agent starts again, and the API is still away: the federation keeps what it knows
        agent.stop()
        agent = self.begin_agent()
        agent.wait_line("source of endpoints has a problem.*connection refused")
        self.assertEqual(self.answers(), ["127.0.9.1", "127.0.9.2"])
        del api.containers[two]  # while nobody looked
        self.api = api.again()
        agent.wait_line("containers listed")
        self.wait(["127.0.9.1"])
        eventually(lambda: self.source() == {"name": "containers", "listed": True, "error": ""}, "the source is listed")

    def test_an_api_that_refuses_or_says_nonsense_changes_nothing(self):
        api = self.begin_api()
        api.run("web-1", WEB, self.listener("127.0.9.1"), {"8080/tcp": None})
        agent = self.begin_agent()
        self.wait(["127.0.9.1"])
        for path in ("/containers/json", "/events", "/version"):
            with self.subTest(path):
                seen = len(agent.lines)
                api.refused = {path: 500}
                with api.lock:
                    streams, api.streams = api.streams, []
                for stream in streams:
                    stream.put(None)
                eventually(lambda: "status 500: not today" in self.source()["error"] or path == "/events" and
                           "GET /events" in self.source()["error"], "the status says what the API said")
                self.assertEqual(self.answers(), ["127.0.9.1"])
                api.refused = {}
                agent.read(0)
                eventually(lambda: self.source()["listed"], "the source is listed again")
                agent.wait_line("containers listed", seen)

    def test_a_name_that_is_used_again_is_another_container(self):
        api = self.begin_api()
        self.begin_agent()
        old = api.run("web", WEB, self.listener("127.0.9.1"), {"8080/tcp": None})
        self.wait(["127.0.9.1"])
        api.kill(old)
        api.remove(old)
        api.run("web", WEB, self.listener("127.0.9.2"), {"8080/tcp": None})
        self.wait(["127.0.9.2"])


def podman_words(folder):
    """The command of a Podman that keeps everything in a folder."""
    return [shutil.which("podman"), "--root", f"{folder}/root", "--runroot", f"{folder}/run", "--tmpdir", f"{folder}/tmp",
            "--storage-driver", "vfs", "--cgroup-manager", "cgroupfs", "--events-backend", "file", "--runtime", "runc"]


LIMITS = ["--ulimit", "nofile=256:256", "--ulimit", "nproc=256:256"]  # no more than this process has


def podman(folder, *words):
    return subprocess.run([*podman_words(folder), *words], capture_output=True, text=True, timeout=WAIT, check=False)


def program(folder):
    """A root file system with one static program, which listens on a port."""
    os.makedirs(f"{folder}/rootfs", exist_ok=True)
    shutil.copy(shutil.which("busybox"), f"{folder}/rootfs/busybox")
    return f"{folder}/rootfs"


def podman_problem(folder):
    """Why no container of a real Podman can run here; empty = one can."""
    for needed in ("podman", "runc", "busybox"):
        if shutil.which(needed) is None:
            return f"{needed} is not installed"
    if os.geteuid() != 0:
        return "a container needs root here"
    done = podman(folder, "run", "--rm", *LIMITS, "--network", "host", "--rootfs", program(folder), "/busybox", "true")
    return "" if done.returncode == 0 else "podman runs no container here: " + (done.stderr.strip().splitlines() or ["?"])[-1]


class PodmanTest(ContainersBed):
    """The same with a real Podman: containers without an image, from a root file system with one static program."""

    def setUp(self):
        super().setUp()
        problem = podman_problem(self.bed.folder)
        if problem:
            self.skipTest(problem)
        self.service = self.bed.start(*podman_words(self.bed.folder), "system", "service", "--time", "0",
                                      "unix://" + self.words["socket"])
        eventually(lambda: os.path.exists(self.words["socket"]), "podman listens")

    def run_container(self, name, port, **more):
        labels = WEB | {"meshdns.port": str(port)} | more
        words = [word for label in labels.items() for word in ("--label", "=".join(label))]
        done = podman(self.bed.folder, "run", "-d", "--name", name, *LIMITS, "--network", "host", *words, "--rootfs",
                      self.bed.path("rootfs"), "/busybox", "nc", "-ll", "-p", str(port), "-e", "/busybox", "true")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.addCleanup(podman, self.bed.folder, "rm", "-f", "-t", "0", name)

    def test_a_real_container_is_answered_until_it_ends(self):
        agent = self.begin_agent()
        agent.wait_line("containers listed.* engine=\"?Podman")
        self.run_container("web-1", free_port())
        self.wait(["127.0.0.1"])
        done = podman(self.bed.folder, "kill", "web-1")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.wait([])
        done = podman(self.bed.folder, "start", "web-1")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.wait(["127.0.0.1"])
        self.service.stop(signal.SIGKILL)
        agent.wait_line("source of endpoints has a problem")
        self.assertEqual(self.answers(), ["127.0.0.1"])


if __name__ == "__main__":
    unittest.main()
