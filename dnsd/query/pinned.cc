#include "dnsd/query/pinned.h"

#include <algorithm>
#include <string>
#include <utility>

#include "common/base/text.h"

namespace meshdns::query {

Pinned::Pinned(const answers::Host& host, const Pin& pin) noexcept : host_(host), pin_(pin) {
  for (const answers::EndpointRow& row : host_.endpoints()) {
    const answers::EndpointTraits& traits = host_.traits(row);
    if (traits.standing == topology::Standing::Out || !is_there(row)) continue;
    if (!is_seen(row)) {
      hidden_ = true;
      continue;
    }
    if (!is_inside(row)) {
      fenced_ = true;
      continue;
    }
    best_ = std::min(best_, Best{traits.standing, traits.weight == 0});
    in_doubt_ = in_doubt_ || traits.in_doubt;
  }
}

bool Pinned::depends_on_client(const answers::Host& host) noexcept {
  const auto& fence = host.spec->policy.fence;
  return host.unexported || (fence && fence->within);
}

topology::Emptiness Pinned::kept_out() const noexcept {
  if ((!hidden_ && !fenced_) || best_.kind != topology::Standing::Out) return topology::Emptiness::None;
  if (!fenced_) return topology::Emptiness::NotExported;
  const bool unknown = host_.spec->policy.fence->is_unknown(pin_.client);
  return unknown ? topology::Emptiness::FenceUnknown : topology::Emptiness::Fenced;
}

bool Pinned::is_inside(const answers::EndpointRow& row) const noexcept {
  const auto& fence = host_.spec->policy.fence;
  return !fence || fence->admits(pin_.client, host_.locality(row));
}

bool Pinned::is_there(const answers::EndpointRow& row) const noexcept {
  const std::string& part = host_.locality(row).part(pin_.part);
  return std::ranges::equal(part, pin_.place, {},
                            [](char letter) { return static_cast<std::uint8_t>(ascii_lower(letter)); });
}

bool Pinned::answers_something() const noexcept {
  if (best_.kind == topology::Standing::Out) return false;
  return best_.kind == topology::Standing::Serving || host_.spec->policy.on_empty == model::OnEmpty::LastResort;
}

bool Pinned::last_resort() const noexcept { return answers_something() && best_.kind != topology::Standing::Serving; }

std::uint32_t Pinned::ttl() const noexcept {
  if (!in_doubt_) return host_.ttl;
  return static_cast<std::uint32_t>(std::max<std::int64_t>(0, host_.spec->policy.ttl_min / 1s));
}

void Pinned::choose(const HostAnswer& answer, wire::Type type, ChosenRows& out) const noexcept {
  const RowFilter family{.host = host_, .v4 = type == wire::Type::A, .v6 = type == wire::Type::AAAA};
  const auto fits = [&](std::uint16_t index) {
    const answers::EndpointRow& row = host_.endpoints()[index];
    const answers::EndpointTraits& traits = host_.traits(row);
    return Best{traits.standing, traits.weight == 0} == best_ && family(index) && is_there(row) && is_seen(row) &&
           is_inside(row);
  };
  out.count = 0;
  out.cut = false;
  if (!answers_something()) return;
  const Draw rule{.limit = answer.address_limit(type), .by_address = true, .seat = answer.seat};
  LeastRows least(family, rule);
  for (std::size_t i = 0; i < host_.endpoints().size(); ++i) {
    const auto index = static_cast<std::uint16_t>(i);
    if (fits(index)) least.add(index);
  }
  least.take(out);
  draw(host_, rule, answer.random, out);
}

}  // namespace meshdns::query
