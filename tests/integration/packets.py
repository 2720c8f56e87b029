"""DNS messages as bytes, right and wrong ones, and the reading of replies."""
import struct

import dns.flags
import dns.message

HEADER, QR, AA, TC, RD, RA, Z, AD, CD = 12, 0x8000, 0x0400, 0x0200, 0x0100, 0x0080, 0x0040, 0x0020, 0x0010
IN, CH, NONE, ANY = 1, 3, 254, 255
OPT = 41
DO = 0x8000
SUBNET, EDE = 8, 15


def header(ident=0x1234, flags=0, counts=(1, 0, 0, 0)):
    return struct.pack("!6H", ident, flags, *counts)


def wire_name(text):
    labels = [label.encode() for label in text.rstrip(".").split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def question(name="api.mesh.internal", kind=1, qclass=IN):
    return (name if isinstance(name, bytes) else wire_name(name)) + struct.pack("!2H", kind, qclass)


def opt(options=b"", size=1232, version=0, flags=0, owner=b"\0", length=None):
    """An OPT record; `length` lies about its options."""
    size_of = len(options) if length is None else length
    return owner + struct.pack("!2H2B2H", OPT, size, 0, version, flags, size_of) + options


def option(code, data=b""):
    return struct.pack("!2H", code, len(data)) + data


def subnet(family, source, address, scope=0):
    return option(SUBNET, struct.pack("!H2B", family, source, scope) + address)


def record(kind=1, rdata=b"\x0a\0\0\1", owner=b"\xc0\x0c", qclass=IN, ttl=60):
    return owner + struct.pack("!2HIH", kind, qclass, ttl, len(rdata)) + rdata


def query(name="api.mesh.internal", kind=1, qclass=IN, ident=0x1234, flags=0, edns=b""):
    """A query, with an OPT record if `edns` is one."""
    return header(ident, flags, (1, 0, 0, 1 if edns else 0)) + question(name, kind, qclass) + edns


def framed(packet):
    return struct.pack("!H", len(packet)) + packet


def parsed(reply):
    """A reply must be one message from its first to its last byte. dnspython knows other rules for UPDATE and nothing
    of some opcodes: it gets to see a QUERY."""
    message = dns.message.from_wire(reply[:2] + bytes([reply[2] & 0x87]) + reply[3:])
    assert message.flags & dns.flags.QR, message
    return message


def opcode_of(reply):
    return reply[2] >> 3 & 15


def flags_of(reply):
    """The flags of a reply without QR, opcode and rcode."""
    return struct.unpack("!H", reply[2:4])[0] & 0x07F0


def read_frame(sock):
    """One message of a TCP stream; None at its end."""
    head = read_exactly(sock, 2)
    return head and read_exactly(sock, struct.unpack("!H", head)[0])


def read_exactly(sock, size):
    data = b""
    while len(data) < size:
        more = sock.recv(size - len(data))
        if not more:
            return None
        data += more
    return data
