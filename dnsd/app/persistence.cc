#include "dnsd/app/persistence.h"

#include <filesystem>
#include <fstream>
#include <utility>
#include <vector>

#include "common/base/text.h"
#include "common/convert/object_convert.h"
#include "common/convert/record_convert.h"
#include "common/log/log.h"
#include "dnsd/app/mesh_file.h"
#include "dnsd/app/seed.h"
#include "dnsd/store/memory_store.h"
#include "dnsd/store/sqlite_store.h"

namespace meshdns::app {
namespace {

using catalog::RecordType;

constexpr const char* kWhole = "whole";
constexpr const char* kRecovering = "recovering";
constexpr const char* kSerial = "Serial";  // a record of the store's own: what the zones' serial was

/// Empty = it is kept in memory.
std::filesystem::path database_of(const Configuration& configuration) {
  const auto& store = configuration.file.federation().store();
  if (store.has_memory()) return {};
  const std::string& name = store.sqlite().path();
  return std::filesystem::path(configuration.file.data_dir()) / (name.empty() ? "federation.db" : name);
}

Result<std::unique_ptr<store::Store>> make_store(const std::filesystem::path& path) {
  if (path.empty()) return std::make_unique<store::MemoryStore>();
  std::error_code error;
  std::filesystem::create_directories(path.parent_path(), error);
  if (error) {
    return Error(Code::Unavailable, path.parent_path().string() + ": " + error.message() +
                                        " (data_dir names another folder; federation.store: {memory: {}} needs none)");
  }
  return std::make_unique<store::SqliteStore>(path.string());
}

/// The first word of a file; empty = there is no such file.
std::string word_in(const std::string& path) {
  std::ifstream file(path);
  std::string word;
  file >> word;
  return word;
}

/// What agents report and measure, who is silent (else the endpoints of a dead node would be answered again after a
/// start), and what names resolved to last.
bool is_kept(RecordType type) { return !catalog::is_object(type) && type != RecordType::Service; }

/// It may not be what this federation knew last.
bool is_suspicious(const store::Contents& contents, const std::string& marked) {
  return contents.begun || contents.rebuilt || contents.records_lost || marked == kRecovering;
}

}  // namespace

Persistence::Persistence(process::EventLoop& loop, const Clock& clock, catalog::Catalog& catalog, Objects& objects)
    : loop_(loop), clock_(clock), catalog_(catalog), objects_(objects) {}

Persistence::~Persistence() {
  if (timer_) loop_.cancel(*timer_);
  if (thread_) write_records();
}

Result<void> Persistence::open(const Configuration& configuration) {
  const auto path = database_of(configuration);
  auto store = make_store(path);
  if (!store) return store.error();
  const auto contents = (*store)->open(clock_.unix_seconds());
  if (!contents) return contents.error().with_context("store");
  if (!contents->note.empty()) log::error("store", {{"problem", contents->note}});
  epoch_ = contents->epoch;
  for (const auto& [key, node] : catalog_.records().nodes) listed_.insert(key);
  if (!path.empty()) marker_ = path.string() + ".state";
  std::optional<KeptSet> seed;
  if (!marker_.empty() && is_suspicious(*contents, word_in(marker_))) {
    seed = newest_seed(configuration.file.data_dir(), clock_.unix_seconds());
  }
  kept_ = judge(*contents, seed.has_value());
  seeded_ = kept_ == Kept::Lost && seed;
  if (seeded_) restore_seed(std::move(*seed), {catalog_, objects_, listed_, contents->objects.empty()}, clock_.now());
  restore_objects(*contents);
  restore_records(*contents);
  written_revision_ = catalog_.revision();
  thread_ = std::make_unique<store::StoreThread>(std::move(*store),
                                                 [this](std::function<void()> work) { loop_.post(std::move(work)); });
  mark(kept_ == Kept::Lost ? kRecovering : kWhole);
  log::info("store opened", {{"epoch", epoch_},
                             {"objects", contents->objects.size()},
                             {"records", contents->records.size()},
                             {"lost", kept_ == Kept::Lost},
                             {"seeded", seeded_}});
  if (seeded_) write_everything();
  return {};
}

Persistence::Kept Persistence::judge(const store::Contents& contents, bool has_seed) const {
  if (marker_.empty()) return Kept::New;
  const std::string marked = word_in(marker_);
  if (!is_suspicious(contents, marked)) return Kept::Kept;
  const bool first_start = contents.begun && !contents.records_lost && marked.empty() && !has_seed;
  return first_start ? Kept::New : Kept::Lost;
}

void Persistence::mark(const char* word) const {
  if (marker_.empty()) return;
  // on a disk that cannot be written the store has said so already
  std::ofstream(marker_) << word << "\n";
}

void Persistence::found_lost() {
  kept_ = Kept::Lost;
  mark(kRecovering);
}

void Persistence::recovered() {
  kept_ = Kept::Kept;
  mark(kWhole);
  // tells the store, too, that what was lost is here again
  thread_->put_objects({}, {}, [this](const Result<void>& result) { note(result); });
}

void Persistence::restore_objects(const store::Contents& contents) {
  Objects::Change change;
  for (const store::StoredObject& stored : contents.objects) {
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

void Persistence::restore_record(const store::StoredRecord& record, TimePoint since) {
  const auto type = catalog::record_type_named(record.type);
  if (type == RecordType::Node) {
    const auto node = convert::node_of(record.body);
    if (node && !listed_.contains(node->key)) catalog_.mirror(*node);
  } else if (type == RecordType::Endpoint) {
    const auto endpoint = convert::endpoint_of(record.key, record.body, since);
    if (endpoint && !listed_.contains(endpoint->node)) catalog_.mirror(*endpoint);
  } else if (type == RecordType::NodeStatus) {
    const auto status = convert::status_of(record.body, since);
    if (status && !listed_.contains(record.key)) catalog_.mirror(record.key, *status);
  } else if (type == RecordType::ClusterStatus) {
    if (const auto status = convert::cluster_status_of(record.body)) catalog_.mirror(record.key, *status);
  } else if (type == RecordType::ExternalName) {
    if (const auto name = convert::external_name_of(record.body)) catalog_.mirror(record.key, *name);
  }
}

void Persistence::restore_records(const store::Contents& contents) {
  const std::int64_t now = clock_.unix_seconds();
  std::optional<std::uint64_t> serial;
  for (const store::StoredRecord& record : contents.records) {
    const Duration age = std::chrono::seconds(std::max<std::int64_t>(0, now - record.unix_seconds));
    if (record.type == kSerial) {
      serial = parse_uint(record.body);
    } else {
      restore_record(record, clock_.now() - age);
    }
  }
  catalog_.mirrored(catalog_.revision() + 1, clock_.now());
  if (serial) catalog_.pass_serial(static_cast<std::uint32_t>(*serial) + kMostUnwritten);
  for (const auto& [key, node] : catalog_.records().nodes) {
    if (!listed_.contains(key)) restored_.insert(key);
  }
}

void Persistence::note(const Result<void>& result) {
  const std::string trouble = result ? "" : result.error().message();
  if (!trouble.empty() && reminder_.due(clock_.now())) log::error("store not writable", {{"reason", trouble}});
  if (trouble.empty() && reminder_.ends()) log::info("store writable again", {{"was", trouble_}});
  trouble_ = trouble;
  if (!result && result.error().code() == Code::DataLoss) write_everything();
  if (!result) records_changed();  // tried again, even if nothing else changes
}

void Persistence::apply(Objects::Change change, std::function<void(Result<void>)> done) {
  std::vector<store::StoredObject> put;
  for (const v1::Object& object : change.put)
    put.push_back({convert::object_key(object), convert::object_body(object)});
  std::vector<std::string> erase = change.erase;
  thread_->put_objects(std::move(put), std::move(erase),
                       [this, change = std::move(change), done = std::move(done)](const Result<void>& stored) {
                         note(stored);
                         if (stored) objects_.commit(change, clock_.now());
                         done(stored);
                       });
}

void Persistence::records_changed() {
  if (timer_) return;
  timer_ = loop_.after(kLazily, [this] {
    timer_.reset();
    write_records();
  });
}

std::optional<store::StoredRecord> Persistence::stored(RecordType type, const std::string& key) const {
  const model::Records& records = catalog_.records();
  store::StoredRecord out{std::string(record_type_name(type)), key, "", clock_.unix_seconds()};
  if (type == RecordType::Node) {
    const auto found = records.nodes.find(key);
    if (found == records.nodes.end()) return std::nullopt;
    out.body = convert::node_body(found->second);
  } else if (type == RecordType::NodeStatus) {
    const auto found = records.statuses.find(key);
    if (found == records.statuses.end() || !found->second.silent) return std::nullopt;
    out.body = convert::status_body(found->second);
    out.unix_seconds -= (clock_.now() - found->second.since) / 1s;
  } else if (type == RecordType::ClusterStatus) {
    const auto found = records.cluster_statuses.find(key);
    if (found == records.cluster_statuses.end()) return std::nullopt;
    out.body = convert::cluster_status_body(found->second);
  } else if (type == RecordType::ExternalName) {
    const auto found = records.external_names.find(key);
    if (found == records.external_names.end()) return std::nullopt;
    out.body = convert::external_name_body(found->second);
  } else {
    const auto found = records.endpoints.find(key);
    if (found == records.endpoints.end()) return std::nullopt;
    out.body = convert::endpoint_body(found->second);
    out.unix_seconds -= (clock_.now() - found->second.health.since) / 1s;
  }
  return out;
}

store::StoredRecord Persistence::serial_record() const {
  return {kSerial, "", std::to_string(catalog_.serial()), clock_.unix_seconds()};
}

void Persistence::write_records() {
  const auto changes = catalog_.changes_since(written_revision_);
  if (!changes) return write_everything();
  written_revision_ = catalog_.revision();
  std::vector<store::StoredRecord> put;
  std::vector<store::RecordKey> erase;
  for (const catalog::Change& change : *changes) {
    if (!is_kept(change.type)) continue;
    if (auto record = stored(change.type, change.key)) {
      put.push_back(std::move(*record));
    } else {
      erase.emplace_back(record_type_name(change.type), change.key);
    }
  }
  if (changes->empty() && trouble_.empty()) return;
  put.push_back(serial_record());
  thread_->put_records(std::move(put), erase, [this](const Result<void>& result) { note(result); });
}

void Persistence::write_everything() {
  written_revision_ = catalog_.revision();
  std::vector<store::StoredRecord> put;
  for (const auto& [key, node] : catalog_.records().nodes) put.push_back(*stored(RecordType::Node, key));
  for (const auto& [key, endpoint] : catalog_.records().endpoints) put.push_back(*stored(RecordType::Endpoint, key));
  for (const auto& [key, status] : catalog_.records().statuses) {
    if (auto record = stored(RecordType::NodeStatus, key)) put.push_back(std::move(*record));
  }
  for (const auto& [key, status] : catalog_.records().cluster_statuses) {
    put.push_back(*stored(RecordType::ClusterStatus, key));
  }
  for (const auto& [key, name] : catalog_.records().external_names) {
    put.push_back(*stored(RecordType::ExternalName, key));
  }
  put.push_back(serial_record());
  thread_->put_records(std::move(put), {}, [this](const Result<void>& result) { note(result); });
  std::vector<store::StoredObject> objects;
  for (const auto& [key, object] : objects_.all()) {
    if (object.metadata().manager() != MeshFile::kManager) objects.push_back({key, convert::object_body(object)});
  }
  thread_->put_objects(std::move(objects), {}, [this](const Result<void>& result) { note(result); });
}

}  // namespace meshdns::app
