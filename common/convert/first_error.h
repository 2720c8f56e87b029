#pragma once

#include <fmt/format.h>
#include <optional>
#include <string>
#include <utility>

#include "common/base/result.h"

namespace meshdns::convert {

/// Keeps the first error of a message's conversion, so that the conversion reads as one list of fields without returns
/// in between.
class FirstError {
 public:
  /// Notes an InvalidArgument for `field` unless `good`.
  void expect(bool good, std::string_view field, std::string_view what) {
    if (!good) note(Error(Code::InvalidArgument, std::string(what)), field);
  }
  /// Returns the value of a result. If the result is an error, notes it and returns a default value.
  template <class T>
  T take(Result<T> result, std::string_view field) {
    if (result) return *std::move(result);
    note(result.error(), field);
    return T{};
  }
  /// Returns the first error that was noted, otherwise `value`.
  template <class T>
  Result<T> or_value(T value) && {
    if (error_) return *std::move(error_);
    return value;
  }

 private:
  void note(const Error& error, std::string_view field) {
    if (!error_) error_ = error.with_context(field);
  }

  std::optional<Error> error_;
};

}  // namespace meshdns::convert
