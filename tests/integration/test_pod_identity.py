"""Identity in Kubernetes without any handed-out token: agents and replicas that show the token of their pod's service account,
and the mesh's authority in a Secret. The API server is played."""
import os
import re
import time
import unittest
import urllib.request

from api_identity import AUDIENCE, REVIEWS, IdentityServer
from mesh import WAIT, eventually, run
from tls_bed import TlsBed

SECRET = "meshdns-authority"
FEDERATION = """\
cluster: eu-1
zones: [{{name: mesh.internal}}]
federation:
  listen: "127.0.0.1:0"
  store: {{memory: {{}}}}
  certificate_lifetime: {lifetime}
  authority_secret: {{namespace: meshdns, name: meshdns-authority, config_map: meshdns-authority, {server}}}
identity:
  kubernetes: {{agents: [meshdns/meshdns-agent], dns: [meshdns/meshdns-dns], review_timeout: {timeout}, {server}}}
dns: {{workers: 1, listen: [{{address: "127.0.0.1:0"}}]}}
data_dir: {data}
admin: {{listen: "127.0.0.1:0", socket: {data}/fed.sock}}
"""
AGENT = """\
cluster: eu-1
addresses: [127.0.0.1]
federation: {{servers: ["{server}"], join: {{kubernetes: {{token_file: {token}, ca_file: authority.crt}}}}}}
state_dir: {state}
admin: {{listen: "127.0.0.1:0", socket: {state}/agent.sock}}
"""
REPLICA = """\
cluster: eu-1
roles: [dns]
zones: [{{name: mesh.internal}}]
replica: {{federation: ["{server}"], join: {{kubernetes: {{token_file: {token}, ca_file: authority.crt}}}}}}
dns: {{workers: 1, listen: [{{address: "127.0.0.1:0"}}]}}
data_dir: {data}
admin: {{listen: "127.0.0.1:0", socket: {data}/replica.sock}}
"""


class PodBed(TlsBed):
    """A played API server, a federation that asks it, and pods with files as the kubelet writes them."""

    def begin(self):
        self.authority("api-ca")
        self.certificate("api", "api-ca")
        self.write("api.token", "the-federations-own-token\n")
        self.api = self.serve()

    def serve(self, port=0):
        api = IdentityServer(self.path("api.pem"), self.path("api.key"), port)
        self.callback(lambda: api.thread.is_alive() and api.close())
        return api

    def away(self):
        """The API server ends; `back` brings it back with what it knew."""
        self.api.close()

    def back(self):
        before = self.api
        self.api = self.serve(before.port)
        self.api.accounts, self.api.objects = before.accounts, before.objects
        self.api.version, self.api.count = before.version, before.count

    def federation(self, name="fed", lifetime="24h", timeout="8s", wait=True):
        data = self.path(name)
        os.makedirs(data, mode=0o700, exist_ok=True)
        server = f'server: "https://127.0.0.1:{self.api.port}", ca_file: api-ca.pem, token_file: api.token'
        config = self.write(f"{name}.yaml", FEDERATION.format(data=data, lifetime=lifetime, timeout=timeout, server=server))
        daemon = self.start("meshdnsd", "--config", config)
        if wait:
            self.ready(daemon)
        return daemon

    def ready(self, daemon):
        daemon.wait_line("ready")
        self.server = "%s:%d" % daemon.address("federation listening")
        eventually(lambda: self.api.texts("configmaps", SECRET), "the ConfigMap")
        self.mount()

    def mount(self):
        """What the kubelet does with the ConfigMap."""
        self.write("authority.crt", self.api.texts("configmaps", SECRET)["ca.crt"])

    def agent(self, node, token, state=None):
        """The agent of a pod that has this token."""
        state = self.path(state or "state-" + node)
        os.makedirs(state, mode=0o700, exist_ok=True)
        name = os.path.basename(state)
        self.write(name + ".token", token)
        config = self.write(f"agent-{name}.yaml", AGENT.format(server=self.server, token=name + ".token", state=state))
        return self.start("meshdns-agent", "--config", config, env=os.environ | {"NODE_NAME": node})

    def joined(self, node="n1", pod="agent-1", **options):
        token = self.api.token("meshdns/meshdns-agent", pod, node, **options)
        agent = self.agent(node, token)
        agent.wait_line(" connected ")
        return agent

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()

    def ctl(self, *words, name="fed"):
        return run("meshdnsctl", "--server", self.path(name + "/fed.sock"), *words)


class PodTest(unittest.TestCase):
    def setUp(self):
        self.bed = self.enterContext(PodBed())
        self.bed.begin()
        self.api = self.bed.api

    # ---- joining ----

    def test_from_an_empty_cluster_to_agents_and_a_replica_that_prove_who_they_are(self):
        federation = self.bed.federation()
        federation.wait_line('authority taken secret=meshdns/meshdns-authority because="the Secret was made"')
        agents = [self.bed.joined(f"n{number}", f"agent-{number}") for number in (1, 2)]
        federation.wait_line(r'certificate signed for a pod peer=\S+ for="node eu-1/n2"')
        self.assertEqual(os.stat(self.bed.path("state-n1/n1.key")).st_mode & 0o777, 0o600)
        data = self.bed.path("replica")
        os.makedirs(data, mode=0o700)
        self.bed.write("replica.token", self.api.token("meshdns/meshdns-dns", "dns-0", "n1"))
        config = self.bed.write("replica.yaml", REPLICA.format(server=self.bed.server, token="replica.token", data=data))
        self.bed.start("meshdnsd", "--config", config, env=os.environ | {"POD_NAME": "dns-0"}).wait_line("federation reached|ready")
        eventually(lambda: "dns eu-1/dns-0" in self.bed.ctl("status")[1], "the replica's identity")
        self.assertRegex(self.bed.ctl("history", "--changes")[1], r"enroll .*certificate for n1.* ok")
        self.assertIn(("POST", REVIEWS, "Bearer the-federations-own-token"), self.api.asked)
        self.assertFalse([path for _, path, _ in self.api.asked if "eyJ" in path])
        for daemon in [federation, *agents]:
            self.assertFalse([line for line in daemon.lines if "eyJ" in line], "a token in the log")

    def test_who_is_refused_and_why(self):
        federation = self.bed.federation()
        agent = "meshdns/meshdns-agent"
        cases = [
            ("a", self.api.token(agent, "agent-a", "b"), r"its pod is on node b, not on a \(rule token-node\)"),
            ("a", self.api.token("shop/web", "web-1", "a"), r"does not list the service account shop/web \(rule service-account\)"),
            ("a", self.api.token("meshdns/meshdns-dns", "dns-0", "a"), r"it is of the pod dns-0, not of a \(rule token-pod\)"),
            ("a", self.api.token(agent, "agent-a", "a", audience="https://kubernetes.default.svc"),
             r"token audiences .* is invalid for the target audiences .*\(rule token-review\)"),
            ("a", self.api.token(agent, "agent-a", "a", seconds=-1), r"service account token has expired.*\(rule token-review\)"),
            ("a", self.api.token(agent), r"it is bound to no pod \(rule token-pod\)"),
            ("a", "hunter2", r"\(rule token-review\)"),
            ("a", "", r"state-7\.token: no service account token")]
        for number, (node, token, why) in enumerate(cases):
            with self.subTest(why=why):
                daemon = self.bed.agent(node, token, state=f"state-{number}")
                daemon.wait_line("not joined yet reason=.*" + why)
                daemon.stop()
                self.assertFalse(os.path.exists(self.bed.path(f"state-{number}/{node}.pem")))
        self.api.old = True  # before Kubernetes 1.30
        old = self.bed.agent("a", self.api.token(agent, "agent-a", "a"), state="state-old")
        old.wait_line(r"not joined yet .*Kubernetes 1\.30 is needed.*\(rule token-node\)")
        self.api.old = False
        old.wait_line(" connected ")  # it tries again by itself
        self.assertRegex(self.bed.ctl("history", "--changes")[1], r"enroll .*certificate for a.* refused: .*\(rule token-node\)")
        federation.wait_line("enrolment refused .*rule service-account")

    def test_another_server_gets_no_token(self):
        self.bed.federation()
        self.bed.write("authority.crt", self.bed.read("api-ca.pem"))
        before = len(self.api.asked)
        agent = self.bed.agent("n1", self.api.token("meshdns/meshdns-agent", "agent-1", "n1"))
        agent.wait_line("not joined yet")
        self.assertFalse([each for each in self.api.asked[before:] if each[1] == REVIEWS])
        self.bed.mount()  # the file is read again for each attempt
        agent.wait_line(" connected ")

    # ---- the API server is away ----

    def test_without_the_api_server_nobody_new_joins_and_everybody_else_stays(self):
        federation = self.bed.federation(lifetime="60s", timeout="2s")
        first = self.bed.joined()
        self.bed.away()
        token = self.bed.api.token("meshdns/meshdns-agent", "agent-2", "n2")
        second = self.bed.agent("n2", token)
        second.wait_line("not joined yet reason=.*service account token: 127.0.0.1")
        federation.wait_line("pods cannot be recognised")
        federation.wait_line("authority not followed secret=meshdns/meshdns-authority")
        code, out, _ = self.bed.ctl("status")
        self.assertRegex(out, "identity +TROUBLE: service account token: 127.0.0.1")
        self.assertRegex(out, "identity +TROUBLE: authority in Secret meshdns/meshdns-authority")
        self.assertIn("token_reviews_failing 1", self.metrics(federation))
        self.assertIn("authority_followed 0", self.metrics(federation))
        self.bed.back()
        second.wait_line(" connected ")
        federation.wait_line("pods are recognised again")
        federation.wait_line("authority followed again")
        self.assertIn("token_reviews_failing 0", self.metrics(federation))
        self.assertFalse([line for line in first.lines if "disconnected" in line])

    def metrics(self, daemon):
        host, port = daemon.address("admin listening")
        with urllib.request.urlopen(f"http://{host}:{port}/metrics", timeout=WAIT) as answer:
            return answer.read().decode()

    def test_an_api_server_that_says_nothing_holds_nobody_up(self):
        federation = self.bed.federation(timeout="500ms")
        self.api.silent = True
        self.addCleanup(setattr, self.api, "silent", False)
        agent = self.bed.agent("n1", self.api.token("meshdns/meshdns-agent", "agent-1", "n1"))
        agent.wait_line("not joined yet reason=.*has not answered within 500ms")
        began = time.monotonic()
        self.assertEqual(self.bed.ctl("get", "nodes")[0], 0)
        self.assertLess(time.monotonic() - began, WAIT)
        federation.stop()  # while a question is open
        self.assertEqual(federation.process.returncode, 0)

    def test_a_missing_right_is_named(self):
        self.api.forbidden = {("POST", "tokenreviews")}
        federation = self.bed.federation()
        agent = self.bed.agent("n1", self.api.token("meshdns/meshdns-agent", "agent-1", "n1"))
        agent.wait_line("not joined yet reason=.*reviews none: 403 Forbidden")
        federation.wait_line("pods cannot be recognised .*403 Forbidden")
        self.api.forbidden = set()
        agent.wait_line(" connected ")

    # ---- renewals ----

    def test_a_certificate_is_renewed_only_while_its_pod_lives(self):
        federation = self.bed.federation(lifetime="20s")
        agent = self.bed.joined()
        agent.wait_line("certificate renewed file=")
        federation.wait_line(r'certificate signed for a pod .*for="node eu-1/n1"')
        self.bed.write("state-n1.token", self.api.token("meshdns/meshdns-agent", "agent-1", "n1"))  # the kubelet rotates it
        agent.wait_line("certificate renewed file=", after=len(agent.lines))
        self.api.delete_pod("agent-1")
        agent.wait_line(r"certificate not renewed.*has been invalidated.*\(rule token-review\)")
        self.assertFalse([line for line in agent.lines if "disconnected" in line])

    # ---- the authority ----

    def test_two_federations_race_for_the_secret_and_have_one_authority(self):
        both = [self.bed.federation(name, wait=False) for name in ("fed", "fed-2")]
        for daemon in both:
            self.bed.ready(daemon)
        reasons = [daemon.wait_line('authority taken .*because="([^"]*)"').group(1) for daemon in both]
        self.assertEqual(reasons.count("the Secret was made"), 1, reasons)
        certificate = self.api.texts("secrets", SECRET)["ca.crt"]
        for name in ("fed", "fed-2"):
            self.assertEqual(self.bed.read(name + "/authority/ca.pem"), certificate)
            self.assertEqual(os.stat(self.bed.path(name + "/authority/ca.key")).st_mode & 0o777, 0o600)
        self.bed.joined()  # at the second, which did or did not make it

    def test_a_start_waits_for_the_authority_unless_there_is_a_copy(self):
        self.bed.away()
        federation = self.bed.federation(wait=False)
        federation.wait_line("waiting for the authority secret=meshdns/meshdns-authority")
        federation.wait_line("authority not followed .*reason=")
        self.bed.back()
        self.bed.ready(federation)
        federation.stop()
        self.bed.away()
        again = self.bed.federation(wait=False)
        again.wait_line("ready")
        again.wait_line("authority not followed .*reason=")
        again.stop()
        # and it can be ended while it waits
        waiting = self.bed.federation("fed-3", wait=False)
        waiting.wait_line("waiting for the authority")
        waiting.process.terminate()
        waiting.process.wait(WAIT)
        waiting.wait_line("ended before there was an authority")

    def test_the_authority_is_exchanged_in_one_place_for_everybody(self):
        federation = self.bed.federation(lifetime="20s")
        other = self.bed.federation("fed-2", lifetime="20s", wait=False)
        other.wait_line("ready")
        agent = self.bed.joined()
        code, out, err = run("meshdnsctl", "ca", "rotate", "--folder", self.bed.path("fed/authority"))
        self.assertEqual(code, 0, out + err)
        federation.wait_line("authority written secret=meshdns/meshdns-authority")
        other.wait_line('authority taken .*because="the Secret has another"')
        eventually(lambda: self.api.texts("configmaps", SECRET)["ca.crt"].count("BEGIN CERTIFICATE") == 2, "both in the ConfigMap")
        self.assertIn("old.key", self.api.texts("secrets", SECRET))
        self.bed.mount()
        eventually(lambda: self.bed.read("state-n1/ca.pem").count("BEGIN CERTIFICATE") == 2, "the agent trusts both")
        self.assertEqual(run("meshdnsctl", "ca", "rotate", "--finish", "--folder", self.bed.path("fed/authority"))[0], 0)
        federation.wait_line('own certificate signed .*because="it is of another authority"')
        eventually(lambda: "old.key" not in self.api.texts("secrets", SECRET), "the old key is gone")
        self.bed.mount()
        self.bed.server = "%s:%d" % federation.address("federation listening")
        self.bed.joined("n2", "agent-2")
        self.assertFalse([line for line in agent.lines if "disconnected" in line])

    def test_the_configuration_is_checked_without_the_api_server(self):
        self.bed.away()
        self.bed.federation(wait=False).stop()
        self.assertEqual(run("meshdnsd", "--config", self.bed.path("fed.yaml"), "--check-config")[2], "")
        text = self.bed.read("fed.yaml")
        config = self.bed.write("pod.yaml", re.sub(r', server: "[^}]*', "", text))
        code, _, err = run("meshdnsd", "--config", config, "--check-config")
        self.assertEqual(code, 2)
        self.assertIn("identity.kubernetes: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set", err)
        self.assertEqual(AUDIENCE, "meshdns-federation")


if __name__ == "__main__":
    unittest.main()
