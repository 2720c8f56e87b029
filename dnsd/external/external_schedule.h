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

/// Which hostnames of external endpoints are asked for when: at once when they appear, again after their TTL, and with
/// growing pauses while they fail. Pure.
class ExternalSchedule {
 public:
  static constexpr Duration kShortest = 5s;  // between two questions, and the first pause after a failure
  static constexpr Duration kLongest = 5min;
  static constexpr std::size_t kMostAtOnce = 16;

  struct Failure {
    Error error;
    TimePoint since{};  // of the first one in a row
  };

  /// These are all that there are from now on.
  void set_names(const std::set<std::string>& names, TimePoint now);
  bool knows(const std::string& name) const { return names_.contains(name); }

  /// Names to ask for now, the longest due first. Each is under way until one of the next two calls tells its end.
  std::vector<std::string> take_due(TimePoint now);
  /// When there is something to take; nothing = not before something under way has ended.
  std::optional<TimePoint> next() const;

  /// returns: what had failed until now; nothing = it had not, or the name is not known any more
  std::optional<Failure> succeeded(const std::string& name, Duration ttl, TimePoint now);
  /// returns: whether this is the first failure in a row of a known name
  bool failed(const std::string& name, const Error& error, TimePoint now);

  /// By name, those that could not be resolved when they were last asked for.
  const std::map<std::string, Failure>& failures() const { return failures_; }

 private:
  struct Entry {
    TimePoint due{};
    Duration pause = kShortest;  // after the next failure
  };

  /// It is asked for again after `delay`.
  void set_due(const std::string& name, Entry& entry, TimePoint due);

  std::map<std::string, Entry> names_;
  std::set<std::pair<TimePoint, std::string>> due_;  // those of names_ that are not under way
  std::set<std::string> under_way_;                  // names that went meanwhile, too
  std::map<std::string, Failure> failures_;
};

/// The addresses that a name has with this answer.
/// known:    those that it had; of the family that the answer says nothing of they stay
/// loopback: whether its addresses may be loopback ones. Whoever has the name says what it resolves to, so that it
/// could
///           send the mesh's clients to themselves (DNS rebinding)
/// returns:  at most kMostResolved, in order
/// errors:   NotFound: there is none that anybody could connect to
Result<std::vector<IpAddress>> addresses_after(const resolve::Answer& answer, const std::vector<IpAddress>& known,
                                               Loopback loopback);

}  // namespace meshdns::external
