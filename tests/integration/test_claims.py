"""What is answered of endpoints that no agent checks, that replace each other, and that claim one address."""
import re
import signal
import unittest
import urllib.error
import urllib.request

from mesh import WAIT, Bed, addresses, ask, eventually, run
from one_cluster import AGENT, FEDERATION

ENDPOINT = """\
  - {{service: {service}, namespace: shop, address: {address}, ports: [{ports}],
     checks: [{{tcp: {{port: {check}}}, interval: 200ms, timeout: 2s}}]}}
"""
GRACE = 60 + WAIT  # after its start a federation takes nobody for silent for 60 s


class ClaimsTest(unittest.TestCase):
    def setUp(self):
        self.bed = self.enterContext(Bed())
        config = self.bed.write("federation.yaml", FEDERATION.format(folder=self.bed.folder, port=0))
        self.federation = self.bed.start("meshdnsd", "--config", config)
        self.federation.wait_line("ready")
        self.port = self.federation.address("federation listening")[1]

    def endpoints(self, node, *endpoints):
        """A file of (service, address, ports); the first port is checked."""
        text = "endpoints:\n"
        for service, address, ports in endpoints:
            listed = ", ".join(f"{{name: p{port}, number: {port}}}" for port in ports)
            text += ENDPOINT.format(service=service, address=address, ports=listed, check=ports[0])
        self.bed.write(f"{node}.d/all.yaml", text)

    def start_agent(self, node):
        config = self.bed.write(node + ".yaml", AGENT.format(node=node, zone="eu-a", port=self.port, folder=self.bed.folder))
        return self.bed.start("meshdns-agent", "--config", config)

    def ask(self, service, kind="A", **options):
        return ask(self.federation.address("dns listening"), f"{service}.shop.mesh.internal", kind, **options)

    def until(self, service, *expected):
        eventually(lambda: addresses(self.ask(service)) == sorted(expected) or None, f"{service} is at {expected}")

    def ctl(self, *words):
        code, out, err = run("meshdnsctl", "--server", f"unix:{self.bed.path('federation')}.sock", *words)
        self.assertEqual((code, err), (0, ""))
        return out

    def metric(self, daemon, name):
        with urllib.request.urlopen("http://%s:%d/metrics" % daemon.address("admin listening"), timeout=WAIT) as reply:
            return float(re.search(rf"^{name} (\S+)$", reply.read().decode(), re.MULTILINE).group(1))

    def test_an_agent_that_restarts_and_cannot_read_its_file_leaves_nobody_serving(self):
        """Guards against zombies: the backend dies while no check looks at it."""
        backend, other = self.bed.backend("127.0.0.11"), self.bed.backend("127.0.0.12")
        self.endpoints("n1", ("app", backend.address, [backend.port]))
        agent = self.start_agent("n1")
        self.until("app", "127.0.0.11")
        self.bed.write("n1.d/all.yaml", "endpoints:\n  - servce: app\n")
        agent.stop()
        agent = self.start_agent("n1")
        backend.close()
        problem = "n1 does not read n1.d: all.yaml:2:5"
        eventually(lambda: f"serving" in (out := self.ctl("get", "endpoints")) and problem in out, "in doubt, and why")
        self.assertEqual(self.ask("app").answer[0].ttl, 1)
        eventually(lambda: re.search(rf"last_resort .*{problem}", self.ctl("get", "endpoints")), "the last resort")
        self.assertIn(problem, self.ctl("explain", "app.shop.mesh.internal"))
        self.assertRegex(self.ctl("get", "nodes"), r"eu-1/n1 .* connected .*does not read n1\.d: all\.yaml:2:5")
        self.assertRegex(self.ctl("describe", "node", "eu-1/n1"), r"problem +its agent does not read n1\.d")
        self.assertRegex(self.ctl("status"), r"problem +node eu-1/n1: does not read n1\.d: all\.yaml:2:5")
        self.assertEqual(self.metric(self.federation, "meshdns_catalog_unwatched_endpoints"), 1)
        self.assertEqual(self.metric(self.federation, "meshdns_catalog_unread_nodes"), 1)
        self.assertEqual(self.metric(agent, "meshdns_agent_unread_files"), 1)
        with self.assertRaises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen("http://%s:%d/readyz" % agent.address("admin listening"), timeout=WAIT)
        self.assertEqual(refused.exception.code, 503)
        self.assertIn(problem, refused.exception.read().decode())
        self.endpoints("n1", ("app", other.address, [other.port]))
        self.until("app", "127.0.0.12")
        eventually(lambda: self.metric(self.federation, "meshdns_catalog_unread_nodes") == 0, "all is read")

    def test_an_edit_never_empties_a_host(self):
        """Another port first, then another address: an instance that never stopped is never missing."""
        first, second, moved = (self.bed.backend(f"127.0.0.{number}") for number in (11, 12, 13))
        more = self.bed.backend(first.address)
        self.endpoints("n1", ("app", first.address, [first.port, more.port]))
        agent = self.start_agent("n1")
        self.until("app", "127.0.0.11")
        edits = [("127.0.0.11", [more.port, first.port]), ("127.0.0.12", [second.port]), ("127.0.0.13", [moved.port])]
        for address, ports in edits:
            self.endpoints("n1", ("app", address, ports))
            key = f"shop/app/{address}:{ports[0]}"

            def there():
                self.assertNotEqual(addresses(self.ask("app")), [], "the host is empty")
                return key in self.ctl("get", "endpoints", "-o", "json") and addresses(self.ask("app")) == [address]
            eventually(there, f"{key} alone is answered")
        # the same while the agent is away
        agent.stop()
        self.endpoints("n1", ("app", first.address, [first.port]))
        self.start_agent("n1")

        def back():
            self.assertNotEqual(addresses(self.ask("app")), [], "the host is empty")
            return addresses(self.ask("app")) == ["127.0.0.11"]
        eventually(back, "the new address alone is answered")

    def test_an_address_belongs_to_the_live_node_that_reports_it(self):
        backend = self.bed.backend("127.0.0.21")
        self.endpoints("n1", ("pay", backend.address, [backend.port]))
        self.endpoints("n2", ("zads", backend.address, [backend.port]))
        dead = self.start_agent("n1")
        self.until("pay", "127.0.0.21")
        dead.stop(signal.SIGKILL)
        self.start_agent("n2")
        self.until("zads", "127.0.0.21")
        self.until("pay")
        listed = self.ctl("get", "endpoints")
        self.assertRegex(listed, r"shop/pay .* out .*127\.0\.0\.21 belongs to eu-1/n2 \(shop/zads\)")
        self.assertRegex(listed, r"shop/zads .* serving")
        self.assertIn("belongs to eu-1/n2", self.ctl("explain", "pay.shop.mesh.internal"))
        self.assertEqual(addresses(self.ask("127-0-0-21.zads")), ["127.0.0.21"])
        self.assertEqual(addresses(self.ask("127-0-0-21.pay")), [])

    def test_of_two_services_of_one_automatic_name_the_older_has_it_everywhere(self):
        text = FEDERATION.format(folder=self.bed.folder, port=0).replace("dns: {", 'dns: {auto_hosts: "{service}.{zone}", ')
        self.federation.stop()
        self.federation = self.bed.start("meshdnsd", "--config", self.bed.write("federation.yaml", text))
        self.federation.wait_line("ready")
        self.port = self.federation.address("federation listening")[1]
        shop, blog = self.bed.backend("127.0.0.11"), self.bed.backend("127.0.0.12")
        web = ENDPOINT.replace("shop", "{namespace}")
        self.endpoints("n1", ("web", shop.address, [shop.port]))
        self.start_agent("n1")

        def answer():
            return addresses(ask(self.federation.address("dns listening"), "web.mesh.internal"))
        eventually(lambda: answer() == ["127.0.0.11"], "shop's web")
        self.bed.write("n2.d/all.yaml", "endpoints:\n" + web.format(
            service="web", namespace="blog", address=blog.address, check=blog.port,
            ports=f"{{name: p{blog.port}, number: {blog.port}}}"))
        self.start_agent("n2")
        conflict = "service blog/web: host web.mesh.internal belongs to service shop/web, which is older"
        eventually(lambda: conflict in self.ctl("status"), "who has lost it")
        self.federation.wait_line("service has no automatic host")
        self.assertEqual(answer(), ["127.0.0.11"])
        self.assertEqual(self.metric(self.federation, "meshdns_answers_hostless_services"), 1)
        self.assertIn("belongs to service shop/web", run(
            "meshdnsctl", "--server", f"unix:{self.bed.path('federation')}.sock", "lint")[1])
        self.federation.stop()
        self.federation = self.bed.start("meshdnsd", "--config", self.bed.path("federation.yaml"))
        self.federation.wait_line("ready")
        self.assertEqual(answer(), ["127.0.0.11"], "a restart changes nothing")


if __name__ == "__main__":
    unittest.main()
