"""A TLS proxy in front of the API server that does what networks, balancers and overloaded servers do.

Each request goes over a connection of its own to the real server, unless a rule takes it:

    proxy.rule("pods", refuse(429, retry_after=1), times=3)    # the next three requests whose target has "pods" in it
    proxy.rule("watch=1", in_band(500))                        # the next one is accepted, and its only line is an error
    proxy.rule("watch=1", cut(2000))                           # the connection breaks after so many bytes of the answer
"""
import contextlib
import json
import socket
import ssl
import threading
import time
import urllib.parse

REASONS = {401: "Unauthorized", 403: "Forbidden", 410: "Expired", 429: "TooManyRequests", 500: "InternalError",
           503: "ServiceUnavailable", 504: "Timeout"}


def status_object(code, message="injected"):
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message,
            "reason": REASONS.get(code, ""), "code": code}


def refuse(code, retry_after=None, message="injected"):
    """Answers with a status, as the server's own filters do."""

    def act(client, _):
        body = json.dumps(status_object(code, message)).encode()
        more = f"Retry-After: {retry_after}\r\n" if retry_after is not None else ""
        client.sendall(f"HTTP/1.1 {code} {REASONS.get(code, 'Error')}\r\nContent-Type: application/json\r\n{more}"
                       f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)

    return act


def in_band(code, message="injected"):
    """Accepts a watch, and says an error in it, as the server does for a version that it no longer has."""
    return lines(json.dumps({"type": "ERROR", "object": status_object(code, message)}))


def lines(*texts):
    """Accepts a watch, says these lines in it, and ends it in the regular way."""

    def act(client, _):
        client.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
                       b"Connection: close\r\n\r\n")
        for text in texts:
            data = text.encode() + b"\n"
            client.sendall(b"%x\r\n%s\r\n" % (len(data), data))
        client.sendall(b"0\r\n\r\n")

    return act


def cut(after):
    """The real answer, broken off after so many bytes."""
    return lambda client, forward: relay(client, forward(), most=after)


def slow(size, seconds):
    """The real answer, `size` bytes at a time with pauses."""
    return lambda client, forward: relay(client, forward(), size=size, pause=seconds)


def relay(client, upstream, most=None, size=65536, pause=0.0):
    """Passes the answer on, up to so many bytes."""
    while most != 0 and (data := upstream.recv(size if most is None else min(size, most))):
        client.sendall(data)
        most = most and most - len(data)
        time.sleep(pause)


class Proxy(contextlib.ExitStack):
    """Listens at `port` with the certificate of the control plane."""

    def __init__(self, plane):
        super().__init__()
        self.plane, self.port = plane, 0
        self.lock, self.rules, self.targets, self.open = threading.Lock(), [], [], set()
        self.mute = threading.Event()
        self.listener = None

    def __enter__(self):
        super().__enter__()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(self.plane.path("api.pem"), self.plane.path("api.key"))
        self.begin()
        self.callback(self.end)
        return self

    @property
    def server(self):
        return f"https://127.0.0.1:{self.port}"

    # ---- what it does to requests ----

    def rule(self, part, act, times=1):
        """The next requests with this text in method and target are treated so. times=None: all from now on"""
        with self.lock:
            self.rules.append([part, act, times])

    def clear(self):
        with self.lock:
            self.rules = []

    def left(self):
        """How many requests the rules wait for."""
        with self.lock:
            return sum(times or 0 for _, _, times in self.rules)

    def begin(self):
        self.listener = socket.create_server(("127.0.0.1", self.port), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, args=(self.listener,), daemon=True).start()

    def end(self):
        """Nobody listens, and all connections are gone: the API server is away."""
        if self.listener:
            self.listener.shutdown(socket.SHUT_RDWR)
            self.listener.close()
            self.listener = None
        self.cut_all()

    def cut_all(self):
        """All connections break, and new ones are accepted."""
        with self.lock:
            broken, self.open = self.open, set()
        for one in broken:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def silence(self):
        """No byte goes through any more, in either direction, and nothing breaks. speak() ends this."""
        self.mute.set()

    def speak(self):
        self.mute.clear()

    def asked(self, part):
        """The targets with this text in them that were asked for, in order."""
        with self.lock:
            return [target for target in self.targets if part in target]

    # ---- connections ----

    def accept(self, listener):
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, raw):
        self.keep(raw)
        with contextlib.suppress(OSError, ValueError):
            with self.context.wrap_socket(raw, server_side=True) as client:
                self.keep(client)
                head, rest = self.read_head(client)
                if head:
                    self.answer(client, head, rest)
        raw.close()

    def keep(self, one):
        with self.lock:
            self.open.add(one)

    @staticmethod
    def read_head(client):
        data = b""
        while b"\r\n\r\n" not in data:
            more = client.recv(65536)
            if not more:
                return None, b""
            data += more
        head, _, rest = data.partition(b"\r\n\r\n")
        return head.decode().split("\r\n"), rest

    def answer(self, client, head, rest):
        act = self.choose(urllib.parse.unquote(head[0].rsplit(" ", 1)[0])) or self.pass_on
        with contextlib.ExitStack() as stack:
            act(client, lambda: stack.enter_context(self.forward(client, head, rest)))
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)

    @contextlib.contextmanager
    def forward(self, client, head, rest):
        """The connection on which the real server answers this request."""
        url = urllib.parse.urlsplit(self.plane.server)
        with socket.create_connection((url.hostname, url.port)) as raw, \
                self.plane.tls.wrap_socket(raw, server_hostname=url.hostname) as upstream:
            self.keep(upstream)
            kept = [line for line in head if not line.lower().startswith("connection:")] + ["Connection: close"]
            upstream.sendall("\r\n".join(kept).encode() + b"\r\n\r\n" + rest)
            self.send_body(client, upstream, head, len(rest))
            yield upstream

    def choose(self, target):
        with self.lock:
            self.targets.append(target)
            for rule in self.rules:
                part, act, times = rule
                if part in target:
                    if times is not None:
                        rule[2] -= 1
                        if rule[2] == 0:
                            self.rules.remove(rule)
                    return act
        return None

    @staticmethod
    def send_body(client, upstream, head, sent):
        length = next((int(line.split(":")[1]) for line in head if line.lower().startswith("content-length:")), 0)
        while sent < length:
            data = client.recv(65536)
            if not data:
                return
            upstream.sendall(data)
            sent += len(data)

    def pass_on(self, client, forward):
        upstream = forward()
        while data := upstream.recv(65536):
            while self.mute.is_set():
                time.sleep(0.05)
            client.sendall(data)
