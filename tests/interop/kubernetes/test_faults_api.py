"""What the API server and the network before it do wrong changes no answer, and is over within seconds (docs/failures.md B17).

A load of 500 queries a second checks every answer from the beginning of each test to its end.
"""
import os
import sys
import time
import unittest

import kube_plane
import lab
from peers import ROOT

kube_plane.program()  # the namespaces have no way out
lab.enter()
sys.path.append(os.path.join(ROOT, "tests", "bench"))
import faults  # noqa: E402  (siblings that need none of the above)
from checking_client import LOST, RIGHT, WRONG, Load  # noqa: E402
from kubelet import now, pod_object, status_object  # noqa: E402
from mesh import eventually  # noqa: E402
from pod_bed import PodBed, install, route_pods  # noqa: E402

INITIAL = "sendInitialEvents=true"
STAYS = ["10.244.1.1", "10.244.1.2"]  # of the pods that no test touches
WELL = 5.0 * 10                       # seconds until all is as the API server says; tenfold, as every wait here
SILENCE = 400                         # of an open watch, 150 s, and more


def setUpModule():
    route_pods()


class FaultsTestCase(unittest.TestCase):
    flags = ()

    @classmethod
    def setUpClass(cls):
        cls.plane = cls.enterClassContext(kube_plane.ControlPlane(*cls.flags))
        install(cls.plane, "meshdns-agent")
        cls.plane.namespace("shop")

    def setUp(self):
        self.bed = self.enterContext(PodBed(self.plane, cgroups=self.plane.folder))
        self.bed.begin_federation()
        self.proxy = self.bed.proxy
        node = "n-" + self.id().rsplit(".", 1)[1].replace("_", "-")[5:40].strip("-")
        self.node, self.kubelet = node, self.bed.kubelet(node)
        for number, address in enumerate(STAYS):
            self.kubelet.pod(f"{node}-{number}", [address], "app-b")
        self.others = 0
        self.addCleanup(self.remove_pods)

    def begin(self):
        self.agent = self.bed.begin_agent(self.node)
        self.bed.wait(STAYS)
        self.load = Load(self.bed.dns, "app-b.shop.mesh.internal", STAYS, 500)
        self.addCleanup(self.load.stop)

    def remove_pods(self):
        self.plane.drop("pods/many/")
        for namespace in ("shop", "meshdns"):
            place = f"/api/v1/namespaces/{namespace}/pods"
            for pod in self.plane.get(f"{place}?fieldSelector=spec.nodeName%3D{self.node}")["items"]:
                self.plane.delete(f"{place}/{pod['metadata']['name']}", grace=0)

    def news(self, wait=True):
        """Something that happens, so that it shows whether the agent hears of it; gives what waits for that."""
        self.others += 1
        name, address = f"other-{self.others}", f"10.244.2.{self.others}"
        self.kubelet.pod(f"{self.node}-{name}", [address], name)
        heard = lambda: self.bed.wait([address], f"{name}.shop", timeout=SILENCE)
        if wait:
            heard()
        return heard

    def check_clean(self):
        seen = self.load.stop()
        self.assertEqual((seen.count(WRONG), seen.count(LOST)), (0, 0), seen.problems[:3])
        self.assertGreater(seen.count(RIGHT), 0)
        self.assertEqual([found for _, found in seen.changes], [set(STAYS)])

    def source(self):
        """What the agent says of its pods."""
        return next(each for each in self.bed.status(self.node)["sources"] if each["name"] == "kubernetes")

    def lists(self):
        return len(self.proxy.asked(INITIAL))


class FaultsTest(FaultsTestCase):
    def test_the_api_server_is_killed_and_its_history_is_lost(self):
        self.begin()
        self.news()
        before = self.lists()
        self.plane.kill("kube-apiserver")
        self.agent.wait_line("kubernetes watch fails")
        stored = [(f"pods/elsewhere/p-{number}", pod_object(f"p-{number}", "elsewhere", "nowhere")) for number in range(50)]
        self.plane.put_many(stored)  # the versions go on meanwhile, so that the new server has none of before
        self.plane.begin_api()
        self.agent.wait_line("kubernetes watch works again")
        self.news()
        self.assertGreater(self.lists(), before)  # 410
        self.check_clean()

    def test_errors_come_instead_of_a_watch(self):
        self.begin()
        for act in (faults.refuse(429, retry_after=1), faults.refuse(500), faults.refuse(503), faults.in_band(500),
                    faults.in_band(504), faults.in_band(410), faults.refuse(410), faults.lines('{"type":"ADDED","obj'),
                    faults.lines("\0\xff"), faults.cut(100), faults.cut(0)):
            self.proxy.rule("/api/v1/pods", act)
            self.proxy.cut_all()
            eventually(lambda: self.proxy.left() == 0, "the fault has happened", timeout=WELL)
            self.news()
        self.check_clean()

    def test_a_list_breaks_off_again_and_again(self):
        self.begin()
        for size in (200, 1500, 3000):
            self.proxy.rule(INITIAL, faults.cut(size))
        self.proxy.rule("/api/v1/pods", faults.in_band(410))
        self.proxy.cut_all()
        eventually(lambda: self.proxy.left() == 0, "the faults have happened", timeout=WELL)
        self.news()
        self.check_clean()

    def test_a_slow_answer_is_an_answer(self):
        self.begin()
        self.proxy.rule(INITIAL, faults.slow(97, 0.005), times=None)
        self.proxy.rule("/api/v1/pods", faults.in_band(410))
        self.proxy.cut_all()
        self.news()
        self.check_clean()

    def test_the_api_server_is_away(self):
        self.begin()
        self.proxy.end()
        heard = self.news(wait=False)
        self.agent.wait_line("kubernetes watch fails")
        time.sleep(float(os.environ.get("MESHDNS_AWAY", "10")))
        self.proxy.begin()
        begun = time.monotonic()
        heard()
        self.assertLess(time.monotonic() - begun, WELL)
        self.check_clean()

    def test_what_went_meanwhile_is_gone_afterwards(self):
        self.begin()
        self.kubelet.pod(f"{self.node}-gone", ["10.244.2.200"], "gone")
        self.bed.wait(["10.244.2.200"], "gone.shop")
        self.proxy.end()
        self.plane.delete(self.kubelet.place(f"{self.node}-gone"), grace=0)
        self.news(wait=False)
        self.assertEqual(self.bed.answers("gone.shop"), ["10.244.2.200"])
        self.proxy.begin()
        self.bed.wait([], "gone.shop")
        self.check_clean()

    def test_a_token_is_rotated(self):
        """The old one is worth nothing once its pod is gone; the API server remembers it for 10 s."""
        self.begin()
        old = next(iter(self.bed.tokens))
        self.bed.renew_token(self.node)
        self.plane.delete(f"/api/v1/namespaces/meshdns/pods/{old}", grace=0)
        eventually(lambda: self.plane.request("GET", "/api/v1/pods?limit=1", token=self.bed.tokens[old])[0] == 401,
                   "the old token is refused")
        self.proxy.cut_all()
        self.news()
        self.check_clean()

    def test_a_token_is_revoked(self):
        self.begin()
        old = next(iter(self.bed.tokens))
        self.plane.delete(f"/api/v1/namespaces/meshdns/pods/{old}", grace=0)
        eventually(lambda: self.plane.request("GET", "/api/v1/pods?limit=1", token=self.bed.tokens[old])[0] == 401,
                   "the old token is refused")
        self.proxy.cut_all()
        eventually(lambda: "401" in self.source()["error"], "the agent says what is wrong")
        heard = self.news(wait=False)
        self.bed.renew_token(self.node)
        heard()
        self.agent.wait_line("kubernetes watch works again")
        self.check_clean()

    def test_many_pods_in_the_list(self):
        count = int(os.environ.get("MESHDNS_PODS", "10000"))
        status = status_object([], ready=False, phase="Pending")
        entries = []
        for number in range(count):
            pod = pod_object(f"m-{number}", "many", self.node)
            pod["metadata"] |= {"uid": f"00000000-0000-0000-0000-{number:012}", "creationTimestamp": now()}
            entries.append((f"pods/many/m-{number}", pod | {"status": status}))
        self.plane.put_many(entries)
        self.begin()
        self.proxy.rule("/api/v1/pods", faults.in_band(410))
        self.proxy.cut_all()
        self.news()
        self.check_clean()


class SilenceTest(FaultsTestCase):
    """What takes the time that the server needs for a bookmark, a minute, or two of them."""

    def test_a_restored_store_is_silent(self):
        self.plane.save_etcd("saved")
        self.begin()
        self.plane.create("/api/v1/namespaces/shop/configmaps", {"metadata": {"name": "counter"}})
        for number in range(500):  # versions that the restored store will not reach soon
            self.plane.patch("/api/v1/namespaces/shop/configmaps/counter", {"data": {"number": str(number)}})
        self.news()
        before = self.lists()
        self.plane.restore_etcd("saved")
        self.agent.wait_line("kubernetes watch fails")
        self.news()
        self.assertGreater(self.lists(), before)
        self.check_clean()

    def test_a_link_is_silent(self):
        self.begin()
        self.proxy.silence()
        heard = self.news(wait=False)
        eventually(lambda: self.lists() > 1, "the agent asks anew", timeout=SILENCE)
        self.proxy.speak()
        self.proxy.cut_all()
        heard()
        self.check_clean()

    def test_a_bookmark_is_where_a_watch_goes_on(self):
        self.begin()
        other = self.bed.kubelet(self.node + "x", pods="10.244.9.0/24")
        versions = [int(other.pod(f"{self.node}x-{number}", ["10.244.9.1"])["metadata"]["resourceVersion"])
                    for number in range(5)]

        def resumed():
            """The version from which the watch goes on after a break."""
            self.proxy.cut_all()
            count = len(self.proxy.asked("resourceVersion="))
            eventually(lambda: len(self.proxy.asked("resourceVersion=")) > count, "a watch")
            return int(self.proxy.asked("resourceVersion=")[-1].split("resourceVersion=")[1].split("&")[0])

        time.sleep(70)  # a bookmark comes each minute
        self.assertGreaterEqual(resumed(), max(versions))
        self.assertEqual(self.lists(), 1)
        self.check_clean()


class WithoutWatchListTest(FaultsTestCase):
    """As 1.33 and all before 1.32: the initial list comes in pages."""

    flags = ("--feature-gates=WatchList=false",)

    def test_a_list_in_pages(self):
        for number in range(1100):
            self.kubelet.pod(f"{self.node}-p{number}", [], ready=None)
        self.proxy.rule("continue=", faults.refuse(500))
        self.begin()
        self.assertEqual(self.proxy.left(), 0)
        self.assertGreaterEqual(len(self.proxy.asked("continue=")), 3)
        self.news()
        self.proxy.rule("/api/v1/pods", faults.in_band(410))
        self.proxy.cut_all()
        self.news()
        self.check_clean()


if __name__ == "__main__":
    unittest.main()
