#pragma once

#include <functional>
#include <memory>
#include <thread>

#include "common/time/time.h"
#include "dnsd/store/store.h"

namespace meshdns::store {

/// The one thread that calls an open store, so that a slow disk delays nobody else. Objects are written in the order of
/// the calls, each call by itself. Records wait in one queue that holds the newest version of each key, and are written
/// in the order of their keys, `rows` in each transaction; objects that wait go between two transactions.
///
/// A crash may therefore leave a part of a large change in the store: every record is whole, but some are the versions
/// before the change. Whoever opens a store must take each record by itself.
/// thread: that of the control loop
class StoreThread {
 public:
  /// Hands a callback to the control thread.
  using Post = std::function<void(std::function<void()>)>;
  using Done = std::function<void(Result<void>)>;

  static constexpr std::size_t kMaxObjectWrites = 1024;  // calls that wait
  static constexpr std::size_t kRows = 10'000;
  static constexpr Duration kPatience = 2s;

  struct Limits {
    Duration patience = kPatience;  // of the destructor
    std::size_t rows = kRows;       // of one transaction, at least 1
  };

  StoreThread(std::unique_ptr<Store> store, Post post);
  StoreThread(std::unique_ptr<Store> store, Post post, const Limits& limits);
  StoreThread(const StoreThread&) = delete;
  StoreThread& operator=(const StoreThread&) = delete;
  /// Writes what is queued, but waits at most `patience`: then the thread is left alone with the store, and ends after
  /// the transaction that it is in. No callback is posted any more.
  ~StoreThread();

  /// `done` gets the store's verdict, or ResourceExhausted at once when too many calls wait for the disk.
  void put_objects(std::vector<StoredObject> put, std::vector<std::string> erase, Done done);
  /// Queues records. Those that cannot be written stay in the queue and go with the next call, which may be an empty
  /// one. `done` (may be empty) gets the first failure, or success when all of these records are written.
  void put_records(std::vector<StoredRecord> put, const std::vector<RecordKey>& erase, Done done = {});
  /// As of the last transaction that was written.
  Written written() const;

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
  Duration patience_;
  std::thread thread_;
};

}  // namespace meshdns::store
