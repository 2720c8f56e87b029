#include "common/base/random_seed.h"

#include <random>

namespace meshdns {

std::uint64_t random_seed() {
  std::random_device device;
  return (static_cast<std::uint64_t>(device()) << 32) | device();
}

}  // namespace meshdns
