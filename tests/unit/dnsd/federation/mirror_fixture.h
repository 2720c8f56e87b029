#pragma once

#include <string>
#include <vector>

#include "common/convert/record_convert.h"
#include "dnsd/federation/mirror.h"
#include "tests/unit/dnsd/federation/watch_fixture.h"

namespace meshdns::federation {

inline v1::Batch batch(v1::Batch::Kind kind, std::uint64_t from, std::uint64_t to) {
  v1::Batch out;
  out.mutable_origin()->set_cluster("eu-1");
  out.mutable_origin()->set_instance("a");
  out.set_epoch(5);
  out.set_from(from);
  out.set_to(to);
  out.set_kind(kind);
  out.set_last(true);
  return out;
}
inline v1::Batch snapshot(std::uint64_t to) { return batch(v1::Batch::SNAPSHOT, 0, to); }
inline v1::Batch delta(std::uint64_t from, std::uint64_t to) { return batch(v1::Batch::DELTA, from, to); }

inline void add(v1::Batch& batch, const std::string& type, const std::string& key, const std::string& body) {
  v1::Record& record = *batch.add_records();
  record.set_type(type);
  record.set_key(key);
  record.set_body(body);
  record.mutable_in_state()->set_seconds(60);
}
inline void add_endpoint(v1::Batch& batch, const std::string& key, std::uint32_t weight = 1) {
  auto endpoint = catalog::endpoint("eu-1/n1", key);
  endpoint.weight = weight;
  add(batch, "Endpoint", endpoint.key, convert::endpoint_body(endpoint));
}
inline void add_removal(v1::Batch& batch, const std::string& key) {
  batch.add_removals()->set_type("Endpoint");
  batch.mutable_removals()->rbegin()->set_key("eu-1/n1/" + key);
}
inline v1::Batch snapshot_of(int count, std::uint64_t to = 1) {
  v1::Batch out = snapshot(to);
  for (int i = 0; i < count; ++i) add_endpoint(out, std::to_string(i));
  return out;
}

/// The parameter is the number of records of a part: batches of one part come in parts of so many.
class MirrorTest : public testing::TestWithParam<int> {
 protected:
  Mirror& mirror() { return subscriber_.mirror; }
  /// "taken", "taken but <key>: <reason>", or the error
  std::string apply(const v1::Batch& batch) {
    const bool whole = batch.part() == 0 && batch.last();
    const auto nacks = apply_parts(whole ? parts_of(batch, GetParam()) : std::vector<v1::Batch>{batch});
    if (!nacks) return nacks.error().message();
    std::string out = "taken";
    for (const v1::Nack& nack : *nacks) out += " but " + nack.key() + ": " + nack.reason();
    return out;
  }
  /// What came of the last part.
  Result<std::vector<v1::Nack>> apply_parts(const std::vector<v1::Batch>& parts) {
    for (std::size_t i = 0; i + 1 < parts.size(); ++i) EXPECT_TRUE(mirror().apply(parts[i], clock_.now()));
    return mirror().apply(parts.back(), clock_.now());
  }
  /// Everything except the last `missing` parts of one record each.
  void break_off(const v1::Batch& batch, std::size_t missing) {
    auto parts = parts_of(batch, 1);
    parts.resize(parts.size() - missing);
    EXPECT_TRUE(apply_parts(parts));
  }
  std::vector<std::string> keys() const { return subscriber_.keys(); }

  SimClock clock_;
  Subscriber subscriber_{clock_};
};

}  // namespace meshdns::federation
