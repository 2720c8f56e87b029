"""A network namespace of a test's own: it begins with a loopback interface that is down, and nothing else."""
import shutil
import subprocess
import unittest

from mesh import WAIT


class Namespace:
    """Runs commands in the namespace; it goes with the process that holds it."""

    def __init__(self):
        words = ["unshare", "--net", "--", "sh", "-c", "echo there; exec sleep infinity"]
        if shutil.which("ip") is None or shutil.which("nsenter") is None:
            raise unittest.SkipTest("no iproute2 or nsenter here")
        self.holder = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        if self.holder.stdout.readline() != "there\n":
            self.close()
            raise unittest.SkipTest("no network namespaces here")

    def close(self):
        self.holder.kill()
        self.holder.wait(WAIT)
        self.holder.stdout.close()

    @property
    def prefix(self):
        """What comes before a command that runs inside."""
        return ["nsenter", "-t", str(self.holder.pid), "--net", "--"]

    def cable(self, other, mine, theirs):
        """A cable to another namespace, with an address (ADDRESS/LENGTH) at each end."""
        name = f"to{other.holder.pid}"
        self.ip(f"link add {name} type veth peer name eth0 netns {other.holder.pid}")
        for place, link, address in ((self, name, mine), (other, "eth0", theirs)):
            place.ip(f"address add {address} dev {link}")
            place.ip(f"link set {link} up")

    def ip(self, words):
        subprocess.run([*self.prefix, "ip", *words.split()], check=True, capture_output=True, timeout=WAIT)
