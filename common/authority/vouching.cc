#include "common/authority/vouching.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include <memory>

#include "common/authority/pem.h"

namespace meshdns::authority {
namespace {

struct FreeVerification {
  void operator()(X509_STORE* store) const { X509_STORE_free(store); }
  void operator()(X509_STORE_CTX* context) const { X509_STORE_CTX_free(context); }
  void operator()(STACK_OF(X509) * list) const { sk_X509_free(list); }
};
template <class T>
using Verification = std::unique_ptr<T, FreeVerification>;

}  // namespace

bool vouches(std::string_view authorities, std::string_view chain) {
  const auto trusted = read_certificates(authorities);
  const auto shown = read_certificates(chain);
  if (!trusted || !shown) return false;
  const Verification<X509_STORE> store(X509_STORE_new());
  const Verification<X509_STORE_CTX> context(X509_STORE_CTX_new());
  const Verification<STACK_OF(X509)> between(sk_X509_new_null());
  if (!store || !context || !between) return false;
  for (const Certificate& each : *trusted) X509_STORE_add_cert(store.get(), each.get());
  for (const Certificate& each : *shown) sk_X509_push(between.get(), each.get());
  X509_STORE_set_flags(store.get(), X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_NO_CHECK_TIME);
  const bool ready = X509_STORE_CTX_init(context.get(), store.get(), shown->front().get(), between.get()) == 1;
  const bool valid = ready && X509_verify_cert(context.get()) == 1;
  ERR_clear_error();
  return valid;
}

}  // namespace meshdns::authority
