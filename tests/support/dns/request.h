#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dnsd/wire/types.h"

namespace meshdns::test {

using Bytes = std::vector<std::uint8_t>;

/// Bytes from hexadecimal digits; anything else in the text is skipped.
Bytes hex(std::string_view digits);

struct EdnsRequest {
  std::uint16_t udp_size = 1232;
  std::uint8_t version = 0;
  std::uint16_t flags = 0;
  Bytes options;  // raw

  EdnsRequest& option(std::uint16_t code, const Bytes& data);
  /// "10.1.2.0/24": the address cut to the prefix
  EdnsRequest& subnet(std::string_view prefix);
};

struct Request {
  std::string name = ".";  // presentation form; its case is kept
  wire::Type type = wire::Type::A;
  wire::Class qclass = wire::Class::IN;
  std::uint16_t id = 0x1234;
  std::uint16_t flags = 0x0100;  // RD
  std::optional<EdnsRequest> edns;

  /// The message in wire form
  Bytes bytes() const;
};

/// Header with these counts; nothing behind it.
Bytes header(std::uint16_t id, std::uint16_t flags, std::uint16_t questions, std::uint16_t answers,
             std::uint16_t authority, std::uint16_t additional);
/// `<name> <type> IN` in wire form
Bytes question(std::string_view name, wire::Type type, wire::Class qclass = wire::Class::IN);
Bytes operator+(Bytes left, const Bytes& right);

}  // namespace meshdns::test
