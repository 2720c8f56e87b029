"""Instances for the examples of docs/checks.md whose checks are tcp, http and https; see check_instances.py."""
import http.server
import os
import socket
import ssl
import subprocess
import threading

from mesh import WAIT

BODY = b'{"db": "up"}'


class TcpInstance:
    """Sends what the check expects, after what the check sends."""

    def __init__(self, _bed, check):
        self.port = check["port"]
        self.send, self.expect = check.get("send", "").encode(), check.get("expect", "").encode()
        self.listener = None

    def start(self):
        self.listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self.serve, args=(self.listener,), daemon=True).start()

    def serve(self, listener):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:  # die() has closed it
                return
            with connection:
                try:
                    self.answer(connection)
                except OSError:
                    pass  # checks end with RST

    def answer(self, connection):
        connection.settimeout(WAIT)
        got = b""
        while len(got) < len(self.send):
            part = connection.recv(4096)
            if not part:
                return
            got += part
        if got.startswith(self.send):
            connection.sendall(self.expect)

    def die(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *_):
        pass  # clients that reset


class HttpInstance:
    def __init__(self, _bed, check):
        self.port = check["port"]
        self.context = None  # no TLS
        self.server = None

    def start(self):
        self.server = Server(("127.0.0.1", self.port), Handler)
        if self.context:
            self.server.socket = self.context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def die(self):
        self.server.shutdown()
        self.server.server_close()


class HttpsInstance(HttpInstance):
    """The authority of the example is one of the test."""

    def __init__(self, bed, check):
        super().__init__(bed, check)
        certificate, key = bed.path("https.crt"), bed.path("https.key")
        name = check.get("host", "127.0.0.1")
        subject = ["-subj", "/CN=" + name, "-addext", "subjectAltName=" + ("IP:" if name[0].isdigit() else "DNS:") + name]
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-days", "30", *subject, "-keyout", key, "-out", certificate],
                       check=True, capture_output=True, timeout=WAIT)
        check["tls_options"]["ca"] = os.path.abspath(certificate)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate, key)


INSTANCES = {"tcp": TcpInstance, "http": HttpInstance, "https": HttpsInstance}
