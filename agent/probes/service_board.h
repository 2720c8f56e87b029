#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/health/probe_result.h"
#include "agent/probes/check.h"
#include "common/model/endpoint.h"

namespace meshdns::probes {

/// The health of this node's services, for checks that take another service's health as their own. Monitor writes the
/// health of each endpoint here, and AliasProbe reads it. Pure.
/// thread: one
class ServiceBoard {
 public:
  /// Namespace and service.
  using Name = std::pair<std::string, std::string>;

  /// Calls `news` whenever the judgement of a service changes, from within put() and remove(), until it is destroyed.
  /// The board must outlive it.
  class Listening {
   public:
    Listening(ServiceBoard& board, Name name, std::function<void()> news);
    ~Listening();
    Listening(const Listening&) = delete;
    Listening& operator=(const Listening&) = delete;

   private:
    ServiceBoard& board_;
    Name name_;
    std::uint64_t id_;
  };

  /// Sets the health of an endpoint.
  void put(const std::string& key, const Name& name, const model::Health& health);
  /// Sets the services whose health the checks of an endpoint take.
  void set_aliases(const std::string& key, const std::vector<AliasCheck>& aliases);
  /// Forgets an endpoint and its aliases.
  void remove(const std::string& key);

  /// Returns the number of endpoints of a service that serve.
  std::size_t serving(const Name& name) const;

  /// Returns the health of a service as the result of a check by another service:
  ///   Success: an endpoint serves. Warning: those that serve are all in doubt. Failure: none serves.
  ///   Unknown: there is no such endpoint on this node, none was judged yet, or the health of the service depends on
  ///            that of `asker`
  /// A result other than Unknown is certain: rise and fall were the service's.
  health::ProbeResult result(const Name& name, const Name& asker) const;

 private:
  struct Service {
    std::set<std::string_view> keys;  // of endpoints_
    std::size_t serving = 0;
  };
  struct Entry {
    const Name* name;  // of services_
    model::HealthState state;
    bool in_doubt;
    std::string detail;
  };
  bool has_listeners(const Name& name) const { return listeners_.contains(name); }
  /// Returns result() for an asker on whom nothing depends.
  health::ProbeResult judged(const Name& name) const;
  /// Whether the health of `name` depends on that of `on`, over any number of aliases.
  bool depends(const Name& name, const Name& on) const;
  void leave(const std::string& key);
  void drop(const std::string& key);
  void tell(const Name& name);

  std::map<std::string, Entry, std::less<>> endpoints_;         // by key
  std::map<std::string, std::set<Name>, std::less<>> aliases_;  // by key
  std::map<Name, Service> services_;
  std::map<Name, std::map<std::uint64_t, std::function<void()>>> listeners_;
  std::uint64_t next_id_ = 1;
};

}  // namespace meshdns::probes
