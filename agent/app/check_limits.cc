#include "agent/app/check_limits.h"

#include <algorithm>

#include "common/base/descriptor_limit.h"

namespace meshdns::agent::app {

CheckRunner::Limits check_limits(std::uint32_t in_flight, std::size_t descriptors) {
  return {in_flight, std::max<std::size_t>(descriptors / 2, 1)};
}

CheckRunner::Limits check_limits(const Configuration& configuration) {
  return check_limits(configuration.file.probing().in_flight(), raise_descriptor_limit(0));
}

}  // namespace meshdns::agent::app
