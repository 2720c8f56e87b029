#pragma once

#include <string>
#include <string_view>

#include "common/authority/pem.h"
#include "common/base/result.h"

namespace meshdns::authority {

/// Makes a private key (ECDSA, P-256).
/// returns: PEM, without a passphrase
/// errors:  Internal, with OpenSSL's reason
Result<std::string> make_key();

/// Makes a certificate signing request. It says nothing but the public key, and proves that its sender has the private
/// key: who the certificate is for, the authority knows otherwise.
/// key:    PEM
/// errors: InvalidArgument: no private key
Result<std::string> make_request(std::string_view key);

/// Checks that a request has a public key that is strong enough, and is signed with the private key.
/// returns: the public key
/// errors:  InvalidArgument, with the reason
Result<Key> proven_key(std::string_view request);

/// Checks that a public key is strong enough: RSA of 2048 to 8192 bits, ECDSA with the curve P-256, P-384 or P-521, or
/// Ed25519.
/// errors: InvalidArgument, with the reason
Result<void> check_strength(const evp_pkey_st* key);

}  // namespace meshdns::authority
