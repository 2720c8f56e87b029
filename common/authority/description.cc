#include "common/authority/description.h"

#include <fmt/format.h>
#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <ctime>
#include <memory>

#include "common/authority/certificate_fields.h"
#include "common/authority/digest.h"
#include "common/authority/pem.h"
#include "common/base/text.h"
#include "common/net/ip_address.h"

namespace meshdns::authority {
namespace {

struct FreeShown {
  void operator()(BIO* text) const { BIO_free(text); }
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};

std::string subject_of(const X509* certificate) {
  const std::unique_ptr<BIO, FreeShown> out(BIO_new(BIO_s_mem()));
  if (!out || X509_NAME_print_ex(out.get(), X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253) < 0) return "";
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

std::int64_t unix_seconds_of(const ASN1_TIME* time) {
  std::tm parts{};
  return ASN1_TIME_to_tm(time, &parts) == 1 ? ::timegm(&parts) : 0;
}

std::string_view bytes_of(const ASN1_STRING* text) {
  const auto* data = reinterpret_cast<const char*>(ASN1_STRING_get0_data(text));
  return {data, static_cast<std::size_t>(ASN1_STRING_length(text))};
}

std::string address_of(std::string_view bytes) {
  const auto address = IpAddress::from_bytes(bytes);
  return address ? address->text() : fmt::format("an address of {}", counted(bytes.size(), "byte"));
}

void describe_names(const X509* certificate, Description& out) {
  const std::unique_ptr<GENERAL_NAMES, FreeShown> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_URI) out.uris.emplace_back(bytes_of(name->d.uniformResourceIdentifier));
    if (name->type == GEN_DNS) out.addresses.emplace_back(bytes_of(name->d.dNSName));
    if (name->type == GEN_IPADD) out.addresses.push_back(address_of(bytes_of(name->d.iPAddress)));
  }
}

}  // namespace

Description describe(x509_st& certificate) {
  Description out;
  out.is_authority = X509_check_ca(&certificate) == 1;
  out.of_pod = is_of_pod(&certificate);
  out.subject = subject_of(&certificate);
  describe_names(&certificate, out);
  out.not_before = unix_seconds_of(X509_get0_notBefore(&certificate));
  out.not_after = unix_seconds_of(X509_get0_notAfter(&certificate));
  out.serial = serial_text(&certificate);
  out.key_hash = hex(key_digest(certificate));
  ERR_clear_error();
  return out;
}

Result<std::vector<Description>> describe(std::string_view certificates) {
  const auto read = read_certificates(certificates);
  if (!read) return read.error();
  std::vector<Description> out;
  for (const Certificate& certificate : *read) out.push_back(describe(*certificate));
  return out;
}

}  // namespace meshdns::authority
