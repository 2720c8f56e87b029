"""docs/kubernetes.md from its first command to its last, with two real control planes and played kubelets.

The daemons run with the ConfigMaps that the manifests make. Replaced are their addresses and files, and what needs a name of
the cluster's DNS: the identities, the lease and the object store, which have tests of their own.
"""
import base64
import glob
import os
import re
import shutil
import subprocess
import unittest

import yaml

import kube_plane
import lab
from peers import ROOT, blocks

kube_plane.program()  # the namespaces have no way out
lab.enter()
from kubelet import Cgroups  # noqa: E402  (siblings that need none of the above)
from mesh import WAIT, eventually  # noqa: E402
from played_cluster import PlayedCluster  # noqa: E402
from pod_bed import PodBed, route_pods  # noqa: E402

SH, YAML, TEXT = (blocks("kubernetes.md", language) for language in ("sh", "yaml", "corefile"))
DNS = "10.96.0.53"
CONFIG = """\
apiVersion: v1
kind: Config
clusters:
- {{name: eu-1, cluster: {{server: "{servers[0]}", certificate-authority: {authorities[0]}}}}}
- {{name: eu-2, cluster: {{server: "{servers[1]}", certificate-authority: {authorities[1]}}}}}
users: [{{name: admin, user: {{token: admin}}}}]
contexts:
- {{name: eu-1, context: {{cluster: eu-1, user: admin}}}}
- {{name: eu-2, context: {{cluster: eu-2, user: admin}}}}
"""


class PageTest(unittest.TestCase):
    def setUp(self):
        route_pods()
        lab.command("ip", "route", "add", "local", "10.0.1.0/24", "dev", "lo")
        lab.command("ip", "route", "add", "local", DNS, "dev", "lo", "src", "10.0.0.1")
        self.cgroups = self.enterContext(Cgroups())
        if not self.cgroups.root:
            self.skipTest("not on this machine: cgroup v2")
        self.planes = [self.enterContext(kube_plane.ControlPlane(controllers=True)) for _ in range(2)]
        self.bed = self.enterContext(PodBed(self.planes[0], cgroups=self.cgroups.root, proxied=False))
        self.home, self.started = self.bed.folder, {}
        self.clusters = [
            PlayedCluster(self.planes[0], self.cgroups, "n1", "10.0.0.1", "10.244.1.", self.start_daemon),
            PlayedCluster(self.planes[1], self.cgroups, "n2", "10.0.1.1", "10.244.2.")]
        for cluster in self.clusters:
            cluster.begin()
            self.addCleanup(cluster.end)
        self.prepare()

    def prepare(self):
        """The folder in which a user sits: the repository's manifests, kubectl with two contexts, and the page's files."""
        shutil.copytree(os.path.join(ROOT, "packaging", "kubernetes"), os.path.join(self.home, "packaging", "kubernetes"))
        os.makedirs(os.path.join(self.home, "bin"))
        os.makedirs(os.path.join(self.home, "mesh"))
        kubectl = self.write("bin/kubectl", f'#!/bin/sh\nexec {self.planes[0].binary} kubectl "$@"\n')
        os.chmod(kubectl, 0o755)
        self.write("config", CONFIG.format(servers=[plane.server for plane in self.planes],
                                           authorities=[plane.path("ca.pem") for plane in self.planes]))
        self.write("mesh/kustomization.yaml", YAML["kustomization"])
        self.write("app.yaml", YAML["app"])
        self.write("mesh/meshdnsd.yaml", self.with_both_clusters())

    def with_both_clusters(self):
        path = glob.glob(os.path.join(self.home, "packaging/kubernetes/overlays/default/meshdnsd.yaml"))[0]
        with open(path, encoding="utf-8") as file:
            config = yaml.safe_load(file)
        config["federation"] |= yaml.safe_load(YAML["clusters"].replace("https://10.2.0.1:6443", self.planes[1].server))["federation"]
        return yaml.safe_dump(config)

    def write(self, name, text):
        return self.bed.write(name, text)

    def run_block(self, name, **variables):
        """Runs a block of the page as it is printed; gives its output."""
        environment = {**os.environ, "KUBECONFIG": os.path.join(self.home, "config"), "HOME": self.home, **variables,
                       "PATH": os.path.join(self.home, "bin") + ":" + os.environ["PATH"]}
        done = subprocess.run(["sh", "-euc", SH[name]], cwd=self.home, env=environment, capture_output=True, text=True,
                              timeout=WAIT, check=False)
        self.assertEqual(done.returncode, 0, f"{name}: {done.stdout}{done.stderr}")
        return done.stdout

    # ---- the daemons, as their kubelet starts them ----

    def start_daemon(self, pod):
        name = pod["metadata"]["labels"]["app.kubernetes.io/name"]
        if name in self.started:
            return  # the second replica: its address would be the same here
        config = self.config_of(pod)
        self.started[name] = getattr(self, "start_" + name.removeprefix("meshdns-"))(config, pod)

    def config_of(self, pod):
        """The configuration in the ConfigMap that the pod mounts."""
        sources = [source for volume in pod["spec"]["volumes"]
                   for source in [volume, *volume.get("projected", {}).get("sources", [])]]
        names = [source["configMap"]["name"] for source in sources if "configMap" in source]
        config_map = next(name for name in names if name != "meshdns-authority")
        data = self.planes[0].get(f"/api/v1/namespaces/meshdns/configmaps/{config_map}")["data"]
        return yaml.safe_load(next(iter(data.values())))

    def begin(self, binary, name, config):
        config["admin"] = {"listen": "127.0.0.1:0", "socket": os.path.join(self.home, name + ".sock")}
        if "data_dir" in config:
            config["data_dir"] = os.path.join(self.home, name + ".data")
        return self.bed.start(binary, self.write(name + ".yaml", yaml.safe_dump(config)))

    def start_meshdnsd(self, config, _):
        secret = self.planes[0].get("/api/v1/namespaces/meshdns/secrets/meshdns-watched")["data"]
        for name, value in secret.items():
            self.write("watched-" + name, base64.b64decode(value).decode())
        own = {"server": self.planes[0].server, "ca_file": self.planes[0].path("ca.pem"),
               "token_file": self.write("meshdnsd.token", self.planes[0].token("meshdns", "meshdnsd"))}
        clusters = [{**(own if "server" not in entry else {}), **entry} for entry in config["federation"]["kubernetes"]]
        text = yaml.safe_dump(clusters).replace("/var/run/secrets/watched/", os.path.join(self.home, "watched-"))
        config["federation"] = {"listen": f"127.0.0.1:{self.bed.port}", "kubernetes": yaml.safe_load(text)}
        config["dns"]["listen"] = [{"address": "127.0.0.1:0"}]
        config.pop("identity", None)
        return self.begin("meshdnsd", "meshdnsd", config)

    def start_agent(self, config, pod):
        config |= {"node": pod["spec"]["nodeName"], "addresses": ["10.0.0.1"],
                   "federation": {"servers": [f"127.0.0.1:{self.bed.port}"]}}
        token = self.planes[0].token("meshdns", pod["spec"]["serviceAccountName"], pod)
        os.makedirs(os.path.join(self.home, "endpoints.d"))
        config["discovery"] = {
            "static": {"directory": os.path.join(self.home, "endpoints.d")},
            "kubernetes": {"server": self.planes[0].server, "ca": self.planes[0].path("ca.pem"),
                           "token_file": self.write("agent.token", token), "cgroup_root": self.cgroups.root}}
        return self.begin("meshdns-agent", "agent", config)

    def start_dns(self, config, _):
        config["replica"] = {"federation": [f"127.0.0.1:{self.bed.port}"]}
        config["dns"]["listen"] = [{"address": DNS + ":53"}]
        config["dns"].pop("trusted_forwarders", None)  # CoreDNS does not run here
        return self.begin("meshdnsd", "dns", config)

    # ---- the page ----

    @staticmethod
    def dig(name="app-b.shop.mesh.internal", kind="A"):
        done = subprocess.run(["dig", "+short", "+tries=1", "+time=1", name, kind, "@" + DNS], capture_output=True, text=True,
                              check=False)
        return sorted(re.findall(r"^\d.+$", done.stdout, re.M))

    def wait_answer(self, network, count):
        found = lambda: (answer := self.dig()) and all(one.startswith(network) for one in answer) and len(answer) == count
        eventually(found, f"{count} addresses in {network}0/24")

    def test_every_block_in_its_order(self):
        order = ["watched", "install", "app", "ask", "kill", "away", "back", "upgrade", "remove"]
        self.assertEqual(list(SH), order)
        self.run_block("watched")
        self.run_block("install")
        eventually(lambda: len(self.started) == 3, "the daemons run")
        for daemon in self.started.values():
            daemon.wait_line(r" ready\b")
        self.run_block("app")
        self.wait_answer("10.244.1.", 2)
        eventually(lambda: len(self.dig("_http._tcp.app-b.shop.mesh.internal", "SRV")) == 4, "both clusters are known", 60)
        self.check_answers(self.run_block("ask"))
        self.check_kill()
        self.assertEqual(len(re.findall(r"^10\.244\.2\.\d+$", self.run_block("away"), re.M)), 2)
        self.wait_answer("10.244.2.", 2)
        self.run_block("back")
        self.wait_answer("10.244.1.", 2)
        self.run_block("upgrade")
        self.run_block("remove")

    def check_answers(self, text):
        *addresses, = [line for line in text.splitlines() if len(line.split()) == 1]
        services = [line.split() for line in text.splitlines() if len(line.split()) == 4]
        self.assertEqual(len(addresses), 2)
        self.assertTrue(all(address.startswith("10.244.1.") for address in addresses), text)
        self.assertEqual(len(services), 4, text)
        self.assertEqual({port for _, _, port, _ in services}, {"8080"})
        self.assertEqual(len({priority for priority, _, _, _ in services}), 2)

    def check_kill(self):
        uid = next(uid for uid, entry in self.clusters[0].running.items() if entry[2])
        _, address, process, _ = self.clusters[0].running[uid]
        left = self.run_block("kill", PROCESS=str(process.pid)).split()  # addresses only
        self.assertEqual(len(left), 1)
        self.assertNotIn(address, left)
        self.wait_answer("10.244.1.", 2)  # its kubelet has started it again


class BlockTest(unittest.TestCase):
    def test_the_block_for_coredns_is_the_recommended_one(self):
        self.assertEqual(TEXT["block"].replace(DNS, "10.0.9.1"), blocks("coredns.md", "corefile")["subnet"])


if __name__ == "__main__":
    unittest.main()
