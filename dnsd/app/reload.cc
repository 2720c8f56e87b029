#include "dnsd/app/reload.h"

#include <google/protobuf/util/message_differencer.h>

#include <algorithm>
#include <memory>

namespace meshdns::dnsd::app {
namespace {

using google::protobuf::Message;

bool same_field(const Message& a, const Message& b, const std::string& name) {
  google::protobuf::util::MessageDifferencer differencer;
  const auto* field = a.GetDescriptor()->FindFieldByName(name);
  return differencer.CompareWithFields(a, b, {field}, {field});
}

/// One mapping of the configuration: as it runs, and as the file has it now.
struct Section {
  const Message& running;
  Message& next;
  std::string prefix;  // "dns."
  std::vector<std::string>& kept;

  /// Keeps the running value of a field that only a restart can change.
  /// returns: whether the values differ
  bool keep(const std::string& name) {
    if (same_field(running, next, name)) return false;
    kept.push_back(prefix + name);
    const auto* field = running.GetDescriptor()->FindFieldByName(name);
    const std::unique_ptr<Message> copy(running.New());
    copy->CopyFrom(running);
    next.GetReflection()->SwapFields(&next, copy.get(), {field});
    return true;
  }
};

/// Keeps the source of records. If the file names another source, its endpoints file is not applied either: the records
/// of two sources would be mixed until the restart.
void keep_source(const Configuration& running, Configuration& next, std::vector<std::string>& kept) {
  Section root{running.file, next.file, "", kept};
  const bool roles = root.keep("roles");
  const bool replica = root.keep("replica");
  const bool from_file = running.mesh_path.empty() == next.mesh_path.empty();
  if (from_file && !roles && !replica) return;
  if (!from_file) kept.emplace_back("dns.endpoints_file");
  next.file.mutable_dns()->set_endpoints_file(running.file.dns().endpoints_file());
  next.mesh_path = running.mesh_path;
  next.mesh_nodes = running.mesh_nodes;
  next.mesh_objects = running.mesh_objects;
  next.mesh_digest = running.mesh_digest;
}

void keep_listeners(const Configuration& running, Configuration& next, std::vector<std::string>& kept) {
  if (same_listeners(next.answers, running.answers)) return;
  kept.emplace_back("dns.listen");
  next.answers.listeners = running.answers.listeners;
  *next.file.mutable_dns()->mutable_listen() = running.file.dns().listen();
}

}  // namespace

bool same_listeners(const answers::AnswerSettings& a, const answers::AnswerSettings& b) {
  return std::ranges::equal(a.listeners, b.listeners, {}, &answers::ListenerSettings::text,
                            &answers::ListenerSettings::text);
}

std::vector<std::string> keep_what_cannot_change(const Configuration& running, Configuration& next) {
  std::vector<std::string> kept;
  keep_listeners(running, next, kept);
  keep_source(running, next, kept);
  Section root{running.file, next.file, "", kept};
  if (root.keep("cluster")) next.answers.own.cluster = running.answers.own.cluster;
  root.keep("data_dir");
  root.keep("admin");
  root.keep("identity");
  Section dns{running.file.dns(), *next.file.mutable_dns(), "dns.", kept};
  for (const char* name : {"tcp", "dnstap", "cpu_steering", "workers"}) dns.keep(name);
  Section federation{running.file.federation(), *next.file.mutable_federation(), "federation.", kept};
  for (const char* name : {"listen", "insecure", "store", "max_connections", "max_connections_per_address", "authority",
                           "authority_secret", "certificate_lifetime", "cluster_authorities", "kubernetes", "lease"}) {
    federation.keep(name);
  }
  const bool tls_changed = federation.keep("tls") || next.tls != running.tls;
  if (tls_changed) next.tls = running.tls;
  next.kubernetes = running.kubernetes;
  next.kubernetes_clusters = running.kubernetes_clusters;
  return kept;
}

}  // namespace meshdns::dnsd::app
