#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/metrics/registry.h"
#include "common/rpc/tls_files.h"
#include "common/time/time.h"

namespace meshdns::rpc {

/// Watches the files of one end of TLS while a daemon runs, hands changed ones to gRPC, and logs and exports their
/// state.
///
/// How it works: the watch looks at the inodes and times of the files each second, and reads the files if they differ
/// or a minute has passed. If they belong together, it renews the copies from which gRPC reads (tls_copies.h). It logs
/// a problem when it begins and once a day while it lasts, and likewise that a certificate ends very soon.
/// thread: the timers'
class TlsWatch {
 public:
  static constexpr Duration kLook = 1s;        // between looks at inodes and times
  static constexpr Duration kRead = 60s;       // after which the files are read even if they look the same
  static constexpr Duration kTellAgain = 24h;  // between log lines about a lasting problem
  /// Seconds before its end, from when on a certificate ends soon: told once, and from kVerySoon on once a day. For a
  /// certificate that lives for a shorter time, like SPIRE's, from the last quarter of its life on: it should have been
  /// renewed before.
  static constexpr std::int64_t kSoon = 14L * 24 * 3600;
  static constexpr std::int64_t kVerySoon = 3L * 24 * 3600;

  /// clock and timers must outlive the watch.
  TlsWatch(TlsFiles files, const Clock& clock, Timers& timers);
  TlsWatch(const TlsWatch&) = delete;
  TlsWatch& operator=(const TlsWatch&) = delete;
  ~TlsWatch();

  /// Returns the state at the last reading: the own certificate, then each file of authorities.
  const std::vector<TlsFile>& files() const { return found_; }

 private:
  /// Returns a text that differs when a file has changed: inodes and times.
  std::string version() const;
  void look();
  void read();
  void tell(const TlsFile& file);
  void schedule();

  const TlsFiles files_;
  const Clock& clock_;
  Timers& timers_;
  std::optional<TimerId> timer_;
  std::string version_;
  TimePoint read_at_{};
  std::vector<TlsFile> found_;
  bool taken_ = false;  // the copies for gRPC hold what the files held at the last reading
  struct Told {
    std::string what;
    TimePoint at{};
  };
  std::map<std::string, Told> told_;  // by path
};

/// Appends the metrics about the files.
void collect_samples(const TlsWatch& watch, std::vector<metrics::Sample>& out);

}  // namespace meshdns::rpc
