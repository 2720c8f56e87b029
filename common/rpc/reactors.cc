#include "common/rpc/reactors.h"

#include "common/rpc/plain_words.h"

namespace meshdns::rpc {

Error error_of(const grpc::Status& status) {
  const auto code = [&] {
    switch (status.error_code()) {
      case grpc::StatusCode::INVALID_ARGUMENT: return Code::InvalidArgument;
      case grpc::StatusCode::NOT_FOUND: return Code::NotFound;
      case grpc::StatusCode::ALREADY_EXISTS: return Code::AlreadyExists;
      case grpc::StatusCode::PERMISSION_DENIED: return Code::PermissionDenied;
      case grpc::StatusCode::RESOURCE_EXHAUSTED: return Code::ResourceExhausted;
      case grpc::StatusCode::FAILED_PRECONDITION: return Code::FailedPrecondition;
      case grpc::StatusCode::ABORTED: return Code::Aborted;
      case grpc::StatusCode::UNIMPLEMENTED: return Code::Unimplemented;
      case grpc::StatusCode::DEADLINE_EXCEEDED: return Code::DeadlineExceeded;
      case grpc::StatusCode::DATA_LOSS: return Code::DataLoss;
      case grpc::StatusCode::INTERNAL: return Code::Internal;
      default: return Code::Unavailable;
    }
  }();
  return {code, status.ok() ? "the stream ended" : plain_words(status.error_message())};
}

}  // namespace meshdns::rpc
