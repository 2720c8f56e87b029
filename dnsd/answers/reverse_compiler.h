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

/// The zone is in in-addr.arpa or ip6.arpa: it has no hosts but the names of addresses.
bool is_reverse_zone(const std::string& zone);

/// Keeps an index equal to the hosts: a change copies the pages of the addresses that came and went; a host whose
/// health alone became different costs a comparison. Without reverse zones it does nothing.
/// thread: that of the Compiler
class ReverseCompiler {
 public:
  using NameOf = std::function<wire::NameBytes(std::uint32_t)>;

  /// name_of: the name of a host that is there, by its number
  explicit ReverseCompiler(NameOf name_of) : name_of_(std::move(name_of)) {}

  /// Begins anew, with an empty index. zones: all of them, in presentation form
  void configure(const std::vector<std::string>& zones);
  /// A host was put, compiled anew or erased. before, after: null = there is none; name_of knows what is `after`
  void change(std::uint32_t number, const Host* before, const Host* after, ReverseIndex& index);
  /// The index goes into a table: from now on its pages are copied before they change.
  void publish() { fresh_.clear(); }

 private:
  /// The host's addresses that are in the zones, sorted
  std::vector<IpAddress> addresses_of(const Host* host) const;
  void add(const IpAddress& address, std::uint32_t host, ReverseIndex& index);
  void remove(const IpAddress& address, std::uint32_t host, ReverseIndex& index);
  void put(const ReverseEntry& entry, ReverseIndex& index);
  void erase(const IpAddress& address, ReverseIndex& index);
  ReversePage& writable(std::size_t page, ReverseIndex& index);

  NameOf name_of_;
  std::vector<Prefix> prefixes_;                              // of the zones
  std::map<IpAddress, std::vector<std::uint32_t>> hosts_of_;  // by name; the first one is answered
  std::map<const ReversePage*, ReversePage*> fresh_;          // pages of no table yet
};

}  // namespace meshdns::answers
