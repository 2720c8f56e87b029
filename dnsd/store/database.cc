#include "dnsd/store/database.h"

#include <sqlite3.h>

#include <filesystem>
#include <system_error>
#include <utility>

namespace meshdns::store {
namespace {

// long enough for the previous process, which may be closing the file just now
constexpr int kBusyMilliseconds = 250;

Code code_of(int primary) {
  switch (primary) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return Code::DataLoss;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return Code::Aborted;
    case SQLITE_FULL:
    case SQLITE_NOMEM: return Code::ResourceExhausted;
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_IOERR:
    case SQLITE_PERM:
    case SQLITE_AUTH: return Code::Unavailable;
    default: return Code::Internal;
  }
}

/// Returns SQLite's error with the system's error that caused it.
Error error_of(sqlite3* database, int code) {
  if (database == nullptr) return {code_of(code & 0xff), sqlite3_errstr(code)};
  std::string text = sqlite3_errmsg(database);
  const int primary = code & 0xff;
  const int system = sqlite3_system_errno(database);
  if (system != 0 && (primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN || primary == SQLITE_FULL)) {
    text += " (" + std::generic_category().message(system) + ")";
  }
  return {code_of(primary), text};
}

/// Returns a URI that opens the file as immutable; characters with a meaning in URIs are written as %hh.
/// source: sqlite.org/uri.html
std::string immutable_uri(const std::string& path) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  std::string uri = "file:";
  std::error_code failed;  // set if the working directory is gone; an absolute path works all the same
  const auto absolute = std::filesystem::absolute(path, failed);
  for (const char c : failed ? path : absolute.string()) {
    if (c != '%' && c != '?' && c != '#') {
      uri += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    uri += {'%', kHex[byte >> 4], kHex[byte & 15]};
  }
  return uri + "?immutable=1";
}

bool has_log(const std::string& path) {
  std::error_code failed;
  return std::filesystem::file_size(path + "-wal", failed) > 0 && !failed;
}

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

// Binding fails only for a wrong parameter number or without memory; step() then reports the failure.
Statement& Statement::bind(int parameter, std::int64_t number) {
  sqlite3_bind_int64(statement_.get(), parameter, number);
  return *this;
}

Statement& Statement::bind(int parameter, std::string_view text) {
  sqlite3_bind_text64(statement_.get(), parameter, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  return *this;
}

Statement& Statement::bind_blob(int parameter, std::string_view bytes) {
  const char* data = bytes.data() == nullptr ? "" : bytes.data();  // a null pointer would bind NULL
  sqlite3_bind_blob64(statement_.get(), parameter, data, bytes.size(), SQLITE_TRANSIENT);
  return *this;
}

Result<bool> Statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return error_of(database_, code);
}

Result<void> Statement::run() {
  Result<bool> more = step();
  while (more && *more) more = step();
  sqlite3_reset(statement_.get());
  if (!more) return more.error();
  return {};
}

std::int64_t Statement::number(int column) const { return sqlite3_column_int64(statement_.get(), column); }

std::string Statement::text(int column) const {
  const void* bytes = sqlite3_column_blob(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return bytes == nullptr ? std::string()
                          : std::string(static_cast<const char*>(bytes), static_cast<std::size_t>(size));
}

void Database::Close::operator()(sqlite3* database) const { sqlite3_close_v2(database); }

Result<Database> Database::open(const std::string& path, Access access) {
  const bool log = has_log(path);
  const bool immutable = access == Access::Read && !log;
  const int flags = access == Access::Read ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
  const char* vfs = access == Access::Read && log ? "unix-none" : nullptr;
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2((immutable ? immutable_uri(path) : path).c_str(), &raw,
                                   flags | SQLITE_OPEN_URI * (immutable ? 1 : 0) | SQLITE_OPEN_EXRESCODE, vfs);
  Database database(raw);
  if (code != SQLITE_OK) return error_of(raw, code);
  sqlite3_busy_timeout(raw, kBusyMilliseconds);
  if (access == Access::Read) database.keep_log();
  // Exclusive: SQLite then needs no shared memory beside the file, and a second process cannot write into it.
  if (auto done = database.execute("PRAGMA locking_mode=EXCLUSIVE"); !done) return done.error();
  return database;
}

Result<void> Database::execute(const std::string& sql) {
  const int code = sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return error_of(database_.get(), code);
  return {};
}

Result<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* raw = nullptr;
  const int code = sqlite3_prepare_v2(database_.get(), sql.data(), static_cast<int>(sql.size()), &raw, nullptr);
  if (code != SQLITE_OK) return error_of(database_.get(), code);
  return Statement(database_.get(), raw);
}

Result<std::int64_t> Database::number(std::string_view sql) {
  auto statement = prepare(sql);
  if (!statement) return statement.error();
  const auto row = statement->step();
  if (!row) return row.error();
  return *row ? statement->number(0) : 0;
}

Result<std::string> Database::text(std::string_view sql) {
  auto statement = prepare(sql);
  if (!statement) return statement.error();
  const auto row = statement->step();
  if (!row) return row.error();
  return *row ? statement->text(0) : std::string();
}

bool Database::read_only() const { return sqlite3_db_readonly(database_.get(), "main") == 1; }

bool Database::moved() const {
  int moved = 0;
  sqlite3_file_control(database_.get(), "main", SQLITE_FCNTL_HAS_MOVED, &moved);
  return moved != 0;
}

bool Database::in_transaction() const { return sqlite3_get_autocommit(database_.get()) == 0; }

void Database::keep_log() { sqlite3_db_config(database_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr); }

Result<Transaction> Transaction::begin(Database& database) {
  if (auto done = database.execute("BEGIN IMMEDIATE"); !done) return done.error();
  return Transaction(database);
}

Transaction::~Transaction() {
  if (database_ == nullptr || !database_->in_transaction()) return;
  // If the rollback fails, closing the connection ends the transaction.
  const auto ignored = database_->execute("ROLLBACK");
  static_cast<void>(ignored);
}

Result<void> Transaction::commit() { return database_->execute("COMMIT"); }

}  // namespace meshdns::store
