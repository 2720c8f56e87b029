"""A real control plane of Kubernetes on loopback: etcd, kube-apiserver, and kube-controller-manager where it is asked for.

There is no kubelet and no scheduler: kubelet.py plays them. A test module imports this before it calls lab.enter(), for
the first use builds the program.
"""
import base64
import fcntl
import glob
import hashlib
import http.client
import json
import os
import shutil
import signal
import ssl
import subprocess
import tempfile
import threading
import time
import urllib.parse
import urllib.request

import yaml

from lab import skip
from peers import ROOT, attempt, folder
from ports import free_port
from tls_bed import TlsBed

HERE = os.path.dirname(os.path.abspath(__file__))
MANIFESTS = os.path.join(ROOT, "packaging", "kubernetes")
CONTROLLERS = ["endpointslice-controller", "endpointslice-mirroring-controller", "namespace-controller",
               "serviceaccount-controller", "serviceaccount-token-controller", "root-ca-certificate-publisher-controller",
               "deployment-controller", "replicaset-controller", "statefulset-controller", "daemonset-controller", "job-controller",
               "garbage-collector-controller", "resourcequota-controller", "disruption-controller"]
KUBECONFIG = """\
apiVersion: v1
kind: Config
clusters: [{{name: c, cluster: {{server: "{server}", certificate-authority: {ca}}}}}]
users: [{{name: u, user: {{token: admin}}}}]
contexts: [{{name: c, context: {{cluster: c, user: u}}}}]
current-context: c
"""
MERGE, JSON = "application/merge-patch+json", "application/json"


def built():
    """Where the program is once it is built: the name changes with the versions in go.mod."""
    key = hashlib.sha256()
    for name in ("go.mod", "go.sum", "main.go"):
        with open(os.path.join(HERE, name), "rb") as file:
            key.update(file.read())
    return os.path.join(folder("kubernetes"), "control-plane-" + key.hexdigest()[:12])


def program():
    """The path of the program, built from its modules (8 min on 2 cores) unless it is there."""
    binary = built()
    with open(os.path.join(folder("kubernetes"), "lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if os.path.exists(binary):
            return binary
        if "MESHDNS_NO_BUILD" in os.environ:
            skip("there is no control plane of Kubernetes yet: ./dev test --all builds it")
        go = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin:/usr/lib/go/bin")
        if not go:
            skip("kube-apiserver cannot be built: no go")
        with tempfile.TemporaryDirectory(prefix="meshdns-go-") as cache:  # its 2 GB are of no use to anybody else
            attempt("kube-apiserver cannot be built", go, "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w",
                    "-o", binary + ".new", ".", cwd=HERE, env={**os.environ, "GOCACHE": cache})
        for old in glob.glob(os.path.join(folder("kubernetes"), "control-plane-*[0-9a-f]")):
            os.remove(old)
        os.rename(binary + ".new", binary)
    return binary


class Refused(AssertionError):
    """The API server did not do what it was asked for."""

    def __init__(self, status, message):
        super().__init__(f"{status}: {message}")
        self.status, self.message = status, message


class ControlPlane(TlsBed):
    """Started by begin(), ended with its block. Clients are given `server`, ca.pem, and a token."""

    def __init__(self, *flags, controllers=False):
        """flags: further ones of kube-apiserver"""
        super().__init__()
        self.flags, self.controllers = flags, controllers
        self.processes, self.connections, self.connection = {}, threading.local(), None
        self.port, self.store, self.peer = free_port(), f"http://127.0.0.1:{free_port()}", f"http://127.0.0.1:{free_port()}"

    def __enter__(self):
        super().__enter__()
        self.binary = program()
        self.authority("ca")
        self.certificate("api", "ca", uris=[])
        self.openssl("genrsa", "-out", "accounts.key", "2048")
        self.write("tokens.csv", "admin,admin,1,system:masters\n")
        self.kubeconfig = self.write("kubeconfig", KUBECONFIG.format(server=self.server, ca=self.path("ca.pem")))
        self.callback(lambda: self.connection and self.connection.close())
        self.tls = ssl.create_default_context(cafile=self.path("ca.pem"))
        self.begin()
        return self

    @property
    def server(self):
        return f"https://127.0.0.1:{self.port}"

    # ---- its processes ----

    def begin(self):
        self.begin_etcd()
        self.begin_api()
        if self.controllers:
            self.launch("kube-controller-manager", f"--kubeconfig={self.kubeconfig}", "--leader-elect=false",
                        "--node-monitor-grace-period=8760h", "--controllers=" + ",".join(CONTROLLERS),
                        f"--service-account-private-key-file={self.path('accounts.key')}",
                        f"--root-ca-file={self.path('ca.pem')}", "--secure-port=0")

    def begin_etcd(self):
        self.launch("etcd", "--data-dir", self.path("etcd"), "--listen-client-urls", self.store, "--advertise-client-urls",
                    self.store, "--listen-peer-urls", self.peer, "--initial-advertise-peer-urls", self.peer,
                    "--initial-cluster", f"default={self.peer}", "--unsafe-no-fsync", "--log-level", "warn")

    def begin_api(self, *flags):
        self.launch("kube-apiserver", f"--etcd-servers={self.store}", "--bind-address=127.0.0.1",
                    "--advertise-address=192.0.2.1", "--endpoint-reconciler-type=none",  # no machine has this address
                    f"--secure-port={self.port}", f"--tls-cert-file={self.path('api.pem')}",
                    f"--tls-private-key-file={self.path('api.key')}", f"--token-auth-file={self.path('tokens.csv')}",
                    "--authorization-mode=RBAC", "--service-cluster-ip-range=10.96.0.0/16,fd00:96::/112",
                    "--service-account-issuer=https://kubernetes.default.svc",
                    f"--service-account-key-file={self.path('accounts.key')}",
                    f"--service-account-signing-key-file={self.path('accounts.key')}",
                    *([] if self.controllers else ["--disable-admission-plugins=ServiceAccount"]), *self.flags, *flags)
        self.wait_until_ready()

    def launch(self, name, *flags):
        with open(self.path(name + ".log"), "a", encoding="utf-8") as log:
            process = subprocess.Popen([self.binary, name, *flags], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.processes[name] = process
        self.callback(process.wait)
        self.callback(process.kill)

    def kill(self, name, number=signal.SIGKILL):
        """SIGKILL, for kube-apiserver waits half a minute for its watches."""
        self.processes[name].send_signal(number)
        self.processes[name].wait()

    def wait_until_ready(self):
        end = time.monotonic() + 120
        while self.request("GET", "/readyz")[0] != 200:
            dead = [name for name in ("etcd", "kube-apiserver") if self.processes[name].poll() is not None]
            if dead or time.monotonic() > end:
                with open(self.path((dead or ["kube-apiserver"])[0] + ".log"), encoding="utf-8") as log:
                    raise AssertionError("no kube-apiserver:\n" + log.read()[-3000:])
            time.sleep(0.1)

    def save_etcd(self, name):
        """A copy of all that is stored, from which restore_etcd() goes on: the versions go back with it."""
        self.kill("kube-apiserver")
        self.kill("etcd")
        shutil.copytree(self.path("etcd"), self.path(name))
        self.begin_etcd()
        self.begin_api()

    def restore_etcd(self, name):
        self.kill("kube-apiserver")
        self.kill("etcd")
        shutil.rmtree(self.path("etcd"))
        shutil.copytree(self.path(name), self.path("etcd"))
        self.begin_etcd()
        self.begin_api()

    # ---- requests ----

    def request(self, method, path, body=None, kind=JSON, token="admin"):
        """(status, JSON or text); status 0: not reached. Connections are kept, one for each thread."""
        headers = {"Authorization": f"Bearer {token}", "Content-Type": kind}
        data = None if body is None else json.dumps(body).encode()
        for attempts in (True, False):
            connection = getattr(self.connections, "open", None)
            if not connection:
                connection = self.connections.open = self.connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=60,
                                                                                 context=self.tls)
            try:
                connection.request(method, path, data, headers)
                reply = connection.getresponse()
                text = reply.read().decode()
                return reply.status, json.loads(text) if text.startswith("{") else text
            except (OSError, http.client.HTTPException):
                connection.close()
                self.connections.open = None
                if not attempts:
                    return 0, ""
        raise AssertionError("not reached")

    def do(self, method, path, body=None, kind=JSON):
        """The object that the API server answers with."""
        status, reply = self.request(method, path, body, kind)
        if status not in (200, 201, 202):
            raise Refused(status, reply.get("message", reply) if isinstance(reply, dict) else reply)
        return reply

    def get(self, path):
        return self.do("GET", path)

    def create(self, path, thing):
        return self.do("POST", path, thing)

    def patch(self, path, change):
        return self.do("PATCH", path, change, MERGE)

    def delete(self, path, grace=None):
        return self.do("DELETE", path, None if grace is None else {"gracePeriodSeconds": grace})

    def namespace(self, name):
        self.create("/api/v1/namespaces", {"metadata": {"name": name}})
        if self.controllers:
            self.wait_for(f"/api/v1/namespaces/{name}/serviceaccounts/default")

    def wait_for(self, path, seconds=120):
        end = time.monotonic() + seconds
        while self.request("GET", path)[0] != 200:
            assert time.monotonic() < end, f"{path} does not come"
            time.sleep(0.05)
        return self.get(path)

    def token(self, namespace, account, pod=None, audiences=(), seconds=3600):
        """A token of a service account, as a kubelet gets it for a pod (an object)."""
        spec = {"expirationSeconds": seconds, "audiences": list(audiences)}
        if pod:
            spec["boundObjectRef"] = {"kind": "Pod", "apiVersion": "v1", "name": pod["metadata"]["name"],
                                      "uid": pod["metadata"]["uid"]}
        reply = self.create(f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token",
                            {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec})
        return reply["status"]["token"]

    def kubectl(self, *words, stdin=""):
        """(exit code, output, errors)"""
        done = subprocess.run([self.binary, "kubectl", "--kubeconfig", self.kubeconfig, *words], input=stdin, text=True,
                              capture_output=True, check=False, timeout=120, env={**os.environ, "HOME": self.folder})
        return done.returncode, done.stdout, done.stderr

    def events(self, path, on_event):
        """A watch of our own in a thread: on_event(when it came, type, object)."""
        url = urllib.parse.urlsplit(self.server)
        connection = http.client.HTTPSConnection(url.hostname, url.port, context=self.tls)
        connection.request("GET", path, headers={"Authorization": "Bearer admin"})
        reply = connection.getresponse()

        def read():
            try:
                for line in reply:
                    when, event = time.monotonic(), json.loads(line)
                    on_event(when, event["type"], event["object"])
            except (OSError, ValueError, AttributeError, http.client.HTTPException):
                pass  # the server or the test has ended

        threading.Thread(target=read, daemon=True).start()

    # ---- many objects at once ----

    def put_many(self, entries):
        """Stores objects as the API server would, past it (it needs a minute for 50,000): [(registry path, object)]"""
        for first in range(0, len(entries), 100):
            self.store_call("txn", {"success": [{"requestPut": {
                "key": encoded("/registry/" + path), "value": encoded(json.dumps(thing))}}
                for path, thing in entries[first:first + 100]]})

    def drop(self, path):
        """Removes all objects under a registry path that ends in a slash."""
        self.store_call("deleterange", {"key": encoded("/registry/" + path), "range_end": encoded(f"/registry/{path[:-1]}0")})

    def store_call(self, what, body):
        request = urllib.request.Request(f"{self.store}/v3/kv/{what}", json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=60) as reply:
            reply.read()


def encoded(text):
    return base64.b64encode(text.encode()).decode()


def shipped(*kinds):
    """The documents of packaging/kubernetes of these kinds, as they are stored there."""
    found = []
    for path in sorted(glob.glob(os.path.join(MANIFESTS, "**", "*.yaml"), recursive=True)):
        with open(path, encoding="utf-8") as file:
            found += [document for document in yaml.safe_load_all(file) if document and document.get("kind") in kinds]
    return found
