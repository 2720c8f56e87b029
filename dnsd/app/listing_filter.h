#pragma once

#include <optional>
#include <string>

#include "common/base/result.h"
#include "common/model/endpoint.h"
#include "common/net/socket_address.h"
#include "meshdns/v1/admin.pb.h"

namespace meshdns::dnsd::app {

/// Chooses the rows of a listing that a request asks for: by a name or address, and by service, node, state and labels.
class ListingFilter {
 public:
  ListingFilter() = default;
  /// Makes the filter of a request.
  /// exact: a record has exactly the key of the request, so that no other row is wanted
  /// errors: InvalidArgument: a label is not NAME=VALUE, there is no such state, or the kind has no filters
  static Result<ListingFilter> of(const v1::ListRequest& request, bool exact);

  /// Whether the request's name means this key.
  bool wants(const std::string& key) const;
  /// Whether the endpoint passes everything except the state, which is only known once the row is made.
  bool wants(const model::Endpoint& endpoint) const;
  bool wants_state(const std::string& state) const { return state_.empty() || state == state_; }
  /// Whether all rows are wanted.
  bool empty() const { return key_.empty() && service_.empty() && node_.empty() && state_.empty() && labels_.empty(); }

 private:
  bool is_address(const model::Endpoint& endpoint) const;
  bool is_in_service(const model::Endpoint& endpoint) const;

  bool exact_ = false;
  std::string key_;
  std::optional<IpAddress> address_;     // the key, if it is an address
  std::optional<SocketAddress> socket_;  // the key, if it is ADDRESS:PORT
  std::string service_;
  std::string node_;
  std::string state_;
  model::Labels labels_;
};

}  // namespace meshdns::dnsd::app
