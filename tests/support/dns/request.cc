#include "tests/support/dns/request.h"

#include <charconv>

#include "common/base/check.h"
#include "common/base/text.h"
#include "common/net/prefix.h"

namespace meshdns::test {
namespace {

void put16(Bytes& out, unsigned value) {
  out.push_back(static_cast<std::uint8_t>(value >> 8));
  out.push_back(static_cast<std::uint8_t>(value));
}

Bytes opt_record(const EdnsRequest& edns) {
  Bytes out = {0};
  put16(out, static_cast<unsigned>(wire::Type::OPT));
  put16(out, edns.udp_size);
  out.push_back(0);
  out.push_back(edns.version);
  put16(out, edns.flags);
  put16(out, static_cast<unsigned>(edns.options.size()));
  return out + edns.options;
}

}  // namespace

Bytes hex(std::string_view digits) {
  Bytes out;
  int high = -1;
  for (const char c : digits) {
    int value = 0;
    if (std::from_chars(&c, &c + 1, value, 16).ec != std::errc()) continue;
    if (high < 0) {
      high = value;
    } else {
      out.push_back(static_cast<std::uint8_t>(high * 16 + value));
      high = -1;
    }
  }
  return out;
}

Bytes operator+(Bytes left, const Bytes& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

EdnsRequest& EdnsRequest::option(std::uint16_t code, const Bytes& data) {
  put16(options, code);
  put16(options, static_cast<unsigned>(data.size()));
  options = options + data;
  return *this;
}

EdnsRequest& EdnsRequest::subnet(std::string_view text) {
  const auto prefix = Prefix::parse(text);
  MESHDNS_CHECK(prefix.has_value());
  const auto address = prefix->address().bytes();
  Bytes data = {0, static_cast<std::uint8_t>(prefix->family() == Family::V4 ? 1 : 2),
                static_cast<std::uint8_t>(prefix->length()), 0};
  data.insert(data.end(), address.begin(), address.begin() + (prefix->length() + 7) / 8);
  return option(static_cast<std::uint16_t>(wire::Option::ClientSubnet), data);
}

Bytes header(std::uint16_t id,  // NOLINT(readability-function-size): as in the RFC
             std::uint16_t flags, std::uint16_t questions, std::uint16_t answers, std::uint16_t authority,
             std::uint16_t additional) {
  Bytes out;
  for (const unsigned value : {id, flags, questions, answers, authority, additional}) put16(out, value);
  return out;
}

Bytes question(std::string_view name, wire::Type type, wire::Class qclass) {
  Bytes out;
  if (name.ends_with('.')) name.remove_suffix(1);
  for (const auto label : name.empty() ? std::vector<std::string_view>{} : split(name, '.')) {
    out.push_back(static_cast<std::uint8_t>(label.size()));
    out.insert(out.end(), label.begin(), label.end());
  }
  out.push_back(0);
  put16(out, static_cast<unsigned>(type));
  put16(out, static_cast<unsigned>(qclass));
  return out;
}

Bytes Request::bytes() const {
  Bytes out = header(id, flags, 1, 0, 0, edns ? 1 : 0) + question(name, type, qclass);
  return edns ? out + opt_record(*edns) : out;
}

}  // namespace meshdns::test
