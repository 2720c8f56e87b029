#pragma once

#include <string>
#include <vector>

#include "common/authority/pem.h"

// Requests that an honest end does not make.
namespace meshdns::authority {

/// Makes a key of a kind: "RSA-1024", "ED25519", "ED448", or the name of a curve.
Key key_of(const std::string& kind);
/// Makes a key on P-256 whose curve is written as numbers.
Key key_of_numbers();

/// Makes a request for a public key, which another key may sign, and that asks for names: "DNS:a, URI:b".
std::string request_of(const Key& owned, const Key& signing, const std::string& names = "");

}  // namespace meshdns::authority
