#include "dnsd/ctl/server_access.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <utility>
#include <vector>

#include "common/base/private_folder.h"
#include "common/base/runtime_dir.h"
#include "common/base/text.h"
#include "common/config/formats.h"
#include "dnsd/ctl/contexts.h"

namespace meshdns::ctl {
namespace {

constexpr const char* kSocket = "/run/meshdns/meshdnsd.sock";

std::string default_server() {
  struct stat found {};
  if (::stat(kSocket, &found) == 0) return std::string("unix:") + kSocket;
  const std::string dev = dev_folder() + "/meshdnsd.sock";
  const bool own = untrusted(dev_folder()).empty() && ::lstat(dev.c_str(), &found) == 0 && S_ISSOCK(found.st_mode) &&
                   found.st_uid == ::geteuid();
  return "unix:" + (own ? dev : kSocket);
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string given(std::string flag, const char* name) { return flag.empty() ? variable(name) : std::move(flag); }

Result<rpc::TlsFiles> files_of(const ServerFlags& flags, const std::string& server) {
  rpc::TlsFiles files{given(flags.certificate, "MESHDNS_CERTIFICATE"), given(flags.key, "MESHDNS_KEY"),
                      given(flags.ca, "MESHDNS_CA")};
  std::vector<std::string> missing;
  if (files.ca.empty()) missing.emplace_back("--ca");
  if (files.certificate.empty()) missing.emplace_back("--certificate");
  if (files.key.empty()) missing.emplace_back("--key");
  if (missing.empty()) return files;
  return Error(Code::InvalidArgument,
               server + " needs TLS: " + join(missing, ", ") + (missing.size() == 1 ? " is missing" : " are missing"));
}

}  // namespace

Result<ServerAccess> server_of(ServerFlags flags, std::int64_t unix_seconds) {
  std::string server = given(flags.server, "MESHDNS_SERVER");
  if (server.empty() && flags.ca.empty() && flags.certificate.empty() && flags.key.empty()) {
    if (const auto context = current_context()) {
      if (auto usable = rpc::check_now(context->files, unix_seconds); !usable)
        return usable.error().with_context("context " + context->name + "; meshdnsctl login renews it");
      return ServerAccess{context->server, context->files};
    }
  }
  if (server.empty()) server = default_server();
  if (server.starts_with('/')) server = "unix:" + server;
  config::v1::Rules rules;
  rules.set_format(config::v1::Rules::SERVER);
  if (const auto wrong = config::wrong_format(rules, server)) {
    return Error(Code::InvalidArgument, "--server: " + *wrong);
  }
  if (server.starts_with("unix:")) {
    // certificate files mean a remote server: without its address the command would change this host's server by
    // mistake
    if (flags.ca.empty() && flags.certificate.empty() && flags.key.empty()) return ServerAccess{server, {}};
    return Error(Code::InvalidArgument,
                 "--ca, --certificate and --key are for a --server HOST:PORT, not for " + server);
  }
  const auto files = files_of(flags, server);
  if (!files) return files.error();
  if (const auto usable = rpc::check(*files); !usable) return usable.error();
  if (const auto usable = rpc::check_now(*files, unix_seconds); !usable) return usable.error();
  return ServerAccess{server, *files};
}

}  // namespace meshdns::ctl
