#include "common/net/host_address.h"

namespace meshdns {
namespace {

bool is_multicast(const IpAddress& address) {
  return address.is_v4() ? address.v4_host_order() >> 28 == 0xE : address.bytes()[0] == 0xFF;
}

bool is_broadcast(const IpAddress& address) { return address.is_v4() && address.v4_host_order() == 0xFFFFFFFF; }

/// Whether the address is in 0.0.0.0/8: a client that connects there reaches itself or nobody.
bool is_this_network(const IpAddress& address) { return address.is_v4() && address.bytes()[0] == 0; }

/// Whether the address is in 240.0.0.0/4.
bool is_reserved(const IpAddress& address) { return address.is_v4() && address.v4_host_order() >> 28 == 0xF; }

/// Whether the address is in 169.254.0.0/16 (RFC 3927) or fe80::/10 (RFC 4291), which are valid on one link only.
bool is_link_local(const IpAddress& address) {
  return address.is_v4() ? address.v4_host_order() >> 16 == 0xA9FE : address.is_v6_link_local();
}

}  // namespace

std::optional<std::string> not_of_one_host(const IpAddress& address) {
  const char* kind = nullptr;
  if (is_reserved(address)) kind = "a reserved";
  if (is_this_network(address)) kind = "a \"this network\"";
  if (address.is_unspecified()) kind = "an unspecified";
  if (is_multicast(address)) kind = "a multicast";
  if (is_broadcast(address)) kind = "a broadcast";
  if (is_link_local(address)) kind = "a link-local";
  if (kind == nullptr) return std::nullopt;
  return address.text() + " is " + kind + " address, not that of one host";
}

std::optional<std::string> not_answerable(const IpAddress& address, Loopback loopback) {
  if (loopback == Loopback::Refused && address.is_loopback()) {
    return address.text() + " is a loopback address: clients on other machines would ask themselves";
  }
  return not_of_one_host(address);
}

}  // namespace meshdns
