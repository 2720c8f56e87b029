#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>

#include "common/base/post.h"
#include "common/rpc/port.h"

namespace meshdns::rpc {

/// The Port over a gRPC reactor, of the server's or the client's side: ServerStream or ClientStream.
///
/// How it works: gRPC's threads call the on_ functions, the control thread calls the Port's functions. A mutex guards
/// the state; no call into gRPC is made while it is held, because gRPC may call back on the same thread.
///
///   session --shared--> StreamPort --raw, null after OnDone--> reactor --owned by--> gRPC
///                           ^------------------shared-------------'
///
/// gRPC owns the reactor, which deletes itself in OnDone. OnDone comes only after finish(), so the reactor is alive
/// until then. `calls_` counts the calls into the reactor that are running without the mutex; finish() is called
/// exactly once, when the stream is closing and `calls_` is 0.
template <class Reactor, class In, class Out>
class StreamPort : public Port<Out>, public std::enable_shared_from_this<StreamPort<Reactor, In, Out>> {
 public:
  static constexpr std::size_t kMostQueued = 1024;

  /// reactor: owned by gRPC; on_reactor_gone() is called before it is deleted
  /// post:    runs work on the control thread, in order; may drop work after the event loop has ended
  StreamPort(Reactor& reactor, Post post) : reactor_(&reactor), post_(std::move(post)) {}

  /// Sets the callbacks.
  /// requires: no event has come yet
  /// thread:   control, or the one that creates the port
  void set_events(StreamEvents<In> events) {
    const std::lock_guard lock(mutex_);
    events_ = std::make_shared<StreamEvents<In>>(std::move(events));
  }

  void send(Out message) override {
    std::unique_lock lock(mutex_);
    if (closing_ || draining_) return;
    if (queue_.size() >= kMostQueued) {
      begin_close(lock);
      return;
    }
    queue_.push_back(std::move(message));
    write_next(lock);
  }

  void read_next() override {
    std::unique_lock lock(mutex_);
    if (std::exchange(read_ahead_, false)) return;
    start_read(lock);
  }

  /// Reads the first message before the session asks for it; the session's first read_next() then does nothing. So the
  /// message arrives even while the control thread is too busy to open the session.
  /// requires: set_events() was called, and the session does not have the port yet
  /// thread:   any
  void read_ahead() {
    std::unique_lock lock(mutex_);
    read_ahead_ = true;
    start_read(lock);
  }
  bool drained() const override {
    const std::lock_guard lock(mutex_);
    return queue_.empty() && !writing_;
  }

  void close() override {
    std::unique_lock lock(mutex_);
    draining_ = true;
    if (queue_.empty() && !writing_) begin_close(lock);
  }

  void abort() override {
    std::unique_lock lock(mutex_);
    if (reactor_ == nullptr || finished_) return;  // after finish() the reactor may be deleted at any moment
    call(lock, [](Reactor& reactor) { reactor.cancel(); });
    begin_close(lock);
  }

  // ---- called by the reactor, on gRPC's threads ----

  void on_read_done(bool ok) {
    std::unique_lock lock(mutex_);
    if (!ok) {
      begin_close(lock);
      return;
    }
    const auto events = events_;
    lock.unlock();
    if (events == nullptr) return;
    if (events->needs_nothing && events->needs_nothing(incoming_)) {
      lock.lock();
      return start_read(lock);
    }
    auto message = std::make_shared<In>(std::move(incoming_));
    incoming_ = In{};
    post_([events, message] { events->received(std::move(*message)); });
  }

  void on_write_done(bool ok) {
    std::unique_lock lock(mutex_);
    writing_ = false;
    if (!ok || (draining_ && queue_.empty())) {
      begin_close(lock);
      return;
    }
    if (!queue_.empty()) {
      write_next(lock);
      return;
    }
    const auto events = events_;
    lock.unlock();
    post_([events] { events->written(); });
  }

  void on_cancel() {
    std::unique_lock lock(mutex_);
    begin_close(lock);
  }

  /// The reactor is about to delete itself; on_done() follows after that.
  void on_reactor_gone() {
    const std::lock_guard lock(mutex_);
    reactor_ = nullptr;
    closing_ = true;
  }

  void on_done(const Error& status) {
    std::unique_lock lock(mutex_);
    const auto events = std::exchange(events_, nullptr);
    lock.unlock();
    if (events != nullptr) post_([events, status] { events->closed(status); });
  }

 private:
  template <class F>
  void call(std::unique_lock<std::mutex>& lock, F f) {
    ++calls_;
    Reactor* reactor = reactor_;
    lock.unlock();
    f(*reactor);
    lock.lock();
    --calls_;
    finish_if_due(lock);
  }

  void start_read(std::unique_lock<std::mutex>& lock) {
    if (closing_ || reactor_ == nullptr) return;
    call(lock, [this](Reactor& reactor) { reactor.StartRead(&incoming_); });
  }

  void write_next(std::unique_lock<std::mutex>& lock) {
    if (writing_ || queue_.empty() || closing_ || reactor_ == nullptr) return;
    writing_ = true;
    outgoing_ = std::move(queue_.front());
    queue_.pop_front();
    call(lock, [this](Reactor& reactor) { reactor.StartWrite(&outgoing_); });
  }

  void begin_close(std::unique_lock<std::mutex>& lock) {
    closing_ = true;
    finish_if_due(lock);
  }

  void finish_if_due(std::unique_lock<std::mutex>& lock) {
    if (!closing_ || calls_ > 0 || finished_ || reactor_ == nullptr) return;
    finished_ = true;
    Reactor* reactor = reactor_;
    const bool unread = writing_;
    const auto keep = this->shared_from_this();  // OnDone may come, and drop the port, before finish() returns
    lock.unlock();
    if (unread) reactor->cancel();  // otherwise the stream would last until the peer reads
    reactor->finish();
    lock.lock();
  }

  mutable std::mutex mutex_;
  Reactor* reactor_;
  Post post_;
  std::shared_ptr<StreamEvents<In>> events_;
  std::deque<Out> queue_;
  Out outgoing_;
  In incoming_;
  bool read_ahead_ = false;  // read_ahead() has done the session's first read_next()
  bool writing_ = false;
  bool draining_ = false;  // close() was called: queued messages are still written
  bool closing_ = false;
  bool finished_ = false;
  int calls_ = 0;
};

}  // namespace meshdns::rpc
