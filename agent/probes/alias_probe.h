#pragma once

#include <functional>
#include <optional>

#include "agent/probes/check.h"
#include "agent/probes/probe.h"
#include "agent/probes/service_board.h"

namespace meshdns::probes {

/// Takes the health of another service on this node as the result: a success if one of its endpoints serves. Each
/// change of it is news. `timers` and `board` must outlive the probe.
class AliasProbe : public Probe {
 public:
  /// asker: the service that the check is of
  AliasProbe(Timers& timers, ServiceBoard& board, ServiceBoard::Name asker, const AliasCheck& check);
  ~AliasProbe() override;
  void run(Duration timeout, Done done) override;
  void watch(std::function<void()> news) override;

 private:
  Timers& timers_;
  ServiceBoard& board_;
  ServiceBoard::Name asker_;
  ServiceBoard::Name target_;
  std::optional<ServiceBoard::Listening> listening_;
  std::optional<TimerId> answer_;
};

}  // namespace meshdns::probes
