#include <algorithm>
#include <memory>
#include <string_view>
#include <tuple>
#include <utility>

#include "common/base/text.h"
#include "dnsd/answers/host_compiler.h"

// The part of the host compiler that stores once what many hosts have in common.

namespace meshdns::answers {
namespace {

/// Returns the application protocol as a label of SVCB names; empty = it is not a label, or is https over UDP: only an
/// alpn can tell clients that a port speaks HTTP/3, and no record states one, so HTTPS records are for TCP.
std::string attribute_of(const topology::HostPort& port) {
  constexpr std::size_t kMost = wire::kMaxLabel - 1;  // after the underscore
  std::string name = ascii_lower(port.app_protocol);
  if (name.size() > kMost || !is_ldh_label(name)) return "";
  return name == "https" && port.protocol == "UDP" ? "" : name;
}

}  // namespace

template <class Part, auto kSays>
template <class What>
Ref<const Part> HostParts::Known<Part, kSays>::find_or_add(What what) {
  if (const auto known = parts_.find(what); known != parts_.end()) return *known;
  if (parts_.size() >= next_sweep_) {
    std::erase_if(parts_, [](const Ref<const Part>& part) { return part.is_sole(); });
    next_sweep_ = std::max<std::size_t>(1024, 2 * parts_.size());
  }
  auto part = std::make_unique<Part>();
  (*part).*kSays = std::move(what);
  return *parts_.insert(Ref<const Part>(part.release())).first;
}

Ref<const KnownLocality> HostParts::locality(const model::Locality& place) { return localities_.find_or_add(place); }

Ref<const LocalityList> HostParts::list(std::vector<Ref<const KnownLocality>> localities) {
  localities.shrink_to_fit();
  return locality_lists_.find_or_add(std::move(localities));
}

Ref<const TextList> HostParts::list(std::vector<std::string> texts) {
  texts.shrink_to_fit();
  return text_lists_.find_or_add(std::move(texts));
}

Ref<const HostSpec> HostParts::spec(const topology::HostPlan& plan) {
  if (last_spec_ && last_spec_->fits(plan)) return last_spec_;
  auto spec = std::make_unique<HostSpec>();
  spec->object = plan.object;
  spec->policy = plan.policy;
  spec->host_ports = plan.ports;
  for (const auto& port : plan.ports) {
    spec->ports.push_back({ascii_lower(port.name), port.protocol != "UDP", attribute_of(port), port.number});
  }
  return last_spec_ = Ref<const HostSpec>(spec.release());
}

Ref<const Hostnames> HostParts::hostnames(const topology::HostPlan& plan) {
  std::vector<Hostnames::Entry> entries;
  for (std::size_t i = 0; i < plan.candidates.size(); ++i) {
    const topology::Candidate& candidate = plan.candidates[i];
    if (candidate.hostname.empty() || candidate.displaced) continue;
    entries.push_back({ascii_lower(candidate.hostname), static_cast<std::uint16_t>(i)});
  }
  if (entries.empty()) return {};
  std::ranges::sort(entries, {}, [&](const Hostnames::Entry& entry) {
    return std::tuple(std::string_view(entry.name), plan.candidates[entry.row].standing, entry.row);
  });
  auto out = std::make_unique<Hostnames>();
  out->entries = std::move(entries);
  out->entries.shrink_to_fit();
  return Ref<const Hostnames>(out.release());
}

}  // namespace meshdns::answers
