#include "dnsd/app/hostname_service.h"

#include <utility>

#include "common/metrics/samples.h"

namespace meshdns::dnsd::app {

HostnameService::HostnameService(Environment environment)
    : env_(std::move(environment)),
      names_({env_.clock, env_.loop, env_.catalog,
              [this](const std::string& name, external::ExternalNames::Done done) {
                resolver_->resolve(name, std::move(done));
              },
              env_.changed}) {}

void HostnameService::start() {
  resolver_.emplace(env_.loop, resolve::Options{});
  configure();
}

void HostnameService::reload() {
  if (started()) configure();
}

void HostnameService::look() {
  if (started()) names_.look();
}

void HostnameService::configure() {
  resolver_->set_servers(env_.configuration.external_name_servers());
  std::vector<std::string> zones;
  for (const auto& zone : env_.configuration.answers.zones) zones.push_back(zone.name);
  names_.set_zones(std::move(zones));
}

void HostnameService::collect(std::vector<metrics::Sample>& out) const {
  if (!started()) return;
  const external::ExternalNames::Counts counts = names_.counts();
  const char* names = "meshdns_dnsd_external_names";
  const char* help = "hostnames of external endpoints by how they were resolved last";
  metrics::gauge(out, names, help, {{"state", "resolved"}}, static_cast<double>(counts.resolved));
  metrics::gauge(out, names, help, {{"state", "kept"}}, static_cast<double>(counts.kept));
  metrics::gauge(out, names, help, {{"state", "missing"}}, static_cast<double>(counts.missing));
  metrics::gauge(out, names, help, {{"state", "refused"}}, static_cast<double>(counts.refused));
  const char* questions = "meshdns_dnsd_external_questions_total";
  metrics::count(out, questions, "hostnames asked for", {{"outcome", "answered"}}, counts.answered);
  metrics::count(out, questions, "hostnames asked for", {{"outcome", "negative"}}, counts.negative);
  metrics::count(out, questions, "hostnames asked for", {{"outcome", "unanswered"}}, counts.unanswered);
}

}  // namespace meshdns::dnsd::app
