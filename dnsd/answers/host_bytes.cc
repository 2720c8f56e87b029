#include "dnsd/answers/host_bytes.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <utility>

namespace meshdns::answers {
namespace {

/// Returns whether bytes are exactly one name.
/// source: RFC 1035 3.1
bool is_name(wire::NameBytes name) {
  std::size_t at = 0;
  while (at < name.size() && name[at] != 0) {
    if (name[at] > wire::kMaxLabel) return false;
    at += std::size_t{1} + name[at];
  }
  return at + 1 == name.size() && name.size() <= wire::kMaxName;
}

}  // namespace

template <class Io, class H>
void HostBytes::fields(Io& io, H& host) {
  io(host.zone, host.ttl, host.max_answers, host.shape, host.name_size_, host.row_count_, host.endpoint_count_,
     host.set_count_, host.port_stride_);
  io(host.classes_, host.sets_, host.tiers_, host.set_rows_, host.rows_, host.traits_, host.port_numbers_, host.v6_);
  if constexpr (Io::kReads) {
    std::uint8_t flags = 0;
    io(flags);
    host.independent_families = (flags & 1U) != 0;
    host.same_for_all = (flags & 2U) != 0;
    host.has_v6_ = (flags & 4U) != 0;
    host.spread = (flags & 8U) != 0;
    host.has_loads_ = (flags & 16U) != 0;
    host.panic = (flags & 32U) != 0;
    host.timed = (flags & 64U) != 0;
    host.twins = (flags & 128U) != 0;
  } else {
    io(static_cast<std::uint8_t>((host.independent_families ? 1U : 0U) | (host.same_for_all ? 2U : 0U) |
                                 (host.has_v6_ ? 4U : 0U) | (host.spread ? 8U : 0U) | (host.has_loads_ ? 16U : 0U) |
                                 (host.panic ? 32U : 0U) | (host.timed ? 64U : 0U) | (host.twins ? 128U : 0U)));
  }
}

void HostBytes::write(ByteWriter& io, const Host& host) {
  const std::size_t size = host.memory() - sizeof(Host);
  write_count(io, size);
  io.raw(host.at<std::byte>(sizeof(Host)), size);
  fields(io, host);
}

Ref<const Host> HostBytes::read(ByteReader& io, const HostSurroundings& around, HostShares shares) {
  const std::string_view arrays = io.view(io.count());
  auto* host = new (Host::Arrays{arrays.size()}) Host();
  Ref<const Host> out(host);
  auto* own = reinterpret_cast<std::byte*>(host) + sizeof(Host);
  if (!arrays.empty()) std::memcpy(own, arrays.data(), arrays.size());
  fields(io, *host);
  host->spec = std::move(shares.spec);
  host->localities = std::move(shares.localities);
  host->texts = std::move(shares.texts);
  host->hostnames = std::move(shares.hostnames);
  if (io.failed() || !is_sound(*host, sizeof(Host) + arrays.size(), around)) return {};
  auto* rows = reinterpret_cast<EndpointRow*>(reinterpret_cast<std::byte*>(host) + host->rows_);
  using Limits = std::numeric_limits<std::int32_t>;
  for (std::size_t i = 0; i < host->row_count_; ++i) {
    if (rows[i].since == 0) continue;  // not known
    rows[i].since =
        static_cast<std::int32_t>(std::clamp<std::int64_t>(rows[i].since + around.later, Limits::min(), Limits::max()));
  }
  return out;
}

bool HostBytes::is_sound(const Host& host, std::size_t size, const HostSurroundings& around) {
  return host.zone < around.zones && host.endpoint_count_ <= host.row_count_ && host.shape < around.classes.size() &&
         arrays_fit(host, size) && is_name(host.name()) && sets_are_sound(host, around.classes[host.shape]) &&
         rows_are_sound(host);
}

bool HostBytes::arrays_fit(const Host& host, std::size_t size) {
  const std::array<std::size_t, 10> starts = {sizeof(Host),   host.classes_, host.sets_,   host.tiers_,
                                              host.set_rows_, host.rows_,    host.traits_, host.port_numbers_,
                                              host.v6_,       size};
  const std::array<std::size_t, 9> alignments = {1, 2, 4, 2, 2, 4, 4, 2, 1};
  for (std::size_t i = 0; i < alignments.size(); ++i) {
    if (starts[i] > starts[i + 1]) return false;
    if (i > 0 && starts[i] % (i == 4 && host.row_count_ <= Host::kFewRows ? 1 : alignments[i]) != 0) return false;
  }
  const std::size_t ports = host.spec->ports.size();
  const std::size_t port_numbers =
      host.row_count_ == 0 ? 0 : (std::size_t{host.row_count_} - 1) * host.port_stride_ + ports;
  return host.memory() == size && sizeof(Host) + host.name_size_ <= host.classes_ &&
         host.sets_ + host.set_count_ * sizeof(Set) <= host.tiers_ &&
         host.rows_ + host.row_count_ * sizeof(EndpointRow) <= host.traits_ &&
         host.port_numbers_ + port_numbers * sizeof(std::uint16_t) <= host.v6_;
}

bool HostBytes::sets_are_sound(const Host& host, std::size_t classes) {
  if (host.classes_ + classes * sizeof(std::uint16_t) > host.sets_) return false;
  for (std::size_t i = 0; i < classes; ++i) {
    if (host.at<std::uint16_t>(host.classes_)[i] >= host.set_count_) return false;
  }
  const std::size_t tiers = (host.set_rows_ - host.tiers_) / sizeof(Tier);
  const std::size_t rows = (host.rows_ - host.set_rows_) / (host.row_count_ > Host::kFewRows ? 2 : 1);
  for (const Set& set : host.sets()) {
    if (std::size_t{set.first_tier} + set.tier_count > tiers) return false;
    if (std::size_t{set.first_row} + set.row_count > rows) return false;
    if (set.note >= host.texts->entries.size() || set.ede_text >= host.texts->entries.size()) return false;
    std::size_t begin = 0;
    for (const Tier& tier : host.tiers(set)) {
      if (tier.end < begin || tier.end > set.row_count) return false;
      begin = tier.end;
    }
    if (set.spread && !host.has_loads_) return false;
    for (const std::uint16_t row : host.rows_of(set)) {
      if (row >= host.row_count_) return false;
    }
  }
  return true;
}

bool HostBytes::rows_are_sound(const Host& host) {
  const auto is_sound = [&](const Hostnames::Entry& entry) { return entry.row < host.endpoint_count_; };
  if (host.hostnames && !std::ranges::all_of(host.hostnames->entries, is_sound)) return false;
  const std::size_t traits = (host.port_numbers_ - host.traits_) / sizeof(EndpointTraits);
  for (const EndpointRow& row : host.rows()) {
    if (row.traits >= traits || row.locality >= host.localities->entries.size()) return false;
    const EndpointTraits& common = host.traits(row);
    if (common.why >= host.texts->entries.size() || common.standing > topology::Standing::Out) return false;
    if (common.knows_v6() && !host.has_v6_) return false;
  }
  return true;
}

}  // namespace meshdns::answers
