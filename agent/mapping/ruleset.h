#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/net/port_holder.h"
#include "common/net/socket_address.h"

// The commands for nftables (nft(8)) as text.
namespace meshdns::mapping {

/// Redirects new connections (or flows of UDP) to `from` to the port `target` of the same address.
struct Rule {
  SocketAddress from;
  Protocol protocol = Protocol::Tcp;
  std::uint16_t target = 0;

  friend auto operator<=>(const Rule&, const Rule&) = default;
};

/// Returns "TCP" or "UDP".
std::string_view protocol_name(Protocol protocol);

/// Returns the name of a node's table in the family inet: "meshdns-eu1-n1". Two agents on one machine have different
/// nodes, and so different tables.
std::string table_name(std::string_view node);

/// Returns the commands that replace the table, whether it exists or not. The kernel executes all of them together or
/// none, so that no packet sees a part.
///
/// The table has the hooks `prerouting`, for packets from other machines and containers, and `output`, for those of
/// this machine. Each rule counts the connections that it redirects: of a connection only the first packet passes a
/// chain of type nat.
/// requires: there is a rule
std::string replacement(const std::string& table, const std::vector<Rule>& rules);

/// Returns the commands that remove the table, if it exists.
std::string removal(const std::string& table);

/// Returns the command that lists the table.
std::string listing(const std::string& table);

/// What a listing of the table says.
struct Counted {
  std::size_t rules = 0;          // in both hooks together
  std::uint64_t connections = 0;  // that they have redirected

  friend bool operator==(const Counted&, const Counted&) = default;
};

/// Reads the output of listing().
Counted counted_in(std::string_view listed);

}  // namespace meshdns::mapping
