"""TLS between agent, replica, meshdnsctl and federation: real daemons, certificates made by the openssl command."""
import os
import re
import socket
import subprocess
import unittest
import unittest.mock
import urllib.request

from mesh import WAIT, eventually, run
from tls_bed import DNSD, TlsBed

OBJECT = """\
apiVersion: meshdns.io/v1alpha1
kind: VirtualDestination
metadata: {name: api, namespace: shop}
spec: {hosts: [api.mesh.internal], services: [{namespace: shop, name: app-b}]}
"""
CLOCK = r"; this machine's clock says 20\S+Z \(a clock may be wrong\)"


class TlsTest(unittest.TestCase):
    def setUp(self):
        self.bed = self.enterContext(TlsBed())
        for authority in ("ca-1", "ca-2"):
            self.bed.authority(authority)
        self.bed.certificate("fed", "ca-1")
        self.bed.certificate("n1", "ca-1")
        self.bed.certificate("replica", "ca-1")
        self.bed.exchange("fed-ca.pem", "ca-1.pem")

    def test_agents_and_replicas_of_the_ca_are_served(self):
        federation = self.bed.federation()
        federation.wait_line("federation listening .*tls=true")
        self.bed.agent("n1").wait_line(" connected ")
        role = (f'roles: [dns]\nreplica: {{federation: ["{self.bed.server}"], '
                "tls: {certificate: replica.pem, key: replica.key, ca: ca-1.pem}}")
        config = self.bed.write("replica.yaml", DNSD.format(role=role, data=self.bed.path("r"), name="replica"))
        self.bed.start("meshdnsd", "--config", config).wait_line("federation found")
        self.assertFalse([line for line in federation.lines if "handshake" in line])

    def test_leave_without_an_agent_speaks_tls(self):
        self.bed.federation()
        agent = self.bed.agent("n1")
        agent.wait_line(" connected ")
        agent.stop(9)
        code, out, err = run("meshdns-agent", "leave", "--config", self.bed.path("agent-n1.yaml"))
        self.assertEqual((code, err), (0, ""))
        self.assertIn("no agent was running", out)

    def test_others_are_refused_and_both_sides_say_so(self):
        federation = self.bed.federation()
        self.bed.certificate("stranger", "ca-2")
        self.bed.agent("stranger").wait_line("not connected")
        federation.wait_line(r'tls handshake failed error="certificate verify failed: .*" peer=127\.0\.0\.1:\d+ '
                             r'subject="?CN=stranger')
        at = len(federation.lines)
        self.bed.certificate("old", "ca-1", days="-1")
        old = self.bed.agent("old")
        old.wait_line("certificate expired file=.*old.pem")
        old.wait_line("not connected")
        federation.wait_line(r"tls handshake failed .*certificate has expired.* peer=127\.0\.0\.1:\d+ "
                             r'subject="?CN=old', after=at)
        at = len(federation.lines)
        self.bed.agent("plain", tls="").wait_line("not connected")
        federation.wait_line(r"tls handshake failed .*(wrong version number|http request|packet length).* "
                             r"peer=127\.0\.0\.1:\d+ subject=none", after=at)
        for node in ("stranger", "old", "plain"):
            self.assertFalse([line for line in federation.lines if f"eu-1/{node}" in line])

    def test_a_client_whose_certificate_is_not_valid_yet_is_refused_with_the_times(self):
        federation = self.bed.federation()
        self.bed.certificate("early", "ca-1")
        self.bed.aged_certificate("early", "ca-1", days_left=30, days_old=-1)
        agent = self.bed.agent("early")
        agent.wait_line(r"tls file cannot be used file=\S+early.pem problem=.not valid before 20\S+Z, the certificate of "
                        r"CN=early" + CLOCK)
        federation.wait_line(r'tls handshake failed error="certificate verify failed: certificate is not yet valid: CN=early '
                             r"not valid before 20\S+Z" + CLOCK + r'" peer=127\.0\.0\.1:\d+ subject="?CN=early')
        agent.wait_line("not connected")  # gRPC does not tell why

    def test_a_federation_whose_certificate_has_expired_is_refused_with_the_times(self):
        self.bed.aged_certificate("fed", "ca-1", days_left=-1)
        federation = self.bed.federation()
        federation.wait_line(r"certificate expired file=\S+fed.pem problem=.expired at 20\S+Z, the certificate of CN=fed" + CLOCK)
        self.bed.agent("n1").wait_line(r'tls handshake failed error="certificate verify failed: certificate has expired: CN=fed '
                                       r"expired at 20\S+Z" + CLOCK)
        # gRPC does not tell why it refuses, but openssl does
        self.s_client("-tls1_3", "-verify_return_error", "-cert", self.bed.path("n1.pem"), "-key", self.bed.path("n1.key"))
        federation.wait_line(r'tls handshake failed error="\w+ alert certificate expired: the other end says that this end\'s '
                             r"certificate \(CN=fed\) has expired: it is valid from 20\S+Z to 20\S+Z" + CLOCK)

    def test_an_agent_refuses_a_federation_of_another_ca(self):
        self.bed.federation()
        self.bed.agent("n1", ca="ca-2.pem").wait_line(
            r'tls handshake failed error="certificate verify failed: .*" subject="?CN=fed')

    def test_an_agent_refuses_a_plaintext_federation(self):
        self.bed.federation(tls="")
        self.bed.agent("n1").wait_line("not connected .*(wrong version number|handshake)")

    def test_the_page_makes_certificates_that_work(self):
        with open(os.path.join(os.path.dirname(__file__), "../../docs/tls.md"), encoding="utf-8") as file:
            blocks = re.findall(r"^```bash\n(.*?)^```", file.read(), re.M | re.S)
        script = "set -e\n" + "".join(blocks).replace("IP:10.0.9.1", "IP:127.0.0.1")
        subprocess.run(["bash", "-c", script], cwd=self.bed.folder, check=True, capture_output=True)
        self.bed.exchange("fed-ca.pem", "ca.pem")
        self.bed.federation()
        for ending in (".pem", ".key"):  # the page makes the certificate of node eu1-n1
            self.bed.exchange("eu1-n1" + ending, "node" + ending)
        self.bed.agent("eu1-n1", ca="ca.pem").wait_line(" connected ")
        for name, usage in (("node", "TLS Web Client Authentication"), ("fed", "TLS Web Server Authentication")):
            text = subprocess.run(["openssl", "x509", "-in", self.bed.path(name + ".pem"), "-noout", "-text"],
                                  capture_output=True, text=True, check=True).stdout
            self.assertIn("Version: 3 ", text)
            self.assertIn(usage, text)

    def s_client(self, *words):
        return subprocess.run(["openssl", "s_client", "-connect", self.bed.server, "-alpn", "h2", "-ign_eof", "-CAfile",
                               self.bed.path("ca-1.pem"), *words], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=WAIT, check=False)

    def test_only_tls_1_3_and_only_with_a_certificate(self):
        federation = self.bed.federation()
        own = ("-cert", self.bed.path("n1.pem"), "-key", self.bed.path("n1.key"))
        self.assertNotEqual(self.s_client("-tls1_2", *own).returncode, 0)
        federation.wait_line("tls handshake failed .*(no shared cipher|unsupported protocol)")
        self.assertNotEqual(self.s_client("-tls1_3").returncode, 0)
        federation.wait_line("tls handshake failed .*peer did not return a certificate")

    def test_files_that_change_are_taken_for_new_connections(self):
        federation = self.bed.federation()
        agent = self.bed.agent("n1")
        agent.wait_line(" connected ")
        at = len(agent.lines)
        # both authorities are believed before either end shows a certificate of the new one
        self.bed.exchange("fed-ca.pem", "ca-1.pem", "ca-2.pem")
        self.bed.certificate("n2", "ca-2")
        eventually(lambda: self.tries("n2"), "an agent of the new authority")
        self.bed.exchange("ca-1.pem", "ca-1.pem", "ca-2.pem")
        federation.stop()
        agent.wait_line("disconnected", after=at)
        at = len(agent.lines)
        self.bed.certificate("fed", "ca-2")
        self.bed.federation(listen=self.bed.server)
        agent.wait_line(" connected ", after=at)

    def tries(self, who):
        agent = self.bed.agent(who)
        line = agent.wait_line(" connected | not connected ").group(0)
        agent.stop()
        return line == " connected "

    def test_files_are_watched_while_a_daemon_runs(self):
        federation = self.bed.federation()
        end = self.metric(federation, "fed.pem")
        self.assertGreater(end, 0)
        self.bed.certificate("fed", "ca-1", days="60")
        federation.wait_line(r"tls files taken certificate=\S+fed.pem until=20")
        self.assertGreater(self.metric(federation, "fed.pem"), end)
        good = self.read("fed.pem")
        at = len(federation.lines)
        self.bed.write("fed.pem", good.replace("A", "B"))
        federation.wait_line(r"tls file cannot be used file=\S+fed.pem problem=", after=at)
        self.bed.write("fed.pem", good)
        federation.wait_line(r"tls file can be used again file=\S+fed.pem", after=at)
        at = len(federation.lines)
        self.bed.certificate("fed", "ca-1", days="3")  # one that lives for three days only does not end soon
        federation.wait_line(r"tls files taken", after=at)
        self.assertFalse([line for line in federation.lines[at:] if "expires soon" in line])
        self.bed.aged_certificate("fed", "ca-1", days_left=10)
        federation.wait_line(r"certificate expires soon file=\S+fed.pem until=20", after=at)
        self.assertIn("fed.pem   until 20", run("meshdnsctl", "--server", self.bed.path("fed.sock"), "status")[1])

    def test_files_that_are_being_written_harm_nobody(self):
        federation, agent = self.bed.federation(), self.bed.agent("n1")
        agent.wait_line(" connected ")
        self.bed.certificate("n2", "ca-1")
        for file in ("fed.pem", "fed.key", "fed-ca.pem", "n1.pem", "n1.key"):
            with self.subTest(file=file):
                daemon = federation if file.startswith("fed") else agent
                good, at = self.read(file), len(daemon.lines)
                self.bed.write(file, "")  # as whoever writes it in place leaves it for a moment
                daemon.wait_line(r"tls file cannot be used", after=at)
                self.assertTrue(self.tries("n2"), "new connections are made with the files as they were")
                self.bed.write(file, good)
                daemon.wait_line(r"tls file can be used again", after=at)
                self.assertIsNone(daemon.process.poll())
        self.assertFalse([line for line in federation.lines + agent.lines if "assertion" in line])

    def read(self, name):
        with open(self.bed.path(name), encoding="utf-8") as file:
            return file.read()

    @staticmethod
    def metric(daemon, file):
        host, port = daemon.address("admin listening")
        with urllib.request.urlopen(f"http://{host}:{port}/metrics", timeout=WAIT) as reply:
            text = reply.read().decode()
        return float(re.search(rf'meshdns_tls_certificate_expiry_timestamp_seconds{{file="[^"]*{file}",subject="CN=[^"]*"}} (\S+)', text).group(1))

    def test_check_config_tells_what_is_over(self):
        self.bed.server = "127.0.0.1:1"
        self.bed.certificate("old", "ca-1", days="-1")
        agent = self.bed.agent("old")
        agent.wait_line(r"certificate expired file=\S+old.pem")
        agent.stop()
        os.makedirs(self.bed.path("endpoints.d"), exist_ok=True)
        code, _, err = run("meshdns-agent", "--config", self.bed.path("agent-old.yaml"), "--check-config")
        self.assertEqual(code, 2)
        self.assertRegex(err, r"old\.pem: expired at 20\d\d-")

    def test_files_are_checked_at_the_start(self):
        self.bed.server = "127.0.0.1:1"
        for name, text, problem in (("n1.pem", None, "n1.pem: No such file"), ("n1.key", None, "n1.key: No such file"),
                                    ("ca-1.pem", "x", "ca-1.pem: no certificate in PEM"),
                                    ("n1.key", "x", "n1.key: no private key in PEM")):
            with self.subTest(problem):
                with open(self.bed.path(name), encoding="utf-8") as file:
                    good = file.read()
                os.remove(self.bed.path(name)) if text is None else self.bed.write(name, text)
                agent = self.bed.agent("n1")
                agent.wait_line("federation.tls: .*" + problem)
                self.assertEqual(agent.process.wait(WAIT), 2)
                self.bed.write(name, good)
        self.bed.exchange("fed.key", "n1.key")
        config = self.bed.write("fed.yaml", DNSD.format(
            role='federation: {listen: "127.0.0.1:0", tls: {certificate: fed.pem, key: fed.key, client_ca: ca-1.pem}}',
            data=self.bed.folder, name="fed"))
        code, _, err = run("meshdnsd", "--config", config, "--check-config")
        self.assertEqual(code, 2)
        self.assertRegex(err, r"federation\.tls: \S+fed\.key: not the key of \S+fed\.pem")


class FromAfarTest(unittest.TestCase):
    """meshdnsctl over the federation port (docs/operations.md, "meshdnsctl from afar")."""

    def setUp(self):
        self.bed = self.enterContext(TlsBed())
        for authority in ("ca-1", "ca-2"):
            self.bed.authority(authority)
        for name in ("fed", "op"):
            self.bed.certificate(name, "ca-1")
        self.bed.exchange("fed-ca.pem", "ca-1.pem")

    def ctl(self, *words, who="op", ca="ca-1", server=None):
        return run("meshdnsctl", "--server", server or self.bed.server, "--ca", self.bed.path(f"{ca}.pem"),
                   "--certificate", self.bed.path(f"{who}.pem"), "--key", self.bed.path(f"{who}.key"), *words)

    def refused(self, pattern, *words, code=1, **options):
        result, out, err = self.ctl(*(words or ("status",)), **options)
        self.assertEqual((result, out), (code, ""), err)
        self.assertRegex(err, pattern)
        self.assertEqual(err.count("\n"), 1, err)

    def test_objects_are_read_and_changed(self):
        federation = self.bed.federation()
        file = self.bed.write("api.yaml", OBJECT)
        for words, line in ((("apply", "-f", file), "created"), (("get", "vd"), "api.mesh.internal"),
                            (("explain", "api.mesh.internal", "--client", "10.0.0.9"), "for 10.0.0.9"),
                            (("status",), "1 host"), (("delete", "vd", "shop/api"), "deleted")):
            code, out, err = self.ctl(*words)
            self.assertEqual(code, 0, err)
            self.assertIn(line, out)
        who = r'audit who="operator op \(admin\)" from=\S+:\d+'
        federation.wait_line(who + ' verb=apply objects="VirtualDestination/shop/api created" revision=[0-9]+ outcome=ok')
        federation.wait_line(who + " verb=delete objects=VirtualDestination/shop/api revision=[0-9]+ outcome=ok")
        self.assertEqual(len([line for line in federation.lines if " audit " in line]), 2)

    def test_what_is_not_found_or_not_a_replica_is_said_as_on_the_socket(self):
        self.bed.federation()
        for words in (("get", "vd", "shop/none"), ("approve-shrink",)):
            here = run("meshdnsctl", "--server", self.bed.path("fed.sock"), *words)
            self.assertEqual(self.ctl(*words), here)

    def test_the_environment_names_server_and_files(self):
        self.bed.federation()
        environment = {"MESHDNS_SERVER": self.bed.server, "MESHDNS_CA": self.bed.path("ca-1.pem"),
                       "MESHDNS_CERTIFICATE": self.bed.path("op.pem"), "MESHDNS_KEY": self.bed.path("op.key")}
        with unittest.mock.patch.dict(os.environ, environment):
            self.assertEqual(run("meshdnsctl", "get", "nodes"), (0, "no nodes\n", ""))
            # the socket needs none of it
            self.assertEqual(run("meshdnsctl", "--server", self.bed.path("fed.sock"), "get", "nodes")[0], 0)

    def test_who_has_no_certificate_of_the_ca_is_refused(self):
        federation = self.bed.federation()
        self.bed.certificate("stranger", "ca-2")
        self.refused(r"^\S+ refused \S+stranger.pem ", "apply", "-f", self.bed.write("api.yaml", OBJECT), who="stranger")
        federation.wait_line("tls handshake failed .*certificate verify failed")
        code, out, err = run("meshdnsctl", "--server", self.bed.server, "status")
        self.assertEqual((code, out), (2, ""))
        self.assertRegex(err, "needs TLS: --ca, --certificate, --key are missing")
        self.assertEqual(self.ctl("get", "vd")[1], "no virtual destinations\n")

    def test_a_federation_of_another_ca_or_address_is_refused(self):
        federation = self.bed.federation()
        self.refused(r"its certificate is not of \S+ca-2.pem", ca="ca-2")
        self.bed.certificate("fed", "ca-1", san="DNS:fed.example")
        said = []

        def refused():
            said.append(self.ctl("status"))
            return "for other addresses" in said[-1][2]
        try:
            eventually(refused, "the new certificate")
        except AssertionError as error:
            raise AssertionError(f"{error}; the last ones said {said[-3:]}, the daemon {federation.lines[-20:]}") from None

    def test_a_server_whose_time_is_over_is_refused_with_the_times(self):
        self.bed.aged_certificate("fed", "ca-1", days_left=-1)
        self.bed.federation()
        self.refused(r"its certificate is not of \S+ca-1.pem, or its time is over: certificate has expired: CN=fed expired at 20\S+Z"
                     + CLOCK)

    def test_a_plaintext_federation_refuses(self):
        self.bed.federation(tls="")
        self.refused("does not speak TLS", "get", "vd")

    def test_mistakes_are_named(self):
        self.bed.server = "127.0.0.1:1"
        self.refused("op2.pem: No such file", who="op2", code=2)
        self.refused("ca-3.pem: No such file", ca="ca-3", code=2)
        self.bed.certificate("old", "ca-1", days="-1")
        self.refused("old.pem: expired at 20", who="old", code=2)
        self.refused("--server: expected ADDRESS:PORT, NAME:PORT or unix:/path", server="fed.example", code=2)
        self.refused("are for a --server HOST:PORT", server="unix:/run/x.sock", code=2)
        self.refused("no meshdnsd answers at 127.0.0.1:1 ")
        self.refused("(no such host|no connection to none.invalid:7400)", server="none.invalid:7400")

    def test_a_silent_server_is_given_up(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            self.refused("(no answer from|no connection to) 127.0.0.1", server="127.0.0.1:%d" % silent.getsockname()[1])

    def test_new_files_are_taken(self):
        self.bed.federation()
        self.assertEqual(self.ctl("status")[0], 0)
        self.bed.exchange("fed-ca.pem", "ca-2.pem")
        eventually(lambda: self.ctl("status")[0] == 1, "the authority before is not believed any more")
        self.bed.certificate("op", "ca-2")
        eventually(lambda: self.ctl("status")[0] == 0, "the new one is")


if __name__ == "__main__":
    unittest.main()
