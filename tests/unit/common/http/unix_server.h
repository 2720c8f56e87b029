#pragma once

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/temporary_folder.h"

namespace meshdns::http {

/// Answers one connection at a unix socket with fixed bytes, a piece at a time, and closes it.
class UnixServer {
 public:
  static constexpr const char* kHang = "(waits until the client goes)";

  explicit UnixServer(std::vector<std::string> pieces)
      : path_(folder_.path("server.sock")), descriptor_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path_.c_str(), sizeof address.sun_path - 1);
    ::bind(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    ::listen(descriptor_, 1);
    thread_ = std::thread([this, pieces = std::move(pieces)] { serve(pieces); });
  }
  ~UnixServer() {
    thread_.join();
    ::close(descriptor_);
  }
  UnixServer(const UnixServer&) = delete;
  UnixServer& operator=(const UnixServer&) = delete;

  const std::string& path() const { return path_; }

 private:
  void serve(const std::vector<std::string>& pieces) const {
    const int connection = ::accept(descriptor_, nullptr, nullptr);
    std::string request;
    char byte = 0;
    while (!request.ends_with("\r\n\r\n") && ::recv(connection, &byte, 1, 0) == 1) request += byte;
    for (const std::string& piece : pieces) {
      if (piece == kHang) {
        while (::recv(connection, &byte, 1, 0) == 1) continue;
      } else {
        ::send(connection, piece.data(), piece.size(), MSG_NOSIGNAL);
      }
    }
    ::close(connection);
  }

  const test::TemporaryFolder folder_;
  const std::string path_;
  const int descriptor_;
  std::thread thread_;
};

}  // namespace meshdns::http
