#include "common/http/host_names.h"

#include "common/base/machine_name.h"
#include "common/base/text.h"
#include "common/net/ip_address.h"

namespace meshdns::http {
namespace {

/// Returns the header's value without the port.
std::string_view name_in(std::string_view host) {
  if (host.starts_with('[')) return host.substr(0, host.find(']') + 1);
  return host.substr(0, host.find(':'));
}

bool is_address(std::string_view name) {
  if (name.starts_with('[') && name.ends_with(']')) {
    const std::string_view inner = name.substr(1, name.size() - 2);
    return inner.find(':') != std::string_view::npos && IpAddress::parse(std::string(inner)).has_value();
  }
  return IpAddress::parse(std::string(name)).has_value();
}

}  // namespace

HostNames::HostNames(const std::vector<std::string>& more) {
  add("localhost");
  const std::string own = machine_name().value_or("");
  add(own);
  add(own.substr(0, own.find('.')));
  for (const std::string& name : more) add(name);
}

void HostNames::add(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  if (!name.empty()) names_.insert(ascii_lower(name));
}

bool HostNames::allow(std::string_view host) const {
  std::string_view name = name_in(host);
  if (is_address(name)) return true;
  if (name.ends_with('.')) name.remove_suffix(1);
  return names_.contains(ascii_lower(name));
}

}  // namespace meshdns::http
