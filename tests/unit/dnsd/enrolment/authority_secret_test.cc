// An authority in a Secret, with API servers that are played: objects with versions, and writers that are faster.
#include "dnsd/enrolment/authority_secret.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <deque>
#include <filesystem>
#include <map>
#include <string>

#include "common/authority/authority.h"
#include "common/time/sim_clock.h"
#include "tests/support/temporary_folder.h"

namespace meshdns::enrolment {
namespace {

using authority::Content;
using kubernetes::Answer;
using kubernetes::Keeper;
using kubernetes::KeyedTexts;
using testing::HasSubstr;

constexpr const char* kSecret = "/api/v1/namespaces/m/secrets/a";
constexpr const char* kConfigMap = "/api/v1/namespaces/m/configmaps/a";

/// Keeps one Secret and one ConfigMap, as texts by key.
class PlayedApi {
 public:
  /// Answers the question that was asked last.
  Answer answer(const kubernetes::Request& request) {
    ++asked[request.method + " " + request.target];
    if (refuse != 0) return {refuse, R"({"kind":"Status","reason":"Forbidden"})", {}};
    const bool is_secret = request.target.find("/secrets") != std::string::npos;
    auto& held = is_secret ? secret : config_map;
    if (request.method == "GET") return held ? Answer{200, body(is_secret, *held), {}} : Answer{404, "", {}};
    if (before_write) std::exchange(before_write, nullptr)();
    if (request.method == "POST" && held) return {409, R"({"kind":"Status","reason":"AlreadyExists"})", {}};
    const bool stale =
        request.body.find("\"resourceVersion\":\"" + std::to_string(version) + "\"") == std::string::npos;
    if (request.method == "PUT" && stale) return {409, R"({"kind":"Status","reason":"Conflict"})", {}};
    held = written(is_secret, request.body);
    ++version;
    return {request.method == "POST" ? 201 : 200, "", {}};
  }
  void set_secret(const Content& content) {
    secret = texts_of(content);
    if (content.old_key.empty()) secret->erase("old.key");
    ++version;
  }
  std::string certificate() const { return secret ? secret->at("ca.crt") : ""; }

  std::optional<KeyedTexts> secret, config_map;
  int version = 1;
  int refuse = 0;                        // status of every answer
  std::function<void()> before_write{};  // somebody who is faster
  std::map<std::string, int> asked;

 private:
  static std::string base64(const std::string& text) {
    constexpr const char* kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    for (std::size_t i = 0; i < text.size(); i += 3) {
      unsigned held = 0;
      for (std::size_t k = 0; k < 3; ++k)
        held = held << 8 | (i + k < text.size() ? static_cast<unsigned char>(text[i + k]) : 0);
      for (std::size_t k = 0; k < 4; ++k) out += i + k > text.size() ? '=' : kAlphabet[held >> (18 - 6 * k) & 63];
    }
    return out;
  }
  /// An object as the API server sends it.
  std::string body(bool is_secret, const KeyedTexts& texts) const {
    std::string out = std::string(R"({"kind":")") + (is_secret ? "Secret" : "ConfigMap") +
                      R"(","metadata":{"resourceVersion":")" + std::to_string(version) + R"("},"data":{)";
    for (const auto& [key, text] : texts) {
      std::string shown = is_secret ? base64(text) : text;
      for (std::size_t at = 0; (at = shown.find('\n', at)) != std::string::npos; at += 2) shown.replace(at, 1, "\\n");
      out += (out.ends_with('{') ? "\"" : ",\"") + key + "\":\"" + shown + "\"";
    }
    return out + "}}";
  }
  /// The texts of a written object: the API server moves stringData to data.
  static KeyedTexts written(bool is_secret, std::string body) {
    if (is_secret) {
      const auto data = body.find("\"data\":");
      body.replace(data, 7, "\"dota\":");
      body.replace(body.find("\"stringData\":"), 13, "\"data\":");
    }
    body.replace(body.find(is_secret ? "\"Secret\"" : "\"ConfigMap\""), is_secret ? 8 : 11, "\"ConfigMap\"");
    return kubernetes::read_texts(Keeper::ConfigMap, body).value();
  }
};

class AuthoritySecretTest : public testing::Test {
 protected:
  /// An instance of a federation with a folder of its own.
  std::unique_ptr<AuthoritySecret> instance(const std::string& name, bool read_only = false) {
    return std::make_unique<AuthoritySecret>(
        AuthoritySecret::Options{"m", "a", "a", folder_.path(name), "mesh.internal", 30s, read_only},
        ApiServer{"api:443",
                  [this](kubernetes::Request request, std::function<void(Result<Answer>)> done) {
                    waiting_.emplace_back([this, request = std::move(request), done = std::move(done)] {
                      done(away_ ? Result<Answer>(Error(Code::Unavailable, "connecting: refused"))
                                 : api_.answer(request));
                    });
                    return kubernetes::Call();
                  },
                  [] {}},
        clock_, clock_);
  }
  /// Lets the API server answer until nobody asks anything.
  void settle() {
    while (!waiting_.empty()) {
      const auto next = std::move(waiting_.front());
      waiting_.pop_front();
      next();
    }
  }
  void advance(Duration by) {
    clock_.advance(by);
    settle();
  }
  Content copy(const std::string& name) const { return authority::read_content(folder_.path(name)).value(); }
  Content made() const {
    return {authority::make_authority("mesh.internal", clock_.unix_seconds(), std::chrono::hours(24 * 365)).value(),
            ""};
  }
  /// Does what `meshdnsctl ca rotate` does.
  void rotate(const std::string& name) {
    const auto old = authority::read_folder(folder_.path(name)).value();
    const auto next = authority::rotated(old, clock_.unix_seconds(), std::chrono::hours(24 * 365)).value();
    ASSERT_TRUE(authority::write_rotated(folder_.path(name), old, next));
  }

  SimClock clock_;
  test::TemporaryFolder folder_;
  PlayedApi api_;
  bool away_ = false;
  std::deque<std::function<void()>> waiting_;
};

TEST_F(AuthoritySecretTest, a_missing_one_is_made_once_by_whoever_is_first) {
  const auto a = instance("a"), b = instance("b");
  a->start();
  b->start();
  settle();  // both have found none before one of them writes
  EXPECT_EQ(copy("a"), copy("b"));
  EXPECT_EQ(api_.certificate(), copy("a").authority.certificates);
  EXPECT_EQ(api_.config_map->at("ca.crt"), api_.certificate());
  EXPECT_EQ(a->trouble() + b->trouble(), "");
  EXPECT_EQ((std::filesystem::status(folder_.path("a") + "/ca.key").permissions() & std::filesystem::perms::mask),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST_F(AuthoritySecretTest, nothing_is_written_while_all_is_equal) {
  const auto a = instance("a");
  a->start();
  settle();
  api_.asked.clear();
  advance(30s);
  EXPECT_EQ(api_.asked,
            (std::map<std::string, int>{{std::string("GET ") + kSecret, 1}, {std::string("GET ") + kConfigMap, 1}}));
}

TEST_F(AuthoritySecretTest, an_exchange_in_one_folder_reaches_everybody) {
  const auto a = instance("a"), b = instance("b");
  a->start();
  b->start();
  settle();
  const Content before = copy("a");
  rotate("a");
  advance(30s);
  advance(30s);
  EXPECT_NE(copy("a"), before);
  EXPECT_EQ(copy("b"), copy("a"));
  EXPECT_EQ(copy("b").old_key, before.authority.key);
  EXPECT_EQ(api_.config_map->at("ca.crt"), copy("a").authority.certificates);
  ASSERT_TRUE(authority::finish_rotation(folder_.path("b")));
  advance(30s);
  advance(30s);
  EXPECT_EQ(copy("a"), copy("b"));
  EXPECT_EQ(copy("a").old_key, "");
  EXPECT_EQ(api_.secret->count("old.key"), 0U);
}

TEST_F(AuthoritySecretTest, of_two_exchanges_the_first_one_counts) {
  const auto a = instance("a");
  a->start();
  settle();
  const Content other = made();
  rotate("a");
  api_.before_write = [&] { api_.set_secret(other); };
  advance(30s);
  EXPECT_EQ(copy("a"), other);
  EXPECT_EQ(api_.certificate(), other.authority.certificates);
}

// cert-manager: https://cert-manager.io/docs/usage/certificate/, "target Secret"
TEST_F(AuthoritySecretTest, the_secret_of_somebody_else_is_only_read) {
  const auto a = instance("a", true);
  a->start();
  settle();
  EXPECT_THAT(a->trouble(), HasSubstr("there is no Secret yet"));
  EXPECT_FALSE(api_.secret);
  const auto put = [this](const Content& content) {
    api_.secret = KeyedTexts{
        {"ca.crt", "of the issuer"}, {"tls.crt", content.authority.certificates}, {"tls.key", content.authority.key}};
    ++api_.version;
  };
  const Content first = made();
  put(first);
  advance(30s);
  EXPECT_EQ(a->trouble(), "");
  EXPECT_EQ(copy("a"), first);
  EXPECT_EQ(api_.config_map->at("ca.crt"), first.authority.certificates);
  const KeyedTexts theirs = *api_.secret;
  rotate("a");
  advance(30s);
  EXPECT_EQ(*api_.secret, theirs);
  EXPECT_EQ(copy("a"), first);
  const Content renewed = made();
  put(renewed);
  advance(30s);
  EXPECT_EQ(copy("a"), renewed);
  EXPECT_EQ(api_.config_map->at("ca.crt"), renewed.authority.certificates);
}

TEST_F(AuthoritySecretTest, the_copy_is_used_without_the_api_server_and_brings_a_lost_secret_back) {
  auto a = instance("a");
  a->start();
  settle();
  const Content before = copy("a");
  away_ = true;
  advance(30s);
  EXPECT_THAT(a->trouble(), HasSubstr("api:443: connecting: refused"));
  EXPECT_TRUE(has_copy(folder_.path("a")));
  away_ = false;
  api_.secret.reset();
  a = instance("a");  // a restart
  a->start();
  settle();
  EXPECT_EQ(a->trouble(), "");
  EXPECT_EQ(copy("a"), before);
  EXPECT_EQ(api_.certificate(), before.authority.certificates);
}

TEST_F(AuthoritySecretTest, a_start_without_a_copy_tries_again_soon_at_first) {
  away_ = true;
  const auto a = instance("a");
  a->start();
  settle();
  EXPECT_FALSE(has_copy(folder_.path("a")));
  for (int i = 0; i < 20; ++i) advance(10s);
  EXPECT_FALSE(has_copy(folder_.path("a")));
  away_ = false;
  advance(30s);
  EXPECT_TRUE(has_copy(folder_.path("a")));
}

TEST_F(AuthoritySecretTest, a_secret_that_cannot_be_used_changes_nothing) {
  const auto a = instance("a");
  a->start();
  settle();
  const Content before = copy("a");
  const auto try_with = [&](KeyedTexts texts, const std::string& why) {
    api_.secret = std::move(texts);
    ++api_.version;
    advance(30s);
    EXPECT_THAT(a->trouble(), HasSubstr(why));
    EXPECT_EQ(copy("a"), before);
  };
  try_with({}, "the Secret cannot be used: it has no ca.crt");
  try_with({{"ca.crt", before.authority.certificates}}, "it has no ca.key");
  try_with({{"ca.crt", before.authority.certificates}, {"ca.key", made().authority.key}},
           "the Secret cannot be used: ");
  try_with({{"ca.crt", "hunter2"}, {"ca.key", before.authority.key}}, "the Secret cannot be used: ");
  EXPECT_THAT(a->trouble(), testing::Not(HasSubstr("hunter2")));
  api_.refuse = 403;
  advance(30s);
  EXPECT_THAT(a->trouble(), HasSubstr("reading the Secret: 403 Forbidden"));
  api_.refuse = 0;
  api_.set_secret(before);
  advance(30s);
  EXPECT_EQ(a->trouble(), "");
}

TEST_F(AuthoritySecretTest, a_config_map_that_was_changed_or_deleted_is_written_again) {
  const auto a = instance("a");
  a->start();
  settle();
  api_.config_map = KeyedTexts{{"ca.crt", "x"}, {"theirs", "y"}};
  advance(30s);
  EXPECT_EQ(*api_.config_map, (KeyedTexts{{"ca.crt", api_.certificate()}, {"theirs", "y"}}));
  api_.config_map.reset();
  advance(30s);
  EXPECT_EQ(api_.config_map->at("ca.crt"), api_.certificate());
}

TEST(ExchangeOf, the_secret_counts_unless_only_the_copy_has_changed) {
  const Content one{{"c1", "k1"}, ""}, two{{"c2", "k2"}, ""}, three{{"c3", "k3"}, ""};
  EXPECT_EQ(exchange_of({}, {}, one), Exchange::Take);
  EXPECT_EQ(exchange_of(one, {}, one), Exchange::Nothing);
  EXPECT_EQ(exchange_of(two, {}, one), Exchange::Take) << "after a start nobody knows which is newer";
  EXPECT_EQ(exchange_of(two, one, one), Exchange::Push);
  EXPECT_EQ(exchange_of(one, one, two), Exchange::Take);
  EXPECT_EQ(exchange_of(two, one, three), Exchange::Take);
}

}  // namespace
}  // namespace meshdns::enrolment
