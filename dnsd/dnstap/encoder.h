#pragma once

#include <string>
#include <vector>

#include "common/net/socket_address.h"
#include "common/time/time.h"
#include "dnsd/server/tap.h"
#include "meshdns/dnstap/v1/dnstap.pb.h"

namespace meshdns::dnstap {

/// The server as it names itself in each message.
struct Teller {
  std::string identity;
  std::string version;
  std::vector<SocketAddress> listeners;  // the index is Exchange::listener
};

/// Encodes exchanges as dnstap messages. Keeps its memory from one message to the next.
/// thread: one
class Encoder {
 public:
  explicit Encoder(Teller teller);

  /// Encodes an AUTH_QUERY message.
  /// since_1970: time of the exchange by the wall clock
  /// returns: the bytes of the frame, valid until the next call
  const std::string& query(const server::Exchange& exchange, Duration since_1970);
  /// Encodes an AUTH_RESPONSE message.
  /// requires: the exchange has an answer
  const std::string& response(const server::Exchange& exchange, Duration since_1970);

 private:
  /// Sets the fields that query and response have in common.
  v1::Message& begin(const server::Exchange& exchange, Duration since_1970);
  /// Returns the bytes of the message.
  const std::string& finish();

  const Teller teller_;
  v1::Dnstap frame_;
  std::string bytes_;
};

}  // namespace meshdns::dnstap
