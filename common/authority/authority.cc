#include "common/authority/authority.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <utility>

#include "common/authority/certificate_fields.h"
#include "common/authority/key.h"
#include "common/authority/pem.h"
#include "common/identity/rules.h"
#include "common/identity/spiffe_id.h"
#include "common/model/host_name.h"
#include "common/net/ip_address.h"
#include "common/time/time_text.h"

namespace meshdns::authority {
namespace {

constexpr std::int64_t kBackdated = 300;  // seconds by which the clocks of a mesh may differ
constexpr std::string_view kScheme = "spiffe://";

Error unfit(std::string why) { return {Code::InvalidArgument, std::move(why)}; }

Result<std::int64_t> seconds_of(Duration lifetime) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(lifetime).count();
  if (seconds < 1) return unfit("a certificate lasts a second at least");
  return seconds;
}

Result<void> check_trust_domain(const std::string& name) {
  const std::string id = std::string(kScheme) + name + "/x";
  const auto parsed = identity::parse_spiffe_id(id);
  if (parsed && parsed->trust_domain == name) return {};
  return unfit(fmt::format("trust domain \"{}\": expected lower-case letters, digits, . - _", name));
}

/// The part of an authority that signs.
struct Signer {
  Certificate certificate;
  Key key;
  Description about;
  std::string trust_domain;
};

/// Finds the certificate that belongs to the key.
Result<Signer> signer_of(const Authority& authority) {
  Signer out;
  auto key = read_key(authority.key);
  if (!key) return key.error().with_context("the authority's key");
  auto certificates = read_certificates(authority.certificates);
  if (!certificates) return certificates.error().with_context("the authority's certificate");
  const auto found = std::ranges::find_if(*certificates, [&](const Certificate& certificate) {
    return X509_check_private_key(certificate.get(), key->get()) == 1;
  });
  ERR_clear_error();
  if (found == certificates->end()) return unfit("the authority's key is not the key of its certificate");
  const auto about = describe(authority.certificates);
  if (!about) return about.error();
  out.about = about->at(static_cast<std::size_t>(found - certificates->begin()));
  out.certificate = std::move(*found);
  out.key = std::move(*key);
  if (!out.about.is_authority) return unfit("the authority's certificate may not sign others");
  const auto& uris = out.about.uris;
  if (uris.size() != 1 || !uris.front().starts_with(kScheme))
    return unfit("the authority's certificate names no trust domain (URI spiffe://TRUST-DOMAIN)");
  out.trust_domain = uris.front().substr(kScheme.size());
  if (auto fits = check_trust_domain(out.trust_domain); !fits) return fits.error();
  return out;
}

Result<void> check_time(const Description& authority, std::int64_t unix_seconds) {
  if (unix_seconds >= authority.not_after)
    return Error(Code::FailedPrecondition, "the authority has expired on " + time_text(authority.not_after));
  if (unix_seconds >= authority.not_before) return {};
  return Error(Code::FailedPrecondition, "the authority is not valid before " + time_text(authority.not_before));
}

/// Returns the URI of an identity, if those who read certificates find the same identity in the URI.
Result<std::string> uri_of(const identity::Identity& identity, const std::string& trust_domain) {
  if (identity.role == identity::Role::Anonymous) return unfit("a certificate needs an owner");
  if (auto fits = identity::check(identity); !fits) return fits.error();
  const std::string uri = identity::uri(identity, trust_domain);
  const auto rules = identity::Rules::make({}, trust_domain);
  if (!rules) return rules.error();
  const auto found = rules->identify({uri});
  if (found && *found == identity) return uri;
  return unfit(fmt::format("{} \"{}\": in a certificate a name may only have letters, digits, . - _",
                           identity::role_name(identity.role), identity.name));
}

Result<Names> names_of(const Order& order, const std::string& trust_domain) {
  Names out;
  auto uri = uri_of(order.identity, trust_domain);
  if (!uri) return uri.error();
  out.uri = *std::move(uri);
  if (order.identity.role != identity::Role::Federation && !order.addresses.empty())
    return unfit("only the certificate of a federation has addresses");
  for (const std::string& text : order.addresses) {
    if (const auto address = IpAddress::parse(text)) {
      out.addresses.push_back(*address);
    } else if (model::is_host_name(text)) {
      out.dns.push_back(model::host_key(text));
    } else {
      return unfit(fmt::format("address \"{}\": expected a DNS name or an IP address", text));
    }
  }
  return out;
}

Result<std::string> signed_pem(X509* certificate, EVP_PKEY* key) {
  if (X509_sign(certificate, key, EVP_sha256()) <= 0) return openssl_error("signature");
  return pem_of(certificate);
}

/// Adds what the certificate of an end may be used for.
bool add_end_uses(X509* certificate, X509* issuer, identity::Role role) {
  const char* uses = role == identity::Role::Federation ? "serverAuth,clientAuth" : "clientAuth";
  return add_extension(certificate, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
         add_extension(certificate, issuer, NID_key_usage, "critical,digitalSignature") &&
         add_extension(certificate, issuer, NID_ext_key_usage, uses) &&
         add_extension(certificate, issuer, NID_subject_key_identifier, "hash") &&
         add_extension(certificate, issuer, NID_authority_key_identifier, "keyid:always");
}

bool add_authority_uses(X509* certificate) {
  return add_extension(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
         add_extension(certificate, certificate, NID_key_usage, "critical,keyCertSign,cRLSign") &&
         add_extension(certificate, certificate, NID_subject_key_identifier, "hash");
}

}  // namespace

Result<Authority> make_authority(const std::string& trust_domain, std::int64_t unix_seconds, Duration lifetime) {
  if (auto fits = check_trust_domain(trust_domain); !fits) return fits.error();
  const auto seconds = seconds_of(lifetime);
  if (!seconds) return seconds.error();
  auto pem = make_key();
  if (!pem) return pem.error();
  const auto key = read_key(*pem);
  if (!key) return key.error();
  const auto certificate = new_certificate(key->get(), unix_seconds - kBackdated, unix_seconds + *seconds);
  if (!certificate) return certificate.error();
  // the names of two authorities differ, so that whoever looks for an issuer by its name finds the right one
  const std::string name = "meshdns authority " + serial_text(certificate->get()).substr(0, 16);
  const bool done = set_subject(certificate->get(), name) &&
                    X509_set_issuer_name(certificate->get(), X509_get_subject_name(certificate->get())) == 1 &&
                    add_authority_uses(certificate->get()) &&
                    add_names(certificate->get(), {.uri = std::string(kScheme) + trust_domain});
  if (!done) return openssl_error("certificate");
  auto signed_one = signed_pem(certificate->get(), key->get());
  if (!signed_one) return signed_one.error();
  return Authority{*std::move(signed_one), *std::move(pem)};
}

Result<std::string> sign(const Authority& authority, evp_pkey_st& key, const Order& order, std::int64_t unix_seconds) {
  const auto signer = signer_of(authority);
  if (!signer) return signer.error();
  if (auto valid = check_time(signer->about, unix_seconds); !valid) return valid.error();
  const auto names = names_of(order, signer->trust_domain);
  if (!names) return names.error();
  const auto seconds = seconds_of(order.lifetime);
  if (!seconds) return seconds.error();
  const std::int64_t from = std::max(unix_seconds - kBackdated, signer->about.not_before);
  const std::int64_t until = std::min(unix_seconds + *seconds, signer->about.not_after);
  const auto certificate = new_certificate(&key, from, until);
  if (!certificate) return certificate.error();
  X509* issuer = signer->certificate.get();
  const bool done = set_subject(certificate->get(), identity::text(order.identity)) &&
                    (!order.of_pod || mark_as_of_pod(certificate->get())) &&
                    X509_set_issuer_name(certificate->get(), X509_get_subject_name(issuer)) == 1 &&
                    add_end_uses(certificate->get(), issuer, order.identity.role) &&
                    add_names(certificate->get(), *names);
  if (!done) return openssl_error("certificate");
  return signed_pem(certificate->get(), signer->key.get());
}

Result<std::string> sign(const Authority& authority, std::string_view request, const Order& order,
                         std::int64_t unix_seconds) {
  const auto key = proven_key(request);
  if (!key) return key.error();
  return sign(authority, **key, order, unix_seconds);
}

Result<Authority> rotated(const Authority& old, std::int64_t unix_seconds, Duration lifetime) {
  const auto domain = trust_domain_of(old);
  if (!domain) return domain.error();
  const auto certificates = read_certificates(old.certificates);
  if (!certificates) return certificates.error();
  if (certificates->size() > 1)
    return Error(Code::FailedPrecondition, "two authorities are trusted already: the exchange before is not finished");
  auto out = make_authority(*domain, unix_seconds, lifetime);
  if (!out) return out.error();
  out->certificates += old.certificates;
  return out;
}

Result<std::string> signing_certificate(const Authority& authority) {
  const auto signer = signer_of(authority);
  if (!signer) return signer.error();
  return pem_of(signer->certificate.get());
}

Result<Description> describe_signer(const Authority& authority) {
  auto signer = signer_of(authority);
  if (!signer) return signer.error();
  return std::move(signer->about);
}

Result<std::string> trust_domain_of(const Authority& authority) {
  auto signer = signer_of(authority);
  if (!signer) return signer.error();
  return std::move(signer->trust_domain);
}

}  // namespace meshdns::authority
