#include "agent/mapping/ruleset.h"

#include <fmt/format.h>

#include "common/base/text.h"

namespace meshdns::mapping {
namespace {

constexpr std::size_t kLongestName = 200;  // the kernel takes 255 bytes
constexpr std::string_view kCounter = "counter packets ";

/// nft knows the name `dstnat` in the hook prerouting only; -100 is its value in all hooks.
constexpr int kPriority = -100;

std::string rule_text(const Rule& rule) {
  const std::string address = rule.from.ip.text();
  const bool v4 = rule.from.ip.is_v4();
  return fmt::format("    {0} daddr {1} {2} dport {3} counter dnat {0} to {4}:{5}\n", v4 ? "ip" : "ip6", address,
                     rule.protocol == Protocol::Tcp ? "tcp" : "udp", rule.from.port, v4 ? address : "[" + address + "]",
                     rule.target);
}

std::string chain_text(const char* hook, const std::vector<Rule>& rules) {
  std::string out =
      fmt::format("  chain {0} {{\n    type nat hook {0} priority {1}; policy accept;\n", hook, kPriority);
  for (const Rule& rule : rules) out += rule_text(rule);
  return out + "  }\n";
}

}  // namespace

std::string_view protocol_name(Protocol protocol) { return protocol == Protocol::Tcp ? "TCP" : "UDP"; }

std::string table_name(std::string_view node) { return "meshdns-" + std::string(node.substr(0, kLongestName)); }

std::string replacement(const std::string& table, const std::vector<Rule>& rules) {
  return removal(table) + "table inet " + table + " {\n" + chain_text("prerouting", rules) +
         chain_text("output", rules) + "}\n";
}

std::string removal(const std::string& table) {
  // a table that does not exist cannot be deleted, so it is added first
  return fmt::format("add table inet {0}\ndelete table inet {0}\n", table);
}

std::string listing(const std::string& table) { return "list table inet " + table + "\n"; }

Counted counted_in(std::string_view listed) {
  Counted out;
  for (std::size_t at = listed.find(kCounter); at != std::string_view::npos; at = listed.find(kCounter, at)) {
    at += kCounter.size();
    const auto packets = parse_uint(listed.substr(at, listed.find(' ', at) - at));
    ++out.rules;
    out.connections += packets.value_or(0);
  }
  return out;
}

}  // namespace meshdns::mapping
