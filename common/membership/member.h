#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/identity/gate.h"
#include "common/rpc/tls_files.h"

namespace meshdns::membership {

/// Where the kubelet puts the token that shows the federation whose pod this is, and where the certificate of the
/// federation's authority is mounted, unless the configuration says otherwise (docs/config-agent.md).
inline constexpr const char* kPodToken = "/var/run/secrets/meshdns/token";
inline constexpr const char* kPodAuthority = "/etc/meshdns/authority/ca.crt";

/// The files by which a pod gets its certificates. Both change while the process runs: they are read for each request.
struct PodFiles {
  std::string token;      // of the pod's service account, for the federation
  std::string authority;  // PEM: who may sign the federation's certificate
};

/// Returns the files that a configuration names.
/// token, authority: the paths of the configuration, which start at `folder` unless they start with /; empty = the
///                   default
PodFiles pod_files(const std::string& folder, const std::string& token, const std::string& authority);

/// Who wants a certificate, from whom, and where it is kept. Either `token_file` or `pod` says how the first
/// certificate is got; neither = the caller has the token.
struct Member {
  std::vector<std::string> servers;  // addresses of the federation
  std::string name;                  // of the node, replica or operator
  rpc::TlsFiles files;               // written by enroll() and renew() (enroll.h)
  identity::ServerCheck check;       // of the federation's certificate
  std::string token_file{};          // of a token of `meshdnsctl token create`
  std::optional<PodFiles> pod{};
};

/// Returns the files of a member in a folder: NAME.pem, NAME.key and ca.pem.
rpc::TlsFiles files_in(const std::string& folder, const std::string& name);

/// Whether the files are there and belong together.
bool has_joined(const rpc::TlsFiles& files);

/// Checks whether the files can be used at a time, and whether the certificate is of the identity that the other end
/// will expect.
/// needed: its name may be empty: then any name will do
/// errors: "FILE: why", one line for each problem
Result<void> check_certificate(const rpc::TlsFiles& files, const identity::Rules& rules,
                               const identity::Identity& needed, std::int64_t unix_seconds);

/// Returns when a certificate has to be renewed, in unix seconds: at two thirds of its life.
std::int64_t renewal_time(std::int64_t not_before, std::int64_t not_after);

}  // namespace meshdns::membership
