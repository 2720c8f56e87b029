"""Hosts with real addresses on one machine: network namespaces around a router, gone when the test's process ends.

A test module calls enter() when it has all it needs from outside: it starts itself again in network, mount and process
namespaces of its own (and a user's, where it is not root), so whatever happens, nothing is left on the machine.

                     hub: router, 10.0.9.1 meshdnsd, 10.0.9.9 the rest of the DNS
      __________________________|_________________________________________
     |           |          |           |          |           |          |
  eu-1-n1     eu-1-n2   eu-1-dns     eu-2-n1   eu-2-dns     us-1-n1   us-1-dns
  10.0.0.11  10.0.1.12  10.0.8.53   10.1.0.11  10.1.8.53   10.2.0.11  10.2.8.53
"""
import ctypes
import os
import socket
import subprocess
import sys
import threading

INSIDE = "MESHDNS_LAB"
CLONE_NEWNET = 0x40000000
NEAR = "169.254.1.1"  # the router, seen from every host


def unshare():
    flags = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    return ["unshare", *flags, *([] if os.geteuid() == 0 else ["--map-root-user"]), "--"]


def enter():
    """Starts this program again inside namespaces; skips where that is not allowed."""
    if INSIDE not in os.environ:
        try:
            tried = subprocess.run([*unshare(), "ip", "link", "set", "lo", "up"], capture_output=True, check=False)
            reason = tried.stderr.decode().strip() if tried.returncode else None
        except FileNotFoundError:
            reason = "no unshare(1)"
        if reason:
            skip("network namespaces are not allowed here: " + reason)
        arguments = [*unshare(), sys.executable, *sys.orig_argv[1:]]
        os.execvpe(arguments[0], arguments, {**os.environ, INSIDE: str(os.geteuid())})
    command("mount", "-t", "tmpfs", "none", "/run")
    os.mkdir("/run/netns")
    command("ip", "link", "set", "lo", "up")


def skip(reason):
    """Ends the program with a line that says why; ctest calls the test skipped."""
    print(f"skip: {reason}", flush=True)
    raise SystemExit(0)


def command(*argv):
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise AssertionError(f"{' '.join(argv)}: {done.stderr.strip()}")


class Host:
    """One namespace with its own addresses; the first of them is what it sends from."""

    def __init__(self, name, *addresses):
        self.name, self.addresses = name, addresses
        self.wrap = ["ip", "netns", "exec", name]

    @property
    def address(self):
        return self.addresses[0]

    def run(self, *argv):
        command(*self.wrap, *argv)

    def socket(self, kind=socket.SOCK_DGRAM, source=None):
        """A socket of this host, usable from any thread here."""
        made = []

        def make():
            with open(f"/run/netns/{self.name}", "rb") as file:
                if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), CLONE_NEWNET):
                    return
                made.append(socket.socket(socket.AF_INET, kind))

        thread = threading.Thread(target=make)  # its own namespace ends with it
        thread.start()
        thread.join()
        if not made:
            raise AssertionError(f"{self.name}: cannot enter its namespace")
        made[0].setblocking(False)
        if source:
            made[0].bind((source, 0))
        return made[0]


class Network:
    """The router and the hosts around it."""

    def __init__(self, *router_addresses):
        self.hub = self.namespace("hub", *router_addresses)
        self.hub.run("sysctl", "-q", "-w", "net.ipv4.ip_forward=1")
        for address in router_addresses:
            self.hub.run("ip", "address", "add", address + "/32", "dev", "lo")
        self.hosts = {}

    @staticmethod
    def namespace(name, *addresses):
        command("ip", "netns", "add", name)
        host = Host(name, *addresses)
        host.run("ip", "link", "set", "lo", "up")
        return host

    def add(self, name, *addresses):
        """A host with a link to the router, which routes these addresses to it."""
        host, link = self.namespace(name, *addresses), "to-" + name
        command("ip", "link", "add", link, "netns", "hub", "type", "veth", "peer", "name", "eth0", "netns", name)
        self.hub.run("ip", "address", "add", NEAR + "/32", "dev", link)
        self.hub.run("ip", "link", "set", link, "up")
        host.run("ip", "link", "set", "eth0", "up")
        for address in addresses:
            host.run("ip", "address", "add", address + "/32", "dev", "eth0")
            self.hub.run("ip", "route", "add", address, "dev", link, "src", self.hub.address)
        host.run("ip", "route", "add", NEAR, "dev", "eth0", "src", host.address)
        host.run("ip", "route", "add", "default", "via", NEAR, "src", host.address)
        self.hosts[name] = host
        return host
