#pragma once

#include <fmt/format.h>
#include <optional>
#include <string>
#include <utility>

#include "common/base/result.h"

namespace meshdns::convert {

/// Keeps the first thing that is wrong with a message, so that its conversion reads as one list of fields.
class FirstError {
 public:
  void expect(bool good, std::string_view field, std::string_view what) {
    if (!good) note(Error(Code::InvalidArgument, std::string(what)), field);
  }
  /// The value; a default one where there is none.
  template <class T>
  T take(Result<T> result, std::string_view field) {
    if (result) return *std::move(result);
    note(result.error(), field);
    return T{};
  }
  /// `value`, unless something was wrong.
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
