"""A Debian tree with systemd, made once into build/peers/debian, in which a copy is booted by systemd-nspawn."""
import fcntl
import os
import re
import shutil
import subprocess
import tempfile

from lab import skip
from peers import attempt, folder
from supervisor import install

import mesh

PACKAGES = "systemd,systemd-sysv,dbus"
BINARIES = ("meshdnsd", "meshdns-agent", "meshdnsctl")
# --register=no, --keep-unit: no service manager is needed outside
NSPAWN = ("systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--private-network", "--console=pipe")
REPORT = """\
[Unit]
After=meshdnsd.service meshdns-agent.service
[Service]
Type=oneshot
ExecStart=/bin/bash /script
StandardOutput=file:/report
StandardError=file:/report
ExecStopPost=/bin/systemctl poweroff --no-block
TimeoutStartSec=120s
[Install]
WantedBy=multi-user.target
"""


def mirror():
    """Where this machine's apt gets Debian from."""
    for path in ("/etc/apt/sources.list", *(os.path.join("/etc/apt/sources.list.d", name)
                                            for name in sorted(os.listdir("/etc/apt/sources.list.d")))):
        if os.path.isfile(path):
            with open(path, encoding="utf-8") as file:
                found = re.search(r"^(?:URIs: *|deb (?:\[[^]]*\] )?)(https?://\S+/debian/?)(?:\s|$)", file.read(), re.M)
            if found:
                return found.group(1)
    return "http://deb.debian.org/debian"


def base():
    """The tree without anything of ours."""
    if os.geteuid() != 0:
        skip("only root can boot a tree with systemd-nspawn")
    for tool, package in (("debootstrap", "debootstrap"), ("systemd-nspawn", "systemd-container")):
        if not shutil.which(tool):
            skip(f"no {tool}: apt-get install {package}")
    place = folder("debian")
    with open(os.path.join(place, ".lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        root = os.path.join(place, "root")
        if not os.path.exists(root):
            shutil.rmtree(root + ".new", ignore_errors=True)
            attempt("debootstrap", "debootstrap", "--variant=minbase", "--include=" + PACKAGES, "bookworm",
                    root + ".new", mirror())
            os.rename(root + ".new", root)
    attempt("systemd-nspawn cannot run here", *NSPAWN, "-D", root, "--read-only", "--as-pid2", "true")
    return root


def copy_libraries(root):
    """What our binaries need and the tree lacks."""
    for binary in BINARIES:
        listed = subprocess.run(["ldd", os.path.join(mesh.BIN, binary)], capture_output=True, text=True, check=True)
        for path in re.findall(r"=> (/\S+)", listed.stdout):
            target = root + os.path.realpath(path)
            wanted = root + path
            if not os.path.exists(target) and not os.path.exists(wanted):
                os.makedirs(os.path.dirname(wanted), exist_ok=True)
                shutil.copy2(path, wanted)


class Tree:
    """A copy of the base with the build that is tested installed in it, as cmake --install does."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="meshdns-tree-")
        self.root = os.path.join(self.folder, "root")
        try:
            subprocess.run(["cp", "-a", "--reflink=auto", base(), self.root], check=True)
            install("/usr", destdir=self.root)
            copy_libraries(self.root)
        except BaseException:
            self.remove()
            raise

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def write(self, path, text):
        os.makedirs(os.path.dirname(self.root + path), exist_ok=True)
        with open(self.root + path, "w", encoding="utf-8") as file:
            file.write(text)

    def boot(self, script):
        """Enables the units, boots, runs the script when they are up, and gives what it wrote."""
        self.write("/script", script)
        self.write("/etc/systemd/system/report.service", REPORT)
        subprocess.run(["systemctl", "--root=" + self.root, "--quiet", "enable", "meshdnsd", "meshdns-agent", "report"],
                       check=True, capture_output=True)
        done = subprocess.run([*NSPAWN, "--boot", "-D", self.root], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=240, check=False)
        if not os.path.exists(self.root + "/report"):
            # the container came up, but not systemd in it: cgroups, seccomp and the like
            skip("systemd does not boot here: " + ((done.stderr + done.stdout).strip().splitlines() or ["no word"])[-1])
        with open(self.root + "/report", encoding="utf-8") as file:
            return file.read()
