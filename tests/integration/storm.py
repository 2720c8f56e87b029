#!/usr/bin/python3
"""Clients of the federation's port that give up at some stage and come again, always so many at once.

storm.py SERVER STAGE COUNT: until its input ends; then it writes what it did (JSON). Stages: `connect` sends nothing,
`settings` begins HTTP/2, `half` begins a call and sends half a Hello, `gone` says Hello and goes within two seconds.
All but `gone` hold on until they are cut. They come from addresses of 127.7.0.0/16, 200 from each.
"""
import collections
import json
import random
import resource
import select
import socket
import subprocess
import sys
import time

from raw_agent import field
from raw_call import DATA, END_HEADERS, HEADERS, SETTINGS, frame, header

STAGES = ("connect", "settings", "half", "gone")
PER_ADDRESS = 200
AT_ONCE = 200   # connections begun between two looks at the others
LONGEST = 2.0   # seconds that `gone` stays
AGAIN = 0.2     # seconds until a client that was refused tries again


def opening(stage, number):
    """What a client of that stage sends."""
    if stage == "connect":
        return b""
    begin = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0)
    if stage == "settings":
        return begin
    names = {":method": "POST", ":scheme": "http", ":path": "/meshdns.v1.Federation/Report", ":authority": "x",
             "content-type": "application/grpc", "te": "trailers"}
    node = field(1, f"storm{number}") + field(2, field(5, "one") + field(6, f"storm{number}"))
    hello = field(3, field(1, 1) + field(2, node) + field(3, f"storm{number}") + field(4, "b"))
    message = b"\0" + len(hello).to_bytes(4, "big") + hello
    if stage == "half":
        message = message[:len(message) // 2]
    return (begin + frame(HEADERS, END_HEADERS, 1, b"".join(header(*name) for name in names.items()))
            + frame(DATA, 0, 1, message))


class Clients:
    def __init__(self, server, stage, count):
        self.server, self.stage = server, stage
        self.openings = [opening(stage, number) for number in range(count)]
        self.poll = select.epoll()
        self.poll.register(sys.stdin, select.EPOLLIN)
        self.waiting = collections.deque((0.0, number) for number in range(count))  # (when it comes again, who)
        self.sockets = {}                 # by descriptor: (socket, who)
        self.leaving = collections.deque()  # (when it goes, descriptor, socket); about in order
        self.counts = collections.Counter()

    def run(self):
        while not self.look():
            now = time.monotonic()
            for _ in range(AT_ONCE):
                if not self.waiting or self.waiting[0][0] > now:
                    break
                self.begin(self.waiting.popleft()[1])
            while self.leaving and self.leaving[0][0] <= now:
                _, descriptor, client = self.leaving.popleft()
                if self.sockets.get(descriptor, (None,))[0] is client:
                    self.end(descriptor, "left", 0)
        self.counts["open"] = len(self.sockets)

    def begin(self, number):
        client = socket.socket()
        client.setblocking(False)
        client.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT
        try:
            client.bind((f"127.7.{number // PER_ADDRESS // 250}.{1 + number // PER_ADDRESS % 250}", 0))
            client.connect(self.server)
        except BlockingIOError:
            pass
        except OSError:
            client.close()
            self.counts["refused"] += 1
            self.waiting.append((time.monotonic() + AGAIN, number))
            return
        self.sockets[client.fileno()] = client, number
        self.poll.register(client, select.EPOLLOUT | select.EPOLLRDHUP)

    def end(self, descriptor, why, pause):
        client, number = self.sockets.pop(descriptor)
        client.close()
        self.counts[why] += 1
        self.waiting.append((time.monotonic() + pause, number))

    def connected(self, descriptor):
        client, number = self.sockets[descriptor]
        try:
            client.send(self.openings[number])
        except OSError:
            return self.end(descriptor, "refused", AGAIN)
        self.counts["begun"] += 1
        self.poll.modify(client, select.EPOLLRDHUP)
        if self.stage == "gone":
            self.leaving.append((time.monotonic() + random.random() * LONGEST, descriptor, client))

    def look(self):
        """Whether it is time to end."""
        for descriptor, events in self.poll.poll(0.01, 1000):
            if descriptor == sys.stdin.fileno():
                return True
            if events & (select.EPOLLERR | select.EPOLLHUP | select.EPOLLRDHUP):
                self.end(descriptor, "cut", AGAIN)
            elif events & select.EPOLLOUT:
                self.connected(descriptor)
        return False


class Storm:
    """Clients in a process of their own."""

    def __init__(self, server, stage, count):
        self.process = subprocess.Popen([sys.executable, __file__, server, stage, str(count)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def stop(self):
        """How often clients have `begun`, `left`, were `cut` or `refused`, and how many were `open` at the end."""
        output, _ = self.process.communicate(timeout=60)
        return collections.Counter(json.loads(output))


def main():
    server, stage, count = sys.argv[1:]
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    host, port = server.rsplit(":", 1)
    clients = Clients((host, int(port)), stage, int(count))
    clients.run()
    print(json.dumps(clients.counts))


if __name__ == "__main__":
    main()
