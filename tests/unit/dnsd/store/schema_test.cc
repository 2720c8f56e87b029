// D7: a file of another schema is brought up to date, or refused before anything in it is touched.
#include "dnsd/store/schema.h"

#include <gtest/gtest.h>

#include <array>

#include "dnsd/store/rows.h"
#include "dnsd/store/sqlite_store.h"
#include "dnsd/store/store_file.h"
#include "tests/unit/dnsd/store/folder.h"

namespace meshdns::store {
namespace {

constexpr std::int64_t kNow = 1'800'000'000;

class StoreSchema : public testing::Test {
 protected:
  /// Makes the file from tests/unit/dnsd/store/fixtures/<name>.sql.
  void make(const std::string& name) {
    ASSERT_TRUE(make_private_file(path_));
    auto database = Database::open(path_, Database::Access::Write);
    ASSERT_TRUE(database);
    const std::string sql = bytes_of("tests/unit/dnsd/store/fixtures/" + name + ".sql");
    ASSERT_NE(sql, "") << name;
    const auto done = database->execute(sql);
    ASSERT_TRUE(done) << message_of(done);
  }

  /// What the store says to the file, which must be untouched.
  std::string refusal() {
    const std::string before = bytes_of(path_);
    const auto contents = SqliteStore(path_).open(kNow);
    EXPECT_EQ(bytes_of(path_), before);
    EXPECT_EQ(folder_.count(".corrupt-"), 0);
    return contents ? "taken" : std::string(code_name(contents.error().code())) + " " + contents.error().message();
  }

  const Folder folder_;
  const std::string path_ = folder_.path();
};

TEST_F(StoreSchema, VersionOneIsRead) {
  make("v1");
  const auto contents = SqliteStore(path_).open(kNow);
  ASSERT_TRUE(contents) << message_of(contents);
  EXPECT_EQ(contents->note, "");
  EXPECT_EQ(contents->epoch, 1'900'000'001U);
  EXPECT_EQ(contents->objects, (std::vector<StoredObject>{{"Cluster/eu", "e"}, {"VirtualDestination/shop/web", "w"}}));
  EXPECT_EQ(contents->records, (std::vector<StoredRecord>{{"Endpoint", "n1/web", "up", 1'800'000'000}}));
}

// The second version has a column more: what the first one wrote stays whole, and both kinds of rows are read together.
TEST_F(StoreSchema, RowsOfVersionOneStandBesideNewOnes) {
  make("v1");
  {
    SqliteStore store(path_);
    ASSERT_TRUE(store.open(kNow));
    ASSERT_TRUE(store.put_records({{"Endpoint", "n2/web", "up", 1'800'000'001, 0x8000'0000'0000'0001U}}, {}));
  }
  const auto contents = SqliteStore(path_).open(kNow);
  ASSERT_TRUE(contents) << message_of(contents);
  EXPECT_EQ(contents->records,
            (std::vector<StoredRecord>{{"Endpoint", "n1/web", "up", 1'800'000'000},
                                       {"Endpoint", "n2/web", "up", 1'800'000'001, 0x8000'0000'0000'0001U}}));
}

TEST_F(StoreSchema, ANewerOneIsRefusedUntouched) {
  make("v9");
  EXPECT_EQ(refusal(), std::string(code_name(Code::FailedPrecondition)) + " store " + path_ +
                           " was written by a newer meshdnsd (schema 9, this one knows 2)");
}

TEST_F(StoreSchema, ANewerOneInTheLogIsRefusedUntouched) {
  {
    auto store = std::make_unique<SqliteStore>(path_);
    ASSERT_TRUE(store->open(kNow));
  }
  auto database = Database::open(path_, Database::Access::Write);
  database->keep_log();
  ASSERT_TRUE(migrate(*database, 2, std::array{"", "", "CREATE TABLE later(x)"}));
  database = Error{Code::Aborted, "closed"};
  EXPECT_THAT(refusal(), testing::HasSubstr("schema 3, this one knows 2"));
}

TEST_F(StoreSchema, SomebodyElsesDatabaseIsRefusedUntouched) {
  make("foreign");
  EXPECT_THAT(refusal(), testing::HasSubstr(path_ + " is a database, but not of meshdnsd"));
}

TEST_F(StoreSchema, AStepRunsOnceAndKeepsTheRows) {
  make("v1");
  const std::array steps{schema_steps()[0], "ALTER TABLE records ADD COLUMN origin TEXT NOT NULL DEFAULT ''"};
  for (const int expected : {1, 2}) {
    auto database = Database::open(path_, Database::Access::Write);
    const auto version = check_schema(*database, steps);
    ASSERT_TRUE(version) << message_of(version);
    EXPECT_EQ(*version, expected);
    ASSERT_TRUE(migrate(*database, *version, steps));
    EXPECT_EQ(*database->number("SELECT count(*) FROM records WHERE origin=''"), 1);
  }
}

TEST_F(StoreSchema, AStepThatFailsChangesNothing) {
  make("v1");
  const std::array steps{schema_steps()[0], "DROP TABLE objects; DROP TABLE never_there"};
  auto database = Database::open(path_, Database::Access::Write);
  const auto done = migrate(*database, 1, steps);
  EXPECT_EQ(message_of(done), "schema 2: no such table: never_there");
  EXPECT_EQ(*check_schema(*database, steps), 1);
  EXPECT_EQ(read_objects(*database)->size(), 2U);
}

TEST_F(StoreSchema, TheFileIsItsOwnersAlone) {
  SqliteStore store(path_);
  ASSERT_TRUE(store.open(kNow));
  ASSERT_TRUE(store.put_objects({{"a", "1"}}, {}));
  using std::filesystem::perms;
  for (const std::string& file : {path_, path_ + "-wal"}) {
    EXPECT_EQ(std::filesystem::status(file).permissions(), perms::owner_read | perms::owner_write) << file;
  }
}

}  // namespace
}  // namespace meshdns::store
