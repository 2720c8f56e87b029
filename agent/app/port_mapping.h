#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "agent/mapping/port_mapper.h"
#include "agent/report/syncer.h"
#include "common/metrics/registry.h"
#include "common/time/time.h"
#include "meshdns/v1/agent_status.pb.h"

namespace meshdns::agent::app {

/// Port mapping of an agent: connects what the federation wants with the PortMapper, and reports with each endpoint
/// what became of it. While it is off, endpoints pass unchanged.
///
///   federation --set()--> wishes at the endpoints' addresses --> PortMapper --verdicts--> Endpoint.mapped --> Syncer
/// thread: the loop's
class PortMapping {
 public:
  static constexpr Duration kPace = 1s;  // between two looks at the machine

  struct Environment {
    const Clock& clock;
    Timers& timers;
    report::Syncer& syncer;         // of the endpoints
    std::function<void()> changed;  // called after each change of the syncer
    mapping::PortMapper::Machine machine;
  };

  /// What `environment` refers to must outlive this.
  /// node: its name; nothing = port mapping is off
  PortMapping(Environment environment, const std::optional<std::string>& node);
  /// Removes what is mapped.
  ~PortMapping();
  PortMapping(const PortMapping&) = delete;
  PortMapping& operator=(const PortMapping&) = delete;

  bool on() const { return mapper_.has_value(); }
  /// Removes what a crashed run has left, and begins to look at the machine. Does nothing while it is off.
  void start();
  /// Takes all mappings that the federation wants.
  void set(const std::vector<report::PortMapping>& wanted);
  /// Gives an endpoint to the syncer, with its mapped ports.
  void put(const model::Endpoint& endpoint);

  /// Adds the mappings, and the problem if nothing can be mapped. Adds nothing while it is off.
  void write_status(v1::AgentStatus& out) const;
  void collect(std::vector<metrics::Sample>& out) const;

 private:
  void look_every_second();
  std::vector<mapping::Wish> wishes() const;
  /// Gives the endpoints to the syncer whose mapped ports are others now.
  void report_changes();
  model::MappedPorts mapped_of(const std::string& endpoint) const;

  Environment env_;
  std::optional<mapping::PortMapper> mapper_;  // nothing = off
  std::vector<report::PortMapping> wanted_;
  std::optional<TimerId> timer_;
};

/// Returns the real machine.
mapping::PortMapper::Machine mapping_machine();

}  // namespace meshdns::agent::app
