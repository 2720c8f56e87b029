"""Attacks over real TLS: each case of the tables in the folder `attacks` is tried, and gets what its table says."""
import collections
import itertools
import re
import threading
import time
import unittest

import attack_reports
import attack_requests
import attack_servers
import attack_table
from attack_certificates import CertificateBed
from attack_pods import Pods
from attack_requests import VERBS
from attack_tokens import Tokens
from mesh import run
from raw_agent import field
from raw_call import Ended

LEAST = 300       # cases in all tables
LONGEST = 8192    # characters of a log line, whatever somebody sends
ADMIN = ["operator/admin/root"]
ROLES = ("nobody", "node", "dns", "federation", "operator/viewer", "operator/operator", "operator/admin")
FEDERATION = {"report": "Report", "list": "Report", "take-over": "Report", "watch": "Watch", "enroll": "Enroll",
              "renew": "Enroll", "renew-revoked": "Enroll", "guess": "Enroll", "enroll-pod": "Enroll"}
LOCAL = {"ca", "login", "context", "completion", "help", "version"}  # commands that ask no server but for a certificate
OVERRIDES = {"drain": "drain", "force": "down", "freeze": "freeze"}  # the names of what these verbs make
FLOOD = 3000      # messages of one agent
LIFE = 4          # seconds of a certificate that expires while it is tried
VICTIMS = {"victim": ("address=10.9.0.9", "prefix=10.9.0.0/16"), "victim-2": ("address=10.8.0.9",)}


def role_of(row):
    """Whose certificate a row shows: one of ROLES, or another text."""
    parts = row.who[0].split("/")
    return "/".join(parts[:2]) if parts[0] == "operator" else parts[0]


def rpc_of(row):
    verb = row.asks[0]
    return VERBS[verb][0] if verb in VERBS else "Federation/" + FEDERATION.get(verb, "none")


class TableTest(unittest.TestCase):
    """The tables are complete."""

    def setUp(self):
        self.rows = [row for name in attack_table.tables() for row in attack_table.read(name)]

    def test_there_are_enough_cases_and_each_has_a_name(self):
        self.assertGreaterEqual(len(self.rows), LEAST)
        names = collections.Counter((row.place.split(":")[0], row.name) for row in self.rows)
        self.assertEqual([name for name, count in names.items() if count > 1], [])

    def test_each_call_and_each_verb_is_tried_by_everybody(self):
        tried = {(rpc_of(row), role_of(row)) for row in self.rows} | {(row.asks[0], role_of(row)) for row in self.rows}
        wanted = itertools.product([*attack_table.rpcs(), *VERBS], ROLES)
        self.assertEqual([f"{what} by {role}" for what, role in wanted if (what, role) not in tried], [])

    def test_each_call_is_refused_to_some_and_accepted_from_others(self):
        for rpc in attack_table.rpcs():
            got = {row.gets.startswith(attack_table.ACCEPTED) for row in self.rows if rpc_of(row) == rpc}
            # no federation of these tests refuses a set, so nobody can approve one
            self.assertEqual(got, {False} if rpc == "Admin/ApproveShrink" else {True, False}, rpc)

    def test_each_command_is_a_verb(self):
        commands = set(run("meshdnsctl", "__complete", "")[1].split())
        verbs = set(VERBS) | {verb.split("-")[0] for verb in VERBS}
        self.assertGreater(len(commands), 15)
        self.assertEqual(commands - verbs - LOCAL, set())

    def test_what_differs_is_named(self):
        row = attack_table.Row("x.txt:1", ["a case", "node/eu-1/n7", "get", "(rule role-operator)"])
        self.assertEqual(row.problem("PERMISSION_DENIED: no (rule role-operator)"), "")
        for outcome in ("accepted", "PERMISSION_DENIED: no (rule own-node)", "", "accepted (rule role-operator)"):
            self.assertIn("x.txt:1: a case", row.problem(outcome))
        twin = attack_table.Row("x.txt:2", ["its twin", "operator/viewer/v", "get", "accepted"])
        self.assertEqual(twin.problem("accepted"), "")
        self.assertIn("x.txt:2", twin.problem("accepted as another"))


class Victims:
    """Agents of the VICTIMS, which show all the time that they live."""

    def __init__(self, bed, server):
        self.sessions = [attack_reports.Reporter(server, "eu-1", node, claims, tls=bed.context_of([f"node/eu-1/{node}"]))
                         for node, claims in VICTIMS.items()]
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self.live, daemon=True)
        self.thread.start()

    def live(self):
        while not self.ending.wait(0.2):
            for session in list(self.sessions):
                try:
                    session.sign_of_life()
                    session.call.pump(0)
                except (Ended, OSError):  # a case has taken its node over, as it may
                    self.sessions.remove(session)
                session.call.messages.clear()

    def close(self):
        self.ending.set()
        self.thread.join()
        for session in self.sessions:
            session.close()


class AttackTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.bed = cls.enterClassContext(CertificateBed())
        issue = ("issue", "--federation", "eu-1/fed", "--address", "127.0.0.1", "--out", cls.bed.path("fed"))
        for words in (("init",), issue):
            code, out, err = run("meshdnsctl", "ca", *words, "--folder", cls.bed.path("ca"))
            assert code == 0, out + err
        cls.bed.authorities()
        cls.pods = Pods(cls.bed)
        cls.addClassCleanup(cls.pods.api.close)
        cls.sources = (f"127.1.{number >> 8}.{number & 255}" for number in itertools.count(1))

    def setUp(self):
        files = ", authority: ca, tls: {certificate: fed.pem, key: fed.key, client_ca: ca/ca.pem}"
        self.daemon = self.bed.federation("0.0.0.0:0", files, self.pods.identity())
        self.addCleanup(self.daemon.stop)
        self.server = "127.0.0.1:" + self.bed.server.split(":")[1]
        self.tokens = Tokens(self.bed, self.server, tls=self.bed.context_of(ADMIN))

    # ---- one case ----

    def outcome(self, row):
        """What a case gets: "accepted", or why it does not, with the reason of a failed handshake from the log."""
        source = next(self.sources)
        try:
            tls = None if row.who == ["plain"] else self.bed.context_of(row.who)
            return self.made(row.asks[0], row.asks[1:], {"tls": tls, "source": source})
        except (Ended, OSError) as why:
            text = str(why)
        if re.match(r"[A-Z_]+: ", text):
            return text
        try:
            return self.daemon.wait_line(rf"tls handshake failed (error=.*) peer={source}:", timeout=10).group(1)
        except AssertionError:
            return "no reason in the log: " + text

    def made(self, verb, words, options):
        calls = {"report": attack_reports.report, "list": attack_reports.list_endpoints, "watch": attack_reports.watch,
                 "take-over": attack_reports.take_over}
        if verb in calls:
            return calls[verb](self.server, words, **options)
        if verb in ("enroll", "renew", "renew-revoked", "guess"):
            return getattr(self.tokens, verb.replace("-", "_"))(words, **options)
        if verb == "enroll-pod":
            return self.pods.enroll(self.tokens, self.server, words, **options)
        done = attack_requests.ask(self.server, verb, words, **options)
        if done == attack_table.ACCEPTED and attack_table.every(words, "author"):
            author = attack_requests.author_of(self.server, OVERRIDES[verb], tls=self.bed.context_of(ADMIN))
            return f"accepted as {author}"
        return done

    def try_all(self, name):
        """Tries each case of a table. Fails with all cases that differ."""
        began, wrong, rows = time.monotonic(), [], attack_table.read(name)
        self.tokens.prepare(rows)
        for row in rows:
            self.daemon.read(0)
            wrong += [problem for problem in [row.problem(self.outcome(row))] if problem]
        print(f"{name}: {len(rows)} cases in {time.monotonic() - began:.1f} s")
        self.assertEqual(wrong, [], "\n" + "\n".join(wrong))
        self.assertIsNone(self.daemon.process.poll())
        self.assertLess(max(map(len, self.daemon.lines)), LONGEST)

    # ---- the tables ----

    def test_certificates(self):
        self.try_all("certificates.txt")

    def test_calls(self):
        self.try_all("calls.txt")

    def test_reports(self):
        victims = Victims(self.bed, self.server)
        self.addCleanup(victims.close)
        self.try_all("reports.txt")

    def test_cluster_rules(self):
        self.try_all("cluster_rules.txt")

    def test_tokens(self):
        self.try_all("tokens.txt")
        self.assertFalse([line for line in self.daemon.lines if "certificate signed" in line and "mallory" in line])

    def test_pods(self):
        self.try_all("pods.txt")
        self.assertFalse([line for line in self.daemon.lines if "eyJ" in line], "a token in the log")
        self.assertFalse([path for _, path, _ in self.pods.api.asked if "eyJ" in path], "a token in a path")

    def test_servers(self):
        wrong = [row.problem(attack_servers.outcome(self.bed, row)) for row in attack_table.read("servers.txt")]
        self.assertEqual([problem for problem in wrong if problem], [])

    # ---- attacks of more than one message ----

    def test_an_agent_that_changes_its_mind_floods_no_log(self):
        tls = self.bed.context_of(["node/eu-1/n7"])
        session = attack_reports.Reporter(self.server, "eu-1", "n7", attack_reports.HOME, tls=tls)
        self.addCleanup(session.close)
        for number in range(FLOOD):
            session.say(5, field(3, field(1, "raw") + field(3, f"trouble {number}")))
            self.daemon.read(0)  # lines that nobody reads would be left out
        self.assertEqual(session.refusals(), [])
        self.daemon.read(0.5)
        told = [line for line in self.daemon.lines if "does not read its endpoints" in line]
        self.assertTrue(told)
        self.assertLess(len(told), FLOOD / 2)

    def test_a_resumed_session_does_not_outlive_its_certificate(self):
        context = self.bed.context_of(["operator/admin/thief", f"until={LIFE}"])
        end = time.monotonic() + LIFE + 1
        kept = attack_servers.session_of(context, ("127.0.0.1", int(self.server.split(":")[1])))
        if kept is None:
            return  # the federation gives nothing that could be resumed
        resuming = attack_servers.Resuming(context, kept)
        self.assertEqual(attack_requests.ask(self.server, "status", [], tls=resuming), attack_table.ACCEPTED)
        time.sleep(max(0, end - time.monotonic()))
        with self.assertRaises((Ended, OSError)):
            attack_requests.ask(self.server, "status", [], tls=resuming)


if __name__ == "__main__":
    unittest.main()
