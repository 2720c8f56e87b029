#include "agent/app/once.h"

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agent/app/probe_factory.h"
#include "agent/discovery/static_source.h"
#include "common/base/printable.h"
#include "common/base/table.h"

namespace meshdns::agent::app {
namespace {

using discovery::Discovered;
using health::Outcome;
using health::ProbeResult;

constexpr std::size_t kMostAtOnce = 64;

struct Row {
  std::string service;
  std::string address;
  std::string state = "serving";
  std::string why;
};

/// One address of an endpoint: the first of its family. Each has its own row in the table.
struct OneAddress {
  const Discovered& found;
  IpAddress address;
};

struct OneCheck {
  std::vector<std::size_t> rows;  // of the addresses for which it counts: their indices
  probes::Place place;
  const discovery::CheckSpec* spec;
  std::unique_ptr<probes::Probe> probe{};
  ProbeResult result{};

  bool is_of_another() const { return !probes::aliases_of(spec->what).empty(); }
};

/// Runs checks once, kMostAtOnce at a time.
class Round {
 public:
  Round(const ProbeParts& parts, std::vector<OneCheck*> checks)
      : loop_(parts.loop), parts_(parts), checks_(std::move(checks)) {}

  void run() {
    for (std::size_t i = 0; i < kMostAtOnce; ++i) start_next();
    if (checks_.empty()) return;
    loop_.run();
    loop_.restart();
  }

 private:
  void start_next() {
    if (next_ == checks_.size()) return;
    OneCheck& check = *checks_[next_++];
    check.probe = make_probe(parts_, check.place, *check.spec);
    check.probe->run(check.spec->settings.timeout, [this, &check](ProbeResult result) {
      check.result = std::move(result);
      if (++ended_ == checks_.size()) loop_.stop();
      start_next();
    });
  }

  process::EventLoop& loop_;
  ProbeParts parts_;
  std::vector<OneCheck*> checks_;
  std::size_t next_ = 0;
  std::size_t ended_ = 0;
};

/// Adds the result of one check to its row. One failure makes the row failing; an Unknown result says nothing about the
/// endpoint, so any failure wins over it. A success may have a note.
void add_result(Row& row, const ProbeResult& result) {
  if (row.state == "failing") return;
  if (is_success(result.outcome)) {
    if (row.why.empty()) row.why = result.detail;  // of a warning
    return;
  }
  row.state = result.outcome == Outcome::Unknown ? "unknown" : "failing";
  row.why = result.detail;
}

std::vector<OneAddress> addresses_of(const std::vector<Discovered>& endpoints) {
  std::vector<OneAddress> out;
  for (const auto& found : endpoints) {
    for (const IpAddress& address : model::first_of_each_family(found.endpoint.addresses)) {
      out.push_back({found, address});
    }
  }
  return out;
}

/// Returns the checks of all addresses. A check that is made once for an endpoint counts for each of its addresses.
std::vector<OneCheck> checks_of(const std::vector<OneAddress>& addresses) {
  std::vector<OneCheck> out;
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    const auto& [found, address] = addresses[i];
    const bool is_first = i == 0 || &addresses[i - 1].found != &found;
    const bool has_second = i + 1 < addresses.size() && &addresses[i + 1].found == &found;
    const probes::Place place{found.key, found.endpoint.namespace_, found.endpoint.service, address};
    for (const auto& spec : found.checks) {
      const bool once = !probes::is_per_family(spec.what);
      if (once && !is_first) continue;
      std::vector<std::size_t> rows = {i};
      if (once && has_second) rows.push_back(i + 1);
      out.push_back({std::move(rows), place, &spec});
    }
  }
  return out;
}

std::vector<Row> rows_of(const std::vector<OneAddress>& addresses) {
  std::vector<Row> rows;
  for (const auto& [found, address] : addresses) {
    const SocketAddress where{address, found.endpoint.ports.front().number};
    rows.push_back({.service = found.endpoint.namespace_ + "/" + found.endpoint.service, .address = where.text()});
  }
  return rows;
}

/// Sets the health of the services, as far as it does not depend on others.
void put_health(const std::vector<OneAddress>& addresses, const std::vector<Row>& rows,
                const std::vector<OneCheck>& checks, probes::ServiceBoard& services) {
  std::set<std::size_t> waiting;
  for (const OneCheck& check : checks) {
    if (check.is_of_another()) waiting.insert(check.rows.begin(), check.rows.end());
  }
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    const auto& [found, address] = addresses[i];
    model::Health health{.state = model::HealthState::Pending, .detail = rows[i].why};
    if (rows[i].state == "serving" && !waiting.contains(i)) health.state = model::HealthState::Serving;
    if (rows[i].state == "failing") health.state = model::HealthState::Failing;
    services.put(found.key + " " + address.text(), {found.endpoint.namespace_, found.endpoint.service}, health);
  }
}

/// Makes the checks, those of other services last, and fills in the rows.
void run_checks(const ProbeParts& parts, const std::vector<OneAddress>& addresses, std::vector<Row>& rows) {
  std::vector<OneCheck> checks = checks_of(addresses);
  for (const bool of_others : {false, true}) {
    std::vector<OneCheck*> now;
    for (OneCheck& check : checks) {
      if (check.is_of_another() == of_others) now.push_back(&check);
    }
    Round(parts, now).run();
    for (const OneCheck* check : now) {
      for (const std::size_t row : check->rows) add_result(rows[row], check->result);
    }
    if (!of_others) put_health(addresses, rows, checks, parts.services);
  }
}

void print(const std::vector<Row>& rows, std::ostream& out) {
  Table table({"NAMESPACE/SERVICE", "ADDRESS", "STATE", "WHY"});
  for (const Row& row : rows) table.add({printable(row.service), row.address, row.state, printable(row.why)});
  out << table.text();
}

}  // namespace

int once(process::EventLoop& loop, const Clock& clock, const Configuration& configuration, std::ostream& out) {
  discovery::StaticSource source(configuration.directory, {configuration.node.addresses});
  source.refresh();
  const auto addresses = addresses_of(source.endpoints());
  std::vector<Row> rows = rows_of(addresses);
  probes::PushBoard pushes;
  probes::ServiceBoard services;
  const probes::ProgramRules programs = configuration.programs();
  probes::UnitStates units(loop);
  probes::TlsClient tls;
  probes::GrpcChannels grpc(loop);
  run_checks({loop, clock, pushes, services, tls, grpc, programs, units}, addresses, rows);
  print(rows, out);
  const bool clean = std::ranges::all_of(source.files(), [](const auto& file) { return file.error.empty(); });
  return source.listed() && clean ? 0 : 1;
}

}  // namespace meshdns::agent::app
