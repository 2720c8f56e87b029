#!/usr/bin/python3
"""meshdns on one machine: three clusters, closest instance first, and what happens when instances die.

demo.py --bin FOLDER [--keep | --stop]. Every answer that it prints it also checks; exit code 1 if one is wrong.
"""
import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time

import layout
import policies
import timeline
import wire
from layout import CLUSTERS, DNS_PORT, HOST, NODES
from processes import Processes

FOLDER = os.path.join(tempfile.gettempdir(), f"meshdns-demo-{os.getuid()}")
PATIENCE = 20  # seconds for any answer to change
BOLD, PLAIN = ("\033[1m", "\033[0m") if sys.stdout.isatty() else ("", "")


class WrongAnswer(Exception):
    pass


def say(text=""):
    print(text, flush=True)


def title(text):
    say(f"\n{BOLD}{text}{PLAIN}")


def node(name):
    return next(entry for entry in NODES if entry.name == name)


def addresses(*names):
    return sorted(node(name).address for name in names)


class Demo:
    say = staticmethod(say)
    title = staticmethod(title)
    node = staticmethod(node)

    def __init__(self, bin_folder):
        self.bin = bin_folder
        self.processes = Processes(FOLDER, bin_folder)
        self.checked = 0

    # ---- what the user would type ----

    def run(self, *argv, shown=None):
        """Prints a command and its output; returns the output."""
        say(f"$ {shown or ' '.join(argv)}")
        done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
        for line in (done.stdout + done.stderr).rstrip("\n").split("\n"):
            say(f"  {line}")
        if done.returncode != 0:
            raise WrongAnswer(f"{' '.join(argv)} ended with {done.returncode}")
        return done.stdout

    def ctl(self, *words):
        socket = f"unix:{FOLDER}/meshdnsd.sock"
        argv = [os.path.join(self.bin, "meshdnsctl"), "--server", socket, *words]
        return self.run(*argv, shown="meshdnsctl " + " ".join(words).replace(FOLDER + "/", ""))

    def dig_everywhere(self, host=HOST, **expected):
        """Digs from the three clusters, side by side, and checks what came."""
        self.wait(expected, host)
        say(f"$ dig +short @CLUSTER -p {DNS_PORT} {host}")
        columns = []
        for cluster in CLUSTERS:
            argv = ["dig", "+short", f"@{cluster.dns}", "-p", str(DNS_PORT), host]
            out = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=True).stdout
            columns.append((f"from {cluster.name}", sorted(out.split())))
            self.check(f"dig from {cluster.name}", sorted(out.split()), expected[key(cluster)])
        height = max(len(rows) for _, rows in columns)
        say("  " + "".join(f"{head:<20}" for head, _ in columns).rstrip())
        for line in range(height):
            say("  " + "".join(f"{rows[line] if line < len(rows) else '':<20}" for _, rows in columns).rstrip())

    def check(self, what, got, want):
        if got != want:
            raise WrongAnswer(f"{what}: got {got}, expected {want}")
        self.checked += 1

    def wait_until(self, what, holds):
        end = time.monotonic() + PATIENCE
        while not holds():
            if time.monotonic() > end:
                raise WrongAnswer(f"not within {PATIENCE} s: {what}")
            time.sleep(0.05)

    def wait(self, expected, host=HOST):
        end = time.monotonic() + PATIENCE
        while True:
            got = {key(cluster): wire.ask(cluster.dns, DNS_PORT, host) for cluster in CLUSTERS}
            if got == expected:
                return
            if time.monotonic() > end:
                raise WrongAnswer(f"after {PATIENCE} s the answers are {got}, expected {expected}")
            time.sleep(0.02)

    def kill_backend(self, name):
        say(f"$ kill -9 <the instance on {name}, {node(name).address}>")
        return self.processes.kill(f"backend-{name}")

    # ---- the steps ----

    def start(self):
        title("1. Three clusters: eu-1 (zones eu-a and eu-b), eu-2 (zone eu-c), us-1; an agent and an instance per node")
        for entry in NODES:
            self.processes.start_backend(entry)
        say("$ meshdnsd --config federation.yaml         # what all agents say comes together here")
        self.processes.start_federation()
        self.processes.start_link()
        say("$ meshdnsd --config replica.yaml            # one per cluster: answers DNS, follows the federation")
        for cluster in CLUSTERS:
            self.processes.start_replica(cluster)
        say("$ meshdns-agent --config agent.yaml         # on each of the six nodes")
        for entry in NODES:
            self.processes.start_agent(entry)
        for entry in NODES:
            self.processes.wait_log(f"agent-{entry.name}", " connected ")
        objects = self.processes.write("app-b.yaml", layout.OBJECTS)
        self.ctl("apply", "-f", objects)

    def closest(self):
        title("2. The same name, asked from three places: each gets the closest healthy instances")
        self.dig_everywhere(eu_1=addresses("eu1-n1"), eu_2=addresses("eu2-n1", "eu2-n2"),
                            us_1=addresses("us1-n1", "us1-n2"))
        self.ctl("get", "endpoints")

    def fail_over(self):
        title("3. Instances die, one after the other: same cluster, then the nearest cluster, then across regions")
        rest = {"eu_2": addresses("eu2-n1", "eu2-n2"), "us_1": addresses("us1-n1", "us1-n2")}
        self.kill_backend("eu1-n1")
        self.dig_everywhere(eu_1=addresses("eu1-n2"), **rest)
        self.kill_backend("eu1-n2")
        self.dig_everywhere(eu_1=rest["eu_2"], **rest)
        self.kill_backend("eu2-n1")
        self.kill_backend("eu2-n2")
        self.dig_everywhere(eu_1=rest["us_1"], eu_2=rest["us_1"], us_1=rest["us_1"])
        say(f"$ dig @{CLUSTERS[0].dns} -p {DNS_PORT} {HOST}   # says why, to those who may know")
        self.show_reason()

    def show_reason(self):
        reasons = [line for line in self.dig_text(CLUSTERS[0]).splitlines() if "EDE" in line]
        for line in reasons:
            say(f"  {line}")
        self.check("the reason in dig", any("nothing serving in" in line for line in reasons), True)

    def recover(self):
        title("4. They come back: so do the answers")
        for name in ("eu2-n1", "eu2-n2", "eu1-n2", "eu1-n1"):
            say(f"$ start the instance on {name}")
            self.processes.start_backend(node(name))
        self.dig_everywhere(eu_1=addresses("eu1-n1"), eu_2=addresses("eu2-n1", "eu2-n2"),
                            us_1=addresses("us1-n1", "us1-n2"))

    def measure(self):
        title("5. One kill, measured")
        result = timeline.measure(self, "eu1-n1", CLUSTERS[0], addresses("eu1-n2"))
        say("  " + result.text())
        self.check("the timeline is in order", result.in_order(), True)
        self.processes.start_backend(node("eu1-n1"))
        self.wait({"eu_1": addresses("eu1-n1"), "eu_2": addresses("eu2-n1", "eu2-n2"),
                   "us_1": addresses("us1-n1", "us1-n2")})
        return result

    def cut_link(self):
        title("6. An agent's link is cut: silence is not death. The answers stay, and _explain says what is known")
        say("$ cut the link between the agent of us1-n1 and the federation")
        self.processes.kill("link")
        self.wait_explained("its agent is not heard")
        lines = self.explain(CLUSTERS[2])
        self.check("_explain", any("127.0.3.11:8080 serving" in line and "not heard" in line for line in lines), True)
        self.dig_everywhere(eu_1=addresses("eu1-n1"), eu_2=addresses("eu2-n1", "eu2-n2"),
                            us_1=addresses("us1-n1", "us1-n2"))
        say("$ mend the link")
        self.processes.start_link()
        self.wait_explained("its agent is not heard", present=False)

    def lose_federation(self):
        title("7. The federation is killed: answers go on, and say that they are stale")
        say("$ kill -9 <the federation>")
        self.processes.kill("federation")
        self.wait_stale(True)
        same = {"eu_1": addresses("eu1-n1"), "eu_2": addresses("eu2-n1", "eu2-n2"), "us_1": addresses("us1-n1", "us1-n2")}
        self.dig_everywhere(**same)
        say(f"$ dig @{CLUSTERS[1].dns} -p {DNS_PORT} {HOST}")
        say("  ; EDE: 3 (Stale Answer)")
        self.kill_backend("eu2-n2")
        time.sleep(1)
        self.dig_everywhere(**same)
        say("  Nobody could tell that 127.0.2.12 died: the last thing known is still answered, not nothing.")
        say("$ meshdnsd --config federation.yaml         # it returns, with what it had stored")
        self.processes.start_federation()
        self.wait_stale(False)
        self.dig_everywhere(**{**same, "eu_2": addresses("eu2-n1")})
        compared = [line for line in self.processes.log("federation").splitlines() if "subscriber compares" in line]
        self.check("replicas compared instead of filling anew", len(compared) >= len(CLUSTERS), True)
        say(f"  {len(compared)} replicas compared what they hold with the federation, and took the difference.")

    def wait_stale(self, stale):
        end = time.monotonic() + PATIENCE
        while any(("EDE: 3" in self.dig_text(cluster)) != stale for cluster in CLUSTERS):
            if time.monotonic() > end:
                raise WrongAnswer(f"answers are {'not ' if stale else 'still '}stale after {PATIENCE} s")
            time.sleep(0.1)

    def dig_text(self, cluster):
        argv = ["dig", f"@{cluster.dns}", "-p", str(DNS_PORT), HOST]
        return subprocess.run(argv, capture_output=True, text=True, timeout=30, check=True).stdout

    def explain(self, cluster):
        name = "_explain." + HOST
        out = self.run("dig", "+short", f"@{cluster.dns}", "-p", str(DNS_PORT), "TXT", name,
                       shown=f"dig +short @{cluster.dns} -p {DNS_PORT} TXT {name} | sort")
        return sorted(out.splitlines())

    def wait_explained(self, text, present=True):
        argv = ["dig", "+short", f"@{CLUSTERS[2].dns}", "-p", str(DNS_PORT), "TXT", "_explain." + HOST]
        end = time.monotonic() + PATIENCE
        while True:
            out = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=True).stdout
            if (text in out) == present:
                return
            if time.monotonic() > end:
                raise WrongAnswer(f"_explain {'never says' if present else 'still says'} {text}:\n{out}")
            time.sleep(0.1)


def key(cluster):
    return cluster.name.replace("-", "_")


def run_all(demo, begun):
    demo.start()
    demo.closest()
    demo.fail_over()
    demo.recover()
    result = demo.measure()
    demo.cut_link()
    demo.lose_federation()
    demo.processes.start_backend(node("eu2-n2"))
    policies.fence(demo)
    policies.gateway(demo)
    policies.spill(demo)
    title("Summary")
    say(f"  {demo.checked} answers checked, all right; {time.monotonic() - begun:.0f} s")
    say("  " + result.text())


def print_hints():
    title("The mesh goes on. Try:")
    for cluster in CLUSTERS:
        say(f"  dig @{cluster.dns} -p {DNS_PORT} {HOST}          # as a client in {cluster.name}")
    say(f"  dig +short @{CLUSTERS[0].dns} -p {DNS_PORT} TXT _explain.{HOST} | sort")
    say(f"  build/check/bin/meshdnsctl --server unix:{FOLDER}/meshdnsd.sock status")
    say(f"  kill -9 $(pgrep -f 'backend.py 127.0.1.11')             # then dig again")
    say(f"  curl http://{layout.ADMIN}/metrics")
    say(f"  logs and configuration: {FOLDER}")
    say("  ./dev demo --stop                                       # ends it")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True, help="folder of meshdnsd, meshdns-agent and meshdnsctl")
    parser.add_argument("--keep", action="store_true", help="leave the mesh running, and say what to type")
    parser.add_argument("--stop", action="store_true", help="end what --keep left")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    demo = Demo(os.path.abspath(arguments.bin))
    left = demo.processes.load()
    if arguments.stop:
        demo.processes.stop_all()
        say("the demo's mesh has ended" if left else "no demo is running")
        return 0
    if left:
        say("a demo is running already: ./dev demo --stop ends it")
        return 1
    shutil.rmtree(FOLDER)  # what an earlier run stored
    demo.processes = Processes(FOLDER, demo.bin)
    begun = time.monotonic()
    try:
        run_all(demo, begun)
    except WrongAnswer as error:
        say(f"\nWRONG: {error}\nlogs: {FOLDER}")
        demo.processes.stop_all()
        return 1
    except BaseException:
        demo.processes.stop_all()
        raise
    if arguments.keep:
        print_hints()
    else:
        demo.processes.stop_all()
    return 0


if __name__ == "__main__":
    sys.exit(main())
