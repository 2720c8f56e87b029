#include "agent/mapping/port_mapper.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "common/log/log.h"

namespace meshdns::mapping {
namespace {

bool is_told(const std::vector<Verdict>& verdicts, const Verdict& verdict) {
  return std::ranges::find(verdicts, verdict) != verdicts.end();
}

/// Logs what is different now.
void tell(const std::vector<Verdict>& before, const std::vector<Verdict>& now) {
  for (const Verdict& verdict : now) {
    if (is_told(before, verdict)) continue;
    const auto& [endpoint, rule] = verdict.wish;
    const std::string_view protocol = protocol_name(rule.protocol);
    if (verdict.refused.empty()) {
      log::info("port mapped",
                {{"from", rule.from.text()}, {"to", rule.target}, {"protocol", protocol}, {"endpoint", endpoint}});
    } else {
      log::warn("port not mapped", {{"from", rule.from.text()},
                                    {"to", rule.target},
                                    {"protocol", protocol},
                                    {"endpoint", endpoint},
                                    {"reason", verdict.refused}});
    }
  }
  for (const Verdict& verdict : before) {
    const bool wanted = std::ranges::any_of(now, [&](const Verdict& other) { return other.wish == verdict.wish; });
    if (!wanted) log::info("port no longer mapped", {{"from", verdict.wish.rule.from.text()}});
  }
}

}  // namespace

void PortMapper::start() {
  const auto removed = machine_.run(removal(table_));
  clean_ = removed.has_value();
  note(clean_ ? Result<void>() : Result<void>(removed.error()));
}

void PortMapper::stop() {
  if (present_.empty() && clean_) return;
  const auto removed = machine_.run(removal(table_));
  if (removed || present_.empty()) return present_.clear();
  log::warn("port mapping stays: the table could not be removed", {{"table", table_}, {"reason", removed.error()}});
}

bool PortMapper::set(std::vector<Wish> wishes) {
  wishes_ = std::move(wishes);
  return look();
}

bool PortMapper::look() {
  if (wishes_.empty() && verdicts_.empty() && present_.empty() && clean_) return false;
  if (!present_.empty() && ++looks_ % kChecked == 0) check();
  const auto facts = wishes_.empty() ? Result<Facts>(Facts()) : machine_.facts();
  // without facts, what is there stays and nothing is added
  auto verdicts = facts ? judge(wishes_, *facts, present_) : std::vector<Verdict>();
  if (!facts) {
    for (const Wish& wish : wishes_) verdicts.push_back({wish, ""});
  }
  const auto done = facts ? write(granted(verdicts)) : Result<void>(facts.error());
  note(done);
  for (Verdict& verdict : verdicts) {
    if (!done && verdict.refused.empty() && !present_.contains(verdict.wish.rule)) verdict.refused = problem_;
  }
  if (verdicts == verdicts_) return false;
  tell(verdicts_, verdicts);
  verdicts_ = std::move(verdicts);
  return true;
}

Result<void> PortMapper::write(const std::vector<Rule>& rules) {
  std::set<Rule> wanted(rules.begin(), rules.end());
  if (wanted == present_ && clean_) return {};
  if (!present_.empty()) check();
  const auto written = machine_.run(wanted.empty() ? removal(table_) : replacement(table_, rules));
  if (!written) return written.error();
  clean_ = true;
  earlier_ += std::exchange(counted_, 0);
  present_ = std::move(wanted);
  return {};
}

void PortMapper::check() {
  constexpr std::size_t kHooks = 2;
  const auto listed = machine_.run(listing(table_));
  if (!listed && listed.error().code() != Code::NotFound) return;  // that says nothing about the table
  const Counted counted = listed ? counted_in(*listed) : Counted();
  if (listed) counted_ = std::max(counted_, counted.connections);
  if (counted.rules == kHooks * present_.size()) return;
  log::info("port mapping is written again: another program has changed the table", {{"table", table_}});
  present_.clear();
  clean_ = false;
}

void PortMapper::note(const Result<void>& done) {
  const std::string before = std::exchange(problem_, done ? "" : done.error().message());
  if (before.empty() == problem_.empty()) return;
  if (problem_.empty()) {
    log::info("port mapping works again");
  } else {
    log::warn("port mapping does not work: no port is redirected", {{"reason", problem_}});
  }
}

}  // namespace meshdns::mapping
