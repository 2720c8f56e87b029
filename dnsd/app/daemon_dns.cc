// The part of Daemon that starts and ends DNS: its first answers, sockets, policy, dnstap and external names.
#include <algorithm>
#include <limits>
#include <utility>

#include "common/base/descriptor_limit.h"
#include "common/base/random_seed.h"
#include "common/log/log.h"
#include "common/time/system_clock.h"
#include "dnsd/app/daemon.h"
#include "dnsd/app/reload.h"
#include "dnsd/server/inherited.h"

namespace meshdns::app {
namespace {

constexpr Duration kServeInterval = 1s;      // between two tries to serve DNS
constexpr Duration kRateLimitInterval = 1s;  // between two looks at rate limits; also the interval of the pulse

}  // namespace

void Daemon::budget_descriptors() {
  if (!configuration_.federation()) {
    budget_.dns = configuration_.connections().dns;
    return;
  }
  const auto wanted = configuration_.connections();
  const std::size_t limit = raise_descriptor_limit(std::numeric_limits<std::size_t>::max());
  budget_ = DescriptorBudget::of(limit, wanted);
  const auto tell = [limit](const char* what, std::size_t most, std::size_t asked) {
    if (most < asked) log::warn("fewer connections than configured", {{"key", what}, {"most", most}, {"limit", limit}});
  };
  tell("dns.tcp.connections", budget_.dns, wanted.dns);
  tell("federation.max_connections", budget_.federation, wanted.federation);
}

snapshot_file::WarmStart::Options Daemon::warm_start_options(const Configuration& configuration) {
  using Records = snapshot_file::WarmStart::Records;
  const Records here = configuration.file.has_replica() ? Records::Snapshot : Records::EndpointsFile;
  return {.folder = configuration.file.data_dir(),
          .records = configuration.federation() ? Records::Store : here,
          .configured =
              [&configuration] {
                return snapshot_file::WarmStart::Configured{configuration.digest, configuration.mesh_digest};
              },
          .stale_after = [&configuration] { return configuration.stale_after(); }};
}

Result<void> Daemon::serve_kept_answers() {
  publisher_.hold();
  publisher_.configure(configuration_.answers, configuration_.static_records);
  const std::string folder = configuration_.file.data_dir();
  const bool replica = configuration_.file.has_replica();
  if (replica && LocalOverrides::left_in(folder)) return {};  // kept answers would ignore them
  const auto found = warm_start_.take(replica ? folder + "/" + Replica::kFile : "");
  return found ? start_dns() : Result<void>{};
}

Result<void> Daemon::start_not_ready() {
  if (dns_) end_dns();  // kept answers are served, but their snapshot cannot be read: they could never be updated
  publisher_.release();
  const auto listen = configuration_.dns_options().listen;
  const auto passed = [this](const SocketAddress& address) { return bool(server::inherited(passed_, address)); };
  if (std::ranges::none_of(listen, passed)) {
    log::warn("no snapshot: DNS is not served until a federation has sent the records");
    return {};
  }
  publisher_.set_not_ready(true);
  log::warn("no snapshot: DNS answers SERVFAIL until a federation has sent the records");
  return start_dns();
}

Result<void> Daemon::start_dns() {
  server::ServerOptions options = configuration_.dns_options();
  options.seed = random_seed();
  options.policy = policy();
  options.tcp.connections = budget_.dns;
  options.inherited = passed_;
  publisher_.flush();
  auto dns = server::DnsServer::start(options, publisher_.table(), clock_);
  if (!dns) return dns.error();
  dns_ = std::move(*dns);
  parts_.dns = dns_.get();
  for (std::size_t i = 0; i < dns_->bound().size(); ++i) {
    const model::Locality& own = configuration_.answers.listeners[i].locality;
    log::info("dns listening", {{"address", dns_->bound()[i].text()},
                                {"locality", (own.empty() ? configuration_.answers.own : own).text()},
                                {"workers", options.workers},
                                {"inherited", dns_->inherited(i)}});
  }
  for (const SocketAddress& address : server::not_inherited(passed_, options.listen)) {
    log::warn("socket not used", {{"address", address.text()}});
  }
  if (!same_listeners(settings_as_bound(), publisher_.settings())) {  // the system has chosen a port for port 0
    publisher_.configure(settings_as_bound(), configuration_.static_records);
  }
  for (const std::string& warning : dns_->warnings()) log::warn("dns has less than configured", {{"problem", warning}});
  beat_pulse();
  schedule_rate_limit_watch();
  start_dnstap();
  return {};
}

void Daemon::serve_first_records() {
  if (replica_) view_.expire_overrides();  // before an answer follows from an override that is over
  publisher_.set_not_ready(false);
  publisher_.changed();
  tell_of_room();
  if (parts_.ready || stopping_) return;
  if (const auto done = dns_ ? Result<void>{} : start_dns(); !done) return serve_later(done.error());
  if (serving_.ends()) log::info("dns is served after failed attempts");
  become_ready();
}

void Daemon::serve_later(const Error& why) {
  // threads or descriptors may be available later; any other error would only repeat
  const bool passes = why.code() == Code::ResourceExhausted;
  if (!passes || serving_.due(clock_.now())) log::error("cannot serve", {{"error", why}, {"tries_again", passes}});
  if (!passes) {
    failed_ = true;
    return stop();
  }
  if (serving_timer_) return;
  serving_timer_ = loop_.after(kServeInterval, [this] {
    serving_timer_.reset();
    serve_first_records();
  });
}

void Daemon::start_external_names() {
  const auto ask = [this](const std::string& name, external::ExternalNames::Done done) {
    resolver_->resolve(name, std::move(done));
  };
  external_names_.emplace(
      external::ExternalNames::Environment{clock_, loop_, catalog_, ask, [this] { records_changed(); }});
  resolver_.emplace(loop_, resolve::Options{});
  parts_.external_names = &*external_names_;
  parts_.records_changed = [this] { records_changed(); };
  configure_external_names();
}

void Daemon::configure_external_names() {
  resolver_->set_servers(configuration_.external_name_servers());
  std::vector<std::string> zones;
  for (const auto& zone : configuration_.answers.zones) zones.push_back(zone.name);
  external_names_->set_zones(std::move(zones));
}

void Daemon::start_dnstap() {
  if (dns_->tap() == nullptr) return;
  dnstap::Teller teller = configuration_.dnstap_teller();
  teller.listeners = dns_->bound();
  const std::string& socket = configuration_.file.dns().dnstap().socket();
  auto sender = dnstap::Sender::start(socket, std::move(teller), *dns_->tap(), clock_, SystemClock::since_1970);
  if (!sender) {  // schedule_rate_limit_watch() tries again each second: log only the first failure
    if (std::exchange(dnstap_failed_, true)) return;
    return log::warn("dnstap not connected: messages are dropped", {{"socket", socket}, {"problem", sender.error()}});
  }
  dnstap_failed_ = false;
  dnstap_ = std::move(*sender);
  parts_.dnstap = dnstap_.get();
}

void Daemon::end_dns() {
  if (rate_limit_timer_) loop_.cancel(*std::exchange(rate_limit_timer_, std::nullopt));
  beaten_.reset();
  dns_->stop();
  parts_.dnstap = nullptr;
  dnstap_.reset();  // before dns_, whose tap it reads
  parts_.dns = nullptr;
  dns_.reset();
  log::warn("dns no longer served");
}

query::Policy Daemon::policy() const {
  query::Policy out = configuration_.policy;
  if (out.nsid == "off") {
    out.nsid.clear();
  } else if (out.nsid.empty()) {
    out.nsid = host_name().substr(0, query::kMostNsid);
  }
  if (out.cookies.empty()) out.cookies.push_back(own_secret_);
  return out;
}

void Daemon::schedule_rate_limit_watch() {
  rate_limit_timer_ = loop_.after(kRateLimitInterval, [this] {
    beat_pulse();
    if (!dnstap_) start_dnstap();
    const std::uint64_t limited = dns_->counters().udp.rate_limited;
    switch (rate_limit_watch_.look(limited, clock_.now())) {
      case RateLimitWatch::Edge::None: break;
      case RateLimitWatch::Edge::Began:
        log::warn("answers are limited", {{"to", dns_->last_limited()}, {"so_far", limited}});
        break;
      case RateLimitWatch::Edge::Ended: log::warn("no answers are limited any more", {{"so_far", limited}}); break;
    }
    parts_.rate_limiting = rate_limit_watch_.limiting();
    schedule_rate_limit_watch();
  });
}

void Daemon::beat_pulse() {
  const TimePoint now = clock_.now();
  const Duration patience = configuration_.stale_after() + kRateLimitInterval;
  if (beaten_ && now - *beaten_ > patience) {
    log::warn("the control thread stood still, answers were stale", {{"for", now - *beaten_}});
  }
  beaten_ = now;
  dns_->pulse().beat(now, patience);
}

answers::Settings Daemon::settings_as_bound() const {
  answers::Settings settings = configuration_.answers;
  if (!dns_) return settings;
  for (std::size_t i = 0; i < settings.listeners.size(); ++i) settings.listeners[i].text = dns_->bound()[i].text();
  return settings;
}

}  // namespace meshdns::app
