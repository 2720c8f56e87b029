#include "common/config/identity_rules.h"

#include "common/base/check.h"
#include "common/config/checks.h"
#include "common/identity/spiffe_id.h"

namespace meshdns::config {
namespace {

identity::Rule rule_of(const v1::IdentityRule& entry) {
  identity::Rule out;
  out.uri = entry.uri();
  out.role = identity::role_of(entry.role()).value_or(identity::Role::Anonymous);
  out.cluster = entry.cluster();
  out.name = out.role == identity::Role::Node ? entry.node() : entry.name();
  out.level = entry.level();
  return out;
}

void check_rule(const Place& place, const v1::IdentityRule& entry, Report& report) {
  if (entry.uri().empty() || !identity::role_of(entry.role())) return;  // reported already
  const identity::Rule rule = rule_of(entry);
  const bool node = rule.role == identity::Role::Node;
  if (!node && !entry.node().empty()) {
    report.add(place.child("node"), "only with role: node");
  } else if (node && !entry.name().empty()) {
    report.add(place.child("name"), "not with role: node, which has node");
  } else if (const auto fits = identity::check(rule); !fits) {
    report.add(place, fits.error().message());
  }
}

std::vector<identity::Rule> identity_rules(const v1::Identity& section) {
  std::vector<identity::Rule> out;
  for (const v1::IdentityRule& entry : section.rules()) out.push_back(rule_of(entry));
  return out;
}

}  // namespace

identity::Rules rules_of(const v1::Identity& section) {
  auto rules = identity::Rules::make(identity_rules(section), section.trust_domain());
  MESHDNS_CHECK(rules.has_value());
  return *std::move(rules);
}

void check_identity(const Place& section, const v1::Identity& identity, bool tls, Report& report) {
  if (!tls) return report.add(section, "needs tls: without certificates nobody can be told apart");
  const std::string& trust_domain = identity.trust_domain();
  if (!trust_domain.empty() && !identity::parse_spiffe_id("spiffe://" + trust_domain + "/x"))
    report.add(section.child("trust_domain"), "expected lower-case letters, digits, . - _ (got " + trust_domain + ")");
  const Place rules = section.child("rules");
  for (int i = 0; i < identity.rules_size(); ++i)
    check_rule(rules.item(static_cast<std::size_t>(i)), identity.rules(i), report);
}

}  // namespace meshdns::config
