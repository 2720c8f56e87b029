#include "agent/app/once.h"

#include <algorithm>
#include <memory>
#include <string>
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
  std::size_t at;  // index of the address in the list
  discovery::CheckSpec spec;
  std::unique_ptr<probes::Probe> probe;
  ProbeResult result;
};

/// Runs all checks once, kMostAtOnce at a time.
class Round {
 public:
  Round(process::EventLoop& loop, const Configuration& configuration, const std::vector<OneAddress>& addresses)
      : loop_(loop), programs_(configuration.programs()), units_(loop), addresses_(addresses) {
    for (std::size_t i = 0; i < addresses.size(); ++i) {
      for (const auto& spec : addresses[i].found.checks) checks_.push_back({i, spec, nullptr, {}});
    }
  }

  const std::vector<OneCheck>& run() {
    for (std::size_t i = 0; i < kMostAtOnce; ++i) start_next();
    if (!checks_.empty()) loop_.run();
    return checks_;
  }

 private:
  void start_next() {
    if (next_ == checks_.size()) return;
    OneCheck& check = checks_[next_++];
    check.probe = make_probe({loop_, programs_, units_}, addresses_[check.at].address, check.spec);
    check.probe->run(check.spec.settings.timeout, [this, &check](ProbeResult result) {
      check.result = std::move(result);
      if (++ended_ == checks_.size()) loop_.stop();
      start_next();
    });
  }

  process::EventLoop& loop_;
  probes::ProgramRules programs_;
  probes::UnitStates units_;
  const std::vector<OneAddress>& addresses_;
  std::vector<OneCheck> checks_;
  std::size_t next_ = 0;
  std::size_t ended_ = 0;
};

/// Adds the result of one check to its row. One failure makes the row failing; an Unknown result says nothing about the
/// endpoint, so any failure wins over it.
void add_result(Row& row, const ProbeResult& result) {
  if (result.outcome == Outcome::Success || row.state == "failing") return;
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

std::vector<Row> rows_of(const std::vector<OneAddress>& addresses, const std::vector<OneCheck>& checks) {
  std::vector<Row> rows;
  for (const auto& [found, address] : addresses) {
    const SocketAddress where{address, found.endpoint.ports.front().number};
    rows.push_back({.service = found.endpoint.namespace_ + "/" + found.endpoint.service, .address = where.text()});
  }
  for (const auto& check : checks) add_result(rows[check.at], check.result);
  return rows;
}

void print(const std::vector<Row>& rows, std::ostream& out) {
  Table table({"NAMESPACE/SERVICE", "ADDRESS", "STATE", "WHY"});
  for (const Row& row : rows) table.add({printable(row.service), row.address, row.state, printable(row.why)});
  out << table.text();
}

}  // namespace

int once(process::EventLoop& loop, const Configuration& configuration, std::ostream& out) {
  discovery::StaticSource source(configuration.directory, {configuration.node.addresses});
  source.refresh();
  const auto addresses = addresses_of(source.endpoints());
  Round round(loop, configuration, addresses);
  print(rows_of(addresses, round.run()), out);
  const bool clean = std::ranges::all_of(source.files(), [](const auto& file) { return file.error.empty(); });
  return source.listed() && clean ? 0 : 1;
}

}  // namespace meshdns::agent::app
