"""Graceful restarts under load: what an agent's checks say while nginx reloads or is replaced, and while instances hand
a shared port over. Used by test_checks_net (a few rounds) and by tests/bench/graceful.py (many)."""
import socket
import threading

from ports import free_port
from web_servers import Nginx, SharedPort

AGENT = """\
node: n1
cluster: eu-1
addresses: [127.0.0.1]
federation: {{servers: ["127.0.0.1:1"]}}
discovery: {{static: {{directory: endpoints.d}}}}
admin: {{listen: "127.0.0.1:0", socket: {socket}}}
"""
# A refusal after a socket event counts at once; two failures in a row otherwise.
ENDPOINT = """\
  - namespace: bench
    service: {service}
    address: 127.0.0.1
    ports: [{{name: http, number: {port}}}]
    checks: [{{{check}, interval: 100ms, timeout: 5s, fall: 2}}]
"""
CHECKS = {"http": "http: {port: http, body: {contains: ready}}", "tcp": "tcp: {port: http}"}
REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


class Load(threading.Thread):
    """Clients that ask one port on kept connections, all the time; what they miss is theirs."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port, self.ended, self.answers = port, threading.Event(), 0

    def run(self):
        while not self.ended.is_set():
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
                    while not self.ended.wait(0.002):
                        connection.sendall(REQUEST)
                        if not connection.recv(4096):
                            break
                        self.answers += 1
            except OSError:
                continue

    def stop(self):
        self.ended.set()
        self.join()


class Restarts:
    """An agent that checks an nginx and a shared port, with load on both."""

    def __init__(self, bed):
        ports = {"nginx": free_port(), "shared": free_port()}
        servers = f"server {{ listen 127.0.0.1:{ports['nginx']}; location / {{ return 200 ready; }} }}"
        self.nginx = Nginx(bed, servers)
        self.shared = SharedPort(bed, ports["shared"])
        entries = [ENDPOINT.format(service=f"{name}-{kind}", port=port, check=check)
                   for name, port in ports.items() for kind, check in CHECKS.items()]
        bed.write("endpoints.d/all.yaml", "endpoints:\n" + "".join(entries))
        config = bed.write("agent.yaml", AGENT.format(socket=bed.path("agent.sock")))
        self.agent = bed.start("meshdns-agent", "--config", config)
        for name in ports:
            for kind in CHECKS:
                self.agent.wait_line(rf"endpoint serving.*bench/{name}-{kind}")
        self.load = [Load(port) for port in ports.values()]
        for client in self.load:
            client.start()
            bed.callback(client.stop)
        self.changes = {"reload": self.nginx.reload, "upgrade": self.nginx.upgrade,
                        "hand_over": self.shared.hand_over}

    def withdrawn(self):
        """The lines by which the agent has taken an endpoint out."""
        self.agent.read(0.0)  # all that has come; a pipe has at most 64 KiB
        return [line for line in self.agent.lines if "endpoint failing" in line]
