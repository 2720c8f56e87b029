#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/time/time.h"
#include "dnsd/answers/ref.h"
#include "dnsd/topology/host_plan.h"
#include "dnsd/wire/name.h"
#include "dnsd/wire/types.h"

namespace meshdns::answers {

/// The properties that endpoints of one host have in common. Most hosts need one or two different ones.
struct EndpointTraits {
  std::uint32_t weight = 1;
  std::uint16_t port = 0;  // the first port, to be shown
  std::uint16_t why = 0;   // index for Host::text; 0 = nothing to add
  topology::Standing standing : 4 = topology::Standing::Serving;
  bool exported : 1 = true;  // see topology::Candidate
  bool has_v4 : 1 = false;
  bool has_v6 : 1 = false;
  bool in_doubt : 1 = false;
  bool known : 1 = true;        // see topology::Candidate
  bool hundredths : 1 = false;  // for a gateway: `weight` is in hundredths
  bool out_v4 : 1 = false;      // an IPv4 address that is not answered: see topology::Candidate::out
  bool out_v6 : 1 = false;      // the same for IPv6
  bool displaced : 1 = false;   // see topology::Candidate
  std::uint8_t group = 0;       // see topology::Candidate
  std::uint8_t start = 100;     // percent of its weight that it gets during slow start

  /// Returns the share of an endpoint in a draw: its weight (1 for a standby) in hundredths.
  /// warm:    slow start does not count
  /// returns: at least 1
  std::uint64_t share(bool warm = false) const noexcept {
    return std::max(std::uint64_t{1}, std::uint64_t{std::max(1U, weight)} * (hundredths ? 1U : warm ? 100U : start));
  }

  /// Returns whether the row has an address of the family, answered or not. Instance names use both.
  bool knows_v4() const noexcept { return has_v4 || out_v4; }
  bool knows_v6() const noexcept { return has_v6 || out_v6; }

  friend bool operator==(const EndpointTraits&, const EndpointTraits&) = default;
};

/// One endpoint of a host: its part of the answer, and what explaining or compiling again needs. The instance name is
/// the dashed form of its first address (instance_label).
struct EndpointRow {
  std::array<std::uint8_t, 4> v4{};
  std::int32_t since = 0;      // when it got its standing, in steps of Host::kSinceStep; 0 = not known
  std::uint16_t locality = 0;  // index for Host::locality
  std::uint16_t traits = 0;    // index for Host::traits
};

/// A port of a host: `_<name>._<protocol>` for SRV, `_<number>._<app_protocol>` for SVCB.
struct ServicePort {
  std::string name;          // without the underscore, folded: "http"
  bool tcp = true;           // false = UDP
  std::string app_protocol;  // in the form of `name`; empty = no SVCB records
  std::uint16_t number = 0;  // 0 = each endpoint has its own number
};

/// The rows of one rung, or of one cluster of a split rung.
struct Tier {
  std::uint16_t number = 0;  // of the topology::Tier: tiers without anything to answer leave gaps
  std::uint16_t end = 0;     // end of its rows in the set; they begin at the end of the tier before

  friend bool operator==(const Tier&, const Tier&) = default;
};

/// The load of a tier. Most hosts do without: their first tier has all the load, and no tier is in panic.
struct TierLoad {
  std::uint8_t load = 0;   // percent of address queries; the loads of a set sum to 100
  std::uint8_t panic = 0;  // not 0 = its last_resort endpoints take part

  friend bool operator==(const TierLoad&, const TierLoad&) = default;
};

/// The answer set of a class of clients for one host. Its tiers and rows are in the host: Host::tiers(),
/// Host::rows_of(). A and AAAA use the first tier, unless the load is spread. A set without tiers answers everything
/// with NODATA.
struct Set {
  std::uint32_t ttl = 5;  // seconds; the policy's ttl_min while an endpoint is in doubt
  std::uint32_t first_tier = 0;
  std::uint32_t first_row = 0;
  std::uint16_t tier_count = 0;
  std::uint16_t row_count = 0;
  std::uint16_t note = 0;      // index for Host::text: EDE text for clients in explain_allow; 0 = none
  std::uint16_t ede_text = 0;  // index for Host::text
  wire::Ede ede{};             // sent to every EDNS client if `has_ede`
  bool has_ede : 1 = false;
  bool spread : 1 = false;        // the first tier does not have all the load: the tier is drawn
  bool last_resort : 1 = false;   // nothing serves: the rows have the best other standing
  bool equal_weights : 1 = true;  // all rows of the first tier have equal shares; false if the load is spread
  bool all_v4 : 1 = false;        // every row of the first tier has an IPv4 address
  bool repeats : 1 = false;       // some tier has an address twice: its endpoints differ in ports only
  bool some_v4 : 1 = false;       // some row has an IPv4 address
  bool some_v6 : 1 = false;       // some row has an IPv6 address
  bool capped : 1 = false;        // the note ends with how many of all addresses are answered
};

/// Indexes of a host's rows. They have one byte each if the host has few rows, otherwise two.
class RowIndexes {
 public:
  RowIndexes(const void* first, std::size_t count, bool wide) noexcept
      : first_(static_cast<const std::uint8_t*>(first)), count_(count), wide_(wide) {}
  RowIndexes(std::span<const std::uint16_t> rows) noexcept  // NOLINT(google-explicit-constructor): a view of the same
      : RowIndexes(rows.data(), rows.size(), true) {}

  class Iterator {
   public:
    using value_type = std::uint16_t;
    using difference_type = std::ptrdiff_t;
    Iterator() = default;
    Iterator(const std::uint8_t* at, bool wide) noexcept : at_(at), wide_(wide) {}
    std::uint16_t operator*() const noexcept { return wide_ ? *reinterpret_cast<const std::uint16_t*>(at_) : *at_; }
    Iterator& operator++() noexcept {
      at_ += wide_ ? 2 : 1;
      return *this;
    }
    Iterator operator++(int) noexcept {
      const Iterator before = *this;
      ++*this;
      return before;
    }
    bool operator==(const Iterator& other) const noexcept { return at_ == other.at_; }

   private:
    const std::uint8_t* at_ = nullptr;
    bool wide_ = false;
  };
  Iterator begin() const noexcept { return {first_, wide_}; }
  Iterator end() const noexcept { return {first_ + count_ * (wide_ ? 2 : 1), wide_}; }

  std::size_t size() const noexcept { return count_; }
  bool empty() const noexcept { return count_ == 0; }
  std::uint16_t operator[](std::size_t i) const noexcept { return wide_ ? wide()[i] : first_[i]; }
  RowIndexes part(std::size_t begin, std::size_t end) const noexcept {
    return {first_ + begin * (wide_ ? 2 : 1), end - begin, wide_};
  }
  /// Copies all indexes.
  /// out: room for size() indexes
  void copy_to(std::uint16_t* out) const noexcept {
    if (wide_) {
      std::copy_n(wide(), count_, out);
    } else {
      std::copy_n(first_, count_, out);
    }
  }

 private:
  const std::uint16_t* wide() const noexcept { return reinterpret_cast<const std::uint16_t*>(first_); }

  const std::uint8_t* first_;
  std::size_t count_;
  bool wide_;
};

/// The properties that all hosts of an object share, or automatic hosts whose endpoints have the same port names.
struct HostSpec : Shared {
  std::string object;  // "shop/app-b"; empty = an automatic host
  model::Policy policy;
  std::vector<topology::HostPort> host_ports;
  std::vector<ServicePort> ports;  // in the form in which queries name them

  /// Returns whether a plan has this spec.
  bool fits(const topology::HostPlan& plan) const {
    return object == plan.object && policy == plan.policy && host_ports == plan.ports;
  }
};

/// A locality that hosts share.
struct KnownLocality : Shared {
  model::Locality value;
};

/// Lists that hosts with equal lists share.
struct LocalityList : Shared {
  std::vector<Ref<const KnownLocality>> entries;
};
struct TextList : Shared {
  std::vector<std::string> entries;  // the first is empty
};

/// The names that instances of one host have themselves, like those of a StatefulSet's pods: `<name>.<host>`. Only of
/// one host; most hosts have none.
struct Hostnames : Shared {
  struct Entry {
    std::string name;  // folded
    std::uint16_t row = 0;
  };
  std::vector<Entry> entries;  // by name; of several rows with one name, the one of the best standing comes first
  std::vector<std::uint16_t> of_row;  // by row: one more than the index of its entry; 0 = none, as for rows at the end

  /// Sets of_row from the entries.
  void index_rows();
};

/// A compiled host: its answer set for each class of clients. One allocation holds the object, its name and its arrays;
/// host_compiler.h has the layout. DNS workers only read it.
class Host : public Shared {
 public:
  using V6 = std::array<std::uint8_t, 16>;
  static constexpr Duration kSinceStep = 100ms;
  static constexpr std::size_t kFewRows = 256;  // with at most so many rows, their indexes are single bytes

  wire::NameBytes name() const noexcept { return {at<std::uint8_t>(sizeof(Host)), name_size_}; }  // folded
  /// Returns the rows of the endpoints, then those of the gateways that may stand for them.
  std::span<const EndpointRow> rows() const noexcept { return {at<EndpointRow>(rows_), row_count_}; }
  std::span<const EndpointRow> endpoints() const noexcept { return rows().first(endpoint_count_); }
  const EndpointTraits& traits(const EndpointRow& row) const noexcept {
    return at<EndpointTraits>(traits_)[row.traits];
  }
  const EndpointTraits& traits(std::size_t row) const noexcept { return traits(at<EndpointRow>(rows_)[row]); }
  std::span<const Set> sets() const noexcept { return {at<Set>(sets_), set_count_}; }
  const Set& set_of_class(std::uint16_t client_class) const noexcept {
    return at<Set>(sets_)[at<std::uint16_t>(classes_)[client_class]];
  }
  std::span<const Tier> tiers(const Set& set) const noexcept {
    return {at<Tier>(tiers_) + set.first_tier, set.tier_count};
  }
  /// Returns the loads of the set's tiers. Empty: the first tier has all the load.
  std::span<const TierLoad> loads(const Set& set) const noexcept {
    if (!has_loads_) return {};
    return {at<TierLoad>(v6_ + (has_v6_ ? row_count_ * sizeof(V6) : 0)) + set.first_tier, set.tier_count};
  }
  /// Returns the set's indexes of rows(), tier after tier.
  RowIndexes rows_of(const Set& set) const noexcept {
    const bool wide = row_count_ > kFewRows;
    return {at<std::uint8_t>(set_rows_) + std::size_t{set.first_row} * (wide ? 2 : 1), set.row_count, wide};
  }
  /// Returns the IPv6 address of a row.
  /// requires: traits(row).knows_v6()
  const V6& v6(std::size_t row) const noexcept { return at<V6>(v6_)[row]; }
  std::span<const ServicePort> ports() const noexcept { return spec->ports; }
  /// Returns the number of a port at an endpoint; 0 = the endpoint lacks the port.
  std::uint16_t port_number(std::size_t port, std::size_t row) const noexcept {
    return at<std::uint16_t>(port_numbers_)[row * port_stride_ + port];
  }
  const model::Locality& locality(const EndpointRow& row) const noexcept {
    return localities->entries[row.locality]->value;
  }
  /// Returns whether a client in this place sees an endpoint: see topology::is_seen().
  bool is_seen(const model::Locality& client, const EndpointRow& row) const noexcept {
    return traits(row).exported || same(client, locality(row), model::Part::Cluster);
  }
  const std::string& text(std::uint16_t index) const noexcept { return texts->entries[index]; }
  /// Returns the rows whose instances have this name themselves.
  /// name: folded
  std::span<const Hostnames::Entry> named(std::string_view name) const noexcept {
    if (!hostnames) return {};
    const auto& all = hostnames->entries;
    const auto begin = std::ranges::lower_bound(all, name, std::ranges::less(), &Hostnames::Entry::name);
    const auto end = std::ranges::upper_bound(begin, all.end(), name, std::ranges::less(), &Hostnames::Entry::name);
    return {begin, end};
  }
  /// Returns the name that an instance has itself; empty = it has none.
  std::string_view hostname(std::size_t row) const noexcept {
    if (!hostnames || row >= hostnames->of_row.size() || hostnames->of_row[row] == 0) return {};
    return hostnames->entries[hostnames->of_row[row] - std::size_t{1}].name;
  }
  /// Returns the size of this allocation in bytes, without its hostnames and parts that are shared with other hosts.
  std::size_t memory() const noexcept {
    const std::size_t tiers = has_loads_ ? (set_rows_ - tiers_) / sizeof(Tier) : 0;
    return v6_ + (has_v6_ ? row_count_ * sizeof(V6) : 0) + tiers * sizeof(TierLoad);
  }

  static void operator delete(void* memory) noexcept { ::operator delete(memory); }

  std::uint32_t zone = 0;
  Ref<const HostSpec> spec;
  Ref<const LocalityList> localities;
  Ref<const TextList> texts;
  Ref<const Hostnames> hostnames;  // null = no instance has a name of its own
  std::uint16_t ttl = 5;           // seconds; for instance names, whose addresses do not change
  std::uint16_t max_answers = 8;
  std::uint16_t shape = 0;  // index of AnswerTable::classes
  bool independent_families : 1 = false;
  bool same_for_all : 1 = false;  // every place gets the same answer: ECS scope 0
  bool spread : 1 = false;        // the load of some set is spread
  bool panic : 1 = false;         // some tier of some set is in panic
  bool twins : 1 = false;         // some endpoints share both an address and a port number
  bool timed : 1 = false;         // answers depend on the time of day: spread load, or not all addresses fit
  bool unexported : 1 = false;    // some endpoint is not exported: the client's cluster decides which endpoints it sees
  bool cluster_names : 1 = false;  // see topology::HostPlan

 private:
  friend class HostBuilder;
  friend class HostBytes;
  struct Arrays {
    std::size_t bytes;
  };
  Host() = default;
  static void* operator new(std::size_t size, Arrays arrays) { return ::operator new(size + arrays.bytes); }
  static void operator delete(void* memory, Arrays) noexcept { ::operator delete(memory); }

  template <class T>
  const T* at(std::size_t offset) const noexcept {
    return reinterpret_cast<const T*>(reinterpret_cast<const std::byte*>(this) + offset);
  }

  bool has_v6_ : 1 = false;
  bool has_loads_ : 1 = false;
  std::uint8_t name_size_ = 0;
  std::uint8_t port_stride_ = 0;  // 0 = all rows have the same port numbers, which are stored once
  std::uint16_t row_count_ = 0;
  std::uint16_t endpoint_count_ = 0;
  std::uint16_t set_count_ = 0;
  // Offsets in bytes from the host's own address. The IPv6 addresses, 16 bytes for each row, are there if any row has
  // one. The last array has a TierLoad for each Tier, if any set needs loads.
  std::uint32_t classes_ = 0, sets_ = 0, tiers_ = 0, set_rows_ = 0, rows_ = 0, traits_ = 0, port_numbers_ = 0, v6_ = 0;
};

/// Returns the tiers of a set that are in panic, in the form of topology::Decision::panic.
std::uint64_t panic_of(const Host& host, const Set& set);

/// Returns the traits of a candidate, without addresses and texts.
EndpointTraits traits_of(const topology::Candidate& candidate);

/// Returns the plan from which a host was compiled, without the keys of its endpoints. Allocates.
/// zone: the name of the host's zone
topology::HostPlan plan_of(const Host& host, const std::string& zone);

}  // namespace meshdns::answers
