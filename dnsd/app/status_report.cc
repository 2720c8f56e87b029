#include "dnsd/app/status_report.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "common/convert/report_convert.h"
#include "common/log/log.h"
#include "dnsd/answers/explain.h"
#include "dnsd/app/version.h"
#include "dnsd/topology/words.h"

namespace meshdns::dnsd::app {
namespace {

constexpr int kMostProblems = 100;  // in one status; further ones are only counted

google::protobuf::Duration since(TimePoint then, TimePoint now) {
  return convert::to_wire(std::max(Duration::zero(), now - then));
}

}  // namespace

/// The problems for one status while they are collected, with the place where the next slice goes on.
struct StatusReport::Problems {
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

void StatusReport::status(const Done& done) {
  const auto problems = std::make_shared<Problems>();
  for (const topology::Conflict& conflict : env_.mesh.publisher.conflicts()) {
    problems->add(conflict.object, conflict.message);
  }
  env_.mesh.publisher.with_table([&problems](const answers::AnswerTable* table) {
    if (table == nullptr) return;
    const answers::Locator& locator = table->where->locator;
    for (const std::string& text : locator.contested) {
      problems->add("clients",
                    text + ": who asks from there is placed as far as they agree, except by their own servers");
    }
    problems->all += locator.contested_count - locator.contested.size();
  });
  const auto round = env_.mesh.counts.round();
  const bool runs = slices_.run([this, problems, round, done](Slice& slice) {
    if (!env_.mesh.counts.settle(round, slice) || !look_for_problems(*problems, slice)) return false;
    v1::StatusReply reply = status_now();
    *reply.mutable_problems() = std::move(*problems->found.mutable_problems());
    reply.set_more_problems(static_cast<std::uint32_t>(problems->all) -
                            static_cast<std::uint32_t>(reply.problems_size()));
    done(std::move(reply));
    return true;
  });
  if (!runs) done(Error(Code::Unavailable, "too many calls at once"));
}

/// Collects nodes whose agents cannot read everything that they should. Only nodes that are not well have a status, so
/// there are few.
bool StatusReport::look_for_unread(Problems& problems, Slice& slice) const {
  const auto& statuses = env_.mesh.catalog.records().statuses;
  for (auto at = statuses.upper_bound(problems.node); at != statuses.end(); ++at) {
    if (!slice.take()) return false;
    if (!at->second.problem.empty()) problems.add("node " + at->first, at->second.problem);
    problems.node = at->first;
  }
  return true;
}

bool StatusReport::look_for_problems(Problems& problems, Slice& slice) const {
  if (!look_for_unread(problems, slice)) return false;
  if (!env_.hostnames.started()) return true;
  const auto& destinations = env_.mesh.catalog.records().destinations;
  for (auto at = destinations.upper_bound(problems.after); at != destinations.end(); ++at) {
    if (!slice.take()) return false;
    for (const std::string& message : env_.hostnames.problems_of(at->second)) problems.add(at->first, message);
    problems.after = at->first;
  }
  return true;
}

v1::StatusReply StatusReport::status_now() const {
  v1::StatusReply out;
  write_process(out);
  write_records(out);
  write_answers(out);
  write_overrides(out);
  for (const Role* role : env_.roles) role->write(out);
  return out;
}

void StatusReport::write_process(v1::StatusReply& out) const {
  const ProcessState& process = env_.process;
  out.set_version(kVersion);
  out.set_cluster(process.configuration.file.cluster());
  out.set_instance(process.instance);
  for (const std::string& role : process.configuration.file.roles()) out.add_roles(role);
  *out.mutable_uptime() = since(process.started, env_.mesh.clock.now());
  out.set_ready(process.ready);
  for (const std::string& key : process.reload.restart_needed) out.add_restart_needed(key);
  out.set_reload_problem(process.reload.problem);
  out.set_log_lines_dropped(log::dropped_lines());
}

void StatusReport::write_records(v1::StatusReply& out) const {
  const catalog::Catalog& catalog = env_.mesh.catalog;
  out.set_revision(catalog.revision());
  *out.mutable_revision_age() = since(std::max(catalog.changed(), env_.process.started), env_.mesh.clock.now());
  out.set_nodes(static_cast<std::uint32_t>(catalog.records().nodes.size()));
  out.set_nodes_silent(env_.mesh.counts.silent());
  const RecordCounts::Standings& standings = env_.mesh.counts.standings();
  for (std::size_t i = 0; i < standings.size(); ++i) {
    const std::string name(standing_name(static_cast<topology::Standing>(i)));
    if (standings[i] > 0) (*out.mutable_endpoints())[name] = standings[i];
  }
}

void StatusReport::write_answers(v1::StatusReply& out) const {
  publish::Publisher& publisher = env_.mesh.publisher;
  out.set_serial(publisher.serial());
  for (const auto& zone : publisher.settings().zones) out.add_zones(zone.name);
  out.set_hosts(static_cast<std::uint32_t>(publisher.hosts()));
  out.set_publications(publisher.publications());
  *out.mutable_last_compile() = convert::to_wire(publisher.last_cost());
}

void StatusReport::write_overrides(v1::StatusReply& out) const {
  const topology::Overrides& overrides = env_.mesh.catalog.records().overrides;
  out.set_overrides(static_cast<std::uint32_t>(overrides.size()));
  const model::Override* word = topology::freeze_among(overrides);
  if (word == nullptr) return;
  v1::FreezeInfo& freeze = *out.mutable_freeze();
  freeze.set_since(word->meta.created);
  freeze.set_author(word->author);
  freeze.set_reason(word->reason);
  freeze.set_expires(word->expires);
}

}  // namespace meshdns::dnsd::app
