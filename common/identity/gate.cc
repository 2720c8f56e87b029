#include "common/identity/gate.h"

#include <fmt/format.h>

#include <utility>

namespace meshdns::identity {

Gate::Gate(Rules rules, Realm realm)
    : rules_(std::move(rules)), open_(realm.open), authorizer_(std::make_shared<const Authorizer>(std::move(realm))) {}

Result<Caller> Gate::caller(const std::optional<std::vector<std::string>>& uris, std::string key) const {
  if (!uris) {
    if (open_) return Caller({}, authorizer_);
    return Error(Code::PermissionDenied, "a certificate is needed here (rule certificate)");
  }
  auto who = rules_.identify(*uris);
  if (!who) return Error(Code::PermissionDenied, who.error().message() + " (rule identity)");
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
