#include "common/base/pattern.h"

#include <re2/re2.h>

#include <utility>

namespace meshdns {

namespace {
constexpr std::int64_t kMostMemory = 1 << 20;  // bytes of one pattern, with the automaton that searches build
}

Result<Pattern> Pattern::compile(const std::string& text) {
  re2::RE2::Options options(re2::RE2::Latin1);
  options.set_log_errors(false);
  options.set_never_capture(true);
  options.set_max_mem(kMostMemory);
  auto compiled = std::make_shared<const re2::RE2>(text, options);
  if (compiled->ok()) return Pattern(std::move(compiled));
  const bool large = compiled->error_code() == re2::RE2::ErrorPatternTooLarge;
  return Error(large ? Code::ResourceExhausted : Code::InvalidArgument, compiled->error());
}

bool Pattern::is_in(std::string_view text) const {
  const re2::StringPiece all(text.data(), text.size());
  return compiled_->Match(all, 0, all.size(), re2::RE2::UNANCHORED, nullptr, 0);
}

}  // namespace meshdns
