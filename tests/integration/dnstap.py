"""A dnstap receiver: Frame Streams over a unix socket (bidirectional), and protobuf read by hand."""
import os
import socket
import struct
import threading

from protobuf_wire import FIXED32, FIXED64, read_fields

ACCEPT, START, STOP, READY, FINISH = 1, 2, 3, 4, 5
CONTENT_TYPE = b"protobuf:dnstap.Dnstap"
AUTH_QUERY, AUTH_RESPONSE = 1, 2
UDP, TCP = 1, 2


def fields(data):
    """{number: value} of a protobuf message whose fields come once: numbers, or bytes."""
    out = {}
    for number, kind, value in read_fields(data):
        if number in out:
            raise ValueError(f"field {number} twice")
        if kind == FIXED64:
            raise ValueError(f"wire type {kind}")
        out[number] = struct.unpack("<I", value)[0] if kind == FIXED32 else value
    return out


class Message:
    """One dnstap message, as the schema numbers its fields."""

    def __init__(self, frame):
        outer = fields(frame)
        if outer[15] != 1:
            raise ValueError("no message")
        self.identity, self.version = outer[1].decode(), outer[2].decode()
        inner = fields(outer[14])
        self.type, self.family, self.protocol = inner[1], inner[2], inner[3]
        self.client, self.server = (inner[4], inner[6]), (inner[5], inner[7])
        self.asked_at = inner[8] + inner.get(9, 0) / 1e9
        self.answered_at = inner[12] + inner.get(13, 0) / 1e9 if 12 in inner else None
        self.query, self.response = inner.get(10), inner.get(14)


class Receiver:
    """Listens at `path` until close(); what came is in `messages`, and how the stream began and ended in `control`."""

    def __init__(self, path, accepts=True, reads=True):
        self.path, self.accepts, self.reads = path, accepts, reads
        self.messages, self.control, self.problem = [], [], None
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(path)
        self.listener.listen()
        self.connections = []
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while True:
            try:
                connection = self.listener.accept()[0]
            except OSError:
                return
            self.connections.append(connection)
            try:
                if self.accepts:
                    self.serve(connection)
            except (ConnectionError, OSError):
                pass
            except (ValueError, KeyError, AssertionError) as problem:
                self.problem = repr(problem)

    def serve(self, connection):
        stream = connection.makefile("rb")
        self.expect(stream, READY)
        connection.sendall(self.frame(ACCEPT))
        self.expect(stream, START)
        while self.reads:
            size = struct.unpack(">I", self.exactly(stream, 4))[0]
            if size > 0:
                self.messages.append(Message(self.exactly(stream, size)))
                continue
            kind, content = self.read_control(stream)
            if (kind, content) != (STOP, b""):
                raise ValueError(f"control frame {kind} {content}")
            self.control.append(STOP)
            connection.sendall(struct.pack(">III", 0, 4, FINISH))
            return

    @staticmethod
    def frame(kind):
        return struct.pack(">IIIII", 0, 12 + len(CONTENT_TYPE), kind, 1, len(CONTENT_TYPE)) + CONTENT_TYPE

    @staticmethod
    def exactly(stream, size):
        data = stream.read(size)
        if len(data) < size:
            raise ConnectionError("ended")
        return data

    def read_control(self, stream):
        size = struct.unpack(">I", self.exactly(stream, 4))[0]
        data = self.exactly(stream, size)
        return struct.unpack(">I", data[:4])[0], data[4:]

    def expect(self, stream, kind):
        if self.exactly(stream, 4) != bytes(4):
            raise ValueError("no control frame")
        got = self.read_control(stream)
        if got != (kind, struct.pack(">II", 1, len(CONTENT_TYPE)) + CONTENT_TYPE):
            raise ValueError(f"control frame {got} instead of {kind}")
        self.control.append(kind)

    def close(self):
        """As a receiver that is killed: nothing is said."""
        for each in (self.listener, *self.connections):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            each.close()
        self.thread.join(10)
        if os.path.exists(self.path):
            os.unlink(self.path)
