"""Both daemons under a service manager: ready, status, reload with its result, watchdog, end."""
import ctypes
import os
import platform
import signal
import time
import unittest

from mesh import WAIT, Bed, addresses, ask
from supervisor import NotifySocket

MESHDNSD = """\
cluster: eu-1
locality: {{region: eu, zone: eu-a}}
zones: [{{name: mesh.internal}}]
dns: {{workers: "2", listen: [{{address: "127.0.0.1:0"}}]}}
federation: {{listen: "127.0.0.1:0", store: {{memory: {{}}}}}}
admin: {{listen: "127.0.0.1:0", socket: {folder}/meshdnsd.sock}}
"""
AGENT = """\
node: n1
cluster: eu-1
addresses: [127.0.0.11]
federation: {{servers: ["{federation}"]}}
admin: {{listen: "127.0.0.1:0", socket: {folder}/agent.sock}}
"""
ENDPOINTS = "endpoints: [{service: web, namespace: shop, ports: [{number: 8080}]}]\n"

PTRACE_ATTACH, PTRACE_DETACH, WALL = 16, 17, 0x40000000
MANY = 300  # more hosts than the start waits for
MESH = "nodes: [{name: n1, cluster: eu-1, addresses: [127.0.0.11], endpoints: [" + ", ".join(
    f"{{service: s{i}, namespace: shop, ports: [{{number: 80}}]}}" for i in range(MANY)) + "]}]\n"
FILE_MODE = """\
cluster: eu-1
roles: [dns]
zones: [{{name: mesh.internal}}]
dns: {{workers: "2", listen: [{{address: "{dns}"}}], endpoints_file: mesh.yaml}}
admin: {{listen: "127.0.0.1:0", socket: {folder}/meshdnsd.sock}}
"""
RECVMMSG = {"x86_64": "299", "aarch64": "243"}.get(platform.machine())


class Stopped:
    """One thread of a process stands still."""

    def __init__(self, tid):
        self.tid = tid
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]

    def __enter__(self):
        if self.libc.ptrace(PTRACE_ATTACH, self.tid, None, None) != 0:
            raise unittest.SkipTest(f"no ptrace here: {os.strerror(ctypes.get_errno())}")
        os.waitpid(self.tid, WALL)

    def __exit__(self, *_):
        self.libc.ptrace(PTRACE_DETACH, self.tid, None, None)


def a_dns_worker(pid):
    """The id of a thread that waits for UDP packets."""
    end = time.monotonic() + WAIT
    while time.monotonic() < end:
        for tid in os.listdir(f"/proc/{pid}/task"):
            try:
                with open(f"/proc/{pid}/task/{tid}/syscall", encoding="ascii") as file:
                    if file.read().split()[0] == RECVMMSG:
                        return int(tid)
            except OSError as error:
                raise unittest.SkipTest(f"threads' system calls cannot be seen here: {error}") from error
    raise AssertionError("no thread waits for UDP packets")


class SupervisedTest(unittest.TestCase):
    def setUp(self):
        self.bed = self.enterContext(Bed())
        self.supervisor = NotifySocket(self.bed.path("notify"))
        self.addCleanup(self.supervisor.close)

    def start(self, binary, text, **environment):
        path = self.bed.write(binary + ".yaml", text)
        return self.bed.start(binary, "--config", path, env=self.supervisor.environment(**environment))

    def start_meshdnsd(self, **environment):
        return self.start("meshdnsd", MESHDNSD.format(folder=self.bed.folder), **environment)

    def test_meshdnsd_says_when_it_is_ready_and_when_it_ends(self):
        daemon = self.start_meshdnsd()
        self.assertEqual(self.supervisor.next(), {"READY": "1", "STATUS": "0 hosts, 0 agents, revision 0"})
        daemon.wait_line("ready")
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual(self.supervisor.next(), {"STOPPING": "1", "STATUS": "stopping"})
        self.assertEqual(self.supervisor.count("READY", 0.2), 0)

    def test_meshdnsd_cannot_start_and_says_nothing(self):
        first = self.start_meshdnsd()
        self.supervisor.next()
        address = "%s:%d" % first.address("dns listening")
        daemon = self.start("meshdnsd", MESHDNSD.format(folder=self.bed.path("second")).replace(
            '{address: "127.0.0.1:0"}', '{address: "%s"}' % address))
        daemon.wait_line("cannot start")
        daemon.process.wait(WAIT)
        self.assertEqual(daemon.stop(), 1)
        self.assertEqual(self.supervisor.count("READY", 0.2), 0)

    def test_with_many_hosts_it_is_ready_when_they_are_served(self):
        self.bed.write("mesh.yaml", MESH)
        daemon = self.start("meshdnsd", FILE_MODE.format(folder=self.bed.folder, dns="127.0.0.1:0"))
        told = self.supervisor.next()
        self.assertEqual((told["READY"], told["STATUS"].split(",")[0]), ("1", f"{MANY} hosts"))
        address = daemon.address("dns listening")
        for host in ("s0", f"s{MANY - 1}"):
            self.assertEqual(addresses(ask(address, host + ".shop.mesh.internal")), ["127.0.0.11"])

        self.bed.write("second/mesh.yaml", MESH)
        second = self.start("meshdnsd", FILE_MODE.format(folder=self.bed.path("second"), dns="%s:%d" % address))
        second.wait_line("cannot serve")
        second.process.wait(WAIT)
        self.assertEqual(second.stop(), 1)
        self.assertEqual(self.supervisor.count("READY", 0.2), 0)

    def test_meshdnsd_tells_what_became_of_a_reload(self):
        daemon = self.start_meshdnsd()
        self.supervisor.next()
        before = time.monotonic_ns() // 1000
        daemon.send_signal(signal.SIGHUP)
        begun = self.supervisor.next()
        self.assertEqual(begun["RELOADING"], "1")
        self.assertTrue(before <= int(begun["MONOTONIC_USEC"]) <= time.monotonic_ns() // 1000, begun)
        self.assertEqual(self.supervisor.next(), {"READY": "1", "STATUS": "reloaded: 0 hosts, 0 agents, revision 0"})
        self.bed.write("meshdnsd.yaml", MESHDNSD.format(folder=self.bed.folder) + "extra: 1\n")
        daemon.send_signal(signal.SIGHUP)
        self.assertIn("RELOADING", self.supervisor.next())
        ended = self.supervisor.next()
        self.assertEqual(ended["READY"], "1")
        self.assertRegex(ended["STATUS"], r"^reload failed, the old configuration stays: .*extra: unknown field")

    def test_status_follows_what_agents_say_at_most_once_a_second(self):
        daemon = self.start_meshdnsd()
        self.supervisor.next()
        agent_supervisor = NotifySocket(self.bed.path("agent-notify"))
        self.addCleanup(agent_supervisor.close)
        self.bed.write("endpoints.d/web.yaml", ENDPOINTS)
        server = "%s:%d" % daemon.address("federation listening")
        agent = self.bed.start("meshdns-agent", "--config",
                               self.bed.write("agent.yaml", AGENT.format(folder=self.bed.folder, federation=server)),
                               env=agent_supervisor.environment())
        self.assertEqual(agent_supervisor.next()["READY"], "1")
        agent_supervisor.wait(lambda message: message["STATUS"] == f"1 endpoint, federation {server}")
        self.supervisor.wait(lambda message: message["STATUS"].startswith("1 host, 1 agent, revision "))
        self.assertLessEqual(self.supervisor.count("STATUS", 2), 3)
        agent.send_signal(signal.SIGHUP)
        agent_supervisor.wait(lambda message: message.get("RELOADING") == "1")
        self.assertEqual(agent_supervisor.next(), {"READY": "1", "STATUS": f"reloaded: 1 endpoint, federation {server}"})
        self.assertEqual(daemon.stop(), 0)
        agent_supervisor.wait(lambda message: " not reached: " in message.get("STATUS", ""))
        self.assertEqual(agent.stop(), 0)
        agent_supervisor.wait(lambda message: message.get("STOPPING") == "1")

    def test_the_agent_feeds_its_watchdog_and_tells_a_failed_reload(self):
        agent = self.start("meshdns-agent", AGENT.format(folder=self.bed.folder, federation="127.0.0.1:1"),
                           WATCHDOG_USEC="500000")
        self.assertEqual(self.supervisor.next()["READY"], "1")
        self.assertGreaterEqual(self.supervisor.count("WATCHDOG", 2), 3)
        self.bed.write("meshdns-agent.yaml", "nodes: n1\n")
        agent.send_signal(signal.SIGHUP)
        self.supervisor.wait(lambda message: message.get("STATUS", "").startswith("reload failed, the old configuration"))

    def test_a_stuck_dns_thread_ends_the_signs_of_life(self):
        if RECVMMSG is None:
            self.skipTest(f"system calls of {platform.machine()} are not known here")
        daemon = self.start_meshdnsd(WATCHDOG_USEC="1000000")
        self.supervisor.next()
        self.assertGreaterEqual(self.supervisor.count("WATCHDOG", 3), 4)
        with Stopped(a_dns_worker(daemon.process.pid)):
            self.supervisor.count("WATCHDOG", 1.1)  # one round may still count
            self.assertEqual(self.supervisor.count("WATCHDOG", 2), 0)
            daemon.wait_line("a DNS thread stands still")
        self.supervisor.wait(lambda message: "WATCHDOG" in message)
        daemon.wait_line("all DNS threads go on")

    def test_a_watchdog_over_another_process_is_not_fed(self):
        self.start_meshdnsd(WATCHDOG_USEC="300000", WATCHDOG_PID="1")
        self.supervisor.next()
        self.assertEqual(self.supervisor.count("WATCHDOG", 1), 0)


if __name__ == "__main__":
    unittest.main()
