#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/probes/probe.h"

namespace meshdns::probes {

/// One part of a group.
struct GroupPart {
  std::string kind;  // "tcp": stands before the part's detail
  std::function<std::unique_ptr<Probe>()> make;
};

/// Returns the result of a group by the results of its parts; nothing = those that are missing may still decide.
/// needed: how many successes are a success, 1 to results.size()
///
///   enough successes                     Success; Warning if a part of them warns, with the details of the warnings
///   too few, even if all others succeed  Refused, if refusals alone decide, or together with certain failures;
///   otherwise
///                                        Failure, if it takes no timeout to decide; otherwise Timeout. With the
///                                        details of the failures
///   neither, because some are Unknown    Unknown, with their details
///
/// The result is certain if the certain results alone decide.
std::optional<health::ProbeResult> group_result(const std::vector<std::optional<health::ProbeResult>>& results,
                                                const std::vector<GroupPart>& parts, std::size_t needed);

/// Makes several checks together, and gives one result (group_result()) as soon as it is clear. Parts that still run
/// then are given up: a server that hangs does not hold up what the others have decided. News of a part are news of the
/// group.
class GroupProbe : public Probe {
 public:
  /// needed: 1 to parts.size()
  GroupProbe(std::vector<GroupPart> parts, std::size_t needed);
  void run(Duration timeout, Done done) override;
  void watch(std::function<void()> news) override;
  void reconnect() override;

 private:
  struct Part {
    std::unique_ptr<Probe> probe;  // null = it was given up: run() makes it again
    bool running = false;
  };

  Probe& probe_of(std::size_t index);
  void on_result(std::size_t index, health::ProbeResult result);
  void give_up();

  std::vector<GroupPart> made_by_;
  std::size_t needed_;
  std::vector<Part> parts_;
  std::vector<std::optional<health::ProbeResult>> results_;
  std::function<void()> news_;
  Done done_;
};

}  // namespace meshdns::probes
