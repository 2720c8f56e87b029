#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/authority/description.h"
#include "common/base/result.h"
#include "common/identity/identity.h"
#include "common/time/time.h"

// OpenSSL's EVP_PKEY. Its headers stay private to sources.
struct evp_pkey_st;

// The mesh's own authority: it signs certificates that say by one URI whose they are (common/identity).
//
// How it works: an authority is a key (ECDSA, P-256) and a certificate that the key has signed itself. The certificate
// names the trust domain in its URI, "spiffe://mesh.internal", and may sign certificates of ends only, not of other
// authorities. Everything here is a pure function of PEM texts and the time; folder.h keeps the texts in files.
//
//   end:       make_key() -> key -> make_request() -> request
//   authority: request, and who the end is -> sign() -> certificate
//
// Only the public key is taken from a request. Who the certificate is for is decided by the authority alone, so a
// request that asks for other names gets none of them.
//
// Exchange: rotated() makes a second authority, and both are trusted until everybody has a certificate of the new one.
//
//   before      ca.pem: old        signed with the key of old
//   meanwhile   ca.pem: new, old   signed with the key of new
//   afterwards  ca.pem: new        signed with the key of new
//
// Deliberately not done: there are no lists of revoked certificates. A certificate lives for a short time instead.
namespace meshdns::authority {

/// How long an authority lasts.
inline constexpr Duration kAuthorityLifetime = 24h * 3650;
/// How long a certificate lasts that its owner renews by itself, and one that a person brings to its owner.
inline constexpr Duration kEnrolledLifetime = 24h;
inline constexpr Duration kIssuedLifetime = 24h * 90;

/// An authority, as PEM.
struct Authority {
  std::string certificates;  // while the authority is exchanged, those of the new and the old one
  std::string key;           // the private key of one of them: that one signs
};

/// Makes an authority for a trust domain like "mesh.internal".
/// errors: InvalidArgument: the name cannot be a trust domain, or the lifetime is shorter than a second
Result<Authority> make_authority(const std::string& trust_domain, std::int64_t unix_seconds,
                                 Duration lifetime = kAuthorityLifetime);

/// Whom a certificate is for.
struct Order {
  identity::Identity identity;
  std::vector<std::string> addresses{};  // DNS names and IP addresses where clients find it; of a federation only
  Duration lifetime = kEnrolledLifetime;
  bool of_pod = false;  // the certificate says so, and is renewed only for a pod that lives (Description::of_pod)
};

/// Signs a public key. The certificate begins a few minutes before now, because clocks differ, and never outlives the
/// authority.
/// key:     whose owner has proved that it has the private key: proven_key()
/// returns: the certificate
/// errors:  InvalidArgument: the identity or an address does not fit; the authority's certificate and key do not belong
///          together. FailedPrecondition: the authority has expired, or is not valid yet
Result<std::string> sign(const Authority& authority, evp_pkey_st& key, const Order& order, std::int64_t unix_seconds);

/// Signs the public key of a request.
/// errors: InvalidArgument: the request has no key, a weak key, or is not signed with its key; the others as above
Result<std::string> sign(const Authority& authority, std::string_view request, const Order& order,
                         std::int64_t unix_seconds);

/// Makes a new authority of the same trust domain, and keeps the old one trusted. An expired authority can be replaced
/// too.
/// errors: FailedPrecondition: a second authority is trusted already. InvalidArgument: as for sign()
Result<Authority> rotated(const Authority& old, std::int64_t unix_seconds, Duration lifetime = kAuthorityLifetime);

/// Returns the certificate of the authority that signs: the one that belongs to the key.
/// errors: InvalidArgument: none does
Result<std::string> signing_certificate(const Authority& authority);

/// Describes the certificate of the authority that signs.
/// errors: as for signing_certificate()
Result<Description> describe_signer(const Authority& authority);

/// Returns the trust domain of the authority that signs.
/// errors: InvalidArgument: its certificate names none
Result<std::string> trust_domain_of(const Authority& authority);

}  // namespace meshdns::authority
