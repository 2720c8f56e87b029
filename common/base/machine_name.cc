#include "common/base/machine_name.h"

#include <unistd.h>

#include <array>

namespace meshdns {

std::optional<std::string> machine_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return std::nullopt;
  return name.data();
}

}  // namespace meshdns
