#include "common/identity/node_rights.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "common/base/text.h"

namespace meshdns::identity {
namespace {

constexpr int kWidestV4 = 8;
constexpr int kWidestV6 = 32;

/// Ranges in which no client of a mesh is. Addresses of one host have their own rule, not_answerable().
/// source: RFC 5737, RFC 3849, RFC 1122 3.2.1.3, RFC 3927, RFC 4291 2.5.6 and 2.7, RFC 5771
constexpr std::array kNowhere = {"192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "127.0.0.0/8",
                                 "::1/128",      "169.254.0.0/16",  "fe80::/10",      "224.0.0.0/4",   "ff00::/8"};

bool touches_nowhere(const Prefix& prefix, Loopback loopback) {
  return std::any_of(kNowhere.begin(), kNowhere.end(), [&](const char* text) {
    const auto nowhere = Prefix::parse(text);
    if (loopback == Loopback::Allowed && nowhere->address().is_loopback()) return false;
    return nowhere->contains(prefix) || prefix.contains(*nowhere);
  });
}

template <class Place>
bool inside_any(const std::vector<Prefix>& prefixes, const Place& place) {
  return std::any_of(prefixes.begin(), prefixes.end(), [&](const Prefix& prefix) { return prefix.contains(place); });
}

bool any_matches(const std::vector<std::string>& patterns, std::string_view text) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) { return glob(pattern, text); });
}

bool empty_or_any(const std::vector<std::string>& patterns, std::string_view text) {
  return patterns.empty() || any_matches(patterns, text);
}

Error refusal(std::string_view what, std::string_view why, std::string_view rule) {
  return {Code::PermissionDenied, fmt::format("{}: {} (rule {})", what, why, rule)};
}

}  // namespace

bool glob(std::string_view pattern, std::string_view text) {
  // how it works: after a `*`, the rest is tried at each place; only the last `*` has to be tried again, because an
  // earlier one that took more would leave less for the later one. The time is at most pattern times text.
  std::size_t p = 0, t = 0, star = std::string_view::npos, after = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      after = t;
    } else if (p < pattern.size() && ascii_lower(pattern[p]) == ascii_lower(text[t])) {
      ++p, ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++after;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

NodeRights::NodeRights(std::shared_ptr<const AgentRules> rules, std::string node)
    : rules_(std::move(rules)), node_(std::move(node)) {
  const auto row = std::find_if(rules_->rows.begin(), rules_->rows.end(),
                                [&](const model::AgentRow& each) { return any_matches(each.nodes, node_); });
  if (row != rules_->rows.end()) row_ = static_cast<std::size_t>(row - rules_->rows.begin());
}

std::optional<model::NodeQuota> NodeRights::quota() const {
  if (rules_->quota || !rules_->identities) return rules_->quota;
  return model::NodeQuota{};
}

Result<void> NodeRights::claim(const Prefix& prefix) const {
  if (!rules_->identities) return {};
  if (rules_->prefixes) {
    if (inside_any(*rules_->prefixes, prefix)) return {};
    return refusal(prefix.text(), "it is outside allowedPrefixes of the cluster", "allowed-prefixes");
  }
  if (prefix.length() < (prefix.family() == Family::V4 ? kWidestV4 : kWidestV6))
    return refusal(prefix.text(), "it is wider than /8 (IPv4) or /32 (IPv6), which needs allowedPrefixes",
                   "wide-prefix");
  if (touches_nowhere(prefix, rules_->loopback))
    return refusal(prefix.text(),
                   "it is for loopback, link-local, multicast or documentation, which needs allowedPrefixes",
                   "special-prefix");
  return {};
}

Result<void> NodeRights::claim(const IpAddress& address) const {
  if (!rules_->identities) return {};
  if (const auto why = not_answerable(address, rules_->loopback))
    return refusal(address.text(), *why, "special-address");
  if (rules_->prefixes && !inside_any(*rules_->prefixes, address))
    return refusal(address.text(), "it is outside allowedPrefixes of the cluster", "allowed-prefixes");
  if (!rules_->prefixes && touches_nowhere(Prefix::host(address), rules_->loopback))
    return refusal(address.text(), "it is for documentation, which needs allowedPrefixes", "special-address");
  return {};
}

Result<void> NodeRights::list(std::string_view namespace_, std::string_view service) const {
  if (rules_->rows.empty()) return {};
  const std::string what = fmt::format("{}/{}", namespace_, service);
  if (!row_) return refusal(what, fmt::format("no row of the cluster's agents names node {}", node_), "agents");
  const model::AgentRow& row = rules_->rows[*row_];
  const bool no_service = service.empty();  // claims none; a service may get it by an EndpointSlice, which is no claim
  if (empty_or_any(row.namespaces, namespace_) && (no_service || empty_or_any(row.services, service))) return {};
  return refusal(
      what, fmt::format("row {} of the cluster's agents, which names node {}, does not allow it", *row_ + 1, node_),
      "agents");
}

Result<void> NodeRights::answer(const IpAddress& address, const std::vector<IpAddress>& own,
                                const std::vector<Prefix>& prefixes) const {
  if (!rules_->identities) return {};
  if (const auto why = not_answerable(address, rules_->loopback))
    return refusal(address.text(), *why, "special-address");
  if (address.is_loopback()) return {};  // the whole mesh is on one machine, whose loopback addresses all nodes share
  if (std::find(own.begin(), own.end(), address) != own.end() || inside_any(prefixes, address)) return {};
  return refusal(address.text(), fmt::format("it is neither an address of node {} nor inside its prefixes", node_),
                 "own-address");
}

}  // namespace meshdns::identity
