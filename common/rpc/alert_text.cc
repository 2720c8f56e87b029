#include "common/rpc/alert_text.h"

#include "common/time/time_text.h"
#include "common/time/validity_text.h"

namespace meshdns::rpc {
namespace {

// RFC 8446 6.2
constexpr unsigned char kBadCertificate = 42;  // OpenSSL's for a certificate that is not valid yet, among others
constexpr unsigned char kUnsupportedCertificate = 43;
constexpr unsigned char kCertificateRevoked = 44;
constexpr unsigned char kCertificateExpired = 45;
constexpr unsigned char kCertificateUnknown = 46;
constexpr unsigned char kUnknownCa = 48;

std::string times_of(const ShownCertificate& own, std::int64_t now) {
  return ": it is valid from " + time_text(own.not_before) + " to " + time_text(own.not_after) + "; " + clock_hint(now);
}

}  // namespace

std::string alert_text(unsigned char alert, const ShownCertificate& own, std::int64_t now) {
  const std::string whose = "this end's certificate (" + own.subject + ")";
  switch (alert) {
    case kCertificateExpired: return "the other end says that " + whose + " has expired" + times_of(own, now);
    case kBadCertificate:
      return "the other end says that " + whose + " is bad, or not valid yet by its clock" + times_of(own, now);
    case kUnknownCa: return "the other end does not trust the authority of " + whose;
    case kUnsupportedCertificate:
    case kCertificateRevoked:
    case kCertificateUnknown: return "the other end refuses " + whose;
    default: return "";
  }
}

}  // namespace meshdns::rpc
