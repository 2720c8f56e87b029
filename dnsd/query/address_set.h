#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "dnsd/answers/host.h"

namespace meshdns::query {

/// The rows of one host whose addresses an answer has already: a record is in a set once (RFC 2181 5). A table with
/// open addressing for each family, so that a row of a long answer takes no more steps than one of a short answer.
class AddressSet {
 public:
  /// Addresses of a family: as many as a message of 64 KiB has room for, at 16 bytes a record.
  static constexpr std::size_t kMost = 4096;

  /// rows: at most so many will be added; more than kMost count as kMost
  AddressSet(const answers::Host& host, std::size_t rows) noexcept;

  /// Adds the row's address of one family, which it must have.
  /// returns: true if no row before has that address; false also where there is no room left
  bool add(std::uint16_t row, bool v4) noexcept;

 private:
  static constexpr std::uint16_t kEmpty = 0xFFFF;  // a host has at most so many rows

  struct Family {
    std::array<std::uint16_t, 2 * kMost> slots;
    std::size_t count = 0;
  };

  const answers::Host& host_;
  std::size_t most_;
  std::size_t mask_;  // of the slots that are in use
  std::array<Family, 2> families_;
};

}  // namespace meshdns::query
