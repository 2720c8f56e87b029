#include "dnsd/external/external_names.h"

#include <algorithm>
#include <utility>

#include "common/log/log.h"
#include "dnsd/topology/plan.h"

namespace meshdns::external {

ExternalNames::~ExternalNames() {
  if (timer_) environment_.timers.cancel(*timer_);
}

void ExternalNames::set_zones(std::vector<std::string> zones) {
  zones_ = std::move(zones);
  look();
}

std::string ExternalNames::own_zone_of(const std::string& name) const {
  const auto apex = std::ranges::find(zones_, name);
  return apex != zones_.end() ? *apex : topology::zone_of(zones_, name);
}

void ExternalNames::look() {
  const TimePoint now = environment_.clock.now();
  const model::Records& records = environment_.catalog.records();
  std::set<std::string> names, refused;
  for (const auto& [key, object] : records.destinations) {
    for (const auto& external : object.external_endpoints) {
      if (!external.hostname.empty())
        (own_zone_of(external.hostname).empty() ? names : refused).insert(external.hostname);
    }
  }
  for (const std::string& name : refused) {
    if (!refused_.contains(name)) log::warn("external name refused", {{"name", name}, {"zone", own_zone_of(name)}});
  }
  refused_ = std::move(refused);
  std::vector<std::string> unused;
  for (const auto& [name, record] : records.external_names) {
    if (!names.contains(name)) unused.push_back(name);
  }
  for (const std::string& name : unused) environment_.catalog.set_external_name(name, {}, now);
  schedule_.set_names(names, now);
  ask_due();
}

void ExternalNames::ask_due() {
  const TimePoint now = environment_.clock.now();
  for (const std::string& name : schedule_.take_due(now)) {
    environment_.ask(name, [this, name](const Result<resolve::Answer>& answer) { answered(name, answer); });
  }
  if (timer_) environment_.timers.cancel(*std::exchange(timer_, std::nullopt));
  const auto next = schedule_.next();
  if (!next) return;
  timer_ = environment_.timers.after(*next - now, [this] {
    timer_.reset();
    ask_due();
  });
}

const std::vector<IpAddress>& ExternalNames::known(const std::string& name) const {
  static const std::vector<IpAddress> kNone;
  const auto& names = environment_.catalog.records().external_names;
  const auto found = names.find(name);
  return found == names.end() ? kNone : found->second.addresses;
}

void ExternalNames::answered(const std::string& name, const Result<resolve::Answer>& answer) {
  const TimePoint now = environment_.clock.now();
  const std::uint64_t before = environment_.catalog.revision();  // an answer with the same addresses moves nothing
  const auto addresses =
      answer ? addresses_after(*answer, known(name), environment_.catalog.loopback()) : answer.error();
  if (addresses) {
    ++asked_.answered;
    if (const auto was = schedule_.succeeded(name, answer->ttl, now)) {
      log::info("external name resolves again", {{"name", name}, {"failed_for", now - was->since}});
    }
    // the last virtual destination with this name may have gone while the question was under way
    if (schedule_.knows(name)) environment_.catalog.set_external_name(name, {*addresses}, now);
  } else {
    ++(addresses.error().code() == Code::NotFound ? asked_.negative : asked_.unanswered);
    if (schedule_.failed(name, addresses.error(), now)) {
      log::warn("external name fails",
                {{"name", name}, {"reason", addresses.error()}, {"addresses_kept", known(name).size()}});
    }
  }
  ask_due();
  if (environment_.catalog.revision() != before) environment_.changed();
}

std::vector<std::string> ExternalNames::problems_of(const model::VirtualDestination& object) const {
  std::vector<std::string> out;
  for (const auto& external : object.external_endpoints) {
    const std::string& name = external.hostname;
    const auto failure = schedule_.failures().find(name);
    if (refused_.contains(name)) {
      out.push_back(name + " is in " + own_zone_of(name) + ", which is answered here: it is not resolved");
    } else if (failure != schedule_.failures().end()) {
      out.push_back(name + ": " + failure->second.error.message() +
                    (known(name).empty() ? "; it was never resolved" : "; its last good addresses are kept"));
    }
  }
  return out;
}

ExternalNames::Counts ExternalNames::counts() const {
  Counts out = asked_;
  for (const auto& [name, failure] : schedule_.failures()) ++(known(name).empty() ? out.missing : out.kept);
  out.refused = refused_.size();
  out.resolved = environment_.catalog.records().external_names.size() - out.kept;
  return out;
}

}  // namespace meshdns::external
