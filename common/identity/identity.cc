#include "common/identity/identity.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "common/base/text.h"
#include "common/identity/spiffe_id.h"
#include "common/model/host_name.h"
#include "common/model/limits.h"

namespace meshdns::identity {
namespace {

constexpr std::array<std::string_view, 5> kRoles = {"anonymous", "node", "dns", "federation", "operator"};
static_assert(kRoles.size() == static_cast<std::size_t>(Role::Operator) + 1);
constexpr std::array<std::string_view, 3> kLevels = {"viewer", "operator", "admin"};
static_assert(kLevels.size() == static_cast<std::size_t>(Level::Admin) + 1);

bool is_printable(std::string_view name) {
  const auto fits = [](char c) { return c > ' ' && c < '\x7f' && c != '/'; };
  return !name.empty() && name.size() <= model::kLongestText && std::all_of(name.begin(), name.end(), fits);
}

Error unfit(std::string_view what, std::string_view text, std::string_view expected) {
  return {Code::InvalidArgument, fmt::format("{} \"{}\": expected {}", what, text, expected)};
}

/// Checks that a certificate can name a person. It can name every cluster and every host.
Result<void> check_person(const std::string& name) {
  if (!is_printable(name)) return unfit("operator", name, "1 to 253 printable characters without /");
  if (parse_spiffe_id("spiffe://x/" + name)) return {};
  return Error(Code::InvalidArgument,
               fmt::format("operator \"{}\": in a certificate a name may only have letters, digits, . - _", name));
}

}  // namespace

std::string_view role_name(Role role) { return kRoles[static_cast<std::size_t>(role)]; }
std::string_view level_name(Level level) { return kLevels[static_cast<std::size_t>(level)]; }

Result<Role> role_of(std::string_view text) {
  for (std::size_t i = 1; i < kRoles.size(); ++i)
    if (kRoles[i] == text) return static_cast<Role>(i);
  return unfit("role", text, "node, dns, federation or operator");
}

Result<Level> level_of(std::string_view text) {
  for (std::size_t i = 0; i < kLevels.size(); ++i)
    if (kLevels[i] == text) return static_cast<Level>(i);
  return unfit("level", text, "viewer, operator or admin");
}

std::string text(const Identity& identity) {
  switch (identity.role) {
    case Role::Anonymous: return std::string(role_name(identity.role));
    case Role::Operator: return fmt::format("operator {} ({})", identity.name, level_name(identity.level));
    default: return fmt::format("{} {}/{}", role_name(identity.role), identity.cluster, identity.name);
  }
}

std::string uri(const Identity& identity, std::string_view trust_domain) {
  const std::string_view group =
      identity.role == Role::Operator ? level_name(identity.level) : std::string_view(identity.cluster);
  return fmt::format("spiffe://{}/meshdns/{}/{}/{}", trust_domain, role_name(identity.role), group, identity.name);
}

Result<void> check(const Identity& identity) {
  if (identity.role == Role::Anonymous) return {};
  if (identity.role == Role::Operator) return check_person(identity.name);
  if (!is_ldh_label(identity.cluster)) return unfit("cluster", identity.cluster, "a label of letters, digits, hyphens");
  if (!model::is_node_name(identity.name)) return unfit(role_name(identity.role), identity.name, "a host name");
  return {};
}

}  // namespace meshdns::identity
