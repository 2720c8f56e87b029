"""Attackers with service account tokens of Kubernetes. Each case begins with a token of its own; the API server is played."""
from api_identity import AUDIENCE, IdentityServer
from attack_table import last
from raw_agent import field
from raw_call import ask_once

IDENTITY = """\
identity:
  trust_domain: mesh.internal
  kubernetes:
    agents: [meshdns/meshdns-agent]
    dns: [meshdns/meshdns-dns]
    server: "https://127.0.0.1:%d"
    ca_file: api-ca.pem
    token_file: api.token
"""


class Pods:
    """bed: a CertificateBed; tokens: Tokens, which has requests for certificates."""

    def __init__(self, bed):
        self.bed = bed
        bed.authority("api-ca")
        bed.certificate("api", "api-ca")
        bed.write("api.token", "the-federations-own-token\n")
        self.api = IdentityServer(bed.path("api.pem"), bed.path("api.key"))

    def identity(self):
        """The lines of the federation's configuration."""
        return IDENTITY % self.api.port

    def shown(self, words):
        """The token of the words: of an agent of node n1, unless they say otherwise."""
        if last(words, "shown"):
            return last(words, "shown")
        pod = last(words, "pod", "agent-1")
        seconds = -1 if "expired" in words else 3600
        node = "" if "old" in words or "unbound" in words else last(words, "node", "n1")
        token = self.api.token(last(words, "account", "meshdns/meshdns-agent"), "" if "unbound" in words else pod, node,
                               last(words, "audience", AUDIENCE), seconds)
        if "deleted" in words:
            self.api.delete_pod(pod)
        return token

    def enroll(self, tokens, server, words, **options):
        """enroll-pod, with the words of a token, name= that is wanted, and what is wrong. The outcome says who got it."""
        asked = field(2, tokens.request(words)) + field(3, last(words, "name", "n1")) + field(4, self.shown(words))
        if "joining" in words:  # with a token of meshdnsctl besides
            asked += field(1, tokens.token(["names=n1"]))
        if "as-join-token" in words:
            asked = field(1, self.shown(words)) + field(2, tokens.request(words)) + field(3, last(words, "name", "n1"))
        return tokens.certified(ask_once(server, "Federation/Enroll", asked, **options))
