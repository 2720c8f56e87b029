#include "agent/app/check_text.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <type_traits>
#include <variant>
#include <vector>

#include "common/base/overloaded.h"
#include "common/base/printable.h"
#include "common/base/text.h"
#include "common/time/duration_text.h"

namespace meshdns::agent::app {
namespace {

constexpr std::size_t kShown = 60;  // bytes of a payload that are shown

/// Returns the start of a payload between quotes.
std::string quoted(std::string_view payload) {
  std::string out = "\"" + printable(payload.substr(0, kShown)) + "\"";
  return payload.size() <= kShown ? out : out + " and " + counted(payload.size() - kShown, "byte") + " more";
}

/// Returns the text of a check that sends bytes and looks for bytes in what comes back.
std::string exchange(const char* begin, const std::string& send, const std::string& expect) {
  std::string out = begin;
  if (!send.empty()) out += ", sends " + quoted(send);
  if (!expect.empty()) out += ", expects " + quoted(expect);
  return out;
}

std::string statuses(const std::vector<probes::StatusRange>& ranges) {
  std::vector<std::string> out;
  for (const auto& [lowest, highest] : ranges) {
    out.push_back(lowest == highest ? std::to_string(lowest) : fmt::format("{}-{}", lowest, highest));
  }
  return join(out, ", ");
}

std::string http_text(const probes::HttpCheck& check) {
  std::string out = check.method + " " + printable(check.path);
  if (!check.host.empty()) out += ", Host: " + printable(check.host);
  for (const auto& [name, value] : check.headers) out += ", " + printable(name) + ": ...";
  out += ", expects " + statuses(check.status);
  if (!check.contains.empty()) out += ", a body with " + quoted(check.contains);
  if (!check.regex.empty()) out += ", a body like " + quoted(check.regex);
  return out;
}

std::string dns_text(const probes::DnsCheck& check) {
  std::string out =
      fmt::format("{} {}{}, expects {}", check.name, check.type, check.tcp ? " over TCP" : "", check.rcode);
  return check.expect ? out + " with " + check.expect->text() : out;
}

/// Returns the text of one check that is no group.
constexpr Overloaded kText = {
    [](const probes::TcpCheck& check) {
      return exchange(check.tls ? "a TLS handshake" : "a connection", check.send, check.expect);
    },
    [](const probes::HttpCheck& check) { return http_text(check); },
    [](const probes::GrpcCheck& check) {
      return fmt::format("grpc.health.v1.Health/{} of {}", check.watch ? "Watch" : "Check",
                         check.service.empty() ? "the server" : printable(check.service));
    },
    [](const probes::UdpCheck& check) { return exchange("a datagram", check.send, check.expect); },
    [](const probes::DnsCheck& check) { return dns_text(check); },
    [](const probes::ExecCheck& check) {
      return printable(join(check.command, " ")) + (check.user.empty() ? "" : " as " + printable(check.user));
    },
    [](const probes::TtlCheck& check) { return "a push within " + duration_text(check.ttl); },
    [](const probes::SystemdCheck& check) { return "the state of " + printable(check.unit); },
    [](const probes::AliasCheck& check) { return "the health of " + check.namespace_ + "/" + check.service; },
    [](const probes::NoneCheck&) { return std::string("nothing"); },
};

std::string group_text(const probes::GroupCheck& group) {
  std::vector<std::string> parts;
  for (const auto& part : group.parts) parts.push_back(std::visit(kText, part));
  return join(parts, "; ");
}

}  // namespace

std::string sent_text(const probes::AnyCheck& check) {
  return std::visit(
      [](const auto& kind) -> std::string {
        if constexpr (std::is_same_v<std::decay_t<decltype(kind)>, probes::GroupCheck>) {
          return group_text(kind);
        } else {
          return kText(kind);
        }
      },
      check);
}

std::string_view outcome_name(health::Outcome outcome) {
  static constexpr std::array<std::string_view, health::kOutcomes> kNames = {"success", "failure", "timeout",
                                                                             "refused", "unknown", "warning"};
  return kNames.at(static_cast<std::size_t>(outcome));
}

std::string latency_text(Duration latency) {
  const double millis = std::chrono::duration<double, std::milli>(latency).count();
  if (millis < 10) return fmt::format("{:.1f}ms", millis);
  return millis < 1000 ? fmt::format("{:.0f}ms", millis) : fmt::format("{:.1f}s", millis / 1000);
}

}  // namespace meshdns::agent::app
