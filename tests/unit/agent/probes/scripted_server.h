#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "common/net/socket_address.h"
#include "tests/unit/agent/probes/loopback.h"

struct ssl_ctx_st;
struct ssl_st;

namespace meshdns::probes {

/// A server on loopback that does with each connection what a script says, byte for byte: also what no server does that
/// works. It has one thread and serves one connection after the other; each wait ends after 20 s.
class ScriptedServer {
 public:
  /// The server's end of one connection.
  class Peer {
   public:
    /// Reads up to the empty line that ends a request; whatever has come, if the connection ends before.
    std::string request();
    /// Reads so many bytes.
    std::string read(std::size_t count);
    /// Returns whether all was sent.
    bool send(std::string_view bytes);
    /// Answers with RST instead of FIN when the connection is closed.
    void reset();
    /// Ends our side, so that the client reads the end.
    void end();
    /// Waits until the client has closed its side.
    void wait_for_close();
    /// Whether the last wait was ended by RST.
    bool was_reset() const { return was_reset_; }

   private:
    friend class ScriptedServer;
    Peer(int descriptor, ssl_st* session) : descriptor_(descriptor), session_(session) {}
    std::ptrdiff_t receive(char* to);

    int descriptor_;
    ssl_st* session_;  // null = no TLS
    bool was_reset_ = false;
  };
  using Script = std::function<void(Peer&)>;

  /// scripts: of the connections in their order; the last one is also that of all further connections
  /// context: of a server's TLS; null = none. A failed handshake ends the connection before its script
  explicit ScriptedServer(std::vector<Script> scripts, ssl_ctx_st* context = nullptr);
  ~ScriptedServer();
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  SocketAddress address() const { return listening_.address(); }
  /// The number of connections that were accepted.
  unsigned connections() const { return connections_; }

 private:
  void serve();
  void serve_one(int connection, const Script& script);

  std::vector<Script> scripts_;
  ssl_ctx_st* context_;
  LoopbackSocket listening_{"127.0.0.1", 128};
  std::atomic<unsigned> connections_ = 0;
  std::atomic<bool> ended_ = false;
  std::thread thread_;
};

/// Reads a request, answers, and ends the connection in order.
ScriptedServer::Script answers(std::string bytes);
/// Reads a request, answers, and waits for the next one, up to the client's end.
ScriptedServer::Script keeps_answering(std::string bytes);

}  // namespace meshdns::probes
