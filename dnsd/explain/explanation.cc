#include "dnsd/explain/explanation.h"

#include <algorithm>

#include "common/convert/report_convert.h"
#include "dnsd/answers/explain.h"
#include "dnsd/answers/policy_text.h"
#include "dnsd/explain/answer.h"
#include "dnsd/explain/subject.h"
#include "dnsd/topology/decide.h"
#include "dnsd/topology/lint.h"

namespace meshdns::explain {
namespace {

constexpr const char* kOwnClient = "127.0.0.1";  // used if the request names no client

/// A host as one client sees it, with the decision for this client.
struct View {
  const topology::HostPlan& host;
  const PlacedClient& placed;
  const topology::Decision& decision;
  topology::Geography geography;
  TimePoint now;
  std::int64_t unix_seconds;

  answers::HostView host_view() const { return {host, placed.place, geography}; }
};

void write_endpoint(const View& view, const answers::TierText& tier, std::uint32_t member, v1::EndpointInfo& out) {
  const topology::Candidate& candidate = view.host.candidates[member];
  out = endpoint_info(candidate, view.now, view.unix_seconds);
  out.set_state(answers::state_word(view.decision.standings[member]));
  const std::string manner = tier.manner(member);
  const std::string why = answers::why_text(candidate, view.decision.blocked(view.host, member));
  out.set_why(manner + (manner.empty() || why.empty() ? "" : ", ") + why);
}

/// Adds the data of endpoints' records that decide nothing; external endpoints have no record.
void write_records(const model::Records& records, v1::ExplainedTier& tier) {
  for (v1::EndpointInfo& info : *tier.mutable_endpoints()) {
    const auto found = records.endpoints.find(info.key());
    if (found != records.endpoints.end()) write_record(found->second, info);
  }
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
  const answers::HostView host = view.host_view();
  const answers::TierText text(host, view.decision, tier);
  for (const std::uint32_t member : tier.members) write_endpoint(view, text, member, *out.add_endpoints());
  if (tier.load == 0) return;
  for (const std::string& address : addresses_of(view.host, view.decision, tier)) out.add_answer(address);
}

/// Returns the tier into whose part of the loads the client's draw falls.
/// requires: the decision answers something
std::uint32_t drawn_tier(const PlacedClient& placed, const topology::Decision& decision) {
  std::uint32_t sum = 0;
  for (const topology::Tier& tier : decision.tiers) {
    sum += tier.load;
    if (placed.percent < sum) return tier.number;
  }
  return *decision.answer_tier;
}

void write_answer(const View& view, v1::ExplainReply& out) {
  for (const topology::Tier& tier : view.decision.tiers) write_tier(view, tier, *out.add_tiers());
  out.set_max_answers(view.host.policy.most_addresses());
  if (!view.decision.answer_tier) return;
  const std::uint32_t number = drawn_tier(view.placed, view.decision);
  out.set_answer_tier(number);
  *out.mutable_answer() = out.tiers(static_cast<int>(number)).answer();
  if (view.decision.tiers[number].load == 100) return;
  *out.mutable_drawn_for() = convert::to_wire(std::chrono::seconds(view.placed.drawn_for));
}

/// Adds the endpoints that are in no tier, because their addresses belong to others.
void write_displaced(const topology::HostPlan& host, v1::ExplainReply& out) {
  constexpr std::size_t kMost = 4;
  std::size_t count = 0;
  for (const topology::Candidate& candidate : host.candidates) {
    if (!candidate.displaced || ++count > kMost) continue;
    out.add_advice(candidate.key + " is left out: " + candidate.why);
  }
  if (count > kMost) out.add_advice(std::to_string(count - kMost) + " more are left out for the same reason");
}

/// Adds advice that does not follow from the decision.
void write_advice(const Subject& subject, const answers::HostView& view, const topology::Decision& decision,
                  const v1::ExplainRequest& request, v1::ExplainReply& out) {
  const topology::HostPlan& host = view.host;
  if (!subject.role.empty()) out.add_advice(subject.role);
  if (request.client().empty()) {
    out.add_advice("no client was given: this is what " + std::string(kOwnClient) + " gets, on the server's own node");
  }
  for (const std::string& text : answers::family_texts(host, decision)) out.add_advice(text);
  for (const std::string& advice : topology::port_advice(host)) out.add_advice(advice);
  if (auto advice = answers::unexported_text(view); !advice.empty()) out.add_advice(std::move(advice));
  if (auto advice = answers::distance_advice(view.client, decision); !advice.empty()) out.add_advice(std::move(advice));
  write_displaced(host, out);
}

Result<v1::ExplainReply> explained(const Scene& scene, const v1::ExplainRequest& request,
                                   const topology::Overrides& overrides) {
  const auto client = IpAddress::parse(request.client().empty() ? kOwnClient : request.client());
  if (!client) return client.error().with_context("client");
  const auto found = subject_of(scene, request.host());
  if (!found) return found.error();
  const Subject& subject = *found;
  const auto host = scene.planner.plan(subject.host, scene.now, overrides);
  if (!host) return Error(Code::NotFound, "no host " + subject.host + " is defined");
  const auto placed = placed_client(scene, *host, *client, request.listener());
  if (!placed) return placed.error();
  const topology::Geography geography = scene.geography();
  const topology::Decision decision = topology::decide(*host, {placed->place, placed->panic}, geography);
  v1::ExplainReply out;
  out.set_host(subject.host);
  out.set_client(client->text());
  out.set_revision(scene.catalog.revision());
  *out.mutable_age() = convert::to_wire(scene.now - scene.catalog.changed());
  out.set_place(placed->place.text());
  out.set_reason(placed->reason);
  out.set_network(placed->place.network);
  out.set_object(host->object);
  out.set_policy(answers::policy_text(host->policy));
  out.set_on_empty(host->policy.on_empty == model::OnEmpty::LastResort ? "last resort" : "no data");
  *out.mutable_ttl() = convert::to_wire(decision.ttl);
  out.set_ttl_why(answers::ttl_text(*host, decision));
  out.set_note(answers::note_text(*host, decision));
  out.set_frozen(topology::frozen_text(scene.catalog.records().overrides));
  write_advice(subject, {*host, placed->place, geography}, decision, request, out);
  write_answer({*host, *placed, decision, geography, scene.now, scene.unix_seconds}, out);
  for (v1::ExplainedTier& tier : *out.mutable_tiers()) write_records(scene.catalog.records(), tier);
  return out;
}

}  // namespace

void write_record(const model::Endpoint& endpoint, v1::EndpointInfo& out) {
  out.set_node(endpoint.node);
  out.set_namespace_(endpoint.namespace_);
  out.set_service(endpoint.service);
  out.set_source(endpoint.source);
  out.mutable_labels()->insert(endpoint.labels.begin(), endpoint.labels.end());
  for (const model::Port& port : endpoint.ports) *out.add_ports() = convert::to_wire(port);
  for (const model::Membership& each : endpoint.memberships) *out.add_memberships() = convert::to_wire(each);
  for (const model::MappedPort& each : endpoint.mapped) *out.add_mapped() = convert::to_wire(each);
}

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
  return explained(scene, request, overrides);
}

}  // namespace meshdns::explain
