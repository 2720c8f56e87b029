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

/// Watches the files of one end of TLS while a daemon runs, and logs what becomes of them. gRPC takes new files by
/// itself and says nothing; this says which ones were taken, and which cannot be used and why.
///
/// How it works: the watch looks at the files' inodes and times each second, and reads them when something is different
/// or a minute has passed. A problem is logged when it begins and once a day while it lasts; the nearing end of a
/// certificate likewise.
/// thread: the timers'
class TlsWatch {
 public:
  static constexpr Duration kLook = 1s;
  static constexpr Duration kRead = 60s;
  static constexpr Duration kTellAgain = 24h;
  static constexpr std::int64_t kSoon = 7L * 24 * 3600;  // seconds before the end of a certificate

  /// clock and timers must outlive the watch.
  TlsWatch(TlsFiles files, const Clock& clock, Timers& timers);
  TlsWatch(const TlsWatch&) = delete;
  TlsWatch& operator=(const TlsWatch&) = delete;
  ~TlsWatch();

  /// As they were read last: the own certificate, then the authorities.
  const std::vector<TlsFile>& files() const { return found_; }

 private:
  /// Tells the versions of the files apart.
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
  struct Told {
    std::string what;
    TimePoint at{};
  };
  std::map<std::string, Told> told_;  // by path
};

/// Adds the metrics of the files.
void collect_samples(const TlsWatch& watch, std::vector<metrics::Sample>& out);

}  // namespace meshdns::rpc
