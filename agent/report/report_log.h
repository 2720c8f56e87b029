#pragma once

#include <cstddef>
#include <string>

#include "agent/report/messages.h"
#include "common/log/ration.h"
#include "common/time/time.h"

namespace meshdns::report {

/// Logs what the federation does not take. Used by GrpcReporter.
class ReportLog {
 public:
  /// Logs the refused endpoints and claims of an acknowledgement.
  void refused(const Ack& ack, TimePoint now);
  /// Logs both edges of the time in which endpoints without a service are not reported.
  /// count: how many there are now; 0 = they are reported
  void withheld(std::size_t count, const std::string& server);
  /// Logs how many lines were left out, see log::Ration::look().
  void look(TimePoint now) { lines_.look(now); }

 private:
  log::Ration lines_{"records that the federation refused"};
  bool withholds_ = false;
};

}  // namespace meshdns::report
