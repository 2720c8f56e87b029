#include "dnsd/federation/watch_client.h"

#include <grpcpp/grpcpp.h>

#include <utility>

#include "common/log/log.h"
#include "common/process/post_to.h"
#include "common/rpc/reactors.h"
#include "common/rpc/reconnector.h"
#include "common/rpc/stubs.h"
#include "meshdns/v1/federation.grpc.pb.h"

namespace meshdns::federation {

struct WatchClient::State : std::enable_shared_from_this<State> {
  State(process::EventLoop& event_loop, WatchOptions options, Follower& the_follower)
      : loop(event_loop),
        stubs(std::move(options.credentials)),
        follower(the_follower),
        reconnector(loop, std::move(options.servers), options.seed, [this] { open(); }) {}

  process::EventLoop& loop;
  rpc::Stubs<v1::Federation> stubs;
  Follower& follower;
  std::shared_ptr<SubscribePort> port;
  std::function<void()> stopped;  // stop()'s `done`, until the stream has ended
  std::string error = "not tried yet";
  rpc::Reconnector reconnector;

  void open() {
    const auto weak = weak_from_this();
    rpc::StreamEvents<v1::WatchReply> events;
    events.received = [weak](const v1::WatchReply& reply) {
      if (const auto self = weak.lock()) self->follower.received(reply);
    };
    events.written = [] {};
    events.closed = [weak](const Error& why) {
      if (const auto self = weak.lock()) self->closed(why);
    };
    port = rpc::open_stream<v1::WatchReply, v1::WatchRequest>(
        process::post_to(loop), std::move(events), [this](grpc::ClientContext* context, auto* stream) {
          stubs.at(reconnector.server()).async()->Watch(context, stream);
        });
    follower.opened(port);
  }

  void stop(std::function<void()> done) {
    reconnector.stop();
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
    const auto failure = reconnector.ended(was_connected, follower.retry_after());
    const log::Fields fields = {{"server", failure.server}, {"error", error}, {"retry_in", failure.delay}};
    if (was_connected) {
      log::warn("federation lost", fields);
    } else if (failure.logged) {
      log::warn("federation not reached", fields);
    }
  }
};

WatchClient::WatchClient(process::EventLoop& loop, WatchOptions options, Follower& follower)
    : state_(std::make_shared<State>(loop, std::move(options), follower)) {}

WatchClient::~WatchClient() {
  state_->reconnector.stop();
  if (state_->port) state_->port->abort();
}

void WatchClient::start() { state_->reconnector.begin(); }
void WatchClient::stop(std::function<void()> done) { state_->stop(std::move(done)); }
std::string WatchClient::server() const { return state_->reconnector.server(); }
std::string WatchClient::last_error() const { return state_->error; }

}  // namespace meshdns::federation
