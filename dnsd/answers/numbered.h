#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "dnsd/answers/host.h"

namespace meshdns::answers {

/// A list of distinct values that knows the index of each. A short list is searched in order; a longer one has an
/// index, so that compiling a host costs its number of rows, not its square.
template <class T, class Hash = std::hash<T>>
class Numbered {
 public:
  static constexpr std::size_t kFew = 16;
  static constexpr std::size_t kMost = std::numeric_limits<std::uint16_t>::max();

  explicit Numbered(std::vector<T> first = {}) : list_(std::move(first)) {}

  /// Returns the index of a value, and adds the value if it is new. A list that is full returns 0, its first value.
  std::uint16_t index_of(const T& value) {
    if (list_.size() <= kFew) {
      const auto index = static_cast<std::size_t>(std::ranges::find(list_, value) - list_.begin());
      if (index == list_.size()) list_.push_back(value);
      return static_cast<std::uint16_t>(index);
    }
    for (std::size_t i = index_.size(); i < list_.size(); ++i) index_.emplace(list_[i], static_cast<std::uint16_t>(i));
    if (const auto found = index_.find(value); found != index_.end()) return found->second;
    if (list_.size() >= kMost) return 0;
    list_.push_back(value);
    return static_cast<std::uint16_t>(list_.size() - 1);
  }
  const T& operator[](std::size_t i) const { return list_[i]; }
  std::size_t size() const { return list_.size(); }
  const std::vector<T>& list() const { return list_; }
  std::vector<T> take() { return std::move(list_); }

 private:
  std::vector<T> list_;
  std::unordered_map<T, std::uint16_t, Hash> index_;
};

struct LocalityHash {
  std::size_t operator()(const Ref<const KnownLocality>& place) const {
    return std::hash<const KnownLocality*>()(place.get());
  }
};

struct TraitsHash {
  std::size_t operator()(const EndpointTraits& traits) const {
    const std::uint64_t low = std::uint64_t{traits.weight} << 32 | std::uint64_t{traits.port} << 16 | traits.why;
    const std::uint64_t high = std::uint64_t{traits.exported} << 24 | std::uint64_t{traits.group} << 16 |
                               std::uint64_t{traits.start} << 8 | static_cast<std::uint64_t>(traits.standing);
    return static_cast<std::size_t>(low * 0x9E3779B97F4A7C15U ^ high * 0xC2B2AE3D27D4EB4FU);
  }
};

}  // namespace meshdns::answers
