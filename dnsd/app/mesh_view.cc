#include "dnsd/app/mesh_view.h"

namespace meshdns::dnsd::app {

void MeshView::metrics(std::function<void(Result<std::string>)> done) {
  const auto round = env_.mesh.counts.round();
  const bool by_service = env_.process.configuration.file.admin().service_metrics();
  const auto services = by_service ? std::make_shared<ServiceCounts>() : nullptr;
  const bool runs = slices_.run([this, round, services, done](Slice& slice) {
    if (!env_.mesh.counts.settle(round, slice)) return false;
    const auto& claims = env_.mesh.publisher.planner().claims();
    if (services != nullptr && !services->look(env_.mesh.catalog.records(), claims, slice)) return false;
    service_counts_ = services;
    done(env_.registry.text());
    return true;
  });
  if (!runs) done(Error(Code::Unavailable, "too many calls at once"));
}

void MeshView::collect(std::vector<metrics::Sample>& out) const {
  if (service_counts_ != nullptr) service_counts_->collect(out);
}

}  // namespace meshdns::dnsd::app
