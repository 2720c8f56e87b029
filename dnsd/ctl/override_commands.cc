#include "dnsd/ctl/override_commands.h"

#include <algorithm>
#include <iostream>
#include <set>

#include "common/base/printable.h"
#include "common/base/text.h"
#include "common/convert/document.h"
#include "common/time/duration_text.h"
#include "dnsd/ctl/commands.h"
#include "dnsd/ctl/override_object.h"

namespace meshdns::ctl {
namespace {

constexpr const char* kDefaultReason = "no reason given";
constexpr const char* kDefaultLocalLength = "1h";
constexpr const char* kNever = "never";

/// Returns the end of an override of this length in unix seconds; 0 = never.
Result<std::int64_t> end_of(const std::string& length, std::int64_t unix_seconds) {
  if (length.empty() || length == kNever) return 0;
  const auto duration = parse_duration(length);
  if (!duration) return duration.error().with_context("--for");
  if (*duration < 1s) return Error(Code::InvalidArgument, "--for: expected at least 1s (got " + length + ")");
  return unix_seconds + *duration / 1s;
}

std::string outcome_text(const v1::ApplyResult& result) {
  if (result.outcome() == v1::ApplyResult::CREATED) return "created";
  return result.outcome() == v1::ApplyResult::CONFIGURED ? "replaced" : "unchanged";
}

/// Returns the length of an override. Drain and force have no default, because an override that nobody ends is
/// forgotten.
Result<std::string> length_of(const OverrideWish& wish, const OverrideFlags& flags) {
  if (!flags.length.empty()) return flags.length;
  if (flags.local) return std::string(kDefaultLocalLength);
  if (wish.action == model::Action::Freeze) return std::string(kNever);
  return Error(Code::InvalidArgument, "say how long: --for 1h, or --for never");
}

/// Makes the override, or prints why that failed.
int make(AdminClient& client, OverrideWish wish, const OverrideFlags& flags, std::int64_t unix_seconds) {
  const auto asked = length_of(wish, flags);
  if (!asked) return fail(asked.error());
  const std::string& length = *asked;
  const auto expires = end_of(length, unix_seconds);
  if (!expires) return fail(expires.error());
  wish.expires = *expires;
  wish.reason = flags.reason.empty() ? kDefaultReason : flags.reason;
  wish.author = flags.author;  // if there is none, meshdnsd writes down who calls
  if (flags.print) {
    std::cout << convert::Document(override_object(wish)).yaml();
    return kOk;
  }
  v1::ApplyRequest request;
  request.set_manager("cli");
  request.set_needs_target(wish.target.has_value());
  request.set_force(flags.force);
  request.set_local(flags.local);
  *request.add_objects() = override_object(wish);
  const auto reply = client.apply(request);
  if (!reply) return fail(reply.error());
  const std::string what = wish.target ? target_text(*wish.target) : "the mesh";
  const v1::ApplyResult& result = reply->results(0);
  if (!reply->applied()) {
    std::cerr << what << ": " << printable(result.error()) << "\n";
    return kFailed;
  }
  const char* done = wish.action == model::Action::Drain  ? " drained"
                     : wish.action == model::Action::Up   ? " forced up"
                     : wish.action == model::Action::Down ? " forced down"
                                                          : " is frozen";
  std::cout << what << done << (flags.local ? " for this replica only" : "")
            << (wish.expires == 0 ? " until it is taken back" : " for " + length);
  if (result.has_endpoints()) std::cout << ", " << counted(result.endpoints(), "endpoint");
  std::cout << "\n" << printable(result.key()) << " " << outcome_text(result) << "\n";
  return kOk;
}

int make_for_target(AdminClient& client, model::Action action, const OverrideFlags& flags, std::int64_t unix_seconds) {
  const auto target = target_of(flags.target);
  if (!target) return fail(target.error());
  OverrideWish wish;
  wish.action = action;
  wish.target = *target;
  return make(client, std::move(wish), flags, unix_seconds);
}

/// The overrides that a command removes.
struct Wanted {
  std::set<std::string> actions;
  std::string target;  // "node=eu1-n1", "all"
  bool local = false;
  std::string word;  // "drained"
};

/// Deletes the wanted overrides; prints which others there are if none is wanted.
int take_back(AdminClient& client, const v1::ListReply& all, const Wanted& wanted) {
  v1::DeleteRequest request;
  request.set_local(wanted.local);
  std::set<std::string> others;
  for (const v1::Object& object : all.objects()) {
    if (!wanted.actions.contains(object.override().action())) continue;
    const bool local = object.metadata().manager() == "local";
    const std::string target = target_text_of(object);
    if (target == wanted.target && local == wanted.local) {
      request.add_keys("Override/" + object.metadata().name());
    } else {
      others.insert(printable(target) + (local ? " (--local)" : ""));
    }
  }
  const std::string what = wanted.target == "all" ? "the mesh" : wanted.target;
  if (request.keys().empty()) {
    std::cerr << what << " is not " << wanted.word << (wanted.local ? " here" : "");
    if (!others.empty()) std::cerr << "; these are: " << join({others.begin(), others.end()}, ", ");
    std::cerr << "\n";
    return kFailed;
  }
  const auto reply = client.erase(request);
  if (!reply) return fail(reply.error());
  std::cout << what << " is no longer " << wanted.word << "\n";
  for (const std::string& key : reply->deleted()) std::cout << printable(key) << " deleted\n";
  return kOk;
}

int take_back(AdminClient& client, const OverrideFlags& flags, Wanted wanted) {
  const auto target = target_of(flags.target);
  if (!target) return fail(target.error());
  const auto all = client.list_all("Override");
  if (!all) return fail(all.error());
  wanted.target = target_text(*target);
  wanted.local = flags.local;
  return take_back(client, *all, wanted);
}

}  // namespace

int drain(AdminClient& client, const OverrideFlags& flags, std::int64_t unix_seconds) {
  return make_for_target(client, model::Action::Drain, flags, unix_seconds);
}

int force(AdminClient& client, const OverrideFlags& flags, std::int64_t unix_seconds) {
  const auto action = flags.action == "up" ? model::Action::Up : model::Action::Down;
  return make_for_target(client, action, flags, unix_seconds);
}

int freeze(AdminClient& client, const OverrideFlags& flags, std::int64_t unix_seconds) {
  OverrideWish wish;
  wish.action = model::Action::Freeze;
  return make(client, std::move(wish), flags, unix_seconds);
}

int undrain(AdminClient& client, const OverrideFlags& flags) {
  return take_back(client, flags, {{"Drain"}, "", false, "drained"});
}

int unforce(AdminClient& client, const OverrideFlags& flags) {
  return take_back(client, flags, {{"Up", "Down"}, "", false, "forced"});
}

int thaw(AdminClient& client) {
  const auto all = client.list_all("Override");
  if (!all) return fail(all.error());
  return take_back(client, *all, {{"Freeze"}, "all", false, "frozen"});
}

}  // namespace meshdns::ctl
