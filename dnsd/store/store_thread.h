#pragma once

#include <functional>
#include <memory>
#include <thread>

#include "common/time/time.h"
#include "dnsd/store/store.h"

namespace meshdns::store {

/// The one thread that calls an open store, so that a slow disk delays nobody else. Objects are written in the order of
/// the calls, each call by itself; records merge per key while a write is outstanding.
/// thread: that of the control loop
class StoreThread {
 public:
  /// Hands a callback to the control thread.
  using Post = std::function<void(std::function<void()>)>;
  using Done = std::function<void(Result<void>)>;

  static constexpr std::size_t kMaxObjectWrites = 1024;   // calls that wait
  static constexpr std::size_t kMaxRecordKeys = 262'144;  // keys that wait
  static constexpr Duration kPatience = 2s;

  StoreThread(std::unique_ptr<Store> store, Post post, Duration patience = kPatience);
  StoreThread(const StoreThread&) = delete;
  StoreThread& operator=(const StoreThread&) = delete;
  /// Writes what is queued, but waits at most `patience`: then the thread is left alone with the store, and ends after
  /// the call that it is in. No callback is posted any more.
  ~StoreThread();

  /// `done` gets the store's verdict, or ResourceExhausted at once when too much waits for the disk.
  void put_objects(std::vector<StoredObject> put, std::vector<std::string> erase, Done done);
  /// What cannot be written stays and goes with the next call, which may be an empty one. `done` (may be empty) gets
  /// the verdict on the write that these records went with; ResourceExhausted = not taken.
  void put_records(std::vector<StoredRecord> put, const std::vector<RecordKey>& erase, Done done = {});

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
  Duration patience_;
  std::thread thread_;
};

}  // namespace meshdns::store
