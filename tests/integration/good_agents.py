"""Agents that behave well while others do not."""
import threading
import time

from raw_agent import RawAgent, SentAway
from raw_call import Ended


class GoodAgents:
    """So many agents that are welcomed when this is made, and show each half second that they live.

    each: called all the time: a daemon whose log nobody reads stands still
    """

    def __init__(self, server, count, each=lambda: None):
        self.server, self.each = server, each
        self.agents = [RawAgent(server, f"good{number}") for number in range(count)]
        self.lost = []  # why sessions ended
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self.live, daemon=True)
        self.thread.start()

    def live(self):
        due = time.monotonic()
        while not self.ending.wait(0.01):
            self.each()
            if time.monotonic() < due:
                continue
            due = time.monotonic() + 0.5
            for agent in list(self.agents):
                try:
                    agent.call.pump(0)
                    agent.sign_of_life()
                except (Ended, OSError) as why:
                    self.lost.append(str(why))
                    self.agents.remove(agent)

    def newcomer(self, name, patience=60):
        """Seconds until another agent is welcomed; infinite if none is. It comes back when it was told to."""
        begun = time.monotonic()
        while time.monotonic() < begun + patience:
            try:
                RawAgent(self.server, name).close()
                return time.monotonic() - begun
            except SentAway as away:
                time.sleep(away.retry_after)
            except (Ended, OSError):
                time.sleep(0.1)
        return float("inf")

    def close(self):
        self.ending.set()
        self.thread.join()
        for agent in self.agents:
            agent.close()
