#include "dnsd/ctl/history_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "common/base/text.h"
#include "common/convert/report_convert.h"
#include "common/time/duration_text.h"
#include "common/time/time_text.h"
#include "dnsd/ctl/clean.h"

namespace meshdns::ctl {
namespace {

constexpr int kMostPlaces = 3;  // places that are named; further ones are counted

std::string state_text(const std::string& state, const char* without) { return state.empty() ? without : state; }

std::string endpoint_line(const v1::EndpointChange& change) {
  return "  " + change.endpoint() + "  " + change.where() + "  " + state_text(change.before(), "new") + " -> " +
         state_text(change.after(), "gone") + (change.why().empty() ? "" : "  (" + change.why() + ")") + "\n";
}

std::string answer_lines(const v1::AnswerChange& change) {
  const auto& from = change.from();
  std::vector<std::string> first(from.begin(), from.begin() + std::min(kMostPlaces, from.size()));
  std::string who = join(first, ", ");
  if (from.size() > kMostPlaces) who += " +" + std::to_string(from.size() - kMostPlaces);
  return "  clients in " + who + "\n    before  " + change.before() + "\n    after   " + change.after() + "\n";
}

std::string exact_time(std::int64_t unix_seconds, std::uint32_t millis) {
  std::string at = time_text(unix_seconds);
  at.insert(at.size() - 1, fmt::format(".{:03}", millis));  // before the Z
  return at;
}

}  // namespace

std::string event_view(const v1::Event& told) {
  const v1::Event event = cleaned(told);
  std::string out = exact_time(event.at(), event.at_millis()) + "  " + age_text(convert::from_wire(event.age())) +
                    " ago  " + (event.host().empty() ? "" : event.host() + "  ") + "revision " +
                    std::to_string(event.revision()) + (event.summary().empty() ? "" : ": " + event.summary()) + "\n";
  for (const v1::EndpointChange& change : event.endpoints()) out += endpoint_line(change);
  for (const v1::AnswerChange& change : event.answers()) out += answer_lines(change);
  return out;
}

std::string change_view(const v1::Change& told) {
  const v1::Change change = cleaned(told);
  return fmt::format("{}  {} from {}  {}  {}  revision {}  {}\n", exact_time(change.at(), change.at_millis()),
                     change.who(), change.from(), change.verb(), change.objects().empty() ? "-" : change.objects(),
                     change.revision(), change.outcome());
}

}  // namespace meshdns::ctl
