"""The container file: what it copies exists, what it installs suffices, and everything is pinned."""
import os
import re
import shutil
import subprocess
import unittest

import mesh
from mesh import WAIT
from supervisor import ROOT

FOLDER = os.path.join(ROOT, "packaging/container")


def text_of(name):
    with open(os.path.join(FOLDER, name), encoding="utf-8") as file:
        return file.read()


def container_file():
    return re.sub(r"\\\n", " ", text_of("Containerfile"))


class ContainerTest(unittest.TestCase):
    def test_what_is_copied_exists_and_is_sent(self):
        with open(os.path.join(ROOT, ".containerignore"), encoding="utf-8") as file:
            sent = {line[1:] for line in file.read().splitlines() if line.startswith("!")}
        copied = re.findall(r"^COPY (?!--from)(.+) \S+$", container_file(), re.M)
        self.assertEqual(set(" ".join(copied).split()), sent)
        for path in sent:
            self.assertTrue(os.path.exists(os.path.join(ROOT, path)), path)

    def test_everything_is_pinned(self):
        text = container_file()
        self.assertRegex(re.search(r"^ARG BASE=(\S+)", text, re.M).group(1), r"^debian:bookworm-\d{8}-slim$")
        self.assertRegex(re.search(r"^ARG SNAPSHOT=(\S+)", text, re.M).group(1), r"^\d{8}T\d{6}Z$")
        self.assertEqual(re.findall(r"^FROM (\S+)", text, re.M), ["${BASE}", "debian", "debian"])
        for package in text_of("packages").split():
            self.assertRegex(package, r"^lib[a-z0-9+.-]+=[0-9][^=]*$")

    def test_the_programs_are_started_without_a_shell(self):
        self.assertRegex(container_file(), r'(?m)^ENTRYPOINT \["/usr/bin/meshdnsd"\]$')

    def test_the_image_holds_every_library(self):
        if not shutil.which("dpkg") or not shutil.which("readelf"):
            self.skipTest("not on this machine: dpkg or readelf")
        listed = {package.split("=")[0] for package in text_of("packages").split()}
        given = {"libc6", "libgcc-s1", "libasan8", "libubsan1"} | listed  # the sanitizers' builds are not for images
        while more := self.dependencies(given) - given:
            given |= more
        for binary in ("meshdnsd", "meshdns-agent", "meshdnsctl"):
            self.assertEqual(self.libraries(os.path.join(mesh.BIN, binary)) - given, set(), binary)

    @staticmethod
    def dependencies(packages):
        out = subprocess.run(["dpkg-query", "-W", "-f", "${Depends},", *packages], capture_output=True, text=True,
                             timeout=WAIT, check=False).stdout
        return set(re.findall(r"(?:^|,)\s*(lib[a-z0-9+.-]+)", out))

    @staticmethod
    def libraries(binary):
        """The packages of the shared libraries that a binary names."""
        needed = re.findall(r"NEEDED.*\[(.+)\]", subprocess.run(["readelf", "-d", binary], capture_output=True, text=True,
                                                                 timeout=WAIT, check=True).stdout)
        found = subprocess.run(["ldd", binary], capture_output=True, text=True, timeout=WAIT, check=True).stdout
        paths = dict(re.findall(r"(\S+) => (\S+)", found))
        files = [os.path.realpath(paths[name]) for name in needed if name in paths]
        owners = subprocess.run(["dpkg", "-S", *files], capture_output=True, text=True, timeout=WAIT, check=False).stdout
        return {line.split(":")[0] for line in owners.splitlines()}


if __name__ == "__main__":
    unittest.main()
