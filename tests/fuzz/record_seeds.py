#!/usr/bin/python3
"""The packets of all tests as seeds of query_fuzz: tests/fuzz/corpus/query_fuzz/<digest>.

record_seeds.py [--bin build/check/bin] [--fuzz build/fuzz/bin/query_fuzz]

Unit tests and scenarios keep what they ask with (tests/support/dns/record.h). Those that ask a real server run here, with
sockets that keep each datagram and each message of a stream. Packets that differ in their id only are one; of those left
(some 18,000, since tests go through all types, flags and cuts) libFuzzer keeps what runs something that no other seed runs.
"""
import argparse
import glob
import os
import re
import socket
import struct
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
CORPUS = os.path.join(HERE, "corpus", "query_fuzz")
BINARIES = ("dnsd_wire_test", "dnsd_query_test", "dnsd_query_allocation_test", "scenario_mesh")
MODULES = ("test_rfc_names", "test_rfc_edns", "test_rfc_packets", "test_rfc_svcb", "test_rfc_tcp", "test_clients")
LARGEST = 2048          # what is larger repeats itself
MOST = 300 * 1024       # bytes of the corpus
IDENT = b"\x12\x34"
found = set()


def keep(packet):
    """Messages too short for an id are kept as they are."""
    if 0 < len(packet) <= LARGEST:
        found.add(IDENT + packet[2:] if len(packet) >= 2 else packet)


def keep_frames(stream):
    """Whole messages only: a test that sends byte by byte has its packet in another test too."""
    while len(stream) >= 2:
        size = struct.unpack("!H", stream[:2])[0]
        if size < 12 or len(stream) < 2 + size:
            return
        keep(stream[2:2 + size])
        stream = stream[2 + size:]


class RecordingSocket(socket.socket):
    """Keeps what is sent before it is sent."""

    def record(self, data):
        if self.family in (socket.AF_INET, socket.AF_INET6):
            (keep if self.type == socket.SOCK_DGRAM else keep_frames)(bytes(data))

    def sendto(self, data, *rest):
        self.record(data)
        return super().sendto(data, *rest)

    def send(self, data, *rest):
        self.record(data)
        return super().send(data, *rest)

    def sendall(self, data, *rest):
        self.record(data)
        return super().sendall(data, *rest)


def record_binaries(folder):
    """false = a test failed"""
    good = True
    with tempfile.TemporaryDirectory() as packets:
        environment = {**os.environ, "MESHDNS_RECORD_PACKETS": packets}
        for name in BINARIES:
            done = subprocess.run([os.path.join(folder, name)], cwd=ROOT, env=environment, check=False,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=300)
            good = good and done.returncode == 0
        for path in glob.glob(os.path.join(packets, "*")):
            with open(path, "rb") as file:
                keep(file.read())
    return good


def record_servers():
    """false = a test failed"""
    socket.socket = RecordingSocket  # before dnspython takes it
    sys.path.insert(0, os.path.join(ROOT, "tests", "integration"))
    suite = unittest.defaultTestLoader.loadTestsFromNames(MODULES)
    return unittest.TextTestRunner(verbosity=0).run(suite).wasSuccessful()


def write(fuzz):
    """Replaces the recorded seeds; those with names of their own stay."""
    for name in os.listdir(CORPUS):
        if re.fullmatch("[0-9a-f]{40}", name):
            os.remove(os.path.join(CORPUS, name))
    with tempfile.TemporaryDirectory() as packets:
        for number, packet in enumerate(sorted(found)):
            with open(os.path.join(packets, str(number)), "wb") as file:
                file.write(packet)
        subprocess.run([fuzz, "-merge=1", "-verbosity=0", CORPUS, packets], check=True, timeout=600,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    sizes = [entry.stat().st_size for entry in os.scandir(CORPUS)]
    return len(sizes), sum(sizes)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default=os.path.join(ROOT, "build", "check", "bin"))
    parser.add_argument("--fuzz", default=os.path.join(ROOT, "build", "fuzz", "bin", "query_fuzz"))
    arguments = parser.parse_args()
    os.environ["MESHDNS_BIN"] = os.path.abspath(arguments.bin)
    good = record_binaries(arguments.bin)
    good = record_servers() and good
    if not good:
        sys.exit("a test failed: nothing was written")
    count, size = write(arguments.fuzz)
    print(f"{len(found)} packets; {count} seeds, {size} bytes")
    if size > MOST:
        sys.exit(f"more than {MOST} bytes")


if __name__ == "__main__":
    main()
