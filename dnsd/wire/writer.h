#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "dnsd/wire/byte_order.h"
#include "dnsd/wire/name.h"
#include "dnsd/wire/types.h"

namespace meshdns::wire {

/// The owner of an answer record whose owner is the question's name: a pointer to it (RFC 1035 4.1.4).
inline constexpr std::uint16_t kQuestionOffset = kHeaderSize;

struct SoaFields {
  NameBytes mname;
  NameBytes rname;
  std::uint32_t serial = 0;
  std::uint32_t refresh = 0;
  std::uint32_t retry = 0;
  std::uint32_t expire = 0;
  std::uint32_t minimum = 0;
};

struct SrvFields {
  std::uint16_t priority = 0;
  std::uint16_t weight = 0;
  std::uint16_t port = 0;
  NameBytes target;
};

/// An SVCB or HTTPS record in ServiceMode, with what is known of an instance. Addresses stand one behind the other.
struct SvcbFields {
  std::uint16_t priority = 1;  // 0 would be AliasMode
  NameBytes target;
  std::uint16_t port = 0;                  // 0 = the one that was asked for
  std::span<const std::uint8_t> ipv4hint;  // 4 bytes each; empty = no hint
  std::span<const std::uint8_t> ipv6hint;  // 16 bytes each; empty = no hint
};

/// Writes records into the caller's buffer behind the question. What does not fit is not written at all: the writer
/// is then failed() until rollback(). Names are compressed against the question and the last few names written; the
/// bytes of names given to it must outlive the writer, but for targets of SRV and SVCB.
/// thread: one
class Writer {
 public:
  /// Writes buffer[position, limit). question: the folded question, which stands at offset 12; may be null
  Writer(std::uint8_t* buffer, std::size_t position, std::size_t limit, const FoldedName* question) noexcept
      : buffer_(buffer), position_(position), limit_(limit), question_(question) {}

  std::size_t position() const noexcept { return position_; }
  std::size_t room() const noexcept { return limit_ - position_; }
  bool failed() const noexcept { return failed_; }
  /// Takes back everything written at or behind `position`, which was position() before; clears failed().
  void rollback(std::size_t position) noexcept;
  /// Gives room that was held back, or holds back more; not below position()
  void set_limit(std::size_t limit) noexcept { limit_ = limit; }

  void u8(std::uint8_t value) noexcept;
  void u16(std::uint16_t value) noexcept;
  void u32(std::uint32_t value) noexcept;
  void bytes(std::span<const std::uint8_t> data) noexcept;
  /// Overwrites what was written at `position`; nothing if the writer has failed.
  void patch16(std::size_t position, std::uint16_t value) noexcept {
    if (!failed_) store16(buffer_ + position, value);
  }
  /// Compressed where a suffix is in the message already.
  void name(NameBytes name) noexcept;
  /// Not compressed, but later names may point at it.
  void plain_name(NameBytes name) noexcept;
  /// A length byte and the text, cut into as many strings of at most 255 as it takes (RFC 1035 3.3.14).
  void strings(std::span<const std::uint8_t> text) noexcept;

  /// Owner (a pointer to `owner_offset`, or a name), type, class IN, TTL; end() fills in RDLENGTH.
  void begin(std::uint16_t owner_offset, Type type, std::uint32_t ttl) noexcept;
  void begin(NameBytes owner, Type type, std::uint32_t ttl) noexcept;
  void end() noexcept;

  // Whole records. Owner: an offset in the message or a name, as for begin().
  void a(std::uint16_t owner_offset, std::uint32_t ttl, const std::uint8_t* address) noexcept;
  void aaaa(std::uint16_t owner_offset, std::uint32_t ttl, const std::uint8_t* address) noexcept;
  template <class Owner>
  void generic(Owner owner, Type type, std::uint32_t ttl, std::span<const std::uint8_t> rdata) noexcept {
    begin(owner, type, ttl);
    bytes(rdata);
    end();
  }
  /// NS, CNAME, PTR
  template <class Owner>
  void one_name(Owner owner, Type type, std::uint32_t ttl, NameBytes target) noexcept {
    begin(owner, type, ttl);
    name(target);
    end();
  }
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
  /// The target is not compressed (RFC 2782). returns: where it stands, for the owner of additional records
  template <class Owner>
  std::uint16_t srv(Owner owner, std::uint32_t ttl, const SrvFields& fields) noexcept {
    begin(owner, Type::SRV, ttl);
    const std::uint16_t target = srv_rdata(fields);
    end();
    return target;
  }
  /// type: SVCB or HTTPS. The target is not compressed, the keys ascend (RFC 9460 2.2). returns: as srv()
  template <class Owner>
  std::uint16_t svcb(Owner owner, Type type, std::uint32_t ttl, const SvcbFields& fields) noexcept {
    begin(owner, type, ttl);
    const std::uint16_t target = svcb_rdata(fields);
    end();
    return target;
  }

 private:
  struct Written {
    const std::uint8_t* name;
    std::uint8_t length;
    std::uint8_t literal;  // so many bytes of it stand at offset; then a pointer follows
    std::uint16_t offset;
  };

  bool take(std::size_t size) noexcept;
  void soa_rdata(const SoaFields& fields) noexcept;
  std::uint16_t srv_rdata(const SrvFields& fields) noexcept;
  std::uint16_t svcb_rdata(const SvcbFields& fields) noexcept;
  void svc_param(SvcParam key, std::span<const std::uint8_t> value) noexcept;
  void address(std::uint16_t owner_offset, Type type, std::uint32_t ttl,
               std::span<const std::uint8_t> address) noexcept;
  /// Offset in the message of a name equal to `suffix`; 0 = none
  std::uint16_t find(NameBytes suffix) const noexcept;
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
