#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "dnsd/app/record_counts.h"
#include "dnsd/app/slices.h"
#include "dnsd/catalog/catalog.h"
#include "dnsd/topology/lint.h"

namespace meshdns::app {

/// Keeps the names that lint knows, so that not every page of a listing walks all nodes for them. They are collected
/// again, in slices, when somebody asks and nodes, clusters or virtual destinations have changed.
/// thread: control
class LintNames {
 public:
  /// Both must outlive the names.
  LintNames(const catalog::Catalog& catalog, const RecordCounts& counts) : catalog_(catalog), counts_(counts) {}

  /// Collects names.
  /// returns: true = names() knows all that there was when the collection began
  bool learn(Slice& slice);
  /// requires: learn() has returned true once
  const std::shared_ptr<topology::KnownNames>& names() const { return known_; }

 private:
  enum class Phase : std::uint8_t { Nodes, Clusters, Destinations };

  const catalog::Catalog& catalog_;
  const RecordCounts& counts_;
  std::shared_ptr<topology::KnownNames> known_;
  std::uint64_t known_version_ = 0;
  std::shared_ptr<topology::KnownNames> next_;
  std::uint64_t next_version_ = 0;
  Phase phase_ = Phase::Nodes;
  std::string after_;  // the last key of the phase; empty = it begins
};

}  // namespace meshdns::app
