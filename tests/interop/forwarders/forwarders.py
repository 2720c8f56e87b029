"""Debian's forwarders on hosts of cluster eu-1, each with the recipe of docs/resolvers.md and with its defaults."""
import json
import socket
import sys

import peers
import resolved
from mesh import WAIT, eventually

UPSTREAM = "10.0.9.1"
UNBOUND = """\
server:
    interface: 0.0.0.0
    access-control: 0.0.0.0/0 allow
    use-syslog: no
    do-daemonize: no
    chroot: ""
    username: ""
    directory: "{folder}"
    pidfile: ""
remote-control:
    control-enable: no
"""
VALIDATING = """\
server:
    private-address: 10.0.0.0/8
    trust-anchor: ". DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D"
forward-zone:
    name: "."
    forward-addr: 10.0.9.1
"""
DNSMASQ = "no-resolv\nno-hosts\npid-file=\n"
BIND = """\
options {{
    directory "{folder}";
    pid-file none;
    session-keyfile none;
    listen-on {{ any; }};
    listen-on-v6 {{ none; }};
    allow-query {{ any; }};
    allow-recursion {{ any; }};
    {options}
}};
controls {{ }};
"""
BIND_ZONE = 'zone "mesh.internal" { type forward; forward only; forwarders { 10.0.9.1; }; };\n'
RESOLVED = "[Resolve]\nDNS=10.0.9.1\nDomains=~mesh.internal\nDNSSEC=no\n"
PROGRAMS = {  # package, program and its flags
    "unbound": ("unbound", "/usr/sbin/unbound", "-d", "-c"),
    "dnsmasq": ("dnsmasq-base", "/usr/sbin/dnsmasq", "-d", "-C"),
    "bind": ("bind9", "/usr/sbin/named", "-g", "-c"),
}
LOCAL = "resolved"  # listens on loopback: it is on its client's own host
LOOKUPS = """\
import collections, json, socket, sys, time
name, times, pace = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
found, order, start = collections.Counter(), collections.Counter(), time.monotonic()
for number in range(times):
    time.sleep(max(0, start + number * pace - time.monotonic()))
    try:
        got = [row[4][0] for row in socket.getaddrinfo(name, 8080, socket.AF_INET, socket.SOCK_STREAM)]
    except socket.gaierror as error:
        got = [str(error)]
    found.update([" ".join(sorted(set(got)))])
    order.update(got[:1])
print(json.dumps([[found, order]]), end='')
"""
CLIENT = 'mount --bind "$1" /etc/resolv.conf && shift && exec "$@"'


def recipes():
    """{name: its text}; what runs behind protection against rebinding and with validation has -recipe in its name."""
    conf, ini = peers.blocks("resolvers.md", "conf"), peers.blocks("resolvers.md", "ini")
    forward = 'forward-zone:\n    name: "mesh.internal"\n    forward-addr: 10.0.9.1\n'
    return {
        "unbound-recipe": UNBOUND + VALIDATING + conf["unbound"],
        "unbound-cache-recipe": UNBOUND + VALIDATING + conf["unbound-cache"],
        "unbound-subnet-recipe": UNBOUND + VALIDATING + conf["unbound-subnet"],
        "unbound": UNBOUND + forward,
        "dnsmasq-recipe": DNSMASQ + "stop-dns-rebind\n" + conf["dnsmasq"],
        "dnsmasq-subnet-recipe": DNSMASQ + "stop-dns-rebind\n" + conf["dnsmasq-subnet"],
        "dnsmasq": DNSMASQ + "server=/mesh.internal/10.0.9.1\n",
        "bind-recipe": BIND.format(folder="FOLDER", options=conf["bind-options"].strip()) + conf["bind"],
        "bind": BIND.format(folder="FOLDER", options="dnssec-validation no;") + BIND_ZONE,
        "resolved-recipe": ini["resolved"],
        "resolved": RESOLVED,
    }


class Forwarder:
    """One of them on its own host, and the clients that use it."""

    def __init__(self, mesh, name, address, config):
        self.mesh, self.name, self.config = mesh, name, config
        self.kind = name.split("-")[0]
        self.host = mesh.network.add("fw" + address.rsplit(".", 1)[1], address)
        self.server = resolved.STUB if self.kind == LOCAL else address
        self.resolv_conf = mesh.write(f"{name}/resolv.conf", f"nameserver {self.server}\n")
        self.daemon = None

    def start(self):
        """Starts it with an empty cache; returns when it is up."""
        if self.daemon:
            self.daemon.stop()
        folder = self.mesh.path(self.name)
        config = self.mesh.write(f"{self.name}/conf", self.config.replace("{folder}", folder).replace("FOLDER", folder))
        self.daemon = self.run(config)
        eventually(self.listens, f"{self.name} listens")

    def run(self, config):
        if self.kind == LOCAL:
            return resolved.start(self.mesh, self.host, config)
        package, program, *flags = PROGRAMS[self.kind]
        root = peers.debian(package)
        return self.mesh.on(self.host, root + program, *flags, config, env=peers.environment(root))

    def listens(self):
        with self.host.socket(socket.SOCK_STREAM) as sock:
            sock.settimeout(1)
            return sock.connect_ex((self.server, 53)) == 0

    def lookups(self, client, name, times, pace):
        """Starts a client of it, on its own host where it serves that alone; finish() gives what it got."""
        host = self.host if self.kind == LOCAL else client
        return self.mesh.on(host, "/bin/sh", "-c", CLIENT, "sh", self.resolv_conf, sys.executable, "-c", LOOKUPS, name,
                            str(times), str(pace))


def finish(daemon):
    """What a client got: ({the addresses of one answer: how often}, {the first address: how often})."""
    daemon.process.wait(WAIT * 4)
    while not daemon.partial.endswith(b"]]") and daemon.process.stdout.readable() and daemon.read(0.1):
        pass
    daemon.process.stdout.close()
    return json.loads(daemon.partial)[0]
