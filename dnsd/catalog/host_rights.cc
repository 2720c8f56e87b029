#include "dnsd/catalog/host_rights.h"

#include <algorithm>

#include "common/base/text.h"
#include "common/model/clusterset.h"
#include "common/model/host_name.h"
#include "common/model/kubernetes_names.h"

namespace meshdns::catalog {
namespace {

constexpr std::string_view kBelow = "*.";

/// Returns whether a host is the one that a pattern names, or below the one after "*.".
bool covers(std::string_view pattern, std::string_view host) {
  if (!pattern.starts_with(kBelow)) return pattern == host;
  const std::string_view parent = pattern.substr(1);  // with its dot
  return host.size() > parent.size() && host.ends_with(parent);
}

/// Returns whether a name has two labels or more: a right for a whole top-level domain is a mistake.
bool is_specific(std::string_view name) { return name.find('.') != std::string_view::npos; }

}  // namespace

std::vector<std::string> parse_hosts(std::string_view annotation, std::vector<std::string>& problems) {
  std::vector<std::string> out;
  for (const std::string_view entry : split(annotation, ',')) {
    const std::string name = model::host_key(std::string(trim(entry)));
    if (name.empty()) continue;
    const std::string bare = name.starts_with(kBelow) ? name.substr(kBelow.size()) : name;
    if (model::is_host_name(bare) && is_specific(bare)) {
      out.push_back(name);
    } else {
      problems.push_back(in_quotes(entry) + " is no host name, and no *. before one of two labels or more");
    }
  }
  return out;
}

std::vector<std::string> HostRights::allowed(const std::string& namespace_) const {
  std::vector<std::string> out;
  for (const std::string& zone : zones_) {
    const std::string_view parent = model::is_clusterset_zone(zone) ? model::kClustersetServices : zone;
    std::string pattern = std::string(kBelow) + ascii_lower(namespace_) + "." + std::string(parent);
    if (std::ranges::find(out, pattern) == out.end()) out.push_back(std::move(pattern));
  }
  const auto further = further_.find(namespace_);
  if (further != further_.end()) out.insert(out.end(), further->second.begin(), further->second.end());
  return out;
}

std::optional<Refusal> HostRights::check(const model::VirtualDestination& object) const {
  if (object.meta.manager != model::kKubernetesManager) return std::nullopt;
  const std::vector<std::string> patterns = allowed(object.meta.namespace_);
  for (std::size_t i = 0; i < object.hosts.size(); ++i) {
    const std::string& host = object.hosts[i];
    if (std::ranges::any_of(patterns, [&](const std::string& pattern) { return covers(pattern, host); })) continue;
    return Refusal{.key = object.meta.key(),
                   .field = "spec.hosts[" + std::to_string(i) + "]",
                   .reason = host + " is not a name of namespace " + object.meta.namespace_ + ": it may have " +
                             join(patterns, ", ") + "; more by the Namespace's annotation " + model::kHostsAnnotation,
                   .kind = Refusal::Kind::HostNotAllowed};
  }
  return std::nullopt;
}

}  // namespace meshdns::catalog
