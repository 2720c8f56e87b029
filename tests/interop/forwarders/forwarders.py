"""Debian's forwarders on hosts of cluster eu-1, each with the recipe of docs/resolvers.md and with its defaults."""
import json
import os
import socket
import subprocess
import sys

import lab
import peers
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
    "resolved": ("systemd-resolved", "/lib/systemd/systemd-resolved"),
}
LOCALHOST = "127.0.0.53"  # where systemd-resolved listens: it is on its client's own host
ACCOUNT = "systemd-resolve:x:991:991::/:/usr/sbin/nologin"
# Files of this program alone: `ip netns exec` gives it mounts of its own.
ALONE = """\
mkdir -p /run/systemd && mount -t tmpfs none /run/systemd && mkdir -p /run/systemd/resolved.conf.d /run/systemd/resolve &&
cp "$1" /run/systemd/resolved.conf.d/mesh.conf && (grep -v ^systemd-resolve: /etc/passwd; echo {account}) > "$1.passwd" &&
(grep -v ^systemd-resolve: /etc/group; echo systemd-resolve:x:991:) > "$1.group" && chown 991:991 /run/systemd/resolve &&
mount --bind "$1.passwd" /etc/passwd && mount --bind "$1.group" /etc/group && exec "$2"
""".format(account=ACCOUNT)
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


def cannot_run(name):
    """Why this one cannot run here; None = it can."""
    package, program, *_ = PROGRAMS[name.split("-")[0]]
    if package == "systemd-resolved" and os.environ.get(lab.INSIDE) != "0":
        return "it needs root, to become its own user"
    root = peers.debian(package)
    linked = subprocess.run(["ldd", root + program], capture_output=True, text=True, env=peers.environment(root), check=False)
    missing = [line.strip() for line in linked.stdout.splitlines() if "not found" in line]
    return missing[0] if missing else None


class Forwarder:
    """One of them on its own host, and the clients that use it."""

    def __init__(self, mesh, name, address, config):
        self.mesh, self.name, self.config = mesh, name, config
        self.package, self.program, *self.flags = PROGRAMS[name.split("-")[0]]
        self.host = mesh.network.add("fw" + address.rsplit(".", 1)[1], address)
        self.is_local = self.package == "systemd-resolved"
        self.server = LOCALHOST if self.is_local else address
        self.resolv_conf = mesh.write(f"{name}/resolv.conf", f"nameserver {self.server}\n")
        self.daemon = None

    def start(self):
        """Starts it with an empty cache; returns when it is up."""
        if self.daemon:
            self.daemon.stop()
        root = peers.debian(self.package)
        folder = self.mesh.path(self.name)
        config = self.mesh.write(f"{self.name}/conf", self.config.replace("{folder}", folder).replace("FOLDER", folder))
        argv = [root + self.program, *self.flags, config]
        if self.is_local:
            argv = ["/bin/sh", "-c", ALONE, "sh", config, root + self.program]
        self.daemon = self.mesh.on(self.host, *argv, env=peers.environment(root))
        eventually(self.listens, f"{self.name} listens")

    def listens(self):
        with self.host.socket(socket.SOCK_STREAM) as sock:
            sock.settimeout(1)
            return sock.connect_ex((self.server, 53)) == 0

    def lookups(self, client, name, times, pace):
        """Starts a client of it, on its own host where it serves that alone; finish() gives what it got."""
        host = self.host if self.is_local else client
        return self.mesh.on(host, "/bin/sh", "-c", CLIENT, "sh", self.resolv_conf, sys.executable, "-c", LOOKUPS, name,
                            str(times), str(pace))


def finish(daemon):
    """What a client got: ({the addresses of one answer: how often}, {the first address: how often})."""
    daemon.process.wait(WAIT * 4)
    while not daemon.partial.endswith(b"]]") and daemon.process.stdout.readable() and daemon.read(0.1):
        pass
    daemon.process.stdout.close()
    return json.loads(daemon.partial)[0]
