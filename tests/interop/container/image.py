"""The image that packaging/container/pack.py makes of the programs under test: packed once, checked, unpacked."""
import fcntl
import gzip
import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile

import mesh
from lab import skip
from peers import ROOT, attempt, folder

PACK = os.path.join(ROOT, "packaging/container/pack.py")
PACKAGES = os.path.join(ROOT, "packaging/container/packages")
SECONDS = 1796083200


def mirror():
    """Where this machine's apt gets Debian from, without the folder `debian`: a snapshot cannot be had everywhere."""
    plan = attempt("apt names no mirror", "apt-get", "indextargets", "--format", "$(SITE)", "Origin: Debian", "Codename: bookworm")
    site = (plan.split() or ["http://deb.debian.org/debian"])[0].rstrip("/")
    return site.removesuffix("/debian")


def base():
    """The tar of Debian, made once until the list of packages changes."""
    if os.geteuid() != 0:
        skip("only root can make and start an image")
    if not shutil.which("mmdebstrap"):
        skip("no mmdebstrap: apt-get install mmdebstrap")
    listed = subprocess.run(["ldd", os.path.join(mesh.BIN, "meshdnsd")], capture_output=True, text=True, check=True).stdout
    if "libasan" in listed or "libtsan" in listed:
        skip("the sanitizers' builds are not for images")
    path = os.path.join(folder("container"), "base.tar")
    with open(path + ".lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(path) or os.path.getmtime(path) < os.path.getmtime(PACKAGES):
            if os.path.exists(path):
                os.remove(path)
            out = os.path.join(folder("container"), "first")
            shutil.rmtree(out, ignore_errors=True)
            attempt("no Debian for the image", PACK, "--bin", mesh.BIN, "--base", path, "--mirror", mirror(), "--out", out)
            shutil.rmtree(out)
    return path


def pack(out):
    """Packs the programs into the folder `out` and returns the digest of the image."""
    done = subprocess.run([PACK, "--bin", mesh.BIN, "--base", base(), "--out", out], capture_output=True, text=True,
                          check=False, env={**os.environ, "SOURCE_DATE_EPOCH": str(SECONDS)})
    if done.returncode:
        raise AssertionError(done.stderr)
    return done.stdout.strip()


class Layout:
    """An OCI image layout that is read with distrust: each blob has the digest and the size of its descriptor."""

    def __init__(self, path):
        self.path = path
        self.seen = set()
        assert self.read("oci-layout") == {"imageLayoutVersion": "1.0.0"}
        [descriptor] = self.read("index.json")["manifests"]
        self.digest = descriptor["digest"]
        self.manifest = json.loads(self.blob(descriptor))
        self.config = json.loads(self.blob(self.manifest["config"]))
        self.layers = [gzip.decompress(self.blob(layer)) for layer in self.manifest["layers"]]
        found = ["sha256:" + hashlib.sha256(layer).hexdigest() for layer in self.layers]
        assert found == self.config["rootfs"]["diff_ids"], "a layer has another digest than the configuration says"

    def read(self, name):
        with open(os.path.join(self.path, name), encoding="utf-8") as file:
            return json.load(file)

    def blob(self, descriptor):
        algorithm, digest = descriptor["digest"].split(":")
        with open(os.path.join(self.path, "blobs", algorithm, digest), "rb") as file:
            data = file.read()
        assert len(data) == descriptor["size"], f"{digest}: {len(data)} bytes instead of {descriptor['size']}"
        assert hashlib.new(algorithm, data).hexdigest() == digest, f"{digest}: other content"
        self.seen.add(digest)
        return data

    def members(self):
        """{name: tar member} as the layers leave them."""
        found = {}
        for layer in self.layers:
            with tarfile.open(fileobj=io.BytesIO(layer)) as tar:
                found.update({os.path.normpath(member.name): member for member in tar})
        return found

    def unpack(self, root):
        os.makedirs(root)
        for layer in self.layers:
            with tarfile.open(fileobj=io.BytesIO(layer)) as tar:
                tar.extractall(root, numeric_owner=True)
