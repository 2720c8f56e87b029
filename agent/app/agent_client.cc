#include "agent/app/agent_client.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "common/base/text.h"
#include "common/http/answer_head.h"
#include "common/net/fd.h"

namespace meshdns::agent::app {
namespace {

constexpr std::size_t kMostAnswer = std::size_t{512} << 20;  // a status of 10,000 endpoints has a few MiB

std::string reason(int error) { return ascii_lower(std::strerror(error)); }

/// Returns what went wrong after the connection was made.
Error lost(const std::string& socket, int error) {
  if (error == EAGAIN || error == EWOULDBLOCK) {
    return {Code::DeadlineExceeded, fmt::format("the agent at {} does not answer", socket)};
  }
  return {Code::Unavailable, fmt::format("the agent at {} went away: {}", socket, reason(error))};
}

Result<Fd> connected(const std::string& path, std::chrono::seconds wait) {
  sockaddr_un where{};
  where.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof(where.sun_path)) {
    return Error(Code::InvalidArgument, fmt::format("{}: no path of a socket", path));
  }
  std::memcpy(where.sun_path, path.data(), path.size());
  Fd out(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!out) return Error(Code::Unavailable, reason(errno));
  const timeval patience{wait.count(), 0};
  ::setsockopt(out.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  ::setsockopt(out.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
  if (::connect(out.get(), reinterpret_cast<const sockaddr*>(&where), sizeof(where)) == 0) return out;
  const int error = errno;
  if (error == EACCES || error == EPERM) {
    return Error(Code::PermissionDenied,
                 fmt::format("{}: permission denied: only root and the group of this socket may use it", path));
  }
  const bool nobody = error == ENOENT || error == ECONNREFUSED;
  return Error(nobody ? Code::NotFound : Code::Unavailable,
               fmt::format("no agent runs here: {}: {}", path, reason(error)));
}

/// returns: 0, or why not all was sent (errno)
int send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return errno;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return 0;
}

/// Reads until the agent closes the connection.
/// returns: 0, or why the end was not reached (errno)
int read_all(int fd, std::string& out) {
  std::array<char, 64 * 1024> part{};
  for (;;) {
    const auto count = ::recv(fd, part.data(), part.size(), 0);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    if (count == 0) return 0;
    if (out.size() > kMostAnswer) return EMSGSIZE;
    out.append(part.data(), static_cast<std::size_t>(count));
  }
}

/// Returns how many bytes the head has, with the empty line at its end; 0 = its end is not there.
std::size_t head_size(std::string_view data) {
  constexpr std::string_view kEnd = "\r\n\r\n";
  const auto end = data.find(kEnd);
  return end == std::string_view::npos ? 0 : end + kEnd.size();
}

/// Returns the answer in `data`; its body is complete if it has the length that its head says.
Result<http::Response> answer_of(const std::string& socket, std::string data) {
  const std::size_t size = head_size(data);
  const auto head = size == 0 ? std::nullopt : http::read_head(std::string_view(data).substr(0, size));
  if (!head) return Error(Code::DataLoss, fmt::format("what listens at {} is no agent", socket));
  data.erase(0, size);
  const auto length = parse_uint(head->header("content-length"));
  if (length && *length != data.size()) return lost(socket, ECONNRESET);
  http::Response out;
  out.status = head->status;
  out.content_type = std::string(head->header("content-type"));
  out.body = std::move(data);
  return out;
}

}  // namespace

Result<http::Response> ask_agent(const std::string& socket, const AgentRequest& request,
                                 std::chrono::seconds patience) {
  const auto fd = connected(socket, patience);
  if (!fd) return fd.error();
  const std::string head =
      fmt::format("{} {} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
                  request.method, request.target, request.body.size());
  // An agent that refuses the request may answer and close before it has read all of it: its answer counts.
  const int unsent = send_all(fd->get(), head + request.body);
  std::string data;
  const int unread = read_all(fd->get(), data);
  if (unread != 0 && head_size(data) == 0) return lost(socket, unread);
  if (data.empty()) return lost(socket, unsent != 0 ? unsent : ECONNRESET);
  return answer_of(socket, std::move(data));
}

}  // namespace meshdns::agent::app
