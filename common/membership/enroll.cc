#include "common/membership/enroll.h"

#include <grpcpp/grpcpp.h>

#include <filesystem>
#include <utility>

#include "common/authority/key.h"
#include "common/authority/token_text.h"
#include "common/base/durable_file.h"
#include "common/base/private_folder.h"
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
      return {Code::Unimplemented, server + ": this federation signs no certificates (federation.authority)"};
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

Result<void> renew(const Member& member, Cancellation& cancellation) {
  const auto request = request_of(member);
  if (!request) return request.error();
  const auto reply = ask(member, *request, rpc::channel_credentials(member.files, member.check), cancellation);
  return reply ? keep(*reply, member.files) : Result<void>(reply.error());
}

}  // namespace meshdns::membership
