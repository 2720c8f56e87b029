"""The manifests and the container file: they parse, their parts fit together, and the programs take what they embed."""
import glob
import os
import re
import shutil
import subprocess
import unittest
import urllib.error
import urllib.request

import yaml

import mesh
from mesh import WAIT, Bed
from supervisor import ROOT

FOLDER = os.path.join(ROOT, "packaging/kubernetes")
CONTAINERFILE = os.path.join(ROOT, "packaging/container/Containerfile")
PART_OF = {"app.kubernetes.io/part-of": "meshdns"}
CLUSTER_WIDE = ("ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition")
# what each pod has in its environment; nobody listens there
IN_A_POD = {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": "9", "NODE_NAME": "n1"}


def manifests():
    """[(file, object)] in the order in which `kubectl apply -f packaging/kubernetes/` takes them."""
    out = []
    for path in sorted(glob.glob(os.path.join(FOLDER, "*.yaml"))):
        with open(path, encoding="utf-8") as file:
            out += [(os.path.basename(path), document) for document in yaml.safe_load_all(file)]
    return out


def container_file():
    with open(CONTAINERFILE, encoding="utf-8") as file:
        return re.sub(r"\\\n", " ", file.read())


class ManifestsTest(unittest.TestCase):
    def setUp(self):
        self.objects = [document for _, document in manifests()]
        self.workloads = self.of("Deployment") + self.of("DaemonSet")

    def of(self, kind):
        return [document for document in self.objects if document["kind"] == kind]

    def named(self, kind, name):
        found = [document for document in self.of(kind) if document["metadata"]["name"] == name]
        self.assertEqual(len(found), 1, f"{kind} {name}")
        return found[0]

    def pods(self):
        """(workload, pod spec, its only container)"""
        for workload in self.workloads:
            pod = workload["spec"]["template"]["spec"]
            self.assertEqual(len(pod["containers"]), 1)
            yield workload, pod, pod["containers"][0]

    def config(self, pod, container):
        """The configuration that the container is started with: (binary, file name, text, parsed)."""
        path = container["args"][container["args"].index("--config") + 1]
        mount = next(mount for mount in container["volumeMounts"] if mount["mountPath"] == os.path.dirname(path))
        volume = next(volume for volume in pod["volumes"] if volume["name"] == mount["name"])
        data = self.named("ConfigMap", volume["configMap"]["name"])["data"]
        text = data[os.path.basename(path)]
        return os.path.basename(container["command"][0]), os.path.basename(path), text, yaml.safe_load(text)

    def test_the_namespace_comes_first_and_holds_the_rest(self):
        self.assertEqual(self.objects[0]["kind"], "Namespace")
        for document in self.objects[1:]:
            namespace = None if document["kind"] in CLUSTER_WIDE else self.objects[0]["metadata"]["name"]
            self.assertEqual(document["metadata"].get("namespace"), namespace)
            self.assertLessEqual(PART_OF.items(), document["metadata"]["labels"].items())
        names = [(document["kind"], document["metadata"]["name"]) for document in self.objects]
        self.assertEqual(len(names), len(set(names)))

    def test_the_programs_take_their_configuration(self):
        bed = self.enterContext(Bed())
        for workload, pod, container in self.pods():
            with self.subTest(workload=workload["metadata"]["name"]):
                binary, name, text, _ = self.config(pod, container)
                bed.write("endpoints.d/app-b.yaml", "endpoints: []\n")
                path = bed.write(name, text.replace("/endpoints.d", bed.path("endpoints.d")))
                self.assertEqual(mesh.run(binary, "--config", path, "--check-config", env=IN_A_POD)[::2], (0, ""))

    def test_plaintext_is_said_and_explained(self):
        for workload, pod, container in self.pods():
            self.assertIs(self.config(pod, container)[3]["federation"]["insecure"], True)
        for file in ("meshdnsd.yaml", "agent.yaml"):
            with open(os.path.join(FOLDER, file), encoding="utf-8") as text:
                self.assertRegex(text.read(), "(?i)until there is TLS, plaintext beyond loopback must be said")

    def test_selectors_accounts_volumes_and_claims_fit(self):
        for workload, pod, container in self.pods():
            labels = workload["spec"]["template"]["metadata"]["labels"]
            self.assertLessEqual(workload["spec"]["selector"]["matchLabels"].items(), labels.items())
            self.named("ServiceAccount", pod["serviceAccountName"])
            volumes = {volume["name"]: volume for volume in pod["volumes"]}
            self.assertEqual(set(volumes), {mount["name"] for mount in container["volumeMounts"]})
            for volume in volumes.values():
                if "persistentVolumeClaim" in volume:
                    self.named("PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"])

    def test_ports_are_those_that_the_configuration_opens(self):
        for workload, pod, container in self.pods():
            with self.subTest(workload=workload["metadata"]["name"]):
                config = self.config(pod, container)[3]
                opened = {("admin", config["admin"]["listen"], "TCP")}
                if "dns" in config:
                    dns = config["dns"]["listen"][0]["address"]
                    opened |= {("dns", dns, "UDP"), ("dns-tcp", dns, "TCP"),
                               ("federation", config["federation"]["listen"], "TCP")}
                self.assertEqual({(port["name"], port["containerPort"], port["protocol"]) for port in container["ports"]},
                                 {(name, int(at.rsplit(":", 1)[1]), protocol) for name, at, protocol in opened})
                self.assertFalse([at for _, at, _ in opened if int(at.rsplit(":", 1)[1]) in (5353, 53)])

    def test_the_service_reaches_the_pods_and_agents_reach_the_service(self):
        service = self.named("Service", "meshdnsd")
        deployment = self.named("Deployment", "meshdnsd")
        pod = deployment["spec"]["template"]
        self.assertLessEqual(service["spec"]["selector"].items(), pod["metadata"]["labels"].items())
        ports = {port["name"]: port["protocol"] for port in pod["spec"]["containers"][0]["ports"]}
        for port in service["spec"]["ports"]:
            self.assertEqual(ports[port["targetPort"]], port["protocol"])
        self.assertEqual({(port["port"], port["protocol"]) for port in service["spec"]["ports"]},
                         {(53, "UDP"), (53, "TCP"), (7400, "TCP")})
        agent = self.named("DaemonSet", "meshdns-agent")["spec"]["template"]["spec"]
        self.assertTrue(agent["hostNetwork"])
        self.assertEqual(agent["dnsPolicy"], "ClusterFirstWithHostNet")
        config = self.config(agent, agent["containers"][0])[3]
        self.assertEqual(config["federation"]["servers"], ["meshdnsd.meshdns.svc.cluster.local:7400"])
        mounts = {mount["name"]: mount["mountPath"] for mount in agent["containers"][0]["volumeMounts"]}
        host = {volume["name"]: volume["hostPath"]["path"] for volume in agent["volumes"] if "hostPath" in volume}
        self.assertEqual({mounts[name]: path for name, path in host.items()},
                         {config["discovery"]["static"]["directory"]: "/etc/meshdns/endpoints.d",
                          config["discovery"]["kubernetes"]["cgroup_root"]: "/sys/fs/cgroup"})
        environment = {entry["name"]: entry["valueFrom"]["fieldRef"]["fieldPath"] for entry in agent["containers"][0]["env"]}
        self.assertEqual(environment, {"NODE_NAME": "spec.nodeName"})

    def test_only_the_agent_has_a_token_and_it_may_only_read_pods_and_its_node(self):
        for workload, pod, _ in self.pods():
            self.assertIs(pod["automountServiceAccountToken"], workload["kind"] == "DaemonSet")
        [role] = [document for document in self.objects if document["kind"] == "ClusterRole"]
        rules = {resource: rule["verbs"] for rule in role["rules"] for resource in rule["resources"]}
        self.assertEqual(rules, {"pods": ["list", "watch"], "nodes": ["get"]})
        [binding] = [document for document in self.objects if document["kind"] == "ClusterRoleBinding"]
        self.assertEqual(binding["roleRef"]["name"], role["metadata"]["name"])
        [subject] = binding["subjects"]
        account = self.named("ServiceAccount", subject["name"])
        self.assertEqual(subject["namespace"], account["metadata"]["namespace"])
        self.assertIs(account["automountServiceAccountToken"], False)

    def test_what_is_written_can_be_written(self):
        for workload, pod, container in self.pods():
            config = self.config(pod, container)[3]
            writable = {mount["mountPath"] for mount in container["volumeMounts"] if not mount.get("readOnly")}
            self.assertIn(os.path.dirname(config["admin"]["socket"]), writable)
            if "dns" in config:
                self.assertIn(config["data_dir"], writable)

    def test_nobody_has_privileges(self):
        user = int(re.search(r"USER (\d+):\1", container_file()).group(1))
        for workload, pod, container in self.pods():
            with self.subTest(workload=workload["metadata"]["name"]):
                self.assertEqual(pod["securityContext"], {
                    "runAsNonRoot": True, "runAsUser": user, "runAsGroup": user, "fsGroup": user,
                    "seccompProfile": {"type": "RuntimeDefault"}})
                self.assertEqual(container["securityContext"], {
                    "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}})
                self.assertLessEqual({"cpu", "memory"}, set(container["resources"]["requests"]))
                self.assertIn("memory", container["resources"]["limits"])

    def test_probes_ask_the_daemon_alone(self):
        for workload, pod, container in self.pods():
            for probe, path in (("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")):
                get = container[probe]["httpGet"]
                self.assertEqual((get["path"], get["port"]), (path, "admin"))
                host, _ = self.config(pod, container)[3]["admin"]["listen"].rsplit(":", 1)
                self.assertEqual(get.get("host", "0.0.0.0"), host)


class ProbesTest(unittest.TestCase):
    """With the manifests' own configuration, on loopback."""

    def agent(self, change):
        """The admin port of an agent whose configuration is changed first."""
        bed = self.enterContext(Bed())
        config = next(document for _, document in manifests() if document["kind"] == "ConfigMap"
                      and "agent.yaml" in document["data"])["data"]["agent.yaml"]
        config = config.replace("/endpoints.d", bed.path("endpoints.d")).replace("/run/meshdns", bed.folder)
        config = config.replace("127.0.0.1:7402", "127.0.0.1:0").replace("svc.cluster.local", "svc.invalid")
        config = yaml.safe_load(config)
        change(config)
        bed.write("endpoints.d/none.yaml", "endpoints: []\n")
        agent = bed.start("meshdns-agent", "--config", bed.write("agent.yaml", yaml.safe_dump(config)), env={**os.environ, **IN_A_POD})
        agent.wait_line("ready")
        return "http://%s:%d" % agent.address("admin listening")

    def test_an_agent_is_ready_without_its_federation(self):
        address = self.agent(lambda config: config["discovery"].pop("kubernetes"))
        for path in ("/healthz", "/readyz"):
            with urllib.request.urlopen(address + path, timeout=mesh.WAIT) as reply:
                self.assertEqual(reply.status, 200, path)

    def test_an_agent_is_alive_but_not_ready_until_its_pods_are_listed(self):
        address = self.agent(lambda config: None)
        with urllib.request.urlopen(address + "/healthz", timeout=mesh.WAIT) as reply:
            self.assertEqual(reply.status, 200)
        with self.assertRaises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(address + "/readyz", timeout=mesh.WAIT)
        self.assertEqual(refused.exception.code, 503)
        refused.exception.close()


class ContainerTest(unittest.TestCase):
    def test_what_is_copied_exists_and_suffices(self):
        copied = re.findall(r"^COPY (?!--from)(.+) \S+$", container_file(), re.M)
        for path in " ".join(copied).split():
            self.assertTrue(os.path.exists(os.path.join(ROOT, path)), path)
        self.assertEqual(re.findall(r"^FROM (\S+)", container_file(), re.M), ["debian:12-slim"] * 2)

    def test_the_image_holds_every_library(self):
        if not shutil.which("dpkg") or not shutil.which("readelf"):
            self.skipTest("not on this machine: dpkg or readelf")
        listed = set(re.findall(r"\blib[a-z0-9+.-]+", re.search(r"apt-get install (.*?)&&", container_file()).group(1)))
        given = {"libc6", "libgcc-s1", "libasan8", "libubsan1"} | listed  # the sanitizers' builds are not for images
        while more := self.dependencies(given) - given:
            given |= more
        for binary in ("meshdnsd", "meshdns-agent", "meshdnsctl"):
            self.assertEqual(self.libraries(os.path.join(mesh.BIN, binary)) - given, set(), binary)

    @staticmethod
    def dependencies(packages):
        out = subprocess.run(["dpkg-query", "-W", "-f", "${Depends},", *packages], capture_output=True, text=True,
                             timeout=WAIT, check=False).stdout
        return set(re.findall(r"(?:^|,)\s*(lib[a-z0-9+.-]+)", out))

    @staticmethod
    def libraries(binary):
        """The packages of the shared libraries that a binary names."""
        needed = re.findall(r"NEEDED.*\[(.+)\]", subprocess.run(["readelf", "-d", binary], capture_output=True, text=True,
                                                                 timeout=WAIT, check=True).stdout)
        found = subprocess.run(["ldd", binary], capture_output=True, text=True, timeout=WAIT, check=True).stdout
        paths = dict(re.findall(r"(\S+) => (\S+)", found))
        files = [os.path.realpath(paths[name]) for name in needed if name in paths]
        owners = subprocess.run(["dpkg", "-S", *files], capture_output=True, text=True, timeout=WAIT, check=False).stdout
        return {line.split(":")[0] for line in owners.splitlines()}


if __name__ == "__main__":
    unittest.main()
