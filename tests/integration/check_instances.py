"""Instances for the examples of docs/checks.md: one class for each kind of check, which makes it succeed, and fail.

A class gets the bed and what the example says of the check, with the numbers of its ports already replaced by free ones.
`start()` makes the check succeed, `die()` makes it fail.
"""
import os
import socket
import subprocess
import threading

from mesh import WAIT, Backend

HERE = os.path.dirname(__file__)


class TcpInstance:
    """Accepts connections, and sends back what comes."""

    def __init__(self, _bed, check):
        self.port = check["port"]
        self.listener = None

    def start(self):
        self.listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self.serve, args=(self.listener,), daemon=True).start()

    @staticmethod
    def serve(listener):
        try:
            while True:
                connection, _ = listener.accept()
                connection.close()
        except OSError:
            pass  # die() has closed it

    def die(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


class HttpInstance:
    def __init__(self, _bed, check):
        self.port = check["port"]
        self.backend = None

    def start(self):
        self.backend = Backend(port=self.port)

    def die(self):
        self.backend.close()


class ExecInstance:
    """The worker of the example, whose health is a file."""

    def __init__(self, bed, _check):
        self.bed = bed

    def start(self):
        self.bed.write("worker/health", "ok\n")

    def warn(self):
        self.bed.write("worker/health", "behind by 90 s\n")

    def die(self):
        os.remove(self.bed.path("worker/health"))


class SystemdInstance:
    """A unit of a manager on a bus of its own, whose address is in `environment`."""

    def __init__(self, bed, check):
        self.unit = check["unit"]
        address = "unix:path=" + bed.path("bus")
        self.environment = {"DBUS_SYSTEM_BUS_ADDRESS": address}
        config = bed.write("bus.conf", f"""\
<busconfig>
  <type>session</type>
  <listen>{address}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>
</busconfig>
""")
        bus = subprocess.Popen(["dbus-daemon", "--nofork", "--print-address", f"--config-file={config}"],
                               stdout=subprocess.PIPE, text=True)
        bed.callback(end, bus)
        bus.stdout.readline()
        self.systemd = subprocess.Popen(["/usr/bin/python3", os.path.join(HERE, "fake_systemd.py")], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        env={**os.environ, **self.environment})
        bed.callback(end, self.systemd)
        self.systemd.stdout.readline()

    def say(self, state):
        self.systemd.stdin.write(f"{self.unit} {state}\n")
        self.systemd.stdin.flush()
        self.systemd.stdout.readline()

    def start(self):
        self.say("active running")

    def die(self):
        self.say("failed failed")


def end(process):
    process.kill()
    process.wait(WAIT)
    for stream in (process.stdin, process.stdout):
        if stream:
            stream.close()


INSTANCES = {
    "tcp": TcpInstance,
    "http": HttpInstance,
    "exec": ExecInstance,
    "systemd": SystemdInstance,
}
