#include "dnsd/explain/explanation.h"

#include <algorithm>

#include "common/convert/report_convert.h"
#include "common/model/host_name.h"
#include "dnsd/answers/explain.h"
#include "dnsd/answers/policy_text.h"
#include "dnsd/explain/answer.h"
#include "dnsd/topology/decide.h"
#include "dnsd/topology/lint.h"

namespace meshdns::explain {
namespace {

/// A host as one client sees it, and what that comes to.
struct View {
  const topology::HostPlan& host;
  const Seat& seat;
  const topology::Decision& decision;
  topology::Geography geography;
  TimePoint now;
  std::int64_t unix_seconds;

  answers::Seat answers_seat() const { return {host, seat.place, geography}; }
};

void write_endpoint(const View& view, const topology::Tier& tier, std::uint32_t member, v1::EndpointInfo& out) {
  const topology::Candidate& candidate = view.host.candidates[member];
  out = endpoint_info(candidate, view.now, view.unix_seconds);
  out.set_state(answers::state_word(view.decision.standings[member]));
  const std::string manner = answers::manner_text(view.answers_seat(), view.decision, tier, member);
  const std::string why = answers::why_text(candidate, view.decision.blocked(view.host, member));
  out.set_why(manner + (manner.empty() || why.empty() ? "" : ", ") + why);
}

void write_tier(const View& view, const topology::Tier& tier, v1::ExplainedTier& out) {
  out.set_number(tier.number);
  out.set_rung(tier.rung);
  out.set_part(tier.part);
  out.set_split(tier.split);
  out.set_cluster(tier.cluster);
  if (tier.distance) *out.mutable_distance() = convert::to_wire(*tier.distance);
  out.set_health(tier.health);
  out.set_load(tier.load);
  out.set_panic(tier.panic);
  for (const std::uint32_t member : tier.members) write_endpoint(view, tier, member, *out.add_endpoints());
  if (tier.load == 0) return;
  for (const std::string& address : addresses_of(view.host, tier)) out.add_answer(address);
}

/// The tier in whose part of the loads the seat's draw falls; the decision answers something.
std::uint32_t drawn_tier(const Seat& seat, const topology::Decision& decision) {
  std::uint32_t sum = 0;
  for (const topology::Tier& tier : decision.tiers) {
    sum += tier.load;
    if (seat.percent < sum) return tier.number;
  }
  return *decision.answer_tier;
}

void write_answer(const View& view, v1::ExplainReply& out) {
  for (const topology::Tier& tier : view.decision.tiers) write_tier(view, tier, *out.add_tiers());
  out.set_max_answers(view.host.policy.max_answers);
  if (!view.decision.answer_tier) return;
  const std::uint32_t number = drawn_tier(view.seat, view.decision);
  out.set_answer_tier(number);
  *out.mutable_answer() = out.tiers(static_cast<int>(number)).answer();
  if (view.decision.tiers[number].load == 100) return;
  *out.mutable_drawn_for() = convert::to_wire(std::chrono::seconds(view.seat.drawn_for));
}

Result<v1::ExplainReply> explained(const Scene& scene, const v1::ExplainRequest& request,
                                   const std::optional<topology::HostPlan>& host) {
  const auto client = IpAddress::parse(request.client().empty() ? "127.0.0.1" : request.client());
  if (!client) return client.error().with_context("client");
  const std::string name = model::host_key(request.host());
  if (!host) return Error(Code::NotFound, "no host " + name + " is defined");
  const auto seat = seat_of(scene, *host, *client, request.listener());
  if (!seat) return seat.error();
  const topology::Geography geography = scene.geography();
  const topology::Decision decision = topology::decide(*host, {seat->place, seat->panic}, geography);
  v1::ExplainReply out;
  out.set_host(name);
  out.set_client(client->text());
  out.set_revision(scene.catalog.revision());
  *out.mutable_age() = convert::to_wire(scene.now - scene.catalog.changed());
  out.set_place(seat->place.text());
  out.set_reason(seat->reason);
  out.set_object(host->object);
  out.set_policy(answers::policy_text(host->policy));
  out.set_on_empty(host->policy.on_empty == model::OnEmpty::LastResort ? "last resort" : "no data");
  *out.mutable_ttl() = convert::to_wire(decision.ttl);
  out.set_ttl_why(answers::ttl_text(*host, decision));
  out.set_note(answers::note_text(*host, decision));
  out.set_frozen(topology::frozen_text(scene.catalog.records().overrides));
  for (const std::string& advice : topology::port_advice(*host)) out.add_advice(advice);
  write_answer({*host, *seat, decision, geography, scene.now, scene.unix_seconds}, out);
  return out;
}

}  // namespace

v1::EndpointInfo endpoint_info(const topology::Candidate& candidate, TimePoint now, std::int64_t unix_seconds) {
  v1::EndpointInfo out;
  out.set_key(candidate.key);
  out.set_address(candidate.address_text());
  out.set_where(candidate.locality.text());
  out.set_state(answers::state_word(candidate.standing));
  if (candidate.said_at != 0) {
    const Duration length = std::chrono::seconds(std::max<std::int64_t>(0, unix_seconds - candidate.said_at));
    *out.mutable_in_state() = convert::to_wire(length);
  } else if (candidate.since != TimePoint{}) {
    *out.mutable_in_state() = convert::to_wire(std::max(Duration::zero(), now - candidate.since));
  }
  out.set_why(answers::why_text(candidate));
  out.set_weight(candidate.weight);
  return out;
}

Result<v1::ExplainReply> explain(const Scene& scene, const v1::ExplainRequest& request) {
  return explain(scene, request, scene.catalog.records().overrides);
}

Result<v1::ExplainReply> explain(const Scene& scene, const v1::ExplainRequest& request,
                                 const topology::Overrides& overrides) {
  return explained(scene, request, scene.planner.plan(model::host_key(request.host()), scene.now, overrides));
}

}  // namespace meshdns::explain
