#pragma once

#include <string>

#include "common/model/records.h"

namespace meshdns::model {

/// Is called for every change of Records while the change happens, so that data derived from the records can be updated
/// instead of rebuilt. References are valid during the call; references to endpoints stay valid until
/// endpoint_leaves().
/// thread: the one that changes the records
class RecordObserver {
 public:
  virtual ~RecordObserver() = default;

  /// The endpoint is in the records. Namespace, service, labels and addresses stay the same until endpoint_leaves().
  virtual void endpoint_entered(const Endpoint& endpoint) = 0;
  /// Another field of the endpoint has changed: health, weight, ports, ...
  virtual void endpoint_updated(const Endpoint& endpoint) = 0;
  /// The endpoint is about to be removed, or to be entered again with other namespace, service, labels or addresses.
  virtual void endpoint_leaves(const Endpoint& endpoint) = 0;
  /// A node was added, changed or removed.
  virtual void node_changed(const std::string& node) = 0;
  /// The federation's judgement of a node was added, changed or removed.
  virtual void node_status_changed(const std::string& node) = 0;
  /// A service was added or removed, or Service::created changed. Changes of its endpoints do not count.
  virtual void service_changed(const ServiceKey& service) = 0;
  virtual void destination_changed(const std::string& key) = 0;
  virtual void cluster_changed(const std::string& name) = 0;
  virtual void cluster_status_changed(const std::string& cluster) = 0;
  virtual void external_name_changed(const std::string& hostname) = 0;
  /// An override was added or removed. A changed override causes two calls: the old version, then the new one.
  virtual void override_changed(const Override& override) = 0;
};

}  // namespace meshdns::model
