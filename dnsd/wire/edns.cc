#include "dnsd/wire/edns.h"

namespace meshdns::wire {
namespace {

constexpr std::size_t kOptFixed = 11;    // root owner, type, size, flags, RDLENGTH
constexpr std::size_t kOptionHead = 4;   // code and length
constexpr std::size_t kSubnetFixed = 4;  // family, source, scope
constexpr std::size_t kInfoCode = 2;
constexpr std::size_t kKeepalive = 2;
constexpr std::uint8_t kSoaSerial = 0;  // RFC 9660 6.2

std::span<const std::uint8_t> bytes_of(std::string_view text) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

void write_subnet(Writer& writer, const ClientSubnet& subnet, std::uint8_t scope) noexcept {
  writer.u16(static_cast<std::uint16_t>(Option::ClientSubnet));
  writer.u16(static_cast<std::uint16_t>(kSubnetFixed + subnet.address_size()));
  writer.u16(subnet.family);
  writer.u8(subnet.source);
  writer.u8(scope);
  writer.bytes({subnet.address.data(), subnet.address_size()});
}

void write_ede(Writer& writer, Ede code, std::string_view text) noexcept {
  const std::size_t head = kOptionHead + kInfoCode;
  if (head > writer.room()) return;  // RFC 8914 3: dropped before anything else
  if (head + text.size() > writer.room()) text = {};
  writer.u16(static_cast<std::uint16_t>(Option::ExtendedError));
  writer.u16(static_cast<std::uint16_t>(kInfoCode + text.size()));
  writer.u16(static_cast<std::uint16_t>(code));
  writer.bytes(bytes_of(text));
}

void write_option(Writer& writer, Option code, std::span<const std::uint8_t> data) noexcept {
  writer.u16(static_cast<std::uint16_t>(code));
  writer.u16(static_cast<std::uint16_t>(data.size()));
  writer.bytes(data);
}

std::size_t options_size(const OptionReplies& options) noexcept {
  std::size_t size = 0;
  if ((options.present & kAsksNsid) != 0) size += kOptionHead + options.nsid.size();
  if ((options.present & kAsksCookie) != 0) size += kOptionHead + options.cookie.size();
  if ((options.present & kAsksKeepalive) != 0) size += kOptionHead + kKeepalive;
  if ((options.present & kAsksZoneVersion) != 0) size += kZoneVersionSize;
  return size;
}

void write_options(Writer& writer, const OptionReplies& options) noexcept {
  if ((options.present & kAsksNsid) != 0) write_option(writer, Option::Nsid, bytes_of(options.nsid));
  if ((options.present & kAsksCookie) != 0) write_option(writer, Option::Cookie, options.cookie);
  if ((options.present & kAsksKeepalive) != 0) {
    std::array<std::uint8_t, kKeepalive> data;
    store16(data.data(), options.keepalive);
    write_option(writer, Option::TcpKeepalive, data);
  }
  if ((options.present & kAsksZoneVersion) != 0) {
    std::array<std::uint8_t, kZoneVersionSize - kOptionHead> data = {options.version.labels, kSoaSerial};
    store32(data.data() + 2, options.version.serial);
    write_option(writer, Option::ZoneVersion, data);
  }
}

}  // namespace

std::size_t edns_size(const EdnsReply& reply) noexcept {
  std::size_t size = kOptFixed;
  if (reply.subnet != nullptr) size += kOptionHead + kSubnetFixed + reply.subnet->address_size();
  if (reply.ede) size += kOptionHead + kInfoCode;
  if (reply.options != nullptr) size += options_size(*reply.options);
  return size;
}

void write_edns(Writer& writer, const EdnsReply& reply) noexcept {
  writer.u8(0);  // the root
  writer.u16(static_cast<std::uint16_t>(Type::OPT));
  writer.u16(static_cast<std::uint16_t>(kMaxUdpAnswer));
  writer.u8(static_cast<std::uint8_t>(static_cast<std::uint16_t>(reply.rcode) >> 4));
  writer.u8(0);  // our version
  writer.u16(reply.dnssec_ok ? 0x8000 : 0);
  const std::size_t length_at = writer.position();
  writer.u16(0);
  if (reply.subnet != nullptr) write_subnet(writer, *reply.subnet, reply.scope);
  if (reply.options != nullptr) write_options(writer, *reply.options);
  if (reply.ede) write_ede(writer, *reply.ede, reply.ede_text);
  writer.patch16(length_at, static_cast<std::uint16_t>(writer.position() - length_at - 2));
}

}  // namespace meshdns::wire
