#include "common/http/host_names.h"

#include <optional>

#include "common/base/machine_name.h"
#include "common/base/text.h"

namespace meshdns::http {
namespace {

/// Returns the header's value without the port.
std::string_view name_in(std::string_view host) {
  if (host.starts_with('[')) return host.substr(0, host.find(']') + 1);
  return host.substr(0, host.find(':'));
}

std::optional<IpAddress> address_in(std::string_view name) {
  const bool bracketed = name.starts_with('[') && name.ends_with(']');
  const std::string_view inner = bracketed ? name.substr(1, name.size() - 2) : name;
  if (bracketed && inner.find(':') == std::string_view::npos) return std::nullopt;
  const auto address = IpAddress::parse(inner);
  return address ? std::optional(*address) : std::nullopt;
}

}  // namespace

HostNames::HostNames(const std::vector<std::string>& more, const IpAddress& listen) : listen_(listen) {
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
  if (const auto address = address_in(name); address && is_own(*address)) return true;
  if (name.ends_with('.')) name.remove_suffix(1);
  return names_.contains(ascii_lower(name));
}

bool HostNames::is_own(const IpAddress& address) const {
  return address.is_loopback() || listen_.is_unspecified() || address == listen_;
}

}  // namespace meshdns::http
