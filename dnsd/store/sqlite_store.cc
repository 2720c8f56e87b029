#include "dnsd/store/sqlite_store.h"

#include <algorithm>

#include "dnsd/store/rows.h"
#include "dnsd/store/schema.h"
#include "dnsd/store/store_contents.h"
#include "dnsd/store/store_file.h"

namespace meshdns::store {
namespace {

constexpr const char* kDurable = "FULL";
constexpr const char* kLazy = "NORMAL";
// The log is written into the file when it has this many pages (of 4 KiB), and is cut to `kLogLimit` bytes when it
// begins again. Changes are spread over the whole file: the longer the log, the more changes share one page write.
constexpr const char* kLogPages = "4000";
constexpr const char* kLogLimit = "16777216";
constexpr const char* kCacheKibibytes = "16384";

/// A file that opens but does not fit our statements is as damaged as one that does not open.
Error on_opening(const Error& error) {
  return error.code() == Code::Internal ? Error{Code::DataLoss, error.message()} : error;
}

void add_note(Contents& contents, const std::string& note) {
  contents.note += (contents.note.empty() ? "" : "; ") + note;
}

bool is_full_or_refused(const Error& error) {
  return error.code() == Code::Unavailable || error.code() == Code::ResourceExhausted;
}

/// Makes the connection ready for writing, and returns the content.
Result<Contents> prepare(Database& database) {
  const auto version = check_schema(database, schema_steps());
  if (!version) return version.error();
  if (auto done = check_pages(database); !done) return done.error();
  if (auto mode = database.text("PRAGMA journal_mode=WAL"); !mode) return mode.error();
  const std::string sizes = std::string("PRAGMA journal_size_limit=") + kLogLimit +
                            ";PRAGMA wal_autocheckpoint=" + kLogPages + ";PRAGMA cache_size=-" + kCacheKibibytes;
  if (auto done = database.execute(sizes); !done) return done.error();
  if (auto done = migrate(database, *version, schema_steps()); !done) return done.error();
  return read_contents(database);
}

}  // namespace

Result<Contents> SqliteStore::open(std::int64_t unix_seconds) {
  opened_at_ = unix_seconds;
  database_.reset();
  existed_ = false;
  auto contents = load();
  if (!contents) return described(contents.error());
  epoch_ = std::max(contents->epoch, static_cast<std::uint64_t>(std::max<std::int64_t>(unix_seconds, 0))) + 1;
  contents->epoch = epoch_;
  transactions_ = contents->written.transactions;
  of_objects_ = contents->written.of_objects;
  if (!database_) return contents;
  const auto stored = write(Kind::Opening, [](Database&) -> Result<void> { return {}; });
  if (stored) return contents;
  add_note(*contents, stored.error().message());
  // damage was found between reading and writing: a new file was begun, which takes the objects that were read
  if (stored.error().code() != Code::DataLoss) return contents;
  if (auto again = put_objects(contents->objects, {}); !again) add_note(*contents, again.error().message());
  return contents;
}

Result<void> SqliteStore::put_objects(const std::vector<StoredObject>& put, const std::vector<std::string>& erase) {
  return write(Kind::Objects, [&](Database& database) -> Result<void> {
    if (auto done = erase_lost(database); !done) return done;
    return write_objects(database, put, erase);
  });
}

Result<void> SqliteStore::put_records(const std::vector<StoredRecord>& put, const std::vector<RecordKey>& erase) {
  return write(Kind::Records, [&](Database& database) { return write_records(database, put, erase); });
}

Result<Contents> SqliteStore::load() {
  auto contents = load_to_write();
  if (contents) return contents;
  const Error error = contents.error();
  if (is_full_or_refused(error)) contents = load_to_read(error);
  if (contents || contents.error().code() != Code::DataLoss) return contents;
  return replace(contents.error());
}

Result<Contents> SqliteStore::load_to_write() {
  const auto there = is_there(path_);
  if (!there) return there.error();
  const bool begun = !*there;
  if (begun) {
    if (is_there(path_ + "-wal").value_or(false))
      return Error{Code::DataLoss, "the file is gone, only its log is there"};
    if (auto done = begin_file(path_, {}); !done) return done.error();
  }
  existed_ = true;
  auto database = Database::open(path_, Database::Access::Write);
  if (!database) return database.error();
  auto contents = prepare(*database);
  if (!contents) {
    database->keep_log();
    return on_opening(contents.error());
  }
  database_ = std::move(*database);
  epoch_stored_ = false;
  contents->begun = begun;
  return contents;
}

Result<Contents> SqliteStore::load_to_read(const Error& why) {
  const auto there = is_there(path_);
  if (!there) return there.error();  // not taken for an empty store: the disk may only be missing
  const std::string note = described(why).message();
  if (!*there) {
    Contents nothing;
    nothing.begun = true;
    nothing.note = note;
    return nothing;
  }
  auto database = Database::open(path_, Database::Access::Read);
  if (!database) return database.error();
  const auto version = check_schema(*database, schema_steps());
  if (!version) return version.error();
  if (*version < static_cast<int>(schema_steps().size())) {
    return Error{Code::Unavailable, "cannot be brought up to date: " + why.message()};
  }
  auto contents = read_contents(*database);
  if (!contents) return on_opening(contents.error());
  add_note(*contents, note);
  return contents;
}

Result<Contents> SqliteStore::replace(const Error& damage) {
  Salvage saved = salvage(path_);
  Contents contents;
  contents.epoch = saved.epoch;
  contents.records_lost = true;
  contents.rebuilt = !saved.objects.has_value();
  contents.objects = std::move(saved.objects).value_or(std::vector<StoredObject>{});
  contents.note = "store " + path_ + " was damaged (" + damage.message() + ")";
  contents.note += contents.rebuilt ? ", its objects are lost" : ", its objects are whole, its records are lost";
  const auto aside = set_aside(path_, opened_at_);
  if (!aside) {
    add_note(contents, aside.error().message());
    return contents;
  }
  add_note(contents, "it is now " + *aside);
  const std::string lost = contents.rebuilt ? contents.note : "";
  const auto begun = begin_file(path_, {saved.epoch, contents.objects, lost});
  const auto loaded = begun ? load_to_write() : Result<Contents>(begun.error());
  // Without a new file the saved objects are in no file: existed_ makes the next write report DataLoss, so that the
  // caller hands over everything again.
  existed_ = begun.has_value() || !contents.rebuilt;
  if (!loaded) add_note(contents, "a new one cannot be begun: " + loaded.error().message());
  return contents;
}

Result<void> SqliteStore::attach() {
  if (database_ && !database_->moved()) return {};
  const auto there = is_there(path_);
  if (!there) return after_failure(there.error());
  const bool lost = database_ || (existed_ && !*there);
  database_.reset();
  if (lost && !*there) return begin_again({Code::DataLoss, "was removed"});
  auto contents = load_to_write();
  if (!contents) return after_failure(contents.error());
  if (lost) return Error{Code::DataLoss, "store " + path_ + " is another file now"};
  return {};
}

Result<void> SqliteStore::write(Kind kind, const Work& work) {
  if (epoch_ == 0) return Error{Code::FailedPrecondition, "the store is not open"};
  if (auto done = attach(); !done) return done;
  if (auto done = run(kind, work); !done) return after_failure(done.error());
  epoch_stored_ = true;
  return {};
}

Result<void> SqliteStore::run(Kind kind, const Work& work) {
  const char* synchronous = kind == Kind::Records ? kLazy : kDurable;
  if (auto done = database_->execute(std::string("PRAGMA synchronous=") + synchronous); !done) return done;
  auto transaction = Transaction::begin(*database_);
  if (!transaction) return transaction.error();
  if (!epoch_stored_) {
    if (auto done = write_epoch(*database_, epoch_); !done) return done;
  }
  if (auto done = work(*database_); !done) return done;
  const Written next{transactions_ + 1, of_objects_ + (kind == Kind::Objects ? 1 : 0)};
  if (auto done = write_written(*database_, next); !done) return done;
  if (auto done = transaction->commit(); !done) return done;
  transactions_ = next.transactions;
  of_objects_ = next.of_objects;
  // A failed checkpoint loses nothing: the log is durable, and the next transaction tries again.
  if (kind != Kind::Records) static_cast<void>(database_->execute("PRAGMA wal_checkpoint(TRUNCATE)"));
  return {};
}

Error SqliteStore::after_failure(const Error& error) {
  if (error.code() == Code::DataLoss) return begin_again(error);
  // A full disk may have room for the next write; after any other error a new connection may help.
  if (error.code() != Code::ResourceExhausted) database_.reset();
  return described(error);
}

Error SqliteStore::begin_again(const Error& damage) {
  if (database_) database_->keep_log();
  database_.reset();
  std::string text = "store " + path_ + " was lost (" + damage.message() + ")";
  const auto aside = set_aside(path_, opened_at_);
  if (!aside) return {Code::Unavailable, text + "; " + aside.error().message()};
  text += "; what is left of it is now " + *aside;
  existed_ = false;
  if (auto begun = begin_file(path_, {epoch_, {}, text}); !begun) text += "; " + begun.error().message();
  return {Code::DataLoss, text + "; everything has to be stored again"};
}

Error SqliteStore::described(const Error& error) const {
  const std::string store = "store " + path_;
  switch (error.code()) {
    case Code::Aborted: return {Code::Unavailable, store + " is in use by " + lock_holder(path_)};
    case Code::ResourceExhausted: return {Code::Unavailable, store + " cannot be written: " + error.message()};
    case Code::Unavailable: {
      // SQLite names the consequence, such as "disk I/O error", and not the reason
      std::string reason = write_obstacle(path_);
      if (reason.empty()) reason = error.message();
      if (reason.starts_with(path_ + ": ")) reason.erase(0, path_.size() + 2);
      return {Code::Unavailable, store + " cannot be written: " + reason};
    }
    case Code::FailedPrecondition: return {Code::FailedPrecondition, store + " " + error.message()};
    default: return error.with_context(store);
  }
}

}  // namespace meshdns::store
