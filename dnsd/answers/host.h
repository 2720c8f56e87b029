#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "common/time/time.h"
#include "dnsd/answers/ref.h"
#include "dnsd/topology/host_plan.h"
#include "dnsd/wire/name.h"
#include "dnsd/wire/types.h"

namespace meshdns::answers {

/// What endpoints of one host have in common: most hosts need one or two of these.
struct EndpointTraits {
  std::uint32_t weight = 1;
  std::uint16_t port = 0;  // the first one, for people
  std::uint16_t why = 0;   // Host::text; 0 = nothing to add
  topology::Standing standing = topology::Standing::Serving;
  bool has_v4 : 1 = false;
  bool has_v6 : 1 = false;
  bool in_doubt : 1 = false;
  bool known : 1 = true;        // see topology::Candidate
  bool hundredths : 1 = false;  // of a gateway: its weight is in hundredths
  bool out_v4 : 1 = false;      // it has an IPv4 address, which is not answered: see topology::Candidate::out
  bool out_v6 : 1 = false;
  bool displaced : 1 = false;  // see topology::Candidate
  std::uint8_t group = 0;      // the same
  std::uint8_t start = 100;    // percent of the weight, while it is warming up

  /// What it counts when one is drawn: its weight (a standby's is 1) in hundredths.
  /// warm: it counts in full even if it is warming up
  /// returns: at least 1
  std::uint64_t share(bool warm = false) const noexcept {
    return std::max(std::uint64_t{1}, std::uint64_t{std::max(1U, weight)} * (hundredths ? 1U : warm ? 100U : start));
  }

  /// Whether its row has an address of the family, answered or not: what its names are made of.
  bool knows_v4() const noexcept { return has_v4 || out_v4; }
  bool knows_v6() const noexcept { return has_v6 || out_v6; }

  friend bool operator==(const EndpointTraits&, const EndpointTraits&) = default;
};

/// One endpoint of one host: what is answered, and what it takes to decide and to explain anew. Its instance name is
/// the dashed form of the first address (instance_label).
struct EndpointRow {
  std::array<std::uint8_t, 4> v4{};
  std::int32_t since = 0;      // in this standing; in the steps of kSinceStep that people are shown
  std::uint16_t locality = 0;  // Host::locality
  std::uint16_t traits = 0;    // Host::traits
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

/// What of a tier most hosts can do without: there the first tier has all the load, and nobody is in panic.
struct TierLoad {
  std::uint8_t load = 0;   // percent of the clients' questions for addresses; those of a set sum to 100
  std::uint8_t panic = 0;  // not 0: its last_resort endpoints take part

  friend bool operator==(const TierLoad&, const TierLoad&) = default;
};

/// What a class of clients gets of a host. Tiers and rows are the host's: Host::tiers(), Host::rows_of().
/// The first tier is the one that A and AAAA use, unless they are spread; no tier = NODATA for everything.
struct Set {
  std::uint32_t ttl = 5;  // seconds; ttl_min while in doubt
  std::uint32_t first_tier = 0;
  std::uint32_t first_row = 0;
  std::uint16_t tier_count = 0;
  std::uint16_t row_count = 0;
  std::uint16_t note = 0;      // Host::text: informational EDE text for explain_allow prefixes; 0 = none
  std::uint16_t ede_text = 0;  // Host::text
  wire::Ede ede{};             // told to every EDNS client if `has_ede`: 18 where a ladder without `any` leaves nothing
  bool has_ede : 1 = false;
  bool spread : 1 = false;        // not all load is the first tier's: which one is used is drawn
  bool last_resort : 1 = false;   // nothing serves: what is listed is the best of the rest
  bool equal_weights : 1 = true;  // of the first tier; false where they are spread
  bool all_v4 : 1 = false;        // every row of the first tier has an IPv4 address
  bool repeats : 1 = false;       // some tier has an address more than once: endpoints that differ in their ports only
  bool some_v4 : 1 = false;       // some row has an IPv4 address
  bool some_v6 : 1 = false;       // the same of IPv6
  bool capped : 1 = false;        // the note's last part says how many addresses of how many are answered
};

/// Indexes of a host's rows: of one byte each where the host has few rows, else of two.
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

/// What hosts of one object share, and automatic hosts whose endpoints name the same ports.
struct HostSpec : Shared {
  std::string object;  // "shop/app-b"; empty = an automatic host
  model::Policy policy;
  std::vector<topology::HostPort> host_ports;
  std::vector<ServicePort> ports;  // as they are asked for

  bool fits(const topology::HostPlan& plan) const {
    return object == plan.object && policy == plan.policy && host_ports == plan.ports;
  }
};

struct KnownLocality : Shared {
  model::Locality value;
};

/// Lists that hosts share whose lists are equal
struct LocalityList : Shared {
  std::vector<Ref<const KnownLocality>> entries;
};
struct TextList : Shared {
  std::vector<std::string> entries;  // the first is empty
};

/// A host, compiled: what each class of clients gets of it. One allocation: this, then its name, then its arrays.
class Host : public Shared {
 public:
  using V6 = std::array<std::uint8_t, 16>;
  static constexpr Duration kSinceStep = 100ms;
  static constexpr std::size_t kFewRows = 256;  // their indexes are single bytes

  wire::NameBytes name() const noexcept { return {at<std::uint8_t>(sizeof(Host)), name_size_}; }  // folded
  /// The endpoints, then the gateways that stand for them.
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
  /// Of the same tiers; empty = all is the first one's.
  std::span<const TierLoad> loads(const Set& set) const noexcept {
    if (!has_loads_) return {};
    return {at<TierLoad>(v6_ + (has_v6_ ? row_count_ * sizeof(V6) : 0)) + set.first_tier, set.tier_count};
  }
  /// Indexes of rows(), tier after tier
  RowIndexes rows_of(const Set& set) const noexcept {
    const bool wide = row_count_ > kFewRows;
    return {at<std::uint8_t>(set_rows_) + std::size_t{set.first_row} * (wide ? 2 : 1), set.row_count, wide};
  }
  /// Of a row that has one.
  const V6& v6(std::size_t row) const noexcept { return at<V6>(v6_)[row]; }
  std::span<const ServicePort> ports() const noexcept { return spec->ports; }
  /// The number of a port at an endpoint; 0 = it lacks the port
  std::uint16_t port_number(std::size_t port, std::size_t row) const noexcept {
    return at<std::uint16_t>(port_numbers_)[row * port_stride_ + port];
  }
  const model::Locality& locality(const EndpointRow& row) const noexcept {
    return localities->entries[row.locality]->value;
  }
  const std::string& text(std::uint16_t index) const noexcept { return texts->entries[index]; }
  /// Bytes that it takes alone: without what it shares with others
  std::size_t memory() const noexcept {
    const std::size_t tiers = has_loads_ ? (set_rows_ - tiers_) / sizeof(Tier) : 0;
    return v6_ + (has_v6_ ? row_count_ * sizeof(V6) : 0) + tiers * sizeof(TierLoad);
  }

  static void operator delete(void* memory) noexcept { ::operator delete(memory); }

  std::uint32_t zone = 0;
  Ref<const HostSpec> spec;
  Ref<const LocalityList> localities;
  Ref<const TextList> texts;
  std::uint16_t ttl = 5;  // seconds; of the instance names, whose addresses do not change
  std::uint16_t max_answers = 8;
  std::uint16_t shape = 0;  // which place -> class array
  bool independent_families : 1 = false;
  bool same_for_all : 1 = false;  // one answer for every place: ECS scope 0
  bool spread : 1 = false;        // some set is
  bool panic : 1 = false;         // some tier of some set is in panic
  bool twins : 1 = false;         // some endpoints share both an address and a port number
  bool timed : 1 = false;         // its answers depend on the time of day: by spread sets, or by what is cut

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
  std::uint16_t row_count_ = 0;
  std::uint16_t endpoint_count_ = 0;
  std::uint16_t set_count_ = 0;
  std::uint16_t port_stride_ = 0;  // 0 = the numbers of every row are the same, and stand there once
  // Bytes from the host's own address. The IPv6 addresses are the last, 16 bytes for each row, if any row has one;
  // behind them stands a TierLoad for each Tier, if any set needs them.
  std::uint32_t classes_ = 0, sets_ = 0, tiers_ = 0, set_rows_ = 0, rows_ = 0, traits_ = 0, port_numbers_ = 0, v6_ = 0;
};

/// Which tiers of a set are in panic; see topology::Decision::panic.
std::uint64_t panic_of(const Host& host, const Set& set);

/// The plan that a host was compiled from, but for the keys of its endpoints. Allocates.
/// zone: its name
topology::HostPlan plan_of(const Host& host, const std::string& zone);

}  // namespace meshdns::answers
