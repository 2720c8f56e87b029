#include "common/kubernetes/credentials.h"

#include <algorithm>
#include <utility>

#include "common/base/text.h"
#include "common/base/whole_file.h"

namespace meshdns::kubernetes {
namespace {

constexpr std::size_t kLongestToken = std::size_t{64} << 10;

/// Reads a file that the kubelet writes: if it is missing, it may come.
Result<std::string> content_of(const std::string& path) {
  auto out = read_file(path);
  return out ? out : Error(Code::Unavailable, out.error().message());
}

Result<Credentials::Content> read(const std::string& ca_file, const std::string& token_file) {
  auto ca = content_of(ca_file);
  if (!ca) return ca.error();
  Credentials::Content out{std::move(*ca), {}};
  if (token_file.empty()) return out;
  const auto text = content_of(token_file);
  if (!text) return text.error();
  auto token = parse_token(*text);
  if (!token) return token.error().with_context(token_file);
  out.token = std::move(*token);
  return out;
}

}  // namespace

Result<std::string> parse_token(std::string_view text) {
  const std::string_view token = trim(text);
  if (token.empty()) return Error{Code::InvalidArgument, "the token is empty"};
  if (token.size() > kLongestToken) return Error{Code::InvalidArgument, "the token is longer than 64 KiB"};
  const bool is_plain = std::ranges::all_of(token, [](char c) { return c > ' ' && c < 127; });
  if (!is_plain) return Error{Code::InvalidArgument, "the token has characters that no token has"};
  return std::string(token);
}

Credentials::Credentials(std::string ca_file, std::string token_file)
    : ca_file_(std::move(ca_file)), token_file_(std::move(token_file)) {}

Result<Credentials::Content> Credentials::get(TimePoint now) {
  if (content_ && read_at_ && now - *read_at_ < kInterval) return *content_;
  auto found = read(ca_file_, token_file_);
  if (!found) return content_ ? Result<Content>(*content_) : found;
  read_at_ = now;
  content_ = std::move(*found);
  return *content_;
}

}  // namespace meshdns::kubernetes
