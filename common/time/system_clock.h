#pragma once

#include "common/time/time.h"

namespace meshdns {

class SystemClock : public Clock {
 public:
  TimePoint now() const override;
  std::int64_t unix_seconds() const override;
};

}  // namespace meshdns
