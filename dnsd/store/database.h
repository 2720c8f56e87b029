#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace meshdns::store {

/// A prepared statement of a Database, which must outlive it. The destructor finalizes it. Errors as Database's.
class Statement {
 public:
  /// Binds a value to a parameter. Parameters count from 1, columns from 0. A failure is reported by the next step().
  Statement& bind(int parameter, std::int64_t number);
  Statement& bind(int parameter, std::string_view text);
  Statement& bind_blob(int parameter, std::string_view bytes);
  /// Moves to the next row.
  /// returns: true = there is a row to read, false = the statement is done
  Result<bool> step();
  /// Steps to the end and resets the statement for the next values.
  Result<void> run();

  std::int64_t number(int column) const;
  std::string text(int column) const;

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  Statement(sqlite3* database, sqlite3_stmt* statement) : database_(database), statement_(statement) {}

  sqlite3* database_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

/// One connection to an SQLite file. Wraps the calls of SQLite that the store needs, and knows nothing of its tables.
/// errors: DataLoss = damaged, or not a database; Aborted = another process holds the file; ResourceExhausted = disk or
///         memory is full; Unavailable = cannot be opened, read or written; Internal = the statement does not fit the
///         file
class Database {
 public:
  enum class Access : std::uint8_t {
    Write,  // for this process alone; the file must exist
    Read,   // the file with its log as they are; takes no locks and writes nothing
  };
  /// Opens a connection.
  static Result<Database> open(const std::string& path, Access access);

  /// Runs statements without parameters; ignores their rows.
  Result<void> execute(const std::string& sql);
  /// Prepares one statement.
  Result<Statement> prepare(std::string_view sql);
  /// Returns the first column of the first row; 0 or empty without a row.
  Result<std::int64_t> number(std::string_view sql);
  Result<std::string> text(std::string_view sql);

  /// Returns whether SQLite considers the file read-only, because of its permissions or its header.
  bool read_only() const;
  /// Returns whether the file is no longer at its path.
  bool moved() const;
  bool in_transaction() const;
  /// Makes closing leave the log beside the file as it is: for a file that is to stay untouched.
  void keep_log();

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };
  explicit Database(sqlite3* database) : database_(database) {}

  std::unique_ptr<sqlite3, Close> database_;
};

/// A transaction from BEGIN IMMEDIATE to commit(). The destructor rolls back a transaction that was not committed. The
/// database must outlive it.
class Transaction {
 public:
  static Result<Transaction> begin(Database& database);
  Transaction(Transaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  Result<void> commit();

 private:
  explicit Transaction(Database& database) : database_(&database) {}

  Database* database_;
};

}  // namespace meshdns::store
