#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace meshdns {

/// What kind of failure; the names and meanings are gRPC's.
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

/// A failure with a message for people; context is added outward, one caller at a time.
class Error {
 public:
  Error(Code code, std::string message) : code_(code), message_(std::move(message)) {}

  Code code() const { return code_; }
  const std::string& message() const { return message_; }
  /// "context: message"
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
