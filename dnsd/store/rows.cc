#include "dnsd/store/rows.h"

#include <charconv>
#include <initializer_list>
#include <iterator>

#include "common/base/text.h"
#include "common/base/xxh3.h"

namespace meshdns::store {
namespace {

constexpr std::string_view kObjectsSum = "objects_sum";

void append_number(std::string& text, std::int64_t number) {
  char digits[20];
  const auto end = std::to_chars(std::begin(digits), std::end(digits), number).ptr;
  text.append(std::begin(digits), end);
}

/// Returns the hash of `values` and of their lengths, so that no byte can move from one value to the next.
std::int64_t hash_of(std::initializer_list<std::string_view> values) {
  // one buffer for all rows, because each row would allocate otherwise
  thread_local std::string text;
  text.clear();
  for (const std::string_view value : values) {
    append_number(text, static_cast<std::int64_t>(value.size()));
    text.append(":").append(value);
  }
  return static_cast<std::int64_t>(xxh3(text));
}

std::int64_t hash_of(const StoredObject& object) { return hash_of({object.key, object.body}); }

std::int64_t hash_of(const StoredRecord& record) {
  std::string seconds;
  append_number(seconds, record.unix_seconds);
  // rows of the first schema have no digest, and their hash must stay valid
  if (record.digest == 0) return hash_of({record.type, record.key, record.body, seconds});
  return hash_of({record.type, record.key, record.body, seconds, std::to_string(record.digest)});
}

Error damaged(const std::string& row) { return {Code::DataLoss, row + " is not what was written"}; }

/// Calls `row` for each row.
template <class Row>
Result<void> for_each_row(Database& database, std::string_view sql, Row row) {
  auto statement = database.prepare(sql);
  if (!statement) return statement.error();
  for (;;) {
    const auto more = statement->step();
    if (!more) return more.error();
    if (!*more) return {};
    if (Result<void> taken = row(*statement); !taken) return taken;
  }
}

Result<std::int64_t> objects_sum(Database& database) {
  const auto text = read_meta(database, kObjectsSum);
  if (!text) return text.error();
  if (!*text) return damaged("the sum of the objects");
  // stored as unsigned, because parse_uint takes no sign
  return static_cast<std::int64_t>(parse_uint(**text).value_or(0));
}

/// The statements of one kind of row, prepared once for all rows of a call.
struct Writer {
  Statement find;
  Statement erase;
  Statement put;
};

Result<Writer> writer(Database& database, std::string_view find, std::string_view erase, std::string_view put) {
  auto finding = database.prepare(find);
  if (!finding) return finding.error();
  auto erasing = database.prepare(erase);
  if (!erasing) return erasing.error();
  auto putting = database.prepare(put);
  if (!putting) return putting.error();
  return Writer{std::move(*finding), std::move(*erasing), std::move(*putting)};
}

/// Removes the hash of the row from the sum, if there is such a row.
Result<void> subtract(Writer& with, const std::string& key, std::int64_t& sum) {
  const auto there = with.find.bind(1, key).step();
  if (!there) return there.error();
  if (*there) sum ^= with.find.number(0);
  return with.find.run();
}

Result<void> erase_object(Writer& with, const std::string& key, std::int64_t& sum) {
  if (auto done = subtract(with, key, sum); !done) return done;
  return with.erase.bind(1, key).run();
}

Result<void> put_object(Writer& with, const StoredObject& object, std::int64_t& sum) {
  if (auto done = subtract(with, object.key, sum); !done) return done;
  const std::int64_t hash = hash_of(object);
  sum ^= hash;
  return with.put.bind(1, object.key).bind_blob(2, object.body).bind(3, hash).run();
}

}  // namespace

Result<std::optional<std::string>> read_meta(Database& database, std::string_view name) {
  auto statement = database.prepare("SELECT value, hash FROM meta WHERE name=?1");
  if (!statement) return statement.error();
  const auto row = statement->bind(1, name).step();
  if (!row) return row.error();
  if (!*row) return std::nullopt;
  std::string value = statement->text(0);
  if (statement->number(1) != hash_of({name, value})) return damaged("meta " + std::string(name));
  return value;
}

Result<void> write_meta(Database& database, std::string_view name, std::string_view value) {
  auto statement = database.prepare("INSERT OR REPLACE INTO meta(name, value, hash) VALUES(?1, ?2, ?3)");
  if (!statement) return statement.error();
  return statement->bind(1, name).bind_blob(2, value).bind(3, hash_of({name, value})).run();
}

Result<void> erase_meta(Database& database, std::string_view name) {
  auto statement = database.prepare("DELETE FROM meta WHERE name=?1");
  if (!statement) return statement.error();
  return statement->bind(1, name).run();
}

Result<std::vector<StoredObject>> read_objects(Database& database) {
  std::vector<StoredObject> objects;
  std::int64_t sum = 0;
  const auto take = [&](const Statement& row) -> Result<void> {
    StoredObject object{row.text(0), row.text(1)};
    if (row.number(2) != hash_of(object)) return damaged("object " + object.key);
    sum ^= row.number(2);
    objects.push_back(std::move(object));
    return {};
  };
  if (auto done = for_each_row(database, "SELECT key, body, hash FROM objects ORDER BY key", take); !done) {
    return done.error();
  }
  const auto expected = objects_sum(database);
  if (!expected) return expected.error();
  if (*expected != sum) return damaged("the table of objects");
  return objects;
}

Result<std::vector<StoredRecord>> read_records(Database& database) {
  std::vector<StoredRecord> records;
  const auto take = [&](const Statement& row) -> Result<void> {
    StoredRecord record{row.text(0), row.text(1), row.text(2), row.number(3),
                        static_cast<std::uint64_t>(row.number(4))};
    if (row.number(5) != hash_of(record)) return damaged("record " + record.key);
    records.push_back(std::move(record));
    return {};
  };
  const auto done = for_each_row(
      database, "SELECT type, key, body, unix_seconds, digest, hash FROM records ORDER BY type, key", take);
  if (!done) return done.error();
  return records;
}

Result<void> write_objects(Database& database, const std::vector<StoredObject>& put,
                           const std::vector<std::string>& erase) {
  auto with = writer(database, "SELECT hash FROM objects WHERE key=?1", "DELETE FROM objects WHERE key=?1",
                     "INSERT OR REPLACE INTO objects(key, body, hash) VALUES(?1, ?2, ?3)");
  if (!with) return with.error();
  Result<std::int64_t> sum = objects_sum(database);
  if (!sum) return sum.error();
  for (const std::string& key : erase) {
    if (auto done = erase_object(*with, key, *sum); !done) return done;
  }
  for (const StoredObject& object : put) {
    if (auto done = put_object(*with, object, *sum); !done) return done;
  }
  return write_meta(database, kObjectsSum, std::to_string(static_cast<std::uint64_t>(*sum)));
}

Result<void> begin_objects(Database& database) { return write_meta(database, kObjectsSum, "0"); }

Result<void> write_records(Database& database, const std::vector<StoredRecord>& put,
                           const std::vector<RecordKey>& erase) {
  auto erasing = database.prepare("DELETE FROM records WHERE type=?1 AND key=?2");
  if (!erasing) return erasing.error();
  auto putting = database.prepare(
      "INSERT OR REPLACE INTO records(type, key, body, unix_seconds, digest, hash) VALUES(?1, ?2, ?3, ?4, ?5, ?6)");
  if (!putting) return putting.error();
  for (const auto& [type, key] : erase) {
    if (auto done = erasing->bind(1, type).bind(2, key).run(); !done) return done;
  }
  for (const StoredRecord& record : put) {
    putting->bind(1, record.type).bind(2, record.key).bind_blob(3, record.body);
    putting->bind(4, record.unix_seconds).bind(5, static_cast<std::int64_t>(record.digest));
    if (auto done = putting->bind(6, hash_of(record)).run(); !done) return done;
  }
  return {};
}

}  // namespace meshdns::store
