#pragma once

#include <functional>
#include <string>
#include <utility>

#include "common/base/result.h"
#include "common/kubernetes/client.h"
#include "common/kubernetes/status_codes.h"

namespace meshdns::enrolment {

/// How an API server is asked.
struct ApiServer {
  std::string name;  // for texts: "10.96.0.1:443"
  std::function<kubernetes::Call(kubernetes::Request, std::function<void(Result<kubernetes::Answer>)>)> send;
  std::function<void()> expire_token;  // the server has refused our own token: it is to be read again
};

/// Whether an API server has done what it was asked for.
inline bool is_success(const kubernetes::Answer& answer) {
  return answer.status == kubernetes::kOk || answer.status == kubernetes::kCreated;
}

/// Returns how a client asks. `client` must outlive the result.
inline ApiServer asked_by(kubernetes::Client& client) {
  return {client.server(),
          [&client](kubernetes::Request request, std::function<void(Result<kubernetes::Answer>)> done) {
            return client.send(std::move(request), std::move(done));
          },
          [&client] { client.expire_token(); }};
}

}  // namespace meshdns::enrolment
