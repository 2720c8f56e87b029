"""The processes of the federation's benchmark: a meshdnsd or a bare gRPC server, and the load on it. Only loopback is used."""
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", ".."))
sys.path[:0] = [os.path.join(ROOT, "tests", "bench"), os.path.join(ROOT, "tests", "integration")]
from failover import FailoverBed  # noqa: E402
from mesh import BIN, eventually  # noqa: E402
from ports import free_port  # noqa: E402

MESHDNSD = """\
cluster: near
zones: [{{name: mesh.internal}}]
data_dir: {folder}/{name}
dns: {{workers: "1", listen: [{{address: "127.0.0.1:0"}}]}}
{role}
admin: {{listen: "127.0.0.1:0", socket: {folder}/{name}.sock}}
"""
TICKS = os.sysconf("SC_CLK_TCK")
WAIT = 600.0


class Process:
    """A process whose output goes to a file, so that nobody has to read it in time."""

    def __init__(self, log, *argv):
        self.log = log
        with open(log, "ab") as out:
            # a connection each, on both ends
            command = ["sh", "-c", 'ulimit -n "$(ulimit -H -n)"; exec "$@"', "sh", os.path.join(BIN, argv[0]), *argv[1:]]
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)

    def text(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read()

    def find(self, pattern, timeout=WAIT):
        """The match of a line that there is, or comes."""
        def look():
            found = re.search(pattern, self.text())
            if not found and self.process.poll() is not None:
                raise AssertionError(f"it ended ({self.process.returncode}):\n{self.text()[-4000:]}")
            return found
        return eventually(look, pattern, timeout)

    def said(self):
        """The last whole line of JSON; {} = none yet."""
        lines = [line for line in self.text().split("\n")[:-1] if line.startswith("{")]
        return json.loads(lines[-1]) if lines else {}

    def wait(self, so, what, timeout=WAIT):
        """The first line of JSON that is as wanted."""
        def look():
            if self.process.poll() is not None:
                raise AssertionError(f"it ended ({self.process.returncode}):\n{self.text()[-4000:]}")
            said = self.said()
            return said if said and so(said) else None
        return eventually(look, f"{what}; said {self.said()}", timeout)

    def hang_up(self):
        self.process.send_signal(signal.SIGHUP)

    def cpu(self):
        """Seconds of all its threads."""
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def rss(self):
        """MiB."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            return int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1)) / 1024

    def end(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(number)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()


class LoadBed(FailoverBed):
    """One federation, or a bare server in its place; agents and watchers that are simulated, and real ones beside."""

    def __init__(self):
        super().__init__()
        self.server = f"127.0.0.1:{free_port()}"
        self.running = []

    def run(self, name, *argv):
        process = Process(self.path(f"{name}.log"), *argv)
        self.running.append(process)
        self.callback(process.end, signal.SIGKILL)
        return process

    def instance(self, address, port):
        """A real HTTP instance; whoever kills it waits for it."""
        script = os.path.join(ROOT, "packaging", "examples", "demo", "backend.py")
        child = subprocess.Popen([sys.executable, script, address, str(port), "bench"], stdin=subprocess.DEVNULL)
        self.callback(lambda: child.poll() is None and child.kill())
        return child

    def federation(self):
        """Starts it, or starts it again, on what it has kept."""
        name, role = "federation", f'federation: {{listen: "{self.server}"}}'
        config = self.write(f"{name}.yaml", MESHDNSD.format(folder=self.folder, name=name, role=role))
        log = self.path(f"{name}.log")
        if os.path.exists(log):
            os.rename(log, log + ".before")
        daemon = self.run(name, "meshdnsd", "--config", config)
        daemon.find(r" ready\b")
        self.dns = self.address(daemon, "dns listening")
        self.admin = self.address(daemon, "admin listening")
        return daemon

    def replica(self):
        name, role = "replica", f'roles: [dns]\nreplica: {{federation: ["{self.server}"]}}'
        config = self.write(f"{name}.yaml", MESHDNSD.format(folder=self.folder, name=name, role=role))
        return self.run(name, "meshdnsd", "--config", config)

    @staticmethod
    def address(daemon, event):
        host, port = daemon.find(event + r".* address=(\S+):(\d+)").groups()
        return host, int(port)

    def bare(self, heartbeat=1000):
        server = self.run("bare", "bench_bare", "--server", self.server, "--heartbeat", str(int(heartbeat)))
        server.wait(lambda said: True, "the bare server")
        return server

    def agents(self, **numbers):
        """Simulated agents: agents=, endpoints=, services=, clusters=, ramp=, changes=."""
        words = [word for name, number in numbers.items() for word in (f"--{name}", str(number))]
        return self.run("agents", "bench_agents", "--server", self.server, *words)

    def watchers(self, count):
        watchers = self.run("watchers", "bench_watchers", "--server", self.server, "--count", str(count))
        watchers.wait(lambda said: said["filled"] == count, f"{count} watchers are filled")
        return watchers

    def messages(self):
        """How many the federation has had from agents."""
        with urllib.request.urlopen("http://%s:%d/metrics" % self.admin, timeout=60) as reply:
            found = re.search(r"^meshdns_federation_messages_total (\S+)$", reply.read().decode(), re.MULTILINE)
        return float(found.group(1))


def all_in_sync(agents, count, after=0.0):
    """Seconds on the machine's monotonic clock since when all are in sync, later than `after`."""
    return agents.wait(lambda said: said["in_sync"] == count and (said["all_since"] or 0) > after,
                       f"{count} agents are in sync")["all_since"]


def now():
    return time.clock_gettime(time.CLOCK_MONOTONIC)
