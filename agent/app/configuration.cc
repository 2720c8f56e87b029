#include "agent/app/configuration.h"

#include <google/protobuf/util/message_differencer.h>

#include <algorithm>
#include <filesystem>
#include <tuple>

#include "common/base/check.h"
#include "common/base/text.h"
#include "common/base/whole_file.h"
#include "common/config/identity_rules.h"

namespace meshdns::agent::app {
namespace {

using google::protobuf::util::MessageDifferencer;

/// Returns the value of a result that cannot fail, because the reader of the configuration has checked the text.
template <class T>
T checked(Result<T> result) {
  MESHDNS_CHECK(result.has_value());
  return *result;
}

model::Node node_of(const config::v1::Agent& file) {
  model::Node out;
  const auto& place = file.locality();
  out.locality = {place.network(), place.region(), place.zone(), place.subzone(), file.cluster(), file.node()};
  out.key = file.cluster() + "/" + file.node();
  for (const auto& address : file.addresses()) out.addresses.push_back(checked(IpAddress::parse(address)));
  for (const auto& prefix : file.prefixes()) out.prefixes.push_back(checked(Prefix::parse(prefix)));
  return out;
}

/// Returns the files of federation.tls, or those that federation.join writes; relative paths start at the
/// configuration's folder.
std::optional<rpc::TlsFiles> tls_of(const config::v1::Agent& file, const std::string& path) {
  if (file.federation().has_join()) return membership::files_in(file.state_dir(), file.node());
  if (!file.federation().has_tls()) return std::nullopt;
  const auto folder = std::filesystem::path(path).parent_path();
  const auto& tls = file.federation().tls();
  return rpc::TlsFiles{folder / tls.certificate(), folder / tls.key(), folder / tls.ca()};
}

/// Returns the node's own addresses before it is connected: those on the way to the first server that is given by
/// address. A machine without a network gets loopback, which is never reported to another machine.
std::vector<IpAddress> likely_addresses(const std::vector<std::string>& servers) {
  std::optional<IpAddress> federation;
  for (const std::string& server : servers) {
    if (!federation) federation = address_of_server(server);
  }
  auto out = routed_addresses(federation);
  return out.empty() ? routed_addresses(std::nullopt) : out;
}

/// The socket is a part, so that two agents with one name on one machine differ. The federation keeps the first.
std::string instance_uid_of(const Machine& machine, const config::v1::Agent& file) {
  return machine.machine_id + "/" + file.node() + file.admin().socket();
}

/// Returns how to follow pods; nothing = it is not configured. Without `server` this has to be a pod.
/// errors: InvalidArgument, FailedPrecondition: the message begins with the key
Result<std::optional<KubernetesSettings>> kubernetes_of(const config::v1::Agent& file, const Machine& machine) {
  if (!file.discovery().has_kubernetes()) return std::optional<KubernetesSettings>();
  const auto& wanted = file.discovery().kubernetes();
  const auto server = wanted.server().empty()
                          ? kubernetes::server_in_cluster(machine.environment)
                          : kubernetes::server_at(wanted.server(), wanted.ca(), wanted.token_file());
  if (!server) return server.error().with_context(wanted.server().empty() ? "kubernetes" : "kubernetes.server");
  KubernetesSettings out{*server, wanted.node(), wanted.cgroup_root()};
  if (out.cgroup_root.empty()) out.cgroup_root = "/sys/fs/cgroup";
  if (!wanted.ca().empty()) out.server.ca_file = wanted.ca();
  if (!wanted.token_file().empty()) out.server.token_file = wanted.token_file();
  if (out.node.empty()) out.node = machine.environment("NODE_NAME").value_or(file.node());
  return std::optional(out);
}

std::vector<std::string> container_sockets_of(const config::v1::Agent& file) {
  if (!file.discovery().has_containers()) return {};
  const std::string& socket = file.discovery().containers().socket();
  return socket.empty() ? std::vector<std::string>{"/run/docker.sock", "/run/podman/podman.sock"} : std::vector{socket};
}

config::Loaded<Configuration> configuration_of(const std::string& text, const std::string& path,
                                               const Machine& machine) {
  auto file = config::load_agent(text, path);
  if (!file) return file.error();
  Configuration out;
  out.file = std::move(*file);
  bool named = !out.file.node().empty();
  if (!named && out.file.federation().join().has_kubernetes()) {
    out.file.set_node(machine.environment("NODE_NAME").value_or(""));
    named = !out.file.node().empty();
  }
  if (!named) out.file.set_node(machine.name);
  const std::string wrong = node_name_problem(out.file.node());
  if (!wrong.empty()) {
    return {{{path, 0, 0, "node", named ? wrong : "is missing, and the hostname cannot be used instead: " + wrong}}};
  }
  if (!named && !is_ldh_label(machine.name)) {
    return {{{path, 0, 0, "node", "is missing, and the hostname \"" + machine.name + "\" cannot be used instead"}}};
  }
  out.folder = std::filesystem::path(path).parent_path().string();
  out.tls = tls_of(out.file, path);
  // the files of an agent that joins are made later
  const auto usable = out.tls && !out.joins() ? rpc::check(*out.tls) : Result<void>();
  if (!usable) return {{{path, 0, 0, "federation.tls", usable.error().message()}}};
  out.node = node_of(out.file);
  if (out.file.locality().auto_()) {
    out.machine_place = discovery::find_place(machine.place_files);
    out.node.locality = model::refined(out.node.locality, out.machine_place->place);
  }
  out.own_addresses = out.node.addresses.empty();
  if (out.own_addresses) out.node.addresses = likely_addresses(out.servers());
  out.directory = (std::filesystem::path(path).parent_path() / out.file.discovery().static_().directory()).string();
  const auto kubernetes = kubernetes_of(out.file, machine);
  if (!kubernetes) return {{{path, 0, 0, "discovery", kubernetes.error().message()}}};
  out.kubernetes = *kubernetes;
  out.container_sockets = container_sockets_of(out.file);
  out.instance_uid = instance_uid_of(machine, out.file);
  out.boot_id = machine.boot_id;
  return out;
}

/// Turns the error "path: why" into a problem of the file.
config::Problems unreadable(const std::string& path, const Error& error) {
  const std::string& message = error.message();
  std::string why = message.starts_with(path + ": ") ? message.substr(path.size() + 2) : message;
  if (error.code() == Code::NotFound) {
    why += " (an example: /usr/share/meshdns/examples/agent.yaml; to try it without a file: meshdns-agent --dev)";
  }
  return {{path, 0, 0, "", why}};
}

}  // namespace

membership::Member Configuration::member() const {
  membership::Member out{servers(), node.locality.node, *tls, expected_federation()};
  const auto& join = file.federation().join();
  if (!join.has_kubernetes()) {
    out.token_file = (std::filesystem::path(folder) / join.token_file()).string();
    return out;
  }
  out.pod = membership::pod_files(folder, join.kubernetes().token_file(), join.kubernetes().ca_file());
  return out;
}

std::string Configuration::state_file(const std::string& kind) const {
  return std::filesystem::path(file.state_dir()) / (file.node() + "." + kind);
}

SocketAddress Configuration::admin_address() const { return checked(SocketAddress::parse(file.admin().listen())); }

bool Configuration::federation_is_here() const {
  return std::ranges::all_of(servers(), [](const std::string& server) {
    const auto address = address_of_server(server);
    return server.starts_with("unix:") || (address && address->is_loopback());
  });
}

probes::ProgramRules Configuration::programs() const { return {.enabled = file.exec().enabled()}; }

std::set<std::uint16_t> Configuration::mesh_ports() const {
  std::set<std::uint16_t> out = {admin_address().port};
  for (const std::string& server : servers()) {
    const auto colon = server.rfind(':');
    const auto port = colon == std::string::npos ? std::nullopt : parse_uint(server.substr(colon + 1));
    if (port && *port <= 65535) out.insert(static_cast<std::uint16_t>(*port));
  }
  return out;
}

Result<void> Configuration::check_certificate(std::int64_t unix_seconds) const {
  if (!tls || (joins() && !membership::has_joined(*tls))) return {};
  const identity::Identity own{identity::Role::Node, node.locality.cluster, node.locality.node};
  return membership::check_certificate(*tls, config::rules_of(file.identity()), own, unix_seconds);
}

identity::ServerCheck Configuration::expected_federation() const {
  return identity::expect_federation(config::rules_of(file.identity()), file.cluster());
}

config::Loaded<Configuration> load_configuration(const std::string& path, const Machine& machine) {
  const auto text = read_file(path);
  if (!text) return unreadable(path, text.error());
  return configuration_of(*text, path, machine);
}

config::Loaded<Configuration> dev_configuration(const std::string& runtime_dir, const Machine& machine) {
  const bool named = node_name_problem(machine.name).empty() && is_ldh_label(machine.name);
  const std::string text = "cluster: dev\n" + std::string(named ? "" : "node: dev-node\n") +
                           "addresses: [127.0.0.1]\n"
                           "federation: {servers: [\"127.0.0.1:7400\"]}\n"
                           "admin: {listen: \"127.0.0.1:7402\"}\n";
  auto out = configuration_of(text, "--dev", machine);
  if (out) {
    out->file.mutable_admin()->set_socket(runtime_dir + "/meshdns-agent.sock");
    out->file.set_state_dir(runtime_dir);
    out->instance_uid = instance_uid_of(machine, out->file);
  }
  return out;
}

std::vector<std::string> restart_needed(const Configuration& before, const Configuration& now) {
  std::vector<std::string> out;
  const auto compare = [&out](const char* key, bool same) {
    if (!same) out.emplace_back(key);
  };
  const auto place_of = [](const model::Node& node) {
    const auto& place = node.locality;
    return std::tie(place.network, place.region, place.zone, place.subzone);
  };
  const auto& a = before.file;
  const auto& b = now.file;
  compare("node", a.node() == b.node());
  compare("cluster", a.cluster() == b.cluster());
  compare("locality", place_of(before.node) == place_of(now.node));
  // the machine's own addresses need no restart: the daemon follows them
  const bool written = !before.own_addresses || !now.own_addresses;
  compare("addresses", !written || before.node.addresses == now.node.addresses);
  compare("prefixes", before.node.prefixes == now.node.prefixes);
  compare("federation", MessageDifferencer::Equals(a.federation(), b.federation()));
  compare("identity", MessageDifferencer::Equals(a.identity(), b.identity()));
  compare("port_mapping", a.port_mapping() == b.port_mapping());
  compare("state_dir", a.state_dir() == b.state_dir());
  compare("discovery.kubernetes", before.kubernetes == now.kubernetes);
  compare("discovery.containers", before.container_sockets == now.container_sockets);
  compare("exec", MessageDifferencer::Equals(a.exec(), b.exec()));
  compare("probing", MessageDifferencer::Equals(a.probing(), b.probing()));
  compare("admin", MessageDifferencer::Equals(a.admin(), b.admin()));
  compare("namespaces", a.namespaces() == b.namespaces());
  return out;
}

}  // namespace meshdns::agent::app
