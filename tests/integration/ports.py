"""Ports for what has to know its port before it is bound."""
import os
import random
import socket

# Below the range from which the kernel takes ports itself: whoever binds port 0 or connects takes none of these.
FIRST, LAST = 10000, 32000
_random = random.Random(f"{os.getpid()} {random.SystemRandom().random()}")


def free_port(address="127.0.0.1"):
    """A port that is free for UDP and TCP at this address of loopback."""
    for _ in range(100):
        port = _random.randrange(FIRST, LAST)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, socket.socket() as tcp:
            tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                udp.bind((address, port))
                tcp.bind((address, port))
                return port
            except OSError:
                continue
    raise OSError("no free port")
