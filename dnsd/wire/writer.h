#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "dnsd/wire/byte_order.h"
#include "dnsd/wire/name.h"
#include "dnsd/wire/types.h"

namespace meshdns::wire {

/// Offset of the question's name, for records whose owner is that name: they point at it (RFC 1035 4.1.4).
inline constexpr std::uint16_t kQuestionOffset = kHeaderSize;

/// The data of a SOA record.
struct SoaFields {
  NameBytes mname;
  NameBytes rname;
  std::uint32_t serial = 0;
  std::uint32_t refresh = 0;
  std::uint32_t retry = 0;
  std::uint32_t expire = 0;
  std::uint32_t minimum = 0;
};

/// The data of a SRV record. The target is written uncompressed.
struct SrvFields {
  std::uint16_t priority = 0;
  std::uint16_t weight = 0;
  std::uint16_t port = 0;
  NameBytes target;
};

/// The data of an SVCB or HTTPS record in ServiceMode. Addresses of a hint follow each other without a gap.
struct SvcbFields {
  std::uint16_t priority = 1;  // 0 would be AliasMode
  NameBytes target;
  std::uint16_t port = 0;                  // 0 = the port that was asked for
  std::span<const std::uint8_t> ipv4hint;  // 4 bytes each; empty = no hint
  std::span<const std::uint8_t> ipv6hint;  // 16 bytes each; empty = no hint
};

/// Appends records to a message in the caller's buffer. What does not fit is not written; the writer has failed() then,
/// and writes nothing until rollback(). Names are compressed against the question and the first eight names that were
/// written.
/// requires: names given to the writer outlive it, except targets of SRV and SVCB
/// thread: one
class Writer {
 public:
  /// Writes to buffer[position, limit).
  /// question: the folded name of the question, whose bytes are at offset 12; null = there is none
  Writer(std::uint8_t* buffer, std::size_t position, std::size_t limit, const FoldedName* question) noexcept
      : buffer_(buffer), position_(position), limit_(limit), question_(question) {}

  std::size_t position() const noexcept { return position_; }
  std::size_t room() const noexcept { return limit_ - position_; }
  bool failed() const noexcept { return failed_; }
  /// Takes back everything from `position` on, and clears failed().
  /// position: an earlier position()
  void rollback(std::size_t position) noexcept;
  /// Changes the end of the room: gives room that was held back, or holds back more.
  /// requires: limit >= position()
  void set_limit(std::size_t limit) noexcept { limit_ = limit; }

  void u8(std::uint8_t value) noexcept;
  void u16(std::uint16_t value) noexcept;
  void u32(std::uint32_t value) noexcept;
  void bytes(std::span<const std::uint8_t> data) noexcept;
  /// Overwrites a number that was written at `position`. Does nothing if the writer has failed.
  void patch16(std::size_t position, std::uint16_t value) noexcept {
    if (!failed_) store16(buffer_ + position, value);
  }
  /// Appends a name, compressed if a suffix is in the message already.
  void name(NameBytes name) noexcept;
  /// Appends a name without compression; later names may point at it.
  void plain_name(NameBytes name) noexcept;
  /// Appends a text as strings of at most 255 bytes, each with a length byte (RFC 1035 3.3.14).
  void strings(std::span<const std::uint8_t> text) noexcept;

  /// Appends owner (a pointer to `owner_offset`, or a name), type, class IN and TTL. end() fills in RDLENGTH.
  void begin(std::uint16_t owner_offset, Type type, std::uint32_t ttl) noexcept;
  void begin(NameBytes owner, Type type, std::uint32_t ttl) noexcept;
  void end() noexcept;

  // Whole records. The owner is an offset in the message or a name, as for begin().
  void a(std::uint16_t owner_offset, std::uint32_t ttl, const std::uint8_t* address) noexcept;
  void aaaa(std::uint16_t owner_offset, std::uint32_t ttl, const std::uint8_t* address) noexcept;
  template <class Owner>
  void generic(Owner owner, Type type, std::uint32_t ttl, std::span<const std::uint8_t> rdata) noexcept {
    begin(owner, type, ttl);
    bytes(rdata);
    end();
  }
  /// Appends a NS, CNAME or PTR record.
  template <class Owner>
  void one_name(Owner owner, Type type, std::uint32_t ttl, NameBytes target) noexcept {
    begin(owner, type, ttl);
    name(target);
    end();
  }
  /// Appends an MX record.
  /// rdata: a preference and a name, which is compressed (RFC 3597 4)
  template <class Owner>
  void mx(Owner owner, std::uint32_t ttl, std::span<const std::uint8_t> rdata) noexcept {
    begin(owner, Type::MX, ttl);
    bytes(rdata.first(2));
    name(rdata.subspan(2));
    end();
  }
  template <class Owner>
  void soa(Owner owner, std::uint32_t ttl, const SoaFields& fields) noexcept {
    begin(owner, Type::SOA, ttl);
    soa_rdata(fields);
    end();
  }
  template <class Owner>
  void txt(Owner owner, std::uint32_t ttl, std::span<const std::uint8_t> text) noexcept {
    begin(owner, Type::TXT, ttl);
    strings(text);
    end();
  }
  /// Appends a SRV record. The target is not compressed (RFC 2782).
  /// returns: the offset of the target, for the owner of additional records
  template <class Owner>
  std::uint16_t srv(Owner owner, std::uint32_t ttl, const SrvFields& fields) noexcept {
    begin(owner, Type::SRV, ttl);
    const std::uint16_t target = srv_rdata(fields);
    end();
    return target;
  }
  /// Appends an SVCB or HTTPS record. The target is not compressed, and the keys ascend (RFC 9460 2.2).
  /// returns: the offset of the target, for the owner of additional records
  template <class Owner>
  std::uint16_t svcb(Owner owner, Type type, std::uint32_t ttl, const SvcbFields& fields) noexcept {
    begin(owner, type, ttl);
    const std::uint16_t target = svcb_rdata(fields);
    end();
    return target;
  }

 private:
  /// A name in the message, at which later names may point.
  struct Written {
    const std::uint8_t* name;
    std::uint8_t length;
    std::uint8_t literal;  // bytes of the name that are written out; a pointer follows unless it is the whole name
    std::uint16_t offset;
  };

  /// Checks the room for so many bytes; the writer fails if there is not enough.
  bool take(std::size_t size) noexcept;
  void soa_rdata(const SoaFields& fields) noexcept;
  std::uint16_t srv_rdata(const SrvFields& fields) noexcept;
  std::uint16_t svcb_rdata(const SvcbFields& fields) noexcept;
  void svc_param(SvcParam key, std::span<const std::uint8_t> value) noexcept;
  void address(std::uint16_t owner_offset, Type type, std::uint32_t ttl,
               std::span<const std::uint8_t> address) noexcept;
  /// Returns the offset in the message of a name equal to `suffix`; 0 = there is none.
  std::uint16_t find(NameBytes suffix) const noexcept;
  /// Notes a name that was written, for later pointers. Names beyond a pointer's reach are not noted.
  void remember(NameBytes name, std::size_t literal, std::size_t offset) noexcept;

  std::uint8_t* buffer_;
  std::size_t position_;
  std::size_t limit_;
  const FoldedName* question_;
  std::size_t rdata_start_ = 0;
  bool failed_ = false;
  std::uint8_t written_count_ = 0;
  std::array<Written, 8> written_;
};

}  // namespace meshdns::wire
