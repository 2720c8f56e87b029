#pragma once

#include <cstdint>
#include <string>

namespace meshdns::rpc {

/// A TLS handshake that failed: the peer and the reason.
struct FailedHandshake {
  bool server = false;  // this end accepted the connection
  std::string peer;     // "10.0.0.7:52814"; of accepted connections only
  /// The subject of the refused certificate: "CN=eu1-n1". Of the server's, if the server refuses this end. Empty = no
  /// certificate was shown or verified.
  std::string subject;
  /// Why the certificate was refused (refusal.h). Empty = the certificate was not the reason.
  std::string mistrust;
  /// Why the peer refuses this end's certificate, by the alert that it has sent (alert_text.h): "the other end says
  /// that this end's certificate (CN=n1) has expired: ...". Empty = it has sent none.
  std::string alert;
};

/// Returns the wall clock in seconds since 1970.
using WallClock = std::int64_t (*)();
/// Called when a server refuses this end after the handshake.
/// thread: any
using LateFailure = void (*)(const FailedHandshake&);

/// Makes OpenSSL report the handshakes of this process to last_failed_handshake() and last_failed_connection().
/// clock:    for the texts about certificates that are refused for their time
/// late:     may be null
/// requires: gRPC has made no connection yet; called once
///
/// How it works: gRPC's log line of a failed handshake names neither the peer nor the certificate. Three callbacks of
/// OpenSSL collect both:
///
///   new      runs for each new TLS connection object, on the thread that hands the accepted connection to gRPC: so
///            Acceptor::peer_handed_over() is the peer of this object
///   verify   runs in front of gRPC's own callback. Notes the refused certificate, and passes the outcome on unchanged
///   message  runs for each message of the handshake, also for the last one before a failure, on the thread on which
///            gRPC then logs the failure. Notes this connection as that thread's last one, and the alert by which the
///            peer refuses this end
///
/// In TLS 1.3 the handshake of a client is over before the server looks at the client's certificate. The alert of such
/// a server comes later, and gRPC logs nothing then: the message callback calls `late`.
///
/// The verification itself is unchanged.
void watch_handshakes(WallClock clock, LateFailure late);

/// Returns the handshake that failed last on the calling thread. While gRPC logs a failure, it is the one
/// that is logged.
FailedHandshake last_failed_handshake();

/// Returns the connection from here that failed last because an end refused a certificate; without texts if there was
/// none. For a process that connects to one server only.
/// thread: any
FailedHandshake last_failed_connection();

}  // namespace meshdns::rpc
