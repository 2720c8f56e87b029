"""docs/topology.md: its examples are applied and asked as they stand, and what comes is what the page shows.

REWRITE=1 writes what comes into the page, to be read before it is committed.
"""
import os
import re
import subprocess
import unittest

from mesh import BIN, WAIT, Bed

PAGE = os.path.join(os.path.dirname(__file__), "../../docs/topology.md")
BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.M | re.S)


def without_ages(text):
    """How long things have been so is another number in each run."""
    text = re.sub(r"(serving|last_resort|out) +\d+(\.\d+)? ?(ms|s|m)\b", r"\1 AGE", text)
    text = re.sub(r" *<- this client, for \d+ s", "", text)  # who draws what is another one's with the time
    text = re.sub(r"revision \d+, \d+(\.\d+)? ?s old", "revision N", text)
    return re.sub(r" +", " ", text)


class TopologyDocs(unittest.TestCase):
    def setUp(self):
        self.bed = self.enterContext(Bed())
        with open(PAGE, encoding="utf-8") as file:
            self.text = file.read()

    def start(self):
        self.dnsd = self.bed.start("meshdnsd", "--config", self.bed.write("meshdnsd.yaml", f"""\
cluster: eu-1
roles: [dns]
zones: [{{name: mesh.internal}}]
data_dir: {self.bed.path("state")}
dns:
  workers: "1"
  listen: [{{address: "127.0.0.1:0"}}]
  trusted_forwarders: [{{prefix: 127.0.0.1/32}}]
  explain_allow: [10.0.0.0/8]
  endpoints_file: {self.bed.path("mesh.yaml")}
admin: {{listen: "127.0.0.1:0", socket: {self.bed.path("dnsd.sock")}}}
"""))
        self.dns = self.dnsd.address("dns listening")
        self.dnsd.wait_line(" ready ")

    def command(self, line):
        """A line of the page as it is run here."""
        line = line.replace("@10.0.9.1", f"@127.0.0.1 -p {self.dns[1]}")
        return line.replace("meshdnsctl", f"{BIN}/meshdnsctl --server unix:{self.bed.path('dnsd.sock')}", 1)

    def run_line(self, line):
        done = subprocess.run(["bash", "-o", "pipefail", "-c", self.command(line)], cwd=self.bed.folder,
                              capture_output=True, text=True, timeout=WAIT, check=False)
        self.assertEqual(done.returncode, 0, f"{line}\n{done.stdout}{done.stderr}")
        return done.stdout

    def run_block(self, block):
        """The block with what really comes behind each of its commands."""
        out = ""
        for line in block.splitlines():
            if line.startswith("$ "):
                printed = "\n".join(text.rstrip() for text in self.run_line(line[2:]).rstrip("\n").split("\n"))
                out += line + "\n" + printed + "\n"
        return out

    def test_examples(self):
        rewritten, at, ran = "", 0, 0
        for found in BLOCK.finditer(self.text):
            kind, name, body = found.groups()
            if kind == "yaml":
                self.bed.write(name, body)
                if name == "mesh.yaml":
                    self.start()
            if kind != "console":
                continue
            came = self.run_block(body)
            ran += came.count("\n$ ") + 1
            rewritten += self.text[at:found.start(3)] + came
            at = found.end(3)
            if not os.environ.get("REWRITE"):
                self.assertEqual(without_ages(came), without_ages(body))
        self.assertGreater(ran, 15)
        if os.environ.get("REWRITE"):
            with open(PAGE, "w", encoding="utf-8") as file:
                file.write(rewritten + self.text[at:])


if __name__ == "__main__":
    unittest.main()
