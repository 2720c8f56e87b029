#include "dnsd/federation/report_session.h"

#include <algorithm>
#include <utility>

#include "common/base/utf8.h"
#include "common/convert/features.h"
#include "common/convert/report_convert.h"
#include "common/log/log.h"
#include "common/model/limits.h"
#include "dnsd/federation/report_decoder.h"

namespace meshdns::federation {
namespace {

std::set<std::string> listed_names(const google::protobuf::RepeatedPtrField<v1::Source>& sources) {
  std::set<std::string> out;
  for (const v1::Source& source : sources) {
    if (source.listed()) out.insert(source.name());
  }
  return out;
}

}  // namespace

ReportSession::ReportSession(AgentReports& reports, std::shared_ptr<ReportPort> port, std::shared_ptr<Pulse> pulse,
                             ReportPeer peer)
    : reports_(reports),
      port_(std::move(port)),
      peer_(std::move(peer)),
      pulse_(std::move(pulse)),
      full_(reports.arriving(), peer_.address) {
  pulse_->session = this;
}

ReportSession::~ReportSession() {
  pulse_->session = nullptr;
  cancel_timers();
}

void ReportSession::cancel_timers() {
  for (auto* timer : {&proof_timer_, &end_timer_, &part_timer_, &write_timer_}) {
    if (*timer) timers().cancel(*std::exchange(*timer, std::nullopt));
  }
}

void ReportSession::abandon() {
  cancel_timers();
  drop_full();
}

void ReportSession::received(const v1::AgentMessage& message) {
  if (ended_) return;
  take_pulse();
  ++reports_.counters().messages;
  ++proofs_;
  if (message.has_hello()) {
    on_hello(message.hello());
  } else if (in_sequence(message)) {
    reports_.leases().heard(node_.key, now());
    on_body(message);
    if (!ended_ && reports_.leases().must_tell(node_.key)) send_settings();
    reports_.environment().changed();
  }
  if (ended_) return;
  if (epoch_ == 0 || full_.arriving()) {
    pulse_->expect_nothing();
  } else {
    pulse_->expect(epoch_, copy().digest());
  }
  read_on();
}

void ReportSession::take_pulse() {
  if (!pulse_->take() || ended_ || epoch_ == 0) return;
  ++reports_.counters().messages;
  ++proofs_;
  reports_.leases().heard(node_.key, pulse_->heard());
  if (reports_.leases().must_tell(node_.key)) send_settings();
}

void ReportSession::closed() {
  take_pulse();
  ended_ = true;
  cancel_timers();
  drop_full();
  if (epoch_ != 0) {
    reports_.lines().info(now(), "agent session ended", {{"node", node_.key}, {"epoch", epoch_}});
  }
  reports_.closed(*this);
}

void ReportSession::end() {
  ended_ = true;
  drop_full();
  port_->close();
  end_timer_ = timers().after(kLongestEnd, [this] {
    end_timer_.reset();
    port_->abort();
  });
}

void ReportSession::goodbye(v1::Goodbye::Reason reason, const std::string& message, Duration retry_after) {
  if (ended_) return;
  if (reason == v1::Goodbye::PROTOCOL_ERROR) ++reports_.counters().protocol_errors;
  v1::ReportReply reply;
  reply.mutable_goodbye()->set_reason(reason);
  reply.mutable_goodbye()->set_message(std::string(utf8_prefix(message, model::kLongestDetail)));
  *reply.mutable_goodbye()->mutable_retry_after() = convert::to_wire(retry_after);
  send(std::move(reply));
  end();
}

void ReportSession::on_hello(const v1::Hello& hello) {
  if (std::exchange(said_hello_, true)) return goodbye(v1::Goodbye::PROTOCOL_ERROR, "Hello was said already", 5s);
  auto said = read_hello(hello, peer_, catalog().loopback());
  if (!said) {
    if (said.error().reason == v1::Goodbye::NOT_ALLOWED) {
      reports_.refused({identity::text(peer_.caller.who()), peer_.from, "report",
                        "Node/" + hello.node().locality().cluster() + "/" + hello.node().name(), said.error().message});
    }
    return goodbye(said.error().reason, said.error().message, said.error().retry_after);
  }
  introduction_ = *std::move(said);
  node_ = introduction_.node;
  reports_.ask_for_missing();  // before defer(), which asks whether the catalog has all records
  if (!reports_.has_room_for(node_.key)) return goodbye(v1::Goodbye::OVERLOADED, "no room: dns.max_records", 60s);
  const Duration wait = reports_.defer(node_.key, introduction_.digest);
  if (wait > Duration::zero()) {
    return goodbye(v1::Goodbye::OVERLOADED, "too many agents connect at once: come back later", wait);
  }
  claim();
}

void ReportSession::claim() {
  const auto holder = reports_.sessions().holder(node_.key);
  if (holder && !same_holder(*holder)) {
    contend(holder);
  } else {
    admit();
  }
}

bool ReportSession::same_holder(const ReportSession& other) const {
  return introduction_.instance_uid == other.introduction_.instance_uid &&
         introduction_.boot_id == other.introduction_.boot_id && has_key_of(other);
}

void ReportSession::contend(const std::shared_ptr<ReportSession>& holder) {
  v1::ReportReply ping;
  ping.mutable_ping();
  holder->send(std::move(ping));
  const auto proofs = holder->proofs_;
  // who has another key may have copied the name: it waits until the holder would count as silent
  const Duration left = std::max(kProofOfLife, reports_.leases().lease_left(node_.key, now()));
  proof_timer_ = timers().after(has_key_of(*holder) ? kProofOfLife : left, [this, old = std::weak_ptr(holder), proofs] {
    proof_timer_.reset();
    if (ended_) return;
    const auto still = old.lock();
    reports_.sessions().take_pulses();
    if (still && !still->ended_ && still->proofs_ > proofs) {
      return goodbye(v1::Goodbye::ALREADY_EXISTS,
                     "another agent reports for " + node_.key + ": give each its own node name", 30s);
    }
    // another contender may have taken the node meanwhile: ping it in its turn
    if (still && reports_.sessions().holder(node_.key) == still) return admit();
    claim();
  });
}

void ReportSession::admit() {
  const TimePoint now = reports_.now();
  epoch_ = reports_.next_epoch(introduction_.last_epoch);
  const auto claims_refused = reports_.permit(node_);
  const model::Node* known = catalog().latest_node(node_.key);
  const bool moved = known != nullptr && (known->addresses != node_.addresses || known->prefixes != node_.prefixes);
  node_.session = reports_.session_of(node_, epoch_);
  reports_.sessions().take_over(node_.key, shared_from_this());
  reports_.begins(node_.key, introduction_.names_all_pods);
  const bool wants_full = reports_.needs_full(node_.key, introduction_.digest);
  catalog().put_node(node_, now);
  v1::ReportReply reply;
  v1::Welcome& welcome = *reply.mutable_welcome();
  welcome.set_epoch(epoch_);
  welcome.set_instance(reports_.environment().instance);
  welcome.set_want_full(wants_full);
  welcome.set_known_sequence(copy().known_sequence);
  welcome.add_features(convert::kWithoutService);
  write_settings(*welcome.mutable_settings());
  reports_.lines().info(now, "agent session", {{"node", node_.key}, {"epoch", epoch_}, {"full", welcome.want_full()}});
  // the digest matches: the restored records are the agent's records, and no longer provisional
  if (!wants_full) reports_.synced(node_.key);
  send(std::move(reply));
  tell_of_claims(claims_refused);
  if (moved) reports_.withdraw_forbidden(node_);  // endpoints may be at addresses that are no longer the node's
  reports_.environment().changed();
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
    case v1::AgentMessage::kRtts: return reports_.measuring().heard(node_.key, message.rtts(), now());
    case v1::AgentMessage::kLeave: return on_leave(message.leave(), message.sequence());
    default: return;  // a newer agent's kind of message
  }
}

std::vector<model::Endpoint> ReportSession::decode(const google::protobuf::RepeatedPtrField<std::string>& encoded,
                                                   Refusals& refusals) {
  ClampedRecords clamped;
  auto out = decode_report(encoded, {node_.key, peer_.here, now()}, copy(), catalog(), refusals, clamped);
  if (clamped.count > 0) reports_.note_clamped(node_.key, clamped, std::exchange(bounds_told_, true));
  return out;
}

void ReportSession::on_full(const v1::Full& full, std::uint64_t sequence) {
  if (!begin_part(full)) return;
  full_.keep(decode(full.endpoints(), full_.refusals()));
  if (!within_keys()) return;
  if (!full.last()) {
    await_part();
    return acknowledge(sequence, {});
  }
  copy().whole = true;
  std::set<std::string> listed = listed_names(full.sources());
  // a record that was refused still exists on the node: an incomplete list must not withdraw it
  if (full_.refusals().count > 0) listed.clear();
  auto [endpoints, refusals] = full_.take();
  drop_full();
  const auto forbidden = permit(endpoints, listed, {}, refusals);
  note_refused(catalog().apply_full(node_.key, endpoints, listed, now(), forbidden), refusals);
  reports_.told(endpoints);
  reports_.sources_told(node_.key, full.sources());
  reports_.records_told(node_.key, listed);
  reports_.synced(node_.key);
  acknowledge(sequence, refusals);
}

void ReportSession::on_delta(const v1::Delta& delta, std::uint64_t sequence) {
  Refusals refusals;
  auto upserts = decode(delta.upserts(), refusals);
  if (!within_keys()) return;
  std::vector<std::string> removals;
  for (const auto& removal : delta.removals()) {
    copy().erase(removal.key());
    removals.push_back(node_.key + "/" + removal.key());
  }
  permit(upserts, {}, removals, refusals);
  note_refused(catalog().apply_delta(node_.key, upserts, removals, now()), refusals);
  reports_.told(upserts);
  if (!removals.empty()) reports_.pods_may_be_unnamed(node_.key);
  if (!delta.sources().empty()) reports_.sources_told(node_.key, delta.sources());
  if (!delta.sources().empty() || refusals.count > 0) reports_.records_told(node_.key, {});
  reports_.coverage().changed(node_.key, now());
  acknowledge(sequence, refusals);
  if (reports_.has_leftovers(node_.key, listed_names(delta.sources()))) ask_for_full();
}

void ReportSession::on_heartbeat(const v1::Heartbeat& heartbeat) {
  if (!full_.arriving() && heartbeat.digest() != copy().digest()) ask_for_full();
}

void ReportSession::ask_for_full() {
  v1::ReportReply reply;
  reply.mutable_send_full();
  send(std::move(reply));
}

void ReportSession::on_leave(const v1::Leave& leave, std::uint64_t sequence) {
  reports_.leaves(node_.key, leave.withdraw());
  acknowledge(sequence, {});
  end();
}

void ReportSession::note_refused(const std::vector<catalog::Refusal>& more, Refusals& refusals) {
  for (const catalog::Refusal& refusal : more) {
    copy().note_refused(node_.key, refusal, catalog());
    refusals.add(refusal);
  }
}

std::set<std::string> ReportSession::permit(std::vector<model::Endpoint>& endpoints,
                                            const std::set<std::string>& listed,
                                            const std::vector<std::string>& removals, Refusals& refusals) {
  const model::Node* known = catalog().latest_node(node_.key);  // changed rules may have taken claims from it
  const auto refused = reports_.permit(known == nullptr ? node_ : *known, endpoints, listed, removals);
  note_refused(refused, refusals);
  for (model::Endpoint& endpoint : endpoints) reports_.bindings().join(endpoint);  // not the node's claim: unjudged
  return keys_of(refused);
}

void ReportSession::tell_of_claims(const std::vector<catalog::Refusal>& refused) {
  if (ended_ || refused.empty()) return;
  send_ack(pulse_->sequence(), {refused, refused.size()});
}

void ReportSession::acknowledge(std::uint64_t sequence, const Refusals& refusals) {
  if (reports_.has_copy(node_.key)) copy().known_sequence = sequence;
  send_ack(sequence, refusals);
}

void ReportSession::send_ack(std::uint64_t sequence, const Refusals& refusals) {
  reports_.counters().refused_records += refusals.count;
  v1::ReportReply reply;
  reply.mutable_ack()->set_sequence(sequence);
  refusals.write(node_.key, catalog().records(), *reply.mutable_ack());
  send(std::move(reply));
}

// ---- bounds of the stream ----

void ReportSession::send(v1::ReportReply reply) {
  const TimePoint now = reports_.now();
  if (unwritten_++ == 0) unwritten_since_ = now;
  port_->send(std::move(reply));
  if (!write_timer_ && !ended_) write_timer_ = timers().after(kWritePatience, [this] { watch_writes(); });
}

void ReportSession::written() {
  unwritten_ = 0;
  if (!ended_ && std::exchange(waits_for_reader_, false)) port_->read_next();
}

void ReportSession::read_on() {
  if (unwritten_ <= kMostUnwritten || port_->drained()) return port_->read_next();
  waits_for_reader_ = true;
}

void ReportSession::watch_writes() {
  write_timer_.reset();
  if (ended_) return;
  if (port_->drained()) unwritten_ = 0;
  if (unwritten_ == 0) return;  // send() starts the timer again
  const TimePoint now = reports_.now();
  const Duration left = unwritten_since_ + kWritePatience - now;
  if (left > Duration::zero()) {
    write_timer_ = timers().after(left, [this] { watch_writes(); });
    return;
  }
  ++reports_.counters().cut;
  reports_.lines().warn(now, "agent cut", {{"node", node_.key}, {"why", "reads nothing"}});
  ended_ = true;
  drop_full();
  port_->abort();
}

bool ReportSession::begin_part(const v1::Full& full) {
  if (full.part() == 0) {
    drop_full();
    copy().clear();
  }
  const auto refused = full_.begin_part(full);
  if (refused) goodbye(refused->reason, refused->message, refused->retry_after);
  return !refused;
}

void ReportSession::await_part() {
  if (part_timer_) timers().cancel(*part_timer_);
  part_timer_ = timers().after(kPartPatience, [this] {
    part_timer_.reset();
    goodbye(v1::Goodbye::PROTOCOL_ERROR, "a Full was begun and not ended", 5s);
  });
}

void ReportSession::drop_full() {
  if (part_timer_) timers().cancel(*std::exchange(part_timer_, std::nullopt));
  full_.drop();
}

bool ReportSession::within_keys() {
  if (copy().size() <= kMostKeys) return true;
  copy().clear();
  goodbye(v1::Goodbye::OVERLOADED, "more than 100000 endpoints", 60s);
  return false;
}

}  // namespace meshdns::federation
