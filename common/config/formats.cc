#include "common/config/formats.h"

#include <fmt/format.h>
#include <algorithm>

#include "common/base/text.h"
#include "common/config/place.h"
#include "common/model/host_name.h"
#include "common/model/ladder.h"
#include "common/net/host_address.h"
#include "common/net/prefix.h"
#include "common/net/socket_address.h"
#include "common/net/unix_socket.h"
#include "common/time/duration_text.h"
#include "common/time/time_text.h"

namespace meshdns::config {
namespace {

using Wrong = std::optional<std::string>;

Wrong expected(std::string_view what, std::string_view text) {
  return fmt::format("expected {} (got {})", what, shown(text));
}

template <class T>
Wrong message_of(const Result<T>& result) {
  if (result) return std::nullopt;
  return result.error().message();
}

bool is_port(std::string_view text) {
  const auto number = parse_uint(text);
  return number && *number >= 1 && *number <= 65535;
}

bool is_digits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

Wrong wrong_port_or_name(std::string_view text) {
  const bool good = is_digits(text) ? is_port(text) : is_ldh_label(text);
  return good ? std::nullopt : expected("1-65535 or a port name", text);
}

Wrong wrong_dns_name(std::string_view text) {
  if (text.find('*') != std::string_view::npos) {
    return fmt::format("a wildcard is not allowed here (got {})", shown(text));
  }
  return model::is_host_name(text) ? std::nullopt : expected("a DNS name like web.example.net", text);
}

Wrong wrong_address(std::string_view text) {
  const auto address = IpAddress::parse(text);
  return address ? not_of_one_host(*address) : message_of(address);
}

/// Checks the path of a socket.
/// prefix: the text before the path, "unix:" or empty
Wrong wrong_socket_path(std::string_view text, std::string_view prefix) {
  const auto path = text.substr(prefix.size());
  if (path.size() > kLongestSocketPath) {
    return fmt::format("a socket's path has at most {} characters", kLongestSocketPath);
  }
  return path.size() > 1 && path.front() == '/' ? std::nullopt : expected(fmt::format("{}/path", prefix), text);
}

Wrong wrong_unix_path(std::string_view text) { return wrong_socket_path(text, "unix:"); }

Wrong wrong_listen(std::string_view text) {
  if (text.starts_with("unix:")) return wrong_unix_path(text);
  return SocketAddress::parse(text) ? std::nullopt : expected("ADDRESS:PORT or unix:/path", text);
}

Wrong wrong_server(std::string_view text) {
  if (text.starts_with("unix:")) return wrong_unix_path(text);
  if (const auto address = SocketAddress::parse(text); address && address->port != 0) return std::nullopt;
  const auto colon = text.rfind(':');
  const auto name = text.substr(0, colon);
  const bool good = colon != std::string_view::npos && model::is_host_name(name) && is_port(text.substr(colon + 1)) &&
                    !is_digits(name.substr(name.rfind('.') + 1));  // 10.0.0.256 is a mistyped address, not a name
  return good ? std::nullopt : expected("ADDRESS:PORT, NAME:PORT or unix:/path", text);
}

Wrong wrong_count_or_auto(const v1::Rules& rules, std::string_view text) {
  const auto number = parse_uint(text);
  const bool good = text == "auto" || (number && *number <= 1'000'000 && in_range(rules, static_cast<int>(*number)));
  return good ? std::nullopt : expected("auto or " + range_text(rules), text);
}

Wrong wrong_duration_or_off(const v1::Rules& rules, std::string_view text) {
  if (text == "off") return std::nullopt;
  const auto value = parse_duration(text);
  const bool good = value && *value >= *parse_duration(rules.shortest()) && *value <= *parse_duration(rules.longest());
  return good ? std::nullopt : expected(fmt::format("off, or {} to {}", rules.shortest(), rules.longest()), text);
}

}  // namespace

std::optional<std::string> wrong_format(const v1::Rules& rules, std::string_view text) {
  switch (rules.format()) {
    case v1::Rules::ADDRESS: return wrong_address(text);
    case v1::Rules::PREFIX: return message_of(Prefix::parse(text));
    case v1::Rules::SOCKET_ADDRESS: return message_of(SocketAddress::parse(text));
    case v1::Rules::LDH_LABEL:
      return is_ldh_label(text) ? std::nullopt : expected("letters, digits and hyphens, at most 63", text);
    case v1::Rules::DNS_NAME: return wrong_dns_name(text);
    case v1::Rules::PORT_OR_NAME: return wrong_port_or_name(text);
    case v1::Rules::LISTEN: return wrong_listen(text);
    case v1::Rules::SERVER: return wrong_server(text);
    case v1::Rules::RUNG: return message_of(model::parse_rung(text));
    case v1::Rules::SOCKET_PATH: return wrong_socket_path(text, "");
    case v1::Rules::COUNT_OR_AUTO: return wrong_count_or_auto(rules, text);
    case v1::Rules::DURATION_OR_OFF: return wrong_duration_or_off(rules, text);
    case v1::Rules::TIME: return message_of(parse_time(text));
    default: return std::nullopt;
  }
}

std::string range_text(const v1::Rules& rules) {
  if (rules.format() == v1::Rules::PERCENT) return fmt::format("{}%-{}%", rules.min(), rules.max());
  if (rules.has_max()) return fmt::format("{}-{}", rules.min(), rules.max());
  if (rules.has_min()) return fmt::format("at least {}", rules.min());
  return "a number";
}

bool in_range(const v1::Rules& rules, std::int64_t value) {
  return (!rules.has_min() || value >= rules.min()) && (!rules.has_max() || value <= rules.max());
}

}  // namespace meshdns::config
