"""Attackers with tokens and requests for certificates. Each case begins with a token of its own."""
import re
import struct
import time

from attack_requests import new_token
from attack_table import every, last
from raw_agent import field, fields
from raw_call import DATA, END_HEADERS, END_STREAM, HEADERS, RST_STREAM, Ended, RawCall, ask_once, frame, outcome_of

FOREIGN = "subjectAltName = URI:spiffe://mesh.internal/meshdns/operator/admin/mallory, DNS:localhost, IP:127.0.0.1\n"
SIGNER = "basicConstraints = critical, CA:TRUE\nkeyUsage = keyCertSign\n"
REQUEST = "[req]\ndistinguished_name = n\nreq_extensions = e\n[n]\n[e]\n"
KEYS = {"rsa-1024": ("-newkey", "rsa:1024"), "p-192": ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-192"),
        "ed25519": ("-newkey", "ed25519")}
GUESSES = 1000


class Guesser(RawCall):
    """One connection that makes one call of Enroll after the other."""

    def __init__(self, server, **options):
        self.stream, self.outcomes = 1, []
        super().__init__(server, "Enroll", **options)

    def take(self, kind, flags, stream, payload):
        if kind == HEADERS and flags & END_STREAM:
            self.outcomes.append(outcome_of(payload))
        elif kind != RST_STREAM:
            super().take(kind, flags, stream, payload)

    def guess(self, request):
        """What the call with this request gets."""
        head = frame(HEADERS, END_HEADERS, self.stream, self.opening) if self.stream > 1 else b""
        message = struct.pack("!BI", 0, len(request)) + request
        while self.window[0] < len(message):
            self.pump(0.2)
        self.window[0] -= len(message)
        self.put(head + frame(DATA, END_STREAM, self.stream, message))
        self.stream += 2
        wanted = len(self.outcomes) + 1
        while len(self.outcomes) < wanted:
            if self.ended:
                raise Ended(self.ended)
            self.pump(0.2)
        return self.outcomes[-1]


class Tokens:
    """Makes tokens as the operator of `options` and spends them as others. bed: a CertificateBed"""

    def __init__(self, bed, server, **options):
        self.bed, self.server, self.options = bed, server, options
        self.early = {}  # tokens whose time has to be over when they are used, by the words of their case

    def ask(self, request):
        return fields(ask_once(self.server, "Admin/Token", request, **self.options))

    def token(self, words):
        return self.ask(new_token(words))[1].decode()

    def revoke(self, token):
        self.ask(field(2, token.split(".")[1]))

    def prepare(self, rows):
        """Makes the tokens that expire, all at once, and waits until they have."""
        cases = [row.asks[1:] for row in rows if row.asks[0] == "enroll" and "expired" in row.asks]
        for words in cases:
            self.early[" ".join(words)] = self.token([*words, "length=1"])
        if cases:
            time.sleep(2.1)

    # ---- requests for certificates ----

    def request(self, words):
        """The PEM of a request: with csr=, of the kind that the word says; its key is 1.key or that of the word `key`."""
        kind, key = last(words, "csr"), last(words, "key", "1")
        plain = self.read(f"{key}.csr")
        if kind == "wrong-signature":
            return self.forged(plain, self.read("2.csr" if key == "1" else "1.csr"))
        if kind in KEYS:
            self.bed.openssl("req", *KEYS[kind], "-nodes", "-subj", "/CN=x", "-keyout", "odd.key", "-out", "odd.csr")
            return self.read("odd.csr")
        if kind in ("foreign-names", "authority"):
            self.bed.write("odd.conf", REQUEST + (FOREIGN if kind == "foreign-names" else SIGNER))
            self.bed.openssl("req", "-new", "-key", f"{key}.key", "-config", "odd.conf", "-subj", "/CN=fed/O=mallory",
                             "-out", "odd.csr")
            return self.read("odd.csr")
        return {"": plain, "empty": "", "garbage": "hunter2", "certificate": self.read("ca/ca.pem"),
                "key": self.read(f"{key}.key"), "large": "x" * 1_000_000, "cut": plain[:len(plain) // 2]}[kind]

    def read(self, name):
        with open(self.bed.path(name), encoding="utf-8") as file:
            return file.read()

    def forged(self, plain, other):
        """A request for the key of one with the signature of the other."""
        der = {}
        for name, text in (("plain", plain), ("other", other)):
            self.bed.write(name + ".csr", text)
            self.bed.openssl("req", "-in", name + ".csr", "-outform", "DER", "-out", name + ".der")
            with open(self.bed.path(name + ".der"), "rb") as file:
                der[name] = bytearray(file.read())
        der["plain"][-8:] = der["other"][-8:]
        with open(self.bed.path("forged.der"), "wb") as file:
            file.write(der["plain"])
        self.bed.openssl("req", "-inform", "DER", "-in", "forged.der", "-out", "forged.csr")
        return self.read("forged.csr")

    # ---- cases ----

    def tampered(self, words):
        """The token as it is shown: with part=, one of its parts is another."""
        token = self.early.get(" ".join(words)) or self.token(words)
        parts = token.split(".")
        for name, value in (each.split(":", 1) for each in every(words, "part")):
            at = ("version", "id", "secret", "authority").index(name)
            parts[at] = value.replace("same", parts[at]).replace("upper", parts[at].upper())
        return "".join(every(words, "before")) + ".".join(parts) + "".join(every(words, "after"))

    def enroll(self, words, **options):
        """enroll, with the words of a token, name= that is wanted, and what is wrong. The outcome says who got it."""
        shown = last(words, "shown") or self.tampered(words)
        name = last(words, "name", "n1")
        asked = field(1, shown) + field(2, self.request(words)) + field(3, name)
        if "replayed" in words:  # somebody else was faster
            first = field(1, shown) + field(2, self.read("2.csr")) + field(3, name)
            ask_once(self.server, "Federation/Enroll", first, **options)
        if "again" in words:
            ask_once(self.server, "Federation/Enroll", asked, **options)
        if "revoked" in words:
            self.revoke(shown)
        return self.certified(ask_once(self.server, "Federation/Enroll", asked, **options))

    def renew(self, words, **options):
        asked = field(2, self.request(words)) + field(3, last(words, "name", "n1"))
        return self.certified(ask_once(self.server, "Federation/Enroll", asked, **options))

    def renew_revoked(self, words, **options):
        """A renewal after the token was revoked by which the key of the word `key` was enrolled."""
        token, name = self.token(words), last(words, "names")
        used = field(1, token) + field(2, self.request(words)) + field(3, name)
        ask_once(self.server, "Federation/Enroll", used, **options)
        self.revoke(token)
        return self.renew(["key=" + last(words, "csr-key", last(words, "key"))], **options)

    def guess(self, words, **options):
        """A thousand secrets for a token that exists; the outcome is what each of them got."""
        parts, guesser = self.token(words).split("."), Guesser(self.server, **options)
        try:
            secrets = (f"{number:064x}" for number in range(GUESSES))
            return "; ".join({guesser.guess(field(1, ".".join([*parts[:2], secret, parts[3]]))) for secret in secrets})
        finally:
            guesser.close()

    def certified(self, reply):
        """ "accepted as node/eu-1/n1": all names of the certificate in the reply, and whether it could sign others."""
        self.bed.write("reply.pem", fields(reply)[1].decode())
        text = self.bed.output("x509", "-in", "reply.pem", "-noout", "-text")
        names = re.search(r"Subject Alternative Name:[^\n]*\n\s*(.*)", text).group(1)
        names = names.replace("URI:spiffe://mesh.internal/meshdns/", "")
        return f"accepted as {names}" + (" and as an authority" if "CA:TRUE" in text or "Certificate Sign" in text else "")
