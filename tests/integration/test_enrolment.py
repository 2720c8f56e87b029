"""The set-up of docs/tls.md with the mesh's own authority: ca init, a certificate for the federation, tokens, agents that
join. And attacks on tokens."""
import os
import re
import ssl
import time
import unittest

from mesh import WAIT, Bed, eventually, run

DNSD = """\
cluster: eu-1
zones: [{{name: mesh.internal}}]
federation:
  listen: "127.0.0.1:0"
  store: {{memory: {{}}}}
  authority: ca
  certificate_lifetime: {lifetime}
{tls}dns: {{workers: 1, listen: [{{address: "127.0.0.1:0"}}]}}
data_dir: {data}
admin: {{listen: "127.0.0.1:0", socket: {data}/fed.sock}}
"""
FILES = "  tls: {certificate: fed.pem, key: fed.key, client_ca: ca/ca.pem}\n"
AGENT = """\
node: {node}
cluster: eu-1
addresses: [127.0.0.1]
federation: {{servers: ["{server}"], join: {{token_file: {token}}}}}
state_dir: {state}
admin: {{listen: "127.0.0.1:0", socket: {state}/agent.sock}}
"""

REPLICA = """\
cluster: eu-1
roles: [dns]
zones: [{{name: mesh.internal}}]
replica: {{federation: ["{server}"], join: {{token_file: {token}, name: edge}}}}
dns: {{workers: 1, listen: [{{address: "127.0.0.1:0"}}]}}
data_dir: {data}
admin: {{listen: "127.0.0.1:0", socket: {data}/replica.sock}}
"""


class EnrolmentBed(Bed):
    commands = 0

    def must(self, *words):
        code, out, err = run(*words)
        assert code == 0, (words, out, err)
        self.commands += 1
        return out

    def federation(self, lifetime="24h"):
        self.must("meshdnsctl", "ca", "init", "--folder", self.path("ca"))
        self.must("meshdnsctl", "ca", "issue", "--folder", self.path("ca"), "--federation", "eu-1/fed", "--address", "127.0.0.1",
                  "--address", "localhost", "--out", self.path("fed"))
        return self.started(lifetime, FILES)

    def started(self, lifetime, tls=""):
        """A federation; without `tls` it signs its own certificate."""
        config = self.write("fed.yaml", DNSD.format(data=self.folder, lifetime=lifetime, tls=tls))
        daemon = self.start("meshdnsd", "--config", config)
        daemon.wait_line("ready")
        self.server = "%s:%d" % daemon.address("federation listening")
        return daemon

    def token(self, *words):
        text = self.must("meshdnsctl", "--server", self.path("fed.sock"), "token", "create", *words)
        return self.write(f"{self.commands}.token", text)

    def agent(self, node, token, state=None):
        state = state or self.path("state-" + node)
        os.makedirs(state, mode=0o700, exist_ok=True)
        config = self.write(f"agent-{node}.yaml",
                            AGENT.format(node=node, server=self.server, token=os.path.basename(token), state=state))
        return self.start("meshdns-agent", "--config", config)

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()

    def tokens(self):
        return run("meshdnsctl", "--server", self.path("fed.sock"), "token", "list")[1]


class JoinTest(unittest.TestCase):
    def setUp(self):
        self.bed = self.enterContext(EnrolmentBed())

    def test_from_an_empty_machine_to_agents_that_prove_who_they_are(self):
        began = time.monotonic()
        federation = self.bed.federation()
        token = self.bed.token("--nodes", "n*", "--uses", "3")
        agents = [self.bed.agent(f"n{number}", token) for number in (1, 2, 3)]
        for agent in agents:
            agent.wait_line(" connected ")
        print(f"three agents joined after {time.monotonic() - began:.1f} s and {self.bed.commands} commands on the server")
        federation.wait_line(r"certificate signed peer=\S+ name=n3")
        self.assertEqual(os.stat(self.bed.path("state-n1/n1.key")).st_mode & 0o777, 0o600)
        # a restart needs no token: its file may be gone
        agents[0].stop()
        os.remove(token)
        self.bed.agent("n1", token).wait_line(" connected ")
        self.assertRegex(self.bed.tokens(), r"node eu-1/n\*.* 0 +3 +anywhere")

    def test_tokens_are_for_whom_they_were_made(self):
        federation = self.bed.federation()
        used = self.bed.token("--node", "eu-1/n1")
        self.bed.agent("n1", used).wait_line(" connected ")
        revoked = self.bed.token("--node", "eu-1/n5")
        number = re.search(r"(\S+) +node eu-1/n5", self.bed.tokens()).group(1)
        self.bed.must("meshdnsctl", "--server", self.bed.path("fed.sock"), "token", "revoke", number)
        with open(revoked, encoding="utf-8") as file:
            text = file.read().strip()
        other_authority = text[:-1] + ("0" if text[-1] != "0" else "1")
        wrong_secret = ".".join([*text.split(".")[:2], "0" * 64, text.split(".")[3]])
        short = self.bed.token("--node", "eu-1/n9", "--for", "1s")
        time.sleep(2.1)
        for node, token, why in [
                ("n2", used, r"it is for n1, not for n2 \(rule token-name\)"),
                ("n5", revoked, r"it was revoked \(rule token-revoked\)"),
                ("n9", short, r"its time is over \(rule token-expired\)"),
                ("n6", self.bed.token("--node", "eu-1/n6", "--prefix", "10.0.0.0/8"), r"\(rule token-prefix\)"),
                ("n5", self.bed.write("wrong.token", wrong_secret), r"its secret is wrong \(rule token\)"),
                ("n5", self.bed.write("none.token", "hunter2"), "this is no token of meshdnsctl token create")]:
            with self.subTest(why=why):
                agent = self.bed.agent(node, token)
                agent.wait_line(why)
                self.assertEqual(agent.process.wait(WAIT), 1)
        # another key with a token that was used up
        thief = self.bed.agent("n1", used, state=self.bed.path("thief"))
        thief.wait_line(r"it was used already \(rule token-used\)")
        # a federation of another authority is not told the secret
        self.bed.agent("n5", self.bed.write("other.token", other_authority)).wait_line("not joined yet")
        self.assertFalse([line for line in federation.lines if "certificate signed" in line and "n1" not in line])
        changes = run("meshdnsctl", "--server", self.bed.path("fed.sock"), "history", "--changes")[1]
        self.assertRegex(changes, r"enroll .*certificate for n1.* ok")
        self.assertRegex(changes, r"enroll .*certificate for n2.*refused: .*\(rule token-name\)")

    def test_only_operators_of_level_admin_make_tokens(self):
        self.bed.federation()
        for level, allowed in (("viewer", False), ("operator", False), ("admin", True)):
            self.bed.must("meshdnsctl", "ca", "issue", "--folder", self.bed.path("ca"), "--operator", level, "--level", level,
                          "--out", self.bed.path(level))
            code, _, err = run("meshdnsctl", "--server", self.bed.server, "--ca", self.bed.path("ca/ca.pem"), "--certificate",
                               self.bed.path(level + ".pem"), "--key", self.bed.path(level + ".key"), "token", "list")
            self.assertEqual((code == 0, "(rule level-admin)" in err), (allowed, not allowed), err)

    def test_a_replica_and_an_operator_join_too(self):
        self.bed.federation()
        token = self.bed.token("--dns", "eu-1/edge")
        data = self.bed.path("replica")
        os.makedirs(data, mode=0o700)
        config = self.bed.write("replica.yaml", REPLICA.format(server=self.bed.server, token=os.path.basename(token), data=data))
        replica = self.bed.start("meshdnsd", "--config", config)
        replica.wait_line("federation reached|ready")
        person = self.bed.token("--operator", "alice", "--level", "viewer")
        home = {"XDG_CONFIG_HOME": self.bed.path("config")}
        code, out, err = run("meshdnsctl", "login", "--server", self.bed.server, "--name", "alice", "--token-file", person, env=home)
        self.assertEqual(code, 0, err)
        self.assertIn("context default is the current one", out)
        self.assertRegex(run("meshdnsctl", "context", "list", env=home)[1], r"\* +default +" + self.bed.server)
        status = run("meshdnsctl", "status", env=home)
        self.assertEqual(status[0], 0, status[2])
        self.assertIn("dns eu-1/edge", status[1])
        self.assertIn("(rule level-operator)", run("meshdnsctl", "approve-shrink", env=home)[2])
        code, _, err = run("meshdnsctl", "context", "use", "other", env=home)
        self.assertIn("no context other; there are default", err)

    def test_certificates_are_renewed_while_the_agent_reports(self):
        federation = self.bed.federation(lifetime="20s")
        agent = self.bed.agent("n1", self.bed.token("--node", "eu-1/n1"))
        agent.wait_line(" connected ")
        federation.wait_line(r'certificate renewed peer=\S+ for="node eu-1/n1"')
        agent.wait_line("certificate renewed file=")
        agent.wait_line("tls files taken")
        # the session lives on, and a new one is made with the new certificate
        self.assertFalse([line for line in agent.lines if "not connected" in line])
        agent.stop()
        self.bed.agent("n1", self.bed.path("none")).wait_line(" connected ")


class OwnCertificateTest(unittest.TestCase):
    """A federation with an authority and without files for TLS."""

    def setUp(self):
        self.bed = self.enterContext(EnrolmentBed())

    def shown(self):
        """The certificate that the federation shows to a new connection."""
        host, port = self.bed.server.split(":")
        return ssl.get_server_certificate((host, int(port)))

    def test_the_federation_makes_its_certificate_and_renews_it(self):
        self.bed.must("meshdnsctl", "ca", "init", "--folder", self.bed.path("ca"))
        federation = self.bed.started("10s")
        federation.wait_line('own certificate signed .*because="there is none" addresses=')
        federation.wait_line("federation listening .*tls=true")
        self.assertEqual(self.bed.commands, 1)
        self.assertEqual(os.stat(self.bed.path("server.key")).st_mode & 0o777, 0o600)
        first = self.shown()
        agent = self.bed.agent("n1", self.bed.token("--node", "eu-1/n1"))
        agent.wait_line(" connected ")
        federation.wait_line('own certificate signed .*because="two thirds of its time are over"')
        federation.wait_line("tls files taken certificate=.*server.pem")
        eventually(lambda: self.shown() != first, "the new certificate")
        self.bed.agent("n2", self.bed.token("--node", "eu-1/n2")).wait_line(" connected ")
        self.assertFalse([line for line in agent.lines if "disconnected" in line])
        self.assertRegex(run("meshdnsctl", "--server", self.bed.path("fed.sock"), "status")[1], r"server\.pem +until 20")

    def test_the_authority_is_exchanged_without_an_interruption(self):
        self.bed.must("meshdnsctl", "ca", "init", "--folder", self.bed.path("ca"))
        federation = self.bed.started("10s")
        agent = self.bed.agent("n1", self.bed.token("--node", "eu-1/n1"))
        agent.wait_line(" connected ")
        self.bed.must("meshdnsctl", "ca", "rotate", "--folder", self.bed.path("ca"))
        eventually(lambda: self.bed.read("state-n1/ca.pem").count("BEGIN CERTIFICATE") == 2, "the agent trusts both")
        self.bed.agent("n2", self.bed.token("--node", "eu-1/n2")).wait_line(" connected ")
        self.assertFalse([line for line in federation.lines if "it is of another authority" in line])
        self.bed.must("meshdnsctl", "ca", "rotate", "--finish", "--folder", self.bed.path("ca"))
        federation.wait_line('own certificate signed .*because="it is of another authority"')
        agent.stop()
        again = self.bed.agent("n1", self.bed.path("none"))
        again.wait_line(" connected ")
        self.bed.agent("n3", self.bed.token("--node", "eu-1/n3")).wait_line(" connected ")

    def test_an_authority_is_needed_at_the_start(self):
        config = self.bed.write("fed.yaml", DNSD.format(data=self.bed.folder, lifetime="24h", tls=""))
        code, _, err = run("meshdnsd", "--config", config, "--check-config")
        self.assertEqual(code, 2)
        self.assertRegex(err, r"federation\.authority: \S+/ca: there is no authority")
        daemon = self.bed.start("meshdnsd", "--config", config)
        daemon.wait_line(r"cannot start .*federation\.authority: \S+/ca: there is no authority")
        self.bed.must("meshdnsctl", "ca", "init", "--folder", self.bed.path("ca"))
        self.assertEqual(run("meshdnsd", "--config", config, "--check-config")[0], 0)


if __name__ == "__main__":
    unittest.main()
