#include "common/rpc/handshakes.h"

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <mutex>
#include <utility>

#include "common/authority/description.h"
#include "common/rpc/acceptor.h"
#include "common/rpc/alert_text.h"
#include "common/rpc/refusal.h"

namespace meshdns::rpc {
namespace {

int place = -1;  // index of our data (Connection) in OpenSSL's connection objects
// set before the first connection
WallClock wall_clock = nullptr;
LateFailure tell_late = nullptr;

/// Our data about one TLS connection object.
struct Connection {
  FailedHandshake found;
  SSL_verify_cb verify = nullptr;  // gRPC's own; may be null
};

thread_local FailedHandshake last;

/// The connection of a client that failed last.
struct LastConnection {
  std::mutex mutex;
  FailedHandshake failed;
};

LastConnection& last_connection() {
  static LastConnection& kept = *new LastConnection;  // never freed: gRPC's threads may use it until the process ends
  return kept;
}

void note_connection(const FailedHandshake& failed) {
  const std::lock_guard lock(last_connection().mutex);
  last_connection().failed = failed;
}

std::string subject_of(X509* certificate) {
  return certificate == nullptr ? "" : authority::describe(*certificate).subject;
}

Connection* connection_of(const SSL* ssl) { return static_cast<Connection*>(SSL_get_ex_data(ssl, place)); }

int on_certificate(int good, X509_STORE_CTX* store) {
  const auto* ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  Connection* connection = ssl == nullptr ? nullptr : connection_of(ssl);
  if (connection == nullptr) return good;
  const int outcome = connection->verify == nullptr ? good : connection->verify(good, store);
  if (outcome != 0) return outcome;
  connection->found.subject = subject_of(X509_STORE_CTX_get0_cert(store));
  connection->found.mistrust = refusal_text(*store, wall_clock());
  if (SSL_is_server(ssl) == 0) note_connection(connection->found);
  return outcome;
}

/// Returns why the peer refuses this end's certificate, if a record that was read is an alert that says so; empty =
/// it is another record.
std::string alert_in(int written, int type, const void* record, std::size_t size, const SSL* ssl) {
  if (written != 0 || type != SSL3_RT_ALERT || size < 2) return "";
  X509* own = SSL_get_certificate(ssl);
  if (own == nullptr) return "";
  const unsigned char kind = static_cast<const unsigned char*>(record)[1];  // RFC 8446 6: level, description
  const auto about = authority::describe(*own);
  return alert_text(kind, {about.subject, about.not_before, about.not_after}, wall_clock());
}

/// Replaces on_message() after the handshake: other records than alerts cost nothing. The callback must not be set to
/// null instead: OpenSSL 3.0 calls it twice for a record that it writes, and checks for null only before the first
/// call.
void on_late_message(int written, int, int type, const void* record, std::size_t size, SSL* ssl, void*) {
  if (type != SSL3_RT_ALERT) return;
  const Connection* connection = connection_of(ssl);
  const std::string alert = connection == nullptr ? "" : alert_in(written, type, record, size, ssl);
  if (alert.empty() || SSL_is_server(ssl) != 0) return;
  FailedHandshake failed = connection->found;
  failed.alert = alert;
  failed.subject = subject_of(SSL_get0_peer_certificate(ssl));
  note_connection(failed);
  if (tell_late != nullptr) tell_late(failed);
}

/// Called for each record and message of a handshake, so also for the last one before a failure: an alert, or a record
/// that cannot be read. The info callback would be simpler, but gRPC uses it itself.
void on_message(int written, int, int type, const void* record, std::size_t size, SSL* ssl, void*) {
  if (SSL_is_init_finished(ssl) != 0) {
    SSL_set_msg_callback(ssl, on_late_message);
    return on_late_message(written, 0, type, record, size, ssl, nullptr);
  }
  Connection* connection = connection_of(ssl);
  if (connection == nullptr) return;
  connection->found.server = SSL_is_server(ssl) != 0;
  if (std::string alert = alert_in(written, type, record, size, ssl); !alert.empty())
    connection->found.alert = std::move(alert);
  last = connection->found;
}

/// Called for a new connection object, which is complete except for its application data.
void on_new(void* parent, void*, CRYPTO_EX_DATA* data, int index, long, void*) {
  auto* ssl = static_cast<SSL*>(parent);
  auto connection = std::make_unique<Connection>();
  connection->found.peer = Acceptor::peer_handed_over();
  connection->verify = SSL_get_verify_callback(ssl);
  if (CRYPTO_set_ex_data(data, index, connection.get()) != 1) return;
  static_cast<void>(connection.release());  // on_free() deletes it
  SSL_set_verify(ssl, SSL_get_verify_mode(ssl), on_certificate);
  SSL_set_msg_callback(ssl, on_message);
  // a client that resumes a session shows no certificate again, so nobody would see that it has expired meanwhile
  SSL_set_num_tickets(ssl, 0);
}

void on_free(void*, void* connection, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<Connection*>(connection);
}

}  // namespace

void watch_handshakes(WallClock clock, LateFailure late) {
  wall_clock = clock;
  tell_late = late;
  if (place < 0) place = SSL_get_ex_new_index(0, nullptr, on_new, nullptr, on_free);
}

FailedHandshake last_failed_handshake() { return last; }

FailedHandshake last_failed_connection() {
  const std::lock_guard lock(last_connection().mutex);
  return last_connection().failed;
}

}  // namespace meshdns::rpc
