#include "dnsd/enrolment/tokens.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/authority/digest.h"
#include "common/authority/token_text.h"
#include "common/identity/node_rights.h"

namespace meshdns::enrolment {
namespace {

constexpr std::int64_t kLongest = 30 * 24 * 60 * 60;

Error refused(std::string_view why, std::string_view rule) {
  return {Code::PermissionDenied, fmt::format("token: {} (rule {})", why, rule)};
}

Result<void> check_order(const TokenOrder& order) {
  if (order.names.empty()) return Error(Code::InvalidArgument, "a token needs a name, or a pattern for names");
  if (order.role == identity::Role::Anonymous || order.role == identity::Role::Federation)
    return Error(Code::InvalidArgument, "a token is for a node, a replica or an operator");
  if (order.seconds < 1 || order.seconds > kLongest) return Error(Code::InvalidArgument, "a token lasts for 1s to 30d");
  if (order.uses < 1 || order.uses > Tokens::kMostKeys)
    return Error(Code::InvalidArgument, fmt::format("a token has 1 to {} uses", Tokens::kMostKeys));
  if (order.names.find('*') != std::string::npos && order.role != identity::Role::Node)
    return Error(Code::InvalidArgument, "only a token for nodes may have a pattern");
  identity::Identity sample{order.role, order.cluster, order.names, order.level};
  std::ranges::replace(sample.name, '*', 'x');
  return identity::check(sample);
}

identity::Identity identity_of(const v1::StoredToken& token, const std::string& name) {
  identity::Identity out;
  out.role = identity::role_of(token.role()).value_or(identity::Role::Anonymous);
  out.cluster = token.cluster();
  out.name = name;
  if (out.role == identity::Role::Operator) out.level = identity::level_of(token.level()).value_or(out.level);
  return out;
}

/// A pattern fits in any case, as everywhere; a single name must be the very name, because certificates tell names
/// apart.
bool is_for(const v1::StoredToken& token, const std::string& name) {
  const bool pattern = token.names().find('*') != std::string::npos;
  return pattern ? identity::glob(token.names(), name) : token.names() == name;
}

bool may_come_from(const v1::StoredToken& token, const std::optional<IpAddress>& where) {
  if (token.prefixes().empty() || !where) return true;
  return std::ranges::any_of(token.prefixes(), [&](const std::string& text) {
    const auto prefix = Prefix::parse(text);
    return prefix && prefix->contains(*where);
  });
}

}  // namespace

v1::StoredToken* Tokens::find(std::string_view id) {
  const auto found = std::ranges::find_if(*list_.mutable_tokens(), [&](const auto& each) { return each.id() == id; });
  return found == list_.mutable_tokens()->end() ? nullptr : &*found;
}

Result<std::string> Tokens::create(const TokenOrder& order, const std::string& id, const std::string& secret,
                                   const std::string& authority, std::int64_t now) {
  if (auto fits = check_order(order); !fits) return fits.error();
  if (static_cast<std::size_t>(list_.tokens_size()) >= kMost)
    return Error(Code::ResourceExhausted, "there are too many tokens: revoke some");
  changed_ = true;
  v1::StoredToken& out = *list_.add_tokens();
  out.set_id(id);
  out.set_secret_hash(authority::sha256(secret));
  out.set_role(std::string(identity::role_name(order.role)));
  out.set_cluster(order.cluster);
  out.set_names(order.names);
  if (order.role == identity::Role::Operator) out.set_level(std::string(identity::level_name(order.level)));
  for (const Prefix& prefix : order.prefixes) out.add_prefixes(prefix.text());
  out.set_created(now);
  out.set_expires(now + order.seconds);
  out.set_uses_left(order.uses);
  return authority::text({id, secret, authority});
}

Result<v1::StoredToken*> Tokens::usable(std::string_view token, std::int64_t now) {
  const auto said = authority::parse_token(token);
  if (!said) return refused(said.error().message(), "token");
  v1::StoredToken* known = find(said->id);
  // the comparison takes the same time whether or not there is such a token, and wherever the texts differ
  const std::string expected = known == nullptr ? std::string(authority::kDigestBytes, '\0') : known->secret_hash();
  const bool proven = authority::equal_secrets(authority::sha256(said->secret), expected);
  if (known == nullptr || !proven) return refused("unknown, or its secret is wrong", "token");
  if (known->revoked()) return refused("it was revoked", "token-revoked");
  if (now >= known->expires()) return refused("its time is over", "token-expired");
  return known;
}

Result<void> Tokens::check(std::string_view token, std::int64_t now) {
  const auto known = usable(token, now);
  return known ? Result<void>{} : known.error();
}

Result<identity::Identity> Tokens::spend(std::string_view token, const Applicant& applicant, std::int64_t now) {
  const auto found = usable(token, now);
  if (!found) return found.error();
  v1::StoredToken* known = *found;
  if (!may_come_from(*known, applicant.where)) return refused("it may not be used from this address", "token-prefix");
  if (!is_for(*known, applicant.name))
    return refused(fmt::format("it is for {}, not for {}", known->names(), applicant.name), "token-name");
  const identity::Identity out = identity_of(*known, applicant.name);
  if (auto fits = identity::check(out); !fits) return refused(fits.error().message(), "token-name");
  if (std::ranges::find(known->keys(), applicant.key_hash) != known->keys().end()) return out;
  if (known->uses_left() == 0) return refused("it was used already", "token-used");
  changed_ = true;
  known->set_last_used(now);
  known->set_uses_left(known->uses_left() - 1);
  known->add_keys(applicant.key_hash);
  return out;
}

bool Tokens::renew(const std::string& key_hash, std::int64_t now) {
  const auto enrolled = [&](const v1::StoredToken& token) {
    return std::ranges::find(token.keys(), key_hash) != token.keys().end();
  };
  bool may = true;
  for (v1::StoredToken& token : *list_.mutable_tokens()) {
    if (!enrolled(token)) continue;
    may = may && !token.revoked();
    if (now - token.last_used() < kNoted) continue;
    changed_ = true;
    token.set_last_used(now);
  }
  return may;
}

bool Tokens::revoke(const std::string& id) {
  v1::StoredToken* known = find(id);
  if (known == nullptr) return false;
  changed_ = true;
  known->set_revoked(true);
  return true;
}

bool Tokens::drop_old(std::int64_t now) {
  auto& tokens = *list_.mutable_tokens();
  const auto before = tokens.size();
  tokens.erase(std::remove_if(tokens.begin(), tokens.end(),
                              [&](const v1::StoredToken& token) {
                                return now >= std::max(token.expires(), token.last_used()) + kKept;
                              }),
               tokens.end());
  changed_ = changed_ || tokens.size() != before;
  return tokens.size() != before;
}

}  // namespace meshdns::enrolment
