#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "dnsd/app/record_counts.h"
#include "dnsd/app/slices.h"
#include "dnsd/catalog/catalog.h"
#include "dnsd/topology/lint.h"

namespace meshdns::dnsd::app {

/// Keeps the names of nodes, clusters and so on that lint compares references with, so that not every page of a listing
/// collects them from all nodes. The names are collected again, in slices, when a page needs them and nodes, clusters
/// or virtual destinations have changed.
/// thread: control
class LintNames {
 public:
  /// Both must outlive this object.
  LintNames(const catalog::Catalog& catalog, const RecordCounts& counts) : catalog_(catalog), counts_(counts) {}

  /// Collects names while the slice lasts.
  /// returns: true = names() has all names that existed when the collection began
  bool learn(Slice& slice);
  /// requires: learn() has returned true once
  const std::shared_ptr<topology::KnownNames>& names() const { return known_; }

 private:
  enum class Phase : std::uint8_t { Nodes, Clusters, Destinations };

  const catalog::Catalog& catalog_;
  const RecordCounts& counts_;
  std::shared_ptr<topology::KnownNames> known_;
  std::uint64_t known_version_ = 0;
  std::shared_ptr<topology::KnownNames> next_;  // being collected
  std::uint64_t next_version_ = 0;
  Phase phase_ = Phase::Nodes;
  std::string after_;  // the last key of the phase that was collected; empty = none yet
};

}  // namespace meshdns::dnsd::app
