#include "dnsd/topology/host_owners.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace meshdns::topology {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class HostOwnersTest : public testing::Test {
 protected:
  HostOwnersTest() {
    owners_.configure({{"mesh.internal"}, "{service}.{zone}"},
                      [](const std::string& name) { return name == "static.mesh.internal"; });
  }

  void add_object(const std::string& name, const std::string& host, std::int64_t created) {
    model::VirtualDestination& object = records_.destinations["shop/" + name];
    object.meta = {.name = name, .namespace_ = "shop", .created = created};
    object.hosts = {host};
  }
  void claim_all() {
    owned_.clear();
    gone_.clear();
    owners_.claim_all([this](const std::string& host) { owned_.push_back(host); },
                      [this](const std::string& host) { gone_.push_back(host); });
  }
  bool claim(const std::string& ns, const std::string& name) {
    owned_.clear();
    records_.services.try_emplace({ns, name});
    return owners_.claim({ns, name}, [this](const std::string& host) { owned_.push_back(host); });
  }

  model::Records records_;
  HostOwners owners_{records_};
  std::vector<std::string> owned_;
  std::vector<std::string> gone_;
};

TEST_F(HostOwnersTest, objects_claim_before_services_and_the_oldest_first) {
  records_.services[{"shop", "web"}].created = 1;
  add_object("young", "web.mesh.internal", 3);
  add_object("old", "web.mesh.internal", 2);
  claim_all();
  EXPECT_THAT(owned_, ElementsAre("web.mesh.internal"));
  EXPECT_EQ(owners_.find("web.mesh.internal")->object, "shop/old");
  EXPECT_THAT(owners_.conflicts(), ElementsAre(Conflict{"shop/young", "host web.mesh.internal belongs to shop/old"}));
}

// KEP-1645: what nobody exports has no name there; what somebody exports has one, whatever the pattern of other zones.
TEST_F(HostOwnersTest, names_of_multi_cluster_services_are_for_exported_services) {
  owners_.configure({{"mesh.internal", "clusterset.local"}, ""}, [](const std::string&) { return false; });
  records_.services[{"shop", "web"}];
  records_.services[{"shop", "db"}].unexported = true;
  claim_all();
  EXPECT_THAT(owned_, ElementsAre("web.shop.svc.clusterset.local"));
  records_.services[{"shop", "db"}].unexported = false;
  EXPECT_TRUE(claim("shop", "db"));
  EXPECT_THAT(owned_, ElementsAre("db.shop.svc.clusterset.local"));
  records_.services[{"shop", "web"}].unexported = true;
  EXPECT_FALSE(claim("shop", "web")) << "all owners have to be computed again";
  claim_all();
  EXPECT_THAT(gone_, ElementsAre("web.shop.svc.clusterset.local"));
  EXPECT_TRUE(claim("shop", "web"));
}

TEST_F(HostOwnersTest, a_host_that_becomes_free_goes_to_the_next_claim) {
  records_.services[{"shop", "web"}];
  add_object("a", "web.mesh.internal", 1);
  add_object("b", "b.mesh.internal", 1);
  claim_all();
  EXPECT_THAT(owned_, UnorderedElementsAre("b.mesh.internal", "web.mesh.internal"));
  records_.destinations.clear();
  claim_all();
  EXPECT_THAT(owned_, ElementsAre("web.mesh.internal")) << "has another owner now";
  EXPECT_THAT(gone_, ElementsAre("b.mesh.internal"));
  std::set<std::string> hosts;
  owners_.add_hosts_of(model::ServiceKey{"shop", "web"}, hosts);
  EXPECT_THAT(hosts, ElementsAre("web.mesh.internal"));
}

TEST_F(HostOwnersTest, a_new_service_claims_alone_unless_another_one_has_its_name) {
  claim_all();
  EXPECT_TRUE(claim("shop", "web"));
  EXPECT_THAT(owned_, ElementsAre("web.mesh.internal"));
  EXPECT_TRUE(claim("shop", "static")) << "a name with static records is no host";
  EXPECT_THAT(owned_, IsEmpty());
  EXPECT_FALSE(claim("blog", "web")) << "the older of both has the host: claim_all() decides";
  claim_all();
  EXPECT_EQ(owners_.hostless_services(), 1U);
  EXPECT_FALSE(claim("blog", "web"));
}

TEST_F(HostOwnersTest, a_host_whose_name_would_be_too_long_is_a_conflict) {
  const std::string label(63, 'a');
  owners_.configure({{"mesh.internal"}, label + "." + label + "." + label + ".{service}.{zone}"},
                    [](const std::string&) { return false; });
  claim_all();
  EXPECT_TRUE(claim("shop", std::string(47, 'b'))) << "253 characters";
  EXPECT_EQ(owned_.size(), 1U);
  EXPECT_THAT(owners_.conflicts(), IsEmpty());
  EXPECT_TRUE(claim("shop", std::string(48, 'b')));
  EXPECT_TRUE(claim("shop", std::string(48, 'b'))) << "a service may change and claim again";
  EXPECT_THAT(owned_, IsEmpty());
  EXPECT_EQ(owners_.hostless_services(), 1U);
  ASSERT_EQ(owners_.conflicts().size(), 1U);
  EXPECT_EQ(owners_.conflicts().front().object, "service shop/" + std::string(48, 'b'));
  EXPECT_THAT(owners_.conflicts().front().message, testing::EndsWith("is longer than 253 characters"));
  claim_all();
  EXPECT_EQ(owners_.conflicts().size(), 1U);
  EXPECT_EQ(owners_.all().size(), 1U);
}

}  // namespace
}  // namespace meshdns::topology
