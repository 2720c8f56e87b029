#include "dnsd/enrolment/enrolment.h"

#include <algorithm>
#include <utility>

#include "common/authority/authority.h"
#include "common/authority/digest.h"
#include "common/authority/folder.h"
#include "common/authority/key.h"
#include "common/base/durable_file.h"
#include "common/base/utf8.h"
#include "common/base/whole_file.h"
#include "common/convert/report_convert.h"
#include "common/log/log.h"

namespace meshdns::enrolment {
namespace {

constexpr std::size_t kIdBytes = 8;
constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kLongestName = 253;  // bytes; the name is in log lines and replies, whoever sends it

constexpr std::size_t kMostRecent = 1000;             // certificates that are kept for those who ask again
constexpr Duration kAgain = std::chrono::minutes(1);  // for so long, and
constexpr int kAgainPart = 20;                        // at most for this part of a certificate's life

/// Reads the tokens; a missing file has none.
Result<v1::TokenList> read_tokens(const std::string& path) {
  v1::TokenList out;
  const auto bytes = read_file(path);
  if (!bytes && bytes.error().code() == Code::NotFound) return out;
  if (!bytes) return bytes.error();
  if (!out.ParseFromString(*bytes)) return Error(Code::DataLoss, path + ": is damaged");
  return out;
}

void write(const v1::StoredToken& token, v1::TokenInfo& out) {
  out.set_id(token.id());
  out.set_role(token.role());
  out.set_cluster(token.cluster());
  out.set_names(token.names());
  out.set_level(token.level());
  *out.mutable_prefixes() = token.prefixes();
  out.set_created(token.created());
  out.set_expires(token.expires());
  out.set_uses_left(token.uses_left());
  out.set_enrolled(static_cast<std::uint32_t>(token.keys_size()));
  out.set_revoked(token.revoked());
}

Error denied(const std::string& why) { return {Code::PermissionDenied, why}; }

Result<authority::Key> proven_key_of(const v1::EnrollRequest& request) {
  auto out = authority::proven_key(request.certificate_request());
  return out ? std::move(out) : out.error().with_context("certificate_request");
}

}  // namespace

Result<Enrolment> Enrolment::open(Options options) {
  if (const auto authority = authority::read_folder(options.authority); !authority) return authority.error();
  auto list = read_tokens(options.tokens);
  if (!list) return list.error();
  return Enrolment(std::move(options), *std::move(list));
}

Result<void> Enrolment::store() {
  if (!tokens_.changed()) return {};
  auto done = put_file(options_.tokens, tokens_.list().SerializeAsString(), 0600);
  if (done) tokens_.stored();
  return done;
}

Result<identity::Identity> Enrolment::by_token(const v1::EnrollRequest& request, const std::string& key_hash,
                                               const identity::Proof& proof, std::int64_t now) {
  auto who = tokens_.spend(request.token(), {request.name(), key_hash, proof.where}, now);
  if (!who) return who;
  if (auto stored = store(); !stored) return stored.error();
  return who;
}

Result<identity::Identity> Enrolment::by_certificate(const std::string& key_hash, const identity::Proof& proof,
                                                     std::int64_t now) {
  const identity::Identity& who = *proof.who;
  // its certificate names the addresses at which it is found, which nobody proves here
  if (who.role == identity::Role::Federation) return denied("meshdnsctl ca issue renews a federation (rule role)");
  if (who.role != identity::Role::Operator && who.cluster != options_.cluster)
    return denied(identity::text(who) + " is of another cluster (rule own-cluster)");
  // its pod may be gone
  if (proof.of_pod) return denied("a pod renews its certificate with its service account token (rule pod-alive)");
  if (proof.key_hash != key_hash) return denied("a renewal keeps the key; a new key needs a token (rule own-key)");
  if (!tokens_.renew(key_hash, now))
    return denied(identity::text(who) + ": its token was revoked (rule token-revoked)");
  if (auto stored = store(); !stored) return stored.error();
  return who;
}

const v1::EnrollReply* Enrolment::recent(const std::string& key_hash, const identity::Identity& who,
                                         std::int64_t now) const {
  const auto again = std::chrono::floor<std::chrono::seconds>(std::min(kAgain, options_.lifetime / kAgainPart)).count();
  const auto known = recent_.find(key_hash);
  if (known == recent_.end() || known->second.who != who) return nullptr;
  const std::int64_t age = now - known->second.at;
  return age >= 0 && age < again ? &known->second.reply : nullptr;
}

Result<v1::EnrollReply> Enrolment::enroll(const v1::EnrollRequest& request, const identity::Proof& proof, TimePoint now,
                                          std::int64_t unix_seconds) {
  auto out = signed_for(request, proof, unix_seconds);
  if (!out) {
    tell_refused(request, proof, out.error(), now);
  } else if (request.token().empty()) {
    signatures_.info(now, "certificate renewed", {{"peer", proof.peer}, {"for", identity::text(*proof.who)}});
  } else {
    signatures_.info(now, "certificate signed", {{"peer", proof.peer}, {"name", request.name()}});
  }
  return out;
}

Result<v1::EnrollReply> Enrolment::enroll_pod(const v1::EnrollRequest& request, const identity::Proof& proof,
                                              const Result<identity::Identity>& reviewed, TimePoint now,
                                              std::int64_t unix_seconds) {
  const auto key = reviewed ? proven_key_of(request) : reviewed.error();
  auto out = key ? sign(*key, *reviewed, true, unix_seconds) : key.error();
  if (!out) {
    tell_refused(request, proof, out.error(), now);
  } else {
    signatures_.info(now, "certificate signed for a pod", {{"peer", proof.peer}, {"for", identity::text(*reviewed)}});
  }
  return out;
}

void Enrolment::tell_refused(const v1::EnrollRequest& request, const identity::Proof& proof, const Error& why,
                             TimePoint now) {
  refusals_.warn(now, "enrolment refused",
                 {{"peer", proof.peer},
                  {"name", std::string(utf8_prefix(request.name(), kLongestName))},
                  {"reason", why.message()}});
}

Result<void> check_request(const v1::EnrollRequest& request) {
  if (request.name().size() > kLongestName)
    return Error(Code::InvalidArgument, "name: longer than " + std::to_string(kLongestName) + " bytes");
  if (!request.token().empty() && !request.service_account_token().empty())
    return Error(Code::InvalidArgument, "token and service_account_token: only one of them");
  return {};
}

Result<v1::EnrollReply> Enrolment::signed_for(const v1::EnrollRequest& request, const identity::Proof& proof,
                                              std::int64_t now) {
  if (auto fits = check_request(request); !fits) return fits.error();
  // a token is looked at before anything that costs more than a hash
  if (!request.service_account_token().empty()) {
    return denied("this federation believes no service account tokens: identity.kubernetes (rule service-account)");
  } else if (!request.token().empty()) {
    if (auto known = tokens_.check(request.token(), now); !known) return known.error();
  } else if (!proof.who) {
    return denied("a token or a certificate is needed (rule certificate)");
  }
  const auto key = proven_key_of(request);
  if (!key) return key.error();
  const std::string key_hash = authority::key_digest(key->get());
  auto who = request.token().empty() ? by_certificate(key_hash, proof, now) : by_token(request, key_hash, proof, now);
  if (!who) return who.error();
  return sign(*key, *std::move(who), false, now);
}

Result<v1::EnrollReply> Enrolment::sign(const authority::Key& key, identity::Identity who, bool of_pod,
                                        std::int64_t now) {
  const auto authority = authority::read_folder(options_.authority);
  if (!authority) return authority.error();
  const std::string key_hash = authority::key_digest(key.get());
  if (const auto* kept = recent(key_hash, who, now); kept != nullptr && kept->authority() == authority->certificates)
    return *kept;
  authority::Order order;
  order.identity = who;
  order.lifetime = options_.lifetime;
  order.of_pod = of_pod;
  auto certificate = authority::sign(*authority, *key, order, now);
  if (!certificate) return certificate.error();
  v1::EnrollReply out;
  out.set_certificate(*std::move(certificate));
  out.set_authority(authority->certificates);
  if (recent_.size() >= kMostRecent) recent_.clear();
  recent_.insert_or_assign(key_hash, Recent{now, std::move(who), out});
  return out;
}

Result<std::string> Enrolment::create(const v1::CreateToken& order, std::int64_t now) {
  // the holder knows the federation by the hash of the authority that has signed the federation's own certificate
  const auto authority = options_.signs_own ? authority::read_known_folder(options_.authority, now)
                                            : authority::read_folder(options_.authority);
  if (!authority) return authority.error();
  const auto signer = authority::describe_signer(*authority);
  if (!signer) return signer.error();
  TokenOrder out;
  const auto role = identity::role_of(order.role());
  if (!role) return role.error();
  out.role = *role;
  if (out.role != identity::Role::Operator) out.cluster = order.cluster().empty() ? options_.cluster : order.cluster();
  if (out.role != identity::Role::Operator && out.cluster != options_.cluster)
    return Error(Code::InvalidArgument, "this federation is that of " + options_.cluster + ", not of " + out.cluster);
  out.names = order.names();
  if (out.role == identity::Role::Operator) {
    const auto level = identity::level_of(order.level());
    if (!level) return level.error();
    out.level = *level;
  }
  for (const std::string& text : order.prefixes()) {
    const auto prefix = Prefix::parse(text);
    if (!prefix) return prefix.error().with_context(text);
    out.prefixes.push_back(*prefix);
  }
  if (order.has_length())
    out.seconds = std::chrono::floor<std::chrono::seconds>(convert::from_wire(order.length())).count();
  if (order.uses() != 0) out.uses = order.uses();
  // a token is remembered for as long as its certificates may live, so that it can be revoked until then
  tokens_.drop_old(now - std::chrono::floor<std::chrono::seconds>(options_.lifetime).count());
  return tokens_.create(out, authority::random_hex(kIdBytes), authority::random_hex(kSecretBytes), signer->key_hash,
                        now);
}

Result<v1::TokenReply> Enrolment::token(const v1::TokenRequest& request, std::int64_t now) {
  v1::TokenReply out;
  if (request.has_create()) {
    auto made = create(request.create(), now);
    if (!made) return made.error();
    out.set_token(*std::move(made));
  } else if (!request.revoke().empty() && !tokens_.revoke(request.revoke())) {
    return Error(Code::NotFound, "there is no token " + request.revoke());
  }
  if (request.has_create() || !request.revoke().empty()) {
    if (auto stored = store(); !stored) return stored.error();
  }
  for (const v1::StoredToken& each : tokens_.list().tokens()) write(each, *out.add_tokens());
  return out;
}

}  // namespace meshdns::enrolment
