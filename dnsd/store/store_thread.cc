#include "dnsd/store/store_thread.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

namespace meshdns::store {
namespace {

using Done = StoreThread::Done;

struct ObjectWrite {
  std::vector<StoredObject> put;
  std::vector<std::string> erase;
  Done done;
};

/// A StoredRecord without its type and key.
struct Row {
  std::string body;
  std::int64_t unix_seconds = 0;
  std::uint64_t digest = 0;
};

/// The newest version of each record; nothing = erase the record.
using Records = std::map<RecordKey, std::optional<Row>>;

struct RecordWrite {
  Records records;
  std::vector<Done> done;
};

struct Rows {
  std::vector<StoredRecord> put;
  std::vector<RecordKey> erase;
};

/// Moves the first `most` rows out of `records`.
Rows take_rows(Records& records, std::size_t most) {
  Rows rows;
  rows.put.reserve(std::min(most, records.size()));
  for (std::size_t taken = 0; taken < most && !records.empty(); ++taken) {
    auto entry = records.extract(records.begin());
    if (std::optional<Row>& row = entry.mapped()) {
      auto& [type, key] = entry.key();
      rows.put.push_back({std::move(type), std::move(key), std::move(row->body), row->unix_seconds, row->digest});
    } else {
      rows.erase.push_back(std::move(entry.key()));
    }
  }
  return rows;
}

/// Puts rows back that could not be written, except rows with a newer version in `records`.
void give_back(Records& records, Rows rows) {
  for (StoredRecord& record : rows.put) {
    RecordKey key{std::move(record.type), std::move(record.key)};
    records.try_emplace(std::move(key), Row{std::move(record.body), record.unix_seconds, record.digest});
  }
  for (RecordKey& key : rows.erase) records.try_emplace(std::move(key), std::nullopt);
}

const Error kTooMuch{Code::ResourceExhausted, "too many writes wait for the store"};

}  // namespace

/// The state that both threads share. It lives as long as the longer-living one of them.
struct StoreThread::Shared {
  Shared(std::unique_ptr<Store> the_store, Post the_post, std::size_t the_rows)
      : store(std::move(the_store)), post(std::move(the_post)), rows(std::max<std::size_t>(the_rows, 1)) {}

  void run();
  /// Waits for work.
  /// returns: false = the thread has to end
  bool wait();
  /// Writes the object calls that wait now, but not those that come meanwhile.
  void write_objects();
  bool write_object();
  void write_records();
  /// Writes records, one transaction after the other, until all are written, one fails, or the destructor gives up.
  Result<void> write_rows(Records& waiting);
  void tell(const Done& done, const Result<void>& verdict);

  std::unique_ptr<Store> store;  // used by the writing thread only
  const Post post;
  const std::size_t rows;
  std::mutex mutex;
  std::condition_variable changed;
  // guarded by the mutex
  std::deque<ObjectWrite> objects;
  RecordWrite records;
  bool ask_records = false;  // put_records() was called since the last write
  bool closing = false;
  bool given_up = false;
  bool ended = false;
};

bool StoreThread::Shared::wait() {
  std::unique_lock lock(mutex);
  changed.wait(lock, [this] { return closing || ask_records || !objects.empty(); });
  return !given_up && (ask_records || !objects.empty());
}

void StoreThread::Shared::run() {
  while (wait()) {
    write_objects();
    write_records();
  }
  store.reset();  // here, because closing may wait for the disk, too
  const std::lock_guard lock(mutex);
  ended = true;
  changed.notify_all();
}

void StoreThread::Shared::write_objects() {
  std::unique_lock lock(mutex);
  std::size_t waiting = objects.size();
  lock.unlock();
  while (waiting > 0 && write_object()) --waiting;
}

bool StoreThread::Shared::write_object() {
  std::unique_lock lock(mutex);
  if (objects.empty() || given_up) return false;
  const ObjectWrite write = std::move(objects.front());
  objects.pop_front();
  lock.unlock();
  tell(write.done, store->put_objects(write.put, write.erase));
  return true;
}

void StoreThread::Shared::write_records() {
  std::unique_lock lock(mutex);
  if (!ask_records || given_up) return;
  ask_records = false;
  RecordWrite write = std::exchange(records, {});
  lock.unlock();
  const Result<void> verdict = write_rows(write.records);
  if (!verdict) {
    lock.lock();
    records.records.merge(write.records);  // merge() keeps versions that came meanwhile: they are newer
    lock.unlock();
  }
  for (const Done& done : write.done) tell(done, verdict);
}

Result<void> StoreThread::Shared::write_rows(Records& waiting) {
  while (!waiting.empty()) {
    Rows next = take_rows(waiting, rows);
    if (auto done = store->put_records(next.put, next.erase); !done) {
      give_back(waiting, std::move(next));
      return done;
    }
    if (waiting.empty()) break;
    write_objects();  // a caller waits for the result
    const std::lock_guard lock(mutex);
    if (given_up) break;
  }
  return {};
}

void StoreThread::Shared::tell(const Done& done, const Result<void>& verdict) {
  if (!done) return;
  {
    const std::lock_guard lock(mutex);
    if (closing) return;
  }
  post([done, verdict] { done(verdict); });
}

StoreThread::StoreThread(std::unique_ptr<Store> store, Post post)
    : StoreThread(std::move(store), std::move(post), {}) {}

StoreThread::StoreThread(std::unique_ptr<Store> store, Post post, const Limits& limits)
    : shared_(std::make_shared<Shared>(std::move(store), std::move(post), limits.rows)), patience_(limits.patience) {
  thread_ = std::thread([shared = shared_] { shared->run(); });
}

StoreThread::~StoreThread() {
  std::unique_lock lock(shared_->mutex);
  shared_->closing = true;
  shared_->changed.notify_all();
  shared_->changed.wait_for(lock, patience_, [this] { return shared_->ended; });
  shared_->given_up = true;
  const bool ended = shared_->ended;
  lock.unlock();
  if (ended) {
    thread_.join();
  } else {
    thread_.detach();
  }
}

void StoreThread::put_objects(std::vector<StoredObject> put, std::vector<std::string> erase, Done done) {
  std::unique_lock lock(shared_->mutex);
  if (shared_->objects.size() >= kMaxObjectWrites) {
    lock.unlock();
    return shared_->tell(done, kTooMuch);
  }
  shared_->objects.push_back({std::move(put), std::move(erase), std::move(done)});
  shared_->changed.notify_all();
}

void StoreThread::put_records(std::vector<StoredRecord> put, const std::vector<RecordKey>& erase, Done done) {
  const std::lock_guard lock(shared_->mutex);
  RecordWrite& waiting = shared_->records;
  for (const RecordKey& key : erase) waiting.records.insert_or_assign(key, std::nullopt);
  for (StoredRecord& record : put) {
    RecordKey key{std::move(record.type), std::move(record.key)};
    waiting.records.insert_or_assign(std::move(key), Row{std::move(record.body), record.unix_seconds, record.digest});
  }
  if (done) waiting.done.push_back(std::move(done));
  shared_->ask_records = true;
  shared_->changed.notify_all();
}

Written StoreThread::written() const { return shared_->store->written(); }

}  // namespace meshdns::store
