"""A stand-in for the Engine API of Docker, or of Podman's service that speaks it: version, list, inspect, and the events.
The bodies have the members that Docker Engine 27 (API 1.47) and Podman 4.3 (API 1.41) send; what differs between the two is
in DIALECTS. test_containers.py asks a real Podman the same where one can run."""
import copy
import hashlib
import http.server
import json
import os
import queue
import re
import socketserver
import threading
import time
import urllib.parse

DIALECTS = {
    "docker": {"version": {"Platform": {"Name": "Docker Engine - Community"},
                           "Components": [{"Name": "Engine", "Version": "27.3.1", "Details": {"ApiVersion": "1.47"}}],
                           "Version": "27.3.1", "ApiVersion": "1.47", "MinAPIVersion": "1.24", "Os": "linux",
                           "Arch": "amd64", "KernelVersion": "6.1.0-25-amd64"},
               "any": ["0.0.0.0"], "destroy": "destroy", "head": True},
    "podman": {"version": {"Platform": {"Name": "linux/amd64/debian-12"},
                           "Components": [{"Name": "Podman Engine", "Version": "4.3.1",
                                           "Details": {"APIVersion": "4.3.1", "MinAPIVersion": "4.0.0"}},
                                          {"Name": "Conmon", "Version": "conmon version 2.1.6, commit: unknown"}],
                           "Version": "4.3.1", "ApiVersion": "1.41", "MinAPIVersion": "1.24", "Os": "linux",
                           "Arch": "amd64", "KernelVersion": "6.1.0-25-amd64"},
               "any": [""], "destroy": "remove", "head": False},
}
STARTED = "2026-11-29T16:00:00.123456789Z"


class DockerApi:
    """HTTP on a unix socket. Containers are run, paused, killed and removed as with the command; the events say so."""

    def __init__(self, path, dialect="docker", containers=None):
        """containers: those of a server before, as its restart finds them"""
        self.path, self.dialect = path, DIALECTS[dialect]
        self.lock = threading.Lock()
        self.containers = containers if containers is not None else {}
        self.past, self.streams, self.requests = [], [], []
        self.refused = {}       # path of a request -> status
        self.hold = threading.Event()  # a request waits for it
        self.hold.set()
        self.closed = False
        api = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                api.answer(self)

            def address_string(self):
                return "unix"

            def log_message(self, *_):
                pass

        class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
            daemon_threads = True
            request_queue_size = 64

        self.server = Server(path, Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def close(self):
        """Ends the server and all streams of events. Its socket stays behind, as that of a server that was killed."""
        if self.closed:
            return
        self.closed = True
        self.hold.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
        with self.lock:
            streams, self.streams = self.streams, []
        for stream in streams:
            stream.put(None)

    def again(self, dialect="docker"):
        """The next server at the same socket, with the same containers."""
        self.close()
        os.unlink(self.path)
        return DockerApi(self.path, dialect, self.containers)

    # ---- what the command does ----

    def run(self, name, labels, address=None, ports=None, **more):
        """Starts a container. ports: {"80/tcp": [(HostIp, HostPort)]}, with None for a port that is only exposed;
        more: networks, mode, health"""
        identity = hashlib.sha256(f"{name} {time.monotonic_ns()}".encode()).hexdigest()
        any_address = self.dialect["any"]
        bindings = {port: places and [{"HostIp": host or any_address[0], "HostPort": str(number)} for host, number in places]
                    for port, places in (ports or {}).items()}
        networks = more.get("networks", {"bridge": address} if address else {})
        container = {
            "Id": identity, "Created": "2026-11-29T15:59:59.987654321Z", "Path": "/entrypoint.sh", "Args": ["serve"],
            "State": {"Status": "running", "Running": True, "Paused": False, "Restarting": False, "OOMKilled": False,
                      "Dead": False, "Pid": 4711, "ExitCode": 0, "Error": "", "StartedAt": STARTED,
                      "FinishedAt": "0001-01-01T00:00:00Z"},
            "Image": "sha256:" + "3f" * 32, "Name": "/" + name, "RestartCount": 0, "Driver": "overlay2", "Platform": "linux",
            "HostConfig": {"Binds": None, "NetworkMode": more.get("mode", "bridge"),
                           "PortBindings": {port: places for port, places in bindings.items() if places},
                           "RestartPolicy": {"Name": "always", "MaximumRetryCount": 0}, "AutoRemove": False},
            "Mounts": [],
            "Config": {"Hostname": identity[:12], "Env": ["PATH=/usr/bin:/bin"], "Cmd": ["serve"], "Image": "web:1",
                       "ExposedPorts": {port: {} for port in bindings}, "Labels": {"maintainer": "shop", **labels}},
            "NetworkSettings": {
                "Bridge": "", "SandboxID": "ab" * 32, "Ports": bindings, "Gateway": "172.17.0.1",
                "Networks": {network: {"IPAMConfig": None, "Links": None, "Aliases": None, "NetworkID": "cd" * 32,
                                       "EndpointID": "ef" * 32, "Gateway": "172.17.0.1", "IPAddress": place,
                                       "IPPrefixLen": 16 if place else 0, "IPv6Gateway": "", "GlobalIPv6Address": "",
                                       "GlobalIPv6PrefixLen": 0, "MacAddress": "02:42:ac:11:00:02", "DriverOpts": None}
                             for network, place in networks.items()}},
        }
        if "health" in more:
            container["State"]["Health"] = {"Status": more["health"], "FailingStreak": 0, "Log": []}
        with self.lock:
            self.containers[identity] = container
            self.tell(identity, "create")
            self.tell(identity, "start")
        return identity

    def change(self, identity, action, **state):
        """A container changes its state, and an event says so."""
        with self.lock:
            self.containers[identity]["State"] |= state
            self.tell(identity, action)

    def kill(self, identity):
        """Ends a container as `docker kill` does; it stays, stopped."""
        self.change(identity, "kill")
        self.change(identity, "die", Status="exited", Running=False, Pid=0, ExitCode=137)

    def start(self, identity):
        self.change(identity, "start", Status="running", Running=True, Pid=4712)

    def pause(self, identity, paused=True):
        self.change(identity, "pause" if paused else "unpause", Status="paused" if paused else "running", Paused=paused)

    def health(self, identity, status):
        """Docker says the status in the event; Podman says only that it is another one."""
        said = f"health_status: {status}" if self.dialect["destroy"] == "destroy" else "health_status"
        self.change(identity, said, Health={"Status": status, "FailingStreak": 0, "Log": []})

    def remove(self, identity):
        with self.lock:
            self.tell(identity, self.dialect["destroy"])
            del self.containers[identity]

    def tell(self, identity, action):
        """With the lock: an event, which a stream gets that asks for it from a time before."""
        container = self.containers[identity]
        now = time.time_ns()
        labels = container["Config"]["Labels"]
        event = {"status": action, "id": identity, "from": "web:1", "Type": "container", "Action": action,
                 "Actor": {"ID": identity, "Attributes": {**labels, "image": "web:1", "name": container["Name"][1:]}},
                 "scope": "local", "time": now // 10**9, "timeNano": now}
        self.past.append(event)
        for stream in self.streams:
            stream.put(event)

    # ---- what is asked ----

    @staticmethod
    def send(request, status, thing):
        body = (json.dumps(thing) + "\n").encode()
        request.send_response(status)
        request.send_header("Api-Version", "1.47")
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    def answer(self, request):
        url = urllib.parse.urlsplit(request.path)
        path = re.sub(r"^/v1\.[0-9]+", "", url.path)
        asked = {name: values[0] for name, values in urllib.parse.parse_qs(url.query).items()}
        with self.lock:
            self.requests.append(request.path)
        self.hold.wait(60)
        if self.closed:
            request.close_connection = True
            return None
        if path in self.refused:
            return self.send(request, self.refused[path], {"message": "not today"})
        if path == "/version":
            return self.send(request, 200, self.dialect["version"])
        if path == "/events":
            return self.stream(request, asked)
        with self.lock:
            containers = copy.deepcopy(self.containers)
        if path == "/containers/json":
            return self.send(request, 200, self.listed(containers, json.loads(asked["filters"])["status"]))
        found = re.fullmatch(r"/containers/([0-9a-f]+)/json", path)
        if found and found[1] in containers:
            return self.send(request, 200, containers[found[1]])
        return self.send(request, 404, {"message": f"No such container: {path}"})

    @staticmethod
    def listed(containers, statuses):
        """The short form. Podman says NetworkMode host of every container in it."""
        return [{"Id": identity, "Names": [each["Name"]], "Image": "web:1", "ImageID": each["Image"], "Command": "serve",
                 "Created": 1796054399, "Ports": [], "Labels": each["Config"]["Labels"], "State": each["State"]["Status"],
                 "Status": "Up 2 minutes", "HostConfig": {"NetworkMode": "host"},
                 "NetworkSettings": {"Networks": each["NetworkSettings"]["Networks"]}, "Mounts": []}
                for identity, each in containers.items() if each["State"]["Status"] in statuses]

    def stream(self, request, asked):
        """Chunks, one for an event. Podman before version 5 sends not even the head before the first one."""
        stream = queue.Queue()
        since = int(asked["since"])
        with self.lock:
            for event in self.past:
                if event["time"] >= since:
                    stream.put(event)
            self.streams.append(stream)

        def begin():
            request.send_response(200)
            request.send_header("Content-Type", "application/json")
            request.send_header("Transfer-Encoding", "chunked")
            request.end_headers()
            request.wfile.flush()

        begun = self.dialect["head"]
        if begun:
            begin()
        try:
            while (event := stream.get()) is not None:
                if not begun:
                    begin()
                    begun = True
                line = (json.dumps(event) + "\n").encode()
                half = len(line) // 2  # a chunk need not be a line
                for part in (line[:half], line[half:]):
                    request.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
                    request.wfile.flush()
        except OSError:
            pass
        request.close_connection = True
