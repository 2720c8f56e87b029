"""The demo's processes: started, ended by their own pid, remembered in a file so that --stop finds them."""
import json
import os
import signal
import subprocess
import sys
import time

import layout

HERE = os.path.dirname(os.path.abspath(__file__))


class Processes:
    def __init__(self, folder, bin_folder):
        self.folder = folder
        self.bin = bin_folder
        self.running = {}  # name -> pid
        os.makedirs(folder, exist_ok=True)

    # ---- files ----

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def write(self, name, text):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def log(self, name):
        with open(self.path(name + ".log"), encoding="utf-8", errors="replace") as file:
            return file.read()

    # ---- processes ----

    def start(self, name, argv):
        with open(self.path(name + ".log"), "a", encoding="utf-8") as log:
            child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        self.running[name] = child.pid
        self.save()
        return child.pid

    def start_federation(self):
        config = self.write("federation.yaml", layout.federation_yaml(self.folder))
        before = self.log("federation").count(" ready ") if os.path.exists(self.path("federation.log")) else 0
        self.start("federation", [os.path.join(self.bin, "meshdnsd"), "--config", config])
        self.wait_log("federation", " ready ", before)

    def start_replica(self, cluster):
        folder = self.path(f"dns-{cluster.name}")
        config = self.write(f"dns-{cluster.name}/meshdnsd.yaml", layout.replica_yaml(cluster, folder))
        self.start(f"dns-{cluster.name}", [os.path.join(self.bin, "meshdnsd"), "--config", config])
        self.wait_log(f"dns-{cluster.name}", " ready ")

    def start_agent(self, node):
        folder = self.path(node.name)
        self.write(f"{node.name}/endpoints.d/app-b.yaml", layout.endpoints_yaml())
        config = self.write(f"{node.name}/agent.yaml", layout.agent_yaml(node, folder))
        self.start(f"agent-{node.name}", [os.path.join(self.bin, "meshdns-agent"), "--config", config])

    def start_backend(self, node):
        argv = [sys.executable, os.path.join(HERE, "backend.py"), node.address, str(layout.SERVICE_PORT), node.name]
        return self.start(f"backend-{node.name}", argv)

    def start_link(self):
        argv = [sys.executable, os.path.join(HERE, "link.py"), layout.CUT_LINK, layout.FEDERATION]
        self.start("link", argv)

    def kill(self, name):
        """kill -9; returns the moment before."""
        pid = self.running.pop(name)
        self.save()
        begun = time.time()
        os.kill(pid, signal.SIGKILL)
        return begun

    def stop_all(self):
        """Asks all to end, then insists."""
        for chosen in (signal.SIGTERM, signal.SIGKILL):
            alive = [pid for pid in self.running.values() if is_ours(pid, self.folder)]
            for pid in alive:
                os.kill(pid, chosen)
            end = time.monotonic() + 5
            while time.monotonic() < end and any(is_ours(pid, self.folder) for pid in alive):
                time.sleep(0.02)
        self.running = {}
        self.save()

    def wait_log(self, name, text, before=0, timeout=20):
        """Until the log has the text more often than `before`."""
        end = time.monotonic() + timeout
        while self.log(name).count(text) <= before:
            if time.monotonic() > end or not is_ours(self.running[name], self.folder):
                raise SystemExit(f"{name} did not say{text}in {timeout} s:\n{self.log(name)}")
            time.sleep(0.01)

    # ---- between runs ----

    def save(self):
        with open(self.path("pids.json"), "w", encoding="utf-8") as file:
            json.dump(self.running, file)

    def load(self):
        """What an earlier --keep left; False = nothing."""
        try:
            with open(self.path("pids.json"), encoding="utf-8") as file:
                self.running = {name: pid for name, pid in json.load(file).items() if is_ours(pid, self.folder)}
        except (OSError, ValueError):
            return False
        return bool(self.running)


def is_ours(pid, folder):
    """The pid is alive and belongs to a process of this demo: numbers are used again."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            words = file.read()
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            if file.read().rpartition(")")[2].split()[0] == "Z":
                os.waitpid(pid, os.WNOHANG)
                return False
    except (OSError, ChildProcessError):
        return False
    return folder.encode() in words or HERE.encode() in words
