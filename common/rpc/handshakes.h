#pragma once

#include <string>

namespace meshdns::rpc {

/// A TLS handshake that failed: the peer and the reason.
struct FailedHandshake {
  bool server = false;  // this end accepted the connection
  std::string peer;     // "10.0.0.7:52814"; of accepted connections only
  /// The subject of the refused certificate: "CN=eu1-n1". Empty = no certificate was shown or verified.
  std::string subject;
  /// Why the certificate was refused: "certificate has expired". Empty = the certificate was not the reason.
  std::string mistrust;
};

/// Makes OpenSSL report the handshakes of this process to last_failed_handshake().
/// requires: gRPC has made no connection yet; called once
///
/// How it works: gRPC's log line of a failed handshake names neither the peer nor the certificate. Three callbacks of
/// OpenSSL collect both:
///
///   new      runs for each new TLS connection object, on the thread that hands the accepted connection to gRPC: so
///            Acceptor::peer_handed_over() is the peer of this object
///   verify   runs in front of gRPC's own callback. Notes the refused certificate, and passes the outcome on unchanged
///   message  runs for each message of the handshake, also for the last one before a failure, on the thread on which
///            gRPC then logs the failure. Notes this connection as that thread's last one
///
/// The verification itself is unchanged.
void watch_handshakes();

/// Returns the handshake that failed last on the calling thread. While gRPC logs a failure, it is the one
/// that is logged.
FailedHandshake last_failed_handshake();

}  // namespace meshdns::rpc
