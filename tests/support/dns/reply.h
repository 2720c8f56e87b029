#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "dnsd/wire/types.h"

namespace meshdns::test {

struct ReplyOption {
  std::uint16_t code = 0;
  std::vector<std::uint8_t> data;
};

/// A reply as ldns reads it. Names and records are in presentation form.
struct Reply {
  std::uint16_t id = 0;
  bool qr = false, aa = false, tc = false, rd = false, ra = false, ad = false, cd = false, z = false;
  std::uint8_t opcode = 0;
  std::uint16_t rcode = 0;            // extended bits included
  std::vector<std::string> question;  // "name class type"
  // "name ttl class type rdata", one blank between
  std::vector<std::string> answer, authority, additional;  // without OPT
  bool edns = false;
  bool dnssec_ok = false;
  std::uint8_t edns_version = 0;
  std::uint16_t udp_size = 0;
  std::vector<ReplyOption> options;
  std::size_t size = 0;

  /// Returns the data of the first option with this code; nothing = none.
  std::optional<std::vector<std::uint8_t>> option(wire::Option code) const;
  /// Returns the client subnet option as text, "10.1.2.0/24/16": address, source and scope length; empty = none.
  std::string subnet() const;
  /// Returns the extended DNS error as text, "18" or "0 text"; empty = none.
  std::string ede() const;
};

/// Reads a reply with ldns.
/// errors: ldns refuses the message, or there are bytes behind the last record
Result<Reply> parse_reply(std::span<const std::uint8_t> message);

}  // namespace meshdns::test
