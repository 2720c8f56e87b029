#include "common/authority/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#include "common/base/check.h"

namespace meshdns::authority {
namespace {

/// Returns the SHA-256 of bytes that OpenSSL has allocated, and frees them.
std::string digest_of(unsigned char* bytes, int size) {
  std::string out = sha256({reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size)});
  OPENSSL_free(bytes);
  return out;
}

}  // namespace

std::string sha256(std::string_view bytes) {
  std::string out(kDigestBytes, '\0');
  unsigned int size = 0;
  const int done = EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(out.data()), &size,
                              EVP_sha256(), nullptr);
  MESHDNS_CHECK(done == 1 && size == kDigestBytes);
  return out;
}

bool equal_secrets(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string random_hex(std::size_t bytes) {
  std::string out(bytes, '\0');
  MESHDNS_CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(bytes)) == 1);
  return hex(out);
}

std::string key_digest(const evp_pkey_st* key) {
  unsigned char* bytes = nullptr;
  const int size = i2d_PUBKEY(key, &bytes);
  MESHDNS_CHECK(size > 0);
  return digest_of(bytes, size);
}

std::string key_digest(const x509_st& certificate) {
  unsigned char* bytes = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(&certificate), &bytes);
  return size > 0 ? digest_of(bytes, size) : "";
}

std::string hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const char byte : bytes) {
    const auto value = static_cast<unsigned char>(byte);
    out += kDigits[value >> 4];
    out += kDigits[value & 15];
  }
  return out;
}

}  // namespace meshdns::authority
