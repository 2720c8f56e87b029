#include "common/rpc/certificate.h"

#include <grpc/grpc_security_constants.h>
#include <grpcpp/security/auth_context.h>

#include "common/authority/description.h"
#include "common/authority/digest.h"
#include "common/authority/pem.h"

namespace meshdns::rpc {

std::optional<std::vector<std::string>> certificate_uris(const grpc::AuthContext& context) {
  if (context.FindPropertyValues(GRPC_X509_PEM_CERT_PROPERTY_NAME).empty()) return std::nullopt;
  std::vector<std::string> out;
  for (const grpc::string_ref& uri : context.FindPropertyValues(GRPC_PEER_URI_PROPERTY_NAME))
    out.emplace_back(uri.data(), uri.size());
  return out;
}

std::string certificate_key(const grpc::AuthContext& context) {
  const auto pem = context.FindPropertyValues(GRPC_X509_PEM_CERT_PROPERTY_NAME);
  if (pem.empty()) return "";
  const auto certificates = authority::read_certificates({pem.front().data(), pem.front().size()});
  return certificates ? authority::key_digest(*certificates->front()) : "";
}

bool certificate_is_of_pod(const grpc::AuthContext& context) {
  const auto pem = context.FindPropertyValues(GRPC_X509_PEM_CERT_PROPERTY_NAME);
  if (pem.empty()) return false;
  const auto certificates = authority::describe(std::string_view(pem.front().data(), pem.front().size()));
  return certificates && certificates->front().of_pod;
}

std::string certificate_chain(const grpc::AuthContext& context) {
  // a server finds the peer's own certificate in the first property only
  std::string out;
  for (const char* name : {GRPC_X509_PEM_CERT_PROPERTY_NAME, GRPC_X509_PEM_CERT_CHAIN_PROPERTY_NAME}) {
    const auto found = context.FindPropertyValues(name);
    if (!found.empty()) out += std::string(found.front().data(), found.front().size()) + "\n";
  }
  return out;
}

Result<identity::Caller> caller_of(const identity::Gate& gate, const grpc::AuthContext& context) {
  return gate.caller(certificate_uris(context), certificate_key(context), certificate_chain(context));
}

}  // namespace meshdns::rpc
