#include "common/identity/rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/base/printable.h"
#include "common/base/text.h"
#include "common/identity/spiffe_id.h"

namespace meshdns::identity {
namespace {

constexpr std::string_view kOwnPath = "meshdns";
constexpr std::size_t kOwnSegments = 4;  // meshdns, role, cluster or level, name
constexpr std::size_t kMostStars = 9;    // {1} to {9}

Error refusal(std::string_view uri, std::string_view why) {
  return {Code::PermissionDenied, fmt::format("certificate of {}: {}", printable(uri), why)};
}

std::size_t stars(std::string_view pattern) {
  return static_cast<std::size_t>(std::count(pattern.begin(), pattern.end(), '*'));
}

/// Compares one segment with its pattern, which has at most one `*`, and adds what the `*` stands for.
bool take(std::string_view pattern, std::string_view segment, std::vector<std::string_view>& captures) {
  const std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == segment;
  const std::string_view before = pattern.substr(0, star);
  const std::string_view after = pattern.substr(star + 1);
  if (segment.size() <= before.size() + after.size()) return false;  // a * stands for one character at least
  if (!segment.starts_with(before) || !segment.ends_with(after)) return false;
  captures.push_back(segment.substr(before.size(), segment.size() - before.size() - after.size()));
  return true;
}

/// Returns the template with `{N}` replaced by the N-th capture. Other braces stay.
/// errors: InvalidArgument: there is no N-th capture
Result<std::string> filled(std::string_view text, const std::vector<std::string_view>& captures) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool reference =
        text[i] == '{' && i + 2 < text.size() && text[i + 2] == '}' && text[i + 1] >= '1' && text[i + 1] <= '9';
    if (!reference) {
      out += text[i];
      continue;
    }
    const auto number = static_cast<std::size_t>(text[i + 1] - '1');
    if (number >= captures.size())
      return Error(Code::InvalidArgument, fmt::format("\"{}\": the uri has {}", text, counted(captures.size(), "*")));
    out += captures[number];
    i += 2;
  }
  return out;
}

/// Fills a rule's templates and checks what comes out.
Result<Identity> apply(const Rule& rule, const std::vector<std::string_view>& captures) {
  Identity out;
  out.role = rule.role;
  for (const auto& [from, to] : {std::pair{&rule.cluster, &out.cluster}, std::pair{&rule.name, &out.name}}) {
    auto text = filled(*from, captures);
    if (!text) return text.error();
    *to = std::move(*text);
  }
  if (rule.role == Role::Operator) {
    const auto text = filled(rule.level, captures);
    if (!text) return text.error();
    const auto level = level_of(*text);
    if (!level) return level.error();
    out.level = *level;
  }
  if (auto fits = check(out); !fits) return fits.error();
  return out;
}

/// Reads the mesh's own form.
Result<Identity> own_form(const SpiffeId& id) {
  if (id.path.size() != kOwnSegments || id.path[0] != kOwnPath)
    return Error(Code::NotFound, "no rule of identity.rules matches, and it is no URI of the mesh's own form");
  const auto role = role_of(id.path[1]);
  if (!role) return role.error();
  Identity out;
  out.role = *role;
  out.name = std::string(id.path[3]);
  if (*role == Role::Operator) {
    const auto level = level_of(id.path[2]);
    if (!level) return level.error();
    out.level = *level;
  } else {
    out.cluster = std::string(id.path[2]);
  }
  if (auto fits = check(out); !fits) return fits.error();
  return out;
}

}  // namespace

std::optional<std::vector<std::string_view>> match(std::string_view pattern, std::string_view text) {
  const std::vector<std::string_view> wanted = split(pattern, '/');
  const std::vector<std::string_view> segments = split(text, '/');
  if (wanted.size() != segments.size()) return std::nullopt;
  std::vector<std::string_view> captures;
  for (std::size_t i = 0; i < wanted.size(); ++i)
    if (!take(wanted[i], segments[i], captures)) return std::nullopt;
  return captures;
}

Result<void> check(const Rule& rule) {
  const auto wrong = [&](std::string_view why) {
    return Error(Code::InvalidArgument, fmt::format("uri \"{}\": {}", rule.uri, why));
  };
  if (rule.uri.empty()) return wrong("must not be empty");
  for (const std::string_view segment : split(rule.uri, '/'))
    if (stars(segment) > 1) return wrong("a segment has more than one *");
  if (stars(rule.uri) > kMostStars) return wrong("has more than 9 *");
  if (rule.role == Role::Anonymous) return wrong("needs a role");
  if (rule.name.empty()) return wrong("needs a name");
  if (rule.role == Role::Operator && !rule.cluster.empty()) return wrong("an operator has no cluster");
  if (rule.role == Role::Operator && rule.level.empty()) return wrong("an operator needs a level");
  if (rule.role != Role::Operator && rule.cluster.empty()) return wrong("needs a cluster");
  if (rule.role != Role::Operator && !rule.level.empty()) return wrong("only an operator has a level");
  const std::vector<std::string_view> captures(stars(rule.uri), "x");
  for (const std::string* text : {&rule.cluster, &rule.name, &rule.level})
    if (auto found = filled(*text, captures); !found) return wrong(found.error().message());
  if (rule.role != Role::Operator) return {};
  const auto fits = check(Identity{Role::Operator, "", *filled(rule.name, captures), Level::Viewer});
  return fits ? fits : wrong(fits.error().message());
}

Rules::Rules(std::vector<Rule> rules, std::string trust_domain)
    : rules_(std::move(rules)), trust_domain_(std::move(trust_domain)) {}

Result<Rules> Rules::make(std::vector<Rule> rules, std::string trust_domain) {
  for (const Rule& rule : rules)
    if (auto fits = check(rule); !fits) return fits.error();
  return Rules(std::move(rules), std::move(trust_domain));
}

Result<Identity> Rules::identify(const std::vector<std::string>& uris) const {
  if (uris.empty())
    return Error(Code::PermissionDenied, "the certificate has no URI (subjectAltName) that says who it is of");
  if (uris.size() > 1)
    return refusal(join(uris, " and "), fmt::format("it has {} URIs, and exactly one is needed", uris.size()));
  return identify_one(uris.front());
}

Result<Identity> Rules::identify_one(std::string_view uri) const {
  const auto id = parse_spiffe_id(uri);
  if (!id) return refusal(uri, id.error().message());
  for (const Rule& rule : rules_) {
    const auto captures = match(rule.uri, uri);
    if (!captures) continue;
    auto found = apply(rule, *captures);
    if (!found) return refusal(uri, fmt::format("rule {}: {}", rule.uri, found.error().message()));
    return found;
  }
  if (!trust_domain_.empty() && id->trust_domain != trust_domain_)
    return refusal(uri,
                   fmt::format("no rule of identity.rules matches, and the trust domain is not {}", trust_domain_));
  auto found = own_form(*id);
  if (!found) return refusal(uri, found.error().message());
  return found;
}

}  // namespace meshdns::identity
