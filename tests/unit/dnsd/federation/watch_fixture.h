#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/convert/object_convert.h"
#include "common/time/sim_clock.h"
#include "dnsd/federation/follower.h"
#include "dnsd/federation/mirror.h"
#include "dnsd/federation/watchers.h"
#include "tests/support/fakes/fake_port.h"
#include "tests/support/sizes.h"
#include "tests/unit/dnsd/catalog/sample.h"

namespace meshdns::federation {

inline v1::WatchReply decoded(const EncodedReply& bytes) {
  v1::WatchReply out;
  EXPECT_TRUE(out.ParseFromString(*bytes));
  return out;
}

inline v1::Batch batch_of(const EncodedReply& bytes) { return decoded(bytes).batch(); }

/// Reads a transfer to its end.
inline std::vector<EncodedReply> parts_of(const std::shared_ptr<Transfer>& transfer, TimePoint now) {
  std::vector<EncodedReply> out;
  Transfer::Reader reader(transfer);
  while (!reader.done()) out.push_back(reader.next(now));
  return out;
}

/// The parts as one batch.
inline v1::Batch whole_of(const std::vector<EncodedReply>& parts) {
  v1::Batch out = batch_of(parts.front());
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const v1::Batch part = batch_of(parts[i]);
    EXPECT_EQ(part.part(), i);
    out.mutable_records()->MergeFrom(part.records());
    out.mutable_removals()->MergeFrom(part.removals());
  }
  out.set_last(true);
  return out;
}

/// The same as a message, as if it had been one part.
inline v1::WatchReply reply_of(const std::shared_ptr<Transfer>& transfer, TimePoint now) {
  v1::WatchReply out;
  *out.mutable_batch() = whole_of(parts_of(transfer, now));
  return out;
}

/// The keys of the records in all parts, then those of the removals as "-key".
inline std::vector<std::string> keys_of(const std::vector<EncodedReply>& parts) {
  std::vector<std::string> out;
  for (const EncodedReply& part : parts) {
    const v1::Batch batch = batch_of(part);
    for (const v1::Record& record : batch.records()) out.push_back(record.key());
    for (const v1::Removal& removal : batch.removals()) out.push_back("-" + removal.key());
  }
  return out;
}

/// A federation without its agents: a catalog, and what subscribers get of it.
class Federation {
 public:
  explicit Federation(SimClock& clock, std::uint64_t epoch = 1, FeedSizes feed_sizes = smallest_or_default(),
                      rpc::Quota::Limits most_unread = WatchContext::kUnread)
      : sizes(feed_sizes), unread(most_unread), clock_(clock) {
    begin(epoch);
  }

  /// It is started (again). recovery: null = it knows everything
  void begin(std::uint64_t epoch, const std::string& instance = "a", Recovery* recovery = nullptr) {
    v1::Origin origin;
    origin.set_cluster("eu-1");
    origin.set_instance(instance);
    watchers_.reset();
    const auto object = [this](catalog::RecordType type, const std::string& key) {
      const auto found = objects_.find(std::string(record_type_name(type)) + "/" + key);
      return found == objects_.end() ? nullptr : &found->second;
    };
    feed_.emplace(catalog, origin, epoch, object, recovery, sizes);
    watchers_.emplace(*feed_, clock_, clock_, unread);
  }

  void report(const std::vector<model::Endpoint>& endpoints) {
    std::map<std::string, std::vector<model::Endpoint>> by_node;
    for (const model::Endpoint& endpoint : endpoints) by_node[endpoint.node].push_back(endpoint);
    for (const auto& [node, of_node] : by_node) {
      EXPECT_THAT(catalog.apply_delta(node, of_node, {}, clock_.now()), testing::IsEmpty());
    }
  }
  /// "eu-1/n1/0" to "eu-1/n1/<count - 1>"
  void report(int count) {
    std::vector<model::Endpoint> endpoints;
    for (int i = 0; i < count; ++i) endpoints.push_back(catalog::endpoint("eu-1/n1", std::to_string(i)));
    report(endpoints);
  }
  void withdraw(const std::vector<std::string>& keys) { catalog.apply_delta("eu-1/n1", {}, keys, clock_.now()); }
  /// note: an annotation
  void put_destination(const std::string& name, std::uint32_t port, const std::string& note = "") {
    v1::Object object = object_named("VirtualDestination", name);
    object.mutable_metadata()->set_namespace_("shop");
    if (!note.empty()) (*object.mutable_metadata()->mutable_annotations())["note"] = note;
    auto& spec = *object.mutable_virtual_destination();
    spec.add_hosts(name + ".mesh.internal");
    spec.add_services()->set_name(name);
    spec.add_ports()->set_number(port);
    spec.mutable_ports(0)->set_name("http");
    objects_["VirtualDestination/shop/" + name] = object;
    catalog.put_destination(convert::to_virtual_destination(object).value(), clock_.now());
  }
  void erase_destination(const std::string& name) {
    objects_.erase("VirtualDestination/shop/" + name);
    catalog.erase_destination("shop/" + name, clock_.now());
  }

  void put_cluster(const std::string& name, const std::string& region) {
    v1::Object object = object_named("Cluster", name);
    object.mutable_cluster()->mutable_locality()->set_region(region);
    objects_["Cluster/" + name] = object;
    catalog.put_cluster(convert::to_cluster(object).value(), clock_.now());
  }
  void erase_cluster(const std::string& name) {
    objects_.erase("Cluster/" + name);
    catalog.erase_cluster(name, clock_.now());
  }

  /// Lets the time pass after which watchers are told again.
  void pass_round() { clock_.advance(Watchers::kPace); }

  Feed& feed() { return *feed_; }
  Watchers& watchers() { return *watchers_; }

  static FeedSizes smallest_or_default() {
    return {.part_bytes = test::size_or_smallest(FeedSizes{}.part_bytes, std::size_t{1})};
  }
  static catalog::Catalog empty_catalog() {
    return catalog::Catalog(test::size_or_smallest(catalog::Catalog::kLogLength, std::size_t{2}));
  }
  const FeedSizes sizes;
  const rpc::Quota::Limits unread;
  catalog::Catalog catalog = empty_catalog();

 private:
  static v1::Object object_named(const std::string& kind, const std::string& name) {
    v1::Object out;
    out.set_api_version("meshdns.io/v1alpha1");
    out.set_kind(kind);
    out.mutable_metadata()->set_name(name);
    return out;
  }

  SimClock& clock_;
  std::map<std::string, v1::Object> objects_;
  std::optional<Feed> feed_;
  std::optional<Watchers> watchers_;
};

/// A batch as parts of so many records or removals; the first part alone has its buckets.
inline std::vector<v1::Batch> parts_of(const v1::Batch& batch, int size) {
  v1::Batch head = batch;
  head.clear_records();
  head.clear_removals();
  std::vector<v1::Batch> out{head};
  const auto next = [&]() -> v1::Batch& {
    if (out.back().records_size() + out.back().removals_size() < size) return out.back();
    out.push_back(head);
    out.back().clear_buckets();
    return out.back();
  };
  for (const v1::Record& record : batch.records()) *next().add_records() = record;
  for (const v1::Removal& removal : batch.removals()) *next().add_removals() = removal;
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i].set_part(static_cast<std::uint32_t>(i));
    out[i].set_last(i + 1 == out.size());
  }
  return out;
}
inline constexpr int kOnePart = 1'000'000;
inline std::string part_size_name(const testing::TestParamInfo<int>& size) {
  return size.param == kOnePart ? "of_everything" : "of_" + std::to_string(size.param);
}

/// What a mirror would keep in a file, as one batch. lines: records of a block
inline v1::Batch kept_of(const Mirror& mirror, TimePoint now, std::size_t lines = 1000) {
  const auto blocks = mirror.blocks(now, lines);
  std::string bytes;
  while (const auto block = blocks()) bytes += *block;
  v1::Batch out;
  EXPECT_TRUE(out.ParseFromString(bytes));
  return out;
}

/// A replica's memory.
struct Subscriber {
  explicit Subscriber(SimClock& clock) : follower(mirror, clock, clock, {[this] { ++changes; }, [this] { ++words; }}) {}

  std::vector<std::string> keys() const {
    std::vector<std::string> out;
    for (const auto& [key, endpoint] : catalog.records().endpoints) out.push_back(key);
    return out;
  }

  catalog::Catalog catalog;
  std::map<std::string, std::string> objects;  // encoded
  Mirror mirror{catalog, [this](const std::string& key, const v1::Object* object) {
                  if (object == nullptr) {
                    objects.erase(key);
                  } else {
                    objects[key] = object->SerializeAsString();
                  }
                }};
  int changes = 0;
  int words = 0;
  Follower follower;
};

/// A stream between the two that carries one message after the other, as long as the test says.
class Link {
 public:
  Link(Federation& federation, Subscriber& subscriber)
      : federation_(federation),
        subscriber_(subscriber),
        server_(std::make_shared<test::FakePort<EncodedReply>>()),
        client_(std::make_shared<test::FakePort<v1::WatchRequest>>()) {
    server_->hold_writes = true;
    session_ = federation.watchers().open(server_, "", identity::Caller::everybody());
    subscriber.follower.opened(client_);
    carry_requests();
  }
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;
  ~Link() {
    federation_.watchers().closed(*session_);
    subscriber_.follower.closed();
  }

  /// Carries the next message of the federation; false = there is none, or the subscriber has closed the stream.
  bool carry_one() {
    carry_requests();
    if (server_->sent.empty() || client_->closed) return false;
    const EncodedReply bytes = server_->take().front();
    heard.push_back(decoded(bytes));
    encodings.push_back(bytes);
    subscriber_.follower.received(heard.back());
    EXPECT_TRUE(client_->closed || client_->reads == static_cast<int>(heard.size()) + 1);
    server_->in_flight = false;
    session_->pump();
    carry_requests();
    return true;
  }
  /// Carries everything, what the next round of the watchers brings included.
  void carry() {
    do {
      while (carry_one()) continue;
      federation_.pass_round();
    } while (carry_one());
  }
  /// All parts of the last batch.
  std::vector<EncodedReply> last_batch() const {
    std::size_t begin = heard.size() - 1;
    while (heard[begin].batch().part() > 0) --begin;
    return {encodings.begin() + static_cast<std::ptrdiff_t>(begin), encodings.end()};
  }
  bool closed_by_subscriber() const { return client_->closed; }
  bool cut_by_federation() const { return server_->aborted; }
  WatchSession& session() { return *session_; }
  /// Carries what the subscriber has said on its own: late acknowledgements.
  void carry_requests() {
    for (const v1::WatchRequest& request : client_->take()) {
      said.push_back(request);
      session_->received(request);
    }
  }

  /// "delta 3..5", "snapshot", "buckets 2 of 1024", "status", "goodbye": what was heard
  std::vector<std::string> story() const {
    std::vector<std::string> out;
    for (const v1::WatchReply& reply : heard) {
      if (reply.batch().part() == 0) out.push_back(text_of(reply));
    }
    return out;
  }

  std::vector<v1::WatchReply> heard;
  std::vector<EncodedReply> encodings;
  std::vector<v1::WatchRequest> said;

 private:
  static std::string text_of(const v1::WatchReply& reply) {
    if (reply.has_status()) return "status";
    if (reply.has_goodbye()) return "goodbye";
    const v1::Batch& batch = reply.batch();
    if (batch.kind() == v1::Batch::SNAPSHOT) return "snapshot";
    if (batch.kind() == v1::Batch::BUCKETS) return "buckets " + std::to_string(batch.records_size());
    return "delta " + std::to_string(batch.from()) + ".." + std::to_string(batch.to());
  }

  Federation& federation_;
  Subscriber& subscriber_;
  std::shared_ptr<test::FakePort<EncodedReply>> server_;
  std::shared_ptr<test::FakePort<v1::WatchRequest>> client_;
  std::shared_ptr<WatchSession> session_;
};

inline std::string services_text(const model::Records& records) {
  std::string out;
  for (const auto& [key, service] : records.services) {
    out += key.namespace_ + "/" + key.name + "=" + std::to_string(service.endpoints) + " ";
  }
  return out;
}

/// Two catalogs hold the same, but for how long it has been so, which their processes tell on their own.
inline void expect_equal(const model::Records& left, const model::Records& right) {
  const auto ageless = [](model::Records records) {
    for (auto& [key, endpoint] : records.endpoints) {
      endpoint.health.since = TimePoint{};
      endpoint.health.drain_until.reset();
    }
    for (auto& [key, status] : records.statuses) status.since = TimePoint{};
    for (auto& [key, service] : records.services) service.gone_since = service.exported_until = TimePoint{};
    return records;
  };
  const model::Records a = ageless(left);
  const model::Records b = ageless(right);
  EXPECT_TRUE(a.nodes == b.nodes);
  EXPECT_TRUE(a.statuses == b.statuses);
  EXPECT_TRUE(a.endpoints == b.endpoints);
  EXPECT_TRUE(a.services == b.services) << services_text(a) << " is not " << services_text(b);
  EXPECT_TRUE(a.destinations == b.destinations);
  EXPECT_TRUE(a.clusters == b.clusters);
}

/// A subscriber holds what the federation has, byte for byte.
inline void expect_follows(Federation& federation, const Subscriber& subscriber) {
  federation.feed().update();
  expect_equal(federation.catalog.records(), subscriber.catalog.records());
  const v1::Position held = subscriber.mirror.position(true);
  EXPECT_EQ(std::vector<std::uint64_t>(held.buckets().begin(), held.buckets().end()),
            federation.feed().bucket_hashes());
  EXPECT_EQ(held.epoch(), federation.feed().epoch());
  EXPECT_EQ(held.revision(), federation.feed().head());
}

}  // namespace meshdns::federation
