"""A stand-in for the Kubernetes API server: it lists and watches Pods, and has Node objects. The lines of its watches have the
form of those that a real API server 1.34 sends; tests/interop/kubernetes asks the real one."""
import http.server
import json
import queue
import ssl
import threading
import urllib.parse


class ApiServer:
    """HTTPS on loopback. Objects are put and removed as a client of the API would; watches are told at once."""

    def __init__(self, certificate, key, port=0):
        self.lock = threading.Lock()
        self.version, self.pods, self.nodes, self.watches = 100, {}, {}, []
        self.tokens = set()
        api = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                api.answer(self)

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
            watches, self.watches = self.watches, []
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
        if url.path == "/api/v1/pods" and "watch" in asked:
            return self.watch(request, asked)
        return self.send(request, 404, {"kind": "Status", "code": 404, "reason": "NotFound"})

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
            pass  # the agent has gone


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
