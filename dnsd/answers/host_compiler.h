#pragma once

#include <map>
#include <set>
#include <string>
#include <type_traits>
#include <vector>

#include "common/model/locality.h"
#include "common/model/objects.h"
#include "dnsd/answers/host.h"
#include "dnsd/topology/decide.h"
#include "dnsd/topology/gateways.h"

namespace meshdns::answers {

using Clusters = std::map<std::string, model::Cluster>;

/// What topology::Geography refers to.
struct ClusterRecords {
  Clusters clusters;
  std::map<std::string, model::ClusterStatus> statuses;

  topology::Geography geography() const { return {clusters, statuses}; }
  friend bool operator==(const ClusterRecords&, const ClusterRecords&) = default;
};

inline ClusterRecords cluster_records(const model::Records& records) {
  return {records.clusters, records.cluster_statuses};
}

/// What many hosts have in common, kept once. What no host uses any more is dropped now and then.
class HostParts {
 public:
  Ref<const KnownLocality> locality(const model::Locality& place);
  Ref<const LocalityList> list(std::vector<Ref<const KnownLocality>> localities);
  Ref<const TextList> list(std::vector<std::string> texts);
  Ref<const HostSpec> spec(const topology::HostPlan& plan);

 private:
  /// Parts by what they say
  template <class Part, auto kSays>
  class Known {
   public:
    template <class What>
    Ref<const Part> find_or_add(What what);

   private:
    struct IsBefore {
      using is_transparent = void;
      template <class What>
      static const auto& said(const What& what) {
        if constexpr (std::is_same_v<What, Ref<const Part>>)
          return what.get()->*kSays;
        else
          return what;
      }
      bool operator()(const auto& a, const auto& b) const { return said(a) < said(b); }
    };
    std::set<Ref<const Part>, IsBefore> parts_;
    std::size_t next_sweep_ = 1024;
  };

  Known<LocalityList, &LocalityList::entries> locality_lists_;
  Known<TextList, &TextList::entries> text_lists_;
  Known<KnownLocality, &KnownLocality::value> localities_;
  Ref<const HostSpec> last_spec_;  // hosts of one kind come one after the other
};

/// What a host is compiled for, besides its plan.
struct HostFrame {
  const std::vector<std::uint8_t>& name;  // wire form, folded
  std::uint32_t zone = 0;                 // index of Names::zones
  std::uint16_t shape = 0;
  const std::vector<model::Locality>& views;  // of the classes of clients that the shape tells apart
  const topology::Geography geography;
  const Host* before = nullptr;  // the same host as it was compiled last, for the same views: its panics go on
};

/// Decides for every class of clients, and lays the outcome out for the workers. Pure but for what `parts` keeps.
Ref<const Host> compile_host(const topology::HostPlan& plan, const HostFrame& frame, HostParts& parts);

/// A copy of a host that belongs to another zone. zone: index of Names::zones
Ref<const Host> in_zone(const Host& host, std::uint32_t zone);

}  // namespace meshdns::answers
