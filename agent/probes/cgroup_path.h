#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace meshdns::probes {

/// Returns the id of a container without the name of its runtime: "f00..." of "containerd://f00...".
/// returns: empty = the text is no such id
std::string_view container_name(std::string_view container_id);

/// Whether a folder of the cgroup tree is a container's own: "<name>" with the driver cgroupfs,
/// "cri-containerd-<name>.scope", "crio-<name>.scope" or "docker-<name>.scope" with systemd. CRI-O's
/// "crio-conmon-<name>.scope" has the container's monitor, not the container.
bool is_container_folder(std::string_view folder, std::string_view name);

/// Finds the cgroup of a container. Kubelets lay out the tree in many ways:
///
///   kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod<uid>.slice/cri-containerd-<name>.scope
///   kubepods/besteffort/pod<uid>/<name>
///   kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod<uid>.slice/crio-<name>.scope    (the pod is Guaranteed)
///
/// So the folders are searched by their names: first those that lead to the pod, then all. The uid of a static pod in
/// the tree is another than in the API, so the second search finds it.
/// root:    the mount point of cgroup v2
/// pod:     the uid of the pod, with hyphens
/// name:    from container_name()
/// returns: the path of the folder; nothing = there is none
std::optional<std::string> find_cgroup(const std::string& root, std::string_view pod, std::string_view name);

}  // namespace meshdns::probes
