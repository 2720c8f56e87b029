#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "common/net/prefix.h"

namespace meshdns {

/// Longest-prefix match, v4 and v6, for the control side: a lookup tries each length, longest first.
/// The answer path has its own compiled trie (dnsd/answers).
template <class T>
class PrefixMap {
 public:
  /// false if the prefix is there already; the old value stays
  bool insert(const Prefix& prefix, T value) { return entries_.emplace(prefix, std::move(value)).second; }
  bool erase(const Prefix& prefix) { return entries_.erase(prefix) > 0; }

  const T* find(const Prefix& prefix) const {
    const auto at = entries_.find(prefix);
    return at == entries_.end() ? nullptr : &at->second;
  }

  /// The longest prefix that holds the address; valid until the map changes.
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
