"""F: configuration and operation."""
import os
import random
import signal
import time

from bed import ROOT, FailureBed, clean
from mesh import eventually
from supervisor import NotifySocket, read_unit


def row_f1(arguments):
    """200 mutated configurations on reload"""
    with FailureBed() as bed:
        bed.begin()
        with open(bed.write_replica(), encoding="utf-8") as file:
            good = file.read()
        generator = random.Random(arguments.seed)
        for _ in range(200):
            text = list(good)
            for _ in range(generator.randrange(1, 6)):
                text[generator.randrange(len(text))] = generator.choice("{}[]:,x0\n \"#&*!")
            bed.write("dns.yaml", "".join(text))
            bed.replica.send_signal(signal.SIGHUP)
            bed.wait(0.02)
        alive = bed.replica.process.poll() is None
        seen = bed.seen()
        return f"{seen}, process {'lives' if alive else 'died'}", "0 wrong, lives", alive and clean(seen)


def seconds(text):
    return float(text.removesuffix("s"))


class Supervisor:
    """The service manager's watchdog over a federation, as its unit has it."""

    def __init__(self, bed):
        service = read_unit(os.path.join(ROOT, "systemd", "meshdnsd.service"))["Service"]
        self.watchdog = seconds(service["WatchdogSec"][0])
        self.abort = seconds(service["TimeoutAbortSec"][0])
        self.pause = seconds(service["RestartSec"][0])
        self.bed, self.notify = bed, NotifySocket(bed.path("notify"))
        bed.callback(self.notify.close)
        bed.environments["federation"] = {"NOTIFY_SOCKET": self.notify.path,
                                          "WATCHDOG_USEC": str(int(self.watchdog * 1e6))}

    def wait_for_a_sign(self):
        eventually(lambda: self.notify.count("WATCHDOG", 0.1), "a sign of life", timeout=30)

    def watch(self, timeout=60):
        """Returns when for WatchdogSec no sign of life came."""
        heard, end = time.monotonic(), time.monotonic() + timeout
        while time.monotonic() - heard < self.watchdog:
            if time.monotonic() > end:
                raise AssertionError("the signs of life go on")
            if self.notify.count("WATCHDOG", 0.05):
                heard = time.monotonic()
            self.bed.drain_logs()

    def end(self):
        process = self.bed.federation.process
        process.send_signal(signal.SIGABRT)
        stop = time.monotonic() + self.abort
        while process.poll() is None and time.monotonic() < stop:
            time.sleep(0.02)
        self.bed.kill("federation")
        self.bed.wait(self.pause)


def row_f6(_):
    """SIGSTOP of the whole process, stop of one DNS thread: the service manager restarts it"""
    from test_supervised import Stopped, a_dns_worker
    taken = {}
    with FailureBed() as bed:
        supervisor = Supervisor(bed)
        bed.begin()
        for what in ("process", "thread"):
            supervisor.wait_for_a_sign()
            begun = time.monotonic()
            if what == "process":
                bed.federation.send_signal(signal.SIGSTOP)
                supervisor.watch()
            else:
                with Stopped(a_dns_worker(bed.federation.process.pid)):
                    supervisor.watch()
            supervisor.end()
            bed.start_federation()
            taken[what] = time.monotonic() - begun
        seen = bed.seen()
        return (f"{seen}; restarted after {taken['process']:.1f} s (process), {taken['thread']:.1f} s (thread)",
                "0 wrong; <= 10 s", clean(seen) and max(taken.values()) <= 10)


ROWS = {"F1": row_f1, "F6": row_f6}
