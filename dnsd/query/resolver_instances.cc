#include <algorithm>
#include <optional>

#include "dnsd/query/instance_name.h"
#include "dnsd/query/resolver.h"

// The part of Resolver that answers the names of instances. An endpoint that is not exported has addresses only for
// clients of its own cluster. Its names exist for everybody: what exists does not depend on who asks.

namespace meshdns::query {

bool Resolver::sees(const answers::Host& host, std::uint16_t row) noexcept {
  return host.traits(row).exported || host.is_seen(seat_of(host), host.rows()[row]);
}

Outcome Resolver::hide() noexcept {
  response_.explain(wire::Ede::Prohibited, answers::emptiness_text(topology::Emptiness::NotExported));
  return Outcome::NoDataForView;
}

Outcome Resolver::answer_instance(const answers::Host& host, const Subject& subject, std::uint16_t row) noexcept {
  static constexpr answers::Set kNoSet;
  if (!sees(host, row)) return hide();
  const HostAnswer answer{response_, host, kNoSet, subject.owner, context_.random};
  return answer.instance(row, response_.query().type);
}

Outcome Resolver::answer_named(const answers::Host& host, const Subject& subject, const HostName& name) noexcept {
  if (name.named.size() == 1) return answer_instance(host, subject, name.named.front().row);
  // clusters have StatefulSets of the same name: the closest one that is answered is meant
  const answers::Set& set = dynamic(host, subject.owner).set;
  for (const std::uint16_t row : host.rows_of(set)) {
    const auto is_row = [&](const answers::Hostnames::Entry& entry) { return entry.row == row; };
    if (std::ranges::any_of(name.named, is_row)) return answer_instance(host, subject, row);
  }
  const auto seen =
      std::ranges::find_if(name.named, [&](const answers::Hostnames::Entry& entry) { return sees(host, entry.row); });
  return answer_instance(host, subject, (seen != name.named.end() ? *seen : name.named.front()).row);
}

Outcome Resolver::answer_member(const answers::Host& host, const Subject& subject, const HostName& name) noexcept {
  Outcome out = Outcome::NoData;
  bool hidden = false;
  for (auto row = std::optional(name.row); row; row = find_member(host, name.member, *row + std::size_t{1})) {
    if (!sees(host, *row)) {
      hidden = true;
      continue;
    }
    const Outcome one = answer_instance(host, subject, *row);
    if (one == Outcome::Truncated) return one;
    if (one == Outcome::Answered) out = one;
  }
  return hidden && out == Outcome::NoData ? hide() : out;
}

}  // namespace meshdns::query
