#include "dnsd/enrolment/authority_secret.h"

#include <algorithm>
#include <utility>

#include "common/kubernetes/refusal.h"
#include "common/kubernetes/status_codes.h"
#include "common/log/log.h"

namespace meshdns::enrolment {
namespace {

using authority::Content;
using kubernetes::Answer;
using kubernetes::Keeper;

constexpr const char* kCertificate = "ca.crt";
constexpr const char* kKey = "ca.key";
constexpr const char* kOldKey = "old.key";
constexpr const char* kTlsCertificate = "tls.crt";  // of Secrets of the type kubernetes.io/tls
constexpr const char* kTlsKey = "tls.key";

std::string text_in(const kubernetes::KeyedTexts& texts, const char* key) {
  const auto found = texts.find(key);
  return found == texts.end() ? "" : found->second;
}

/// Returns the copy in a folder; nothing = there is none that can be used.
std::optional<Content> copy_in(const std::string& folder) {
  auto found = authority::read_content(folder);
  if (!found || !authority::describe_signer(found->authority)) return std::nullopt;
  return *std::move(found);
}

}  // namespace

Exchange exchange_of(const std::optional<Content>& copy, const std::optional<Content>& equal, const Content& secret) {
  if (!copy) return Exchange::Take;
  if (*copy == secret) return Exchange::Nothing;
  return equal && *equal == secret ? Exchange::Push : Exchange::Take;
}

kubernetes::KeyedTexts texts_of(const Content& content) {
  return {{kCertificate, content.authority.certificates}, {kKey, content.authority.key}, {kOldKey, content.old_key}};
}

Result<Content> content_of(const kubernetes::KeyedTexts& texts) {
  // In a Secret of cert-manager ca.crt is the issuer's certificate, which need not be the one that signs.
  const bool is_tls = text_in(texts, kKey).empty() && !text_in(texts, kTlsKey).empty();
  const char* const certificate = is_tls ? kTlsCertificate : kCertificate;
  const char* const signing_key = is_tls ? kTlsKey : kKey;
  Content out{{text_in(texts, certificate), text_in(texts, signing_key)}, text_in(texts, kOldKey)};
  for (const char* key : {certificate, signing_key}) {
    if (text_in(texts, key).empty()) return Error(Code::InvalidArgument, std::string("it has no ") + key);
  }
  if (const auto signer = authority::describe_signer(out.authority); !signer) return signer.error();
  return out;
}

bool has_copy(const std::string& folder) { return copy_in(folder).has_value(); }

AuthoritySecret::AuthoritySecret(Options options, ApiServer server, const Clock& clock, Timers& timers,
                                 std::function<void()> looked)
    : options_(std::move(options)),
      server_(std::move(server)),
      clock_(clock),
      timers_(timers),
      looked_(std::move(looked)) {}

AuthoritySecret::~AuthoritySecret() {
  if (timer_) timers_.cancel(*timer_);
}

void AuthoritySecret::look() {
  timer_.reset();
  races_ = 0;
  ask("GET", kubernetes::keeper_path(Keeper::Secret, options_.name_space, options_.secret), "",
      &AuthoritySecret::got_secret);
}

void AuthoritySecret::ask(std::string method, std::string target, std::string body, Handler then) {
  kubernetes::Request request;
  request.method = std::move(method);
  request.target = std::move(target);
  request.body = std::move(body);
  call_ = server_.send(std::move(request), [this, then](const Result<Answer>& answer) {
    if (!answer) return finish(Error(Code::Unavailable, server_.name + ": " + answer.error().message()));
    if (answer->status == kubernetes::kUnauthorized) server_.expire_token();
    (this->*then)(*answer);
  });
}

void AuthoritySecret::refused(const std::string& what, const Answer& answer) {
  const auto why = kubernetes::parse_refusal(answer.status, answer.retry_after, answer.body);
  finish(Error(Code::Unavailable, what + ": " + why.text()));
}

void AuthoritySecret::got_secret(const Answer& answer) {
  if (answer.status == kubernetes::kNotFound && options_.read_only) {
    return finish(Error(Code::Unavailable, "there is no Secret yet, and with read_only somebody else makes it"));
  }
  if (answer.status == kubernetes::kNotFound) return create_secret();
  if (!is_success(answer)) return refused("reading the Secret", answer);
  const auto texts = kubernetes::read_texts(Keeper::Secret, answer.body);
  if (!texts) return finish(texts.error());
  const auto content = content_of(*texts);
  if (!content) return finish(content.error().with_context("the Secret cannot be used"));
  const auto copy = copy_in(options_.folder);
  switch (exchange_of(copy, equal_, *content)) {
    case Exchange::Push:
      if (options_.read_only) return take(*content, "the copy was changed, and the Secret counts");
      return put_secret(answer.body, *copy);
    case Exchange::Take: return take(*content, copy ? "the Secret has another" : "there is no copy");
    case Exchange::Nothing: equal_ = *content; return look_at_config_map();
  }
}

void AuthoritySecret::create_secret() {
  offered_ = copy_in(options_.folder);
  if (!offered_) {
    auto made = authority::make_authority(options_.trust_domain, clock_.unix_seconds());
    if (!made) return finish(made.error());
    offered_ = Content{*std::move(made), ""};
  }
  ask("POST", kubernetes::keeper_path(Keeper::Secret, options_.name_space),
      kubernetes::new_keeper(Keeper::Secret, options_.name_space, options_.secret, texts_of(*offered_)),
      &AuthoritySecret::created_secret);
}

void AuthoritySecret::created_secret(const Answer& answer) {
  if (answer.status == kubernetes::kConflict) return lost_race("creating the Secret");
  if (!is_success(answer)) return refused("creating the Secret", answer);
  take(*offered_, "the Secret was made");
}

void AuthoritySecret::put_secret(const std::string& body, const Content& copy) {
  const auto next = kubernetes::with_texts(Keeper::Secret, body, texts_of(copy));
  if (!next) return finish(next.error());
  offered_ = copy;
  ask("PUT", kubernetes::keeper_path(Keeper::Secret, options_.name_space, options_.secret), *next,
      &AuthoritySecret::have_put_secret);
}

void AuthoritySecret::have_put_secret(const Answer& answer) {
  if (answer.status == kubernetes::kConflict || answer.status == kubernetes::kNotFound)
    return lost_race("writing the Secret");
  if (!is_success(answer)) return refused("writing the Secret", answer);
  equal_ = *offered_;
  log::info("authority written", {{"secret", name()}, {"because", "it was exchanged here"}});
  look_at_config_map();
}

void AuthoritySecret::lost_race(const std::string& what) {
  if (++races_ > kRaces) return finish(Error(Code::Unavailable, what + ": others are always faster"));
  ask("GET", kubernetes::keeper_path(Keeper::Secret, options_.name_space, options_.secret), "",
      &AuthoritySecret::got_secret);
}

void AuthoritySecret::take(const Content& content, const std::string& because) {
  if (const auto written = authority::write_content(options_.folder, content); !written) return finish(written);
  equal_ = content;
  const auto signer = authority::describe_signer(content.authority);
  log::info("authority taken", {{"secret", name()},
                                {"because", because},
                                {"folder", options_.folder},
                                {"key", signer ? signer->key_hash.substr(0, 16) : ""}});
  look_at_config_map();
}

kubernetes::KeyedTexts AuthoritySecret::certificate() const { return {{kCertificate, equal_->authority.certificates}}; }

void AuthoritySecret::look_at_config_map() {
  ask("GET", kubernetes::keeper_path(Keeper::ConfigMap, options_.name_space, options_.config_map), "",
      &AuthoritySecret::got_config_map);
}

void AuthoritySecret::got_config_map(const Answer& answer) {
  if (answer.status == kubernetes::kNotFound) {
    return ask("POST", kubernetes::keeper_path(Keeper::ConfigMap, options_.name_space),
               kubernetes::new_keeper(Keeper::ConfigMap, options_.name_space, options_.config_map, certificate()),
               &AuthoritySecret::wrote_config_map);
  }
  if (!is_success(answer)) return refused("reading the ConfigMap", answer);
  const auto texts = kubernetes::read_texts(Keeper::ConfigMap, answer.body);
  if (!texts) return finish(texts.error());
  if (text_in(*texts, kCertificate) == equal_->authority.certificates) return finish({});
  const auto next = kubernetes::with_texts(Keeper::ConfigMap, answer.body, certificate());
  if (!next) return finish(next.error());
  ask("PUT", kubernetes::keeper_path(Keeper::ConfigMap, options_.name_space, options_.config_map), *next,
      &AuthoritySecret::wrote_config_map);
}

void AuthoritySecret::wrote_config_map(const Answer& answer) {
  // after a conflict the next round looks whether the other writer has written the same
  if (!is_success(answer) && answer.status != kubernetes::kConflict) return refused("writing the ConfigMap", answer);
  finish({});
}

void AuthoritySecret::finish(const Result<void>& done) {
  trouble_ = done ? "" : done.error().message();
  if (!done && reminder_.due(clock_.now())) {
    log::warn("authority not followed", {{"secret", name()}, {"reason", trouble_}});
  } else if (done && reminder_.ends()) {
    log::info("authority followed again", {{"secret", name()}});
  }
  pause_ = done ? kFirstPause : std::min(2 * pause_, options_.interval);
  timer_ = timers_.after(done ? options_.interval : pause_, [this] { look(); });
  if (looked_) looked_();
}

}  // namespace meshdns::enrolment
