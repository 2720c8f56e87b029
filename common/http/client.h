#pragma once

#include <functional>
#include <map>
#include <string>

#include "common/base/result.h"
#include "common/http/message.h"
#include "common/net/socket_address.h"
#include "common/process/event_loop.h"

namespace meshdns::http {

/// A request and where it is sent.
struct ClientRequest {
  SocketAddress address;  // where to connect; no name is resolved
  std::string unix_path;  // if set, connect there instead
  std::string host;       // Host header; empty = the address
  std::string path = "/";
  std::map<std::string, std::string> headers;
  std::string method = "GET";
};

/// Sends one request on a connection of its own. Reads at most 64 KiB of headers and 64 KiB of the body; the rest of a
/// longer body is left unread. Skips interim answers (1xx).
/// timeout:  from connecting to the last byte
/// callback: called exactly once, on the loop's thread
/// errors: Unavailable ("connection refused", "no route to host", reset), DeadlineExceeded, DataLoss (not HTTP),
/// ResourceExhausted (out of descriptors)
void get(process::EventLoop& loop, const ClientRequest& request, Duration timeout,
         std::function<void(Result<Response>)> callback);

}  // namespace meshdns::http
