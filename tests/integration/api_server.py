"""A stand-in for the Kubernetes API server: it watches Pods by their node, has Node objects, and watches whole collections.
The lines of its watches have the form of those that a real API server 1.34 sends; tests/interop/kubernetes asks the real one."""
import http.server
import json
import queue
import re
import ssl
import threading
import urllib.parse

# An agent that follows the pods of its node at such a server. {folder} is a TlsBed's, with a token and the folder cgroup
AGENT = """\
node: n1
cluster: eu-1
addresses: [127.0.0.1]
federation: {{servers: ["127.0.0.1:{port}"]}}
discovery:
  static: {{directory: {folder}/n1.d}}
  kubernetes: {{server: "https://127.0.0.1:{api}", ca: {folder}/ca.pem, token_file: {folder}/token, cgroup_root: {folder}/cgroup}}
admin: {{listen: "127.0.0.1:0", socket: {folder}/n1.sock}}
"""


class ApiServer:
    """HTTPS on loopback. Objects are put and removed as a client of the API would; watches are told at once."""

    def __init__(self, certificate, key, port=0):
        self.lock = threading.Lock()
        self.version, self.pods, self.nodes, self.watches = 100, {}, {}, []
        # path of a collection -> {uid: object}, and the watches of it; paths that are refused; versions of API groups
        self.collections, self.watches_of, self.denied, self.groups = {}, {}, set(), {}
        self.tokens, self.patches = set(), []
        api = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                api.answer(self)

            def do_PATCH(self):
                api.patch(self)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def close(self):
        """Ends the server and all watches."""
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
        with self.lock:
            watches, self.watches = self.watches + [watch for watch, _ in sum(self.watches_of.values(), [])], []
            self.watches_of = {}
        for watch in watches:
            watch.put(None)

    # ---- what exists ----

    def put(self, uid, pod):
        with self.lock:
            self.version += 1
            kind = "MODIFIED" if uid in self.pods else "ADDED"
            pod["metadata"] |= {"uid": uid, "resourceVersion": str(self.version)}
            self.pods[uid] = pod
            self.tell(kind, pod)

    def remove(self, uid):
        with self.lock:
            self.version += 1
            pod = self.pods.pop(uid)
            pod["metadata"]["resourceVersion"] = str(self.version)
            self.tell("DELETED", pod)

    def tell(self, kind, pod):
        line = self.line(kind, pod)
        for watch in self.watches:
            watch.put(line)

    def put_object(self, path, name, thing, namespace="shop"):
        """Adds or replaces an object of a collection; its uid is made of its path and name."""
        with self.lock:
            self.version += 1
            uid = f"{path.rsplit('/', 1)[1]}-{namespace}-{name}"
            objects = self.collections.setdefault(path, {})
            thing.setdefault("metadata", {}).update({"name": name, "uid": uid, "resourceVersion": str(self.version)})
            if namespace:
                thing["metadata"]["namespace"] = namespace
            kind = "MODIFIED" if uid in objects else "ADDED"
            objects[uid] = thing
            self.tell_watches(path, kind, thing)

    def remove_object(self, path, name, namespace="shop"):
        with self.lock:
            self.version += 1
            thing = self.collections[path].pop(f"{path.rsplit('/', 1)[1]}-{namespace}-{name}")
            thing["metadata"]["resourceVersion"] = str(self.version)
            self.tell_watches(path, "DELETED", thing)

    def tell_watches(self, path, kind, thing):
        line = self.line(kind, thing)
        for watch, wants in self.watches_of.get(path, []):
            if wants(thing):
                watch.put(line)

    def deny(self, path):
        """Refuses a collection from now on, also to those who watch it."""
        with self.lock:
            self.denied.add(path)
            watches = self.watches_of.pop(path, [])
        for watch, _ in watches:
            watch.put(None)

    def allow(self, path):
        with self.lock:
            self.denied.discard(path)

    @staticmethod
    def line(kind, thing):
        return (json.dumps({"type": kind, "object": thing}) + "\n").encode()

    # ---- what is asked ----

    def answer(self, request):
        self.tokens.add(request.headers.get("Authorization", ""))
        url = urllib.parse.urlsplit(request.path)
        asked = {name: values[0] for name, values in urllib.parse.parse_qs(url.query).items()}
        if url.path.startswith("/api/v1/nodes/"):
            node = self.nodes.get(url.path.rsplit("/", 1)[1])
            return self.send(request, 200 if node else 404, node or {"kind": "Status", "code": 404, "reason": "NotFound"})
        if url.path in self.denied:
            return self.send(request, 403, {"kind": "Status", "code": 403, "reason": "Forbidden", "message": "no rule allows it"})
        if url.path == "/api/v1/pods" and "watch" in asked:
            return self.watch(request, asked)
        if url.path in self.groups:
            return self.send(request, 200, {"kind": "APIGroup", "versions": [{"version": each} for each in self.groups[url.path]]})
        if "watch" in asked and url.path != "/apis/multicluster.x-k8s.io":
            return self.watch_collection(request, url.path, asked)
        return self.send(request, 404, {"kind": "Status", "code": 404, "reason": "NotFound"})

    def patch(self, request):
        """A merge patch of a status; `patches` has the path of the object and the body of each."""
        body = json.loads(request.rfile.read(int(request.headers["Content-Length"])))
        place, namespace, name = re.fullmatch(r"(.*)/namespaces/([^/]+)(/[^/]+/[^/]+)/status", request.path).groups()
        kind, name = name[1:].split("/")
        path = f"{place}/{kind}"
        if f"{path}/status" in self.denied:
            return self.send(request, 403, {"kind": "Status", "code": 403, "reason": "Forbidden", "message": "no rule allows it"})
        with self.lock:
            thing = self.collections.get(path, {}).get(f"{kind}-{namespace}-{name}")
            if thing is None or request.headers["Content-Type"] != "application/merge-patch+json":
                return self.send(request, 404, {"kind": "Status", "code": 404, "reason": "NotFound"})
            self.patches.append((f"{namespace}/{name}", body))
            if thing.get("status") != body["status"]:
                self.version += 1
                thing["status"] = body["status"]
                thing["metadata"]["resourceVersion"] = str(self.version)
                self.tell_watches(path, "MODIFIED", thing)
            return self.send(request, 200, thing)

    @staticmethod
    def send(request, status, body):
        data = json.dumps(body).encode()
        request.send_response(status)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(data)))
        request.end_headers()
        request.wfile.write(data)

    def watch(self, request, asked):
        lines = queue.Queue()
        node = asked["fieldSelector"].removeprefix("spec.nodeName=")
        with self.lock:
            self.watches.append(lines)
            first = [self.line("ADDED", pod) for pod in self.pods.values() if pod["spec"]["nodeName"] == node]
            version = str(self.version)
        if asked.get("sendInitialEvents") == "true":
            mark = {"kind": "Pod", "apiVersion": "v1", "metadata": {
                "resourceVersion": version, "annotations": {"k8s.io/initial-events-end": "true"}}}
            first.append(self.line("BOOKMARK", mark))
        else:
            first = []  # the test puts nothing between the end of a watch and the next one
        self.stream(request, lines, first)

    def watch_collection(self, request, path, asked):
        lines = queue.Queue()
        namespace = re.search("/namespaces/([^/]+)/", path)
        label, value = asked.get("labelSelector", "=").split("=")
        if namespace:
            path = path.replace(namespace.group(0), "/")

        def wants(thing):
            metadata = thing["metadata"]
            return (not namespace or metadata["namespace"] == namespace.group(1)) and \
                (not label or metadata.get("labels", {}).get(label) == value)
        with self.lock:
            self.watches_of.setdefault(path, []).append((lines, wants))
            things = [thing for thing in self.collections.get(path, {}).values() if wants(thing)]
            first = [self.line("ADDED", thing) for thing in things]
            mark = {"kind": "List", "apiVersion": "v1", "metadata": {
                "resourceVersion": str(self.version), "annotations": {"k8s.io/initial-events-end": "true"}}}
        first = first + [self.line("BOOKMARK", mark)] if asked.get("sendInitialEvents") == "true" else []
        self.stream(request, lines, first)

    @staticmethod
    def stream(request, lines, first):
        request.send_response(200)
        request.send_header("Content-Type", "application/json")
        request.send_header("Transfer-Encoding", "chunked")
        request.end_headers()
        try:
            line = b"".join(first)
            while line is not None:
                if line:
                    request.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
                    request.wfile.flush()
                line = lines.get()
            request.close_connection = True
        except OSError:
            pass  # the client has gone


def pod(name, address, service, ready=True, container=None, since="2026-11-29T16:00:00Z", port=8080, deleted=False):
    """A Pod object. container: the id of its running container, without the runtime's name."""
    labels = {"meshdns.io/service": service} if service else {}
    status = {"phase": "Running", "podIPs": [{"ip": address}] if address else [], "conditions": [
        {"type": "Ready", "status": "True" if ready else "False", "lastTransitionTime": since,
         "message": "" if ready else "containers with unready status: [c]"}]}
    if container:
        status["containerStatuses"] = [{"name": "c", "ready": ready, "restartCount": 0, "containerID": f"containerd://{container}",
                                        "state": {"running": {"startedAt": since}}}]
    meta = {"name": name, "namespace": "shop", "labels": labels}
    if deleted:
        meta |= {"deletionTimestamp": since, "deletionGracePeriodSeconds": 30}
    return {"kind": "Pod", "apiVersion": "v1", "metadata": meta, "spec": {"nodeName": "n1", "containers": [
        {"name": "c", "ports": [{"name": "http", "containerPort": port, "protocol": "TCP"}]}]}, "status": status}


SERVICES = "/api/v1/services"
SLICES = "/apis/discovery.k8s.io/v1/endpointslices"
NODES = "/api/v1/nodes"
NAMESPACES = "/api/v1/namespaces"


def service(**spec):
    return {"kind": "Service", "apiVersion": "v1", "spec": {"type": "ClusterIP"} | spec}


def endpoint(uid, address, node="n1", ready=True, serving=None, terminating=False):
    """An endpoint of a slice. uid: of its pod; empty = it is none."""
    out = {"addresses": [address], "nodeName": node, "zone": "eu-a", "conditions": {
        "ready": ready, "serving": ready if serving is None else serving, "terminating": terminating}}
    if uid:
        out["targetRef"] = {"kind": "Pod", "namespace": "shop", "name": uid, "uid": uid}
    return out


def slice_of(name, endpoints, port=8080):
    return {"kind": "EndpointSlice", "apiVersion": "discovery.k8s.io/v1", "addressType": "IPv4",
            "metadata": {"labels": {"kubernetes.io/service-name": name}},
            "ports": [{"name": "http", "protocol": "TCP", "port": port}], "endpoints": endpoints}


def place(region="eu", zone="eu-a"):
    """The metadata of a Node."""
    return {"metadata": {"labels": {"topology.kubernetes.io/region": region, "topology.kubernetes.io/zone": zone}}}
