"""D: the federation's disk."""
import os
import random
import shutil
import subprocess
import time

from bed import FailureBed, Skip, clean, eventually

SLOW_FSYNC = """\
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>
static int wait_and(const char* name, int fd) {
  if (access(getenv("SLOW_FSYNC"), F_OK) == 0) sleep(2);
  return ((int (*)(int))dlsym(RTLD_NEXT, name))(fd);
}
int fsync(int fd) { return wait_and("fsync", fd); }
int fdatasync(int fd) { return wait_and("fdatasync", fd); }
"""


def command(*argv):
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Skip(f"{' '.join(argv)}: {done.stderr.strip()}")


class Disk:
    """A small file system of its own; needs root."""

    def __init__(self, bed, kind, mebi=4):
        self.folder, self.kind = bed.path("disk-" + kind), kind
        os.mkdir(self.folder)
        if kind == "tmpfs":
            command("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", self.folder)
        else:
            image = bed.path("disk.image")
            with open(image, "wb") as file:
                file.truncate(mebi << 20)
            command("mkfs.ext4", "-q", "-m", "0", image)
            command("mount", "-o", "loop,errors=remount-ro", image, self.folder)
        bed.callback(subprocess.run, ["umount", "-l", self.folder], check=False)

    def fill(self):
        with open(os.path.join(self.folder, "filler"), "wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"\0" * 1024)
            except OSError:
                pass

    def make_room(self):
        os.remove(os.path.join(self.folder, "filler"))

    def break_down(self):
        """An ext4 that has found an error makes itself read-only, whatever is open in it."""
        with open("/proc/mounts", encoding="utf-8") as file:
            device = next(line.split()[0] for line in file if line.split()[1] == self.folder)
        with open(f"/sys/fs/ext4/{os.path.basename(device)}/trigger_fs_error", "w", encoding="ascii") as file:
            file.write("1")


def row_d1(arguments):
    """kill -9 of the federation during writes"""
    with FailureBed() as bed:
        bed.begin()
        bed.wait(2)  # what agents report is stored lazily: A5 is about what is not stored
        acknowledged, starts, lost = [], [], 0
        generator = random.Random(arguments.seed)
        for number in range(arguments.kills):
            if generator.random() < 0.5 and bed.apply(number)[0] == 0:
                acknowledged.append(f"kills/o{number}")
            bed.drain_logs()
            bed.kill("federation")
            begun = time.monotonic()
            bed.start_federation()
            starts.append(time.monotonic() - begun)
            if number % 50 == 49 or number == arguments.kills - 1:
                names = bed.ctl("get", "vd")[1].split()
                lost += sum(name not in names for name in acknowledged)
        seen = bed.seen()
        return (f"{seen}; {arguments.kills} kills, {len(acknowledged)} acknowledged, {lost} lost, slowest start "
                f"{max(starts) * 1000:.0f} ms", "0 wrong; 0 lost, start <= 1,000 ms",
                clean(seen) and lost == 0 and max(starts) <= 1)


def fill_and_heal(kind):
    """(what the load saw, how many of ten writes were refused clearly, seconds until it healed)."""
    with FailureBed() as bed:
        disk = Disk(bed, kind)
        bed.data["federation"] = disk.folder
        bed.begin()
        bed.apply(0)
        disk.fill()
        refused = 0
        for number in range(1, 400):  # what the log still has room for is taken
            code, error = bed.apply(number)
            refused += code != 0 and "cannot be written" in error
            if code != 0 and refused == 10:
                break
        bed.wait(2)
        alarm = bed.metric("federation", "meshdns_store_writable") == 0
        disk.make_room()
        begun = time.monotonic()
        eventually(lambda: bed.drain_logs() or bed.apply(1000)[0] == 0, "a write", timeout=60)
        eventually(lambda: bed.metric("federation", "meshdns_store_writable") == 1, "the alarm's end", timeout=60)
        return bed.seen(), refused if alarm else 0, time.monotonic() - begun


def row_d3(_):
    """disk full: a tmpfs, and ext4"""
    figures, good, skipped = [], True, ""
    for kind in ("tmpfs", "ext4"):
        try:
            seen, refused, healed = fill_and_heal(kind)
        except Skip as reason:
            if kind == "tmpfs":
                raise
            skipped = f"; ext4 skipped: {reason}"
            continue
        figures.append(f"{kind}: {seen}, {refused} of 10 writes refused with an alarm, heals after {healed:.1f} s")
        good = good and clean(seen) and refused == 10 and healed <= 10
    return "; ".join(figures) + skipped, "0 wrong, 10, <= 10 s", good


def row_d4(arguments):
    """the store's file is damaged in 20 places, one after the other"""
    endpoints, worst, generator = 100, 0.0, random.Random(arguments.seed)
    with FailureBed() as bed:
        bed.begin(endpoints)
        bed.wait(2)
        for _ in range(20):
            bed.federation.stop()
            with open(bed.path("fed/federation.db"), "r+b") as file:
                at = generator.randrange(os.fstat(file.fileno()).st_size)
                byte = os.pread(file.fileno(), 1, at)[0]
                os.pwrite(file.fileno(), bytes([byte ^ generator.randrange(1, 256)]), at)
            begun = time.monotonic()
            bed.start_federation()
            eventually(lambda: bed.drain_logs() or
                       bed.metric("federation", 'meshdns_federation_connected_agents') == 1 and
                       bed.metric("federation", 'meshdns_catalog_endpoints{state="serving"}') == endpoints,
                       "all endpoints", timeout=120)
            worst = max(worst, time.monotonic() - begun)
            bed.wait(2)  # what agents report is stored lazily
        aside = sum("corrupt" in name for name in os.listdir(bed.path("fed")))
        seen = bed.seen()
        return (f"{seen}; {aside} put aside, all starts; full set back after at most {worst:.1f} s",
                "0 wrong; <= 60 s", clean(seen) and worst <= 60)


def row_d5(_):
    """fsync takes 2 s"""
    if not shutil.which("gcc"):
        raise Skip("apt-get install gcc")
    with FailureBed() as bed:
        source, shim = bed.write("slow.c", SLOW_FSYNC), bed.path("slow.so")
        command("gcc", "-shared", "-fPIC", "-o", shim, source, "-ldl")
        bed.environments["federation"] = {"LD_PRELOAD": shim, "SLOW_FSYNC": bed.path("is-slow")}
        bed.begin()
        bed.wait(2)
        bed.write("is-slow", "")
        begun, doubts = time.monotonic(), 0
        messages = bed.metric("federation", "meshdns_federation_messages_total")
        writes = []
        for number in range(3):
            started = time.monotonic()
            if bed.apply(number)[0] != 0:
                return "a write failed", "none", False
            writes.append(time.monotonic() - started)
            doubts += any("in doubt" in line or "agent silent" in line for line in bed.federation.lines)
        slowest = 0.0
        for _ in range(50):  # the control thread answers meanwhile
            asked = time.monotonic()
            bed.metric("federation", "meshdns_federation_messages_total")
            slowest = max(slowest, time.monotonic() - asked)
        span = time.monotonic() - begun
        rate = (bed.metric("federation", "meshdns_federation_messages_total") - messages) / span
        stale = bed.metric("replica", "meshdns_dnsd_stale")
        seen = bed.seen()
        return (f"{seen}; writes took {min(writes):.1f} to {max(writes):.1f} s; {rate:.2f} heartbeats/s, slowest other "
                f"answer {slowest * 1000:.0f} ms", "0 wrong; >= 2 s; >= 0.9; <= 500 ms",
                clean(seen) and min(writes) >= 2 and rate >= 0.9 and doubts == 0 and slowest <= 0.5 and stale == 0)


def row_d6(arguments):
    """read-only file systems of federation and replica"""
    with FailureBed() as bed:
        disk = Disk(bed, "ext4", mebi=32)
        for name in ("federation", "replica"):
            bed.data[name] = os.path.join(disk.folder, name)
            os.mkdir(bed.data[name])
        bed.begin(agents=2)
        bed.wait(6)
        for daemon in bed.daemons.values():
            daemon.read(0)
        before = {name: len(bed.daemons[name].lines) for name in ("federation", "replica")}
        disk.break_down()
        begun, minutes = time.monotonic(), max(arguments.seconds, 130) / 60
        with open(bed.path("n2/all.yaml"), encoding="utf-8") as file:
            text = file.read()
        turn = 0
        while time.monotonic() < begun + 60 * minutes:
            turn += 1  # something to be stored
            bed.write("n2/all.yaml", text.replace("namespace: bench", f'namespace: bench, labels: {{turn: "{turn}"}}'))
            bed.wait(2)
        refused = bed.apply(1)[0] != 0
        lines = {name: sum("not writ" in line for line in bed.daemons[name].lines[before[name]:]) for name in before}
        seen = bed.seen()
        allowed = minutes + 1
        return (f"{seen}; in {minutes:.1f} min {lines['federation']} lines of the federation, {lines['replica']} of "
                f"the replica; writes are {'refused' if refused else 'taken'}",
                "0 wrong; once a minute each; refused",
                clean(seen) and refused and all(minutes - 1 <= number <= allowed for number in lines.values()))


ROWS = {"D1": row_d1, "D3": row_d3, "D4": row_d4, "D5": row_d5, "D6": row_d6}
