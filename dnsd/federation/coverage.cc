#include "dnsd/federation/coverage.h"

#include <algorithm>
#include <utility>

#include "common/base/printable.h"
#include "common/base/text.h"
#include "common/convert/report_convert.h"
#include "common/model/sources.h"

namespace meshdns::federation {
namespace {

constexpr std::size_t kLongestProblem = 300;

std::uint64_t hash_of_key(const std::string& key) { return convert::record_hash(key, ""); }

}  // namespace

std::string own_key(const std::string& node, const std::string& key) {
  return key.starts_with(node + "/") ? key.substr(node.size() + 1) : key;
}

void NodeCopy::put(const std::string& key, std::uint64_t hash) {
  std::uint64_t& known = hashes_[hash_of_key(key)];
  digest_ += hash - known;
  known = hash;
  unusable_.erase(key);
}

void NodeCopy::erase(const std::string& key) {
  unusable_.erase(key);
  const auto found = hashes_.find(hash_of_key(key));
  if (found == hashes_.end()) return;
  digest_ -= found->second;
  hashes_.erase(found);
}

void NodeCopy::clear() {
  hashes_.clear();
  unusable_.clear();
  digest_ = 0;
  whole = false;
  no_room = 0;
  forbidden = false;
}

std::uint64_t NodeCopy::hash_of(const std::string& key) const {
  const auto found = hashes_.find(hash_of_key(key));
  return found == hashes_.end() ? 0 : found->second;
}

void NodeCopy::note_refused(const std::string& node, const catalog::Refusal& refusal, const catalog::Catalog& catalog) {
  if (refusal.no_room) ++no_room;
  forbidden = forbidden || refusal.kind != catalog::Refusal::Kind::Invalid;
  if (refusal.unwatched && catalog.latest_endpoint(refusal.key) != nullptr) {
    unusable_.insert(own_key(node, refusal.key));
  }
}

std::string Coverage::problem_text(const std::string& source, const std::string& error) {
  const auto lines = split(error, '\n');
  std::string text = "does not read " + (error.empty() ? "source " + source : std::string(lines.front()));
  if (text.size() > kLongestProblem) text = text.substr(0, kLongestProblem) + "...";
  if (lines.size() > 1) text += " (and " + std::to_string(lines.size() - 1) + " more)";
  std::ranges::replace_if(text, is_control, ' ');
  return text;
}

void Coverage::told(const std::string& node, const NodeCopy& copy, const std::set<std::string>& listed, Duration lease,
                    TimePoint now) {
  std::vector<std::string> unchecked;
  std::set<std::string> replaced;
  for (const std::string& key : catalog_.keys_of(node)) {
    const std::string own = own_key(node, key);
    // what a watcher has put is not its agent's to check
    if (copy.watches(own) || catalog_.latest_endpoint(key)->source == model::kSliceSource) continue;
    unchecked.push_back(key);
    if (!copy.has(own) && listed.contains(catalog_.latest_endpoint(key)->source)) replaced.insert(key);
  }
  catalog_.set_unwatched(unchecked, now);
  // may be more than `unchecked`: a mark stays until the agent has a result
  const std::size_t endpoints = unwatched(node);
  if (endpoints == 0) {
    entries_.erase(node);
    return;
  }
  const auto [at, added] = entries_.try_emplace(node);
  Entry& entry = at->second;
  for (const std::string& key : unchecked) {
    if (entry.replaced.contains(key)) replaced.insert(key);
  }
  if (added) {
    entry.since = now;
    entry.due = now + lease;
  }
  entry.endpoints = endpoints;
  if (entry.replaced.empty()) entry.replaced_since = now;
  entry.replaced = std::move(replaced);
  withdraw_replaced(node, entry, now);
}

void Coverage::changed(const std::string& node, TimePoint now) {
  const auto found = entries_.find(node);
  if (found != entries_.end()) withdraw_replaced(node, found->second, now);
}

void Coverage::withdraw_replaced(const std::string& node, Entry& entry, TimePoint now) {
  if (entry.replaced.empty()) return;
  const std::set<model::ServiceKey> awaited = catalog_.unpublished_services(node);
  const bool over = now - entry.replaced_since >= kReplacement;
  std::vector<std::string> going;
  for (const std::string& key : entry.replaced) {
    const model::Endpoint* known = catalog_.latest_endpoint(key);
    if (known == nullptr || over || model::ends_when_unlisted(known->source) ||
        !awaited.contains({known->namespace_, known->service}))
      going.push_back(key);
  }
  for (const std::string& key : going) entry.replaced.erase(key);
  catalog_.apply_delta(node, {}, going, now);
}

std::size_t Coverage::unwatched(const std::string& node) const {
  const auto keys = catalog_.keys_of(node);
  return static_cast<std::size_t>(
      std::ranges::count_if(keys, [&](const std::string& key) { return catalog_.latest_endpoint(key)->unwatched; }));
}

Coverage::Swept Coverage::sweep(TimePoint now) {
  Swept out;
  for (auto at = entries_.begin(); at != entries_.end();) {
    auto& [node, entry] = *at;
    if (now - entry.replaced_since >= kReplacement) withdraw_replaced(node, entry, now);
    if (now < entry.due) {
      ++at;
      continue;
    }
    entry.endpoints = unwatched(node);
    if (entry.endpoints == 0) {
      out.over.push_back(node);
      at = entries_.erase(at);
      continue;
    }
    out.lapsed = out.lapsed || !entry.lapsed;
    entry.lapsed = true;
    entry.due = now + kPause;
    ++at;
  }
  return out;
}

bool Coverage::is_over(const std::string& node) {
  const auto found = entries_.find(node);
  if (found == entries_.end()) return true;
  if (unwatched(node) > 0) return false;
  entries_.erase(found);
  return true;
}

bool Coverage::is_lapsed(const std::string& node) const {
  const auto found = entries_.find(node);
  return found != entries_.end() && found->second.lapsed;
}

std::size_t Coverage::lapsed() const {
  return static_cast<std::size_t>(std::ranges::count_if(entries_, [](const auto& at) { return at.second.lapsed; }));
}

void Coverage::each_lapsed(const std::function<void(const Lapsed&)>& see) const {
  for (const auto& [node, entry] : entries_) {
    if (entry.lapsed) see({node, entry.since, entry.endpoints});
  }
}

}  // namespace meshdns::federation
