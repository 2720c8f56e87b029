#include "agent/app/pushes.h"

#include <fmt/format.h>

#include <array>
#include <limits>
#include <string_view>
#include <utility>

#include "common/base/text.h"

namespace meshdns::agent::app {
namespace {

using health::Outcome;
using probes::SavedPush;

constexpr const char* kPushesHead =
    "# endpoint, state, when, detail: of `meshdns-agent push`; the agent replaces this file";
constexpr std::size_t kPushColumns = 4;

struct Word {
  Outcome outcome;
  std::string_view text;
};
constexpr std::array kWords = {Word{Outcome::Success, "up"}, Word{Outcome::Warning, "warn"},
                               Word{Outcome::Failure, "down"}};

std::string_view word_of(Outcome outcome) {
  for (const Word& word : kWords) {
    if (word.outcome == outcome) return word.text;
  }
  return kWords.back().text;
}

/// returns: nothing = the line is no push
std::optional<SavedPush> push_at(std::string_view line) {
  const auto columns = split(line, '\t');
  if (columns.size() != kPushColumns || columns[0].empty()) return std::nullopt;
  const auto at = parse_uint(columns[2]);
  if (!at || *at > std::numeric_limits<std::int64_t>::max() / 2) return std::nullopt;
  for (const Word& word : kWords) {
    if (word.text != columns[1]) continue;
    return SavedPush{std::string(columns[0]), word.outcome, std::string(columns[3]), static_cast<std::int64_t>(*at)};
  }
  return std::nullopt;
}

}  // namespace

std::string pushes_text(const std::vector<SavedPush>& pushes) {
  std::string out = std::string(kPushesHead) + "\n";
  for (const SavedPush& push : pushes) {
    out += fmt::format("{}\t{}\t{}\t{}\n", push.key, word_of(push.outcome), push.at_unix_millis, push.detail);
  }
  return out;
}

Result<std::vector<SavedPush>> read_pushes(const std::string& text) {
  std::vector<SavedPush> out;
  std::size_t number = 0;
  for (const auto line : split(text, '\n')) {
    ++number;
    if (line.empty() || line.starts_with('#')) continue;
    auto push = push_at(line);
    if (!push) return Error(Code::DataLoss, fmt::format("line {} is no push", number));
    out.push_back(*std::move(push));
  }
  return out;
}

Pushes::Pushes(const Clock& clock, Timers& timers, probes::PushBoard& board, std::string path)
    : clock_(clock), timers_(timers), board_(board), file_(std::move(path), "pushes") {}

Pushes::~Pushes() {
  if (!timer_) return;
  timers_.cancel(*timer_);
  save();
}

void Pushes::load() {
  file_.load([this](const std::string& text) -> Result<void> {
    const auto saved = read_pushes(text);
    if (!saved) return saved.error();
    board_.restore(*saved, clock_.now(), clock_.unix_millis());
    return {};
  });
}

void Pushes::push(const std::string& key, Outcome outcome, const std::string& detail) {
  const auto before = board_.last(key);
  board_.push(key, outcome, detail, clock_.now());
  save_in(before && before->outcome == outcome ? kRepeatDelay : kNewDelay);
}

void Pushes::save_in(Duration delay) {
  const TimePoint due = clock_.now() + delay;
  if (timer_ && due_ <= due) return;
  if (timer_) timers_.cancel(*timer_);
  due_ = due;
  timer_ = timers_.after(delay, [this] {
    timer_.reset();
    save();
  });
}

void Pushes::save() { file_.save(pushes_text(board_.snapshot(clock_.now(), clock_.unix_millis()))); }

}  // namespace meshdns::agent::app
