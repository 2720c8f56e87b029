#include "dnsd/query/response.h"

#include <algorithm>

#include "dnsd/wire/byte_order.h"

namespace meshdns::query {
namespace {

constexpr std::size_t kBareError = 6;  // bytes of an EDE option without text
constexpr std::uint8_t kResponse = 0x80;
constexpr std::uint8_t kAuthoritative = 0x04;
constexpr std::uint8_t kTruncated = 0x02;

/// Returns the size of the largest OPT record that this request can get, without EDE: that only takes what is left.
std::size_t held_back(const wire::Query& query, const wire::OptionReplies* options) noexcept {
  if (!query.edns.present) return 0;
  wire::EdnsReply most;
  if (query.edns.subnet.present) most.subnet = &query.edns.subnet;
  most.options = options;
  const bool version = options != nullptr && (query.edns.asks & wire::kAsksZoneVersion) != 0;
  return wire::edns_size(most) + (version ? wire::kZoneVersionSize : 0);
}

}  // namespace

Response::Response(std::uint8_t* buffer, std::size_t limit, const wire::Query& query,
                   wire::OptionReplies* options) noexcept
    : buffer_(buffer),
      limit_(limit),
      query_(query),
      options_(options),
      writer_(buffer, query.question_end, limit, query.has_question() ? &query.name : nullptr) {
  edns_.dnssec_ok = query.edns.dnssec_ok;
  edns_.options = options;
  const std::size_t held = held_back(query, options);
  limit_ = std::max(limit, query.question_end + held);
  writer_.set_limit(limit_ - held);
}

bool Response::count(Section section, std::size_t mark) noexcept {
  // RFC 8914 3: records of the answer are more important than EDE, and EDE more than additional records
  const bool crowding = section == Section::Additional && query_.edns.present && writer_.room() < kBareError;
  if (writer_.failed() || crowding) {
    writer_.rollback(mark);
    return false;
  }
  ++counts_[static_cast<std::size_t>(section)];
  return true;
}

void Response::explain(wire::Ede code, std::string_view text) noexcept {
  edns_.ede = code;
  edns_.ede_text = text;
}

void Response::set_scope(std::uint8_t scope) noexcept {
  edns_.subnet = &query_.edns.subnet;
  edns_.scope = scope;
}

void Response::set_zone(wire::NameBytes apex, std::uint32_t serial) noexcept {
  if (options_ == nullptr || (query_.edns.asks & wire::kAsksZoneVersion) == 0) return;
  options_->present |= wire::kAsksZoneVersion;
  options_->version = {0, serial};
  for (std::size_t at = 0; apex[at] != 0; at += std::size_t{1} + apex[at]) ++options_->version.labels;
}

void Response::write_header() noexcept {
  buffer_[2] = static_cast<std::uint8_t>((buffer_[2] & kFlagsKept) | kResponse | (authoritative_ ? kAuthoritative : 0) |
                                         (truncated_ ? kTruncated : 0));
  // RA, Z, AD and CD are 0: the server neither recurses nor validates
  buffer_[3] = static_cast<std::uint8_t>(static_cast<std::uint16_t>(edns_.rcode) & 0x0FU);
  wire::store16(buffer_ + 4, query_.has_question() ? 1 : 0);
  wire::store16(buffer_ + 6, counts_[0]);
  wire::store16(buffer_ + 8, counts_[1]);
  wire::store16(buffer_ + 10, static_cast<std::uint16_t>(counts_[2] + (query_.edns.present ? 1 : 0)));
}

std::size_t Response::finish() noexcept {
  write_header();
  writer_.set_limit(limit_);
  if (query_.edns.present) wire::write_edns(writer_, edns_);
  return writer_.position();
}

}  // namespace meshdns::query
