#include "agent/admin/responses.h"

#include <utility>

#include "common/convert/document.h"

namespace meshdns::agent::admin {

http::Response text(int status, std::string body) { return {status, "text/plain; charset=utf-8", std::move(body)}; }

http::Response json(const google::protobuf::Message& message) {
  return {200, "application/json", convert::Document(message).json()};
}

}  // namespace meshdns::agent::admin
