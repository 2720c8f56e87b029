#include "dnsd/ctl/lint_view.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "common/base/text.h"

namespace meshdns::ctl {
namespace {

struct Kind {
  v1::Finding::Severity severity;
  const char* one;
  const char* many;
};
constexpr std::array kKinds = {Kind{v1::Finding::ERROR, "error", "errors"},
                               Kind{v1::Finding::WARNING, "warning", "warnings"},
                               Kind{v1::Finding::ADVICE, "advice", "pieces of advice"}};

const char* name_of(v1::Finding::Severity severity) {
  const auto* kind = std::ranges::find(kKinds, severity, &Kind::severity);
  return kind == kKinds.end() ? "finding" : kind->one;
}

}  // namespace

std::string lint_view(const v1::LintReply& reply, const std::string& file) {
  std::string out;
  for (const v1::Finding& finding : reply.findings()) {
    out += (file.empty() ? "" : file + ": ") + finding.object() + ": " +
           (finding.path().empty() ? "" : finding.path() + ": ") + name_of(finding.severity()) + ": " +
           finding.message() + "\n";
  }
  std::vector<std::string> counts;
  for (const Kind& kind : kKinds) {
    const auto count = std::ranges::count(reply.findings(), kind.severity, &v1::Finding::severity);
    if (count > 0) counts.push_back(std::to_string(count) + " " + (count == 1 ? kind.one : kind.many));
  }
  return out + (counts.empty() ? "nothing found" : join(counts, ", ")) + " in " + std::to_string(reply.objects()) +
         (reply.objects() == 1 ? " object\n" : " objects\n");
}

}  // namespace meshdns::ctl
