#pragma once

#include <string>

#include "common/model/records.h"

namespace meshdns::model {

/// Hears of every change of Records while it happens, so that what is derived from them need not be made anew.
/// References are valid during the call; those to endpoints stay valid until endpoint_leaves().
/// thread: that of whoever changes the records
class RecordObserver {
 public:
  virtual ~RecordObserver() = default;

  /// It is here, with the namespace, service, labels and addresses that it has until it leaves.
  virtual void endpoint_entered(const Endpoint& endpoint) = 0;
  /// Something else about it is different.
  virtual void endpoint_updated(const Endpoint& endpoint) = 0;
  /// It is about to go, or to come back with another namespace, service, labels or addresses.
  virtual void endpoint_leaves(const Endpoint& endpoint) = 0;
  /// A node, or what the federation says of it, came, changed or went.
  virtual void node_changed(const std::string& node) = 0;
  virtual void node_status_changed(const std::string& node) = 0;
  /// A service came or went, or its age is another; not its endpoints.
  virtual void service_changed(const ServiceKey& service) = 0;
  virtual void destination_changed(const std::string& key) = 0;
  virtual void cluster_changed(const std::string& name) = 0;
  virtual void cluster_status_changed(const std::string& cluster) = 0;
  virtual void external_name_changed(const std::string& hostname) = 0;
  /// It came or went; one that changes is told as it was, then as it is.
  virtual void override_changed(const Override& override) = 0;
};

}  // namespace meshdns::model
