#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/base/result.h"
#include "common/net/host_address.h"
#include "common/resolve/answer.h"
#include "common/time/time.h"

namespace meshdns::external {

/// Decides when which hostname of an external endpoint is asked for: at once when it appears, again after its TTL, and
/// after growing pauses while it fails. Pure.
class ExternalSchedule {
 public:
  static constexpr Duration kShortest = 5s;   // between two questions, and the first pause after a failure
  static constexpr Duration kLongest = 5min;  // the same
  static constexpr std::size_t kMostAtOnce = 16;

  struct Failure {
    Error error;
    TimePoint since{};  // when the first failure in a row was
  };

  /// Replaces the set of names. Names that are in both sets keep their schedule.
  void set_names(const std::set<std::string>& names, TimePoint now);
  bool knows(const std::string& name) const { return names_.contains(name); }

  /// Returns the names to ask for now, the longest due first. Each is under way until succeeded() or failed() is called
  /// for it. At most kMostAtOnce names are under way.
  std::vector<std::string> take_due(TimePoint now);
  /// Returns when take_due() will have a name; nothing = no name waits, or a name under way must end first.
  std::optional<TimePoint> next() const;

  /// Ends a question with an answer. The name is due again after `ttl`, within kShortest and kLongest.
  /// returns: the failure that this success ends; nothing = the name did not fail, or is no longer in the set
  std::optional<Failure> succeeded(const std::string& name, Duration ttl, TimePoint now);
  /// Ends a question without usable answer. The name is due again after its pause, which then doubles up to kLongest.
  /// returns: whether this is the first failure in a row of a name that is still in the set
  bool failed(const std::string& name, const Error& error, TimePoint now);

  /// Returns the names whose last question failed.
  const std::map<std::string, Failure>& failures() const { return failures_; }

 private:
  struct Entry {
    TimePoint due{};
    Duration pause = kShortest;  // after the next failure
  };

  /// Plans the next question for a name that is no longer under way.
  void set_due(const std::string& name, Entry& entry, TimePoint due);

  std::map<std::string, Entry> names_;
  std::set<std::pair<TimePoint, std::string>> due_;  // the names of names_ that are not under way
  std::set<std::string> under_way_;                  // may hold names that are no longer in names_
  std::map<std::string, Failure> failures_;
};

/// Returns the addresses that a name has after this answer. Loopback addresses count only if `loopback` allows them:
/// otherwise the owner of the name could send the clients of the mesh to themselves (DNS rebinding).
/// known:    the addresses before; those of a family for which no answer came are kept
/// returns:  at most kMostResolved addresses, sorted
/// errors:   NotFound: no address is one that a client could connect to
Result<std::vector<IpAddress>> addresses_after(const resolve::Answer& answer, const std::vector<IpAddress>& known,
                                               Loopback loopback);

}  // namespace meshdns::external
