#include "dnsd/app/status_rounds.h"

#include <utility>

#include "common/convert/object_convert.h"
#include "common/convert/report_convert.h"
#include "common/time/duration_text.h"

namespace meshdns::dnsd::app {
namespace {

using resources::Follower;
using resources::Status;

constexpr std::size_t kLongestMessage = 4096;  // the API takes 32 KiB, and keeps all of it in etcd

/// Returns a measured distance without digits that mean nothing.
std::string distance_text(Duration far) {
  const Duration step = far < 10ms ? Duration(100us) : Duration(1ms);
  return duration_text(far - far % step);
}

Status status_of(const v1::ObjectStatus& from) {
  Status out;
  for (const v1::Condition& condition : from.conditions()) {
    out.conditions.push_back({.type = condition.type(),
                              .status = condition.status(),
                              .reason = condition.reason(),
                              .message = condition.message().substr(0, kLongestMessage),
                              .since = {}});
  }
  for (const auto& [to, far] : from.distances()) out.distances[to] = distance_text(convert::from_wire(far));
  out.gateways_down.assign(from.gateways_down().begin(), from.gateways_down().end());
  return out;
}

/// Returns the condition Accepted of an object.
/// in_force: a version of it counts
resources::Condition accepted(const Follower::Entry& entry, bool in_force, const std::string& cluster) {
  resources::Condition out{.type = "Accepted", .status = "False", .reason = "Invalid", .message = {}, .since = {}};
  if (!entry.problem.empty()) {
    if (!in_force && entry.problem.ends_with(" is over")) out.reason = "Expired";
    if (entry.why == Follower::Why::HostNotAllowed) out.reason = "HostNotAllowed";
    const std::string version =
        entry.taken_generation > 0 ? "generation " + std::to_string(entry.taken_generation) : "the version before";
    out.message = entry.problem.substr(0, kLongestMessage) + (in_force ? "; " + version + " stays in force" : "");
  } else if (in_force) {
    out = {.type = "Accepted",
           .status = "True",
           .reason = "Valid",
           .message = "taken by the federation of " + cluster,
           .since = {}};
  } else {
    out.reason = "Expired";
    out.message = "spec.expires is over";
  }
  return out;
}

}  // namespace

StatusRounds::~StatusRounds() {
  *alive_ = false;
  if (timer_) env_.timers.cancel(*timer_);
}

void StatusRounds::schedule() {
  timer_ = env_.timers.after(limits_.turn, [this] {
    timer_.reset();
    turn();
    schedule();
  });
}

void StatusRounds::turn() {
  if (asking_) return;
  if (!changed_.empty()) return next_changed(limits_.page);
  const std::uint64_t revision = env_.mesh.catalog.revision();
  if (!in_round_ && revision_ == revision) return;
  if (!in_round_) {
    revision_ = revision;
    kind_ = 0;
    continue_.clear();
  }
  in_round_ = true;
  next_page();
}

void StatusRounds::next_changed(std::size_t left) {
  if (left == 0 || changed_.empty()) return;
  const std::string key = changed_.extract(changed_.begin()).value();
  if (!env_.mesh.objects.all().contains(key)) {
    want(key, {});
    return next_changed(left - 1);
  }
  v1::ListRequest request;
  request.set_kind(key.substr(0, key.find('/')));
  request.set_key(key.substr(key.find('/') + 1));
  asking_ = true;
  env_.list(request, [this, alive = alive_, left](const Result<v1::ListReply>& reply) {
    if (!*alive) return;
    asking_ = false;
    take(reply);
    next_changed(left - 1);
  });
}

void StatusRounds::next_page() {
  v1::ListRequest request;
  request.set_kind(std::string(resources::kKinds[kind_].own_name));
  request.set_limit(limits_.page);
  request.set_continue_(continue_);
  asking_ = true;
  env_.list(request, [this, alive = alive_](const Result<v1::ListReply>& reply) {
    if (!*alive) return;
    asking_ = false;
    if (!reply) return;  // too many calls at once: the same page in the next turn
    take(reply);
    continue_ = reply->continue_();
    if (!continue_.empty() || ++kind_ < resources::kKinds.size()) return;
    in_round_ = false;
    end_round();
  });
}

void StatusRounds::take(const Result<v1::ListReply>& page) {
  if (!page) return;
  for (const v1::Object& object : page->objects()) want(convert::object_key(object), object.status());
}

void StatusRounds::end_round() {
  for (const auto& [key, entry] : env_.follower.entries()) {
    if (!env_.mesh.objects.all().contains(key)) want(key, {});
  }
}

void StatusRounds::want(const std::string& key, const v1::ObjectStatus& status) {
  const auto found = env_.follower.entries().find(key);
  if (found == env_.follower.entries().end()) return;
  const auto live = env_.mesh.objects.all().find(key);
  const bool in_force = live != env_.mesh.objects.all().end();
  if (!in_force && found->second.problem.empty() && found->second.taken_generation == 0) return;  // not applied yet
  Status wanted = status_of(status);
  std::erase_if(wanted.conditions, [](const resources::Condition& each) { return each.type == "Accepted"; });
  wanted.conditions.insert(wanted.conditions.begin(), accepted(found->second, in_force, env_.cluster));
  if (!in_force)
    wanted.conditions.push_back({.type = "Programmed",
                                 .status = "False",
                                 .reason = "NotAccepted",
                                 .message = "no version of the object is in force",
                                 .since = {}});
  env_.queue.want(key, std::move(wanted), found->second.resource.generation, env_.mesh.clock.now());
  env_.wanted();
}

}  // namespace meshdns::dnsd::app
