#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "common/net/ip_address.h"
#include "common/net/prefix.h"
#include "dnsd/answers/host.h"
#include "dnsd/answers/reverse_index.h"
#include "dnsd/wire/name.h"

namespace meshdns::answers {

/// Returns whether a zone is in in-addr.arpa or ip6.arpa: its names stand for addresses, and it has no hosts.
bool is_reverse_zone(const std::string& zone);

/// Keeps a reverse index equal to the hosts. A change copies the pages of the addresses that came or went; a host whose
/// addresses are unchanged costs one comparison. Does nothing without reverse zones.
/// thread: that of the Compiler
class ReverseCompiler {
 public:
  using NameOf = std::function<wire::NameBytes(std::uint32_t)>;

  /// name_of: returns the name of a host by its number; called for hosts that exist
  explicit ReverseCompiler(NameOf name_of) : name_of_(std::move(name_of)) {}

  /// Starts with an empty index.
  /// zones: all zones in presentation form; others than reverse zones are skipped
  void configure(const std::vector<std::string>& zones);
  /// Notes that a host was put, compiled again or erased.
  /// before, after: null = there is none
  /// requires: name_of(number) returns the name of `after`
  void change(std::uint32_t number, const Host* before, const Host* after, ReverseIndex& index);
  /// Notes that the index is part of a table now: its pages are copied before they change again.
  void publish() { fresh_.clear(); }

 private:
  /// Returns the host's addresses that are in the zones, sorted.
  std::vector<IpAddress> addresses_of(const Host* host) const;
  void add(const IpAddress& address, std::uint32_t host, ReverseIndex& index);
  void remove(const IpAddress& address, std::uint32_t host, ReverseIndex& index);
  void put(const ReverseEntry& entry, ReverseIndex& index);
  void erase(const IpAddress& address, ReverseIndex& index);
  /// Returns a page that may be changed, and copies it if a table has it.
  ReversePage& writable(std::size_t page, ReverseIndex& index);

  NameOf name_of_;
  std::vector<Prefix> prefixes_;                              // of the zones
  std::map<IpAddress, std::vector<std::uint32_t>> hosts_of_;  // in the order of names: PTR answers the first
  std::map<const ReversePage*, ReversePage*> fresh_;          // pages that no table has yet
};

}  // namespace meshdns::answers
