#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "common/net/ip_address.h"

namespace meshdns::probes {

/// Returns an answer to a question, with records of the addresses that are given as text, all at the question's name.
/// source: RFC 1035 4.1
inline std::string dns_answer(std::string_view question, int rcode, std::initializer_list<const char*> addresses = {}) {
  std::string out(question);
  out[2] = '\x81';
  out[3] = static_cast<char>(0x80 | rcode);
  out[7] = static_cast<char>(addresses.size());
  for (const char* text : addresses) {
    const IpAddress address = IpAddress::parse(text).value();
    const auto bytes = address.bytes();
    out += {'\xc0', '\x0c', '\0', address.is_v4() ? '\x01' : '\x1c', '\0', '\x01', '\0', '\0', '\0', '\x05', '\0'};
    out += static_cast<char>(bytes.size());
    out.append(bytes.begin(), bytes.end());
  }
  return out;
}

/// Returns the answer without its records, marked as cut (TC).
inline std::string dns_cut_answer(std::string_view question) {
  std::string out = dns_answer(question, 0);
  out[2] = static_cast<char>(out[2] | 0x02);
  return out;
}

}  // namespace meshdns::probes
