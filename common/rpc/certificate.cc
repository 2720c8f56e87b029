#include "common/rpc/certificate.h"

#include <grpc/grpc_security_constants.h>
#include <grpcpp/security/auth_context.h>

namespace meshdns::rpc {

std::optional<std::vector<std::string>> certificate_uris(const grpc::AuthContext& context) {
  if (context.FindPropertyValues(GRPC_X509_PEM_CERT_PROPERTY_NAME).empty()) return std::nullopt;
  std::vector<std::string> out;
  for (const grpc::string_ref& uri : context.FindPropertyValues(GRPC_PEER_URI_PROPERTY_NAME))
    out.emplace_back(uri.data(), uri.size());
  return out;
}

}  // namespace meshdns::rpc
