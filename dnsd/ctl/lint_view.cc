#include "dnsd/ctl/lint_view.h"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "common/base/text.h"
#include "dnsd/ctl/clean.h"

namespace meshdns::ctl {
namespace {

// Up to this number, equal findings of different hosts have a line each; more of them share one line.
constexpr std::size_t kMostAlike = 3;

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

/// Returns the text with "*" for the words that differ between hosts: numbers, names and addresses.
std::string pattern_of(const std::string& text) {
  std::vector<std::string> words;
  for (const std::string_view word : split(text, ' ')) {
    const std::string_view within = word.substr(0, word.empty() ? 0 : word.size() - 1);  // a dot may end a sentence
    const bool is_name = word.find_first_of("0123456789") != std::string_view::npos ||
                         within.find_first_of("./") != std::string_view::npos;
    words.emplace_back(is_name ? "*" : word);
  }
  return join(words, " ");
}

/// Returns the path without its index: "spec.hosts" for "spec.hosts[17]".
std::string field_of(const std::string& path) { return path.substr(0, path.find('[')); }

/// Equal findings of different hosts.
using Alike = std::vector<const v1::Finding*>;

/// Groups equal findings. Refers to the reply, which must outlive this.
class Groups {
 public:
  explicit Groups(const v1::LintReply& reply) {
    for (const v1::Finding& finding : reply.findings()) groups_[key_of(finding)].push_back(&finding);
  }
  const Alike& of(const v1::Finding& finding) const { return groups_.at(key_of(finding)); }

 private:
  using Key = std::tuple<int, std::string, std::string>;
  static Key key_of(const v1::Finding& finding) {
    return {static_cast<int>(finding.severity()), field_of(finding.path()), pattern_of(finding.message())};
  }

  std::map<Key, Alike> groups_;
};

std::string severity_and_message(const v1::Finding& finding) {
  return std::string(name_of(finding.severity())) + ": " + finding.message() + "\n";
}

std::string line_of(const v1::Finding& finding) {
  return finding.object() + ": " + (finding.path().empty() ? "" : finding.path() + ": ") +
         severity_and_message(finding);
}

/// Returns one line for a group: the first names, the number of further ones, and the text of the first finding.
std::string line_of(const Alike& alike) {
  const v1::Finding& first = *alike.front();
  const bool one_object =
      std::ranges::all_of(alike, [&](const v1::Finding* finding) { return finding->object() == first.object(); });
  std::vector<std::string> names;
  for (const v1::Finding* finding : alike) {
    if (names.size() < kMostAlike) names.push_back(one_object ? finding->path() : finding->object());
  }
  std::string out = (one_object ? first.object() + ": " : "") + join(names, ", ") + " and " +
                    std::to_string(alike.size() - kMostAlike) + " more: ";
  if (!one_object && !first.path().empty()) out += field_of(first.path()) + ": ";
  return out + severity_and_message(first);
}

}  // namespace

std::string lint_view(const v1::LintReply& told, const std::string& file) {
  const v1::LintReply reply = cleaned(told);
  const std::string begin = file.empty() ? "" : file + ": ";
  std::string out;
  const Groups groups(reply);
  for (const v1::Finding& finding : reply.findings()) {
    const Alike& alike = groups.of(finding);
    if (alike.size() <= kMostAlike) {
      out += begin + line_of(finding);
    } else if (alike.front() == &finding) {
      out += begin + line_of(alike);
    }
  }
  std::vector<std::string> counts;
  for (const Kind& kind : kKinds) {
    const auto count = std::ranges::count(reply.findings(), kind.severity, &v1::Finding::severity);
    if (count > 0) counts.push_back(std::to_string(count) + " " + (count == 1 ? kind.one : kind.many));
  }
  return out + (counts.empty() ? "nothing found" : join(counts, ", ")) + " in " + counted(reply.objects(), "object") +
         "\n";
}

}  // namespace meshdns::ctl
