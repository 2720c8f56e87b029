#include "common/authority/key.h"

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace meshdns::authority {
namespace {

constexpr int kLeastRsaBits = 2048;
constexpr int kMostRsaBits = 8192;  // a larger key only costs everybody time
constexpr std::array<std::string_view, 3> kCurves = {SN_X9_62_prime256v1, SN_secp384r1, SN_secp521r1};

Error refusal(std::string_view why) { return {Code::InvalidArgument, fmt::format("the key is refused: {}", why)}; }

Result<void> check_rsa(const EVP_PKEY* key) {
  const int bits = EVP_PKEY_get_bits(key);
  if (bits >= kLeastRsaBits && bits <= kMostRsaBits) return {};
  return refusal(fmt::format("RSA of {} bits; it may have {} to {}", bits, kLeastRsaBits, kMostRsaBits));
}

Result<void> check_curve(const EVP_PKEY* key) {
  std::array<char, 64> name{};
  std::size_t size = 0;
  int is_explicit = 0;
  const bool named = EVP_PKEY_get_group_name(key, name.data(), name.size(), &size) == 1;
  // verifiers refuse a curve that is written as numbers, also if it is a known one
  if (EVP_PKEY_get_int_param(key, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, &is_explicit) != 1) is_explicit = 1;
  ERR_clear_error();
  if (!named || is_explicit != 0) return refusal("its curve has no name");
  const std::string_view curve(name.data(), size);
  if (std::find(kCurves.begin(), kCurves.end(), curve) != kCurves.end()) return {};
  return refusal(fmt::format("the curve {}; it may be P-256, P-384 or P-521", curve));
}

}  // namespace

Result<std::string> make_key() {
  const Key key(EVP_EC_gen(SN_X9_62_prime256v1));
  if (key == nullptr) return openssl_error("key");
  return pem_of(key.get());
}

Result<std::string> make_request(std::string_view key) {
  const auto own = read_key(key);
  if (!own) return own.error();
  const SigningRequest request(X509_REQ_new());
  const bool made = request != nullptr && X509_REQ_set_version(request.get(), X509_REQ_VERSION_1) == 1 &&
                    X509_REQ_set_pubkey(request.get(), own->get()) == 1 &&
                    X509_REQ_sign(request.get(), own->get(), EVP_sha256()) > 0;
  if (!made) return openssl_error("request");
  return pem_of(request.get());
}

Result<Key> proven_key(std::string_view request) {
  const auto read = read_request(request);
  if (!read) return read.error();
  Key key(X509_REQ_get_pubkey(read->get()));
  if (key == nullptr) {
    ERR_clear_error();
    return refusal("OpenSSL cannot read it");
  }
  if (auto strong = check_strength(key.get()); !strong) return strong.error();
  const bool proven = X509_REQ_verify(read->get(), key.get()) == 1;
  ERR_clear_error();
  if (!proven) return refusal("the request is not signed with it");
  return key;
}

Result<void> check_strength(const evp_pkey_st* key) {
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA: return check_rsa(key);
    case EVP_PKEY_EC: return check_curve(key);
    case EVP_PKEY_ED25519: return {};
    default: return refusal("it is neither RSA, ECDSA nor Ed25519");
  }
}

}  // namespace meshdns::authority
