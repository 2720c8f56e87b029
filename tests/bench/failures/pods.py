"""B15 to B17, and K: pods of a real API server (tests/interop/kubernetes; the first row builds it where Go is).

Times count from the moment at which the API server has sent the event to a watch of ours, or from the kill.
"""
import contextlib
import os
import sys
import time

from bed import ROOT, Skip
from checking_client import LOST, RIGHT, WRONG, Load

sys.path[:0] = [os.path.join(ROOT, "tests", "interop"), os.path.join(ROOT, "tests", "interop", "kubernetes")]
import kube_plane  # noqa: E402
import faults  # noqa: E402
from kubelet import Cgroups, kill, now, pod_object, status_object  # noqa: E402
from mesh import eventually  # noqa: E402
from pod_bed import PodBed, install  # noqa: E402

NAME = "app-b.shop.mesh.internal"
STAYS = "127.0.9.1"
PODS = "/api/v1/pods"


def percentile(times, share=0.99):
    times = sorted(times)
    return times[min(len(times) - 1, int(share * len(times)))] * 1000 if times else float("inf")


@contextlib.contextmanager
def pod_bed(proxied=False, cgroups=None, flags=()):
    """A control plane with a federation and an agent on node n1, on whose service one pod stays."""
    try:
        kube_plane.program()
    except SystemExit as ended:
        raise Skip("the API server cannot be built here") from ended
    with kube_plane.ControlPlane(*flags) as plane:
        install(plane, "meshdns-agent")
        plane.namespace("shop")
        with PodBed(plane, cgroups=cgroups or plane.folder, proxied=proxied) as bed:
            bed.begin_federation()
            bed.node = bed.kubelet("n1", address="127.0.0.1", pods="127.0.8.0/21")
            bed.node.pod("stays", [STAYS], "app-b")
            bed.agent = bed.begin_agent()
            bed.wait([STAYS])
            yield bed


class Events:
    """What the API server says of pods, with the time."""

    def __init__(self, plane):
        self.all = []
        version = plane.get(PODS + "?limit=1")["metadata"]["resourceVersion"]
        plane.events(f"{PODS}?watch=1&resourceVersion={version}", lambda *event: self.all.append(event))

    def when(self, name, holds):
        """When an event of this pod first said so."""
        found = lambda: next((at for at, kind, pod in list(self.all)
                              if pod["metadata"]["name"] == name and holds(kind, pod)), None)
        return eventually(found, f"an event of {name}", timeout=20)


def is_ready(_, pod):
    return any(each["type"] == "Ready" and each["status"] == "True" for each in pod["status"].get("conditions", []))


def is_unready(_, pod):
    return any(each["type"] == "Ready" and each["status"] == "False" for each in pod["status"].get("conditions", []))


def is_ending(_, pod):
    return "deletionTimestamp" in pod["metadata"]


def load_of(bed, allowed, name=NAME, rate=2000):
    load = Load(bed.dns, name, allowed, rate)
    bed.callback(load.stop)
    return load


def first_change(seen, after, wanted):
    """Seconds from `after` to the first answer that says so; it may be before the watch of ours got the event."""
    later = [when - after for when, found in seen.changes if when > after - 0.02 and found == wanted]
    return max(0.0, later[0]) if later else float("inf")


def row_k1(_):
    """pod Ready: answered; Ready=False: out; deleted with grace: out"""
    count = 60
    with pod_bed() as bed:
        events, rounds = Events(bed.plane), []
        load = load_of(bed, [STAYS, *(f"127.0.10.{number}" for number in range(1, count + 1))])
        for number in range(1, count + 1):
            name, address = f"p{number}", f"127.0.10.{number}"
            bed.node.pod(name, [address], "app-b", ready=None)
            bed.node.status(name, address, ready=True)
            ready = events.when(name, is_ready)
            time.sleep(0.08)
            if number % 2:
                bed.node.status(name, address, ready=False)
                rounds.append((address, ready, events.when(name, is_unready)))
            else:
                bed.plane.delete(bed.node.place(name))
                rounds.append((address, ready, events.when(name, is_ending)))
            time.sleep(0.08)
            bed.node.end(name)
        seen = load.stop()
        came = [first_change(seen, ready, {STAYS, address}) for address, ready, _ in rounds]
        went = [first_change(seen, out, {STAYS}) for _, _, out in rounds]
        clean = seen.count(WRONG) == seen.count(LOST) == 0
        figure = f"{seen}; answered p99 {percentile(came):.1f} ms, out p99 {percentile(went):.1f} ms of {count}"
        return figure, "0 wrong; <= 50 ms each", clean and percentile(came) <= 50 and percentile(went) <= 50


def row_k2(_):
    """kill -9 of a container's only process: out"""
    count = 40
    with Cgroups() as cgroups:
        if not cgroups.root:
            raise Skip("no cgroup v2 to write to")
        with pod_bed(cgroups=cgroups.root) as bed:
            load = load_of(bed, [STAYS, *(f"127.0.10.{number}" for number in range(1, count + 1))])
            killed = []
            for number in range(1, count + 1):
                name, address = f"p{number}", f"127.0.10.{number}"
                made = bed.node.pod(name, [address], "app-b", ready=None)
                container, process = cgroups.run(made["metadata"]["uid"], address, 8080)
                bed.node.status(name, address, container=container)
                bed.wait(sorted([STAYS, address]))
                time.sleep(0.05)
                killed.append(time.monotonic())
                kill(process)
                bed.wait([STAYS])
                bed.node.end(name)
            seen = load.stop()
    out = [first_change(seen, when, {STAYS}) for when in killed]
    clean = seen.count(WRONG) == seen.count(LOST) == 0
    return (f"{seen}; out p50 {percentile(out, 0.5):.1f} ms, p99 {percentile(out):.1f} ms of {count}",
            "0 wrong; p99 <= 25 ms", clean and percentile(out) <= 25)


def row_b15(_):
    """an address goes from pod to pod: of a job that ended, of a pod that is being deleted, of one that is gone"""
    count, address = 30, "127.0.10.1"
    with pod_bed() as bed:
        events, taken = Events(bed.plane), []
        load = load_of(bed, [STAYS, address])
        for number in range(count):
            old, new = f"old{number}", f"new{number}"
            bed.node.pod(old, [address], "app-b")
            bed.wait([STAYS, address])
            if number % 3 == 0:
                bed.node.status(old, address, ready=False, phase="Succeeded")
            elif number % 3 == 1:
                bed.plane.delete(bed.node.place(old))
            else:
                bed.node.end(old)
            bed.node.pod(new, [address], "other")
            taken.append(events.when(new, is_ready))
            bed.wait([address], "other.shop")
            bed.wait([STAYS])
            time.sleep(0.05)
            freed = time.monotonic()
            taken[-1] = (taken[-1], freed)
            for name in (old, new) if number % 3 != 2 else (new,):
                bed.node.end(name)
        seen = load.stop()
        late = [when - begin for begin, end in taken for when, found in seen.changes
                if begin + 0.05 < when < end and address in found]
        wrong = len(late) + seen.count(WRONG) + seen.count(LOST)
        return (f"{seen}; {count} hand-overs, {len(late)} answers of the old owner more than 50 ms after the API's event",
                "0", wrong == 0)


def row_b16(_):
    """a pod is deleted with grace: out, unless nobody else is left"""
    count = 30
    with pod_bed() as bed:
        events, ended = Events(bed.plane), []
        load = load_of(bed, [STAYS, *(f"127.0.10.{number}" for number in range(1, count + 1))])
        for number in range(1, count + 1):
            name, address = f"p{number}", f"127.0.10.{number}"
            bed.node.pod(name, [address], "app-b")
            bed.wait(sorted([STAYS, address]))
            bed.plane.delete(bed.node.place(name))
            ended.append(events.when(name, is_ending))
            bed.wait([STAYS])
            bed.node.end(name)
        bed.plane.delete(bed.node.place("stays"))
        time.sleep(1)
        seen = load.stop()
        out = [first_change(seen, when, {STAYS}) for when in ended]
        clean = seen.count(WRONG) == seen.count(LOST) == 0
        last = bed.answers() == [STAYS]
        return (f"{seen}; out p99 {percentile(out):.1f} ms of {count}; the last one is {'' if last else 'not '}answered",
                "0 wrong; <= 50 ms; answered", clean and last and percentile(out) <= 50)


class Trouble:
    """B17: one fault after the other, and how long it takes afterwards until a new pod is answered."""

    def __init__(self, bed):
        self.bed, self.took, self.number = bed, {}, 0

    def after(self, what, fault, well=lambda: None):
        self.number += 1
        fault()
        address, name = f"127.0.11.{self.number}", f"news{self.number}"
        self.bed.node.pod(name, [address], name)
        well()
        begun = time.monotonic()
        self.bed.wait([address], f"{name}.shop")
        self.took[what] = time.monotonic() - begun

    def rule(self, *rules):
        """The next requests meet these, and the connection breaks; until all have happened."""
        for rule in rules:
            self.bed.proxy.rule(*rule)
        self.bed.proxy.cut_all()
        eventually(lambda: self.bed.proxy.left() == 0, "the fault has happened", timeout=60)

    def away(self, seconds):
        self.bed.proxy.end()
        time.sleep(seconds)

    def revoke(self):
        """The agent's token is of a pod that is gone; the API server believes it for 10 s more."""
        name = list(self.bed.tokens)[-1]
        self.bed.plane.delete(f"/api/v1/namespaces/meshdns/pods/{name}", grace=0)
        eventually(lambda: self.bed.plane.request("GET", PODS + "?limit=1", token=self.bed.tokens[name])[0] == 401, "401")
        self.bed.proxy.cut_all()
        time.sleep(3)

    def restart(self):
        plane = self.bed.plane
        plane.kill("kube-apiserver")
        plane.put_many([(f"pods/past/p-{number}", pod_object(f"p-{number}", "past", "nowhere")) for number in range(50)])
        plane.begin_api()

    def many(self, count):
        status, entries = status_object([], ready=False, phase="Pending"), []
        for number in range(count):
            pod = pod_object(f"m-{number}", "many", "n1")
            pod["metadata"] |= {"uid": f"00000000-0000-0000-0000-{number:012}", "creationTimestamp": now()}
            entries.append((f"pods/many/m-{number}", pod | {"status": status}))
        self.bed.plane.put_many(entries)
        self.rule(("/pods", faults.in_band(410)))


def row_b17(arguments):
    """the API server is away, forgets, refuses, breaks off, is slow, revokes tokens, has a long list"""
    with pod_bed(proxied=True) as bed:
        load = load_of(bed, [STAYS], rate=1000)
        trouble = Trouble(bed)
        trouble.after(f"away {arguments.away} s", lambda: trouble.away(arguments.away), bed.proxy.begin)
        trouble.after("killed, 410", trouble.restart)
        for code in (410, 500, 504):
            trouble.after(f"in-band {code}", lambda: trouble.rule(("/pods", faults.in_band(code))))
        trouble.after("429", lambda: trouble.rule(("/pods", faults.refuse(429, retry_after=1), 2)))
        trouble.after("cut", lambda: trouble.rule(("/pods", faults.in_band(410)), ("Initial", faults.cut(900), 2)))
        bed.proxy.rule("Initial", faults.slow(97, 0.002), None)
        trouble.after("slow", lambda: trouble.rule(("/pods", faults.in_band(410))))
        bed.proxy.clear()
        trouble.after("token revoked", trouble.revoke, bed.renew_token)
        trouble.after(f"{arguments.pods} pods", lambda: trouble.many(arguments.pods))
        seen = load.stop()
    worst = max(trouble.took, key=trouble.took.get)
    changes = len(seen.changes) - 1
    return (f"{seen}; {len(trouble.took)} faults, {changes} changed answers; the slowest to come back: {worst}, "
            f"{trouble.took[worst]:.1f} s", "0 wrong; 0; <= 5 s",
            seen.count(WRONG) == seen.count(LOST) == changes == 0 and seen.count(RIGHT) > 0 and trouble.took[worst] <= 5)


ROWS = {"B15": row_b15, "B16": row_b16, "B17": row_b17, "K1": row_k1, "K2": row_k2}
