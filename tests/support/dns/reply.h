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

/// A reply as ldns reads it; names and records in presentation form.
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

  /// Data of the first such option; nothing = not there
  std::optional<std::vector<std::uint8_t>> option(wire::Option code) const;
  /// "10.1.2.0/24/16": family, source, scope; empty = no such option
  std::string subnet() const;
  /// "18" or "0 text"; empty = no such option
  std::string ede() const;
};

/// Errors: whatever ldns refuses, bytes behind the last record included.
Result<Reply> parse_reply(std::span<const std::uint8_t> message);

}  // namespace meshdns::test
