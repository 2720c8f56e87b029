#include "dnsd/app/persistence.h"

#include <filesystem>
#include <utility>
#include <vector>

#include "common/convert/object_convert.h"
#include "common/convert/record_convert.h"
#include "common/log/log.h"
#include "dnsd/store/memory_store.h"
#include "dnsd/store/sqlite_store.h"

namespace meshdns::app {
namespace {

using catalog::RecordType;

Result<std::unique_ptr<store::Store>> make_store(const Configuration& configuration) {
  const auto& file = configuration.file;
  if (file.federation().store().has_memory()) return std::make_unique<store::MemoryStore>();
  const std::string& name = file.federation().store().sqlite().path();
  const auto path = std::filesystem::path(file.data_dir()) / (name.empty() ? "federation.db" : name);
  std::error_code error;
  std::filesystem::create_directories(path.parent_path(), error);
  if (error) {
    return Error(Code::Unavailable, path.parent_path().string() + ": " + error.message() +
                                        " (data_dir names another folder; federation.store: {memory: {}} needs none)");
  }
  return std::make_unique<store::SqliteStore>(path.string());
}

/// Only what agents report is kept; the rest follows from it, or is the federation's own opinion.
bool is_kept(RecordType type) { return type == RecordType::Node || type == RecordType::Endpoint; }

}  // namespace

Persistence::Persistence(process::EventLoop& loop, const Clock& clock, catalog::Catalog& catalog, Objects& objects)
    : loop_(loop), clock_(clock), catalog_(catalog), objects_(objects) {}

Persistence::~Persistence() {
  if (timer_) loop_.cancel(*timer_);
  if (thread_) write_records();
}

Result<void> Persistence::open(const Configuration& configuration,
                               const std::function<void(const std::string&)>& known_node) {
  auto store = make_store(configuration);
  if (!store) return store.error();
  const auto contents = (*store)->open(clock_.unix_seconds());
  if (!contents) return contents.error().with_context("store");
  if (!contents->note.empty()) log::error("store", {{"problem", contents->note}});
  epoch_ = contents->epoch;
  restore_objects(*contents);
  restore_records(*contents, known_node);
  written_revision_ = catalog_.revision();
  thread_ = std::make_unique<store::StoreThread>(std::move(*store),
                                                 [this](std::function<void()> work) { loop_.post(std::move(work)); });
  log::info("store opened", {{"epoch", epoch_},
                             {"objects", contents->objects.size()},
                             {"records", contents->records.size()},
                             {"rebuilt", contents->rebuilt}});
  return {};
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
    if (const auto node = convert::node_of(record.body)) catalog_.mirror(*node);
  } else if (type == RecordType::Endpoint) {
    if (const auto endpoint = convert::endpoint_of(record.key, record.body, since)) catalog_.mirror(*endpoint);
  }
}

void Persistence::restore_records(const store::Contents& contents,
                                  const std::function<void(const std::string&)>& known_node) {
  const std::int64_t now = clock_.unix_seconds();
  for (const store::StoredRecord& record : contents.records) {
    const Duration age = std::chrono::seconds(std::max<std::int64_t>(0, now - record.unix_seconds));
    restore_record(record, clock_.now() - age);
  }
  catalog_.mirrored(catalog_.revision() + 1, clock_.now());
  for (const auto& [key, node] : catalog_.records().nodes) known_node(key);
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
  } else {
    const auto found = records.endpoints.find(key);
    if (found == records.endpoints.end()) return std::nullopt;
    out.body = convert::endpoint_body(found->second);
    out.unix_seconds -= (clock_.now() - found->second.health.since) / 1s;
  }
  return out;
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
  if (put.empty() && erase.empty() && trouble_.empty()) return;
  thread_->put_records(std::move(put), erase, [this](const Result<void>& result) { note(result); });
}

void Persistence::write_everything() {
  written_revision_ = catalog_.revision();
  std::vector<store::StoredRecord> put;
  for (const auto& [key, node] : catalog_.records().nodes) put.push_back(*stored(RecordType::Node, key));
  for (const auto& [key, endpoint] : catalog_.records().endpoints) put.push_back(*stored(RecordType::Endpoint, key));
  thread_->put_records(std::move(put), {}, [this](const Result<void>& result) { note(result); });
  std::vector<store::StoredObject> objects;
  for (const auto& [key, object] : objects_.all()) objects.push_back({key, convert::object_body(object)});
  thread_->put_objects(std::move(objects), {}, [this](const Result<void>& result) { note(result); });
}

}  // namespace meshdns::app
