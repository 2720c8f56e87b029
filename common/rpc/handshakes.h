#pragma once

#include <string>

namespace meshdns::rpc {

/// A TLS handshake that failed: who, and why.
struct FailedHandshake {
  bool server = false;  // this end accepted the connection
  std::string peer;     // "10.0.0.7:52814"; of accepted connections only
  std::string
      subject;  // of the certificate that was refused: "CN=eu1-n1"; empty = none was shown, or it was not looked at
  std::string
      mistrust;  // why the certificate was refused: "certificate has expired"; empty = for nothing that is in it
};

/// Makes OpenSSL tell of each handshake of this process; called once, before gRPC makes its first connection.
///
/// How it works: gRPC's log line of a failed handshake names neither the peer nor the certificate. OpenSSL calls back
/// for each new TLS connection object (its "new" callback for application data), and that happens on the thread that
/// hands the accepted connection to gRPC: so the object gets the peer's name. A verify callback in front of gRPC's own
/// notes the refused certificate and passes the outcome on; a message callback notes, on the thread where the handshake
/// fails and gRPC logs it, which connection it was. What is verified, and how, is not touched.
void watch_handshakes();

/// The handshake that failed last on this thread.
FailedHandshake last_failed_handshake();

}  // namespace meshdns::rpc
