#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/process/event_loop.h"
#include "common/time/time.h"

namespace meshdns::http {

/// A GET at a server behind a unix socket, whose answer is handed on while it arrives, without the framing of its
/// chunks. For answers that are long or have no end; get() is for all others. Destroying it ends the request: none of
/// its handlers is called afterwards. That is allowed at any time, also in its handlers.
/// thread: the loop's
class StreamedGet {
 public:
  struct Handlers {
    /// The head of the answer has come.
    std::function<void(int status)> head;
    /// A part of the body. The next part is read when this has returned, and the server waits meanwhile.
    std::function<void(std::string_view)> bytes;
    /// The last call: the answer is complete, or why there is no more of it.
    /// errors: Unavailable (no connection, the answer breaks off), DeadlineExceeded, ResourceExhausted (out of
    ///         descriptors, the head is too long), DataLoss (not HTTP)
    std::function<void(Result<void>)> done;
  };
  struct Limits {
    std::optional<Duration> whole = 10s;  // from connecting to the last byte; nothing = the answer has no end
    std::size_t longest_head = 64 * 1024;
    std::size_t piece = 16 * 1024;  // the most bytes of a part
  };

  /// Begins the request. No handler is called before this has returned.
  /// loop: must outlive the request
  /// path: of the unix socket
  StreamedGet(process::EventLoop& loop, const std::string& path, const std::string& target, const Limits& limits,
              Handlers handlers);
  ~StreamedGet();
  StreamedGet(const StreamedGet&) = delete;
  StreamedGet& operator=(const StreamedGet&) = delete;

  struct Exchange;

 private:
  std::shared_ptr<Exchange> exchange_;
};

}  // namespace meshdns::http
