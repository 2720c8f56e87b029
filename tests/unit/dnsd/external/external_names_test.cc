#include "dnsd/external/external_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "common/time/sim_clock.h"

namespace meshdns::external {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const Error kGone(Code::NotFound, "no such name");
const Error kSilent(Code::DeadlineExceeded, "no server answers");

class ExternalNamesTest : public testing::Test {
 protected:
  struct Question {
    std::string name;
    ExternalNames::Done done;
  };

  /// An object with these external endpoints.
  void put(const std::string& name, const std::vector<std::string>& hostnames) {
    model::VirtualDestination object = object_of(name, hostnames);
    catalog_.put_destination(object, clock_.now());
    names_.look();
  }
  static model::VirtualDestination object_of(const std::string& name, const std::vector<std::string>& hostnames) {
    model::VirtualDestination out;
    out.meta.namespace_ = "shop";
    out.meta.name = name;
    out.hosts = {name + ".mesh.internal"};
    for (const std::string& hostname : hostnames) out.external_endpoints.push_back({.hostname = hostname, .port = 443});
    return out;
  }
  std::vector<std::string> asked() const {
    std::vector<std::string> out;
    for (const Question& question : questions_) out.push_back(question.name);
    return out;
  }
  /// The end of the oldest question.
  void answer(const Result<resolve::Answer>& result) {
    ASSERT_FALSE(questions_.empty());
    const Question question = std::move(questions_.front());
    questions_.pop_front();
    question.done(result);
  }
  static resolve::Answer addresses(std::initializer_list<const char*> texts, Duration ttl = 30s) {
    resolve::Answer out;
    for (const char* text : texts) out.addresses.push_back(IpAddress::parse(text).value());
    out.ttl = ttl;
    return out;
  }
  std::vector<std::string> known(const std::string& name) const {
    std::vector<std::string> out;
    const auto found = catalog_.records().external_names.find(name);
    if (found == catalog_.records().external_names.end()) return out;
    for (const IpAddress& address : found->second.addresses) out.push_back(address.text());
    return out;
  }

  SimClock clock_;
  catalog::Catalog catalog_;
  std::deque<Question> questions_;
  int published_ = 0;
  ExternalNames names_{{.clock = clock_,
                        .timers = clock_,
                        .catalog = catalog_,
                        .ask =
                            [this](const std::string& name, ExternalNames::Done done) {
                              questions_.push_back({name, std::move(done)});
                            },
                        .changed =
                            [this] {
                              ++published_;
                              names_.look();
                            }}};
};

TEST_F(ExternalNamesTest, the_names_of_all_objects_become_records_and_follow_what_dns_says) {
  put("a", {"db.example.net", "mq.example.net"});
  put("b", {"db.example.net"});
  EXPECT_THAT(asked(), ElementsAre("db.example.net", "mq.example.net"));
  answer(addresses({"10.0.0.1"}));
  answer(addresses({"10.0.0.9"}, 60s));
  EXPECT_THAT(known("db.example.net"), ElementsAre("10.0.0.1"));
  EXPECT_EQ(published_, 2);
  clock_.advance(30s);
  EXPECT_THAT(asked(), ElementsAre("db.example.net"));
  answer(addresses({"10.0.0.2", "fd00::2"}));
  EXPECT_THAT(known("db.example.net"), ElementsAre("10.0.0.2", "fd00::2"));
  EXPECT_EQ(published_, 3);
  clock_.advance(30s);
  answer(addresses({"10.0.0.2", "fd00::2"}));
  EXPECT_EQ(published_, 3) << "an equal answer changes nothing";
  EXPECT_EQ(names_.counts().resolved, 2U);
  EXPECT_EQ(names_.counts().answered, 4U);
}

TEST_F(ExternalNamesTest, the_last_good_addresses_are_kept_whatever_the_failure) {
  put("a", {"db.example.net"});
  answer(addresses({"10.0.0.1"}));
  for (int i = 0; i < 100; ++i) {
    clock_.advance(5min);
    answer(i % 2 == 0 ? kSilent : kGone);
  }
  EXPECT_THAT(known("db.example.net"), ElementsAre("10.0.0.1"));
  EXPECT_EQ(names_.counts().kept, 1U);
  EXPECT_EQ(names_.counts().resolved, 0U);
  EXPECT_EQ(names_.counts().negative, 50U);
  EXPECT_EQ(names_.counts().unanswered, 50U);
  EXPECT_THAT(names_.problems_of(object_of("a", {"db.example.net"})),
              ElementsAre("db.example.net: no such name; its last good addresses are kept"));
  clock_.advance(5min);
  answer(addresses({"10.0.0.2"}));
  EXPECT_THAT(known("db.example.net"), ElementsAre("10.0.0.2"));
  EXPECT_THAT(names_.problems_of(object_of("a", {"db.example.net"})), IsEmpty());
}

TEST_F(ExternalNamesTest, a_name_that_was_never_resolved_is_missing_until_it_is) {
  put("a", {"db.example.net"});
  answer(kGone);
  EXPECT_THAT(known("db.example.net"), IsEmpty());
  EXPECT_EQ(names_.counts().missing, 1U);
  EXPECT_EQ(published_, 0);
  EXPECT_THAT(names_.problems_of(object_of("a", {"db.example.net"})),
              ElementsAre("db.example.net: no such name; it was never resolved"));
  clock_.advance(5s);
  answer(addresses({"10.0.0.1"}));
  EXPECT_THAT(known("db.example.net"), ElementsAre("10.0.0.1"));
}

TEST_F(ExternalNamesTest, what_the_store_kept_stays_until_something_else_is_known) {
  catalog_.put_destination(object_of("a", {"db.example.net"}), clock_.now());
  catalog_.set_external_name("db.example.net", {addresses({"10.0.0.1"}).addresses}, clock_.now());
  catalog_.set_external_name("unused.example.net", {addresses({"10.0.0.7"}).addresses}, clock_.now());
  names_.set_zones({"mesh.internal"});
  EXPECT_THAT(known("unused.example.net"), IsEmpty());
  answer(kSilent);
  EXPECT_THAT(known("db.example.net"), ElementsAre("10.0.0.1"));
  EXPECT_EQ(names_.counts().kept, 1U);
}

TEST_F(ExternalNamesTest, a_name_that_no_object_uses_any_more_is_dropped) {
  put("a", {"db.example.net"});
  put("b", {"db.example.net"});
  answer(addresses({"10.0.0.1"}));
  put("a", {});
  EXPECT_THAT(known("db.example.net"), ElementsAre("10.0.0.1"));
  catalog_.erase_destination("shop/b", clock_.now());
  names_.look();
  EXPECT_THAT(known("db.example.net"), IsEmpty());
  clock_.advance(1h);
  EXPECT_THAT(asked(), IsEmpty());
}

TEST_F(ExternalNamesTest, an_answer_that_comes_when_its_name_is_gone_is_left) {
  put("a", {"db.example.net"});
  put("a", {});
  answer(addresses({"10.0.0.1"}));
  EXPECT_THAT(known("db.example.net"), IsEmpty());
  EXPECT_EQ(published_, 0);
}

TEST_F(ExternalNamesTest, names_in_our_own_zones_are_refused) {
  names_.set_zones({"mesh.internal", "example.org"});
  put("a", {"app-b.mesh.internal", "mesh.internal", "notmesh.internal"});
  EXPECT_THAT(asked(), ElementsAre("notmesh.internal"));
  EXPECT_EQ(names_.counts().refused, 2U);
  EXPECT_THAT(names_.problems_of(object_of("a", {"app-b.mesh.internal"})),
              ElementsAre("app-b.mesh.internal is in mesh.internal, which is answered here: it is not resolved"));
  answer(addresses({"10.0.0.1"}));
  names_.set_zones({"notmesh.internal"});
  EXPECT_THAT(known("notmesh.internal"), IsEmpty());
  EXPECT_THAT(asked(), ElementsAre("app-b.mesh.internal", "mesh.internal"));
}

}  // namespace
}  // namespace meshdns::external
