#include "agent/report/syncer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <random>

#include "tests/unit/agent/report/readable_codec.h"

namespace meshdns::report {
namespace {

using Records = std::map<std::string, std::string>;

std::uint64_t digest_of(const Records& records) {
  const Codec codec = readable_codec();
  std::uint64_t digest = 0;
  for (const auto& [key, bytes] : records) digest += codec.hash(key, bytes);
  return digest;
}

/// The smallest federation that keeps the rules: a copy of the records, and a SendFull where the digests differ.
class ModelFederation {
 public:
  std::optional<Incoming> take(const Outgoing& message) {
    if (const auto* hello = std::get_if<Hello>(&message.body)) return welcome(*hello);
    EXPECT_EQ(message.epoch, epoch_);
    EXPECT_EQ(message.sequence, ++sequence_);
    if (const auto* full = std::get_if<Full>(&message.body)) return on_full(*full);
    if (const auto* delta = std::get_if<Delta>(&message.body)) return on_delta(*delta);
    if (std::holds_alternative<Measurements>(message.body)) return std::nullopt;
    const bool equal = std::get<Heartbeat>(message.body).digest == digest_of(records_);
    return equal ? std::nullopt : std::optional<Incoming>(SendFull{});
  }
  /// A federation that was restarted knows nothing.
  void restart() {
    records_.clear();
    complete_ = false;
  }
  const Records& records() const { return records_; }
  int fulls() const { return fulls_; }

 private:
  Incoming welcome(const Hello& hello) {
    epoch_ = std::max(epoch_, hello.last_epoch) + 1;
    sequence_ = 0;
    arriving_.clear();
    return Welcome{epoch_, "eu-1/a", !complete_ || hello.digest != digest_of(records_), 1s, {{"gate", {}, 5s}}};
  }
  Incoming on_full(const Full& full) {
    if (full.part == 0) {
      arriving_.clear();
      next_part_ = 0;
    }
    EXPECT_EQ(full.part, next_part_++);
    for (const auto& bytes : full.endpoints) put(arriving_, bytes);
    if (full.last) {
      records_ = arriving_;
      complete_ = true;
      ++fulls_;
    }
    return Ack{sequence_, {}};
  }
  Incoming on_delta(const Delta& delta) {
    for (const auto& bytes : delta.upserts) put(records_, bytes);
    for (const auto& key : delta.removals) records_.erase(key);
    return Ack{sequence_, {}};
  }
  static void put(Records& records, const std::string& bytes) { records[bytes.substr(0, bytes.find('='))] = bytes; }

  Records records_;
  Records arriving_;
  std::uint64_t epoch_ = 0;
  std::uint64_t sequence_ = 0;
  std::uint32_t next_part_ = 0;
  bool complete_ = false;
  int fulls_ = 0;
};

/// An agent, a federation, and a stream that may break at any moment with messages under way in both directions.
class World {
 public:
  enum class Trouble : std::uint8_t { None, Any };
  World(std::uint32_t seed, Trouble trouble) : random_(seed), trouble_(trouble) {}

  void step() {
    switch (below(13)) {
      case 0:
      case 1:
      case 2: return syncer_.put(endpoint(key(), "v" + std::to_string(below(4))), now_);
      case 3: return syncer_.remove(key());
      case 4: return trouble_ == Trouble::Any ? break_stream() : write();
      case 5: return connect();
      case 6: return deliver_to_agent();
      case 7: return deliver_to_federation();
      case 8:
        if (trouble_ == Trouble::Any && below(20) == 0) federation_.restart();
        return;
      case 12: return syncer_.measured({"gate", Reach::Connected, 1ms});
      case 9: now_ += std::chrono::milliseconds(below(700)); return;
      default: return write();
    }
  }

  /// Time without trouble.
  void calm() {
    connect();
    for (int i = 0; i < 400; ++i) {
      write();
      deliver_to_federation();
      deliver_to_agent();
      now_ += 50ms;
    }
  }

  Records truth() const {
    Records out;
    for (const auto& [key, value] : syncer_.endpoints()) out[key] = readable_codec().encode(value, now_);
    return out;
  }
  const ModelFederation& federation() const { return federation_; }
  const Syncer& syncer() const { return syncer_; }

 private:
  std::uint32_t below(std::uint32_t end) { return std::uniform_int_distribution<std::uint32_t>(0, end - 1)(random_); }
  std::string key() { return std::string(1, static_cast<char>('a' + below(8))); }

  void connect() {
    if (connected_) return;
    connected_ = true;
    syncer_.connected();
  }
  void break_stream() {
    if (!connected_) return;
    connected_ = false;
    for (auto count = below(3); count > 0; --count) deliver_to_federation();  // what it got before it saw the end
    to_federation_.clear();
    to_agent_.clear();
    syncer_.disconnected();
  }
  void write() {
    if (auto message = syncer_.next(now_, 0s)) to_federation_.push_back(std::move(*message));
  }
  void deliver_to_federation() {
    if (to_federation_.empty()) return;
    const Outgoing message = std::move(to_federation_.front());
    to_federation_.pop_front();
    if (auto reply = federation_.take(message)) to_agent_.push_back(std::move(*reply));
  }
  void deliver_to_agent() {
    if (to_agent_.empty()) return;
    const Incoming message = std::move(to_agent_.front());
    to_agent_.pop_front();
    syncer_.on_message(message, now_);
  }

  std::minstd_rand random_;
  Trouble trouble_;
  TimePoint now_{1h};
  Syncer syncer_{readable_codec(), 9};  // two records a part
  ModelFederation federation_;
  bool connected_ = false;
  std::deque<Outgoing> to_federation_;
  std::deque<Incoming> to_agent_;
};

// Guards the whole protocol: whatever happened, after some calm both sides have the same.
TEST(Syncer, always_converges) {
  for (std::uint32_t seed = 1; seed <= 2000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World world(seed, World::Trouble::Any);
    for (int i = 0; i < 300; ++i) world.step();
    world.calm();
    ASSERT_EQ(world.federation().records(), world.truth());
    ASSERT_EQ(world.syncer().state(), Syncer::State::InSync);
    ASSERT_EQ(world.syncer().unsent(), 0U);
    const int fulls = world.federation().fulls();
    world.calm();
    ASSERT_EQ(world.federation().fulls(), fulls) << "a Full without need";
  }
}

// Guards the Deltas, whose faults the digest would heal.
TEST(Syncer, without_trouble_one_full_is_enough) {
  for (std::uint32_t seed = 1; seed <= 500; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World world(seed, World::Trouble::None);
    for (int i = 0; i < 300; ++i) world.step();
    world.calm();
    ASSERT_EQ(world.federation().records(), world.truth());
    ASSERT_EQ(world.federation().fulls(), 1);
  }
}

TEST(Syncer, a_put_that_changes_nothing_is_not_sent) {
  Syncer syncer(readable_codec());
  syncer.put(endpoint("a"), TimePoint{});
  syncer.put(endpoint("a"), TimePoint{});
  EXPECT_EQ(syncer.unsent(), 1U);
  syncer.remove("b");
  EXPECT_EQ(syncer.unsent(), 1U);
}

TEST(Syncer, a_federation_cannot_make_it_send_without_pause) {
  Syncer syncer(readable_codec());
  syncer.connected();
  EXPECT_TRUE(syncer.next(TimePoint{1h}, 0s));
  syncer.on_message(Welcome{7, "", false, 1ns}, TimePoint{1h});
  EXPECT_EQ(syncer.next_due(), TimePoint{1h} + 10ms);
  EXPECT_FALSE(syncer.next(TimePoint{1h}, 0s));
}

// It beat every 10 ms.
TEST(Syncer, a_federation_that_sets_no_heartbeat_gets_one_a_second) {
  Syncer syncer(readable_codec());
  syncer.connected();
  EXPECT_TRUE(syncer.next(TimePoint{1h}, 0s));
  syncer.on_message(Welcome{7, "", false, 0s}, TimePoint{1h});
  EXPECT_EQ(syncer.next_due(), TimePoint{1h} + 1s);
}

TEST(Syncer, takes_a_bounded_number_of_targets_each_once) {
  Syncer syncer(readable_codec());
  syncer.connected();
  EXPECT_TRUE(syncer.next(TimePoint{1h}, 0s));
  Welcome welcome{7, "", false, 1s, {}};
  for (int i = 0; i < 200; ++i) welcome.measure.push_back({"gate" + std::to_string(i / 2), {}, 5s});
  syncer.on_message(welcome, TimePoint{1h});
  ASSERT_EQ(syncer.targets().size(), Syncer::kMostTargets);
  EXPECT_EQ(syncer.targets().back().key, "gate63");
}

TEST(Syncer, targets_that_come_without_a_session_are_not_taken) {
  Syncer syncer(readable_codec());
  syncer.on_message(ReportSettings{1s, {{"gate", {}, 5s}}}, TimePoint{1h});
  EXPECT_TRUE(syncer.targets().empty());
}

// An older federation refuses such endpoints, and would ask for everything again and again if they were in the digest.
TEST(Syncer, an_older_federation_gets_no_endpoints_without_a_service) {
  Syncer syncer(readable_codec());
  syncer.put(endpoint("a"), TimePoint{});
  syncer.put(endpoint("pod", ""), TimePoint{});
  syncer.connected();
  EXPECT_TRUE(syncer.next(TimePoint{}, 0s));
  syncer.on_message(Welcome{7, "", true, 1s, {}, false}, TimePoint{});
  const auto full = std::get<Full>(syncer.next(TimePoint{}, 0s)->body);
  EXPECT_THAT(full.endpoints, testing::ElementsAre("a=v1"));
  EXPECT_EQ(syncer.withheld(), 1U);
  EXPECT_TRUE(syncer.is_withheld("pod"));
  EXPECT_FALSE(syncer.is_withheld("a"));
  syncer.put(endpoint("other", ""), TimePoint{});
  syncer.remove("other");
  EXPECT_EQ(syncer.unsent(), 0U);
  const auto beat = std::get<Heartbeat>(syncer.next(TimePoint{1h}, 0s)->body);
  EXPECT_EQ(beat.digest, digest_of({{"a", "a=v1"}}));
  syncer.put(endpoint("a", ""), TimePoint{});  // it loses its service: to the federation it is gone
  const auto delta = std::get<Delta>(syncer.next(TimePoint{1h}, 0s)->body);
  EXPECT_THAT(delta.removals, testing::ElementsAre("a"));
}

TEST(Syncer, a_federation_that_takes_endpoints_without_a_service_gets_them_at_the_next_session) {
  Syncer syncer(readable_codec());
  syncer.put(endpoint("a"), TimePoint{});
  syncer.put(endpoint("pod", ""), TimePoint{});
  for (const bool takes_them : {false, true, false}) {
    syncer.connected();
    EXPECT_TRUE(syncer.next(TimePoint{}, 0s));
    syncer.on_message(Welcome{7, "", false, 1s, {}, takes_them}, TimePoint{});
    const auto delta = std::get<Delta>(syncer.next(TimePoint{}, 0s)->body);
    EXPECT_EQ(delta.upserts.size(), takes_them ? 1U : 0U);
    EXPECT_EQ(delta.removals.size(), takes_them ? 0U : 1U);
    EXPECT_EQ(syncer.withheld(), takes_them ? 0U : 1U);
    syncer.disconnected();
  }
}

TEST(Syncer, has_words_for_its_states) {
  Syncer syncer(readable_codec(), 1);
  EXPECT_EQ(syncer.state_name(), "offline");
  syncer.put(endpoint("a"), TimePoint{});
  syncer.connected();
  EXPECT_EQ(syncer.state_name(), "greeting");
  syncer.on_message(Welcome{7, "", true, 1s}, TimePoint{});
  EXPECT_EQ(syncer.state_name(), "filling");
  EXPECT_TRUE(syncer.next(TimePoint{}, 0s));
  EXPECT_EQ(syncer.state_name(), "in sync");
}

}  // namespace
}  // namespace meshdns::report
