// A table of connections whose descriptors somebody else closes.
#include "common/rpc/connection_table.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "common/rpc/tide.h"

namespace meshdns::rpc {
namespace {

/// A process's descriptors: sockets with an inode each, the lowest free number first.
struct Kernel {
  int open() {
    int number = 0;
    while (sockets.contains(number)) ++number;
    sockets[number] = ++last_inode;
    return number;
  }
  std::uint64_t inode_of(int number) {
    ++looks;
    const auto found = sockets.find(number);
    return found == sockets.end() ? 0 : found->second;
  }

  std::map<int, std::uint64_t> sockets;
  std::uint64_t last_inode = 100;
  std::size_t looks = 0;
};

class ConnectionTableTest : public testing::Test {
 protected:
  void make(std::size_t connections, std::size_t per_address = 1000) {
    table_.emplace(ConnectionTable::Limits{connections, per_address},
                   [this](int number) { return kernel_.inode_of(number); });
  }
  static SocketAddress peer(std::uint32_t address, std::uint16_t port) { return {IpAddress::v4(address), port}; }
  /// A connection of that address, from a new port.
  int connect(std::uint32_t address = 1) {
    const int number = kernel_.open();
    if (!table_->add(number, peer(address, ++last_port_), now_)) {
      kernel_.sockets.erase(number);
      return -1;
    }
    return number;
  }

  Kernel kernel_;
  std::optional<ConnectionTable> table_;
  std::uint16_t last_port_ = 0;
  TimePoint now_{};
};

TEST_F(ConnectionTableTest, a_number_that_comes_again_proves_that_the_older_connection_is_gone) {
  make(2);
  const int number = connect();
  kernel_.sockets.erase(number);  // nobody says so
  EXPECT_EQ(table_->open(), 1U);
  EXPECT_EQ(connect(), number);
  EXPECT_EQ(table_->open(), 1U);
  EXPECT_EQ(table_->of(IpAddress::v4(1)), 1U);
}

TEST_F(ConnectionTableTest, a_number_that_is_another_sockets_is_gone_too) {
  make(2);
  const int number = connect();
  kernel_.sockets.erase(number);
  kernel_.open();  // of a DNS client
  table_->look(1);
  EXPECT_EQ(table_->open(), 0U);
}

TEST_F(ConnectionTableTest, an_address_has_as_many_as_it_may_and_others_have_theirs) {
  make(10, 2);
  const int first = connect(1);
  EXPECT_GE(connect(1), 0);
  EXPECT_EQ(connect(1), -1);
  EXPECT_GE(connect(2), 0);
  EXPECT_EQ(table_->open(), 3U);
  kernel_.sockets.erase(first);
  table_->look(10);
  EXPECT_GE(connect(1), 0);
}

TEST_F(ConnectionTableTest, local_peers_have_no_limit_of_their_own_and_are_proven) {
  make(5, 1);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(table_->add(kernel_.open(), std::nullopt, now_));
  EXPECT_FALSE(table_->has_room());
  EXPECT_FALSE(table_->next_unproven(now_));
}

TEST_F(ConnectionTableTest, the_oldest_that_has_said_nothing_makes_room_first) {
  make(3);
  const int first = connect();
  now_ += 1s;
  const int second = connect();
  now_ += 1s;
  connect();
  table_->proven(peer(1, 1));
  const auto oldest = table_->next_unproven(now_ - 1s);
  ASSERT_TRUE(oldest);
  EXPECT_EQ(oldest->descriptor, second) << "not " << first << ", which is proven";
  EXPECT_TRUE(table_->look_at(*oldest)) << "it counts until it is closed";
  EXPECT_FALSE(table_->next_unproven(now_ - 1s)) << "the third one is too young";
  kernel_.sockets.erase(second);
  EXPECT_FALSE(table_->look_at(*oldest));
  EXPECT_EQ(table_->open(), 2U);
}

TEST_F(ConnectionTableTest, a_peer_that_comes_back_from_its_port_is_proven_anew) {
  make(3);
  const int first = kernel_.open();
  ASSERT_TRUE(table_->add(first, peer(1, 9), now_));
  table_->proven(peer(1, 9));
  const int second = kernel_.open();
  ASSERT_TRUE(table_->add(second, peer(1, 9), now_));
  kernel_.sockets.erase(first);
  table_->look(10);
  const auto oldest = table_->next_unproven(now_);
  ASSERT_TRUE(oldest);
  EXPECT_EQ(oldest->descriptor, second);
  table_->proven(peer(1, 9));
  EXPECT_FALSE(table_->next_unproven(now_));
}

// Guards the promise that nothing is O(connections): each step looks at no more than it was told to.
TEST_F(ConnectionTableTest, looking_costs_what_was_asked_for_at_any_size) {
  for (const std::size_t size : {100, 200, 400}) {
    make(size);
    for (std::size_t i = 0; i < size; ++i) connect(static_cast<std::uint32_t>(i));
    kernel_.looks = 0;
    table_->look(10);
    EXPECT_EQ(kernel_.looks, 10U);
    const auto before = kernel_.looks;
    table_->proven(peer(1, 1));
    table_->next_unproven(now_);
    EXPECT_EQ(kernel_.looks, before);
    kernel_.sockets.clear();
    for (std::size_t turns = 0; table_->open() > 0; ++turns) {
      ASSERT_LE(turns, size / 10);
      table_->look(10);
    }
  }
}

TEST_F(ConnectionTableTest, counts_are_right_whatever_comes_and_goes) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::minstd_rand random(seed);
  make(40, 15);
  std::map<int, std::uint32_t> mine;  // address by number
  for (int step = 0; step < 5000; ++step) {
    if (random() % 2 == 0 && table_->has_room()) {
      const auto address = static_cast<std::uint32_t>(random() % 3);
      const int number = connect(address);
      if (number >= 0) mine[number] = address;
    } else if (!mine.empty()) {
      const auto gone = std::next(mine.begin(), static_cast<long>(random() % mine.size()));
      kernel_.sockets.erase(gone->first);
      mine.erase(gone);
      if (random() % 3 == 0) kernel_.open();
    }
    if (random() % 20 == 0) {
      for (int turn = 0; turn < 2; ++turn) table_->look(40);  // one that took another's place may be looked at twice
      ASSERT_EQ(table_->open(), mine.size());
      for (std::uint32_t address = 0; address < 3; ++address) {
        const auto count = std::count_if(mine.begin(), mine.end(), [&](auto& one) { return one.second == address; });
        ASSERT_EQ(table_->of(IpAddress::v4(address)), static_cast<std::size_t>(count));
      }
    }
    if (kernel_.sockets.size() > 200) {
      std::erase_if(kernel_.sockets, [&](auto& socket) { return !mine.contains(socket.first); });
    }
  }
}

TEST(TideTest, tells_each_fall_to_half_once) {
  Tide tide;
  EXPECT_FALSE(tide.fell(10000));
  EXPECT_FALSE(tide.fell(5001));
  EXPECT_TRUE(tide.fell(5000));
  EXPECT_FALSE(tide.fell(5000));
  EXPECT_TRUE(tide.fell(100));
  EXPECT_FALSE(tide.fell(0)) << "too little";
  EXPECT_FALSE(tide.fell(300));
  EXPECT_TRUE(tide.fell(10));
}

}  // namespace
}  // namespace meshdns::rpc
