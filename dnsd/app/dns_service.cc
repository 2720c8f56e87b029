#include "dnsd/app/dns_service.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "common/base/random_seed.h"
#include "common/convert/report_convert.h"
#include "common/log/log.h"
#include "common/time/system_clock.h"
#include "dnsd/app/dns_policy.h"
#include "dnsd/app/reload.h"
#include "dnsd/server/inherited.h"

// The metrics of DnsService are in dns_service_metrics.cc.

namespace meshdns::dnsd::app {
namespace {

constexpr Duration kWatchInterval = 1s;  // also the interval of the pulse

wire::CookieSecret random_secret() {
  wire::CookieSecret out{};
  for (std::size_t at = 0; at < out.size(); at += sizeof(std::uint64_t)) {
    const std::uint64_t part = random_seed();
    std::memcpy(out.data() + at, &part, sizeof part);
  }
  return out;
}

}  // namespace

DnsService::DnsService(Environment environment) : env_(std::move(environment)), own_secret_(random_secret()) {}

DnsService::~DnsService() {
  if (watch_timer_) env_.timers.cancel(*watch_timer_);
}

bool DnsService::has_passed_address() const {
  return std::ranges::any_of(env_.configuration.dns_options().listen, [this](const SocketAddress& address) {
    return bool(server::inherited(env_.passed, address));
  });
}

Result<void> DnsService::start() {
  server::ServerOptions options = env_.configuration.dns_options();
  options.seed = random_seed();
  options.policy = policy();
  options.tcp.connections = env_.budget.dns;
  options.inherited = env_.passed;
  env_.publisher.settle();
  auto server = server::DnsServer::start(options, env_.publisher.table(), env_.clock);
  if (!server) return server.error();
  server_ = std::move(*server);
  tell_of_listeners(options.workers);
  for (const SocketAddress& address : server::not_inherited(env_.passed, options.listen)) {
    log::warn("socket not used", {{"address", address.text()}});
  }
  if (!same_listeners(settings_as_bound(), env_.publisher.settings())) {  // the system has chosen a port for port 0
    env_.publisher.configure(settings_as_bound(), env_.configuration.static_records);
  }
  for (const std::string& warning : server_->warnings())
    log::warn("dns has less than configured", {{"problem", warning}});
  beat_pulse();
  watch();
  start_dnstap();
  return {};
}

void DnsService::tell_of_listeners(std::size_t workers) const {
  const answers::AnswerSettings& settings = env_.configuration.answers;
  for (std::size_t i = 0; i < server_->bound().size(); ++i) {
    const model::Locality& own = settings.listeners[i].locality;
    log::info("dns listening", {{"address", server_->bound()[i].text()},
                                {"locality", (own.empty() ? settings.own : own).text()},
                                {"workers", workers},
                                {"inherited", server_->inherited(i)}});
  }
}

void DnsService::withdraw() {
  if (watch_timer_) env_.timers.cancel(*std::exchange(watch_timer_, std::nullopt));
  beaten_.reset();
  server_->stop();
  dnstap_.reset();  // before server_, whose tap it reads
  server_.reset();
  log::warn("dns no longer served");
}

void DnsService::end() {
  if (server_) server_->stop();
}

void DnsService::reload() {
  env_.publisher.configure(settings_as_bound(), env_.configuration.static_records);
  if (server_) server_->set_policy(policy());
}

void DnsService::add_forwarders(std::vector<answers::ForwarderSettings> forwarders) {
  more_forwarders_ = std::move(forwarders);
  reload();
}

void DnsService::start_dnstap() {
  if (server_->tap() == nullptr) return;
  dnstap::Teller teller = env_.configuration.dnstap_teller();
  teller.listeners = server_->bound();
  const std::string& socket = env_.configuration.file.dns().dnstap().socket();
  auto sender = dnstap::Sender::start(socket, std::move(teller), *server_->tap(), env_.clock, SystemClock::since_1970);
  if (!sender) {  // watch() tries again each second: log only the first failure
    if (std::exchange(dnstap_failed_, true)) return;
    return log::warn("dnstap not connected: messages are dropped", {{"socket", socket}, {"problem", sender.error()}});
  }
  dnstap_failed_ = false;
  dnstap_ = std::move(*sender);
}

query::Policy DnsService::policy() const {
  query::Policy out = env_.configuration.policy;
  std::vector<Prefix> forwarders;
  for (const auto& forwarder : more_forwarders_) forwarders.push_back(forwarder.prefix);
  if (!forwarders.empty()) set_forwarders(env_.configuration.file.dns(), forwarders, out);
  if (out.nsid == "off") {
    out.nsid.clear();
  } else if (out.nsid.empty()) {
    out.nsid = host_name().substr(0, query::kMostNsid);
  }
  if (out.cookies.empty()) out.cookies.push_back(own_secret_);
  return out;
}

answers::AnswerSettings DnsService::settings_as_bound() const {
  answers::AnswerSettings settings = env_.configuration.answers;
  settings.forwarders.insert(settings.forwarders.end(), more_forwarders_.begin(), more_forwarders_.end());
  if (!server_) return settings;
  for (std::size_t i = 0; i < settings.listeners.size(); ++i) settings.listeners[i].text = server_->bound()[i].text();
  return settings;
}

void DnsService::watch() {
  watch_timer_ = env_.timers.after(kWatchInterval, [this] {
    beat_pulse();
    if (!dnstap_) start_dnstap();
    watch_rate_limit();
    watch();
  });
}

void DnsService::watch_rate_limit() {
  const std::uint64_t limited = server_->counters().udp.rate_limited;
  switch (rate_limit_watch_.look(limited, env_.clock.now())) {
    case RateLimitWatch::Edge::None: break;
    case RateLimitWatch::Edge::Began:
      log::warn("answers are limited", {{"to", server_->last_limited()}, {"so_far", limited}});
      break;
    case RateLimitWatch::Edge::Ended: log::warn("no answers are limited any more", {{"so_far", limited}}); break;
  }
}

void DnsService::beat_pulse() {
  const TimePoint now = env_.clock.now();
  const Duration patience = env_.configuration.stale_after() + kWatchInterval;
  if (beaten_ && now - *beaten_ > patience) {
    log::warn("the control thread stood still, answers were stale", {{"for", now - *beaten_}});
  }
  beaten_ = now;
  server_->pulse().beat(now, patience);
}

bool DnsService::alive() {
  if (!server_) return true;
  const auto stalled = stall_watch_.look(server_->ticks());
  if (stalled.empty() == stalled_) {
    stalled_ = !stalled_;
    if (stalled_) {
      log::error("a DNS thread stands still", {{"threads", stalled.size()}, {"first", stalled.front()}});
    } else {
      log::info("all DNS threads go on");
    }
  }
  return !stalled_;
}

void DnsService::write(v1::StatusReply& out) const {
  if (!server_) return;
  const auto& settings = env_.publisher.settings();
  for (std::size_t i = 0; i < server_->bound().size(); ++i) {
    v1::Listener& listener = *out.add_dns();
    listener.set_address(server_->bound()[i].text());
    // a listener without a locality of its own has the server's
    const model::Locality& own = settings.listeners[i].locality;
    *listener.mutable_locality() = convert::to_wire(own.empty() ? settings.own : own);
  }
  const server::ServerTotals totals = server_->counters();
  out.set_queries(totals.udp.received + totals.tcp.received);
}

}  // namespace meshdns::dnsd::app
