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

/// A prepared statement; finalized when it goes. Errors as Database's.
class Statement {
 public:
  /// Parameters count from 1, columns from 0.
  Statement& bind(int parameter, std::int64_t number);
  Statement& bind(int parameter, std::string_view text);
  Statement& bind_blob(int parameter, std::string_view bytes);
  /// true = there is a row to look at, false = done
  Result<bool> step();
  /// Steps to the end, and makes it ready for the next values.
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

/// One connection to an SQLite file.
/// errors: DataLoss = damaged or no database; Aborted = somebody else holds it; ResourceExhausted = disk or memory is
///         full; Unavailable = cannot be opened, read or written; Internal = the statement does not fit the file
class Database {
 public:
  enum class Access : std::uint8_t {
    Write,  // for this process alone; the file exists
    Read,   // as it stands, the log beside it included; without locks and without writing anything anywhere
  };
  static Result<Database> open(const std::string& path, Access access);

  Result<void> execute(const std::string& sql);
  Result<Statement> prepare(std::string_view sql);
  /// The first column of the first row; 0 or empty without a row.
  Result<std::int64_t> number(std::string_view sql);
  Result<std::string> text(std::string_view sql);

  /// true = SQLite takes the file for one that it must not write, be it by permission or by its header
  bool read_only() const;
  /// true = the file is not at its path any more
  bool moved() const;
  bool in_transaction() const;
  /// From now on closing leaves the log beside the file as it is: for a file that is to stay untouched.
  void keep_log();

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };
  explicit Database(sqlite3* database) : database_(database) {}

  std::unique_ptr<sqlite3, Close> database_;
};

/// BEGIN IMMEDIATE until commit(); whatever ends it otherwise takes everything back.
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
