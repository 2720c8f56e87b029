#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/time/time.h"
#include "dnsd/answers/ref.h"
#include "dnsd/topology/host_plan.h"
#include "dnsd/wire/name.h"
#include "dnsd/wire/types.h"

namespace meshdns::answers {

/// One endpoint of one host: what is answered, and what it takes to decide and to explain anew. Its instance name is
/// the dashed form of the first address (instance_label).
struct EndpointRow {
  std::array<std::uint8_t, 4> v4{};
  std::uint32_t weight = 1;
  TimePoint since{};           // in this standing
  std::uint16_t locality = 0;  // index of Host::localities
  std::uint16_t why = 0;       // index of Host::texts; 0 = nothing to add
  std::uint16_t v6 = 0;        // 1 + index of Host::v6; 0 = it has none
  std::uint16_t port = 0;      // the first one, for people
  topology::Standing standing = topology::Standing::Serving;
  bool has_v4 = false;
  bool in_doubt = false;
};

/// `_<name>._<protocol>` of a host, for SRV; `_<number>._<app_protocol>`, for SVCB
struct ServicePort {
  std::string name;          // without the underscore, folded: "http"
  bool tcp = true;           // else UDP
  std::string app_protocol;  // as `name`; empty = no SVCB records
  std::uint16_t number = 0;  // 0 = each number that an endpoint has
};

/// Rows that are answered from one rung, or one cluster of it
struct Tier {
  std::uint16_t number = 0;  // dense over the rungs that hold known endpoints: has gaps where nothing serves
  std::uint16_t end = 0;     // its rows are those of the set from the end of the tier before

  friend bool operator==(const Tier&, const Tier&) = default;
};

/// What a class of clients gets of a host. Tiers and rows are the host's: Host::tiers(), Host::rows_of().
/// The first tier is the one that A and AAAA use; no tier = NODATA for everything.
struct Set {
  std::uint32_t ttl = 5;  // seconds; ttl_min while in doubt
  std::uint32_t first_tier = 0;
  std::uint32_t first_row = 0;
  std::uint16_t tier_count = 0;
  std::uint16_t row_count = 0;
  std::uint16_t note = 0;      // index of Host::texts: informational EDE text for explain_allow prefixes; 0 = none
  std::uint16_t ede_text = 0;  // index of Host::texts
  wire::Ede ede{};             // told to every EDNS client if `has_ede`: 18 where a ladder without `any` leaves nothing
  bool has_ede = false;
  bool last_resort = false;   // nothing serves: what is listed is the best of the rest
  bool equal_weights = true;  // of the first tier
  bool all_v4 = false;        // every row of the first tier has an IPv4 address
};

/// What hosts of one object share, and automatic hosts whose endpoints name the same ports.
struct HostSpec {
  std::string object;  // "shop/app-b"; empty = an automatic host
  model::Policy policy;
  std::vector<topology::HostPort> host_ports;
  std::vector<ServicePort> ports;  // as they are asked for

  bool fits(const topology::HostPlan& plan) const {
    return object == plan.object && policy == plan.policy && host_ports == plan.ports;
  }
};

/// A host, compiled: what each class of clients gets of it. The arrays stand behind each other in one allocation.
class Host : public Shared {
 public:
  /// Where an array stands in the host's memory
  struct Slice {
    std::uint32_t offset = 0;
    std::uint32_t count = 0;
  };
  using V6 = std::array<std::uint8_t, 16>;

  wire::NameBytes name() const noexcept { return view<std::uint8_t>(name_); }  // folded
  std::span<const EndpointRow> rows() const noexcept { return view<EndpointRow>(rows_); }
  std::span<const Set> sets() const noexcept { return view<Set>(sets_); }
  const Set& set_of_class(std::uint16_t client_class) const noexcept {
    return view<Set>(sets_)[view<std::uint16_t>(classes_)[client_class]];
  }
  std::span<const Tier> tiers(const Set& set) const noexcept {
    return view<Tier>(tiers_).subspan(set.first_tier, set.tier_count);
  }
  /// Indexes of rows(), tier after tier
  std::span<const std::uint16_t> rows_of(const Set& set) const noexcept {
    return view<std::uint16_t>(set_rows_).subspan(set.first_row, set.row_count);
  }
  /// The row has_v6().
  const V6& v6(const EndpointRow& row) const noexcept { return view<V6>(v6_)[row.v6 - 1U]; }
  std::span<const ServicePort> ports() const noexcept { return spec->ports; }
  /// The number of a port at an endpoint; 0 = it lacks the port
  std::uint16_t port_number(std::size_t port, std::size_t row) const noexcept {
    return view<std::uint16_t>(port_numbers_)[row * spec->ports.size() + port];
  }
  const std::string& text(std::uint16_t index) const noexcept { return texts[index]; }
  /// Bytes that it takes, itself included
  std::size_t memory() const noexcept;

  std::shared_ptr<const HostSpec> spec;
  std::vector<std::shared_ptr<const model::Locality>> localities;
  std::vector<std::string> texts = {""};
  std::uint32_t zone = 0;
  std::uint32_t ttl = 5;  // seconds; of the instance names, whose addresses do not change
  std::uint32_t max_answers = 8;
  std::uint16_t shape = 0;  // which place -> class array
  bool independent_families = false;
  bool same_for_all = false;  // one answer for every place: ECS scope 0

 private:
  friend class HostBuilder;
  template <class T>
  std::span<const T> view(Slice slice) const noexcept {
    return {reinterpret_cast<const T*>(data_.get() + slice.offset), slice.count};
  }

  std::unique_ptr<std::byte[]> data_;
  std::uint32_t size_ = 0;
  Slice name_, rows_, v6_, sets_, classes_, tiers_, set_rows_, port_numbers_;
};

/// The plan that a host was compiled from, but for the keys of its endpoints. Allocates.
/// zone: its name
topology::HostPlan plan_of(const Host& host, const std::string& zone);

}  // namespace meshdns::answers
