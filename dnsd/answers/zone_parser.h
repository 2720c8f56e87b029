#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "dnsd/wire/types.h"

namespace meshdns::answers {

/// One record of a zone text.
struct StaticRecord {
  std::vector<std::uint8_t> owner;  // wire form, folded
  wire::Type type{};
  std::uint32_t ttl = 0;
  std::vector<std::uint8_t> rdata;  // wire form, uncompressed

  friend bool operator==(const StaticRecord&, const StaticRecord&) = default;
};

/// Parses one line in master file form (RFC 1035 5.1): "www 60 CNAME app-b". Names without a dot at the end are
/// relative to `origin`.
/// errors: what ldns says; directives; classes other than IN; SOA, DNAME and OPT
Result<StaticRecord> parse_record(std::string_view line, std::string_view origin, std::uint32_t default_ttl);

/// The result of read_records().
struct ReadLines {
  struct Bad {
    std::size_t index = 0;  // among the lines, from 0
    std::string what;
  };
  std::vector<StaticRecord> records;
  std::vector<Bad> bad;
};

/// Parses and checks all lines of a configuration. Besides the lines that parse_record() refuses, these are bad: owners
/// in none of the zones, records beside a CNAME (RFC 1034 3.6.2), CNAMEs at an apex, and delegations.
ReadLines read_records(const std::vector<std::string>& lines, const std::vector<std::string>& zones);

/// The result of read_zone_file().
struct ReadFile {
  struct Bad {
    std::size_t line = 0;  // where the record begins, from 1
    std::string what;
  };
  std::vector<StaticRecord> records;  // a zone's SOA among them, if the file has it
  std::vector<Bad> bad;
};

/// Parses a master file (RFC 1035 5.1) with records of any of the zones. The first zone is the origin until $ORIGIN
/// sets another. A record without a TTL has the TTL of $TTL (RFC 2308 4), or that of the record before it, or 60 s. Bad
/// are the records that read_records() finds bad, $INCLUDE, and a second SOA of a zone.
/// beside: records from elsewhere, checked together with those of the file
ReadFile read_zone_file(std::string_view text, const std::vector<std::string>& zones,
                        const std::vector<StaticRecord>& beside);

/// Parses lines that must all be good.
/// errors: that of the first bad line
/// errors: of the first bad line
Result<std::vector<StaticRecord>> parse_records(const std::vector<std::string>& lines,
                                                const std::vector<std::string>& zones);

}  // namespace meshdns::answers
