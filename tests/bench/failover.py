#!/usr/bin/python3
"""From the death of an instance to the changed DNS answer: percentiles over many deaths, in a table beside their bars.

  socket event         kill -9, and the kernel reports the listener that is gone
  namespaced listener  likewise, in another network namespace (a container's)
  refused probe        kill -9 in such a namespace without events: checks are refused, three times in a row
  hang                 SIGSTOP: checks wait for their timeout, three times in a row
  503                  instances that go on listening, with the default interval of 5 s

Each is measured beside 1, 100 and 10,000 endpoints on the node, which are checked too; 503 only once.
failover.py [--kills 1000] [--slow 200] [--probed 20] [--endpoints 1,100,10000]; MESHDNS_BIN names the folder of the binaries.
Only loopback and network namespaces of its own are used. Without root there are no namespaces: two rows are left out.
"""
import argparse
import math
import os
import signal
import subprocess
import sys
import time
import urllib.request

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path.insert(0, os.path.join(ROOT, "tests", "integration"))
sys.path.insert(0, os.path.join(ROOT, "packaging", "examples", "demo"))
import wire  # noqa: E402
from mesh import Bed, eventually  # noqa: E402
from netns import Namespace  # noqa: E402
from ports import free_port  # noqa: E402

BARS_MS = (5.0, 25.0)  # p50, p99 of events
# docs/design.md section 5: fall 3, interval 5 s, edge interval 1 s: 2 to 7.5 s, plus at most 50 ms on the way
PROBED_S = (2.0, 7.5 + 0.05)
SERVICES = 20  # are killed in turn, so that one is back when it is due again; fewer if the node has fewer endpoints
MOST_WAVES = 30
INTERVAL_MS, TIMEOUT_MS, FALL = 200, 200, 3
ON_THE_WAY_MS = 50
NEAR, NEAR_CONTAINER, FAR = "127.0.1.11", "10.77.0.2", "127.0.2.11"
HERE = "MESHDNS_BENCH_NAMESPACE"

MESHDNSD = """\
cluster: near
zones: [{{name: mesh.internal}}]
data_dir: {folder}/state
dns: {{workers: "1", listen: [{{address: "127.0.0.1:0"}}]}}
federation: {{listen: "127.0.0.1:0"}}
admin: {{listen: "127.0.0.1:0", socket: {folder}/meshdnsd.sock}}
"""
AGENT = """\
node: {cluster}-n1
cluster: {cluster}
federation: {{servers: ["{server}"]}}
addresses: [{address}]
discovery: {{static: {{directory: {folder}}}}}
admin: {{listen: "127.0.0.1:0", socket: {folder}.sock}}
{more}"""
ENDPOINT = """\
  - service: {service}
    namespace: bench
    address: {address}
    ports: [{{name: http, number: {port}}}]
    checks: [{{http: {{port: http, path: /healthz}}, interval: {interval}, timeout: {timeout}, rise: 1}}]
"""
CROWD = """\
  - {{service: c{service}, namespace: crowd, address: {address}, ports: [{{number: {port}}}], checks: [{{tcp: {{port: "{port}"}}, interval: 10s}}]}}
"""
# Makes instances: reads "ADDRESS PORT", answers with the process that listens there. A fork is quicker than a new Python.
NURSERY = r"""
import ctypes, os, signal, socket, sys
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for line in sys.stdin:
    address, port = line.split()
    if os.fork():
        continue
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind((address, int(port)))
    server.listen(4096)
    print(os.getpid(), flush=True)
    while True:
        peer, _ = server.accept()
        try:
            if peer.recv(4096):
                peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        except OSError:
            pass
        peer.close()
"""


class Nursery:
    def __init__(self, prefix=()):
        self.process = subprocess.Popen([*prefix, sys.executable, "-S", "-c", NURSERY], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)

    def instance(self, address, port):
        """The process of a new instance, once it listens."""
        self.process.stdin.write(f"{address} {port}\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def close(self):
        self.process.kill()  # its instances end with it
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


class FailoverBed(Bed):
    """A near cluster and a far one; the far one's instances stay."""

    def begin(self):
        config = self.write("meshdnsd.yaml", MESHDNSD.format(folder=self.folder))
        self.daemon = self.start("meshdnsd", "--config", config)
        self.daemon.wait_line("ready")
        self.dns = self.daemon.address("dns listening")
        self.server = "%s:%d" % self.daemon.address("federation listening")

    def agent(self, cluster, address, endpoints, more=""):
        folder = self.path(cluster)
        for name, entries in endpoints.items():
            self.write(f"{cluster}/{name}.yaml", "endpoints:\n" + "".join(entries))
        config = self.write(f"{cluster}.yaml", AGENT.format(
            cluster=cluster, server=self.server, address=address, folder=folder, more=more))
        return self.start("meshdns-agent", "--config", config)

    def answer(self, service):
        return wire.ask(*self.dns, f"{service}.bench.mesh.internal")

    def wait_answer(self, service, address):
        eventually(lambda: self.answer(service) == [address], f"{service} at {address}")

    def nursery(self, prefix=()):
        nursery = Nursery(prefix)
        self.callback(nursery.close)
        return nursery

    def container(self):
        container = Namespace()
        self.callback(container.close)
        name = f"to{container.holder.pid}"
        for words in (f"ip link add {name} type veth peer name eth0 netns {container.holder.pid}",
                      f"ip address add 10.77.0.1/24 dev {name}", f"ip link set {name} up"):
            subprocess.run(words.split(), check=True)
        for words in (f"address add {NEAR_CONTAINER}/24 dev eth0", "link set eth0 up", "link set lo up"):
            container.ip(words)
        return container


def endpoints_of(services, address, ports, interval=f"{INTERVAL_MS}ms", timeout=f"{TIMEOUT_MS}ms"):
    return [ENDPOINT.format(service=service, address=address, port=port, interval=interval, timeout=timeout)
            for service, port in zip(services, ports)]


def crowd(bed, count):
    """Files of `count` more endpoints on the node, behind one listener at all addresses of loopback."""
    port = free_port()
    bed.nursery().instance("0.0.0.0", port)
    entries = [CROWD.format(service=i % 100, address=f"127.1.{i // 250}.{i % 250 + 1}", port=port) for i in range(count)]
    return {f"crowd{at}": entries[at:at + 1000] for at in range(0, count, 1000)}


def serving(agent):
    url = "http://%s:%d/metrics" % agent.address("admin listening")
    with urllib.request.urlopen(url, timeout=60) as reply:
        for line in reply.read().decode().splitlines():
            if line.startswith('meshdns_agent_endpoints{state="serving"}'):
                return int(float(line.split()[1]))
    return 0


class Near:
    """The near cluster's instances of some services. With others they are `endpoints` on their node."""

    def __init__(self, bed, endpoints, in_container=False, more=""):
        self.bed = bed
        bed.begin()
        self.services = [f"s{i}" for i in range(min(SERVICES, endpoints))]
        container = bed.container() if in_container else None
        self.address = NEAR_CONTAINER if container else NEAR
        self.nursery = bed.nursery(container.prefix if container else ())
        self.ports = [free_port() for _ in self.services]
        self.instances = [self.nursery.instance(self.address, port) for port in self.ports]
        far = bed.backend(FAR)
        bed.agent("far", FAR, {"bench": endpoints_of(self.services, FAR, [far.port] * len(self.services))})
        files = {"bench": endpoints_of(self.services, self.address, self.ports), **crowd(bed, endpoints - len(self.services))}
        self.agent = bed.agent("near", NEAR, files, more)
        self.agent.wait_line("socket events on")
        if container and not more:
            self.agent.wait_line("namespace events on")
        eventually(lambda: serving(self.agent) == endpoints, "all endpoints serve")
        for service in self.services:
            bed.wait_answer(service, self.address)

    def revive(self, at, number=signal.SIGKILL):
        if number == signal.SIGSTOP:
            os.kill(self.instances[at], signal.SIGCONT)
        else:
            self.instances[at] = self.nursery.instance(self.address, self.ports[at])

    def drain_logs(self):
        """A log must not fill its pipe."""
        self.agent.read(0)
        self.agent.lines.clear()
        self.bed.daemon.read(0)

    def kill_in_turn(self, kills):
        """Milliseconds from each signal to the first changed answer."""
        times = []
        for kill in range(kills):
            at = kill % len(self.services)
            service = self.services[at]
            self.bed.wait_answer(service, self.address)
            begun = time.monotonic()
            os.kill(self.instances[at], signal.SIGKILL)
            while self.bed.answer(service) != [FAR]:
                if time.monotonic() - begun > 30:
                    raise SystemExit("the answer did not change in 30 s")
            times.append((time.monotonic() - begun) * 1000)
            self.revive(at)
            self.drain_logs()
        return times

    def fail_in_waves(self, deaths, number):
        """All services of a wave fail at moments of their own; milliseconds as above."""
        times, count = [], len(self.services)
        for _ in range(min(MOST_WAVES, math.ceil(deaths / count))):
            for service in self.services:
                self.bed.wait_answer(service, self.address)
            begun, took = {}, {}
            for at in range(count):
                time.sleep(INTERVAL_MS / 1000 / count)
                begun[at] = time.monotonic()
                os.kill(self.instances[at], number)
            while len(took) < count:
                for at in begun.keys() - took.keys():
                    if self.bed.answer(self.services[at]) == [FAR]:
                        took[at] = (time.monotonic() - begun[at]) * 1000
                if time.monotonic() - begun[count - 1] > 30:
                    raise SystemExit("an answer did not change in 30 s")
            times += took.values()
            for at in range(count):
                self.revive(at, number)
            self.drain_logs()
        return times


def probed_bar_ms(per_check):
    """Three checks in a row, the first up to 1.1 intervals away."""
    return (1.1 + FALL - 1) * INTERVAL_MS + FALL * per_check + ON_THE_WAY_MS


def socket_event(bed, endpoints, options):
    return Near(bed, endpoints).kill_in_turn(options.kills)


def namespaced(bed, endpoints, options):
    return Near(bed, endpoints, in_container=True).kill_in_turn(options.kills)


def refused(bed, endpoints, options):
    near = Near(bed, endpoints, in_container=True, more='namespaces: "off"\n')
    return near.fail_in_waves(options.slow, signal.SIGKILL)


def hang(bed, endpoints, options):
    return Near(bed, endpoints).fail_in_waves(options.slow, signal.SIGSTOP)


# name, function, bars of p50 and p99 in ms, whether it needs root
ROWS = (
    ("socket event", socket_event, BARS_MS, False),
    ("namespaced listener", namespaced, BARS_MS, True),
    ("refused probe", refused, (probed_bar_ms(0),) * 2, True),
    ("hang", hang, (probed_bar_ms(TIMEOUT_MS),) * 2, False),
)


def measure_503(count):
    """All at once: `count` services, each flips to 503 at its own moment of its check's interval."""
    with FailoverBed() as bed:
        bed.begin()
        backends = [bed.backend(NEAR) for _ in range(count)]
        services = [f"s{i}" for i in range(count)]
        far = bed.backend(FAR)
        bed.agent("near", NEAR, {"bench": endpoints_of(services, NEAR, [one.port for one in backends], "5s", "2s")})
        bed.agent("far", FAR, {"bench": endpoints_of(services, FAR, [far.port] * count, "5s", "2s")})
        for service in services:
            bed.wait_answer(service, NEAR)
        begun, times = {}, {}
        for i, backend in enumerate(backends):
            backend.healthy = False
            begun[i] = time.monotonic()
            time.sleep(5.0 / count)
        while len(times) < count and time.monotonic() - begun[count - 1] < 30:
            for i in begun.keys() - times.keys():
                if bed.answer(services[i]) == [FAR]:
                    times[i] = time.monotonic() - begun[i]
        return sorted(times.values())


def quantile(values, share):
    """By nearest rank: of 100 values, 0.99 is the last but one."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def row(cells):
    print("| " + " | ".join(cells) + " |", flush=True)


def measure(name, function, bars, endpoints, options):
    with FailoverBed() as bed:
        times = function(bed, endpoints, options)
    p50, p99 = quantile(times, 0.5), quantile(times, 0.99)
    good = p50 <= bars[0] and p99 <= bars[1]
    row((name, f"{endpoints:,}", f"{len(times):,}", f"{p50:.1f} ms", f"{p99:.1f} ms", f"{max(times):.1f} ms",
         f"p50 <= {bars[0]:.0f}, p99 <= {bars[1]:.0f} ms", "reached" if good else "missed"))
    return good


def in_own_namespace():
    """Starts this program again in a network namespace of its own, where nobody else's listeners come and go."""
    if os.getuid() == 0 and HERE not in os.environ:
        inside = 'ip link set lo up && exec "$@"'
        os.execvpe("unshare", ["unshare", "--net", "--", "sh", "-c", inside, "sh", sys.executable, *sys.argv],
                   {**os.environ, HERE: "1"})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=1000, help="of each row of events")
    parser.add_argument("--slow", type=int, default=200, help="deaths of each row of probes")
    parser.add_argument("--probed", type=int, default=20)
    parser.add_argument("--endpoints", default="1,100,10000", help="on the node")
    options = parser.parse_args()
    in_own_namespace()
    row(("what", "endpoints on the node", "deaths", "p50", "p99", "worst", "bar", ""))
    row(["---"] * 8)
    good = True
    for name, function, bars, needs_root in ROWS:
        if needs_root and os.getuid() != 0:
            continue
        for endpoints in map(int, options.endpoints.split(",")):
            good = measure(name, function, bars, endpoints, options) and good
    if options.probed:
        probed = measure_503(options.probed)
        inside = len(probed) == options.probed and PROBED_S[0] - 0.05 <= probed[0] and probed[-1] <= PROBED_S[1]
        row(("503", "1", str(len(probed)), f"{quantile(probed, 0.5):.2f} s", f"{quantile(probed, 0.99):.2f} s",
             f"{probed[-1]:.2f} s", f"{PROBED_S[0]:.2f} to {PROBED_S[1]:.2f} s", "reached" if inside else "missed"))
        good = good and inside
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
