#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

namespace meshdns::agent::app {

/// Waits until all of some checks have run, for people who asked for that. Pure: knows checks by their numbers.
class AskedRuns {
 public:
  using Done = std::function<void()>;

  /// Waits for a set of runs; an empty one is complete at once.
  /// runs: by the number of the check: how many of its runs have ended by then
  void wait(std::map<std::uint64_t, std::uint64_t> runs, Done done);
  /// Takes the end of a run.
  /// runs: of the check, that have ended
  void ended(std::uint64_t check, std::uint64_t runs);
  /// Takes the end of a check: nobody waits for it any more.
  void gone(std::uint64_t check);

  bool has_complete() const { return !complete_.empty(); }
  /// Takes out those whose runs have all ended. The caller calls them.
  std::vector<Done> take_complete();

 private:
  struct Asked {
    std::map<std::uint64_t, std::uint64_t> left;
    Done done;
  };

  std::vector<Asked> asked_;
  std::vector<Done> complete_;
};

}  // namespace meshdns::agent::app
