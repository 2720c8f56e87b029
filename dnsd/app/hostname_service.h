#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/process/event_loop.h"
#include "common/resolve/resolver.h"
#include "dnsd/app/configuration.h"
#include "dnsd/app/role.h"
#include "dnsd/catalog/catalog.h"
#include "dnsd/external/external_names.h"

namespace meshdns::dnsd::app {

/// The role that resolves the hostnames of external endpoints. A replica has the object, too, and never starts it: its
/// federation sends the addresses.
/// thread: the loop's
class HostnameService : public Role {
 public:
  /// All references must outlive the service.
  struct Environment {
    process::EventLoop& loop;
    const Clock& clock;
    const Configuration& configuration;
    catalog::Catalog& catalog;
    std::function<void()> changed;  // an answer has changed the catalog
  };

  explicit HostnameService(Environment environment);

  /// Begins to resolve hostnames.
  /// requires: objects are restored
  void start();
  bool started() const { return resolver_.has_value(); }
  void reload() override;
  /// Collects the hostnames again. Called when a virtual destination has changed; does nothing before start().
  void look();
  /// Returns the problems with the hostnames of a virtual destination, one sentence each.
  /// requires: started()
  std::vector<std::string> problems_of(const model::VirtualDestination& object) const {
    return names_.problems_of(object);
  }

  void write(v1::StatusReply& /*out*/) const override {}  // its problems are those of objects; see StatusReport
  void collect(std::vector<metrics::Sample>& out) const override;

 private:
  void configure();

  Environment env_;
  external::ExternalNames names_;
  std::optional<resolve::Resolver> resolver_;  // declared after names_, so that it ends first: answers go there
};

}  // namespace meshdns::dnsd::app
