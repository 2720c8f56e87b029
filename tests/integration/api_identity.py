"""What a stand-in for the Kubernetes API server knows of identity: TokenReview, Secrets and ConfigMaps. The answers have the
form of those of a real API server 1.34."""
import base64
import json
import time

from api_server import ApiServer

AUDIENCE = "meshdns-federation"
REVIEWS = "/apis/authentication.k8s.io/v1/tokenreviews"
INVALID = "[invalid bearer token, %s]"


class IdentityServer(ApiServer):
    """Tokens are made by `token`, as the kubelet asks for them; their pods can be deleted."""

    def __init__(self, certificate, key, port=0):
        self.accounts, self.objects, self.asked, self.count = {}, {}, [], 0
        self.forbidden, self.silent, self.old, self.gone = set(), False, False, False
        super().__init__(certificate, key, port)
        api = self

        def write(request):
            api.written(request)

        self.server.RequestHandlerClass.do_POST = write
        self.server.RequestHandlerClass.do_PUT = write

    def close(self):
        self.gone = True  # connections that are kept alive end with their next request
        super().close()

    # ---- tokens ----

    def token(self, account, pod="", node="", audience=AUDIENCE, seconds=3600):
        """A token of the pod; account: "meshdns/meshdns-agent"."""
        self.count += 1
        text = f"eyJhbGciOiJSUzI1NiJ9.e30.{self.count:08}"
        self.accounts[text] = {"account": account, "pod": pod, "node": node, "audience": audience, "until": time.time() + seconds}
        return text

    def delete_pod(self, pod):
        for claims in self.accounts.values():
            if claims["pod"] == pod:
                claims["deleted"] = True

    def review(self, spec):
        """The status of a TokenReview."""
        claims = self.accounts.get(spec["token"])
        if claims is None:
            return {"user": {}, "error": INVALID % "square/go-jose: error in cryptographic primitive"}
        if claims["audience"] not in spec["audiences"]:
            why = f'token audiences ["{claims["audience"]}"] is invalid for the target audiences ["{spec["audiences"][0]}"]'
            return {"user": {}, "error": INVALID % why}
        if claims.get("deleted"):
            return {"user": {}, "error": INVALID % "service account token has been invalidated"}
        if claims["until"] < time.time():
            return {"user": {}, "error": INVALID % "service account token has expired"}
        name = "authentication.kubernetes.io/"
        extra = {name + "credential-id": ["JTI=7447e3ff"]}
        if claims["pod"]:
            extra |= {name + "pod-name": [claims["pod"]], name + "pod-uid": ["uid-" + claims["pod"]]}
        if claims["node"] and not self.old:
            extra |= {name + "node-name": [claims["node"]], name + "node-uid": ["uid-" + claims["node"]]}
        user = {"username": "system:serviceaccount:" + claims["account"].replace("/", ":"), "uid": "63b6e6e5",
                "groups": ["system:serviceaccounts", "system:authenticated"], "extra": extra}
        return {"authenticated": True, "user": user, "audiences": [claims["audience"]]}

    # ---- requests ----

    def refuses(self, request):
        """Whether the request was answered with a refusal, or is not answered at all. `forbidden` has pairs of a method and a part of a path."""
        if self.gone:
            request.close_connection = True
            return True
        self.asked.append((request.command, request.path, request.headers.get("Authorization", "")))
        if not any(request.command == method and part in request.path for method, part in self.forbidden):
            return False
        self.status(request, 403, "Forbidden", f"cannot {request.command} {request.path}")
        return True

    def say(self, request, body):
        try:
            self.send(request, 201, body)
        except OSError:
            pass  # the federation waits no longer

    def status(self, request, code, reason, message=""):
        self.send(request, code, {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message,
                                  "reason": reason, "code": code})

    def answer(self, request):
        if "/secrets/" not in request.path and "/configmaps/" not in request.path:
            return super().answer(request)
        if self.refuses(request):
            return None
        with self.lock:
            found = self.objects.get(request.path)
        return self.send(request, 200, found) if found else self.status(request, 404, "NotFound")

    def written(self, request):
        body = json.loads(request.rfile.read(int(request.headers["Content-Length"])))
        if self.refuses(request):
            return None
        if request.path == REVIEWS:
            while self.silent:
                time.sleep(0.05)
            return self.say(request, body | {"status": self.review(body["spec"])})
        for key, text in body.pop("stringData", {}).items():
            body.setdefault("data", {})[key] = base64.b64encode(text.encode()).decode()
        new = request.command == "POST"
        path = request.path + "/" + body["metadata"]["name"] if new else request.path
        with self.lock:
            before = self.objects.get(path)
            if new and before:
                return self.status(request, 409, "AlreadyExists")
            if not new and before["metadata"]["resourceVersion"] != body["metadata"].get("resourceVersion"):
                return self.status(request, 409, "Conflict")
            self.version += 1
            body["metadata"]["resourceVersion"] = str(self.version)
            self.objects[path] = body
        return self.send(request, 201 if new else 200, body)

    # ---- objects ----

    def texts(self, kind, name):
        """The texts of a Secret ("secrets") or a ConfigMap ("configmaps") of the namespace meshdns; None = there is none."""
        with self.lock:
            found = self.objects.get(f"/api/v1/namespaces/meshdns/{kind}/{name}")
        if found is None or kind == "configmaps":
            return found and found["data"]
        return {key: base64.b64decode(text).decode() for key, text in found["data"].items()}
