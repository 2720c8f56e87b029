"""A service manager's part, played by tests: the socket that daemons notify, unit files, and starting what they say."""
import collections
import os
import socket
import subprocess
import time

import mesh

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
BUILD = os.path.dirname(os.path.abspath(mesh.BIN))


class NotifySocket:
    """Hears what a daemon says to $NOTIFY_SOCKET."""

    def __init__(self, path):
        self.path = path
        self.heard = []
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        os.chmod(path, 0o777)

    def environment(self, **more):
        return {**os.environ, "NOTIFY_SOCKET": self.path, **more}

    def next(self, timeout=mesh.WAIT):
        """The next message as {variable: value}; None after the timeout."""
        self.socket.settimeout(timeout)
        try:
            data = self.socket.recv(65536).decode()
        except TimeoutError:
            return None
        message = dict(line.split("=", 1) for line in data.split("\n"))
        self.heard.append(message)
        return message

    def wait(self, test, timeout=mesh.WAIT):
        """The first message from now on for which test(message) holds."""
        end = time.monotonic() + timeout
        while (left := end - time.monotonic()) > 0:
            message = self.next(left)
            if message is not None and test(message):
                return message
        raise AssertionError(f"not heard within {timeout} s; heard: {self.heard}")

    def count(self, variable, seconds):
        """How many messages with this variable arrive within so many seconds."""
        end = time.monotonic() + seconds
        found = 0
        while (left := end - time.monotonic()) > 0:
            message = self.next(left)
            found += message is not None and variable in message
        return found

    def close(self):
        self.socket.close()


def read_unit(path):
    """{section: {key: [values]}} of a unit file; an empty value is kept."""
    unit = collections.defaultdict(lambda: collections.defaultdict(list))
    section = None
    with open(path, encoding="utf-8") as file:
        for line in file:
            line = line.strip()
            if line.startswith("["):
                section = line.strip("[]")
            elif line and line[0] not in "#;":
                key, value = line.split("=", 1)
                unit[section][key].append(value)
    return unit


def install(prefix, destdir=None):
    """cmake --install of the build that is tested."""
    environment = {key: value for key, value in os.environ.items() if key != "DESTDIR"}
    if destdir:
        environment["DESTDIR"] = destdir
    done = subprocess.run(["cmake", "--install", BUILD, "--prefix", prefix], env=environment, capture_output=True,
                          text=True, timeout=600, check=False)
    if done.returncode:
        raise AssertionError(f"cmake --install failed:\n{done.stdout}{done.stderr}")


def as_unit(unit, uid):
    """The words before a command that give it the unit's user, capabilities and no_new_privs."""
    service = unit["Service"]
    only = {key: ",".join(["-all"] + [f"+{name.removeprefix('CAP_').lower()}" for name in " ".join(service[key]).split()])
            for key in ("AmbientCapabilities", "CapabilityBoundingSet")}
    return ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--no-new-privs",
            "--inh-caps=" + only["AmbientCapabilities"], "--ambient-caps=" + only["AmbientCapabilities"],
            "--bounding-set=" + only["CapabilityBoundingSet"]]
