"""The programs that answers travel through, as their makers ship them: built or unpacked once into build/peers."""
import fcntl
import glob
import os
import re
import shutil
import subprocess

from lab import skip

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
PEERS = os.environ.get("MESHDNS_PEERS", os.path.join(ROOT, "build", "peers"))
COREDNS = os.path.join(ROOT, "tests", "interop", "coredns")


def attempt(what, *argv, **options):
    """Runs a step that needs the network or a toolchain; where it fails the test is skipped with its last line."""
    done = subprocess.run(argv, capture_output=True, text=True, check=False, **options)
    if done.returncode:
        lines = (done.stderr + done.stdout).strip().splitlines() or ["no reason given"]
        skip(f"{what}: {lines[-1]}")
    return done.stdout


def folder(name):
    path = os.path.join(PEERS, name)
    os.makedirs(path, exist_ok=True)
    return path


def coredns(version):
    """The path of a CoreDNS of this version, built from its module; cached until its sources here change."""
    binary, module = os.path.join(folder("coredns"), "coredns-" + version), f"go-{version}.mod"
    sources = [os.path.join(COREDNS, name) for name in ("main.go", module, f"go-{version}.sum")]
    with open(binary + ".lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if os.path.exists(binary) and os.path.getmtime(binary) > max(map(os.path.getmtime, sources)):
            return binary
        go = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin:/usr/lib/go/bin")
        if not go:
            skip("CoreDNS cannot be built: no go")
        attempt(f"CoreDNS {version} cannot be built", go, "build", "-modfile=" + module, "-trimpath", "-buildvcs=false",
                "-ldflags=-s -w", "-o", binary, ".", cwd=COREDNS)
    return binary


def debian(package):
    """The folder with a Debian package unpacked and the libraries it needs beside it; nothing is installed."""
    root, download = os.path.join(folder(package), "root"), folder(package)
    with open(os.path.join(download, ".lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(root):
            for name in [package, *missing_libraries(package)]:
                attempt(f"{package} cannot be downloaded", "apt-get", "download", name, cwd=download)
            for archive in glob.glob(os.path.join(download, "*.deb")):
                attempt(f"{package} cannot be unpacked", "dpkg-deb", "-x", archive, root + ".new")
            os.rename(root + ".new", root)
    return root


def missing_libraries(package):
    """The libraries that this machine lacks for a package, as apt would install them."""
    plan = attempt(f"{package} is unknown to apt", "apt-get", "install", "--simulate", "--no-install-recommends", package)
    return [name for name in re.findall(r"^Inst (\S+)", plan, re.M) if name.startswith("lib")]


def environment(root):
    """The environment in which a program of an unpacked package finds its libraries."""
    places = [f"{root}{parent}/*-linux-gnu{child}" for parent in ("/usr/lib", "/lib") for child in ("", "/systemd")]
    libraries = [folder for place in places for folder in glob.glob(place)]
    return {**os.environ, "LD_LIBRARY_PATH": ":".join(libraries)}


def blocks(document, language):
    """The code blocks of docs/<document> whose fence reads ```<language> <name>: {name: text}."""
    with open(os.path.join(ROOT, "docs", document), encoding="utf-8") as file:
        text = file.read()
    found = re.findall(rf"^```{language} (\S+)\n(.*?)^```$", text, re.M | re.S)
    assert len(found) == len(dict(found)), f"docs/{document} has two blocks of one name"
    return dict(found)
