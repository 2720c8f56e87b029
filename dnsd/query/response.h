#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "dnsd/wire/edns.h"
#include "dnsd/wire/message.h"
#include "dnsd/wire/writer.h"

namespace meshdns::query {

inline constexpr std::uint8_t kFlagsKept = 0x79;  // opcode and RD of the request; AA and TC are the answer's own

/// The sections of a message in which records are written.
enum class Section : std::uint8_t { Answer, Authority, Additional };

/// The answer under construction, in the buffer of its request. The question stays as it is, bit for bit. Sections are
/// written in their order; finish() writes the header and the OPT record.
/// source: RFC 1035 4.1.1, RFC 2181 9 (TC), RFC 6891 7
class Response {
 public:
  /// limit:   the size that client and buffer take; raised if question and OPT record need more
  /// query:   must outlive this
  /// options: replies to other options of the request; null = there are none. Must outlive this
  Response(std::uint8_t* buffer, std::size_t limit, const wire::Query& query,
           wire::OptionReplies* options = nullptr) noexcept;

  wire::Writer& writer() noexcept { return writer_; }
  const wire::Query& query() const noexcept { return query_; }

  void set_rcode(wire::Rcode rcode) noexcept { edns_.rcode = rcode; }
  wire::Rcode rcode() const noexcept { return edns_.rcode; }
  void set_authoritative(bool value = true) noexcept { authoritative_ = value; }
  bool truncated() const noexcept { return truncated_; }

  /// Counts the record that was written from `mark` on, or takes it back if it did not fit.
  /// returns: false if it did not fit
  bool count(Section section, std::size_t mark) noexcept;
  std::uint16_t records(Section section) const noexcept { return counts_[static_cast<std::size_t>(section)]; }
  /// Sets TC=1, because a needed record did not fit. The records that are written stay: clients that ask again over TCP
  /// ignore them (RFC 2181 9), and clients that never do (musl before 1.2.4) can use them.
  void truncate() noexcept { truncated_ = true; }

  /// Sets the extended error for EDNS clients; the last call counts.
  /// text: must outlive this
  void explain(wire::Ede code, std::string_view text = {}) noexcept;
  /// Echoes the client's subnet option with this scope (RFC 7871 7.2.1).
  void set_scope(std::uint8_t scope) noexcept;

  /// Sets the version of the zone, which is sent if the client asks for it (RFC 9660 3).
  void set_zone(wire::NameBytes apex, std::uint32_t serial) noexcept;

  /// Writes header and OPT record.
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
