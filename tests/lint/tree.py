"""The top-level folders and files are exactly those of the design, and so are the folders of the sources."""

import layers
from sources import Problem, repository_files

TOP_FOLDERS = {"proto", "common", "dnsd", "agent", "tests", "packaging", "systemd", "docs", ".ci"}
TOP_FILES = {"README", "README.md", "LICENSE", "CHANGELOG", "CHANGELOG.md", "CONTRIBUTING", "CONTRIBUTING.md",
             "CMakeLists.txt", "CMakePresets.json", "dev"}
SUBFOLDERS = {
    "proto": {"grpc", "meshdns"},
    "common": {folder.split("/")[1] for folder in layers.COMMON},
    "dnsd": {folder.split("/")[1] for folder in layers.DNSD},
    "agent": {folder.split("/")[1] for folder in layers.AGENT},
    "tests": set("support unit scenario integration interop fuzz bench lint".split()),
    "packaging": set("cmake debian container helm kubernetes examples".split()),
}


def problem_of(path):
    parts = path.split("/")
    if len(parts) == 1:
        known = path in TOP_FILES or path.startswith(".")
        return None if known else f"{path} is none of the top-level files of the design"
    if parts[0] not in TOP_FOLDERS:
        return f"{parts[0]}/ is none of the top-level folders of the design"
    if len(parts) > 2 and parts[0] in SUBFOLDERS and parts[1] not in SUBFOLDERS[parts[0]]:
        return f"{parts[0]}/{parts[1]}/ is none of the folders of the design"
    return None


def check(root):
    first = {}
    for path in repository_files(root):
        message = problem_of(path)
        if message:
            first.setdefault(message, Problem(path, 1, message))
    return list(first.values())
