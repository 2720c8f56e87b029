#include "dnsd/answers/host_compiler.h"

#include <algorithm>
#include <cstring>
#include <random>
#include <type_traits>

#include "common/base/text.h"
#include "dnsd/answers/explain.h"

namespace meshdns::answers {
namespace {

std::uint32_t seconds(Duration duration) {
  return static_cast<std::uint32_t>(std::max<std::int64_t>(0, duration / 1s));
}

/// The index of a value in a list, to which it is added if it is not there.
template <class T>
std::uint16_t index_in(std::vector<T>& list, const T& value) {
  const auto found = std::ranges::find(list, value);
  const auto index = static_cast<std::uint16_t>(found - list.begin());
  if (found == list.end()) list.push_back(value);
  return index;
}

/// The application protocol as SVCB names have it; empty = it cannot be one. HTTP over UDP is for clients that know
/// from an alpn that HTTP/3 is spoken, and nobody states that: HTTPS records are of TCP.
std::string attribute_of(const topology::HostPort& port) {
  constexpr std::size_t kMost = wire::kMaxLabel - 1;  // behind the underscore
  std::string name = ascii_lower(port.app_protocol);
  if (name.size() > kMost || !is_ldh_label(name)) return "";
  return name == "https" && port.protocol == "UDP" ? "" : name;
}

}  // namespace

std::shared_ptr<const model::Locality> HostParts::locality(const model::Locality& place) {
  if (localities_.size() >= next_sweep_) {
    std::erase_if(localities_, [](const auto& entry) { return entry.second.use_count() == 1; });
    next_sweep_ = std::max<std::size_t>(1024, 2 * localities_.size());
  }
  auto& known = localities_[place];
  if (!known) known = std::make_shared<const model::Locality>(place);
  return known;
}

std::shared_ptr<const HostSpec> HostParts::spec(const topology::HostPlan& plan) {
  if (last_spec_ && last_spec_->fits(plan)) return last_spec_;
  auto spec = std::make_shared<HostSpec>();
  spec->object = plan.object;
  spec->policy = plan.policy;
  spec->host_ports = plan.ports;
  for (const auto& port : plan.ports) {
    spec->ports.push_back({ascii_lower(port.name), port.protocol != "UDP", attribute_of(port), port.number});
  }
  return last_spec_ = std::move(spec);
}

/// Collects the arrays of a host, then puts them behind each other.
class HostBuilder {
 public:
  HostBuilder(const topology::HostPlan& plan, HostParts& parts) : plan_(plan), parts_(parts) {
    host_->spec = parts.spec(plan);
    host_->independent_families = plan.policy.families == model::Families::Independent;
    host_->max_answers = plan.policy.max_answers;
    host_->ttl = seconds(plan.policy.ttl);
    for (const topology::Candidate& candidate : plan.candidates) add_row(candidate);
  }

  void add_class(const topology::Decision& decision) {
    Set set = set_of(decision);
    const auto equal = std::ranges::find_if(sets_, [&](const Set& other) { return same(set, other); });
    classes_.push_back(static_cast<std::uint16_t>(equal - sets_.begin()));
    if (equal != sets_.end()) {  // its rows and tiers are those of the other
      set_rows_.resize(set.first_row);
      tiers_.resize(set.first_tier);
    } else {
      sets_.push_back(set);
    }
  }

  Ref<const Host> build(const HostFrame& frame) {
    host_->shape = frame.shape;
    host_->zone = frame.zone;
    host_->same_for_all = sets_.size() <= 1;
    host_->localities.shrink_to_fit();
    host_->texts.shrink_to_fit();
    place(host_->rows_, rows_);
    place(host_->sets_, sets_);
    place(host_->tiers_, tiers_);
    place(host_->set_rows_, set_rows_);
    place(host_->classes_, classes_);
    place(host_->port_numbers_, port_numbers_);
    place(host_->v6_, v6_);
    place(host_->name_, frame.name);
    host_->data_.reset(new std::byte[host_->size_]);
    for (const auto& [offset, from, size] : copies_) std::memcpy(host_->data_.get() + offset, from, size);
    return Ref<const Host>(host_.release());
  }

 private:
  struct Copy {
    std::uint32_t offset;
    const void* from;
    std::size_t size;
  };

  void add_row(const topology::Candidate& candidate) {
    EndpointRow row;
    row.weight = candidate.weight;
    row.since = candidate.since;
    row.port = candidate.port;
    row.standing = candidate.standing;
    row.in_doubt = candidate.in_doubt;
    row.locality = index_in(host_->localities, parts_.locality(candidate.locality));
    row.why = index_in(host_->texts, candidate.why);
    if (candidate.v4) {
      row.has_v4 = true;
      std::ranges::copy(candidate.v4->bytes(), row.v4.begin());
    }
    if (candidate.v6) {
      std::ranges::copy(candidate.v6->bytes(), v6_.emplace_back().begin());
      row.v6 = static_cast<std::uint16_t>(v6_.size());
    }
    for (const std::uint16_t number : candidate.ports) port_numbers_.push_back(number);
    rows_.push_back(row);
  }

  Set set_of(const topology::Decision& decision) {
    Set set;
    set.ttl = seconds(decision.ttl);
    set.last_resort = decision.last_resort();
    set.note = index_in(host_->texts, note_text(plan_, decision));
    if (decision.emptiness == topology::Emptiness::Unlocated) {
      set.has_ede = true;
      set.ede = wire::Ede::Prohibited;
      set.ede_text = index_in(host_->texts, emptiness_text(decision.emptiness));
    }
    set.first_row = static_cast<std::uint32_t>(set_rows_.size());
    set.first_tier = static_cast<std::uint32_t>(tiers_.size());
    for (const topology::Tier& tier : decision.tiers) add_tier(tier, set);
    set.row_count = static_cast<std::uint16_t>(set_rows_.size() - set.first_row);
    set.tier_count = static_cast<std::uint16_t>(tiers_.size() - set.first_tier);
    return set;
  }

  void add_tier(const topology::Tier& tier, Set& set) {
    if (tier.answering.empty()) return;
    const bool first = tiers_.size() == set.first_tier;
    const auto begin = static_cast<std::ptrdiff_t>(set_rows_.size());
    for (const std::uint32_t member : tier.answering) set_rows_.push_back(static_cast<std::uint16_t>(member));
    // a worker that looks at a part of the rows begins anywhere: their order must not be that of the keys
    std::ranges::shuffle(set_rows_.begin() + begin, set_rows_.end(),
                         std::minstd_rand(static_cast<std::uint32_t>(plan_.candidates.size())));
    tiers_.push_back(
        {static_cast<std::uint16_t>(tier.number), static_cast<std::uint16_t>(set_rows_.size() - set.first_row)});
    if (!first) return;
    const auto weight_of = [&](std::uint32_t row) { return std::max(1U, rows_[row].weight); };
    set.equal_weights = std::ranges::all_of(
        tier.answering, [&](std::uint32_t row) { return weight_of(row) == weight_of(tier.answering.front()); });
    set.all_v4 = std::ranges::all_of(tier.answering, [&](std::uint32_t row) { return rows_[row].has_v4; });
  }

  /// Clients of both see the same answers, notes and errors.
  bool same(const Set& a, const Set& b) const {
    const auto rows = [&](const Set& set) { return std::span(set_rows_).subspan(set.first_row, set.row_count); };
    const auto tiers = [&](const Set& set) { return std::span(tiers_).subspan(set.first_tier, set.tier_count); };
    return a.ttl == b.ttl && a.last_resort == b.last_resort && a.note == b.note && a.has_ede == b.has_ede &&
           a.ede_text == b.ede_text && std::ranges::equal(rows(a), rows(b)) && std::ranges::equal(tiers(a), tiers(b));
  }

  template <class T>
  void place(Host::Slice& slice, const std::vector<T>& list) {
    static_assert(std::is_trivially_copyable_v<T>);
    constexpr auto kAlign = static_cast<std::uint32_t>(alignof(T));
    host_->size_ = (host_->size_ + kAlign - 1) / kAlign * kAlign;
    slice = {host_->size_, static_cast<std::uint32_t>(list.size())};
    if (!list.empty()) copies_.push_back({slice.offset, list.data(), list.size() * sizeof(T)});
    host_->size_ += static_cast<std::uint32_t>(list.size() * sizeof(T));
  }

  const topology::HostPlan& plan_;
  HostParts& parts_;
  std::unique_ptr<Host> host_ = std::make_unique<Host>();
  std::vector<EndpointRow> rows_;
  std::vector<Host::V6> v6_;
  std::vector<Set> sets_;
  std::vector<Tier> tiers_;
  std::vector<std::uint16_t> set_rows_;
  std::vector<std::uint16_t> classes_;
  std::vector<std::uint16_t> port_numbers_;
  std::vector<Copy> copies_;
};

Ref<const Host> compile_host(const topology::HostPlan& plan, const HostFrame& frame, HostParts& parts) {
  HostBuilder builder(plan, parts);
  for (const model::Locality& view : frame.views) builder.add_class(topology::decide(plan, view, frame.clusters));
  return builder.build(frame);
}

}  // namespace meshdns::answers
