#include "tests/bench/federation/mesh.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>

#include "common/base/text.h"

namespace meshdns::bench {
namespace {

constexpr std::string_view kMark = "sent at ";
constexpr std::size_t kDigits = 20;  // of nanoseconds, with zeros in front

IpAddress address_of(int agent, int number) {
  const auto upper = static_cast<std::uint32_t>(agent) << 8U;
  return IpAddress::v4(0x0A000000U + upper + static_cast<std::uint32_t>(10 + number % 240));
}

}  // namespace

Flags::Flags(int count, char** words) {
  for (int at = 1; at < count; at += 2) {
    const std::string_view name = words[at];
    if (!name.starts_with("--") || at + 1 == count) {
      std::fprintf(stderr, "%s: expected --name value, got %s\n", words[0], words[at]);
      std::exit(2);
    }
    values_[std::string(name.substr(2))] = words[at + 1];
  }
}

std::string Flags::text(const std::string& name, const std::string& otherwise) const {
  const auto found = values_.find(name);
  return found == values_.end() ? otherwise : found->second;
}

int Flags::number(const std::string& name, int otherwise) const {
  const auto found = values_.find(name);
  if (found == values_.end()) return otherwise;
  return static_cast<int>(parse_uint(found->second).value_or(0));
}

Mesh::Mesh(const Flags& flags)
    : agents(flags.number("agents", 10)),
      endpoints(flags.number("endpoints", 10)),
      services(flags.number("services", agents * endpoints / 10 + 1)),
      clusters(flags.number("clusters", 1)) {}

model::Node Mesh::node(int agent) const {
  model::Node out;
  model::Locality& where = out.locality;
  where.part(model::Part::Network) = "corp";
  where.part(model::Part::Region) = "eu";
  where.part(model::Part::Zone) = fmt::format("eu-{}", static_cast<char>('a' + agent / clusters % 3));
  where.part(model::Part::Cluster) = fmt::format("eu-{}", 1 + agent % clusters);
  where.part(model::Part::Node) = fmt::format("n{:05}", agent);
  out.key = where.part(model::Part::Cluster) + "/" + where.part(model::Part::Node);
  out.addresses = {address_of(agent, -9)};
  return out;
}

model::Endpoint Mesh::endpoint(int agent, int number) const {
  model::Endpoint out;
  out.source = "static";
  out.namespace_ = "bench";
  out.service = fmt::format("svc-{:06}", (agent * endpoints + number) % services);
  out.labels = model::Labels{{"app", out.service}};
  out.addresses = {address_of(agent, number)};
  const auto port = static_cast<std::uint16_t>(8000 + number / 240);
  out.ports = {{.name = "http", .number = port, .app_protocol = "http"}};
  out.key = fmt::format("{}/{}/{}:{}", out.namespace_, out.service, out.addresses.front().text(), port);
  out.health.state = model::HealthState::Serving;
  return out;
}

std::string sent_at(TimePoint now) { return fmt::format("{}{:020}", kMark, now.time_since_epoch().count()); }

std::optional<TimePoint> moment_in(std::string_view encoded) {
  const std::size_t at = encoded.find(kMark);
  if (at == std::string_view::npos || encoded.size() < at + kMark.size() + kDigits) return std::nullopt;
  std::int64_t nanoseconds = 0;
  const char* digits = encoded.data() + at + kMark.size();
  if (std::from_chars(digits, digits + kDigits, nanoseconds).ptr != digits + kDigits) return std::nullopt;
  return TimePoint(Duration(nanoseconds));
}

}  // namespace meshdns::bench
