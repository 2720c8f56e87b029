#include "dnsd/topology/words.h"

#include <algorithm>
#include <tuple>

namespace meshdns::topology {
namespace {

/// "by alice: new kernel"
std::string said_by(const model::Override& word) {
  return (word.author.empty() ? "" : "by " + word.author) + (word.author.empty() ? "" : ": ") + word.reason;
}

}  // namespace

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
  candidate.known = true;
  switch (word.action) {
    case model::Action::Down:
      candidate.standing = Standing::Out;
      candidate.why = "forced down " + said_by(word);
      break;
    case model::Action::Drain:  // what is worse stays as it is
      candidate.standing = std::max(candidate.standing, Standing::Draining);
      candidate.known = candidate.standing != Standing::Out;
      if (candidate.standing == Standing::Draining) candidate.why = said_by(word);
      break;
    case model::Action::Up:
      candidate.standing = Standing::Serving;
      candidate.why = "forced up " + said_by(word);
      break;
    case model::Action::Freeze: return;
  }
  candidate.in_doubt = false;
}

}  // namespace meshdns::topology
