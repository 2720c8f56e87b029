#include "common/rpc/refusal.h"

#include <openssl/x509_vfy.h>

#include "common/authority/description.h"
#include "common/time/validity_text.h"

namespace meshdns::rpc {

std::string refusal_text(x509_store_ctx_st& verification, std::int64_t now) {
  const int error = X509_STORE_CTX_get_error(&verification);
  std::string out = X509_verify_cert_error_string(error);
  X509* refused = X509_STORE_CTX_get_current_cert(&verification);
  const bool by_time = error == X509_V_ERR_CERT_HAS_EXPIRED || error == X509_V_ERR_CERT_NOT_YET_VALID;
  if (refused == nullptr || !by_time) return out;
  // the refused certificate may be that of the authority
  const auto about = authority::describe(*refused);
  const std::string when = validity_problem(about.not_before, about.not_after, now);
  if (!when.empty()) out += ": " + about.subject + " " + when;
  return out + "; " + clock_hint(now);
}

}  // namespace meshdns::rpc
