// D4: whatever becomes of the log beside the file, acknowledged objects are there, and lost records are missed.
#include <gtest/gtest.h>

#include "dnsd/store/sqlite_store.h"
#include "tests/unit/dnsd/store/folder.h"

namespace meshdns::store {
namespace {

constexpr std::int64_t kNow = 1'800'000'000;
constexpr std::uint64_t kOpenings = 1;  // each is a transaction

StoredObject object(int number) { return {"Cluster/" + std::to_string(number), std::string(300, 'o')}; }
StoredRecord record(int number) { return {"Endpoint", "n/" + std::to_string(number), std::string(300, 'r'), kNow}; }

/// A copy of file and log as they are in the middle of a process's life: as kill -9 leaves them.
class StoreLogDamage : public testing::Test {
 protected:
  StoreLogDamage() {
    EXPECT_TRUE(store_.open(kNow));
    for (int i = 0; i < 5; ++i) EXPECT_TRUE(store_.put_objects({object(i)}, {}));
    for (int i = 0; i < 20; ++i) EXPECT_TRUE(store_.put_records({record(i)}, {}));
  }
  struct Found {
    std::size_t objects = 0;
    std::size_t records = 0;
    Written written;
  };
  /// What a start makes of the file with this log; nothing = there is none.
  Found opened(const std::optional<std::string>& log) {
    const Folder folder;
    write_bytes(folder.path(), bytes_of(folder_.path()));
    if (log) write_bytes(folder.path("federation.db-wal"), *log);
    SqliteStore store(folder.path());
    const auto contents = store.open(kNow + 1);
    EXPECT_TRUE(contents) << message_of(contents);
    if (!contents) return {};
    return {contents->objects.size(), contents->records.size(), contents->written};
  }
  std::string log() const { return bytes_of(folder_.path("federation.db-wal")); }

  const Folder folder_;
  SqliteStore store_{folder_.path()};
  const Written all_{kOpenings + 25, 5};
};

TEST_F(StoreLogDamage, every_transaction_is_counted) {
  EXPECT_EQ(store_.written(), all_);
  const Found found = opened(log());
  EXPECT_EQ(found.objects, 5U);
  EXPECT_EQ(found.records, 20U);
  EXPECT_EQ(found.written, all_);
}

TEST_F(StoreLogDamage, a_removed_log_takes_no_object_back_and_lost_records_are_missed) {
  const Found found = opened(std::nullopt);
  EXPECT_EQ(found.objects, 5U);
  EXPECT_LT(found.records, 20U);
  EXPECT_LT(found.written.transactions, all_.transactions);
  EXPECT_EQ(found.written.of_objects, 5U);
}

TEST_F(StoreLogDamage, a_cut_log_takes_no_object_back) {
  const std::string whole = log();
  ASSERT_GT(whole.size(), 20000U);
  for (const std::size_t size : {std::size_t{0}, std::size_t{31}, whole.size() / 3, whole.size() - 1}) {
    const Found found = opened(whole.substr(0, size));
    EXPECT_EQ(found.objects, 5U) << size;
    EXPECT_LT(found.written.transactions, all_.transactions) << size;
  }
}

TEST_F(StoreLogDamage, one_flipped_bit_takes_no_object_back_wherever_it_is) {
  const std::string whole = log();
  for (std::size_t at = 0; at < whole.size(); at += whole.size() / 40) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    const Found found = opened(damaged);
    EXPECT_EQ(found.objects, 5U) << at;
    EXPECT_EQ(found.records < 20, found.written.transactions < all_.transactions) << "missed, from byte " << at;
  }
}

// A log that was written into the file, and is there all the same, would put older pages over newer ones.
TEST_F(StoreLogDamage, objects_leave_no_log) {
  ASSERT_TRUE(store_.put_objects({object(7)}, {}));
  EXPECT_EQ(log(), "");
  EXPECT_EQ(opened(std::nullopt).written, (Written{kOpenings + 26, 6}));
}

}  // namespace
}  // namespace meshdns::store
