"""What kustomize renders from packaging/kubernetes: strict YAML, objects by kind and name, pods with their configuration."""
import glob
import os
import shutil
import subprocess
import unittest

import yaml

from mesh import WAIT
from supervisor import ROOT

FOLDER = os.path.join(ROOT, "packaging/kubernetes")


class Strict(yaml.SafeLoader):
    """Refuses a key that is there twice; PyYAML takes the last one."""


def mapping_once(loader, node, deep=False):
    keys = [loader.construct_object(key, deep=True) for key, _ in node.value]
    doubled = {str(key) for key in keys if keys.count(key) > 1}
    if doubled:
        raise yaml.constructor.ConstructorError(None, None, f"twice: {', '.join(doubled)}", node.start_mark)
    return yaml.SafeLoader.construct_mapping(loader, node, deep)


Strict.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, mapping_once)


def parse(text):
    return [document for document in yaml.load_all(text, Loader=Strict) if document is not None]


def files():
    """Every YAML file of the manifests, relative to the repository."""
    return sorted(os.path.relpath(path, ROOT) for path in glob.glob(os.path.join(FOLDER, "**/*.yaml"), recursive=True))


def components():
    return sorted(os.listdir(os.path.join(FOLDER, "components")))


def render(folder):
    """The objects that `kubectl apply -k` sends, in its order. Skips the test where there is no kubectl."""
    kubectl = shutil.which("kubectl")
    if not kubectl:
        raise unittest.SkipTest("not on this machine: kubectl")
    done = subprocess.run([kubectl, "kustomize", folder], capture_output=True, text=True, timeout=WAIT, check=False)
    if done.returncode:
        raise AssertionError(f"kubectl kustomize {folder}:\n{done.stderr}")
    return Objects(parse(done.stdout))


def overlay(name):
    return render(os.path.join(FOLDER, "overlays", name))


def with_components(bed, base, names):
    """The overlay `base` with these components on top, as a user's own overlay names them."""
    def path(*parts):
        return os.path.relpath(os.path.join(FOLDER, *parts), bed.path("overlay"))
    bed.write("overlay/kustomization.yaml", yaml.safe_dump({
        "apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": [path("overlays", base)],
        "components": [path("components", name) for name in names]}))
    return render(bed.path("overlay"))


def config_map_of(volume):
    """The name of the first ConfigMap in a projected volume, which is the daemon's configuration."""
    return volume["projected"]["sources"][0]["configMap"]["name"] if "projected" in volume else volume["configMap"]["name"]


class Objects(list):
    def of(self, *kinds):
        return [document for document in self if document["kind"] in kinds]

    def named(self, kind, name):
        found = [document for document in self.of(kind) if document["metadata"]["name"] == name]
        assert len(found) == 1, f"{len(found)} times: {kind} {name}"
        return found[0]

    def pods(self):
        """(workload, pod spec, its only container)"""
        for workload in self.of("Deployment", "DaemonSet"):
            pod = workload["spec"]["template"]["spec"]
            assert len(pod["containers"]) == 1
            yield workload, pod, pod["containers"][0]

    def config(self, pod, container):
        """The configuration that the container is started with: (binary, file name, text, parsed)."""
        path = container["args"][container["args"].index("--config") + 1]
        mount = next(mount for mount in container["volumeMounts"] if mount["mountPath"] == os.path.dirname(path))
        volume = next(volume for volume in pod["volumes"] if volume["name"] == mount["name"])
        text = self.named("ConfigMap", config_map_of(volume))["data"][os.path.basename(path)]
        return os.path.basename(container["command"][0]), os.path.basename(path), text, parse(text)[0]

    def configs(self):
        """{workload: parsed configuration}"""
        return {workload["metadata"]["name"]: self.config(pod, container)[3] for workload, pod, container in self.pods()}
