"""A real kube-apiserver with its etcd on loopback, for one test run."""
import contextlib
import fcntl
import json
import os
import shutil
import ssl
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

from lab import skip
from peers import attempt, debian, folder
from ports import free_port

HERE = os.path.dirname(os.path.abspath(__file__))
PATHS = {"v1": "/api/v1", "apps/v1": "/apis/apps/v1"}
PLURALS = {"Namespace": "namespaces", "ServiceAccount": "serviceaccounts", "ConfigMap": "configmaps", "Pod": "pods",
           "Service": "services", "PersistentVolumeClaim": "persistentvolumeclaims", "Deployment": "deployments",
           "DaemonSet": "daemonsets"}


def kube_apiserver():
    """The path of the program, built from its module (5 min on 2 cores); cached until go.mod changes."""
    binary = os.path.join(folder("kubernetes"), "kube-apiserver")
    module = os.path.join(HERE, "go.mod")
    with open(binary + ".lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if os.path.exists(binary) and os.path.getmtime(binary) > os.path.getmtime(module):
            return binary
        go = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin:/usr/lib/go/bin")
        if not go:
            skip("kube-apiserver cannot be built: no go")
        attempt("kube-apiserver cannot be built", go, "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w",
                "-o", binary, "k8s.io/kubernetes/cmd/kube-apiserver", cwd=HERE)
    return binary


class ApiServer(contextlib.ExitStack):
    """Started on entering, ended on leaving; create() is a strict `kubectl create`."""

    def __enter__(self):
        super().__enter__()
        server, etcd = kube_apiserver(), os.path.join(debian("etcd-server"), "usr/bin/etcd")
        self.folder = tempfile.mkdtemp(prefix="meshdns-kube-")
        self.callback(shutil.rmtree, self.folder, True)
        self.port = free_port()
        self.processes = []
        self.tls = ssl._create_unverified_context()  # its certificate is its own
        store, peer = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
        self.start(etcd, "--data-dir", self.path("etcd"), "--listen-client-urls", store, "--advertise-client-urls", store,
                   "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster",
                   f"default={peer}")
        attempt("no key", "openssl", "genrsa", "-out", self.path("key.pem"), "2048")
        with open(self.path("tokens.csv"), "w", encoding="utf-8") as file:
            file.write("token,admin,1,system:masters\n")
        self.start(server, f"--etcd-servers={store}", "--bind-address=127.0.0.1", f"--secure-port={self.port}",
                   f"--cert-dir={self.path('certs')}", f"--token-auth-file={self.path('tokens.csv')}",
                   "--authorization-mode=RBAC", "--service-cluster-ip-range=10.96.0.0/16",
                   "--service-account-issuer=https://kubernetes.default.svc",
                   f"--service-account-key-file={self.path('key.pem')}",
                   f"--service-account-signing-key-file={self.path('key.pem')}")
        self.wait_until_ready()
        return self

    def path(self, name):
        return os.path.join(self.folder, name)

    def start(self, *argv):
        log = self.enter_context(open(self.path(os.path.basename(argv[0]) + ".log"), "w+", encoding="utf-8"))
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        self.processes.append((process, log))
        self.callback(process.wait)
        self.callback(process.kill)

    def wait_until_ready(self):
        end = time.monotonic() + 120
        while self.request("GET", "/readyz")[0] != 200:
            dead = [log for process, log in self.processes if process.poll() is not None]
            if dead or time.monotonic() > end:
                log = dead[0] if dead else self.processes[-1][1]
                log.seek(0)
                raise AssertionError("no kube-apiserver:\n" + log.read()[-3000:])
            time.sleep(0.2)

    def request(self, method, path, body=None):
        """(status, JSON or text); status 0: not reached"""
        request = urllib.request.Request(f"https://127.0.0.1:{self.port}{path}", method=method,
                                         data=None if body is None else json.dumps(body).encode(),
                                         headers={"Authorization": "Bearer token", "Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=30, context=self.tls) as reply:
                status, data = reply.status, reply.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                status, data = error.code, error.read().decode()
        except OSError:
            return 0, ""
        return status, json.loads(data) if data.startswith("{") else data

    def create(self, document, dry_run=False):
        """Creates an object, unknown and doubled fields being errors: (status, what the server says)."""
        place = PATHS[document["apiVersion"]]
        if "namespace" in document["metadata"]:
            place += "/namespaces/" + document["metadata"]["namespace"]
        query = "?fieldValidation=Strict" + ("&dryRun=All" if dry_run else "")
        status, reply = self.request("POST", f"{place}/{PLURALS[document['kind']]}{query}", document)
        return status, reply.get("message", "") if isinstance(reply, dict) else reply
