"""The mesh's own authority: meshdnsctl ca makes certificates, and real daemons and operators use them."""
import hashlib
import os
import re
import stat
import subprocess
import unittest

from mesh import BIN, WAIT, eventually
from tls_bed import DNSD, TlsBed

OBJECT = """\
apiVersion: meshdns.io/v1alpha1
kind: VirtualDestination
metadata: {name: api, namespace: shop}
spec: {hosts: [api.mesh.internal], services: [{namespace: shop, name: app-b}]}
"""
PAGE = os.path.join(os.path.dirname(__file__), "../../docs/tls.md")
FEDERATION = ("--federation", "eu-1/fed", "--address", "localhost", "--address", "127.0.0.1")
TRUSTED = "ca/ca.pem"


class AuthorityBed(TlsBed):
    def ctl(self, *words):
        """Runs meshdnsctl in the folder: (exit code, standard output, standard error)."""
        done = subprocess.run([os.path.join(os.path.abspath(BIN), "meshdnsctl"), *words], cwd=self.folder, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=WAIT, check=False)
        return done.returncode, done.stdout, done.stderr

    def ca(self, *words):
        code, out, err = self.ctl("ca", *words)
        if code:
            raise AssertionError(f"ca {' '.join(words)}: {code} {out}{err}")
        return out

    def refused(self, *words):
        """The exit code and the one line that say why."""
        code, out, err = self.ctl("ca", *words)
        if code == 0 or out or err.count("\n") != 1:
            raise AssertionError(f"ca {' '.join(words)}: {code} {out}{err}")
        return code, err.rstrip("\n")

    def secured(self, listen="127.0.0.1:0"):
        """The federation of eu-1 with the certificate that ca issue made."""
        return self.federation(listen, f", tls: {{certificate: fed.pem, key: fed.key, client_ca: {TRUSTED}}}")

    def afar(self, who, *words):
        return self.ctl("--server", self.server, "--ca", TRUSTED, "--certificate", f"{who}.pem", "--key", f"{who}.key",
                        *words)

    def tries(self, who):
        """Whether an agent connects with its certificate."""
        agent = self.agent(who, ca=TRUSTED)
        line = agent.wait_line(" connected | not connected ").group(0)
        agent.stop()
        return line == " connected "


class MeshTest(unittest.TestCase):
    """Daemons and operators with issued certificates."""

    def setUp(self):
        self.bed = self.enterContext(AuthorityBed())
        self.bed.ca("init")
        self.bed.ca("issue", *FEDERATION)
        self.bed.ca("issue", "--node", "eu-1/n1")

    def test_agent_replica_and_operators_do_what_their_certificates_say(self):
        self.bed.ca("issue", "--dns", "eu-1/replica")
        self.bed.ca("issue", "--operator", "eve", "--level", "viewer")
        self.bed.ca("issue", "--operator", "alice", "--level", "admin")
        federation = self.bed.secured()
        self.bed.agent("n1", ca=TRUSTED).wait_line(" connected ")
        role = (f'roles: [dns]\nreplica: {{federation: ["{self.bed.server}"], '
                f"tls: {{certificate: replica.pem, key: replica.key, ca: {TRUSTED}}}}}")
        config = self.bed.write("replica.yaml", DNSD.format(role=role, data=self.bed.path("r"), name="replica"))
        self.bed.start("meshdnsd", "--config", config).wait_line("federation found")
        code, out, err = self.bed.afar("eve", "get", "nodes")
        self.assertEqual((code, err), (0, ""))
        self.assertIn("eu-1/n1", out)
        file = self.bed.write("api.yaml", OBJECT)
        code, out, err = self.bed.afar("eve", "apply", "-f", file)
        self.assertEqual((code, out), (1, ""))
        self.assertIn("operator eve (viewer) may not change objects (rule level-admin)", err)
        federation.wait_line(r'audit who="operator eve \(viewer\)" .*outcome="refused: ')
        self.assertIn("created", self.bed.afar("alice", "apply", "-f", file)[1])
        self.assertFalse([line for line in federation.lines if "handshake" in line])

    def test_a_certificate_of_another_authority_or_node_is_refused(self):
        federation = self.bed.secured()
        self.bed.ca("init", "--folder", "other")
        self.bed.ca("issue", "--folder", "other", "--node", "eu-1/stranger")
        self.assertFalse(self.bed.tries("stranger"))
        federation.wait_line("tls handshake failed .*certificate verify failed")
        self.bed.ca("issue", "--node", "eu-1/n2", "--out", "n3")
        self.assertFalse(self.bed.tries("n3"))
        federation.wait_line(r"node eu-1/n2 may not report as eu-1/n3 \(rule own-node\)")

    def test_an_authority_of_another_cluster_makes_no_identity_of_this_one(self):
        self.bed.ca("init", "--folder", "us")
        for words in (("--node", "eu-1/n3"), ("--node", "us-1/n4"), ("--operator", "eve", "--level", "admin")):
            self.bed.ca("issue", "--folder", "us", *words)
        federation = self.bed.federation(tls=f", tls: {{certificate: fed.pem, key: fed.key, client_ca: {TRUSTED}}}, "
                                             "cluster_authorities: [{ca: us/ca.pem, clusters: [us-1]}]")
        self.assertTrue(self.bed.tries("n1"))
        self.assertFalse(self.bed.tries("n3"))
        federation.wait_line(r'audit who=unknown from=\S+ verb=report .*the authority of \S+us/ca.pem may not vouch for node eu-1/n3, '
                             r"but for clusters us-1 only \(rule authority\)")
        self.assertFalse(self.bed.tries("n4"))
        federation.wait_line(r"node us-1/n4 may not report as eu-1/n4 \(rule own-cluster\)")
        code, _, err = self.bed.afar("eve", "status")
        self.assertEqual(code, 1)
        self.assertIn("may not vouch for operator eve (admin)", err)

    def test_an_authority_is_replaced_without_an_interruption(self):
        self.bed.secured()
        self.bed.ca("issue", "--node", "eu-1/n0")
        agent = self.bed.agent("n1", ca=TRUSTED)
        agent.wait_line(" connected ")
        self.bed.ca("rotate")
        self.bed.ca("issue", "--node", "eu-1/n2")
        eventually(lambda: self.bed.tries("n2"), "an agent of the new authority")
        self.assertTrue(self.bed.tries("n0"), "one of the old authority")
        self.bed.ca("issue", *FEDERATION, "--out", "new")
        for ending in ("key", "pem"):
            os.rename(self.bed.path("new." + ending), self.bed.path("fed." + ending))
        self.bed.ca("rotate", "--finish")
        eventually(lambda: not self.bed.tries("n0"), "the old authority is not trusted any more")
        eventually(lambda: self.bed.tries("n2"), "the new one is")
        self.assertFalse([line for line in agent.lines if "disconnected" in line])


class CommandTest(unittest.TestCase):
    """What the commands write, print and refuse."""

    def setUp(self):
        self.bed = self.enterContext(AuthorityBed())

    def mode(self, name):
        return stat.S_IMODE(os.stat(self.bed.path(name)).st_mode)

    def openssl_says(self, *words):
        return subprocess.run(["openssl", *words], cwd=self.bed.folder, check=True, capture_output=True).stdout

    def test_the_files_and_the_lines_that_use_them(self):
        out = self.bed.ca("init", "--trust-domain", "corp.example")
        self.assertRegex(out, r"^authority of corp\.example until 20\d\d-")
        out = self.bed.ca("issue", "--node", "eu-1/n1", "--for", "2d")
        self.assertRegex(out, r"^node eu-1/n1: n1\.pem and n1\.key, until 20\d\d-")
        self.assertIn("\nfederation:\n  tls: {certificate: n1.pem, key: n1.key, ca: ca.pem}\n", out)
        self.assertEqual([self.mode(name) for name in ("ca", "ca/ca.key", "n1.key")], [0o700, 0o600, 0o600])
        self.openssl_says("verify", "-purpose", "sslclient", "-CAfile", TRUSTED, "n1.pem")
        text = self.openssl_says("x509", "-in", "n1.pem", "-noout", "-text").decode()
        self.assertIn("URI:spiffe://corp.example/meshdns/node/eu-1/n1", text)
        self.assertIn("TLS Web Client Authentication", text)
        self.assertNotIn("TLS Web Server Authentication", text)
        out = self.bed.ca("issue", *FEDERATION)
        self.assertIn("\nfederation:\n  tls: {certificate: fed.pem, key: fed.key, client_ca: ca.pem}\n", out)
        self.openssl_says("verify", "-purpose", "sslserver", "-verify_ip", "127.0.0.1", "-CAfile", TRUSTED, "fed.pem")

    def test_show_says_whose_it_is_and_the_hash_of_the_key(self):
        self.bed.ca("init")
        self.bed.ca("issue", "--operator", "alice", "--level", "operator")
        key = self.openssl_says("pkey", "-in", "alice.key", "-pubout", "-outform", "DER")
        out = self.bed.ca("show", "alice.pem")
        self.assertTrue(out.startswith("operator alice (operator)\n"), out)
        self.assertIn("sha256:" + hashlib.sha256(key).hexdigest(), out)
        self.assertRegex(out, r"valid +20\S+Z to 20\S+Z \((90d|89d23h) left\)")
        self.assertTrue(self.bed.ca("show").startswith("authority of mesh.internal, signs\n"))
        self.bed.ca("rotate")
        self.assertEqual(re.findall(r"^authority of mesh.internal, (.*)$", self.bed.ca("show"), re.M),
                         ["signs", "trusted until meshdnsctl ca rotate --finish"])
        self.assertEqual(self.bed.refused("show", "alice.key"), (2, "alice.key: no certificate in PEM"))

    def test_nothing_is_overwritten(self):
        self.bed.ca("init")
        self.bed.ca("issue", "--node", "eu-1/n1")
        before = [self.read(name) for name in ("ca/ca.pem", "ca/ca.key", "n1.pem", "n1.key")]
        self.assertEqual(self.bed.refused("init"), (1, "ca/ca.key exists: the folder has an authority already"))
        self.assertEqual(self.bed.refused("issue", "--node", "eu-1/n1"),
                         (1, "n1.key exists; nothing issued: --out names other files"))
        os.remove(self.bed.path("n1.key"))
        self.assertEqual(self.bed.refused("issue", "--node", "eu-1/n1")[0], 1)
        self.assertFalse(os.path.exists(self.bed.path("n1.key")))
        self.assertEqual([self.read(name) for name in ("ca/ca.pem", "ca/ca.key", "n1.pem")], before[:3])
        self.assertEqual(self.bed.refused("issue", "--node", "eu-1/n2", "--out", "none/n2")[0], 1)

    def read(self, name):
        with open(self.bed.path(name), encoding="utf-8") as file:
            return file.read()

    def test_mistakes_are_named(self):
        node = ("issue", "--node", "eu-1/n1")
        self.assertEqual(self.bed.refused(*node), (
            1, "ca: there is no authority; meshdnsctl ca init makes one, --folder names another folder"))
        self.assertEqual(self.bed.refused("init", "--trust-domain", "Mesh")[0], 2)
        self.bed.ca("init")
        for words, said in (
                (("issue",), "say whom the certificate is for: one of --node, --dns, --federation and --operator"),
                ((*node, "--dns", "eu-1/edge"), "say whom the certificate is for"),
                (("issue", "--node", "n1"), "--node: expected CLUSTER/NAME (got n1)"),
                (("issue", "--node", "eu-1/n1/x"), 'node "n1/x": expected a host name'),
                (("issue", "--dns", "eu.1/edge"), 'cluster "eu.1": expected a label'),
                (("issue", "--operator", "alice"), "--operator needs --level viewer, operator or admin"),
                (("issue", "--operator", "alice", "--level", "root"), '--level: level "root": expected viewer'),
                (("issue", "--operator", "a b", "--level", "admin"), "expected 1 to 253 printable characters"),
                (("issue", "--operator", "a@b", "--level", "admin"), "a name may only have letters, digits, . - _"),
                ((*node, "--level", "admin"), "--level is for --operator only"),
                ((*node, "--address", "10.0.0.1"), "only the certificate of a federation has addresses"),
                (("issue", *FEDERATION, "--address", "*.example"), "expected a DNS name or an IP address"),
                ((*node, "--for", "soon"), "--for: expected a duration"),
                ((*node, "--for", "0"), "a certificate lasts a second at least")):
            with self.subTest(words):
                code, err = self.bed.refused(*words)
                self.assertEqual(code, 2, err)
                self.assertIn(said, err)
        self.assertEqual(sorted(os.listdir(self.bed.folder)), ["ca"])
        self.assertEqual(self.bed.refused("rotate", "--finish"), (1, "ca: only one authority is trusted"))
        os.chmod(self.bed.path("ca"), 0o755)
        self.assertEqual(self.bed.refused(*node), (1, "ca is open to others: chmod 0700 ca"))

    def test_an_expired_authority_signs_nothing_and_can_be_replaced(self):
        self.bed.ca("init")
        names = self.bed.write("ca.txt", "basicConstraints = critical, CA:TRUE\nsubjectKeyIdentifier = hash\n"
                                         "subjectAltName = URI:spiffe://mesh.internal\n")
        self.openssl_says("req", "-new", "-key", "ca/ca.key", "-subj", "/CN=old", "-out", "ca.csr")
        self.openssl_says("x509", "-req", "-in", "ca.csr", "-signkey", "ca/ca.key", "-days", "-1", "-extfile", names,
                          "-out", TRUSTED)
        code, err = self.bed.refused("issue", "--node", "eu-1/n1")
        self.assertEqual(code, 1)
        self.assertRegex(err, r"^the authority has expired on 20\S+Z; meshdnsctl ca rotate makes another$")
        self.bed.ca("rotate")
        self.bed.ca("issue", "--node", "eu-1/n1")

    def test_a_federation_without_addresses_is_warned_of(self):
        self.bed.ca("init")
        code, _, err = self.bed.ctl("ca", "issue", "--federation", "eu-1/fed")
        self.assertEqual(code, 0)
        self.assertEqual(err, "without --address no agent, replica or meshdnsctl accepts this federation\n")

    def test_help_and_completion_know_the_parts(self):
        self.assertIn("meshdnsctl ca issue --node eu-1/n7", self.bed.ca("issue", "--help"))
        for words, found in ((("ca", ""), "init\nissue\nrotate\nshow\n"), (("ca", "issue", "--lev"), "--level\n"),
                             (("ca", "issue", "--level", "v"), "viewer\n"), (("ca", "show", ""), ":files\n")):
            self.assertEqual(self.bed.ctl("__complete", *words), (0, found, ""), words)
        for part in ("init", "issue", "show", "rotate"):
            self.assertLessEqual(max(map(len, self.bed.ca(part, "--help").split("\n"))), 100)


class PageTest(unittest.TestCase):
    def test_the_pages_commands_make_certificates_that_work(self):
        bed = self.enterContext(AuthorityBed())
        with open(PAGE, encoding="utf-8") as file:
            blocks = re.findall(r"^```sh\n(.*?)^```", file.read(), re.M | re.S)
        self.assertGreater(len(blocks), 2)
        script = "set -e\n" + "".join(blocks).replace("--address 10.0.9.1", "--address 127.0.0.1")
        environment = {**os.environ, "PATH": f"{os.path.abspath(BIN)}:{os.environ['PATH']}"}
        subprocess.run(["bash", "-c", script], cwd=bed.folder, env=environment, check=True, capture_output=True)
        bed.secured()
        bed.agent("eu1-n1", ca=TRUSTED).wait_line(" connected ")


if __name__ == "__main__":
    unittest.main()
