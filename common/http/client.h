#pragma once

#include <functional>
#include <map>
#include <string>

#include "common/base/result.h"
#include "common/http/message.h"
#include "common/net/socket_address.h"
#include "common/process/event_loop.h"

namespace meshdns::http {

struct Target {
  SocketAddress address;  // where to connect; no name is resolved
  std::string unix_path;  // if set, connect there instead
  std::string host;       // Host header; empty = the address
  std::string path = "/";
  std::map<std::string, std::string> headers;
  std::string method = "GET";
};

/// One request on a connection of its own; the body is read up to 64 KiB and the rest left. Interim answers (1xx) are
/// passed over; headers may have 64 KiB.
/// callback: exactly once, on the loop's thread. Errors: Unavailable ("connection refused", "no route to host", reset),
/// DeadlineExceeded (the timeout covers connect to last byte), DataLoss (not HTTP), ResourceExhausted (out of
/// descriptors).
void get(process::EventLoop& loop, const Target& target, Duration timeout,
         std::function<void(Result<Response>)> callback);

}  // namespace meshdns::http
