#pragma once

#include <functional>
#include <memory>

#include "common/base/result.h"
#include "common/process/event_loop.h"

namespace meshdns::probes {

/// Reports that addresses or routes of this network namespace have changed, but not which ones. Listens to rtnetlink,
/// which needs no privilege. A burst of changes is one event: kCalm after its last change, or kLongest after its first.
class AddressEvents {
 public:
  static constexpr Duration kCalm = 200ms;
  static constexpr Duration kLongest = 2s;

  /// Starts to listen. `loop` and `clock` must outlive the result.
  /// changed: called on the loop's thread, until the result is destroyed
  /// errors:  PermissionDenied; Unimplemented: the kernel has no rtnetlink
  static Result<std::unique_ptr<AddressEvents>> open(process::EventLoop& loop, const Clock& clock,
                                                     std::function<void()> changed);
  ~AddressEvents();

 private:
  struct State;
  explicit AddressEvents(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace meshdns::probes
