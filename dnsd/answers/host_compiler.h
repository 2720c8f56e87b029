#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/model/locality.h"
#include "common/model/objects.h"
#include "dnsd/answers/host.h"
#include "dnsd/topology/decide.h"

namespace meshdns::answers {

using Clusters = std::map<std::string, model::Cluster>;

/// What many hosts have in common, kept once. Entries that no host uses any more are dropped now and then.
class HostParts {
 public:
  std::shared_ptr<const model::Locality> locality(const model::Locality& place);
  std::shared_ptr<const HostSpec> spec(const topology::HostPlan& plan);

 private:
  std::map<model::Locality, std::shared_ptr<const model::Locality>> localities_;
  std::size_t next_sweep_ = 1024;
  std::shared_ptr<const HostSpec> last_spec_;  // hosts of one kind come one after the other
};

/// What a host is compiled for, besides its plan.
struct HostFrame {
  const std::vector<std::uint8_t>& name;  // wire form, folded
  std::uint32_t zone = 0;                 // index of Names::zones
  std::uint16_t shape = 0;
  const std::vector<model::Locality>& views;  // of the classes of clients that the shape tells apart
  const Clusters& clusters;
};

/// Decides for every class of clients, and lays the outcome out for the workers. Pure but for what `parts` keeps.
Ref<const Host> compile_host(const topology::HostPlan& plan, const HostFrame& frame, HostParts& parts);

}  // namespace meshdns::answers
