"""One kill -9, from the signal to the changed answer; the times of the agent are those of its log."""
import datetime
import re
import time
from dataclasses import dataclass

import wire
from layout import DNS_PORT, HOST

WORST_CACHE = 5  # seconds: the TTL that a client may have got just before
LINE = re.compile(r"^(\S+Z) \w+ (.*)$")


@dataclass
class Timeline:
    """Milliseconds since the kill; event is None where the kernel's events are not to be had."""
    event: float
    verdict: float
    answer: float

    def text(self):
        event = "no socket event" if self.event is None else f"+{self.event:.1f} ms socket event"
        return (f"t+0 kill -9 | {event} | +{self.verdict:.1f} ms verdict | +{self.answer:.1f} ms dig changed | "
                f"worst cached client +{WORST_CACHE} s")

    def in_order(self):
        steps = [step for step in (self.event, self.verdict, self.answer) if step is not None]
        return steps == sorted(steps)


def log_times(text, since):
    """(seconds since the epoch, message) of the lines written since then."""
    for line in text.splitlines():
        found = LINE.match(line)
        if not found:
            continue
        when = datetime.datetime.fromisoformat(found[1].replace("Z", "+00:00")).timestamp()
        if when >= since:
            yield when, found[2]


def first(lines, words):
    for when, message in lines:
        if message.startswith(words):
            return when
    return None


def measure(demo, name, cluster, expected, patience=20):
    begun = demo.kill_backend(name)
    end = time.monotonic() + patience
    while wire.ask(cluster.dns, DNS_PORT, HOST) != expected:
        if time.monotonic() > end:
            raise SystemExit(f"the answer did not change in {patience} s")
    changed = time.time()
    time.sleep(0.05)  # the log's lines reach the file
    lines = list(log_times(demo.processes.log(f"agent-{name}"), begun))
    event, verdict = first(lines, "socket event"), first(lines, "endpoint failing")
    if verdict is None:
        raise SystemExit(f"the agent's log has no verdict:\n{demo.processes.log(f'agent-{name}')}")
    since = lambda when: None if when is None else max(0.0, (when - begun) * 1000)
    return Timeline(since(event), since(verdict), (changed - begun) * 1000)
