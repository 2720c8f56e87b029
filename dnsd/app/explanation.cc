#include "dnsd/app/explanation.h"

#include <algorithm>
#include <array>

#include "common/base/text.h"
#include "common/convert/report_convert.h"
#include "common/time/duration_text.h"
#include "dnsd/answers/explain.h"
#include "dnsd/answers/policy_text.h"
#include "dnsd/topology/decide.h"

namespace meshdns::app {
namespace {

/// The index of the listener that is asked for; the one behind the last has no locality.
Result<std::uint16_t> listener_index(const answers::Settings& settings, const std::string& text) {
  if (text.empty()) return static_cast<std::uint16_t>(settings.listeners.size());
  const auto found = std::ranges::find(settings.listeners, text, &answers::ListenerSettings::text);
  if (found != settings.listeners.end()) return static_cast<std::uint16_t>(found - settings.listeners.begin());
  std::vector<std::string> all;
  for (const auto& listener : settings.listeners) all.push_back(listener.text);
  return Error(Code::InvalidArgument, "no listener " + text + "; there are " + join(all, ", "));
}

/// Where a client is, and what says so.
struct ClientSeat {
  model::Locality place;
  std::string reason;
  std::uint64_t panic = 0;  // of the host's tiers, in what is published
};

/// A client that asks itself: no forwarder in between.
ClientSeat seat_of(const answers::AnswerTable& table, const std::string& host, const IpAddress& client,
                   std::uint16_t listener) {
  const wire::ClientSubnet none{};
  const answers::Whereabouts& where = *table.where;
  const answers::Located located = where.locator.locate(client, listener, none);
  const std::string& reason = where.locator.reasons[located.reason];
  const bool forwarder = located.source == answers::PlaceSource::Forwarder;
  const auto name = wire::parse_name(host);
  const answers::Host* published = name ? table.find(*name, wire::hash_name(*name)).host : nullptr;
  return {where.localities[located.place], forwarder ? "forwarder, no ECS: placed as " + reason : reason,
          published == nullptr ? 0 : answers::panic_of(*published, table.set(*published, located.place))};
}

void write_endpoint(const answers::Seat& seat, const topology::Decision& decision, const topology::Tier& tier,
                    std::uint32_t member, TimePoint now, v1::EndpointInfo& out) {
  const topology::Candidate& candidate = seat.host.candidates[member];
  out = endpoint_info(candidate, now);
  out.set_state(answers::state_word(decision.standings[member]));
  const std::string manner = answers::manner_text(seat, decision, tier, member);
  const std::string why = answers::why_text(candidate, decision.blocked(seat.host, member));
  out.set_why(manner + (manner.empty() || why.empty() ? "" : ", ") + why);
}

void add_addresses(const topology::Candidate& candidate, v1::ExplainReply& out) {
  if (candidate.v4) out.add_answer(candidate.v4->text());
  if (candidate.v6) out.add_answer(candidate.v6->text());
}

void write_answer(const topology::HostPlan& host, const topology::Tier& tier, v1::ExplainReply& out) {
  for (const std::uint32_t member : tier.gateways.empty() ? tier.answering : tier.direct) {
    add_addresses(host.candidates[member], out);
  }
  for (const topology::GatewayTarget& target : tier.gateways) out.add_answer(target.gateway->address.text());
}

void write_tiers(const answers::Seat& seat, const topology::Decision& decision, TimePoint now, v1::ExplainReply& out) {
  for (const topology::Tier& tier : decision.tiers) {
    v1::ExplainedTier& entry = *out.add_tiers();
    entry.set_number(tier.number);
    entry.set_rung(tier.rung);
    entry.set_part(tier.part);
    entry.set_split(tier.split);
    entry.set_cluster(tier.cluster);
    if (tier.distance) *entry.mutable_distance() = convert::to_wire(*tier.distance);
    entry.set_health(tier.health);
    entry.set_load(tier.load);
    entry.set_panic(tier.panic);
    for (const std::uint32_t member : tier.members) {
      write_endpoint(seat, decision, tier, member, now, *entry.add_endpoints());
    }
  }
  if (decision.answer_tier) write_answer(seat.host, decision.tiers[*decision.answer_tier], out);
}

}  // namespace

v1::EndpointInfo endpoint_info(const topology::Candidate& candidate, TimePoint now) {
  v1::EndpointInfo out;
  out.set_key(candidate.key);
  out.set_address(candidate.address_text());
  out.set_where(candidate.locality.text());
  out.set_state(answers::state_word(candidate.standing));
  *out.mutable_in_state() = convert::to_wire(std::max(Duration::zero(), now - candidate.since));
  out.set_why(answers::why_text(candidate));
  out.set_weight(candidate.weight);
  return out;
}

Result<v1::ExplainReply> explain(const catalog::Catalog& catalog, Publisher& publisher,
                                 const v1::ExplainRequest& request, TimePoint now) {
  const auto client = IpAddress::parse(request.client().empty() ? "127.0.0.1" : request.client());
  if (!client) return client.error().with_context("client");
  const auto listener = listener_index(publisher.settings(), request.listener());
  if (!listener) return listener.error();
  std::string name = ascii_lower(request.host());
  if (name.ends_with('.')) name.pop_back();
  const auto host = publisher.plan(name);
  if (!host) return Error(Code::NotFound, "no host " + name + " is defined");
  const auto seat = publisher.with_table([&](const answers::AnswerTable* table) -> std::optional<ClientSeat> {
    if (table == nullptr) return std::nullopt;
    return seat_of(*table, name, *client, *listener);
  });
  if (!seat) return Error(Code::Unavailable, "no answers are published yet");
  const topology::Geography geography = topology::geography_of(catalog.records());
  const topology::Decision decision = topology::decide(*host, {seat->place, seat->panic}, geography);
  v1::ExplainReply out;
  out.set_host(name);
  out.set_client(client->text());
  out.set_revision(catalog.revision());
  *out.mutable_age() = convert::to_wire(now - catalog.changed());
  out.set_place(seat->place.text());
  out.set_reason(seat->reason);
  out.set_object(host->object);
  out.set_policy(answers::policy_text(host->policy));
  out.set_on_empty(host->policy.on_empty == model::OnEmpty::LastResort ? "last resort" : "no data");
  *out.mutable_ttl() = convert::to_wire(decision.ttl);
  out.set_ttl_why(answers::ttl_text(*host, decision));
  out.set_note(answers::note_text(*host, decision));
  write_tiers({*host, seat->place, geography}, decision, now, out);
  return out;
}

}  // namespace meshdns::app
