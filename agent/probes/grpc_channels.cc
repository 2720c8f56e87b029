#include "agent/probes/grpc_channels.h"

#include <grpcpp/security/tls_credentials_options.h>

#include <utility>
#include <vector>

#include "agent/probes/grpc_link.h"
#include "common/base/whole_file.h"
#include "common/time/duration_text.h"

namespace meshdns::probes {
namespace {

constexpr int kMostMessage = 64 << 10;   // bytes of an answer; a real one has two
constexpr std::size_t kFirstSweep = 64;  // entries

/// Keeps gRPC's callback threads for the life of the process. gRPC 1.51 ends them with the last channel that has made a
/// call, and the thread that lets this channel go, which may be one of them, waits for them. The call kept here has a
/// channel that leads nowhere.
void keep_callback_threads() {
  static GrpcCall* const kept = [] {
    auto* call = new GrpcCall;  // never freed: it is in use until the process ends
    call->link = std::make_shared<GrpcLink>("", grpc::CreateCustomChannel("", nullptr, {}));
    call->link->stub->async()->Check(&call->context, &call->request, &call->reply, [](const grpc::Status&) {});
    return call;
  }();
  static_cast<void>(kept);
}

Result<std::shared_ptr<grpc::ChannelCredentials>> credentials_of(const std::optional<TlsOptions>& tls) {
  if (!tls) return grpc::InsecureChannelCredentials();
  std::string authorities;
  grpc::experimental::TlsChannelCredentialsOptions options;
  if (!tls->ca.empty()) {
    auto text = read_file(tls->ca);
    if (!text) return text.error();
    authorities = std::move(*text);
    options.watch_root_certs();
  }
  std::vector<grpc::experimental::IdentityKeyCertPair> own;
  if (!tls->cert.empty()) {
    auto certificate = read_file(tls->cert);
    if (!certificate) return certificate.error();
    auto key = read_file(tls->key);
    if (!key) return key.error();
    own.push_back({std::move(*key), std::move(*certificate)});
    options.watch_identity_key_cert_pairs();
  }
  if (!authorities.empty() || !own.empty()) {
    options.set_certificate_provider(
        std::make_shared<grpc::experimental::StaticDataCertificateProvider>(authorities, own));
  }
  if (!tls->verify) {
    options.set_verify_server_certs(false);
    options.set_check_call_host(false);
    options.set_certificate_verifier(std::make_shared<grpc::experimental::NoOpCertificateVerifier>());
  }
  return grpc::experimental::TlsCredentials(options);
}

std::string key_of(const SocketAddress& where, const std::optional<TlsOptions>& tls, Duration timeout) {
  std::string out = where.text() + '\n' + duration_text(timeout);
  if (!tls) return out;
  for (const auto* part : {&tls->server_name, &tls->ca, &tls->cert, &tls->key}) out += '\n' + *part;
  return out + (tls->verify ? "\nverify" : "\n");
}

Result<std::unique_ptr<GrpcLink>> new_link(const SocketAddress& where, const std::optional<TlsOptions>& tls,
                                           Duration timeout) {
  const auto credentials = credentials_of(tls);
  if (!credentials) return credentials.error();
  keep_callback_threads();
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // a new channel means a new connection
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);  // one check is one attempt, or two by GrpcProbe's own rule
  arguments.SetMaxReceiveMessageSize(kMostMessage);
  // also the time that one attempt may take: a server that accepts and says nothing holds a descriptor for so long
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS,
                   static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(timeout).count()));
  if (tls && !tls->server_name.empty()) arguments.SetSslTargetNameOverride(tls->server_name);
  const std::string target = (where.ip.is_v4() ? "ipv4:" : "ipv6:") + where.text();
  return std::make_unique<GrpcLink>(key_of(where, tls, timeout),
                                    grpc::CreateCustomChannel(target, *credentials, arguments));
}

}  // namespace

void GrpcGate::post(std::function<void()> work) {
  const std::lock_guard lock(mutex_);
  if (loop_ != nullptr) loop_->post(std::move(work));
}

void GrpcGate::close() {
  const std::lock_guard lock(mutex_);
  loop_ = nullptr;
}

Result<std::shared_ptr<GrpcLink>> GrpcChannels::State::link(const GrpcCheck& check, const SocketAddress& where,
                                                            Duration timeout, bool fresh) {
  const auto found = links.find(key_of(where, check.tls, timeout));
  if (found != links.end() && !fresh) {
    if (auto shared = found->second.lock()) return shared;
  }
  auto made = new_link(where, check.tls, timeout);
  if (!made) return made.error();
  // The last user may be a thread of gRPC's.
  const std::shared_ptr<GrpcLink> out(made->release(), [weak = weak_from_this(), to = gate](GrpcLink* unused) {
    to->post([weak, link = std::shared_ptr<GrpcLink>(unused)] {
      if (const auto self = weak.lock()) self->bury(link);
    });
  });
  if (links.size() >= sweep_at) sweep();
  links[out->key] = out;
  return out;
}

void GrpcChannels::State::bury(std::shared_ptr<GrpcLink> link) {
  loop.after(kLastLook, [weak = weak_from_this(), link = std::move(link)] {
    const auto self = weak.lock();
    if (self && link->channel->GetState(false) == GRPC_CHANNEL_CONNECTING) self->bury(link);
  });
}

void GrpcChannels::State::drop(const GrpcLink& link) {
  const auto found = links.find(link.key);
  if (found != links.end() && found->second.lock().get() == &link) links.erase(found);
}

void GrpcChannels::State::sweep() {
  std::erase_if(links, [](const auto& entry) { return entry.second.expired(); });
  sweep_at = 2 * links.size() + kFirstSweep;
}

GrpcChannels::GrpcChannels(process::EventLoop& loop) : state_(std::make_shared<State>(loop)) {}

GrpcChannels::~GrpcChannels() { state_->gate->close(); }

std::size_t GrpcChannels::size() const {
  state_->sweep();
  return state_->links.size();
}

}  // namespace meshdns::probes
