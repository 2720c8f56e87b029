#include "dnsd/wire/reverse_name.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

namespace meshdns::wire {
namespace {

constexpr std::size_t kSuffixLabels = 2;  // in-addr.arpa, ip6.arpa

std::string_view text_of(NameBytes label) noexcept {
  return {reinterpret_cast<const char*>(label.data()), label.size()};
}

/// Returns the number of a label; nothing = it is not a number, or not written as the standard demands.
std::optional<std::uint8_t> number_of(std::string_view label, int base) noexcept {
  const std::size_t most = base == 10 ? 3 : 1;
  if (label.empty() || label.size() > most || (label.size() > 1 && label.front() == '0')) return std::nullopt;
  std::uint8_t value = 0;
  const auto [end, error] = std::from_chars(label.data(), label.data() + label.size(), value, base);
  if (error != std::errc() || end != label.data() + label.size()) return std::nullopt;
  return value;
}

}  // namespace

std::optional<ReverseName> read_reverse_name(const FoldedName& name) noexcept {
  if (name.labels < kSuffixLabels || text_of(name.label(name.labels - 1U)) != "arpa") return std::nullopt;
  const std::string_view family = text_of(name.label(name.labels - kSuffixLabels));
  if (family != "in-addr" && family != "ip6") return std::nullopt;
  const bool v4 = family == "in-addr";
  const std::size_t whole = v4 ? 4 : 32;
  const std::size_t given = name.labels - kSuffixLabels;
  std::array<std::uint8_t, 16> bytes{};
  ReverseName out;
  out.step = v4 ? 8 : 4;
  for (; out.labels < std::min(given, whole); ++out.labels) {
    const auto number = number_of(text_of(name.label(given - 1 - out.labels)), v4 ? 10 : 16);
    if (!number) break;
    const std::size_t bit = out.labels * out.step;
    bytes[bit / 8] = static_cast<std::uint8_t>(bytes[bit / 8] | *number << (8 - out.step - bit % 8));
  }
  out.unread = given - out.labels;
  out.address = v4 ? IpAddress::v4_bytes(std::span(bytes).first<4>()) : IpAddress::v6_bytes(bytes);
  return out;
}

}  // namespace meshdns::wire
