#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/time/time.h"

namespace meshdns::topology {

/// The reason why a host waits for its publication, the most urgent first.
enum class Urgency : std::uint8_t {
  Removal,   // an endpoint that is answered must not be answered any more, or has moved to another tier
  Addition,  // a new endpoint can be answered
  Step,      // time alone changes the host: slow start
};

/// The cost that one publication may have.
struct SliceLimits {
  Duration most = Duration::max();
  Duration most_for_steps = Duration::max();  // the part of `most` that may go to slow-start steps
};

// How it works. Hosts wait in two lines, removals and additions, each in the order in which the hosts came. A host that
// changes again keeps its place; a more urgent change moves the host to the end of the more urgent line. Slow-start
// steps are kept apart, by the time at which they are due: a host whose step is late goes directly to the weight of
// the moment when its turn comes, so that steps are skipped under load, but never the last one.
//
// One publication takes hosts until their estimated cost reaches a limit. Removals go first, at least one of them.
// Where removals wait, the other lines get a fixed share only, so that the publication is short; the share accumulates
// until it pays for the first host of the line (deficit round robin), so that neither a steady stream of removals nor
// the size of a host starves anybody. Where no removal waits, additions and then steps fill the whole publication.

/// Decides which hosts the next publication contains. The planner fills it. Pure.
class PublicationQueue {
 public:
  /// While removals wait, additions get one part in kAdditionShare of a publication, and steps one in kStepShare.
  static constexpr int kAdditionShare = 2;  // one half
  static constexpr int kStepShare = 8;      // one eighth

  using Cost = std::function<Duration(const std::string& host)>;
  struct Taken {
    /// The hosts of one publication.
    std::vector<std::string> hosts;
    std::set<std::string> steps;  // hosts that only the time has changed
    bool removals = false;        // at least one host was a removal
  };

  /// Puts a host into a line; a host that waits already moves only to a more urgent line.
  /// urgency: Removal or Addition
  void add(const std::string& host, Urgency urgency);
  /// Sets when time alone changes a host next; nothing = never.
  void set_due(const std::string& host, std::optional<TimePoint> due);
  /// Returns the first time at which any host is due.
  std::optional<TimePoint> next_due() const;

  /// Removes the hosts of the next publication from their lines and returns them. A host whose step is due stays due
  /// until set_due() is called for it.
  Taken take(TimePoint now, const SliceLimits& limits, const Cost& cost);

  /// Returns the number of hosts in a line.
  /// urgency: Removal or Addition
  std::size_t waiting(Urgency urgency) const { return lines_[static_cast<std::size_t>(urgency)].size(); }
  /// Returns the number of calls of add() so far. All hosts added up to a number n have been taken when oldest() > n.
  std::uint64_t newest() const { return newest_; }
  /// Returns the number of the add() call whose host has waited longest; greater than newest() if no host waits.
  std::uint64_t oldest() const;

 private:
  /// The place of a host that waits: the number is that of the add() call.
  struct Place {
    Urgency urgency;
    std::uint64_t number;
  };
  using Line = std::map<std::uint64_t, std::string>;
  /// The part of a publication's cost that is left.
  struct Budget {
    Duration left;
    bool room = true;   // hosts may use what is left of the publication; otherwise only the credit of their line pays
    bool empty = true;  // nothing was taken yet: the first host is taken whatever it costs
  };

  Line& line(Urgency urgency) { return lines_[static_cast<std::size_t>(urgency)]; }
  /// Removes a host from its line.
  /// returns: false = the host was in no line
  bool leave_line(const std::string& host);
  /// Pays for a host from the budget, or from the credit of its line.
  /// returns: false = neither is enough: the host has to wait
  static bool pays(Duration cost, Duration& credit, Budget& budget);
  void take_removals(const Cost& cost, Budget& budget, Taken& out);
  void take_additions(const SliceLimits& limits, const Cost& cost, Budget& budget, Taken& out);
  void take_steps(TimePoint now, const SliceLimits& limits, const Cost& cost, Budget budget, Taken& out);

  std::unordered_map<std::string, Place> places_;
  std::array<Line, 2> lines_;
  std::uint64_t newest_ = 0;
  Duration addition_credit_{};
  Duration step_credit_{};
  std::set<std::pair<TimePoint, std::string>> due_;
  std::unordered_map<std::string, TimePoint> due_of_;
};

}  // namespace meshdns::topology
