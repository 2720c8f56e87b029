#include "dnsd/wire/writer.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace meshdns::wire {
namespace {

constexpr std::size_t kPointerReach = 0x4000;  // a pointer has 14 bits

}  // namespace

bool Writer::take(std::size_t size) noexcept {
  if (failed_ || size > limit_ - position_) {
    failed_ = true;
    return false;
  }
  return true;
}

void Writer::rollback(std::size_t position) noexcept {
  position_ = position;
  failed_ = false;
  while (written_count_ > 0 && written_[written_count_ - 1U].offset >= position) --written_count_;
}

void Writer::u8(std::uint8_t value) noexcept {
  if (take(1)) buffer_[position_++] = value;
}

void Writer::u16(std::uint16_t value) noexcept {
  if (!take(2)) return;
  store16(buffer_ + position_, value);
  position_ += 2;
}

void Writer::u32(std::uint32_t value) noexcept {
  if (!take(4)) return;
  store32(buffer_ + position_, value);
  position_ += 4;
}

void Writer::bytes(std::span<const std::uint8_t> data) noexcept {
  if (data.empty() || !take(data.size())) return;
  std::memcpy(buffer_ + position_, data.data(), data.size());
  position_ += data.size();
}

std::uint16_t Writer::find(NameBytes suffix) const noexcept {
  const auto equal = [&](const std::uint8_t* whole, std::size_t at) {
    return std::memcmp(whole + at, suffix.data(), suffix.size()) == 0;
  };
  if (question_ != nullptr && question_->length >= suffix.size()) {
    const std::size_t at = question_->length - suffix.size();
    if (equal(question_->bytes.data(), at)) return static_cast<std::uint16_t>(kQuestionOffset + at);
  }
  for (std::size_t i = 0; i < written_count_; ++i) {
    const Written& entry = written_[i];
    if (entry.length < suffix.size()) continue;
    const std::size_t at = entry.length - suffix.size();
    if (at < entry.literal && equal(entry.name, at)) return static_cast<std::uint16_t>(entry.offset + at);
  }
  return 0;
}

void Writer::remember(NameBytes name, std::size_t literal, std::size_t offset) noexcept {
  if (literal == 0 || written_count_ == written_.size() || offset + literal > kPointerReach) return;
  written_[written_count_++] = {name.data(), static_cast<std::uint8_t>(name.size()), static_cast<std::uint8_t>(literal),
                                static_cast<std::uint16_t>(offset)};
}

void Writer::name(NameBytes name) noexcept {
  const std::size_t start = position_;
  std::size_t at = 0;
  while (name[at] != 0) {
    const std::uint16_t offset = find(name.subspan(at));
    if (offset != 0) {
      bytes(name.first(at));
      u16(static_cast<std::uint16_t>(0xC000U | offset));
      if (!failed_) remember(name, at, start);
      return;
    }
    at += std::size_t{1} + name[at];
  }
  plain_name(name);
}

void Writer::plain_name(NameBytes name) noexcept {
  const std::size_t start = position_;
  bytes(name);
  if (!failed_) remember(name, name.size() - 1, start);
}

void Writer::strings(std::span<const std::uint8_t> text) noexcept {
  do {
    const auto part = text.first(std::min<std::size_t>(255, text.size()));
    u8(static_cast<std::uint8_t>(part.size()));
    bytes(part);
    text = text.subspan(part.size());
  } while (!text.empty());
}

void Writer::begin(std::uint16_t owner_offset, Type type, std::uint32_t ttl) noexcept {
  if (!take(12)) return;
  std::uint8_t* at = buffer_ + position_;
  store32(at, (0xC000U | owner_offset) << 16 | static_cast<std::uint32_t>(type));
  store16(at + 4, static_cast<std::uint16_t>(Class::IN));
  store32(at + 6, ttl);
  position_ += 12;
  rdata_start_ = position_;
}

void Writer::begin(NameBytes owner, Type type, std::uint32_t ttl) noexcept {
  name(owner);
  u16(static_cast<std::uint16_t>(type));
  u16(static_cast<std::uint16_t>(Class::IN));
  u32(ttl);
  u16(0);
  rdata_start_ = position_;
}

void Writer::end() noexcept { patch16(rdata_start_ - 2, static_cast<std::uint16_t>(position_ - rdata_start_)); }

void Writer::address(std::uint16_t owner_offset, Type type, std::uint32_t ttl,
                     std::span<const std::uint8_t> address) noexcept {
  if (!take(12 + address.size())) return;
  std::uint8_t* at = buffer_ + position_;
  store32(at, (0xC000U | owner_offset) << 16 | static_cast<std::uint32_t>(type));
  store16(at + 4, static_cast<std::uint16_t>(Class::IN));
  store32(at + 6, ttl);
  store16(at + 10, static_cast<std::uint16_t>(address.size()));
  std::memcpy(at + 12, address.data(), address.size());
  position_ += 12 + address.size();
}

void Writer::a(std::uint16_t owner_offset, std::uint32_t ttl, const std::uint8_t* address) noexcept {
  this->address(owner_offset, Type::A, ttl, {address, 4});
}

void Writer::aaaa(std::uint16_t owner_offset, std::uint32_t ttl, const std::uint8_t* address) noexcept {
  this->address(owner_offset, Type::AAAA, ttl, {address, 16});
}

void Writer::soa_rdata(const SoaFields& fields) noexcept {
  name(fields.mname);
  name(fields.rname);
  for (const std::uint32_t value : {fields.serial, fields.refresh, fields.retry, fields.expire, fields.minimum}) {
    u32(value);
  }
}

std::uint16_t Writer::srv_rdata(const SrvFields& fields) noexcept {
  u16(fields.priority);
  u16(fields.weight);
  u16(fields.port);
  const auto target = static_cast<std::uint16_t>(position_);
  bytes(fields.target);  // not remembered: targets are often on the caller's stack
  return target;
}

void Writer::svc_param(SvcParam key, std::span<const std::uint8_t> value) noexcept {
  if (value.empty()) return;
  u16(static_cast<std::uint16_t>(key));
  u16(static_cast<std::uint16_t>(value.size()));
  bytes(value);
}

std::uint16_t Writer::svcb_rdata(const SvcbFields& fields) noexcept {
  u16(fields.priority);
  const auto target = static_cast<std::uint16_t>(position_);
  bytes(fields.target);  // not remembered, as in srv_rdata()
  std::array<std::uint8_t, 2> port;
  store16(port.data(), fields.port);
  if (fields.port != 0) svc_param(SvcParam::Port, port);
  svc_param(SvcParam::Ipv4Hint, fields.ipv4hint);
  svc_param(SvcParam::Ipv6Hint, fields.ipv6hint);
  return target;
}

}  // namespace meshdns::wire
