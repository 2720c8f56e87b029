"""What the system withholds from the daemons: a log that nobody reads, descriptors, threads, room for output."""
import fcntl
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import unittest

import dns.edns

from mesh import BIN, WAIT, Bed, addresses, ask, eventually, run
from ports import free_port

MESHDNSD = """\
cluster: eu-1
zones: [{{name: mesh.internal}}]
data_dir: {folder}/data
dns: {{workers: "1", listen: [{{address: "127.0.0.1:{dns}"}}]}}
federation: {{listen: "127.0.0.1:{federation}"}}
admin: {{listen: "127.0.0.1:{admin}", socket: {folder}/meshdnsd.sock}}
"""
AGENT = """\
node: n1
cluster: eu-1
addresses: [127.0.0.11]
federation: {{servers: ["127.0.0.1:{federation}"]}}
admin: {{listen: "127.0.0.1:{admin}", socket: {folder}/agent.sock}}
"""
ENDPOINTS = """\
endpoints:
  - {{service: web, namespace: shop, address: 127.0.0.1, ports: [{{number: {port}}}],
     checks: [{{tcp: {{port: "{port}"}}, interval: 100ms, timeout: 2s, fall: 1, rise: 1}}]}}
"""
FROM_FILE = """\
cluster: eu-1
roles: [dns]
zones: [{{name: mesh.internal}}]
data_dir: {folder}/data
dns: {{workers: "1", endpoints_file: mesh.yaml, listen: [{{address: "127.0.0.1:{dns}"}}]}}
admin: {{listen: "127.0.0.1:{admin}", socket: {folder}/meshdnsd.sock}}
"""
MESH = """\
nodes:
  - {name: n1, cluster: eu-1, addresses: [127.0.0.1], endpoints: [{service: web, namespace: shop, ports: [{number: 80}]}]}
"""
WEB = "web.shop.mesh.internal"
# Takes all threads that its user may have.
HOG = """
import threading
over = threading.Event()
try:
    while True:
        threading.Thread(target=over.wait, daemon=True).start()
except RuntimeError:
    print("none left", flush=True)
over.wait()
"""


def full_pipe():
    """The ends of a pipe that takes nothing more."""
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    os.set_blocking(writer, False)
    try:
        while True:
            os.write(writer, b".")
    except BlockingIOError:
        os.set_blocking(writer, True)
        return reader, writer


class ProcessTest(unittest.TestCase):
    def setUp(self):
        self.bed = self.enterContext(Bed())
        self.ports = {name: free_port() for name in ("dns", "federation", "admin", "agent")}
        self.dns = ("127.0.0.1", self.ports["dns"])

    def spawn(self, binary, *flags, **options):
        return self.start(self.command(binary, *flags), **options)

    def command(self, binary, *flags):
        text = MESHDNSD if binary == "meshdnsd" else AGENT
        ports = dict(self.ports, admin=self.ports["admin" if binary == "meshdnsd" else "agent"])
        path = self.bed.write(binary + ".yaml", text.format(folder=self.bed.folder, **ports))
        return [os.path.join(BIN, binary), "--config", path, *flags]

    def start(self, command, **options):
        options.setdefault("stderr", subprocess.PIPE)
        options.setdefault("stdout", subprocess.DEVNULL)
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, **options)
        self.addCleanup(self.end, process)
        return process

    @staticmethod
    def end(process):
        if process.poll() is None:
            process.kill()
        process.wait()
        if process.stderr:
            process.stderr.close()

    def health(self, port):
        try:
            with socket.create_connection(("127.0.0.1", port), 5) as connection:
                connection.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
                return connection.recv(100).split(b" ")[1] == b"200"
        except OSError:
            return False

    def listen(self):
        backend = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(backend.close)
        self.bed.write("endpoints.d/web.yaml", ENDPOINTS.format(port=backend.getsockname()[1]))
        return backend

    def answer(self):
        try:
            return addresses(ask(self.dns, WEB))
        except OSError:
            return None


class LogTest(ProcessTest):
    def test_nobody_waits_for_the_reader_of_the_log(self):
        """The federation answered a dead instance for ever, and SIGTERM and /healthz were dead."""
        reader, writer = full_pipe()
        self.addCleanup(os.close, reader)
        server = self.spawn("meshdnsd", stderr=writer)
        eventually(lambda: self.health(self.ports["admin"]), "/healthz")
        backend = self.listen()
        agent = self.spawn("meshdns-agent", stderr=writer)
        os.close(writer)
        eventually(lambda: self.answer() == ["127.0.0.1"], "an answer")
        eventually(lambda: self.health(self.ports["admin"]) and self.health(self.ports["agent"]), "/healthz")
        backend.close()
        eventually(lambda: [option.code for option in ask(self.dns, WEB, use_edns=0).options
                            if isinstance(option, dns.edns.EDEOption)], "last resort, and it is said")
        for process in (agent, server):
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(WAIT), 0)

    def test_level_and_format(self):
        daemon = self.spawn("meshdnsd", "--log-level", "error")
        eventually(lambda: self.health(self.ports["admin"]), "/healthz")
        daemon.send_signal(signal.SIGTERM)
        self.assertEqual(daemon.stderr.read(), b"")

    def test_the_journal_gets_priorities(self):
        with open(self.bed.path("journal"), "w+b") as file:
            stat = os.fstat(file.fileno())
            daemon = self.spawn("meshdnsd", stderr=file,
                                env=dict(os.environ, JOURNAL_STREAM=f"{stat.st_dev}:{stat.st_ino}"))
            eventually(lambda: self.health(self.ports["admin"]), "/healthz")
            daemon.send_signal(signal.SIGTERM)
            daemon.wait(WAIT)
            file.seek(0)
            lines = file.read().splitlines()
        self.assertTrue(lines)
        for line in lines:
            self.assertRegex(line, rb"^<(3>\S+ error|4>\S+ warning|6>\S+ info) ")

    def test_a_reload_takes_the_format(self):
        daemon = self.spawn("meshdnsd")
        eventually(lambda: self.health(self.ports["admin"]), "/healthz")
        with open(self.bed.path("meshdnsd.yaml"), "a", encoding="utf-8") as file:
            file.write("log: {format: json}\n")
        daemon.send_signal(signal.SIGHUP)
        line = json.loads(next(line for line in daemon.stderr if line.startswith(b"{")))
        self.assertEqual((line["level"], line["event"]), ("info", "reloaded"))
        with open(self.bed.path("meshdnsd.yaml"), "a", encoding="utf-8") as file:
            file.write("nothing: known\n")
        daemon.send_signal(signal.SIGHUP)
        line = json.loads(next(line for line in daemon.stderr if line.startswith(b"{")))
        self.assertEqual((line["level"], line["event"][:13]), ("error", "reload failed"))


class LimitsTest(ProcessTest):
    """The daemons as a user of their own, whose limits hold: root has none of threads."""
    UID = 61000 + os.getpid() % 4000

    def limited(self, binary, *flags, **options):
        return self.limited_process(self.command(binary, *flags), **options)

    def limited_process(self, command, descriptors=None, threads=None, **options):
        if os.getuid() != 0:
            self.skipTest("only root can become another user")
        os.chmod(self.bed.folder, 0o777)

        def limit():
            for what, most in ((resource.RLIMIT_NOFILE, descriptors), (resource.RLIMIT_NPROC, threads)):
                if most is not None:
                    resource.setrlimit(what, (most, most))
            os.setgid(self.UID)
            os.setuid(self.UID)

        return self.start(command, preexec_fn=limit, **options)

    def test_no_start_without_descriptors_or_threads(self):
        for binary in ("meshdnsd", "meshdns-agent"):
            for limits in ({"descriptors": 16}, {"threads": 8}):
                with self.subTest(binary, **limits):
                    process = self.limited(binary, **limits)
                    _, err = process.communicate(timeout=WAIT)
                    self.assertEqual(process.returncode, 1, err)
                    self.assertIn(b"cannot start", err)

    def take_all_threads(self):
        hog = self.limited_process([sys.executable, "-c", HOG], threads=300, stdout=subprocess.PIPE)
        self.assertEqual(hog.stdout.readline(), b"none left\n")
        self.addCleanup(hog.stdout.close)

    def test_compiled_answers_are_written_without_a_new_thread(self):
        self.bed.write("mesh.yaml", MESH)
        path = self.bed.write("dns.yaml", FROM_FILE.format(folder=self.bed.folder, **self.ports))
        server = self.limited_process([os.path.join(BIN, "meshdnsd"), "--config", path], threads=300)
        eventually(lambda: self.health(self.ports["admin"]), "/healthz")
        self.take_all_threads()
        kept = self.bed.path("data/answers.snapshot")
        if os.path.exists(kept):  # it was faster
            os.unlink(kept)
            self.bed.write("mesh.yaml", MESH.replace("127.0.0.1", "127.0.0.2"))
            server.send_signal(signal.SIGHUP)
        eventually(lambda: os.path.exists(kept), "compiled answers")
        self.assertTrue(self.health(self.ports["admin"]))

    def test_a_serving_daemon_lives_without_threads(self):
        server = self.limited("meshdnsd", threads=300)
        eventually(lambda: self.health(self.ports["admin"]), "/healthz")
        self.listen()
        agent = self.limited("meshdns-agent", threads=300)
        eventually(lambda: self.answer() == ["127.0.0.1"], "an answer")
        self.take_all_threads()
        for process in (server, agent):
            process.send_signal(signal.SIGHUP)
        eventually(lambda: self.health(self.ports["admin"]) and self.health(self.ports["agent"]), "/healthz")
        self.assertEqual(self.answer(), ["127.0.0.1"])
        for process in (agent, server):
            process.send_signal(signal.SIGTERM)
            self.assertIn(process.wait(WAIT), (0, 1))  # 1: its libraries did not end in time

    def test_a_data_dir_that_cannot_be_entered_is_no_first_start(self):
        data = self.bed.path("data")
        os.mkdir(data, 0o700)
        process = self.limited("meshdnsd")
        _, err = process.communicate(timeout=WAIT)
        self.assertEqual(process.returncode, 1)
        self.assertRegex(err.decode(), f"cannot start error=.*{data}: Permission denied")

    def test_checks_go_on_while_connections_take_the_descriptors(self):
        self.limited("meshdnsd")
        eventually(lambda: self.health(self.ports["admin"]), "/healthz")
        backend = self.listen()
        self.limited("meshdns-agent", descriptors=64)
        eventually(lambda: self.answer() == ["127.0.0.1"], "an answer")
        silent = [socket.create_connection(("127.0.0.1", self.ports["agent"])) for _ in range(100)]
        for one in silent:
            self.addCleanup(one.close)
        backend.close()
        eventually(lambda: [option.code for option in ask(self.dns, WEB, use_edns=0).options
                            if isinstance(option, dns.edns.EDEOption)], "last resort, and it is said")


class BeginAndEndTest(ProcessTest):
    def test_a_reload_during_the_start_is_no_end(self):
        """SIGHUP ended a daemon that had not come so far."""
        for binary in ("meshdnsd", "meshdns-agent"):
            process = self.spawn(binary)
            eventually(lambda: self.holds_signals(process), "signals are held")
            process.send_signal(signal.SIGHUP)
            port = self.ports["admin" if binary == "meshdnsd" else "agent"]
            eventually(lambda: self.health(port), "/healthz")
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(WAIT), 0)

    @staticmethod
    def holds_signals(process):
        with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
            blocked = next(line for line in file if line.startswith("SigBlk:"))
        return int(blocked.split()[1], 16) & 1 << signal.SIGHUP - 1

    def test_logs_go_into_no_other_file(self):
        """With standard error closed, lines went into whatever got its number."""
        def close_all():
            for descriptor in (0, 1, 2):
                os.close(descriptor)

        for binary in ("meshdnsd", "meshdns-agent"):
            process = self.spawn(binary, preexec_fn=close_all, stderr=None)
            port = self.ports["admin" if binary == "meshdnsd" else "agent"]
            eventually(lambda: self.health(port), "/healthz")
            for descriptor in (0, 1, 2):
                self.assertEqual(os.readlink(f"/proc/{process.pid}/fd/{descriptor}"), "/dev/null")
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(WAIT), 0)


class MarkerTest(ProcessTest):
    OBJECT = "apiVersion: meshdns.io/v1alpha1\nkind: Cluster\nmetadata: {name: us-1}\nspec: {}\n"

    def test_it_is_written_as_soon_as_the_disk_can_be(self):
        """A first start on a full disk left an empty one: that the store was lost later was not noticed."""
        os.makedirs(self.bed.path("data/federation.db.state.next"))
        server = self.spawn("meshdnsd")
        self.assertIn(b"store not writable", self.line_with(server, b"federation.db.state: "))
        self.assertFalse(os.path.exists(self.bed.path("data/federation.db.state")))
        os.rmdir(self.bed.path("data/federation.db.state.next"))
        code, out, err = run("meshdnsctl", "--server", "unix:" + self.bed.path("meshdnsd.sock"), "apply", "-f",
                             self.bed.write("object.yaml", self.OBJECT))
        self.assertEqual(code, 0, out + err)
        eventually(lambda: os.path.exists(self.bed.path("data/federation.db.state")), "the marker")
        server.kill()
        server.wait()
        for suffix in ("", "-wal"):
            os.unlink(self.bed.path("data/federation.db" + suffix))
        self.assertIn(b"recovering", self.line_with(self.spawn("meshdnsd"), b"nothing is removed until the agents"))

    def line_with(self, process, words):
        for line in process.stderr:
            if words in line:
                return line
        raise AssertionError(f"no line with {words}")


class OutputTest(unittest.TestCase):
    def test_output_that_is_lost_is_a_failure(self):
        for words in (["meshdnsctl", "--help"], ["meshdnsctl", "completion", "bash"], ["meshdnsd", "--version"],
                      ["meshdns-agent", "--help"]):
            with self.subTest(words), open("/dev/full", "wb", 0) as full:
                done = subprocess.run([os.path.join(BIN, words[0]), *words[1:]], stdout=full, stderr=subprocess.PIPE,
                                      timeout=WAIT, check=False)
                self.assertEqual(done.returncode, 1)
                self.assertIn(b"cannot write to standard output", done.stderr)


if __name__ == "__main__":
    unittest.main()
