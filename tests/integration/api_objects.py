"""A stand-in for the Kubernetes API server that has operators' objects and Leases: list, watch, create, replace with a version,
and merge patches of a status. tests/interop/kubernetes asks the real one."""
import copy
import datetime
import http.server
import json
import queue
import ssl
import threading
import urllib.parse

from api_server import ApiServer

GROUP = "/apis/meshdns.io/v1alpha1"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/meshdns/leases"


def merged(target, patch):
    """RFC 7386."""
    if not isinstance(patch, dict):
        return patch
    out = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            out.pop(name, None)
        else:
            out[name] = merged(out.get(name), value)
    return out


class ObjectsApi:
    """HTTPS on loopback. `objects` has what exists by its path, and outlives a server: give it to the next one."""

    def __init__(self, certificate, key, port=0, objects=None):
        self.lock = threading.Lock()
        self.objects = objects if objects is not None else {}
        self.version = 100 + len(self.objects)
        self.watches, self.patches, self.forbidden, self.lease_times = [], [], set(), []
        api = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                api.get(self)

            def do_POST(self):
                api.write(self, "create")

            def do_PUT(self):
                api.write(self, "update")

            def do_PATCH(self):
                api.write(self, "patch")

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        self.closed = False
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def close(self):
        """Ends the server and all watches; requests on connections that are kept alive get no answer."""
        if self.closed:
            return
        self.closed = True
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
        with self.lock:
            watches, self.watches = self.watches, []
        for _, lines in watches:
            lines.put(None)

    # ---- what kubectl does ----

    def apply(self, plural, name, spec, namespace=None, **meta):
        """Creates or changes an object. The generation grows with the spec."""
        collection = f"{GROUP}/{plural}"
        place = f"/namespaces/{namespace}" if namespace else ""
        path = f"{GROUP}{place}/{plural}/{name}"
        with self.lock:
            before = self.objects.get(path)
            thing = copy.deepcopy(before) if before else {
                "metadata": {"name": name, "uid": f"u{self.version}", "generation": 0,
                             "creationTimestamp": "2026-11-29T16:00:00Z", "managedFields": [{"manager": "kubectl"}]}}
            if namespace:
                thing["metadata"]["namespace"] = namespace
            thing["metadata"] |= meta
            thing["metadata"]["generation"] += 0 if before and before["spec"] == spec else 1
            thing["spec"] = spec
            self.put("MODIFIED" if before else "ADDED", collection, path, thing)

    def delete(self, path):
        with self.lock:
            self.put("DELETED", f"{GROUP}/{path.split('/')[-2]}", path, self.objects[path])
            del self.objects[path]

    def conditions(self, path):
        """The conditions of an object by their types."""
        with self.lock:
            status = copy.deepcopy(self.objects.get(path, {}).get("status", {}))
        return {condition["type"]: condition for condition in status.get("conditions", [])}

    def lease(self, name="meshdnsd"):
        with self.lock:
            return copy.deepcopy(self.objects.get(f"{LEASES}/{name}"))

    def put(self, kind, collection, path, thing):
        """With the lock: stores a version, and tells the watches."""
        self.version += 1
        thing["metadata"]["resourceVersion"] = str(self.version)
        self.objects[path] = thing
        line = ApiServer.line(kind, thing)
        for watched, lines in self.watches:
            if watched == collection:
                lines.put(line)

    # ---- what is asked ----

    @staticmethod
    def refuse(request, code, reason):
        ApiServer.send(request, code, {"kind": "Status", "code": code, "reason": reason, "message": reason})

    def get(self, request):
        url = urllib.parse.urlsplit(request.path)
        if self.closed:
            request.close_connection = True
            return None
        asked = {name: values[0] for name, values in urllib.parse.parse_qs(url.query).items()}
        if "get" in self.forbidden or ("watch" in asked and "watch" in self.forbidden):
            return self.refuse(request, 403, "Forbidden")
        if "watch" in asked:
            return self.watch(request, url.path, asked)
        with self.lock:
            thing = copy.deepcopy(self.objects.get(url.path))
        return ApiServer.send(request, 200, thing) if thing else self.refuse(request, 404, "NotFound")

    def write(self, request, verb):
        body = json.loads(request.rfile.read(int(request.headers["Content-Length"])))
        path = request.path
        if self.closed:
            request.close_connection = True
            return None
        if verb in self.forbidden:
            return self.refuse(request, 403, "Forbidden")
        answer = {"create": self.create, "update": self.update, "patch": self.patch}[verb]
        with self.lock:
            code, thing = answer(request, path, body)
        if code >= 400:
            return self.refuse(request, code, thing)
        return ApiServer.send(request, code, thing)

    def create(self, _request, path, body):
        place = f"{path}/{body['metadata']['name']}"
        if place in self.objects:
            return 409, "AlreadyExists"
        self.put("ADDED", path, place, body)
        return 201, copy.deepcopy(body)

    def update(self, _request, path, body):
        if path not in self.objects:
            return 404, "NotFound"
        if body["metadata"].get("resourceVersion") != self.objects[path]["metadata"]["resourceVersion"]:
            return 409, "Conflict"
        self.lease_times.append((datetime.datetime.now(), body["spec"]["holderIdentity"]))
        self.put("MODIFIED", path.rsplit("/", 1)[0], path, body)
        return 200, copy.deepcopy(body)

    def patch(self, request, path, body):
        place = path.removesuffix("/status")
        if place == path or place not in self.objects:
            return 404, "NotFound"
        if request.headers["Content-Type"] != "application/merge-patch+json":
            return 415, "UnsupportedMediaType"
        before = self.objects[place]
        after = before | {"status": merged(before.get("status", {}), body["status"])}
        self.patches.append((place, body))
        if after != before:
            after = copy.deepcopy(after)
            self.put("MODIFIED", f"{GROUP}/{place.split('/')[-2]}", place, after)
        return 200, copy.deepcopy(after)

    def watch(self, request, collection, asked):
        lines = queue.Queue()
        plural = collection.rsplit("/", 1)[1]
        with self.lock:
            self.watches.append((collection, lines))
            of_kind = [thing for path, thing in self.objects.items() if path.split("/")[-2] == plural]
            first = [ApiServer.line("ADDED", thing) for thing in of_kind]
            mark = {"metadata": {"resourceVersion": str(self.version), "annotations": {"k8s.io/initial-events-end": "true"}}}
        first = first + [ApiServer.line("BOOKMARK", mark)] if asked.get("sendInitialEvents") == "true" else []
        ApiServer.stream(request, lines, first)
