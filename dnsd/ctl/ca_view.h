#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/authority/description.h"
#include "common/identity/identity.h"

namespace meshdns::ctl {

/// A certificate that `ca issue` has written, and the files that go with it.
struct Issued {
  identity::Identity identity;
  std::string certificate, key, authority;  // paths
  std::int64_t until = 0;                   // unix seconds
};

/// Returns whose the certificate is, its files, and the lines of a configuration or command that use them.
std::string issued_view(const Issued& issued);

/// Returns whose a certificate is, until when, and the hash of its key.
/// note:         follows the name of the owner; may be empty
/// unix_seconds: now
std::string certificate_view(const authority::Description& certificate, std::string_view note,
                             std::int64_t unix_seconds);

/// Returns the owner of a certificate: "node eu-1/n7", "authority of mesh.internal", or why it has none.
std::string owner_text(const authority::Description& certificate);

}  // namespace meshdns::ctl
