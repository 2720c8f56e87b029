#include "dnsd/query/service_answer.h"

#include <algorithm>
#include <limits>
#include <span>

#include "dnsd/query/address_set.h"
#include "dnsd/query/instance_name.h"

namespace meshdns::query {
namespace {

constexpr std::size_t kPointerReach = 0x4000;
constexpr std::uint64_t kMostWeight = 65535;
constexpr std::uint64_t kFineWeight = 100;  // the smallest weight after rounding that still keeps proportions
constexpr std::uint16_t kMostPriority = 65534;
// owner (pointer), type, class, TTL, RDLENGTH; priority; the shortest label before the host's name
constexpr std::size_t kLeastRecord = 12 + 2 + 8;
constexpr std::size_t kMostRecord = 12 + 2 + 34;  // SVCB with all its parameters, without its target

/// Returns the greatest share of its weight, in percent, that slow start gives an endpoint of the tier. Weights are
/// relative to it.
std::uint64_t best_start(const answers::Host& host, const answers::RowIndexes& rows) noexcept {
  std::uint64_t best = 1;
  for (const std::uint16_t row : rows) best = std::max<std::uint64_t>(best, host.traits(row).start);
  return best;
}

std::size_t named_ports(const answers::Host& host) noexcept {
  return static_cast<std::size_t>(
      std::ranges::count_if(host.ports(), [](const auto& port) { return !port.name.empty(); }));
}

}  // namespace

ServiceAnswer::ServiceAnswer(const HostAnswer& from, const Asked& asked) noexcept
    : from_(from), host_(from.host), asked_(asked), spread_(from.set.spread) {
  if (!asked.port) ports_ = named_ports(host_);
  cap_ = host_.spec->policy.max_answers.value_or(kMost);
  const std::size_t room = from.response.writer().room();
  fit_ = std::min(kMost, room / (kLeastRecord + host_.name().size()) + 1);  // one more shows that not all rows fit
}

/// Returns whether the records of a tier have the first priority.
bool ServiceAnswer::is_first(std::size_t tier) const noexcept {
  if (!spread_) return tier == 0;
  return asked_.type == wire::Type::SRV ? host_.loads(from_.set)[tier].load > 0 : tier == from_.tier;
}

/// Returns the lot that decides which rows of a tier are listed, in which order. If all rows fit, the lot is a new
/// random number; otherwise it is the client's, so that the client gets the same rows until its TTL ends.
std::uint64_t ServiceAnswer::lot(std::size_t rows, std::size_t limit) const noexcept {
  const std::size_t target = longest_instance_part(host_) + host_.name().size();
  const std::size_t bytes = (count_ + rows) * ports_ * (kMostRecord + target);
  const bool all = rows <= limit && bytes <= from_.response.writer().room();
  return all ? from_.random.next() : lot_of(host_, from_.seat);
}

void ServiceAnswer::collect_tier(std::size_t tier, std::uint16_t priority) noexcept {
  const std::size_t limit = std::min(cap_, fit_ - count_);
  const RowFilter filter{.host = host_,
                         .port = asked_.port,
                         .any_port = !asked_.port.has_value(),
                         .named = !has_room_for_instances(host_)};
  const answers::RowIndexes rows = tier_rows(host_, from_.set, tier);
  const bool warm = from_.is_warm(tier);
  const std::uint64_t drawn = lot(rows.size(), limit);
  LeastKeys<kMost> least(limit);
  for (const std::uint16_t row : rows) {
    if (filter(row)) least.add(row_key(host_, row, drawn, false, warm));
  }
  cut_ = cut_ || (least.cut() && limit < cap_);
  const std::uint64_t best = warm ? 100 : best_start(host_, rows);
  for (const std::uint64_t key : least.sorted()) {
    const std::uint16_t row = row_of_key(key);
    const std::uint64_t weight = host_.traits(row).share(warm) * 100 / best;
    services_[count_++] = {row, static_cast<std::uint16_t>(tier), priority, weight};
  }
}

// Tiers of the first priority are collected first: when the message is too small, the others are left out.
void ServiceAnswer::collect() noexcept {
  const auto tiers = host_.tiers(from_.set);
  if (tiers.empty()) return;
  const std::uint16_t first = tiers.front().number;
  for (std::size_t tier = 0; tier < tiers.size(); ++tier) {
    if (is_first(tier)) collect_tier(tier, first);
  }
  std::uint16_t priority = first;
  for (std::size_t tier = 0; tier < tiers.size(); ++tier) {
    if (is_first(tier)) continue;
    const auto next = static_cast<std::uint16_t>(std::min<std::uint32_t>(kMostPriority, priority + 1U));
    priority = std::max(next, std::min(kMostPriority, tiers[tier].number));
    collect_tier(tier, priority);
  }
}

/// Scales weights that exceed 16 bits by one common factor, and shares out the first priority.
void ServiceAnswer::weigh() noexcept {
  std::uint64_t heaviest = 0;
  for (std::size_t i = 0; i < count_; ++i) heaviest = std::max(heaviest, services_[i].weight);
  if (spread_) share_loads();
  for (std::size_t i = 0; i < count_; ++i) {
    Service& service = services_[i];
    if (spread_ && is_first(service.tier)) continue;
    if (heaviest > kMostWeight) service.weight = service.weight * kMostWeight / heaviest;
    service.weight = std::max<std::uint64_t>(1, service.weight);
  }
}

/// Gives the instances of each tier with a load weights that sum to this load. The unit is the same for all of them: a
/// hundredth of a percent, or a finer one if the lightest instance would lose its proportion.
void ServiceAnswer::share_loads() noexcept {
  const auto loads = host_.loads(from_.set);
  const auto for_each_tier = [&](const auto& visit) {
    for (std::size_t begin = 0; begin < count_;) {
      std::size_t end = begin;
      while (end < count_ && services_[end].tier == services_[begin].tier) ++end;
      if (is_first(services_[begin].tier)) visit(std::span(services_).subspan(begin, end - begin));
      begin = end;
    }
  };
  const auto sum_of = [](std::span<const Service> tier) {
    std::uint64_t sum = 0;
    for (const Service& service : tier) sum += service.weight;
    return std::max<std::uint64_t>(1, sum);
  };
  const auto part = [&](const Service& service, std::uint64_t sum, std::uint64_t unit) {
    return (loads[service.tier].load * unit * service.weight + sum / 2) / sum;
  };
  std::uint64_t unit = 100;
  for (bool finer = true; finer;) {
    std::uint64_t lightest = std::numeric_limits<std::uint64_t>::max();
    std::uint64_t heaviest = 0;
    for_each_tier([&](std::span<Service> tier) {
      const std::uint64_t sum = sum_of(tier);
      for (const Service& service : tier) {
        lightest = std::min(lightest, part(service, sum, unit));
        heaviest = std::max(heaviest, part(service, sum, unit));
      }
    });
    finer = lightest < kFineWeight && heaviest * 10 <= kMostWeight;
    if (finer) unit *= 10;
  }
  for_each_tier([&](std::span<Service> tier) {
    const std::uint64_t sum = sum_of(tier);
    for (Service& service : tier) service.weight = std::max<std::uint64_t>(1, part(service, sum, unit));
  });
}

/// Returns whether a record with this priority, address and number is written already, and notes it otherwise.
bool ServiceAnswer::is_repeated(const Service& service, std::uint16_t number) noexcept {
  const bool v4 = host_.traits(service.row).has_v4;
  if (!v4 && !host_.traits(service.row).has_v6) return false;
  return !repeated_.add(host_, {service.row, number, service.priority, v4});
}

bool ServiceAnswer::write_service(const Service& service, std::size_t port) noexcept {
  wire::Writer& writer = from_.response.writer();
  const InstanceName target(host_, service.row);
  const std::size_t mark = writer.position();
  const std::uint16_t number = host_.port_number(port, service.row);
  std::uint16_t offset = 0;
  if (asked_.type == wire::Type::SRV) {
    const auto weight = static_cast<std::uint16_t>(service.weight);
    offset = writer.srv(from_.owner, from_.ttl(), {service.priority, weight, number, target.view()});
  } else {
    // RFC 9460 2.4.1: priority 0 is AliasMode
    wire::SvcbFields fields{static_cast<std::uint16_t>(service.priority + 1), target.view(), number, {}, {}};
    const answers::EndpointTraits& endpoint = host_.traits(service.row);
    if (endpoint.has_v4) fields.ipv4hint = host_.rows()[service.row].v4;
    if (endpoint.has_v6) fields.ipv6hint = host_.v6(service.row);
    offset = writer.svcb(from_.owner, asked_.type, from_.ttl(), fields);
  }
  if (!from_.response.count(Section::Answer, mark)) return false;
  if (written_ < kMost) targets_[written_++] = {service.row, offset};
  return true;
}

/// Writes the records of a row.
/// returns: false = a record did not fit
bool ServiceAnswer::write_row(const Service& service) noexcept {
  const auto ports = host_.ports();
  for (std::size_t port = asked_.port.value_or(0); port < ports.size(); ++port) {
    const std::uint16_t number = host_.port_number(port, service.row);
    // a number with several names gets one record
    const auto repeats = [&](std::size_t before) {
      return !ports[before].name.empty() && host_.port_number(before, service.row) == number;
    };
    bool skip = number == 0;
    if (!asked_.port) {
      skip = skip || ports[port].name.empty();
      for (std::size_t before = 0; before < port && !skip; ++before) skip = repeats(before);
    }
    if (!skip && host_.twins) skip = is_repeated(service, number);
    if (!skip && !write_service(service, port)) return false;
    if (asked_.port) break;
  }
  return true;
}

void ServiceAnswer::write_additional() noexcept {
  AddressSet seen(host_, written_);
  const auto write_one = [&](const AdditionalTarget& target, wire::Type type, bool has) {
    if (!has || !seen.add(target.row, type == wire::Type::A)) return;
    from_.write_address(Section::Additional, target.offset, target.row, type,
                        std::min<std::uint32_t>(host_.ttl, kMostDynamicTtl));
  };
  for (std::size_t i = 0; i < written_ && targets_[i].offset < kPointerReach; ++i) {
    const answers::EndpointTraits& endpoint = host_.traits(targets_[i].row);
    write_one(targets_[i], wire::Type::A, endpoint.has_v4);
    write_one(targets_[i], wire::Type::AAAA, endpoint.has_v6);
  }
}

Outcome ServiceAnswer::write() noexcept {
  collect();
  if (host_.twins) repeated_.begin(fit_);
  if (count_ == 0) return cut_ ? Outcome::Truncated : Outcome::NoDataForView;
  weigh();
  for (std::size_t i = 0; i < count_; ++i) {
    if (!write_row(services_[i])) return Outcome::Truncated;
  }
  if (cut_) return Outcome::Truncated;
  write_additional();
  return Outcome::Answered;
}

}  // namespace meshdns::query
