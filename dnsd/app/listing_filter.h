#pragma once

#include <optional>
#include <string>

#include "common/base/result.h"
#include "common/model/endpoint.h"
#include "common/net/socket_address.h"
#include "meshdns/v1/admin.pb.h"

namespace meshdns::app {

/// Which rows of a listing somebody wants: those that a name means, or those with a service, node, state and labels.
class ListingFilter {
 public:
  ListingFilter() = default;
  /// exact: some record has just the key that is asked for, and no other row is wanted
  /// errors: InvalidArgument: labels that are not NAME=VALUE, or a filter for a kind that has none
  static Result<ListingFilter> of(const v1::ListRequest& request, bool exact);

  /// The name of a record means the one that is asked for.
  bool wants(const std::string& key) const;
  /// Everything but the state, which is known when the row is made.
  bool wants(const model::Endpoint& endpoint) const;
  bool wants_state(const std::string& state) const { return state_.empty() || state == state_; }
  /// All rows are wanted.
  bool empty() const { return key_.empty() && service_.empty() && node_.empty() && state_.empty() && labels_.empty(); }

 private:
  bool is_address(const model::Endpoint& endpoint) const;

  bool exact_ = false;
  std::string key_;
  std::optional<IpAddress> address_;  // that the key is
  std::optional<SocketAddress> socket_;
  std::string service_;
  std::string node_;
  std::string state_;
  model::Labels labels_;
};

}  // namespace meshdns::app
