#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "dnsd/wire/edns.h"
#include "dnsd/wire/message.h"
#include "dnsd/wire/writer.h"

namespace meshdns::query {

inline constexpr std::uint8_t kFlagsKept = 0x79;  // opcode and RD of the request; AA and TC are ours

enum class Section : std::uint8_t { Answer, Authority, Additional };

/// The answer under construction, in the buffer of its request: the question stays where it is, bit for bit. Sections
/// are written in their order; finish() writes the header and the OPT record.
/// source: RFC 1035 4.1.1, RFC 2181 9 (TC), RFC 6891 7
class Response {
 public:
  /// limit: the size that the client takes, at most the buffer's; never so little that question and OPT have no room
  /// options: what else the client asked for; null = nothing. Outlives the response
  Response(std::uint8_t* buffer, std::size_t limit, const wire::Query& query,
           wire::OptionReplies* options = nullptr) noexcept;

  wire::Writer& writer() noexcept { return writer_; }
  const wire::Query& query() const noexcept { return query_; }

  void set_rcode(wire::Rcode rcode) noexcept { edns_.rcode = rcode; }
  wire::Rcode rcode() const noexcept { return edns_.rcode; }
  void set_authoritative(bool value = true) noexcept { authoritative_ = value; }
  bool truncated() const noexcept { return truncated_; }

  /// Counts a record that was just written from `mark` on. What did not fit is taken back.
  /// returns: false if it did not fit
  bool count(Section section, std::size_t mark) noexcept;
  std::uint16_t records(Section section) const noexcept { return counts_[static_cast<std::size_t>(section)]; }
  /// A needed record did not fit: TC=1. What was written stays: clients that come back over TCP ignore it (RFC 2181 9),
  /// and those that never do (musl before 1.2.4) can work with it.
  void truncate() noexcept { truncated_ = true; }

  /// EDE for EDNS clients; the last one counts. `text` outlives the response
  void explain(wire::Ede code, std::string_view text = {}) noexcept;
  /// Echoes the client's subnet option with this scope (RFC 7871 7.2.1).
  void set_scope(std::uint8_t scope) noexcept;

  /// States the version of the zone that was asked, if the client wants to know (RFC 9660 3).
  void set_zone(wire::NameBytes apex, std::uint32_t serial) noexcept;

  /// returns: the length of the message
  std::size_t finish() noexcept;

 private:
  void write_header() noexcept;

  std::uint8_t* buffer_;
  std::size_t limit_;
  const wire::Query& query_;
  wire::OptionReplies* options_;
  wire::Writer writer_;
  wire::EdnsReply edns_;
  bool authoritative_ = false;
  bool truncated_ = false;
  std::uint16_t counts_[3] = {0, 0, 0};
};

}  // namespace meshdns::query
