#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/net/ip_address.h"

// One question to one DNS server, as messages: for a caller that judges the server itself, and so must see the answer
// as it came. resolver.h is for a caller that wants the addresses of a name from whichever server answers.

namespace meshdns::resolve {

/// What a server answered.
struct Reply {
  int rcode = 0;
  bool truncated = false;            // then the records are not read
  std::vector<IpAddress> addresses;  // in the answer to a question for A or AAAA; records of other types are not read

  friend bool operator==(const Reply&, const Reply&) = default;
};

/// Writes a question, with the bit "recursion desired" and without EDNS.
/// name:   a host name, without escapes
/// type:   A, AAAA, CNAME, MX, NS, PTR, SOA, SRV or TXT
/// errors: InvalidArgument: the name or the type is wrong
/// source: RFC 1035 4.1
Result<std::string> write_question(const std::string& name, std::string_view type, std::uint16_t id);

/// Whether a message is an answer to the question: it has its id, and repeats it. A server that reports an error may
/// leave the question out.
/// question: as written by write_question()
/// source: RFC 5452 9.1; RFC 1035 4.1.1
bool is_reply_to(std::string_view question, std::string_view message);

/// Reads an answer.
/// requires: is_reply_to() is true
/// type:   of the question
/// errors: DataLoss: the addresses cannot be read
Result<Reply> read_reply(std::string_view message, std::string_view type);

/// Returns "NXDOMAIN"; of codes without a name of RFC 1035 "rcode 9".
std::string rcode_name(int rcode);

}  // namespace meshdns::resolve
