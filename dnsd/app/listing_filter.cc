#include "dnsd/app/listing_filter.h"

#include <algorithm>
#include <vector>

#include "common/base/hint.h"
#include "common/base/text.h"
#include "common/model/memberships.h"
#include "dnsd/app/find_key.h"
#include "dnsd/topology/matching.h"

namespace meshdns::dnsd::app {

Result<ListingFilter> ListingFilter::of(const v1::ListRequest& request, bool exact) {
  ListingFilter out;
  out.exact_ = exact;
  out.key_ = request.key();
  out.service_ = request.service();
  out.node_ = request.node();
  out.state_ = request.state();
  if (const auto address = IpAddress::parse(out.key_)) out.address_ = *address;
  if (const auto socket = SocketAddress::parse(out.key_)) out.socket_ = *socket;
  for (const std::string& label : request.labels()) {
    const auto equals = label.find('=');
    if (equals == std::string::npos || equals == 0) {
      return Error(Code::InvalidArgument, "a label is written NAME=VALUE (got " + label + ")");
    }
    out.labels_[label.substr(0, equals)] = label.substr(equals + 1);
  }
  const std::vector<std::string> states = {"serving", "last_resort", "out", "pending"};
  if (!out.state_.empty() && std::ranges::find(states, out.state_) == states.end()) {
    return Error(Code::InvalidArgument, "there is no state " + out.state_ + hint(did_you_mean(out.state_, states)) +
                                            "; there are " + join(states, ", "));
  }
  const bool more = !(out.service_ + out.node_ + out.state_).empty() || !out.labels_.empty();
  if (more && request.kind() != "Endpoint") {
    return Error(Code::InvalidArgument, "service, node, state and labels choose among endpoints only");
  }
  return out;
}

bool ListingFilter::wants(const std::string& key) const {
  return key_.empty() || (exact_ ? key == key_ : means_key(key, key_));
}

bool ListingFilter::is_address(const model::Endpoint& endpoint) const {
  const auto has = [&](const IpAddress& address) {
    return std::ranges::find(endpoint.addresses, address) != endpoint.addresses.end();
  };
  if (address_) return has(*address_);
  return socket_ && topology::first_port(endpoint) == socket_->port && has(socket_->ip);
}

bool ListingFilter::is_in_service(const model::Endpoint& endpoint) const {
  return std::ranges::any_of(model::services_of(endpoint), [&](const model::ServiceKey& service) {
    return means_key(service.namespace_ + "/" + service.name, service_);
  });
}

bool ListingFilter::wants(const model::Endpoint& endpoint) const {
  if (!wants(endpoint.key) && (exact_ || !is_address(endpoint))) return false;
  if (!service_.empty() && !is_in_service(endpoint)) return false;
  if (!node_.empty() && !means_key(endpoint.node, node_)) return false;
  return labels_.empty() || topology::has_labels(endpoint.labels, labels_);
}

}  // namespace meshdns::dnsd::app
