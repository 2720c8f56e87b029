"""Attackers as agents, replicas and operators: each makes one call and says what it got."""
import socket

from attack_table import ACCEPTED, every, last
from protobuf_wire import read_fields
from raw_agent import RawAgent, field, fields
from raw_call import Ended, RawCall

GOODBYE = {2: "ALREADY_EXISTS", 3: "OVERLOADED", 4: "PROTOCOL_ERROR", 5: "REPLACED", 6: "FORGOTTEN", 7: "NOT_ALLOWED"}
NACK = {1: "INVALID", 2: "NOT_ALLOWED", 3: "OVER_QUOTA", 4: "CONFLICT"}
MODES = {"UNSPECIFIED": 0, "REPLICA": 1, "PEER": 2, "SIBLING": 3}
HOME = ("address=10.7.0.7", "prefix=10.7.1.0/24")  # what the node of `list` claims
WAITS = 2.5  # seconds: longer than the holder of a node has to show that it lives


def packed(text):
    """The bytes of an address; those of raw:0a00 as they are."""
    if text.startswith("raw:"):
        return bytes.fromhex(text[4:])
    return socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)


def goodbye_text(encoded):
    said = fields(encoded)
    return f"{GOODBYE.get(said.get(1), said.get(1))}: {said.get(3, b'').decode()}"


def nack_text(encoded):
    said = fields(encoded)
    return f"{NACK.get(said.get(4), said.get(4))}: {said.get(3, b'').decode()}: {said.get(5, b'').decode()}"


def hello_of(cluster, node, words):
    """An encoded Hello. addresses=N, prefixes=N: so many of each."""
    place = field(5, last(words, "cluster", cluster)) + field(6, last(words, "place", node))
    place += b"".join(field(number, last(words, name)) for number, name in enumerate(("network", "region", "zone"), 1)
                      if every(words, name))
    addresses = every(words, "address") + [f"10.50.0.{n + 1}" for n in range(int(last(words, "addresses", "0")))]
    prefixes = every(words, "prefix") + [f"10.51.{n}.0/24" for n in range(int(last(words, "prefixes", "0")))]
    said = field(1, node) + field(2, place)
    said += b"".join(field(3, packed(text)) for text in addresses) + b"".join(field(4, text) for text in prefixes)
    return (field(1, int(last(words, "protocol", "1"))) + field(2, said) + field(3, last(words, "uid", "an installation"))
            + field(4, last(words, "boot", "a boot")))


def endpoint_of(words, key):
    """An encoded Endpoint that serves. labels=N, ports=N: so many of each."""
    labels = [tuple(text.split(":", 1)) for text in every(words, "label")]
    labels += [(f"l{n}", "x") for n in range(int(last(words, "labels", "0")))]
    ports = range(8080, 8080 + int(last(words, "ports", "1")))
    out = field(1, key) + field(2, last(words, "uid")) + field(3, last(words, "source", "raw"))
    out += field(4, last(words, "namespace", "bench")) + field(5, last(words, "service", "web"))
    out += b"".join(field(6, field(1, name) + field(2, value)) for name, value in labels)
    out += b"".join(field(7, packed(text)) for text in every(words, "at") or ["10.7.0.7"])
    kind = field(3, last(words, "protocol", "TCP")) + field(4, last(words, "app"))
    out += b"".join(field(8, field(1, last(words, "port", f"p{port}")) + field(2, port) + kind) for port in ports)
    return out + field(9, int(last(words, "weight", "1"))) + field(10, field(1, 2) + field(5, last(words, "detail")))


class Reporter(RawAgent):
    """An agent that says what its words say. `gone` is the Goodbye that it got instead of a Welcome; empty = none."""

    def __init__(self, server, cluster, node, words, patience=20, **options):
        self.call = RawCall(server, "Report", **options)
        self.sequence = self.epoch = 0
        self.gone = ""
        try:
            self.say(3, hello_of(cluster, node, words))
            while not self.epoch and not self.gone:
                reply = fields(self.call.receive(patience))
                self.gone = goodbye_text(reply[6]) if 6 in reply else ""
                self.epoch = fields(reply[1])[1] if 1 in reply else 0
        except Ended:
            self.close()
            raise

    def say(self, kind, body):
        """Unlike RawAgent's, this keeps all replies for refusals()."""
        self.sequence += 1
        head = field(1, self.epoch) + field(2, self.sequence) if self.epoch else b""
        self.call.send(head + field(kind, body))

    def refusals(self):
        """All that was refused until the last message is acknowledged, as texts."""
        out = []
        while True:
            reply = fields(self.call.receive())
            if 6 in reply:
                return out + [goodbye_text(reply[6])]
            if 2 not in reply:
                continue
            out += [nack_text(value) for number, _, value in read_fields(reply[2]) if number == 2]
            if fields(reply[2]).get(1) == self.sequence:
                return out

    def leave(self):
        """Withdraws all of the node, so that the next case finds nothing of it."""
        try:
            self.say(9, field(1, 1))
            while True:
                self.call.receive(5)
        except Ended:
            self.close()


def outcome_of(session, ask):
    """What a session got for what `ask` says; it leaves nothing behind."""
    try:
        refused = [session.gone] if session.gone else ask(session)
    finally:
        if session.epoch:
            session.leave()
        else:
            session.close()
    return "; ".join(refused) if refused else ACCEPTED


def report(server, words, **options):
    """report CLUSTER/NODE, with address=, prefix= and the like."""
    cluster, _, node = words[0].partition("/")

    def ask(session):
        session.sign_of_life()
        return session.refusals()
    return outcome_of(Reporter(server, cluster, node, words[1:], **options), ask)


def list_endpoints(server, words, **options):
    """list, with at=, service= and the like; count=N: so many endpoints. The node is eu-1/n7 or node=."""
    def ask(session):
        session.send_full(endpoint_of(words, last(words, "key", f"k{n}")) for n in range(int(last(words, "count", "1"))))
        return session.refusals()
    home = every(words, "claims") and [text.replace(":", "=", 1) for text in every(words, "claims")] or HOME
    return outcome_of(Reporter(server, "eu-1", last(words, "node", "n7"), home, **options), ask)


def take_over(server, words, **options):
    """take-over CLUSTER/NODE: a Hello for a node whose agent is connected. It says when nothing has come for a while."""
    cluster, _, node = words[0].partition("/")
    try:
        session = Reporter(server, cluster, node, words[1:], patience=WAITS, **options)
    except Ended as why:
        if str(why) == "silent":
            return "it waits for the lease"
        raise
    return outcome_of(session, lambda _: [])


def watch(server, words, **options):
    """watch MODE; again=MODE: a second Subscribe after the first."""
    call = RawCall(server, "Watch", **options)
    try:
        for mode, replies in [(words[0], 1), *((mode, 5) for mode in every(words, "again"))]:
            call.send(field(1, field(1, MODES[mode])))
            for _ in range(replies):
                reply = fields(call.receive())
                if 3 in reply:
                    return goodbye_text(reply[3])
        return ACCEPTED
    finally:
        call.close()
