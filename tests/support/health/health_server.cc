#include "tests/support/health/health_server.h"

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <utility>

#include "common/base/check.h"
#include "grpc/health/v1/health.grpc.pb.h"

namespace meshdns::test {
namespace {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;
using Word = HealthCheckResponse::ServingStatus;

class Watcher;

/// The service, and what it knows. gRPC's threads and the test's call it.
class Service : public grpc::health::v1::Health::CallbackService {
 public:
  using Mode = HealthServer::Mode;

  Service() { words_[""] = HealthCheckResponse::SERVING; }

  grpc::ServerUnaryReactor* Check(grpc::CallbackServerContext* context, const HealthCheckRequest* request,
                                  HealthCheckResponse* reply) override;
  grpc::ServerWriteReactor<HealthCheckResponse>* Watch(grpc::CallbackServerContext* context,
                                                       const HealthCheckRequest* request) override;
  void set(const std::string& service, Word word);
  void forget(Watcher* watcher);
  unsigned watchers() const {
    const std::lock_guard lock(mutex_);
    return static_cast<unsigned>(watchers_.size());
  }

  std::atomic<Mode> mode = Mode::Works;
  std::atomic<unsigned> checks = 0;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, Word> words_;
  std::set<Watcher*> watchers_;
};

/// Answers nothing until the client gives up.
class SilentCall : public grpc::ServerUnaryReactor {
 public:
  void OnCancel() override { Finish(grpc::Status::CANCELLED); }
  void OnDone() override { delete this; }
};

/// A stream of Watch. Its service calls say() while it holds its mutex, so nothing here calls the service with
/// `mutex_`.
class Watcher : public grpc::ServerWriteReactor<HealthCheckResponse> {
 public:
  Watcher(Service& service, std::string name) : service_(service), name_(std::move(name)) {}

  const std::string& name() const { return name_; }

  void say(Word word, bool last = false) {
    const std::lock_guard lock(mutex_);
    words_.push_back(word);
    last_ = last;
    if (!writing_) write_next();
  }
  void finish(const grpc::Status& status) {
    {
      const std::lock_guard lock(mutex_);
      if (std::exchange(finished_, true)) return;
    }
    Finish(status);  // without the lock: OnDone deletes this object, on another thread
  }

  void OnWriteDone(bool ok) override {
    std::unique_lock lock(mutex_);
    writing_ = false;
    if (!words_.empty() && ok) return write_next();
    const bool end = !ok || last_;
    lock.unlock();
    if (end) finish(grpc::Status::OK);
  }
  void OnCancel() override { finish(grpc::Status::CANCELLED); }
  void OnDone() override {
    service_.forget(this);
    delete this;
  }

 private:
  void write_next() {
    if (finished_) return;
    writing_ = true;
    reply_.set_status(words_.front());
    words_.pop_front();
    StartWrite(&reply_);
  }

  Service& service_;
  std::string name_;
  std::mutex mutex_;
  std::deque<Word> words_;
  HealthCheckResponse reply_;
  bool writing_ = false;
  bool finished_ = false;
  bool last_ = false;
};

grpc::ServerUnaryReactor* Service::Check(grpc::CallbackServerContext* context, const HealthCheckRequest* request,
                                         HealthCheckResponse* reply) {
  ++checks;
  if (mode == Mode::Silent) return new SilentCall;
  auto* reactor = context->DefaultReactor();
  if (mode == Mode::Forbids) {
    reactor->Finish({grpc::StatusCode::PERMISSION_DENIED, "not for you\x1b[2J\n" + std::string(5000, 'x')});
    return reactor;
  }
  if (mode == Mode::GivesUp) {
    reactor->Finish({grpc::StatusCode::UNAVAILABLE, "come back later"});
    return reactor;
  }
  const std::lock_guard lock(mutex_);
  const auto found = words_.find(request->service());
  if (found == words_.end()) {
    reactor->Finish({grpc::StatusCode::NOT_FOUND, "unknown"});
    return reactor;
  }
  reply->set_status(found->second);
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

grpc::ServerWriteReactor<HealthCheckResponse>* Service::Watch(grpc::CallbackServerContext* /*context*/,
                                                              const HealthCheckRequest* request) {
  auto* watcher = new Watcher(*this, request->service());
  if (mode == Mode::WithoutWatch) {
    watcher->finish({grpc::StatusCode::UNIMPLEMENTED, ""});
    return watcher;
  }
  const std::lock_guard lock(mutex_);
  watchers_.insert(watcher);
  const auto found = words_.find(watcher->name());
  watcher->say(found == words_.end() ? HealthCheckResponse::SERVICE_UNKNOWN : found->second, mode == Mode::EndsWatch);
  return watcher;
}

void Service::set(const std::string& service, Word word) {
  const std::lock_guard lock(mutex_);
  words_[service] = word;
  for (Watcher* watcher : watchers_) {
    if (watcher->name() == service) watcher->say(word);
  }
}

void Service::forget(Watcher* watcher) {
  const std::lock_guard lock(mutex_);
  watchers_.erase(watcher);
}

std::shared_ptr<grpc::ServerCredentials> credentials_of(const HealthServer::Options& options) {
  if (options.certificate.empty()) return grpc::InsecureServerCredentials();
  const auto request = options.client_ca.empty() ? GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE
                                                 : GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY;
  grpc::SslServerCredentialsOptions out(request);
  out.pem_root_certs = options.client_ca;
  out.pem_key_cert_pairs.push_back({options.key, options.certificate});
  return grpc::SslServerCredentials(out);
}

}  // namespace

struct HealthServer::State {
  Service service;
  grpc::CallbackGenericService nothing;  // answers UNIMPLEMENTED
  int port = 0;
  std::unique_ptr<grpc::Server> server;
};

HealthServer::HealthServer(const Options& options) : state_(std::make_unique<State>()) {
  grpc::ServerBuilder builder;
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddListeningPort("127.0.0.1:" + std::to_string(options.port), credentials_of(options), &state_->port);
  if (options.has_health) {
    builder.RegisterService(&state_->service);
  } else {
    builder.RegisterCallbackGenericService(&state_->nothing);
  }
  state_->server = builder.BuildAndStart();
  MESHDNS_CHECK(state_->server != nullptr && state_->port != 0);
}

HealthServer::~HealthServer() {
  state_->server->Shutdown(gpr_time_0(GPR_CLOCK_REALTIME));  // at once, with all calls
  state_->server->Wait();
}

SocketAddress HealthServer::at() const { return {IpAddress::v4(0x7F000001), static_cast<std::uint16_t>(state_->port)}; }

void HealthServer::set(const std::string& service, Status status) {
  state_->service.set(service, static_cast<Word>(status));
}

void HealthServer::set(Mode mode) { state_->service.mode = mode; }

unsigned HealthServer::checks() const { return state_->service.checks; }

unsigned HealthServer::watchers() const { return state_->service.watchers(); }

}  // namespace meshdns::test
