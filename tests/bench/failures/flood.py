#!/usr/bin/python3
"""Queries from one socket at a rate, whose answers nobody reads: it costs the machine less than the server does. It stays
on the first CPU, as one source's packets stay in one queue of a network card.

flood.py ADDRESS PORT NAME RATE SECONDS: prints how many were sent a second.
"""
import os
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import checking_client  # noqa: E402

UDP_SEGMENT = 103  # linux/udp.h: the kernel cuts what is sent into datagrams of this size
SEGMENTS = 64      # at most
LAG = 0.02         # seconds that are made up for


class Flood:
    """One in a process of its own."""

    def __init__(self, server, name, rate, seconds):
        self.process = subprocess.Popen(
            [sys.executable, __file__, server[0], str(server[1]), name, str(rate), str(seconds)], stdout=subprocess.PIPE)

    def rate(self):
        """What it reached; it has ended."""
        return float(self.process.communicate(timeout=60)[0])


def main():
    address, port, name, rate, seconds = sys.argv[1:]
    query = checking_client.query_bytes(name, 1)
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, len(query))
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect((address, int(port)))
        many, gap = query * SEGMENTS, SEGMENTS / float(rate)
        begun, sent = time.monotonic(), 0
        due, end = begun, begun + float(seconds)
        while (now := time.monotonic()) < end:
            if now < due:
                time.sleep(due - now)
                continue
            client.send(many)
            sent += SEGMENTS
            due = max(due + gap, now - LAG)
        print(sent / (time.monotonic() - begun))


if __name__ == "__main__":
    main()
