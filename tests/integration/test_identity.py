"""Attacks over real TLS: who shows which certificate, what it asks for, and what it gets. Each refused case has an allowed
twin that differs from it in one thing."""
import json
import re
import ssl
import time
import unittest

from mesh import WAIT, eventually, run
from raw_agent import RawAgent, SentAway, field, fields
from raw_call import Ended, RawCall
from tls_bed import TlsBed

MESH = "spiffe://mesh.internal/meshdns/"
NODE = MESH + "node/eu-1/n7"
OTHERS = {"anonymous of a node": MESH + "anonymous/eu-1/n7", "a replica": MESH + "dns/eu-1/edge",
          "a replica of another cluster": MESH + "dns/us-1/edge", "an instance": MESH + "federation/eu-1/f1",
          "an instance of another cluster": MESH + "federation/us-1/f1", "a viewer": MESH + "operator/viewer/v",
          "an operator": MESH + "operator/operator/o", "an admin": MESH + "operator/admin/a"}
# what looks like NODE and is not
TRICKS = [
    MESH + "node/eu-1/n8", MESH + "node/us-1/n7", MESH + "node/eu-1/N7", MESH + "node/EU-1/n7", MESH + "node/eu-1/n7.",
    MESH + "node/eu-1/n7/", MESH + "node/eu-1/n7/x", MESH + "node/eu-1//n7", MESH + "node/eu-1/../eu-1/n7",
    MESH + "node/eu-1/./n7", MESH + "node/eu-1/n8/../n7", MESH + "node/eu-1/n%37", MESH + "node/eu-1%2fn7",
    MESH + "node//n7", MESH + "node/n7", MESH + "Node/eu-1/n7", MESH + "NODE/eu-1/n7", MESH + "nodes/eu-1/n7",
    MESH + "node/eu-1/*", MESH + "node/*/*", MESH + "node/eu-1/n7?x", MESH + "node/eu-1/n7#x", MESH + "node/eu-1/n7 ",
    MESH + "node/eu-1/n7;x", MESH + "node/eu-1/n_7", MESH + "node/eu-1/-n7", MESH + "node/eu_1/n7", MESH + "node/eu.1/n7",
    "spiffe://mesh.internal/x/meshdns/node/eu-1/n7", "spiffe://mesh.internal/meshdns/meshdns/node/eu-1/n7",
    "spiffe://mesh.internal/node/eu-1/n7", "spiffe://mesh.internal/MESHDNS/node/eu-1/n7", "spiffe://mesh.internal",
    "spiffe://mesh.internal/", "spiffe:///meshdns/node/eu-1/n7", "spiffe://MESH.internal/meshdns/node/eu-1/n7",
    "SPIFFE://mesh.internal/meshdns/node/eu-1/n7", "https://mesh.internal/meshdns/node/eu-1/n7",
    "spiffe://mesh.internal:443/meshdns/node/eu-1/n7", "spiffe://root@mesh.internal/meshdns/node/eu-1/n7",
    "spiffe://mesh%2einternal/meshdns/node/eu-1/n7", "spiffe://[::1]/meshdns/node/eu-1/n7",
    "urn:meshdns:node:eu-1:n7", "eu-1/n7",
]
# names that are not those of NODE's certificate: (cluster, node)
NOT_OWN = [("eu-1", "n8"), ("us-1", "n7"), ("eu-1", "N7"), ("EU-1", "n7"), ("eu-1", ""), ("", "n7"), ("eu-1", "n7."),
           ("eu-1", "n7/x"), ("eu-1", "n7 "), ("eu-1", "n7\0"), ("eu-1/n7", "n7"), ("eu-1", "eu-1/n7"), ("eu-1", "n77"), ("eu-1", "n"),
           ("eu-1", "*"), ("*", "n7")]
REPLICA, PEER, SIBLING, UNSPECIFIED = 1, 2, 3, 0
VIEW, STEER, CHANGE = range(3)
OBJECT = """\
apiVersion: meshdns.io/v1alpha1
kind: VirtualDestination
metadata: {name: api, namespace: shop}
spec: {hosts: [api.mesh.internal], services: [{namespace: shop, name: app-b}]}
"""

CLUSTER = """\
apiVersion: meshdns.io/v1alpha1
kind: Cluster
metadata: {name: eu-1}
spec: {allowedPrefixes: [10.0.0.0/24], agents: [{nodes: ["n*"], namespaces: [bench], services: ["web*"]}], nodeQuota: {endpoints: 2}}
"""
RULES = """\
identity:
  trust_domain: mesh.internal
  rules:
    - {uri: "spiffe://corp.example/agent/*/*", role: node, cluster: "{1}", node: "{2}"}
    - {uri: "spiffe://cluster.local/ns/meshdns/sa/edge-*", role: dns, cluster: eu-1, name: "edge-{1}"}
    - {uri: "spiffe://corp.example/people/*/*", role: operator, level: "{1}", name: "{2}"}
"""


class IdentityBed(TlsBed):
    """One federation of eu-1, and certificates of its authority with whatever URIs."""

    def __enter__(self):
        super().__enter__()
        self.authority("ca-1")
        self.certificate("fed", "ca-1")
        self.exchange("fed-ca.pem", "ca-1.pem")
        self.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=eu-1", "-keyout",
                     "who.key", "-out", "who.csr")
        self.made = 0
        return self

    def shown(self, *uris):
        """The name of a certificate with these URIs."""
        self.made += 1
        name = f"who{self.made}"
        sans = "".join(f'URI.{number} = "{uri}"\n' for number, uri in enumerate(uris))
        names = f"subjectAltName = @names\n[names]\n{sans}" if uris else "keyUsage = digitalSignature\n"
        self.write("who.txt", names)
        self.openssl("x509", "-req", "-in", "who.csr", "-CA", "ca-1.pem", "-CAkey", "ca-1.key", "-CAcreateserial", "-days", "3",
                     "-extfile", "who.txt", "-out", name + ".pem")
        return name

    def tls(self, name):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.path("ca-1.pem"))
        context.load_cert_chain(self.path(name + ".pem"), self.path("who.key"))
        context.set_alpn_protocols(["h2"])
        return context

    def reports(self, name, cluster="eu-1", node="n7"):
        """Whether the certificate's owner is welcome as the agent of a node."""
        try:
            RawAgent(self.server, node, cluster, tls=self.tls(name)).close()
            return True
        except (Ended, SentAway):
            return False

    def watches(self, name, mode):
        """Whether the owner is told records or a status, and not sent away."""
        call = RawCall(self.server, "Watch", tls=self.tls(name))
        try:
            call.send(field(1, field(1, mode) if mode else b""))
            return 3 not in fields(call.receive())
        except Ended:
            return False
        finally:
            call.close()

    def ctl(self, name, *words):
        return run("meshdnsctl", "--server", self.server, "--ca", self.path("ca-1.pem"), "--certificate", self.path(name + ".pem"),
                   "--key", self.path("who.key"), *words)


class AttackTest(unittest.TestCase):
    def setUp(self):
        self.bed = self.enterContext(IdentityBed())
        self.federation = self.bed.federation()

    def test_nobody_but_the_node_reports_for_it(self):
        accepted = []
        for what, uris in [("nobody", ()), *((uri, (uri,)) for uri in [*TRICKS, *OTHERS.values()]),
                           ("two nodes", (NODE, MESH + "node/eu-1/n8")), ("twice the same", (NODE, NODE)),
                           ("node and admin", (NODE, MESH + "operator/admin/a")),
                           ("another's and its own", ("https://example.org/", NODE))]:
            if self.bed.reports(self.bed.shown(*uris)):
                accepted.append(what)
        self.assertEqual(accepted, [])
        self.assertTrue(self.bed.reports(self.bed.shown(NODE)))
        # the audit has a ration of lines about nobody for each second, and the tries above were more
        two = self.bed.shown(NODE, MESH + "node/eu-1/n8")
        line = re.compile(r"audit who=unknown from=\S+ verb=report .* outcome=.refused: .*exactly one is needed")

        def told():
            self.assertFalse(self.bed.reports(two))
            self.federation.read(0.2)
            return any(map(line.search, self.federation.lines))

        eventually(told, "the audit says why")

    def test_a_node_reports_for_no_other(self):
        own = self.bed.shown(NODE)
        self.assertEqual([names for names in NOT_OWN if self.bed.reports(own, *names)], [])
        self.assertTrue(self.bed.reports(own))
        self.federation.wait_line(r'audit who="node eu-1/n7" from=\S+ verb=report objects=Node/eu-1/n8 revision=\d+ '
                                  r'outcome="refused: node eu-1/n7 may not report as eu-1/n8 \(rule own-node\)"')

    def test_only_replicas_watch(self):
        allowed = {(MESH + "dns/eu-1/edge", REPLICA), (MESH + "dns/eu-1/edge", UNSPECIFIED),
                   (MESH + "federation/eu-1/f1", SIBLING)}
        seen = set()
        for uri in [NODE, *OTHERS.values()]:
            name = self.bed.shown(uri)
            seen |= {(uri, mode) for mode in (UNSPECIFIED, REPLICA, PEER, SIBLING) if self.bed.watches(name, mode)}
        self.assertEqual(seen, allowed)

    def test_operators_do_what_their_level_allows(self):
        file = self.bed.write("api.yaml", OBJECT)
        verbs = {("status",): VIEW, ("get", "nodes"): VIEW, ("lint",): VIEW, ("explain", "api.mesh.internal", "--client", "10.0.0.9"): VIEW,
                 ("history", "api.mesh.internal"): VIEW, ("history", "--changes"): VIEW,
                 ("apply", "-f", file): CHANGE, ("delete", "vd", "shop/api"): CHANGE, ("approve-shrink",): STEER,
                 ("drain", "node=eu-1/n7", "--for", "1h", "--reason", "test"): STEER}
        least = {"a viewer": VIEW, "an operator": STEER, "an admin": CHANGE}
        wrong = []
        for who, uri in {"a node": NODE, **OTHERS}.items():
            name = self.bed.shown(uri)
            for words, level in verbs.items():
                refused = "(rule " in self.bed.ctl(name, *words)[2]
                if refused != (least.get(who, -1) < level):
                    wrong.append((who, words[0], "refused" if refused else "allowed"))
        self.assertEqual(wrong, [])
        self.federation.wait_line(r'audit who="operator v \(viewer\)" from=\S+ verb=apply objects=VirtualDestination/shop/api '
                                  r'revision=\d+ outcome="refused: operator v \(viewer\) may not change objects \(rule level-admin\)"')

    def test_a_node_reports_what_its_cluster_allows(self):
        admin, own = self.bed.shown(OTHERS["an admin"]), self.bed.shown(NODE)
        self.bed.write("eu-1.yaml", CLUSTER)
        self.assertEqual(self.bed.ctl(admin, "apply", "-f", self.bed.path("eu-1.yaml"))[0], 0)
        agent = RawAgent(self.bed.server, "n7", "eu-1", address="10.0.0.7", tls=self.bed.tls(own))
        self.addCleanup(agent.close)
        agent.send_full([RawAgent.endpoint("good", "web", "10.0.0.7"), RawAgent.endpoint("alien", "web", "10.0.0.8"),
                         RawAgent.endpoint("public", "web", "192.0.2.1"), RawAgent.endpoint("multi", "web", "224.0.0.9"),
                         RawAgent.endpoint("any", "web", "0.0.0.0"), RawAgent.endpoint("other", "db", "10.0.0.7"),
                         RawAgent.endpoint("second", "web-2", "10.0.0.7"), RawAgent.endpoint("third", "web-3", "10.0.0.7")])
        self.wait_for_endpoints(admin, ["good", "second"])
        # what a stricter rule forbids goes, and comes back with the old rule
        self.bed.write("eu-1.yaml", CLUSTER.replace('"web*"', "web"))
        self.assertEqual(self.bed.ctl(admin, "apply", "-f", self.bed.path("eu-1.yaml"))[0], 0)
        self.wait_for_endpoints(admin, ["good"])
        self.federation.wait_line(r"endpoints withdrawn: a rule forbids them node=eu-1/n7 endpoints=1 endpoint=eu-1/n7/second")

    def wait_for_endpoints(self, who, keys):
        end, found = time.monotonic() + WAIT, None
        while time.monotonic() < end:
            found = json.loads(self.bed.ctl(who, "get", "endpoints", "-o", "json")[1])
            found = sorted(each["key"].rsplit("/", 1)[1] for each in found["endpoints"])
            if found == keys:
                return
            time.sleep(0.05)
        self.assertEqual(found, keys)

    def test_check_config_says_whose_the_own_certificate_must_be(self):
        name = self.bed.shown(MESH + "node/eu-1/n8")
        config = self.bed.write("agent.yaml", "node: n7\ncluster: eu-1\naddresses: [127.0.0.1]\n"
                                f'federation: {{servers: ["{self.bed.server}"], tls: {{certificate: {name}.pem, key: who.key, '
                                "ca: ca-1.pem}}\n")
        code, _, err = run("meshdns-agent", "--config", config, "--check-config")
        self.assertEqual(code, 2)
        self.assertIn(f"{name}.pem: it is of node eu-1/n8, and node eu-1/n7 is needed", err)


class OtherAuthoritiesTest(unittest.TestCase):
    """Certificates that look like SPIRE's, like those of cert-manager's CSI driver, and like a company's own."""

    def test_rules_say_whose_they_are(self):
        bed = self.enterContext(IdentityBed())
        bed.federation(more=RULES)
        node = [name for name in ("agent/eu-1/n7", "agent/eu-1/n8", "agent/us-1/n7", "agents/eu-1/n7", "agent/eu-1/n7/x",
                                  "agent/eu-1", "agent/eu-1/") if bed.reports(bed.shown("spiffe://corp.example/" + name))]
        self.assertEqual(node, ["agent/eu-1/n7"])
        replicas = [uri for uri in ("ns/meshdns/sa/edge-1", "ns/meshdns/sa/edge-", "ns/meshdns/sa/other", "ns/shop/sa/edge-1")
                    if bed.watches(bed.shown("spiffe://cluster.local/" + uri), REPLICA)]
        self.assertEqual(replicas, ["ns/meshdns/sa/edge-1"])
        people = [who for who in ("viewer/eve", "admin/alice", "root/mallory", "viewer/")
                  if "(rule " not in (said := bed.ctl(bed.shown("spiffe://corp.example/people/" + who), "get", "nodes"))[2]
                  and said[0] == 0]
        self.assertEqual(people, ["viewer/eve", "admin/alice"])
        # the mesh's own form counts in the trust domain that is named, and in no other
        self.assertTrue(bed.reports(bed.shown(NODE)))
        self.assertFalse(bed.reports(bed.shown(NODE.replace("mesh.internal", "evil.example"))))


if __name__ == "__main__":
    unittest.main()
