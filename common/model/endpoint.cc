#include "common/model/endpoint.h"

namespace meshdns::model {

std::string_view health_state_name(HealthState state) {
  switch (state) {
    case HealthState::Pending: return "pending";
    case HealthState::Serving: return "serving";
    case HealthState::Draining: return "draining";
    case HealthState::Failing: return "failing";
  }
  return "unknown";
}

}  // namespace meshdns::model
