"""The systemd units: what systemd-analyze says of them, and that `cmake --install` puts what they name where they name it."""
import os
import re
import shutil
import subprocess
import tempfile
import unittest

import yaml

import mesh
from supervisor import ROOT, NotifySocket, as_unit, install, read_unit

UNITS = ("meshdnsd.service", "meshdns-agent.service")
SOCKET = "meshdnsd.socket"
WORST_EXPOSURE = 2.5
A_STRANGER = 64053  # a user id that owns nothing

MESHDNSD = """\
cluster: eu-1
zones: [{name: mesh.internal}]
dns: {listen: [{address: "127.0.0.1:53"}]}
federation: {listen: "127.0.0.1:7400"}
admin: {listen: "127.0.0.1:7401", socket: FOLDER/run/meshdnsd.sock}
data_dir: FOLDER/state
"""
AGENT = """\
node: n1
cluster: eu-1
addresses: [127.0.0.11]
federation: {servers: ["127.0.0.1:7400"]}
admin: {listen: "127.0.0.1:7402", socket: FOLDER/run/agent.sock}
"""


def need(*tools):
    missing = [tool for tool in tools if not shutil.which(tool)]
    return unittest.skipIf(missing, f"not on this machine: {', '.join(missing)}")


def run(*argv):
    return subprocess.run(argv, capture_output=True, text=True, timeout=mesh.WAIT, check=False)


class UnitsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="meshdns-units-")
        cls.addClassCleanup(shutil.rmtree, cls.folder, True)
        os.chmod(cls.folder, 0o755)
        cls.prefix = os.path.join(cls.folder, "usr")
        install(cls.prefix)
        cls.units = {name: os.path.join(cls.prefix, "lib/systemd/system", name) for name in UNITS}

    def both(self):
        for name, path in self.units.items():
            with self.subTest(unit=name):
                yield name, path

    @need("systemd-analyze")
    def test_verify_is_silent(self):
        socket_unit = os.path.join(self.prefix, "lib/systemd/system", SOCKET)
        done = run("systemd-analyze", "verify", *self.units.values(), socket_unit)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))

    def test_the_socket_unit_opens_what_the_example_listens_on(self):
        socket_unit = read_unit(os.path.join(self.prefix, "lib/systemd/system", SOCKET))["Socket"]
        with open(os.path.join(self.prefix, "share/meshdns/examples/meshdnsd.yaml"), encoding="utf-8") as file:
            listen = [entry["address"] for entry in yaml.safe_load(file)["dns"]["listen"]]
        self.assertEqual(socket_unit["ListenDatagram"], listen)
        self.assertEqual(socket_unit["ListenStream"], listen)

    @need("systemd-analyze")
    def test_exposure_is_low(self):
        for name, path in self.both():
            done = run("systemd-analyze", "security", "--offline=true", "--no-pager", path)
            level = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
            self.assertTrue(level, done.stdout + done.stderr)
            self.assertLessEqual(float(level.group(1)), WORST_EXPOSURE, name)

    def test_what_they_promise(self):
        for name, path in self.both():
            service = read_unit(path)["Service"]
            for key, value in (("Type", "notify"), ("Restart", "always"), ("User", "meshdns"), ("Group", "meshdns"),
                               ("StateDirectory", "meshdns" if name == "meshdnsd.service" else "meshdns meshdns-agent"), ("RuntimeDirectory", "meshdns"),
                               ("ConfigurationDirectory", "meshdns"), ("ProtectSystem", "strict"),
                               ("NoNewPrivileges", "yes")):
                self.assertEqual(service[key], [value], key)
            # a plain kill ends a daemon with 0: it comes back. An agent that has left by `leave` does not
            self.assertEqual(service["RestartPreventExitStatus"], ["2"] if name == "meshdnsd.service" else ["2 3"])
            self.assertRegex(service["WatchdogSec"][0], r"^\d+s$")
            self.assertIn("AF_NETLINK", service["RestrictAddressFamilies"][0].split())
            allowed = ["CAP_NET_BIND_SERVICE"] if name == "meshdnsd.service" else [""]
            self.assertEqual(service["CapabilityBoundingSet"], allowed)
            self.assertEqual(service["AmbientCapabilities"], allowed)

    def test_what_cannot_start_is_tried_more_and_more_rarely(self):
        for name, path in self.both():
            service = read_unit(path)["Service"]
            folder = tempfile.mkdtemp(dir=self.folder)
            os.makedirs(os.path.join(folder, "meshdns"))
            tools = os.path.join(folder, "bin")
            os.makedirs(tools)
            with open(os.path.join(tools, "sleep"), "w", encoding="utf-8") as file:
                file.write(f'#!/bin/sh\necho "$1" >> {folder}/slept\n')
            os.chmod(file.name, 0o755)

            def execute(key, status):
                for line in service[key]:
                    script = line.replace("%t", folder).replace("$$", "$")  # as systemd reads it
                    done = subprocess.run(["sh", "-c", script], timeout=mesh.WAIT, check=False, stderr=subprocess.PIPE,
                                          env={"PATH": f"{tools}:/usr/bin:/bin", "EXIT_STATUS": status})
                    self.assertEqual((done.returncode, done.stderr), (0, b""), line)

            def slept():
                with open(os.path.join(folder, "slept"), encoding="utf-8") as file:
                    return [int(line) for line in file]

            for status in ("KILL", *["1"] * 6, "0", "2"):
                execute("ExecStopPost", status)
            self.assertEqual(slept(), [1, 2, 4, 8, 16, 16], name)
            execute("ExecStartPost", "")
            execute("ExecStopPost", "1")
            self.assertEqual(slept()[-1], 1, "a start that succeeded begins anew")

    def test_what_they_name_is_installed(self):
        for _, path in self.both():
            unit = read_unit(path)
            for key in ("ExecStart", "ExecReload"):
                for line in unit["Service"][key]:
                    program = line.split()[0]
                    self.assertTrue(os.access(program, os.X_OK), f"{key}: {program}")
            documentation = unit["Unit"]["Documentation"][0].removeprefix("file:")
            self.assertTrue(os.path.isfile(documentation), documentation)
        for path in ("bin/meshdnsctl", "lib/sysusers.d/meshdns.conf", "lib/tmpfiles.d/meshdns.conf",
                     "share/meshdns/examples/meshdnsd.yaml", "share/meshdns/examples/agent.yaml",
                     "share/meshdns/examples/endpoints.d/app-b.yaml", "share/meshdns/kubernetes/base/federation/deployment.yaml",
                     "share/bash-completion/completions/meshdnsctl", "share/zsh/vendor-completions/_meshdnsctl",
                     "share/fish/vendor_completions.d/meshdnsctl.fish"):
            self.assertTrue(os.path.isfile(os.path.join(self.prefix, path)), path)

    def test_a_package_tree_names_its_final_places(self):
        tree = os.path.join(self.folder, "tree")
        install("/usr", destdir=tree)
        for name in (*UNITS, SOCKET):
            installed = os.path.join(tree, "usr/lib/systemd/system", name)
            with open(installed, encoding="utf-8") as one, open(os.path.join(ROOT, "systemd", name),
                                                                encoding="utf-8") as other:
                self.assertEqual(one.read(), other.read())
            if name == SOCKET:
                continue
            program = read_unit(installed)["Service"]["ExecStart"][0].split()[0]
            self.assertTrue(os.access(tree + program, os.X_OK), program)
        self.assertEqual(os.listdir(tree), ["usr"])

    @need("systemd-sysusers", "systemd-tmpfiles")
    @unittest.skipIf(os.getuid() != 0, "only root can make users")
    def test_user_and_folders(self):
        tree = os.path.join(self.folder, "root")
        os.makedirs(os.path.join(tree, "etc"))
        for tool, kind in (("systemd-sysusers", "sysusers"), ("systemd-tmpfiles", "tmpfiles")):
            path = os.path.join(self.prefix, f"lib/{kind}.d/meshdns.conf")
            done = run(tool, f"--root={tree}", *(["--create"] if kind == "tmpfiles" else []), path)
            self.assertEqual(done.returncode, 0, done.stderr)
        with open(os.path.join(tree, "etc/passwd"), encoding="utf-8") as file:
            user = next(line.split(":") for line in file if line.startswith("meshdns:"))
        self.assertEqual(user[5], "/var/lib/meshdns")
        self.assertEqual(str(os.stat(os.path.join(tree, "var/lib/meshdns")).st_uid), user[2])
        self.assertTrue(os.path.isdir(os.path.join(tree, "etc/meshdns/endpoints.d")))

    def prepare(self, name, text):
        """The unit's command with its configuration in a folder of the test's: the unit and the words."""
        folder = tempfile.mkdtemp(dir=self.folder)
        for made in ("", "run", "state", "endpoints.d"):
            os.makedirs(os.path.join(folder, made), exist_ok=True)
            os.chown(os.path.join(folder, made), A_STRANGER, A_STRANGER)
        unit = read_unit(self.units[name])
        words = unit["Service"]["ExecStart"][0].split()
        file = os.path.join(folder, os.path.basename(words[2]))
        with open(file, "w", encoding="utf-8") as out:
            out.write(text.replace("FOLDER", folder))
        return unit, [words[0], words[1], file]

    def starts(self, prefix, words):
        """Whether it gets ready, alone in a network of its own (so that port 53 is free); and its log."""
        path = tempfile.mktemp(dir=self.folder)
        supervisor = NotifySocket(path)
        self.addCleanup(supervisor.close)
        lone = ["unshare", "--net", "--", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
        process = subprocess.Popen([*lone, *prefix, *words], env=supervisor.environment(), stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True)
        ready = None
        while ready is None and process.poll() is None:
            ready = supervisor.next(0.2)
        process.terminate()
        log, _ = process.communicate(timeout=mesh.WAIT)
        return ready is not None, log

    @need("setpriv", "unshare", "ip")
    @unittest.skipIf(os.getuid() != 0, "only root can become the unit's user")
    def test_the_command_runs_as_the_units_user_with_its_capabilities(self):
        if run("unshare", "--net", "true").returncode != 0:
            self.skipTest("no network namespaces here")
        for name, text in (("meshdnsd.service", MESHDNSD), ("meshdns-agent.service", AGENT)):
            with self.subTest(unit=name):
                unit, words = self.prepare(name, text)
                prefix = as_unit(unit, A_STRANGER)
                checked = run(*prefix, *words, "--check-config")
                self.assertEqual((checked.returncode, checked.stderr), (0, ""), checked.stdout)
                ready, log = self.starts(prefix, words)
                self.assertTrue(ready, log)
                self.assertIn("socket events on" if "agent" in name else "127.0.0.1:53", log)

    @need("setpriv", "unshare", "ip")
    @unittest.skipIf(os.getuid() != 0, "only root can become the unit's user")
    def test_without_its_capability_port_53_stays_shut(self):
        if run("unshare", "--net", "true").returncode != 0:
            self.skipTest("no network namespaces here")
        unit, words = self.prepare("meshdnsd.service", MESHDNSD)
        for key in ("AmbientCapabilities", "CapabilityBoundingSet"):
            unit["Service"][key] = [""]
        ready, log = self.starts(as_unit(unit, A_STRANGER), words)
        self.assertFalse(ready, log)
        self.assertIn("Permission denied", log)

    def test_the_installed_examples_are_right(self):
        examples = os.path.join(self.prefix, "share/meshdns/examples")
        for binary, file in (("meshdnsd", "meshdnsd.yaml"), ("meshdns-agent", "agent.yaml")):
            code, _, err = mesh.run(binary, "--check-config", "--config", os.path.join(examples, file))
            self.assertEqual((code, err), (0, ""))


if __name__ == "__main__":
    unittest.main()
