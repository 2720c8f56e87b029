#include "dnsd/wire/message.h"

#include <algorithm>
#include <cstring>

#include "dnsd/wire/byte_order.h"

namespace meshdns::wire {
namespace {

using Packet = std::span<const std::uint8_t>;

constexpr Type kNxName{128};  // a mark in NSEC records (RFC 9824 2.1)

/// Reads a client subnet option (RFC 7871 6). An unknown family counts as no option.
/// returns: false = FORMERR
bool read_client_subnet(Packet data, ClientSubnet& out) noexcept {
  if (data.size() < 4) return false;
  const std::uint16_t family = load16(data.data());
  if (family != 1 && family != 2) return true;
  const std::uint8_t source = data[2];
  const std::size_t size = (source + std::size_t{7}) / 8;
  // 7.1.2: the scope of a request must be 0; the address has exactly the bytes that the length needs
  if (source > (family == 1 ? 32 : 128) || data[3] != 0 || data.size() != 4 + size) return false;
  if (source % 8 != 0 && (data[3 + size] & (0xFFU >> (source % 8))) != 0) return false;
  out.present = true;
  out.family = static_cast<std::uint8_t>(family);
  out.source = source;
  out.address.fill(0);
  std::memcpy(out.address.data(), data.data() + 4, size);
  return true;
}

/// Reads a cookie option: 8 bytes of the client, then none or 8 to 32 bytes of a server (RFC 7873 5.2.2).
/// returns: false = FORMERR
bool read_cookie(Packet data, RequestCookie& out) noexcept {
  if (data.size() != kClientCookieSize && (data.size() < 16 || data.size() > 40)) return false;
  out.size = static_cast<std::uint8_t>(data.size());
  out.bytes.fill(0);
  std::memcpy(out.bytes.data(), data.data(), std::min(data.size(), out.bytes.size()));
  return true;
}

/// Notes an option that could be read. Its flag must not be set without its data: the answer would echo whatever is in
/// the data's place.
/// returns: `readable`
bool note_option(std::uint8_t flag, bool readable, Edns& out) noexcept {
  if (readable) out.asks |= flag;
  return readable;
}

/// Reads an option other than the client subnet.
/// returns: false = FORMERR
bool read_other_option(Option code, Packet data, Edns& out) noexcept {
  switch (code) {
    case Option::Nsid: return note_option(kAsksNsid, true, out);  // RFC 5001 2.1: whatever it holds is ignored
    case Option::TcpKeepalive: return note_option(kAsksKeepalive, true, out);
    case Option::ZoneVersion:
      return (out.asks & kAsksZoneVersion) != 0 || note_option(kAsksZoneVersion, data.empty(), out);  // RFC 9660 3
    case Option::Cookie:
      return (out.asks & kAsksCookie) != 0 || note_option(kAsksCookie, read_cookie(data, out.cookie), out);
    default: return true;
  }
}

/// Reads all options. The first of each kind counts, unknown ones are ignored.
/// returns: false = FORMERR
bool read_options(Packet data, Edns& out) noexcept {
  bool subnet_seen = false;
  while (!data.empty()) {
    if (data.size() < 4) return false;
    const auto code = static_cast<Option>(load16(data.data()));
    const std::size_t length = load16(data.data() + 2);
    if (length > data.size() - 4) return false;
    if (code != Option::ClientSubnet) {
      if (!read_other_option(code, data.subspan(4, length), out)) return false;
    } else if (!subnet_seen) {
      subnet_seen = true;
      if (!read_client_subnet(data.subspan(4, length), out.subnet)) return false;
    }
    data = data.subspan(4 + length);
  }
  return true;
}

/// The offsets of a record's parts.
struct RecordHead {
  std::size_t fixed = 0;  // of TYPE
  std::size_t rdata = 0;
  std::size_t end = 0;  // 0 = malformed
  Type type{};
};

RecordHead read_record(Packet packet, std::size_t position) noexcept {
  RecordHead head;
  head.fixed = skip_name(packet, position);
  if (head.fixed == 0 || packet.size() - head.fixed < 10) return head;
  head.type = static_cast<Type>(load16(packet.data() + head.fixed));
  head.rdata = head.fixed + 10;
  const std::size_t length = load16(packet.data() + head.fixed + 8);
  if (length <= packet.size() - head.rdata) head.end = head.rdata + length;
  return head;
}

/// Reads the fixed part of an OPT record.
/// at: the record's owner, which is the root
void read_opt_head(const std::uint8_t* at, Edns& out) noexcept {
  out.present = true;
  out.udp_size = load16(at + 3);
  out.version = at[6];
  out.dnssec_ok = (at[7] & 0x80U) != 0;
}

/// Reads an OPT record. Its owner is the root, and there is only one (RFC 6891 6.1.1).
/// returns: false = FORMERR
bool read_opt(Packet packet, std::size_t position, const RecordHead& head, Edns& out) noexcept {
  if (packet[position] != 0 || out.present) return false;
  read_opt_head(packet.data() + position, out);
  // 6.1.3: the options of another version may have another meaning
  return out.version != 0 || read_options(packet.subspan(head.rdata, head.end - head.rdata), out);
}

/// Returns whether the packet has nothing but an OPT record after the question, like nearly all requests. Such a packet
/// needs no walk over its sections.
bool ends_in_opt(Packet packet, std::size_t at) noexcept {
  constexpr std::uint32_t kRootOpt = static_cast<std::uint32_t>(Type::OPT) << 8;  // owner, type, one byte of size
  const std::size_t rest = packet.size() - at;
  return rest >= kOptSize && load32(packet.data() + 6) == 0 && load16(packet.data() + 10) == 1 &&
         (load32(packet.data() + at) & ~0xFFU) == kRootOpt && load16(packet.data() + at + 9) == rest - kOptSize;
}

/// Reads the sections after the question. They must end with the packet.
/// returns: false = FORMERR
bool read_sections(Packet packet, Query& out) noexcept {
  std::size_t at = out.question_end;
  if (ends_in_opt(packet, at)) {
    read_opt_head(packet.data() + at, out.edns);
    const Packet options = packet.subspan(at + kOptSize);
    return options.empty() || out.edns.version != 0 || read_options(options, out.edns);
  }
  const std::size_t before = std::size_t{load16(packet.data() + 6)} + load16(packet.data() + 8);
  const std::size_t total = before + load16(packet.data() + 10);
  for (std::size_t i = 0; i < total; ++i) {
    const RecordHead head = read_record(packet, at);
    if (head.end == 0) return false;
    if (head.type == Type::OPT && (i < before || !read_opt(packet, at, head, out.edns))) return false;
    at = head.end;
  }
  return at == packet.size();
}

bool read_question(Packet packet, Query& out) noexcept {
  if (load16(packet.data() + 4) != 1) return false;  // RFC 9619
  const std::size_t end = read_plain_name(packet, kHeaderSize, out.name);
  if (end == 0 || packet.size() - end < 4) return false;
  out.type = static_cast<Type>(load16(packet.data() + end));
  out.qclass = static_cast<Class>(load16(packet.data() + end + 2));
  out.question_end = static_cast<std::uint16_t>(end + 4);
  return true;
}

/// Returns whether the counts fit a query, which has no answers, and authority only with IXFR (RFC 1995 3).
bool counts_fit_query(Packet packet, Type type) noexcept {
  return load16(packet.data() + 6) == 0 && (load16(packet.data() + 8) == 0 || type == Type::IXFR);
}

/// Returns whether a type can be asked for. QTYPE 0 is reserved; OPT and NXNAME are not for questions (RFC 6895 3.1,
/// RFC 6891 6.1.1, RFC 9824 3.5).
bool is_askable(Type type) noexcept { return type != Type{} && type != Type::OPT && type != kNxName; }

/// Returns whether a packet is a query with one question and at most one additional record.
bool is_usual(Packet packet) noexcept {
  return (packet[2] & 0x78U) == 0 && (load64(packet.data() + 4) & ~std::uint64_t{1}) == std::uint64_t{1} << 48;
}

/// Clears a query that is used again: nothing may remain of another client's request. Bytes of the name after its
/// length are not cleared, because nobody reads them and clearing would cost more than reading the packet.
void clear(Query& out) noexcept {
  out.opcode = Opcode::Query;
  out.recursion_desired = false;
  out.size = 0;
  out.question_end = kHeaderSize;
  out.name.length = 0;
  out.name.labels = 0;
  out.name.hash = 0;
  out.name.bytes[0] = 0;
  out.name.offsets[0] = 0;
  out.type = Type{};
  out.qclass = Class{};
  out.edns = Edns{};
}

}  // namespace

Reading read_query(std::span<const std::uint8_t> packet, Query& out) noexcept {
  clear(out);
  out.size = static_cast<std::uint16_t>(packet.size());
  if (packet.size() < kHeaderSize) return Reading::TooShort;
  if ((packet[2] & 0x80U) != 0) return Reading::Response;
  out.opcode = static_cast<Opcode>((packet[2] >> 3) & 0x0FU);
  out.recursion_desired = (packet[2] & 1U) != 0;
  const bool usual = is_usual(packet);
  const bool cookie_only = !usual && out.opcode == Opcode::Query && load16(packet.data() + 4) == 0;  // RFC 7873 5.4
  const bool readable = (cookie_only || read_question(packet, out)) && read_sections(packet, out);
  if (usual) return readable && is_askable(out.type) ? Reading::Ok : Reading::Malformed;
  if (out.opcode != Opcode::Query) return Reading::Ok;
  if (cookie_only) {
    const bool asks = readable && (out.edns.asks & kAsksCookie) != 0 && counts_fit_query(packet, Type{});
    return asks ? Reading::NoQuestion : Reading::Malformed;
  }
  return readable && is_askable(out.type) && counts_fit_query(packet, out.type) ? Reading::Ok : Reading::Malformed;
}

}  // namespace meshdns::wire
