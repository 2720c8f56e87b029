#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "common/net/prefix.h"

namespace meshdns {

/// A map from prefixes of both families to values, with longest-prefix lookup. A lookup tries each length, longest
/// first: fast enough for the control thread. DNS workers use a compiled trie instead (dnsd/answers).
template <class T>
class PrefixMap {
 public:
  /// Adds a prefix.
  /// returns: false = the prefix is in the map already; its value is unchanged
  bool insert(const Prefix& prefix, T value) { return entries_.emplace(prefix, std::move(value)).second; }
  bool erase(const Prefix& prefix) { return entries_.erase(prefix) > 0; }

  const T* find(const Prefix& prefix) const {
    const auto at = entries_.find(prefix);
    return at == entries_.end() ? nullptr : &at->second;
  }

  /// Returns the longest prefix that contains the address, with its value; null = there is none. The pointer is valid
  /// until that entry is erased.
  const std::pair<const Prefix, T>* lookup(const IpAddress& address) const {
    for (int length = address.bits(); length >= 0; --length) {
      const auto at = entries_.find(Prefix::of(address, length));
      if (at != entries_.end()) return &*at;
    }
    return nullptr;
  }

  const std::map<Prefix, T>& entries() const { return entries_; }

 private:
  std::map<Prefix, T> entries_;
};

}  // namespace meshdns
