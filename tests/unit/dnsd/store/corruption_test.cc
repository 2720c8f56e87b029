// D4: whatever happens to the bytes of the file, the store starts with all of the objects, or says that they are lost.
#include <gtest/gtest.h>

#include <random>

#include "common/base/random_seed.h"
#include "dnsd/store/sqlite_store.h"
#include "tests/unit/dnsd/store/folder.h"

namespace meshdns::store {
namespace {

constexpr std::int64_t kNow = 1'800'000'000;
constexpr int kFlips = 500;

std::vector<StoredObject> objects() {
  std::vector<StoredObject> objects;
  for (int number = 100; number < 160; ++number) {
    objects.push_back({"Cluster/" + std::to_string(number), std::string(200, static_cast<char>('a' + number % 26))});
  }
  return objects;
}

std::vector<StoredRecord> records() {
  std::vector<StoredRecord> records;
  for (int number = 100; number < 300; ++number) {
    records.push_back({"Endpoint", "node/" + std::to_string(number), std::string(100, 'r'), kNow});
  }
  return records;
}

class StoreCorruption : public testing::Test {
 protected:
  StoreCorruption() {
    SqliteStore store(path_);
    EXPECT_TRUE(store.open(kNow));
    EXPECT_TRUE(store.put_objects(objects(), {}));
    EXPECT_TRUE(store.put_records(records(), {}));
  }

  /// Opens a file of these bytes, says what became of it, and checks that it can be written to afterwards.
  std::string opened(const std::string& bytes) {
    const Folder folder(memory_folder());
    const std::string path = folder.path();
    write_bytes(path, bytes);
    SqliteStore store(path);
    const auto contents = store.open(kNow + 10);
    if (!contents) return "refused: " + contents.error().message();
    if (!store.put_objects({{"new", "x"}}, {})) return "cannot be written: " + contents->note;
    const bool moved = folder.count("federation.db.corrupt-1800000010") > 0;
    if (moved && contents->note.empty()) return "moved without a word";
    if (contents->rebuilt) return moved && contents->objects.empty() ? "lost" : "lost, but not moved";
    if (contents->objects != objects()) return "wrong objects";
    if (moved) return contents->records.empty() ? "objects saved" : "records of a damaged file";
    return contents->records == records() && contents->epoch >= kNow + 11 ? "unharmed" : "wrong records";
  }

  const Folder folder_;
  const std::string path_ = folder_.path();
};

bool fine(const std::string& verdict) {
  return verdict == "lost" || verdict == "objects saved" || verdict == "unharmed";
}

TEST_F(StoreCorruption, FiveHundredFlippedBytes) {
  const std::uint64_t seed = random_seed();
  std::mt19937_64 random(seed);
  const std::string bytes = bytes_of(path_);
  std::map<std::string, int> verdicts;
  for (int flip = 0; flip < kFlips; ++flip) {
    std::string damaged = bytes;
    const std::size_t offset = random() % bytes.size();
    damaged[offset] = static_cast<char>(damaged[offset] ^ static_cast<char>(1 + random() % 255));
    const std::string verdict = opened(damaged);
    EXPECT_TRUE(fine(verdict)) << "offset " << offset << " seed " << seed << ": " << verdict;
    ++verdicts[verdict];
  }
  for (const auto& [verdict, count] : verdicts) std::printf("%s: %d\n", verdict.c_str(), count);
}

TEST_F(StoreCorruption, EveryByteOfTheHeader) {
  const std::string bytes = bytes_of(path_);
  for (std::size_t offset = 0; offset < 100; ++offset) {
    for (const int change : {0x01, 0xff}) {
      std::string damaged = bytes;
      damaged[offset] = static_cast<char>(damaged[offset] ^ static_cast<char>(change));
      const std::string verdict = opened(damaged);
      EXPECT_TRUE(fine(verdict)) << "offset " << offset << " change " << change << ": " << verdict;
    }
  }
}

TEST_F(StoreCorruption, CutAtAnyPlace) {
  const std::string bytes = bytes_of(path_);
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{99}, std::size_t{100}, std::size_t{4096},
                                 std::size_t{5000}, bytes.size() / 2, bytes.size() - 4096, bytes.size() - 1}) {
    const std::string verdict = opened(bytes.substr(0, size));
    EXPECT_TRUE(fine(verdict) && verdict != "unharmed") << "size " << size << ": " << verdict;
  }
}

TEST_F(StoreCorruption, AnotherKindOfFile) { EXPECT_EQ(opened("store: {sqlite: {}}\n"), "lost"); }

TEST_F(StoreCorruption, ADamagedRecordCostsNoObject) {
  std::string bytes = bytes_of(path_);
  bytes[bytes.rfind("rrrrrrrr")] = 'q';
  EXPECT_EQ(opened(bytes), "objects saved");
}

TEST_F(StoreCorruption, ARowThatVanishesIsSeen) {
  auto database = Database::open(path_, Database::Access::Write);
  ASSERT_TRUE(database->execute("DELETE FROM objects WHERE key='Cluster/123'"));
  database = Error{Code::Aborted, "closed"};
  EXPECT_EQ(opened(bytes_of(path_)), "lost");
}

TEST_F(StoreCorruption, LossIsToldUntilSomebodyPutsObjects) {
  write_bytes(path_, "broken");
  EXPECT_TRUE(SqliteStore(path_).open(kNow)->rebuilt);
  const auto again = SqliteStore(path_).open(kNow);
  EXPECT_TRUE(again->rebuilt);
  EXPECT_EQ(again->note, "store " + path_ + " was damaged (file is not a database), its objects are lost; it is now " +
                             path_ + ".corrupt-1800000000");
  SqliteStore store(path_);
  ASSERT_TRUE(store.open(kNow));
  ASSERT_TRUE(store.put_objects({{"a", "1"}}, {}));
  EXPECT_FALSE(store.open(kNow)->rebuilt);
}

TEST_F(StoreCorruption, TheEpochOfADamagedFileIsNotGivenAgain) {
  ASSERT_TRUE(SqliteStore(path_).open(kNow + 1000));
  std::string bytes = bytes_of(path_);
  bytes[bytes.rfind("rrrrrrrr")] = 'q';
  write_bytes(path_, bytes);
  EXPECT_EQ(SqliteStore(path_).open(kNow)->epoch, kNow + 1002);
}

TEST_F(StoreCorruption, TwoInOneSecondKeepTheirNames) {
  for (const char* name : {".corrupt-1800000000", ".corrupt-1800000000.2"}) {
    write_bytes(path_, name);
    ASSERT_TRUE(SqliteStore(path_).open(kNow));
    EXPECT_EQ(bytes_of(path_ + name), name);
  }
}

TEST_F(StoreCorruption, ALogWithoutItsFileIsNotPlayedIntoANewOne) {
  std::filesystem::rename(path_, path_ + "-wal");
  const auto contents = SqliteStore(path_).open(kNow);
  ASSERT_TRUE(contents);
  EXPECT_TRUE(contents->rebuilt);
  EXPECT_TRUE(std::filesystem::exists(path_ + ".corrupt-1800000000-wal"));
}

/// More than SQLite keeps in memory, so that it has to read what the test breaks.
std::vector<StoredObject> much() {
  std::vector<StoredObject> objects;
  for (int number = 0; number < 4000; ++number) objects.push_back({std::to_string(number), std::string(2000, 'x')});
  return objects;
}

TEST_F(StoreCorruption, DamageAtRunTimeBeginsANewFileAndAsksForEverything) {
  SqliteStore store(path_);
  ASSERT_TRUE(store.open(kNow));
  ASSERT_TRUE(store.put_objects(much(), {}));
  for (const std::string& file : {path_, path_ + "-wal"}) write_bytes(file, std::string(20'000'000, 'z'));
  const auto failed = store.put_objects(much(), {});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code(), Code::DataLoss);
  EXPECT_THAT(failed.error().message(), testing::HasSubstr(".corrupt-1800000000; everything has to be stored again"));
  ASSERT_TRUE(store.put_objects({{"a", "1"}}, {}));
  const auto contents = store.open(kNow);
  EXPECT_EQ(contents->objects, (std::vector<StoredObject>{{"a", "1"}}));
  EXPECT_FALSE(contents->rebuilt);
}

TEST_F(StoreCorruption, AFileThatIsRemovedAtRunTimeIsALossToo) {
  SqliteStore store(path_);
  const auto epoch = store.open(kNow)->epoch;
  for (const std::string& file : {path_, path_ + "-wal"}) std::filesystem::remove(file);
  EXPECT_EQ(store.put_records({}, {}).error().code(), Code::DataLoss);
  EXPECT_TRUE(store.put_objects(objects(), {}));
  EXPECT_EQ(store.open(kNow)->objects, objects());
  EXPECT_GT(store.open(kNow)->epoch, epoch);
}

}  // namespace
}  // namespace meshdns::store
