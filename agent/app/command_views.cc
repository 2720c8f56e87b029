#include "agent/app/command_views.h"

#include <fmt/format.h>

#include <vector>

#include "common/base/table.h"
#include "common/base/text.h"

namespace meshdns::agent::app {
namespace {

template <class Texts>
std::string joined(const Texts& texts) {
  return join({texts.begin(), texts.end()}, ", ");
}

std::string or_dash(const std::string& text) { return text.empty() ? "-" : text; }

std::string place_of(const v1::Locality& locality) {
  return fmt::format("{}/{}/{}", or_dash(locality.region()), or_dash(locality.zone()), or_dash(locality.cluster()));
}

std::string federation_text(const v1::AgentFederation& federation) {
  if (!federation.connected()) return federation.server() + ": not reached: " + federation.last_error();
  return fmt::format("{}: {}, {} unsent", federation.server(), federation.state(),
                     counted(federation.unsent(), "record"));
}

std::string drain_text(const v1::AgentDrain& drain) {
  const std::string end = drain.left().empty() ? "until undrain" : drain.left() + " left";
  return fmt::format("{} for {}, {}, {}: {}", drain.target().empty() ? "this node" : drain.target(), drain.for_(), end,
                     counted(drain.endpoints(), "endpoint"), drain.reason());
}

/// The lines above the tables of the status: a word, and what is to say about it.
class Lines {
 public:
  void add(const std::string& word, const std::string& what) { table_.add({word, what}); }
  /// Returns the lines without titles.
  std::string text() const {
    const std::string whole = table_.text();
    return whole.substr(whole.find('\n') + 1);
  }

 private:
  Table table_{{"", ""}};
};

void add_sources(const v1::AgentStatus& status, Lines& lines) {
  for (const auto& source : status.sources()) {
    lines.add("source", source.name() + (source.listed() ? ": read" : ": not all is read"));
    if (source.error().empty()) continue;
    for (const auto problem : split(source.error(), '\n')) lines.add("", "  " + std::string(problem));
  }
}

std::string endpoints_table(const v1::AgentStatus& status) {
  Table table({"ENDPOINT", "STATE", "FOR", "WHY"});
  for (const auto& endpoint : status.endpoints()) {
    std::string why = endpoint.why();
    if (!endpoint.refused().empty()) why += (why.empty() ? "" : "; ") + ("refused: " + endpoint.refused());
    table.add({endpoint.key(), endpoint.state() + (endpoint.in_doubt() ? ", in doubt" : ""), endpoint.for_(), why});
  }
  return table.empty() ? "no endpoints\n" : table.text();
}

std::string checks_table(const v1::AgentStatus& status) {
  Table table({"ENDPOINT", "CHECK", "AT", "RESULT", "TOOK", "AGO", "NEXT IN", "DETAIL"});
  for (const auto& check : status.checks()) {
    table.add({check.endpoint(), check.kind(), or_dash(check.address()), or_dash(check.result()),
               or_dash(check.latency()), or_dash(check.last_run()),
               check.next_run().empty() ? "running" : check.next_run(), check.detail()});
  }
  return table.empty() ? "no checks\n" : table.text();
}

}  // namespace

std::string changes_text(const v1::AgentChanges& changes) {
  std::string out;
  for (const auto& change : changes.changes()) out += change.target() + " " + change.what() + "\n";
  return out.empty() ? "nothing to change\n" : out;
}

std::string registrations_text(const v1::AgentRegistrations& registrations) {
  Table table({"ENDPOINT", "PORTS", "STATE", "WHY"});
  for (const auto& row : registrations.registrations()) {
    const std::string name = row.key().empty() ? row.namespace_() + "/" + row.service() : row.key();
    table.add(
        {name, or_dash(joined(row.ports())), or_dash(row.state()), row.problem().empty() ? row.why() : row.problem()});
  }
  const std::string problem = registrations.problem().empty() ? "" : registrations.problem() + "\n";
  return problem + (table.empty() ? "no registrations\n" : table.text());
}

std::string runs_text(const v1::AgentRuns& runs) {
  std::string out;
  for (const auto& run : runs.runs()) {
    out += run.endpoint() + " " + run.kind() + (run.address().empty() ? "" : " at " + run.address()) + "\n";
    if (!run.sent().empty()) out += "  asked  " + run.sent() + "\n";
    out += "  got    " + (run.result().empty() ? "no result yet" : run.result());
    if (!run.detail().empty()) out += ": " + run.detail();
    out += (run.latency().empty() ? "" : " (" + run.latency() + ")") + "\n";
  }
  return out;
}

std::string status_text(const v1::AgentStatus& status) {
  Lines lines;
  lines.add("node", fmt::format("{} at {}, {}, version {}", status.node(), place_of(status.locality()),
                                or_dash(joined(status.addresses())), status.version()));
  lines.add("federation", federation_text(status.federation()));
  for (const auto& event : status.events()) {
    const std::string detail = event.detail().empty() ? "" : ": " + event.detail();
    lines.add("events", event.name() + (event.on() ? " on" : " off") + detail);
  }
  add_sources(status, lines);
  for (const auto& drain : status.drains()) lines.add("drained", drain_text(drain));
  for (const auto& trouble : status.troubles()) lines.add("trouble", trouble);
  if (!status.reload_problem().empty()) lines.add("trouble", "the last reload failed: " + status.reload_problem());
  if (status.restart_needed_size() > 0) lines.add("restart", "needed for " + joined(status.restart_needed()));
  return lines.text() + "\n" + endpoints_table(status) + "\n" + checks_table(status);
}

}  // namespace meshdns::agent::app
