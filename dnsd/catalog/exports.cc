#include "dnsd/catalog/exports.h"

#include <utility>

#include "common/model/exports.h"

namespace meshdns::catalog {
namespace {

/// Returns the services that export an endpoint.
std::set<model::ServiceKey> exporting(const model::Endpoint* endpoint) {
  std::set<model::ServiceKey> out;
  if (endpoint == nullptr) return out;
  model::for_each_service(*endpoint, [&](const std::string& service) {
    if (model::is_exported(*endpoint, service)) out.insert({endpoint->namespace_, service});
  });
  return out;
}

bool belongs_to(const model::Endpoint* endpoint, const model::ServiceKey& service) {
  return endpoint != nullptr && endpoint->namespace_ == service.namespace_ &&
         model::belongs_to(*endpoint, service.name);
}

}  // namespace

void Exports::count(Services& services, const model::Endpoint* before, const model::Endpoint* after,
                    std::optional<TimePoint> now, const Changed& changed) {
  // the frequent case: only health has changed
  if (before != nullptr && after != nullptr && before->memberships == after->memberships &&
      before->service == after->service && before->namespace_ == after->namespace_) {
    return;
  }
  const std::set<model::ServiceKey> was = exporting(before);
  const std::set<model::ServiceKey> is = exporting(after);
  for (const model::ServiceKey& key : is) {
    model::Service& service = services[key];
    ++service.exporting;
    if (!now) continue;
    service.exported_until = {};
    if (std::exchange(service.unexported, false)) changed(key);
  }
  for (const model::ServiceKey& key : was) {
    model::Service& service = services[key];
    if (--service.exporting > 0 || !now) continue;
    if (belongs_to(after, key)) {
      service.unexported = true;
      changed(key);
    } else {
      service.exported_until = *now;
      fading_.insert(key);
    }
  }
}

void Exports::mirrored(const model::ServiceKey& key, const model::Service& service) {
  if (!service.unexported && service.exporting == 0) fading_.insert(key);
}

void Exports::sweep(Services& services, Duration after, TimePoint now, const Changed& changed) {
  std::erase_if(fading_, [&](const model::ServiceKey& key) {
    const auto found = services.find(key);
    if (found == services.end() || found->second.exporting > 0 || found->second.unexported) return true;
    model::Service& service = found->second;
    // records that were mirrored come without that moment: the time counts from the first look
    if (service.exported_until == TimePoint{}) service.exported_until = now;
    if (now - service.exported_until < after) return false;
    service.unexported = true;
    changed(key);
    return true;
  });
}

}  // namespace meshdns::catalog
