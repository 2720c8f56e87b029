// What gRPC alone costs: a server that takes Report streams, answers Hello, Full and Delta, drops heartbeats, and hands
// each changed endpoint to all Watch streams as it came, encoded once. It knows nothing, and keeps nothing.
//
//   bench_bare --server ADDRESS [--heartbeat MILLISECONDS]
//
// Prints a line of JSON each second: how many messages came from agents.
#include <fmt/format.h>
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <set>
#include <thread>

#include "meshdns/v1/federation.grpc.pb.h"
#include "tests/bench/federation/mesh.h"

namespace meshdns::bench {
namespace {

grpc::ByteBuffer bytes_of(const v1::WatchReply& reply) {
  const std::string text = reply.SerializeAsString();
  const grpc::Slice slice(text);
  return {&slice, 1};
}

/// One replica's stream: writes what is handed to it, one message after the other.
class Watch : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  explicit Watch(class Hub& hub);
  void send(const grpc::ByteBuffer& message) {
    const std::lock_guard lock(mutex_);
    if (finished_) return;
    queue_.push_back(message);
    if (queue_.size() == 1) StartWrite(&queue_.front());
  }
  void OnReadDone(bool ok) override {
    if (ok) return StartRead(&in_);
    const std::lock_guard lock(mutex_);
    if (!std::exchange(finished_, true)) Finish(grpc::Status::OK);
  }
  void OnWriteDone(bool ok) override {
    const std::lock_guard lock(mutex_);
    queue_.pop_front();
    if (ok && !finished_ && !queue_.empty()) StartWrite(&queue_.front());
  }
  void OnDone() override;

 private:
  class Hub& hub_;
  std::mutex mutex_;
  std::deque<grpc::ByteBuffer> queue_;
  grpc::ByteBuffer in_;
  bool finished_ = false;
};

/// All streams of replicas.
class Hub {
 public:
  void add(Watch* watch) {
    const std::lock_guard lock(mutex_);
    watches_.insert(watch);
    watch->send(bytes_of(batch(v1::Batch::SNAPSHOT)));
  }
  void remove(Watch* watch) {
    const std::lock_guard lock(mutex_);
    watches_.erase(watch);
  }
  void publish(const v1::Delta& delta) {
    const std::lock_guard lock(mutex_);
    ++revision_;
    v1::WatchReply reply = batch(v1::Batch::DELTA);
    for (const std::string& upsert : delta.upserts()) {
      v1::Record& record = *reply.mutable_batch()->add_records();
      record.set_type("Endpoint");
      record.set_body(upsert);
    }
    const grpc::ByteBuffer bytes = bytes_of(reply);
    for (Watch* watch : watches_) watch->send(bytes);
  }

 private:
  v1::WatchReply batch(v1::Batch::Kind kind) const {
    v1::WatchReply reply;
    v1::Batch& out = *reply.mutable_batch();
    out.mutable_origin()->set_cluster("bare");
    out.set_epoch(1);
    out.set_from(revision_ == 0 ? 0 : revision_ - 1);
    out.set_to(revision_);
    out.set_kind(kind);
    out.set_last(true);
    return reply;
  }

  std::mutex mutex_;
  std::set<Watch*> watches_;
  std::uint64_t revision_ = 0;
};

Watch::Watch(Hub& hub) : hub_(hub) {
  StartRead(&in_);
  hub_.add(this);
}

void Watch::OnDone() {
  hub_.remove(this);
  delete this;
}

/// One agent's stream.
class Report : public grpc::ServerBidiReactor<v1::AgentMessage, v1::ReportReply> {
 public:
  Report(Hub& hub, std::atomic<std::uint64_t>& messages, std::chrono::milliseconds heartbeat)
      : hub_(hub), messages_(messages), heartbeat_(heartbeat) {
    StartRead(&in_);
  }
  void OnReadDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::OK);
    ++messages_;
    if (in_.has_hello()) welcome();
    if (in_.has_full() || in_.has_delta()) acknowledge();
    if (in_.has_delta()) hub_.publish(in_.delta());
    StartRead(&in_);
  }
  void OnWriteDone(bool) override {
    const std::lock_guard lock(mutex_);
    queue_.pop_front();
    if (!queue_.empty()) StartWrite(&queue_.front());
  }
  void OnDone() override { delete this; }

 private:
  void welcome() {
    v1::ReportReply reply;
    reply.mutable_welcome()->set_epoch(1);
    reply.mutable_welcome()->set_instance("bare");
    reply.mutable_welcome()->set_want_full(true);
    v1::Settings& settings = *reply.mutable_welcome()->mutable_settings();
    settings.mutable_heartbeat()->set_seconds(heartbeat_.count() / 1000);
    settings.mutable_heartbeat()->set_nanos(static_cast<std::int32_t>(heartbeat_.count() % 1000 * 1'000'000));
    settings.mutable_lease()->set_seconds(10);
    send(std::move(reply));
  }
  void acknowledge() {
    v1::ReportReply reply;
    reply.mutable_ack()->set_sequence(in_.sequence());
    send(std::move(reply));
  }
  void send(v1::ReportReply reply) {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(reply));
    if (queue_.size() == 1) StartWrite(&queue_.front());
  }

  Hub& hub_;
  std::atomic<std::uint64_t>& messages_;
  std::chrono::milliseconds heartbeat_;
  std::mutex mutex_;
  std::deque<v1::ReportReply> queue_;
  v1::AgentMessage in_;
};

using Methods =
    v1::Federation::WithCallbackMethod_Report<v1::Federation::WithRawCallbackMethod_Watch<v1::Federation::Service>>;

class Calls : public Methods {
 public:
  explicit Calls(std::chrono::milliseconds heartbeat) : heartbeat_(heartbeat) {}

  grpc::ServerBidiReactor<v1::AgentMessage, v1::ReportReply>* Report(grpc::CallbackServerContext*) override {
    return new bench::Report(hub_, messages_, heartbeat_);
  }
  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Watch(grpc::CallbackServerContext*) override {
    return new bench::Watch(hub_);
  }
  std::uint64_t messages() const { return messages_; }

 private:
  Hub hub_;
  std::atomic<std::uint64_t> messages_ = 0;
  std::chrono::milliseconds heartbeat_;
};

int run(int count, char** words) {
  const Flags flags(count, words);
  std::signal(SIGTERM, [](int) { std::_Exit(0); });
  Calls calls(std::chrono::milliseconds(flags.number("heartbeat", 1000)));
  grpc::ServerBuilder builder;
  builder.AddListeningPort(flags.text("server"), grpc::InsecureServerCredentials());
  builder.RegisterService(&calls);
  const auto server = builder.BuildAndStart();
  if (!server) return 1;
  for (;;) {
    fmt::print("{{\"messages\": {}}}\n", calls.messages());
    std::fflush(stdout);
    std::this_thread::sleep_for(std::chrono::seconds(1));
  }
}

}  // namespace
}  // namespace meshdns::bench

int main(int count, char** words) { return meshdns::bench::run(count, words); }
