#pragma once

#include <condition_variable>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "common/kubernetes/server.h"
#include "tests/support/temporary_folder.h"

// OpenSSL's SSL and SSL_CTX.
struct ssl_st;
struct ssl_ctx_st;

namespace meshdns::kubernetes::test {

/// A server on loopback that does on each connection what a script says: what a proper server does, and what none does.
/// Each connection has a thread. The server's folder has the files that a client needs.
class TlsServer {
 public:
  /// A connection, as its script sees it.
  class Peer {
   public:
    explicit Peer(ssl_st* session) : session_(session) {}

    /// Reads a request with its body.
    /// returns: empty = the client has closed the connection
    std::string request();
    void send(std::string_view bytes);
    /// Sends each byte in a packet of its own.
    void send_slowly(std::string_view bytes);
    /// Sends a part of a body with `Transfer-Encoding: chunked`.
    void send_chunk(std::string_view bytes);
    void wait_for_close();

   private:
    ssl_st* session_;
  };
  using Script = std::function<void(Peer&)>;

  /// scripts: of the connections, in the order in which they come; further ones are closed
  /// address: that the certificate is for
  explicit TlsServer(std::vector<Script> scripts, const std::string& address = "127.0.0.1");
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;
  /// Closes all connections.
  ~TlsServer();

  Server server() const;
  std::string path(const std::string& file) const { return folder_.path(file); }
  void write(const std::string& file, const std::string& text) const;
  /// The connections that have come.
  std::size_t connections() const;
  /// Closes the connections that there are.
  void close_all();
  /// Waits until all connections have ended: true = they have, within 20 s.
  bool all_ended() const;

 private:
  void serve();
  void converse(int descriptor, const Script& script);

  meshdns::test::TemporaryFolder folder_;
  ssl_ctx_st* context_ = nullptr;
  int listening_ = -1;
  std::vector<Script> scripts_;
  mutable std::mutex mutex_;
  mutable std::condition_variable ended_;
  std::list<std::thread> threads_;
  std::vector<int> open_;
  std::size_t count_ = 0;
  bool stopping_ = false;
  std::thread acceptor_;
};

/// The head of an answer whose body comes in chunks.
inline constexpr std::string_view kChunkedHead =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";
/// Returns a whole answer: "200 OK".
std::string answer(const std::string& status, const std::string& body, const std::string& headers = "");

}  // namespace meshdns::kubernetes::test
