#include <algorithm>
#include <cstdint>

#include "common/convert/report_convert.h"
#include "common/rpc/acceptor.h"
#include "dnsd/app/federation_role.h"

// The status of FederationRole.

namespace meshdns::dnsd::app {
namespace {

constexpr int kMostReplicas = 100;  // in one status

}  // namespace

void FederationRole::write(v1::StatusReply& out) const {
  out.set_federation(address_);
  out.set_anybody_may_report(!configuration().tls.has_value());
  write_connections(out);
  write_agents(out);
  write_replicas(out);
  if (kubernetes_) kubernetes_->write(out);
  changes_.write(out);
  if (kubernetes_objects_) kubernetes_objects_->write(out);
  out.set_recovering(recovery_->recovering());
  out.set_store_trouble(persistence_.trouble());
  out.set_store_lacked(persistence_.lacked());
  if (pods_ && !pods_->reviews.trouble().empty()) out.add_identity_troubles(pods_->reviews.trouble());
}

void FederationRole::write_connections(v1::StatusReply& out) const {
  const rpc::Acceptor::Counts counts = acceptor_->counts();
  v1::ConnectionsInfo& info = *out.mutable_connections();
  info.set_open(counts.open);
  info.set_most(counts.most);
  info.set_full(counts.full);
  info.set_failing(counts.failing);
  info.set_refused(counts.refused);
  info.set_evicted(counts.evicted);
}

void FederationRole::write_agents(v1::StatusReply& out) const {
  out.set_agents_connected(static_cast<std::uint32_t>(agents_->connected()));
  if (agents_->load().busy()) {
    *out.mutable_busy()->mutable_late() = convert::to_wire(agents_->load().lateness());
    *out.mutable_busy()->mutable_heartbeat() = convert::to_wire(agents_->leases().heartbeat());
  }
  for (const auto& brake : agents_->brakes().closed()) {
    v1::BrakeInfo& info = *out.add_brakes();
    info.set_name(brake.name);
    info.set_covers(brake.covers);
    info.set_reason(brake.reason);
    info.set_held_back(brake.held);
  }
}

void FederationRole::write_replicas(v1::StatusReply& out) const {
  const TimePoint now = clock().now();
  out.set_subscribers(static_cast<std::uint32_t>(watchers_->subscribers()));
  watchers_->each_subscriber([&](const federation::WatchSession& session) {
    v1::ReplicaInfo& info = *out.add_replicas();
    info.set_name(session.name());
    info.set_peer(session.peer());
    const identity::Identity& who = session.caller().who();
    if (who.role != identity::Role::Anonymous) info.set_identity(identity::text(who));
    *info.mutable_connected() = convert::to_wire(std::max(Duration::zero(), now - session.opened()));
    info.set_behind(session.revisions_behind());
    *info.mutable_lag() = convert::to_wire(session.lag());
    return out.replicas_size() < kMostReplicas;
  });
  std::sort(out.mutable_replicas()->begin(), out.mutable_replicas()->end(),
            [](const v1::ReplicaInfo& a, const v1::ReplicaInfo& b) { return a.name() < b.name(); });
}

}  // namespace meshdns::dnsd::app
