#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>

#include "common/net/ip_address.h"
#include "dnsd/answers/answer_table.h"
#include "dnsd/wire/name.h"

namespace meshdns::query {

/// A name in a reverse zone, as far as it exists because of endpoints' addresses.
struct Reverse {
  static constexpr std::size_t kNowhere = std::numeric_limits<std::size_t>::max();

  std::size_t below = kNowhere;         // labels before the closest name that exists because of an address
  const answers::Host* host = nullptr;  // if the name is a whole address: PTR answers an instance of this host
  IpAddress address;                    // set with `host`
};

/// Finds what a name in a reverse zone stands for. The zone itself is not checked: only addresses inside our reverse
/// zones are in the table, but names above a zone's apex are found, too.
Reverse find_reverse(const answers::AnswerTable& table, const wire::FoldedName& name) noexcept;

/// Returns the first row that has the address.
std::optional<std::uint16_t> find_row(const answers::Host& host, const IpAddress& address) noexcept;

}  // namespace meshdns::query
