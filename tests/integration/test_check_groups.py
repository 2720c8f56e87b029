"""Checks that connect nowhere, and groups: an alias follows its service, groups decide, none serves; --once shows them."""
import subprocess
import unittest

import one_cluster
from mesh import BIN, Bed
from ports import free_port

ENDPOINTS = """\
endpoints:
  - service: db
    namespace: shop
    ports: [{{name: db, number: {port}}}]
    checks: [{{tcp: {{port: db}}, interval: 200ms}}]
  - service: admin
    namespace: shop
    ports: [{{name: http, number: {dead}}}]
    checks: [{{alias: {{endpoint: shop/db}}, interval: 1h}}]
  - service: either
    namespace: shop
    ports: [{{name: http, number: {dead}}}]
    checks: [{{any: {{checks: [{{tcp: {{port: "{port}"}}}}, {{tcp: {{port: "{dead}"}}}}]}}, interval: 200ms}}]
  - service: both
    namespace: shop
    ports: [{{name: http, number: {dead}}}]
    checks: [{{all: {{checks: [{{tcp: {{port: "{port}"}}}}, {{none: {{}}}}]}}, interval: 200ms}}]
  - service: given
    namespace: shop
    ports: [{{name: http, number: {dead}}}]
    checks: [{{none: {{}}}}]
  - service: silent
    namespace: shop
    ports: [{{name: http, number: {dead}}}]
    checks: [{{ttl: {{ttl: 10s}}}}]
"""


class CheckGroupsTest(unittest.TestCase):
    def setUp(self):
        self.bed = self.enterContext(Bed())
        self.backend = self.bed.backend()
        self.dead = free_port()
        self.bed.write("n1.d/shop.yaml", ENDPOINTS.format(port=self.backend.port, dead=self.dead))
        text = one_cluster.AGENT.format(node="n1", zone="eu-a", folder=self.bed.folder, port=free_port())
        self.config = self.bed.write("n1.yaml", text)

    def test_an_agent_follows_what_they_say(self):
        agent = self.bed.start("meshdns-agent", "--config", self.config)
        for service in ("db", "admin", "either", "both", "given"):
            agent.wait_line(f"endpoint serving key=shop/{service}/")
        before = len(agent.lines)
        self.backend.close()
        agent.wait_line(r'endpoint failing key=shop/admin/\S+ why="shop/db is failing: connection refused"', after=before)
        agent.wait_line(r'endpoint failing key=shop/either/\S+ why="tcp: connection refused; tcp: connection refused"',
                        after=before)
        agent.wait_line(r'endpoint failing key=shop/both/\S+ why="tcp: connection refused"', after=before)
        wrong = [line for line in agent.lines if "shop/silent" in line or "failing key=shop/given" in line
                 or "checks cannot run" in line]
        self.assertEqual(wrong, [])

    def test_once_makes_each_of_them(self):
        done = subprocess.run([f"{BIN}/meshdns-agent", "--once", "--config", self.config], capture_output=True, text=True,
                              timeout=60, check=True)
        rows = {line.split()[0]: line.split(None, 3)[2:] for line in done.stdout.splitlines()[1:]}
        self.assertEqual(rows["shop/admin"], ["serving"])
        self.assertEqual(rows["shop/either"], ["serving"])
        self.assertEqual(rows["shop/both"], ["serving"])
        self.assertEqual(rows["shop/given"], ["serving"])
        self.assertEqual(rows["shop/silent"], ["unknown", "the service has not pushed its health yet"])
        self.backend.close()
        done = subprocess.run([f"{BIN}/meshdns-agent", "--once", "--config", self.config], capture_output=True, text=True,
                              timeout=60, check=True)
        rows = {line.split()[0]: line.split(None, 3)[2:] for line in done.stdout.splitlines()[1:]}
        self.assertEqual(rows["shop/admin"], ["failing", "shop/db is failing: connection refused"])


if __name__ == "__main__":
    unittest.main()
