"""Ports for what has to know its port before it is bound."""
import atexit
import os
import random
import socket

# Below the range from which the kernel takes ports itself: whoever binds port 0 or connects takes none of these.
FIRST, LAST = 10000, 32000
_random = random.Random(f"{os.getpid()} {random.SystemRandom().random()}")
_reserved = []  # while one of these is open, no other process of ours gets its port


def _reserve(port):
    """A name that one process can have at a time, and that the kernel frees with the process."""
    name = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        name.bind(f"\0meshdns-test-port-{port}")
    except OSError:
        name.close()
        return False
    _reserved.append(name)
    return True


@atexit.register
def _free():
    for name in _reserved:
        name.close()


def free_port(address="127.0.0.1"):
    """A port that is free for UDP and TCP at this address of loopback, and that no other test is given."""
    for _ in range(100):
        port = _random.randrange(FIRST, LAST)
        if not _reserve(port):
            continue
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, socket.socket() as tcp:
            tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                udp.bind((address, port))
                tcp.bind((address, port))
                return port
            except OSError:
                continue
    raise OSError("no free port")
