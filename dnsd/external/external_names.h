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

/// Keeps the addresses of the hostnames that external endpoints name: those of all virtual destinations are resolved as
/// ExternalSchedule has it, and the outcome is a record. What could not be resolved keeps the last good addresses.
/// thread: control
class ExternalNames {
 public:
  using Done = std::function<void(Result<resolve::Answer>)>;

  struct Environment {
    const Clock& clock;
    Timers& timers;
    catalog::Catalog& catalog;
    /// As resolve::Resolver::resolve(). Whoever asks ends before these names do.
    std::function<void(const std::string& name, Done done)> ask;
    /// An answer has changed the catalog.
    std::function<void()> changed;
  };

  struct Counts {
    std::size_t resolved = 0;    // names, when they were last asked for
    std::size_t kept = 0;        // that fail: their last good addresses are answered
    std::size_t missing = 0;     // that were never resolved: no endpoint
    std::size_t refused = 0;     // that are in our own zones: no endpoint
    std::uint64_t answered = 0;  // questions
    std::uint64_t negative = 0;  // that an authority answered: no such name, or none of its addresses
    std::uint64_t unanswered = 0;
  };

  explicit ExternalNames(Environment environment) : environment_(std::move(environment)) {}
  ~ExternalNames();
  ExternalNames(const ExternalNames&) = delete;
  ExternalNames& operator=(const ExternalNames&) = delete;

  /// What is answered here: names in these zones are not asked for, they would lead back to us.
  void set_zones(std::vector<std::string> zones);
  /// Takes over the hostnames of all virtual destinations, after any of them changed. The records of names that none of
  /// them uses any more are gone when this returns; changed() is not called for that.
  void look();

  /// What is wrong with the names of a virtual destination, one sentence each.
  std::vector<std::string> problems_of(const model::VirtualDestination& object) const;
  Counts counts() const;

 private:
  /// The zone of ours that a name is in; empty = none
  std::string own_zone_of(const std::string& name) const;
  void ask_due();
  void answered(const std::string& name, const Result<resolve::Answer>& answer);
  const std::vector<IpAddress>& known(const std::string& name) const;

  Environment environment_;
  std::vector<std::string> zones_;
  ExternalSchedule schedule_;
  std::set<std::string> refused_;
  std::optional<TimerId> timer_;
  Counts asked_;  // only of questions
};

}  // namespace meshdns::external
