#include "tests/unit/common/authority/requests.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <array>
#include <cstring>
#include <memory>
#include <utility>

namespace meshdns::authority {
namespace {

const unsigned char* bytes_of_text(const char* text) { return reinterpret_cast<const unsigned char*>(text); }

void ask_for(X509_REQ* request, const std::string& names) {
  X509V3_CTX context{};
  STACK_OF(X509_EXTENSION)* extensions = sk_X509_EXTENSION_new_null();
  for (const auto& [kind, words] :
       {std::pair{NID_subject_alt_name, names.c_str()}, std::pair{NID_basic_constraints, "critical,CA:TRUE"},
        std::pair{NID_ext_key_usage, "serverAuth,clientAuth,codeSigning"}}) {
    sk_X509_EXTENSION_push(extensions, X509V3_EXT_conf_nid(nullptr, &context, kind, words));
  }
  X509_REQ_add_extensions(request, extensions);
  sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
  X509_NAME_add_entry_by_NID(X509_REQ_get_subject_name(request), NID_commonName, MBSTRING_UTF8, bytes_of_text("eve"),
                             -1, -1, 0);
}

}  // namespace

Key key_of(const std::string& kind) {
  if (kind.starts_with("RSA-")) return Key(EVP_RSA_gen(static_cast<unsigned>(std::stoul(kind.substr(4)))));
  if (kind.starts_with("ED")) return Key(EVP_PKEY_Q_keygen(nullptr, nullptr, kind.c_str()));
  return Key(EVP_EC_gen(kind.c_str()));
}

Key key_of_numbers() {
  const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(
      EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr), EVP_PKEY_CTX_free);
  std::string curve = "prime256v1";
  std::string numbers = "explicit";
  const std::array parameters = {OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, curve.data(), 0),
                                 OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_EC_ENCODING, numbers.data(), 0),
                                 OSSL_PARAM_construct_end()};
  EVP_PKEY* key = nullptr;
  EVP_PKEY_keygen_init(context.get());
  EVP_PKEY_CTX_set_params(context.get(), parameters.data());
  EVP_PKEY_generate(context.get(), &key);
  return Key(key);
}

std::string request_of(const Key& owned, const Key& signing, const std::string& names) {
  const SigningRequest request(X509_REQ_new());
  X509_REQ_set_version(request.get(), X509_REQ_VERSION_1);
  X509_REQ_set_pubkey(request.get(), owned.get());
  if (!names.empty()) ask_for(request.get(), names);
  const int kind = EVP_PKEY_get_base_id(signing.get());
  const bool hashes = kind == EVP_PKEY_RSA || kind == EVP_PKEY_EC;
  X509_REQ_sign(request.get(), signing.get(), hashes ? EVP_sha256() : nullptr);
  return pem_of(request.get()).value_or("");
}

}  // namespace meshdns::authority
