#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "common/log/appended_file.h"
#include "common/log/ration.h"
#include "common/time/time.h"

namespace meshdns::log {

/// A change that somebody made, or that somebody was refused.
struct AuditEntry {
  std::string who;        // "operator alice (admin)", "alice (uid 1000, pid 4711)"; kUnknown
  std::string from;       // "10.0.0.9:4711"; "unix" = a unix socket
  std::string verb;       // "apply", "report"
  std::string objects{};  // "VirtualDestination/shop/web created"
  std::string refused{};  // the reason; empty = it was done
  std::string share{};    // the identity whose share of lines the entry uses; empty = `who`
};

/// An AuditEntry with the time, and with the revision of the records afterwards.
struct AuditRecord {
  AuditEntry entry;
  std::int64_t unix_millis = 0;
  std::uint64_t revision = 0;

  /// Returns "ok", or "refused: " and the reason.
  std::string outcome() const;
};

/// Tells who changed what, and who was refused: one log line `audit` for each, one line of JSON in a file if there is
/// one, and the latest in memory.
///
/// Each identity has kLines in a second. Further ones are counted in one line of the log, and are neither in the file
/// nor in memory: who floods the audit hides nobody else. All callers who proved nothing are one identity.
/// thread: control
class Audit {
 public:
  static constexpr std::uint64_t kLines = 10;  // of one identity in each interval
  static constexpr Duration kInterval = 1s;
  static constexpr std::size_t kMostKept = 1000;        // in memory
  static constexpr std::size_t kMostIdentities = 1000;  // that are counted apart at one time
  static constexpr std::size_t kLongestText = 1024;     // bytes of each text
  /// The name of a caller whose certificate is of nobody.
  static constexpr const char* kUnknown = "unknown";

  /// clock, timers: must outlive the audit
  /// revision:      returns the revision of the records
  Audit(const Clock& clock, Timers& timers, std::function<std::uint64_t()> revision);
  Audit(const Audit&) = delete;
  Audit& operator=(const Audit&) = delete;
  ~Audit();

  void note(AuditEntry entry);
  /// Writes the entries to a file too, from now on. Opens the file again if it is the same: it may have been moved.
  /// path: empty = to no file. A file that cannot be opened is logged, and tried again at the next call
  void write_to(const std::string& path);
  /// Returns the entries in memory, the oldest first.
  const std::deque<AuditRecord>& kept() const { return kept_; }

  bool has_file() const { return file_.has_value(); }
  /// Whether the file has taken everything since the last second.
  bool file_usable() const { return !failing_; }
  /// The number of entries that are missing in the file.
  std::uint64_t lost() const { return gone_ + (file_ ? file_->lost() : 0); }

 private:
  bool admits(const std::string& who);
  void look_later();
  /// Logs what was left out, and whether the file takes the entries. Called a second after each entry.
  void look();
  void set_failing(bool failing, const std::string& problem);

  const Clock& clock_;
  Timers& timers_;
  const std::function<std::uint64_t()> revision_;
  std::map<std::string, Ration> rations_;  // by identity
  std::deque<AuditRecord> kept_;
  std::optional<AppendedFile> file_;
  std::string path_;
  std::uint64_t gone_ = 0;       // lost() of earlier files
  std::uint64_t lost_seen_ = 0;  // lost() at the last look
  bool opened_ = false;          // the last try to open the file succeeded
  bool failing_ = false;         // the log has said that the file cannot be written
  std::optional<TimerId> timer_;
};

}  // namespace meshdns::log
