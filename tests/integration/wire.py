"""A TCP connection that a test can cut, or let fall silent."""
import select
import socket
import threading


class Wire:
    """A TCP relay to a federation that can be cut: connections end, and new ones are closed at once. Or it falls
    silent: connections stay, but nothing that is sent arrives any more, neither of old nor of new ones.
    """

    def __init__(self):
        self.target = None
        self.is_cut = self.is_silent = False
        self.pairs = []
        self.lost = []  # sockets of connections whose packets vanish for good
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.wake, self.woken = socket.socketpair()
        self.thread = threading.Thread(target=self.relay, daemon=True)
        self.thread.start()

    def cut(self):
        self.is_cut = True
        self.wake.send(b"x")

    def fall_silent(self):
        self.is_silent = True
        self.wake.send(b"x")

    def mend(self):
        self.is_cut = self.is_silent = False

    def close(self):
        self.wake.send(b"q")
        self.thread.join()
        for one in (self.listener, self.wake, self.woken, *self.lost):
            one.close()

    def end(self, pair):
        self.pairs.remove(pair)
        for one in pair:
            one.close()

    def accept(self):
        client, _ = self.listener.accept()
        if self.is_silent:
            self.lost.append(client)
            return
        try:
            if self.is_cut or self.target is None:
                raise OSError
            host, port = self.target.split(":")
            self.pairs.append((client, socket.create_connection((host, int(port)))))
        except OSError:
            client.close()

    def carry(self, pair, ready):
        for source, sink in (pair, pair[::-1]):
            if source not in ready or pair not in self.pairs:
                continue
            try:
                data = source.recv(65536)
                sink.sendall(data)
            except OSError:
                data = b""
            if not data:
                self.end(pair)

    def relay(self):
        while True:
            ready, _, _ = select.select([self.listener, self.woken, *sum(self.pairs, ())], [], [])
            if self.woken in ready and self.woken.recv(1) == b"q":
                break
            if self.is_silent:
                self.lost += sum(self.pairs, ())
                self.pairs.clear()
            if self.is_cut:
                for pair in list(self.pairs):
                    self.end(pair)
            if self.is_cut or self.is_silent:
                ready = [one for one in ready if one is self.listener]
            if self.listener in ready:
                self.accept()
            for pair in list(self.pairs):
                self.carry(pair, ready)
        for pair in list(self.pairs):
            self.end(pair)
