"""The vocabulary of the integration tests: real daemons on loopback, ports bound at 0, ended by their own pid."""
import contextlib
import http.server
import os
import re
import select
import shutil
import signal
import subprocess
import tempfile
import threading
import time

import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype

BIN = os.environ.get("MESHDNS_BIN", os.path.join(os.path.dirname(__file__), "../../build/check/bin"))
WAIT = 120.0  # ten times what anything here needs on a machine that is busy


class Daemon:
    """One process whose log lines (standard error) are read and kept."""

    def __init__(self, *argv, cwd=None, env=None, pass_fds=(), prefix=()):
        """prefix: a command that runs the daemon in its own place (`nsenter ... --`)."""
        self.argv = [*prefix, os.path.join(BIN, argv[0]), *argv[1:]]
        self.lines = []
        self.process = subprocess.Popen(self.argv, cwd=cwd, env=env, stdin=subprocess.DEVNULL,
                                        pass_fds=pass_fds, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        os.set_blocking(self.process.stdout.fileno(), False)
        self.partial = b""

    def read(self, wait):
        """Reads what there is, waiting at most `wait` seconds for the first byte."""
        ready, _, _ = select.select([self.process.stdout], [], [], wait)
        data = self.process.stdout.read() if ready else None
        if not data:
            return bool(ready)
        self.partial += data
        *whole, self.partial = self.partial.split(b"\n")
        self.lines += [line.decode(errors="replace") for line in whole]
        return True

    def wait_line(self, pattern, after=0, timeout=WAIT):
        """The match of the first line behind index `after` that matches; fails with the whole log."""
        end = time.monotonic() + timeout
        at = after
        while True:
            while at < len(self.lines):
                found = re.search(pattern, self.lines[at])
                if found:
                    return found
                at += 1
            left = end - time.monotonic()
            if left <= 0 or (self.process.poll() is not None and not self.read(0.05)):
                raise AssertionError(f"no line matches {pattern!r} in:\n" + "\n".join(self.lines))
            self.read(min(left, 0.2))

    def address(self, event):
        """The address=... of a line like `dns listening address=127.0.0.1:4711`."""
        host, port = self.wait_line(event + r".* address=(\S+):(\d+)").groups()
        return host.strip("[]"), int(port)

    def send_signal(self, number):
        self.process.send_signal(number)

    def stop(self, number=signal.SIGTERM):
        """Ends it and gives its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
            try:
                self.process.wait(WAIT)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise AssertionError(f"{self.argv} did not end; its log:\n" + "\n".join(self.lines))
        while self.read(0) and self.process.stdout.read(0) is not None and self.partial:
            break
        self.process.stdout.close()
        return self.process.returncode


class Backend:
    """A real HTTP instance on an address of its own; `healthy` says what /healthz answers."""

    def __init__(self, address="127.0.0.1", port=0):
        backend = self
        self.healthy = True

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200 if backend.healthy else 503)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer((address, port), Handler)
        self.address, self.port = self.server.server_address
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def close(self):
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.thread.join()
            self.server = None


class Bed(contextlib.ExitStack):
    """A temporary folder and everything started in a test; all of it ends with it."""

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="meshdns-test-")
        self.callback(shutil.rmtree, self.folder, True)
        return super().__enter__()

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        temporary = path + ".new"
        with open(temporary, "w", encoding="utf-8") as file:
            file.write(text)
        os.rename(temporary, path)
        return path

    def path(self, name):
        return os.path.join(self.folder, name)

    def start(self, *argv, **options):
        daemon = Daemon(*argv, **options)
        self.callback(lambda: daemon.process.poll() is None and daemon.stop(signal.SIGKILL))
        return daemon

    def backend(self, address="127.0.0.1", port=0):
        backend = Backend(address, port)
        self.callback(backend.close)
        return backend


def run(*argv, stdin="", env=None):
    """Runs one of our binaries to its end: (exit code, standard output, standard error). env: further variables"""
    done = subprocess.run([os.path.join(BIN, argv[0]), *argv[1:]], input=stdin, capture_output=True, text=True,
                          timeout=WAIT, check=False, env={**os.environ, **(env or {})})
    return done.returncode, done.stdout, done.stderr


def ask(server, name, kind="A", **options):
    """One UDP query from `source`; every reply must parse. Explanations come over TCP."""
    source = options.pop("source", None)
    tcp = options.pop("tcp", name.startswith("_explain."))
    query = dns.message.make_query(name, kind, **options)
    query.flags &= ~dns.flags.RD
    send = dns.query.tcp if tcp else dns.query.udp
    return send(query, server[0], port=server[1], source=source, timeout=WAIT)


def addresses(reply):
    """The sorted A and AAAA addresses of a reply's answer."""
    kinds = (dns.rdatatype.A, dns.rdatatype.AAAA)
    return sorted(item.to_text() for rrset in reply.answer if rrset.rdtype in kinds for item in rrset)


def texts(reply):
    """The sorted TXT strings of a reply's answer."""
    return sorted("".join(part.decode() for part in item.strings)
                  for rrset in reply.answer if rrset.rdtype == dns.rdatatype.TXT for item in rrset)


def eventually(check, what, timeout=WAIT):
    """Polls until check() is true; fails with its last value."""
    end = time.monotonic() + timeout
    while True:
        value = check()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"{what}: still {value!r} after {timeout} s")
        time.sleep(0.02)
