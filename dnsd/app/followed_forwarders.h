#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "common/kubernetes/client.h"
#include "common/kubernetes/informer.h"
#include "common/metrics/samples.h"
#include "common/process/event_loop.h"
#include "dnsd/answers/settings.h"
#include "dnsd/app/configuration.h"
#include "dnsd/app/role.h"
#include "dnsd/kubernetes/object_table.h"

namespace meshdns::dnsd::app {

/// Follows the addresses of Services of Kubernetes that are trusted forwarders, such as CoreDNS. The API server may be
/// away for as long as it wants: the addresses that are known stay.
/// thread: the loop's
class FollowedForwarders : public Role {
 public:
  using Found = std::function<void(std::vector<answers::ForwarderSettings>)>;
  /// All references must outlive this.
  struct Environment {
    process::EventLoop& loop;
    const Clock& clock;
    const Configuration& configuration;
    Found found;  // called from the loop whenever the addresses have changed
  };

  explicit FollowedForwarders(Environment environment) : env_(std::move(environment)) {}

  /// Begins to follow the Services of the configuration.
  void start();
  /// Follows the Services of the new configuration.
  void reload() override;
  void write(v1::StatusReply& out) const override;
  void collect(std::vector<metrics::Sample>& out) const override;

 private:
  struct Followed {
    Configuration::FollowedForwarder forwarder;
    kubernetes::ObjectTable<kubernetes::Slice> slices;
    std::unique_ptr<kubernetes::Informer> informer;

    std::string service() const { return forwarder.namespace_ + "/" + forwarder.service; }
  };

  void follow(const Configuration::FollowedForwarder& forwarder);
  static std::set<IpAddress> addresses_of(const Followed& followed);
  void look();

  Environment env_;
  std::vector<answers::ForwarderSettings> found_;
  std::unique_ptr<kubernetes::Client> client_;
  std::vector<std::unique_ptr<Followed>> followed_;  // after client_, which their informers use
};

}  // namespace meshdns::dnsd::app
