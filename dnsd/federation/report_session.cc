#include "dnsd/federation/report_session.h"

#include <algorithm>
#include <utility>

#include "common/base/utf8.h"
#include "common/convert/report_convert.h"
#include "common/log/log.h"
#include "common/model/limits.h"

namespace meshdns::federation {
namespace {

constexpr std::uint32_t kProtocol = 1;

/// Splits an error "field: reason" into a refusal. Nothing of the record can be used.
catalog::Refusal refusal_of(const std::string& key, const Error& error) {
  const auto colon = error.message().find(": ");
  if (colon == std::string::npos) return {key, "", error.message(), false, true};
  return {key, error.message().substr(0, colon), error.message().substr(colon + 2), false, true};
}

std::set<std::string> listed_names(const google::protobuf::RepeatedPtrField<v1::Source>& sources) {
  std::set<std::string> out;
  for (const v1::Source& source : sources) {
    if (source.listed()) out.insert(source.name());
  }
  return out;
}

/// Returns why an agent on another machine cannot mean this address.
std::string loopback_problem(const IpAddress& address) {
  return address.text() + " is on the agent's own machine only: clients would ask themselves there";
}

}  // namespace

ReportSession::ReportSession(Agents& agents, std::shared_ptr<ReportPort> port, std::shared_ptr<Pulse> pulse,
                             ReportPeer peer)
    : agents_(agents),
      port_(std::move(port)),
      peer_(std::move(peer)),
      pulse_(std::move(pulse)),
      arriving_(agents.arriving_, peer_.address) {
  pulse_->session = this;
}

ReportSession::~ReportSession() {
  pulse_->session = nullptr;
  cancel_timers();
}

std::optional<IpAddress> ReportSession::own_loopback(const std::vector<IpAddress>& addresses) const {
  const auto found = std::ranges::find_if(addresses, &IpAddress::is_loopback);
  return peer_.here || found == addresses.end() ? std::nullopt : std::optional(*found);
}

void ReportSession::received(const v1::AgentMessage& message) {
  if (ended_) return;
  take_pulse();
  ++agents_.counters_.messages;
  ++proofs_;
  if (message.has_hello()) {
    on_hello(message.hello());
  } else if (in_sequence(message)) {
    agents_.leases_.heard(node_.key, agents_.env_.clock.now());
    on_body(message);
    if (!ended_ && agents_.leases_.must_tell(node_.key)) send_settings();
    agents_.env_.changed();
  }
  if (ended_) return;
  if (epoch_ == 0 || part_) {
    pulse_->expect_nothing();
  } else {
    pulse_->expect(epoch_, copy().digest());
  }
  read_on();
}

void ReportSession::take_pulse() {
  if (!pulse_->take() || ended_ || epoch_ == 0) return;
  ++agents_.counters_.messages;
  ++proofs_;
  agents_.leases_.heard(node_.key, pulse_->heard());
  if (agents_.leases_.must_tell(node_.key)) send_settings();
}

void ReportSession::closed() {
  take_pulse();
  ended_ = true;
  cancel_timers();
  drop_full();
  if (epoch_ != 0) {
    agents_.session_lines_.info(agents_.env_.clock.now(), "agent session ended",
                                {{"node", node_.key}, {"epoch", epoch_}});
  }
  agents_.closed(*this);
}

void ReportSession::end() {
  ended_ = true;
  drop_full();
  port_->close();
  end_timer_ = agents_.env_.timers.after(kLongestEnd, [this] {
    end_timer_.reset();
    port_->abort();
  });
}

void ReportSession::goodbye(v1::Goodbye::Reason reason, const std::string& message, Duration retry_after) {
  if (ended_) return;
  if (reason == v1::Goodbye::PROTOCOL_ERROR) ++agents_.counters_.protocol_errors;
  v1::ReportReply reply;
  reply.mutable_goodbye()->set_reason(reason);
  reply.mutable_goodbye()->set_message(std::string(utf8_prefix(message, model::kLongestDetail)));
  *reply.mutable_goodbye()->mutable_retry_after() = convert::to_wire(retry_after);
  send(std::move(reply));
  end();
}

void ReportSession::on_hello(const v1::Hello& hello) {
  if (std::exchange(said_hello_, true)) return goodbye(v1::Goodbye::PROTOCOL_ERROR, "Hello was said already", 5s);
  if (hello.protocol() != kProtocol) {
    return goodbye(v1::Goodbye::PROTOCOL_ERROR, "protocol " + std::to_string(hello.protocol()) + " is not spoken here",
                   60s);
  }
  auto node = convert::from_wire(hello.node());
  if (!node) return goodbye(v1::Goodbye::PROTOCOL_ERROR, node.error().message(), 60s);
  if (const auto loopback = own_loopback(node->addresses)) {
    return goodbye(v1::Goodbye::PROTOCOL_ERROR, "node: addresses: " + loopback_problem(*loopback), 60s);
  }
  if (const auto refusal = catalog::check(*node, agents_.env_.catalog.loopback())) {
    return goodbye(v1::Goodbye::PROTOCOL_ERROR, "node: " + refusal->field + ": " + refusal->reason, 60s);
  }
  for (const auto& [field, id] : {std::pair{"instance_uid", &hello.instance_uid()}, {"boot_id", &hello.boot_id()}}) {
    if (id->size() > kLongestId) {
      return goodbye(v1::Goodbye::PROTOCOL_ERROR, std::string(field) + ": is longer than 256 bytes", 60s);
    }
  }
  node_ = std::move(*node);
  instance_uid_ = hello.instance_uid();
  boot_id_ = hello.boot_id();
  hello_digest_ = hello.digest();
  hello_epoch_ = hello.last_epoch();
  agents_.ask_for_missing();  // before defer(), which asks whether the catalog has all records
  if (!agents_.has_room_for(node_.key)) return goodbye(v1::Goodbye::OVERLOADED, "no room: dns.max_records", 60s);
  const Duration wait = agents_.defer(node_.key, hello_digest_);
  if (wait > Duration::zero()) {
    return goodbye(v1::Goodbye::OVERLOADED, "too many agents connect at once: come back later", wait);
  }
  claim();
}

void ReportSession::claim() {
  const auto holder = agents_.holder(node_.key);
  if (holder && !same_holder(*holder)) {
    contend(holder);
  } else {
    admit();
  }
}

bool ReportSession::same_holder(const ReportSession& other) const {
  return instance_uid_ == other.instance_uid_ && boot_id_ == other.boot_id_;
}

void ReportSession::contend(const std::shared_ptr<ReportSession>& holder) {
  v1::ReportReply ping;
  ping.mutable_ping();
  holder->send(std::move(ping));
  const auto proofs = holder->proofs_;
  proof_timer_ = agents_.env_.timers.after(Agents::kProofOfLife, [this, old = std::weak_ptr(holder), proofs] {
    proof_timer_.reset();
    if (ended_) return;
    const auto still = old.lock();
    agents_.take_pulses();
    if (still && !still->ended_ && still->proofs_ > proofs) {
      return goodbye(v1::Goodbye::ALREADY_EXISTS,
                     "another agent reports for " + node_.key + ": give each its own node name", 30s);
    }
    // another contender may have taken the node meanwhile: ping it in its turn
    if (still && agents_.holder(node_.key) == still) return admit();
    claim();
  });
}

void ReportSession::admit() {
  const TimePoint now = agents_.env_.clock.now();
  epoch_ = agents_.next_epoch(hello_epoch_);
  node_.session = agents_.session_of(node_, epoch_);
  agents_.take_over(node_.key, shared_from_this());
  agents_.leases_.heard(node_.key, now);
  const bool wants_full = agents_.needs_full(node_.key, hello_digest_);
  agents_.env_.catalog.put_node(node_, now);
  v1::ReportReply reply;
  v1::Welcome& welcome = *reply.mutable_welcome();
  welcome.set_epoch(epoch_);
  welcome.set_instance(agents_.env_.instance);
  welcome.set_want_full(wants_full);
  welcome.set_known_sequence(copy().known_sequence);
  write_settings(*welcome.mutable_settings());
  agents_.session_lines_.info(now, "agent session",
                              {{"node", node_.key}, {"epoch", epoch_}, {"full", welcome.want_full()}});
  // the digest matches: the restored records are the agent's records, and no longer provisional
  if (!wants_full && agents_.env_.synced) agents_.env_.synced(node_.key);
  send(std::move(reply));
  agents_.env_.changed();
}

void ReportSession::write_settings(v1::Settings& out) {
  const Duration heartbeat = agents_.leases_.heartbeat();
  *out.mutable_heartbeat() = convert::to_wire(heartbeat);
  *out.mutable_lease() = convert::to_wire(Leases::lease_of(heartbeat));
  agents_.leases_.told(node_.key);
  agents_.measuring_.write_targets(node_.key, out);
}

void ReportSession::send_settings() {
  if (ended_) return;
  v1::ReportReply reply;
  write_settings(*reply.mutable_settings());
  send(std::move(reply));
}

bool ReportSession::in_sequence(const v1::AgentMessage& message) {
  if (epoch_ == 0) {
    goodbye(v1::Goodbye::PROTOCOL_ERROR, "Hello comes first, and its Welcome is waited for", 5s);
    return false;
  }
  if (message.epoch() != epoch_ || message.sequence() <= pulse_->sequence()) {
    goodbye(v1::Goodbye::PROTOCOL_ERROR, "epoch or sequence is not this session's", 1s);
    return false;
  }
  pulse_->set_sequence(message.sequence());
  return true;
}

void ReportSession::on_body(const v1::AgentMessage& message) {
  switch (message.body_case()) {
    case v1::AgentMessage::kFull: return on_full(message.full(), message.sequence());
    case v1::AgentMessage::kDelta: return on_delta(message.delta(), message.sequence());
    case v1::AgentMessage::kHeartbeat: return on_heartbeat(message.heartbeat());
    case v1::AgentMessage::kRtts: return agents_.measuring_.heard(node_.key, message.rtts(), agents_.env_.clock.now());
    case v1::AgentMessage::kLeave: return on_leave(message.leave(), message.sequence());
    default: return;  // a newer agent's kind of message
  }
}

std::vector<model::Endpoint> ReportSession::decode(const google::protobuf::RepeatedPtrField<std::string>& encoded,
                                                   Refusals& refusals) {
  const TimePoint now = agents_.env_.clock.now();
  std::vector<model::Endpoint> out;
  NodeCopy& known = copy();
  v1::Endpoint record;
  for (const std::string& bytes : encoded) {
    if (!record.ParseFromString(bytes)) {
      refusals.add({"", "", "not an Endpoint"});
      continue;
    }
    note_bounds(record);
    known.put(record.key(), convert::record_hash(record.key(), bytes));
    auto endpoint = convert::from_wire(record, node_.key, now);
    const auto loopback = endpoint ? own_loopback(endpoint->addresses) : std::nullopt;
    if (endpoint && !loopback) {
      endpoint->unwatched = false;  // only the federation decides that
      out.push_back(std::move(*endpoint));
      continue;
    }
    auto refusal = loopback ? catalog::Refusal{endpoint->key, "addresses", loopback_problem(*loopback), false, true}
                            : refusal_of(node_.key + "/" + record.key(), endpoint.error());
    known.note_refused(node_.key, refusal, agents_.env_.catalog);
    refusals.add(std::move(refusal));
  }
  return out;
}

void ReportSession::on_full(const v1::Full& full, std::uint64_t sequence) {
  if (!begin_part(full)) return;
  keep_arrived(decode(full.endpoints(), arrived_refusals_));
  if (!within_keys()) return;
  if (!full.last()) {
    await_part();
    return acknowledge(sequence, {});
  }
  copy().whole = true;
  std::set<std::string> listed = listed_names(full.sources());
  // a record that was refused still exists on the node: an incomplete list must not withdraw it
  if (arrived_refusals_.count > 0) listed.clear();
  const auto endpoints_told = std::exchange(arrived_, {});
  Refusals refusals = std::exchange(arrived_refusals_, {});
  drop_full();
  note_refused(agents_.env_.catalog.apply_full(node_.key, endpoints_told, listed, agents_.env_.clock.now()), refusals);
  tell_of(endpoints_told);
  agents_.sources_told(node_.key, full.sources());
  agents_.records_told(node_.key, listed);
  if (agents_.env_.synced) agents_.env_.synced(node_.key);
  acknowledge(sequence, refusals);
}

void ReportSession::on_delta(const v1::Delta& delta, std::uint64_t sequence) {
  Refusals refusals;
  const auto upserts = decode(delta.upserts(), refusals);
  if (!within_keys()) return;
  std::vector<std::string> removals;
  for (const auto& removal : delta.removals()) {
    copy().erase(removal.key());
    removals.push_back(node_.key + "/" + removal.key());
  }
  note_refused(agents_.env_.catalog.apply_delta(node_.key, upserts, removals, agents_.env_.clock.now()), refusals);
  tell_of(upserts);
  if (!delta.sources().empty()) agents_.sources_told(node_.key, delta.sources());
  if (!delta.sources().empty() || refusals.count > 0) agents_.records_told(node_.key, {});
  agents_.coverage_.changed(node_.key, agents_.env_.clock.now());
  acknowledge(sequence, refusals);
  if (has_leftovers(delta.sources())) ask_for_full();
}

void ReportSession::tell_of(const std::vector<model::Endpoint>& endpoints) {
  if (!agents_.env_.told) return;
  for (const model::Endpoint& endpoint : endpoints) agents_.env_.told(endpoint.key);
}

bool ReportSession::has_leftovers(const google::protobuf::RepeatedPtrField<v1::Source>& sources) {
  const std::set<std::string> listed = listed_names(sources);
  if (listed.empty()) return false;
  const std::string own = node_.key + "/";
  const catalog::Catalog& catalog = agents_.env_.catalog;
  const auto& endpoints = catalog.records().endpoints;
  for (auto at = endpoints.lower_bound(own); at != endpoints.end() && at->first.starts_with(own); ++at) {
    if (catalog.latest_endpoint(at->first) == nullptr) continue;  // a freeze holds its withdrawal
    if (listed.contains(at->second.source) && !copy().has(at->first.substr(own.size()))) return true;
  }
  return false;
}

void ReportSession::on_heartbeat(const v1::Heartbeat& heartbeat) {
  if (!part_ && heartbeat.digest() != copy().digest()) ask_for_full();
}

void ReportSession::ask_for_full() {
  v1::ReportReply reply;
  reply.mutable_send_full();
  send(std::move(reply));
}

void ReportSession::on_leave(const v1::Leave& leave, std::uint64_t sequence) {
  agents_.session_lines_.info(agents_.env_.clock.now(), "agent leaves",
                              {{"node", node_.key}, {"withdraw", leave.withdraw()}});
  if (leave.withdraw()) {
    agents_.env_.catalog.withdraw(node_.key, agents_.env_.clock.now());
    agents_.leases_.forget(node_.key);
    agents_.coverage_.forget(node_.key);
    agents_.copies_.erase(node_.key);
    if (agents_.env_.synced) agents_.env_.synced(node_.key);
  }
  acknowledge(sequence, {});
  end();
}

void ReportSession::note_refused(const std::vector<catalog::Refusal>& more, Refusals& refusals) {
  for (const catalog::Refusal& refusal : more) {
    copy().note_refused(node_.key, refusal, agents_.env_.catalog);
    refusals.add(refusal);
  }
}

void ReportSession::acknowledge(std::uint64_t sequence, const Refusals& refusals) {
  if (agents_.copies_.contains(node_.key)) copy().known_sequence = sequence;
  agents_.counters_.refused_records += refusals.count;
  v1::ReportReply reply;
  reply.mutable_ack()->set_sequence(sequence);
  std::size_t bytes = 0;
  for (const catalog::Refusal& refusal : refusals.listed) {
    v1::Nack& nack = *reply.mutable_ack()->add_nacks();
    const std::string own = node_.key + "/";
    nack.set_type("Endpoint");
    const std::string_view key = refusal.key;
    nack.set_key(std::string(utf8_prefix(key.starts_with(own) ? key.substr(own.size()) : key, model::kLongestKey)));
    nack.set_field(refusal.field);
    nack.set_code(v1::Nack::INVALID);
    nack.set_reason(std::string(utf8_prefix(refusal.reason, model::kLongestDetail)));
    nack.set_kept_previous(agents_.env_.catalog.records().endpoints.contains(refusal.key));
    bytes += nack.ByteSizeLong();
    if (bytes >= kMostNackBytes) break;
  }
  if (const auto told = static_cast<std::size_t>(reply.ack().nacks_size()); told < refusals.count) {
    v1::Nack& rest = *reply.mutable_ack()->add_nacks();
    rest.set_type("Endpoint");
    rest.set_code(v1::Nack::INVALID);
    rest.set_reason(std::to_string(refusals.count - told) + " more records were refused");
  }
  send(std::move(reply));
}

}  // namespace meshdns::federation
