#include "dnsd/store/store_contents.h"

#include <algorithm>

#include "common/base/text.h"
#include "dnsd/store/rows.h"
#include "dnsd/store/schema.h"
#include "dnsd/store/store_file.h"

namespace meshdns::store {
namespace {

constexpr std::string_view kEpoch = "epoch";
constexpr std::string_view kLost = "lost";
constexpr std::string_view kWritten = "written";  // "<transactions> <of objects>"

Result<std::uint64_t> read_epoch(Database& database) {
  const auto text = read_meta(database, kEpoch);
  if (!text) return text.error();
  return *text ? parse_uint(**text).value_or(0) : 0;
}

Result<Written> read_written(Database& database) {
  const auto text = read_meta(database, kWritten);
  if (!text) return text.error();
  if (!*text) return Written{};
  return written_of(**text);
}

Result<void> write_beginning(Database& database, const Beginning& beginning) {
  if (auto done = migrate(database, 0, schema_steps()); !done) return done;
  auto transaction = Transaction::begin(database);
  if (!transaction) return transaction.error();
  if (auto done = begin_objects(database); !done) return done;
  if (auto done = write_objects(database, beginning.objects, {}); !done) return done;
  if (auto done = write_epoch(database, beginning.epoch); !done) return done;
  if (!beginning.lost.empty()) {
    if (auto done = write_meta(database, kLost, beginning.lost); !done) return done;
  }
  return transaction->commit();
}

}  // namespace

std::string written_text(const Written& written) {
  return std::to_string(written.transactions) + " " + std::to_string(written.of_objects);
}

Written written_of(std::string_view text) {
  const auto fields = split(text, ' ');
  if (fields.size() != 2) return {};
  return {parse_uint(fields[0]).value_or(0), parse_uint(fields[1]).value_or(0)};
}

Result<Contents> read_contents(Database& database) {
  Contents contents;
  auto epoch = read_epoch(database);
  if (!epoch) return epoch.error();
  auto lost = read_meta(database, kLost);
  if (!lost) return lost.error();
  auto written = read_written(database);
  if (!written) return written.error();
  auto objects = read_objects(database);
  if (!objects) return objects.error();
  auto records = read_records(database);
  if (!records) return records.error();
  contents.epoch = *epoch;
  contents.stored_epoch = *epoch;
  contents.written = *written;
  contents.rebuilt = lost->has_value();
  contents.note = lost->value_or("");
  contents.objects = std::move(*objects);
  contents.records = std::move(*records);
  return contents;
}

Result<void> check_pages(Database& database) {
  const auto verdict = database.text("PRAGMA quick_check(1)");
  if (!verdict) return verdict.error();
  if (*verdict != "ok") return Error{Code::DataLoss, std::string(trim(*verdict))};
  return {};
}

Result<void> write_epoch(Database& database, std::uint64_t epoch) {
  return write_meta(database, kEpoch, std::to_string(epoch));
}

Result<void> write_written(Database& database, const Written& written) {
  return write_meta(database, kWritten, written_text(written));
}

Result<void> erase_lost(Database& database) { return erase_meta(database, kLost); }

Result<void> begin_file(const std::string& path, const Beginning& beginning) {
  const std::string made = path + ".new";
  if (auto done = make_private_file(made); !done) return done;
  const auto write = [&]() -> Result<void> {
    auto database = Database::open(made, Database::Access::Write);
    if (!database) return database.error();
    return write_beginning(*database, beginning);
  };
  if (auto done = write(); !done) {
    remove_file(made);
    return done;
  }
  return publish_file(made, path);
}

Salvage salvage(const std::string& path) {
  Salvage found;
  auto database = Database::open(path, Database::Access::Read);
  if (!database) return found;
  found.epoch = read_epoch(*database).value_or(0);
  if (auto objects = read_objects(*database)) found.objects = std::move(*objects);
  return found;
}

}  // namespace meshdns::store
