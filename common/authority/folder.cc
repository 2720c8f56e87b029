#include "common/authority/folder.h"

#include <unistd.h>

#include <filesystem>

#include "common/authority/pem.h"
#include "common/base/durable_file.h"
#include "common/base/private_folder.h"
#include "common/base/whole_file.h"

namespace meshdns::authority {
namespace {

namespace fs = std::filesystem;

constexpr unsigned kForAll = 0644;
constexpr unsigned kForOwner = 0600;

bool is_there(const std::string& path) {
  std::error_code ignored;
  return fs::exists(fs::symlink_status(path, ignored));
}

/// Reads a file of an authority that exists: without one of its files it is not missing, but cannot be used.
Result<std::string> text_of(const std::string& path) {
  auto out = read_file(path);
  return out ? out : Error(Code::Unavailable, out.error().message());
}

Result<void> check_trust(const std::string& folder) {
  const std::string problem = untrusted(folder);
  return problem.empty() ? Result<void>{} : Error(Code::PermissionDenied, problem);
}

}  // namespace

Files::Files(const std::string& folder)
    : certificates((fs::path(folder) / "ca.pem").string()),
      key((fs::path(folder) / "ca.key").string()),
      old_key((fs::path(folder) / "old.key").string()) {}

Result<void> create_folder(const std::string& folder, const Authority& authority) {
  if (auto made = make_private_folder(folder); !made) return made;
  if (auto trusted = check_trust(folder); !trusted) return trusted;
  const Files files(folder);
  for (const std::string& path : {files.key, files.certificates})
    if (is_there(path)) return Error(Code::AlreadyExists, path + " exists: the folder has an authority already");
  if (auto written = put_file(files.key, authority.key, kForOwner); !written) return written;
  return put_file(files.certificates, authority.certificates, kForAll);
}

Result<Authority> read_folder(const std::string& folder) {
  const Files files(folder);
  const Error none(Code::NotFound, folder + ": there is no authority");
  if (!is_there(folder)) return none;
  if (auto trusted = check_trust(folder); !trusted) return trusted.error();
  if (!is_there(files.key) && !is_there(files.certificates)) return none;
  auto certificates = text_of(files.certificates);
  if (!certificates) return certificates.error();
  auto key = text_of(files.key);
  if (!key) return key.error();
  return Authority{*std::move(certificates), *std::move(key)};
}

Result<Content> read_content(const std::string& folder) {
  auto authority = read_folder(folder);
  if (!authority) return authority.error();
  const std::string path = Files(folder).old_key;
  if (!is_there(path)) return Content{*std::move(authority), ""};
  auto old_key = text_of(path);
  if (!old_key) return old_key.error();
  return Content{*std::move(authority), *std::move(old_key)};
}

Result<void> write_content(const std::string& folder, const Content& content) {
  if (auto made = make_private_folder(folder); !made) return made;
  if (auto trusted = check_trust(folder); !trusted) return trusted;
  const Files files(folder);
  // as in write_rotated(): a new certificate is trusted before its key signs
  if (auto written = put_file(files.certificates, content.authority.certificates, kForAll); !written) return written;
  if (content.old_key.empty()) {
    ::unlink(files.old_key.c_str());
  } else if (auto written = put_file(files.old_key, content.old_key, kForOwner); !written) {
    return written;
  }
  return put_file(files.key, content.authority.key, kForOwner);
}

Result<Authority> read_known_folder(const std::string& folder, std::int64_t unix_seconds) {
  auto present = read_folder(folder);
  if (!present) return present;
  const auto old_key = read_file(Files(folder).old_key);
  if (!old_key) return present;
  const Authority old{present->certificates, *old_key};
  const auto about = describe_signer(old);  // fails after an exchange that was finished
  const bool valid = about && unix_seconds >= about->not_before && unix_seconds < about->not_after;
  return valid ? old : present;
}

Result<void> write_rotated(const std::string& folder, const Authority& old, const Authority& next) {
  const Files files(folder);
  // the new certificate is trusted before its key signs
  if (auto written = put_file(files.certificates, next.certificates, kForAll); !written) return written;
  if (auto written = put_file(files.old_key, old.key, kForOwner); !written) return written;
  return put_file(files.key, next.key, kForOwner);
}

Result<void> finish_rotation(const std::string& folder) {
  const auto authority = read_folder(folder);
  if (!authority) return authority.error();
  const auto trusted = read_certificates(authority->certificates);
  if (!trusted) return trusted.error().with_context(Files(folder).certificates);
  if (trusted->size() < 2) return Error(Code::FailedPrecondition, folder + ": only one authority is trusted");
  const auto left = signing_certificate(*authority);
  if (!left) return left.error().with_context(folder);
  const Files files(folder);
  if (auto written = put_file(files.certificates, *left, kForAll); !written) return written;
  ::unlink(files.old_key.c_str());
  return {};
}

}  // namespace meshdns::authority
