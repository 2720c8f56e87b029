#include "dnsd/federation/watch_client.h"

#include <grpcpp/grpcpp.h>

#include <map>
#include <optional>
#include <utility>

#include "common/log/log.h"
#include "common/rpc/attempt_log.h"
#include "common/rpc/backoff.h"
#include "common/rpc/channel.h"
#include "common/rpc/reactors.h"
#include "meshdns/v1/federation.grpc.pb.h"

namespace meshdns::federation {

using Stream = rpc::ClientStream<v1::WatchReply, v1::WatchRequest>;

struct WatchClient::State : std::enable_shared_from_this<State> {
  State(process::EventLoop& event_loop, WatchOptions the_options, Follower& the_follower)
      : loop(event_loop),
        options(std::move(the_options)),
        backoff(options.seed),
        attempts(options.servers.size()),
        follower(the_follower) {}

  process::EventLoop& loop;
  WatchOptions options;
  rpc::Backoff backoff;
  rpc::AttemptLog attempts;
  Follower& follower;
  /// One stub for each server, kept from attempt to attempt: see rpc::channel_to.
  std::map<std::string, std::unique_ptr<v1::Federation::Stub>> stubs;
  std::shared_ptr<Stream::Stream> port;
  std::size_t next_server = 0;
  std::function<void()> stopped;  // stop()'s `done`, until the stream has ended
  std::optional<TimerId> retry;
  std::string error = "not tried yet";

  const std::string& server() const { return options.servers[next_server % options.servers.size()]; }

  void open() {
    auto& stub = stubs[server()];
    if (!stub) stub = v1::Federation::NewStub(rpc::channel_to(server(), options.credentials));
    const auto weak = weak_from_this();
    auto* stream = new Stream([&event_loop = loop](std::function<void()> work) { event_loop.post(std::move(work)); });
    port = stream->port();
    rpc::StreamEvents<v1::WatchReply> events;
    events.received = [weak](const v1::WatchReply& reply) {
      if (const auto self = weak.lock()) self->follower.received(reply);
    };
    events.written = [] {};
    events.closed = [weak](const Error& why) {
      if (const auto self = weak.lock()) self->closed(why);
    };
    port->set_events(std::move(events));
    stub->async()->Watch(&stream->context(), stream);
    stream->start();
    follower.opened(port);
  }

  void stop(std::function<void()> done) {
    if (retry) loop.cancel(*retry);
    retry.reset();
    if (!port) return done();
    stopped = std::move(done);
    port->abort();
  }

  void closed(const Error& why) {
    const bool was_connected = follower.connected();
    follower.closed();
    port.reset();
    if (stopped) return std::exchange(stopped, nullptr)();
    error = why.message();
    if (was_connected) backoff.succeeded();
    const Duration delay = std::max(backoff.next(), follower.retry_after());
    if (was_connected) {
      attempts.succeeded();
      log::warn("federation lost", {{"server", server()}, {"error", error}, {"retry_in", delay}});
    } else if (attempts.failed(delay)) {
      log::warn("federation not reached", {{"server", server()}, {"error", error}, {"retry_in", delay}});
    }
    ++next_server;
    retry = loop.after(delay, [self = shared_from_this()] {
      self->retry.reset();
      self->open();
    });
  }
};

WatchClient::WatchClient(process::EventLoop& loop, WatchOptions options, Follower& follower)
    : state_(std::make_shared<State>(loop, std::move(options), follower)) {}

WatchClient::~WatchClient() {
  if (state_->retry) state_->loop.cancel(*state_->retry);
  if (state_->port) state_->port->abort();
}

void WatchClient::start() { state_->open(); }
void WatchClient::stop(std::function<void()> done) { state_->stop(std::move(done)); }
std::string WatchClient::server() const { return state_->server(); }
std::string WatchClient::last_error() const { return state_->error; }

}  // namespace meshdns::federation
