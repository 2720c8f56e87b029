#include "common/identity/gate.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/base/text.h"
#include "common/identity/node_rights.h"

namespace meshdns::identity {

Gate::Gate(Rules rules, Realm realm, FindAuthority find)
    : rules_(std::move(rules)),
      find_(std::move(find)),
      open_(realm.open),
      authorizer_(std::make_shared<const Authorizer>(std::move(realm))) {}

Result<void> Gate::check_authority(const Identity& who, std::string_view chain) const {
  if (!find_) return {};
  const auto found = find_(chain);
  if (!found) return found.error();
  if (*found == nullptr) return {};
  const BoundAuthority& by = **found;
  const auto covers = [&](const std::string& pattern) { return glob(pattern, who.cluster); };
  if (who.role != Role::Operator && std::ranges::any_of(by.clusters, covers)) return {};
  return Error(Code::PermissionDenied, fmt::format("the authority of {} may not vouch for {}, but for clusters {} only",
                                                   by.file, text(who), join(by.clusters, ", ")));
}

Result<Caller> Gate::caller(const std::optional<std::vector<std::string>>& uris, std::string key,
                            std::string_view chain) const {
  if (!uris) {
    if (open_) return Caller({}, authorizer_);
    return Error(Code::PermissionDenied, "a certificate is needed here (rule certificate)");
  }
  auto who = rules_.identify(*uris);
  if (!who) return Error(Code::PermissionDenied, who.error().message() + " (rule identity)");
  if (const auto vouched = check_authority(*who, chain); !vouched)
    return Error(Code::PermissionDenied, vouched.error().message() + " (rule authority)");
  return Caller(std::move(*who), authorizer_, std::move(key));
}

ServerCheck expect_federation(Rules rules, std::string cluster) {
  return
      [rules = std::move(rules), cluster = std::move(cluster)](const std::vector<std::string>& uris) -> Result<void> {
        const auto who = rules.identify(uris);
        if (!who) return who.error();
        if (who->role == Role::Federation && who->cluster == cluster) return {};
        return Error(Code::PermissionDenied, fmt::format("it is {}, not the federation of {}", text(*who), cluster));
      };
}

Result<void> check_own(const Rules& rules, const std::vector<std::string>& uris, const Identity& needed) {
  const auto who = rules.identify(uris);
  if (!who) return who.error();
  const bool fits =
      who->role == needed.role && who->cluster == needed.cluster && (needed.name.empty() || who->name == needed.name);
  if (fits) return {};
  const std::string wanted = needed.name.empty()
                                 ? fmt::format("a {} certificate of {}", role_name(needed.role), needed.cluster)
                                 : text(needed);
  return Error(Code::PermissionDenied, fmt::format("it is of {}, and {} is needed", text(*who), wanted));
}

}  // namespace meshdns::identity
