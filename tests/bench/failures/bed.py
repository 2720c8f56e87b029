"""The mesh that the rows do their worst to: a federation, a replica, agents, and a load that checks every answer."""
import os
import re
import signal
import socket
import sys
import threading
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.abspath(os.path.join(HERE, "..", "..", ".."))
sys.path[:0] = [os.path.join(ROOT, "tests", "integration"), os.path.join(ROOT, "tests", "bench")]
import checking_client  # noqa: E402
from checking_client import LOST, RIGHT, WRONG, Load  # noqa: E402
from mesh import Bed, eventually, run  # noqa: E402
from ports import free_port  # noqa: E402

FEDERATION = """\
cluster: one
zones: [{{name: mesh.internal}}]
data_dir: {data}
dns: {{workers: "1", listen: [{{address: "127.0.0.1:0"}}]}}
federation: {{listen: "{listen}"}}
admin: {{listen: "127.0.0.1:0", socket: {folder}/fed.sock}}
"""
REPLICA = """\
cluster: one
roles: [dns]
zones: [{{name: mesh.internal}}]
data_dir: {data}
dns: {{workers: "{workers}", stale_after: {stale_after}, max_records: {max_records}, tcp: {{{tcp}}},
      listen: [{{address: "{listen}"}}]}}
replica: {{federation: ["{server}"]}}
admin: {{listen: "127.0.0.1:0", socket: {folder}/dns.sock}}
"""
AGENT = """\
node: {node}
cluster: one
federation: {{servers: ["{server}"]}}
addresses: [{address}]
discovery: {{static: {{directory: {folder}/{node}}}}}
admin: {{listen: "127.0.0.1:0", socket: {folder}/{node}.sock}}
"""
ENDPOINT = """\
  - {{service: s{number}, namespace: bench, ports: [{{name: http, number: {port}}}],
     checks: [{{tcp: {{port: http}}, interval: {interval}}}]}}
"""
OBJECT = """\
apiVersion: meshdns.io/v1alpha1
kind: VirtualDestination
metadata: {{name: o{number}, namespace: kills}}
spec: {{hosts: [o{number}.mesh.internal], services: [{{name: s0, namespace: bench}}]}}
"""
NAME = "s0.bench.mesh.internal"


class Skip(Exception):
    """What a row needs cannot be had on this machine."""


class Instance:
    """Accepts any number of connections at once, and closes them: what a TCP check needs."""

    def __init__(self, address="127.0.0.1"):
        self.socket = socket.create_server((address, 0), backlog=4096)
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                self.socket.accept()[0].close()
            except OSError:
                return

    def close(self):
        self.socket.close()


class FailureBed(Bed):
    """`begin()` starts all of it; what differs in a row is set before."""

    def __init__(self):
        super().__init__()
        self.daemons = {}       # by name: federation, replica, n1, ...
        self.environments = {}  # by name: more variables
        self.loads = []
        self.stale_after, self.max_records = "2s", 2000000
        self.workers, self.tcp = "1", ""  # of the replica's configuration
        self.data = {}          # by name: its state folder
        self.federation_at = f"127.0.0.1:{free_port()}"
        self.followed = self.reported = None  # where replica and agents find it, if not there
        self.dns = ("127.0.0.1", free_port())

    def begin(self, endpoints=1, agents=1):
        self.start_federation()
        for number in range(1, agents + 1):
            self.write_agent(number, endpoints)
            self.start_agent(number)
        self.start_replica()
        wanted = sorted(f"127.0.0.{number}" for number in range(1, agents + 1))
        self.wait_answer(f"s{endpoints - 1}.bench.mesh.internal", wanted)
        self.start_load(wanted)

    # ---- its processes ----

    def launch(self, name, binary, config):
        environment = {**os.environ, **self.environments.get(name, {})}
        self.daemons[name] = self.start(binary, "--config", config, env=environment)
        return self.daemons[name]

    def start_federation(self, wait=True):
        config = self.write("fed.yaml", FEDERATION.format(
            folder=self.folder, listen=self.federation_at, data=self.data.get("federation", self.path("fed"))))
        federation = self.launch("federation", "meshdnsd", config)
        if wait:
            federation.wait_line(r" ready\b")
        return federation

    def write_replica(self):
        return self.write("dns.yaml", REPLICA.format(
            folder=self.folder, listen="%s:%d" % self.dns, server=self.followed or self.federation_at,
            data=self.data.get("replica", self.path("dns")), stale_after=self.stale_after,
            max_records=self.max_records, workers=self.workers, tcp=self.tcp))

    def start_replica(self):
        return self.launch("replica", "meshdnsd", self.write_replica())

    def write_agent(self, number, endpoints=1, interval="60s"):
        """Node n<number> at 127.0.0.<number> with so many services, all on one port."""
        instance = Instance(f"127.0.0.{number}")
        self.callback(instance.close)
        entries = (ENDPOINT.format(number=i, port=instance.port, interval=interval) for i in range(endpoints))
        self.write(f"n{number}/all.yaml", "endpoints:\n" + "".join(entries))
        self.write(f"n{number}.yaml", AGENT.format(
            node=f"n{number}", address=f"127.0.0.{number}", folder=self.folder,
            server=self.reported or self.federation_at))
        return instance

    def start_agent(self, number=1, wait=True):
        agent = self.launch(f"n{number}", "meshdns-agent", self.path(f"n{number}.yaml"))
        if wait:
            agent.wait_line(r" connected\b")
        return agent

    def __getattr__(self, name):
        if name in ("federation", "replica", "n1", "n2", "n3"):
            return self.daemons[name]
        raise AttributeError(name)

    def kill(self, name):
        self.daemons[name].stop(signal.SIGKILL)

    def drain_logs(self):
        """Their logs must not fill the pipes."""
        for daemon in self.daemons.values():
            if daemon.process.poll() is None:
                daemon.read(0)

    def wait(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.drain_logs()
            time.sleep(min(0.1, max(0.0, end - time.monotonic())))

    # ---- what they say ----

    def answer(self, name=NAME, timeout=1.0):
        """The replica's addresses; none while it does not answer."""
        self.drain_logs()
        try:
            return checking_client.ask(self.dns, name, timeout)
        except OSError:
            time.sleep(0.002)
            return []

    def wait_answer(self, name, wanted, timeout=120):
        """Seconds until the replica answers so."""
        begun = time.monotonic()
        eventually(lambda: self.answer(name) == wanted, f"{name} at the replica", timeout=timeout)
        return time.monotonic() - begun

    def wait_line(self, name, pattern, timeout=60):
        """Seconds until a new line of a daemon's log matches."""
        daemon, begun = self.daemons[name], time.monotonic()
        daemon.read(0)
        daemon.wait_line(pattern, after=len(daemon.lines), timeout=timeout)
        return time.monotonic() - begun

    def metric(self, name, metric):
        daemon = self.daemons[name]
        url = "http://%s:%d/metrics" % daemon.address("admin listening")
        with urllib.request.urlopen(url, timeout=20) as reply:
            lines = reply.read().decode().splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith(metric))

    def rss(self, name):
        """MiB."""
        with open(f"/proc/{self.daemons[name].process.pid}/status", encoding="ascii") as file:
            return int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1)) / 1024

    def ctl(self, *words, to="fed"):
        return run("meshdnsctl", "--server", f"unix:{self.folder}/{to}.sock", *words)

    def apply(self, number):
        """The exit code, and what it complained of."""
        code, _, error = self.ctl("apply", "-f", self.write("object.yaml", OBJECT.format(number=number)))
        return code, error

    # ---- the load ----

    def start_load(self, allowed, name=NAME, rate=1000):
        load = Load(self.dns, name, allowed, rate)
        self.loads.append(load)
        self.callback(load.stop)
        return load

    def seen(self):
        """What the (first) load saw until now; it ends."""
        return self.loads[0].stop()


def clean(seen):
    """Nothing wrong, nothing lost."""
    return seen.count(WRONG) == 0 and seen.count(LOST) == 0 and seen.count(RIGHT) > 0
