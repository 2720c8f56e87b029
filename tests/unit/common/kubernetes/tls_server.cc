#include "tests/unit/common/kubernetes/tls_server.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <sstream>

#include "common/authority/authority.h"
#include "common/authority/key.h"
#include "common/base/text.h"
#include "common/time/system_clock.h"

namespace meshdns::kubernetes::test {
namespace {

constexpr std::string_view kLength = "content-length: ";

std::size_t length_of_body(const std::string& head) {
  const std::string lower = ascii_lower(head);
  const std::size_t at = lower.find(kLength);
  return at == std::string::npos ? 0 : std::stoul(lower.substr(at + kLength.size()));
}

}  // namespace

std::string answer(const std::string& status, const std::string& body, const std::string& headers) {
  return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + headers + "\r\n" + body;
}

std::string TlsServer::Peer::request() {
  std::string out;
  char byte = 0;
  while (!out.ends_with("\r\n\r\n") && SSL_read(session_, &byte, 1) == 1) out += byte;
  for (std::size_t left = length_of_body(out); left > 0 && SSL_read(session_, &byte, 1) == 1; --left) out += byte;
  return out;
}

void TlsServer::Peer::send(std::string_view bytes) {
  if (!bytes.empty()) SSL_write(session_, bytes.data(), static_cast<int>(bytes.size()));
}

void TlsServer::Peer::send_slowly(std::string_view bytes) {
  for (const char& byte : bytes) send({&byte, 1});
}

void TlsServer::Peer::send_chunk(std::string_view bytes) {
  std::ostringstream size;
  size << std::hex << bytes.size();
  send(size.str() + "\r\n" + std::string(bytes) + "\r\n");
}

void TlsServer::Peer::wait_for_close() {
  char byte = 0;
  while (SSL_read(session_, &byte, 1) == 1) continue;
}

TlsServer::TlsServer(std::vector<Script> scripts, const std::string& address) : scripts_(std::move(scripts)) {
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes to closed sockets too
  const std::int64_t now = SystemClock().unix_seconds();
  const auto authority = *authority::make_authority("mesh.internal", now);
  const std::string key = *authority::make_key();
  const authority::Order order{{identity::Role::Federation, "eu-1", "api"}, {address}};
  write("ca.crt", authority.certificates);
  write("token", "first-token");
  write("server.key", key);
  write("server.crt", *authority::sign(authority, *authority::make_request(key), order, now));
  context_ = SSL_CTX_new(TLS_server_method());
  EXPECT_EQ(SSL_CTX_use_certificate_chain_file(context_, path("server.crt").c_str()), 1);
  EXPECT_EQ(SSL_CTX_use_PrivateKey_file(context_, path("server.key").c_str(), SSL_FILETYPE_PEM), 1);

  listening_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in loopback{};
  loopback.sin_family = AF_INET;
  loopback.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::bind(listening_, reinterpret_cast<const sockaddr*>(&loopback), sizeof loopback), 0);
  EXPECT_EQ(::listen(listening_, 16), 0);
  acceptor_ = std::thread([this] { serve(); });
}

TlsServer::~TlsServer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  close_all();
  ::shutdown(listening_, SHUT_RDWR);
  acceptor_.join();
  for (std::thread& thread : threads_) thread.join();
  ::close(listening_);
  SSL_CTX_free(context_);
}

Server TlsServer::server() const {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  ::getsockname(listening_, reinterpret_cast<sockaddr*>(&address), &size);
  return {"127.0.0.1", ntohs(address.sin_port), path("ca.crt"), path("token")};
}

void TlsServer::write(const std::string& file, const std::string& text) const { std::ofstream(path(file)) << text; }

std::size_t TlsServer::connections() const {
  const std::lock_guard lock(mutex_);
  return count_;
}

void TlsServer::close_all() {
  const std::lock_guard lock(mutex_);
  for (const int descriptor : open_) ::shutdown(descriptor, SHUT_RDWR);
}

bool TlsServer::all_ended() const {
  std::unique_lock lock(mutex_);
  return ended_.wait_for(lock, std::chrono::seconds(20), [this] { return open_.empty(); });
}

void TlsServer::serve() {
  for (;;) {
    const int descriptor = ::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC);
    const std::lock_guard lock(mutex_);
    if (descriptor < 0 || stopping_) {
      if (descriptor >= 0) ::close(descriptor);
      return;
    }
    if (count_++ >= scripts_.size()) {
      ::close(descriptor);
      continue;
    }
    open_.push_back(descriptor);
    const Script& script = scripts_[count_ - 1];
    threads_.emplace_back([this, descriptor, &script] { converse(descriptor, script); });
  }
}

/// A null script says nothing, not even in the handshake, until the client closes the connection.
void TlsServer::converse(int descriptor, const Script& script) {
  if (script == nullptr) {
    char byte = 0;
    while (::recv(descriptor, &byte, 1, 0) == 1) continue;
  } else {
    ssl_st* session = SSL_new(context_);
    SSL_set_fd(session, descriptor);
    Peer peer(session);
    if (SSL_accept(session) == 1) script(peer);
    SSL_shutdown(session);
    SSL_free(session);
    ERR_clear_error();
  }
  const std::lock_guard lock(mutex_);
  std::erase(open_, descriptor);
  ::close(descriptor);
  ended_.notify_all();
}

}  // namespace meshdns::kubernetes::test
