#pragma once

#include <cstdint>
#include <string>

namespace meshdns::rpc {

/// The certificate that this end has shown, as far as a text about its refusal needs it.
struct ShownCertificate {
  std::string subject;  // "CN=eu1-n1"
  std::int64_t not_before = 0, not_after = 0;
};

/// Returns why the other end of a TLS connection refuses the certificate of this end. The other end says no more than a
/// number; if the time may be the reason, the text shows which times this end knows.
/// alert:   the description of a TLS alert
/// now:     unix seconds
/// returns: empty = the alert is not about the certificate
/// source:  RFC 8446 6.2
std::string alert_text(unsigned char alert, const ShownCertificate& own, std::int64_t now);

}  // namespace meshdns::rpc
