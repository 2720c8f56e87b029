"""The manifests as kustomize renders them: their parts fit together, and the programs take the configurations."""
import os
import re
import unittest
import urllib.error
import urllib.request

import yaml

import manifests
import mesh
from mesh import Bed
from supervisor import ROOT

PART_OF = {"app.kubernetes.io/part-of": "meshdns"}
CLUSTER_WIDE = ("ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition", "ValidatingAdmissionPolicy",
                "ValidatingAdmissionPolicyBinding")
# what each pod has in its environment; nobody listens there
IN_A_POD = {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": "9", "NODE_NAME": "n1"}
READS = {"services": "list watch", "nodes": "list watch", "namespaces": "list watch",
         "discovery.k8s.io/endpointslices": "list watch", "multicluster.x-k8s.io/serviceexports": "list watch",
         "multicluster.x-k8s.io/serviceexports/status": "patch"}
PRIVILEGED = {"namespace-events", "port-mapping"}  # the components that give up what all others keep
OBJECTS = ("virtualdestinations", "meshclusters", "overrides")
# what each service account may do: nothing else
RIGHTS = {
    "meshdns-agent": {"pods": "list watch", "nodes": "get"},
    "meshdns-dns": {},
    "meshdnsd": {**READS, "authentication.k8s.io/tokenreviews": "create",
                 **{f"meshdns.io/{kind}": "list watch" for kind in OBJECTS},
                 **{f"meshdns.io/{kind}/status": "patch" for kind in OBJECTS},
                 "meshdns: coordination.k8s.io/leases": "get create update",
                 "meshdns: secrets": "create", "meshdns: secrets meshdns-authority": "get update",
                 "meshdns: configmaps": "create", "meshdns: configmaps meshdns-authority": "get update"},
    "meshdns-watcher": READS,
}


def container_file():
    with open(os.path.join(ROOT, "packaging/container/Containerfile"), encoding="utf-8") as file:
        return file.read()


def rights_of(objects, account):
    """{"namespace: group/resource name": verbs} of the rules that are bound to a service account."""
    found = {}
    for binding in objects.of("ClusterRoleBinding", "RoleBinding"):
        subject = {"kind": "ServiceAccount", "name": account, "namespace": "meshdns"}
        if subject not in binding["subjects"]:
            continue
        role = objects.named(binding["roleRef"]["kind"], binding["roleRef"]["name"])
        place = "" if binding["kind"] == "ClusterRoleBinding" else binding["metadata"]["namespace"] + ": "
        for rule in role["rules"]:
            for group in rule["apiGroups"]:
                for resource in rule["resources"]:
                    names = "".join(" " + name for name in rule.get("resourceNames", []))
                    key = place + (group + "/" if group else "") + resource + names
                    assert key not in found, f"twice: {key}"
                    found[key] = " ".join(rule["verbs"])
    return found


class Every:
    """What holds for every overlay. The class that is derived says which one it is."""

    overlay = ""

    @classmethod
    def setUpClass(cls):
        cls.bed = cls.enterClassContext(Bed())
        cls.objects = cls.rendered()

    @classmethod
    def rendered(cls):
        return manifests.overlay(cls.overlay)

    def of(self, *kinds):
        return self.objects.of(*kinds)

    def pods(self):
        """(name of the workload, workload, pod spec, container, parsed configuration)"""
        for workload, pod, container in self.objects.pods():
            yield workload["metadata"]["name"], workload, pod, container, self.objects.config(pod, container)[3]

    def test_the_namespace_comes_first_and_holds_the_rest(self):
        self.assertEqual(self.objects[0]["kind"], "Namespace")
        for document in self.objects[1:]:
            namespace = None if document["kind"] in CLUSTER_WIDE else self.objects[0]["metadata"]["name"]
            self.assertEqual(document["metadata"].get("namespace"), namespace, document["metadata"]["name"])
            self.assertLessEqual(PART_OF.items(), document["metadata"]["labels"].items())
        names = [(document["kind"], document["metadata"]["name"]) for document in self.objects]
        self.assertEqual(len(names), len(set(names)))

    def test_each_account_may_do_exactly_what_it_needs(self):
        for account in self.of("ServiceAccount"):
            name = account["metadata"]["name"]
            self.assertIs(account["automountServiceAccountToken"], False, name)
            self.assertEqual(rights_of(self.objects, name), RIGHTS[name])
        accounts = {account["metadata"]["name"] for account in self.of("ServiceAccount")}
        for binding in self.of("ClusterRoleBinding", "RoleBinding"):
            self.assertLessEqual({subject["name"] for subject in binding["subjects"]}, accounts)

    def test_there_is_no_volume_to_wait_for(self):
        self.assertFalse(self.of("PersistentVolumeClaim", "StatefulSet"))


class System(Every):
    """What holds where agents, federation and DNS servers run."""

    plaintext = False
    replicas = 2

    def test_the_programs_take_their_configuration(self):
        self.bed.write("endpoints.d/none.yaml", "endpoints: []\n")
        for workload, pod, container in self.objects.pods():
            binary, name, text, _ = self.objects.config(pod, container)
            path = self.bed.write(name, text.replace("/endpoints.d", self.bed.path("endpoints.d")))
            with self.subTest(workload=workload["metadata"]["name"]):
                self.assertEqual(mesh.run(binary, "--config", path, "--check-config", env=IN_A_POD)[::2], (0, ""))

    def test_only_the_overlay_for_trying_things_is_without_tls(self):
        for name, _, _, _, config in self.pods():
            section = config.get("replica") or config["federation"]
            self.assertIs(section.get("insecure", False), self.plaintext, name)
            self.assertEqual(section.get("join"), {"kubernetes": {}} if name != "meshdnsd" and not self.plaintext else None)

    def test_a_changed_configuration_restarts_the_pods(self):
        for name, _, pod, _, _ in self.pods():
            volume = next(volume for volume in pod["volumes"] if volume["name"] == "config")
            self.assertRegex(manifests.config_map_of(volume), rf"^{name}-[a-z0-9]{{10}}$")

    def test_images_have_a_tag(self):
        for _, _, _, container, _ in self.pods():
            self.assertRegex(container["image"], r"^[^:@]+:(?!latest$)[0-9][0-9A-Za-z.-]*$")

    def test_selectors_accounts_and_volumes_fit(self):
        for name, workload, pod, container, _ in self.pods():
            labels = workload["spec"]["template"]["metadata"]["labels"]
            self.assertLessEqual(workload["spec"]["selector"]["matchLabels"].items(), labels.items())
            self.objects.named("ServiceAccount", pod["serviceAccountName"])
            self.assertIs(pod["automountServiceAccountToken"], bool(RIGHTS[pod["serviceAccountName"]]), name)
            self.assertEqual({volume["name"] for volume in pod["volumes"]},
                             {mount["name"] for mount in container["volumeMounts"]})
            for spread in pod.get("topologySpreadConstraints", []):
                self.assertLessEqual(spread["labelSelector"]["matchLabels"].items(), labels.items())
                self.assertEqual(spread["whenUnsatisfiable"], "ScheduleAnyway")  # one node is enough
            self.assertEqual(pod["nodeSelector"], {"kubernetes.io/os": "linux"})

    def test_what_selects_pods_selects_one_workload(self):
        pods = [workload["spec"]["template"]["metadata"]["labels"] for _, workload, _, _, _ in self.pods()]
        for document in self.of("Service", "PodDisruptionBudget", "NetworkPolicy"):
            spec = document["spec"]
            selector = spec["selector"] if "selector" in spec else spec["podSelector"]
            selector = selector.get("matchLabels", selector)
            found = [labels for labels in pods if selector.items() <= labels.items()]
            self.assertEqual(len(found), 1, document["metadata"]["name"])

    def test_services_lead_to_ports_that_are_open(self):
        for service in self.of("Service"):
            spec = service["spec"]
            [open_ports] = [{port["name"]: port for port in container["ports"]} for _, workload, _, container, _ in self.pods()
                            if spec["selector"].items() <= workload["spec"]["template"]["metadata"]["labels"].items()]
            for port in spec["ports"]:
                self.assertEqual(open_ports[port["targetPort"]]["protocol"], port["protocol"])
                if spec.get("clusterIP") == "None":  # nobody translates the port
                    self.assertEqual(open_ports[port["targetPort"]]["containerPort"], port["port"])

    def test_ports_are_those_that_the_configuration_opens(self):
        for name, _, _, container, config in self.pods():
            opened = {("admin", config["admin"]["listen"], "TCP")}
            if "listen" in config.get("federation", {}):
                opened.add(("federation", config["federation"]["listen"], "TCP"))
            for listener in config.get("dns", {}).get("listen", []):
                if not listener["address"].startswith("127."):
                    opened |= {("dns", listener["address"], "UDP"), ("dns-tcp", listener["address"], "TCP")}
            self.assertEqual({(port["name"], port["containerPort"], port["protocol"]) for port in container["ports"]},
                             {(name, int(at.rsplit(":", 1)[1]), protocol) for name, at, protocol in opened}, name)
            self.assertFalse([at for _, at, _ in opened if int(at.rsplit(":", 1)[1]) in (5353, 53)])

    def test_agents_and_replicas_find_the_federation(self):
        def ports(name):
            return {(port["port"], port["protocol"]) for port in self.objects.named("Service", name)["spec"]["ports"]}
        self.assertEqual((ports("meshdnsd"), ports("meshdns-dns")), ({(7400, "TCP")}, {(53, "UDP"), (53, "TCP")}))
        configs = self.objects.configs()
        server = "meshdnsd.meshdns.svc.cluster.local:7400"
        self.assertEqual(configs["meshdns-agent"]["federation"]["servers"], [server])
        self.assertEqual(configs["meshdns-dns"]["replica"]["federation"], [server])
        if not self.plaintext:
            self.assertEqual(configs["meshdnsd"]["federation"]["addresses"], [server.split(":")[0]])

    def test_all_parts_are_of_one_mesh(self):
        configs = self.objects.configs()
        self.assertEqual(len({config["cluster"] for config in configs.values()}), 1)
        self.assertEqual(configs["meshdnsd"]["zones"], configs["meshdns-dns"]["zones"])
        for policy in self.of("ValidatingAdmissionPolicy"):
            zones = {each["name"]: each["expression"] for each in policy["spec"]["variables"]}["zones"]
            self.assertEqual(manifests.parse(zones)[0], [zone["name"] for zone in configs["meshdnsd"]["zones"]])

    node_files = False

    def test_what_the_node_gives_the_agent(self):
        agent = self.objects.named("DaemonSet", "meshdns-agent")["spec"]["template"]["spec"]
        [container] = agent["containers"]
        self.assertTrue(agent["hostNetwork"])
        self.assertEqual(agent["dnsPolicy"], "ClusterFirstWithHostNet")
        config = self.objects.config(agent, container)[3]["discovery"]
        mounts = {mount["name"]: mount for mount in container["volumeMounts"]}
        host = {volume["name"]: volume["hostPath"]["path"] for volume in agent["volumes"] if "hostPath" in volume}
        expected = {config["kubernetes"]["cgroup_root"]: "/sys/fs/cgroup"}
        if self.node_files:
            expected[config["static"]["directory"]] = "/etc/meshdns/endpoints.d"
        self.assertEqual({mounts[name]["mountPath"]: path for name, path in host.items()}, expected)
        self.assertTrue(all(mounts[name]["readOnly"] for name in host))
        self.assertIn(config["static"]["directory"], container_file())  # a folder of the image

    def test_tokens_and_the_authority_are_where_join_looks_for_them(self):
        federation = self.objects.configs()["meshdnsd"]["federation"]
        for name, _, pod, container, _ in self.pods():
            mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
            volumes = {volume["name"]: volume for volume in pod["volumes"]}
            if name == "meshdnsd":
                self.assertNotIn("/var/run/secrets/meshdns", mounts)
                continue
            [token] = volumes[mounts["/var/run/secrets/meshdns"]]["projected"]["sources"]
            self.assertEqual((token["serviceAccountToken"]["audience"], token["serviceAccountToken"]["path"]),
                             ("meshdns-federation", "token"))
            authority = volumes[mounts["/etc/meshdns"]]["projected"]["sources"][1]["configMap"]
            self.assertEqual(authority["items"], [{"key": "ca.crt", "path": "authority/ca.crt"}])
            self.assertTrue(authority["optional"])
            if not self.plaintext:
                secret = federation["authority_secret"]
                self.assertEqual((secret["namespace"], secret["config_map"]), ("meshdns", authority["name"]))

    def test_who_joins_knows_its_name(self):
        names = {name: {entry["name"]: entry["valueFrom"]["fieldRef"]["fieldPath"] for entry in container.get("env", [])}
                 for name, _, _, container, _ in self.pods()}
        self.assertEqual(names, {"meshdnsd": {}, "meshdns-agent": {"NODE_NAME": "spec.nodeName"},
                                 "meshdns-dns": {"POD_NAME": "metadata.name"}})

    def test_critical_pods_have_a_quota(self):
        quota = self.objects.named("ResourceQuota", "meshdns-critical-pods")["spec"]
        [scope] = quota["scopeSelector"]["matchExpressions"]
        self.assertEqual((scope["scopeName"], scope["operator"]), ("PriorityClass", "In"))
        self.assertEqual({pod["priorityClassName"] for _, _, pod, _, _ in self.pods()}, set(scope["values"]))

    def test_an_update_takes_no_dns_server_away(self):
        for workload in self.of("Deployment"):
            self.assertEqual(workload["spec"]["strategy"]["rollingUpdate"], {"maxUnavailable": 0, "maxSurge": 1})
            self.assertEqual(workload["spec"]["replicas"], self.replicas)
            self.objects.named("PodDisruptionBudget", workload["metadata"]["name"])
        pod = self.objects.named("Deployment", "meshdns-dns")["spec"]["template"]["spec"]
        [command, seconds] = pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"]
        self.assertEqual(command, "sleep")
        self.assertGreaterEqual(pod["terminationGracePeriodSeconds"], int(seconds) + 15)  # a stop ends after 15 s

    def test_what_is_written_can_be_written(self):
        for name, _, _, container, config in self.pods():
            writable = {mount["mountPath"] for mount in container["volumeMounts"] if not mount.get("readOnly")}
            state = config["data_dir"] if "dns" in config else "/var/lib/meshdns-agent"
            self.assertEqual(writable, {os.path.dirname(config["admin"]["socket"]), state}, name)

    def test_nobody_has_privileges(self):
        user = int(re.search(r"USER (\d+):\1", container_file()).group(1))
        for _, _, pod, container, _ in self.pods():
            self.assertEqual(pod["securityContext"], {
                "runAsNonRoot": True, "runAsUser": user, "runAsGroup": user, "fsGroup": user,
                "seccompProfile": {"type": "RuntimeDefault"}})
            self.assertEqual(container["securityContext"], {
                "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}})
            self.assertEqual(set(container["resources"]["requests"]), {"cpu", "memory"})
            self.assertEqual(set(container["resources"]["limits"]), {"memory"})

    def test_probes_ask_the_daemon_alone(self):
        for name, _, _, container, config in self.pods():
            ready = "/healthz" if name == "meshdnsd" else "/readyz"  # who stands by for a leader is ready for that
            for probe, path in (("livenessProbe", "/healthz"), ("readinessProbe", ready)):
                get = container[probe]["httpGet"]
                self.assertEqual((get["path"], get["port"]), (path, "admin"))
                host, _ = config["admin"]["listen"].rsplit(":", 1)
                self.assertEqual(get.get("host", "0.0.0.0"), host, name)


class DefaultTest(System, unittest.TestCase):
    overlay = "default"

    def test_who_gets_certificates_exists(self):
        accounts = self.objects.configs()["meshdnsd"]["identity"]["kubernetes"]
        self.assertEqual(accounts, {"agents": ["meshdns/meshdns-agent"], "dns": ["meshdns/meshdns-dns"]})
        for name, _, pod, _, _ in self.pods():
            if name != "meshdnsd":
                self.assertIn("meshdns/" + pod["serviceAccountName"], accounts["agents"] + accounts["dns"])


class AllComponentsTest(DefaultTest):
    node_files = True

    @classmethod
    def rendered(cls):
        return manifests.with_components(cls.bed, "default", [name for name in manifests.components() if name not in PRIVILEGED])

    def test_what_the_components_add(self):
        kinds = {document["kind"] for document in self.objects} - {document["kind"] for document in manifests.overlay("default")}
        self.assertEqual(kinds, {"NetworkPolicy", "ServiceMonitor", "Issuer", "Certificate"})
        self.assertEqual(self.objects.named("Service", "meshdns-dns")["spec"]["clusterIP"], "10.96.0.53")
        self.assertEqual(self.objects.named("Service", "meshdnsd-peers")["spec"]["type"], "LoadBalancer")


class PrivilegedTest(unittest.TestCase):
    def only_the_agent_gets(self, component, capabilities, host_processes):
        plain = manifests.overlay("default")
        with Bed() as bed:
            objects = manifests.with_components(bed, "default", [component])
        agent = objects.named("DaemonSet", "meshdns-agent")["spec"]["template"]["spec"]
        self.assertIs(agent.get("hostPID", False), host_processes)
        self.assertEqual(agent["securityContext"]["runAsUser"], 0)  # others would get no capabilities
        self.assertEqual(agent["containers"][0]["securityContext"]["capabilities"], {"drop": ["ALL"], "add": capabilities})
        for one, other in zip(objects, plain):
            if one["metadata"]["name"] != "meshdns-agent" or one["kind"] != "DaemonSet":
                self.assertEqual(one, other)

    def test_events_of_namespaces(self):
        self.only_the_agent_gets("namespace-events", ["SYS_ADMIN", "SYS_PTRACE"], True)

    def test_port_mapping(self):
        self.only_the_agent_gets("port-mapping", ["NET_ADMIN"], False)


class DevTest(System, unittest.TestCase):
    overlay = "dev"
    plaintext = True
    replicas = 1


class WatchedTest(Every, unittest.TestCase):
    overlay = "watched"

    def test_nothing_runs_there(self):
        self.assertEqual({document["kind"] for document in self.objects},
                         {"Namespace", "ServiceAccount", "Secret", "ClusterRole", "ClusterRoleBinding"})


class FilesTest(unittest.TestCase):
    def test_each_file_is_strict_yaml_and_used(self):
        for path in manifests.files():
            with self.subTest(file=path), open(os.path.join(ROOT, path), encoding="utf-8") as file:
                self.assertTrue(manifests.parse(file.read()))
            folder, name = os.path.split(path)
            if name != "kustomization.yaml":
                with open(os.path.join(ROOT, folder, "kustomization.yaml"), encoding="utf-8") as file:
                    self.assertIn(name, file.read(), path)

    def test_each_component_is_documented(self):
        with open(os.path.join(ROOT, "docs/operations.md"), encoding="utf-8") as file:
            table = file.read().split("## Install on Kubernetes")[1].split("\n## ")[0]
        self.assertEqual(sorted(re.findall(r"^\| `([a-z-]+)` \|", table, re.M)), manifests.components())

    def test_a_doubled_key_is_found(self):
        with self.assertRaisesRegex(yaml.YAMLError, "twice: a"):
            manifests.parse("a: 1\nb: 2\na: 3\n")


class ProbesTest(unittest.TestCase):
    """With the manifests' own configuration, on loopback."""

    def agent(self, change):
        """The admin port of an agent whose configuration is changed first."""
        bed = self.enterContext(Bed())
        with open(os.path.join(manifests.FOLDER, "overlays/dev/agent.yaml"), encoding="utf-8") as file:
            config = file.read()
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


if __name__ == "__main__":
    unittest.main()
