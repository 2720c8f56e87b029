#include "dnsd/store/schema.h"

#include <array>

#include "dnsd/store/rows.h"

namespace meshdns::store {
namespace {

constexpr std::array kSteps = {
    R"sql(
      CREATE TABLE meta(name TEXT PRIMARY KEY, value BLOB NOT NULL, hash INTEGER NOT NULL) WITHOUT ROWID;
      CREATE TABLE objects(key TEXT PRIMARY KEY, body BLOB NOT NULL, hash INTEGER NOT NULL) WITHOUT ROWID;
      CREATE TABLE records(type TEXT NOT NULL, key TEXT NOT NULL, body BLOB NOT NULL, unix_seconds INTEGER NOT NULL,
                           hash INTEGER NOT NULL, PRIMARY KEY(type, key)) WITHOUT ROWID;
    )sql",
    "ALTER TABLE records ADD COLUMN digest INTEGER NOT NULL DEFAULT 0",
};

// kept in `meta` as well as in user_version, so that a flipped bit in the header is not taken for a newer schema
constexpr std::string_view kSchemaName = "schema";

/// Returns the schema in `meta`; nothing = there is none, or it cannot be read.
std::optional<std::string> version_in_meta(Database& database) {
  auto value = read_meta(database, kSchemaName);
  return value ? *value : std::nullopt;
}

Result<void> run_step(Database& database, int to, const char* sql) {
  auto transaction = Transaction::begin(database);
  if (!transaction) return transaction.error();
  if (auto done = database.execute(sql); !done) return done;
  if (auto done = write_meta(database, kSchemaName, std::to_string(to)); !done) return done;
  if (auto done = database.execute("PRAGMA user_version=" + std::to_string(to)); !done) return done;
  return transaction->commit();
}

}  // namespace

std::span<const char* const> schema_steps() { return kSteps; }

Result<int> check_schema(Database& database, std::span<const char* const> steps) {
  const bool permitted = !database.read_only();
  const auto version = database.number("PRAGMA user_version");
  if (!version) return version.error();
  if (permitted && database.read_only()) return Error{Code::DataLoss, "the header is damaged (write version)"};
  const auto known = static_cast<std::int64_t>(steps.size());
  const auto in_meta = version_in_meta(database);
  if (in_meta && *in_meta != std::to_string(*version)) return Error{Code::DataLoss, "the header is damaged (schema)"};
  if (*version > known) {
    return Error{Code::FailedPrecondition, "was written by a newer meshdnsd (schema " + std::to_string(*version) +
                                               ", this one knows " + std::to_string(known) + ")"};
  }
  if (in_meta) return static_cast<int>(*version);
  const auto tables = database.number("SELECT count(*) FROM sqlite_schema WHERE name IN ('meta', 'objects')");
  if (tables && *tables == 0 && *version == 0) {
    const auto others = database.number("SELECT count(*) FROM sqlite_schema");
    if (others && *others > 0) return Error{Code::FailedPrecondition, "is a database, but not of meshdnsd"};
  }
  return Error{Code::DataLoss, "does not tell its schema"};
}

Result<void> migrate(Database& database, int from, std::span<const char* const> steps) {
  for (auto step = static_cast<std::size_t>(from); step < steps.size(); ++step) {
    const int to = static_cast<int>(step) + 1;
    if (auto done = run_step(database, to, steps[step]); !done) {
      return done.error().with_context("schema " + std::to_string(to));
    }
  }
  return {};
}

}  // namespace meshdns::store
