#include "dnsd/app/lint_names.h"

namespace meshdns::dnsd::app {
namespace {

/// Visits the records of a map after the key `after` while the slice lasts.
/// returns: true = the end of the map is reached
template <class Map, class F>
bool walk(const Map& map, std::string& after, Slice& slice, F visit) {
  for (auto at = map.upper_bound(after); at != map.end(); ++at) {
    if (!slice.take()) return false;
    visit(at->second);
    after = at->first;
  }
  after.clear();
  return true;
}

}  // namespace

bool LintNames::learn(Slice& slice) {
  if (known_version_ == counts_.names_version()) return true;
  if (next_ == nullptr) {
    next_ = std::make_shared<topology::KnownNames>();
    next_version_ = counts_.names_version();
    phase_ = Phase::Nodes;
    after_.clear();
  }
  const model::Records& records = catalog_.records();
  const auto add = [this](const auto& object) { next_->add(object); };
  if (phase_ == Phase::Nodes) {
    if (!walk(records.nodes, after_, slice, [&](const model::Node& node) { next_->add(records, node); })) return false;
    phase_ = Phase::Clusters;
  }
  if (phase_ == Phase::Clusters) {
    if (!walk(records.clusters, after_, slice, add)) return false;
    phase_ = Phase::Destinations;
  }
  if (!walk(records.destinations, after_, slice, add)) return false;
  known_ = std::move(next_);
  known_version_ = next_version_;
  return true;
}

}  // namespace meshdns::dnsd::app
