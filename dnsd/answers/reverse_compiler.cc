#include "dnsd/answers/reverse_compiler.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <string_view>

#include "dnsd/wire/reverse_name.h"

namespace meshdns::answers {
namespace {

std::optional<wire::ReverseName> read(const std::string& zone) {
  const auto bytes = wire::parse_name(zone);
  if (!bytes) return std::nullopt;
  wire::FoldedName name;
  wire::fold_name(*bytes, name);
  return wire::read_reverse_name(name);
}

std::string_view label_of(wire::NameBytes name) {
  return {reinterpret_cast<const char*>(name.data()) + 1, name.front()};
}

/// Compares names by their labels from the left. Numbers of hosts would not do: they differ between servers.
bool is_before(wire::NameBytes a, wire::NameBytes b) {
  while (a.front() != 0 && b.front() != 0) {
    const std::string_view label_a = label_of(a);
    const std::string_view label_b = label_of(b);
    if (label_a != label_b) return label_a < label_b;
    a = a.subspan(1 + label_a.size());
    b = b.subspan(1 + label_b.size());
  }
  return a.size() < b.size();
}

bool same_addresses(const Host& a, const Host& b) {
  const auto same_row = [&](std::size_t row) {
    const EndpointTraits& in_a = a.traits(row);
    const EndpointTraits& in_b = b.traits(row);
    if (in_a.displaced != in_b.displaced || in_a.knows_v4() != in_b.knows_v4() || in_a.knows_v6() != in_b.knows_v6()) {
      return false;
    }
    return a.rows()[row].v4 == b.rows()[row].v4 && (!in_a.knows_v6() || a.v6(row) == b.v6(row));
  };
  if (a.endpoints().size() != b.endpoints().size()) return false;
  for (std::size_t row = 0; row < a.endpoints().size(); ++row) {
    if (!same_row(row)) return false;
  }
  return true;
}

}  // namespace

bool is_reverse_zone(const std::string& zone) { return read(zone).has_value(); }

void ReverseCompiler::configure(const std::vector<std::string>& zones) {
  prefixes_.clear();
  hosts_of_.clear();
  fresh_.clear();
  for (const std::string& zone : zones) {
    const auto name = read(zone);
    // 0/25.2.0.192.in-addr.arpa (RFC 2317) has the names that its parent's aliases lead to, and no addresses
    if (name && name->unread == 0) prefixes_.push_back(name->prefix(name->labels));
  }
}

void ReverseCompiler::change(std::uint32_t number, const Host* before, const Host* after, ReverseIndex& index) {
  if (prefixes_.empty()) return;
  // the frequent case: only health has changed
  if (before != nullptr && after != nullptr && same_addresses(*before, *after)) return;
  const std::vector<IpAddress> old = addresses_of(before);
  const std::vector<IpAddress> now = addresses_of(after);
  std::vector<IpAddress> out;
  std::ranges::set_difference(old, now, std::back_inserter(out));
  for (const IpAddress& address : out) remove(address, number, index);
  out.clear();
  std::ranges::set_difference(now, old, std::back_inserter(out));
  for (const IpAddress& address : out) add(address, number, index);
}

std::vector<IpAddress> ReverseCompiler::addresses_of(const Host* host) const {
  std::vector<IpAddress> out;
  if (host == nullptr) return out;
  const auto take = [&](const IpAddress& address) {
    if (std::ranges::any_of(prefixes_, [&](const Prefix& prefix) { return prefix.contains(address); })) {
      out.push_back(address);
    }
  };
  for (std::size_t row = 0; row < host->endpoints().size(); ++row) {
    const EndpointTraits& traits = host->traits(row);
    if (traits.displaced) continue;
    if (traits.knows_v4()) take(IpAddress::v4_bytes(host->rows()[row].v4));
    if (traits.knows_v6()) take(IpAddress::v6_bytes(host->v6(row)));
  }
  std::ranges::sort(out);
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

void ReverseCompiler::add(const IpAddress& address, std::uint32_t host, ReverseIndex& index) {
  std::vector<std::uint32_t>& hosts = hosts_of_[address];
  const auto at = std::ranges::lower_bound(hosts, name_of_(host), is_before, name_of_);
  const bool first = at == hosts.begin();
  hosts.insert(at, host);
  if (first) put({address, host}, index);
}

void ReverseCompiler::remove(const IpAddress& address, std::uint32_t host, ReverseIndex& index) {
  const auto found = hosts_of_.find(address);
  std::vector<std::uint32_t>& hosts = found->second;
  const bool first = hosts.front() == host;
  std::erase(hosts, host);
  if (!first) return;
  if (!hosts.empty()) return put({address, hosts.front()}, index);
  hosts_of_.erase(found);
  erase(address, index);
}

ReversePage& ReverseCompiler::writable(std::size_t page, ReverseIndex& index) {
  Ref<const ReversePage>& at = index.pages[page];
  if (const auto fresh = fresh_.find(at.get()); fresh != fresh_.end()) return *fresh->second;
  auto* copy = new ReversePage(*at);
  at = Ref<const ReversePage>(copy);
  fresh_.emplace(copy, copy);
  return *copy;
}

void ReverseCompiler::put(const ReverseEntry& entry, ReverseIndex& index) {
  if (index.pages.empty()) {
    auto* page = new ReversePage;
    page->entries.push_back(entry);
    index.pages.emplace_back(page);
    fresh_.emplace(page, page);
    return;
  }
  const std::size_t number = index.page_of(entry.address);
  ReversePage& page = writable(number, index);
  auto& entries = page.entries;
  const auto at = std::ranges::lower_bound(entries, entry.address, {}, &ReverseEntry::address);
  if (at != entries.end() && at->address == entry.address) {
    at->host = entry.host;
    return;
  }
  entries.insert(at, entry);
  if (entries.size() <= ReversePage::kMost) return;
  auto* upper = new ReversePage;
  const auto middle = entries.begin() + ReversePage::kMost / 2;
  upper->entries.assign(middle, entries.end());
  entries.erase(middle, entries.end());
  index.pages.insert(index.pages.begin() + static_cast<std::ptrdiff_t>(number) + 1, Ref<const ReversePage>(upper));
  fresh_.emplace(upper, upper);
}

void ReverseCompiler::erase(const IpAddress& address, ReverseIndex& index) {
  const std::size_t number = index.page_of(address);
  ReversePage& page = writable(number, index);
  std::erase_if(page.entries, [&](const ReverseEntry& entry) { return entry.address == address; });
  if (!page.entries.empty()) return;
  fresh_.erase(&page);
  index.pages.erase(index.pages.begin() + static_cast<std::ptrdiff_t>(number));
}

}  // namespace meshdns::answers
