"""Web servers as Debian ships them, on ports of loopback: nginx and HAProxy, unpacked into build/peers and not installed,
because an installed one would start on port 80. Where they cannot be downloaded, the test is skipped."""
import http.server
import os
import signal
import socket
import subprocess
import sys
import threading
import unittest

from mesh import WAIT, eventually

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interop"))
import peers  # noqa: E402

NGINX = """\
daemon on;
{user}
worker_processes 2;
error_log error.log warn;
pid nginx.pid;
env LD_LIBRARY_PATH;
events {{ worker_connections 256; }}
http {{
  access_log off;
  default_type text/plain;
  client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3; uwsgi_temp_path t4; scgi_temp_path t5;
{servers}
}}
"""


def unpacked(package, binary):
    """The path of a package's program, and its environment."""
    installed = os.path.join("/usr/sbin", binary)
    if os.path.exists(installed):
        return installed, dict(os.environ)
    try:
        root = peers.debian(package)
    except SystemExit as why:  # it has printed the reason
        raise unittest.SkipTest(f"no {package}") from why
    return root + installed, peers.environment(root)


def running(pid):
    try:
        os.kill(pid, 0)
        return True
    except ProcessLookupError:
        return False


class Nginx:
    """An nginx with several servers; it changes its processes while it serves."""

    def __init__(self, bed, servers, name="nginx"):
        self.bed, self.folder = bed, bed.path(name)
        self.binary, self.environment = unpacked("nginx", "nginx")
        user = "user root;" if os.geteuid() == 0 else ""
        bed.write(f"{name}/nginx.conf", NGINX.format(user=user, servers=servers))
        words = [self.binary, "-p", self.folder + "/", "-c", "nginx.conf", "-e", "error.log"]
        done = subprocess.run(words, env=self.environment, capture_output=True, text=True, timeout=WAIT, check=False)
        if done.returncode:
            raise AssertionError(done.stderr)
        bed.callback(self.stop)
        eventually(lambda: self.pid(), "nginx.pid")

    def pid(self, name="nginx.pid"):
        try:
            with open(os.path.join(self.folder, name), encoding="ascii") as file:
                return int(file.read() or 0)
        except FileNotFoundError:
            return 0

    def workers(self):
        pid = self.pid()
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return set(file.read().split())

    def reload(self):
        """New workers take over, and the old ones finish what they have begun and end."""
        old = self.workers()
        os.kill(self.pid(), signal.SIGHUP)
        eventually(lambda: self.workers() and not old & self.workers(), "the workers of nginx")

    def upgrade(self):
        """Another master takes over the listening sockets, and the old one ends gracefully."""
        old = self.pid()
        os.kill(old, signal.SIGUSR2)
        eventually(lambda: self.pid("nginx.pid.oldbin") == old and self.pid() not in (0, old), "the new master of nginx")
        eventually(self.workers, "the new workers of nginx")
        os.kill(old, signal.SIGQUIT)
        eventually(lambda: not running(old) and not self.pid("nginx.pid.oldbin"), "the end of the old master of nginx")

    def stop(self):
        for name in ("nginx.pid.oldbin", "nginx.pid"):
            pid = self.pid(name)
            if not pid:
                continue
            try:
                os.kill(pid, signal.SIGTERM)
            except ProcessLookupError:
                continue
            eventually(lambda pid=pid: not running(pid), "the end of nginx")


class HaProxy:
    def __init__(self, bed, text, name="haproxy"):
        binary, environment = unpacked("haproxy", "haproxy")
        config = bed.write(f"{name}.cfg", text)
        self.process = subprocess.Popen([binary, "-db", "-f", config], env=environment, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        bed.callback(self.stop)

    def stop(self):
        self.process.terminate()
        self.process.wait(WAIT)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "5")
        if self.server.closing:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(b"ready")

    def log_message(self, *_):
        pass


class _Listener(http.server.ThreadingHTTPServer):
    closing = False
    request_queue_size = 128

    def server_bind(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        super().server_bind()

    def handle_error(self, *_):
        pass  # clients that reset


class SharedPort:
    """A service whose next instance listens on the same port (SO_REUSEPORT) before the last one stops."""

    def __init__(self, bed, port):
        self.port = port
        self.current = self.begin()
        bed.callback(lambda: self.end(self.current))

    def begin(self):
        server = _Listener(("127.0.0.1", self.port), _Handler)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return server

    @staticmethod
    def end(server):
        server.closing = True
        server.shutdown()
        server.server_close()

    def hand_over(self):
        old, self.current = self.current, self.begin()
        self.end(old)
