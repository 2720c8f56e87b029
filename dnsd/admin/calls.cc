#include "dnsd/admin/calls.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "common/base/text.h"
#include "common/log/log.h"
#include "common/log/ration.h"
#include "common/rpc/caller.h"
#include "common/rpc/certificate.h"
#include "meshdns/v1/admin.grpc.pb.h"

namespace meshdns::admin {
namespace {

using identity::Verb;

constexpr std::size_t kMostNamed = 5;  // objects named in a log line

grpc::Status status_of(const Error& error) {
  switch (error.code()) {
    case Code::NotFound: return {grpc::StatusCode::NOT_FOUND, error.message()};
    case Code::Unavailable: return {grpc::StatusCode::ABORTED, error.message()};
    case Code::InvalidArgument: return {grpc::StatusCode::INVALID_ARGUMENT, error.message()};
    default: return {grpc::StatusCode::FAILED_PRECONDITION, error.message()};
  }
}

/// Returns a property of the caller's certificate; empty = no certificate, or no such property.
std::string property(const grpc::CallbackServerContext& context, const char* name) {
  const auto values = context.auth_context()->FindPropertyValues(name);
  return values.empty() ? "" : std::string(values.front().data(), values.front().size());
}

/// Returns the name that the caller of the unix socket gives itself. It is not verified, but only users whom the
/// socket's mode admits can call at all.
std::string caller(const grpc::CallbackServerContext& context) {
  const auto found = context.client_metadata().find(rpc::kCallerKey);
  return found == context.client_metadata().end() ? "unknown" : std::string(found->second.data(), found->second.size());
}

/// Returns the first texts in a list: "a, b, c and 5 more".
std::string first_of(std::vector<std::string> texts) {
  const std::size_t all = texts.size();
  texts.resize(std::min(all, kMostNamed));
  return join(texts, ", ") + (all > kMostNamed ? " and " + std::to_string(all - kMostNamed) + " more" : "");
}

/// Returns the outcome for the log: "VirtualDestination/shop/api created, Cluster/eu-1 configured", or the refusals;
/// empty = nothing changed.
std::string outcome_text(const v1::ApplyReply& reply) {
  std::vector<std::string> refused;
  std::vector<std::string> changed;
  for (const v1::ApplyResult& result : reply.results()) {
    switch (result.outcome()) {
      case v1::ApplyResult::CREATED: changed.push_back(result.key() + " created"); break;
      case v1::ApplyResult::CONFIGURED: changed.push_back(result.key() + " configured"); break;
      case v1::ApplyResult::REFUSED: refused.push_back(result.key() + ": " + result.error()); break;
      default: break;
    }
  }
  return refused.empty() ? first_of(std::move(changed)) : "refused: " + first_of(std::move(refused));
}

std::string outcome_text(const v1::DeleteRequest& request, const Result<v1::DeleteReply>& reply) {
  const auto texts = [](const auto& keys) { return std::vector<std::string>(keys.begin(), keys.end()); };
  if (!reply) return "refused: " + first_of(texts(request.keys())) + ": " + reply.error().message();
  if (reply->deleted().empty()) return "refused: not found: " + first_of(texts(reply->missing()));
  return first_of(texts(reply->deleted()));
}

std::string outcome_of(const v1::CreateToken& order, const Result<v1::TokenReply>& reply) {
  return reply ? order.role() + " " + order.names() : "refused: " + reply.error().message();
}

/// Returns what a caller needs the right for: overrides are for operators, other objects for admins, and a dry run
/// only looks.
Verb verb_of(const v1::ApplyRequest& request) {
  if (request.dry_run()) return Verb::View;
  const auto& objects = request.objects();
  return std::all_of(objects.begin(), objects.end(), [](const v1::Object& each) { return each.has_override(); })
             ? Verb::Steer
             : Verb::Change;
}

/// The same for objects that are deleted, and for nodes that are forgotten.
Verb verb_of(const v1::DeleteRequest& request) {
  const auto steers = [](const std::string& key) { return key.starts_with("Override/"); };
  return std::all_of(request.keys().begin(), request.keys().end(), steers) ? Verb::Steer : Verb::Change;
}

/// Implements the Admin calls: each call is posted to the control thread and answered there.
class Calls : public v1::Admin::CallbackService {
 public:
  /// gate: null for the unix socket, whose mode decides who may call
  Calls(process::EventLoop& loop, const Clock& clock, Mesh& mesh, std::shared_ptr<const identity::Gate> gate)
      : loop_(loop), clock_(clock), mesh_(mesh), gate_(std::move(gate)) {}

  using Context = grpc::CallbackServerContext;
  using Reactor = grpc::ServerUnaryReactor;

  Reactor* Apply(Context* context, const v1::ApplyRequest* request, v1::ApplyReply* reply) override {
    return admitted(verb_of(*request), context, [this, context, request, reply](Reactor* reactor) {
      mesh_.apply(authored(*context, *request), [this, context, request, reply, reactor](v1::ApplyReply done) {
        if (!request->dry_run()) note(*context, "apply", outcome_text(done));
        *reply = std::move(done);
        reactor->Finish(grpc::Status::OK);
      });
    });
  }
  Reactor* Delete(Context* context, const v1::DeleteRequest* request, v1::DeleteReply* reply) override {
    return later(verb_of(*request), context, reply, [this, context, request](auto done) {
      mesh_.erase(*request, [this, context, request, done](Result<v1::DeleteReply> deleted) {
        note(*context, "delete", outcome_text(*request, deleted));
        done(std::move(deleted));
      });
    });
  }
  Reactor* List(Context* context, const v1::ListRequest* request, v1::ListReply* reply) override {
    return later(Verb::View, context, reply, [this, request](auto done) { mesh_.list(*request, std::move(done)); });
  }
  Reactor* Explain(Context* context, const v1::ExplainRequest* request, v1::ExplainReply* reply) override {
    return answered(Verb::View, context, [this, request, reply] { return fill(mesh_.explain(*request), reply); });
  }
  Reactor* Status(Context* context, const v1::StatusRequest*, v1::StatusReply* reply) override {
    return later(Verb::View, context, reply, [this](auto done) { mesh_.status(std::move(done)); });
  }
  Reactor* ApproveShrink(Context* context, const v1::ApproveShrinkRequest*, v1::ApproveShrinkReply* reply) override {
    return answered(Verb::Steer, context, [this, context, reply] {
      auto approved = mesh_.approve_shrink();
      note(*context, "approve-shrink", approved ? approved->approved() : "refused: " + approved.error().message());
      return fill(std::move(approved), reply);
    });
  }

  Reactor* Token(Context* context, const v1::TokenRequest* request, v1::TokenReply* reply) override {
    return answered(Verb::Credentials, context, [this, context, request, reply] {
      auto done = mesh_.token(*request);
      if (request->has_create()) note(*context, "token create", outcome_of(request->create(), done));
      if (!request->revoke().empty())
        note(*context, "token revoke", done ? request->revoke() : "refused: " + done.error().message());
      return fill(std::move(done), reply);
    });
  }
  Reactor* Capture(Context* context, const v1::CaptureRequest* request, v1::CaptureReply* reply) override {
    return later(Verb::View, context, reply,
                 [this, context, request](auto done) { mesh_.capture(*request, who(*context), std::move(done)); });
  }
  Reactor* Simulate(Context* context, const v1::SimulateRequest* request, v1::SimulateReply* reply) override {
    return later(Verb::View, context, reply, [this, request](auto done) { mesh_.simulate(*request, std::move(done)); });
  }
  Reactor* Events(Context* context, const v1::EventsRequest* request, v1::EventsReply* reply) override {
    return later(Verb::View, context, reply, [this, request](auto done) { mesh_.events(*request, std::move(done)); });
  }
  Reactor* Lint(Context* context, const v1::LintRequest* request, v1::LintReply* reply) override {
    return later(Verb::View, context, reply, [this, request](auto done) { mesh_.lint(*request, std::move(done)); });
  }

 private:
  /// Whether the caller may do something.
  /// errors: PermissionDenied, with the rule
  Result<void> admits(Verb verb, const Context& context) const {
    if (!gate_) return {};
    const auto certificate = rpc::certificate_uris(*context.auth_context());
    if (!certificate)
      return Error(Code::PermissionDenied,
                   "administration on this port needs federation.tls; without it there is the unix socket");
    const auto caller = gate_->caller(certificate);
    if (!caller) return caller.error();
    return caller->may({verb, "", ""});
  }
  /// Returns the request with the identity of a remote caller as the author of its overrides. On the unix socket the
  /// caller names itself.
  v1::ApplyRequest authored(const Context& context, const v1::ApplyRequest& request) const {
    v1::ApplyRequest out = request;
    if (!gate_) return out;
    const auto caller = gate_->caller(rpc::certificate_uris(*context.auth_context()));
    for (v1::Object& object : *out.mutable_objects())
      if (object.has_override() && caller) object.mutable_override()->set_author(identity::text(caller->who()));
    return out;
  }
  /// Returns the caller for the log: "alice (uid 1000, pid 4711)", or "CN=alice (ipv4:10.0.0.9:4711)" for a remote
  /// caller.
  std::string who(const Context& context) const {
    if (!gate_) return caller(context);
    return property(context, GRPC_X509_SUBJECT_PROPERTY_NAME) + " (" + context.peer() + ")";
  }
  /// Logs a change with its caller, when it was made or refused and before the call ends.
  void note(const Context& context, const char* call, const std::string& what) const {
    if (what.empty()) return;
    if (!gate_) {
      log::info("change from here", {{"call", call}, {"by", caller(context)}, {"what", what}});
      return;
    }
    log::info("change from afar", {{"call", call},
                                   {"certificate", property(context, GRPC_X509_SUBJECT_PROPERTY_NAME)},
                                   {"peer", context.peer()},
                                   {"what", what}});
  }
  /// Runs `work` on the control thread if the caller may do it. `work` has to finish the reactor that it gets.
  template <class F>
  Reactor* admitted(Verb verb, Context* context, F work) {
    Reactor* reactor = context->DefaultReactor();
    if (const auto admitted = admits(verb, *context)) {
      loop_.post([reactor, work = std::move(work)] { work(reactor); });
    } else {
      note_refused(*context, admitted.error());
      reactor->Finish({grpc::StatusCode::PERMISSION_DENIED, admitted.error().message()});
    }
    return reactor;
  }
  template <class F>
  Reactor* answered(Verb verb, Context* context, F work) {
    return admitted(verb, context, [work = std::move(work)](Reactor* reactor) { reactor->Finish(work()); });
  }
  /// Runs `work` on the control thread. `work` has to pass the Result to the function that it gets.
  template <class T, class F>
  Reactor* later(Verb verb, Context* context, T* reply, F work) {
    return admitted(verb, context, [reply, work = std::move(work)](Reactor* reactor) {
      work([reply, reactor](Result<T> done) { reactor->Finish(fill(std::move(done), reply)); });
    });
  }
  /// Logs a refused call on the control thread, which alone may use the ration.
  void note_refused(const Context& context, const Error& why) {
    loop_.post([this, peer = context.peer(), why] {
      refusals_.warn(clock_.now(), "call refused", {{"peer", peer}, {"reason", why.message()}});
    });
  }
  template <class T>
  static grpc::Status fill(Result<T> result, T* reply) {
    if (!result) return status_of(result.error());
    *reply = std::move(*result);
    return grpc::Status::OK;
  }

  process::EventLoop& loop_;
  const Clock& clock_;
  Mesh& mesh_;
  const std::shared_ptr<const identity::Gate> gate_;
  log::Ration refusals_{"refused calls"};  // control thread
};

}  // namespace

std::shared_ptr<grpc::Service> calls_from_here(process::EventLoop& loop, const Clock& clock, Mesh& mesh) {
  return std::make_shared<Calls>(loop, clock, mesh, nullptr);
}

std::shared_ptr<grpc::Service> calls_from_afar(process::EventLoop& loop, const Clock& clock, Mesh& mesh,
                                               std::shared_ptr<const identity::Gate> gate) {
  return std::make_shared<Calls>(loop, clock, mesh, std::move(gate));
}

}  // namespace meshdns::admin
