#include "common/log/audit.h"

#include <fmt/format.h>

#include <utility>

#include "common/base/printable.h"
#include "common/base/utf8.h"
#include "common/log/log.h"
#include "common/time/time_text.h"

namespace meshdns::log {
namespace {

constexpr const char* kOthers = "others";  // the identities beyond kMostIdentities

/// Calls a function with the fields of a record.
template <class F>
auto with_fields(const AuditRecord& record, F use) {
  return use({{"who", record.entry.who},
              {"from", record.entry.from},
              {"verb", record.entry.verb},
              {"objects", record.entry.objects},
              {"revision", record.revision},
              {"outcome", record.outcome()}});
}

/// Returns one line with one JSON object, in the form of the log's lines (log::Format::Json).
std::string json_line(const AuditRecord& record) {
  std::string time = time_text(record.unix_millis / 1000);
  time.insert(time.size() - 1, fmt::format(".{:03}", record.unix_millis % 1000));  // before the Z
  const auto rest = with_fields(record, [](Fields fields) { return json_text("audit", fields); });
  return "{\"time\":\"" + time + "\"," + rest + "}\n";
}

std::string missing_line(std::uint64_t count) {
  return "{" + json_text("audit lines are missing", {{"count", count}}) + "}\n";
}

/// Shortens a text, and makes it one line of valid UTF-8.
void tidy(std::string& text) { text = printable(utf8_prefix(text, Audit::kLongestText)); }

}  // namespace

std::string AuditRecord::outcome() const { return entry.refused.empty() ? "ok" : "refused: " + entry.refused; }

Audit::Audit(const Clock& clock, Timers& timers, std::function<std::uint64_t()> revision)
    : clock_(clock), timers_(timers), revision_(std::move(revision)) {}

Audit::~Audit() {
  if (timer_) timers_.cancel(*timer_);
}

void Audit::note(AuditEntry entry) {
  look_later();
  for (std::string* text : {&entry.who, &entry.from, &entry.verb, &entry.objects, &entry.refused}) tidy(*text);
  if (!admits(entry.share.empty() ? entry.who : entry.share)) return;
  const AuditRecord record{std::move(entry), clock_.unix_millis(), revision_()};
  const Level level = record.entry.refused.empty() ? Level::Info : Level::Warn;
  with_fields(record, [level](Fields fields) { log::write(level, "audit", fields); });
  if (file_) file_->put(json_line(record));
  kept_.push_back(record);
  if (kept_.size() > kMostKept) kept_.pop_front();
}

bool Audit::admits(const std::string& who) {
  const TimePoint now = clock_.now();
  if (!rations_.contains(who) && rations_.size() >= kMostIdentities) {
    std::erase_if(rations_,
                  [now](const auto& entry) { return entry.second.is_over(now) && entry.second.left_out() == 0; });
  }
  const bool apart = rations_.contains(who) || rations_.size() < kMostIdentities;
  const std::string key = apart ? who : kOthers;
  return rations_.try_emplace(key, "audit of " + key, kLines, kInterval).first->second.admits(now);
}

void Audit::look_later() {
  if (timer_) return;
  timer_ = timers_.after(kInterval, [this] {
    timer_.reset();
    look();
  });
}

void Audit::look() {
  const TimePoint now = clock_.now();
  bool left_out = false;
  for (auto& [who, ration] : rations_) {
    ration.look(now);
    left_out = left_out || ration.left_out() > 0;
  }
  if (left_out) look_later();
  const std::uint64_t lost_before = std::exchange(lost_seen_, lost());
  if (file_) set_failing(!opened_ || lost_seen_ > lost_before, path_ + ": entries were lost, is the disk full?");
}

void Audit::set_failing(bool failing, const std::string& problem) {
  if (std::exchange(failing_, failing) == failing) return;
  if (failing) {
    log::warn("audit file cannot be written", {{"problem", problem}});
  } else {
    log::info("audit file is written again", {{"file", path_}, {"lost", lost()}});
  }
}

void Audit::write_to(const std::string& path) {
  if (path != path_ && file_) {
    gone_ += file_->lost();
    file_.reset();
    failing_ = false;
  }
  path_ = path;
  if (path.empty()) return;
  if (!file_) file_.emplace(missing_line);
  const auto opened = file_->open(path);
  opened_ = opened.has_value();
  set_failing(!opened_, opened_ ? "" : opened.error().message());
}

}  // namespace meshdns::log
