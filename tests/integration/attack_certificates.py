"""Certificates of every shape, made by the openssl command from the words of a table of attacks."""
import datetime
import os
import socket
import ssl

from attack_table import every, last
from tls_bed import TlsBed

MESH = "spiffe://mesh.internal/meshdns/"
EMAIL, DNS, URI, IP = 0x81, 0x82, 0x86, 0x87  # tags of a GeneralName (RFC 5280 4.2.1.6)
DATED = """\
[ca]
default_ca = d
[d]
database = index.txt
new_certs_dir = .
serial = serial.txt
default_md = sha256
policy = p
unique_subject = no
[p]
commonName = supplied
"""
EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
NAMED = ("cn", "ou", "dns", "ip", "email", "ca", "key", "use", "from", "until")


def length_of(size):
    """The length of a DER element."""
    if size < 128:
        return bytes([size])
    digits = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([128 | len(digits)]) + digits


def element(tag, content):
    return bytes([tag]) + length_of(len(content)) + content


def uris_of(words):
    """A word with a scheme is a URI; another word without = is one of the mesh's trust domain."""
    found = [word for word in words if not (word.split("=", 1)[0] in NAMED and "=" in word)]
    return [word if ":" in word.split("/", 1)[0] else MESH + word for word in found]


def alternative_names(words):
    """The bytes of subjectAltName; empty = the certificate has none."""
    names = b"".join(element(URI, uri.encode()) for uri in uris_of(words))
    names += b"".join(element(DNS, name.encode()) for name in every(words, "dns"))
    names += b"".join(element(EMAIL, name.encode()) for name in every(words, "email"))
    names += b"".join(element(IP, socket.inet_aton(name)) for name in every(words, "ip"))
    return element(0x30, names) if names else b""


class CertificateBed(TlsBed):
    """The authority of the mesh in the folder `ca`, others that nobody trusts, and certificates of them all."""

    def __enter__(self):
        super().__enter__()
        self.made = {}  # file of the certificate, by the words
        self.write("ca.conf", DATED)
        for key in "12345":
            self.openssl("req", *EC, "-subj", "/CN=a key", "-keyout", f"{key}.key", "-out", f"{key}.csr")
        return self

    def authorities(self):
        """Makes the authorities besides the mesh's own, which exists already."""
        subject = self.output("x509", "-in", "ca/ca.pem", "-noout", "-subject", "-nameopt", "RFC2253")
        self.authority("other")
        self.openssl("req", "-x509", *EC, "-days", "3", "-subj", "/" + subject.split("=", 1)[1].strip(),
                     "-keyout", "twin.key", "-out", "twin.pem")
        self.exchange("leaf.pem", self.made_as(["node/eu-1/leaf"]))
        self.exchange("leaf.key", "1.key")

    def output(self, *words):
        return self.openssl(*words).stdout.decode()

    def made_as(self, words):
        """The file of a certificate; its key is 1.key, or that of the word `key`."""
        name = " ".join(words)
        if name not in self.made:
            self.made[name] = self.make(words, f"who{len(self.made)}.pem")
        return self.made[name]

    def certificate_of(self, words):
        """The path of that file."""
        return self.path(self.made_as(words))

    def make(self, words, file):
        names = alternative_names(words)
        lines = ["basicConstraints = critical, CA:FALSE", "keyUsage = critical, digitalSignature"]
        lines += [f"extendedKeyUsage = {use}" for use in every(words, "use")]
        lines += ["subjectAltName = DER:" + names.hex(":")] if names else []
        self.write("who.txt", "\n".join(lines) + "\n")
        ca, key = last(words, "ca", "ca/ca"), last(words, "key", "1")
        unit = "".join("/OU=" + name for name in every(words, "ou"))
        subject = ("-subj", "/CN=" + last(words, "cn", "whoever").replace("/", "\\/") + unit)
        if ca == "self":
            self.openssl("req", "-x509", "-key", f"{key}.key", "-days", "3", *subject,
                         "-config", self.plain_request(lines), "-extensions", "e", "-out", file)
        elif every(words, "from") or every(words, "until"):
            self.make_dated(words, ca, f"{key}.csr", subject, file)
        else:
            request = f"{key}.csr"
            if every(words, "cn") or unit:
                request = "who.csr"
                self.openssl("req", "-new", "-key", f"{key}.key", *subject, "-out", request)
            self.openssl("x509", "-req", "-in", request, "-CA", f"{ca}.pem", "-CAkey", f"{ca}.key", "-CAcreateserial",
                         "-days", "3", "-extfile", "who.txt", "-out", file)
        if ca == "leaf":  # the chain that the thief would show
            self.exchange(file, file, "leaf.pem")
        return file

    def plain_request(self, lines):
        return self.write("request.conf", "[req]\ndistinguished_name = n\n[n]\n[e]\n" + "\n".join(lines) + "\n")

    def make_dated(self, words, ca, request, subject, file):
        """from, until: seconds from now."""
        now = datetime.datetime.now(datetime.timezone.utc)
        start, end = (now + datetime.timedelta(seconds=float(last(words, name, default)))
                      for name, default in (("from", "-60"), ("until", "86400")))
        self.write("index.txt", "")
        self.write("serial.txt", os.urandom(8).hex() + "\n")
        self.openssl("ca", "-batch", "-notext", "-config", "ca.conf", "-cert", f"{ca}.pem", "-keyfile", f"{ca}.key",
                     *subject, "-startdate", f"{start:%Y%m%d%H%M%SZ}", "-enddate", f"{end:%Y%m%d%H%M%SZ}",
                     "-extfile", "who.txt", "-in", request, "-out", file)

    def context_of(self, words):
        """An SSLContext that shows the certificate; for the word `nobody`, none."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.path("ca/ca.pem"))
        context.set_alpn_protocols(["h2"])
        if words != ["nobody"]:
            context.load_cert_chain(self.certificate_of(words), self.path(last(words, "key", "1") + ".key"))
        return context


