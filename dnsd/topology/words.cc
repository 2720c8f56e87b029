#include "dnsd/topology/words.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace meshdns::topology {
namespace {

/// Returns who has written an override, and why.
/// "by alice: new kernel", "locally by alice: new kernel"
std::string said_by(const model::Override& word) {
  std::string who = word.author.empty() ? "" : "by " + word.author;
  if (is_local(word)) who = who.empty() ? "locally" : "locally " + who;
  return who + (who.empty() ? "" : ": ") + word.reason;
}

}  // namespace

bool is_local(const model::Override& word) { return word.meta.manager == kLocalManager; }

bool is_over(const model::Override& word, std::int64_t unix_seconds) {
  return word.expires != 0 && word.expires <= unix_seconds;
}

std::vector<std::string> expired(const Overrides& overrides, std::int64_t unix_seconds) {
  std::vector<std::string> out;
  for (const auto& [key, word] : overrides) {
    if (is_over(word, unix_seconds)) out.push_back(key);
  }
  return out;
}

const model::Override* freeze_among(const Overrides& overrides) {
  const model::Override* first = nullptr;
  for (const auto& [name, word] : overrides) {
    if (word.action != model::Action::Freeze) continue;
    if (first == nullptr || word.meta.created < first->meta.created) first = &word;
  }
  return first;
}

std::string frozen_text(const Overrides& overrides) {
  const model::Override* freeze = freeze_among(overrides);
  return freeze == nullptr ? "" : said_by(*freeze);
}

const model::Override* word_for(const Overrides& overrides, const model::TargetSubject& subject) {
  const model::Override* best = nullptr;
  const auto rank = [](const model::Override& word) { return std::make_tuple(word.target.kind, word.action); };
  for (const auto& [name, word] : overrides) {
    if (word.action == model::Action::Freeze || (best != nullptr && rank(*best) <= rank(word))) continue;
    if (hits(word.target, subject)) best = &word;
  }
  return best;
}

void obey(const model::Override& word, Candidate& candidate) {
  const Standing before = candidate.standing;
  switch (word.action) {
    case model::Action::Down:
      candidate.standing = Standing::Out;
      candidate.why = "forced down " + said_by(word);
      break;
    case model::Action::Drain:  // draining is better than silent or failing: those stay
      candidate.standing = std::max(candidate.standing, Standing::Draining);
      if (candidate.standing == Standing::Draining) candidate.why = said_by(word);
      break;
    case model::Action::Up:
      candidate.standing = Standing::Serving;
      candidate.known = true;
      if (candidate.out) (candidate.out->is_v4() ? candidate.v4 : candidate.v6) = std::exchange(candidate.out, {});
      candidate.why = "forced up " + said_by(word);
      break;
    case model::Action::Freeze: return;
  }
  candidate.in_doubt = false;
  // an override that changes nothing leaves the time, too: the endpoint stood like this before it
  if (candidate.standing != before) candidate.said_at = word.meta.created;
}

}  // namespace meshdns::topology
