#include "common/rpc/handshakes.h"

#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>

#include "common/rpc/acceptor.h"

namespace meshdns::rpc {
namespace {

int place = -1;  // index of our data (Connection) in OpenSSL's connection objects

/// Our data about one TLS connection object.
struct Connection {
  FailedHandshake found;
  SSL_verify_cb verify = nullptr;  // gRPC's own; may be null
};

thread_local FailedHandshake last;

std::string subject_of(X509* certificate) {
  if (certificate == nullptr) return "";
  const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), BIO_free);
  if (!out || X509_NAME_print_ex(out.get(), X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253) < 0) return "";
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

Connection* connection_of(const SSL* ssl) { return static_cast<Connection*>(SSL_get_ex_data(ssl, place)); }

int on_certificate(int good, X509_STORE_CTX* store) {
  const auto* ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  Connection* connection = ssl == nullptr ? nullptr : connection_of(ssl);
  if (connection == nullptr) return good;
  if (good == 0) {
    connection->found.subject = subject_of(X509_STORE_CTX_get0_cert(store));
    connection->found.mistrust = X509_verify_cert_error_string(X509_STORE_CTX_get_error(store));
  }
  return connection->verify == nullptr ? good : connection->verify(good, store);
}

/// Replaces on_message() after the handshake. The callback must not be set to null instead: OpenSSL 3.0 calls it twice
/// for a record that it writes, and checks for null only before the first call.
void on_nothing(int, int, int, const void*, std::size_t, SSL*, void*) {}

/// Called for each record and message of a handshake, so also for the last one before a failure: an alert, or a record
/// that cannot be read. The info callback would be simpler, but gRPC uses it itself.
void on_message(int, int, int, const void*, std::size_t, SSL* ssl, void*) {
  if (SSL_is_init_finished(ssl) != 0) return SSL_set_msg_callback(ssl, on_nothing);  // records of data cost nothing
  Connection* connection = connection_of(ssl);
  if (connection == nullptr) return;
  connection->found.server = SSL_is_server(ssl) != 0;
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

void watch_handshakes() {
  if (place < 0) place = SSL_get_ex_new_index(0, nullptr, on_new, nullptr, on_free);
}

FailedHandshake last_failed_handshake() { return last; }

}  // namespace meshdns::rpc
