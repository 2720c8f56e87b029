#include "dnsd/app/leased_role.h"

#include <cstdint>
#include <utility>

#include "common/metrics/samples.h"
#include "dnsd/app/object_events.h"

namespace meshdns::dnsd::app {

using lease::LeaseMachine;

LeasedRole::LeasedRole(std::unique_ptr<RecordSource> role, Environment environment)
    : role_(std::move(role)), env_(std::move(environment)) {}

void LeasedRole::campaign(lease::Lease::Events events) {
  lease_ = std::make_unique<lease::Lease>(env_.loop, env_.clock, env_.lease, std::move(events));
  lease_->start();
}

void LeasedRole::start() {
  role_->start();
  leads_ = true;
}

void LeasedRole::stop(std::function<void()> done) {
  const auto give_back = [this, done = std::move(done)] {
    if (lease_ == nullptr || lease_->machine().state() == LeaseMachine::State::Lost) return done();
    lease_->release(done);
  };
  if (!leads_) return give_back();
  role_->stop(give_back);
}

void LeasedRole::end() { role_->end(); }

void LeasedRole::reload() {
  if (leads_) role_->reload();
}

void LeasedRole::changed() {
  if (leads_) role_->changed();
}

std::string LeasedRole::refusal() const {
  const std::string holder = lease_ == nullptr ? "" : lease_->machine().holder();
  return "this instance is a standby: " + (holder.empty() ? "nobody leads now" : holder + " leads");
}

void LeasedRole::apply(const v1::ApplyRequest& request, Applied done) {
  if (leads_) return role_->apply(request, std::move(done));
  done(all_refused(request, refusal()));
}

void LeasedRole::erase(const v1::DeleteRequest& request, Erased done) {
  if (leads_) return role_->erase(request, std::move(done));
  done(Error(Code::FailedPrecondition, refusal()));
}

void LeasedRole::expire_overrides() {
  if (leads_) role_->expire_overrides();
}

Result<v1::ApproveShrinkReply> LeasedRole::approve_shrink() {
  return leads_ ? role_->approve_shrink() : Error(Code::FailedPrecondition, refusal());
}

Result<v1::TokenReply> LeasedRole::token(const v1::TokenRequest& request) {
  return leads_ ? role_->token(request) : Error(Code::FailedPrecondition, refusal());
}

std::string LeasedRole::node_state(const std::string& node) const {
  return leads_ ? role_->node_state(node) : "disconnected";
}

void LeasedRole::write(v1::StatusReply& out) const {
  if (leads_) role_->write(out);
  if (lease_ == nullptr) return;
  const LeaseMachine& machine = lease_->machine();
  v1::LeaseInfo& info = *out.mutable_lease();
  info.set_name(lease_->text());
  info.set_state(std::string(state_name(machine.state())));
  info.set_holder(machine.holder());
  info.set_transitions(static_cast<std::uint64_t>(machine.transitions()));
  info.set_problem(machine.problem());
}

void LeasedRole::collect(std::vector<metrics::Sample>& out) const {
  if (leads_) role_->collect(out);
  if (lease_ == nullptr) return;
  const LeaseMachine& machine = lease_->machine();
  metrics::gauge(out, "meshdns_lease_leading", "1 while this instance has the lease and leads", {},
                 machine.state() == LeaseMachine::State::Leading ? 1 : 0);
  metrics::gauge(out, "meshdns_lease_usable", "0 while the API server does not answer for the lease", {},
                 machine.problem().empty() ? 1 : 0);
  metrics::count(out, "meshdns_lease_renewals_total", "times that this instance has written the lease", {},
                 lease_->renewals());
}

}  // namespace meshdns::dnsd::app
