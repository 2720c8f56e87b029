#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>

#include "common/model/records.h"

namespace meshdns::catalog {

/// Keeps count of the endpoints that export each service, and decides Service::unexported: whether any cluster exports
/// the service. Used by RecordTable. Pure.
///
/// How it works: an export is known only from the endpoints that have it. If the last endpoint that exports a service
/// goes, that says nothing about the export: pods are replaced all the time. The service therefore counts as exported
/// for some time more. If an endpoint stays and stops exporting the service, somebody has withdrawn the export, which
/// has effect at once.
class Exports {
 public:
  using Services = std::map<model::ServiceKey, model::Service>;
  /// Called with each service whose `unexported` has changed.
  using Changed = std::function<void(const model::ServiceKey&)>;

  /// Counts an endpoint that changes.
  /// before, after: null = the endpoint did not exist, or exists no longer
  /// now:           nothing = another origin decides, and this only counts
  /// requires:      all services of both versions have records
  void count(Services& services, const model::Endpoint* before, const model::Endpoint* after,
             std::optional<TimePoint> now, const Changed& changed);
  /// Notes a record of another origin, or one of our own that was stored.
  void mirrored(const model::ServiceKey& key, const model::Service& service);
  /// Ends the exports of services that no endpoint has exported for `after`.
  void sweep(Services& services, Duration after, TimePoint now, const Changed& changed);

 private:
  std::set<model::ServiceKey> fading_;  // services that are exported, though no endpoint exports them
};

}  // namespace meshdns::catalog
