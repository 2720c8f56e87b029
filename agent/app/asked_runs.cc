#include "agent/app/asked_runs.h"

#include <limits>
#include <utility>

namespace meshdns::agent::app {

void AskedRuns::wait(std::map<std::uint64_t, std::uint64_t> runs, Done done) {
  if (runs.empty()) return complete_.push_back(std::move(done));
  asked_.push_back({std::move(runs), std::move(done)});
}

void AskedRuns::ended(std::uint64_t check, std::uint64_t runs) {
  for (Asked& asked : asked_) {
    const auto wanted = asked.left.find(check);
    if (wanted != asked.left.end() && wanted->second <= runs) asked.left.erase(wanted);
    if (asked.left.empty()) complete_.push_back(std::move(asked.done));
  }
  std::erase_if(asked_, [](const Asked& asked) { return asked.left.empty(); });
}

void AskedRuns::gone(std::uint64_t check) { ended(check, std::numeric_limits<std::uint64_t>::max()); }

std::vector<AskedRuns::Done> AskedRuns::take_complete() { return std::exchange(complete_, {}); }

}  // namespace meshdns::agent::app
