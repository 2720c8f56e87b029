#include "agent/app/check_view.h"

#include "agent/app/check_runner.h"
#include "agent/app/watched.h"
#include "common/net/socket_address.h"

namespace meshdns::agent::app {
namespace {

std::string address_of(const Check& check) {
  const probes::Target* target = probes::target_of(check.spec->what);
  if (target != nullptr) return SocketAddress{target->address.value_or(check.address), target->port}.text();
  return check.family ? check.address.text() : "";
}

}  // namespace

CheckView view_of(const Check& check) {
  CheckView out;
  const model::Endpoint& endpoint = check.owner.found.endpoint;
  out.endpoint = check.owner.found.key;
  out.namespace_ = endpoint.namespace_;
  out.service = endpoint.service;
  out.kind = probes::kind_name(check.spec->what);
  out.address = address_of(check);
  out.last = check.last;
  out.health = check.machine.health();
  out.last_run = check.last_started;
  out.latency = check.latency;
  out.next_run = check.planned.value_or(TimePoint{});
  out.running = check.running;
  out.waiting = check.queued.has_value();
  out.what = &check.spec->what;
  return out;
}

}  // namespace meshdns::agent::app
