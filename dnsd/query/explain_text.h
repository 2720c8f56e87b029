#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "common/net/prefix.h"
#include "common/time/time.h"
#include "dnsd/answers/answer_table.h"
#include "dnsd/wire/message.h"

namespace meshdns::query {

/// A printable line under construction, in memory of fixed size. Text that does not fit is cut.
class Line {
 public:
  void append(std::string_view text) noexcept;
  void append_number(std::uint64_t value) noexcept;
  void append_address(const IpAddress& address) noexcept;
  /// Appends age_text(age), "0.8s" or "4h12m", which is short enough not to allocate.
  void append_age(Duration age) noexcept;

  std::string_view text() const noexcept { return {data_.data(), size_}; }
  std::span<const std::uint8_t> bytes() const noexcept {
    return {reinterpret_cast<const std::uint8_t*>(data_.data()), size_};
  }

 private:
  std::array<char, 2048> data_;
  std::size_t size_ = 0;
};

/// Appends "01 ", by which readers can sort the lines: clients get them in any order.
void append_line_number(Line& line, std::size_t number) noexcept;

/// Returns the addresses that the option stands for.
/// requires: subnet.present
Prefix prefix_of(const wire::ClientSubnet& subnet) noexcept;

/// Appends "client 10.0.0.9 -> eu/eu-a/eu-1 by node prefix 10.0.0.0/24 (eu1-n1)".
void append_client(Line& line, const answers::AnswerTable& table, const answers::Located& located,
                   const IpAddress& client, const wire::ClientSubnet& subnet) noexcept;

/// Appends an explain line, with times as ages at `now`.
void append_pieces(Line& line, std::span<const answers::ExplainPiece> pieces, TimePoint now) noexcept;

}  // namespace meshdns::query
