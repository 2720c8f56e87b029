#pragma once

#include <cstddef>
#include <filesystem>
#include <iterator>

#include "common/process/asio_loop.h"

namespace meshdns::probes {

/// What this process holds now, to be compared with what it held before.
struct Held {
  std::size_t descriptors = 0;
  std::size_t threads = 0;
  std::size_t timers = 0;  // of the loop

  static Held now(process::EventLoop& loop) {
    return {entries("/proc/self/fd"), entries("/proc/self/task"), loop.asio().timers.size()};
  }
  friend bool operator==(const Held&, const Held&) = default;

 private:
  static std::size_t entries(const char* folder) {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
  }
};

inline void PrintTo(const Held& held, std::ostream* out) {
  *out << held.descriptors << " descriptors, " << held.threads << " threads, " << held.timers << " timers";
}

}  // namespace meshdns::probes
