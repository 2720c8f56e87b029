"""Instances for the examples of docs/checks.md: one class for each kind of check, which makes it succeed, and fail.

A class gets the bed and what the example says of the check, with the numbers of its ports already replaced by free ones.
`start()` makes the check succeed, `die()` makes it fail; `begin()`, if there is one, is called once the agent runs.
"""
import contextlib
import http.server
import os
import socket
import ssl
import subprocess
import threading

import dns.message
import dns.rdatatype
import dns.rrset

from mesh import BIN, WAIT, run

HERE = os.path.dirname(__file__)


class Listener:
    """A TCP server that handles each connection in a thread of its own."""

    def __init__(self, _bed, check):
        self.port = check["port"]
        self.listener = None

    def start(self):
        self.listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self.serve, args=(self.listener,), daemon=True).start()

    def serve(self, listener):
        try:
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=self.handle, args=(connection,), daemon=True).start()
        except OSError:
            pass  # die() has closed it

    def handle(self, connection):
        with contextlib.suppress(OSError), connection:
            connection.settimeout(WAIT)
            while connection.recv(4096):
                connection.sendall(b"+PONG\r\n")

    def die(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


class HealthPage(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b'{"db": "up"}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class HttpInstance:
    def __init__(self, _bed, check):
        self.port = check["port"]
        self.server = None

    def start(self):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), HealthPage)
        self.secure()
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def secure(self):
        """Of a plain server nothing."""

    def die(self):
        self.server.shutdown()
        self.server.server_close()


class HttpsInstance(HttpInstance):
    """With a certificate of the example's host, which is its own authority."""

    def __init__(self, bed, check):
        super().__init__(bed, check)
        self.certificate, self.key = bed.path("ca-certificates.crt"), bed.path("server.key")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-days", "90", "-subj", "/CN=" + check["host"], "-addext", "subjectAltName=DNS:" + check["host"],
                        "-keyout", self.key, "-out", self.certificate], check=True, capture_output=True)

    def secure(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)


class GrpcInstance:
    def __init__(self, bed, check):
        self.service = check.get("service", "-")
        self.server = subprocess.Popen([os.path.join(BIN, "health_server"), str(check["port"])], text=True,
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        bed.callback(end, self.server)
        self.server.stdout.readline()

    def say(self, word):
        self.server.stdin.write(f"{self.service} {word}\n")
        self.server.stdin.flush()

    def start(self):
        self.say("serving")

    def die(self):
        self.say("not-serving")


class UdpInstance:
    """Answers `ok` to what the example sends as a text, and nothing else."""

    def __init__(self, _bed, check):
        self.port = check["port"]
        self.question = check.get("send", "").encode()
        self.socket = None

    def start(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", self.port))
        self.socket.settimeout(0.02)
        self.stops = threading.Event()
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while not self.stops.is_set():
            with contextlib.suppress(TimeoutError):
                data, peer = self.socket.recvfrom(4096)
                answer = self.answer(data)
                if answer:
                    self.socket.sendto(answer, peer)

    def answer(self, data):
        return b"ok" if self.question and data == self.question else None

    def die(self):
        self.stops.set()
        self.thread.join()
        self.socket.close()


def dns_answer(data):
    question = dns.message.from_wire(data)
    answer = dns.message.make_response(question)
    name, kind = question.question[0].name, question.question[0].rdtype
    text = "192.0.2.1" if kind == dns.rdatatype.A else "ns.example.net. ops.example.net. 1 3600 600 86400 60"
    answer.answer.append(dns.rrset.from_text(name, 60, "IN", dns.rdatatype.to_text(kind), text))
    return answer.to_wire()


class DnsUdpInstance(UdpInstance):
    def answer(self, data):
        return dns_answer(data)


class DnsTcpInstance(Listener):
    def handle(self, connection):
        with contextlib.suppress(OSError), connection:
            connection.settimeout(WAIT)
            while size := connection.recv(2, socket.MSG_WAITALL):
                answer = dns_answer(connection.recv(int.from_bytes(size, "big"), socket.MSG_WAITALL))
                connection.sendall(len(answer).to_bytes(2, "big") + answer)


class TtlInstance:
    """A service that says itself how it is, to the agent that runs."""

    def __init__(self, bed, check):
        self.bed = bed
        self.target = check["endpoint"]

    def start(self):
        """There is no agent yet."""

    def begin(self):
        self.push("up")

    def push(self, state):
        code, out, err = run("meshdns-agent", "--config", self.bed.path("agent.yaml"), "push", self.target, state,
                             "--detail", "queue of 7")
        if code != 0:
            raise AssertionError(out + err)

    def die(self):
        self.push("down")


class NoInstance:
    """Of what depends on others, or on nothing."""

    def __init__(self, _bed, _check):
        pass

    def start(self):
        pass

    def die(self):
        pass


class ExecInstance:
    """The worker of the example, whose health is a file."""

    def __init__(self, bed, _check):
        self.bed = bed

    def start(self):
        self.bed.write("worker/health", "ok\n")

    def warn(self):
        self.bed.write("worker/health", "behind by 90 s\n")

    def die(self):
        os.remove(self.bed.path("worker/health"))


class SystemdInstance:
    """A unit of a manager on a bus of its own, whose address is in `environment`."""

    def __init__(self, bed, check):
        self.unit = check["unit"]
        address = "unix:path=" + bed.path("bus")
        self.environment = {"DBUS_SYSTEM_BUS_ADDRESS": address}
        config = bed.write("bus.conf", f"""\
<busconfig>
  <type>session</type>
  <listen>{address}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>
</busconfig>
""")
        bus = subprocess.Popen(["dbus-daemon", "--nofork", "--print-address", f"--config-file={config}"],
                               stdout=subprocess.PIPE, text=True)
        bed.callback(end, bus)
        bus.stdout.readline()
        self.systemd = subprocess.Popen(["/usr/bin/python3", os.path.join(HERE, "fake_systemd.py")], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        env={**os.environ, **self.environment})
        bed.callback(end, self.systemd)
        self.systemd.stdout.readline()

    def say(self, state):
        self.systemd.stdin.write(f"{self.unit} {state}\n")
        self.systemd.stdin.flush()
        self.systemd.stdout.readline()

    def start(self):
        self.say("active running")

    def die(self):
        self.say("failed failed")


def end(process):
    process.kill()
    process.wait(WAIT)
    for stream in (process.stdin, process.stdout):
        if stream:
            stream.close()


INSTANCES = {
    "tcp": Listener,
    "http": HttpInstance,
    "https": HttpsInstance,
    "grpc": GrpcInstance,
    "udp": UdpInstance,
    "dns": lambda bed, check: (DnsTcpInstance if check.get("tcp") else DnsUdpInstance)(bed, check),
    "exec": ExecInstance,
    "systemd": SystemdInstance,
    "ttl": TtlInstance,
    "alias": NoInstance,
    "none": NoInstance,
}
