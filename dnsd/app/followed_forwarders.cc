#include "dnsd/app/followed_forwarders.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "common/base/random_seed.h"
#include "common/log/log.h"

namespace meshdns::dnsd::app {

void FollowedForwarders::start() {
  if (env_.configuration.followed_forwarders.empty()) return;
  client_ = std::make_unique<kubernetes::Client>(env_.loop, env_.clock, *env_.configuration.forwarders_server,
                                                 kubernetes::Client::Limits());
  for (const auto& forwarder : env_.configuration.followed_forwarders) follow(forwarder);
}

void FollowedForwarders::follow(const Configuration::FollowedForwarder& forwarder) {
  kubernetes::Informer::Options options;
  options.collection = {.path = "/apis/discovery.k8s.io/v1/namespaces/" + forwarder.namespace_ + "/endpointslices",
                        .label_selector = "kubernetes.io/service-name=" + forwarder.service};
  options.seed = random_seed();
  followed_.push_back(std::make_unique<Followed>(
      Followed{forwarder, {kubernetes::read_slice, [](const auto*, const auto*) {}}, nullptr}));
  Followed& followed = *followed_.back();
  followed.informer = std::make_unique<kubernetes::Informer>(*client_, env_.clock, env_.loop, std::move(options),
                                                             [this, &followed](const kubernetes::Notice& notice) {
                                                               followed.slices.take(notice);
                                                               if (!std::holds_alternative<kubernetes::Begin>(notice))
                                                                 look();
                                                             });
  followed.informer->start();
}

void FollowedForwarders::reload() {
  std::vector<Configuration::FollowedForwarder> running;
  for (const auto& each : followed_) running.push_back(each->forwarder);
  if (running == env_.configuration.followed_forwarders) return;
  followed_.clear();
  client_.reset();
  start();
  if (followed_.empty()) look();  // otherwise the old addresses stay until the new ones are listed
}

std::set<IpAddress> FollowedForwarders::addresses_of(const Followed& followed) {
  std::set<IpAddress> out;
  followed.slices.each([&](const kubernetes::Slice& slice) {
    for (const kubernetes::SliceEndpoint& endpoint : slice.endpoints) out.insert(endpoint.address);
  });
  return out;
}

void FollowedForwarders::look() {
  const auto is_listed = [](const auto& each) { return each->slices.is_listed(); };
  if (!std::ranges::all_of(followed_, is_listed)) return;
  std::vector<answers::ForwarderSettings> now;
  for (const auto& each : followed_) {
    for (const IpAddress& address : addresses_of(*each)) {
      now.push_back({Prefix::host(address), each->forwarder.granularity});
    }
  }
  const auto same = [](const answers::ForwarderSettings& a, const answers::ForwarderSettings& b) {
    return a.prefix == b.prefix && a.granularity == b.granularity;
  };
  if (std::ranges::equal(now, found_, same)) return;
  found_ = now;
  log::info("trusted forwarders changed", {{"addresses", now.size()}});
  env_.found(std::move(now));
}

void FollowedForwarders::write(v1::StatusReply& out) const {
  for (const auto& each : followed_) {
    v1::ForwarderInfo& info = *out.add_forwarders();
    info.set_service(each->service());
    info.set_addresses(static_cast<std::uint32_t>(addresses_of(*each).size()));
    info.set_problem(each->informer->status().problem.text);
  }
}

void FollowedForwarders::collect(std::vector<metrics::Sample>& out) const {
  for (const auto& each : followed_) {
    const metrics::Labels labels = {{"service", each->service()}};
    metrics::gauge(out, "meshdns_dns_followed_forwarders", "addresses of a Service that are trusted forwarders", labels,
                   static_cast<double>(addresses_of(*each).size()));
    metrics::gauge(out, "meshdns_dns_forwarders_failing", "1 while the addresses of a Service cannot be followed",
                   labels, each->informer->status().problem.text.empty() ? 0.0 : 1.0);
  }
}

}  // namespace meshdns::dnsd::app
