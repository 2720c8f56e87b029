#include "dnsd/app/configuration.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <ranges>
#include <thread>
#include <utility>

#include "common/authority/folder.h"
#include "common/base/check.h"
#include "common/base/machine_name.h"
#include "common/base/text.h"
#include "common/base/whole_file.h"
#include "common/config/identity_rules.h"
#include "common/config/rules.h"
#include "common/convert/object_convert.h"
#include "common/convert/report_convert.h"
#include "dnsd/answers/bytes.h"
#include "dnsd/app/authorities.h"
#include "dnsd/app/configuration_kubernetes.h"
#include "dnsd/app/dns_policy.h"
#include "dnsd/app/machine_addresses.h"
#include "dnsd/app/own_certificate.h"
#include "dnsd/app/version.h"
#include "dnsd/server/socket.h"
#include "dnsd/snapshot_file/snapshot_file.h"
#include "dnsd/wire/name.h"

namespace meshdns::dnsd::app {
namespace {

constexpr std::size_t kMostProblems = 100;  // of a zone file; further ones are only counted

/// Returns a value that the reader of the configuration has checked already.
template <class T>
T checked(Result<T> result) {
  MESHDNS_CHECK(result.has_value());
  return *result;
}

std::vector<Prefix> prefixes_of(const google::protobuf::RepeatedPtrField<std::string>& texts) {
  std::vector<Prefix> out;
  for (const std::string& text : texts) out.push_back(checked(Prefix::parse(text)));
  return out;
}

std::vector<IpAddress> own_addresses(const config::v1::Dns& dns) {
  std::vector<IpAddress> out;
  for (const auto& listener : dns.listen()) {
    const IpAddress ip = checked(SocketAddress::parse(listener.address())).ip;
    const bool of_none = ip.is_unspecified() || ip.is_v6_link_local();  // other machines cannot use such an address
    const std::vector<IpAddress> more = of_none ? machine_addresses() : std::vector{ip};
    for (const IpAddress& address : more) {
      if (std::ranges::find(out, address) == out.end()) out.push_back(address);
    }
  }
  const bool routable = std::ranges::any_of(out, [](const IpAddress& address) { return !address.is_loopback(); });
  if (routable) std::erase_if(out, [](const IpAddress& address) { return address.is_loopback(); });
  return out;
}

void read_zones(const config::v1::Meshdnsd& file, answers::AnswerSettings& out) {
  for (const auto& zone : file.zones()) {
    answers::ZoneSettings entry{ascii_lower(zone.name()), {}, zone.contact()};
    for (const auto& ns : zone.ns()) {
      answers::NameServer server{ns.name(), {}};
      for (const auto& address : ns.addresses()) server.addresses.push_back(checked(IpAddress::parse(address)));
      entry.ns.push_back(std::move(server));
    }
    out.zones.push_back(std::move(entry));
  }
  if (out.zones.empty()) out.zones.push_back({"mesh.internal", {}, ""});
}

answers::AnswerSettings settings_of(const config::v1::Meshdnsd& file) {
  answers::AnswerSettings out;
  read_zones(file, out);
  for (const auto& listener : file.dns().listen()) {
    out.listeners.push_back({listener.address(), convert::to_locality(listener.locality())});
  }
  out.own = convert::to_locality(file.locality());
  out.own.cluster = file.cluster();
  out.own_addresses = own_addresses(file.dns());
  for (const auto& forwarder : file.dns().trusted_forwarders()) {
    if (forwarder.has_kubernetes()) continue;  // FollowedForwarders finds its addresses
    out.forwarders.push_back({checked(Prefix::parse(forwarder.prefix())), part_named(forwarder.granularity())});
  }
  if (!file.dns().explain_allow().empty()) out.explain_allow = prefixes_of(file.dns().explain_allow());
  out.auto_hosts = file.dns().auto_hosts() == "off" ? "" : file.dns().auto_hosts();
  out.static_records = {file.dns().static_records().begin(), file.dns().static_records().end()};
  return out;
}

/// Notes the path of the endpoints file for read_endpoints().
void find_mesh_file(const std::string& config_path, Configuration& out) {
  const std::string& name = out.file.dns().endpoints_file();
  if (!name.empty()) out.mesh_path = (std::filesystem::path(config_path).parent_path() / name).string();
}

/// Adds the records of dns.static_zone_file to those of the configuration itself.
/// errors: the problems of the file, one in a line
Result<void> read_zone_file(const std::string& config_path, const std::vector<std::string>& zones, Configuration& out) {
  const std::string& name = out.file.dns().static_zone_file();
  if (name.empty()) return {};
  const std::string path = (std::filesystem::path(config_path).parent_path() / name).string();
  const auto text = read_file(path);
  if (!text) return text.error().with_context("dns.static_zone_file");
  out.digest = snapshot_file::digest(std::to_string(out.digest) + *text);
  answers::ReadFile read = answers::read_zone_file(*text, zones, out.static_records);
  std::string problems;
  for (const auto& bad : read.bad | std::views::take(kMostProblems)) {
    problems += path + ":" + std::to_string(bad.line) + ": " + bad.what + "\n";
  }
  if (read.bad.size() > kMostProblems) {
    problems += path + ": " + std::to_string(read.bad.size() - kMostProblems) + " more\n";
  }
  if (!problems.empty()) return Error(Code::InvalidArgument, problems);
  out.static_records.insert(out.static_records.end(), std::make_move_iterator(read.records.begin()),
                            std::make_move_iterator(read.records.end()));
  return {};
}

/// Reads and checks the files of federation.tls or replica.tls, or names those that this process will write. The paths
/// are relative to the configuration file.
Result<void> read_tls(const std::string& config_path, Configuration& out) {
  const auto folder = std::filesystem::path(config_path).parent_path();
  const auto& server = out.file.federation().tls();
  const auto& client = out.file.replica().tls();
  for (const auto& authority : out.file.federation().cluster_authorities())
    out.cluster_authorities.push_back(
        {(folder / authority.ca()).string(), {authority.clusters().begin(), authority.clusters().end()}});
  bool made_later = false;
  if (out.file.federation().has_tls()) {
    out.tls = {folder / server.certificate(), folder / server.key(), folder / server.client_ca()};
  } else if (out.file.replica().has_tls()) {
    out.tls = {folder / client.certificate(), folder / client.key(), folder / client.ca()};
  } else if (out.file.replica().has_join()) {
    out.tls = out.member_files();
    made_later = true;
  } else if (out.signs_own()) {
    out.tls = out.own_files();
    made_later = true;
  } else {
    return {};
  }
  for (const auto& authority : out.cluster_authorities) out.tls->more_ca.push_back(authority.file);
  const auto usable = made_later ? Result<void>{} : rpc::check(*out.tls);
  const std::string key = out.file.has_replica() ? "replica.tls" : "federation.tls";
  return usable ? usable : Error(Code::InvalidArgument, config_path + ": " + key + ": " + usable.error().message());
}

std::map<std::size_t, std::string> bad_records(const config::v1::Meshdnsd& file) {
  std::vector<std::string> lines;
  for (const std::string& line : file.dns().static_records()) lines.push_back(std::string(trim(line)));
  std::vector<std::string> zones;
  for (const auto& zone : file.zones()) zones.push_back(ascii_lower(zone.name()));
  std::map<std::size_t, std::string> out;
  if (!std::ranges::all_of(zones, [](const std::string& zone) { return wire::parse_name(zone).has_value(); }))
    return out;
  for (const auto& bad : answers::read_records(lines, zones).bad) {
    if (!lines[bad.index].empty()) out.emplace(bad.index, bad.what);  // empty lines are reported by the caller
  }
  return out;
}

/// Returns the digest of all settings that shape answers, without the records in files. The listeners' ports are not
/// among them; the addresses under which this server can be reached are, as they are in NS and address records.
std::uint64_t digest_of(const Configuration& configuration) {
  const answers::AnswerSettings& settings = configuration.answers;
  answers::ByteWriter out;
  const auto add_place = [&out](const model::Locality& place) {
    for (const model::Part part : model::kParts) out(place.part(part));
  };
  answers::write_count(out, settings.zones.size());
  for (const auto& zone : settings.zones) {
    out(zone.name, zone.contact);
    answers::write_count(out, zone.ns.size());
    for (const auto& server : zone.ns) out(server.name, server.addresses);
  }
  answers::write_count(out, settings.listeners.size());
  for (const auto& listener : settings.listeners) add_place(listener.locality);
  add_place(settings.own);
  out(settings.own_addresses);
  answers::write_count(out, settings.forwarders.size());
  for (const auto& forwarder : settings.forwarders) out(forwarder.prefix, forwarder.granularity);
  out(settings.explain_allow, settings.auto_hosts, settings.static_records, configuration.file.dns().max_records());
  return snapshot_file::digest(out.take());
}

Result<Configuration> configuration_of(const std::string& text, const std::string& path) {
  auto file = config::load_dnsd(text, path, bad_records);
  if (!file) return Error(Code::InvalidArgument, config::problems_text(file.error()));
  Configuration out;
  out.file = std::move(*file);
  out.answers = settings_of(out.file);
  std::vector<std::string> zones;
  for (const auto& zone : out.answers.zones) zones.push_back(zone.name);
  auto records = answers::parse_records(out.answers.static_records, zones);
  if (!records) return Error(Code::InvalidArgument, path + ": dns.static_records: " + records.error().message() + "\n");
  out.static_records = std::move(*records);
  out.digest = digest_of(out);
  out.folder = std::filesystem::path(path).parent_path().string();
  if (auto read = read_kubernetes(path, out); !read) return read.error();
  if (auto read = read_zone_file(path, zones, out); !read) return read.error();
  find_mesh_file(path, out);
  if (auto read = read_tls(path, out); !read) return read.error();
  auto policy = read_policy(out.file.dns(), std::filesystem::path(path).parent_path());
  if (!policy) return policy.error().with_context(path);
  out.policy = std::move(*policy);
  return out;
}

Result<Configuration> configuration_in(const std::string& path) {
  const auto text = read_file(path);
  if (!text && text.error().code() == Code::NotFound) {
    return Error(Code::NotFound,
                 text.error().message() +
                     " (an example: /usr/share/meshdns/examples/meshdnsd.yaml; to try it without a file: "
                     "meshdnsd --dev)");
  }
  if (!text) return text.error();
  return configuration_of(*text, path);
}

}  // namespace

std::string host_name() { return machine_name().value_or("localhost"); }

bool Configuration::federation() const { return std::ranges::find(file.roles(), "federation") != file.roles().end(); }

Loopback Configuration::loopback() const {
  const auto here = [](const std::string& address) { return config::is_on_this_host(address); };
  bool all = false;
  if (file.has_replica()) {
    all = std::ranges::all_of(file.replica().federation(), here);
  } else if (federation()) {
    all = here(file.federation().listen());
  } else {
    all = std::ranges::all_of(file.dns().listen(), [&](const auto& listener) { return here(listener.address()); });
  }
  return all ? Loopback::Allowed : Loopback::Refused;
}

server::ServerOptions Configuration::dns_options() const {
  server::ServerOptions out;
  for (const auto& listener : file.dns().listen())
    out.listen.push_back(checked(SocketAddress::parse(listener.address())));
  const auto workers = parse_uint(file.dns().workers());
  out.workers = workers ? static_cast<unsigned>(*workers) : std::max(1U, std::thread::hardware_concurrency());
  const auto& tcp = file.dns().tcp();
  out.tcp.connections = tcp.connections();
  out.tcp.per_client = tcp.connections_per_client();
  out.tcp.idle = convert::from_wire(tcp.idle());
  out.steer_by_cpu = file.dns().cpu_steering();
  out.tap = file.dns().has_dnstap();
  return out;
}

DescriptorBudget::Wanted Configuration::connections() const {
  return {.dns = file.dns().tcp().connections(),
          .federation = file.federation().max_connections(),
          .per_address = file.federation().max_connections_per_address()};
}

dnstap::Teller Configuration::dnstap_teller() const {
  const auto& tap = file.dns().dnstap();
  dnstap::Teller out;
  out.identity = tap.identity().empty() ? host_name() : tap.identity();
  out.version = tap.version().empty() ? std::string("meshdnsd ") + kVersion : tap.version();
  return out;
}

std::vector<SocketAddress> Configuration::external_name_servers() const {
  std::vector<SocketAddress> out;
  for (const std::string& server : file.external_names().servers()) {
    out.push_back(checked(SocketAddress::parse(server)));
  }
  return out;
}

std::string Configuration::database() const {
  const auto& store = file.federation().store();
  if (store.has_memory()) return "";
  return store.sqlite().path().empty() ? "federation.db" : store.sqlite().path();
}

rpc::TlsFiles Configuration::member_files() const { return membership::files_in(file.data_dir(), "replica"); }

bool Configuration::signs_own() const { return authority().has_value() && !file.federation().has_tls(); }

rpc::TlsFiles Configuration::own_files() const {
  rpc::TlsFiles out = membership::files_in(file.data_dir(), "server");
  out.ca = authority::Files(*authority()).certificates;
  return out;
}

membership::Member Configuration::member() const {
  const std::string& name = file.replica().join().name();
  const auto& servers = file.replica().federation();
  membership::Member out{
      {servers.begin(), servers.end()}, name.empty() ? host_name() : name, *tls, expected_federation()};
  const auto& join = file.replica().join();
  if (!join.has_kubernetes()) {
    out.token_file = (std::filesystem::path(folder) / join.token_file()).string();
    return out;
  }
  out.pod = membership::pod_files(folder, join.kubernetes().token_file(), join.kubernetes().ca_file());
  // a pod's host name is its own name, except where the pod has the name of its node's network
  if (name.empty()) out.name = meshdns::kubernetes::process_environment()("POD_NAME").value_or(out.name);
  return out;
}

std::optional<std::string> Configuration::authority() const {
  if (kubernetes.authority_secret) return kubernetes.authority_secret->options.folder;
  if (file.federation().authority().empty()) return std::nullopt;
  return (std::filesystem::path(file.data_dir()) / file.federation().authority()).string();
}

std::string Configuration::audit_file() const {
  const std::string& path = file.audit().file();
  return path.empty() || path.starts_with('/') ? path : file.data_dir() + "/" + path;
}

std::shared_ptr<const identity::Gate> Configuration::gate() const {
  return std::make_shared<identity::Gate>(
      config::rules_of(file.identity()),
      identity::Realm{.cluster = file.cluster(), .peers = {}, .open = !tls.has_value()}, find_authority(*this));
}

Result<void> Configuration::check_certificate(std::int64_t unix_seconds) const {
  if (!tls || (joins() && !membership::has_joined(*tls))) return {};
  if (signs_own() && kubernetes.authority_secret && !enrolment::has_copy(*authority())) return {};
  if (signs_own()) return check_authority(*this, unix_seconds);
  const auto role = file.has_federation() ? identity::Role::Federation : identity::Role::Dns;
  return membership::check_certificate(*tls, config::rules_of(file.identity()), {role, file.cluster(), ""},
                                       unix_seconds);
}

identity::ServerCheck Configuration::expected_federation() const {
  return identity::expect_federation(config::rules_of(file.identity()), file.cluster());
}

Duration Configuration::forget_after() const { return convert::from_wire(file.federation().forget_after()); }

Duration Configuration::stale_after() const { return convert::from_wire(file.dns().stale_after()); }

Result<Configuration> load_configuration(const std::string& path) {
  auto out = configuration_in(path);
  if (!out) return out;
  if (auto read = read_endpoints(*out); !read) return read.error();
  return out;
}

Result<Configuration> load_without_endpoints(const std::string& path) {
  auto out = configuration_in(path);
  if (out && !out->mesh_path.empty()) out->mesh_digest = snapshot_file::file_digest(out->mesh_path);
  return out;
}

Result<void> read_endpoints(Configuration& configuration) {
  if (configuration.mesh_path.empty()) return {};
  const auto text = read_file(configuration.mesh_path);
  if (!text) return Error(Code::InvalidArgument, text.error().message());
  configuration.mesh_digest = snapshot_file::digest(*text);  // the file may have changed since its digest was computed
  auto mesh = config::load_mesh(*text, configuration.mesh_path);
  if (!mesh) return Error(Code::InvalidArgument, config::problems_text(mesh.error()));
  configuration.mesh_nodes = {std::make_move_iterator(mesh->mutable_nodes()->begin()),
                              std::make_move_iterator(mesh->mutable_nodes()->end())};
  configuration.mesh_objects = {std::make_move_iterator(mesh->mutable_objects()->begin()),
                                std::make_move_iterator(mesh->mutable_objects()->end())};
  return {};
}

Result<Configuration> dev_configuration(const std::string& runtime_dir) {
  const std::string text =
      "cluster: dev\n"
      "zones: [{name: mesh.internal}]\n"
      "dns: {listen: [{address: \"127.0.0.1:8053\"}], workers: \"1\"}\n"
      "federation: {listen: \"127.0.0.1:7400\", store: {memory: {}}}\n"
      "admin: {listen: \"127.0.0.1:7401\", socket: \"" +
      runtime_dir + "/meshdnsd.sock\"}\n";
  return configuration_of(text, "--dev");
}

}  // namespace meshdns::dnsd::app
