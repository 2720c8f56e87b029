#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dnsd/wire/types.h"

namespace meshdns::test {

using Bytes = std::vector<std::uint8_t>;

/// Returns bytes from hexadecimal digits; skips all other characters.
Bytes hex(std::string_view digits);

struct EdnsRequest {
  std::uint16_t udp_size = 1232;
  std::uint8_t version = 0;
  std::uint16_t flags = 0;
  Bytes options;  // raw

  /// Adds an option.
  EdnsRequest& option(std::uint16_t code, const Bytes& data);
  /// Adds a client subnet option, like "10.1.2.0/24": the address is cut to the prefix.
  EdnsRequest& subnet(std::string_view prefix);
};

struct Request {
  std::string name = ".";  // presentation form; its case is kept
  wire::Type type = wire::Type::A;
  wire::Class qclass = wire::Class::IN;
  std::uint16_t id = 0x1234;
  std::uint16_t flags = 0x0100;  // RD
  std::optional<EdnsRequest> edns;

  /// Returns the message in wire form.
  Bytes bytes() const;
};

/// Returns a header with these counts, and nothing after it.
Bytes header(std::uint16_t id, std::uint16_t flags, std::uint16_t questions, std::uint16_t answers,
             std::uint16_t authority, std::uint16_t additional);
/// Returns a question in wire form.
Bytes question(std::string_view name, wire::Type type, wire::Class qclass = wire::Class::IN);
/// Returns both byte strings in a row.
Bytes operator+(Bytes left, const Bytes& right);

}  // namespace meshdns::test
