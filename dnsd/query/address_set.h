#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "dnsd/answers/host.h"

namespace meshdns::query {

/// The addresses that an answer contains already, as rows of one host: a record is in a set once (RFC 2181 5). Each
/// family has a hash table with open addressing, so that adding a row costs the same in a long answer as in a short
/// one.
class AddressSet {
 public:
  /// The most addresses of a family: a message of 64 KiB has room for as many, at 16 bytes a record.
  static constexpr std::size_t kMost = 4096;

  /// rows: the most rows that will be added; values above kMost count as kMost
  AddressSet(const answers::Host& host, std::size_t rows) noexcept;

  /// Adds the row's address of one family.
  /// requires: the row has an address of this family
  /// returns: true = no earlier row has the address; false also if there is no room left
  bool add(std::uint16_t row, bool v4) noexcept;

 private:
  static constexpr std::uint16_t kEmpty = 0xFFFF;  // not a row: a host has at most as many rows, numbered from 0

  /// The hash table of one family: rows by the hash of their address.
  struct Family {
    std::array<std::uint16_t, 2 * kMost> slots;
    std::size_t count = 0;
  };

  const answers::Host& host_;
  std::size_t most_;
  std::size_t mask_;  // of the slots in use
  std::array<Family, 2> families_;
};

}  // namespace meshdns::query
