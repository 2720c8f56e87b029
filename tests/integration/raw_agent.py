"""An agent made of bytes, which reports as much as a test wants. Numbers of fields: proto/meshdns/v1."""
import socket
import uuid

from protobuf_wire import read_fields
from raw_call import Ended, RawCall

PART = 500000  # bytes of endpoints in a message
SERVING = 2


def varint(value):
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def field(number, value):
    """A number as varint, text and bytes with their length."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, str):
        value = value.encode()
    return varint(number << 3 | 2) + varint(len(value)) + value


def fields(message):
    """{number: last value} of a message without groups."""
    return {number: value for number, _, value in read_fields(message)}


class SentAway(Exception):
    """The federation has said Goodbye instead of Welcome. retry_after: seconds"""

    def __init__(self, goodbye):
        said = fields(goodbye)
        retry = fields(said.get(2, b""))
        self.retry_after = retry.get(1, 0) + retry.get(2, 0) / 1e9
        super().__init__(said.get(3, b"").decode())


class RawAgent:
    """Welcomed when it is made, otherwise SentAway is raised. address: of its node; none = it has none; tls: see RawCall"""

    def __init__(self, server, node, cluster="one", address=None, tls=None):
        self.call = RawCall(server, "Report", tls=tls)
        self.sequence = self.epoch = 0
        locality = field(5, cluster) + field(6, node)
        addresses = field(3, socket.inet_aton(address)) if address else b""
        hello = field(1, 1) + field(2, field(1, node) + field(2, locality) + addresses) + field(3, uuid.uuid4().hex) + field(4, "b")
        try:
            self.say(3, hello)
            reply = fields(self.call.receive())
        except Ended:
            self.close()
            raise
        if 6 in reply:
            self.close()
            raise SentAway(reply[6])
        self.epoch = fields(reply[1])[1]

    @staticmethod
    def endpoint(key, service, address, port=8080):
        """An encoded Endpoint that serves."""
        return (field(1, key) + field(3, "raw") + field(4, "bench") + field(5, service)
                + field(7, socket.inet_aton(address)) + field(8, field(1, "http") + field(2, port)) + field(9, 1)
                + field(10, field(1, SERVING)))

    def say(self, kind, body):
        self.sequence += 1
        head = field(1, self.epoch) + field(2, self.sequence) if self.epoch else b""
        self.call.send(head + field(kind, body))
        self.call.messages.clear()  # acknowledgements

    def send_full(self, endpoints):
        part, body, size = 0, b"", 0
        for endpoint in endpoints:
            body += field(3, endpoint)
            size += len(endpoint)
            if size > PART:
                self.say(4, field(1, part) + body)
                part, body, size = part + 1, b"", 0
        source = field(4, field(1, "raw") + field(2, 1))
        self.say(4, field(1, part) + field(2, 1) + body + source)

    def send_delta(self, encoded):
        """encoded: field(1, endpoint) of each, joined"""
        self.say(5, encoded)

    def sign_of_life(self):
        self.say(5, b"")

    def close(self):
        self.call.close()
