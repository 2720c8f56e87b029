#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "dnsd/query/host_answer.h"
#include "dnsd/query/written_targets.h"

namespace meshdns::query {

// How it works. Each tier of the set contributes all its instances, or `maxAnswers` of them if the policy says so; the
// nearest tier comes first. Rows are collected before anything is written, because a weight depends on the other
// weights of its priority.
//
//   SRV    priority = tier number. Tiers with a load share the first priority, with weights in proportion to their
//   loads,
//          and the other tiers follow: a client that obeys RFC 2782 spreads as A and AAAA do.
//   SVCB   SvcPriority = tier number + 1. SVCB has no weights: the tier that this client has drawn comes first, as it
//          does for A and AAAA.
//
// Records that do not fit into the message are left out, with TC. A set that is cut, by the policy or by the message,
// is the same for the same client until its TTL ends.

/// Writes the SRV, SVCB or HTTPS records of one host for one class of clients, and addresses of the targets as they
/// fit.
/// source: RFC 2782, RFC 9460
class ServiceAnswer {
 public:
  /// The question.
  struct Asked {
    wire::Type type;                  // SRV, SVCB or HTTPS
    std::optional<std::size_t> port;  // index of Host::ports(); nothing = every port with a name, for SRV only
  };
  /// from: must outlive this
  ServiceAnswer(const HostAnswer& from, const Asked& asked) noexcept;

  /// Writes all records.
  Outcome write() noexcept;

 private:
  // A message of 64 KiB has room for fewer records: targets are 11 bytes or longer.
  static constexpr std::size_t kMost = 2500;

  /// A row that gets records.
  struct Service {
    std::uint16_t row;
    std::uint16_t tier;      // index of Host::tiers(set)
    std::uint16_t priority;  // of SRV
    std::uint64_t weight;    // in hundredths
  };
  /// The target of a record that is written, for the additional section.
  struct AdditionalTarget {
    std::uint16_t row;
    std::uint16_t offset;  // of the target name in the message
  };

  bool is_first(std::size_t tier) const noexcept;
  void collect() noexcept;
  void collect_tier(std::size_t tier, std::uint16_t priority) noexcept;
  std::uint64_t lot(std::size_t rows, std::size_t limit) const noexcept;
  void weigh() noexcept;
  void share_loads() noexcept;
  bool is_repeated(const Service& service, std::uint16_t number) noexcept;
  bool write_service(const Service& service, std::size_t port) noexcept;
  bool write_row(const Service& service) noexcept;
  void write_additional() noexcept;

  const HostAnswer& from_;
  const answers::Host& host_;
  const Asked asked_;
  const bool spread_;
  std::size_t ports_ = 1;  // the most records of a row
  std::size_t cap_ = 0;    // the most rows of a tier
  std::size_t fit_ = 0;    // the most rows that fit into the message
  bool cut_ = false;       // rows were left out because of the message
  std::size_t count_ = 0;
  std::size_t written_ = 0;
  std::array<Service, kMost> services_;
  std::array<AdditionalTarget, kMost> targets_;
  WrittenTargets<kMost> repeated_;  // used for a host with twins only
};

}  // namespace meshdns::query
