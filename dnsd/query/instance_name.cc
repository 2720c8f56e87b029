#include "dnsd/query/instance_name.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "common/base/text.h"
#include "dnsd/wire/byte_order.h"

namespace meshdns::query {
namespace {

/// Writes an instance label.
/// returns: the length of the label; 0 = the row has no address
std::size_t write_label(const answers::Host& host, std::size_t row, char* out) noexcept {
  char* at = out;
  char* const end = out + kLongestInstance;
  const bool has_v4 = host.traits(row).knows_v4();
  if (!has_v4 && !host.traits(row).knows_v6()) return 0;
  const auto& v4 = host.rows()[row].v4;
  const std::size_t groups = has_v4 ? 4 : 8;
  for (std::size_t i = 0; i < groups; ++i) {
    if (i > 0) *at++ = '-';
    const unsigned value = has_v4 ? v4[i] : wire::load16(host.v6(row).data() + 2 * i);
    at = std::to_chars(at, end, value, has_v4 ? 10 : 16).ptr;
  }
  return static_cast<std::size_t>(at - out);
}

std::string_view chars_of(wire::NameBytes label) noexcept {
  return {reinterpret_cast<const char*>(label.data()), label.size()};
}

/// Returns whether a row is one that names with this cluster lead to.
bool is_member(const answers::Host& host, std::size_t row, wire::NameBytes cluster) noexcept {
  if (host.traits(row).displaced || (!host.cluster_names && host.hostname(row).empty())) return false;
  const std::string& own = host.locality(host.endpoints()[row]).cluster;
  return std::ranges::equal(own, chars_of(cluster), {}, [](char letter) { return ascii_lower(letter); });
}

}  // namespace

void InstanceName::put_label(std::string_view label) noexcept {
  bytes[length] = static_cast<std::uint8_t>(label.size());
  std::memcpy(bytes.data() + length + 1, label.data(), label.size());
  length += 1 + label.size();
}

InstanceName::InstanceName(const answers::Host& host, std::size_t row) noexcept {
  std::array<char, kLongestInstance> dashed;
  const std::string_view address(dashed.data(), write_label(host, row, dashed.data()));
  const wire::NameBytes parent = host.name();
  if (address.empty() || 1 + address.size() + parent.size() > bytes.size()) return;
  const std::string_view own = host.hostname(row).empty() ? address : host.hostname(row);
  const std::string& cluster = host.locality(host.rows()[row]).cluster;  // gateways have none
  const bool longer =
      host.cluster_names && !cluster.empty() && 2 + own.size() + cluster.size() + parent.size() <= bytes.size();
  put_label(longer ? own : address);
  if (longer) put_label(cluster);
  std::memcpy(bytes.data() + length, parent.data(), parent.size());
  length += parent.size();
}

std::optional<std::uint16_t> find_instance(const answers::Host& host, wire::NameBytes label) noexcept {
  const auto dashes = std::count(label.begin(), label.end(), '-');
  if (dashes != 3 && dashes != 7) return std::nullopt;
  std::array<char, kLongestInstance> own;
  for (std::size_t i = 0; i < host.rows().size(); ++i) {
    if (host.traits(i).knows_v4() != (dashes == 3) || host.traits(i).displaced) continue;
    const std::size_t size = write_label(host, i, own.data());
    if (size == label.size() && std::memcmp(own.data(), label.data(), size) == 0) return static_cast<std::uint16_t>(i);
  }
  return std::nullopt;
}

std::optional<std::uint16_t> find_member(const answers::Host& host, const MemberName& name, std::size_t from) noexcept {
  if (!host.cluster_names && !host.hostnames) return std::nullopt;
  std::array<char, kLongestInstance> dashed;
  for (std::size_t i = from; i < host.endpoints().size(); ++i) {
    if (!is_member(host, i, name.cluster)) continue;
    std::string_view own = host.hostname(i);
    if (own.empty()) own = {dashed.data(), write_label(host, i, dashed.data())};
    if (own == chars_of(name.instance)) return static_cast<std::uint16_t>(i);
  }
  return std::nullopt;
}

bool has_members(const answers::Host& host, wire::NameBytes cluster) noexcept {
  if (!host.cluster_names && !host.hostnames) return false;
  for (std::size_t i = 0; i < host.endpoints().size(); ++i) {
    if (is_member(host, i, cluster)) return true;
  }
  return false;
}

}  // namespace meshdns::query
