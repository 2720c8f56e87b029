#include "agent/probes/grpc_probe.h"

#include <grpcpp/support/client_callback.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <optional>
#include <string>
#include <utility>

#include "agent/probes/failed_probe.h"
#include "agent/probes/grpc_link.h"
#include "common/base/printable.h"
#include "common/rpc/deadline.h"
#include "common/rpc/plain_words.h"

namespace meshdns::probes {
namespace {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;
using grpc::health::v1::HealthCheckResponse_ServingStatus_Name;
using health::Outcome;
using health::ProbeResult;

constexpr std::size_t kMostDetail = 200;  // bytes of a server's text that are shown
constexpr Duration kNewsApart = 100ms;    // between two changes of one stream
constexpr Duration kRestOfStream = 1s;    // from a stream's end to the next one

std::string code_name_of(grpc::StatusCode code) {
  constexpr std::array kNames = {
      "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
      "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
      "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
      "DATA_LOSS", "UNAUTHENTICATED"};
  const auto at = static_cast<std::size_t>(code);
  return at < kNames.size() ? kNames[at] : "status " + std::to_string(code);
}

/// Returns gRPC's or a server's text in plain words, printable and short.
std::string shown(const std::string& message) {
  return printable(std::string_view(rpc::plain_words(message)).substr(0, kMostDetail));
}

/// Returns why no connection carried the call.
Error unavailable(const std::string& message) {
  const auto says = [&](std::string_view words) { return message.find(words) != std::string::npos; };
  if (says("Too many open files")) return connect_error(EMFILE);
  if (says("Hostname Verification Check failed")) {
    return {Code::Unavailable, "TLS handshake failed: the certificate is of another name"};
  }
  return {Code::Unavailable, shown(message)};
}

ProbeResult judge_status(HealthCheckResponse::ServingStatus status) {
  if (status == HealthCheckResponse::SERVING) return {.outcome = Outcome::Success};
  // The server says so on purpose, before it ends or while it cannot work: nothing is gained by asking again.
  const bool certain = status == HealthCheckResponse::NOT_SERVING;
  std::string name = HealthCheckResponse_ServingStatus_Name(status);
  if (name.empty()) name = "status " + std::to_string(status);
  return {.outcome = Outcome::Failure, .detail = std::move(name), .certain = certain};
}

/// A stream of Watch. gRPC owns it until OnDone, and its probe as long as it wants events.
class Stream : public grpc::ClientReadReactor<HealthCheckResponse> {
 public:
  /// thread: gRPC's
  struct Events {
    std::function<void(HealthCheckResponse::ServingStatus)> said;  // the next comes after read_next()
    std::function<void(grpc::StatusCode)> ended;                   // the last
  };

  Stream(std::shared_ptr<GrpcLink> link, Events events) : link_(std::move(link)), events_(std::move(events)) {}

  static std::shared_ptr<Stream> open(const std::shared_ptr<GrpcLink>& link, const std::string& service,
                                      Events events) {
    auto out = std::make_shared<Stream>(link, std::move(events));
    out->self_ = out;
    out->request_.set_service(service);
    link->stub->async()->Watch(&out->context_, &out->request_, out.get());
    out->AddHold();  // because reads start on the loop's thread; let_go() removes it
    out->StartRead(&out->reply_);
    out->StartCall();
    return out;
  }

  /// requires: `said` was called since the last read_next(), and close() was not called
  void read_next() { StartRead(&reply_); }
  /// Ends the stream. `ended` is still called.
  void close() {
    context_.TryCancel();
    let_go();
  }

  void OnReadDone(bool ok) override {
    if (ok) return events_.said(reply_.status());
    let_go();
  }
  void OnDone(const grpc::Status& status) override {
    const auto self = std::move(self_);
    events_.ended(status.error_code());
  }

 private:
  /// Both ends of a stream may find that it ends, at the same time.
  void let_go() {
    if (held_.exchange(false)) RemoveHold();
  }

  std::shared_ptr<GrpcLink> link_;
  Events events_;
  grpc::ClientContext context_;
  HealthCheckRequest request_;
  HealthCheckResponse reply_;
  std::atomic<bool> held_ = true;
  std::shared_ptr<Stream> self_;
};

}  // namespace

class GrpcProbe::State : public std::enable_shared_from_this<State> {
 public:
  State(process::EventLoop& loop, std::shared_ptr<GrpcChannels::State> channels, const SocketAddress& where,
        GrpcCheck check)
      : loop_(loop), channels_(std::move(channels)), where_(where), check_(std::move(check)) {}

  void set_news(std::function<void()> news) { news_ = std::move(news); }

  void run(Duration timeout, Done done) {
    stop_call();
    timeout_ = timeout;
    done_ = std::move(done);
    again_ = false;
    timer_ = loop_.after(timeout, [this] {
      lose_link();
      finish(failed({Code::DeadlineExceeded, "timeout"}));
    });
    ask(false);
  }

  /// Lets the next call have a new connection.
  void lose_link() {
    close_stream();
    if (link_) channels_->drop(*link_);
    link_.reset();
  }

  void end() {
    stop_call();
    done_ = nullptr;
    news_ = nullptr;
    close_stream();
    if (rest_) loop_.cancel(*std::exchange(rest_, std::nullopt));
  }

 private:
  ProbeResult failed(const Error& error) const { return failed_probe(error, timeout_, has_route(where_)); }

  /// Calls Check.
  /// fresh: over a new connection
  void ask(bool fresh) {
    call_ = std::make_shared<GrpcCall>();
    const auto link = channels_->link(check_, where_, timeout_, fresh);
    if (!link) return unable(link.error());
    link_ = *link;
    kept_ = link_->answered;
    call_->link = link_;
    call_->request.set_service(check_.service);
    call_->context.set_deadline(rpc::within(timeout_));
    link_->stub->async()->Check(&call_->context, &call_->request, &call_->reply,
                                [weak = weak_from_this(), gate = channels_->gate, call = call_](grpc::Status status) {
                                  gate->post([weak, call, status = std::move(status)] {
                                    if (const auto self = weak.lock()) self->answered(call, status);
                                  });
                                });
  }

  /// Says that the agent cannot make the check.
  void unable(const Error& error) {
    loop_.post([weak = weak_from_this(), call = call_, error] {
      const auto self = weak.lock();
      if (self && self->call_ == call) self->finish({Outcome::Unknown, error.message()});
    });
  }

  void answered(const std::shared_ptr<GrpcCall>& call, const grpc::Status& status) {
    if (call_ != call) return;  // replaced or over
    const auto code = status.error_code();
    const bool lost = code == grpc::StatusCode::UNAVAILABLE || code == grpc::StatusCode::DEADLINE_EXCEEDED;
    if (lost) lose_link();
    if (code == grpc::StatusCode::UNAVAILABLE && kept_) return ask(true);
    if (!lost) call->link->answered = true;
    const auto result = judge(status, *call);
    if (status.ok()) said_ = call->reply.status();
    if (code == grpc::StatusCode::NOT_FOUND) said_ = HealthCheckResponse::SERVICE_UNKNOWN;  // as Watch says it
    if (status.ok() || code == grpc::StatusCode::NOT_FOUND) open_stream(call->link);
    finish(result);
  }

  ProbeResult judge(const grpc::Status& status, const GrpcCall& call) const {
    switch (status.error_code()) {
      case grpc::StatusCode::OK: break;
      case grpc::StatusCode::NOT_FOUND:
        return {Outcome::Failure, "the server has no service \"" + check_.service + "\""};
      case grpc::StatusCode::UNIMPLEMENTED:
        return {Outcome::Failure, "the server does not implement grpc.health.v1.Health"};
      case grpc::StatusCode::DEADLINE_EXCEEDED: return failed({Code::DeadlineExceeded, "timeout"});
      case grpc::StatusCode::UNAVAILABLE: return failed(unavailable(status.error_message()));
      default:
        return {Outcome::Failure, "grpc " + code_name_of(status.error_code()) + ": " + shown(status.error_message())};
    }
    auto out = judge_status(call.reply.status());
    if (out.outcome == Outcome::Success && call.link == without_watch_.lock()) {
      out = {Outcome::Warning, "the server does not implement Watch: a change is known at the next check"};
    }
    return out;
  }

  void finish(const ProbeResult& result) {
    const auto self = shared_from_this();  // `done` may destroy the probe
    stop_call();
    if (const Done call = std::exchange(done_, nullptr)) call(result);
    if (!std::exchange(again_, false)) return;
    loop_.post([weak = weak_from_this()] {
      if (const auto alive = weak.lock()) alive->tell();
    });
  }

  void stop_call() {
    if (timer_) loop_.cancel(*std::exchange(timer_, std::nullopt));
    if (const auto call = std::exchange(call_, nullptr)) call->context.TryCancel();
  }

  /// Opens the stream over the connection that has just answered, if it is wanted and not open.
  void open_stream(const std::shared_ptr<GrpcLink>& link) {
    if (!check_.watch || !news_ || stream_ || rest_ || link != link_ || link == without_watch_.lock()) return;
    ++stream_number_;
    stream_ = Stream::open(link, check_.service, {on_loop(&State::on_said), on_loop(&State::on_stream_end)});
  }

  /// Returns a function for gRPC's threads: it lets the loop's thread call `step`, if the stream is still the present
  /// one.
  template <class Value>
  std::function<void(Value)> on_loop(void (State::*step)(Value)) {
    return [weak = weak_from_this(), gate = channels_->gate, number = stream_number_, step](Value value) {
      gate->post([weak, number, step, value] {
        const auto self = weak.lock();
        if (self && self->stream_ && self->stream_number_ == number) ((*self).*step)(value);
      });
    };
  }

  void close_stream() {
    if (read_) loop_.cancel(*std::exchange(read_, std::nullopt));
    if (const auto stream = std::exchange(stream_, nullptr)) stream->close();
  }

  /// A status that is no news is followed by the next read; after a change the next one is read a while later, so that
  /// a server that changes all the time costs a bounded number of checks.
  void on_said(HealthCheckResponse::ServingStatus status) {
    if (std::exchange(said_, status) == status) return stream_->read_next();
    read_ = loop_.after(kNewsApart, [this] {
      read_.reset();
      stream_->read_next();
    });
    tell();
  }

  void on_stream_end(grpc::StatusCode code) {
    close_stream();
    if (code == grpc::StatusCode::UNIMPLEMENTED) {
      without_watch_ = link_;
    } else {
      rest_ = loop_.after(kRestOfStream, [this] { rest_.reset(); });
    }
    tell();
  }

  /// Calls `news`, after the running check if there is one: its answer may be older than the news.
  void tell() {
    if (call_) {
      again_ = true;
    } else if (const auto news = news_) {
      news();
    }
  }

  process::EventLoop& loop_;
  std::shared_ptr<GrpcChannels::State> channels_;
  SocketAddress where_;
  GrpcCheck check_;
  std::function<void()> news_;

  std::shared_ptr<GrpcLink> link_;  // of the last call; null = lost
  std::shared_ptr<GrpcCall> call_;  // the running one; null = none
  bool kept_ = false;               // its connection has answered calls before
  bool again_ = false;              // news came meanwhile
  Duration timeout_{};
  Done done_;
  std::optional<TimerId> timer_;

  std::shared_ptr<Stream> stream_;
  std::uint64_t stream_number_ = 0;
  std::optional<HealthCheckResponse::ServingStatus> said_;  // last, by either call
  std::optional<TimerId> read_;                             // until the next read of the stream
  std::optional<TimerId> rest_;                             // until the next stream
  std::weak_ptr<GrpcLink> without_watch_;                   // whose server does not implement Watch
};

GrpcProbe::GrpcProbe(process::EventLoop& loop, GrpcChannels& channels, const SocketAddress& where, GrpcCheck check)
    : state_(std::make_shared<State>(loop, channels.state(), where, std::move(check))) {}

GrpcProbe::~GrpcProbe() { state_->end(); }

void GrpcProbe::run(Duration timeout, Done done) { state_->run(timeout, std::move(done)); }

void GrpcProbe::watch(std::function<void()> news) { state_->set_news(std::move(news)); }

void GrpcProbe::reconnect() { state_->lose_link(); }

}  // namespace meshdns::probes
