"""A gRPC call made of bytes: what no gRPC library would do (a message without end, a stream that nobody reads), and
reports at any rate. HTTP/2 as far as that needs it: RFC 9113; headers as literals, RFC 7541 6.2.2.
"""
import select
import socket
import ssl
import struct
import time
import urllib.parse

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
END_STREAM, END_HEADERS, ACK = 1, 4, 1
INITIAL_WINDOW = 65535
LARGE = 1 << 30
STATUS = {2: "UNKNOWN", 3: "INVALID_ARGUMENT", 5: "NOT_FOUND", 7: "PERMISSION_DENIED", 8: "RESOURCE_EXHAUSTED",
          9: "FAILED_PRECONDITION", 10: "ABORTED", 12: "UNIMPLEMENTED", 13: "INTERNAL", 14: "UNAVAILABLE"}


def frame(kind, flags, stream, payload=b""):
    return struct.pack("!I", len(payload))[1:] + struct.pack("!BBI", kind, flags, stream) + payload


def header(name, value):
    """A literal that is not indexed; both are shorter than 127 bytes."""
    return b"\0" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()


def value_of(block, name):
    """The value of a header in a block whose literals are neither indexed nor Huffman codes; None = it is not there."""
    at = block.find(bytes([len(name)]) + name)
    if at < 0:
        return None
    at += 1 + len(name)
    size, shift = block[at] & 127, 0
    at += 1
    if size == 127:  # RFC 7541 5.1
        while True:
            size += (block[at] & 127) << shift
            shift += 7
            at += 1
            if block[at - 1] < 128:
                break
    return block[at:at + size]


def outcome_of(trailers):
    """"PERMISSION_DENIED: why", or why nothing is known about the outcome."""
    code = int(value_of(trailers, b"grpc-status") or 0)
    if code == 0:
        return "the call was ended"
    return f"{STATUS.get(code, code)}: {urllib.parse.unquote((value_of(trailers, b'grpc-message') or b'').decode())}"


class Ended(Exception):
    """The peer has ended the call or the connection."""


class RawCall:
    """One bidirectional call on a connection of its own. A deaf one reads nothing after the preface.
    method: of the service Federation, or with the service's name: "Admin/List"
    tls: an SSLContext, without it the connection is plaintext; source: the address to come from
    """

    def __init__(self, server, method, deaf=False, tls=None, source=""):
        host, port = server.rsplit(":", 1)
        place = (source, 0) if source else None
        self.socket = socket.create_connection((host, int(port)), timeout=20, source_address=place)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_hostname=host)
        self.deaf, self.incoming, self.unread = deaf, b"", b""
        self.messages = []
        self.window = {0: INITIAL_WINDOW, 1: INITIAL_WINDOW}
        self.stream_window = INITIAL_WINDOW
        self.most_streams = None  # SETTINGS_MAX_CONCURRENT_STREAMS of the peer
        self.ended = None  # why
        path = method if "/" in method else "Federation/" + method
        fields = {":method": "POST", ":scheme": "https" if tls else "http", ":path": "/meshdns.v1." + path,
                  ":authority": server, "content-type": "application/grpc", "te": "trailers"}
        # SETTINGS_INITIAL_WINDOW_SIZE, and no SETTINGS_HEADER_TABLE_SIZE: so value_of() finds what the peer says
        settings = b"" if deaf else struct.pack("!HIHI", 4, LARGE, 1, 0)
        self.opening = b"".join(header(*field) for field in fields.items())
        try:
            self.begin(settings)
        except (Ended, OSError):
            self.close()
            raise

    def begin(self, settings):
        # before anything is read: the acknowledgement of the peer's settings comes after it
        self.socket.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0, settings))
        self.socket.setblocking(False)
        if not self.deaf:
            self.put(frame(WINDOW_UPDATE, 0, 0, struct.pack("!I", LARGE)))
        self.put(frame(HEADERS, END_HEADERS, 1, self.opening))

    def put(self, data):
        """Writes all of it, reading meanwhile what comes."""
        end = time.monotonic() + 30
        while data:
            self.pump(0)
            if self.ended:
                raise Ended(self.ended)
            if time.monotonic() > end:
                raise Ended("nothing is taken any more")
            if select.select([], [self.socket], [], 1)[1]:
                try:
                    data = data[self.socket.send(data):]
                except ssl.SSLWantReadError:
                    continue
                except OSError as error:
                    self.ended = str(error)

    def send(self, message):
        """One message, as far as the peer's window lets it."""
        self.send_bytes(struct.pack("!BI", 0, len(message)) + message)

    def send_bytes(self, data, timeout=30):
        end = time.monotonic() + timeout
        while data:
            room = min(self.window[0], self.window[1], 16384)
            if room <= 0:
                self.pump(0.2)
                if self.ended or time.monotonic() > end:
                    raise Ended(self.ended or "no room is given any more")
                continue
            part, data = data[:room], data[room:]
            for stream in (0, 1):
                self.window[stream] -= len(part)
            self.put(frame(DATA, 0, 1, part))

    def receive(self, timeout=20):
        """The next message of the peer."""
        end = time.monotonic() + timeout
        while not self.messages:
            if self.ended:
                raise Ended(self.ended)
            if time.monotonic() > end:
                raise Ended("silent")
            self.pump(0.2)
        return self.messages.pop(0)

    def pump(self, wait):
        """Reads what there is, waiting so long for the first byte."""
        if self.deaf or self.ended:
            return
        while self.decrypted() or select.select([self.socket], [], [], wait)[0]:
            try:
                data = self.socket.recv(1 << 18)
            except ssl.SSLWantReadError:
                return
            except OSError as error:
                data, self.ended = b"", str(error)
            if not data:
                self.ended = self.ended or "the connection was closed"
                return
            self.incoming += data
            self.take_frames()
            wait = 0

    def decrypted(self):
        """Whether there are bytes that the kernel does not know of any more."""
        return isinstance(self.socket, ssl.SSLSocket) and self.socket.pending() > 0

    def take_frames(self):
        while len(self.incoming) >= 9:
            size = int.from_bytes(self.incoming[:3], "big")
            if len(self.incoming) < 9 + size:
                return
            kind, flags, stream = struct.unpack("!BBI", self.incoming[3:9])
            payload, self.incoming = self.incoming[9:9 + size], self.incoming[9 + size:]
            self.take(kind, flags, stream, payload)

    def take(self, kind, flags, stream, payload):
        if kind == SETTINGS and not flags & ACK:
            for at in range(0, len(payload), 6):
                name, value = struct.unpack("!HI", payload[at:at + 6])
                if name == 3:
                    self.most_streams = value
                if name == 4:
                    self.window[1] += value - self.stream_window
                    self.stream_window = value
            self.socket.send(frame(SETTINGS, ACK, 0))
        elif kind == PING and not flags & ACK:
            self.socket.send(frame(PING, ACK, 0, payload))
        elif kind == WINDOW_UPDATE:
            self.window[stream] = self.window.get(stream, 0) + struct.unpack("!I", payload)[0]
        elif kind == DATA:
            self.take_data(payload)
        elif kind == HEADERS and flags & END_STREAM:
            self.ended = outcome_of(payload)
        elif kind == RST_STREAM:
            self.ended = self.ended or "the call was ended"
        elif kind == GOAWAY:
            self.ended = "the peer goes away"

    def take_data(self, payload):
        self.unread += payload
        while len(self.unread) >= 5:
            size = struct.unpack("!I", self.unread[1:5])[0]
            if len(self.unread) < 5 + size:
                break
            self.messages.append(self.unread[5:5 + size])
            self.unread = self.unread[5 + size:]
        if payload:
            for stream in (0, 1):
                self.socket.send(frame(WINDOW_UPDATE, 0, stream, struct.pack("!I", len(payload))))

    def close(self):
        self.socket.close()


def ask_once(server, method, request, **options):
    """The reply to a call of one request and one reply. Ended has the status and the reason of a refusal."""
    call = RawCall(server, method, **options)
    try:
        call.send(request)
        try:
            call.put(frame(DATA, END_STREAM, 1))
        except Ended:  # some replies come before the end of the request
            if not call.messages:
                raise
        return call.receive()
    finally:
        call.close()
