"""Protobuf messages without their schema: numbers of fields and what they hold."""

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


def read_fields(message):
    """(number, kind, value) of each field; a varint's value is a number, others are bytes.

    A message that is cut off or of a kind that is not known is a ValueError.
    """
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            if at >= len(message):
                raise ValueError("cut off")
            byte = message[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(message):
        key = varint()
        number, kind = key >> 3, key & 7
        if kind == VARINT:
            yield number, kind, varint()
            continue
        if kind not in (FIXED64, BYTES, FIXED32):
            raise ValueError(f"wire type {kind}")
        size = varint() if kind == BYTES else {FIXED64: 8, FIXED32: 4}[kind]
        if at + size > len(message):
            raise ValueError("cut off")
        yield number, kind, message[at:at + size]
        at += size
