#!/usr/bin/python3
"""Packs the three programs and the Debian packages that they need into an OCI image layout, without a container engine.

    ./dev build --release
    sudo packaging/container/pack.py --out build/image
    skopeo copy oci:build/image docker://registry.example/meshdns:0.1.0

How it works: mmdebstrap makes the tar of a small Debian from the archive as it was at one time, which is the first layer.
The second layer has the stripped programs, their user and their folders. Times are SOURCE_DATE_EPOCH (by default that of the
last commit), owners are numbers, names are sorted: the same input gives the same digest.
"""
import argparse
import copy
import gzip
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.abspath(os.path.join(HERE, "../.."))
PROGRAMS = ("meshdnsd", "meshdns-agent", "meshdnsctl")
USER = 64053
# Documentation and translations stay out; copyright files are required.
LEFT_OUT = ("doc/*", "man/*", "locale/*", "info/*", "lintian/*")
# What changes with each run, and what a container engine puts there itself.
DROPPED = re.compile(r"\./(dev/.+|proc/.+|sys/.+|run/.+|tmp/.+|var/log/.+|var/cache/.+|var/lib/apt/.+|var/lib/dpkg/[^/]*-old|"
                     r"etc/(machine-id|hostname|resolv\.conf|apt/sources\.list.*\.list)|etc/[a-z]+-)")
MEDIA = "application/vnd.oci.image."


def container_file():
    with open(os.path.join(HERE, "Containerfile"), encoding="utf-8") as file:
        return file.read()


def packages():
    """["libssl3=3.0.22-1~deb12u2", ...]"""
    with open(os.path.join(HERE, "packages"), encoding="utf-8") as file:
        return file.read().split()


def labels():
    """Those of the Containerfile, but for the base, which is another one here."""
    version = re.search(r"^ARG VERSION=(\S+)", container_file(), re.M).group(1)
    found = dict(re.findall(r'(org\.opencontainers\.\S+)="([^"]*)"', container_file()))
    del found["org.opencontainers.image.base.name"]
    return {name: value.replace("${VERSION}", version) for name, value in found.items()}


def run(*argv, **options):
    done = subprocess.run(argv, capture_output=True, text=True, check=False, **options)
    if done.returncode:
        sys.exit(f"pack.py: {argv[0]} failed:\n{done.stderr.strip()}")
    return done.stdout.strip()


def epoch():
    """The time of everything in the image, in seconds of Unix time."""
    text = os.environ.get("SOURCE_DATE_EPOCH") or run("git", "-C", ROOT, "log", "-1", "--format=%ct")
    return int(text)


def sources(mirror):
    """The lines of sources.list: the archive at one time, or a mirror as it is now."""
    snapshot = re.search(r"^ARG SNAPSHOT=(\S+)", container_file(), re.M).group(1)
    pinned = mirror is None
    main, security = (f"http://snapshot.debian.org/archive/{name}/{snapshot}" if pinned else f"{mirror}/{name}"
                      for name in ("debian", "debian-security"))
    option = "[check-valid-until=no] " if pinned else ""
    return "".join(f"deb {option}{url} {suite} main\n" for url, suite in (
        (main, "bookworm"), (main, "bookworm-updates"), (security, "bookworm-security")))


def make_base(path, mirror, seconds):
    """Writes the tar of Debian with the packages, as mmdebstrap makes it."""
    wanted = packages() if mirror is None else [package.split("=")[0] for package in packages()]
    left_out = [f"--dpkgopt=path-exclude=/usr/share/{pattern}" for pattern in LEFT_OUT]
    with tempfile.NamedTemporaryFile("w", suffix=".list") as file:
        file.write(sources(mirror))
        file.flush()
        run("mmdebstrap", "--quiet", "--variant=essential", "--include=" + ",".join(wanted), *left_out,
            "--dpkgopt=path-include=/usr/share/doc/*/copyright", "bookworm", path + ".new.tar", file.name,
            env={**os.environ, "SOURCE_DATE_EPOCH": str(seconds)})
    os.rename(path + ".new.tar", path)


class Layer:
    """A tar that is written member by member, then compressed and named by its digest."""

    def __init__(self, seconds):
        self.seconds = seconds
        self.data = io.BytesIO()
        self.tar = tarfile.open(fileobj=self.data, mode="w", format=tarfile.PAX_FORMAT)

    def add(self, member, file=None):
        member = copy.copy(member)
        member.mode &= 0o1777  # nobody gets more rights by starting a program
        member.mtime, member.uname, member.gname, member.pax_headers = self.seconds, "", "", {}
        self.tar.addfile(member, file)

    def folder(self, name, mode=0o755, owner=0):
        member = tarfile.TarInfo("./" + name)
        member.type, member.mode, member.uid, member.gid = tarfile.DIRTYPE, mode, owner, owner
        self.add(member)

    def file(self, name, data, mode=0o644):
        member = tarfile.TarInfo("./" + name)
        member.size, member.mode = len(data), mode
        self.add(member, io.BytesIO(data))

    def finish(self):
        """(tar, compressed tar)"""
        self.tar.close()
        compressed = io.BytesIO()
        with gzip.GzipFile(filename="", mode="wb", fileobj=compressed, mtime=0, compresslevel=6) as file:
            file.write(self.data.getvalue())
        return self.data.getvalue(), compressed.getvalue()


def debian_layer(base, seconds):
    """The first layer, and the text of the files that the second one continues: {name: text}."""
    layer, kept = Layer(seconds), {}
    with tarfile.open(base) as tar:
        for member in tar:
            if DROPPED.match(member.name):
                continue
            if member.name in ("./etc/passwd", "./etc/group"):
                kept[member.name[2:]] = tar.extractfile(member).read().decode()
            layer.add(member, tar.extractfile(member) if member.isreg() else None)
    return layer, kept


def program_layer(folder, kept, seconds):
    layer = Layer(seconds)
    layer.file("etc/group", f"{kept['etc/group']}meshdns:x:{USER}:\n".encode())
    layer.file("etc/passwd", f"{kept['etc/passwd']}meshdns:x:{USER}:{USER}::/var/lib/meshdns:/usr/sbin/nologin\n".encode())
    layer.folder("endpoints.d")
    layer.folder("etc/meshdns")
    layer.folder("run/meshdns", 0o750, USER)
    with tempfile.TemporaryDirectory() as stripped:
        for program in sorted(PROGRAMS):
            path = os.path.join(stripped, program)
            run("strip", "--strip-all", "-o", path, os.path.join(folder, program))
            with open(path, "rb") as file:
                layer.file("usr/bin/" + program, file.read(), 0o755)
    layer.folder("var/lib/meshdns", 0o750, USER)
    layer.folder("var/lib/meshdns-agent", 0o750, USER)
    return layer


class Layout:
    """The folder that is written: blobs by their digest, and an index that names the image."""

    def __init__(self, folder):
        self.folder = folder
        os.makedirs(os.path.join(folder, "blobs/sha256"))
        self.write("oci-layout", b'{"imageLayoutVersion":"1.0.0"}')

    def write(self, name, data):
        with open(os.path.join(self.folder, name), "wb") as file:
            file.write(data)

    def blob(self, data, kind):
        """Writes a blob and returns its descriptor."""
        digest = hashlib.sha256(data).hexdigest()
        self.write("blobs/sha256/" + digest, data)
        return {"mediaType": MEDIA + kind, "digest": "sha256:" + digest, "size": len(data)}

    def json(self, value, kind):
        return self.blob(json.dumps(value, sort_keys=True, separators=(",", ":")).encode(), kind)


def config(diff_ids, seconds):
    """The image's configuration, with what the Containerfile says of it."""
    created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
    text = container_file()
    return {
        "created": created, "os": "linux", "architecture": run("dpkg", "--print-architecture"),
        "config": {
            "User": re.search(r"^USER (\S+)", text, re.M).group(1),
            "ExposedPorts": {port if "/" in port else port + "/tcp": {}
                             for port in re.search(r"^EXPOSE (.+)", text, re.M).group(1).split()},
            "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
            "Entrypoint": json.loads(re.search(r"^ENTRYPOINT (.+)", text, re.M).group(1)),
            "WorkingDir": "/", "Labels": labels()},
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
        "history": [{"created": created, "created_by": f"pack.py: {what}"} for what in ("Debian", "meshdns")]}


def pack(base, programs, out, seconds):
    """Writes the layout and returns the digest of the image's manifest."""
    debian, kept = debian_layer(base, seconds)
    layout = Layout(out)
    layers, diff_ids = [], []
    for layer in (debian, program_layer(programs, kept, seconds)):
        plain, compressed = layer.finish()
        diff_ids.append("sha256:" + hashlib.sha256(plain).hexdigest())
        layers.append(layout.blob(compressed, "layer.v1.tar+gzip"))
    settings = config(diff_ids, seconds)
    manifest = layout.json({"schemaVersion": 2, "mediaType": MEDIA + "manifest.v1+json", "layers": layers,
                            "config": layout.json(settings, "config.v1+json")}, "manifest.v1+json")
    manifest["platform"] = {"os": settings["os"], "architecture": settings["architecture"]}
    manifest["annotations"] = {"org.opencontainers.image.ref.name": labels()["org.opencontainers.image.version"]}
    layout.write("index.json", json.dumps({"schemaVersion": 2, "mediaType": MEDIA + "index.v1+json",
                                           "manifests": [manifest]}, sort_keys=True).encode())
    return manifest["digest"]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--out", required=True, help="the folder that becomes the OCI layout; it must not exist")
    parser.add_argument("--bin", default=os.path.join(ROOT, "build/release/bin"), help="where the programs are")
    parser.add_argument("--base", help="the tar of Debian; it is made if it is missing, and kept")
    parser.add_argument("--mirror", help="take the newest packages from here (http://deb.debian.org), not those that are pinned")
    return parser.parse_args()


def main():
    given = arguments()
    if os.path.exists(given.out):
        sys.exit(f"pack.py: {given.out} exists already")
    missing = [program for program in PROGRAMS if not os.path.exists(os.path.join(given.bin, program))]
    if missing:
        sys.exit(f"pack.py: {given.bin} has no {', '.join(missing)}: run ./dev build --release")
    seconds = epoch()
    with tempfile.TemporaryDirectory() as folder:
        base = os.path.abspath(given.base or os.path.join(folder, "base.tar"))
        if not os.path.exists(base):
            if not shutil.which("mmdebstrap"):
                sys.exit("pack.py: no mmdebstrap: apt-get install mmdebstrap")
            make_base(base, given.mirror, seconds)
        print(pack(base, given.bin, given.out, seconds))


if __name__ == "__main__":
    main()
