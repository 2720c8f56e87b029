#include "common/authority/certificate_fields.h"

#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <memory>

#include "common/base/text.h"

namespace meshdns::authority {
namespace {

constexpr std::size_t kSerialBytes = 16;
constexpr std::size_t kLongestCommonName = 64;  // RFC 5280 A.1 (ub-common-name)
constexpr std::string_view kPodUnit = "pod in Kubernetes";

struct FreeField {
  void operator()(BIGNUM* number) const { BN_free(number); }
  void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
  void operator()(GENERAL_NAME* name) const { GENERAL_NAME_free(name); }
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
  void operator()(ASN1_STRING* text) const { ASN1_STRING_free(text); }
  void operator()(char* text) const { OPENSSL_free(text); }
};
template <class T>
using Field = std::unique_ptr<T, FreeField>;

bool set_serial(X509* certificate) {
  std::array<unsigned char, kSerialBytes> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) return false;
  const Field<BIGNUM> number(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
  return number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool add_name(GENERAL_NAMES* names, int kind, std::string_view bytes) {
  Field<ASN1_STRING> value(ASN1_STRING_type_new(kind == GEN_IPADD ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING));
  Field<GENERAL_NAME> name(GENERAL_NAME_new());
  if (!value || !name || ASN1_STRING_set(value.get(), bytes.data(), static_cast<int>(bytes.size())) != 1) return false;
  GENERAL_NAME_set0_value(name.get(), kind, value.release());
  if (sk_GENERAL_NAME_push(names, name.get()) <= 0) return false;
  static_cast<void>(name.release());  // `names` has it now
  return true;
}

bool add_address(GENERAL_NAMES* names, const IpAddress& address) {
  const auto bytes = address.bytes();
  return add_name(names, GEN_IPADD, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

}  // namespace

Result<Certificate> new_certificate(evp_pkey_st* key, std::int64_t from, std::int64_t until) {
  Certificate out(X509_new());
  const bool made = out && X509_set_version(out.get(), X509_VERSION_3) == 1 && set_serial(out.get()) &&
                    ASN1_TIME_set(X509_getm_notBefore(out.get()), from) != nullptr &&
                    ASN1_TIME_set(X509_getm_notAfter(out.get()), until) != nullptr &&
                    X509_set_pubkey(out.get(), key) == 1;
  if (!made) return openssl_error("certificate");
  return out;
}

std::string serial_text(const x509_st* certificate) {
  const Field<BIGNUM> number(ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr));
  const Field<char> text(number == nullptr ? nullptr : BN_bn2hex(number.get()));
  return text == nullptr ? "" : ascii_lower(std::string_view(text.get()));
}

bool set_subject(x509_st* certificate, std::string_view name) {
  const std::string_view cut = name.substr(0, std::min(name.size(), kLongestCommonName));
  return X509_NAME_add_entry_by_NID(X509_get_subject_name(certificate), NID_commonName, MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(cut.data()), static_cast<int>(cut.size()),
                                    -1, 0) == 1;
}

bool mark_as_of_pod(x509_st* certificate) {
  return X509_NAME_add_entry_by_NID(X509_get_subject_name(certificate), NID_organizationalUnitName, MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(kPodUnit.data()),
                                    static_cast<int>(kPodUnit.size()), -1, 0) == 1;
}

bool is_of_pod(const x509_st* certificate) {
  const X509_NAME* subject = X509_get_subject_name(certificate);
  const int at = X509_NAME_get_index_by_NID(subject, NID_organizationalUnitName, -1);
  if (at < 0) return false;
  const ASN1_STRING* unit = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
  return std::string_view(reinterpret_cast<const char*>(ASN1_STRING_get0_data(unit)),
                          static_cast<std::size_t>(ASN1_STRING_length(unit))) == kPodUnit;
}

bool add_extension(x509_st* certificate, x509_st* issuer, int kind, const char* words) {
  X509V3_CTX context{};
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Field<X509_EXTENSION> extension(X509V3_EXT_conf_nid(nullptr, &context, kind, words));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool add_names(x509_st* certificate, const Names& names) {
  const Field<GENERAL_NAMES> all(GENERAL_NAMES_new());
  bool done = all && add_name(all.get(), GEN_URI, names.uri);
  for (const std::string& name : names.dns) done = done && add_name(all.get(), GEN_DNS, name);
  for (const IpAddress& address : names.addresses) done = done && add_address(all.get(), address);
  return done && X509_add1_ext_i2d(certificate, NID_subject_alt_name, all.get(), 0, X509V3_ADD_DEFAULT) == 1;
}

}  // namespace meshdns::authority
