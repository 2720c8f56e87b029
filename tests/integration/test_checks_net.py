"""The checks tcp, http and https against real servers: nginx with TLS and client certificates, HAProxy, and Python's
HTTP/1.0; and what they say while servers restart gracefully."""
import json
import os
import subprocess
import unittest
import urllib.request

from graceful import AGENT, Restarts
from mesh import WAIT, Bed, eventually, run
from ports import free_port
from web_servers import HaProxy, Nginx

ROUNDS = 20  # of graceful restarts; tests/bench/graceful.py makes 500

SERVERS = """\
  server {{
    listen 127.0.0.1:{plain};
    location /healthz {{ return 200 '{{"db": "up"}}'; }}
    location /moved {{ return 301 /healthz; }}
    location /private {{ return 401; }}
    location /down {{ return 503; }}
    location /large {{ alias {folder}/large; }}
    location /post {{ if ($request_method != POST) {{ return 405; }} return 204; }}
    location /token {{ if ($http_x_token != "a b") {{ return 403; }} return 204; }}
  }}
  server {{ listen 127.0.0.1:{close}; keepalive_timeout 0; location / {{ return 200 ready; }} }}
  server {{
    listen 127.0.0.1:{tls} ssl;
    ssl_certificate {folder}/server.crt; ssl_certificate_key {folder}/server.key;
    location / {{ return 200 $ssl_server_name; }}
  }}
  server {{
    listen 127.0.0.1:{mutual} ssl;
    ssl_certificate {folder}/server.crt; ssl_certificate_key {folder}/server.key;
    ssl_client_certificate {folder}/ca.crt; ssl_verify_client on;
    location / {{ return 200 $ssl_client_s_dn; }}
  }}
"""
PROXY = """\
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend plain
  bind 127.0.0.1:{proxy}
  monitor-uri /monitor
  default_backend nginx
frontend tls
  bind 127.0.0.1:{proxy_tls} ssl crt {folder}/server.pem
  default_backend nginx
frontend none
  bind 127.0.0.1:{proxy_none}
  default_backend nobody
backend nginx
  server n 127.0.0.1:{plain}
backend nobody
"""
# service: (the server, the check, its state, what the table says)
TLS = "ca: {folder}/ca.crt"
CASES = {
    "nginx": ("plain", "http: {{port: p, path: /healthz}}", "serving", ""),
    "nginx-head": ("plain", "http: {{port: p, path: /healthz, method: HEAD}}", "serving", ""),
    "nginx-post": ("plain", "http: {{port: p, path: /post, method: POST, status: 204}}", "serving", ""),
    "nginx-header": ("plain", "http: {{port: p, path: /token, headers: {{X-Token: a b}}, status: [204]}}", "serving", ""),
    "nginx-moved": ("plain", "http: {{port: p, path: /moved}}", "serving", ""),
    "nginx-not-moved": ("plain", "http: {{port: p, path: /moved, status: 200-299}}", "failing", "http 301"),
    "nginx-private": ("plain", "http: {{port: p, path: /private, status: [200-299, 401]}}", "serving", ""),
    "nginx-down": ("plain", "http: {{port: p, path: /down}}", "failing", "http 503"),
    "nginx-regex": ("plain", "http: {{port: p, path: /healthz, body: {{regex: '\"db\": *\"(up|slow)\"'}}}}", "serving", ""),
    "nginx-text": ("plain", "http: {{port: p, path: /healthz, body: {{contains: down}}}}", "failing",
                   'http 200 without "down" in the body'),
    "nginx-large": ("plain", "http: {{port: p, path: /large, body: {{contains: end}}}}", "failing",
                    'http 200 without "end" in the body in the first 64 KiB'),
    "nginx-close": ("close", "http: {{port: p, body: {{contains: ready}}}}", "serving", ""),
    "nginx-tcp": ("plain", 'tcp: {{port: p, send: "GET /healthz HTTP/1.0\\r\\n\\r\\n", expect: "200 OK"}}', "serving", ""),
    "https-to-http": ("plain", "https: {{port: p}}", "failing", "TLS: wrong version number"),
    "http-to-https": ("tls", "http: {{port: p, status: 200}}", "failing", "http 400"),
    "tls": ("tls", "https: {{port: p, tls_options: {{" + TLS + "}}}}", "serving", "certificate ends in 4 days"),
    "tls-name": ("tls", "https: {{port: p, host: web.example, body: {{contains: web.example}}, tls_options: {{" + TLS + "}}}}",
                 "serving", "certificate ends in 4 days"),
    "tls-wrong-name": ("tls", "https: {{port: p, tls_options: {{server_name: other.example, " + TLS + "}}}}", "failing",
                       "TLS: hostname mismatch"),
    "tls-unknown-ca": ("tls", "https: {{port: p}}", "failing", "TLS: unable to get local issuer certificate"),
    "tls-blind": ("tls", "https: {{port: p, tls_options: {{verify: false}}}}", "serving", "certificate ends in 4 days"),
    "tls-no-file": ("tls", "https: {{port: p, tls_options: {{ca: {folder}/none.crt}}}}", "unknown",
                    "{folder}/none.crt: No such file or directory"),
    "tls-tcp": ("tls", "tcp: {{port: p, tls: true, tls_options: {{" + TLS + "}}}}", "serving", "certificate ends in 4 days"),
    "mutual-without": ("mutual", "https: {{port: p, tls_options: {{" + TLS + "}}}}", "failing",
                       "http 400; certificate ends in 4 days"),
    "mutual": ("mutual", "https: {{port: p, body: {{contains: CN=agent}}, tls_options: {{" + TLS +
               ", cert: {folder}/agent.crt, key: {folder}/agent.key}}}}", "serving", "certificate ends in 4 days"),
    "haproxy": ("proxy", "http: {{port: p, path: /healthz}}", "serving", ""),
    "haproxy-monitor": ("proxy", "http: {{port: p, path: /monitor}}", "serving", ""),
    "haproxy-none": ("proxy_none", "http: {{port: p}}", "failing", "http 503"),
    "haproxy-tls": ("proxy_tls", "https: {{port: p, path: /healthz, tls_options: {{" + TLS + "}}}}", "serving",
                    "certificate ends in 4 days"),
    "http-1.0": ("backend", "http: {{port: p, path: /healthz}}", "serving", ""),
}
ENDPOINT = """\
  - namespace: shop
    service: {service}
    address: 127.0.0.1
    ports: [{{name: p, number: {port}}}]
    checks: [{{{check}, interval: 200ms, timeout: 20s}}]
"""


def openssl(folder, *words):
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True, timeout=WAIT)


def make_certificates(folder):
    """ca.crt; server.crt for web.example and 127.0.0.1, which ends in less than 5 days; agent.crt."""
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    openssl(folder, "req", "-x509", *curve, "-days", "30", "-subj", "/CN=test authority", "-keyout", "ca.key", "-out", "ca.crt")
    for name, names in (("server", "DNS:web.example,IP:127.0.0.1"), ("agent", "DNS:agent.example")):
        with open(os.path.join(folder, name + ".ext"), "w", encoding="ascii") as file:
            file.write(f"subjectAltName={names}\n")
        openssl(folder, "req", *curve, "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial",
                "-days", "5", "-extfile", f"{name}.ext", "-out", f"{name}.crt")
    with open(os.path.join(folder, "server.pem"), "w", encoding="ascii") as pem:
        for part in ("server.crt", "server.key"):
            with open(os.path.join(folder, part), encoding="ascii") as file:
                pem.write(file.read())


def cells(line):
    """The columns of a table, which are at least two spaces apart."""
    return [cell.strip() for cell in line.split("  ") if cell.strip()]


class RealServers(unittest.TestCase):
    def setUp(self):
        self.bed = self.enterContext(Bed())
        self.folder = self.bed.folder
        make_certificates(self.folder)
        self.bed.write("large", " " * 200_000 + "end")
        os.chmod(self.folder, 0o755)  # nginx's workers read it
        self.ports = {name: free_port() for name in ("plain", "close", "tls", "mutual", "proxy", "proxy_tls", "proxy_none")}
        self.ports["backend"] = self.bed.backend().port
        words = {"folder": self.folder, **self.ports}
        self.nginx = Nginx(self.bed, SERVERS.format(**words))
        HaProxy(self.bed, PROXY.format(**words))
        self.config = self.bed.write("agent.yaml", AGENT.format(socket=self.bed.path("agent.sock")))
        entries = [ENDPOINT.format(service=service.replace(".", "-"), port=self.ports[server],
                                   check=check.format(folder=self.folder))
                   for service, (server, check, _, _) in CASES.items()]
        self.bed.write("endpoints.d/all.yaml", "endpoints:\n" + "".join(entries))

    def once(self):
        code, out, err = run("meshdns-agent", "--once", "--config", self.config)
        self.assertEqual(code, 0, err)
        # in the second in which they were made, all five days of the certificates are left
        rows = [cells(line) for line in out.replace("ends in 5 days", "ends in 4 days").splitlines()[1:]]
        return {row[0].removeprefix("shop/"): (row[2], row[3] if len(row) > 3 else "") for row in rows}

    def test_each_check_says_what_it_must(self):
        want = {service.replace(".", "-"): (state, why.format(folder=self.folder))
                for service, (_, _, state, why) in CASES.items()}
        eventually(lambda: self.once()["haproxy"] == ("serving", ""), "HAProxy")
        self.assertEqual(self.once(), want)

    def test_the_agent_keeps_its_states_and_its_descriptors(self):
        agent = self.bed.start("meshdns-agent", "--config", self.config)
        agent.wait_line(r"\bready\b")
        want = {service.replace(".", "-"): state for service, (_, _, state, _) in CASES.items()}
        names = {"serving": "serving", "failing": "pending", "unknown": "pending"}  # none of them has served before
        want = {service: names[state] for service, state in want.items()}
        eventually(lambda: self.states(agent) == want, "the states")
        before = len(os.listdir(f"/proc/{agent.process.pid}/fd"))
        for _ in range(3):
            self.nginx.reload()
        self.assertEqual(self.states(agent), want)
        # one kept connection at most for each check, and one that is being made
        self.assertLessEqual(len(os.listdir(f"/proc/{agent.process.pid}/fd")), before + 2 * len(CASES))
        self.assertEqual([line for line in agent.lines if "endpoint failing" in line], [])

    def states(self, agent):
        url = "http://%s:%d/v1/status" % agent.address("admin listening")
        with urllib.request.urlopen(url, timeout=WAIT) as reply:
            status = json.load(reply)
        return {one["key"].split("/")[1]: one["state"] for one in status["endpoints"]}


class GracefulRestarts(unittest.TestCase):
    def test_no_restart_withdraws_an_endpoint(self):
        with Bed() as bed:
            restarts = Restarts(bed)
            changes = list(restarts.changes.items())
            for number in range(ROUNDS):
                name, change = changes[number % len(changes)]
                change()
                self.assertEqual(restarts.withdrawn(), [], f"{name}, round {number}")
            for client in restarts.load:
                self.assertGreater(client.answers, ROUNDS)


if __name__ == "__main__":
    unittest.main()
