#!/usr/bin/python3
"""Start: from the start of the process to the first right answer, with the answers that an earlier run has compiled, and
without them.

start.py [--hosts 100000] [--rounds 5] [--bar 0.3]; MESHDNS_BIN names the folder of the binaries. Each host has three
endpoints in each of four places, from an endpoints file. Exit code 1 if the bar is missed. Only loopback is used.
"""
import argparse
import os
import resource
import socket
import statistics
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "integration"))
from mesh import Bed, eventually  # noqa: E402
from ports import free_port  # noqa: E402

import dns.message  # noqa: E402

CONFIG = """\
cluster: bench
roles: [dns]
zones: [{{name: mesh.internal, ns: [{{name: ns1.mesh.internal, addresses: [127.0.0.1]}}]}}]
data_dir: {folder}/data
dns:
  workers: "1"
  listen: [{{address: "127.0.0.1:{port}"}}]
  auto_hosts: "{{service}}.{{zone}}"
  max_records: 4000000
  endpoints_file: mesh.yaml
admin: {{listen: "127.0.0.1:0", socket: {folder}/meshdnsd.sock}}
"""
LONGEST = 900  # seconds: a whole start reads everything
SETTLED = 60


def mesh(hosts):
    """An endpoints file: four nodes, each in a place of its own."""
    out = ["nodes:\n"]
    for place in range(1, 5):
        out.append(f"  - name: n{place}\n    cluster: r{place}\n    locality: {{region: r{place}, zone: r{place}}}\n"
                   f"    prefixes: [127.{place}.0.0/16]\n    endpoints:\n")
        for host in range(hosts):
            first = host * 4
            for address in range(first, first + 3):
                out.append(f"    - {{service: s{host}, namespace: n, address: 10.{place * 32 + (address >> 16)}."
                           f"{address >> 8 & 255}.{address & 255}, ports: [{{number: 8080}}]}}\n")
    return "".join(out)


def first_answer(port, name):
    """Asks until somebody answers: when the answer came, and its addresses."""
    query = dns.message.make_query(name, "A").to_wire()
    end = time.monotonic() + LONGEST
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(0.002)
        sock.connect(("127.0.0.1", port))
        while time.monotonic() < end:
            try:
                sock.send(query)
                reply = dns.message.from_wire(sock.recv(4096))
                return time.monotonic(), sorted(item.address for rrset in reply.answer for item in rrset)
            except (ConnectionRefusedError, TimeoutError):
                time.sleep(0.0005)
    raise SystemExit(f"no answer within {LONGEST} s")


class Bench:
    def __init__(self, bed, hosts):
        self.bed, self.port = bed, free_port()
        self.name = f"s{hosts - 1}.mesh.internal"
        first = (hosts - 1) * 4
        self.expected = sorted(f"10.32.{address >> 8 & 255}.{address & 255}".replace("10.32.", f"10.{32 + (address >> 16)}.")
                               for address in range(first, first + 3))
        bed.write("mesh.yaml", mesh(hosts))
        self.config = bed.write("meshdnsd.yaml", CONFIG.format(folder=bed.folder, port=self.port))

    def run(self, until_ready, until_kept=False):
        """Starts, asks, stops. returns: seconds to the first answer"""
        begun = time.monotonic()
        server = self.bed.start("meshdnsd", "--config", self.config)
        answered, addresses = first_answer(self.port, self.name)
        if addresses != self.expected:
            raise SystemExit(f"the first answer was {addresses} instead of {self.expected}")
        if until_ready:
            server.wait_line("ready", timeout=LONGEST)
        if until_kept:
            kept = self.bed.path("data/answers.snapshot")
            eventually(lambda: os.path.exists(kept), "the compiled answers are kept", timeout=SETTLED)
        server.stop(9)
        return answered - begun


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", type=int, default=100000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--bar", type=float, default=0.3, help="seconds")
    args = parser.parse_args()
    with Bed() as bed:
        bench = Bench(bed, args.hosts)
        whole = bench.run(until_ready=True, until_kept=True)
        size = os.path.getsize(bed.path("data/answers.snapshot")) / 2**20
        print(f"  {args.hosts} hosts x 4 places x 3 endpoints, nothing kept   {whole:7.2f} s   (keeps {size:.0f} MiB)")
        warm = [bench.run(until_ready=False) for _ in range(args.rounds)]
        good = statistics.median(warm) <= args.bar
        print(f"  {args.hosts} hosts, from the answers that were compiled     {statistics.median(warm):7.3f} s   "
              f"(best {min(warm):.3f}, bar {args.bar}) {'' if good else 'MISSED'}")
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        print(f"  most memory of a run                                 {peak:7.0f} MiB")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
