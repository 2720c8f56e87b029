#include "dnsd/query/explain_text.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "common/base/printable.h"
#include "common/time/duration_text.h"

namespace meshdns::query {

void Line::append(std::string_view text) noexcept {
  for_printable(text, Lines::One, [this](std::string_view part) {
    const std::size_t size = std::min(part.size(), data_.size() - size_);
    std::memcpy(data_.data() + size_, part.data(), size);
    size_ += size;
  });
}

void Line::append_number(std::uint64_t value) noexcept {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  append({digits.data(), static_cast<std::size_t>(end - digits.data())});
}

void Line::append_address(const IpAddress& address) noexcept {
  std::array<char, INET6_ADDRSTRLEN> text;
  const int family = address.is_v4() ? AF_INET : AF_INET6;
  if (::inet_ntop(family, address.bytes().data(), text.data(), text.size()) != nullptr) append(text.data());
}

void Line::append_age(Duration age) noexcept { append(age_text(age)); }

void append_line_number(Line& line, std::size_t number) noexcept {
  if (number < 10) line.append("0");
  line.append_number(number);
  line.append(" ");
}

Prefix prefix_of(const wire::ClientSubnet& subnet) noexcept {
  const std::span<const std::uint8_t, 16> bytes(subnet.address);
  return Prefix::of(subnet.family == 1 ? IpAddress::v4_bytes(bytes.first<4>()) : IpAddress::v6_bytes(bytes),
                    subnet.source);
}

void append_client(Line& line, const answers::AnswerTable& table, const answers::Located& located,
                   const IpAddress& client, const wire::ClientSubnet& subnet) noexcept {
  const std::string_view reason = table.where->locator.reasons[located.reason];
  if (located.source == answers::PlaceSource::Forwarder) {
    line.append("asked by ");
    line.append_address(client);
    line.append(subnet.present ? " (forwarder, unknown subnet): placed as " : " (forwarder, no ECS): placed as ");
    return line.append(reason);
  }
  line.append("client ");
  if (located.subnet_trusted && subnet.source > 0) {
    line.append_address(prefix_of(subnet).address());
    line.append("/");
    line.append_number(subnet.source);
    line.append(" behind ");
  }
  line.append_address(client);
  line.append(" -> ");
  line.append(table.where->places[located.place]);
  line.append(" ");
  line.append(reason);
}

void append_pieces(Line& line, std::span<const answers::ExplainPiece> pieces, TimePoint now) noexcept {
  for (const auto& piece : pieces) {
    line.append(piece.text);
    if (piece.since) line.append_age(now - *piece.since);
  }
}

}  // namespace meshdns::query
