"""Listings of a mesh that is larger than one message: meshdnsctl and HTTP show all of it, in pages."""
import json
import os
import re
import subprocess
import unittest
import urllib.error
import urllib.request

from mesh import BIN, WAIT, Bed

PATIENCE = 4 * WAIT  # a whole mesh is read, or printed
ENDPOINTS = 30000
NODES = 100
CONFIG = """\
cluster: eu-1
roles: [dns]
zones: [{{name: mesh.internal}}]
dns:
  workers: 1
  listen: [{{address: "127.0.0.1:0"}}]
  endpoints_file: mesh.yaml
admin: {{listen: "127.0.0.1:0", socket: {folder}/meshdnsd.sock}}
"""
OBJECT = """\
  - apiVersion: meshdns.io/v1alpha1
    kind: VirtualDestination
    metadata: {{name: v{0}, namespace: shop}}
    spec: {{hosts: [v{0}.mesh.internal], services: [{{name: s0}}]}}
"""


def address(number):
    return f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"


def mesh():
    lines = ["nodes:\n"]
    per_node = ENDPOINTS // NODES
    for node in range(NODES):
        lines.append(f"  - name: n{node:03}\n    cluster: eu-1\n    locality: {{region: eu, zone: eu-a}}\n"
                     f"    addresses: [{address(1 + node * per_node)}]\n    endpoints:\n")
        for i in range(per_node):
            number = 1 + node * per_node + i
            service = "big" if i < 60 else f"s{i}"  # 6,000 endpoints of one host
            lines.append(f"      - {{service: {service}, namespace: shop, address: {address(number)}, "
                         f"ports: [{{name: http, number: 8080}}], state: serving}}\n")
    return "".join(lines) + "objects:\n" + "".join(OBJECT.format(i) for i in range(5))


class PagesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.bed = cls.enterClassContext(Bed())
        cls.bed.write("mesh.yaml", mesh())
        config = cls.bed.write("meshdnsd.yaml", CONFIG.format(folder=cls.bed.folder))
        cls.daemon = cls.bed.start("meshdnsd", "--config", config)
        cls.daemon.wait_line("ready", timeout=PATIENCE)

    def ctl(self, *words):
        done = subprocess.run([os.path.join(BIN, "meshdnsctl"), "--server", "unix:" + self.bed.path("meshdnsd.sock"), *words],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout, done.stderr

    def fetch(self, path):
        host, port = self.daemon.address("admin listening")
        with urllib.request.urlopen(f"http://{host}:{port}{path}", timeout=WAIT) as reply:
            return reply.read(), reply.headers

    # Failed above 24,000 endpoints: one message had them all.
    def test_a_table_has_every_endpoint(self):
        out, _ = self.ctl("get", "endpoints")
        lines = out.splitlines()
        self.assertRegex(lines[0], "^SERVICE +ENDPOINT +WHERE +NODE +STATE +FOR")
        self.assertEqual(len(lines), 1 + ENDPOINTS)
        self.assertEqual(len({line.split()[1] for line in lines[1:]}), ENDPOINTS)
        nodes = [line.split()[3] for line in lines[1:]]
        self.assertEqual(nodes, sorted(nodes))

    def test_json_and_yaml_are_one_document(self):
        rows = json.loads(self.ctl("get", "endpoints", "-o", "json")[0])["endpoints"]
        self.assertEqual(len({row["key"] for row in rows}), ENDPOINTS)
        out, _ = self.ctl("get", "endpoints", "-o", "yaml", "--limit", "3000")
        self.assertEqual(len(re.findall(r"(?m)^  - key: ", out)), 3000)
        self.assertEqual(len(re.findall(r"(?m)^endpoints:$", out)), 1)

    def test_pages_of_any_size_print_the_same(self):
        for words in (("get", "nodes", "-o", "json"), ("get", "nodes", "-o", "yaml"), ("get", "vd", "-o", "json"), ("get", "vd", "-o", "yaml"), ("get", "vd")):
            small, _ = self.ctl(*words, "--chunk-size", "1")
            whole, _ = self.ctl(*words)
            self.assertEqual(small, whole, words)

    def test_a_limit(self):
        out, err = self.ctl("get", "endpoints", "--limit", "3", "--chunk-size", "2")
        self.assertEqual(len(out.splitlines()), 4)
        self.assertEqual(err, "there are more than these 3\n")
        out, err = self.ctl("get", "nodes", "--limit", str(NODES))
        self.assertEqual((len(out.splitlines()), err), (NODES + 1, ""))

    def test_a_host_with_many_endpoints_is_explained_whole(self):
        words = ("big.shop.mesh.internal", "-o", "json")
        reply = json.loads(self.ctl("explain", *words)[0])
        self.assertEqual(sum(len(tier["endpoints"]) for tier in reply["tiers"]), 6000)
        reply = json.loads(self.ctl("simulate", *words, "--down", "node=eu-1/n000")[0])
        self.assertEqual((len(reply["endpoints"]), len(reply["before"]["answer"]), len(reply["after"]["answer"])), (60, 6000, 5940))

    def test_http_has_pages_below_a_mebibyte(self):
        path, keys = "/v1/endpoints?limit=1000", []
        for _ in range(100):
            body, headers = self.fetch(path)
            self.assertLessEqual(len(body), 1 << 20)
            reply = json.loads(body)
            keys += [row["key"] for row in reply["endpoints"]]
            if not reply["continue"]:
                break
            path = re.fullmatch('<(.*)>; rel="next"', headers["Link"])[1]
            self.assertTrue(path.endswith("continue=" + reply["continue"]), path)
        self.assertEqual(len(keys), ENDPOINTS)
        self.assertEqual(keys, sorted(set(keys)))
        body, headers = self.fetch("/v1/explain?host=big.shop.mesh.internal&limit=100")
        self.assertEqual(len(json.loads(body)["tiers"][0]["endpoints"]), 100)
        for wrong in ("limit=0", "limit=x", "continue=x"):
            with self.assertRaises(urllib.error.HTTPError) as caught:
                self.fetch("/v1/endpoints?" + wrong)
            self.assertEqual(caught.exception.code, 400, wrong)

    def test_status_and_metrics_count_all(self):
        self.assertIn(f"{ENDPOINTS} serving", self.ctl("status")[0])
        self.assertIn(f'meshdns_catalog_endpoints{{state="serving"}} {ENDPOINTS}\n', self.fetch("/metrics")[0].decode())
