#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/authority/description.h"
#include "common/authority/pem.h"
#include "common/base/result.h"
#include "common/identity/identity.h"
#include "common/log/reminder.h"
#include "common/time/time.h"

namespace meshdns::enrolment {

/// What the certificate of a federation has to be like.
struct Wanted {
  std::string uri;                     // of its owner
  std::vector<std::string> addresses;  // DNS names in lower case, and IP addresses
  std::string key_hash;                // of the federation's key, hexadecimal
  std::string authority_hash;          // of the authority's key
  std::int64_t until = 0;              // the end of a certificate that is signed now, in unix seconds
  Duration lifetime{};
};

/// Returns why a certificate has to be signed again: "two thirds of its time are over". Empty = it need not be.
/// chain: the certificate and its authority; empty = there is none
std::string why_to_sign(const std::vector<authority::Description>& chain, const Wanted& wanted, std::int64_t now);

/// The certificate of a federation that signs its own, with the authority that signs those of its agents. Makes the
/// key, which stays the same, and signs a new certificate at two thirds of the lifetime, when the addresses change, and
/// when the authority does. Whoever watches the files finds the new certificate there.
///
/// While the authority is exchanged, the old one signs: agents that have not renewed their own certificate yet know no
/// other. The authority's certificate is in the file too, for agents that know it by the hash of its key only.
/// thread: control
class OwnCertificate {
 public:
  struct Options {
    std::string authority;         // folder
    std::string certificate, key;  // files
    identity::Identity identity;
    std::function<std::vector<std::string>()>
        addresses;  // DNS names and IP addresses where clients find the federation
    Duration lifetime;
  };

  /// clock, timers: must outlive this
  OwnCertificate(Options options, const Clock& clock, Timers& timers);
  OwnCertificate(const OwnCertificate&) = delete;
  OwnCertificate& operator=(const OwnCertificate&) = delete;
  ~OwnCertificate();

  /// Signs the certificate if it has to be signed, and looks again from time to time.
  /// errors: of reading the authority or of writing the files, with the path
  Result<void> start();

 private:
  /// Returns the private key of the file, which is made if it is missing.
  Result<authority::Key> key() const;
  Result<void> sign_if_due();
  void look_later();

  const Options options_;
  const Clock& clock_;
  Timers& timers_;
  std::optional<TimerId> timer_;
  log::Reminder trouble_;
};

}  // namespace meshdns::enrolment
