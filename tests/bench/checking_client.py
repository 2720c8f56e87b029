"""A client that asks at a steady rate and checks every answer, beside whatever is done to the servers."""
import socket
import struct
import threading
import time


def query_bytes(name, identity):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    opt = b"\0" + struct.pack("!HHIH", 41, 1232, 0, 0)
    return struct.pack("!6H", identity, 0, 1, 0, 0, 1) + labels + b"\0" + struct.pack("!2H", 1, 1) + opt


class CheckingClient:
    """Counts answers that are right, wrong (SERVFAIL, NXDOMAIN, empty, another address) or missing, and those with
    EDE 3. `allowed`: the addresses that are right, may be exchanged while it runs."""

    def __init__(self, server, name, allowed, rate=1000):
        self.name, self.allowed, self.interval = name, set(allowed), 1.0 / rate
        self.right = self.wrong = self.lost = self.stale = 0
        self.problems = []
        self.changes = []  # (time, addresses) whenever the answer differs from the one before
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect(server)
        self.socket.settimeout(0.5)
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.thread.join(10)
        self.socket.close()

    def run(self):
        identity, due = 0, time.monotonic()
        while not self.stopping.is_set():
            identity = (identity + 1) & 0xFFFF
            self.ask(identity)
            due = max(due + self.interval, time.monotonic() - 0.1)
            time.sleep(max(0.0, due - time.monotonic()))

    def ask(self, identity):
        request = query_bytes(self.name, identity)
        try:
            self.socket.send(request)
            reply = self.socket.recv(4096)
        except OSError:
            self.lost += 1
            return
        if struct.unpack("!H", reply[:2])[0] != identity:
            self.lost += 1
            return
        self.judge(reply, len(request) - 11)

    def judge(self, reply, at):
        rcode, answers = reply[3] & 15, struct.unpack("!H", reply[6:8])[0]
        found = set()
        for _ in range(answers):
            size = struct.unpack("!H", reply[at + 10:at + 12])[0]
            found.add(socket.inet_ntoa(reply[at + 12:at + 16]))
            at += 12 + size
        if b"\0\x0f\0\x02\0\x03" in reply[at:]:
            self.stale += 1
        if not self.changes or self.changes[-1][1] != found:
            self.changes.append((time.monotonic(), found))
        if rcode == 0 and found and found <= self.allowed:
            self.right += 1
        else:
            self.wrong += 1
            self.problems.append((rcode, sorted(found)))
