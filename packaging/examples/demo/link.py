#!/usr/bin/python3
"""A TCP link that can be cut: link.py LISTEN TARGET. While it is stopped nothing passes."""
import selectors
import socket
import sys


def address(text):
    host, _, port = text.rpartition(":")
    return host, int(port)


def forward(selector, source, sink):
    try:
        data = source.recv(65536)
    except OSError:
        data = b""
    if data:
        sink.sendall(data)
        return
    for end in (source, sink):
        try:
            selector.unregister(end)
        except KeyError:
            pass
        end.close()


def accept(selector, listener, target):
    near, _ = listener.accept()
    try:
        far = socket.create_connection(target, timeout=2)
    except OSError:
        near.close()
        return
    selector.register(near, selectors.EVENT_READ, far)
    selector.register(far, selectors.EVENT_READ, near)


def main():
    listener = socket.create_server(address(sys.argv[1]))
    target = address(sys.argv[2])
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.fileobj is listener:
                accept(selector, listener, target)
            elif key.fileobj.fileno() >= 0:
                try:
                    forward(selector, key.fileobj, key.data)
                except OSError:
                    selector.unregister(key.fileobj)


if __name__ == "__main__":
    main()
