#include "dnsd/snapshot_file/kept_answers.h"

#include <array>
#include <cstring>
#include <utility>

#include "common/log/log.h"
#include "dnsd/answers/table_bytes.h"

namespace meshdns::snapshot_file {
namespace {

// The bytes of the TableSource, which is before the table.
constexpr std::size_t kSource = sizeof(TableSource);
static_assert(kSource == 3 * sizeof(std::uint64_t));

}  // namespace

KeptAnswers::Found KeptAnswers::load(const TableSource& source, answers::Base base, Duration stale_after) const {
  Found out;
  const auto loaded = file_.load(clock_.unix_seconds());
  for (const std::string& problem : loaded.problems) log::error("compiled answers damaged", {{"problem", problem}});
  if (!loaded.problems.empty()) out.outcome = Outcome::Damaged;
  if (!loaded.content) return out;
  TableSource kept;
  if (loaded.content->size() < kSource) return {Outcome::Damaged, nullptr, {}};
  std::memcpy(&kept, loaded.content->data(), kSource);
  if (kept != source || !source.known()) return {Outcome::Other, nullptr, {}};
  const std::string_view bytes = std::string_view(*loaded.content).substr(kSource);
  auto table = answers::kept_table_of(bytes, base.settings.zones.size(), clock_.now(), loaded.age);
  if (!table) {
    log::error("compiled answers damaged", {{"problem", table.error().message()}});
    return {Outcome::Damaged, nullptr, {}};
  }
  table->stale = loaded.age > stale_after;
  out.table = answers::restore(std::move(*table), std::move(base));
  out.outcome = out.table == nullptr ? Outcome::Other : Outcome::Taken;
  out.age = loaded.age;
  return out;
}

Result<void> KeptAnswers::save(const TableSource& source, const answers::AnswerTable& table) const {
  std::array<char, kSource> head{};
  std::memcpy(head.data(), &source, kSource);
  return file_.save(answers::bytes_of(table, clock_.now(), {head.data(), head.size()}), clock_.unix_seconds());
}

std::string_view outcome_name(KeptAnswers::Outcome outcome) {
  switch (outcome) {
    case KeptAnswers::Outcome::Missing: return "missing";
    case KeptAnswers::Outcome::Damaged: return "damaged";
    case KeptAnswers::Outcome::Other: return "other";
    case KeptAnswers::Outcome::Taken: return "taken";
  }
  return "";
}

}  // namespace meshdns::snapshot_file
