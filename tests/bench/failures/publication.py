"""H: what a failure waits for while much else is being published."""
import subprocess
import sys
import threading
import time

from bed import AGENT, FailureBed, clean
from mesh import eventually
from raw_agent import RawAgent
from raw_call import Ended

CLUSTERS = 100
SERVICES = 2000
PER_SERVICE = 10  # endpoints, each in another cluster
KILLS = 20
LISTENER = """import socket, sys
listener = socket.create_server((sys.argv[1], int(sys.argv[2])))
while True:
    listener.accept()[0].close()
"""
ENDPOINT = """\
  - {{service: k{number}, namespace: kills, address: {address}, ports: [{{name: http, number: {port}}}],
     checks: [{{tcp: {{port: http}}, interval: 5s}}]}}
"""
PORT = 8100
STAYING = "127.7.1.1"


class Victims:
    """Services k0, k1, ... of two endpoints each, one of which is going to be killed; on node n2."""

    def __init__(self, bed):
        self.bed = bed
        self.listeners = [self.listen(self.address(number)) for number in range(KILLS)]
        self.staying = self.listen(STAYING)
        entries = "".join(ENDPOINT.format(number=number, address=address, port=PORT)
                          for number in range(KILLS) for address in (self.address(number), STAYING))
        bed.write("n2/all.yaml", "endpoints:\n" + entries)
        bed.write("n2.yaml", AGENT.format(node="n2", address=STAYING, folder=bed.folder, server=bed.federation_at))
        bed.start_agent(2)
        for number in range(KILLS):
            bed.wait_answer(self.name(number), sorted([self.address(number), STAYING]))

    def listen(self, address):
        process = subprocess.Popen([sys.executable, "-c", LISTENER, address, str(PORT)])
        self.bed.callback(process.kill)
        return process

    @staticmethod
    def address(number):
        return f"127.7.0.{number + 1}"

    @staticmethod
    def name(number):
        return f"k{number}.kills.mesh.internal"

    def kill(self, number):
        """Seconds until the replica answers without it."""
        self.listeners[number].kill()
        begun = time.monotonic()
        while self.address(number) in (self.bed.answer(self.name(number)) or [self.address(number)]):
            if time.monotonic() > begun + 20:
                break
            time.sleep(0.002)
        return time.monotonic() - begun


class Fleet(threading.Thread):
    """Agents of as many clusters, one after the other, so that what they report warms up; they live until end()."""

    def __init__(self, bed):
        super().__init__(daemon=True)
        self.bed, self.agents, self.lost = bed, [], 0
        self.stopping, self.complete = threading.Event(), threading.Event()
        self.start()

    def run(self):
        for cluster in range(CLUSTERS):
            agent = self.welcomed(cluster)
            services = [number for number in range(SERVICES) if (number - cluster) % CLUSTERS < PER_SERVICE]
            agent.send_full([agent.endpoint(f"x{number}", f"x{number}", f"127.6.{cluster}.{number % 250 + 2}", number + 1)
                             for number in services])
            self.agents.append(agent)
            self.sign_of_life()
        self.complete.set()
        while not self.stopping.wait(0.5):
            self.sign_of_life()

    def welcomed(self, cluster):
        """An agent's session, however often a busy federation puts it off."""
        for _ in range(100):
            try:
                return RawAgent(self.bed.federation_at, f"r{cluster}", f"c{cluster}", f"127.6.{cluster}.1")
            except (KeyError, Ended):
                if self.stopping.wait(0.5):
                    break
        raise AssertionError(f"agent {cluster} is never welcomed")

    def sign_of_life(self):
        for agent in list(self.agents):
            try:
                agent.sign_of_life()
            except OSError:
                self.lost += 1
                self.agents.remove(agent)

    def end(self):
        self.stopping.set()
        self.join(60)
        for agent in self.agents:
            agent.close()


def row_h4(_):
    """20 kills while 200,000 answer sets go through slow start"""
    with FailureBed() as bed:
        bed.begin()
        victims = Victims(bed)
        fleet = Fleet(bed)
        eventually(fleet.complete.is_set, "all agents are welcomed", timeout=120)
        times, published = [], bed.metric("replica", "meshdns_answers_publications_total")
        for number in range(KILLS):
            times.append(victims.kill(number))
            bed.wait(1)
        hosts = bed.metric("replica", "meshdns_answers_hosts")
        published = bed.metric("replica", "meshdns_answers_publications_total") - published
        fleet.end()
        seen = bed.seen()
        return (f"{seen}; {hosts:.0f} hosts in {CLUSTERS} clusters, {published:.0f} publications, {fleet.lost} agents lost; "
                f"kill to changed answer p50 {1000 * sorted(times)[KILLS // 2]:.0f} ms, at most {1000 * max(times):.0f} ms",
                "0 wrong; <= 100 ms", clean(seen) and hosts > SERVICES and max(times) <= 0.1)


ROWS = {"H4": row_h4}
