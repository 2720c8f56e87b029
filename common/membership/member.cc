#include "common/membership/member.h"

#include <filesystem>

namespace meshdns::membership {

rpc::TlsFiles files_in(const std::string& folder, const std::string& name) {
  const std::filesystem::path path(folder);
  return {(path / (name + ".pem")).string(), (path / (name + ".key")).string(), (path / "ca.pem").string()};
}

PodFiles pod_files(const std::string& folder, const std::string& token, const std::string& authority) {
  const std::filesystem::path start(folder);
  return {token.empty() ? kPodToken : (start / token).string(),
          authority.empty() ? kPodAuthority : (start / authority).string()};
}

bool has_joined(const rpc::TlsFiles& files) { return rpc::check(files).has_value(); }

Result<void> check_certificate(const rpc::TlsFiles& files, const identity::Rules& rules,
                               const identity::Identity& needed, std::int64_t unix_seconds) {
  if (auto usable = rpc::check_now(files, unix_seconds); !usable) return usable;
  const auto uris = rpc::uris_of(files.certificate);
  if (!uris) return uris.error();
  const auto fits = identity::check_own(rules, *uris, needed);
  return fits ? fits : Result<void>(fits.error().with_context(files.certificate));
}

std::int64_t renewal_time(std::int64_t not_before, std::int64_t not_after) {
  return not_before + (not_after - not_before) / 3 * 2;
}

}  // namespace meshdns::membership
