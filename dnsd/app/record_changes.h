#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <utility>
#include <vector>

#include "dnsd/catalog/catalog.h"

namespace meshdns::dnsd::app {

/// Informs each part of the daemon when records of the types that concern it have changed. Code that may have changed
/// the catalog calls look(), which is cheap if the catalog's generation is unchanged.
/// thread: control
class RecordChanges {
 public:
  /// `catalog` must outlive it.
  explicit RecordChanges(const catalog::Catalog& catalog) : catalog_(catalog), seen_(catalog.generation()) {}

  /// Calls `told` after every change. Everything that `told` refers to must outlive the last look().
  void on_any(std::function<void()> told) { parts_.push_back({{}, std::move(told)}); }
  /// Calls `told` after changes of records of these types.
  void on(std::initializer_list<catalog::RecordType> types, std::function<void()> told) {
    parts_.push_back({types, std::move(told)});
  }

  /// Informs the parts if the catalog has changed, in the order in which they were added. If a part changes the catalog
  /// meanwhile, all parts concerned are informed in another round before this returns.
  void look() {
    if (looking_) return;
    looking_ = true;
    while (seen_ != catalog_.generation()) {
      const std::uint64_t before = std::exchange(seen_, catalog_.generation());
      for (const Part& part : parts_) {
        if (concerns(part, before)) part.told();
      }
    }
    looking_ = false;
  }

 private:
  struct Part {
    std::vector<catalog::RecordType> types;  // none = all
    std::function<void()> told;
  };

  bool concerns(const Part& part, std::uint64_t before) const {
    if (part.types.empty()) return true;
    for (const catalog::RecordType type : part.types) {
      if (catalog_.generation_of(type) > before) return true;
    }
    return false;
  }

  const catalog::Catalog& catalog_;
  std::uint64_t seen_;
  std::vector<Part> parts_;
  bool looking_ = false;
};

}  // namespace meshdns::dnsd::app
