#include "dnsd/ctl/simulate_view.h"

#include <algorithm>
#include <vector>

#include "common/base/table.h"
#include "common/base/text.h"
#include "common/convert/object_convert.h"
#include "dnsd/ctl/clean.h"
#include "dnsd/ctl/explain_view.h"

namespace meshdns::ctl {
namespace {

constexpr int kMostPlaces = 3;  // places of clients that are named; further ones are counted

std::string target_text(const v1::OverrideSpec::Target& target) {
  if (!target.endpoint().empty()) return "endpoint=" + target.endpoint();
  if (!target.node().empty()) return "node=" + target.node();
  if (!target.service().empty()) return "service=" + target.service();
  return target.zone().empty() ? "cluster=" + target.cluster() : "zone=" + target.zone();
}

std::string indented(const std::string& title, std::string lines) {
  // replaces the title with which answer_lines() begins
  return title + lines.substr(title.size());
}

bool same_answer(const v1::ExplainReply& a, const v1::ExplainReply& b) {
  return std::ranges::equal(a.answer(), b.answer()) && a.answer_tier() == b.answer_tier() &&
         a.has_answer_tier() == b.has_answer_tier() && a.note() == b.note();
}

template <class Places>
std::string places_text(const Places& places, int most) {
  std::vector<std::string> first(places.begin(), places.begin() + std::min(most, places.size()));
  return join(first, ", ") + (places.size() > most ? " +" + std::to_string(places.size() - most) : "");
}

std::string after_text(const v1::HostChange& change) {
  if (!change.nothing_serves()) return change.answer().after();
  return change.answer().after() == "nothing" ? "NOTHING SERVES" : "NOTHING SERVES: " + change.answer().after();
}

}  // namespace

std::string supposition_text(const v1::SimulateRequest& request) {
  std::vector<std::string> words;
  if (request.clear()) words.emplace_back("no other override");
  for (const v1::OverrideSpec& spec : request.overrides()) {
    words.push_back(ascii_lower(spec.action()) + " " + target_text(spec.target()));
  }
  return join(words, ", ");
}

std::string simulation_view(const v1::SimulateRequest& request, const v1::SimulateReply& told) {
  const v1::SimulateReply reply = cleaned(told);
  const v1::ExplainReply& before = reply.before();
  std::string out = before.host() + " for " + before.client() + " in " + before.place() +
                    "   supposed: " + supposition_text(request) + "\n";
  out += indented("now      ", answer_lines(before));
  out += indented("then     ", answer_lines(reply.after()));
  if (same_answer(before, reply.after())) out += "         the same\n";
  if (!reply.after().answer().empty() && !reply.after().note().empty())
    out += "         " + reply.after().note() + "\n";
  if (reply.endpoints().empty()) return out + "\nno endpoint stands differently\n";
  Table table({"ENDPOINT", "WHERE", "NOW", "THEN", "WHY"});
  for (const v1::EndpointChange& change : reply.endpoints()) {
    table.add({change.endpoint(), change.where(), change.before(), change.after(), change.why()});
  }
  return out + "\n" + table.text();
}

std::string survey_view(const v1::SimulateRequest& request, const v1::SimulateReply& told) {
  const v1::SimulateReply reply = cleaned(told);
  std::string out =
      "supposed: " + supposition_text(request) + "   seen from " + places_text(reply.from(), kMostPlaces) + "\n";
  Table table({"HOST", "FROM", "NOW", "THEN"});
  for (const v1::HostChange& change : reply.hosts()) {
    table.add({change.host(), places_text(change.answer().from(), 1), change.answer().before(), after_text(change)});
  }
  if (!table.empty()) out += "\n" + table.text() + "\n";
  const auto shown = static_cast<std::uint32_t>(reply.hosts_size());
  if (reply.rows() > shown) out += "and " + counted(reply.rows() - shown, "row") + " more\n";
  return out + counted(reply.hosts_all(), "host") + ", " + std::to_string(reply.hosts_seen()) +
         " with endpoints there: the answers of " + std::to_string(reply.hosts_changed()) +
         " change, nothing serves of " + std::to_string(reply.hosts_empty()) + "\n";
}

}  // namespace meshdns::ctl
