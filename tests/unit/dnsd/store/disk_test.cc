// D3 and D6: a disk that is full or read-only is read from, and written to again as soon as it can be.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dnsd/store/sqlite_store.h"
#include "tests/unit/dnsd/store/folder.h"

namespace meshdns::store {
namespace {

constexpr std::int64_t kNow = 1'800'000'000;

/// A tmpfs of 1 MiB, as long as the test runs; needs root.
class SmallDisk {
 public:
  SmallDisk() { mounted_ = mount("tmpfs", folder_.path_of_folder().c_str(), "tmpfs", 0, "size=1m") == 0; }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  ~SmallDisk() {
    if (mounted_) umount2(folder_.path_of_folder().c_str(), MNT_DETACH);
  }
  bool mounted() const { return mounted_; }
  bool remount(unsigned long flags) {
    return mount("tmpfs", folder_.path_of_folder().c_str(), "tmpfs", MS_REMOUNT | flags, "size=1m") == 0;
  }
  /// Leaves no room: a file of nothing but zeros.
  void fill() {
    std::ofstream file(folder_.path("filler"), std::ios::binary);
    while (file << std::string(4096, '\0') << std::flush) {
    }
  }
  void make_room() { std::filesystem::remove(folder_.path("filler")); }
  std::string path() const { return folder_.path(); }
  const Folder& folder() const { return folder_; }

 private:
  Folder folder_;
  bool mounted_ = false;
};

class StoreOnSmallDisk : public testing::Test {
 protected:
  void SetUp() override {
    if (!disk_.mounted()) GTEST_SKIP() << "a tmpfs cannot be mounted here (needs root)";
  }
  SmallDisk disk_;
};

const std::vector<StoredObject> kFew{{"Cluster/eu", "e"}, {"Cluster/us", "u"}};

std::vector<StoredObject> large(const std::string& key) { return {{key, std::string(300'000, 'x')}}; }

TEST_F(StoreOnSmallDisk, FullKeepsWhatItHasAndHealsByItself) {
  SqliteStore store(disk_.path());
  ASSERT_TRUE(store.open(kNow));
  ASSERT_TRUE(store.put_objects(kFew, {}));
  disk_.fill();
  const auto full = store.put_objects(large("big"), {});
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code(), Code::Unavailable);
  EXPECT_THAT(full.error().message(),
              testing::StartsWith("store " + disk_.path() + " cannot be written: database or "));
  EXPECT_EQ(store.put_records({{"Node", "a", std::string(100'000, 'x'), 1}}, {}).error().code(), Code::Unavailable);
  disk_.make_room();
  EXPECT_TRUE(store.put_objects(large("big"), {}));
  EXPECT_EQ(store.open(kNow)->objects.size(), 3U);
}

TEST_F(StoreOnSmallDisk, FullAtTheStartIsRead) {
  const auto epoch = SqliteStore(disk_.path()).open(kNow)->epoch;
  ASSERT_TRUE(SqliteStore(disk_.path()).open(kNow));
  {
    SqliteStore store(disk_.path());
    ASSERT_TRUE(store.open(kNow));
    ASSERT_TRUE(store.put_objects(kFew, {}));
  }
  disk_.fill();
  SqliteStore store(disk_.path());
  const auto contents = store.open(kNow);
  ASSERT_TRUE(contents) << message_of(contents);
  EXPECT_EQ(contents->objects, kFew);
  EXPECT_GT(contents->epoch, epoch);
  EXPECT_THAT(contents->note, testing::HasSubstr("cannot be written"));
  EXPECT_FALSE(contents->rebuilt);
  EXPECT_EQ(store.put_objects(large("big"), {}).error().code(), Code::Unavailable);
  disk_.make_room();
  EXPECT_TRUE(store.put_objects(large("big"), {}));
  EXPECT_GT(store.open(kNow)->epoch, contents->epoch) << "the first write that works stores the epoch";
}

TEST_F(StoreOnSmallDisk, FullBeforeTheFirstFileHealsToo) {
  disk_.fill();
  SqliteStore store(disk_.path());
  const auto contents = store.open(kNow);
  ASSERT_TRUE(contents) << message_of(contents);
  EXPECT_EQ(contents->epoch, kNow + 1);
  EXPECT_THAT(contents->note, testing::HasSubstr("cannot be written"));
  EXPECT_EQ(store.put_objects(kFew, {}).error().code(), Code::Unavailable);
  disk_.make_room();
  EXPECT_TRUE(store.put_objects(kFew, {}));
  EXPECT_EQ(store.open(kNow)->objects, kFew);
}

TEST_F(StoreOnSmallDisk, WhatWasAcknowledgedBeforeItWasFullIsThere) {
  std::vector<std::string> acknowledged;
  {
    SqliteStore store(disk_.path());
    ASSERT_TRUE(store.open(kNow));
    for (int number = 0; number < 200; ++number) {
      const std::string key = std::to_string(1000 + number);
      if (store.put_objects({{key, std::string(10'000, 'x')}}, {})) acknowledged.push_back(key);
    }
  }
  EXPECT_GT(acknowledged.size(), 5U);
  EXPECT_LT(acknowledged.size(), 200U);
  const auto contents = SqliteStore(disk_.path()).open(kNow);
  ASSERT_TRUE(contents) << message_of(contents);
  std::vector<std::string> found;
  for (const StoredObject& object : contents->objects) found.push_back(object.key);
  EXPECT_EQ(found, acknowledged);
}

TEST_F(StoreOnSmallDisk, ReadOnlyIsReadAndHealsByItself) {
  {
    SqliteStore store(disk_.path());
    ASSERT_TRUE(store.open(kNow));
    ASSERT_TRUE(store.put_objects(kFew, {}));
  }
  ASSERT_TRUE(disk_.remount(MS_RDONLY));
  SqliteStore store(disk_.path());
  const auto contents = store.open(kNow);
  ASSERT_TRUE(contents) << message_of(contents);
  EXPECT_EQ(contents->objects, kFew);
  EXPECT_EQ(contents->epoch, kNow + 2);
  const std::string said = "store " + disk_.path() + " cannot be written: Read-only file system";
  EXPECT_EQ(contents->note, said);
  const auto refused = store.put_objects(large("big"), {});
  EXPECT_EQ(refused.error(), Error(Code::Unavailable, said));
  ASSERT_TRUE(disk_.remount(0));
  EXPECT_TRUE(store.put_objects(large("big"), {}));
  EXPECT_EQ(store.open(kNow)->epoch, kNow + 3);
}

TEST_F(StoreOnSmallDisk, ReadOnlyIsReadWithTheLogThatACrashLeft) {
  const Folder elsewhere;
  SqliteStore crashed(elsewhere.path());
  ASSERT_TRUE(crashed.open(kNow));
  ASSERT_TRUE(crashed.put_objects(kFew, {}));
  ASSERT_TRUE(crashed.put_records({{"Node", "n1", "body", kNow}}, {}));
  for (const char* suffix : {"", "-wal"}) write_bytes(disk_.path() + suffix, bytes_of(elsewhere.path() + suffix));
  ASSERT_GT(std::filesystem::file_size(disk_.path() + "-wal"), 0U);
  ASSERT_TRUE(disk_.remount(MS_RDONLY));
  const auto contents = SqliteStore(disk_.path()).open(kNow);
  ASSERT_TRUE(contents) << message_of(contents);
  EXPECT_EQ(contents->objects, kFew);
  EXPECT_EQ(contents->records.size(), 1U);
}

TEST_F(StoreOnSmallDisk, DamagedAndReadOnlyIsNoReasonNotToStart) {
  write_bytes(disk_.path(), "broken");
  ASSERT_TRUE(disk_.remount(MS_RDONLY));
  SqliteStore store(disk_.path());
  const auto contents = store.open(kNow);
  ASSERT_TRUE(contents) << message_of(contents);
  EXPECT_TRUE(contents->rebuilt);
  EXPECT_THAT(contents->note, testing::HasSubstr("Read-only file system"));
  EXPECT_EQ(store.put_objects(kFew, {}).error().code(), Code::Unavailable);
  ASSERT_TRUE(disk_.remount(0));
  EXPECT_EQ(store.put_objects(kFew, {}).error().code(), Code::DataLoss);
  EXPECT_TRUE(store.put_objects(kFew, {}));
}

TEST(StoreOnDisk, AFolderWithoutPermissionIsReadAndHealsByItself) {
  const Folder folder;
  {
    SqliteStore store(folder.path());
    ASSERT_TRUE(store.open(kNow));
    ASSERT_TRUE(store.put_objects(kFew, {}));
  }
  const uid_t user = geteuid();
  const uid_t nobody = user == 0 ? 65534 : user;
  ASSERT_EQ(chown(folder.path().c_str(), nobody, static_cast<gid_t>(-1)), 0);
  ASSERT_EQ(chmod(folder.path_of_folder().c_str(), 0555), 0);
  ASSERT_EQ(seteuid(nobody), 0);
  SqliteStore store(folder.path());
  const auto contents = store.open(kNow);
  const auto refused = store.put_objects(large("big"), {});
  ASSERT_EQ(seteuid(user), 0);
  ASSERT_TRUE(contents) << message_of(contents);
  EXPECT_EQ(contents->objects, kFew);
  EXPECT_NE(contents->note, "");
  EXPECT_EQ(refused.error().code(), Code::Unavailable) << message_of(refused);
  ASSERT_EQ(chmod(folder.path_of_folder().c_str(), 0755), 0);
  EXPECT_TRUE(store.put_objects(large("big"), {}));
}

TEST(StoreOnDisk, AMissingFolderIsSaid) {
  const Folder folder;
  const auto contents = SqliteStore(folder.path("missing/federation.db")).open(kNow);
  ASSERT_FALSE(contents);
  EXPECT_EQ(contents.error().code(), Code::NotFound);
  EXPECT_THAT(contents.error().message(), testing::HasSubstr("No such file or directory"));
}

TEST(StoreOnDisk, AFolderInItsPlaceIsSaid) {
  const Folder folder;
  const auto contents = SqliteStore(folder.path_of_folder()).open(kNow);
  ASSERT_FALSE(contents);
  EXPECT_THAT(contents.error().message(), testing::HasSubstr("Is a directory"));
}

/// Holds the file open in another process until its input ends.
class Holder {
 public:
  explicit Holder(const std::string& path) {
    const std::string script =
        "import sqlite3, sys\nc = sqlite3.connect(sys.argv[1])\nc.execute('BEGIN EXCLUSIVE')\n"
        "print('held', flush=True)\nsys.stdin.read()\n";
    const char* words[] = {"python3", "-c", script.c_str(), path.c_str(), nullptr};
    int in[2];
    int out[2];
    EXPECT_EQ(pipe2(in, O_CLOEXEC) + pipe2(out, O_CLOEXEC), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], 0);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    EXPECT_EQ(posix_spawn(&process_, "/usr/bin/python3", &actions, nullptr, const_cast<char**>(words), environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(in[0]);
    close(out[1]);
    char word[4];
    EXPECT_EQ(read(out[0], word, sizeof word), 4);
    input_ = in[1];
    output_ = out[0];
  }
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;
  ~Holder() {
    close(input_);
    waitpid(process_, nullptr, 0);
    close(output_);
  }
  pid_t process() const { return process_; }

 private:
  pid_t process_ = 0;
  int input_ = -1;
  int output_ = -1;
};

TEST(StoreOnDisk, AnotherProcessIsNamed) {
  const Folder folder;
  ASSERT_TRUE(SqliteStore(folder.path()).open(kNow));
  SqliteStore store(folder.path());
  {
    const Holder holder(folder.path());
    const auto contents = store.open(kNow);
    ASSERT_FALSE(contents);
    EXPECT_EQ(contents.error().code(), Code::Unavailable);
    EXPECT_EQ(contents.error().message(),
              "store " + folder.path() + " is in use by python3 (pid " + std::to_string(holder.process()) + ")");
  }
  EXPECT_TRUE(store.open(kNow));
}

TEST(StoreOnDisk, TwoStoresOnOneFileAreRefused) {
  const Folder folder;
  SqliteStore first(folder.path());
  ASSERT_TRUE(first.open(kNow));
  const auto second = SqliteStore(folder.path()).open(kNow);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message(), testing::HasSubstr("is in use by"));
  EXPECT_TRUE(first.put_objects(kFew, {}));
}

}  // namespace
}  // namespace meshdns::store
