#pragma once

#include <string>
#include <vector>

#include "common/net/socket_address.h"
#include "common/time/time.h"
#include "dnsd/server/tap.h"
#include "meshdns/dnstap/v1/dnstap.pb.h"

namespace meshdns::dnstap {

/// Who tells, in each message.
struct Teller {
  std::string identity;
  std::string version;
  std::vector<SocketAddress> listeners;  // the index is Exchange::listener
};

/// Makes dnstap messages of exchanges. Keeps its memory between them.
class Encoder {
 public:
  explicit Encoder(Teller teller);

  /// AUTH_QUERY. since_1970: the exchange's time by the wall clock. returns: the frame's bytes, until the next call
  const std::string& query(const server::Exchange& exchange, Duration since_1970);
  /// AUTH_RESPONSE: of an exchange that has an answer
  const std::string& response(const server::Exchange& exchange, Duration since_1970);

 private:
  /// What query and response have in common
  v1::Message& begin(const server::Exchange& exchange, Duration since_1970);
  const std::string& finish();

  const Teller teller_;
  v1::Dnstap frame_;
  std::string bytes_;
};

}  // namespace meshdns::dnstap
