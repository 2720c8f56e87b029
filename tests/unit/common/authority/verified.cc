#include "tests/unit/common/authority/verified.h"

#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <memory>

#include "common/authority/pem.h"

namespace meshdns::authority {

std::string verified(const std::string& certificate, const std::string& trusted, std::int64_t unix_seconds, End end) {
  const auto shown = read_certificates(certificate);
  const auto authorities = read_certificates(trusted);
  if (!shown || !authorities) return "unreadable";
  const std::unique_ptr<X509_STORE, decltype(&X509_STORE_free)> store(X509_STORE_new(), X509_STORE_free);
  for (const Certificate& authority : *authorities) X509_STORE_add_cert(store.get(), authority.get());
  const std::unique_ptr<X509_STORE_CTX, decltype(&X509_STORE_CTX_free)> context(X509_STORE_CTX_new(),
                                                                                X509_STORE_CTX_free);
  X509_STORE_CTX_init(context.get(), store.get(), shown->front().get(), nullptr);
  X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(context.get()), unix_seconds);
  X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(context.get()), X509_V_FLAG_X509_STRICT);
  X509_STORE_CTX_set_purpose(context.get(), end == End::Server ? X509_PURPOSE_SSL_SERVER : X509_PURPOSE_SSL_CLIENT);
  X509_verify_cert(context.get());
  return X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get()));
}

}  // namespace meshdns::authority
