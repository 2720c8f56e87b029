#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agent/mapping/judge.h"
#include "common/base/result.h"

namespace meshdns::mapping {

// How it works. The table always has exactly the rules of the granted wishes, or does not exist. It is replaced as a
// whole when these rules change:
//
//   wishes, listeners, addresses --judge()--> verdicts --granted()--> rules --differ?--> replacement(), in the kernel
//
// Nothing is kept on disk. After a crash the table is still there with the rules of that run: start() removes it. Other
// programs may remove it at any time (`nft flush ruleset`), which every kChecked-th look() notices.

/// Redirects ports by an nftables table of its own, and touches no other table.
/// thread: one
class PortMapper {
 public:
  /// Every how manieth look() lists the table, for its counters and to see whether it is still there.
  static constexpr int kChecked = 10;

  /// The machine; tests replace it.
  struct Machine {
    /// Executes commands of nft, all or none.
    /// returns: what they print
    /// errors:  NotFound: the table that is listed does not exist
    std::function<Result<std::string>(const std::string& commands)> run;
    std::function<Result<Facts>()> facts;
  };

  PortMapper(std::string table, Machine machine) : table_(std::move(table)), machine_(std::move(machine)) {}

  /// Removes the table that an earlier run has left.
  void start();
  /// Replaces the wishes, and does look().
  /// returns: whether a verdict changed
  bool set(std::vector<Wish> wishes);
  /// Looks at the machine again, and replaces the table if other wishes are granted now. Called about every second.
  /// returns: whether a verdict changed
  bool look();
  /// Removes the table.
  void stop();

  const std::string& table() const { return table_; }
  const std::vector<Verdict>& verdicts() const { return verdicts_; }
  /// Why nothing can be changed; empty = all is well.
  const std::string& problem() const { return problem_; }
  /// The number of connections and flows that were redirected, as of the last time the table was listed.
  std::uint64_t connections() const { return earlier_ + counted_; }

 private:
  /// Reads the counters. Forgets the rules if the table does not have them any more.
  void check();
  /// Makes the table have these rules.
  Result<void> write(const std::vector<Rule>& rules);
  /// Takes note of whether the machine can be changed, and logs when that changes.
  void note(const Result<void>& done);

  std::string table_;
  Machine machine_;
  std::vector<Wish> wishes_;
  std::vector<Verdict> verdicts_;
  std::set<Rule> present_;  // in the table
  bool clean_ = true;       // no table of an earlier run is left
  int looks_ = 0;
  std::string problem_;
  std::uint64_t counted_ = 0;  // connections of the present table
  std::uint64_t earlier_ = 0;  // and of those before
};

}  // namespace meshdns::mapping
