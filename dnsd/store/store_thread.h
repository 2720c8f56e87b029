#pragma once

#include <functional>
#include <memory>
#include <thread>

#include "common/base/post.h"
#include "common/time/time.h"
#include "dnsd/store/store.h"

namespace meshdns::store {

/// The one thread that calls an open store, so that a slow disk delays no other thread.
///
/// How it works: objects are written in the order of the calls, each call as its own transaction. Records wait in one
/// queue that holds the newest version of each key. They are written in the order of their keys, at most `rows` in a
/// transaction; waiting objects go between two such transactions, because a caller waits for their result.
///
///   put_objects --> [call][call][call] ----------------------------------> one transaction each
///   put_records --> {key -> newest version or erase}, in order of keys --> `rows` in each transaction
///
/// A crash may therefore leave a part of a large change in the store: each record is complete, but some are in the
/// version before the change. Callers that open a store must judge each record by itself.
/// thread: the control loop's
class StoreThread {
 public:
  using Done = std::function<void(Result<void>)>;

  static constexpr std::size_t kMaxObjectWrites = 1024;  // waiting calls of put_objects(); further ones fail
  static constexpr std::size_t kRows = 10'000;
  static constexpr Duration kPatience = 2s;

  struct Limits {
    Duration patience = kPatience;  // the longest wait of the destructor
    std::size_t rows = kRows;       // rows in one transaction, at least 1
  };

  StoreThread(std::unique_ptr<Store> store, Post post);
  StoreThread(std::unique_ptr<Store> store, Post post, const Limits& limits);
  StoreThread(const StoreThread&) = delete;
  StoreThread& operator=(const StoreThread&) = delete;
  /// Writes what is queued, but waits at most `patience`. After that, leaves the store to the thread, which ends after
  /// its present transaction. Posts no callback any more.
  ~StoreThread();

  /// Queues a write of objects. `done` gets the store's result, or ResourceExhausted at once if too many calls wait.
  void put_objects(std::vector<StoredObject> put, std::vector<std::string> erase, Done done);
  /// Queues records. Records that cannot be written stay in the queue and are written with the next call, which may be
  /// an empty one. `done` (may be empty) gets the first failure, or success when all these records are written.
  void put_records(std::vector<StoredRecord> put, const std::vector<RecordKey>& erase, Done done = {});
  /// Returns the transactions that the store has taken so far.
  Written written() const;

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
  Duration patience_;
  std::thread thread_;
};

}  // namespace meshdns::store
