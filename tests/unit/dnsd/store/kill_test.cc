// D1: kill -9 in the middle of writes. Every acknowledged write is there afterwards, no write is there in part, and the
// start does not wait for anything. MESHDNS_KILLS=1000 is what the bench asks for.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <random>

#include "common/base/random_seed.h"
#include "common/base/text.h"
#include "dnsd/store/sqlite_store.h"
#include "tests/unit/dnsd/store/folder.h"

namespace meshdns::store {
namespace {

constexpr std::int64_t kNow = 1'800'000'000;
constexpr int kParts = 3;            // objects in each write
constexpr std::uint64_t kKeys = 40;  // writes go round, so that they replace and erase, too

std::string key_of(std::uint64_t number, int part) {
  return std::to_string(number % kKeys) + "/" + std::to_string(part);
}

/// The process that is killed: writes from `number` on and tells each number when it is durable.
int write_forever(const std::string& path, std::uint64_t number) {
  SqliteStore store(path);
  if (!store.open(kNow)) return 1;
  for (;; ++number) {
    std::vector<StoredObject> put;
    for (int part = 0; part < kParts; ++part) {
      put.push_back({key_of(number, part), std::to_string(number) + std::string(1 + 300 * (number % 7), ' ')});
    }
    std::vector<std::string> erase;
    for (int part = 0; part < kParts; ++part) erase.push_back(key_of(number + 1, part));
    if (!store.put_objects(put, erase)) return 2;
    if (write(1, &number, sizeof number) != sizeof number) return 3;
    if (!store.put_records({{"Node", key_of(number, 0), std::string(500, 'r'), kNow}}, {})) return 4;
  }
}

/// A writing process and the end of the pipe that its numbers come out of.
class Writer {
 public:
  Writer(const std::string& path, std::uint64_t first) {
    const std::string number = std::to_string(first);
    const char* words[] = {"dnsd_store_kill_test", "write", path.c_str(), number.c_str(), nullptr};
    int ends[2];
    EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    EXPECT_EQ(posix_spawn(&process_, "/proc/self/exe", &actions, nullptr, const_cast<char**>(words), environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    numbers_ = ends[0];
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  ~Writer() { close(numbers_); }

  /// Kills it after `writes` numbers and some microseconds.
  /// returns: the last number it told; 0 = none
  std::uint64_t kill_after(int writes, int microseconds) {
    std::uint64_t last = 0;
    for (int write = 0; write < writes; ++write) next(last);
    usleep(static_cast<useconds_t>(microseconds));
    kill(process_, SIGKILL);
    int status = 0;
    waitpid(process_, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status)) << "ended by itself: " << WEXITSTATUS(status);
    while (next(last)) {
    }
    return last;
  }

 private:
  bool next(std::uint64_t& last) {
    std::uint64_t number = 0;
    if (read(numbers_, &number, sizeof number) != sizeof number) return false;
    last = number;
    return true;
  }

  pid_t process_ = 0;
  int numbers_ = -1;
};

/// The number of the newest write that is there; each write that is there is there as a whole.
std::uint64_t newest(const std::vector<StoredObject>& objects) {
  std::map<std::string, std::vector<std::uint64_t>> numbers;
  std::uint64_t newest = 0;
  for (const StoredObject& object : objects) {
    const std::uint64_t number = parse_uint(trim(object.body)).value_or(0);
    numbers[std::string(split(object.key, '/')[0])].push_back(number);
    newest = std::max(newest, number);
  }
  for (const auto& [key, parts] : numbers) EXPECT_EQ(parts, std::vector(kParts, parts.front())) << "write " << key;
  EXPECT_FALSE(numbers.contains(std::to_string((newest + 1) % kKeys))) << "erased by write " << newest;
  return newest;
}

TEST(StoreKill, EveryAcknowledgedWriteIsThere) {
  const char* wanted = std::getenv("MESHDNS_KILLS");
  const std::uint64_t kills = wanted == nullptr ? 50 : parse_uint(wanted).value_or(50);
  const std::uint64_t seed = random_seed();
  std::mt19937_64 random(seed);
  const Folder folder;
  std::uint64_t acknowledged = 0;
  std::uint64_t epoch = 0;
  std::chrono::steady_clock::duration slowest{};
  for (std::uint64_t kill = 0; kill < kills; ++kill) {
    SCOPED_TRACE("kill " + std::to_string(kill) + " seed " + std::to_string(seed));
    Writer writer(folder.path(), acknowledged + 1);
    const int writes = static_cast<int>(random() % 12);
    acknowledged = std::max(acknowledged, writer.kill_after(writes, static_cast<int>(random() % 4000)));
    const auto begin = std::chrono::steady_clock::now();
    SqliteStore store(folder.path());
    const auto contents = store.open(kNow);
    slowest = std::max(slowest, std::chrono::steady_clock::now() - begin);
    ASSERT_TRUE(contents) << message_of(contents);
    ASSERT_EQ(contents->note, "");
    ASSERT_GT(contents->epoch, epoch);
    ASSERT_GE(newest(contents->objects), acknowledged);
    ASSERT_LE(newest(contents->objects), acknowledged + 1);
    acknowledged = newest(contents->objects);
    epoch = contents->epoch;
  }
  EXPECT_LT(slowest, std::chrono::seconds(20)) << "some milliseconds where nobody else is busy";
  std::printf("kills=%llu writes=%llu slowest_start_ms=%lld\n", static_cast<unsigned long long>(kills),
              static_cast<unsigned long long>(acknowledged),
              static_cast<long long>(std::chrono::duration_cast<std::chrono::milliseconds>(slowest).count()));
}

}  // namespace
}  // namespace meshdns::store

int main(int count, char** words) {
  if (count == 4 && std::string_view(words[1]) == "write") {
    return meshdns::store::write_forever(words[2], meshdns::parse_uint(words[3]).value_or(1));
  }
  testing::InitGoogleTest(&count, words);
  return RUN_ALL_TESTS();
}
