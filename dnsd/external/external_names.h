#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/resolve/answer.h"
#include "dnsd/catalog/catalog.h"
#include "dnsd/external/external_schedule.h"

namespace meshdns::external {

/// Resolves the hostnames of external endpoints, and keeps their addresses in the catalog as ExternalName records.
///
/// How it works: look() collects the hostnames of all virtual destinations. ExternalSchedule says when each name is
/// asked for; the answer is written into the catalog, from which topology makes endpoints. A name that fails keeps its
/// last good addresses. Only a federation or a dnsd with an endpoints file does this: a replica gets the records.
/// thread: control
class ExternalNames {
 public:
  using Done = std::function<void(Result<resolve::Answer>)>;

  struct Environment {
    const Clock& clock;
    Timers& timers;
    catalog::Catalog& catalog;
    /// Resolves a name and calls `done` later, as resolve::Resolver::resolve() does. The resolver must end before this
    /// object, to which `done` refers.
    std::function<void(const std::string& name, Done done)> ask;
    /// Called after an answer has changed the catalog.
    std::function<void()> changed;
  };

  struct Counts {
    std::size_t resolved = 0;      // names whose last question had an answer
    std::size_t kept = 0;          // names that fail, and whose last good addresses are answered
    std::size_t missing = 0;       // names that fail and were never resolved: they make no endpoint
    std::size_t refused = 0;       // names in our own zones: they make no endpoint
    std::uint64_t answered = 0;    // questions with usable addresses
    std::uint64_t negative = 0;    // questions answered with: no such name, or no usable address
    std::uint64_t unanswered = 0;  // questions that failed otherwise
  };

  explicit ExternalNames(Environment environment) : environment_(std::move(environment)) {}
  ~ExternalNames();
  ExternalNames(const ExternalNames&) = delete;
  ExternalNames& operator=(const ExternalNames&) = delete;

  /// Sets the zones that this server answers. Hostnames in these zones are refused: resolving them would lead back to
  /// this server.
  void set_zones(std::vector<std::string> zones);
  /// Collects the hostnames of all virtual destinations. Call it after a virtual destination has changed. Removes the
  /// records of names that no virtual destination uses any more, without a call of Environment::changed.
  void look();

  /// Returns the problems with the hostnames of a virtual destination, one sentence each.
  std::vector<std::string> problems_of(const model::VirtualDestination& object) const;
  Counts counts() const;

 private:
  /// Returns the zone of this server that a name is in; empty = none.
  std::string own_zone_of(const std::string& name) const;
  void ask_due();
  void answered(const std::string& name, const Result<resolve::Answer>& answer);
  const std::vector<IpAddress>& known(const std::string& name) const;

  Environment environment_;
  std::vector<std::string> zones_;
  ExternalSchedule schedule_;
  std::set<std::string> refused_;
  std::optional<TimerId> timer_;
  Counts asked_;  // only its counts of questions are kept here
};

}  // namespace meshdns::external
