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

/// Digests of everything from which an answer table follows. A kept table is used only if all of them are equal to
/// those of the running process. 0 = not known.
struct TableSource {
  std::uint64_t configuration = 0;  // the part of it that shapes answers, and the addresses of the machine
  std::uint64_t records = 0;        // the snapshot, or the endpoints file
  std::uint64_t program = 0;        // the executable: hosts are kept in the layout that they have in its memory

  bool known() const { return configuration != 0 && records != 0 && program != 0; }
  friend bool operator==(const TableSource&, const TableSource&) = default;
};

/// Keeps a compiled answer table in a file, so that the next start can answer before it has read the records. WarmStart
/// decides when.
///
///   SnapshotFile's head | TableSource, 3 x 8 bytes | table, from answers::bytes_of() | length, checksum
class KeptAnswers {
 public:
  static constexpr const char* kFile = "answers";

  KeptAnswers(const std::string& folder, const Clock& clock) : file_(folder + "/" + kFile), clock_(clock) {}

  /// The result of a search for a table, for metrics and the log. Other: the table has another source, or does not fit
  /// the configuration.
  enum class Outcome : std::uint8_t { Missing, Damaged, Other, Taken };
  struct Found {
    Outcome outcome = Outcome::Missing;
    std::shared_ptr<const answers::AnswerTable> table;  // null unless the outcome is Taken
    Duration age{};
  };
  /// Loads the kept table if it has this source.
  /// base:        of the configuration whose digest is in `source`
  /// stale_after: a table from an older file answers as stale
  Found load(const TableSource& source, answers::Base base, Duration stale_after) const;

  /// Writes a table to the file.
  /// errors: Unavailable: the file could not be written
  /// thread: any, one at a time
  Result<void> save(const TableSource& source, const answers::AnswerTable& table) const;

 private:
  snapshot_file::SnapshotFile file_;
  const Clock& clock_;
};

/// Returns the name of an outcome: "taken", "missing", ...
std::string_view outcome_name(KeptAnswers::Outcome outcome);

}  // namespace meshdns::snapshot_file
