#include <algorithm>
#include <memory>
#include <utility>

#include "common/convert/object_convert.h"
#include "common/convert/report_convert.h"
#include "common/log/log.h"
#include "common/rpc/acceptor.h"
#include "common/rpc/tls_watch.h"
#include "dnsd/answers/explain.h"
#include "dnsd/app/mesh_view.h"
#include "dnsd/app/version.h"

// The state of the whole mesh, for `meshdnsctl status` and for metrics.

namespace meshdns::app {
namespace {

constexpr int kMostProblems = 100;  // in one status; further ones are only counted
constexpr int kMostReplicas = 100;

google::protobuf::Duration since(TimePoint then, TimePoint now) {
  return convert::to_wire(std::max(Duration::zero(), now - then));
}

void write_agents(const federation::Agents& agents, v1::StatusReply& out) {
  out.set_agents_connected(static_cast<std::uint32_t>(agents.connected()));
  if (!agents.load().busy()) return;
  *out.mutable_busy()->mutable_late() = convert::to_wire(agents.load().lateness());
  *out.mutable_busy()->mutable_heartbeat() = convert::to_wire(agents.leases().heartbeat());
}

}  // namespace

void MeshView::write_connections(v1::StatusReply& out) const {
  if (parts_.acceptor == nullptr) return;
  const rpc::Acceptor::Counts counts = parts_.acceptor->counts();
  v1::ConnectionsInfo& info = *out.mutable_connections();
  info.set_open(counts.open);
  info.set_most(counts.most);
  info.set_full(counts.full);
  info.set_failing(counts.failing);
  info.set_refused(counts.refused);
  info.set_evicted(counts.evicted);
}

void MeshView::write_listeners(v1::StatusReply& out) const {
  if (parts_.dns == nullptr) return;
  const auto& settings = parts_.publisher->settings();
  for (std::size_t i = 0; i < parts_.dns->bound().size(); ++i) {
    v1::Listener& listener = *out.add_dns();
    listener.set_address(parts_.dns->bound()[i].text());
    // a listener without a locality of its own has the server's
    const model::Locality& own = settings.listeners[i].locality;
    *listener.mutable_locality() = convert::to_wire(own.empty() ? settings.own : own);
  }
  const server::ServerTotals totals = parts_.dns->counters();
  out.set_queries(totals.udp.received + totals.tcp.received);
}

void MeshView::write_replicas(v1::StatusReply& out) const {
  if (parts_.watchers == nullptr) return;
  out.set_subscribers(static_cast<std::uint32_t>(parts_.watchers->subscribers()));
  parts_.watchers->each_subscriber([&](const federation::WatchSession& session) {
    v1::ReplicaInfo& info = *out.add_replicas();
    info.set_name(session.name());
    info.set_peer(session.peer());
    *info.mutable_connected() = since(session.opened(), parts_.clock.now());
    info.set_behind(session.revisions_behind());
    *info.mutable_lag() = convert::to_wire(session.lag());
    return out.replicas_size() < kMostReplicas;
  });
  std::sort(out.mutable_replicas()->begin(), out.mutable_replicas()->end(),
            [](const v1::ReplicaInfo& a, const v1::ReplicaInfo& b) { return a.name() < b.name(); });
}

void MeshView::write_certificates(v1::StatusReply& out) const {
  if (parts_.tls == nullptr) return;
  for (const rpc::TlsFile& file : parts_.tls->files()) {
    v1::CertificateInfo& info = *out.add_certificates();
    info.set_file(file.path);
    info.set_not_after(file.not_after);
    info.set_problem(file.problem);
  }
}

void MeshView::count_records(v1::StatusReply& out) const {
  const model::Records& records = parts_.catalog->records();
  out.set_nodes(static_cast<std::uint32_t>(records.nodes.size()));
  out.set_nodes_silent(parts_.counts->silent());
  const RecordCounts::Standings& standings = parts_.counts->standings();
  for (std::size_t i = 0; i < standings.size(); ++i) {
    const std::string name(standing_name(static_cast<topology::Standing>(i)));
    if (standings[i] > 0) (*out.mutable_endpoints())[name] = standings[i];
  }
}

void MeshView::write_brakes(v1::StatusReply& out) const {
  const auto add = [&out](const std::string& name, const std::string& covers, const std::string& reason,
                          std::uint64_t held) {
    v1::BrakeInfo& info = *out.add_brakes();
    info.set_name(name);
    info.set_covers(covers);
    info.set_reason(reason);
    info.set_held_back(held);
  };
  if (parts_.agents != nullptr) {
    for (const auto& brake : parts_.agents->brakes().closed()) add(brake.name, brake.covers, brake.reason, brake.held);
  }
  if (parts_.replica != nullptr) {
    for (const v1::Brake& brake : parts_.replica->origin_brakes()) {
      add(brake.name(), brake.covers(), brake.reason(), brake.held_back());
    }
  }
}

void MeshView::write_overrides(v1::StatusReply& out) const {
  const topology::Overrides& overrides = parts_.catalog->records().overrides;
  out.set_overrides(static_cast<std::uint32_t>(overrides.size()));
  if (parts_.local_overrides != nullptr) {
    out.set_local_overrides(static_cast<std::uint32_t>(parts_.local_overrides->size()));
  }
  const model::Override* word = topology::freeze_among(overrides);
  if (word == nullptr) return;
  v1::FreezeInfo& freeze = *out.mutable_freeze();
  freeze.set_since(word->meta.created);
  freeze.set_author(word->author);
  freeze.set_reason(word->reason);
  freeze.set_expires(word->expires);
  if (parts_.replica == nullptr) freeze.set_held(parts_.catalog->held());
}

/// The problems for one status while they are collected, with the place where the next slice goes on.
struct MeshView::Problems {
  v1::StatusReply found{};
  std::string after{};  // the last virtual destination whose external names were examined
  std::string node{};   // the last node whose status was examined
  std::size_t all = 0;  // also those beyond kMostProblems

  void add(const std::string& object, const std::string& message) {
    ++all;
    if (found.problems_size() == kMostProblems) return;
    v1::ObjectProblem& problem = *found.add_problems();
    problem.set_object(object);
    problem.set_message(message);
  }
};

void MeshView::status(std::function<void(Result<v1::StatusReply>)> done) {
  const auto problems = std::make_shared<Problems>();
  for (const topology::Conflict& conflict : parts_.publisher->conflicts()) {
    problems->add(conflict.object, conflict.message);
  }
  parts_.publisher->with_table([&problems](const answers::AnswerTable* table) {
    if (table == nullptr) return;
    const answers::Locator& locator = table->where->locator;
    for (const std::string& text : locator.contested) {
      problems->add("clients",
                    text + ": who asks from there is placed as far as they agree, except by their own servers");
    }
    problems->all += locator.contested_count - locator.contested.size();
  });
  const auto round = parts_.counts->round();
  const bool runs = slices_.run([this, problems, round, done](Slice& slice) {
    if (!parts_.counts->settle(round, slice) || !look_for_problems(*problems, slice)) return false;
    v1::StatusReply reply = status_now();
    *reply.mutable_problems() = std::move(*problems->found.mutable_problems());
    reply.set_more_problems(static_cast<std::uint32_t>(problems->all) -
                            static_cast<std::uint32_t>(reply.problems_size()));
    done(std::move(reply));
    return true;
  });
  if (!runs) done(Error(Code::Unavailable, "too many calls at once"));
}

void MeshView::metrics(std::function<void(Result<std::string>)> done) {
  const auto round = parts_.counts->round();
  const bool by_service = parts_.configuration->file.admin().service_metrics();
  const auto services = by_service ? std::make_shared<ServiceCounts>() : nullptr;
  const bool runs = slices_.run([this, round, services, done](Slice& slice) {
    if (!parts_.counts->settle(round, slice)) return false;
    const auto& claims = parts_.publisher->planner().claims();
    if (services != nullptr && !services->look(parts_.catalog->records(), claims, slice)) return false;
    parts_.service_counts = services;
    done(registry_.text());
    return true;
  });
  if (!runs) done(Error(Code::Unavailable, "too many calls at once"));
}

v1::StatusReply MeshView::status_now() {
  const TimePoint now = parts_.clock.now();
  v1::StatusReply out;
  out.set_version(kVersion);
  out.set_cluster(parts_.configuration->file.cluster());
  out.set_instance(parts_.instance);
  for (const std::string& role : parts_.configuration->file.roles()) out.add_roles(role);
  *out.mutable_uptime() = since(parts_.started, now);
  out.set_revision(parts_.catalog->revision());
  *out.mutable_revision_age() = since(std::max(parts_.catalog->changed(), parts_.started), now);
  out.set_serial(parts_.publisher->serial());
  out.set_ready(parts_.ready);
  for (const auto& zone : parts_.publisher->settings().zones) out.add_zones(zone.name);
  write_listeners(out);
  out.set_federation(parts_.federation_address);
  write_connections(out);
  out.set_hosts(static_cast<std::uint32_t>(parts_.publisher->hosts()));
  count_records(out);
  if (parts_.agents != nullptr) write_agents(*parts_.agents, out);
  write_brakes(out);
  if (parts_.recovery != nullptr) out.set_recovering(parts_.recovery->recovering());
  if (parts_.persistence != nullptr) {
    out.set_store_trouble(parts_.persistence->trouble());
    out.set_store_lacked(parts_.persistence->lacked());
  }
  write_replicas(out);
  write_certificates(out);
  if (parts_.replica != nullptr) {
    out.set_follows(parts_.replica->server());
    out.set_follows_connected(parts_.replica->connected());
    *out.mutable_unheard_for() = convert::to_wire(parts_.replica->silence());
    out.set_stale(parts_.publisher->stale());
    out.set_recovering(parts_.replica->origin_recovers());
    out.set_shrink_refused(parts_.replica->mirror().shrink_refused());
  }
  write_overrides(out);
  for (const std::string& key : parts_.reload.restart_needed) out.add_restart_needed(key);
  out.set_reload_problem(parts_.reload.problem);
  out.set_log_lines_dropped(log::dropped_lines());
  out.set_publications(parts_.publisher->publications());
  *out.mutable_last_compile() = convert::to_wire(parts_.publisher->last_cost());
  return out;
}

/// Collects nodes whose agents cannot read everything that they should. Only nodes that are not well have a status, so
/// there are few.
bool MeshView::look_for_unread(Problems& problems, Slice& slice) {
  const auto& statuses = parts_.catalog->records().statuses;
  for (auto at = statuses.upper_bound(problems.node); at != statuses.end(); ++at) {
    if (!slice.take()) return false;
    if (!at->second.problem.empty()) problems.add("node " + at->first, at->second.problem);
    problems.node = at->first;
  }
  return true;
}

bool MeshView::look_for_problems(Problems& problems, Slice& slice) {
  if (!look_for_unread(problems, slice)) return false;
  if (parts_.external_names == nullptr) return true;
  const auto& destinations = parts_.catalog->records().destinations;
  for (auto at = destinations.upper_bound(problems.after); at != destinations.end(); ++at) {
    if (!slice.take()) return false;
    for (const std::string& message : parts_.external_names->problems_of(at->second)) problems.add(at->first, message);
    problems.after = at->first;
  }
  return true;
}

}  // namespace meshdns::app
