#include "dnsd/federation/feed.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "common/convert/record_convert.h"
#include "common/convert/report_convert.h"

namespace meshdns::federation {
namespace {

using catalog::RecordType;

/// The memory that these keys take, in bytes, about.
std::size_t bytes_of(const std::vector<std::pair<RecordType, std::string>>& keys) {
  std::size_t out = keys.size() * sizeof keys[0];
  for (const auto& key : keys) out += key.second.size();
  return out;
}

v1::Removal removal_of(RecordType type, const std::string& key, std::uint64_t revision) {
  v1::Removal removal;
  removal.set_type(std::string(record_type_name(type)));
  removal.set_key(key);
  removal.set_revision(revision);
  removal.set_reason(v1::Removal::WITHDRAWN);
  return removal;
}

}  // namespace

Feed::Feed(catalog::Catalog& catalog, v1::Origin origin, std::uint64_t epoch, ObjectLookup object, Recovery* recovery,
           FeedSizes sizes)
    : catalog_(catalog),
      origin_(std::move(origin)),
      epoch_(epoch),
      object_(std::move(object)),
      recovery_(recovery),
      sizes_(sizes),
      buckets_(kBuckets) {
  update();
  set_serial_anchor(serial());
}

std::optional<EncodedRecord> Feed::encode(const Key& key) const {
  if (!catalog::is_object(key.first)) return encoded(catalog_.records(), key.first, key.second);
  const v1::Object* object = object_(key.first, key.second);
  if (object == nullptr) return std::nullopt;
  return EncodedRecord{convert::object_body(*object)};
}

void Feed::link_newest(Entries::value_type& entry) {
  entry.second.older = newest_;
  entry.second.newer = nullptr;
  (newest_ == nullptr ? eldest_ : newest_->second.newer) = &entry;
  newest_ = &entry;
}

void Feed::unlink(Entries::value_type& entry) {
  const Entry& at = entry.second;
  (at.older == nullptr ? eldest_ : at.older->second.newer) = at.newer;
  (at.newer == nullptr ? newest_ : at.newer->second.older) = at.older;
}

void Feed::put(const Key& key, std::uint64_t revision, const std::optional<EncodedRecord>& encoded) {
  const std::size_t before = entries_.size();
  // hint: at the start the records come in the order of their keys, so each one goes to the end
  const auto at = entries_.try_emplace(entries_.end(), key);
  Entry& entry = at->second;
  if (entries_.size() > before) {
    entry.bucket = convert::bucket_of(record_type_name(key.first), key.second, kBuckets);
  } else {
    unlink(*at);
  }
  buckets_[entry.bucket] -= entry.hash;
  records_ = records_ - (entry.present ? 1 : 0) + (encoded ? 1 : 0);
  entry.present = encoded.has_value();
  entry.revision = revision;
  entry.hash = encoded ? convert::record_hash(key.second, encoded->body) : 0;
  buckets_[entry.bucket] += entry.hash;
  if (!entry.present) removals_.emplace_back(revision, key);
  link_newest(*at);
}

bool Feed::is_current(const std::pair<std::uint64_t, Key>& removal) const {
  const auto found = entries_.find(removal.second);
  return found != entries_.end() && !found->second.present && found->second.revision == removal.first;
}

void Feed::forget_removals() {
  while (entries_.size() - records_ > sizes_.removals) {
    if (is_current(removals_.front())) {
      const auto found = entries_.find(removals_.front().second);
      oldest_ = std::max(oldest_, removals_.front().first);
      unlink(*found);
      entries_.erase(found);
      ++erased_;
    }
    removals_.pop_front();
  }
  // outdated removals pile up where a record comes and goes again and again
  if (removals_.size() <= 2 * sizes_.removals + 2) return;
  std::erase_if(removals_, [this](const auto& removal) { return !is_current(removal); });
}

void Feed::update() {
  if (head_ == catalog_.revision()) return;
  forget_deltas();
  if (const auto changes = catalog_.changes_since(head_)) {
    for (const catalog::Change& change : *changes) {
      const Key key{change.type, change.key};
      put(key, change.revision, encode(key));
    }
  } else {
    compare_all();
  }
  forget_removals();
  head_ = catalog_.revision();
}

void Feed::compare(const Key& key, const std::optional<EncodedRecord>& encoded) {
  if (const auto found = entries_.empty() ? entries_.end() : entries_.find(key); found != entries_.end()) {
    const Entry& entry = found->second;
    const std::uint64_t hash = encoded ? convert::record_hash(key.second, encoded->body) : 0;
    if (entry.present == encoded.has_value() && entry.hash == hash) return;
  }
  put(key, catalog_.revision(), encoded);
}

void Feed::compare_all() {
  std::vector<Key> gone;
  for (const auto& [key, entry] : entries_) {
    if (entry.present && !encode(key)) gone.push_back(key);
  }
  for (const Key& key : gone) put(key, catalog_.revision(), std::nullopt);
  catalog::RecordKinds::each([this](auto kind) {
    for (const auto& [name, record] : catalog_.records().*kind.kMember) {
      const Key key{kind.kType, kind.text_of(name)};
      if constexpr (kind.kObject) {
        compare(key, encode(key));
      } else {
        compare(key, federation::encode(name, record));
      }
    }
  });
}

v1::Batch Feed::empty_batch(v1::Batch::Kind kind, std::uint64_t from) const {
  v1::Batch batch;
  *batch.mutable_origin() = origin_;
  batch.set_epoch(epoch_);
  batch.set_from(from);
  batch.set_to(head_);
  batch.set_serial(serial());
  batch.set_kind(kind);
  return batch;
}

Transfer::Piece Feed::piece(const Key& key, bool mark_provisional, TimePoint now) const {
  const auto found = entries_.find(key);
  const std::uint64_t revision = found == entries_.end() ? head_ : found->second.revision;
  auto encoded = encode(key);
  if (!encoded) return removal_of(key.first, key.second, revision);
  v1::Record record;
  record.set_type(std::string(record_type_name(key.first)));
  record.set_key(key.second);
  record.set_revision(revision);
  record.set_body(std::move(encoded->body));
  if (encoded->since.value_or(TimePoint{}) != TimePoint{}) {
    *record.mutable_in_state() = convert::to_wire(std::max(Duration::zero(), now - *encoded->since));
  }
  if (mark_provisional && is_provisional(key)) record.set_provisional(true);
  return record;
}

Transfer::Source Feed::pieces_of(std::vector<Key> keys) {
  return [this, keys = std::move(keys), at = std::size_t{0}](TimePoint now) mutable -> std::optional<Transfer::Piece> {
    if (at == keys.size()) return std::nullopt;
    update();
    return piece(keys[at++], false, now);
  };
}

template <class Wanted>
Transfer::Source Feed::all_records(Wanted wanted) {
  struct Cursor {
    Entries::const_iterator at;
    std::uint64_t erased;
    std::optional<Key> last;  // the key before `at`: where to go on when entries were erased meanwhile
  };
  return [this, wanted = std::move(wanted),
          cursor = Cursor{entries_.begin(), erased_, {}}](TimePoint now) mutable -> std::optional<Transfer::Piece> {
    update();
    if (std::exchange(cursor.erased, erased_) != erased_) {
      cursor.at = cursor.last ? entries_.upper_bound(*cursor.last) : entries_.begin();
    }
    while (cursor.at != entries_.end()) {
      const auto& [key, entry] = *cursor.at++;
      cursor.last = key;
      if (entry.present && wanted(entry)) return piece(key, true, now);
    }
    return std::nullopt;
  };
}

std::shared_ptr<Transfer> Feed::delta(std::uint64_t from, TimePoint now) {
  if (const auto known = deltas_.find(from); known != deltas_.end() && known->second->may_join(now)) {
    return known->second;
  }
  std::vector<const Entries::value_type*> changed;
  for (const auto* at = newest_; at != nullptr && at->second.revision > from; at = at->second.older) {
    changed.push_back(at);
  }
  std::ranges::sort(changed, {}, [](const auto* entry) { return std::tie(entry->second.revision, entry->first); });
  std::vector<Key> keys;
  for (const auto* entry : changed) keys.push_back(entry->first);
  const Transfer::Limits limits{sizes_.part_bytes, now + kSharedFor, bytes_of(keys)};
  if (deltas_bytes_ + limits.source_bytes > kMostKeptDeltas) forget_deltas();
  deltas_bytes_ += limits.source_bytes;
  auto made = std::make_shared<Transfer>(empty_batch(v1::Batch::DELTA, from), pieces_of(std::move(keys)), limits);
  deltas_.insert_or_assign(from, made);
  return made;
}

void Feed::forget_deltas() {
  for (const auto& [from, transfer] : deltas_) transfer->seal();
  deltas_.clear();
  deltas_bytes_ = 0;
}

void Feed::forget_transfers(TimePoint now) {
  const auto joinable = [now](const auto& entry) { return entry.second->may_join(now); };
  if (std::ranges::none_of(deltas_, joinable)) forget_deltas();
  if (fill_ == nullptr || fill_->may_join(now)) return;
  fill_->seal();
  fill_.reset();
}

v1::Batch Feed::empty_set(v1::Batch::Kind kind) const {
  v1::Batch batch = empty_batch(kind, 0);
  if (settled()) return batch;
  // an additive set lists no bucket, so that replicas that do not know the additive flag remove nothing either
  batch.set_kind(v1::Batch::BUCKETS);
  batch.set_additive(true);
  return batch;
}

bool Feed::is_provisional(const Key& key) const {
  if (recovery_ == nullptr || recovery_->provisional() == 0) return false;
  if (key.first == RecordType::Node || key.first == RecordType::NodeStatus)
    return recovery_->is_provisional(key.second);
  if (key.first != RecordType::Endpoint) return false;
  const auto found = catalog_.records().endpoints.find(key.second);
  return found != catalog_.records().endpoints.end() && recovery_->is_provisional(found->second.node);
}

std::shared_ptr<Transfer> Feed::snapshot(TimePoint now) {
  // a snapshot of an earlier revision will do, if it is read right now: its readers go on with a delta
  const bool same = fill_ && fill_->additive() == !settled() && reaches_back_to(fill_->to());
  if (same && fill_->may_join(now) && (fill_->to() == head_ || fill_->is_read())) return fill_;
  fill_ = std::make_shared<Transfer>(empty_set(v1::Batch::SNAPSHOT), all_records([](const Entry&) { return true; }),
                                     shared(now));
  return fill_;
}

std::shared_ptr<Transfer> Feed::own_snapshot() {
  return std::make_shared<Transfer>(empty_set(v1::Batch::SNAPSHOT), all_records([](const Entry&) { return true; }),
                                    Transfer::Limits{sizes_.part_bytes, {}, 0});
}

std::vector<bool> Feed::differences(const std::vector<std::uint64_t>& held) const {
  std::vector<bool> differs(kBuckets, true);
  for (std::uint32_t i = 0; i < kBuckets; ++i) differs[i] = i >= held.size() || held[i] != buckets_[i];
  return differs;
}

std::shared_ptr<Transfer> Feed::differing(const std::vector<bool>& differs) {
  v1::Batch head = empty_set(v1::Batch::BUCKETS);
  for (std::uint32_t i = 0; i < kBuckets && !head.additive(); ++i) {
    if (differs[i]) head.add_buckets(i);
  }
  return std::make_shared<Transfer>(std::move(head),
                                    all_records([differs](const Entry& entry) { return differs[entry.bucket]; }),
                                    Transfer::Limits{sizes_.part_bytes, {}, 0});
}

std::shared_ptr<Transfer> Feed::confirmed(const std::set<std::string>& nodes, const std::vector<bool>& differs) {
  v1::Batch head = empty_batch(v1::Batch::BUCKETS, 0);
  head.set_additive(true);
  std::vector<Key> keys;
  const auto add = [&](const Key& key) {
    const auto found = entries_.find(key);
    if (found != entries_.end() && differs[found->second.bucket]) keys.push_back(key);
  };
  const auto& endpoints = catalog_.records().endpoints;
  for (const std::string& node : nodes) {
    add({RecordType::Node, node});
    const std::string own = node + "/";
    for (auto at = endpoints.lower_bound(own); at != endpoints.end() && at->first.starts_with(own); ++at) {
      if (at->second.node == node) add({RecordType::Endpoint, at->first});
    }
    // the replica may hold an old status in which the node is silent: piece() sends its removal
    if (!catalog_.records().statuses.contains(node)) keys.emplace_back(RecordType::NodeStatus, node);
  }
  const std::size_t held = bytes_of(keys);
  return std::make_shared<Transfer>(std::move(head), pieces_of(std::move(keys)),
                                    Transfer::Limits{sizes_.part_bytes, {}, held});
}

std::function<std::optional<std::string>()> Feed::blocks(TimePoint now, std::size_t records) {
  v1::Batch head = empty_batch(v1::Batch::SNAPSHOT, 0);
  head.set_last(true);
  return [head = std::optional(std::move(head)), source = all_records([](const Entry&) { return true; }), now,
          records]() mutable -> std::optional<std::string> {
    v1::Batch block;
    const bool first = head.has_value();
    if (first) block = *std::exchange(head, std::nullopt);
    while (static_cast<std::size_t>(block.records_size()) < records) {
      auto piece = source(now);
      if (!piece) break;
      auto* record = std::get_if<v1::Record>(&*piece);
      if (record == nullptr) continue;
      record->clear_provisional();  // all records of a file are provisional when it is read
      *block.add_records() = std::move(*record);
    }
    if (!first && block.records().empty()) return std::nullopt;
    return block.SerializeAsString();
  };
}

bool Feed::holds_others(const v1::Position& held) const {
  if (held.buckets_size() != static_cast<int>(kBuckets)) return false;
  for (std::uint32_t i = 0; i < kBuckets; ++i) {
    const std::uint64_t hash = held.buckets(static_cast<int>(i));
    if (hash != 0 && hash != buckets_[i]) return true;
  }
  return false;
}

bool Feed::subscriber_holds(const v1::Position& held, TimePoint now) {
  if (held.origin().cluster() != origin_.cluster()) return true;
  // two starts of a lost store within a second have the same epoch (it is from the clock): the revision counts, too
  const bool ours = held.epoch() == epoch_ && held.origin().instance() == origin_.instance();
  const bool of_this_start = ours && held.revision() <= head();
  const bool same = of_this_start && held.revision() == head_;
  if (recovery_ != nullptr && !of_this_start && holds_others(held)) recovery_->earlier_records_seen(now);
  if (!held.has_serial() || (same && held.serial() == serial())) return true;
  if (catalog::is_newer_serial(held.serial(), serial_limit_)) return false;
  catalog_.pass_serial(held.serial());
  return true;
}

}  // namespace meshdns::federation
