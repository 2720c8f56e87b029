#include "dnsd/query/instance_name.h"

#include <algorithm>
#include <charconv>
#include <cstring>

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

}  // namespace

InstanceName::InstanceName(const answers::Host& host, std::size_t row) noexcept {
  std::array<char, kLongestInstance> label;
  const std::size_t size = write_label(host, row, label.data());
  const wire::NameBytes parent = host.name();
  if (size == 0 || 1 + size + parent.size() > bytes.size()) return;
  bytes[0] = static_cast<std::uint8_t>(size);
  std::memcpy(bytes.data() + 1, label.data(), size);
  std::memcpy(bytes.data() + 1 + size, parent.data(), parent.size());
  length = 1 + size + parent.size();
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

}  // namespace meshdns::query
