#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace meshdns {

/// The kind of a failure. Names and meanings are gRPC's.
enum class Code {
  InvalidArgument,
  NotFound,
  AlreadyExists,
  PermissionDenied,
  ResourceExhausted,
  FailedPrecondition,
  Aborted,
  Unimplemented,
  Internal,
  Unavailable,
  DeadlineExceeded,
  DataLoss,
};

std::string_view code_name(Code code);

/// A failure with a message for people. Each caller on the way up may add context to the message.
class Error {
 public:
  Error(Code code, std::string message) : code_(code), message_(std::move(message)) {}

  Code code() const { return code_; }
  const std::string& message() const { return message_; }
  /// Returns the error with the message "context: message".
  Error with_context(std::string_view context) const;

  friend bool operator==(const Error&, const Error&) = default;

 private:
  Code code_;
  std::string message_;
};

/// A value or an Error. A class and not an alias, because g++ drops [[nodiscard]] through an alias.
template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using tl::expected<T, Error>::expected;
  Result(Error error) : tl::expected<T, Error>(tl::unexpected<Error>(std::move(error))) {}
};

}  // namespace meshdns
