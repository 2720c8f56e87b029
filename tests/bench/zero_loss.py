#!/usr/bin/python3
"""Zero loss: what is changed under 10,000 queries a second, and how many queries it cost; how long a large zone takes.

zero_loss.py [--rate 10000] [--seconds 8] [--records 20000] [--large 100000]; MESHDNS_BIN names the folder of the
binaries. One line per kind of change, with its bar; exit code 1 if one is missed. Only loopback is used.
"""
import argparse
import json
import os
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "integration"))
from mesh import Bed, addresses, ask, eventually, run  # noqa: E402

CONFIG = """\
cluster: bench
zones: [{{name: mesh.internal}}]
data_dir: {folder}
dns:
  workers: "1"
  listen: [{{address: "127.0.0.1:{port}"}}]
  static_zone_file: mesh.internal.zone
federation: {{listen: "127.0.0.1:0", store: {{memory: {{}}}}}}
admin: {{listen: "127.0.0.1:0", socket: {folder}/meshdnsd.sock}}
"""
OBJECT = """\
apiVersion: meshdns.io/v1alpha1
kind: VirtualDestination
metadata: {{name: n{number}, namespace: bench}}
spec: {{hosts: [n{number}.mesh.internal], services: [{{namespace: bench, name: x}}], ports: [{{number: {port}}}]}}
"""
ASKED = 500  # names


def zone(records, serial):
    head = f"$TTL 60\n@ 5 IN SOA ns1 ops {serial} 3600 600 86400 5\n  NS ns1\nns1 A 127.0.0.1\nversion TXT {serial}\n"
    return head + "".join(f"h{n} A 10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}\n" for n in range(records))


class Bench:
    def __init__(self, bed, arguments):
        self.bed, self.arguments, self.serial, self.good = bed, arguments, 1, True
        self.blast = bed.path("dnsblast")
        source = os.path.join(HERE, "peers", "dnsblast.cc")
        subprocess.run(["g++", "-O2", "-std=c++17", "-o", self.blast, source, "-lpthread"], check=True)
        self.write_zone(arguments.records)
        self.write_config()
        bed.write("queries.txt", "".join(f"h{n}.mesh.internal A\n" for n in range(ASKED)))
        self.daemon = bed.start("meshdnsd", "--config", bed.path("meshdnsd.yaml"))
        self.daemon.wait_line("ready")
        self.server = self.daemon.address("dns listening")
        self.write_config(self.server[1])

    def write_zone(self, records):
        self.serial += 1
        self.bed.write("mesh.internal.zone", zone(records, self.serial))

    def write_config(self, port=0, more=""):
        text = CONFIG.format(folder=self.bed.folder, port=port)
        self.bed.write("meshdnsd.yaml", text.replace("dns:\n", "dns:\n" + more))

    def reload(self):
        seen = len(self.daemon.lines)
        self.daemon.send_signal(signal.SIGHUP)
        self.daemon.wait_line("reloaded", after=seen)

    def version(self):
        return ask(self.server, "version.mesh.internal", "TXT").answer[0][0].to_text().strip('"')

    # ---- the changes ----

    def nothing(self, _):
        """nothing, for comparison"""
        time.sleep(0.2)

    def config(self, number):
        """a reload of the configuration"""
        self.write_config(self.server[1], f"  stale_after: {number + 1}s\n")
        self.reload()

    def zone_file(self, _):
        """a reload of a zone file with {records} records"""
        self.write_zone(self.arguments.records)
        self.reload()
        eventually(lambda: self.version() == str(self.serial), "the new zone")

    def catalog(self, number):
        """objects, one after the other: hosts that come, change and go"""
        file = self.bed.write("object.yaml", OBJECT.format(number=number % 5, port=80 + number))
        socket = "unix:" + self.bed.path("meshdnsd.sock")
        code, _, err = run("meshdnsctl", "--server", socket, "delete" if number % 3 == 2 else "apply", "-f", file)
        if code != 0 and number % 3 != 2:
            raise AssertionError(err)

    # ---- measuring ----

    def under_load(self, change):
        """Queries sent and lost, the slowest answer, and how many changes there were meanwhile."""
        rate, seconds = self.arguments.rate, self.arguments.seconds
        load = subprocess.Popen([self.blast, "--server", "%s:%d" % self.server, "--queries", self.bed.path("queries.txt"),
                                 "--rate", str(rate), "--sockets", "8", "--warmup", "0.2", "--duration", str(seconds)],
                                stdout=subprocess.PIPE, text=True)
        time.sleep(0.4)
        changes, end = 0, time.monotonic() + seconds - 1.0
        while time.monotonic() < end:
            change(changes)
            changes += 1
        output, _ = load.communicate(timeout=seconds + 30)
        return json.loads(output), changes

    def row(self, change):
        seen, changes = self.under_load(change)
        good = seen["lost"] == 0 and changes > 0
        self.good = self.good and good
        what = change.__doc__.format(records=self.arguments.records)
        print(f"{'ok  ' if good else 'MISS'}  {what}: {changes} times, {seen['lost']} of {seen['sent']} queries lost at "
              f"{seen['qps']:.0f} qps, the slowest answer {seen['max_us'] / 1000:.1f} ms   [0 lost]", flush=True)

    def large_zone(self):
        self.write_zone(self.arguments.large)
        begun = time.monotonic()
        self.daemon.send_signal(signal.SIGHUP)
        eventually(lambda: self.version() == str(self.serial), "the large zone")
        seconds = time.monotonic() - begun
        assert addresses(ask(self.server, f"h{self.arguments.large - 1}.mesh.internal"))
        good = seconds < 1.5
        self.good = self.good and good
        print(f"{'ok  ' if good else 'MISS'}  a zone file with {self.arguments.large} records: answered {seconds:.2f} s "
              "after the signal   [1.5 s]", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=int, default=10000)
    parser.add_argument("--seconds", type=int, default=8, help="of each kind of change")
    parser.add_argument("--records", type=int, default=20000, help="of the zone file that is read again and again")
    parser.add_argument("--large", type=int, default=100000, help="records of the zone file that is timed")
    with Bed() as bed:
        bench = Bench(bed, parser.parse_args())
        for change in (bench.nothing, bench.config, bench.zone_file, bench.catalog):
            bench.row(change)
        bench.large_zone()
    return 0 if bench.good else 1


if __name__ == "__main__":
    sys.exit(main())
