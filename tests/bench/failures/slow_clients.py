#!/usr/bin/python3
"""TCP clients that never come to the end of their first query, always so many at once.

slow_clients.py ADDRESS PORT COUNT: until its input ends; each sends a byte every 5 s and comes back when it is cut.
Then it writes what it saw (a pickled dict).
"""
import pickle
import resource
import select
import socket
import subprocess
import sys
import time

INTERVAL = 5.0
BEGUN = b"\0\x40\x12"  # the length of a message, and its first byte
AT_ONCE = 200          # connections opened between two looks at the others


class SlowClients:
    def __init__(self, server, count):
        self.server, self.count = server, count
        self.poll = select.epoll()
        self.poll.register(sys.stdin, select.EPOLLIN)
        self.sockets = {}  # by descriptor: (socket, since when), the oldest first
        self.due = []      # (when, descriptor, since when), in order of time
        self.lives = []    # seconds until the server cut one
        self.refused = self.most = 0

    def run(self):
        while not self.look():
            for _ in range(min(AT_ONCE, self.count - len(self.sockets))):
                self.open()
            self.most = max(self.most, len(self.sockets))
            self.drip()

    def open(self):
        try:
            client = socket.create_connection(self.server, timeout=1)
            client.send(BEGUN)
        except OSError:
            self.refused += 1
            return
        now = time.monotonic()
        self.sockets[client.fileno()] = client, now
        self.due.append((now + INTERVAL, client.fileno(), now))
        self.poll.register(client, select.EPOLLIN | select.EPOLLHUP)

    def drip(self):
        now = time.monotonic()
        while self.due and self.due[0][0] <= now:
            _, descriptor, since = self.due.pop(0)
            client, begun = self.sockets.get(descriptor, (None, None))
            if begun != since:
                continue  # cut meanwhile
            try:
                client.send(b"\0")
            except OSError:
                continue  # the next look sees why
            self.due.append((now + INTERVAL, descriptor, since))

    def look(self):
        """Whether it is time to end."""
        for descriptor, _ in self.poll.poll(0.01):
            if descriptor == sys.stdin.fileno():
                return True
            client, begun = self.sockets.pop(descriptor)
            self.lives.append(time.monotonic() - begun)
            client.close()
        return False


class Slow:
    """SlowClients in a process of their own."""

    def __init__(self, server, count):
        self.process = subprocess.Popen([sys.executable, __file__, server[0], str(server[1]), str(count)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def stop(self):
        output, _ = self.process.communicate(timeout=60)
        return pickle.loads(output)


def main():
    address, port, count = sys.argv[1:]
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    clients = SlowClients((address, int(port)), int(count))
    clients.run()
    content = {"lives": clients.lives, "refused": clients.refused, "most": clients.most}
    sys.stdout.buffer.write(pickle.dumps(content))


if __name__ == "__main__":
    main()
