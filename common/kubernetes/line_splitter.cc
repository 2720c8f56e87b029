#include "common/kubernetes/line_splitter.h"

namespace meshdns::kubernetes {
namespace {

// A buffer that has grown beyond this is given back when it is empty: few lines are as long as the longest one.
constexpr std::size_t kKeptCapacity = std::size_t{256} << 10;

}  // namespace

void LineSplitter::put(std::string_view bytes) {
  if (begin_ == buffer_.size()) {
    buffer_.clear();
    if (buffer_.capacity() > kKeptCapacity) buffer_ = std::string();
  } else {
    buffer_.erase(0, begin_);
  }
  scanned_ -= begin_;
  begin_ = 0;
  buffer_.append(bytes);
}

Result<std::optional<std::string_view>> LineSplitter::next() {
  for (;;) {
    const std::size_t end = buffer_.find('\n', scanned_);
    const std::size_t stop = end == std::string::npos ? buffer_.size() : end;
    if (stop - begin_ > longest_) {
      return Error{Code::ResourceExhausted, "a line is longer than " + std::to_string(longest_) + " bytes"};
    }
    scanned_ = stop;
    if (end == std::string::npos) return std::optional<std::string_view>();
    const std::string_view line(buffer_.data() + begin_, end - begin_);
    begin_ = scanned_ = end + 1;
    if (!line.empty() && line != "\r") return std::optional(line);
  }
}

}  // namespace meshdns::kubernetes
