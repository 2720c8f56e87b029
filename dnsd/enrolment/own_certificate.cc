#include "dnsd/enrolment/own_certificate.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>

#include "common/authority/authority.h"
#include "common/authority/digest.h"
#include "common/authority/folder.h"
#include "common/authority/key.h"
#include "common/base/durable_file.h"
#include "common/base/private_folder.h"
#include "common/base/text.h"
#include "common/base/whole_file.h"
#include "common/log/log.h"
#include "common/time/time_text.h"

namespace meshdns::enrolment {
namespace {

constexpr Duration kLook = 60s;
constexpr unsigned kForOwner = 0600;
constexpr unsigned kForAll = 0644;

std::set<std::string> set_of(const std::vector<std::string>& texts) { return {texts.begin(), texts.end()}; }

std::int64_t seconds_of(Duration time) { return std::chrono::floor<std::chrono::seconds>(time).count(); }

/// Returns the certificates of a file; none if they cannot be read, because then they are written again.
std::vector<authority::Description> chain_in(const std::string& path) {
  const auto text = read_file(path);
  if (!text) return {};
  return authority::describe(*text).value_or(std::vector<authority::Description>());
}

/// The authority that signs, with what its certificate says.
struct Signer {
  authority::Authority authority;
  std::string certificate;
  authority::Description about;
  std::string trust_domain;
};

Result<Signer> signer_in(const std::string& folder, std::int64_t now) {
  auto authority = authority::read_known_folder(folder, now);
  if (!authority) return authority.error();
  auto certificate = authority::signing_certificate(*authority);
  if (!certificate) return certificate.error().with_context(folder);
  auto about = authority::describe_signer(*authority);
  if (!about) return about.error().with_context(folder);
  auto domain = authority::trust_domain_of(*authority);
  if (!domain) return domain.error().with_context(folder);
  return Signer{*std::move(authority), *std::move(certificate), *std::move(about), *std::move(domain)};
}

}  // namespace

std::string why_to_sign(const std::vector<authority::Description>& chain, const Wanted& wanted, std::int64_t now) {
  if (chain.empty()) return "there is none";
  const authority::Description& own = chain.front();
  if (own.key_hash != wanted.key_hash) return "it is of another key";
  if (own.uris != std::vector{wanted.uri}) return "it is of another owner";
  if (chain.back().key_hash != wanted.authority_hash) return "it is of another authority";
  if (set_of(own.addresses) != set_of(wanted.addresses)) return "the addresses have changed";
  if (now < own.not_before) return "it is not valid yet";
  // a certificate that ends with its authority would be signed again and again
  const bool late = own.not_after - now <= seconds_of(wanted.lifetime) / 3 && wanted.until > own.not_after;
  return late ? "two thirds of its time are over" : "";
}

OwnCertificate::OwnCertificate(Options options, const Clock& clock, Timers& timers)
    : options_(std::move(options)), clock_(clock), timers_(timers) {}

OwnCertificate::~OwnCertificate() {
  if (timer_) timers_.cancel(*timer_);
}

Result<void> OwnCertificate::start() {
  const auto folder = std::filesystem::path(options_.key).parent_path().string();
  if (auto made = make_private_folder(folder); !made) return made;
  auto done = sign_if_due();
  if (done) look_later();
  return done;
}

void OwnCertificate::look_later() {
  timer_ = timers_.after(std::clamp<Duration>(options_.lifetime / 10, 1s, kLook), [this] {
    if (const auto done = sign_if_due(); !done && trouble_.due(clock_.now())) {
      log::warn("own certificate not signed: it is tried again",
                {{"file", options_.certificate}, {"reason", done.error().message()}});
    } else if (done && trouble_.ends()) {
      log::info("own certificate can be signed again", {{"file", options_.certificate}});
    }
    look_later();
  });
}

Result<authority::Key> OwnCertificate::key() const {
  auto text = read_file(options_.key);
  if (!text && text.error().code() == Code::NotFound) {
    text = authority::make_key();
    if (!text) return text.error();
    if (auto written = put_file(options_.key, *text, kForOwner); !written) return written.error();
  }
  if (!text) return text.error();
  auto key = authority::read_key(*text);
  if (!key) return key.error().with_context(options_.key);
  return key;
}

Result<void> OwnCertificate::sign_if_due() {
  const std::int64_t now = clock_.unix_seconds();
  const auto signer = signer_in(options_.authority, now);
  if (!signer) return signer.error();
  const auto own_key = key();
  if (!own_key) return own_key.error();
  const authority::Order order{options_.identity, options_.addresses(), options_.lifetime};
  const std::int64_t end = signer->about.not_after;
  const Wanted wanted{.uri = identity::uri(order.identity, signer->trust_domain),
                      .addresses = order.addresses,
                      .key_hash = authority::hex(authority::key_digest(own_key->get())),
                      .authority_hash = signer->about.key_hash,
                      .until = std::min(now + seconds_of(order.lifetime), end),
                      .lifetime = order.lifetime};
  const std::string why = why_to_sign(chain_in(options_.certificate), wanted, now);
  if (why.empty()) return {};
  const auto certificate = authority::sign(signer->authority, **own_key, order, now);
  if (!certificate) return certificate.error();
  const std::string chain = *certificate + signer->certificate;
  if (auto written = put_file(options_.certificate, chain, kForAll); !written) return written;
  log::info("own certificate signed", {{"file", options_.certificate},
                                       {"because", why},
                                       {"addresses", join(order.addresses, ",")},
                                       {"until", time_text(wanted.until)}});
  return {};
}

}  // namespace meshdns::enrolment
