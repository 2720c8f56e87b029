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

/// Reads one line in master file form (RFC 1035 5.1), "www 60 CNAME app-b"; names without a dot at the end are below
/// `origin`.
/// errors: what ldns says; directives; classes other than IN; SOA and DNAME, and types that we make ourselves
Result<StaticRecord> parse_record(std::string_view line, std::string_view origin, std::uint32_t default_ttl);

/// The lines of a configuration, read.
struct ReadLines {
  struct Bad {
    std::size_t index = 0;  // among the lines, from 0
    std::string what;
  };
  std::vector<StaticRecord> records;
  std::vector<Bad> bad;
};

/// Reads and checks all lines of a configuration. Bad are, beside what parse_record refuses: an owner below no zone,
/// records beside a CNAME (RFC 1034 3.6.2), of which an apex has always some, and delegations.
ReadLines read_records(const std::vector<std::string>& lines, const std::vector<std::string>& zones);

/// A master file, read.
struct ReadFile {
  struct Bad {
    std::size_t line = 0;  // where the record begins, from 1
    std::string what;
  };
  std::vector<StaticRecord> records;  // a zone's SOA among them, if the file has it
  std::vector<Bad> bad;
};

/// Reads a master file (RFC 1035 5.1) with records of any of the zones. The first zone is the origin until $ORIGIN says
/// otherwise; a record without a TTL has that of $TTL (RFC 2308 4), else the one before it, else 60. Bad are the same
/// things as in read_records, $INCLUDE, and a SOA beside the first one of its zone.
/// beside: records from elsewhere that these stand with
ReadFile read_zone_file(std::string_view text, const std::vector<std::string>& zones,
                        const std::vector<StaticRecord>& beside);

/// The records of lines that must all be good.
/// errors: of the first bad line
Result<std::vector<StaticRecord>> parse_records(const std::vector<std::string>& lines,
                                                const std::vector<std::string>& zones);

}  // namespace meshdns::answers
