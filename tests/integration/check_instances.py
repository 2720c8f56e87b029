"""Instances for the examples of docs/checks.md: one class for each kind of check, which makes it succeed, and fail.

A class gets the bed and what the example says of the check, with the numbers of its ports already replaced by free ones.
`start()` makes the check succeed, `die()` makes it fail.
"""
import os
import subprocess

import net_instances
from mesh import WAIT

HERE = os.path.dirname(__file__)


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
    **net_instances.INSTANCES,
    "exec": ExecInstance,
    "systemd": SystemdInstance,
}
