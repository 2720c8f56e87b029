#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "common/time/time.h"
#include "dnsd/answers/answer_table.h"
#include "dnsd/answers/compiler.h"
#include "dnsd/snapshot_file/snapshot_file.h"

namespace meshdns::snapshot_file {

/// Digests of what a table follows from: where one of these differs it is another table. 0 = not known
struct TableSource {
  std::uint64_t configuration = 0;  // what of it shapes answers, and the machine's addresses
  std::uint64_t records = 0;        // the snapshot, or the endpoints file
  std::uint64_t program = 0;        // this one: hosts are kept as they stand in its memory

  bool known() const { return configuration != 0 && records != 0 && program != 0; }
  friend bool operator==(const TableSource&, const TableSource&) = default;
};

/// Keeps the compiled answers beside what they were made from, so that the next start answers before it has read that.
class KeptAnswers {
 public:
  static constexpr const char* kFile = "answers";

  KeptAnswers(const std::string& folder, const Clock& clock) : file_(folder + "/" + kFile), clock_(clock) {}

  /// How a search for a table ended; for metrics and the log.
  enum class Outcome : std::uint8_t { Missing, Damaged, Other, Taken };
  struct Found {
    Outcome outcome = Outcome::Missing;
    std::shared_ptr<const answers::AnswerTable> table;  // null unless taken
    Duration age{};
  };
  /// base: of the configuration that `source` speaks of
  /// stale_after: answers that are older say so
  Found load(const TableSource& source, answers::Base base, Duration stale_after) const;

  /// errors: Unavailable
  /// thread: any, one at a time
  Result<void> save(const TableSource& source, const answers::AnswerTable& table) const;

 private:
  snapshot_file::SnapshotFile file_;
  const Clock& clock_;
};

/// "taken", "missing", ...
std::string_view outcome_name(KeptAnswers::Outcome outcome);

}  // namespace meshdns::snapshot_file
