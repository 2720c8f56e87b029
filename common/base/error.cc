#include "common/base/result.h"

namespace meshdns {

std::string_view code_name(Code code) {
  switch (code) {
    case Code::InvalidArgument: return "invalid argument";
    case Code::NotFound: return "not found";
    case Code::AlreadyExists: return "already exists";
    case Code::PermissionDenied: return "permission denied";
    case Code::ResourceExhausted: return "resource exhausted";
    case Code::FailedPrecondition: return "failed precondition";
    case Code::Aborted: return "aborted";
    case Code::Unimplemented: return "not supported";
    case Code::Internal: return "internal error";
    case Code::Unavailable: return "unavailable";
    case Code::DeadlineExceeded: return "deadline exceeded";
    case Code::DataLoss: return "data loss";
  }
  return "unknown";
}

Error Error::with_context(std::string_view context) const { return {code_, std::string(context) + ": " + message_}; }

}  // namespace meshdns
