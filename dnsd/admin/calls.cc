#include "dnsd/admin/calls.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/machine_name.h"
#include "common/base/text.h"
#include "common/convert/object_convert.h"
#include "common/rpc/caller.h"
#include "common/rpc/certificate.h"
#include "common/rpc/peer.h"
#include "meshdns/v1/admin.grpc.pb.h"

namespace meshdns::admin {
namespace {

using identity::Verb;

constexpr std::size_t kMostNamed = 5;   // objects named in a log line
constexpr Duration kNamePatience = 1s;  // with the machine's name service

grpc::Status status_of(const Error& error) {
  switch (error.code()) {
    case Code::NotFound: return {grpc::StatusCode::NOT_FOUND, error.message()};
    case Code::Unavailable: return {grpc::StatusCode::ABORTED, error.message()};
    case Code::InvalidArgument: return {grpc::StatusCode::INVALID_ARGUMENT, error.message()};
    default: return {grpc::StatusCode::FAILED_PRECONDITION, error.message()};
  }
}

/// Returns the process that the caller of the unix socket says it is, like ", pid 4711"; empty = it says none.
std::string claimed_process(const grpc::CallbackServerContext& context) {
  const auto found = context.client_metadata().find(rpc::kCallerKey);
  if (found == context.client_metadata().end()) return "";
  const std::string_view text(found->second.data(), found->second.size());
  constexpr std::string_view kBefore = ", pid ";
  const auto at = text.rfind(kBefore);
  if (at == std::string_view::npos) return "";
  const auto number = parse_uint(text.substr(at + kBefore.size(), text.find(')', at) - at - kBefore.size()));
  return number ? std::string(kBefore) + std::to_string(*number) : "";
}

/// Returns the first texts in a list: "a, b, c and 5 more".
std::string first_of(std::vector<std::string> texts) {
  const std::size_t all = texts.size();
  texts.resize(std::min(all, kMostNamed));
  return join(texts, ", ") + (all > kMostNamed ? " and " + std::to_string(all - kMostNamed) + " more" : "");
}

template <class Keys>
std::string first_of_keys(const Keys& keys) {
  return first_of({keys.begin(), keys.end()});
}

std::string names_of(const v1::ApplyRequest& request) {
  std::vector<std::string> names;
  for (const v1::Object& object : request.objects()) names.push_back(convert::object_key(object));
  return first_of(std::move(names));
}

/// The end of a call, for the audit. Nothing of both = nothing changed.
struct Outcome {
  std::string objects{};  // "VirtualDestination/shop/api created, Cluster/eu-1 configured"
  std::string refused{};  // why
};

Outcome outcome_of(const v1::ApplyReply& reply) {
  std::vector<std::string> keys;
  std::vector<std::string> reasons;
  std::vector<std::string> changed;
  for (const v1::ApplyResult& result : reply.results()) {
    switch (result.outcome()) {
      case v1::ApplyResult::CREATED: changed.push_back(result.key() + " created"); break;
      case v1::ApplyResult::CONFIGURED: changed.push_back(result.key() + " configured"); break;
      case v1::ApplyResult::REFUSED:
        keys.push_back(result.key());
        reasons.push_back(result.key() + ": " + result.error());
        break;
      default: break;
    }
  }
  if (reasons.empty()) return {first_of(std::move(changed)), ""};
  return {first_of(std::move(keys)), first_of(std::move(reasons))};
}

Outcome outcome_of(const v1::DeleteRequest& request, const Result<v1::DeleteReply>& reply) {
  if (!reply) return {first_of_keys(request.keys()), reply.error().message()};
  if (!reply->deleted().empty()) return {first_of_keys(reply->deleted()), ""};
  return {first_of_keys(reply->missing()), reply->missing().empty() ? "" : "not found"};
}

/// Returns what a request is about: "node n7", or the id of a revoked token; empty = it only lists.
std::string object_of(const v1::TokenRequest& request) {
  return request.has_create() ? request.create().role() + " " + request.create().names() : request.revoke();
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

/// A call, for the decision whether the caller may make it, and for the audit.
struct Call {
  const char* name;
  Verb verb;
  std::string objects{};
};

/// The caller of a call, and whether it may make the call.
struct Admission {
  std::string who;
  Result<void> allowed{};
  std::string share{};  // see log::AuditEntry
};

void write(const log::AuditRecord& record, v1::Change& out) {
  out.set_at(record.unix_millis / 1000);
  out.set_at_millis(static_cast<std::uint32_t>(record.unix_millis % 1000));
  out.set_who(record.entry.who);
  out.set_from(record.entry.from);
  out.set_verb(record.entry.verb);
  out.set_objects(record.entry.objects);
  out.set_revision(record.revision);
  out.set_outcome(record.outcome());
}

/// Implements the Admin calls: each call is posted to the control thread and answered there.
class Calls : public v1::Admin::CallbackService {
 public:
  /// gate: null for the unix socket, whose mode decides who may call
  /// user: who calls over the unix socket
  Calls(process::EventLoop& loop, Mesh& mesh, log::Audit& audit, std::shared_ptr<const identity::Gate> gate,
        LocalUser user)
      : loop_(loop), mesh_(mesh), audit_(audit), gate_(std::move(gate)), user_(std::move(user)) {}

  using Context = grpc::CallbackServerContext;
  using Reactor = grpc::ServerUnaryReactor;

  Reactor* Apply(Context* context, const v1::ApplyRequest* request, v1::ApplyReply* reply) override {
    const Call call{"apply", verb_of(*request), names_of(*request)};
    return admitted(call, context, [this, context, request, reply](Reactor* reactor) {
      mesh_.apply(authored(*context, *request), [this, context, request, reply, reactor](v1::ApplyReply done) {
        if (!request->dry_run()) note(*context, "apply", outcome_of(done));
        *reply = std::move(done);
        reactor->Finish(grpc::Status::OK);
      });
    });
  }
  Reactor* Delete(Context* context, const v1::DeleteRequest* request, v1::DeleteReply* reply) override {
    const Call call{"delete", verb_of(*request), first_of_keys(request->keys())};
    return later(call, context, reply, [this, context, request](auto done) {
      mesh_.erase(*request, [this, context, request, done](Result<v1::DeleteReply> deleted) {
        note(*context, "delete", outcome_of(*request, deleted));
        done(std::move(deleted));
      });
    });
  }
  Reactor* List(Context* context, const v1::ListRequest* request, v1::ListReply* reply) override {
    return later({"list", Verb::View}, context, reply,
                 [this, request](auto done) { mesh_.list(*request, std::move(done)); });
  }
  Reactor* Explain(Context* context, const v1::ExplainRequest* request, v1::ExplainReply* reply) override {
    return answered({"explain", Verb::View}, context,
                    [this, request, reply] { return fill(mesh_.explain(*request), reply); });
  }
  Reactor* Status(Context* context, const v1::StatusRequest*, v1::StatusReply* reply) override {
    return later({"status", Verb::View}, context, reply, [this](auto done) { mesh_.status(std::move(done)); });
  }
  Reactor* ApproveShrink(Context* context, const v1::ApproveShrinkRequest*, v1::ApproveShrinkReply* reply) override {
    return answered({"approve-shrink", Verb::Steer}, context, [this, context, reply] {
      auto approved = mesh_.approve_shrink();
      note(*context, "approve-shrink",
           approved ? Outcome{approved->approved(), ""} : Outcome{"", approved.error().message()});
      return fill(std::move(approved), reply);
    });
  }

  Reactor* Token(Context* context, const v1::TokenRequest* request, v1::TokenReply* reply) override {
    const char* verb = request->has_create()       ? "token create"
                       : request->revoke().empty() ? "token list"
                                                   : "token revoke";
    return answered({verb, Verb::Credentials, object_of(*request)}, context, [this, context, request, reply, verb] {
      auto done = mesh_.token(*request);
      const std::string object = object_of(*request);
      if (!object.empty()) note(*context, verb, {object, done ? "" : done.error().message()});
      return fill(std::move(done), reply);
    });
  }
  Reactor* Capture(Context* context, const v1::CaptureRequest* request, v1::CaptureReply* reply) override {
    return later({"capture", Verb::View}, context, reply,
                 [this, context, request](auto done) { mesh_.capture(*request, who(*context), std::move(done)); });
  }
  Reactor* Simulate(Context* context, const v1::SimulateRequest* request, v1::SimulateReply* reply) override {
    return later({"simulate", Verb::View}, context, reply,
                 [this, request](auto done) { mesh_.simulate(*request, std::move(done)); });
  }
  Reactor* Events(Context* context, const v1::EventsRequest* request, v1::EventsReply* reply) override {
    return later({"events", Verb::View}, context, reply,
                 [this, request](auto done) { mesh_.events(*request, std::move(done)); });
  }
  Reactor* Lint(Context* context, const v1::LintRequest* request, v1::LintReply* reply) override {
    return later({"lint", Verb::View}, context, reply,
                 [this, request](auto done) { mesh_.lint(*request, std::move(done)); });
  }

  Reactor* Changes(Context* context, const v1::ChangesRequest* request, v1::ChangesReply* reply) override {
    return answered({"changes", Verb::View}, context, [this, request, reply] {
      const auto& kept = audit_.kept();
      const std::size_t most = request->limit() == 0 ? kept.size() : request->limit();
      for (std::size_t i = kept.size() - std::min(most, kept.size()); i < kept.size(); ++i)
        write(kept[i], *reply->add_changes());
      return grpc::Status::OK;
    });
  }

 private:
  /// Returns who calls, and whether the caller may do something. Whoever reaches the unix socket may do everything.
  Admission admit(Verb verb, const Context& context) const {
    if (!gate_) {
      const std::string user = user_.name() + " (uid " + std::to_string(user_.uid());
      return {user + claimed_process(context) + ")", {}, user + ")"};  // the process is only what the program claims
    }
    const auto proof = context.auth_context();
    const bool certified = rpc::certificate_uris(*proof).has_value();
    const auto caller = rpc::caller_of(*gate_, *proof);
    if (!caller) return {certified ? log::Audit::kUnknown : identity::text({}), caller.error()};
    if (!certified) {
      return {identity::text({}),
              Error(Code::PermissionDenied,
                    "administration on this port needs federation.tls; without it there is the unix socket")};
    }
    return {identity::text(caller->who()), caller->may({verb, "", ""})};
  }
  std::string who(const Context& context) const { return admit(Verb::View, context).who; }
  std::string from(const Context& context) const { return gate_ ? rpc::peer_text(context.peer()) : "unix"; }
  /// Returns the request with the caller as the author of its overrides. On the unix socket an override may name
  /// another author.
  v1::ApplyRequest authored(const Context& context, const v1::ApplyRequest& request) const {
    v1::ApplyRequest out = request;
    const std::string author = gate_ ? who(context) : user_.name() + "@" + machine_name().value_or("");
    for (v1::Object& object : *out.mutable_objects()) {
      if (object.has_override() && (gate_ || object.override().author().empty()))
        object.mutable_override()->set_author(author);
    }
    return out;
  }
  /// Notes the end of a call in the audit, before the call ends.
  void note(const Context& context, const char* verb, Outcome outcome) const {
    if (outcome.objects.empty() && outcome.refused.empty()) return;
    Admission caller = admit(Verb::View, context);
    audit_.note({std::move(caller.who), from(context), verb, std::move(outcome.objects), std::move(outcome.refused),
                 std::move(caller.share)});
  }
  /// Runs `work` on the control thread if the caller may make the call. `work` has to finish the reactor that it gets.
  template <class F>
  Reactor* admitted(const Call& call, Context* context, F work) {
    Reactor* reactor = context->DefaultReactor();
    user_.await_name(kNamePatience);  // here, because the control thread waits for nobody
    const Admission admission = admit(call.verb, *context);
    if (admission.allowed) {
      loop_.post([reactor, work = std::move(work)] { work(reactor); });
      return reactor;
    }
    const std::string why = admission.allowed.error().message();
    loop_.post([&audit = audit_, entry = log::AuditEntry{admission.who, from(*context), call.name, call.objects, why}] {
      audit.note(entry);
    });
    reactor->Finish({grpc::StatusCode::PERMISSION_DENIED, why});
    return reactor;
  }
  template <class F>
  Reactor* answered(const Call& call, Context* context, F work) {
    return admitted(call, context, [work = std::move(work)](Reactor* reactor) { reactor->Finish(work()); });
  }
  /// Runs `work` on the control thread. `work` has to pass the Result to the function that it gets.
  template <class T, class F>
  Reactor* later(const Call& call, Context* context, T* reply, F work) {
    return admitted(call, context, [reply, work = std::move(work)](Reactor* reactor) {
      work([reply, reactor](Result<T> done) { reactor->Finish(fill(std::move(done), reply)); });
    });
  }
  template <class T>
  static grpc::Status fill(Result<T> result, T* reply) {
    if (!result) return status_of(result.error());
    *reply = std::move(*result);
    return grpc::Status::OK;
  }

  process::EventLoop& loop_;
  Mesh& mesh_;
  log::Audit& audit_;
  const std::shared_ptr<const identity::Gate> gate_;
  const LocalUser user_;
};

}  // namespace

std::shared_ptr<grpc::Service> calls_from_here(process::EventLoop& loop, Mesh& mesh, log::Audit& audit,
                                               LocalUser user) {
  return std::make_shared<Calls>(loop, mesh, audit, nullptr, std::move(user));
}

std::shared_ptr<grpc::Service> calls_from_afar(process::EventLoop& loop, Mesh& mesh, log::Audit& audit,
                                               std::shared_ptr<const identity::Gate> gate) {
  return std::make_shared<Calls>(loop, mesh, audit, std::move(gate), LocalUser());
}

}  // namespace meshdns::admin
