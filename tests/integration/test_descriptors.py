"""Descriptors that run out: checks go on as long as they can, nothing spins, and it is said."""
import http.client
import json
import resource
import socket
import unittest

import one_cluster
from mesh import WAIT, Bed, eventually
from ports import free_port


class DescriptorsTest(unittest.TestCase):
    def setUp(self):
        self.bed = self.enterContext(Bed())
        self.backend = self.bed.backend()
        self.bed.write("n1.d/app-b.yaml", one_cluster.ENDPOINTS.format(port=self.backend.port))
        text = one_cluster.AGENT.format(node="n1", zone="eu-a", folder=self.bed.folder, port=free_port())
        self.config = self.bed.write("n1.yaml", text)

    def start(self, limit):
        agent = self.bed.start("meshdns-agent", "--config", self.config,
                               prefix=("sh", "-c", f'ulimit -n {limit}; exec "$@"', "sh"))
        agent.wait_line("endpoint serving")
        return agent

    # Guards against an instance that dies while somebody holds the admin port: no check got a socket.
    def test_silent_connections_leave_descriptors_for_checks(self):
        agent = self.start(64)
        where = agent.address("admin listening")
        for _ in range(100):
            self.enterContext(socket.create_connection(where, timeout=WAIT))
        self.backend.close()
        agent.wait_line("endpoint failing")
        client = http.client.HTTPConnection(*where, timeout=WAIT)
        client.request("GET", "/healthz")
        self.assertEqual(client.getresponse().read(), b"ok\n")
        client.close()
        self.assertEqual([line for line in agent.lines if "cannot accept" in line], [])

    def test_checks_that_are_not_possible_are_told_at_both_edges(self):
        agent = self.start(256)
        client = http.client.HTTPConnection(*agent.address("admin listening"), timeout=WAIT)
        self.addCleanup(client.close)
        status = self.status(client)
        self.assertEqual(status["troubles"], [])
        before = resource.prlimit(agent.process.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(agent.process.pid, resource.RLIMIT_NOFILE, (1, before[1]))  # what is open stays open
        problem = "1 check cannot run: out of file descriptors"
        agent.wait_line(f'checks cannot run problem="{problem}"')
        self.assertEqual(self.status(client)["troubles"], [problem])
        endpoint = eventually(lambda: self.doubtful(client), "the endpoint is in doubt")
        self.assertEqual((endpoint["state"], endpoint["why"]), ("serving", "not checked: out of file descriptors"))
        resource.prlimit(agent.process.pid, resource.RLIMIT_NOFILE, before)
        agent.wait_line("checks run again")
        eventually(lambda: not self.status(client)["troubles"], "the problem is over")

    @staticmethod
    def status(client):
        client.request("GET", "/v1/status")
        return json.load(client.getresponse())

    def doubtful(self, client):
        endpoint, = self.status(client)["endpoints"]
        return endpoint if endpoint["inDoubt"] else None


if __name__ == "__main__":
    unittest.main()
