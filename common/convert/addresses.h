#pragma once

#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/net/ip_address.h"

namespace meshdns::convert {

/// Reads a repeated field of addresses, each of 4 or 16 bytes.
/// name: begins the error's message
template <class Field>
Result<std::vector<IpAddress>> read_addresses(const Field& field, std::string_view name = "addresses") {
  std::vector<IpAddress> out;
  for (const std::string& bytes : field) {
    auto address = IpAddress::from_bytes(bytes);
    if (!address) return address.error().with_context(name);
    out.push_back(*address);
  }
  return out;
}

/// Writes addresses into a repeated field, each as 4 or 16 bytes.
/// addresses: any range of IpAddress
template <class Addresses, class Field>
void write_addresses(const Addresses& addresses, Field& out) {
  for (const IpAddress& address : addresses) out.Add()->assign(address.bytes().begin(), address.bytes().end());
}

}  // namespace meshdns::convert
