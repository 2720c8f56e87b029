#include "dnsd/store/store_thread.h"

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

/// The newest of each key; nothing = erase it.
using Records = std::map<RecordKey, std::optional<StoredRecord>>;

struct RecordWrite {
  Records records;
  std::vector<Done> done;
};

Result<void> put(Store& store, const Records& records) {
  std::vector<StoredRecord> put;
  std::vector<RecordKey> erase;
  for (const auto& [key, record] : records) {
    if (record) {
      put.push_back(*record);
    } else {
      erase.push_back(key);
    }
  }
  return store.put_records(put, erase);
}

const Error kTooMuch{Code::ResourceExhausted, "too many writes wait for the store"};

}  // namespace

/// What both threads see; lives as long as the longer one.
struct StoreThread::Shared {
  Shared(std::unique_ptr<Store> the_store, Post the_post) : store(std::move(the_store)), post(std::move(the_post)) {}

  void run();
  /// false = there is nothing to do, and the end has come
  bool wait();
  void write_objects();
  void write_records();
  void tell(const Done& done, const Result<void>& verdict);

  std::unique_ptr<Store> store;  // the writing thread's
  const Post post;
  std::mutex mutex;
  std::condition_variable changed;
  // under the mutex
  std::deque<ObjectWrite> objects;
  RecordWrite records;
  bool ask_records = false;  // a call came since the last write of records
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
  store.reset();  // closing may wait for the disk, too
  const std::lock_guard lock(mutex);
  ended = true;
  changed.notify_all();
}

void StoreThread::Shared::write_objects() {
  std::unique_lock lock(mutex);
  if (objects.empty()) return;
  const ObjectWrite write = std::move(objects.front());
  objects.pop_front();
  lock.unlock();
  tell(write.done, store->put_objects(write.put, write.erase));
}

void StoreThread::Shared::write_records() {
  std::unique_lock lock(mutex);
  if (!ask_records || given_up) return;
  ask_records = false;
  RecordWrite write = std::exchange(records, {});
  lock.unlock();
  const Result<void> verdict = write.records.empty() ? Result<void>{} : put(*store, write.records);
  if (!verdict) {
    lock.lock();
    records.records.merge(write.records);  // what came meanwhile is newer and stays
    lock.unlock();
  }
  for (const Done& done : write.done) tell(done, verdict);
}

void StoreThread::Shared::tell(const Done& done, const Result<void>& verdict) {
  if (!done) return;
  {
    const std::lock_guard lock(mutex);
    if (closing) return;
  }
  post([done, verdict] { done(verdict); });
}

StoreThread::StoreThread(std::unique_ptr<Store> store, Post post, Duration patience)
    : shared_(std::make_shared<Shared>(std::move(store), std::move(post))), patience_(patience) {
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
  std::unique_lock lock(shared_->mutex);
  RecordWrite& waiting = shared_->records;
  if (waiting.records.size() + put.size() + erase.size() > kMaxRecordKeys || waiting.done.size() >= kMaxRecordKeys) {
    lock.unlock();
    return shared_->tell(done, kTooMuch);
  }
  for (const RecordKey& key : erase) waiting.records.insert_or_assign(key, std::nullopt);
  for (StoredRecord& record : put) {
    RecordKey key{record.type, record.key};
    waiting.records.insert_or_assign(std::move(key), std::move(record));
  }
  if (done) waiting.done.push_back(std::move(done));
  shared_->ask_records = true;
  shared_->changed.notify_all();
}

}  // namespace meshdns::store
