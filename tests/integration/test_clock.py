"""Clocks that are an hour wrong: the end that verifies a certificate logs the certificate's time, and its own.

The wrong clock is that of Debian's package faketime. Where that is not installed, the times of the certificates are wrong.
"""
import datetime
import glob
import os
import re
import unittest

from mesh import run
from tls_bed import AGENT, DNSD, TlsBed

HOUR = 1 / 24  # days
SAID = re.compile(r"(not valid before|expired at) (\d{4}-\S+Z).*this machine's clock says (\d{4}-\S+Z)")
# Loaded into the daemon itself: the command faketime would stay between the daemon and our signals.
FAKETIME = (glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1") or [""])[0]
WRONG = {"slow": "-1h", "fast": "+1h"}


def time_of(text):
    return datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.timezone.utc)


class ClockBed(TlsBed):
    """A federation and an agent, one of which has a wrong clock."""

    def __enter__(self):
        super().__enter__()
        self.authority("ca-1")
        # the authority is older than all clocks
        self.openssl("x509", "-in", "ca-1.pem", "-x509toreq", "-signkey", "ca-1.key", "-out", "ca-1.csr")
        self.write("san.txt", "basicConstraints = critical, CA:TRUE\n")
        self.write("ca.conf", "[ca]\ndefault_ca = d\n[d]\ndatabase = index.txt\nnew_certs_dir = .\nserial = serial.txt\n"
                              "default_md = sha256\npolicy = p\n[p]\ncommonName = supplied\n")
        self.write("index.txt", "")
        self.write("serial.txt", "01\n")
        start = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=2)
        self.openssl("ca", "-batch", "-notext", "-selfsign", "-config", "ca.conf", "-keyfile", "ca-1.key",
                     "-extfile", "san.txt", "-startdate", f"{start:%Y%m%d%H%M%SZ}", "-days", "30", "-in", "ca-1.csr",
                     "-out", "old.pem")
        os.replace(self.path("old.pem"), self.path("ca-1.pem"))
        for who in ("fed", "n1"):
            self.certificate(who, "ca-1")
        return self

    def of(self, who, days_old, days_left):
        self.aged_certificate(who, "ca-1", days_left=days_left, days_old=days_old)

    def launch(self, clock, *words):
        """A daemon whose clock is right, slow or fast."""
        if clock == "right":
            return self.start(*words)
        # timers and waits go on with the true clock
        wrong = {"LD_PRELOAD": FAKETIME, "FAKETIME": WRONG[clock], "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        return self.start(*words, env={**os.environ, **wrong})

    def run_federation(self, clock):
        tls = "tls: {certificate: fed.pem, key: fed.key, client_ca: ca-1.pem}"
        role = f'federation: {{listen: "127.0.0.1:0", store: {{memory: {{}}}}, {tls}}}'
        config = self.write("fed.yaml", DNSD.format(role=role, data=self.folder, name="fed"))
        daemon = self.launch(clock, "meshdnsd", "--config", config)
        daemon.wait_line("ready")
        self.server = "%s:%d" % daemon.address("federation listening")
        return daemon

    def run_agent(self, clock):
        tls = ", tls: {certificate: n1.pem, key: n1.key, ca: ca-1.pem}"
        config = self.write("agent.yaml", AGENT.format(node="n1", server=self.server, tls=tls, folder=self.folder))
        return self.launch(clock, "meshdns-agent", "--config", config)


class ClockTest(unittest.TestCase):
    def setUp(self):
        self.bed = self.enterContext(ClockBed())

    def assert_said(self, daemon, kind, clock):
        """Its log has the certificate's time and its own. Returns both."""
        found = daemon.wait_line(r"tls handshake failed .*" + SAID.pattern)
        self.assertEqual(found.group(1), kind)
        certificate, own = (time_of(found.group(number)) for number in (2, 3))
        self.assertLess(*((own, certificate) if kind == "not valid before" else (certificate, own)))
        wrong = own - datetime.datetime.now(datetime.timezone.utc)
        expected = {"slow": -1, "fast": 1}.get(clock, 0) if FAKETIME else 0
        self.assertAlmostEqual(wrong.total_seconds() / 3600, expected, delta=0.25)

    def pair(self, federation, agent):
        """Both daemons, with these clocks; without faketime all clocks are right, and the certificates are wrong."""
        clocks = (federation, agent) if FAKETIME else ("right", "right")
        return self.bed.run_federation(clocks[0]), self.bed.run_agent(clocks[1])

    def test_the_agents_clock_is_slow(self):
        self.bed.of("n1", days_old=1, days_left=1)
        self.bed.of("fed", days_old=0 if FAKETIME else -HOUR, days_left=1)
        _, agent = self.pair("right", "slow")
        self.assert_said(agent, "not valid before", "slow")
        agent.wait_line("not connected")

    def test_the_agents_clock_is_fast(self):
        self.bed.of("n1", days_old=1, days_left=1)
        self.bed.of("fed", days_old=1, days_left=HOUR / 2 if FAKETIME else -HOUR)
        _, agent = self.pair("right", "fast")
        self.assert_said(agent, "expired at", "fast")
        agent.wait_line("not connected")

    def test_the_federations_clock_is_slow(self):
        self.bed.of("fed", days_old=1, days_left=1)
        self.bed.of("n1", days_old=0 if FAKETIME else -HOUR, days_left=1)
        federation, agent = self.pair("slow", "right")
        self.assert_said(federation, "not valid before", "slow")
        agent.wait_line("not connected")

    def test_the_federations_clock_is_fast(self):
        self.bed.of("fed", days_old=1, days_left=1)
        self.bed.of("n1", days_old=1, days_left=HOUR / 2 if FAKETIME else -HOUR)
        federation, agent = self.pair("fast", "right")
        self.assert_said(federation, "expired at", "fast")
        agent.wait_line("not connected")

    def test_an_agent_that_joins_with_a_slow_clock_says_so(self):
        if not FAKETIME:
            self.skipTest("faketime is not installed")
        self.bed.of("fed", days_old=0, days_left=1)
        self.bed.exchange("fed.pem", "fed.pem", "ca-1.pem")
        self.bed.run_federation("right")
        shown = run("meshdnsctl", "ca", "show", self.bed.path("ca-1.pem"))[1]
        authority = re.search(r"sha256:([0-9a-f]{64})", shown).group(1)
        self.bed.write("join.token", ".".join(["meshdns1", "00", "00", authority]))
        config = self.bed.write("join.yaml", "node: n1\ncluster: eu-1\naddresses: [127.0.0.1]\n"
                                f'federation: {{servers: ["{self.bed.server}"], join: {{token_file: join.token}}}}\n'
                                f"state_dir: {self.bed.path('state')}\n"
                                f'admin: {{listen: "127.0.0.1:0", socket: {self.bed.path("agent.sock")}}}\n')
        agent = self.bed.launch("slow", "meshdns-agent", "--config", config)
        agent.wait_line(r"not joined yet .*" + SAID.pattern)


if __name__ == "__main__":
    unittest.main()
