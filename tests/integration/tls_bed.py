"""Daemons that speak TLS, with certificates made by the openssl command."""
import datetime
import os
import subprocess

from mesh import Bed

DNSD = """\
cluster: eu-1
zones: [{{name: mesh.internal}}]
{role}
dns: {{workers: 1, listen: [{{address: "127.0.0.1:0"}}]}}
data_dir: {data}
admin: {{listen: "127.0.0.1:0", socket: {data}/{name}.sock}}
"""

AGENT = """\
node: {node}
cluster: eu-1
addresses: [127.0.0.1]
federation: {{servers: ["{server}"]{tls}}}
admin: {{listen: "127.0.0.1:0", socket: {folder}/{node}.sock}}
"""


NODE = "spiffe://mesh.internal/meshdns/node/eu-1/"
WHO = {"fed": "spiffe://mesh.internal/meshdns/federation/eu-1/fed",
       "replica": "spiffe://mesh.internal/meshdns/dns/eu-1/replica",
       "op": "spiffe://mesh.internal/meshdns/operator/admin/op"}


class TlsBed(Bed):
    """Certificates lie in the folder; a daemon's `who` is the name of its .pem and .key."""

    def openssl(self, *words):
        return subprocess.run(["openssl", *words], cwd=self.folder, check=True, capture_output=True)

    def authority(self, name):
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                     "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.pem")

    def certificate(self, name, authority, days="30", san="DNS:localhost, IP:127.0.0.1", uris=None):
        """uris: who it is of; without them that follows from the name (WHO)"""
        names = [san] + [f"URI:{uri}" for uri in ([WHO.get(name, NODE + name)] if uris is None else uris)]
        self.write("san.txt", f"subjectAltName = {', '.join(names)}\n")
        self.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                     "-keyout", f"{name}.key", "-out", f"{name}.csr")
        self.openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{authority}.pem", "-CAkey", f"{authority}.key",
                     "-CAcreateserial", "-days", days, "-extfile", "san.txt", "-out", f"{name}.pem")

    def aged_certificate(self, name, authority, days_left, days_old=300, san="DNS:localhost, IP:127.0.0.1"):
        """One that began days_old ago. Its key is that of the certificate before."""
        self.write("ca.conf", "[ca]\ndefault_ca = d\n[d]\ndatabase = index.txt\nnew_certs_dir = .\nserial = serial.txt\n"
                   "default_md = sha256\npolicy = p\nx509_extensions = e\nunique_subject = no\n[p]\ncommonName = supplied\n"
                   f"[e]\nsubjectAltName = {san}, URI:{WHO.get(name, NODE + name)}\n")
        self.write("index.txt", "")
        self.write("serial.txt", "1234\n")
        day = datetime.timedelta(days=1)
        now = datetime.datetime.now(datetime.timezone.utc)
        start, end = (each.strftime("%Y%m%d%H%M%SZ") for each in (now - days_old * day, now + days_left * day))
        self.openssl("ca", "-batch", "-notext", "-config", "ca.conf", "-cert", f"{authority}.pem", "-keyfile", f"{authority}.key",
                     "-startdate", start, "-enddate", end, "-in", f"{name}.csr", "-out", f"{name}.new")
        os.replace(self.path(f"{name}.new"), self.path(f"{name}.pem"))

    def exchange(self, into, *sources):
        """The file `into` becomes what the sources hold."""
        text = ""
        for source in sources:
            with open(self.path(source), encoding="utf-8") as file:
                text += file.read()
        self.write(into, text)

    def federation(self, listen="127.0.0.1:0", tls=", tls: {certificate: fed.pem, key: fed.key, client_ca: fed-ca.pem}", more=""):
        """more: further lines of the configuration"""
        role = f'federation: {{listen: "{listen}", store: {{memory: {{}}}}{tls}}}\n{more}'
        config = self.write("fed.yaml", DNSD.format(role=role, data=self.folder, name="fed"))
        daemon = self.start("meshdnsd", "--config", config)
        daemon.wait_line("ready")
        self.server = "%s:%d" % daemon.address("federation listening")
        return daemon

    def agent(self, who, ca="ca-1.pem", tls=None):
        tls = f", tls: {{certificate: {who}.pem, key: {who}.key, ca: {ca}}}" if tls is None else tls
        config = self.write(f"agent-{who}.yaml", AGENT.format(node=who, server=self.server, tls=tls, folder=self.folder))
        return self.start("meshdns-agent", "--config", config)
