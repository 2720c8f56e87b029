#include "dnsd/persistence/persistence.h"

#include <filesystem>
#include <utility>
#include <vector>

#include "common/base/overloaded.h"
#include "common/base/private_folder.h"
#include "common/base/text.h"
#include "common/convert/object_convert.h"
#include "common/convert/record_convert.h"
#include "common/log/log.h"
#include "common/process/memory.h"
#include "dnsd/federation/record_codec.h"
#include "dnsd/persistence/seed.h"
#include "dnsd/store/memory_store.h"
#include "dnsd/store/sqlite_store.h"

namespace meshdns::persistence {
namespace {

using catalog::RecordType;

/// Returns the path of the database; empty = the store is in memory.
std::filesystem::path path_of(const Persistence::Place& place) {
  return place.database.empty() ? std::filesystem::path() : std::filesystem::path(place.folder) / place.database;
}

Result<std::unique_ptr<store::Store>> make_store(const std::filesystem::path& path) {
  if (path.empty()) return std::make_unique<store::MemoryStore>();
  if (auto made = make_private_folder(path.parent_path().string()); !made) {
    return Error(Code::Unavailable, made.error().message() +
                                        " (data_dir names another folder; federation.store: {memory: {}} needs none)");
  }
  return std::make_unique<store::SqliteStore>(path.string());
}

/// Whether the store may lack what this federation knew last.
bool is_suspicious(const store::Contents& contents, StoreMarker::Word marked) {
  return contents.begun || contents.rebuilt || contents.records_lost || marked == StoreMarker::Word::Recovering ||
         marked == StoreMarker::Word::Claimed;
}

/// Returns the epoch in which the newest snapshot of this federation was written; 0 = there is none.
std::uint64_t snapshot_epoch(const std::string& folder, std::int64_t unix_seconds) {
  auto kept = snapshot_file::open_snapshot(folder + "/" + kFederationSnapshot, unix_seconds).newest;
  if (!kept) return 0;
  const auto head = snapshot_file::BlockReader(kept->content).next();
  return head && *head ? (*head)->epoch() : 0;
}

}  // namespace

Persistence::Persistence(Timers& timers, Post post, const Clock& clock, catalog::Catalog& catalog, Objects& objects)
    : timers_(timers), post_(std::move(post)), clock_(clock), catalog_(catalog), objects_(objects) {}

Persistence::~Persistence() { finish(); }

void Persistence::finish() {
  catalog_.set_noted({});
  if (writer_) writer_->finish();
  writer_.reset();
}

Result<void> Persistence::open(const Place& place, Digests digests) {
  digests_ = std::move(digests);
  const auto path = path_of(place);
  auto store = make_store(path);
  if (!store) return store.error();
  auto contents = (*store)->open(clock_.unix_seconds());
  if (!contents) return contents.error().with_context("store");
  if (!contents->note.empty()) log::error("store was damaged", {{"problem", contents->note}});
  epoch_ = contents->epoch;
  for (const auto& [key, node] : catalog_.records().nodes) listed_.insert(key);
  if (!path.empty()) {
    marker_.emplace(path.string() + ".state");
    marking_.emplace();
  }
  const StoreMarker::Content marked = marker_ ? marker_->read() : StoreMarker::Content{};
  const Lack lack = marker_ ? lack_of(*contents, marked, place.folder) : Lack{};
  lacked_ = lack.text;
  if (!lacked_.empty()) log::error("the store has lost what was written", {{"lacks", lacked_}});
  std::optional<snapshot_file::KeptSet> seed;
  if (marker_ && (is_suspicious(*contents, marked.word) || !lacked_.empty())) {
    seed = newest_seed(place.folder, clock_.unix_seconds());
  }
  kept_ = judge(*contents, marked.word, seed.has_value());
  claimed_ = kept_ == Kept::Lost && marked.word == StoreMarker::Word::Claimed && lacked_.empty() &&
             !is_suspicious(*contents, StoreMarker::Word::Whole);
  seeded_ = kept_ == Kept::Lost && seed;
  if (seeded_) {
    restore_seed(std::move(*seed), {catalog_, objects_, listed_, contents->objects.empty() || lack.objects},
                 clock_.now());
  }
  restore_objects(*contents, lack.objects);
  const std::size_t stored_records = contents->records.size();
  thread_ = std::make_unique<store::StoreThread>(std::move(*store), post_);
  writer_.emplace(RecordWriter::Environment{
      timers_, clock_, catalog_,
      [this](std::vector<store::StoredRecord> put, std::vector<store::RecordKey> erase, RecordWriter::Done done) {
        thread_->put_records(std::move(put), erase, std::move(done));
      },
      [this](const Result<void>& result) { note(result); }, digests_.of});
  restore_records(std::move(contents->records));
  process::release_free_memory();  // of the rows; what is made from the records next would be added to it otherwise
  catalog_.set_noted([this](RecordType type, const std::string& key) { writer_->changed(type, key); });
  const auto lost = claimed_ ? StoreMarker::Word::Claimed : StoreMarker::Word::Recovering;
  mark(kept_ == Kept::Lost ? lost : StoreMarker::Word::Whole);
  log::info("store opened", {{"epoch", epoch_},
                             {"objects", contents->objects.size()},
                             {"records", stored_records},
                             {"lost", kept_ == Kept::Lost},
                             {"seeded", seeded_}});
  if (seeded_) write_everything();
  return {};
}

Persistence::Lack Persistence::lack_of(const store::Contents& contents, const StoreMarker::Content& marked,
                                       const std::string& folder) const {
  const store::Written& has = contents.written;
  const store::Written& had = marked.written;
  if (had.transactions > 0) {
    if (has.transactions >= had.transactions && has.of_objects >= had.of_objects) return {};
    const auto missing = [](std::uint64_t there, std::uint64_t was) { return was > there ? was - there : 0; };
    return {std::to_string(missing(has.transactions, had.transactions)) + " of " + std::to_string(had.transactions) +
                " transactions, " + std::to_string(missing(has.of_objects, had.of_objects)) + " of them of objects",
            has.of_objects < had.of_objects};
  }
  // An earlier version did not count transactions. But a snapshot of a later epoch than the store's newest one shows
  // that the store has lost a whole start.
  if (contents.begun || marked.word == StoreMarker::Word::None) return {};
  const std::uint64_t epoch = snapshot_epoch(folder, clock_.unix_seconds());
  if (epoch <= contents.stored_epoch) return {};
  return {"everything since epoch " + std::to_string(contents.stored_epoch) + ", the snapshot is of epoch " +
              std::to_string(epoch),
          true};
}

Persistence::Kept Persistence::judge(const store::Contents& contents, StoreMarker::Word marked, bool has_seed) const {
  if (!marker_) return Kept::New;
  if (!lacked_.empty()) return Kept::Lost;
  if (!is_suspicious(contents, marked)) return Kept::Kept;
  const bool first_start = contents.begun && !contents.records_lost && marked == StoreMarker::Word::None && !has_seed;
  return first_start ? Kept::New : Kept::Lost;
}

void Persistence::mark(StoreMarker::Word word) {
  if (!marker_) return;
  const bool same = std::exchange(word_, word) == word;
  marks_again_ = false;
  // Numbers can wait for the write under way. A new word cannot: a crash before it would let the next start trust a
  // lost store.
  mark_waits_ = same && marking_now_ > 0;
  if (mark_waits_) return;
  ++marking_now_;
  marked_at_ = clock_.now();
  marking_->run([this, marker = *marker_, content = StoreMarker::Content{word, thread_->written()}] {
    post_([this, result = marker.write(content)] { marked(result); });
  });
}

void Persistence::marked(const Result<void>& result) {
  if (--marking_now_ == 0 && mark_waits_) return mark(word_);
  if (result) return;
  marks_again_ = true;  // note() repeats it when the store can be written
  if (reminder_.due(clock_.now())) log::error("store not writable", {{"reason", result.error()}});
}

void Persistence::found_lost(bool claimed) {
  kept_ = Kept::Lost;
  claimed_ = claimed;
  mark(claimed ? StoreMarker::Word::Claimed : StoreMarker::Word::Recovering);
}

void Persistence::recovered() {
  kept_ = Kept::Kept;
  mark(StoreMarker::Word::Whole);
  // the store has noted the loss, too: an empty transaction tells it that the loss is over
  thread_->put_objects({}, {}, [this](const Result<void>& result) { note(result); });
}

void Persistence::restore_objects(const store::Contents& contents, bool behind) {
  Objects::Change change;
  for (const store::StoredObject& stored : contents.objects) {
    if (behind && objects_.all().contains(stored.key)) continue;  // the object of the snapshot is the newer one
    const auto object = convert::object_of(stored.body);
    if (object) {
      change.put.push_back(*object);
    } else {
      log::error("stored object left out", {{"key", stored.key}, {"reason", object.error()}});
    }
  }
  for (const std::string& problem : objects_.commit(change, clock_.now())) {
    log::error("stored object left out", {{"reason", problem}});
  }
}

bool Persistence::may_restore(RecordType type, const std::string& key, const std::string& node) {
  if (listed_.contains(node)) return false;
  if (catalog_.records().nodes.contains(node)) return true;
  writer_->changed(type, key);
  return false;
}

void Persistence::left_out(const store::StoredRecord& record, const std::string& why) {
  constexpr std::size_t kMostTold = 10;
  if (++left_out_ > kMostTold) return;
  log::error("stored record left out",
             {{"type", record.type}, {"key", catalog::in_quotes(record.key)}, {"reason", why}});
}

void Persistence::restore_record(RecordType type, const store::StoredRecord& record, TimePoint since) {
  const auto wanted = Overloaded{
      [&](const model::Node& node) { return !listed_.contains(node.key); },
      [&](const model::Endpoint& endpoint) { return may_restore(type, record.key, endpoint.node); },
      [&](const federation::Named<model::NodeStatus>& status) { return may_restore(type, status.key, status.key); },
      [](const auto&) { return true; }};
  catalog::RecordKinds::visit(type, [&](auto kind) {
    if constexpr (!kind.kObject) {
      const auto decoded = federation::decode(kind, record.key, record.body, since);
      if (!decoded) return left_out(record, decoded.error().message());
      if (!wanted(*decoded)) return;
      if (const auto refusal = federation::put(catalog_, *decoded)) {
        left_out(record, refusal_text(*refusal));
        writer_->changed(type, record.key);  // erases the row, which would be refused again at every start
        return;
      }
      if constexpr (kind.kType == RecordType::Endpoint) {
        if (digests_.restored) digests_.restored(*decoded, record.digest);
      }
    }
  });
}

void Persistence::restore_records(std::vector<store::StoredRecord> records) {
  const std::int64_t now = clock_.unix_seconds();
  std::optional<std::uint64_t> serial;
  for (const bool nodes : {true, false}) {  // nodes first: endpoints and statuses without their node are not restored
    for (store::StoredRecord& stored : records) {
      const auto type = catalog::record_type_named(stored.type);
      if ((type == RecordType::Node) != nodes) continue;
      const store::StoredRecord record = std::exchange(stored, {});
      const Duration age = std::chrono::seconds(std::max<std::int64_t>(0, now - record.unix_seconds));
      if (record.type == kSerialRecord) serial = parse_uint(record.body);
      if (type) restore_record(*type, record, clock_.now() - age);
    }
  }
  if (left_out_ > 0) log::error("stored records left out", {{"records", left_out_}});
  catalog_.mirrored(catalog_.revision() + 1, clock_.now());
  if (serial) catalog_.pass_serial(static_cast<std::uint32_t>(*serial) + kMostUnwritten);
  for (const auto& [key, node] : catalog_.records().nodes) {
    if (!listed_.contains(key)) restored_.insert(key);
  }
}

void Persistence::note(const Result<void>& result) {
  // Too many calls wait for the disk. The caller hears of it; it does not mean that the disk cannot be written.
  if (!result && result.error().code() == Code::ResourceExhausted) return;
  const std::string trouble = result ? "" : result.error().message();
  if (!trouble.empty() && reminder_.due(clock_.now())) log::error("store not writable", {{"reason", trouble}});
  if (trouble.empty() && reminder_.ends()) log::info("store writable again", {{"was", trouble_}});
  trouble_ = trouble;
  if (result && !uncopied_.empty()) write_copies();
  if (result && (marks_again_ || clock_.now() - marked_at_ >= kMarkInterval)) mark(word_);
  if (result) return;
  if (writer_) writer_->retry();
  if (result.error().code() != Code::DataLoss || std::exchange(rewriting_, true)) return;
  // DataLoss: the store was damaged or removed, and an empty one has begun in its place. Every call that waited for
  // this write has that result; everything needs to be written only once.
  post_([this] {
    rewriting_ = false;
    write_everything();
  });
}

void Persistence::apply(Objects::Change change, std::function<void(Result<void>)> done) {
  std::vector<store::StoredObject> put;
  for (const v1::Object& object : change.put)
    put.push_back({convert::object_key(object), convert::object_body(object)});
  std::vector<std::string> erase = change.erase;
  thread_->put_objects(std::move(put), std::move(erase),
                       [this, change = std::move(change), done = std::move(done)](const Result<void>& stored) {
                         note(stored);
                         if (stored) {
                           objects_.commit(change, clock_.now());
                           mark(word_);
                         }
                         done(stored);
                       });
}

std::map<std::string, std::string> Persistence::adopt(const Objects::Change& change) {
  std::map<std::string, std::string> refused;
  for (const v1::Object& object : change.put) {
    const std::string key = convert::object_key(object);
    for (const std::string& problem : objects_.commit({.put = {object}, .erase = {}}, clock_.now()))
      refused.emplace(key, problem);
    uncopied_.insert(key);
  }
  objects_.commit({.put = {}, .erase = change.erase}, clock_.now());
  uncopied_.insert(change.erase.begin(), change.erase.end());
  if (!uncopied_.empty()) write_copies();
  return refused;
}

void Persistence::write_copies() {
  const auto keys = std::make_shared<std::set<std::string>>(std::exchange(uncopied_, {}));
  std::vector<store::StoredObject> put;
  std::vector<std::string> erase;
  for (const std::string& key : *keys) {
    const auto found = objects_.all().find(key);
    if (found == objects_.all().end()) {
      erase.push_back(key);
    } else {
      put.push_back({key, convert::object_body(found->second)});
    }
  }
  thread_->put_objects(std::move(put), std::move(erase), [this, keys](const Result<void>& written) {
    if (!written) uncopied_.insert(keys->begin(), keys->end());
    note(written);
    if (written) mark(word_);
  });
}

void Persistence::erase_expired(std::vector<std::string> keys) {
  thread_->put_objects({}, std::move(keys), [this](const Result<void>& result) { note(result); });
}

void Persistence::write_everything() {
  if (writer_) writer_->everything();
  std::vector<store::StoredObject> objects;
  for (const auto& [key, object] : objects_.all()) {
    if (object.metadata().manager() != Objects::kFileManager) objects.push_back({key, convert::object_body(object)});
  }
  thread_->put_objects(std::move(objects), {}, [this](const Result<void>& result) { note(result); });
}

}  // namespace meshdns::persistence
