#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/identity/identity.h"
#include "common/net/prefix.h"
#include "meshdns/v1/enrolment.pb.h"

namespace meshdns::enrolment {

/// What a token is made for.
struct TokenOrder {
  identity::Role role = identity::Role::Node;  // Node, Dns or Operator
  std::string cluster;                         // empty for operators
  std::string names;                           // pattern, where `*` stands for any characters: "n7", "web-*"
  identity::Level level = identity::Level::Viewer;
  std::vector<Prefix> prefixes{};  // addresses from which it may be used; empty = all
  std::int64_t seconds = 15 * 60;  // for which it may be used
  std::uint32_t uses = 1;
};

/// Who presents a token.
struct Applicant {
  std::string name;                // that it wants
  std::string key_hash;            // SHA-256 of its public key
  std::optional<IpAddress> where;  // nothing = on this machine
};

// How it works
//
// A token's text is in common/authority/token_text.h. Only the hash of its secret, of 256 random bits, is kept.
//
// A use counts for a public key: whoever loses the answer may ask again with the same key. The keys that were enrolled
// by a token are remembered, so that a revoked token ends their renewals, too.

/// The tokens of a federation. Pure: time and random bytes come from outside.
/// thread: control
class Tokens {
 public:
  static constexpr std::size_t kMost = 10'000;             // tokens that are kept
  static constexpr std::size_t kMostKeys = 10'000;         // uses of one token
  static constexpr std::int64_t kNoted = 60;               // seconds between two notes that a certificate was renewed
  static constexpr std::int64_t kKept = 2 * 24 * 60 * 60;  // seconds after its last use, if certificates live for a day

  explicit Tokens(v1::TokenList list = {}) : list_(std::move(list)) {}
  /// What has to be stored, if changed().
  const v1::TokenList& list() const { return list_; }
  /// Whether the list has changed since stored().
  bool changed() const { return changed_; }
  void stored() { changed_ = false; }

  /// Adds a token.
  /// id, secret: random, hexadecimal
  /// authority:  SHA-256 of the authority's public key, hexadecimal
  /// returns:    the text for its holder
  /// errors:     InvalidArgument: an order that nobody could use; ResourceExhausted: too many tokens
  Result<std::string> create(const TokenOrder& order, const std::string& id, const std::string& secret,
                             const std::string& authority, std::int64_t now);
  /// Whether a token is known, proven by its secret, and can be used now. Costs a hash, whatever the text is.
  /// errors: as for spend()
  Result<void> check(std::string_view token, std::int64_t now);
  /// Uses a token.
  /// returns: who its holder is from now on
  /// errors:  PermissionDenied, with the rule. The text does not tell a wrong secret from a token that never was
  Result<identity::Identity> spend(std::string_view token, const Applicant& applicant, std::int64_t now);
  /// Notes that a certificate with this key is renewed. A use is noted at most once a minute, because each note is
  /// written to the disk.
  /// returns: false = it may not, because its token was revoked
  bool renew(const std::string& key_hash, std::int64_t now);
  /// Ends a token at once.
  /// returns: false = there is none of this id
  bool revoke(const std::string& id);
  /// Drops tokens that ended long ago and whose keys were not renewed for long.
  /// returns: false = there were none
  bool drop_old(std::int64_t now);

 private:
  v1::StoredToken* find(std::string_view id);
  /// Returns the record of a token that can be used now.
  Result<v1::StoredToken*> usable(std::string_view token, std::int64_t now);

  v1::TokenList list_;
  bool changed_ = false;
};

}  // namespace meshdns::enrolment
