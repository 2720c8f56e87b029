"""systemd-resolved from its package, started on a host without being installed."""
import os
import subprocess

import lab
import peers

STUB = "127.0.0.53"
PROGRAM = "/lib/systemd/systemd-resolved"
# Files that it alone sees: `ip netns exec` gives each program mounts of its own. Its account comes with the package.
ALONE = """\
mkdir -p /run/systemd && mount -t tmpfs none /run/systemd &&
mkdir -p /run/systemd/resolved.conf.d /run/systemd/resolve &&
chown 991:991 /run/systemd/resolve && cp "$1" /run/systemd/resolved.conf.d/mesh.conf &&
(grep -v ^systemd-resolve: /etc/passwd; echo systemd-resolve:x:991:991::/:/usr/sbin/nologin) > "$1.passwd" &&
(grep -v ^systemd-resolve: /etc/group; echo systemd-resolve:x:991:) > "$1.group" &&
mount --bind "$1.passwd" /etc/passwd && mount --bind "$1.group" /etc/group && exec "$2"
"""


def cannot_run():
    """Why it cannot run here; None = it can. Inside the lab."""
    if os.environ.get(lab.INSIDE) != "0":
        return "systemd-resolved needs root, to become its own user"
    root = peers.debian("systemd-resolved")
    linked = subprocess.run(["ldd", root + PROGRAM], capture_output=True, text=True, check=False,
                            env=peers.environment(root))
    missing = [line.strip() for line in linked.stdout.splitlines() if "not found" in line]
    return "systemd-resolved lacks a library: " + missing[0] if missing else None


def start(mesh, host, config):
    """Starts it with a drop-in file on a host of a Clusters."""
    root = peers.debian("systemd-resolved")
    return mesh.on(host, "/bin/sh", "-c", ALONE, "sh", config, root + PROGRAM, env=peers.environment(root))
