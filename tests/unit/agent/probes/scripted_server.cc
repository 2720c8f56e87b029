#include "tests/unit/agent/probes/scripted_server.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <utility>

namespace meshdns::probes {

std::ptrdiff_t ScriptedServer::Peer::receive(char* to) {
  if (session_ != nullptr) return SSL_read(session_, to, 1);
  const ssize_t count = ::recv(descriptor_, to, 1, 0);
  was_reset_ = count < 0 && errno == ECONNRESET;
  return count;
}

std::string ScriptedServer::Peer::request() {
  std::string out;
  char byte = 0;
  while (!out.ends_with("\r\n\r\n") && receive(&byte) == 1) out += byte;
  return out;
}

std::string ScriptedServer::Peer::read(std::size_t count) {
  std::string out;
  char byte = 0;
  while (out.size() < count && receive(&byte) == 1) out += byte;
  return out;
}

bool ScriptedServer::Peer::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = session_ != nullptr ? SSL_write(session_, bytes.data(), static_cast<int>(bytes.size()))
                                              : ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

void ScriptedServer::Peer::reset() {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

void ScriptedServer::Peer::end() {
  if (session_ != nullptr) SSL_shutdown(session_);
  ::shutdown(descriptor_, SHUT_WR);
}

void ScriptedServer::Peer::wait_for_close() {
  char byte = 0;
  while (receive(&byte) == 1) continue;
}

ScriptedServer::ScriptedServer(std::vector<Script> scripts, ssl_ctx_st* context)
    : scripts_(std::move(scripts)), context_(context) {
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes to closed sockets too
  thread_ = std::thread([this] { serve(); });
}

ScriptedServer::~ScriptedServer() {
  ended_ = true;
  ::shutdown(listening_.descriptor(), SHUT_RDWR);  // ends accept()
  thread_.join();
}

void ScriptedServer::serve() {
  while (!ended_) {
    const int connection = ::accept4(listening_.descriptor(), nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) continue;  // reset before it was accepted, or the end
    const std::size_t number = std::min<std::size_t>(connections_++, scripts_.size() - 1);
    const timeval longest{.tv_sec = 20, .tv_usec = 0};
    ::setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &longest, sizeof longest);
    ::setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &longest, sizeof longest);
    serve_one(connection, scripts_[number]);
    ::close(connection);
  }
}

void ScriptedServer::serve_one(int connection, const Script& script) {
  std::unique_ptr<SSL, decltype(&SSL_free)> session(context_ == nullptr ? nullptr : SSL_new(context_), SSL_free);
  if (session != nullptr) {
    ERR_clear_error();
    SSL_set_fd(session.get(), connection);
    if (SSL_accept(session.get()) != 1) {
      Peer refused(connection, nullptr);
      refused.end();
      refused.wait_for_close();  // otherwise unread bytes would make the kernel send RST, which overtakes the alert
      return;
    }
  }
  Peer peer(connection, session.get());
  script(peer);
}

ScriptedServer::Script answers(std::string bytes) {
  return [bytes = std::move(bytes)](ScriptedServer::Peer& peer) {
    peer.request();
    peer.send(bytes);
    peer.end();
    peer.wait_for_close();
  };
}

ScriptedServer::Script keeps_answering(std::string bytes) {
  return [bytes = std::move(bytes)](ScriptedServer::Peer& peer) {
    while (!peer.request().empty() && peer.send(bytes)) continue;
  };
}

}  // namespace meshdns::probes
