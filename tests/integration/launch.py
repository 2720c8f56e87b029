"""A service manager's part in socket activation: sockets that stay open while daemons come and go (sd_listen_fds(3))."""
import socket
import sys

from ports import free_port

FIRST = 3
# $LISTEN_PID names the process that the sockets are for, which is known only between fork and exec. The copies are made
# above all numbers in question first, for a socket may have one of those already.
LAUNCH = """
import fcntl, os, sys
count = int(sys.argv[1])
high = [fcntl.fcntl(int(fd), fcntl.F_DUPFD, 100) for fd in sys.argv[2:2 + count]]
for number, fd in enumerate(high):
    os.dup2(fd, {first} + number)
    os.close(fd)
os.environ["LISTEN_PID"] = str(os.getpid())
os.environ["LISTEN_FDS"] = str(count)
os.execv(sys.argv[2 + count], sys.argv[2 + count:])
""".format(first=FIRST)


class Sockets:
    """UDP and TCP on one port of 127.0.0.1, as systemd opens them: non-blocking."""

    def __init__(self, udp=1):
        self.all = self.bind_pair()
        self.address = self.all[0].getsockname()
        for _ in range(udp - 1):
            more = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            more.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            more.bind(self.address)
            self.all.append(more)
        for one in self.all:
            one.setblocking(False)

    @staticmethod
    def bind_pair():
        for _ in range(100):
            udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            try:
                udp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                udp.bind(("127.0.0.1", free_port()))
                return [udp, socket.create_server(udp.getsockname())]
            except OSError:  # somebody was faster
                udp.close()
        raise OSError("no free port")

    def start(self, bed, binary, *words):
        """The daemon with these sockets."""
        numbers = [one.fileno() for one in self.all]
        return bed.start(sys.executable, "-c", LAUNCH, str(len(numbers)), *map(str, numbers), binary, *words,
                         pass_fds=numbers)

    def close(self):
        for one in self.all:
            one.close()
