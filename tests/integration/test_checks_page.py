"""docs/checks.md: every example loads, and a running agent says of its endpoints what the page says.

An example is executed as it stands, except that the endpoint is on 127.0.0.1, that its ports are free ones here, that files in
/run are in a folder of the test, and that checks are made more often.
"""
import json
import os
import re
import socket
import unittest
import urllib.request

import yaml

from check_instances import INSTANCES
from mesh import WAIT, Bed, eventually, run

PAGE = os.path.join(os.path.dirname(__file__), "../../docs/checks.md")
GROUPS = ("all", "any", "quorum")
TIMES = ("interval", "timeout", "rise", "fall")


def examples():
    """[(section, text)] of every YAML block, in the order of the page."""
    with open(PAGE, encoding="utf-8") as file:
        text = file.read()
    out = []
    for section in re.split(r"^## ", text, flags=re.M):
        title = section.split("\n", 1)[0].replace("`", "")
        out += [(title, block) for block in re.findall(r"^```yaml\n(.*?)^```$", section, re.M | re.S)]
    return out


def parts_of(check):
    """[(kind, what the kind says)]: of a group, its parts."""
    out = []
    for kind, body in check.items():
        if kind in GROUPS:
            for part in body["checks"]:
                out += parts_of(part)
        elif kind not in TIMES:
            out.append((kind, body))
    return out


def free_port(kind):
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Example:
    """One endpoints.d file of the page, as it can run here."""

    def __init__(self, bed, text):
        self.bed = bed
        text = text.replace("/run/worker", bed.path("worker")).replace("/etc/ssl/certs", bed.folder)
        self.file = yaml.safe_load(text)
        self.everlasting = set()  # services that nothing can take out
        self.instances = []
        self.ports = {}
        for endpoint in self.file["endpoints"]:
            endpoint.pop("addresses", None)
            endpoint["address"] = "127.0.0.1"
            names = {}
            for port in endpoint["ports"]:
                names[port.get("name")] = port["number"] = self.here(port["number"], port.get("protocol", "TCP"))
            for check in endpoint["checks"]:
                check["interval"], check["timeout"] = "100ms", "2s"
                for kind, body in parts_of(check):
                    name = endpoint["namespace"] + "/" + endpoint["service"]
                    self.add(kind, {**(body or {}), **({"endpoint": name} if kind == "ttl" else {})}, names)
                    if kind == "none":
                        self.everlasting.add(endpoint["service"])

    def here(self, number, protocol):
        """The free port here that stands for a port of the page."""
        if number not in self.ports:
            self.ports[number] = free_port(socket.SOCK_STREAM if protocol == "TCP" else socket.SOCK_DGRAM)
        return self.ports[number]

    def add(self, kind, seen, names):
        """Makes the instance of a check. Those of examples have ports by name, which stand for the numbers here."""
        if "port" in seen:
            seen["port"] = names[seen["port"]]
        if kind not in INSTANCES:
            raise AssertionError(f"tests/integration/check_instances.py has no instance for `{kind}`")
        same = [1 for other, what, _ in self.instances if "port" in seen and what.get("port") == seen["port"] and
                (other, what.get("tcp")) == (kind, seen.get("tcp"))]
        if not same:
            self.instances.append((kind, seen, INSTANCES[kind](self.bed, seen)))

    def environment(self):
        out = dict(os.environ)
        for _, _, instance in self.instances:
            out.update(getattr(instance, "environment", {}))
        return out

    def start(self):
        """Starts everything, then the agent; gives the agent's address."""
        for _, _, instance in self.instances:
            instance.start()
        self.bed.write("endpoints.d/example.yaml", yaml.safe_dump(self.file))
        config = self.bed.write("agent.yaml", f"""\
node: n1
cluster: eu-1
addresses: [127.0.0.1]
federation: {{servers: ["127.0.0.1:9"]}}
discovery: {{static: {{directory: {self.bed.path("endpoints.d")}}}}}
state_dir: {self.bed.path("state")}
admin: {{listen: "127.0.0.1:0", socket: {self.bed.path("agent.sock")}}}
exec: {{enabled: true}}
""")
        agent = self.bed.start("meshdns-agent", "--config", config, env=self.environment())
        self.agent = agent.address("admin listening")
        agent.wait_line(" ready")
        for _, _, instance in self.instances:
            getattr(instance, "begin", lambda: None)()

    def endpoints(self):
        host, port = self.agent
        with urllib.request.urlopen(f"http://{host}:{port}/v1/status", timeout=WAIT) as answer:
            return json.load(answer)["endpoints"]

    def all_are(self, state):
        return all(endpoint["state"] == ("serving" if endpoint["service"] in self.everlasting else state)
                   for endpoint in self.endpoints())

    def wait_for(self, state):
        try:
            eventually(lambda: self.all_are(state), state)
        except AssertionError:
            raise AssertionError(f"not {state}: {self.endpoints()}") from None


class ChecksPage(unittest.TestCase):
    def test_examples_load(self):
        found = examples()
        self.assertGreaterEqual(len(found), 14)
        for section, text in found:
            with self.subTest(section=section), Bed() as bed:
                endpoints = "endpoints:" in text
                config = text if not endpoints else "cluster: eu-1\nfederation: {servers: [\"127.0.0.1:7400\"]}\n" \
                                                    "exec: {enabled: true}\n"
                os.makedirs(bed.path("endpoints.d"))
                if endpoints:
                    bed.write("endpoints.d/example.yaml", text)
                code, out, err = run("meshdns-agent", "--config", bed.write("agent.yaml", config), "--check-config")
                self.assertEqual((code, err), (0, ""), out)

    def test_examples_run(self):
        for section, text in examples():
            if "endpoints:" not in text:
                continue
            with self.subTest(section=section), Bed() as bed:
                example = Example(bed, text)
                example.start()
                example.wait_for("serving")
                for _, _, instance in example.instances:
                    if hasattr(instance, "warn"):
                        instance.warn()
                        eventually(lambda: all(entry.get("inDoubt") for entry in example.endpoints()), "in doubt")
                        self.assertTrue(example.all_are("serving"))
                for _, _, instance in example.instances:
                    instance.die()
                example.wait_for("failing")
                for endpoint in example.endpoints():
                    if endpoint["state"] == "failing":
                        self.assertTrue(endpoint.get("why"), endpoint)


class Programs(unittest.TestCase):
    """Who may start which program is said before anything runs."""

    def setUp(self):
        self.bed = self.enterContext(Bed())

    def check(self, program, enabled):
        self.bed.write("endpoints.d/worker.yaml", f"""\
endpoints:
  - namespace: shop
    service: worker
    address: 127.0.0.1
    ports: [{{name: queue, number: 9000}}]
    checks: [{{any: {{checks: [{{exec: {{command: ["{program}"]}}}}]}}}}]
""")
        config = self.bed.write("agent.yaml", f"""\
cluster: eu-1
federation: {{servers: ["127.0.0.1:7400"]}}
exec: {{enabled: {str(enabled).lower()}}}
""")
        return run("meshdns-agent", "--config", config, "--check-config")

    def test_off(self):
        code, _, err = self.check("/bin/true", False)
        self.assertEqual((code, err), (2, "shop/worker/127.0.0.1:9000: exec: programs are not started: "
                                          "set exec: {enabled: true} in agent.yaml\n1 error\n"))

    def test_on(self):
        code, _, err = self.check("/bin/true", True)
        self.assertEqual((code, err), (0, ""))

    def test_a_program_that_others_may_replace(self):
        program = self.bed.write("program", "#!/bin/sh\n")
        os.chmod(program, 0o755)
        code, _, err = self.check(program, True)
        self.assertEqual(code, 2)
        self.assertRegex(err, r"^shop/worker/127\.0\.0\.1:9000: exec: /\S* (is writable by|belongs to)")


if __name__ == "__main__":
    unittest.main()
