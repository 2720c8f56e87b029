#include "common/membership/enroll.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "common/authority/description.h"
#include "common/authority/key.h"
#include "common/authority/token_text.h"
#include "common/base/durable_file.h"
#include "common/base/private_folder.h"
#include "common/base/text.h"
#include "common/base/whole_file.h"
#include "common/rpc/channel.h"
#include "common/rpc/credentials.h"
#include "common/rpc/deadline.h"
#include "common/rpc/plain_words.h"
#include "meshdns/v1/federation.grpc.pb.h"

namespace meshdns::membership {
namespace {

constexpr Duration kPatience = 10s;  // with one server
constexpr unsigned kForOwner = 0600;
constexpr unsigned kForAll = 0644;

/// Returns the key of a file, which is made if it is missing.
Result<std::string> key_in(const std::string& path) {
  if (auto known = read_file(path); known && !known->empty()) return known;
  if (auto folder = make_private_folder(std::filesystem::path(path).parent_path().string()); !folder)
    return folder.error();
  auto made = authority::make_key();
  if (!made) return made;
  if (auto written = put_file(path, *made, kForOwner); !written) return written.error();
  return made;
}

Error error_of(const grpc::Status& status, const std::string& server) {
  const std::string text = server + ": " + rpc::plain_words(status.error_message());
  switch (status.error_code()) {
    case grpc::StatusCode::PERMISSION_DENIED: return {Code::PermissionDenied, text};
    case grpc::StatusCode::INVALID_ARGUMENT: return {Code::InvalidArgument, text};
    case grpc::StatusCode::UNIMPLEMENTED:
      return {Code::Unimplemented,
              server + ": this federation signs no certificates (federation.authority, federation.authority_secret)"};
    default: return {Code::Unavailable, text};
  }
}

/// Asks one server after the other until one answers.
Result<v1::EnrollReply> ask(const Member& member, const v1::EnrollRequest& request,
                            const std::shared_ptr<grpc::ChannelCredentials>& credentials, Cancellation& cancellation) {
  Error last(Code::Unavailable, "no server is named");
  for (const std::string& server : member.servers) {
    const auto stub = v1::Federation::NewStub(rpc::channel_to(server, credentials));
    grpc::ClientContext context;
    context.set_deadline(rpc::within(kPatience));
    v1::EnrollReply reply;
    grpc::Status status;
    const bool asked = cancellation.run([&] { status = stub->Enroll(&context, request, &reply); },
                                        [&context] { context.TryCancel(); });
    if (!asked) return last;
    if (status.ok()) return reply;
    last = error_of(status, server);
    if (last.code() != Code::Unavailable) return last;
  }
  return last;
}

/// Writes what the federation has answered, the certificate last: it tells that everything is there.
Result<void> keep(const v1::EnrollReply& reply, const rpc::TlsFiles& files) {
  if (auto written = put_file(files.ca, reply.authority(), kForAll); !written) return written;
  return put_file(files.certificate, reply.certificate(), kForAll);
}

/// Reads a file that Kubernetes writes: if it is missing, it may come.
Result<std::string> pod_file(const std::string& path) {
  auto out = read_file(path);
  return out ? out : Error(Code::Unavailable, out.error().message());
}

/// Returns the service account token of a file. A message carries only texts that are UTF-8.
Result<std::string> pod_token(const std::string& path) {
  const auto text = pod_file(path);
  if (!text) return text.error();
  const std::string_view token = trim(*text);
  const bool is_plain = std::ranges::all_of(token, [](char c) { return c > ' ' && c < 127; });
  if (token.empty() || !is_plain) return Error(Code::Unavailable, path + ": no service account token");
  return std::string(token);
}

/// Returns the request for the key of the member's file.
Result<v1::EnrollRequest> request_of(const Member& member) {
  const auto key = key_in(member.files.key);
  if (!key) return key.error();
  auto request = authority::make_request(*key);
  if (!request) return request.error();
  v1::EnrollRequest out;
  out.set_certificate_request(*std::move(request));
  out.set_name(member.name);
  return out;
}

}  // namespace

void Cancellation::cancel() {
  const std::lock_guard lock(mutex_);
  cancelled_ = true;
  if (end_) end_();
}

bool Cancellation::run(const std::function<void()>& begin, std::function<void()> end) {
  {
    const std::lock_guard lock(mutex_);
    if (cancelled_) return false;
    end_ = std::move(end);
  }
  begin();
  const std::lock_guard lock(mutex_);
  end_ = nullptr;
  return true;
}

Result<void> enroll(const Member& member, const std::string& token, std::int64_t unix_seconds) {
  const auto said = authority::parse_token(token);
  if (!said) return said.error();
  auto request = request_of(member);
  if (!request) return request.error();
  Cancellation none;
  request->set_token(authority::text(*said));
  const auto reply = ask(member, *request, rpc::pinned_credentials(said->authority, member.check, unix_seconds), none);
  return reply ? keep(*reply, member.files) : Result<void>(reply.error());
}

Result<void> enroll_pod(const Member& member, Cancellation& cancellation) {
  auto token = pod_token(member.pod->token);
  if (!token) return token.error();
  const auto authorities = pod_file(member.pod->authority);
  if (!authorities) return authorities.error();
  if (const auto usable = authority::describe(*authorities); !usable)
    return Error(Code::Unavailable, member.pod->authority + ": " + usable.error().message());
  auto request = request_of(member);
  if (!request) return request.error();
  request->set_service_account_token(*std::move(token));
  const auto reply = ask(member, *request, rpc::authority_credentials(*authorities, member.check), cancellation);
  return reply ? keep(*reply, member.files) : Result<void>(reply.error());
}

Result<void> renew(const Member& member, Cancellation& cancellation) {
  if (member.pod) return enroll_pod(member, cancellation);
  const auto request = request_of(member);
  if (!request) return request.error();
  const auto reply = ask(member, *request, rpc::channel_credentials(member.files, member.check), cancellation);
  return reply ? keep(*reply, member.files) : Result<void>(reply.error());
}

}  // namespace meshdns::membership
