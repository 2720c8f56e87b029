// What every store does; run against each of them.
#include <gtest/gtest.h>

#include "dnsd/store/memory_store.h"
#include "dnsd/store/sqlite_store.h"
#include "tests/unit/dnsd/store/folder.h"

namespace meshdns::store {
namespace {

constexpr std::int64_t kNow = 1'800'000'000;

struct InMemory {
  MemoryStore store;
  Store& restarted() { return store; }
};

struct InSqlite {
  Folder folder;
  std::optional<SqliteStore> store;
  /// Another one on the same file, as after a restart.
  Store& restarted() { return store.emplace(folder.path()); }
};

template <class Kind>
class StoreContract : public testing::Test {
 protected:
  Store& restarted() { return kind_.restarted(); }
  /// What is found after a restart.
  Contents found() {
    auto contents = restarted().open(kNow);
    EXPECT_TRUE(contents) << message_of(contents);
    return contents.value_or(Contents{});
  }

 private:
  Kind kind_;
};

using Kinds = testing::Types<InMemory, InSqlite>;
TYPED_TEST_SUITE(StoreContract, Kinds);

TYPED_TEST(StoreContract, BeginsEmptyWithAnEpochOfItsTime) {
  const Contents contents = this->found();
  EXPECT_EQ(contents.epoch, kNow + 1);
  EXPECT_TRUE(contents.objects.empty());
  EXPECT_TRUE(contents.records.empty());
  EXPECT_FALSE(contents.rebuilt);
  EXPECT_EQ(contents.note, "");
}

TYPED_TEST(StoreContract, EpochsGrowThoughTheClockStandsOrGoesBack) {
  Store& store = this->restarted();
  EXPECT_EQ(store.open(kNow)->epoch, kNow + 1);
  EXPECT_EQ(store.open(kNow)->epoch, kNow + 2);
  EXPECT_EQ(store.open(5)->epoch, kNow + 3);
  EXPECT_EQ(store.open(-5)->epoch, kNow + 4);
  EXPECT_EQ(store.open(kNow + 100)->epoch, kNow + 101);
  EXPECT_EQ(this->found().epoch, kNow + 102);
}

TYPED_TEST(StoreContract, KeepsObjectsVerbatimInTheOrderOfTheirKeys) {
  Store& store = this->restarted();
  ASSERT_TRUE(store.open(kNow));
  const StoredObject binary{"VirtualDestination/shop/app-b", std::string("\0\xff'\n", 4)};
  const StoredObject empty{"Cluster/eu", ""};
  ASSERT_TRUE(store.put_objects({binary, empty}, {}));
  EXPECT_EQ(this->found().objects, (std::vector{empty, binary}));
}

TYPED_TEST(StoreContract, ReplacesAndErasesObjectsInOneCall) {
  Store& store = this->restarted();
  ASSERT_TRUE(store.open(kNow));
  ASSERT_TRUE(store.put_objects({{"a", "1"}, {"b", "1"}, {"c", "1"}}, {}));
  ASSERT_TRUE(store.put_objects({{"a", "2"}, {"c", "2"}}, {"b", "c", "never there"}));
  EXPECT_EQ(this->found().objects, (std::vector<StoredObject>{{"a", "2"}, {"c", "2"}}));
}

TYPED_TEST(StoreContract, KeepsRecordsByTypeAndKey) {
  Store& store = this->restarted();
  ASSERT_TRUE(store.open(kNow));
  const StoredRecord node{"Node", "a", "node", 1};
  const StoredRecord endpoint{"Endpoint", "a", std::string("\0", 1), -7, ~std::uint64_t{0}};
  ASSERT_TRUE(store.put_records({node, endpoint, {"Endpoint", "b", "x", 2}}, {}));
  ASSERT_TRUE(store.put_records({{"Node", "a", "newer", 3}}, {{"Endpoint", "b"}, {"Node", "b"}}));
  EXPECT_EQ(this->found().records, (std::vector<StoredRecord>{endpoint, {"Node", "a", "newer", 3}}));
}

TYPED_TEST(StoreContract, ObjectsAndRecordsDoNotMeet) {
  Store& store = this->restarted();
  ASSERT_TRUE(store.open(kNow));
  ASSERT_TRUE(store.put_records({{"Node", "a", "record", 1}}, {}));
  ASSERT_TRUE(store.put_objects({{"a", "object"}}, {"Node"}));
  const Contents contents = this->found();
  EXPECT_EQ(contents.objects.size(), 1U);
  EXPECT_EQ(contents.records.size(), 1U);
}

TYPED_TEST(StoreContract, TakesWhatIsBig) {
  Store& store = this->restarted();
  ASSERT_TRUE(store.open(kNow));
  const StoredObject big{"big", std::string(5'000'000, 'x')};
  ASSERT_TRUE(store.put_objects({big}, {}));
  EXPECT_EQ(this->found().objects, std::vector{big});
}

TYPED_TEST(StoreContract, NothingIsPutBeforeItIsOpen) {
  Store& store = this->restarted();
  EXPECT_EQ(store.put_objects({}, {}).error().code(), Code::FailedPrecondition);
  EXPECT_EQ(store.put_records({}, {}).error().message(), "the store is not open");
}

}  // namespace
}  // namespace meshdns::store
