#include "agent/mapping/judge.h"

#include <algorithm>
#include <map>
#include <utility>

namespace meshdns::mapping {
namespace {

using Place = std::pair<SocketAddress, Protocol>;

/// Whether a socket takes what is sent to an address and port.
bool takes(const Listener& listener, const Rule& rule) {
  if (listener.protocol != rule.protocol || listener.where.port != rule.from.port) return false;
  const IpAddress& at = listener.where.ip;
  if (!at.is_unspecified()) return at == rule.from.ip;
  return at.is_v4() == rule.from.ip.is_v4() || (!at.is_v4() && !listener.v6_only);
}

std::string problem_of(const Rule& rule, const Facts& facts) {
  if (!facts.addresses.contains(rule.from.ip)) return rule.from.ip.text() + " is not an address of this machine";
  const auto found =
      std::ranges::find_if(facts.listeners, [&](const Listener& listener) { return takes(listener, rule); });
  return found == facts.listeners.end() ? "" : "a process listens on " + found->where.text();
}

}  // namespace

std::vector<Verdict> judge(const std::vector<Wish>& wishes, const Facts& facts, const std::set<Rule>& present) {
  std::vector<Verdict> out;
  std::map<Place, const Wish*> holders;
  for (const Wish& wish : wishes) {
    out.push_back({wish, problem_of(wish.rule, facts)});
    if (!out.back().refused.empty()) continue;
    const Wish*& holder = holders[{wish.rule.from, wish.rule.protocol}];
    const bool stays = holder != nullptr && (present.contains(holder->rule) || !present.contains(wish.rule));
    if (!stays) holder = &wish;
  }
  for (Verdict& verdict : out) {
    const auto holder = holders.find({verdict.wish.rule.from, verdict.wish.rule.protocol});
    if (!verdict.refused.empty() || holder->second->rule == verdict.wish.rule) continue;
    verdict.refused = verdict.wish.rule.from.text() + " leads to " + holder->second->endpoint;
  }
  return out;
}

std::vector<Rule> granted(const std::vector<Verdict>& verdicts) {
  std::set<Rule> out;
  for (const Verdict& verdict : verdicts) {
    if (verdict.refused.empty()) out.insert(verdict.wish.rule);
  }
  return {out.begin(), out.end()};
}

}  // namespace meshdns::mapping
